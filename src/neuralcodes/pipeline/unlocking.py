"""The lock of a snakemake that was killed: it hinders nobody, while that of a living one does.

Snakemake's lock files do not say whose they are. So every snakemake that runs in a folder holds a
lock of the operating system, which ends with its process, however it ends. Who finds nobody else
there may remove what was left.
"""

import atexit
import contextlib
import shutil
import socket
from pathlib import Path
from typing import IO

from neuralcodes.storage import jobs

try:
    import fcntl
except ImportError:  # Windows; users then remove the lock themselves, by --unlock
    fcntl = None

FILE = "neuralcodes.lock"
_held: dict[Path, IO[str]] = {}


def take_part(folder: str | Path) -> bool:
    """Say, until this process ends, that it runs here; remove the lock that a killed one left.

    A lock stays where another process lives or may live: on another machine, or one that does
    not take part. The lock is then snakemake's business, as it is where the file system knows no
    locks.

    Args:
        folder: snakemake's own folder, .snakemake.

    Returns:
        Whether a lock was removed.

    Raises:
        DataError: the disk is full; snakemake itself would not say so in a sentence.
    """
    folder = Path(folder).resolve()
    if fcntl is None or folder in _held:
        return False
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _held[folder] = file = (folder / FILE).open("a+", encoding="utf-8")
        removed = _alone(file) and _remove_left(folder / "locks", file)
        fcntl.flock(file, fcntl.LOCK_SH)
    except OSError as error:
        if error.errno in jobs.FULL:
            raise jobs.explained(error, folder / FILE) from error
        return False
    atexit.register(_leave, file)
    return removed


def _alone(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _remove_left(locks: Path, file: IO[str]) -> bool:
    """Remove locks that are left of a process of this machine, and sign as the next one."""
    file.seek(0)
    ours = file.read(256) == socket.gethostname()
    left = locks.is_dir() and any(locks.iterdir())
    if left and not ours:
        return False
    if left:
        shutil.rmtree(locks)
    _sign(file, socket.gethostname())
    return left


def _leave(file: IO[str]) -> None:
    """Take the signature back, unless others are there."""
    with contextlib.suppress(OSError):
        if _alone(file):
            _sign(file, "")
    file.close()


def _sign(file: IO[str], text: str) -> None:
    file.truncate(0)
    file.write(text)
    file.flush()
