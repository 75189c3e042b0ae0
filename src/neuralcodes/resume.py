"""The saved state of a training: a killed one goes on from there and ends with the same numbers."""

import hashlib
import json
import logging
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from types import FrameType

import safetensors
import torch

from neuralcodes import __version__, datasets, jobs, models, rows, tensorfiles
from neuralcodes.models import Ensemble
from neuralcodes.runs import Run
from neuralcodes.training import HISTORY, Progress, Training, TrainingData

logger = logging.getLogger(__name__)

SAVE_EVERY_S = 120.0


def train_to_files(
    run: Run,
    seeds: Sequence[int],
    checkpoints: Sequence[str],
    data: Path,
    model: Path,
    history: Path,
    device: torch.device,
    code: str,
) -> None:
    """Train a run's ensemble, or go on with it, and write its model file and history.

    Args:
        run: what to train.
        seeds: the repeats.
        checkpoints: epochs to keep, as text, and "final".
        data: folder of the prepared dataset.
        model: the model file.
        history: CSV, one row per seed and epoch.
        device: where to train.
        code: fingerprint of the code, so that a state of other code is never gone on with.

    Raises:
        DivergenceError: a loss is not finite.
    """
    info = datasets.describe(data)
    inputs, labels = datasets.load(data.name, data.parent, "train")
    prepared = TrainingData.of(run, seeds, inputs, labels, info.maximum, device)
    training = Training(run, seeds, prepared, len(info.classes), checkpoints)
    facts = (data / "dataset.json").read_text(encoding="utf-8")
    token = json.dumps([run.id, list(seeds), list(checkpoints), facts, code])
    saver = Saver(state_path(model), token)
    if restore(saver.path, training, token):
        logger.info("going on after epoch %d with the saved state", training.progress.epoch)
    kept = training.finish(saver)
    header = {
        "run": run.to_dict(),
        "seeds": list(seeds),
        "stopped": training.progress.stopped,
        "reached": training.progress.reached,
        "device": device.type,
        "versions": {"torch": torch.__version__, "neuralcodes": __version__},
    }
    models.save(model, kept, header)
    rows.write(history, training.progress.history, HISTORY)
    saver.done()


def state_path(model: Path) -> Path:
    """Say where the state of an unfinished training is kept: results/.resume/{run}/{seeds}.

    Args:
        model: its model file, results/models/{run}/{seeds}.safetensors.
    """
    return model.parents[2] / ".resume" / model.parent.name / model.name


def save(path: Path, training: Training, token: str) -> None:
    """Write all that decides how a training goes on, atomically.

    Args:
        path: the state file.
        training: between two epochs.
        token: names run, seeds, checkpoints and code; another token never resumes this state.
    """
    tensors = _prefixed("whole", training.whole.parameters)
    tensors |= _prefixed("active", training.active.parameters)
    tensors |= _prefixed("moments", training.optimiser.moments())
    for epoch, ensemble in training.checkpoints.items():
        tensors |= _prefixed(f"checkpoint.{epoch}", ensemble.parameters)
    for i in range(len(training.seeds)):
        tensors[f"shuffle/{i}"] = training.shuffles[i].get_state()
        tensors[f"drop/{i}"] = training.drops[i].get_state()
    cpu = {name: value.detach().cpu().clone() for name, value in tensors.items()}
    header = {"token": token, "progress": json.dumps(asdict(training.progress))}
    header["checksum"] = _checksum(cpu, header["progress"])
    with jobs.atomic(path) as temporary:
        tensorfiles.write(temporary, cpu, header)


def restore(path: Path, training: Training, token: str) -> bool:
    """Put a fresh training where the saved one stood.

    Args:
        path: the state file; a missing, damaged or foreign one is ignored.
        training: not advanced yet.
        token: see `save`.

    Returns:
        Whether the state was used.
    """
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
            if header.get("token") != token:
                return False
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        if header.get("checksum") != _checksum(tensors, header.get("progress", "")):
            return False
    except (OSError, safetensors.SafetensorError):
        return False
    training.progress = Progress(**json.loads(header["progress"]))
    for i in range(len(training.seeds)):
        training.shuffles[i].set_state(tensors[f"shuffle/{i}"])
        training.drops[i].set_state(tensors[f"drop/{i}"])
    here = {name: value.to(training.device) for name, value in tensors.items()}
    shape = training.whole.architecture
    training.whole.parameters.update(_without("whole", here))
    for epoch in training.wanted:
        if f"checkpoint.{epoch}/output.bias" in here:
            kept = _without(f"checkpoint.{epoch}", here)
            training.checkpoints[epoch] = Ensemble(shape, kept)
    if training.progress.active:
        active = _without("active", here)
        # in the order of before, not the file's: it decides which numbers are rounded together
        active = {name: active[name] for name in training.active.parameters}
        training.bind(Ensemble(shape, active), _without("moments", here))
    return True


class Saver:
    """Saves the state now and then, and at SIGTERM before it leaves with exit code 143."""

    def __init__(self, path: Path, token: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.path, self.token, self.clock = path, token, clock
        self.last = clock()
        self.asked_to_stop = False
        signal.signal(signal.SIGTERM, self._ask)

    def __call__(self, training: Training) -> None:
        """Save if it is time; to be called after each epoch."""
        if training.finished:
            return
        if self.asked_to_stop or self.clock() - self.last >= SAVE_EVERY_S:
            save(self.path, training, self.token)
            self.last = self.clock()
        if self.asked_to_stop:
            raise SystemExit(143)

    def done(self) -> None:
        """Remove the state: the training's results are written."""
        self.path.unlink(missing_ok=True)

    def _ask(self, _signal: int, _frame: FrameType | None) -> None:
        self.asked_to_stop = True


def _checksum(tensors: dict[str, torch.Tensor], progress: str) -> str:
    digest = hashlib.sha256(progress.encode())
    for name in sorted(tensors):
        digest.update(name.encode())
        digest.update(tensors[name].numpy())
    return digest.hexdigest()


def _prefixed(prefix: str, values: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {f"{prefix}/{name}": value for name, value in values.items()}


def _without(prefix: str, values: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    start = f"{prefix}/"
    return {name.removeprefix(start): v for name, v in values.items() if name.startswith(start)}
