"""Do neural codes tell the classes apart? Accuracies of K-Nearest-Neighbours and K-Means."""

from typing import Literal

import numpy as np

from neuralcodes.codes import hamming
from neuralcodes.codes import packed as codes
from neuralcodes.metrics.clustering import kmeans

Assignment = Literal["majority", "one-to-one"]


def knn_predict(
    train: np.ndarray, train_labels: np.ndarray, test: np.ndarray, k: int = 9
) -> np.ndarray:
    """Label codes by the majority of their `k` nearest training codes in Hamming distance.

    The neighbours are exact. Of training codes at the same distance the one with the lower index
    is nearer; of labels with the same number of votes the lower one wins. With fewer than `k`
    training codes all of them vote.

    Args:
        train: uint8, shape (train examples, bytes).
        train_labels: integers, shape (train examples,).
        test: uint8, shape (test examples, bytes).
        k: number of neighbours.

    Returns:
        Predicted labels, dtype of `train_labels`, shape (test examples,).

    Raises:
        ValueError: a matrix of codes is empty or not uint8, the codes differ in bytes, the labels
            do not fit the codes, or `k` < 1.

    Source: He et al. 2021, arXiv:2101.05490, categorization by K-NN (k = 9).
    """
    train, test = check_splits(train, test)
    classes, encoded = np.unique(check_labels(train_labels, train), return_inverse=True)
    if k < 1:
        raise ValueError(f"k must be at least 1; got {k}")
    neighbours = encoded[hamming.nearest(train, test, k)]
    votes = np.zeros((len(test), len(classes)), np.int32)
    for column in neighbours.T:
        votes[np.arange(len(test)), column] += 1
    return classes[votes.argmax(axis=1)]


def knn_accuracy(
    train: np.ndarray,
    train_labels: np.ndarray,
    test: np.ndarray,
    test_labels: np.ndarray,
    k: int = 9,
) -> float:
    """Share of test codes that `knn_predict` labels rightly, in [0, 1].

    Args:
        train: uint8, shape (train examples, bytes).
        train_labels: integers, shape (train examples,).
        test: uint8, shape (test examples, bytes).
        test_labels: integers, shape (test examples,).
        k: number of neighbours.

    Raises:
        ValueError: see `knn_predict`; or the test labels do not fit.
    """
    test_labels = check_labels(test_labels, test)
    return float(np.mean(knn_predict(train, train_labels, test, k) == test_labels))


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
    if assignment == "majority":
        return np.where(table.any(axis=1), table.argmax(axis=1), -1)
    if assignment == "one-to-one":
        from scipy.optimize import linear_sum_assignment

        rows, columns = linear_sum_assignment(table, maximize=True)
        result = np.full(clusters, -1)
        result[rows] = np.where(table.any(axis=1)[rows], columns, -1)
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
    """
    labels = check_labels(labels, codes.check(packed, units))
    return clustering_accuracy(
        kmeans(packed, units, clusters, seed).assignments, labels, assignment
    )


def check_labels(labels: np.ndarray, examples: np.ndarray) -> np.ndarray:
    """Return `labels` where they are integers, 0 or more, one for each of `examples`.

    Raises:
        ValueError: they are not; says what was found.
    """
    labels = np.asarray(labels)
    if labels.shape != (len(examples),) or not np.issubdtype(labels.dtype, np.integer):
        raise ValueError(
            f"labels must be integers of shape ({len(examples)},), one per example; "
            f"got {labels.dtype} of shape {labels.shape}"
        )
    if labels.min(initial=0) < 0:
        raise ValueError(f"labels must be 0 or more; the lowest is {labels.min()}")
    return labels


def check_splits(train: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return `train` and `test` where they are codes of equal width.

    Raises:
        ValueError: one is empty or not uint8, or they differ in bytes.
    """
    train, test = codes.check(train, name="train"), codes.check(test, name="test")
    if train.shape[1] != test.shape[1]:
        raise ValueError(
            f"train codes have {train.shape[1]} bytes, test codes {test.shape[1]}; "
            "give codes of the same network"
        )
    return train, test
