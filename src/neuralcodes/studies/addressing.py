"""Addresses of content: what decides a training, as canonical JSON, a digest and typed fields."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields, replace
from typing import Any, ClassVar, Protocol, TypeVar, cast

from neuralcodes.studies.fields import plain_type


class Addressable(Protocol):
    """A dataclass that names the fields of its that have no say."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    def idle(self) -> Iterable[str]:
        """Name the fields without a say."""
        ...


Addressed = TypeVar("Addressed", bound=Addressable)


def canonical_json(run: Addressable, idle: Iterable[str], absent: Mapping[str, object]) -> str:
    """Serialise what decides a training: sorted keys, no idle and no absent field.

    Args:
        run: a dataclass.
        idle: names of fields that have no say.
        absent: values that say that a field's factor is not there; a field that was added later
            has one, so that it changes no id of before.
    """
    left_out = set(idle)
    kept = {
        name: value
        for name, value in asdict(run).items()
        if name not in left_out and not (name in absent and value == absent[name])
    }
    return json.dumps(kept, sort_keys=True, separators=(",", ":"))


def digest(text: str) -> str:
    """Give 8 hex digits of the SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def make(
    kind: type[Addressed], values: Mapping[str, object], idle: Mapping[str, object]
) -> Addressed:
    """Make a run of a mapping that has every field; numbers take the field's type.

    YAML reads 1 where 1.0 is meant, and JSON schema takes 200.0 for an integer; without this the
    same training would have two ids. Idle fields are set to one value, so that equal ids are equal
    runs.

    Args:
        kind: a dataclass with a method `idle` that names the fields without a say.
        values: field -> value.
        idle: what a field holds where it has no say.
    """
    run: Any = kind(
        **{each.name: _typed(values[each.name], plain_type(each.type)) for each in fields(kind)}
    )
    return replace(run, **{name: idle[name] for name in run.idle()})


def _typed(value: object, kind: object) -> object:
    if kind is float:
        return float(cast("float", value))
    if kind in (int, int | None) and isinstance(value, float) and value.is_integer():
        return int(value)
    return value
