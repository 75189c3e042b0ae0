"""One Chart for each figure: which rows it shows, chosen once, for every renderer.

A kind of figure turns a study's summary into a Chart. The static renderer draws it, the interactive
one gives it to the page, and the report prints its numbers as a table. None of them chooses again.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

Scale = Literal["linear", "log", "category"]
EntryMark = Literal[
    "line", "marker", "band", "outer", "bar", "open", "guide", "upright", "ring", "patch", "none"
]
Mark = Literal["line", "points", "levels", "steps", "ridge", "bars", "scatter"]


@dataclass(frozen=True)
class Style:
    """How a curve is drawn; tells curves apart without colour as well.

    Attributes:
        color: hexadecimal.
        marker: as matplotlib names it; "" for none.
        linestyle: "-", "--", ":", "-." or "" for none. Of bars, "--" is hatched.
        filled: the marker is; open ones are published, or as the legend says.
        width: of the line in points; None for the usual one.
        size: of the marker in points; None for the usual one.
    """

    color: str
    marker: str = "o"
    linestyle: str = "-"
    filled: bool = True
    width: float | None = None
    size: float | None = None


@dataclass(frozen=True)
class Axis:
    """A horizontal axis on which every value of a factor has its place.

    On a logarithmic axis 0 sits left of an axis break and is labelled 0.

    Attributes:
        label: the factor, with its unit.
        scale: "category" gives every level one place: 0, 1, 2, ...
        levels: all values, in order.
        labels: their names; empty where the axis has numbers that need none.
        ticked: every level has a tick.
        ends: of the view; None: the data decide.
        factor: name of its column in the summary; "" for none.
    """

    label: str
    scale: Scale
    levels: tuple[object, ...]
    labels: tuple[str, ...] = ()
    ticked: bool = False
    ends: tuple[float, float] | None = None
    factor: str = ""

    @property
    def zero(self) -> float | None:
        """Where 0 is drawn on a logarithmic axis; None where it needs no place."""
        if self.scale != "log" or min(self.levels) > 0:
            return None
        smallest = min(value for value in self.levels if value > 0)
        decades = np.log10(max(self.levels) / smallest)
        return float(smallest / 10 ** max(0.3, 0.14 * decades))

    def place(self, values: Iterable[object]) -> np.ndarray:
        """Positions (float64) of values on the axis.

        Raises:
            ValueError: a value is not on an axis of categories.
        """
        if self.scale == "category":
            return np.array([self._index(value) for value in values], dtype=float)
        positions = np.array(list(values), dtype=float)
        return positions if self.zero is None else np.where(positions == 0, self.zero, positions)

    def value(self, place: float) -> object:
        """The value that has a place: the inverse of `place`."""
        if self.scale == "category":
            return self.levels[round(place)]
        return 0.0 if place == self.zero else place

    def _index(self, value: object) -> int:
        for index, known in enumerate(self.levels):
            if known == value or (_absent(known) and _absent(value)):
                return index
        raise ValueError(f"{value!r} is not on the axis; it has {list(self.levels)}")


@dataclass(frozen=True)
class Vertical:
    """A vertical axis.

    Attributes:
        label: the quantity on it.
        scale: its scale.
        limits: its ends; None: the data decide.
        ticks: (height, name) of its ticks; empty: the data decide.
    """

    label: str
    scale: Literal["linear", "log"] = "linear"
    limits: tuple[float | None, float | None] = (None, None)
    ticks: tuple[tuple[float, str], ...] = ()


@dataclass(frozen=True)
class Curve:
    """Means of one condition at several places.

    Attributes:
        label: its name, plain text; no other curve of the panel has it, but for parts of one.
        style: how it is drawn.
        x: places on the panel's axis, float64 (points,).
        y: means, float64 (points,).
        low, high: ends of the 95 % interval, float64 (points,); NaN where there is none.
        n: seeds behind each mean, int64 (points,).
        rows: index in the summary of the row behind each point, int64 (points,); -1 for none. Runs,
            checkpoints and the single seeds of a point are found through it.
        metric, split: of the rows, for the table of numbers.
        entries: labels of the entries of the legend that it belongs to.
        mark: "line" joins the points and shades the interval; "points" has error bars; "levels" are
            short level lines, `reach` to each side; "steps" is a filled histogram over bins around
            x; "ridge" is filled between `base` and base + height * y; "bars" are stacked along the
            vertical axis, with x from the top down and y to the right; "scatter" are single points.
        bands: further (low, high) around the means, such as quantiles, the widest first. Where
            there are some, the interval is drawn as error bars.
        mirrored: the means are 1 minus what was measured, and so are single seeds to be drawn.
        base, height, reach: see `mark`.
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
    entries: tuple[str, ...] = ()
    mark: Mark = "line"
    bands: tuple[tuple[np.ndarray, np.ndarray], ...] = ()
    mirrored: bool = False
    base: float = 0.0
    height: float = 1.0
    reach: float = 0.0


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
    """A heat map in place of curves; cell (i, j) covers i to i + 1 and j to j + 1.

    Attributes:
        label: the quantity, at the colour bar.
        values: float64 (rows, columns), NaN where nothing was measured; numbers of categories where
            `colormap` has colours of their own.
        rows: index in the summary of each cell, int64 (rows, columns); -1 for none.
        vertical: the axis of the rows; the panel's own axis is that of the columns.
        limits: ends of the colours.
        colormap: name of a matplotlib map, or the colours of the categories.
        categories: names of what cells are, such as a regime.
        groups: number of each cell's category, int64 (rows, columns); -1 for none. Lines are drawn
            between cells of two categories, and the first letter of each where it has most room.
    """

    label: str
    values: np.ndarray
    rows: np.ndarray
    vertical: Axis
    limits: tuple[float, float]
    colormap: str | tuple[str, ...]
    categories: tuple[str, ...]
    groups: np.ndarray


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
        note: a few words in a corner.
        equal: a unit is as long on both axes.
    """

    title: str
    x: Axis
    y: Vertical
    curves: tuple[Curve, ...] = ()
    published: tuple[Published, ...] = ()
    guides: tuple[Guide, ...] = ()
    heat: Heat | None = None
    ringed: float | None = None
    note: str = ""
    equal: bool = False


@dataclass(frozen=True)
class Entry:
    """An entry of the legend: a label and the mark that it explains.

    Attributes:
        label: plain text.
        style: of the mark.
        mark: a "line" with its marker, a "marker" alone, an inner "band" or the "outer" one of two,
            an error "bar", an "open" marker, a level or other "guide", an "upright" one, a "ring"
            around a marker, a filled "patch" (hatched where its line is dashed), or "none".
    """

    label: str
    style: Style
    mark: EntryMark = "line"


@dataclass(frozen=True)
class Legend:
    """Entries under one heading, which may be empty; a chart may have several."""

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


def _absent(value: object) -> bool:
    return value is None or value != value
