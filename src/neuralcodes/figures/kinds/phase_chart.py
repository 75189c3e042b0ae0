"""Heat maps of redundancy and K-NN accuracy with the borders of the regimes of encoding."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from neuralcodes.errors import DataError
from neuralcodes.figures import headlines, marks, parts, selection
from neuralcodes.figures.chart import Axis, Chart, Entry, Heat, Panel, Style, Vertical
from neuralcodes.figures.declaration import Asked, FigureKind, FigureSpec, Option, usual_x
from neuralcodes.metrics import phases
from neuralcodes.metrics.phases import Thresholds

if TYPE_CHECKING:
    import pandas as pd

COLORS = ("#fde8c8", "#f2a65a", "#3d5a80")  # of `phases.REGIMES`
SLICES_PER_ROW = 6
MEASURES = {
    "redundancy_ratio": ("Test redundancy ratio", "Purples"),
    "knn_accuracy": ("K-NN accuracy", "Blues"),
}


@dataclass(frozen=True)
class Slice:
    """Values on a grid of width (columns) and another factor (rows).

    Attributes:
        title: what is fixed.
        columns, lines: the axes.
        means: metric -> means, float64 (rows, columns), NaN where not measured.
        rows: metric -> index in the summary, int64 (rows, columns), -1 for none.
        groups: place of each cell in `phases.REGIMES`, -1 where a value is missing.
    """

    title: str
    columns: Axis
    lines: Axis
    means: Mapping[str, np.ndarray]
    rows: Mapping[str, np.ndarray]
    groups: np.ndarray

    def heat(self, metric: str, limits: tuple[float, float]) -> Panel:
        """Map of one metric."""
        label, colormap = MEASURES[metric]
        return self._panel(label, self.means[metric], self.rows[metric], limits, colormap)

    def regimes(self) -> Panel:
        """Map of the regimes."""
        codes = np.where(self.groups < 0, np.nan, self.groups.astype(float))
        limits = (-0.5, len(phases.REGIMES) - 0.5)
        return self._panel("Regime", codes, self.rows["redundancy_ratio"], limits, COLORS)

    def _panel(
        self,
        label: str,
        values: np.ndarray,
        rows: np.ndarray,
        limits: tuple[float, float],
        colormap: str | tuple[str, ...],
    ) -> Panel:
        heat = Heat(label, values, rows, self.lines, limits, colormap, phases.REGIMES, self.groups)
        return Panel(self.title, self.columns, Vertical(self.lines.label), heat=heat)


def chart(
    spec: FigureSpec, summary: "pd.DataFrame", published: "pd.DataFrame | None" = None
) -> Chart:
    """Heat maps of width x epoch and width x sample size, and regime maps per sample size.

    Raises:
        DataError: the summary lacks what the figure needs, or factors vary that it does not show.
        ValueError: the thresholds are not in order.
    """
    del published  # the paper draws its regimes by hand
    rows = measured(summary, spec)
    best = rows.loc[rows["metric"] == "knn_accuracy", "mean"].max()
    given = {**spec.options.get("regimes", {})}
    limits = replace(Thresholds(**given), best_accuracy=best)
    sizes = selection.factor_values(rows, "sample_size")
    last = selection.factor_values(rows, "epoch")[-1]
    by_size = {size: rows[rows["sample_size"] == size] for size in sizes}
    large = [
        _slice(by_size[sizes[-1]], spec.x, "epoch", "sample_size", limits),
        _slice(rows[rows["epoch"] == last], spec.x, "sample_size", "epoch", limits),
    ]
    large = [each for each in large if len(each.lines.levels) > 1]
    if not large:
        raise DataError("a phase chart needs several epochs or several sample sizes; it has one")
    slices = [_slice(own, spec.x, "epoch", "sample_size", limits) for own in by_size.values()]
    slices = [s for s in slices if len(s.lines.levels) > 1 and len(s.columns.levels) > 1]
    slices = slices if len(slices) > 1 else []
    known = np.concatenate([each.means["knn_accuracy"].ravel() for each in large])
    ends = {"redundancy_ratio": (0.0, 1.0), "knn_accuracy": (np.nanmin(known), np.nanmax(known))}
    grid = [[each.heat(metric, ends[metric]) for metric in MEASURES] for each in large]
    across = -(-len(slices) // (-(-len(slices) // SLICES_PER_ROW) or 1)) or 1
    maps = [each.regimes() for each in slices]
    grid += [maps[start : start + across] for start in range(0, len(maps), across)]
    return parts.chart_of(
        "phase_chart",
        spec,
        grid,
        [("", _entries(limits, colored=bool(slices)))],
        headlines.sentence(_clauses(large[0])),
    )


def measured(summary: "pd.DataFrame", spec: FigureSpec) -> "pd.DataFrame":
    """Rows of a summary that a phase chart is made of.

    Raises:
        DataError: a metric is not measured, or factors vary that the chart does not show.
    """
    numbered = (summary["epoch"].astype(str) != "final").any()
    shown = [spec.x, "sample_size", *(["epoch"] if numbered else [])]
    rows = selection.select(summary, spec, shown)
    rows = rows[rows["metric"].isin(list(MEASURES)) & (rows["split"] == "test")]
    absent = sorted({*MEASURES} - {*rows["metric"]})
    if absent:
        raise DataError(
            f"a phase chart needs {list(MEASURES)} on the test split; {absent} is not measured"
        )
    selection.refuse_mixture(rows, [spec.x, "sample_size", "epoch", "metric"])
    return rows


def question(asked: Asked) -> str:
    """Ask which networks are expressive enough."""
    names = dict.fromkeys([asked.x, *(marks.factor_phrase(f) for f in ("epoch", "sample_size"))])
    shown = marks.joined(list(names))
    return f"for which combinations of {shown} are networks expressive enough on {asked.dataset}"


def _slice(rows: "pd.DataFrame", x: str, y: str, fixed: str, limits: Thresholds) -> Slice:
    columns, lines = (_cells(rows, factor) for factor in (x, y))
    values, index = {}, {}
    for metric in MEASURES:
        own = rows[rows["metric"] == metric]
        i, j = (axis.place(own[axis.factor]).astype(int) for axis in (lines, columns))
        shape = (len(lines.levels), len(columns.levels))
        values[metric], index[metric] = np.full(shape, np.nan), np.full(shape, -1)
        values[metric][i, j] = own["mean"]
        index[metric][i, j] = own.index
    names = phases.regimes(values["redundancy_ratio"], values["knn_accuracy"], limits)
    groups = np.full(names.shape, -1)
    for place, name in enumerate(phases.REGIMES):
        groups[names == name] = place
    held = rows[fixed].iloc[0]
    title = marks.place_name(fixed, held) if held != "final" else ""
    return Slice(title, columns, lines, values, index, groups)


def _cells(rows: "pd.DataFrame", factor: str) -> Axis:
    values = tuple(selection.factor_values(rows, factor))
    labels = tuple(marks.value_label(value) for value in values)
    return Axis(marks.factor_label(factor), "category", values, labels, factor=factor)


def _entries(limits: Thresholds, *, colored: bool) -> list[Entry]:
    """What the regimes' letters mean; without regime maps there are no colours to explain."""
    meanings = (
        f"test redundancy \u2265 {limits.under_expressive_redundancy:g}",
        "in between",
        f"test redundancy \u2264 {limits.sufficient_redundancy:g}, K-NN accuracy within "
        f"{limits.sufficient_accuracy_margin:g} of the best",
    )
    return [
        Entry(
            f"{name[0].upper()}  {name}: {meaning}",
            Style(color, ""),
            "patch" if colored else "none",
        )
        for name, meaning, color in zip(phases.REGIMES, meanings, COLORS, strict=True)
    ]


