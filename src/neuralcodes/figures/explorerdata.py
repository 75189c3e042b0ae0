"""What interactive charts are made of: axes, dimensions, columns of points, and their runs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.colors import to_hex

from neuralcodes.figures import explorerseeds, marks
from neuralcodes.figures.marks import Style
from neuralcodes.figures.scales import Axis

DIGITS = 5  # significant ones of every number that a chart holds
PUBLISHED, READING = "Published values", "reading error"
FIGURE, FURTHER = "In the figure", "Further"
Role = Literal["colour", "dash", "choice"]
Json = dict[str, object]


@dataclass(frozen=True)
class Vertical:
    """A vertical axis: its label, scale, and ends (None where the data decide)."""

    label: str
    scale: str = "linear"
    limits: tuple[float | None, float | None] = (None, None)


@dataclass(frozen=True)
class Value:
    """One value of a dimension.

    Attributes:
        text: tells it apart in the page; plain text.
        label: its name for readers.
        style: how its points are drawn; None where the dimension has no look.
        axis: place of its horizontal axis among those of the chart; None for no own.
        vertical: its vertical axis; None for no own.
        group: heading among the values of a choice.
    """

    text: str
    label: str
    style: Style | None = None
    axis: int | None = None
    vertical: Vertical | None = None
    group: str = ""


@dataclass(frozen=True)
class Dimension:
    """What tells points apart besides x.

    Attributes:
        name: in the page.
        label: its name for readers.
        role: "colour" or "dash": all values at once; "choice": one at a time.
        options: its values; those of the static figure come first.
        selected: places of those that are shown at first; None for all of them, or for the
            first of a choice.
    """

    name: str
    label: str
    role: Role
    options: tuple[Value, ...]
    selected: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Part:
    """Rows of a summary that share their place in all dimensions.

    Attributes:
        rows: with mean, low, high and n; their index is that of the summary.
        x: column on the horizontal axis.
        axis: that axis.
        place: of the value in each dimension, None for any.
        bands: (low, high) around the means, in the order of the rows.
        mirrored: the means are 1 minus what was measured, and so shall be the single values.
    """

    rows: pd.DataFrame
    x: str
    axis: Axis
    place: tuple[int | None, ...]
    bands: tuple[tuple[np.ndarray, np.ndarray], ...] = ()
    mirrored: bool = False


@dataclass(frozen=True)
class Printed:
    """Published values: rows with the column x, value and reading_error."""

    rows: pd.DataFrame
    x: str
    axis: Axis
    place: tuple[int | None, ...]


@dataclass
class Draft:
    """A chart in the making; see `assemble` for what becomes of it.

    Attributes:
        form: "lines", "points" (error bars instead of bands), "steps", "scatter", "bars" or
            "phases".
        axes: horizontal axes; a chart has at least one.
        dimensions: what tells points apart.
        parts: our points.
        printed: published ones.
        vertical: axis where no choice has its own.
        guides: what `guide` makes.
        notes: (text, place in each dimension).
        bands: labels of `Part.bands`.
        interval: low and high are drawn, and not only told.
        top: end of the bands that have none.
        published_label: of the published values.
        error_label: what their errors are.
    """

    form: str
    axes: list[Json]
    dimensions: list[Dimension]
    vertical: Vertical = field(default_factory=lambda: Vertical(""))
    parts: list[Part] = field(default_factory=list)
    printed: list[Printed] = field(default_factory=list)
    guides: list[Json] = field(default_factory=list)
    notes: list[Json] = field(default_factory=list)
    bands: tuple[str, ...] = ()
    interval: bool = True
    top: float | None = None
    published_label: str = PUBLISHED
    error_label: str = READING


def axis_of(
    axis: Axis,
    name: str,
    marked: tuple[str, float | None] = ("", None),
    views: Sequence[tuple[str, Axis]] = (),
    ringed: float | None = None,
) -> Json:
    """Describe a horizontal axis.

    Args:
        axis: as the static figure has it.
        name: of its factor.
        marked: (meaning, place) of an upright line; no place for none.
        views: (name, axis) of all of it and of parts of it; none where there are no parts.
        ringed: whose markers have a ring; None for none.

    Returns:
        name, label, scale; levels, the numbers on it or the places of categories; labels, of
        categories; zero, where 0 is drawn on a logarithmic axis; marked; ringed; views, their
        ends.
    """
    category = axis.scale == "category"
    log = Axis("", "log", axis.levels)
    positive = not category and min(axis.levels) >= 0 < max(axis.levels)
    return {
        "name": name,
        "label": axis.label,
        "scale": axis.scale,
        "levels": list(range(len(axis.levels))) if category else rounded(axis.levels),
        "labels": [marks.value_label(value) for value in axis.levels] if category else None,
        "zero": one(log.zero) if positive else None,
        "marked": {"label": marked[0], "x": one(marked[1])} if marked[1] is not None else None,
        "ringed": one(ringed),
        "views": [
            {"label": label, "ends": rounded([view.levels[0], view.levels[-1]])}
            for label, view in views
        ],
    }


def guide(
    at: Sequence[int | None],
    label: str,
    y: object,
    x: object = None,
    *,
    style: Style | None = None,
) -> Json:
    """Describe a line to read points against: level at y, or through (x, y).

    Args:
        at: place in each dimension, None for any.
        label: its name.
        y: a number, or one for each of `x`.
        x: numbers; None for a level line.
        style: how it is drawn; None for a thin dotted line.
    """
    look = look_of(style or Style("#737373", "", ":"))
    heights = rounded(np.atleast_1d(y))
    places = None if x is None else rounded(x)
    return {"label": label, "at": _places(at), "x": places, "y": heights, **look}


def note(at: Sequence[int | None], text: str) -> Json:
    """Describe a line of text that a chart shows for some values of its dimensions."""
    return {"text": text, "at": _places(at)}


def look_of(style: Style) -> Json:
    """A style with its colour in hexadecimal; markers and dashes keep their names."""
    return {"color": to_hex(style.color), "symbol": style.marker, "dash": style.linestyle}


def assemble(draft: Draft, title: str, table: pd.DataFrame, summary: pd.DataFrame) -> Json:
    """Turn a draft into what the page gets, with the run and the seeds of every point.

    Args:
        draft: the chart.
        title: above it.
        table: the long table behind the summary.
        summary: as it was before anything was chosen from it.

    Returns:
        form, title, axes, y, dimensions, guides, notes, bands (labels), interval, top, points,
        published, labels, runs, epochs, spans and seeds: see `explorer.chart`.
    """
    parts = [part for part in draft.parts if len(part.rows)]
    index = np.concatenate([[], *(part.rows.index for part in parts)]).astype(int)
    columns, seeds = explorerseeds.members(table, summary, index)
    mirrored = np.concatenate([[], *(np.full(len(p.rows), p.mirrored) for p in parts)]) == 1
    if seeds["values"] is not None:
        kept = [np.where(mirrored, 1 - values, values) for values in seeds["values"]]
        seeds = {**seeds, "values": [rounded(values) for values in kept]}
    rows = [part.rows for part in parts]
    points = {
        "x": _joined(_x_of(part) for part in parts),
        "at": _at(parts, len(draft.dimensions)),
        **{name: _joined(each[name] for each in rows) for name in ("mean", "low", "high", "n")},
        **{name: columns[name] for name in ("run", "epoch", "span")},
    }
    if draft.bands:
        points["bands"] = [
            [_joined(part.bands[place][end] for part in parts) for end in (0, 1)]
            for place in range(len(draft.bands))
        ]
    return {
        "form": draft.form,
        "title": title,
        "axes": draft.axes,
        "y": vertical_of(draft.vertical),
        "dimensions": [_dimension(each) for each in draft.dimensions],
        "guides": draft.guides,
        "notes": draft.notes,
        "labels": {"published": draft.published_label, "error": draft.error_label},
        "bands": list(draft.bands),
        "interval": draft.interval,
        "top": one(draft.top),
        "points": points,
        "published": _published(draft),
        **{name: columns[name] for name in ("runs", "epochs", "spans")},
        "seeds": seeds,
    }


def rounded(values: Iterable[object]) -> list[int | float | None]:
    """Numbers with `DIGITS` significant digits; None for what is no finite number."""
    return [one(value) for value in values]


def one(value: object) -> int | float | None:
    """One number as `rounded` has them."""
    if value is None or not np.isfinite(float(value)):
        return None
    number = float(f"{float(value):.{DIGITS}g}")
    return int(number) if number.is_integer() else number


def vertical_of(vertical: Vertical) -> Json:
    """Describe a vertical axis."""
    return {
        "label": vertical.label,
        "scale": vertical.scale,
        "limits": [one(end) for end in vertical.limits],
    }


def _dimension(dimension: Dimension) -> Json:
    first = (0,) if dimension.role == "choice" else tuple(range(len(dimension.options)))
    return {
        "name": dimension.name,
        "label": dimension.label,
        "role": dimension.role,
        "values": [_value(value) for value in dimension.options],
        "selected": list(first if dimension.selected is None else dimension.selected),
    }


def _value(value: Value) -> Json:
    made: Json = {"text": value.text, "label": value.label}
    if value.style is not None:
        made |= look_of(value.style)
    if value.axis is not None:
        made["axis"] = value.axis
    if value.vertical is not None:
        made["y"] = vertical_of(value.vertical)
    if value.group:
        made["group"] = value.group
    return made


def _published(draft: Draft) -> Json:
    printed = [each for each in draft.printed if len(each.rows)]
    return {
        "x": _joined(_x_of(each) for each in printed),
        "at": _at(printed, len(draft.dimensions)),
        "value": _joined(each.rows["value"] for each in printed),
        "error": _joined(each.rows["reading_error"] for each in printed),
    }


def _x_of(part: Part | Printed) -> Iterable[object]:
    if part.axis.scale == "category":
        return part.axis.place(part.rows[part.x])
    return part.rows[part.x].astype(float)


def _at(parts: Sequence[Part | Printed], dimensions: int) -> list[list[int]]:
    places = [_places(part.place) for part in parts]
    lengths = [len(part.rows) for part in parts]
    return [
        [place[d] for place, length in zip(places, lengths, strict=True) for _ in range(length)]
        for d in range(dimensions)
    ]


def _places(at: Sequence[int | None]) -> list[int]:
    return [-1 if place is None else place for place in at]


def _joined(columns: Iterable[Iterable[object]]) -> list[int | float | None]:
    return [one(value) for column in columns for value in column]
