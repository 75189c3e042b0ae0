"""The members of an ensemble as ordinary networks, each with the data that it is measured on."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import torch

from neuralcodes.datasets import prepared, sampling
from neuralcodes.datasets.scaling import scaling_of
from neuralcodes.networks import modelfiles
from neuralcodes.perturbation import interception, sweeps
from neuralcodes.perturbation.sweeps import Ranges
from neuralcodes.studies import runs
from neuralcodes.studies.runs import Run

# The output of these is bounded whatever the input, so that it is no measure for the input.
RANGE_OF_INPUT = ("tanh",)

Split = tuple[str, torch.Tensor, np.ndarray]  # name, features, labels


@dataclass(frozen=True)
class Member:
    """One trained network with the data that it is measured on.

    Attributes:
        run, seed: which.
        network: in evaluation mode.
        layer: name of the activation before which it is perturbed, its last hidden one.
        splits: "train", the examples it was trained on without their noise, and "test".
        tail: the network from that activation on, where what it takes fits into memory, else all
            of it.
        values: what the tail takes, for each split; computed once.
        ranges: of each unit over "train".
    """

    run: Run
    seed: int
    network: torch.nn.Sequential
    layer: str
    splits: tuple[Split, ...]
    tail: torch.nn.Sequential
    values: dict[str, torch.Tensor]
    ranges: Ranges

    @classmethod
    def all_of(cls, model: Path, epoch: str, data: Path, device: torch.device) -> Iterator[Self]:
        """Load the members of a checkpoint, one after the other.

        Args:
            model: a model file.
            epoch: the checkpoint.
            data: folder of the prepared dataset.
            device: where to compute.
        """
        metadata = modelfiles.read_metadata(model)
        run, ensemble = runs.from_mapping(metadata["run"]), modelfiles.load(model, epoch, device)
        train, labels = prepared.load(data.name, data.parent, "train")
        scaling = scaling_of(run.input_scaling, train, prepared.describe(data).maximum)
        test, test_labels = prepared.load(data.name, data.parent, "test")
        tested = ("test", scaling.features(test), test_labels)
        before, trained = None, tested
        for i, seed in enumerate(metadata["seeds"]):
            if not modelfiles.has_checkpoint(metadata, seed, epoch):
                continue
            rows = sampling.training_rows(run, labels, seed)
            if before is None or not np.array_equal(before, rows):
                before, trained = rows, ("train", scaling.features(train[rows]), labels[rows])
            network, layer = ensemble.member(i), ensemble.last_activation()
            of = "input" if run.activation in RANGE_OF_INPUT else "output"
            site = interception.find(network, trained[1], layer)
            tail, values = network, {}
            for split, inputs, _ in (trained, tested):
                tail, values[split], _ = interception.skip_head(network, inputs, site)
            ranges = sweeps.activation_range(tail, values["train"], layer, of=of)
            yield cls(run, seed, network, layer, (trained, tested), tail, values, ranges)