def _clauses(shown: Slice) -> list[str]:
    """How the largest and the smallest network end, and how many cells each regime has."""
    total = int((shown.groups >= 0).sum())
    counts = [
        f"{int((shown.groups == place).sum())} {name}" for place, name in enumerate(phases.REGIMES)
    ]
    last = {name: values[-1] for name, values in shown.means.items()}
    where = marks.place_name(shown.lines.factor, shown.lines.levels[-1])
    ends = [
        f"redundancy is {headlines.number(last['redundancy_ratio'][j])} and K-NN accuracy "
        f"{headlines.number(last['knn_accuracy'][j])} "
        f"{headlines.place(shown.columns, float(place))}"
        for j, place in ((0, 0), (-1, len(shown.columns.levels) - 1))
    ]
    fixed = f" with {shown.title}" if shown.title else ""
    return [
        f"of {total} networks{fixed}, {marks.joined(counts)}",
        f"at {where}, {ends[0]}",
        ends[1],
    ]


KIND = FigureKind(
    name="phase_chart",
    description="Heat maps of redundancy and accuracy with the regimes of encoding.",
    measure="codes",
    chart=chart,
    question=question,
    reading="Each cell is a network size (columns) at a training time or a sample size (rows), the "
    "darker the higher the value; black borders part the regimes: under- (U), critically (C) and "
    "sufficiently (S) expressive",
    options={
        "x": usual_x("width_per_layer"),
        "regimes": Option("Thresholds of the phase chart's regimes.", Mapping[str, Any] | None),
    },
    always_shown=("sample_size",),
    needs=("redundancy_ratio", "knn_accuracy"),
)
