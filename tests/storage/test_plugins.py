import sys

import pytest

from neuralcodes.errors import ConfigError
from neuralcodes.storage import jobs, plugins


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write modules into the working folder, and forget them afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "modules", dict(sys.modules))

    def build(**texts):
        for name, text in texts.items():
            (tmp_path / f"{name}.py").write_text(text)

    return build


def test_modules_of_the_working_folder_are_imported_once(write):
    write(mine="import beside\n\nbeside.seen.append(1)", beside="seen = []")
    plugins.load(["mine"])
    plugins.load(["mine"])
    assert sys.modules["beside"].seen == [1]


def test_a_module_of_a_library_is_not_hidden_by_a_file_of_its_name(write):
    write(json="raise SystemExit", mine="import json\njson.dumps([])")
    plugins.load(["mine"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            None,
            r'^plugins\[1\]: "mine" is not allowed: there is no module mine in /.*, and none is',
        ),
        (
            "import nowhere",
            r"cannot be imported: ModuleNotFoundError: .*'nowhere' \(mine.py, line 1",
        ),
        (
            "\n1 / 0",
            r'^plugins\[1\]: "mine" cannot be imported: Zero.*: .* \(mine.py, line 2\)$',
        ),
        ("raise SystemExit(3)", r"cannot be imported: SystemExit: 3 \(mine.py, line 1\)"),
        ("a b", r"cannot be imported: SyntaxError: .* \(mine.py, line 1\)$"),
        ("raise ValueError('a\\n b')", r"cannot be imported: ValueError: a b \(mine.py, line 1\)$"),
    ],
)
def test_a_module_that_cannot_be_imported_is_named_in_one_line(write, text, message):
    write(fine="", **({"mine": text} if text else {}))
    with pytest.raises(ConfigError, match=message) as raised:
        plugins.load(["fine", "mine"])
    assert "\n" not in str(raised.value)


def test_a_job_imports_what_the_environment_names(write, tmp_path, monkeypatch, capsys):
    write(mine="known = 1", bad="1 / 0")
    monkeypatch.setenv(plugins.VARIABLE, '["mine"]')
    with jobs.logged(tmp_path / "a.log"):
        assert sys.modules["mine"].known == 1
    monkeypatch.setenv(plugins.VARIABLE, '["bad"]')
    with pytest.raises(SystemExit), jobs.logged(tmp_path / "b.log"):
        pytest.fail("the job must not start")
    assert 'plugins[0]: "bad" cannot be imported' in capsys.readouterr().err
    assert 'plugins[0]: "bad" cannot be imported' in (tmp_path / "b.log").read_text()
    plugins.load_for_job({})
