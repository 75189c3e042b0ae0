"""What figures of manifolds share: looks of the representations, and the choice of their rows."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from neuralcodes.errors import DataError
from neuralcodes.figures import marks, panels
from neuralcodes.figures.marks import FigureSpec, Style
from neuralcodes.figures.panels import Curve

# The same in every figure, and ordered in lightness so that they differ in greyscale too.
REPRESENTATIONS: dict[str, tuple[str, Style]] = {
    "input": ("raw input", Style("#8c8c8c", "s", ":")),
    "untrained": ("untrained network", Style("#e3a52b", "^", "-.")),
    "trained": ("trained network", Style("#0b4f8a", "o", "-")),
}

FARTHEST_END = 2.0  # times a mean; an interval that ends farther from all means leaves the view
WHOLE = (-0.02, 1.05)  # all fractions, and half a marker
# Span of a logarithmic axis below which these multiples of each power of ten are labelled.
LABELLED = {50: (1.0, 2.0, 5.0), 300: (1.0, 3.0), np.inf: (1.0,)}


def measured(
    spec: FigureSpec, summary: pd.DataFrame, columns: Iterable[str], metrics: Sequence[str]
) -> pd.DataFrame:
    """Rows of the representations that a figure compares.

    Args:
        spec: the figure.
        summary: what `tables.summarize` returns.
        columns: that the figure needs besides `representation`.
        metrics: names of the metrics that it can show.

    Raises:
        DataError: a column is missing, or none of the metrics is measured.
    """
    rows = marks.select(summary, spec, [*columns, "representation"])
    rows = rows[rows["representation"].isin(list(REPRESENTATIONS))]
    return of_metrics(spec, rows, metrics)


def of_metrics(spec: FigureSpec, rows: pd.DataFrame, metrics: Sequence[str]) -> pd.DataFrame:
    """Rows of some metrics.

    Raises:
        DataError: there is none.
    """
    found = rows["metric"].isin(list(metrics))
    if not found.any():
        raise DataError(
            f"a figure of kind {spec.kind} has nothing to draw: the study measured none of "
            f"{list(metrics)}"
        )
    return rows[found]


def of_split(spec: FigureSpec, rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of the split that the option `split` names, by default the unseen manifolds.

    Where no manifolds are, the default is the test set.

    Raises:
        DataError: nothing is measured on it.
    """
    usual = "test" if {*rows["split"]} <= {"train", "test"} else "unseen"
    split = str(spec.options.get("split", usual))
    if not (rows["split"] == split).any():
        raise DataError(
            f"a figure of kind {spec.kind} has nothing to draw on the split {split!r}; the study "
            f"measured {sorted(rows['split'].unique())}"
        )
    return rows[rows["split"] == split]


def present(rows: pd.DataFrame) -> list[str]:
    """Representations that have rows, baselines first."""
    return [name for name in REPRESENTATIONS if (rows["representation"] == name).any()]


def of_representation(rows: pd.DataFrame, name: str) -> pd.DataFrame:
    """Rows of one representation."""
    return rows[rows["representation"] == name]


def representation_handles(names: Iterable[str]) -> list[Line2D]:
    """Legend entries of representations, drawn as solid lines with their markers."""
    looks = [REPRESENTATIONS[name] for name in names]
    return [panels.line_handle(replace(style, linestyle="-"), label) for label, style in looks]


def log_limits(curves: Sequence[Curve]) -> tuple[float, float]:
    """Ends of a logarithmic axis: of means and of intervals, but for wide ones down to 0."""
    means = np.concatenate([curve.y for curve in curves])
    means = means[np.isfinite(means) & (means > 0)]
    low, high = float(means.min()), float(means.max())
    ends = np.concatenate([[], *(end for curve in curves for band in curve.bands for end in band)])
    ends = ends[np.isfinite(ends) & (ends > low / FARTHEST_END) & (ends < high * FARTHEST_END)]
    low, high = float(np.min(ends, initial=low)), float(np.max(ends, initial=high))
    margin = max((high / low) ** 0.08, 1.15)
    return low / margin, high * margin


def label_decades(axes: Axes) -> None:
    """Label a logarithmic vertical axis of few decades in plain numbers, more than one each."""
    low, high = axes.get_ylim()
    if axes.get_yscale() != "log" or low < 1e-3 or high > 1e4:
        return
    steps = next(steps for span, steps in LABELLED.items() if high / low < span)
    axes.yaxis.set_major_locator(LogLocator(10, subs=steps))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
