import io
import tarfile
import zipfile

import pytest

from neuralcodes.datasets import archives
from neuralcodes.errors import DataError


def write(folder, files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def tar_of(path, *members):
    with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as archive:
        for name, kind in members:
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, "train/a/1.png"
            content = b"x" if kind == tarfile.REGTYPE else b""
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


@pytest.mark.parametrize(
    ("name", "kind", "reason"),
    [
        ("/etc/1.png", tarfile.REGTYPE, "would leave the folder"),
        ("train/../../1.png", tarfile.REGTYPE, "would leave the folder"),
        ("C:\\1.png", tarfile.REGTYPE, "would leave the folder"),
        ("train\\..\\..\\1.png", tarfile.REGTYPE, "would leave the folder"),
        ("train/a/2.png", tarfile.SYMTYPE, "is a link"),
        ("train/a/2.png", tarfile.LNKTYPE, "is a link"),
        ("train/a/2.png", tarfile.CHRTYPE, "is neither a file nor a folder"),
        ("train/a/notes.txt", tarfile.FIFOTYPE, "is neither a file nor a folder"),
    ],
)
def test_unsafe_members_of_a_tar_are_refused_by_name(tmp_path, name, kind, reason):
    path = tar_of(tmp_path / "a.tar.gz", ("train/a/1.png", tarfile.REGTYPE), (name, kind))
    with pytest.raises(DataError, match=reason) as error:
        list(archives.image_members(path))
    assert name in str(error.value)
    assert [p.name for p in tmp_path.iterdir()] == ["a.tar.gz"]


@pytest.mark.parametrize(
    ("name", "mode", "reason"),
    [
        ("/1.png", 0o100644, "would leave the folder"),
        ("../1.png", 0o100644, "would leave the folder"),
        ("train/a/1.png", 0o120777, "is a link"),
        ("train/a/1.png", 0o020666, "is neither a file nor a folder"),
    ],
)
def test_unsafe_members_of_a_zip_are_refused_by_name(tmp_path, name, mode, reason):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        member = zipfile.ZipInfo(name)
        member.external_attr = mode << 16
        archive.writestr(member, b"x")
    with pytest.raises(DataError, match=f"{name} {reason}"):
        list(archives.image_members(tmp_path / "a.zip"))


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
