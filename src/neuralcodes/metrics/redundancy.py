"""Redundancy: how many examples share their linear region with others."""

import numpy as np

from neuralcodes.codes import packed as codes
from neuralcodes.metrics.declaration import Look, Metric, Splits, Values
from neuralcodes.storage.randomness import numpy_generator


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

    Example:
        >>> import numpy as np
        >>> from neuralcodes import metrics
        >>> metrics.redundancy_ratio(np.array([[1], [1], [2], [3]], np.uint8))  # one of four
        0.25
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


def _of_splits(splits: Splits) -> Values:
    yield "train", redundancy_ratio(splits.train)
    yield "test", redundancy_ratio(splits.test)


def _of_equal_numbers(splits: Splits) -> Values:
    size = min(len(splits.train), len(splits.test))
    yield "train", redundancy_ratio_of_subset(splits.train, size, splits.settings.seed)


METRICS = (
    Metric(
        name="redundancy_ratio",
        measure=_of_splits,
        splits=("train", "test"),
        better="lower",
        published=("he2021",),
        look=Look("Redundancy ratio", "#5b2a86"),
    ),
    # of as many random training examples as there are test examples, or of all where fewer
    Metric(
        name="redundancy_ratio_equal_n",
        measure=_of_equal_numbers,
        splits=("train",),
        better="lower",
        look=Look("Redundancy ratio at equal n", "#a98bc7"),
    ),
)
