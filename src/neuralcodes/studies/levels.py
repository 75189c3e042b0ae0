"""Levels of perturbations: as the configuration gives them, and as a job takes them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from neuralcodes.studies.keys import refused

Path = tuple[str | int, ...]
Level = float | Mapping[str, Sequence[float]]

MOST_LEVELS = 10_000
DECIMALS = 12  # kept, so that -0.4 + 40 x 0.01 is 0, whatever the range it comes from


class Kind(Protocol):
    """What a kind of perturbation says of its levels; see `perturbation.PerturbationKind`."""

    levels_of: str | None
    lowest: float
    highest: float


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


def of_configuration(
    raw: Mapping[str, Any], knn_k: int, kinds: Mapping[str, Kind]
) -> tuple[AccuracyLevels, CodeLevels]:
    """Read the key `perturbations` of a configuration that agrees with the schema.

    Args:
        raw: its value, defaults filled in.
        knn_k: neighbours of K-NN.
        kinds: declarations by name.

    Raises:
        ConfigError: a range that makes no sense, or a level that a kind does not take; names the
            key.
    """
    grids = _of_kinds("levels", raw, kinds)
    chosen = {kind: grids[kinds[kind].levels_of or kind] for kind in raw["kinds"]}
    coded = _of_kinds("code_levels", raw, kinds)
    spread = float(raw["spread"])
    sizes = tuple(float(each) for each in raw["equal_changes"])
    return AccuracyLevels(chosen, spread, sizes), CodeLevels(coded, spread, knn_k)


def _of_kinds(
    setting: str, raw: Mapping[str, Any], kinds: Mapping[str, Kind]
) -> dict[str, tuple[float, ...]]:
    found = {}
    for name, given in raw[setting].items():
        path: Path = ("perturbations", setting, name)
        found[name] = expand(given, path)
        lowest, highest = kinds[name].lowest, kinds[name].highest
        for level in found[name]:
            if not lowest <= level <= highest:
                raise refused(path, level, f"levels of {name} lie in {lowest:g}..{highest:g}")
    return found


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
