"""All metrics of a network's codes, each split clustered once."""

from dataclasses import dataclass

import numpy as np

from neuralcodes.codes import packed as codes
from neuralcodes.metrics import registry
from neuralcodes.metrics.checks import check_labels, check_splits
from neuralcodes.metrics.declaration import Splits

NAMES = registry.names()

Measurement = tuple[str, str, float]  # split, metric, value


@dataclass(frozen=True)
class MetricSettings:
    """What to measure, and how.

    Attributes:
        knn_k: neighbours of K-NN.
        kmeans_clusters: clusters of K-Means; None: as many as the two splits have classes.
        kmeans_restarts: restarts of K-Means.
        seed: of K-Means and of the random subset of `redundancy_ratio_equal_n`.
        names: metrics to compute, of `registry.names()`.

    Raises:
        ValueError: an unknown metric.
    """

    knn_k: int = 9
    kmeans_clusters: int | None = 10
    kmeans_restarts: int = 10
    seed: int = 9
    names: tuple[str, ...] = NAMES

    def __post_init__(self) -> None:
        known = registry.names()
        unknown = [name for name in self.names if name not in known]
        if unknown:
            raise ValueError(f"unknown metrics {unknown}; there are {', '.join(known)}")


def measure(
    train: np.ndarray,
    test: np.ndarray,
    units: int,
    train_labels: np.ndarray,
    test_labels: np.ndarray,
    settings: MetricSettings | None = None,
) -> list[Measurement]:
    """Measure the codes of one network.

    Args:
        train: uint8, shape (train examples, bytes).
        test: uint8, shape (test examples, bytes).
        units: units of a code.
        train_labels: integers, 0 or more, shape (train examples,).
        test_labels: integers, 0 or more, shape (test examples,).
        settings: what to measure; None: everything as published.

    Returns:
        (split, metric, value), in the order of `registry.names()`, a metric's splits in its own.

    Raises:
        ValueError: codes or labels do not fit each other or `units`.
    """
    check_splits(train, test)
    codes.check(train, units, "train")
    check_labels(train_labels, train)
    check_labels(test_labels, test)
    settings = settings or MetricSettings()
    splits = Splits(train, test, units, train_labels, test_labels, settings)
    return [
        (split, name, float(value))
        for name in registry.names()
        if name in settings.names
        for split, value in registry.get(name).measure(splits)
    ]
