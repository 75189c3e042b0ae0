"""Code length: how many units of a code carry information."""

import numpy as np

from neuralcodes.codes import packed as codes
from neuralcodes.metrics.declaration import Look, Metric, Splits, Values


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


def _of_both_splits(splits: Splits) -> Values:
    yield "train", code_length(splits.units, splits.train, splits.test)


METRICS = (
    # of both splits jointly, filed under train
    Metric(
        name="code_length",
        measure=_of_both_splits,
        splits=("train",),
        better=None,
        bounds=(0, float("inf")),
        look=Look("Code length", unit="units"),
    ),
)
