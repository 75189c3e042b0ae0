"""Regimes of encoding: which networks divide the inputs too coarsely, and which finely enough."""

from dataclasses import dataclass

import numpy as np

UNDER_EXPRESSIVE = "under-expressive"
CRITICALLY_EXPRESSIVE = "critically-expressive"
SUFFICIENTLY_EXPRESSIVE = "sufficiently-expressive"
REGIMES = (UNDER_EXPRESSIVE, CRITICALLY_EXPRESSIVE, SUFFICIENTLY_EXPRESSIVE)


@dataclass(frozen=True)
class Thresholds:
    """Where one regime ends; the paper draws the regimes by eye and gives no numbers.

    Attributes:
        under_expressive_redundancy: under-expressive at and above this test redundancy.
        sufficient_redundancy: sufficiently expressive at and below this test redundancy ...
        sufficient_accuracy_margin: ... with a K-NN accuracy within this of the best.
        best_accuracy: the best K-NN accuracy; None for the best of the values given.
    """

    under_expressive_redundancy: float = 0.5
    sufficient_redundancy: float = 0.01
    sufficient_accuracy_margin: float = 0.02
    best_accuracy: float | None = None


def regimes(
    redundancy: np.ndarray, knn: np.ndarray, options: Thresholds | None = None
) -> np.ndarray:
    """Regime of every point of a chart.

    Args:
        redundancy: test redundancy ratios, float, any shape; NaN where not measured.
        knn: K-NN accuracies, float, the same shape; NaN where not measured.
        options: thresholds; the defaults of `Thresholds` if None.

    Returns:
        Text of that shape, one of `REGIMES`, or "" where a value that decides is missing.

    Raises:
        ValueError: the shapes differ, or the thresholds are not in order.

    Source: He et al. 2021, arXiv:2101.05490, the three regimes of the encoding properties.
    """
    options = options or Thresholds()
    redundancy, knn = np.asarray(redundancy, dtype=float), np.asarray(knn, dtype=float)
    if redundancy.shape != knn.shape:
        shapes = f"{redundancy.shape} and {knn.shape}"
        raise ValueError(f"redundancy and knn must have one shape; got {shapes}")
    coarse, fine = options.under_expressive_redundancy, options.sufficient_redundancy
    if not 0 <= fine < coarse <= 1 or options.sufficient_accuracy_margin < 0:
        raise ValueError(
            "thresholds need 0 <= sufficient_redundancy < under_expressive_redundancy <= 1 and "
            f"sufficient_accuracy_margin >= 0; got {options}"
        )
    best = options.best_accuracy
    if best is None:
        best = np.nanmax(knn) if np.isfinite(knn).any() else np.nan
    # Rounding must not push an accuracy that is exactly at the margin out of it.
    accurate = knn >= best - options.sufficient_accuracy_margin - 1e-12
    is_fine = redundancy <= fine
    unknown = np.isnan(redundancy) | (is_fine & np.isnan(knn))
    conditions = [unknown, redundancy >= coarse, is_fine & accurate]
    names = ["", UNDER_EXPRESSIVE, SUFFICIENTLY_EXPRESSIVE]
    return np.select(conditions, names, default=CRITICALLY_EXPRESSIVE)
