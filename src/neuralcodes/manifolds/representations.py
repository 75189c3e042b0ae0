"""Representations that are compared: the input, the untrained and the trained network."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import torch

from neuralcodes.errors import DataError
from neuralcodes.manifolds import manifolddata
from neuralcodes.manifolds.locality import View
from neuralcodes.networks import modelfiles
from neuralcodes.networks.hashnetworks import HashEnsemble
from neuralcodes.studies import checkpoints, hashruns
from neuralcodes.studies.hashruns import HashRun

INPUT, UNTRAINED, TRAINED = "input", "untrained", "trained"
BEFORE_TRAINING = "0"


@dataclass(frozen=True)
class Representation:
    """One way to represent points, with what centres and binarises it.

    Attributes:
        name: "input", "untrained" or "trained".
        network: one member; None where points stand for themselves.
        device: where it is computed.
        centre: mean of r over training points, float32 (d,).
        median: of the pre-activations over the same points, float32 (b,).
    """

    name: str
    network: HashEnsemble | None
    device: torch.device
    centre: np.ndarray
    median: np.ndarray

    @classmethod
    def of(
        cls, name: str, network: HashEnsemble | None, training: torch.Tensor, device: torch.device
    ) -> Self:
        """Centre a representation.

        Args:
            name: of it.
            network: one member, or None.
            training: some training points, (n, *shape).
            device: where to compute.
        """
        pre, values = _encoded(network, training, device)
        return cls(name, network, device, values.mean(0), np.median(pre, axis=0))

    def view(self, points: torch.Tensor) -> View:
        """Represent points of manifolds.

        Args:
            points: float32 (manifolds, points, *shape).
        """
        pre, values = _encoded(self.network, points.flatten(0, 1), self.device)
        pre, values = (each.reshape(*points.shape[:2], -1) for each in (pre, values))
        return View(values=values, bits=pre > self.median, signs=pre > 0, centre=self.centre)

    def recognised(self, points: torch.Tensor) -> np.ndarray:
        """Say which training manifold the network takes points for, int64 (manifolds, points).

        Raises:
            ValueError: there is no network.
        """
        if self.network is None:
            raise ValueError(f"{self.name}: points that stand for themselves recognise nothing")
        found = self.network.predict(points.flatten(0, 1).to(self.device))
        return found[0].reshape(points.shape[:2]).cpu().numpy()


@dataclass(frozen=True)
class Member:
    """One seed of a run: its manifolds and their representations.

    Attributes:
        run, seed: which.
        source: its manifolds.
        representations: input, untrained, trained.
    """

    run: HashRun
    seed: int
    source: manifolddata.Generated | manifolddata.Images
    representations: tuple[Representation, ...]

    @classmethod
    def all_of(
        cls, model: Path, data: Sequence[str], centre_points: int, device: torch.device
    ) -> Iterator[Self]:
        """Load the members of a model file, one after the other.

        Args:
            model: a model file.
            data: dataset.json of the prepared dataset; nothing for generated families.
            centre_points: training points that centre representations.
            device: where to compute.

        Raises:
            DataError: the file is damaged, or holds networks of another kind.
        """
        metadata = modelfiles.read_metadata(model)
        names = {UNTRAINED: BEFORE_TRAINING, TRAINED: checkpoints.FINAL}
        ensembles = {name: _hashing(model, epoch, device) for name, epoch in names.items()}
        run = hashruns.from_mapping(metadata["run"])
        for i, seed in enumerate(metadata["seeds"]):
            source = manifolddata.source_of(run, seed, manifolddata.data_folder(data))
            training = manifolddata.some_training_points(
                source, run.manifolds * run.points, centre_points
            )
            networks = {name: _only(each, i) for name, each in ensembles.items()}
            made = [
                Representation.of(name, network, training, device)
                for name, network in {INPUT: None, **networks}.items()
            ]
            yield cls(run, seed, source, tuple(made))


def _hashing(model: Path, epoch: str, device: torch.device) -> HashEnsemble:
    ensemble = modelfiles.load(model, epoch, device)
    if not isinstance(ensemble, HashEnsemble):
        raise DataError(f"{model} holds no hash networks; give the model file of a hash network")
    return ensemble


def _only(ensemble: HashEnsemble, index: int) -> HashEnsemble:
    alone = {name: value[index : index + 1] for name, value in ensemble.parameters.items()}
    return HashEnsemble(ensemble.shape, alone)


def _encoded(
    network: HashEnsemble | None, points: torch.Tensor, device: torch.device
) -> tuple[np.ndarray, np.ndarray]:
    """Give pre-activations (n, b) and representations (n, d)."""
    if network is None:
        flat = points.flatten(1).cpu().numpy()
        return flat, flat
    pre, values = network.represent(points.to(device))
    return pre[0].cpu().numpy(), values[0].cpu().numpy()
