"""A damaged preset is valid still, or refused in one line that names a key; no other error."""

import copy
import re
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neuralcodes.errors import ConfigError
from neuralcodes.pipeline import configuration
from neuralcodes.pipeline.configuration import schema

ROOT = Path(__file__).parents[2]
PRESET = yaml.safe_load((ROOT / "config/presets/digits.yaml").read_text())
SCHEMA = schema.of_configuration()
KNOWN = sorted({*SCHEMA["properties"], *SCHEMA["$defs"]["study"]["properties"]})
# such as studies.width[1]; what is no usual name stands in brackets, and may be cut
KEY = r'(?:\.?[\w-]+|\["(?:[^"\\]|\\.)*"\]|\[".*\.\.\.\]|\[\d+\])+: '
FIELDS = sorted(SCHEMA["$defs"]["recipe"]["properties"])
# Values that stand somewhere in a configuration, and some that stand nowhere.
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-3, 20_000)
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(
        ["final", "0-4", "9-0", "1e-6", "8", "adam", "step", "relu", "epoch", "width"]
    )
)
NAMES = st.sampled_from(KNOWN + FIELDS) | st.text(max_size=8) | st.integers()
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)


def places(value: object, path: tuple = ()) -> list[tuple]:
    """Every path in nested mappings and lists."""
    if not isinstance(value, dict | list):
        return []
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    below = [(*path, name) for name, _ in inner]
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    return below + [each for name, part in inner for each in places(part, (*path, name))]


@st.composite
def damaged(draw: st.DrawFn) -> dict[str, object]:
    """A preset of one study, changed at one to three places."""
    study = draw(st.sampled_from(sorted(PRESET["studies"])))
    content = copy.deepcopy({**PRESET, "studies": {study: PRESET["studies"][study]}})
    for _ in range(draw(st.integers(1, 3))):
        if not places(content):
            break
        path = draw(st.sampled_from(places(content)))
        part = content
        for name in path[:-1]:
            part = part[name]
        action = draw(st.sampled_from(["replace", "remove", "add"]))
        if action == "remove":
            del part[path[-1]]
        elif action == "add" and isinstance(part, dict):
            part[draw(NAMES)] = draw(VALUES)
        else:
            part[path[-1]] = draw(VALUES)
    return content


@pytest.fixture(scope="module")
def file(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("damaged") / "own.yaml"


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
@given(content=damaged())
def test_damage_is_refused_in_one_line_that_names_a_key_or_does_no_harm(file, content):
    try:
        file.write_text(yaml.safe_dump(content, allow_unicode=False))
    except (yaml.YAMLError, ValueError):
        return  # no YAML can say it
    try:
        settings_ = configuration.load({"preset": str(file)}, ROOT, {})
    except ConfigError as error:
        message = str(error)
        assert "\n" not in message
        assert re.match(KEY, message) or message.startswith(f"{file}: "), message
    else:
        assert settings_.runs
