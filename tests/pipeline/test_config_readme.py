"""config/README.md says of every key of the schema its type, default and meaning."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import yaml

from neuralcodes.errors import ConfigError
from neuralcodes.figures import kinds
from neuralcodes.pipeline import configuration, validation
from neuralcodes.studies.keys import shown

ROOT = Path(__file__).parents[2]
README = ROOT / "config/README.md"
SCHEMA = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text())
BAR = r"\|"  # a bar inside a table's cell
HEAD = "| key | type and range | default | meaning |"


def keys(schema: Mapping, path: str = "") -> Iterator[tuple[str, Mapping, bool]]:
    """Every key of the schema: its path, what describes it, whether it must be given."""
    named = schema.get("additionalProperties")
    if isinstance(named, Mapping) and "$ref" in named:
        yield from keys(resolved(named), f"{path}NAME.")
    for name, raw in schema.get("properties", {}).items():
        part = resolved(raw)
        yield f"{path}{name}", part, name in schema.get("required", [])
        yield from keys(part, f"{path}{name}.")


def resolved(schema: Mapping) -> Mapping:
    if "$ref" in schema:
        return {**SCHEMA["$defs"][schema["$ref"].rsplit("/", 1)[1]], **schema}
    return schema


def row(path: str, part: Mapping, required: bool) -> str:
    cells = [f"`{path}`", validation.allowed(part), default(part, required), part["description"]]
    return f"| {' | '.join(cell.replace('|', BAR) for cell in cells)} |"


def default(part: Mapping, required: bool) -> str:
    if required or "default" not in part:
        return "must be given" if required else "none"
    value = part["default"]
    if isinstance(value, list) and value == part["items"].get("enum"):
        return "all of them"
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return f"`[{', '.join(value)}]`"
    return f"`{value}`" if isinstance(value, str) and value else f"`{shown(value)}`"


def expected() -> dict[str, str]:
    return {each[0]: row(*each) for each in keys(SCHEMA)}


def written() -> dict[str, str]:
    tables = re.findall(rf"^{re.escape(HEAD)}\n\| ---.*\n((?:\|.*\n)+)", README.read_text(), re.M)
    rows = "".join(tables).splitlines()
    return {each.split("`")[1]: each for each in rows}


@pytest.mark.parametrize("path", list(expected()))
def test_a_key_stands_there_with_its_type_default_and_meaning(path):
    assert written().get(path) == expected()[path]


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
def test_a_row_says_what_the_schema_means(known):
    assert sum(line.startswith(known) for line in README.read_text().splitlines()) == 1


def test_no_key_stands_there_that_does_not_exist():
    assert set(written()) == set(expected())


def test_every_key_has_a_description_and_all_but_required_ones_a_default():
    for path, part, required in keys(SCHEMA):
        assert part["description"].endswith((".", "...", ";")), path
        assert required != ("default" in part) or path in {"recipes"}, path


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
