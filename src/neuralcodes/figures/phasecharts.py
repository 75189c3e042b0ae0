"""Phase charts: heat maps of redundancy and categorization with the borders of the regimes."""

from dataclasses import dataclass, replace

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure, SubFigure
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke
from scipy.ndimage import distance_transform_edt

from neuralcodes.errors import DataError
from neuralcodes.figures import marks, panels
from neuralcodes.figures.marks import FigureSpec
from neuralcodes.metrics import phases
from neuralcodes.metrics.phases import Thresholds

REGIME_COLORS = dict(zip(phases.REGIMES, ("#fde8c8", "#f2a65a", "#3d5a80"), strict=True))
LETTERS = {name: name[0].upper() for name in phases.REGIMES}
WIDTH_INCHES = 6.9  # a phase chart needs both columns of the page
SLICES_PER_LINE = 6
MEASURES = (
    ("redundancy_ratio", "Test redundancy ratio", "Purples"),
    ("knn_accuracy", "K-NN accuracy", "Blues"),
)


@dataclass(frozen=True)
class Chart:
    """One slice of a study: values on a grid of width (columns) and another factor (rows).

    Attributes:
        title: what is fixed, for small multiples.
        x, y: the factors.
        columns, rows: their values.
        redundancy, knn: test redundancy and K-NN accuracy, float64 (rows, columns), NaN where
            not measured.
        regimes: names of `phases.REGIMES` or "", (rows, columns).
    """

    title: str
    x: str
    y: str
    columns: list[object]
    rows: list[object]
    redundancy: np.ndarray
    knn: np.ndarray
    regimes: np.ndarray


def draw_phase_chart(
    spec: FigureSpec, summary: pd.DataFrame, published: pd.DataFrame | None = None
) -> Figure:
    """Heat maps of width x epoch and width x sample size, and regime maps per sample size.

    Options: `thresholds`, a mapping with the attributes of `phases.Thresholds`; `where`.

    Raises:
        DataError: the summary lacks what the figure needs, or factors vary that it does not show.
        ValueError: the thresholds are not in order.
    """
    del published  # the paper draws its regimes by hand
    spec = replace(spec, x=spec.x or "width_per_layer")
    x = spec.x
    rows = measured(summary, spec)
    limits = limits_of(spec, rows)
    sizes = marks.factor_values(rows, "sample_size")
    full = rows[rows["sample_size"] == sizes[-1]]
    last = rows[rows["epoch"] == marks.factor_values(rows, "epoch")[-1]]
    large = [_chart(full, x, "epoch", "", limits), _chart(last, x, "sample_size", "", limits)]
    large = [chart for chart in large if len(chart.rows) > 1]
    slices = [
        _chart(rows[rows["sample_size"] == n], x, "epoch", f"n = {marks.value_label(n)}", limits)
        for n in sizes
    ]
    slices = [chart for chart in slices if len(chart.rows) > 1 and len(chart.columns) > 1]
    if not large:
        raise DataError("a phase chart needs several epochs or several sample sizes; it has one")
    return _draw(spec, large, slices if len(slices) > 1 else [], limits)


def measured(summary: pd.DataFrame, spec: FigureSpec) -> pd.DataFrame:
    """Rows of a summary that a phase chart is made of.

    Args:
        summary: what `tables.summarize` returns.
        spec: the figure, with its x.

    Raises:
        DataError: a metric is not measured, or factors vary that the chart does not show.
    """
    numbered = (summary["epoch"].astype(str) != "final").any()
    rows = marks.select(summary, spec, [spec.x, "sample_size", *(["epoch"] if numbered else [])])
    wanted = [name for name, _, _ in MEASURES]
    rows = rows[rows["metric"].isin(wanted) & (rows["split"] == "test")]
    absent = sorted(set(wanted) - set(rows["metric"]))
    if absent:
        raise DataError(f"a phase chart needs {wanted} on the test split; {absent} is not measured")
    marks.refuse_mixture(rows, [spec.x, "sample_size", "epoch", "metric"])
    return rows


def limits_of(spec: FigureSpec, rows: pd.DataFrame) -> Thresholds:
    """Thresholds of a phase chart; its best accuracy is that of all its rows unless given.

    Args:
        spec: the figure.
        rows: what `measured` returns.
    """
    limits = Thresholds(**dict(spec.options.get("thresholds", {})))
    if limits.best_accuracy is None:
        best = rows.loc[rows["metric"] == "knn_accuracy", "mean"].max()
        limits = replace(limits, best_accuracy=best)
    return limits


def _chart(rows: pd.DataFrame, x: str, y: str, title: str, limits: Thresholds) -> Chart:
    columns, lines = marks.factor_values(rows, x), marks.factor_values(rows, y)
    grids = {}
    for metric, _, _ in MEASURES:
        values = rows[rows["metric"] == metric].pivot_table(index=y, columns=x, values="mean")
        grids[metric] = values.reindex(index=lines, columns=columns).to_numpy(dtype=float)
    redundancy, knn = grids["redundancy_ratio"], grids["knn_accuracy"]
    names = phases.regimes(redundancy, knn, limits)
    return Chart(title, x, y, columns, lines, redundancy, knn, names)


