import pytest

from neuralcodes.studies import keys


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


def test_an_unknown_name_without_a_near_one_lists_what_there_is():
    error = keys.unknown(("only", 0), "zzz", ["b", "a"], "study")
    assert str(error) == 'only[0]: "zzz" is no known study. Allowed: a, b'


def test_an_unknown_name_where_there_is_none_says_so():
    assert str(keys.unknown(("a",), "b", [])) == 'a: "b" is no known key. Allowed: none'


def test_an_unknown_name_with_a_near_one_suggests_it():
    error = keys.unknown(("a",), "widht", ["width", "depth"], "factor")
    assert str(error) == 'a: "widht" is no known factor; did you mean width? Allowed: depth, width'
