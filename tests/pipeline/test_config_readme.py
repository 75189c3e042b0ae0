"""The schema and the tables of config/README.md are those of the configuration's models."""

import re
from pathlib import Path

import jsonschema
import pytest
import yaml

from neuralcodes.errors import ConfigError
from neuralcodes.figures import kinds
from neuralcodes.pipeline import configuration
from neuralcodes.pipeline.configuration import document, schema

ROOT = Path(__file__).parents[2]
README = ROOT / "config/README.md"


def test_both_are_current():
    assert document.SCHEMA.read_text() == document.schema_text(), "run make document"
    assert document.readme_text(README.read_text()) == README.read_text(), "run make document"


def test_what_stands_in_a_table_of_keys_is_renewed_and_nothing_else():
    before = README.read_text()
    damaged = re.sub(r"^\| `(device`|recipes.NAME).*\n", "", before, flags=re.MULTILINE)
    assert damaged != before
    assert document.readme_text(damaged) == before
    with pytest.raises(ValueError, match="once each"):
        document.readme_text(before.replace("<!-- keys: recipes -->", ""))


@pytest.mark.parametrize("preset", [path.stem for path in (ROOT / "config/presets").iterdir()])
def test_the_schema_takes_every_preset(preset):
    files = (f"presets/{preset}", "recipes", "hash_recipes", "config")
    preset, recipes, hash_recipes, user = (
        yaml.safe_load((ROOT / f"config/{name}.yaml").read_text()) for name in files
    )
    whole = configuration.merge({"recipes": recipes, "hash_recipes": hash_recipes}, preset)
    whole = configuration.merge(whole, user)
    jsonschema.validate(whole, schema.of_configuration())
    whole["studies"]["wrong"] = {}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(whole, schema.of_configuration())


@pytest.mark.parametrize(
    "known",
    [
        "| `preset` | text, not empty | must be given | A file of config/presets without",
        "| `device` | auto \\| cpu \\| mps \\| cuda \\| cuda:N | `auto` | Where networks",
        "| `data.mirror` | text, not empty; or null | `null` | Folder tried before the official",
        "| `recipes.NAME.weight_decay` | a number, at least 0 | `1.0e-06` | Coefficient of the",
        "| `studies.NAME.checkpoints` | a list, with at least 1 entry; each an epoch, at least 0, "
        "accuracy1 to accuracy100, or final | `[final]` | What to keep, encode and measure: epochs",
    ],
)
def test_a_row_says_what_the_model_means(known):
    assert sum(line.startswith(known) for line in README.read_text().splitlines()) == 1


def test_every_key_has_a_meaning():
    rows = re.findall(r"^\| `([\w.]+)` \|.* \| (.*) \|$", README.read_text(), re.MULTILINE)
    assert len(rows) > 130
    of_keys = [row for row in rows if row[0] not in kinds.names()]
    assert [key for key, text in of_keys if not text.endswith(".")] == []


def test_the_table_of_figure_kinds_is_what_is_checked():
    for kind in kinds.names():
        table = README.read_text().split("| kind | takes |")[1]
        line = next(x for x in table.splitlines() if x.startswith(f"| `{kind}` |"))
        takes, needs = line.split("|")[2:4]
        assert set(re.findall(r"`(\w+)`", takes)) == set(kinds.get(kind).options)
        assert f"measure `{kinds.get(kind).measure}`" in needs


def test_the_preset_of_ones_own_is_valid(tmp_path):
    text = next(x for x in blocks("yaml") if x.startswith("# mine.yaml"))
    (tmp_path / "mine.yaml").write_text(text)
    settings = configuration.load({"preset": str(tmp_path / "mine.yaml")}, ROOT, {})
    assert (settings.preset, len(settings.runs)) == ("mine", 8)
    with pytest.raises(ConfigError) as raised:
        change = {"studies": {"width_letters": {"factors": {"width": [8, -16]}}}}
        configuration.load({"preset": str(tmp_path / "mine.yaml"), **change}, ROOT, {})
    assert f"```\n{raised.value}\n```" in README.read_text()


def test_the_overlay_is_valid():
    overlay = yaml.safe_load(next(x for x in blocks("yaml") if x.startswith("studies:")))
    study = configuration.load({"preset": "digits", **overlay}, ROOT, {}).studies[
        "model_size_digits"
    ]
    assert [point.run.width for point in study.points] == [8, 16, 32]
    assert study.chunks == ((0, 9), (10, 19))


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README.read_text(), re.S)
