"""The saved state of a training: a killed one goes on from there and ends with the same numbers."""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import torch

from neuralcodes import __version__
from neuralcodes.datasets import prepared as datasets
from neuralcodes.networks import modelfiles
from neuralcodes.networks.models import Ensemble
from neuralcodes.networks.training import statefiles
from neuralcodes.networks.training.loop import HISTORY, Progress, Training, TrainingData
from neuralcodes.networks.training.statefiles import Saver, prefixed, state_path, without
from neuralcodes.storage import rows
from neuralcodes.studies.runs import Run

logger = logging.getLogger(__name__)


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
    saver = Saver(state_path(model), token, state_of)
    if restore(saver.path, training, token):
        logger.info("going on after epoch %d with the saved state", training.progress.epoch)
    kept = training.finish(saver)
    progress = training.progress
    header = header_of(run, seeds, progress.stopped, progress.reached, device)
    modelfiles.save(model, kept, header)
    rows.write(history, training.progress.history, HISTORY)
    saver.done()


def header_of(
    run: Run,
    seeds: Sequence[int],
    stopped: Sequence[int],
    reached: Mapping[str, Sequence[int | None]],
    device: torch.device,
) -> dict[str, object]:
    """Give what a model file's header says of a training.

    Args:
        run: what was trained.
        seeds: the repeats.
        stopped: the epoch in which each seed stopped.
        reached: checkpoint by accuracy -> the epoch in which each seed reached it, or None.
        device: where.
    """
    return {
        "run": run.to_dict(),
        "seeds": list(seeds),
        "stopped": list(stopped),
        "reached": {name: list(epochs) for name, epochs in reached.items()},
        "device": device.type,
        "versions": {"torch": torch.__version__, "neuralcodes": __version__},
    }


def state_of(training: Training) -> statefiles.State:
    """Give all that decides how a training goes on.

    Args:
        training: between two epochs.

    Returns:
        Tensors and progress, for `statefiles.save`.
    """
    tensors = prefixed("whole", training.whole.parameters)
    tensors |= prefixed("active", training.active.parameters)
    tensors |= prefixed("moments", training.optimiser.moments())
    for epoch, ensemble in training.checkpoints.items():
        tensors |= prefixed(f"checkpoint.{epoch}", ensemble.parameters)
    for i in range(len(training.seeds)):
        tensors[f"shuffle/{i}"] = training.shuffles[i].get_state()
        tensors[f"drop/{i}"] = training.drops[i].get_state()
    return tensors, asdict(training.progress)


def save(path: Path, training: Training, token: str) -> None:
    """Write all that decides how a training goes on, atomically.

    Args:
        path: the state file.
        training: between two epochs.
        token: names run, seeds, checkpoints and code; another token never resumes this state.
    """
    statefiles.save(path, *state_of(training), token)


def restore(path: Path, training: Training, token: str) -> bool:
    """Put a fresh training where the saved one stood.

    Args:
        path: the state file; a missing, damaged or foreign one is ignored.
        training: not advanced yet.
        token: see `save`.

    Returns:
        Whether the state was used.
    """
    state = statefiles.read(path, token)
    if state is None:
        return False
    tensors, progress = state
    training.progress = Progress(**progress)
    for i in range(len(training.seeds)):
        training.shuffles[i].set_state(tensors[f"shuffle/{i}"])
        training.drops[i].set_state(tensors[f"drop/{i}"])
    here = {name: value.to(training.device) for name, value in tensors.items()}
    shape = training.whole.architecture
    training.whole.parameters.update(without("whole", here))
    for epoch in training.wanted:
        if f"checkpoint.{epoch}/output.bias" in here:
            kept = without(f"checkpoint.{epoch}", here)
            training.checkpoints[epoch] = Ensemble(shape, kept)
    if training.progress.active:
        active = without("active", here)
        # in the order of before, not the file's: it decides which numbers are rounded together
        active = {name: active[name] for name in training.active.parameters}
        training.bind(Ensemble(shape, active), without("moments", here))
    return True
