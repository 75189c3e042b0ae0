"""Files of the state of something unfinished: killed, it goes on with the same numbers."""

import json
import signal
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType
from typing import Any, Protocol

import torch

from neuralcodes.storage import checksums, jobs
from neuralcodes.storage import tensors as tensorfiles

SAVE_EVERY_S = 120.0

Tensors = dict[str, torch.Tensor]
State = tuple[Tensors, dict[str, Any]]


class Interruptible(Protocol):
    """What a `Saver` is called with."""

    @property
    def finished(self) -> bool:
        """Whether nothing is left to do."""
        ...

    def state(self) -> State:
        """Give tensors and progress, all that decides how it goes on."""
        ...


def save(path: Path, tensors: Tensors, progress: Mapping[str, Any], token: str) -> None:
    """Write a state, atomically.

    Args:
        path: the state file.
        tensors: name -> tensor on any device.
        progress: the rest of the state, JSON-ready.
        token: names what the state is of and the code; another token never reads this state.

    Raises:
        DataError: the disk is full.
    """
    cpu = {
        name: value.detach().cpu().clone(memory_format=torch.contiguous_format)
        for name, value in tensors.items()
    }
    header = {"token": token, "progress": json.dumps(progress)}
    header["checksum"] = _checksum(cpu, header["progress"])
    with jobs.atomic(path) as temporary:
        tensorfiles.write(temporary, cpu, header)


def read(path: Path, token: str) -> State | None:
    """Read a state.

    Args:
        path: the state file.
        token: see `save`.

    Returns:
        Tensors on the CPU and progress; None where the file is missing, damaged or of another
        token.
    """
    try:
        with tensorfiles.opened(path) as file:
            header = file.metadata()
            if header.get("token") != token:
                return None
            tensors = {name: file.tensor(name) for name in file.names()}
        if header.get("checksum") != _checksum(tensors, header.get("progress", "")):
            return None
        return tensors, json.loads(header["progress"])
    except (OSError, tensorfiles.Unreadable, LookupError, ValueError, TypeError, RuntimeError):
        return None


def state_path(model: Path) -> Path:
    """Say where the state of an unfinished training is kept: results/.resume/{run}/{seeds}.

    Args:
        model: its model file, results/models/{run}/{seeds}.safetensors.
    """
    return model.parents[2] / ".resume" / model.parent.name / model.name


class Saver:
    """Saves the state now and then, and at SIGTERM before it leaves with exit code 143."""

    def __init__(
        self,
        path: Path,
        token: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Listen to SIGTERM from now on.

        Args:
            path: the state file.
            token: see `save`.
            clock: seconds.
        """
        self.path, self.token, self.clock = path, token, clock
        self.last = clock()
        self.asked_to_stop = False
        signal.signal(signal.SIGTERM, self._ask)

    def __call__(self, training: Interruptible) -> None:
        """Save if it is time; to be called wherever the training could go on from."""
        if training.finished:
            return
        if self.asked_to_stop or self.clock() - self.last >= SAVE_EVERY_S:
            save(self.path, *training.state(), self.token)
            self.last = self.clock()
        if self.asked_to_stop:
            raise SystemExit(143)

    def done(self) -> None:
        """Remove the state: the results are written."""
        self.path.unlink(missing_ok=True)

    def _ask(self, _signal: int, _frame: FrameType | None) -> None:
        self.asked_to_stop = True


def prefixed(prefix: str, values: Tensors) -> Tensors:
    """Put "{prefix}/" before every name.

    Args:
        prefix: what the tensors are.
        values: name -> tensor.
    """
    return {f"{prefix}/{name}": value for name, value in values.items()}


def without(prefix: str, values: Tensors) -> Tensors:
    """Undo `prefixed`; names without the prefix are left out.

    Args:
        prefix: what the wanted tensors are.
        values: "{prefix}/{name}" -> tensor.
    """
    start = f"{prefix}/"
    return {name.removeprefix(start): v for name, v in values.items() if name.startswith(start)}


def _checksum(tensors: Tensors, progress: str) -> str:
    return checksums.checksum_of({"tensors": tensorfiles.checksum(tensors), "progress": progress})
