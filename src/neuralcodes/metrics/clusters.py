"""K-Means: do the clusters of codes, found without the classes, agree with them?"""

from functools import partial
from typing import Literal

import numpy as np

from neuralcodes.codes import packed as codes
from neuralcodes.metrics.checks import check_labels
from neuralcodes.metrics.clustering import Clustering, kmeans
from neuralcodes.metrics.declaration import Look, Metric, Splits, Values

Assignment = Literal["majority", "one-to-one"]


def cluster_labels(
    assignments: np.ndarray, labels: np.ndarray, clusters: int, assignment: Assignment = "majority"
) -> np.ndarray:
    """Give each cluster a label.

    Args:
        assignments: integers in [0, clusters), shape (examples,).
        labels: integers, 0 or more, shape (examples,).
        clusters: number of clusters.
        assignment: "majority": each cluster takes its most frequent label (of equals the lower),
            and clusters may share one, as published; "one-to-one": no two clusters share a label,
            and as many examples as possible agree (Hungarian algorithm).

    Returns:
        int64, shape (clusters,); -1 for a cluster that is empty or, one-to-one, left over.

    Raises:
        ValueError: the lengths differ, a label is negative, or `assignment` is unknown.
    """
    labels = check_labels(labels, assignments)
    table = np.zeros((clusters, int(labels.max()) + 1), np.int64)
    np.add.at(table, (assignments, labels), 1)
    occupied = table.sum(axis=1) > 0
    if assignment == "majority":
        return np.where(occupied, table.argmax(axis=1), -1)
    if assignment == "one-to-one":
        from scipy.optimize import linear_sum_assignment

        rows, columns = linear_sum_assignment(table, maximize=True)
        result = np.full(clusters, -1)
        result[rows] = np.where(occupied[rows], columns, -1)
        return result
    raise ValueError(f'assignment must be "majority" or "one-to-one"; got {assignment!r}')


def clustering_accuracy(
    assignments: np.ndarray,
    labels: np.ndarray,
    assignment: Assignment = "majority",
    cluster_label: np.ndarray | None = None,
) -> float:
    """Share of examples whose cluster has their label, in [0, 1].

    Args:
        assignments: integers, 0 or more, shape (examples,).
        labels: integers, 0 or more, shape (examples,).
        assignment: how clusters get labels, see `cluster_labels`.
        cluster_label: labels of the clusters, found elsewhere; None: found on these examples.

    Raises:
        ValueError: see `cluster_labels`.
    """
    labels = check_labels(labels, assignments)
    if cluster_label is None:
        cluster_label = cluster_labels(assignments, labels, int(assignments.max()) + 1, assignment)
    return float(np.mean(cluster_label[assignments] == labels))


def kmeans_accuracy(
    packed: np.ndarray,
    units: int,
    labels: np.ndarray,
    clusters: int,
    seed: int = 9,
    assignment: Assignment = "majority",
) -> float:
    """Cluster codes without their labels, label the clusters, and score the same codes.

    Args:
        packed: uint8, shape (examples, bytes).
        units: units of a code.
        labels: integers, 0 or more, shape (examples,).
        clusters: number of clusters.
        seed: of the clustering.
        assignment: see `cluster_labels`.

    Returns:
        Share of codes whose cluster has their label, in [0, 1].

    Raises:
        ValueError: see `kmeans` and `cluster_labels`.

    Source: He et al. 2021, arXiv:2101.05490, categorization by K-Means; published code: majority.

    Example:
        >>> import numpy as np
        >>> from neuralcodes import metrics
        >>> packed = np.array([[0], [0], [255], [255], [255]], np.uint8)
        >>> metrics.kmeans_accuracy(packed, units=8, labels=[0, 0, 1, 1, 0], clusters=2)
        0.8
    """
    labels = check_labels(labels, codes.check(packed, units))
    return clustering_accuracy(
        kmeans(packed, units, clusters, seed).assignments, labels, assignment
    )


def _clusterings(splits: Splits) -> tuple[Clustering, Clustering]:
    """Cluster the training and the test codes, apart as published, for all metrics that ask."""
    settings = splits.settings
    classes = np.union1d(splits.train_labels, splits.test_labels)
    clusters = settings.kmeans_clusters or len(classes)
    train, test = (
        kmeans(packed, splits.units, clusters, settings.seed, settings.kmeans_restarts)
        for packed in (splits.train, splits.test)
    )
    return train, test


def _of_own_clusters(splits: Splits, assignment: Assignment) -> Values:
    train, test = splits.shared(_clusterings)
    yield "train", clustering_accuracy(train.assignments, splits.train_labels, assignment)
    yield "test", clustering_accuracy(test.assignments, splits.test_labels, assignment)


def _of_training_clusters(splits: Splits, assignment: Assignment) -> Values:
    """Apply the training clusters and their labels to the test codes."""
    found, _ = splits.shared(_clusterings)
    label = cluster_labels(found.assignments, splits.train_labels, len(found.centroids), assignment)
    assignments = found.predict(splits.test, splits.units)
    yield "test", clustering_accuracy(assignments, splits.test_labels, cluster_label=label)


METRICS = (
    Metric(
        name="kmeans_accuracy",
        measure=partial(_of_own_clusters, assignment="majority"),
        splits=("train", "test"),
        better="higher",
        published=("he2021",),
        look=Look("K-Means accuracy", "#e69f00"),
    ),
    Metric(
        name="kmeans_accuracy_one_to_one",
        measure=partial(_of_own_clusters, assignment="one-to-one"),
        splits=("train", "test"),
        better="higher",
        look=Look("K-Means accuracy, one-to-one", "#f0c04d"),
    ),
    Metric(
        name="kmeans_accuracy_transfer",
        measure=partial(_of_training_clusters, assignment="majority"),
        splits=("test",),
        better="higher",
        look=Look("K-Means accuracy, transferred", "#b87f00"),
    ),
    Metric(
        name="kmeans_accuracy_transfer_one_to_one",
        measure=partial(_of_training_clusters, assignment="one-to-one"),
        splits=("test",),
        better="higher",
        look=Look("K-Means accuracy, transferred one-to-one", "#d9b35c"),
    ),
)
