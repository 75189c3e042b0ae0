"""What every job shares: a log, atomic writes, a device and a fixed number of threads."""

import contextlib
import errno
import glob
import logging
import os
import shutil
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from threadpoolctl import threadpool_limits

from neuralcodes import memory
from neuralcodes.errors import DataError, DeviceError, NeuralcodesError

if TYPE_CHECKING:
    import torch


@contextlib.contextmanager
def logged(log: str | Path, threads: int = 1) -> Iterator[logging.Logger]:
    """Run a job: its messages, warnings and tracebacks go to the rule's log file.

    The log of a job that succeeds ends with its peak memory.

    A `NeuralcodesError` also goes to standard error as one message, without traceback, and ends
    the process with exit code 1.

    Args:
        log: the rule's log file; its folder is made.
        threads: threads that BLAS and OpenMP may use.

    Yields:
        The job's logger.
    """
    Path(log).parent.mkdir(parents=True, exist_ok=True)
    logger = logging.getLogger("neuralcodes")
    handler = logging.FileHandler(log, mode="w", encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", datefmt="%H:%M:%S"))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logging.captureWarnings(capture=True)
    logging.getLogger("py.warnings").addHandler(handler)
    try:
        with threadpool_limits(threads):
            yield logger
        logger.info(memory.message())
    except NeuralcodesError as error:
        logger.error("%s: %s", type(error).__name__, error)
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        raise SystemExit(1) from None
    except Exception:
        logger.exception("the job failed")
        sys.stderr.write(traceback.format_exc())
        raise SystemExit(1) from None
    finally:
        logging.captureWarnings(capture=False)
        logging.getLogger("py.warnings").removeHandler(handler)
        logger.removeHandler(handler)
        handler.close()


@contextlib.contextmanager
def atomic(path: str | Path) -> Iterator[Path]:
    """Give a temporary path beside `path` that takes its place only when the block succeeds.

    Works for files and for folders; makes the parent folders.

    Raises:
        DataError: the disk is full; names the file and the free space.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.partial")
    for left in path.parent.glob(f".{glob.escape(path.name)}.*.partial"):
        if left == temporary or not _runs(int(left.suffixes[-2][1:])):
            _remove(left)  # of a process that was killed
    try:
        yield temporary
        if temporary.is_dir() and path.is_dir():
            shutil.rmtree(path)
        temporary.replace(path)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        free = shutil.disk_usage(path.parent).free
        raise DataError(
            f"no space left to write {path} ({free / 1e6:.1f} MB free in {path.parent}); "
            "free some space, then run the same command again"
        ) from error
    finally:
        _remove(temporary)


def start_torch(threads: int, device: str) -> "torch.device":
    """Fix torch's threads and choose the device that the configuration asks for.

    Args:
        threads: threads of one operation; the rule fixes it, so that results do not depend on
            how many cores the workflow was given.
        device: "auto" (CUDA if there is one, else CPU), "cpu", "cuda", "cuda:N" or "mps".

    Raises:
        DeviceError: the device asked for is not there. There is no silent fall back.
    """
    import torch

    torch.set_num_threads(threads)
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    chosen = torch.device(device)
    if chosen.type == "cuda" and (chosen.index or 0) >= torch.cuda.device_count():
        raise DeviceError(
            f"device: {device} was asked for, but torch sees {torch.cuda.device_count()} CUDA "
            "devices here; set device to auto or cpu, or run where there is such a GPU"
        )
    if chosen.type == "mps" and not torch.backends.mps.is_available():
        raise DeviceError("device: mps was asked for, but torch has no MPS here; set device: auto")
    return chosen


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
