"""What hash networks are trained and measured on: points of manifolds, generated or of images."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

import numpy as np
import torch

from neuralcodes.datasets import prepared, sampling
from neuralcodes.errors import DataError
from neuralcodes.manifolds import imagemanifolds
from neuralcodes.manifolds.families import Family
from neuralcodes.manifolds.imagemanifolds import Transformations
from neuralcodes.storage.randomness import numpy_generator, torch_generator
from neuralcodes.studies import hashruns
from neuralcodes.studies.hashruns import HashRun

SEEN, UNSEEN, UNSEEN_CLASSES = "seen", "unseen", "unseen_classes"
MOMENT_POINTS = 5000  # training points whose mean and deviation standardise a network's inputs


@dataclass(frozen=True)
class Sample:
    """Points of some manifolds.

    Attributes:
        points: float32 (manifolds, points, *shape).
        identifiers: what tells the manifolds apart, float32 (manifolds, ...): the gammas of a
            generated family, or the images as they are without transformation, flattened.
    """

    points: torch.Tensor
    identifiers: np.ndarray


class Source(Protocol):
    """The manifolds of one seed of a run."""

    shape: tuple[int, ...]
    seed: int

    def training_points(self, rows: torch.Tensor) -> torch.Tensor:
        """Give training points by number, manifold after manifold: (n,) -> (n, *shape)."""

    def splits(self) -> tuple[str, ...]:
        """Name the splits that there are: seen, unseen, unseen_classes."""

    def sample(self, split: str, manifolds: int, points: int, purpose: str) -> Sample:
        """Draw new points of up to `manifolds` manifolds of a split, for a purpose."""


class Generated:
    """Manifolds of a generated family: gammas that were trained on, and new ones."""

    def __init__(self, run: HashRun, seed: int) -> None:
        """Draw the process and the training points of a seed."""
        self.run, self.seed = run, seed
        self.family = Family(run.family, seed, run.gamma_dim, run.theta_dim, run.ambient_dim)
        self.gammas = self.family.sample_gammas(
            run.manifolds, torch_generator(seed, "training gammas")
        )
        thetas = self.family.sample_thetas(
            run.manifolds, run.points, torch_generator(seed, "training thetas")
        )
        self.training = self.family(self.gammas, thetas).flatten(0, 1)
        self.shape = tuple(self.training.shape[1:])

    def training_points(self, rows: torch.Tensor) -> torch.Tensor:
        """See `Source`."""
        return self.training[rows]

    def splits(self) -> tuple[str, ...]:
        """See `Source`."""
        return (SEEN, UNSEEN)

    def sample(self, split: str, manifolds: int, points: int, purpose: str) -> Sample:
        """See `Source`; gammas that are not trained on are new draws from the same sphere.

        Raises:
            DataError: a manifold that should be unseen was trained on.
        """
        if split == SEEN:
            gammas = self.gammas[:manifolds]
        else:
            generator = torch_generator(self.seed, f"{split} gammas, {purpose}")
            gammas = self.family.sample_gammas(manifolds, generator)
            refuse_common(self.gammas.numpy(), gammas.numpy())
        return Sample(self.points_of(gammas, points, f"{split} thetas, {purpose}"), gammas.numpy())

    def points_of(self, gammas: torch.Tensor, points: int, purpose: str) -> torch.Tensor:
        """Draw new points of given manifolds.

        Args:
            gammas: float32 (manifolds, gamma_dim).
            points: of each.
            purpose: names the random numbers.
        """
        generator = torch_generator(self.seed, purpose)
        return self.family(gammas, self.family.sample_thetas(len(gammas), points, generator))


class Images:
    """Every image a manifold: those of the training file to train on, of the test file unseen."""

    def __init__(self, run: HashRun, seed: int, data: Path) -> None:
        """Choose the images of a seed.

        Raises:
            DataError: the data are no images, or too few of the classes asked for.
        """
        self.run, self.seed = run, seed
        self.theta = Transformations(run.rotation, run.shift, run.contrast, run.brightness)
        info = prepared.describe(data)
        if len(info.shape) != 3:
            raise DataError(f"{data} holds no images; family {hashruns.IMAGES} needs some")
        self.border = imagemanifolds.border_of(info.shape[0])
        self.maximum = info.maximum
        inputs, labels = prepared.load(data.name, data.parent, "train")
        rows = _of_classes(labels, run.trained_classes(), among=True)
        if len(rows) < run.manifolds:
            raise DataError(
                f"run {run.id}: {run.manifolds} manifolds are more than the {len(rows)} training "
                f"images of {run.dataset} with classes {run.classes or 'all'}; lower manifolds"
            )
        order = numpy_generator(seed, "training images").permutation(rows)[: run.manifolds]
        self.images = self._bordered(inputs, order)
        generator = torch_generator(seed, "training transformations")
        self.thetas = self.theta.sample(run.manifolds, run.points, generator).flatten(0, 1)
        self.test = prepared.load(data.name, data.parent, "test")
        self.shape = tuple(self.images.shape[1:])

    def training_points(self, rows: torch.Tensor) -> torch.Tensor:
        """See `Source`."""
        images = self.images[rows // self.run.points]
        return imagemanifolds.transform(images, self.thetas[rows], self.border)

    def splits(self) -> tuple[str, ...]:
        """See `Source`."""
        some = self.run.trained_classes()
        apart = some is not None and len(_of_classes(self.test[1], some, among=False)) > 1
        return (SEEN, UNSEEN, UNSEEN_CLASSES) if apart else (SEEN, UNSEEN)

    def sample(self, split: str, manifolds: int, points: int, purpose: str) -> Sample:
        """See `Source`; unseen images are of the test file, copies of training images left out.

        Raises:
            DataError: a manifold that should be unseen was trained on.
        """
        if split == SEEN:
            images = self.images[:manifolds]
        else:
            inputs, labels = self.test
            some = self.run.trained_classes()
            rows = _of_classes(labels, some, among=split == UNSEEN)
            order = numpy_generator(self.seed, f"{split} images, {purpose}").permutation(rows)
            images = self._bordered(inputs, order[:manifolds])
            images = images[~_known(self.images, images)]
            refuse_common(self.images.numpy(), images.numpy())
        generator = torch_generator(self.seed, f"{split} transformations, {purpose}")
        thetas = self.theta.sample(len(images), points, generator)
        repeated = images.repeat_interleave(points, 0)
        drawn = imagemanifolds.transform(repeated, thetas.flatten(0, 1), self.border)
        return Sample(drawn.unflatten(0, (len(images), points)), images.flatten(1).numpy())

    def _bordered(self, inputs: np.ndarray, rows: np.ndarray) -> torch.Tensor:
        return imagemanifolds.bordered(inputs[rows], self.maximum)


@dataclass(frozen=True)
class TrainingPoints:
    """What an ensemble is trained on: the points of every seed, and the manifold of each.

    Attributes:
        sources: one per seed.
        classes: number of manifolds m, each a class.
        examples: number of points m * n.
        shape: of a point.
        labels: int64 (S, m * n), noise included.
        device: where batches go.
        facts: what the points were made of: the description of the dataset, if there is one.
    """

    sources: tuple[Source, ...]
    classes: int
    examples: int
    shape: tuple[int, ...]
    labels: torch.Tensor
    device: torch.device
    facts: str

    @classmethod
    def of(
        cls, run: HashRun, seeds: Sequence[int], data: Path | None, device: torch.device
    ) -> Self:
        """Draw the training points of every seed.

        Args:
            run: what to train.
            seeds: the repeats; the points of a seed do not depend on the others.
            data: folder of the prepared dataset; None for generated families.
            device: where batches go.
        """
        sources = tuple(source_of(run, seed, data) for seed in seeds)
        manifold = np.repeat(np.arange(run.manifolds), run.points)
        labels = np.stack([sampling.noisy_labels(run, manifold, seed) for seed in seeds])
        return cls(
            sources=sources,
            classes=run.manifolds,
            examples=run.manifolds * run.points,
            shape=sources[0].shape,
            labels=torch.tensor(labels, device=device),
            device=device,
            facts="" if data is None else (data / "dataset.json").read_text(encoding="utf-8"),
        )

    def batch(self, rows: torch.Tensor) -> torch.Tensor:
        """Give points by number: int64 (S, b) -> float32 (S, b, *shape)."""
        pairs = zip(self.sources, rows.cpu(), strict=True)
        points = torch.stack([source.training_points(row) for source, row in pairs])
        if self.device.type == "cuda":  # from pinned memory nobody waits for the copy
            return points.pin_memory().to(self.device, non_blocking=True)
        return points.to(self.device)

    def moments(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Give mean and standard deviation of the numbers of some training points, (S,) each."""
        parts = [some_training_points(each, self.examples, MOMENT_POINTS) for each in self.sources]
        return (
            torch.stack([part.mean() for part in parts]).to(self.device),
            torch.stack([part.std(correction=0) for part in parts]).to(self.device),
        )


