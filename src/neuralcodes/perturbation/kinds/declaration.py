"""What one kind of perturbation is: its coefficients, its levels, and where it is published."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from neuralcodes.studies.layout import AS_PUBLISHED, CORRECTED

Level = float | Mapping[str, Sequence[float]]
Parts = dict[str, np.ndarray]

SPREAD = 2.0  # of scale_per_unit: factors from p / 2 to 2 p


@dataclass(frozen=True)
class Units:
    """What a kind may know of the units that it perturbs.

    Attributes:
        low, high: smallest and largest output of each, float64 (1, *units).
        alive: bool (1, *units); a dead unit has no range to perturb.
        spread: largest factor of a random scale, at least 1.
        seed: of random numbers.
    """

    low: np.ndarray
    high: np.ndarray
    alive: np.ndarray
    spread: float
    seed: int

    @property
    def extent(self) -> np.ndarray:
        """Width of each unit's range, float64 (1, *units)."""
        return self.high - self.low


@dataclass(frozen=True)
class Look:
    """How a kind is presented; nothing that is trained or measured depends on it.

    Attributes:
        label: heading of its panel.
        axis: label of the axis of levels.
        action: what is done to a network, for captions: accuracy under ...
        said: what is done to its units, for sentences: units are ...
        scale: of the axis of levels.
        colour: of its line among the kinds at equal change.
        marker: likewise.
    """

    label: str
    axis: str
    action: str
    said: str
    scale: Literal["log", "linear"] = "log"
    colour: str = "#7f7f7f"
    marker: str = "o"


@dataclass(frozen=True)
class PerturbationKind:
    """One kind of perturbation, act(x) becoming min(act(min(s x + t, c)), ceiling).

    Attributes:
        name: in the configuration, tables and files.
        parts: levels (levels, *1) and units -> those of scale, shift, clip and ceiling that it
            changes, each float64 and broadcastable to (levels, *units).
        look: how it is presented.
        unit: what a level counts in: a factor, or shares of the unit's range.
        unperturbed: level at which the training set is left as it is; None for none.
        exact: at that level every input is left as it is.
        levels: where accuracy is measured unless the configuration says otherwise, as the
            configuration gives levels; empty where `levels_of` says.
        levels_of: another kind whose levels and printed levels it takes.
        code_levels: where codes are measured unless the configuration says otherwise.
        lowest, highest: levels that a configuration may give.
        printed: levels of its published table, and so of ours.
        reference: the level that its published tests take for none; None without any.
        equal_directions: 1, -1 or both: where to look, from `unperturbed`, for the level that
            changes the hidden vector by a wanted amount; empty for nowhere.
        equal_by: whether its level or the spread brings such a change about.
    """

    name: str
    parts: Callable[[np.ndarray, Units], Parts]
    look: Look
    unit: Literal["factor", "share"] = "share"
    unperturbed: float | None = None
    exact: bool = False
    levels: tuple[Level, ...] = ()
    levels_of: str | None = None
    code_levels: tuple[Level, ...] = ()
    lowest: float = -np.inf
    highest: float = np.inf
    printed: tuple[float, ...] = ()
    reference: float | None = None
    equal_directions: tuple[int, ...] = ()
    equal_by: Literal["level", "spread"] = "level"

    def __post_init__(self) -> None:
        if not (self.levels or self.levels_of):
            raise ValueError(f"kind {self.name} needs levels, or levels_of another kind")
        if self.equal_directions and self.equal_by == "level" and self.unperturbed is None:
            raise ValueError(
                f"kind {self.name} needs `unperturbed`, from where equal changes are sought"
            )

    @property
    def signed(self) -> bool:
        """Whether levels are told with their sign, since they lie on both sides of none."""
        return self.unperturbed == 0

    @property
    def variants(self) -> tuple[str, ...]:
        """In which variants its tests are printed: as published where there are such."""
        return (CORRECTED,) if self.reference is None else (AS_PUBLISHED, CORRECTED)
