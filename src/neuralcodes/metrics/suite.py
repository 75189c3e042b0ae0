"""Measures of neural codes: redundancy, length, and how well they categorize."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from neuralcodes.codes import packed as codes
from neuralcodes.metrics.categorization import (
    Assignment,
    check_labels,
    check_splits,
    cluster_labels,
    clustering_accuracy,
    kmeans_accuracy,
    knn_accuracy,
    knn_predict,
)
from neuralcodes.metrics.clustering import Clustering, kmeans
from neuralcodes.metrics.logistic import logistic_regression_accuracy
from neuralcodes.storage.randomness import numpy_generator

__all__ = [
    "NAMES",
    "Clustering",
    "Measurement",
    "MetricSettings",
    "cluster_labels",
    "clustering_accuracy",
    "code_length",
    "kmeans",
    "kmeans_accuracy",
    "knn_accuracy",
    "knn_predict",
    "logistic_regression_accuracy",
    "measure",
    "redundancy_ratio",
    "redundancy_ratio_of_subset",
]

NAMES = (
    "redundancy_ratio",
    "redundancy_ratio_equal_n",
    "code_length",
    "kmeans_accuracy",
    "kmeans_accuracy_one_to_one",
    "kmeans_accuracy_transfer",
    "kmeans_accuracy_transfer_one_to_one",
    "knn_accuracy",
    "logistic_regression_accuracy",
)

Measurement = tuple[str, str, float]  # split, metric, value
Values = Iterator[tuple[str, float]]  # split, value


@dataclass(frozen=True)
class MetricSettings:
    """What to measure, and how.

    Attributes:
        knn_k: neighbours of K-NN.
        kmeans_clusters: clusters of K-Means; None: as many as the two splits have classes.
        kmeans_restarts: restarts of K-Means.
        seed: of K-Means and of the random subset of `redundancy_ratio_equal_n`.
        names: metrics to compute, of `NAMES`.

    Raises:
        ValueError: an unknown metric.
    """

    knn_k: int = 9
    kmeans_clusters: int | None = 10
    kmeans_restarts: int = 10
    seed: int = 9
    names: tuple[str, ...] = NAMES

    def __post_init__(self) -> None:
        unknown = [name for name in self.names if name not in NAMES]
        if unknown:
            raise ValueError(f"unknown metrics {unknown}; there are {', '.join(NAMES)}")


def redundancy_ratio(packed: np.ndarray) -> float:
    """Share of examples that land in a linear region already taken.

    Args:
        packed: uint8, shape (examples, bytes).

    Returns:
        (examples - distinct codes) / examples, in [0, 1); 0 means one region each. It grows with
        the number of examples: compare splits of different size by `redundancy_ratio_of_subset`.

    Raises:
        ValueError: `packed` is not a non-empty uint8 matrix.

    Source: He et al. 2021, arXiv:2101.05490, definition of the redundancy ratio.
    """
    packed = codes.check(packed)
    return 1 - len(codes.distinct(packed).first) / len(packed)


def redundancy_ratio_of_subset(packed: np.ndarray, examples: int, seed: int) -> float:
    """Redundancy ratio of a random subset, to compare with a split of another size.

    Args:
        packed: uint8, shape (all examples, bytes).
        examples: size of the subset, drawn without replacement.
        seed: of the subset.

    Returns:
        As `redundancy_ratio`.

    Raises:
        ValueError: `packed` is not a non-empty uint8 matrix, or has fewer than `examples` rows.
    """
    packed = codes.check(packed)
    if not 1 <= examples <= len(packed):
        raise ValueError(
            f"cannot draw {examples} of {len(packed)} examples; draw 1 or more of them"
        )
    generator = numpy_generator(seed, "redundancy subset")
    rows = generator.choice(len(packed), examples, replace=False)
    return redundancy_ratio(packed[np.sort(rows)])


def code_length(units: int, *packed: np.ndarray) -> int:
    """Number of units that are not constant over all the given splits jointly.

    A unit that is never or always active carries no information; the published code deletes it,
    which changes none of the other measures.

    Args:
        units: units of a code.
        *packed: uint8, shape (examples, bytes) each.

    Returns:
        Units in [0, units].

    Raises:
        ValueError: no split is given, or one is empty, not uint8, or does not fit `units`.
    """
    if not packed:
        raise ValueError("give at least one split, e.g. code_length(units, train, test)")
    splits = [codes.check(split, units) for split in packed]
    ever = np.bitwise_or.reduce([np.bitwise_or.reduce(split) for split in splits])
    always = np.bitwise_and.reduce([np.bitwise_and.reduce(split) for split in splits])
    return int(np.bitwise_count(ever & ~always).sum())


def measure(
    train: np.ndarray,
    test: np.ndarray,
    units: int,
    train_labels: np.ndarray,
    test_labels: np.ndarray,
    settings: MetricSettings | None = None,
) -> list[Measurement]:
    """Measure the codes of one network.

    K-Means is fitted to each split apart, as published, once for all measures that need it; the
    "transfer" measures apply the training clusters and their labels to the test codes.

    Args:
        train: uint8, shape (train examples, bytes).
        test: uint8, shape (test examples, bytes).
        units: units of a code.
        train_labels: integers, 0 or more, shape (train examples,).
        test_labels: integers, 0 or more, shape (test examples,).
        settings: what to measure; None: everything as published.

    Returns:
        (split, metric, value), in the order of `NAMES`, train before test. `code_length`, of both
        splits jointly, is filed under train; `redundancy_ratio_equal_n` is that of as many random
        training examples as there are test examples, or of all where there are fewer.

    Raises:
        ValueError: codes or labels do not fit each other or `units`.
    """
    check_splits(train, test)
    codes.check(train, units, "train")
    check_labels(train_labels, train)
    check_labels(test_labels, test)
    suite = _Suite(train, test, units, train_labels, test_labels, settings or MetricSettings())
    return [
        (split, name, float(value))
        for name in NAMES
        if name in suite.settings.names
        for split, value in getattr(suite, name)()
    ]


@dataclass
class _Suite:
    """The splits of one network, and the clusterings found so far."""

    train: np.ndarray
    test: np.ndarray
    units: int
    train_labels: np.ndarray
    test_labels: np.ndarray
    settings: MetricSettings

    @cached_property
    def clusterings(self) -> tuple[Clustering, Clustering]:
        """Clusters of the training and of the test codes."""
        settings = self.settings
        classes = np.union1d(self.train_labels, self.test_labels)
        clusters = settings.kmeans_clusters or len(classes)
        return tuple(
            kmeans(split, self.units, clusters, settings.seed, settings.kmeans_restarts)
            for split in (self.train, self.test)
        )

    def redundancy_ratio(self) -> Values:
        yield "train", redundancy_ratio(self.train)
        yield "test", redundancy_ratio(self.test)

    def redundancy_ratio_equal_n(self) -> Values:
        size = min(len(self.train), len(self.test))
        yield "train", redundancy_ratio_of_subset(self.train, size, self.settings.seed)

    def code_length(self) -> Values:
        yield "train", code_length(self.units, self.train, self.test)

    def kmeans_accuracy(self, assignment: Assignment = "majority") -> Values:
        train, test = self.clusterings
        yield "train", clustering_accuracy(train.assignments, self.train_labels, assignment)
        yield "test", clustering_accuracy(test.assignments, self.test_labels, assignment)

    def kmeans_accuracy_one_to_one(self) -> Values:
        return self.kmeans_accuracy("one-to-one")

    def kmeans_accuracy_transfer(self, assignment: Assignment = "majority") -> Values:
        found, _ = self.clusterings
        label = cluster_labels(
            found.assignments, self.train_labels, len(found.centroids), assignment
        )
        assignments = found.predict(self.test, self.units)
        yield "test", clustering_accuracy(assignments, self.test_labels, cluster_label=label)

    def kmeans_accuracy_transfer_one_to_one(self) -> Values:
        return self.kmeans_accuracy_transfer("one-to-one")

    def knn_accuracy(self) -> Values:
        yield (
            "test",
            knn_accuracy(
                self.train, self.train_labels, self.test, self.test_labels, self.settings.knn_k
            ),
        )

    def logistic_regression_accuracy(self) -> Values:
        yield (
            "test",
            logistic_regression_accuracy(
                self.train, self.train_labels, self.test, self.test_labels, self.units
            ),
        )
