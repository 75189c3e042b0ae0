from typing import Annotated, Literal

import pytest
from annotated_types import Ge, MinLen

from neuralcodes.errors import ConfigError
from neuralcodes.pipeline import validation
from neuralcodes.pipeline.configuration.fieldtypes import Once, Said, Section, matching


class Leaf(Section):
    """A section in a section."""

    whole: Annotated[int, Ge(1)] = 3
    """Whole."""


class Tried(Section):
    """A section of everything."""

    number: float = 0.5
    """Any number."""
    whole: int = 1
    """Any whole number."""
    letter: matching("a", "the letter a") = "a"
    """A letter."""
    deep: Leaf = Leaf()
    names: dict[matching("[a-z]", "a letter"), Leaf] = {}
    """By name."""
    either: Annotated[
        Annotated[int, Ge(1)] | Annotated[list[Annotated[int, Ge(0)]], MinLen(1), Once()],
        Said("a number or a list"),
    ] = 1
    """A number or a list."""
    chosen: dict[Literal["one", "two"], bool] = {}
    """Some of two."""


def check(value: object) -> dict[str, object]:
    return validation.check(Tried, value, ("a",))


def refusal(value: object) -> str:
    with pytest.raises(ConfigError) as raised:
        check(value)
    return str(raised.value)


def test_defaults_are_filled_at_any_depth_and_shared_with_nobody():
    value = {"names": {"x": {}, "y": {"whole": 7}}}
    filled = check(value)
    assert filled["deep"] == {"whole": 3}
    assert filled["names"] == {"x": {"whole": 3}, "y": {"whole": 7}}
    filled["deep"]["whole"] = filled["chosen"]["one"] = 5
    assert (check({})["deep"], check({})["chosen"]) == ({"whole": 3}, {})
    assert value == {"names": {"x": {}, "y": {"whole": 7}}}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (
            {"deep": {"hole": 1}},
            'a.deep.hole: "hole" is no known key; did you mean whole? Allowed: w',
        ),
        ({"names": {"X": {}}}, 'a.names.X: "X" is not allowed: a letter'),
        (
            {"names": {"x": {"whole": 0}}},
            "a.names.x.whole: 0 is not allowed: an integer, at least 1",
        ),
        ({"names": {"x": 5}}, "a.names.x: 5 is not allowed: a mapping"),
        (
            {"chosen": {"tow": True}},
            'a.chosen.tow: "tow" is no known key; did you mean two? Allowed',
        ),
        ({"chosen": {"two": "on"}}, 'a.chosen.two: "on" is not allowed: true or false'),
        ({"either": 0}, "a.either: 0 is not allowed: a number or a list"),
        ({"either": [0, -1]}, "a.either[1]: -1 is not allowed: an integer, at least 0"),
        (
            {"either": [0, 0]},
            "a.either: [0, 0] is not allowed: 0 stands twice; each entry may stand",
        ),
        ({"letter": "a\n"}, 'a.letter: "a\\n" is not allowed: the letter a'),
        ({"whole": 1e30}, "a.whole: 1.0e+30 is not allowed: an integer"),
        ({"whole": True}, "a.whole: true is not allowed: an integer"),
        ({"number": "x", "deep": 3, "letter": 5}, "a.deep: 3 is not allowed: a mapping"),
    ],
)
def test_the_first_problem_is_told_in_one_line(value, message):
    assert refusal(value).startswith(message)


def test_a_large_float_is_a_number():
    assert check({"number": 1e30})["number"] == 1e30


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "integer", "minimum": 1}, "an integer, at least 1"),
        ({"type": ["integer", "null"], "minimum": 1}, "an integer, at least 1; or null"),
        (
            {"type": "number", "minimum": 0, "exclusiveMaximum": 1},
            "a number, at least 0 and below 1",
        ),
        (
            {"type": "number", "exclusiveMinimum": 0, "maximum": 1},
            "a number, above 0 and at most 1",
        ),
        ({"type": "boolean"}, "true or false"),
        ({"type": ["string", "null"]}, "text; or null"),
        ({"type": "string", "minLength": 1}, "text, not empty"),
        ({"type": "array", "minItems": 1}, "a list, with at least 1 entry"),
        (
            {"type": "array", "minItems": 1, "items": {"enum": ["a", "b"]}},
            "a list, with at least 1 entry; each a | b",
        ),
        ({"type": "object", "minProperties": 2}, "a mapping, with at least 2 entries"),
        ({"enum": ["linear", "log", None]}, "linear | log | null"),
        ({"type": "string", "pattern": "^a$", "allowed": "the letter a"}, "the letter a"),
    ],
)
def test_what_is_allowed_is_said_in_words(schema, words):
    assert validation.allowed(schema) == words


def test_whole_floats_become_integers_and_others_stay():
    value = {"a": [1.0, 0.5, -2.0, True], "b": {"c": "1.0"}}
    assert validation.plain(value) == {"a": [1, 0.5, -2, True], "b": {"c": "1.0"}}
    types = [type(each) for each in validation.plain([1.0, 0.5, True, 1e30])]
    assert types == [int, float, bool, float]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_numbers_that_are_not_finite_are_refused(value):
    with pytest.raises(ConfigError, match=r"^a\[1\]: -?(NaN|Infinity) is not allowed: a finite"):
        validation.plain({"a": [1, value]})


@pytest.mark.parametrize("value", [2**53 + 1, -(2**53) - 1, 10**400])
def test_numbers_too_large_to_be_exact_are_refused(value):
    with pytest.raises(ConfigError, match=r"^a: -?\d+.* is not allowed: a number from -9"):
        validation.plain({"a": value})


@pytest.mark.parametrize("name", [1, True, None, 1.5])
def test_keys_that_are_not_text_are_refused(name):
    with pytest.raises(ConfigError, match="is not allowed: text as key; put it in quotes"):
        validation.plain({"a": {name: 1}})


def test_mappings_without_end_are_refused():
    endless = {}
    endless["again"] = endless
    with pytest.raises(ConfigError, match="fewer levels of mappings and lists"):
        validation.plain(endless)


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("8", "this is text, write 8 without quotes"),
        ("0.5", "this is text, write 0.5 without quotes"),
        ("1e-6", "this is text in YAML, write 1.0e-6"),
        ("1e5", "this is text in YAML, write 1.0e+5"),
        ("2.5E3", "this is text in YAML, write 2.5e+3"),
        ("-1e-3", "this is text in YAML, write -1.0e-3"),
    ],
)
def test_a_number_that_yaml_takes_for_text_is_told_how_to_be_written(text, advice):
    found = refusal({"number": text})
    assert found == f'a.number: "{text}" is not allowed: a number; {advice}'


@pytest.mark.parametrize("text", ["many", "1e", "", "nan"])
def test_other_text_gets_no_such_advice(text):
    assert refusal({"number": text}) == f'a.number: "{text}" is not allowed: a number'
