"""What figures of perturbed networks share: kinds of perturbation, and the levels of a panel."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from neuralcodes.errors import DataError
from neuralcodes.figures import parts, selection
from neuralcodes.figures.chart import Axis, Curve, Guide, Panel, Published, Style, Vertical
from neuralcodes.figures.declaration import FigureSpec, Option
from neuralcodes.figures.selection import Series
from neuralcodes.perturbation import kinds

if TYPE_CHECKING:
    import pandas as pd

KINDS_OPTION = Option(
    "Perturbations to draw, in this order; null for those of the kind of figure.",
    tuple[str, ...] | None,
)
UNPERTURBED = "unperturbed level"
NARROWEST = 0.04  # an axis of fractions shows no less
NEAR_ZERO = 0.11  # holds the published offsets of 10%, beyond which little is left
Look = tuple[str, str, "pd.DataFrame"]  # label, line style, rows


PRE_ACTIVATIONS = ("scale", "clip", "offset")  # act on these


@dataclass(frozen=True)
class View:
    """The levels of one kind of perturbation that one panel shows.

    Attributes:
        kind: of perturbation.
        title: what is shown.
        axis: of the levels.
        near: shows the levels near zero only.
    """

    kind: str
    title: str
    axis: Axis
    near: bool = False

    def take(self, rows: "pd.DataFrame") -> "pd.DataFrame":
        """Rows of the view; the unperturbed network stands at the level that changes nothing."""
        levels = self.axis.levels
        return rows[rows["level"].between(levels[0], levels[-1])]

    def holds(self, level: float) -> bool:
        """Tell whether a level lies within the view."""
        return float(self.axis.levels[0]) <= level <= float(self.axis.levels[-1])


def select(spec: FigureSpec, summary: "pd.DataFrame", metrics: Sequence[Series]) -> "pd.DataFrame":
    """Rows of perturbed networks.

    Args:
        spec: the figure.
        summary: what `tables.summarize` returns.
        metrics: (metric, split) that the figure can show.

    Raises:
        DataError: a column is missing, or nothing is left.
    """
    columns = ["perturbation", "level", spec.line, spec.variant]
    rows = selection.select(summary, spec, columns)
    found = [pair in metrics for pair in zip(rows["metric"], rows["split"], strict=True)]
    if not any(found):
        names = list(dict.fromkeys(metrics))
        raise DataError(f"there is nothing to draw: the study measured none of {names}")
    return rows[found]


def chosen(spec: FigureSpec, rows: "pd.DataFrame", usual: Sequence[str]) -> list[str]:
    """Kinds of perturbation that a figure shows: those of its option `kinds`, else the usual ones.

    Args:
        spec: the figure.
        rows: of a summary.
        usual: kinds that are shown, where they were measured, when none is named.

    Raises:
        DataError: a kind is unknown or was not measured, or there is none.
    """
    measured = [name for name in kinds.names() if (rows["perturbation"] == name).any()]
    named = spec.options.get("kinds")
    names = list(named) if named else [name for name in usual if name in measured]
    absent = [name for name in names or usual if name not in measured]
    if absent:
        raise DataError(
            f"the study did not measure what the figure shows under the perturbations {absent}; "
            f"it did under {measured}"
        )
    return names


def views(rows: "pd.DataFrame", name: str) -> list[View]:
    """Views of one kind: all levels and, on a linear axis, those near zero where they are many."""
    kind = kinds.get(name)
    own = rows_of(rows, name)
    values = [float(level) for level in selection.factor_values(own, "level")]
    look = kind.look
    whole = View(name, look.label, Axis(look.axis, look.scale, tuple(values), factor="level"))
    near = tuple(level for level in values if abs(level) <= NEAR_ZERO)
    if look.scale != "linear" or not 3 <= len(near) < len(values):
        return [whole]
    axis = Axis(look.axis, look.scale, near, factor="level")
    return [whole, View(name, f"{look.label}, near zero", axis, near=True)]


def rows_of(rows: "pd.DataFrame", name: str) -> "pd.DataFrame":
    """Rows of one kind, and of the unperturbed network at the level that changes nothing."""
    import pandas as pd  # not while a workflow is parsed

    from neuralcodes.studies import tables

    kind = kinds.get(name)
    part = rows[rows["perturbation"] == name]
    if not kind.exact:
        return part
    unperturbed = rows[rows["perturbation"] == "none"]
    both = pd.concat([part, unperturbed.assign(perturbation=name, level=kind.unperturbed)])
    return both.drop_duplicates(tables.key_columns(both))


def panel_of(
    view: View,
    looks: Sequence[Look],
    styles: Mapping[object, Style],
    line: str,
    label: str,
    chance: float | None = None,
    printed: Callable[[View, Sequence[Curve]], tuple[Published, ...]] = lambda *_: (),
) -> Panel:
    """Panel of one view, a curve per value of the factor `line` and look.

    Args:
        view: the levels.
        looks: what line styles tell apart.
        styles: value of `line` -> its colour and marker.
        line: the factor.
        label: of the vertical axis.
        chance: accuracy of a guess, if it is to be shown.
        printed: gives the published values of the view for its curves.
    """
    own, drawn = parts.with_room(styles, [view.axis]), []
    for value, style in own.items():
        for name, dash, rows in looks:
            part = view.take(rows_of(selection.rows_equal(rows, line, value), view.kind))
            if len(part):
                look = Style(style.color, style.marker, dash)
                drawn.append(
                    parts.curve_of(part, view.axis, look, parts.names_of_line(line, value, name))
                )
    theirs = printed(view, drawn)
    guides = []
    level = kinds.get(view.kind).unperturbed
    if level is not None and view.holds(level):
        guides.append(Guide(UNPERTURBED, level, "x"))
    if chance is not None and not view.near:
        guides.append(Guide("chance", chance))
    limits = _near_ends(drawn, theirs) if view.near else parts.WHOLE
    vertical = Vertical(label, limits=limits)
    return Panel(view.title, view.axis, vertical, tuple(drawn), theirs, tuple(guides))


def _near_ends(
    drawn: Sequence[Curve], printed: Sequence[Published]
) -> tuple[float | None, float | None]:
    """Ends of the axis of a view near zero: those of the data, unless they are all but constant."""
    ours = [part for curve in drawn for part in (curve.y, curve.low, curve.high)]
    values = np.concatenate([[], *ours, *(each.value for each in printed)])
    values = values[np.isfinite(values)]
    if not len(values) or np.ptp(values) >= NARROWEST:
        return None, None
    low = max(float(values.min() + values.max() - NARROWEST) / 2, -0.05 * NARROWEST)
    return low, low + NARROWEST