def _draw(spec: FigureSpec, large: list[Chart], slices: list[Chart], limits: Thresholds) -> Figure:
    lines = -(-len(slices) // SLICES_PER_LINE)
    heights = [1.95] * len(large) + ([0.25 + 1.45 * lines] if slices else [])
    figure = Figure(figsize=(WIDTH_INCHES, sum(heights) + 0.75), layout="constrained")
    figure.suptitle(spec.title)
    parts = np.atleast_1d(figure.subfigures(len(heights), 1, height_ratios=heights))
    letters = iter("abcdefghijklmnopqrstuvwxyz")
    accuracies = np.concatenate([chart.knn.ravel() for chart in large])
    ranges = {
        "redundancy_ratio": (0.0, 1.0),
        "knn_accuracy": (float(np.nanmin(accuracies)), float(np.nanmax(accuracies))),
    }
    for part, chart in zip(parts, large, strict=False):
        for axes, measure in zip(part.subplots(1, 2), MEASURES, strict=True):
            _draw_heat_map(part, axes, chart, measure, ranges[measure[0]])
            panels.add_letter(axes, next(letters))
    if slices:
        _draw_slices(parts[-1], slices, next(letters), lines)
    # Without regime maps there are no colours to explain, only letters.
    figure.legend(
        handles=_regime_handles(limits, colored=bool(slices)),
        loc="outside lower center",
        handlelength=None if slices else 0,
    )
    return figure


def _draw_heat_map(
    part: SubFigure,
    axes: Axes,
    chart: Chart,
    measure: tuple[str, str, str],
    limits: tuple[float, float],
) -> None:
    metric, label, colors = measure
    values = chart.redundancy if metric == "redundancy_ratio" else chart.knn
    cmap = matplotlib.colormaps[colors]
    mesh = axes.pcolormesh(values, cmap=cmap, vmin=limits[0], vmax=limits[1])
    _draw_borders(axes, chart.regimes)
    _label_regimes(axes, chart.regimes)
    _label_cells(axes, chart)
    bar = part.colorbar(mesh, ax=axes, pad=0.02, aspect=18)
    bar.set_label(label)
    bar.outline.set_linewidth(0.6)


def _draw_slices(part: SubFigure, slices: list[Chart], letter: str, lines: int) -> None:
    columns = -(-len(slices) // lines)
    grid = part.subplots(lines, columns, sharey=True, squeeze=False)
    cmap = ListedColormap([REGIME_COLORS[name] for name in phases.REGIMES])
    for index, axes in enumerate(grid.flat):
        if index >= len(slices):
            axes.set_axis_off()
            continue
        chart = slices[index]
        codes = np.full(chart.regimes.shape, np.nan)
        for code, name in enumerate(phases.REGIMES):
            codes[chart.regimes == name] = code
        axes.pcolormesh(codes, cmap=cmap, vmin=-0.5, vmax=len(phases.REGIMES) - 0.5)
        _draw_borders(axes, chart.regimes)
        _label_regimes(axes, chart.regimes)
        _label_cells(axes, chart, ticks=(5, 7))
        panels.add_letter(axes, letter if index == 0 else "", chart.title)
        if index + columns < len(slices):
            axes.set_xlabel("")
        if index % columns:
            axes.set_ylabel("")


def _draw_borders(axes: Axes, regimes: np.ndarray) -> None:
    segments = []
    for (i, j), name in np.ndenumerate(regimes):
        right = regimes[i, j + 1] if j + 1 < regimes.shape[1] else ""
        above = regimes[i + 1, j] if i + 1 < regimes.shape[0] else ""
        if name and right and name != right:
            segments.append([(j + 1, i), (j + 1, i + 1)])
        if name and above and name != above:
            segments.append([(j, i + 1), (j + 1, i + 1)])
    # A white rim keeps the border visible on dark cells.
    for color, width in (("white", 2.4), ("black", 1.1)):
        lines = LineCollection(segments, colors=color, linewidths=width, capstyle="projecting")
        axes.add_collection(lines, autolim=False)


def _label_regimes(axes: Axes, regimes: np.ndarray) -> None:
    for name in phases.REGIMES:
        cells = np.argwhere(regimes == name)
        if len(cells) == 0:
            continue
        # As far inside the regime as there is room, and then as near to its middle as may be.
        depth = distance_transform_edt(np.pad(regimes == name, 1))[1:-1, 1:-1][tuple(cells.T)]
        off_middle = np.square(cells - cells.mean(axis=0)).sum(axis=1)
        row, column = cells[np.lexsort((off_middle, -depth))[0]]
        axes.text(
            column + 0.5,
            row + 0.5,
            LETTERS[name],
            ha="center",
            va="center",
            fontsize=8,
            fontweight="bold",
            path_effects=[withStroke(linewidth=2, foreground="white")],
            zorder=5,
        )


def _label_cells(axes: Axes, chart: Chart, ticks: tuple[int, int] = (9, 9)) -> None:
    for axis, factor, values, most in (
        (axes.xaxis, chart.x, chart.columns, ticks[0]),
        (axes.yaxis, chart.y, chart.rows, ticks[1]),
    ):
        step = -(-len(values) // most)
        chosen = range(0, len(values), step)
        axis.set_ticks([index + 0.5 for index in chosen])
        axis.set_ticklabels([marks.value_label(values[index]) for index in chosen])
        axis.set_tick_params(length=0)
        axis.set_label_text(marks.factor_label(factor))
    axes.grid(visible=False)
    axes.spines[:].set_visible(True)


def _regime_handles(limits: Thresholds, *, colored: bool) -> list[Patch]:
    under, critical, sufficient = phases.REGIMES
    meaning = {
        under: f"test redundancy \u2265 {limits.under_expressive_redundancy:g}",
        critical: "in between",
        sufficient: f"test redundancy \u2264 {limits.sufficient_redundancy:g}, "
        f"K-NN accuracy within {limits.sufficient_accuracy_margin:g} of the best",
    }
    return [
        Patch(
            facecolor=REGIME_COLORS[name] if colored else "none",
            edgecolor="black" if colored else "none",
            linewidth=0.5,
            label=f"{LETTERS[name]}  {name}: {meaning[name]}",
        )
        for name in phases.REGIMES
    ]
