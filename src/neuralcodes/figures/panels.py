"""Panels of curves: data classes that say what is drawn, and the one function that draws them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from neuralcodes.errors import DataError
from neuralcodes.figures import marks
from neuralcodes.figures.marks import FigureSpec, Style
from neuralcodes.figures.scales import Axis

BAND_ALPHA = 0.18
PUBLISHED_LABEL = "published (\u00b1 reading error)"
GUIDE = {"color": "0.45", "linewidth": 0.7}


@dataclass(frozen=True)
class Curve:
    """One line: values at positions x (float64, all of one length), with bands around it."""

    label: str
    x: np.ndarray
    y: np.ndarray
    style: Style
    bands: tuple[tuple[np.ndarray, np.ndarray], ...] = ()


@dataclass(frozen=True)
class Published:
    """Published values at positions x, drawn as open markers with their reading error."""

    x: np.ndarray
    y: np.ndarray
    error: np.ndarray
    style: Style


@dataclass(frozen=True)
class Guide:
    """A thin line across a panel: upright at a position ("x"), or level at a height ("y")."""

    at: float
    axis: Literal["x", "y"] = "x"


@dataclass(frozen=True)
class Panel:
    """One pair of axes.

    Attributes:
        title: short heading; what differs from the other panels.
        y_label: the quantity on the vertical axis.
        axis: the horizontal axis.
        curves: our lines.
        published: published values.
        y_scale: "linear" or "log".
        marked_x: position of a vertical line, for example the base point; None for none.
        joined: draw lines between points, and bands; otherwise points with error bars.
        emphasised_x: position whose markers are ringed; None for none.
        guides: thin lines to read the curves against.
        y_limits: ends of the vertical axis; None where the data decide.
    """

    title: str
    y_label: str
    axis: Axis
    curves: tuple[Curve, ...]
    published: tuple[Published, ...] = ()
    y_scale: str = "linear"
    marked_x: float | None = None
    joined: bool = True
    emphasised_x: float | None = None
    guides: tuple[Guide, ...] = ()
    y_limits: tuple[float | None, float | None] = (None, None)


def curve_of(rows: pd.DataFrame, axis: Axis, x: str, style: Style, label: str) -> Curve:
    """Line of the means of summary rows, with the 95% t-interval as its band.

    Args:
        rows: rows of a summary, one per value of `x`.
        axis: the axis of `x`.
        x: the factor on the axis.
        style: how it is drawn.
        label: its name in the legend.

    Raises:
        DataError: several rows share one value of `x`.
    """
    marks.refuse_mixture(rows, [x])
    positions = axis.place(rows[x])
    order = np.argsort(positions, kind="stable")
    mean, low, high = (
        _finite(rows[name].to_numpy(dtype=float)[order]) for name in ("mean", "low", "high")
    )
    return Curve(label, positions[order], mean, style, ((low, high),))


def published_of(rows: pd.DataFrame, axis: Axis, x: str, style: Style) -> Published:
    """Published values of one curve, `rows` as `marks.select_published` gives them."""
    positions = axis.place(rows[x])
    order = np.argsort(positions, kind="stable")
    value, error = (rows[name].to_numpy(dtype=float)[order] for name in ("value", "reading_error"))
    return Published(positions[order], value, error, style)


def draw_panels(
    grid: Sequence[Sequence[Panel]],
    spec: FigureSpec,
    legend: Sequence[Artist] = (),
    legend_title: str = "",
    *,
    share_y: Literal["none", "row", "all"] = "none",
) -> Figure:
    """Draw rows of panels with one legend, in a free place of the grid or else below it.

    Args:
        grid: rows of panels; rows may differ in length, empty rows are dropped.
        spec: title and width.
        legend: handles; every label once.
        legend_title: heading of the legend.
        share_y: which panels have one vertical range.

    Returns:
        The figure.

    Raises:
        DataError: there is no panel.
    """
    rows = [list(row) for row in grid if row]
    if not rows:
        raise DataError("there is nothing to draw: the study measured no metric of the figure")
    columns = max(len(row) for row in rows)
    free = len(rows) > 1 and len(rows[-1]) < columns
    lines = 0 if free else -(-len(legend) // _legend_columns(legend, spec)) + bool(legend_title)
    height = 1.7 * len(rows) + 0.13 * lines + 0.5
    figure = Figure(figsize=(spec.width_inches, height), layout="constrained")
    figure.suptitle(spec.title)
    axes = figure.subplots(len(rows), columns, squeeze=False, sharey=share_y)
    _draw_grid(axes, rows, share_y=share_y != "none")
    figure.align_ylabels(axes[:, 0])
    if free and legend:
        axes[-1, -1].legend(handles=list(legend), title=legend_title or None, loc="center")
    else:
        add_legend(figure, legend, legend_title, spec)
    return figure


def add_legend(figure: Figure, handles: Sequence[Artist], title: str, spec: FigureSpec) -> None:
    """Put one legend below all panels, so that it covers no data."""
    if handles:
        figure.legend(
            handles=list(handles),
            title=title or None,
            loc="outside lower center",
            ncols=_legend_columns(handles, spec),
        )


def add_letter(axes: Axes, letter: str, title: str = "") -> None:
    """Write the bold panel letter and the panel's title above the axes."""
    axes.set_title(letter, loc="left", fontweight="bold", fontsize=8)
    axes.set_title(title, loc="center")


def line_handle(style: Style, label: str, *, line: bool = True) -> Line2D:
    """Legend entry of a curve."""
    return Line2D(
        *([], []),
        color=style.color,
        marker=style.marker,
        linestyle=style.linestyle if line else "",
        label=label,
    )


