"""Which measured level of a perturbation stands for a level that a paper prints."""

from collections.abc import Iterable

import numpy as np

from neuralcodes.perturbation import kinds

# How far a measured level may be from the printed one that it stands for, as a share of it. On the
# published grids the distance is at most 1.8% (30.54% for 30%); no level can stand for two.
TOLERANCE = 0.025
_ROUNDING = 1e-9


def of_kind(kind: str) -> tuple[float, ...]:
    """Name the levels that the tables of a kind print; none where they print all.

    Args:
        kind: name of a perturbation, known or not.
    """
    if kind not in kinds.names():
        return ()
    declared = kinds.get(kind)
    return declared.printed or (of_kind(declared.levels_of) if declared.levels_of else ())


def nearest(grid: Iterable[float], level: float) -> float:
    """Give the measured level nearest to a level, however far; of two, the lower one.

    Args:
        grid: measured levels, one or more.
        level: the level.
    """
    return min(sorted(map(float, grid)), key=lambda each: abs(each - level))


def stand_in(grid: Iterable[float], level: float) -> float | None:
    """Give the measured level that stands for a printed one.

    Without one near enough there is none: it would be a wrong label. The released code takes the
    nearest level, however far.

    Args:
        grid: measured levels, any order.
        level: as printed.

    Returns:
        The nearest level within `TOLERANCE`, or None.
    """
    grid = list(grid)
    if not grid:
        return None
    found = nearest(grid, level)
    return found if abs(found - level) <= TOLERANCE * abs(level) + _ROUNDING else None


def pairs(kind: str, grid: Iterable[float]) -> list[tuple[float, float]]:
    """Pair the printed levels of a kind with the measured ones that stand for them.

    Args:
        kind: perturbation; one of which nothing is printed has all its levels printed.
        grid: measured levels, any order.

    Returns:
        (printed level, measured level), ascending.
    """
    measured = np.unique(np.fromiter(grid, dtype=float)).tolist()
    found = [(level, stand_in(measured, level)) for level in of_kind(kind)]
    if not found:
        return [(level, level) for level in measured]
    return [(printed, level) for printed, level in found if level is not None]
