"""Folders and archives of images: read, and refused where they are damaged or made to harm."""

import io
import tarfile
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from source_cases import encoded, write

from neuralcodes.datasets import archives, prepared
from neuralcodes.datasets.prepared import DatasetSpec
from neuralcodes.errors import DataError


def tar_of(path, *members):
    with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as archive:
        for name, kind in members:
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, "train/a/1.png"
            content = b"x" if kind == tarfile.REGTYPE else b""
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def test_links_in_a_folder_are_refused_by_name(tmp_path):
    folder = write(tmp_path / "images" / "train" / "a", {"1.png": b"x"}).parents[1]
    (folder / "train" / "b").symlink_to(tmp_path)
    with pytest.raises(DataError, match="train/b is a link"):
        list(archives.image_members(folder))


def test_only_visible_images_are_read(tmp_path):
    names = ["./train/a/1.PNG", "train/a/2.jpeg", "train/a/._2.jpg", "__MACOSX/3.jpg", "notes.txt"]
    path = tar_of(
        tmp_path / "a.tar",
        ("train.png", tarfile.DIRTYPE),
        *((name, tarfile.REGTYPE) for name in names),
    )
    assert [name for name, _ in archives.image_members(path)] == names[:2]


def test_a_folder_a_tar_and_a_zip_give_the_same_images(tmp_path):
    folder = write(tmp_path / "images" / "train" / "a", {"1.png": b"x", "2.jpg": b"y"}).parents[1]
    (folder / "empty.png").mkdir()
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, path.relative_to(folder))
    with tarfile.open(tmp_path / "a.tgz", "w:gz") as archive:
        archive.add(folder, ".")
    expected = [("train/a/1.png", b"x"), ("train/a/2.jpg", b"y")]
    assert list(archives.image_members(folder)) == expected
    assert list(archives.image_members(tmp_path / "a.zip")) == expected
    found = [
        (name.removeprefix("./"), text) for name, text in archives.image_members(tmp_path / "a.tgz")
    ]
    assert sorted(found) == expected


@pytest.mark.parametrize("name", ["a.tar", "a.tar.gz", "a.zip"])
@pytest.mark.parametrize("share", [0.1, 0.4987, 0.5, 0.8])
def test_a_cut_archive_is_named(tmp_path, name, share):
    path = tmp_path / name
    if name == "a.zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("train/a/1.png", b"x" * 1000)
    else:
        tar_of(path, *((f"train/a/{i}.png", tarfile.REGTYPE) for i in range(100)))
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(DataError, match=f"{name} is damaged or cut"):
        list(archives.image_members(path))


@pytest.mark.parametrize("end", [1024, 1536, 1540])
def test_a_tar_cut_between_or_in_members_is_named(tmp_path, end):
    path = tar_of(tmp_path / "a.tar", *((f"train/{i}.png", tarfile.REGTYPE) for i in range(3)))
    path.write_bytes(path.read_bytes()[:end])
    with pytest.raises(DataError, match=r"a\.tar is damaged or cut"):
        list(archives.image_members(path))


def test_a_damaged_end_of_a_compressed_archive_is_named(tmp_path):
    path = tar_of(tmp_path / "a.tar.gz", ("train/a/1.png", tarfile.REGTYPE))
    content = bytearray(path.read_bytes())
    content[-6] ^= 1  # a bit of the checksum
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"a\.tar\.gz is damaged or cut"):
        list(archives.image_members(path))


def test_an_archive_of_another_kind_is_refused(tmp_path):
    (tmp_path / "a.rar").touch()
    with pytest.raises(DataError, match=r"a\.rar is neither a folder nor a \.tar"):
        list(archives.image_members(tmp_path / "a.rar"))


# members made to harm


def prepare(tmp_path, source, path):
    spec = DatasetSpec("own", source, str(path))
    prepared.fetch(spec, tmp_path / "raw", None)
    prepared.prepare(spec, tmp_path / "raw", tmp_path / "prepared")


def image():
    return encoded(np.zeros((2, 2), np.uint8))


IMAGES = [f"{split}/{label}/1.png" for split in ("train", "test") for label in "ab"]
LINKS = {"symbolic link": tarfile.SYMTYPE, "hard link": tarfile.LNKTYPE}
DEVICES = {"pipe": tarfile.FIFOTYPE, "terminal": tarfile.CHRTYPE, "disk": tarfile.BLKTYPE}


def tar(path, name, kind, target):
    with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as archive:
        for each in [*IMAGES, name]:
            member = tarfile.TarInfo(each)
            member.size = len(image())
            if each == name and kind != "file":
                member.type, member.linkname, member.size = (LINKS | DEVICES)[kind], target, 0
            archive.addfile(member, io.BytesIO(image()))


