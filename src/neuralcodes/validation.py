"""Check a configuration against its JSON schema; every problem becomes one line for the user."""

import copy
import difflib
from collections.abc import Iterable, Mapping
from typing import Any

import jsonschema

from neuralcodes.errors import ConfigError

Path = tuple[str | int, ...]


def with_defaults(value: object, schema: Mapping[str, Any], root: Mapping[str, Any]) -> object:
    """Copy a value and add the schema's defaults for what it leaves out, at any depth.

    Args:
        value: any part of a configuration; what has the wrong type is left for `check`.
        schema: the part of the schema that describes it.
        root: the whole schema, for references.
    """
    schema = _resolved(schema, root)
    if not isinstance(value, dict):
        return copy.deepcopy(value)
    filled = {}
    known, others = schema.get("properties", {}), schema.get("additionalProperties")
    for key, each in value.items():
        part = known.get(key, others if isinstance(others, Mapping) else {})
        filled[key] = with_defaults(each, part, root)
    for key, part in known.items():
        part = _resolved(part, root)
        if key not in value and "default" in part:
            filled[key] = with_defaults(part["default"], part, root)
    return filled


def check(value: object, schema: Mapping[str, Any], root: Mapping[str, Any], path: Path) -> None:
    """Refuse what the schema does not allow.

    Args:
        value: a part of the configuration.
        schema: the part of the schema that describes it.
        root: the whole schema, for references.
        path: where the part stands, for the message.

    Raises:
        ConfigError: the first problem: key path, value found, what is allowed.
    """
    validator = jsonschema.Draft202012Validator({**schema, "$defs": root.get("$defs", {})})
    problems = sorted(validator.iter_errors(value), key=lambda each: [str(p) for p in each.path])
    if problems:
        raise ConfigError(_describe(problems[0], path))


def key(path: Iterable[str | int]) -> str:
    """Write a path as users write it: studies.model_size.factors.width[2].

    Args:
        path: keys and list positions.
    """
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.lstrip(".") or "configuration"


def unknown(path: Path, name: object, allowed: Iterable[str], what: str = "key") -> ConfigError:
    """Make the error for a name that is not known.

    Args:
        path: where the name was found.
        name: what was found.
        allowed: the names that are known.
        what: what the name should name.
    """
    names = sorted(allowed)
    near = difflib.get_close_matches(str(name), names, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    return ConfigError(f"{key(path)}: unknown {what} {name!r}{hint} Allowed: {', '.join(names)}")


def _resolved(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" in schema:
        return root["$defs"][schema["$ref"].rsplit("/", 1)[1]]
    return schema


def _describe(problem: jsonschema.ValidationError, path: Path) -> str:
    here = (*path, *problem.absolute_path)
    found, rule = problem.instance, problem.validator_value
    if problem.validator == "additionalProperties":
        known = problem.schema.get("properties", {})
        extra = next(name for name in found if name not in known)
        return str(unknown((*here, extra), extra, known))
    if problem.validator == "required":
        missing = next(name for name in rule if name not in found)
        return f"{key((*here, missing))}: is missing and has no default; add it"
    wordings = {
        "type": lambda: f"must be {_either(rule)}",
        "enum": lambda: f"must be one of {', '.join(map(str, rule))}",
        "minimum": lambda: f"must be at least {rule}",
        "exclusiveMinimum": lambda: f"must be above {rule}",
        "maximum": lambda: f"must be at most {rule}",
        "exclusiveMaximum": lambda: f"must be below {rule}",
        "minItems": lambda: f"must have at least {rule} item",
        "minLength": lambda: "must not be empty",
        "minProperties": lambda: f"must have at least {rule} key",
        "uniqueItems": lambda: "has an item twice",
        "pattern": lambda: f"must match {rule}",
        "oneOf": lambda: _one_of(problem),
    }
    allowed = wordings.get(problem.validator, lambda: problem.message)()
    return f"{key(here)}: {_short(found)} is not allowed: {allowed}"


def _one_of(problem: jsonschema.ValidationError) -> str:
    reasons = {}
    for each in problem.context:
        where = f"item {each.path[0]} " if each.path else ""
        if each.validator == "type":
            reasons[f"{where}must be {_either(each.validator_value)}"] = None
        else:
            reasons[f"{where}{each.validator} {each.validator_value}"] = None
    return " or ".join(reasons)


def _either(kinds: str | list[str]) -> str:
    return kinds if isinstance(kinds, str) else " or ".join(kinds)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
