"""Write the JSON schema and the tables of config/README.md from the configuration's models.

Use: make document, or python -m neuralcodes.pipeline.configuration.document
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from neuralcodes.pipeline.configuration import schema
from neuralcodes.pipeline.validation import allowed
from neuralcodes.storage import jobs
from neuralcodes.studies.keys import shown

ROOT = Path(__file__).parents[4]
SCHEMA = ROOT / "workflow/schemas/config.schema.yaml"
README = ROOT / "config/README.md"
GENERATED = """\
# The schema of the configuration, for editors and readers. Made from the models in
# src/neuralcodes/pipeline/configuration by `make document`; do not edit.
# `allowed` words what a pattern or a mixture of types means.
"""
# A table stands below a comment that names what it is of: <!-- keys: studies, studies.NAME -->
TABLE = re.compile(r"(<!-- keys: (.*) -->\n\n)(?:\|.*\n)*")
HEAD = "| key | type and range | default | meaning |\n| --- | --- | --- | --- |\n"
# What a table of the README has of its own; its other keys stand in the table of all.
APART = ("datasets", "recipes", "hash_recipes", "studies", "studies.NAME.figure")


def schema_text() -> str:
    """Give the content of the schema's file."""
    # written out, where the models share a part
    content = json.loads(json.dumps(schema.of_configuration()))
    return GENERATED + yaml.safe_dump(
        content, sort_keys=False, width=100, allow_unicode=True, default_flow_style=None
    )


def readme_text(before: str) -> str:
    """Renew the tables of keys in the README.

    Args:
        before: its text; a table stands below a comment such as `<!-- keys: datasets -->`, or
            `<!-- keys: all others -->` for the keys that no other table has.

    Raises:
        ValueError: a table of `APART` is missing, or one is of something else.
    """
    tables: dict[str, str] = {}
    for path, row in _rows(schema.of_configuration()):
        table = next((each for each in reversed(APART) if f"{path}.".startswith(f"{each}.")), None)
        name = table or "all others"
        tables[name] = tables.get(name, HEAD) + row
    found = [match[2] for match in TABLE.finditer(before)]
    if sorted(found) != sorted(tables):
        raise ValueError(f"{README}: has tables of {found}, not of {list(tables)}, once each")
    return TABLE.sub(lambda match: match[1] + tables[match[2]], before)


def main() -> None:
    """Write both files."""
    for path, text in ((SCHEMA, schema_text()), (README, readme_text(README.read_text("utf-8")))):
        with jobs.atomic(path) as temporary:
            temporary.write_text(text, encoding="utf-8")


def _rows(root: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for path, part, required in _keys(root, root, ""):
        cells = (f"`{path}`", allowed(part), _default(part, required), part["description"])
        yield path, f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |\n"


def _keys(
    found: Mapping[str, Any], root: Mapping[str, Any], path: str
) -> Iterator[tuple[str, Mapping[str, Any], bool]]:
    """List every key: its path, what describes it, whether it must be given."""
    named = found.get("additionalProperties")
    if isinstance(named, Mapping) and "$ref" in named:
        yield from _keys(schema.resolved(named, root), root, f"{path}NAME.")
    for name, raw in found.get("properties", {}).items():
        part = schema.resolved(raw, root)
        yield f"{path}{name}", part, name in found.get("required", ())
        yield from _keys(part, root, f"{path}{name}.")


def _default(part: Mapping[str, Any], required: bool) -> str:
    if required:
        return "must be given"
    value = part["default"]
    if isinstance(value, list) and value == part["items"].get("enum"):
        return "all of them"
    if value and isinstance(value, list) and all(isinstance(each, str) for each in value):
        return f"`[{', '.join(value)}]`"
    return f"`{value}`" if isinstance(value, str) and value else f"`{shown(value)}`"


if __name__ == "__main__":
    main()
