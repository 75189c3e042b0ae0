"""Views of perturbations: kinds, axes of levels, and which levels one panel shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd

from neuralcodes.errors import DataError
from neuralcodes.figures import marks
from neuralcodes.figures.marks import FigureSpec
from neuralcodes.figures.scales import Axis
from neuralcodes.perturbation import kinds
from neuralcodes.perturbation.kinds.declaration import PerturbationKind
from neuralcodes.studies import tables


@dataclass(frozen=True)
class Kind:
    """How the levels of one kind of perturbation are drawn.

    Attributes:
        name: heading of its panel.
        label: of the axis of levels.
        scale: of that axis.
        unperturbed: the level at which the training set is left as it is; None for none.
        exact: at that level every input is left as it is.
    """

    name: str
    label: str
    scale: marks.Scale
    unperturbed: float | None
    exact: bool

    @classmethod
    def of(cls, kind: PerturbationKind) -> Self:
        """Read how a kind is drawn from its declaration."""
        look = kind.look
        return cls(look.label, look.axis, look.scale, kind.unperturbed, exact=kind.exact)


KINDS = {name: Kind.of(kinds.get(name)) for name in kinds.names()}
NEAR_ZERO = 0.11  # holds the published offsets of 10%, beyond which little is left


@dataclass(frozen=True)
class View:
    """The levels of one kind of perturbation that one panel shows.

    Attributes:
        kind: a key of `KINDS`.
        title: what is shown.
        axis: of the levels.
        near: shows the levels near zero only.
    """

    kind: str
    title: str
    axis: Axis
    near: bool = False

    def take(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Rows of the view; the unperturbed network stands at the level that changes nothing."""
        return _within(rows_of(rows, self.kind), self.axis.levels)

    @property
    def unperturbed(self) -> float | None:
        """The level that changes nothing, where the view shows it."""
        level = KINDS[self.kind].unperturbed
        return level if level is not None and self.holds(level) else None

    def holds(self, level: float) -> bool:
        """Tell whether a level lies within the view."""
        return float(self.axis.levels[0]) <= level <= float(self.axis.levels[-1])


def chosen(spec: FigureSpec, rows: pd.DataFrame, usual: Sequence[str]) -> list[str]:
    """Kinds of perturbation that a figure shows: those of its option `kinds`, else the usual ones.

    Args:
        spec: the figure.
        rows: of a summary.
        usual: kinds that are shown, where they were measured, when none is named.

    Raises:
        DataError: a kind is unknown or was not measured, or there is none.
    """
    measured = [name for name in KINDS if (rows["perturbation"] == name).any()]
    named = spec.options.get("kinds")
    names = [str(name) for name in named] if named else [n for n in usual if n in measured]
    absent = [name for name in names or usual if name not in measured]
    if absent:
        raise DataError(
            f"the study did not measure what the figure shows under the perturbations {absent}; "
            f"it did under {measured}"
        )
    return names


def rows_of(rows: pd.DataFrame, name: str) -> pd.DataFrame:
    """Rows of one kind, and of the unperturbed network at the level that changes nothing."""
    kind = KINDS[name]
    part = rows[rows["perturbation"] == name]
    if not kind.exact:
        return part
    unperturbed = rows[rows["perturbation"] == "none"]
    both = pd.concat([part, unperturbed.assign(perturbation=name, level=kind.unperturbed)])
    return both.drop_duplicates(tables.key_columns(both))


def views(rows: pd.DataFrame, name: str) -> list[View]:
    """Views of one kind: all levels and, on a linear axis, those near zero where they are many."""
    kind = KINDS[name]
    values = [float(level) for level in marks.factor_values(rows_of(rows, name), "level")]
    whole = View(name, kind.name, Axis(kind.label, kind.scale, tuple(values)))
    near = tuple(level for level in values if abs(level) <= NEAR_ZERO)
    if kind.scale != "linear" or not 3 <= len(near) < len(values):
        return [whole]
    axis = Axis(kind.label, kind.scale, near)
    return [whole, View(name, f"{kind.name}, near zero", axis, near=True)]


def _within(rows: pd.DataFrame, levels: Sequence[object]) -> pd.DataFrame:
    return rows[rows["level"].between(np.min(levels), np.max(levels))]
