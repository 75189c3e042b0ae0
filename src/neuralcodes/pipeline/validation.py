"""Check a configuration against its JSON schema; every problem becomes one line for the user."""

import copy
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

import jsonschema

from neuralcodes.errors import ConfigError
from neuralcodes.studies.keys import Path, key, refused, shown, unknown

LARGEST = 2**53  # integers beyond it are no longer exact as floats
DEEPEST = 12  # levels; the schema has fewer, so that only YAML that contains itself is deeper
_KINDS = {
    "object": "a mapping",
    "array": "a list",
    "string": "text",
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "null": "null",
}
_BOUNDS = {
    "minimum": "at least",
    "exclusiveMinimum": "above",
    "maximum": "at most",
    "exclusiveMaximum": "below",
}


def plain(value: object, path: Path = ()) -> object:
    """Copy what was read from YAML, with 200.0 as 200; refuse what no key may hold.

    Args:
        value: any part of a configuration.
        path: where it stands, for the message.

    Raises:
        ConfigError: a number that is not finite or too large, or a key that is not text.
    """
    if len(path) > DEEPEST:
        raise refused(path[:3], ..., "fewer levels of mappings and lists")
    if isinstance(value, Mapping):
        for name in value:
            if not isinstance(name, str):
                raise refused((*path, str(name)), name, "text as key; put it in quotes")
        return {name: plain(each, (*path, name)) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each, (*path, position)) for position, each in enumerate(value)]
    if isinstance(value, float) and not math.isfinite(value):
        raise refused(path, value, "a finite number")
    if isinstance(value, float) and value.is_integer() and abs(value) <= LARGEST:
        return int(value)
    if isinstance(value, int) and abs(value) > LARGEST:
        raise refused(path, value, f"a number from -{LARGEST} to {LARGEST}")
    return value


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
    for name, each in value.items():
        part = known.get(name, others if isinstance(others, Mapping) else {})
        filled[name] = with_defaults(each, part, root)
    for name, part in known.items():
        part = _resolved(part, root)
        if name not in value and "default" in part:
            filled[name] = with_defaults(part["default"], part, root)
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
    validator = _Validator({**schema, "$defs": root.get("$defs", {})})
    problems = sorted(validator.iter_errors(value), key=lambda each: [str(p) for p in each.path])
    if problems:
        raise _explained(problems[0], path)


def allowed(schema: Mapping[str, Any]) -> str:
    """Say in words what a part of the schema allows: "an integer, at least 1; or null".

    Args:
        schema: the part; where it has the key `allowed`, that is the answer.
    """
    if "allowed" in schema:
        return schema["allowed"]
    if "enum" in schema:
        return " | ".join(each if isinstance(each, str) else shown(each) for each in schema["enum"])
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    bounds = [f"{word} {schema[name]}" for name, word in _BOUNDS.items() if name in schema]
    least = schema.get("minItems", schema.get("minProperties"))
    bounds += [f"with at least {least} {'entry' if least == 1 else 'entries'}"] if least else []
    bounds += ["not empty"] if schema.get("minLength") else []
    first = ", ".join([_KINDS[kinds[0]], *([" and ".join(bounds)] if bounds else [])])
    each = f"; each {allowed(schema['items'])}" if "items" in schema else ""
    return "; or ".join([first, *(_KINDS[kind] for kind in kinds[1:])]) + each


def _whole_pattern(
    _: object, pattern: str, value: object, __: object
) -> Iterator[jsonschema.ValidationError]:
    # JSON schema's own pattern lets "cpu" with a line break at the end pass as ^cpu$.
    if isinstance(value, str) and not re.fullmatch(pattern, value):
        yield jsonschema.ValidationError(f"{value!r} does not match {pattern}")


def _is_integer(_: object, value: object) -> bool:
    # JSON schema's own takes 1.0e+30 too; `plain` has made integers of all that can be meant so.
    return isinstance(value, int) and not isinstance(value, bool)


_Validator = jsonschema.validators.extend(
    jsonschema.Draft202012Validator,
    {"pattern": _whole_pattern},
    type_checker=jsonschema.Draft202012Validator.TYPE_CHECKER.redefine("integer", _is_integer),
)


def _resolved(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" in schema:
        # what stands beside a reference counts too, such as a default
        return {**root["$defs"][schema["$ref"].rsplit("/", 1)[1]], **schema}
    return schema


def _explained(problem: jsonschema.ValidationError, path: Path) -> ConfigError:
    here = (*path, *problem.absolute_path)
    found, schema = problem.instance, problem.schema
    if "propertyNames" in problem.absolute_schema_path:
        return refused((*here, found), found, allowed(schema))
    if problem.validator == "additionalProperties":
        known = schema.get("properties", {})
        extra = next(name for name in found if name not in known)
        return unknown((*here, extra), extra, known)
    if problem.validator == "required":
        missing = next(name for name in problem.validator_value if name not in found)
        return ConfigError(f"{key((*here, missing))}: is missing and has no default; add it")
    if problem.validator == "enum" and isinstance(found, str):
        return unknown(here, found, schema["enum"], "choice")
    if problem.validator == "uniqueItems":
        twice = next(each for i, each in enumerate(found) if each in found[:i])
        return refused(here, found, f"{shown(twice)} stands twice; each entry may stand once")
    return refused(here, found, allowed(schema) + _advice(found, schema))


def _advice(found: object, schema: Mapping[str, Any]) -> str:
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if not isinstance(found, str) or not {"integer", "number"} & {*kinds}:
        return ""
    if re.fullmatch(r"[+-]?\d+(\.\d*)?", found):
        return f"; this is text, write {found} without quotes"
    # YAML 1.1 knows 1.0e-6 only with decimal point and sign.
    exponential = re.fullmatch(r"([+-]?\d+)(\.\d*)?e([+-]?)(\d+)", found.lower())
    if exponential is None:
        return ""
    whole, rest, sign, exponent = exponential.groups()
    return f"; this is text in YAML, write {whole}{rest or '.0'}e{sign or '+'}{exponent}"
