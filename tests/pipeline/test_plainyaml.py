import random
import textwrap
from pathlib import Path

import pytest
import yaml

from neuralcodes.errors import ConfigError
from neuralcodes.pipeline import plainyaml, yamlfiles

ROOT = Path(__file__).parents[2]
FILES = sorted(
    path
    for folder in ("config", "workflow/schemas", "profiles", "envs")
    for path in (ROOT / folder).rglob("*.yaml")
)
FRAGMENTS = [
    *(
        "a",
        "b",
        "0",
        "1",
        ".",
        "-",
        "+",
        ":",
        ",",
        "#",
        "?",
        "&",
        "*",
        "!",
        "|",
        ">",
        "'",
        '"',
        "%",
    ),
    *("@", "`", "[", "]", "{", "}", "\n", " ", "\\", "_", "e", "x", "~", "=", "<", "é", "\t"),
    *("\n  ", "\n    ", "- ", ": ", " #", "&a ", "*a", "<<: ", ">-", ">-\n ", "true", "no", "0x1"),
    *("1_0", "1e3", "1.0e-3", ".5", "2020-01-01", "12:30", "''", '""', "? ", "{a: b}", "[1, 2]"),
    *("---", "..."),
]


def typed(value):
    """A value that is equal to no value of another type, such as 1 to true."""
    if isinstance(value, dict):
        return {(type(key), key): typed(each) for key, each in value.items()}
    if isinstance(value, list):
        return [typed(each) for each in value]
    return type(value), value


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_of_the_project_is_read_as_pyyaml_reads_it(path):
    text = path.read_text(encoding="utf-8")
    assert typed(plainyaml.parse(text)) == typed(yaml.safe_load(text))


def test_what_pyyaml_writes_of_them_is_read():
    for path in FILES:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        written = yaml.safe_dump(content, width=10_000)
        assert typed(plainyaml.parse(written)) == typed(content), path


def texts(count):
    """Random texts: lines of the project's files, and pieces of YAML, with changes."""
    rng = random.Random(0)
    lines = [path.read_text(encoding="utf-8").split("\n") for path in FILES]
    for _ in range(count):
        if rng.random() < 0.6:
            file = rng.choice(lines)
            first = rng.randrange(len(file))
            text = textwrap.dedent("\n".join(file[first : first + rng.randint(1, 12)]))
        else:
            text = "".join(rng.choices(FRAGMENTS, k=rng.randint(1, 14)))
        for _ in range(rng.randint(0, 3)):
            first = rng.randrange(len(text) + 1)
            last = first + rng.choice([0, 0, 1, 1, 2])
            text = text[:first] + rng.choice([*FRAGMENTS, ""]) + text[last:]
        yield text


def test_what_is_not_refused_is_read_as_pyyaml_reads_it():
    read = 0
    for text in texts(4000):
        try:
            found = plainyaml.parse(text)
        except ConfigError:
            continue
        assert typed(found) == typed(yamlfiles.parse(text)), text
        read += 1
    assert read > 1000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "a: [1, -2.5, 1.0e-6, 1e-6, '1', yes, ~, x y]",
            [1, -2.5, 1e-6, "1e-6", "1", True, None, "x y"],
        ),
        ("a:\n- 1\n- - 2\n  - b: 3\n    c: {d: }\n", [1, [2, {"b": 3, "c": {"d": None}}]]),
        ("a: {b: [1,\n  2],  # two\n  'c d': \"e\\n\"}", {"b": [1, 2], "c d": "e\n"}),
        ("a: >-\n  one\n  two # no comment\n\n  three\n", "one two # no comment\nthree"),
        ("b: &x {c: 1, d: 2}\na:\n  <<: *x\n  d: 3\n", {"c": 1, "d": 3}),
        ("a: http://b/#c # comment\n", "http://b/#c"),
        ("b: &x\n- 1\na: *x\n", [1]),
    ],
)
def test_values(text, expected):
    found = plainyaml.parse(text)
    assert typed(found) == typed(yaml.safe_load(text))
    assert found["a"] == expected


@pytest.mark.parametrize("text", ["", "# nothing\n", "\n \n"])
def test_nothing_is_none(text):
    assert plainyaml.parse(text) is None


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: |\n  text\n", 1),
        ("a: 1\nb: !!str 2\n", 2),
        ("a: 0x10", 1),
        ("a: 2024-01-02", 1),
        ("a:\n  one\n  two\n", 2),
        ("a: 1\n--- \nb: 2\n", 2),
        ("? a\n: b\n", 1),
        ("a: [1, 2", 1),
        ("a: *unknown", 1),
        ("a:\n  b: 1\n c: 2\n", 3),
        ("a:\n\tb: 1\n", 2),
    ],
)
def test_what_takes_more_is_refused_with_its_line(text, line):
    with pytest.raises(ConfigError, match=rf"^line {line}, .*install PyYAML$"):
        plainyaml.parse(text)


@pytest.mark.parametrize("text", ["a: 1\nb: 2\na: 3\n", "c: {a: 1, a: 2}"])
def test_a_key_stands_once_with_pyyaml_and_without(text):
    with pytest.raises(ValueError, match="a stands twice"):
        yamlfiles.parse(text)
    with pytest.raises(ValueError, match="a stands twice"):
        plainyaml.parse(text)