def data_folder(described: Sequence[str]) -> Path | None:
    """Give the folder of a prepared dataset; None where nothing is needed.

    Args:
        described: its dataset.json, or nothing.
    """
    return Path(described[0]).parent if described else None


def source_of(run: HashRun, seed: int, data: Path | None) -> Generated | Images:
    """Make the manifolds of one seed of a run.

    Args:
        run: its family decides.
        seed: the repeat.
        data: folder of the prepared dataset; None for generated families.
    """
    if data is None:
        return Generated(run, seed)
    return Images(run, seed, data)


def some_training_points(source: Source, examples: int, count: int) -> torch.Tensor:
    """Draw training points without replacement, up to `count` of `examples`; (n, *shape)."""
    generator = torch_generator(source.seed, "centre")
    return source.training_points(torch.randperm(examples, generator=generator)[:count])


def refuse_common(training: np.ndarray, unseen: np.ndarray) -> None:
    """Make sure that no manifold which should be unseen was trained on.

    Args:
        training: identifiers (m, ...).
        unseen: identifiers (M, ...), of the same dtype.

    Raises:
        DataError: some identifiers are in both.
    """
    common = int(_known(training, unseen).sum())
    if common:
        raise DataError(f"{common} of {len(unseen)} unseen manifolds were trained on")


def _known(training: np.ndarray | torch.Tensor, others: np.ndarray | torch.Tensor) -> np.ndarray:
    known = {np.asarray(each).tobytes() for each in training}
    return np.array([np.asarray(each).tobytes() in known for each in others], dtype=bool)


def _of_classes(labels: np.ndarray, classes: set[int] | None, *, among: bool) -> np.ndarray:
    if classes is None:
        return np.arange(len(labels)) if among else np.arange(0)
    return np.flatnonzero(np.isin(labels, sorted(classes)) == among)
