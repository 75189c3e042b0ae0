"""Types of the configuration's keys, beside those that pydantic has."""

from typing import Annotated, Any, get_args, get_origin

from annotated_types import MinLen
from pydantic import (
    BaseModel,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    StringConstraints,
)
from pydantic_core import PydanticCustomError, core_schema

from neuralcodes.pipeline.configuration import names
from neuralcodes.studies import fields

JsonSchema = dict[str, Any]


class Section(BaseModel):
    """A mapping of the configuration: known keys alone, each value of exactly its type."""

    # a section is built as part of the whole, once it is needed
    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)


class Said:
    """Words for what a type allows, in messages and tables."""

    def __init__(self, words: str) -> None:
        self.words = words

    def __get_pydantic_json_schema__(
        self, core: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchema:
        """Add the words to the schema."""
        return {**handler(core), "allowed": self.words}


class Choice:
    """A name of a registry, looked up when it is checked."""

    def __init__(self, registry: str) -> None:
        self.registry = registry

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        """Refuse other names."""
        return core_schema.no_info_after_validator_function(self._known, handler(source))

    def __get_pydantic_json_schema__(
        self, core: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchema:
        """List the names."""
        return {"type": "string", "enum": names.of(self.registry)}

    def _known(self, name: str) -> str:
        if name not in names.of(self.registry):
            raise PydanticCustomError("choice", "no name of the registry")
        return name


class Once:
    """A list in which no entry stands twice."""

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        """Refuse a list with an entry that stands twice."""
        return core_schema.no_info_after_validator_function(_once, handler(source))

    def __get_pydantic_json_schema__(
        self, core: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchema:
        """Say so in the schema."""
        return {**handler(core), "uniqueItems": True}


def matching(pattern: str, words: str) -> Any:  # noqa: ANN401  a type
    """Make the type of text that a pattern fits.

    Args:
        pattern: a regular expression for the whole text.
        words: what it means.
    """
    return Annotated[str, StringConstraints(pattern=f"^({pattern})$"), Said(words)]


def of_field(annotation: Any) -> Any:  # noqa: ANN401  types
    """Make a key's type of the type of a run's field, whose marks pydantic does not know.

    Args:
        annotation: the field's type.
    """
    if get_origin(annotation) is not Annotated:
        return annotation
    kind, *marks = get_args(annotation)
    for mark in marks:
        if isinstance(mark, fields.OneOf):
            return Annotated[kind, Choice(mark.registry)]
        if isinstance(mark, fields.Text):
            return matching(mark.pattern, mark.allowed) | None
    known = [each for each in marks if not isinstance(each, fields.Absent | fields.Idle)]
    return Annotated[(kind, *known)] if known else kind


def _once(entries: list[Any]) -> list[Any]:
    twice = [each for position, each in enumerate(entries) if each in entries[:position]]
    if twice:
        raise PydanticCustomError("twice", "an entry stands twice", {"entry": twice[0]})
    return entries


Kind = Annotated[str, Choice("perturbations")]
Some = MinLen(1)
NotEmpty = Annotated[str, MinLen(1)]
Folder = matching(r"[^{}\n]+", "a folder, its name without braces")
Device = matching(r"auto|cpu|mps|cuda(:[0-9]{1,3})?", "auto | cpu | mps | cuda | cuda:N")
Name = matching(
    r"[a-z0-9][a-z0-9_]{0,79}",
    "a name of a-z, 0-9 and _ that does not start with _, at most 80 long",
)
RecipeName = matching(
    r"[a-z0-9][a-z0-9_-]{0,79}",
    "a name of a-z, 0-9, _ and - that starts with a letter or digit, at most 80 long",
)
