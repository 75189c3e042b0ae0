import pytest

from neuralcodes.errors import ConfigError
from neuralcodes.pipeline import yamlfiles


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: [1, 2", "cannot be read as YAML"),
        ("- 1", r"\[1\] is not allowed: a mapping of keys to values"),
        ("", "null is not allowed: a mapping of keys to values"),
        (b"\xff\xfe", "cannot be read as YAML: 'utf-8' codec"),
    ],
)
def test_a_file_that_holds_no_mapping_is_named(tmp_path, text, reason):
    path = tmp_path / "file.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigError, match=rf"{path}: {reason}") as raised:
        yamlfiles.read(path)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("text", ["a: 1\nb: 2\na: 3\n", "c: {a: 1, a: 2}"])
def test_a_key_stands_once(text):
    with pytest.raises(ValueError, match="a stands twice"):
        yamlfiles.parse(text)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match="No such file"):
        yamlfiles.read(tmp_path / "file.yaml")