def guide_handle(axis: Literal["x", "y"], label: str) -> Line2D:
    """Legend entry of guides."""
    if axis == "x":
        return Line2D([], [], **GUIDE, marker="|", markersize=8, linestyle="", label=label)
    return Line2D([], [], **GUIDE, linestyle=":", label=label)


def published_handle(label: str = PUBLISHED_LABEL, style: Style | None = None) -> Line2D:
    """Legend entry of published values: of all of them, or of one style."""
    style = style or Style(marks.NEUTRAL, "o")
    return Line2D(
        *([], []),
        color=style.color,
        marker=style.marker,
        markersize=5,
        markerfacecolor="none",
        linestyle="",
        label=label,
    )


def interval_handles(rows: pd.DataFrame, *, joined: bool = True) -> list[Artist]:
    """Legend entry of the t-intervals of summary rows: a band, or a bar where not `joined`.

    Returns:
        One handle; none where no point has several seeds.
    """
    if not np.isfinite(rows["low"]).any():
        return []
    label = "95% interval of the mean"
    if joined:
        return [Patch(facecolor=marks.NEUTRAL, alpha=1.5 * BAND_ALPHA, label=label)]
    bar = Line2D([], [], color=marks.NEUTRAL, marker="|", markersize=7, linestyle="", label=label)
    return [bar]


def _draw_grid(axes: np.ndarray, rows: list[list[Panel]], *, share_y: bool) -> None:
    letters = _letters(sum(len(row) for row in rows))
    for i, j in np.ndindex(axes.shape):
        if j >= len(rows[i]):
            axes[i, j].set_axis_off()
            continue
        below = i + 1 < len(rows) and j < len(rows[i + 1])
        same_below = below and rows[i + 1][j].axis == rows[i][j].axis
        _draw_panel(axes[i, j], rows[i][j], next(letters), labelled=not same_below)
        if share_y and j > 0:
            axes[i, j].set_ylabel("")
    for i, j in np.ndindex(axes.shape):
        if j < len(rows[i]):
            _keep_to_fractions(axes[i, j], rows[i][j])


def _keep_to_fractions(axes: Axes, panel: Panel) -> None:
    """Cut the view, not the data, where the intervals of fractions leave what fractions can be."""
    means = np.concatenate([curve.y for curve in panel.curves])
    if panel.y_scale == "linear" and np.nanmin(means) >= 0 and np.nanmax(means) <= 1:
        low, high = axes.get_ylim()
        axes.set_ylim(max(low, -0.05), min(high, 1.05))


def _letters(count: int) -> Iterator[str]:
    return iter("abcdefghijklmnopqrstuvwxyz"[:count] if 1 < count <= 26 else [""] * count)


def _legend_columns(handles: Sequence[Artist], spec: FigureSpec) -> int:
    lengths = [len(str(handle.get_label())) for handle in handles]
    for rows in range(1, len(lengths) + 1):
        columns = -(-len(lengths) // rows)
        # A character is about 0.052 in wide; a handle and the gaps around it take 0.45 in.
        widths = [0.052 * max(part) + 0.45 for part in np.array_split(lengths, columns)]
        if sum(widths) <= spec.width_inches:
            return columns
    return 1


def _draw_panel(axes: Axes, panel: Panel, letter: str, *, labelled: bool) -> None:
    axes.set_yscale(panel.y_scale)
    if panel.marked_x is not None:
        axes.axvline(panel.marked_x, color="0.85", linewidth=4, zorder=0.5, label="_marked")
    for guide in panel.guides:
        draw, linestyle = (axes.axvline, "-") if guide.axis == "x" else (axes.axhline, ":")
        draw(guide.at, **GUIDE, linestyle=linestyle, zorder=1, label="_guide")
    for curve in panel.curves:
        if panel.joined:
            _draw_line(axes, curve)
        else:
            _draw_points(axes, curve)
        if panel.emphasised_x is not None:
            _ring(axes, curve, panel.emphasised_x)
    for values in panel.published:
        axes.errorbar(
            values.x,
            values.y,
            yerr=values.error,
            fmt=values.style.marker,
            color=values.style.color,
            markersize=5,
            markerfacecolor="none",
            elinewidth=0.7,
            zorder=3,
            label="published",
        )
    panel.axis.apply(axes, labelled=labelled)
    if panel.y_limits != (None, None):
        axes.set_ylim(*panel.y_limits)
    axes.set_ylabel(panel.y_label)
    add_letter(axes, letter, panel.title)


def _draw_line(axes: Axes, curve: Curve) -> None:
    style = curve.style
    for low, high in curve.bands:
        if np.isfinite(low).any():
            axes.fill_between(
                curve.x, low, high, color=style.color, alpha=BAND_ALPHA, linewidth=0, zorder=1.5
            )
    axes.plot(
        curve.x,
        curve.y,
        color=style.color,
        marker=style.marker,
        linestyle=style.linestyle,
        label=curve.label,
        zorder=2.5,
    )


def _draw_points(axes: Axes, curve: Curve) -> None:
    style = curve.style
    low, high = curve.bands[0]
    axes.plot(
        curve.x,
        curve.y,
        color=style.color,
        marker=style.marker,
        linestyle=style.linestyle,
        linewidth=0.6,
        label=curve.label,
        zorder=2.5,
    )
    axes.vlines(curve.x, low, high, color=style.color, linewidth=1.0, zorder=2.4)


def _ring(axes: Axes, curve: Curve, position: float) -> None:
    there = curve.x == position
    axes.plot(
        curve.x[there],
        curve.y[there],
        color="black",
        marker=curve.style.marker,
        markerfacecolor=curve.style.color,
        markersize=5,
        linestyle="",
        label="_ring",
        zorder=2.8,
    )


def _finite(values: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(values), values, np.nan)
