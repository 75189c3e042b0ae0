"""Check a configuration against its models; every problem becomes one line for the user."""

import math
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from neuralcodes.errors import ConfigError
from neuralcodes.studies.keys import Path, key, refused, shown, unknown

if TYPE_CHECKING:
    from pydantic import BaseModel

LARGEST = 2**53  # integers beyond it are no longer exact as floats
DEEPEST = 12  # levels; the models have fewer, so that only YAML that contains itself is deeper
_KINDS = {
    "object": "a mapping",
    "array": "a list",
    "string": "text",
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "null": "null",
}
# Errors of pydantic where a type other than text is wanted.
_NO_TEXT = (
    *("int_type", "float_type", "bool_type", "none_required"),
    *("list_type", "dict_type", "model_type", "literal_error"),
)
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


def check(
    model: type["BaseModel"],
    value: dict[str, Any],
    path: Path = (),
    command_line: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Refuse what a model does not allow; fill its defaults in.

    A command line cannot say whether 5 is a number or text, and snakemake takes it for text inside
    braces. Where no text is allowed, such text is taken for the number, true, false or null that it
    is, in `value` too.

    Args:
        model: of a part of the configuration.
        value: the part, made of what `plain` gives.
        path: where the part stands.
        command_line: what the command line gave of the whole configuration.

    Returns:
        The part with all keys, whole numbers as int.

    Raises:
        ConfigError: the first problem: key path, value found, what is allowed.
    """
    from pydantic import ValidationError

    while True:
        try:
            return plain(model.model_validate(value).model_dump(warnings=False))
        except ValidationError as error:
            problems = [_Problem(each, value) for each in error.errors(include_url=False)]
        # not all, but as a list
        if not any([each.mend(value, path, command_line or {}) for each in problems]):
            raise _first(problems).explained(model, value, path)


def number_of(text: object) -> object:
    """Read text that is exactly a number, true, false or null; leave everything else as it is.

    Args:
        text: of a command line.
    """
    if not isinstance(text, str):
        return text
    if re.fullmatch(r"[+-]?\d+(\.\d*)?(e[+-]?\d+)?", text.lower()):
        return int(text) if re.fullmatch(r"[+-]?\d{1,400}", text) else float(text)
    return {"true": True, "false": False, "null": None}.get(text.lower(), text)


def with_nulls(value: Any, command_line: object) -> Any:  # noqa: ANN401
    """Write null for the text null of a command line, which cannot put it in quotes.

    Args:
        value: a configuration, in which the command line won.
        command_line: what it gave.
    """
    if isinstance(value, dict) and isinstance(command_line, dict):
        inner = {name: each for name, each in command_line.items() if name in value}
        return value | {name: with_nulls(value[name], each) for name, each in inner.items()}
    if isinstance(value, list) and value == command_line:
        return [with_nulls(each, each) for each in value]
    return None if value == command_line == "null" else value


def at(value: object, path: Iterable[str | int]) -> object:
    """Find what stands somewhere in nested mappings and lists; None where nothing does.

    Args:
        value: the whole.
        path: keys and list positions.
    """
    for part in path:
        try:
            value = value[part]  # type: ignore[index]
        except (LookupError, TypeError):
            return None
    return value


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
    each = f"; each {allowed(schema['items'])}" if schema.get("items") else ""
    return "; or ".join([first, *(_KINDS[kind] for kind in kinds[1:])]) + each


class _Problem:
    """An error of pydantic, where it stands in the value: without the names of a type's parts."""

    def __init__(self, error: Mapping[str, Any], value: object) -> None:
        self.kind: str = error["type"]
        self.context: Mapping[str, Any] = error.get("ctx", {})
        self.of_key = error["loc"][-1:] == ("[key]",)
        found: list[str | int] = []
        for part in error["loc"]:
            known = part in value if isinstance(value, dict) else isinstance(value, list)
            if known and isinstance(part, int) == isinstance(value, list):
                found.append(part)
                value = value[part]
        self.path: Path = tuple(found)
        self.found = found[-1] if self.of_key else value
        if self.kind == "missing":
            self.path += (error["loc"][-1],)

    def mend(self, value: Any, path: Path, command_line: Mapping[str, Any]) -> bool:  # noqa: ANN401
        """Put what the text of a command line means in its place; say whether it is no text."""
        meant = number_of(self.found)
        text = isinstance(self.found, str) and self.kind in _NO_TEXT and not self.of_key
        if not text or isinstance(meant, str) or at(command_line, path + self.path) != self.found:
            return False
        at(value, self.path[:-1])[self.path[-1]] = plain(meant, path + self.path)  # type: ignore[index]
        return True

    def order(self) -> tuple[list[str], bool]:
        """Sort by keys; what a mapping has too much or too little of comes before its values."""
        whole = self.kind in ("missing", "extra_forbidden") or self.of_key
        path = [str(part) for part in (self.path[:-1] if whole else self.path)]
        return path, self.kind != "twice"  # which says more than that a type does not fit

    def explained(self, model: type["BaseModel"], value: object, path: Path) -> ConfigError:
        from neuralcodes.pipeline.configuration import schema

        here, root = (*path, *self.path), schema.of(model)
        if self.kind == "missing":
            return ConfigError(f"{key(here)}: is missing and has no default; add it")
        if self.kind == "extra_forbidden":
            known = schema.part(root, self.path[:-1])["properties"]
            return unknown(here, self.path[-1], known)
        part = schema.part(root, self.path[:-1] if self.of_key else self.path)
        part = part["propertyNames"] if self.of_key else part
        if "enum" in part and isinstance(self.found, str):
            return unknown(here, self.found, part["enum"], "key" if self.of_key else "choice")
        if self.kind == "twice":
            twice = shown(self.context["entry"])
            return refused(here, self.found, f"{twice} stands twice; each entry may stand once")
        return refused(here, self.found, allowed(part) + _advice(self.found, part))


def _first(problems: list[_Problem]) -> _Problem:
    """Choose the first; of what no part of a type allows, the one that goes deepest into it."""
    outer = {each.path[:end] for each in problems for end in range(len(each.path))}
    inner = [each for each in problems if each.path not in outer]
    return min(inner, key=_Problem.order)


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
