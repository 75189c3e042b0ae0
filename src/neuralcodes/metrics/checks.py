"""Checks of what metrics are given."""

import numpy as np

from neuralcodes.codes import packed as codes


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