def zipped(path, name, kind, target):
    modes = {"file": 0o100644, "symbolic link": 0o120777, "pipe": 0o010644, "disk": 0o060644}
    with zipfile.ZipFile(path, "w") as archive:
        for each in [*IMAGES, name]:
            member = zipfile.ZipInfo(each)
            own = kind if each == name else "file"
            member.external_attr = modes[own] << 16
            archive.writestr(member, target if own == "symbolic link" else image())


def everything(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", ["own.tar", "own.tar.gz", "own.zip"])
@pytest.mark.parametrize(
    ("member", "kind", "target", "reason"),
    [
        ("../evil.png", "file", "", "would leave the folder"),
        ("train/a/../../../evil.png", "file", "", "would leave the folder"),
        ("train/../../evil", "file", "", "would leave the folder"),
        ("{folder}/evil.png", "file", "", "would leave the folder"),
        ("..\\evil.png", "file", "", "would leave the folder"),
        ("C:\\evil.png", "file", "", "would leave the folder"),
        (
            "train/a/2.png",
            "symbolic link",
            "../../../secret.png",
            "is a link",
        ),
        (
            "train/a/2.png",
            "symbolic link",
            "{folder}/secret.png",
            "is a link",
        ),
        ("train/a/2.png", "hard link", "{folder}/secret.png", "is a link"),
        ("train/a/2.png", "hard link", "train/a/1.png", "is a link"),
        ("train/a/notes.txt", "pipe", "", "is neither a file nor a folder"),
        ("train/a/2.png", "pipe", "", "is neither a file nor a folder"),
        ("train/a/2.png", "terminal", "", "is neither a file nor a folder"),
        ("train/a/2.png", "disk", "", "is neither a file nor a folder"),
        ("train/c", "symbolic link", "{folder}", "is a link"),
    ],
)
def test_members_that_reach_out_of_an_archive_are_refused_by_name(
    tmp_path, name, member, kind, target, reason
):
    if name == "own.zip" and kind in ("hard link", "terminal"):
        pytest.skip("a .zip has no such members")
    inside = tmp_path / "inside/deeper"
    inside.mkdir(parents=True)
    (inside.parent / "secret.png").write_bytes(image())
    member, target = (each.format(folder=inside.parent) for each in (member, target))
    (zipped if name == "own.zip" else tar)(inside / name, member, kind, target)
    before = everything(tmp_path)
    with pytest.raises(DataError) as error:
        prepare(inside, "image_folder", inside / name)
    assert str(inside / name) in str(error.value)
    assert f"the member {member} {reason}" in str(error.value)
    added = everything(tmp_path).keys() - before.keys()
    assert added == {inside / "raw/manifest.json"}
    assert {path: everything(tmp_path)[path] for path in before} == before


@pytest.mark.parametrize("name", ["own.tar", "own.tar.gz", "own.zip"])
def test_the_same_archive_without_such_a_member_is_read(tmp_path, name):
    (zipped if name == "own.zip" else tar)(tmp_path / name, "train/a/2.png", "file", "")
    prepare(tmp_path, "image_folder", tmp_path / name)
    assert prepared.load_labels(tmp_path / "prepared", "train").tolist().count(0) == 2


def test_a_member_that_would_fill_the_memory_is_refused_unread(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "LARGEST_IMAGE", 1000)
    bomb = bytes(10**6)
    with zipfile.ZipFile(tmp_path / "own.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("train/a/1.png", bomb)
    with tarfile.open(tmp_path / "own.tar.gz", "w:gz") as archive:
        member = tarfile.TarInfo("train/a/1.png")
        member.size = len(bomb)
        archive.addfile(member, io.BytesIO(bomb))
    (tmp_path / "train/a").mkdir(parents=True)
    (tmp_path / "train/a/1.png").write_bytes(bomb)
    for path in (tmp_path / "own.zip", tmp_path / "own.tar.gz", tmp_path):
        with pytest.raises(DataError, match=r"a/1\.png has 1000000 bytes, expected at most"):
            list(archives.image_members(path))


@pytest.mark.parametrize("name", ["own.tar", "own.tar.gz", "own.zip"])
def test_an_archive_with_any_flipped_bit_is_read_or_refused(tmp_path, name):
    (zipped if name == "own.zip" else tar)(tmp_path / name, "train/a/2.png", "file", "")
    content = (tmp_path / name).read_bytes()

    @settings(max_examples=60, deadline=None, derandomize=True)
    @given(st.integers(0, 8 * len(content) - 1))
    def flip(bit):
        damaged = bytearray(content)
        damaged[bit // 8] ^= 1 << bit % 8
        (tmp_path / name).write_bytes(damaged)
        try:
            members = list(archives.image_members(tmp_path / name))
        except DataError as error:
            assert name in str(error)
        else:
            assert len(members) <= len(IMAGES) + 1

    flip()
