"""A training from its data to its files: killed, it goes on and ends with the same numbers."""

import json
import logging
from collections.abc import Sequence
from pathlib import Path

import torch

from neuralcodes import __version__
from neuralcodes.datasets import prepared
from neuralcodes.networks import modelfiles
from neuralcodes.networks.training import statefiles
from neuralcodes.networks.training.batches import StepData
from neuralcodes.networks.training.loop import Training
from neuralcodes.networks.training.trainingdata import TrainingData
from neuralcodes.storage import rows
from neuralcodes.studies.hashruns import HashRun
from neuralcodes.studies.runs import Run

logger = logging.getLogger(__name__)

MEASURED = ("learning_rate", "train_loss", "train_accuracy")
VALIDATION = ("validation_loss", "validation_accuracy")


def train_on_dataset(
    run: Run,
    seeds: Sequence[int],
    checkpoints: Sequence[str],
    data: Path,
    model: Path,
    history: Path,
    device: torch.device,
    code: str,
) -> None:
    """Train a run's ensemble on a prepared dataset; see `train_to_files`.

    Args:
        run: what to train.
        seeds: the repeats.
        checkpoints: epochs to keep, as text, and "final".
        data: folder of the prepared dataset.
        model: the model file.
        history: see `train_to_files`.
        device: where to train.
        code: see `train_to_files`.

    Raises:
        DivergenceError: a loss is not finite.
    """
    info = prepared.describe(data)
    inputs, labels = prepared.load(data.name, data.parent, "train")
    chosen = TrainingData.of(run, seeds, inputs, labels, info.maximum, device)
    training = Training(run, seeds, chosen, len(info.classes), checkpoints)
    facts = (data / "dataset.json").read_text(encoding="utf-8")
    train_to_files(training, model, history, code, facts)


def train_on_steps(
    run: HashRun,
    seeds: Sequence[int],
    data: StepData,
    model: Path,
    history: Path,
    code: str,
    facts: str,
) -> None:
    """Train a run's hash networks on examples made as they are asked for; see `train_to_files`.

    Args:
        run: what to train.
        seeds: the repeats.
        data: each seed's examples, on the device where to train.
        model: the model file, with the checkpoints "0" and "final".
        history: see `train_to_files`.
        code: see `train_to_files`.
        facts: see `train_to_files`.

    Raises:
        DivergenceError: a loss is not finite.
    """
    training = Training(run, seeds, data, data.classes, ("0", "final"))
    train_to_files(training, model, history, code, facts)


def train_to_files(training: Training, model: Path, history: Path, code: str, facts: str) -> None:
    """Run a training, or go on with it, and write its model file and history.

    Args:
        training: not advanced yet.
        model: the model file.
        history: CSV, one row per seed and `record_every` turns of the run.
        code: fingerprint of the code, so that a state of other code is never gone on with.
        facts: what the data were made of, so that neither is a state of other data.

    Raises:
        DivergenceError: a loss is not finite.
    """
    run, seeds, wanted = training.run, training.seeds, training.wanted
    token = json.dumps([run.id, seeds, wanted, facts, code])
    saver = statefiles.Saver(statefiles.state_path(model), token)
    state = statefiles.read(saver.path, token)
    if state is not None:
        training.go_on_from(*state)
        logger.info("going on after %s %d with the saved state", run.unit, training.progress.turn)
    kept = training.finish(saver)
    header = {
        "run": run.to_dict(),
        "seeds": seeds,
        "stopped": training.progress.stopped,
        "reached": training.progress.reached,
        "device": training.device.type,
        "versions": {"torch": torch.__version__, "neuralcodes": __version__},
    }
    modelfiles.save(model, kept, header)
    held_out = VALIDATION if isinstance(training.data, TrainingData) else ()
    columns = ("seed", run.unit, *MEASURED, *held_out)
    rows.write(history, training.progress.history, columns)
    saver.done()
