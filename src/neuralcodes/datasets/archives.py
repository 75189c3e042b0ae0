"""Images of folders and archives, read one by one; nothing is extracted, no link followed."""

import re
import stat
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from neuralcodes.errors import DataError

LARGEST_IMAGE = 2**28  # bytes; what claims to be larger could fill the memory

_IMAGES = (".png", ".jpg", ".jpeg")


def image_members(path: Path) -> Iterator[tuple[str, bytes]]:
    """Read the images of a folder, .tar, .tar.gz, .tgz or .zip one by one, without extracting.

    Hidden files, and files that are no .png, .jpg or .jpeg, are skipped.

    Yields:
        Name relative to the folder, with slashes, and content. A folder is sorted; an archive
        is read in its own order, which is the only quick one.

    Raises:
        DataError: a member is a link, a device, too large or would leave the folder, or the
            archive is damaged or of another kind.
    """
    if path.is_dir():
        members = _folder_members(path)
    elif path.name.lower().endswith((".tar", ".tar.gz", ".tgz")):
        members = _tar_members(path)
    elif path.name.lower().endswith(".zip"):
        members = _zip_members(path)
    else:
        raise DataError(f"{path} is neither a folder nor a .tar, .tar.gz, .tgz or .zip")
    try:
        yield from members
    except DataError:
        raise
    except Exception as error:  # readers of archives fail in many ways on what is none
        raise DataError(
            f"{path} is damaged or cut: {type(error).__name__}: {error}; copy it again"
        ) from error


def _folder_members(path: Path) -> Iterator[tuple[str, bytes]]:
    for member in sorted(path.rglob("*")):
        name = member.relative_to(path).as_posix()
        regular = member.is_file() or member.is_dir()
        size = member.stat().st_size if regular else 0
        wanted = _is_wanted(path, name, size, regular=regular, link=member.is_symlink())
        if wanted and member.is_file():
            yield name, member.read_bytes()


def _tar_members(path: Path) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(path) as archive:
        for member in archive:
            regular = member.isreg() or member.isdir()
            link = member.issym() or member.islnk()
            wanted = _is_wanted(path, member.name, member.size, regular=regular, link=link)
            content = archive.extractfile(member) if wanted else None
            if content is not None:  # None: a folder
                yield member.name, content.read()
        # tarfile takes a cut archive for one that ends there, and gzip checks its sum at the end.
        archive.fileobj.seek(archive.offset)
        if archive.fileobj.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
            raise tarfile.ReadError("its end is missing")
        while archive.fileobj.read(2**20):
            pass


def _zip_members(path: Path) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            mode, size = member.external_attr >> 16, member.file_size
            regular = stat.S_IFMT(mode) in (0, stat.S_IFREG, stat.S_IFDIR)
            link = stat.S_ISLNK(mode)
            wanted = _is_wanted(path, member.filename, size, regular=regular, link=link)
            if wanted and not member.is_dir():
                yield member.filename, archive.read(member)


def _is_wanted(path: Path, name: str, size: int, *, regular: bool, link: bool) -> bool:
    parts = PurePosixPath(name.replace("\\", "/"))
    hidden = any(part.startswith((".", "__MACOSX")) for part in parts.parts)
    wanted = not hidden and parts.suffix.lower() in _IMAGES
    reason = None
    if parts.is_absolute() or re.match("[A-Za-z]:", name) or ".." in parts.parts:
        reason = "would leave the folder"
    elif link:
        reason = "is a link, which could lead out of the folder"
    elif not regular:
        reason = "is neither a file nor a folder"
    elif wanted and size > LARGEST_IMAGE:
        reason = f"has {size} bytes, expected at most {LARGEST_IMAGE}"
    if reason is not None:
        raise DataError(f"{path}: the member {name} {reason}; remove it or replace it by a file")
    return wanted
