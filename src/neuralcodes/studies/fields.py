"""What a field of a run says of itself beside its type and default, as marks in `Annotated`.

Bounds are those of `annotated_types`: Ge, Gt, Le, Lt.
"""

from dataclasses import dataclass, fields
from typing import Annotated, Any, get_args, get_origin


@dataclass(frozen=True)
class Absent:
    """The value at which a field stays out of the digest, as if it did not exist.

    So a field that is added later changes no id of before.
    """

    value: object


@dataclass(frozen=True)
class Idle:
    """What a field holds where other fields leave it no say: one training, one run."""

    value: object


@dataclass(frozen=True)
class OneOf:
    """The names that the field may hold: those of a registry, known once plugins are loaded.

    Attributes:
        registry: "architectures", "families" or "networks".
    """

    registry: str


@dataclass(frozen=True)
class Text:
    """Text of a pattern.

    Attributes:
        pattern: a regular expression for the whole text.
        allowed: what it means, in words.
    """

    pattern: str
    allowed: str


def marked(run: type[Any], mark: type[Absent] | type[Idle]) -> dict[str, object]:
    """Collect the values that the fields of a run give with a mark.

    Args:
        run: a dataclass.
        mark: which.

    Returns:
        Field -> value, of the fields that have the mark.
    """
    return {
        field.name: each.value
        for field in fields(run)
        for each in get_args(field.type)[1:]
        if get_origin(field.type) is Annotated and isinstance(each, mark)
    }


def plain_type(annotation: object) -> object:
    """Give a field's type without its marks.

    Args:
        annotation: the type, or `Annotated` with it.
    """
    return get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation
