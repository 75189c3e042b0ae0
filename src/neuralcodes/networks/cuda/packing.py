"""Runs that differ in their width alone, trained as one ensemble: what keeps a GPU busy.

Layers of narrower networks are padded with units whose parameters are all 0. Every activation is 0
at 0, so that such a unit puts out 0; nothing takes it in, so that its gradients are exactly 0; and
optimisers, weight decay and batch norm leave it as it is. Padding thus changes the order in which
sums are rounded, and nothing else.
"""

import hashlib
import json
import logging
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from neuralcodes.datasets import prepared as datasets
from neuralcodes.errors import DivergenceError
from neuralcodes.networks import modelfiles, models
from neuralcodes.networks.models import Architecture, Ensemble
from neuralcodes.networks.training import resume
from neuralcodes.networks.training.loop import HISTORY, Training, TrainingData, architecture_of
from neuralcodes.networks.training.statefiles import Saver
from neuralcodes.storage import rows
from neuralcodes.studies.checkpoints import order
from neuralcodes.studies.runs import Run

logger = logging.getLogger(__name__)

SCORED = 2048  # examples that are evaluated together, as `Ensemble.evaluate` does


@dataclass(frozen=True)
class Part:
    """One ensemble of a pack.

    Attributes:
        run: what to train.
        seeds: the repeats.
        checkpoints: what to keep, as in `Training`.
        model: its model file, results/models/{run}/{seeds}.safetensors.
        history: its history.
    """

    run: Run
    seeds: tuple[int, ...]
    checkpoints: tuple[str, ...]
    model: Path
    history: Path


def packs(
    parts: Sequence[Part], budget: float = math.inf, features: int = 0, examples: int = 0
) -> list[list[Part]]:
    """Choose which ensembles to train together: those of similar widths, as many as fit.

    Runs with dropout or noise on their inputs are left alone: their random numbers depend on their
    width, or each seed has inputs of its own.

    Args:
        parts: what is to be trained.
        budget: bytes that a pack may take.
        features: numbers per example.
        examples: in the training file.

    Returns:
        The packs, the widest run of each first.
    """
    alike: dict[tuple[object, ...], list[Part]] = {}
    for number, part in enumerate(parts):
        alone = part.run.dropout or part.run.input_noise
        group = (replace(part.run, width=part.run.depth), number if alone else None)
        alike.setdefault(group, []).append(part)
    made: list[list[Part]] = []
    for group in alike.values():
        pack: list[Part] = []
        for part in sorted(group, key=lambda each: -each.run.width):
            members = sum(len(each.seeds) for each in [*pack, part])
            if pack and members * bytes_of(pack[0], features, examples) > budget:
                made.append(pack)
                pack = []
            pack.append(part)
        made.append(pack)
    return made


def bytes_of(part: Part, features: int, examples: int) -> int:
    """Estimate the memory that one network takes in training.

    Args:
        part: an ensemble; its run and the number of its checkpoints count.
        features: numbers per example.
        examples: in the training file.
    """
    run = part.run
    units, sizes = sum(run.layers), (features, *run.layers)
    parameters = sum((a + 6) * b for a, b in zip(sizes, run.layers, strict=False)) + 10 * units
    copies = 8 + len(part.checkpoints)  # gradients, two moments; what is copied on the way
    batch = run.batch_size or examples
    activations = batch * (3 * features * bool(run.batch_size) + 8 * units)
    return 4 * (copies * parameters + activations + SCORED * 4 * units) + 48 * examples


def budget_of(device: torch.device) -> float:
    """Give the bytes that a pack may take: from a quarter to half of a GPU's free memory.

    A power of two, so that a little more or less free memory makes the same packs again, and a
    killed training goes on.

    Args:
        device: where to train; without a limit on anything but CUDA.
    """
    if device.type != "cuda":
        return math.inf
    free, _ = torch.cuda.mem_get_info(device)
    return 2.0 ** math.floor(math.log2(max(free, 2) / 2))


def train_to_files(parts: Sequence[Part], data: Path, device: torch.device, code: str) -> None:
    """Train a pack, or go on with it, and write each run's model file and history.

    They are what `resume.train_to_files` writes, but for rounding.

    Args:
        parts: runs that agree in all but their width.
        data: folder of the prepared dataset.
        device: where to train.
        code: fingerprint of the code, so that a state of other code is never gone on with.

    Raises:
        DivergenceError: a loss is not finite.
    """
    info = datasets.describe(data)
    inputs, labels = datasets.load(data.name, data.parent, "train")
    seeds = [seed for part in parts for seed in part.seeds]
    prepared = TrainingData.of(_widest(parts), seeds, inputs, labels, info.maximum, device)
    training = PackedTraining(parts, prepared, len(info.classes))
    facts = (data / "dataset.json").read_text(encoding="utf-8")
    members = [[part.run.id, part.seeds, part.checkpoints] for part in parts]
    token = json.dumps([members, facts, code])
    saver = Saver(state_path(parts), token, resume.state_of)
    if resume.restore(saver.path, training, token):
        logger.info("going on after epoch %d with the saved state", training.progress.epoch)
    kept = training.finish(saver)
    for part, own in zip(parts, _places(parts), strict=True):
        progress = training.progress
        reached = {
            name: epochs[own]
            for name, epochs in progress.reached.items()
            if name in part.checkpoints
        }
        header = resume.header_of(part.run, part.seeds, progress.stopped[own], reached, device)
        own_checkpoints = {name: unpack(kept[name], part.run, own) for name in part.checkpoints}
        modelfiles.save(part.model, own_checkpoints, header)
        rows.write(part.history, training.history_of(own), HISTORY)
    saver.done()


def state_path(parts: Sequence[Part]) -> Path:
    """Say where the state of an unfinished pack is kept: results/.resume/packs/{digest}.

    Args:
        parts: of the pack.
    """
    named = json.dumps([[part.run.id, part.seeds] for part in parts])
    digest = hashlib.sha256(named.encode()).hexdigest()[:16]
    return parts[0].model.parents[2] / ".resume" / "packs" / f"{digest}.safetensors"


class PackedTraining(Training):
    """The training of a pack: members are the parts' seeds, one part after the other."""

    def __init__(
        self,
        parts: Sequence[Part],
        data: TrainingData,
        classes: int,
        chunked: bool | None = None,
    ) -> None:
        """Initialise every seed of every run as it would be alone, and pad it.

        Args:
            parts: runs that agree in all but their width.
            data: of the seeds of all parts.
            classes: number of classes.
            chunked: as in `Training`.
        """
        self.parts = list(parts)
        seeds = [seed for part in parts for seed in part.seeds]
        wanted = sorted({name for part in parts for name in part.checkpoints}, key=order)
        whole = packed(parts, data.inputs.shape[-1], classes, data.inputs.device)
        super().__init__(_widest(parts), seeds, data, classes, wanted, chunked, whole)

    def history_of(self, members: slice) -> list[list[float | int | None]]:
        """List the rows of the history that are of some members.

        Args:
            members: their places.
        """
        wanted, epoch, own = {*range(len(self.seeds))[members]}, 0, []
        for row in self.progress.history:
            if row[1] != epoch:  # the rows of an epoch are of the members that it trained
                epoch = row[1]
                trained = (i for i, last in enumerate(self.progress.stopped) if last >= epoch)
            if next(trained) in wanted:
                own.append(row)
        return own

    def _record(self, learning_rate: float, loss: list[float], *others: object) -> None:
        try:
            super()._record(learning_rate, loss, *others)
        except DivergenceError as error:
            first = next(i for i, value in enumerate(loss) if not math.isfinite(value))
            member = self.progress.active[first]
            runs = [part.run.id for part in self.parts for _ in part.seeds]
            named = str(error).replace(self.run.id, runs[member], 1)
            raise DivergenceError(named) from None


def packed(
    parts: Sequence[Part], inputs: int, classes: int, device: torch.device | str = "cpu"
) -> Ensemble:
    """Initialise runs of several widths as one ensemble, padded with zeros.

    Args:
        parts: runs that agree in all but their width.
        inputs: numbers per example.
        classes: number of classes.
        device: where the parameters go.
    """
    whole: dict[str, torch.Tensor] = {}
    shape = architecture_of(_widest(parts), inputs, classes)
    members = sum(len(part.seeds) for part in parts)
    for part, own in zip(parts, _places(parts), strict=True):
        narrow = architecture_of(part.run, inputs, classes)
        ensemble = models.initialise(narrow, part.seeds, part.run.initializer)
        for name, value in ensemble.parameters.items():
            if name not in whole:
                corner = _corner(shape, name, value)
                whole[name] = torch.zeros(members, *(each.stop for each in corner[1:]))
            whole[name][own][_corner(narrow, name, value)] = value
    return Ensemble(shape, {name: value.to(device) for name, value in whole.items()})


def unpack(ensemble: Ensemble, run: Run, members: slice) -> Ensemble:
    """Take some members out of a pack, without their padding.

    Args:
        ensemble: of the pack.
        run: of the members.
        members: their places.

    Returns:
        Views of the ensemble's parameters.
    """
    shape = replace(ensemble.architecture, hidden=run.layers)
    own = {
        name: value[members][_corner(shape, name, value)]
        for name, value in ensemble.parameters.items()
    }
    return Ensemble(shape, own)


def _widest(parts: Sequence[Part]) -> Run:
    return max((part.run for part in parts), key=lambda run: run.width)


def _places(parts: Sequence[Part]) -> Iterator[slice]:
    """Give the places of each part's members in the pack."""
    first = 0
    for part in parts:
        yield slice(first, first + len(part.seeds))
        first += len(part.seeds)


def _corner(shape: Architecture, name: str, value: torch.Tensor) -> tuple[slice, ...]:
    """Say where a network of some shape lies in a wider one's parameter (S, ...)."""
    sizes = (shape.inputs, *shape.hidden, shape.classes)
    layer = int(name.split(".")[1]) if name.startswith("hidden.") else len(shape.hidden)
    own = (sizes[layer + 1], sizes[layer])  # units, and what each takes in
    return (slice(None), *(slice(size) for size in own[: value.dim() - 1]))
