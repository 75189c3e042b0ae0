import pytest

from neuralcodes.errors import ConfigError
from neuralcodes.pipeline import validation
from neuralcodes.studies import keys

LEAF = {"type": "integer", "minimum": 1, "default": 3}
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "leaf": LEAF,
        "part": {"type": "object", "default": {}, "properties": {"leaf": LEAF}},
        "many": {"type": "object", "additionalProperties": {"$ref": "#/$defs/one"}},
    },
    "$defs": {
        "one": {
            "type": "object",
            "properties": {"leaf": LEAF, "deep": {"$ref": "#/$defs/two"}},
        },
        "two": {"type": "object", "default": {}, "properties": {"leaf": {"default": [1]}}},
    },
}


def refusal(value: object, schema: dict[str, object]) -> str:
    with pytest.raises(ConfigError) as raised:
        validation.check(value, schema, {}, ("a",))
    return str(raised.value)


def test_defaults_are_filled_through_parts_and_references():
    filled = validation.with_defaults({"many": {"x": {}, "y": {"leaf": 7}}}, SCHEMA, SCHEMA)
    assert filled == {
        "leaf": 3,
        "part": {"leaf": 3},
        "many": {"x": {"leaf": 3, "deep": {"leaf": [1]}}, "y": {"leaf": 7, "deep": {"leaf": [1]}}},
    }


def test_filling_defaults_shares_nothing_with_the_schema_or_the_value():
    value = {"many": {"x": {}}}
    validation.with_defaults(value, SCHEMA, SCHEMA)["many"]["x"]["deep"]["leaf"].append(2)
    assert value == {"many": {"x": {}}}
    assert SCHEMA["$defs"]["two"]["properties"]["leaf"]["default"] == [1]


def test_filling_defaults_leaves_a_wrong_type_to_the_check():
    assert validation.with_defaults({"part": 5}, SCHEMA, SCHEMA)["part"] == 5


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


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (("studies", "a", "factors", "width", 2), "studies.a.factors.width[2]"),
        (("recipes", "adam_1e-3"), "recipes.adam_1e-3"),
        (("studies", "../x"), 'studies["../x"]'),
        (("studies", "a\nb"), 'studies["a\\nb"]'),
        (("studies", ""), 'studies[""]'),
        ((), "configuration"),
    ],
)
def test_a_path_is_written_as_users_write_it(path, text):
    assert keys.key(path) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (1e-7, "1.0e-07"),
        (-2.5e-7, "-2.5e-07"),
        (0.25, "0.25"),
        ("a\nb", '"a\\nb"'),
        ("Grö\u00dfe", '"Größe"'),
        ([1, "a"], '[1, "a"]'),
        ("x" * 100, f'"{"x" * 56}...'),
    ],
)
def test_a_value_is_shown_as_yaml_has_it_on_one_line(value, text):
    assert keys.shown(value) == text


def test_whole_floats_become_integers_and_others_stay():
    value = {"a": [1.0, 0.5, -2.0, True], "b": {"c": "1.0"}}
    assert validation.plain(value) == {"a": [1, 0.5, -2, True], "b": {"c": "1.0"}}
    types = [type(each) for each in validation.plain([1.0, 0.5, True, 1e30])]
    assert types == [int, float, bool, float]


def test_a_large_float_is_a_number_but_no_integer():
    validation.check(1e30, {"type": "number"}, {}, ())
    assert refusal(1e30, {"type": "integer"}) == "a: 1.0e+30 is not allowed: an integer"


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
    found = refusal(text, {"type": "number"})
    assert found == f'a: "{text}" is not allowed: a number; {advice}'


@pytest.mark.parametrize("text", ["many", "1e", "", "nan"])
def test_other_text_gets_no_such_advice(text):
    assert refusal(text, {"type": "number"}) == f'a: "{text}" is not allowed: a number'


def test_a_pattern_holds_for_the_whole_text():
    schema = {"type": "string", "pattern": "^a$", "allowed": "the letter a"}
    validation.check("a", schema, {}, ())
    assert refusal("a\n", schema) == 'a: "a\\n" is not allowed: the letter a'


def test_of_several_problems_the_first_in_order_of_keys_is_named():
    schema = {"properties": {"b": {"type": "integer"}, "c": {"type": "integer"}}}
    assert refusal({"c": "x", "b": "y"}, schema).startswith("a.b: ")


def test_an_unknown_name_without_a_near_one_lists_what_there_is():
    error = keys.unknown(("only", 0), "zzz", ["b", "a"], "study")
    assert str(error) == 'only[0]: "zzz" is no known study. Allowed: a, b'


def test_an_unknown_name_where_there_is_none_says_so():
    assert str(keys.unknown(("a",), "b", [])) == 'a: "b" is no known key. Allowed: none'


def test_an_unknown_name_with_a_near_one_suggests_it():
    error = keys.unknown(("a",), "widht", ["width", "depth"], "factor")
    assert str(error) == 'a: "widht" is no known factor; did you mean width? Allowed: depth, width'
