"""What every job shares: a log, atomic writes, a device and a fixed number of threads."""

import contextlib
import errno
import glob
import logging
import os
import re
import shutil
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from threadpoolctl import threadpool_limits

from neuralcodes.errors import DataError, DeviceError, NeuralcodesError
from neuralcodes.storage import plugins, usage

if TYPE_CHECKING:
    import torch

DETERMINISTIC_VARIABLE = "NEURALCODES_DETERMINISTIC"

SNAKEMAKE_VARIABLE = "NEURALCODES_SNAKEMAKE"  # the process that starts the jobs
WATCH_EVERY_S = 0.2
FULL = (errno.ENOSPC, errno.EDQUOT)
FORBIDDEN = (errno.EROFS, errno.EACCES, errno.EPERM)


@contextlib.contextmanager
def logged(log: str | Path, threads: int = 1) -> Iterator[logging.Logger]:
    """Run a job: its messages, warnings and tracebacks go to the rule's log file.

    The user's plugins are imported first.

    The log of a job that succeeds ends with its time and its peak memory.

    A `NeuralcodesError` also goes to standard error as one message, without traceback, and ends
    the process with exit code 1; so does a log that cannot be written.

    A job whose snakemake is killed gets SIGTERM: it must not write beside the next one's job.

    Args:
        log: the rule's log file; its folder is made.
        threads: threads that BLAS and OpenMP may use.

    Yields:
        The job's logger.
    """
    clock, logger = usage.Clock(), logging.getLogger("neuralcodes")
    try:
        handler = _LogFile(Path(log))
    except DataError as error:
        sys.stderr.write(f"DataError: {error}\n")
        raise SystemExit(1) from None
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", datefmt="%H:%M:%S"))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logging.captureWarnings(capture=True)
    logging.getLogger("py.warnings").addHandler(handler)
    try:
        with threadpool_limits(threads), _ending_with_snakemake(logger):
            plugins.load_for_job()
            yield logger
        logger.info(clock.message())
    except NeuralcodesError as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        with contextlib.suppress(DataError):  # that the log cannot be written was said
            logger.error("%s: %s", type(error).__name__, error)
        raise SystemExit(1) from None
    except Exception:
        sys.stderr.write(traceback.format_exc())
        with contextlib.suppress(DataError):
            logger.exception("the job failed")
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
        DataError: the disk is full, which names the file and the free space, or the folder cannot
            be written.
    """
    path = Path(path)
    here = re.sub(r"\W", "-", socket.gethostname())  # of processes elsewhere nothing is known
    temporary = path.with_name(f".{path.name}.{here}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for left in path.parent.glob(f".{glob.escape(path.name)}.{here}.*.partial"):
            if left == temporary or not _runs(int(left.suffixes[-2][1:])):
                _remove(left)  # of a process that was killed
        yield temporary
        if temporary.is_dir() and path.is_dir():
            shutil.rmtree(path)
        temporary.replace(path)
    except OSError as error:
        if (reason := explained(error, path)) is None:
            raise
        raise reason from error
    finally:
        _remove(temporary)


def explained(error: OSError, path: Path) -> DataError | None:
    """Say what hinders the writing of a file, where it is the disk and not the program.

    Args:
        error: raised while the file was written.
        path: the file.

    Returns:
        The error to raise instead: the disk is full, or the folder cannot be written. None for an
        error of another kind, or of another file that the system refuses.
    """
    folder = next(each for each in (*path.parents, Path()) if each.is_dir())
    where = _final(folder)
    # numpy does not tell why it wrote less than it was to write
    short = error.errno is None and re.fullmatch(r"\d+ requested and \d+ written", str(error))
    if error.errno in FULL or short:
        free = shutil.disk_usage(folder).free
        return DataError(
            f"no space left to write {_final(path)} ({free / 1e6:.1f} MB free in {where}); "
            "free some space, then run the same command again"
        )
    named = isinstance(error.filename, str)
    refused = Path(error.filename if named else "")
    ours = named and (path.parent in refused.parents or refused in path.parents)
    if error.errno in FORBIDDEN and ours:
        return DataError(
            f"cannot write {_final(path)} ({os.strerror(error.errno).lower()}); make the folder "
            f"{where} writable or choose another in config/config.yaml, then run the same command "
            "again"
        )
    return None


def start_torch(threads: int, device: str) -> "torch.device":
    """Fix torch's threads and choose the device that the configuration asks for.

    Float32 is float32: convolutions do not round their inputs to tf32, as torch's own do. Where
    the environment variable NEURALCODES_DETERMINISTIC is 1, the same GPU computes the same bits
    in every run. Call this before CUDA is used.

    Args:
        threads: threads of one operation; the rule fixes it, so that results do not depend on
            how many cores the workflow was given.
        device: "auto" (CUDA if there is one, else CPU), "cpu", "cuda", "cuda:N" or "mps".

    Raises:
        DeviceError: the device asked for is not there. There is no silent fall back.
    """
    import torch

    torch.set_num_threads(threads)
    if os.environ.get(DETERMINISTIC_VARIABLE) == "1":
        # cuBLAS reads it when it starts
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.use_deterministic_algorithms(mode=True)
        # torch lacks the types of this and of convolutions below
        torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
        torch.backends.cudnn.deterministic = True
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    chosen = torch.device(device)
    if chosen.type == "cuda" and (chosen.index or 0) >= torch.cuda.device_count():
        raise DeviceError(
            f"device: {device} was asked for, but torch sees {torch.cuda.device_count()} CUDA "
            "devices here; set device to auto or cpu, or run where there is such a GPU"
        )
    if chosen.type == "cuda":
        torch.backends.cudnn.conv.fp32_precision = "ieee"  # type: ignore[attr-defined]
    if chosen.type == "mps" and not torch.backends.mps.is_available():
        raise DeviceError("device: mps was asked for, but torch has no MPS here; set device: auto")
    return chosen


class _LogFile(logging.FileHandler):
    """A log that cannot be written ends the job with a message, as any other file does."""

    def __init__(self, path: Path) -> None:
        """Open the log; make its folder."""
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            super().__init__(path, mode="w", encoding="utf-8")
        except OSError as error:
            if (reason := explained(error, path)) is None:
                raise
            raise reason from error

    def handleError(self, record: logging.LogRecord) -> None:
        """Raise what logging would print and forget."""
        error = sys.exception()
        reason = explained(error, self.path) if isinstance(error, OSError) else None
        if reason is not None:
            raise reason from error
        super().handleError(record)

    def close(self) -> None:
        """Close the log; that its last lines cannot be written was said when they came."""
        with contextlib.suppress(OSError):
            super().close()


@contextlib.contextmanager
def _ending_with_snakemake(logger: logging.Logger) -> Iterator[None]:
    """Send SIGTERM to this process when its snakemake has died: a training then saves its state."""
    parent, ended = os.getppid(), threading.Event()
    if os.environ.get(SNAKEMAKE_VARIABLE) != str(parent):
        yield  # started by something else, which may end before
        return

    def watch() -> None:
        while not ended.wait(WATCH_EVERY_S):
            if os.getppid() != parent:
                with contextlib.suppress(DataError):
                    logger.error("snakemake has died, and with it ends this job")
                os.kill(os.getpid(), signal.SIGTERM)
                return

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()


def _final(path: Path) -> Path:
    """Give the path that something has once every folder around it is whole."""
    return Path(*(re.sub(r"^\.(.+)\.[\w-]+\.\d+\.partial$", r"\1", part) for part in path.parts))


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
    elif os.path.lexists(path):
        path.unlink()
