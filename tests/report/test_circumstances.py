import subprocess

import pytest

from neuralcodes.report import circumstances


def git(folder, *arguments):
    identity = ("-c", "user.name=n", "-c", "user.email=n@example.org")
    subprocess.run(["git", "-C", folder, *identity, *arguments], check=True, capture_output=True)


@pytest.fixture
def checkout(tmp_path):
    git(tmp_path, "init", "--quiet")
    (tmp_path / "file").write_text("1")
    git(tmp_path, "add", "file")
    git(tmp_path, "commit", "--quiet", "--message", "first")
    return tmp_path


def test_the_commit_of_a_clean_checkout(checkout):
    (checkout / "untracked").touch()
    found = circumstances.commit(checkout)
    assert len(found) == 40
    assert set(found) <= set("0123456789abcdef")


def test_changes_are_said(checkout):
    before = circumstances.commit(checkout)
    (checkout / "file").write_text("2")
    assert circumstances.commit(checkout) == f"{before} with changes"


def test_a_folder_inside_another_checkout_has_no_commit_of_its_own(checkout):
    (checkout / "inside").mkdir()
    assert circumstances.commit(checkout / "inside") is None


def test_without_git_there_is_no_commit(tmp_path, monkeypatch):
    assert circumstances.commit(tmp_path) is None
    monkeypatch.setenv("PATH", str(tmp_path))
    assert circumstances.commit(tmp_path) is None


def test_versions_are_those_installed():
    import numpy

    found = circumstances.versions()
    assert found["numpy"] == numpy.__version__
    assert next(iter(found)) == "python"
    assert "torch" in found


def test_versions_of_what_is_absent_are_left_out(monkeypatch):
    monkeypatch.setattr(circumstances, "PACKAGES", ("no-such-package", "numpy"))
    assert set(circumstances.versions()) == {"python", "numpy"}
