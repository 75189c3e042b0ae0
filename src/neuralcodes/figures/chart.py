"""One Chart for each figure: which rows it shows, chosen once, for every renderer.

A kind of figure turns a study's summary into a Chart. The static renderer draws it, the interactive
one gives it to the page, and the report prints its numbers as a table. None of them chooses again.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from neuralcodes.figures.marks import Style
from neuralcodes.figures.scales import Axis

Scale = Literal["linear", "log"]


@dataclass(frozen=True)
class Vertical:
    """A vertical axis: the quantity on it, its scale, and its ends (None: the data decide)."""

    label: str
    scale: Scale = "linear"
    limits: tuple[float | None, float | None] = (None, None)


@dataclass(frozen=True)
class Curve:
    """Means of one condition at several places: what a legend names once.

    Attributes:
        label: its name, plain text.
        style: how it is drawn.
        x: places on the panel's axis, float64 (points,).
        y: means, float64 (points,).
        low, high: ends of the 95 % interval, float64 (points,); NaN where there is none.
        n: seeds behind each mean, int64 (points,).
        rows: index in the summary of the row behind each point, int64 (points,); -1 for none. Runs,
            checkpoints and the single seeds of a point are found through it.
        metric, split: of the rows, for the table of numbers.
        mark: "line" joins the points and shades the interval, "points" has error bars, "steps" is a
            histogram, "bars" lie along the vertical axis, "scatter" shows single points.
        bands: further (low, high) around the means, such as quantiles, the narrowest first.
        mirrored: the means are 1 minus what was measured, and so are single seeds to be drawn.
    """

    label: str
    style: Style
    x: np.ndarray
    y: np.ndarray
    low: np.ndarray
    high: np.ndarray
    n: np.ndarray
    rows: np.ndarray
    metric: str = ""
    split: str = ""
    mark: Literal["line", "points", "steps", "bars", "scatter"] = "line"
    bands: tuple[tuple[np.ndarray, np.ndarray], ...] = ()
    mirrored: bool = False


@dataclass(frozen=True)
class Published:
    """Published values of one curve: open markers with their reading error.

    Attributes:
        label: of the curve of ours that they belong to.
        style: of that curve.
        x, value, error: float64 (points,).
    """

    label: str
    style: Style
    x: np.ndarray
    value: np.ndarray
    error: np.ndarray


@dataclass(frozen=True)
class Guide:
    """A line to read a panel against.

    Attributes:
        label: what it means.
        at: its place where it crosses the whole panel; None for a line through points.
        axis: "x" for an upright line, "y" for a level one.
        x, y: the points of any other line.
        style: how it is drawn; None for a thin grey line.
    """

    label: str
    at: float | None = None
    axis: Literal["x", "y"] = "y"
    x: np.ndarray | None = None
    y: np.ndarray | None = None
    style: Style | None = None


@dataclass(frozen=True)
class Heat:
    """A heat map in place of curves.

    Attributes:
        label: the quantity, at the colour bar.
        values: float64 (rows, columns), NaN where nothing was measured.
        rows: index in the summary of each cell, int64 (rows, columns); -1 for none.
        vertical: the axis of the rows; the panel's own axis is that of the columns.
        limits: ends of the colours.
        colormap: name of a matplotlib map, or the colours of the categories.
        categories: names where the values are numbers of categories; empty otherwise.
        borders: (label, y of the border for each column) of lines over the map.
    """

    label: str
    values: np.ndarray
    rows: np.ndarray
    vertical: Axis
    limits: tuple[float, float]
    colormap: str | tuple[str, ...]
    categories: tuple[str, ...] = ()
    borders: tuple[tuple[str, np.ndarray], ...] = ()


@dataclass(frozen=True)
class Panel:
    """One pair of axes.

    Attributes:
        title: what differs from the other panels.
        x: the horizontal axis.
        y: the vertical axis.
        curves: ours.
        published: theirs.
        guides: lines to read the curves against.
        heat: a heat map in place of curves.
        ringed: place on the axis whose markers have a ring; None for none.
    """

    title: str
    x: Axis
    y: Vertical
    curves: tuple[Curve, ...] = ()
    published: tuple[Published, ...] = ()
    guides: tuple[Guide, ...] = ()
    heat: Heat | None = None
    ringed: float | None = None


@dataclass(frozen=True)
class Entry:
    """An entry of the legend: a label and the mark that it explains."""

    label: str
    style: Style
    mark: Literal["line", "marker", "band", "open", "guide", "ring", "patch"] = "line"


@dataclass(frozen=True)
class Legend:
    """Entries under one heading; a chart may have several."""

    title: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Chart:
    """What a figure shows, chosen once.

    Attributes:
        kind: of the figure.
        title: dataset and preset.
        panels: rows of panels; they may differ in length.
        legends: what tells curves apart.
        headline: one sentence with what the chart shows, at most 240 characters, computed from its
            curves; it serves as the alternative text.
        share_y: which panels have one vertical range.
    """

    kind: str
    title: str
    panels: tuple[tuple[Panel, ...], ...]
    legends: tuple[Legend, ...] = ()
    headline: str = ""
    share_y: Literal["none", "row", "all"] = "none"

    def each_panel(self) -> Iterator[Panel]:
        """Give the panels, row by row."""
        for row in self.panels:
            yield from row
