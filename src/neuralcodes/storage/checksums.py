"""Whether files are what was written: their checksums, and what to do where they are not."""

import functools
import hashlib
import json
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from neuralcodes.errors import DataError
from neuralcodes.storage import jobs

LISTING = "checksums.sha256"

_MISSING = "no such file"
_SETTLED_NS = 2 * 10**9  # clocks of file systems are coarse: what is younger may change unnoticed


def checksum(path: Path, algorithm: str = "sha256") -> str:
    """Hexadecimal digest of a file, or of a folder's sorted relative names and contents."""
    if path.is_file():
        with path.open("rb") as file:
            return hashlib.file_digest(file, algorithm).hexdigest()
    digest = hashlib.new(algorithm)
    for member in sorted(path.rglob("*")):
        if member.is_file():
            name = member.relative_to(path).as_posix()
            digest.update(f"{name}\0{checksum(member, algorithm)}\0".encode())
    return digest.hexdigest()


def checksum_of(content: Mapping[str, Any]) -> str:
    """SHA-256 of what can be written as JSON, in whatever order it stands."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def verify(path: Path, expected: str | None, remedy: str) -> None:
    """Hold a file against its SHA-256; a process reads a file that stays the same only once.

    Args:
        path: the file.
        expected: 64 hex digits; None where nothing says them.
        remedy: what to do where it is damaged.

    Raises:
        DataError: the file is missing or another one, or nothing says what it should be.
    """
    if expected is None:
        raise DataError(f"{path} has no SHA-256 where those of its folder are; {remedy}")
    try:
        state = path.stat()
        changed = (state.st_mtime_ns, state.st_ctime_ns)
        if time.time_ns() - max(changed) > _SETTLED_NS:
            found = _remembered(path.absolute(), state.st_ino, state.st_size, *changed)
        else:
            found = checksum(path)
    except FileNotFoundError:
        found = _MISSING
    if found != expected:
        raise DataError(f"{path} is damaged: expected SHA-256 {expected}, found {found}; {remedy}")


def write_listing(folder: Path) -> None:
    """List the SHA-256 of every file below a folder, in the format of `sha256sum --check`.

    To be written last, beside the files; hidden ones are left out.

    Args:
        folder: the folder.
    """
    names = _files(folder, folder.rglob("*"))
    with jobs.atomic(folder / LISTING) as temporary:
        text = "".join(f"{checksum(folder / name)}  {name}\n" for name in names)
        temporary.write_text(text, encoding="utf-8")


def verify_listed(folder: Path, part: str) -> None:
    """Hold all files of a folder's part, and those outside of parts, against the folder's listing.

    Args:
        folder: of a listing.
        part: name of a folder in it.

    Raises:
        DataError: the listing is missing or damaged; a file is missing, damaged or not listed.
    """
    listed = _listed(folder)
    own = [name for name in listed if "/" not in name or name.startswith(f"{part}/")]
    names = {*own, *_files(folder, [*folder.iterdir(), *(folder / part).rglob("*")])}
    if not any(name.startswith(f"{part}/") for name in names):
        raise DataError(f"{folder} has no {part}; {rebuild(folder)}")
    for name in sorted(names):
        verify(folder / name, listed.get(name), rebuild(folder))


def verify_if_listed(path: Path) -> None:
    """Hold a file of a folder's part against the folder's listing, if there is one.

    Args:
        path: the file.

    Raises:
        DataError: it is damaged or not listed.
    """
    place = path.absolute()
    if (place.parents[-1] == place.parent) or not (place.parents[1] / LISTING).is_file():
        return
    folder = path.parents[1] if len(path.parents) > 1 else place.parents[1]
    expected = _listed(folder).get(f"{place.parent.name}/{place.name}")
    verify(path, expected, rebuild(folder))


def rebuild(target: Path) -> str:
    """Say how a damaged file or folder of the workflow is rebuilt.

    Args:
        target: what a rule makes.
    """
    # a link leads into the cache between workflows
    linked = f" and {target.resolve()}, to which it is a link," if target.is_symlink() else ""
    return f"delete {target}{linked} and run the same command again"


@functools.cache
def _remembered(path: Path, *_state: int) -> str:
    return checksum(path)


def _files(folder: Path, paths: Iterable[Path]) -> list[str]:
    """Name the files that belong into a listing: all but itself and the hidden ones."""
    return sorted(
        path.relative_to(folder).as_posix()
        for path in paths
        if path.is_file() and path.name != LISTING and not path.name.startswith(".")
    )


def _listed(folder: Path) -> dict[str, str]:
    path = folder / LISTING
    try:
        *lines, rest = path.read_text(encoding="utf-8").split("\n")
        if rest:
            raise ValueError(rest)
        return {name: digest for digest, name in (line.split("  ", 1) for line in lines)}
    except (FileNotFoundError, ValueError) as error:
        found = _MISSING if isinstance(error, FileNotFoundError) else "something else"
        raise DataError(
            f"{path}: expected lines of a SHA-256 and a file's name, found {found}; "
            f"{rebuild(folder)}"
        ) from error
