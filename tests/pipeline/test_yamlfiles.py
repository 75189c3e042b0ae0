import sys
from pathlib import Path

import pytest

from neuralcodes.errors import ConfigError
from neuralcodes.pipeline import configuration, yamlfiles

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("preset", ["digits", "mnist", "paper"])
def test_the_presets_are_the_same_without_pyyaml(preset, monkeypatch):
    expected = configuration.load({"preset": preset}, ROOT, {})
    monkeypatch.setitem(sys.modules, "yaml", None)
    assert configuration.load({"preset": preset}, ROOT, {}) == expected


@pytest.mark.parametrize("installed", [True, False])
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: [1, 2", "cannot be read as YAML"),
        ("- 1", r"\[1\] is not allowed: a mapping of keys to values"),
        ("", "null is not allowed: a mapping of keys to values"),
        (b"\xff\xfe", "cannot be read as YAML: 'utf-8' codec"),
    ],
)
def test_a_file_that_holds_no_mapping_is_named(tmp_path, monkeypatch, text, reason, installed):
    if not installed:
        monkeypatch.setitem(sys.modules, "yaml", None)
    path = tmp_path / "file.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigError, match=rf"{path}: {reason}") as raised:
        yamlfiles.read(path)
    assert "\n" not in str(raised.value)


def test_a_file_that_takes_pyyaml_says_so(tmp_path, monkeypatch):
    (tmp_path / "file.yaml").write_text("a: |\n  text\n")
    assert yamlfiles.read(tmp_path / "file.yaml") == {"a": "text\n"}
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(ConfigError, match=r"line 1, 'a: \|': only PyYAML reads this; install"):
        yamlfiles.read(tmp_path / "file.yaml")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match="No such file"):
        yamlfiles.read(tmp_path / "file.yaml")
