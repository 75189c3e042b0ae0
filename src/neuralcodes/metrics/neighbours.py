"""K-Nearest-Neighbours: do the codes nearest to a code have its class?"""

import numpy as np

from neuralcodes.codes import hamming
from neuralcodes.metrics.checks import check_labels, check_splits
from neuralcodes.metrics.declaration import Look, Metric, Splits, Values


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

    Example:
        >>> import numpy as np
        >>> from neuralcodes import metrics
        >>> train, test = np.array([[[0], [255]], [[1], [254]]], np.uint8)
        >>> metrics.knn_accuracy(train, [0, 1], test, [0, 1], k=1)  # each differs in one bit
        1.0
    """
    test_labels = check_labels(test_labels, test)
    return float(np.mean(knn_predict(train, train_labels, test, k) == test_labels))


def _of_test_codes(splits: Splits) -> Values:
    given = (splits.train, splits.train_labels, splits.test, splits.test_labels)
    yield "test", knn_accuracy(*given, splits.settings.knn_k)


METRICS = (
    Metric(
        name="knn_accuracy",
        measure=_of_test_codes,
        splits=("test",),
        better="higher",
        published=("he2021",),
        look=Look("K-NN accuracy", "#0072b2"),
    ),
)
