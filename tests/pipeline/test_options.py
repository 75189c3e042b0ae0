import json
import shlex
from pathlib import Path

import yaml

from neuralcodes.pipeline import configuration

ROOT = Path(__file__).parents[2]
USUAL = yaml.safe_load((ROOT / configuration.CHOICES).read_text())


def test_options_name_the_preset_alone_where_nothing_else_was_chosen():
    assert configuration.options(USUAL, ROOT) == "--config preset=digits"


def test_options_give_what_was_chosen_again_through_a_shell():
    chosen = {"preset": "my preset", "only": ["a", "b"], "data": {"mirror": "/it's here"}}
    option, *words = shlex.split(configuration.options({**USUAL, **chosen}, ROOT))
    assert option == "--config"
    values = dict(word.split("=", 1) for word in words)
    assert values.pop("preset") == "my preset"
    assert {name: json.loads(value) for name, value in values.items()} == {
        name: chosen[name] for name in ("only", "data")
    }
