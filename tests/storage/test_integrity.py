import os
import shutil
import subprocess
from pathlib import Path

import pytest

from neuralcodes.errors import DataError
from neuralcodes.storage import checksums

# SHA-256 of "abc": the first example of FIPS 180
ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@pytest.fixture
def folder(tmp_path):
    """A listed folder of two parts."""
    folder = tmp_path / "seeds0-1"
    for name in ("epoch0/train.npy", "epoch2/train.npy", "epoch2/a b.csv", "members.csv", ".time"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    checksums.write_listing(folder)
    return folder


def test_a_file_with_its_checksum_passes(tmp_path):
    (tmp_path / "file").write_text("abc")
    checksums.verify(tmp_path / "file", ABC, "copy it again")


@pytest.mark.parametrize(("text", "found"), [("abd", "a52d159f"), ("", "e3b0c442"), (None, "no ")])
def test_a_file_that_is_another_is_named_with_both_checksums_and_the_remedy(tmp_path, text, found):
    path = tmp_path / "file"
    if text is not None:
        path.write_text(text)
    with pytest.raises(DataError, match=f"expected SHA-256 {ABC}, found {found}.*; copy it again"):
        checksums.verify(path, ABC, "copy it again")
    with pytest.raises(DataError, match=str(path)):
        checksums.verify(path, None, "copy it again")


def test_a_file_is_read_once_and_again_when_it_has_changed(tmp_path, monkeypatch):
    path, read = tmp_path / "file", []
    checksum = checksums.checksum
    monkeypatch.setattr(checksums, "checksum", lambda each: read.append(each) or checksum(each))
    monkeypatch.setattr(checksums, "_SETTLED_NS", -1)
    path.write_text("abc")
    times = path.stat()
    for _ in range(3):
        checksums.verify(path, ABC, "copy it again")
    assert read == [path]
    (tmp_path / "other").write_text("abd")
    os.utime(tmp_path / "other", ns=(times.st_atime_ns, times.st_mtime_ns))
    (tmp_path / "other").replace(path)  # of the same size and date
    with pytest.raises(DataError, match="expected SHA-256"):
        checksums.verify(path, ABC, "copy it again")
    assert read == [path, path]


def test_a_file_that_was_just_written_is_read_each_time(tmp_path):
    path = tmp_path / "file"
    for _ in range(50):  # much faster than clocks of file systems tick
        path.write_text("abc")
        checksums.verify(path, ABC, "copy it again")
        path.write_text("abd")
        with pytest.raises(DataError, match="expected SHA-256"):
            checksums.verify(path, ABC, "copy it again")


def test_the_checksum_of_content_does_not_depend_on_its_order():
    assert checksums.checksum_of({"a": 1, "b": [2]}) == checksums.checksum_of({"b": [2], "a": 1})
    assert checksums.checksum_of({"a": 1}) != checksums.checksum_of({"a": 2})


def test_a_listing_names_all_files_but_itself_and_hidden_ones(folder):
    before = (folder / checksums.LISTING).read_text()
    names = [line.split("  ")[1] for line in before.splitlines()]
    assert names == ["epoch0/train.npy", "epoch2/a b.csv", "epoch2/train.npy", "members.csv"]
    checksums.write_listing(folder)
    assert (folder / checksums.LISTING).read_text() == before


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="there is no sha256sum")
def test_a_listing_is_what_sha256sum_checks(folder):
    command = ["sha256sum", "--check", "--strict", checksums.LISTING]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    assert done.stdout.count(": OK") == 4


def test_a_part_passes_whatever_became_of_the_others(folder):
    (folder / "epoch2/train.npy").write_text("damaged")
    checksums.verify_listed(folder, "epoch0")
    checksums.verify_if_listed(folder / "epoch0/train.npy")


def damage(name, text):
    return lambda folder: (folder / name).write_text(text)


def lines(change):
    """Change the lines of the listing."""

    def damage(folder):
        path = folder / checksums.LISTING
        path.write_text("\n".join(change(path.read_text().split("\n"))))

    return damage


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        (damage("epoch0/train.npy", "damaged"), "epoch0/train.npy is damaged"),
        (damage("members.csv", "damaged"), "members.csv is damaged"),
        (damage("epoch0/added.npy", ""), "epoch0/added.npy has no SHA-256"),
        (damage("added.csv", ""), "added.csv has no SHA-256"),
        (lambda folder: (folder / "members.csv").unlink(), "members.csv is damaged: .* no such"),
        (lambda folder: (folder / checksums.LISTING).unlink(), "sha256: .* found no such file"),
        (lines(lambda all: all[1:]), "epoch0/train.npy has no SHA-256"),
        (lines(lambda all: [*all[:3], ""]), "members.csv has no SHA-256"),
        (lines(lambda all: all[:4]), "sha256: .* found something else"),
        (lines(lambda all: [all[0].replace("  ", " "), *all[1:]]), "sha256: .* something else"),
        (lines(lambda all: [all[0].upper(), *all[1:]]), "epoch0/train.npy has no SHA-256"),
        (
            lambda folder: shutil.rmtree(folder / "epoch0"),
            "epoch0/train.npy is damaged: .* no such",
        ),
        (lambda folder: (folder / checksums.LISTING).write_bytes(b"\xff"), "sha256: .* something"),
    ],
)
def test_damage_of_a_part_or_the_listing_is_named_with_what_to_delete(folder, damage, named):
    damage(folder)
    with pytest.raises(DataError, match=rf"{named}.*; delete {folder} and run the same"):
        checksums.verify_listed(folder, "epoch0")


def test_a_part_that_is_not_there_is_named(folder):
    with pytest.raises(DataError, match=f"{folder} has no epoch7; delete"):
        checksums.verify_listed(folder, "epoch7")


@pytest.mark.parametrize(
    ("place", "name", "target"),
    [
        ("seeds0-1/epoch0", "../../seeds0-1/epoch0", "../../seeds0-1"),
        ("", "seeds0-1/epoch0", "seeds0-1"),
        ("seeds0-1", "epoch0", "."),
        ("seeds0-1/epoch0", "", ".*/seeds0-1"),
    ],
)
def test_a_file_alone_is_held_against_the_listing_from_any_place(
    folder, monkeypatch, place, name, target
):
    (folder / "epoch0/train.npy").write_text("damaged")
    (folder / "epoch0/added.npy").touch()
    monkeypatch.chdir(folder.parent / place)
    for file, said in (("train.npy", "is damaged"), ("added.npy", "has no SHA-256")):
        with pytest.raises(DataError, match=rf"^\S*{file} {said}.*; delete {target} and run"):
            checksums.verify_if_listed(Path(name, file))


def test_files_outside_of_a_listed_folder_are_not_held_against_anything(tmp_path):
    checksums.verify_if_listed(tmp_path / "epoch0/train.npy")
    checksums.verify_if_listed(tmp_path.joinpath("/train.npy"))


def test_a_link_into_a_cache_names_what_it_leads_to(tmp_path):
    store, model = tmp_path / "store", tmp_path / "model"
    assert checksums.rebuild(model) == f"delete {model} and run the same command again"
    store.touch()
    model.symlink_to(store)
    said = f"delete {model} and {store}, to which it is a link, and run the same command again"
    assert checksums.rebuild(model) == said
