"""Levels of perturbations: as the configuration gives them, and as a job takes them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from neuralcodes.studies.keys import refused

Path = tuple[str | int, ...]
Level = float | Mapping[str, Sequence[float]]

# Kinds without levels of their own, and the kind whose levels they take.
LEVELS_OF = {"scale_per_unit": "scale", "clip_activation": "clip"}
MOST_LEVELS = 10_000
DECIMALS = 12  # kept, so that -0.4 + 40 x 0.01 is 0, whatever the range it comes from


@dataclass(frozen=True)
class AccuracyLevels:
    """Where accuracy is measured.

    Attributes:
        levels: by kind, ascending.
        spread: largest factor of scale_per_unit.
        equal_changes: relative changes of the hidden vector, see `equalchange.solve`.
    """

    levels: Mapping[str, Sequence[float]]
    spread: float
    equal_changes: Sequence[float]


@dataclass(frozen=True)
class CodeLevels:
    """Where codes are measured.

    Attributes:
        levels: by kind, ascending.
        spread: largest factor of scale_per_unit.
        knn_k: neighbours of K-NN.
    """

    levels: Mapping[str, Sequence[float]]
    spread: float
    knn_k: int


def of_configuration(raw: Mapping[str, Any], knn_k: int) -> tuple[AccuracyLevels, CodeLevels]:
    """Read the key `perturbations` of a configuration that agrees with the schema.

    Args:
        raw: its value, defaults filled in.
        knn_k: neighbours of K-NN.

    Raises:
        ConfigError: a range that makes no sense; names the key.
    """
    path: Path = ("perturbations",)
    grids = {kind: expand(given, (*path, "levels", kind)) for kind, given in raw["levels"].items()}
    chosen = {kind: grids[LEVELS_OF.get(kind, kind)] for kind in raw["kinds"]}
    coded = {
        kind: expand(given, (*path, "code_levels", kind))
        for kind, given in raw["code_levels"].items()
    }
    spread = float(raw["spread"])
    sizes = tuple(float(each) for each in raw["equal_changes"])
    return AccuracyLevels(chosen, spread, sizes), CodeLevels(coded, spread, knn_k)


def expand(given: Sequence[Level], path: Path) -> tuple[float, ...]:
    """Write out levels: numbers, and ranges {linear: [from, to, points]} or {log: ...}.

    Args:
        given: the levels.
        path: where they stand, for messages.

    Returns:
        All levels, ascending, each once.

    Raises:
        ConfigError: a range that runs backwards, has no whole number of points from 2 on, or is
            logarithmic and does not start above 0; or far too many levels.
    """
    found: set[float] = set()
    for position, each in enumerate(given):
        here = (*path, position)
        if not isinstance(each, Mapping):
            found.add(float(each))
            continue
        ((spacing, (start, stop, points)),) = each.items()
        if not start < stop or points != int(points) or not 2 <= points <= MOST_LEVELS:
            raise refused(
                (*here, spacing),
                [start, stop, points],
                f"[from, to, points] with from below to and 2 to {MOST_LEVELS} points",
            )
        if spacing == "log" and start <= 0:
            raise refused((*here, spacing), [start, stop, points], "from must be above 0")
        make = np.geomspace if spacing == "log" else np.linspace
        values = make(start, stop, int(points)).tolist()
        if spacing == "log":
            found |= {float(f"{value:.{DECIMALS}g}") for value in values}
        else:
            found |= {round(value, DECIMALS) + 0.0 for value in values}
    if len(found) > MOST_LEVELS:
        raise refused(path, ..., f"at most {MOST_LEVELS} levels in all")
    return tuple(sorted(found))
