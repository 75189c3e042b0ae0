"""The JSON schema of the configuration's models, with every key's default and meaning."""

import ast
import functools
import inspect
import itertools
import re
import textwrap
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel

from neuralcodes.pipeline.configuration.fieldtypes import Section
from neuralcodes.pipeline.configuration.recipes import RUN_OF
from neuralcodes.pipeline.configuration.whole import Configuration

Schema = dict[str, Any]
NAMED = ("Dataset", "Recipe", "HashRecipe", "Study", "Figure")  # by reference; others in place


def of(model: type[Section]) -> Schema:
    """Make the schema of a model.

    Args:
        model: the whole configuration, or a section.

    Returns:
        JSON schema; its key `allowed` words what a pattern or a mixture of types means. The models
        that a mapping of names or a study holds are in `$defs`, such as recipe and figure.
    """
    raw = model.model_json_schema(ref_template="{model}")
    models = raw.pop("$defs", {})
    whole = _model(raw, models)
    named = {_snake(name): _model(models[name], models) for name in NAMED if name in models}
    return {**whole, "$defs": named} if named else whole


def resolved(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give what a part of a schema refers to, with what stands beside the reference.

    Args:
        schema: the part.
        root: the whole.
    """
    if "$ref" in schema:
        return {**root["$defs"][schema["$ref"].rsplit("/", 1)[1]], **schema}
    return schema


def part(root: Mapping[str, Any], path: Iterable[str | int]) -> Mapping[str, Any]:
    """Find the part of a schema that describes what stands at a path.

    Args:
        root: the whole.
        path: keys and list positions.
    """
    found: Mapping[str, Any] = root
    for each in path:
        within = found["items"] if isinstance(each, int) else found.get("properties", {}).get(each)
        found = resolved(found["additionalProperties"] if within is None else within, root)
    return found


@functools.cache
def meanings(kind: type[Any]) -> dict[str, str]:
    """Read what the text below each field of a class says of it.

    Args:
        kind: a class with fields.

    Returns:
        Field -> text, on one line.
    """
    (defined,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    assert isinstance(defined, ast.ClassDef)
    above = [meanings(each) for each in kind.__bases__ if each not in (object, Section)]
    return dict(itertools.chain.from_iterable(each.items() for each in above)) | {
        field.target.id: " ".join(text.value.value.split())
        for field, text in itertools.pairwise(defined.body)
        if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr)
    }


def _model(raw: Mapping[str, Any], models: Mapping[str, Any]) -> Schema:
    kind = _kinds()[raw["title"]]
    told = meanings(RUN_OF.get(raw["title"], kind))
    properties = {}
    for name, part in raw["properties"].items():
        field = kind.model_fields[name]
        tidied = _tidy(part, models)
        tidied.pop("default", None)
        properties[name] = {**tidied, "description": told.get(name) or tidied.get("description")}
        if not field.is_required():
            default = field.get_default(call_default_factory=True)
            filled = isinstance(default, BaseModel) or "properties" in tidied
            properties[name]["default"] = {} if filled and default is not None else _whole(default)
        properties[name] = {key: properties[name][key] for key in _in_order(properties[name])}
    required = {"required": raw["required"]} if "required" in raw else {}
    return {
        **{"description": " ".join(raw.get("description", "").split()), "type": "object"},
        **{"additionalProperties": False, **required, "properties": properties},
    }


def _in_order(keys: Iterable[str]) -> list[str]:
    return sorted(keys, key=lambda each: {"description": 0, "default": 2}.get(each, 1))


def _tidy(raw: Mapping[str, Any], models: Mapping[str, Any]) -> Schema:
    """Take out what pydantic writes and nobody reads, and put sections in place."""
    if "$ref" in raw:
        if raw["$ref"] not in NAMED:
            return _model(models[raw["$ref"]], models)
        described = models[raw["$ref"]]["description"]
        return {"$ref": f"#/$defs/{_snake(raw['$ref'])}", "description": described}
    if "anyOf" in raw:
        return _joined(raw, models)
    tidied = {name: value for name, value in raw.items() if name != "title"}
    if "enum" in tidied:
        tidied.pop("type", None)
    for name in ("items", "additionalProperties", "propertyNames"):
        if isinstance(raw.get(name), Mapping):
            tidied[name] = _tidy(raw[name], models)
    if "properties" in raw:
        tidied["properties"] = {
            name: _tidy(part, models) for name, part in raw["properties"].items()
        }
    if "patternProperties" in tidied:
        ((pattern, values),) = tidied.pop("patternProperties").items()
        tidied["propertyNames"] = {"pattern": pattern, **tidied["propertyNames"]}
        tidied["additionalProperties"] = _tidy(values, models)
    return tidied


def _joined(raw: Mapping[str, Any], models: Mapping[str, Any]) -> Schema:
    """Write what may have several types as one schema, as people do."""
    beside = {name: value for name, value in raw.items() if name not in ("anyOf", "title")}
    parts = [_tidy(each, models) for each in raw["anyOf"]]
    joined: Schema = {"type": [each["type"] for each in parts]}
    for each in parts:
        joined |= {name: value for name, value in each.items() if name != "type"}
    if "null" in joined["type"] and "allowed" in joined:
        joined["allowed"] += "; or null"
    return joined | beside


def _whole(default: object) -> object:
    """Write 2.0 as 2, as a configuration has it."""
    return int(default) if isinstance(default, float) and default.is_integer() else default


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def _kinds() -> dict[str, type[Section]]:
    found: dict[str, type[Section]] = {}
    pending = [Section]
    while pending:
        below = pending.pop().__subclasses__()
        found |= {each.__name__: each for each in below}
        pending += below
    return found


def of_configuration() -> Schema:
    """Make the schema of the whole configuration."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **of(Configuration)}
