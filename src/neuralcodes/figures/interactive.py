"""A Chart for plotly: what the static figure shows, as plain data for the page."""

import html
import math
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.colors import to_hex

from neuralcodes.figures import maps, marks, seeds
from neuralcodes.figures.chart import (
    Axis,
    Chart,
    Curve,
    Entry,
    Guide,
    Heat,
    Panel,
    Published,
    Style,
)

Json = dict[str, Any]

DIGITS = 6  # significant ones of every number that a chart holds
FONT = '"DejaVu Sans", Verdana, Geneva, sans-serif'
INK, GREY, GRID = "#1a1a1a", "#737373", "#e0e0e0"
UPRIGHT, LEVEL = Style(GREY, "", "-", width=0.7), Style(GREY, "", ":", width=0.7)
OPACITY = 0.18  # of bands
POINT = 4 / 3  # pixels
HEIGHTS = {1: 420, 2: 330}  # of a panel in pixels, by the panels side by side
HEIGHT = 270  # of more than two
WIDE, NARROW = {1: 100, 2: 52}, 34  # letters that have room below a panel, likewise
SIGN = 9  # pixels of a panel's height for each letter beside it
DASHES = {
    "-": "solid",
    "--": "6px,3px",
    ":": "1.5px,2.5px",
    "-.": "7px,2.5px,1.5px,2.5px",
}
SYMBOLS = {
    **{"o": "circle", "s": "square", "^": "triangle-up", "v": "triangle-down"},
    **{"<": "triangle-left", ">": "triangle-right", "D": "diamond", "P": "cross", "X": "x"},
    **{"x": "x-thin", "*": "star", "|": "line-ns", ".": "circle"},
}


def figure(chart: Chart, table: pd.DataFrame, summary: pd.DataFrame) -> Json:
    """Give a chart to plotly.

    Args:
        chart: what the figure shows.
        table: the study's long table, with the single seeds.
        summary: what `tables.summarize` makes of it, which the chart was made from.

    Returns:
        What JSON can say. `rows`: of each how many panels have room side by side (`columns`), and
        its `panels`: the title, and plotly's `data` and `layout`. The `meta` of a trace say what it
        is (`role`), which entries of the legend it belongs to (`entries`), whether its values are
        `mirrored`, whether those of its `singles`, the seeds, can be drawn, and `x`; of its points,
        `customdata` holds the place in `points` (-1 for none), and as text x, the value, its
        interval and n. `legends`: title and entries with their look. `points`: what `seeds.behind`
        finds of the rows that are shown.
    """
    rows = sorted({int(row) for panel in chart.each_panel() for row in _rows(panel) if row >= 0})
    places = {row: place for place, row in enumerate(rows)}
    ranges = _ranges(chart)
    letters = iter(_letters(chart))
    grid, columns = [], 0
    for row in chart.panels:
        columns = max(columns, len(row))  # a last, shorter row does not stretch
        made = [
            {
                "title": _one_line(panel.title),
                "data": _traces(panel, places, chart),
                "layout": _layout(panel, next(letters), ranges[id(panel)], columns),
            }
            for panel in row
        ]
        grid.append({"columns": columns, "panels": made})
    behind = seeds.behind(table, summary, rows)
    if behind["values"] is not None:
        behind["values"] = [_numbers(column) for column in behind["values"]]
    return {
        "rows": grid,
        "legends": [
            {
                "title": legend.title,
                "entries": [
                    {"label": each.label, "mark": each.mark, **_look(each)}
                    for each in legend.entries
                ],
            }
            for legend in chart.legends
        ],
        "points": behind,
    }


def heights(made: Json) -> tuple[int, int]:
    """Pixels that the panels of a chart need: side by side as they are, and one below the other.

    Args:
        made: what `figure` gives.
    """
    rows = [[each["layout"]["height"] for each in row["panels"]] for row in made["rows"]]
    return sum(max(row) for row in rows), sum(sum(row) for row in rows)


def number(value: float) -> str:
    """A number as readers see it: four digits, a proper minus, thousands set apart."""
    if not math.isfinite(value):
        return "unknown" if math.isnan(value) else "unbounded"
    if float(value).is_integer() and abs(value) < 1e9:
        return marks.value_label(int(value)).replace("-", "\u2212")
    return f"{value:.4g}".replace("-", "\u2212")


def interval(low: float, high: float) -> str:
    """An interval as readers see it; "" for none."""
    return f"{number(low)} to {number(high)}" if math.isfinite(low) else ""


def _letters(chart: Chart) -> list[str]:
    """A letter for each panel; maps of several categories, side by side, share the first one's."""
    panels = list(chart.each_panel())
    named = [p.heat is not None and not isinstance(p.heat.colormap, str) for p in panels]
    first = named.index(True) + 1 if any(named) else len(panels)
    if not 1 < first <= 26:
        return [""] * len(panels)
    return [*"abcdefghijklmnopqrstuvwxyz"[:first], *[""] * (len(panels) - first)]


def _rows(panel: Panel) -> Iterable[int]:
    for curve in panel.curves:
        yield from curve.rows.tolist()
    if panel.heat is not None:
        yield from panel.heat.rows.ravel().tolist()


# ---- Traces ----


def _traces(panel: Panel, places: dict[int, int], chart: Chart) -> list[Json]:
    if panel.heat is not None:
        return _heat(panel, panel.heat, places)
    traces = [_line(guide) for guide in panel.guides if guide.at is None]
    for curve in panel.curves:
        traces += _bands(curve)
    for curve in panel.curves:
        traces.append(_curve(panel, curve, places))
    opened = [e.label for legend in chart.legends for e in legend.entries if e.mark == "open"]
    entries = {curve.label: curve.entries for curve in panel.curves}
    for theirs in panel.published:
        traces.append(_published(panel, theirs, [*entries.get(theirs.label, ()), *opened]))
    return traces


def _curve(panel: Panel, curve: Curve, places: dict[int, int]) -> Json:
    style = curve.style
    x, y = _numbers(curve.x), _numbers(curve.y)
    trace: Json = {
        "type": "scatter",
        "name": curve.label,
        "mode": "+".join(_modes(curve)),
        "x": x,
        "y": y,
        "line": {**_stroke(style), **({"width": 1} if curve.mark == "points" else {})},
        "marker": _marker(style, ringed=curve.x == panel.ringed),
        "customdata": _told(panel.x, curve, places),
        "hovertemplate": _template(panel, curve),
        "meta": {
            "role": "curve",
            "entries": list(curve.entries),
            "mirrored": curve.mirrored,
            "x": _one_line(panel.x.label),
            "singles": curve.mark in ("line", "points", "levels"),
        },
    }
    if curve.mark == "bars":
        hatch = {"pattern": {"shape": "/", "fgcolor": "#ffffff"}} if style.linestyle == "--" else {}
        trace |= {"type": "bar", "orientation": "h", "x": y, "y": x, "width": 0.62}
        trace["marker"] = {
            "color": style.color,
            "line": {"color": "#ffffff", "width": 0.7},
            **hatch,
        }
        del trace["line"], trace["mode"]
    elif curve.mark == "levels":
        trace |= _levels(curve, trace["customdata"])
    elif curve.mark == "steps":
        trace["line"]["shape"] = "hvh"
        trace |= {"fill": "tozeroy", "fillcolor": _faint(style.color, 0.4)}
    elif curve.mark == "ridge":
        trace |= {"y": _numbers(curve.base + curve.height * curve.y)}
        trace["line"] = {"color": "#000000", "width": 0.8}
    whiskers = curve.mark == "points" or (curve.mark == "line" and curve.bands)
    if whiskers and np.isfinite(curve.low).any():
        trace["error_y"] = _whiskers(curve.y, curve.low, curve.high, style)
    return trace


def _modes(curve: Curve) -> list[str]:
    lines = curve.style.linestyle != "" and curve.mark != "scatter"
    marked = curve.style.marker != "" and curve.mark not in ("steps", "ridge", "levels")
    return [name for name, drawn in (("lines", lines), ("markers", marked)) if drawn] or ["none"]


def _bands(curve: Curve) -> list[Json]:
    """The interval and further bands around a curve, as areas behind all curves."""
    if curve.mark == "ridge":
        top, bottom = curve.base + curve.height * curve.y, np.full(len(curve.x), curve.base)
        return [_area(curve, "curve", bottom, top, 0.75)]
    if curve.mark != "line":
        return []
    bands = curve.bands or ((curve.low, curve.high),)
    return [_area(curve, "band", *band) for band in bands if np.isfinite(band[0]).any()]


def _area(
    curve: Curve, role: str, low: np.ndarray, high: np.ndarray, opacity: float = OPACITY
) -> Json:
    x, y = [], []
    known = np.isfinite(low) & np.isfinite(high)
    for part in np.split(np.arange(len(known)), np.flatnonzero(np.diff(known)) + 1):
        if known[part[0]]:
            x += [*_numbers(curve.x[part]), *_numbers(curve.x[part][::-1]), None]
            y += [*_numbers(low[part]), *_numbers(high[part][::-1]), None]
    return {
        **{"type": "scatter", "mode": "none", "x": x[:-1], "y": y[:-1]},
        **{"fill": "toself", "fillcolor": _faint(curve.style.color, opacity), "hoverinfo": "skip"},
        "meta": {"role": role, "entries": list(curve.entries)},
    }


def _levels(curve: Curve, told: list[list[object]]) -> Json:
    """Short level lines, which end at a gap."""
    x, y, data = [], [], []
    for place, value, each in zip(curve.x, curve.y, told, strict=True):
        x += [*_numbers([place - curve.reach, place, place + curve.reach]), None]
        y += [*_numbers([value] * 3), None]
        data += [each, each, each, None]
    return {"x": x[:-1], "y": y[:-1], "customdata": data[:-1], "mode": "lines"}


def _published(panel: Panel, theirs: Published, entries: Sequence[str]) -> Json:
    told = [
        [-1, _text(panel.x, place), f"{number(value)} \u00b1 {number(error)}"]
        for place, value, error in zip(theirs.x, theirs.value, theirs.error, strict=True)
    ]
    error = np.nan_to_num(theirs.error)
    return {
        "type": "scatter",
        "mode": "markers",
        "name": theirs.label,
        "x": _numbers(theirs.x),
        "y": _numbers(theirs.value),
        "error_y": _whiskers(
            theirs.value, theirs.value - error, theirs.value + error, theirs.style
        ),
        "marker": _marker(Style(theirs.style.color, theirs.style.marker, filled=False, size=5)),
        "customdata": told,
        "hovertemplate": _lines(
            f"<b>{_plain(theirs.label)}</b>, published",
            f"{_plain(panel.x.label)}: %{{customdata[1]}}",
            f"{_plain(panel.y.label)}: <b>%{{customdata[2]}}</b> (reading error)",
        ),
        "meta": {"role": "published", "entries": list(entries)},
    }


def _line(guide: Guide) -> Json:
    return {
        **{"type": "scatter", "mode": "lines", "hoverinfo": "skip", "name": guide.label},
        **{"x": _numbers(guide.x), "y": _numbers(guide.y), "line": _guide(guide)},
        "meta": {"role": "guide", "entries": [guide.label]},
    }


def _heat(panel: Panel, heat: Heat, places: dict[int, int]) -> list[Json]:
    values = np.asarray(heat.values, float)
    rows, columns = heat.rows.shape
    kind = [
        [f"<b>{_plain(heat.categories[group])}</b>" if group >= 0 else "" for group in line]
        for line in heat.groups.tolist()
    ]
    told = [
        [
            [
                places.get(int(heat.rows[i, j]), -1),
                f"{_name(panel.x, j)}, {heat.vertical.label} {_name(heat.vertical, i)}",
                number(values[i, j]),
                kind[i][j],
                _name(panel.x, j),
                _name(heat.vertical, i),
            ]
            for j in range(columns)
        ]
        for i in range(rows)
    ]
    named = not isinstance(heat.colormap, str)
    shown: Json = {
        "type": "heatmap",
        "name": heat.label,
        "x": [j + 0.5 for j in range(columns)],
        "y": [i + 0.5 for i in range(rows)],
        "z": [_numbers(line) for line in values],
        "zmin": heat.limits[0],
        "zmax": heat.limits[1],
        "colorscale": _scale(heat.colormap),
        "showscale": not named,
        "colorbar": {
            "title": {"text": _plain(heat.label), "side": "right", "font": {"size": 11}},
            **{"thickness": 12, "tickfont": {"size": 10}, "outlinewidth": 0},
        },
        "hoverongaps": False,
        "customdata": told,
        "hovertemplate": _lines(
            f"{_plain(panel.x.label)}: %{{customdata[4]}}",
            f"{_plain(heat.vertical.label)}: %{{customdata[5]}}",
            "%{customdata[3]}" if named else f"{_plain(heat.label)}: <b>%{{customdata[2]}}</b>",
            *([] if named else ["%{customdata[3]}"]),
        ),
        "meta": {"role": "curve", "entries": [], "x": _one_line(panel.x.label)},
    }
    sides = maps.borders(heat.groups)
    x = [place for (start, _), (end, _) in sides for place in (start, end, None)]
    y = [place for (_, start), (_, end) in sides for place in (start, end, None)]
    # A white rim keeps the border visible on dark cells.
    return [
        shown,
        *(
            {
                **{"type": "scatter", "mode": "lines", "hoverinfo": "skip", "x": x, "y": y},
                "line": {"color": color, "width": width},
                "meta": {"role": "guide", "entries": []},
            }
            for color, width in (("#ffffff", 4), (INK, 1.8))
            if sides
        ),
    ]


# ---- What is told of a point ----


def _told(axis: Axis, curve: Curve, places: dict[int, int]) -> list[list[object]]:
    return [
        [
            places.get(int(row), -1),
            _text(axis, x),
            number(y),
            interval(low, high) or "none",
            int(n),
        ]
        for row, x, y, low, high, n in zip(
            curve.rows, curve.x, curve.y, curve.low, curve.high, curve.n, strict=True
        )
    ]


def _template(panel: Panel, curve: Curve) -> str:
    """What stands beside the mouse: the measure by its name, its mean, its interval and n."""
    measure = panel.y.label if curve.mirrored or not curve.metric else _measure(curve)
    return _lines(
        f"<b>{_plain(curve.label)}</b>",
        f"{_plain(panel.x.label)}: %{{customdata[1]}}",
        f"{_plain(measure)}: mean <b>%{{customdata[2]}}</b>",
        "95% interval: %{customdata[3]}",
        "n = %{customdata[4]}",
    )


def _measure(curve: Curve) -> str:
    label = marks.metric_label(curve.metric)
    return f"{label}, {marks.SPLITS.get(curve.split, curve.split)}" if curve.split else label


def _lines(*lines: str) -> str:
    return "<br>".join(lines) + "<extra></extra>"


def _text(axis: Axis, place: float) -> str:
    """The value at a place, as readers name it."""
    if axis.scale == "category":
        return _name(axis, round(place))
    value = axis.value(place)
    return (
        axis.labels[axis.levels.index(value)]
        if value in axis.levels and axis.labels
        else number(value)
    )


def _name(axis: Axis, place: int) -> str:
    return axis.labels[place] if axis.labels else marks.value_label(axis.levels[place])


def _one_line(text: str) -> str:
    return ", ".join(text.split("\n"))


def _plain(text: str) -> str:
    """Labels are data: plotly must take them neither for markup nor for a name of its own."""
    return html.escape(text, quote=False).replace("%{", "%&#123;")


# ---- Looks ----


def _look(entry: Entry) -> Json:
    style = entry.style
    if entry.mark in ("guide", "upright") and not style.color:
        style = LEVEL if entry.mark == "guide" else UPRIGHT
    return {
        "color": style.color or GREY,
        "symbol": style.marker,
        "dash": DASHES.get(style.linestyle, ""),
        "filled": style.filled,
    }


def _stroke(style: Style) -> Json:
    width = POINT * (1.2 if style.width is None else style.width)
    return {
        "color": style.color,
        "width": round(width, 2),
        "dash": DASHES.get(style.linestyle, "solid"),
    }


def _marker(style: Style, ringed: np.ndarray | None = None) -> Json:
    symbol = SYMBOLS.get(style.marker, "circle")
    size = round(POINT * (4.5 if style.size is None else style.size), 1)
    marker: Json = {"color": style.color, "size": size, "symbol": symbol}
    thin = symbol in ("x-thin", "line-ns")
    if not style.filled or thin:
        marker |= {"symbol": f"{symbol}-open", "line": {"color": style.color, "width": 1.4}}
    elif ringed is not None and ringed.any():
        marker["line"] = {"color": "#000000", "width": [1.4 * each for each in ringed.tolist()]}
    return marker


def _whiskers(mean: np.ndarray, low: np.ndarray, high: np.ndarray, style: Style) -> Json:
    return {
        **{"type": "data", "symmetric": False, "color": style.color, "thickness": 1.2, "width": 0},
        **{"array": _numbers(high - mean), "arrayminus": _numbers(mean - low)},
    }


def _guide(guide: Guide) -> Json:
    return _stroke(guide.style or (UPRIGHT if guide.axis == "x" else LEVEL))


def _faint(color: str, opacity: float) -> str:
    red, green, blue = (int(color[k : k + 2], 16) for k in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"


def _scale(colormap: str | tuple[str, ...]) -> list[list[object]]:
    """Nine colours of a map, or each category's from one border to the next."""
    if isinstance(colormap, str):
        return [[k / 8, to_hex(matplotlib.colormaps[colormap](k / 8))] for k in range(9)]
    count = len(colormap)
    return [[(k + end) / count, color] for k, color in enumerate(colormap) for end in (0, 1)]


# ---- Axes ----


def _layout(panel: Panel, letter: str, heights: list[float], columns: int) -> Json:
    title = _plain(_one_line(panel.title))
    title = f"<b>{letter}</b>\u2002{title}" if letter else title
    barred = any(curve.mark == "bars" for curve in panel.curves)
    x, y = _horizontal(panel), _vertical(panel, heights)
    height = HEIGHTS.get(columns, HEIGHT)
    for axis, room in ((x, WIDE.get(columns, NARROW)), (y, height // SIGN)):
        axis["title"]["text"] = "<br>".join(map(_plain, textwrap.wrap(axis["title"]["text"], room)))
    if barred:
        x, y = y, {**x, "range": x["range"][::-1]}
        height = 120 + 28 * len(panel.x.levels)
    if panel.equal:
        y |= {"scaleanchor": "x"}
    notes = [*_totals(panel), *_names(panel.heat)]
    if panel.note:
        notes.append(_note(panel.note))
    if panel.x.zero is not None and not barred and panel.heat is None:
        smallest = min(value for value in panel.x.levels if value > 0)
        notes.append(_break(math.log10(math.sqrt(panel.x.zero * smallest))))
    return {
        "height": height,
        "autosize": True,
        "font": {"family": FONT, "size": 11, "color": INK},
        "paper_bgcolor": "#ffffff",
        "plot_bgcolor": "#ffffff",
        "showlegend": False,
        "hovermode": "closest",
        "barmode": "stack",
        "title": {"text": title, "x": 0.02, "y": 0.98, "yanchor": "top", "font": {"size": 12}},
        "margin": {"l": 52, "r": 10, "t": 28 if title else 10, "b": 44},
        "hoverlabel": {"bgcolor": "#ffffff", "font": {"size": 12, "color": INK}, "align": "left"},
        "xaxis": x,
        "yaxis": y,
        "shapes": [_across(guide) for guide in panel.guides if guide.at is not None],
        "annotations": notes,
    }


def _across(guide: Guide) -> Json:
    level = guide.axis == "y"
    own, other = ("y", "x") if level else ("x", "y")
    return {
        **{"type": "line", "layer": "between", "line": _guide(guide)},
        **{f"{own}0": guide.at, f"{own}1": guide.at},
        **{f"{other}ref": "paper", f"{other}0": 0, f"{other}1": 1},
    }


def _totals(panel: Panel) -> Iterable[Json]:
    """The length of each stack of bars, at its end."""
    bars = [curve for curve in panel.curves if curve.mark == "bars"]
    for place, total in enumerate(np.sum([curve.y for curve in bars], axis=0) if bars else ()):
        look = {"showarrow": False, "xanchor": "left", "xshift": 4}
        yield {"x": float(f"{total:.{DIGITS}g}"), "y": place, "text": f"{total:.3f}", **look}


def _names(heat: Heat | None) -> Iterable[Json]:
    """The first letter of each category of a heat map, where it has most room."""
    for group, name in enumerate(heat.categories) if heat is not None else ():
        cell = maps.roomiest(heat.groups, group)
        if cell is not None:
            look = {"showarrow": False, "bgcolor": "rgba(255,255,255,0.75)", "borderpad": 1}
            place = {"x": cell[1] + 0.5, "y": cell[0] + 0.5}
            yield {**place, "text": f"<b>{_plain(name[:1].upper())}</b>", **look}


def _note(text: str) -> Json:
    corner = {
        "xref": "paper",
        "yref": "paper",
        "x": 1,
        "y": 1,
        "xanchor": "right",
        "yanchor": "top",
    }
    look = {"showarrow": False, "font": {"size": 11}, "bgcolor": "rgba(255,255,255,0.8)"}
    return {"text": _plain(_one_line(text)), **look, **corner}


def _break(place: float) -> Json:
    own = {"x": place, "y": 0, "yref": "paper", "yanchor": "middle", "bgcolor": "#ffffff"}
    return {"text": "//", "showarrow": False, "borderpad": 0, "font": {"size": 10}, **own}


def _axis(label: str) -> Json:
    return {
        "title": {"text": label, "standoff": 6, "font": {"size": 11}},
        "automargin": True,
        "showline": True,
        "linecolor": INK,
        "ticks": "outside",
        "ticklen": 4,
        "tickcolor": INK,
        "zeroline": False,
        "gridcolor": GRID,
        "exponentformat": "power",
        "minexponent": 5,
        "nticks": 7,
        "tickfont": {"size": 10},
    }


def _horizontal(panel: Panel) -> Json:
    axis, made = panel.x, {**_axis(panel.x.label), "showgrid": False}
    if panel.heat is not None:
        return {**made, **_cells(axis)}
    if axis.scale == "category":
        ends = [-0.5, len(axis.levels) - 0.5]
        names = [_name(axis, place) for place in range(len(axis.levels))]
        return {**made, "range": ends, **_ticks(range(len(axis.levels)), names)}
    places = axis.place(axis.levels) if axis.ends is None else np.array(axis.ends)
    if axis.scale == "log":
        low, high = np.log10([places.min(), places.max()])
        made |= {"type": "log", **_log_axis(axis)}
    else:
        low, high = float(places.min()), float(places.max())
        few = high - low <= 10 and all(float(level).is_integer() for level in axis.levels)
        if axis.ticked or few:
            made |= _of_levels(axis, axis.levels)
    margin = 0 if axis.ends else 0.045 * (high - low) or 0.5
    return {**made, "range": _numbers([low - margin, high + margin])}


def _vertical(panel: Panel, heights: list[float]) -> Json:
    if panel.heat is not None:
        return {
            **_axis(panel.heat.vertical.label),
            "showgrid": False,
            **_cells(panel.heat.vertical),
        }
    made = {**_axis(panel.y.label), "type": panel.y.scale, "range": heights}
    if panel.y.ticks:
        places, names = zip(*panel.y.ticks, strict=True)
        made |= _ticks(places, names)
    elif panel.y.scale == "log":
        made |= _log_ticks(*(10**end for end in heights))
    return made


def _cells(axis: Axis) -> Json:
    count = len(axis.levels)
    every = max(1, math.ceil(count / 8))
    shown = range(0, count, every)
    names = [_name(axis, place) for place in shown]
    return {"range": [0, count], **_ticks([place + 0.5 for place in shown], names)}


def _ticks(places: Iterable[Any], names: Iterable[str]) -> Json:
    return {
        "tickmode": "array",
        "tickvals": _numbers(places),
        "ticktext": [_plain(name) for name in names],
    }


def _of_levels(axis: Axis, levels: Sequence[Any]) -> Json:
    """Ticks at some of an axis's levels."""
    names = [
        axis.labels[axis.levels.index(each)] if axis.labels else number(each) for each in levels
    ]
    return _ticks(axis.place(levels), names)


def _log_axis(axis: Axis) -> Json:
    """Powers of ten, or levels that are not too near where there is at most one power."""
    positive = [float(level) for level in axis.levels if level > 0]
    low, high = positive[0], positive[-1]
    between = math.floor(math.log10(high) + 1e-9) - math.ceil(math.log10(low) - 1e-9)
    if axis.ticked:
        return _of_levels(axis, axis.levels)
    if between >= 1:
        return _log_ticks(low, high, (1,), axis.zero)
    chosen, gap = positive[:1], (high / low) ** (1 / 6)
    for level in positive[1:]:
        if level >= chosen[-1] * gap * (1 - 1e-9):
            chosen.append(level)
    return _of_levels(axis, chosen if axis.zero is None else [0, *chosen])


def _log_ticks(
    low: float, high: float, steps: Sequence[int] = (), zero: float | None = None
) -> Json:
    """These multiples of the powers of ten between two ends; without any, as many as have room."""
    exponents = range(math.floor(math.log10(low)), math.floor(math.log10(high) + 1e-9) + 1)

    def of(steps: Sequence[int]) -> list[float]:
        every = [float(f"{step}e{k}") for k in exponents for step in steps]
        return [each for each in every if low * (1 - 1e-9) <= each <= high * (1 + 1e-9)]

    span = high / low
    ticks = of(steps or ((1, 2, 5) if span < 50 else (1, 3) if span < 300 else (1,)))
    ticks = ticks if len(ticks) > 1 else of(range(1, 10)) or [low, high]
    ticks = ticks[:: math.ceil(len(ticks) / 8)]
    powers = max(ticks) >= 1e5 or min(ticks) < 1e-3
    names = [_power(tick) if powers else number(tick) for tick in ticks]
    if zero is not None:
        ticks, names = [zero, *ticks], ["0", *names]
    shown = {"tickmode": "array", "tickvals": _numbers(ticks), "ticktext": names}
    minor = {"tickmode": "array", "tickvals": _numbers(of(range(1, 10))), "ticks": "outside"}
    return {**shown, "minor": {**minor, "ticklen": 2.5}}


def _power(value: float) -> str:
    mantissa, exponent = f"{value:.0e}".split("e")
    power = f"10<sup>{int(exponent)}</sup>".replace("-", "\u2212")
    return power if mantissa == "1" else f"{mantissa}\u00b7{power}"


def _ranges(chart: Chart) -> dict[int, list[float]]:
    """The vertical range of each panel, by its identity: its own, its row's, or that of all."""
    groups = [[panel] for panel in chart.each_panel()]
    if chart.share_y == "row":
        groups = [list(row) for row in chart.panels]
    elif chart.share_y == "all":
        groups = [list(chart.each_panel())]
    return {id(panel): _range(group) for group in groups for panel in group}


def _range(panels: Sequence[Panel]) -> list[float]:
    vertical = panels[0].y
    means, ends, others = (_finite(part(panels)) for part in (_means, _ends, _others))
    if vertical.scale == "log":
        means, ends, others = (part[part > 0] for part in (means, ends, others))
        # an interval far from its mean would take the room of all others
        ends = ends[(ends > np.min(means, initial=1) / 2) & (ends < 2 * np.max(means, initial=0))]
        means, ends, others = (np.log10(part) for part in (means, ends, others))
    known = np.concatenate([means, ends, others])
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    margin = 0.05 * (high - low) or 0.05 * abs(high) or 0.05
    low, high = low - margin, high + margin
    drawn = {curve.mark for panel in panels for curve in panel.curves}
    fractions = vertical.scale == "linear" and drawn <= {"line", "points", "levels"} and len(means)
    if fractions and means.min() >= 0 and means.max() <= 1:
        low, high = max(low, -0.05), min(high, 1.05)
    if drawn & {"steps", "bars"}:
        low, high = 0.0, high + margin
    limits = [None if end is None else float(end) for end in vertical.limits]
    if vertical.scale == "log":
        limits = [None if end is None else math.log10(end) for end in limits]
    return _numbers(
        [low if limits[0] is None else limits[0], high if limits[1] is None else limits[1]]
    )


def _means(panels: Sequence[Panel]) -> Iterable[np.ndarray]:
    for panel in panels:
        bars = [curve for curve in panel.curves if curve.mark == "bars"]
        if bars:
            yield np.sum([curve.y for curve in bars], axis=0)
        for curve in panel.curves:
            if curve.mark != "bars":
                yield curve.base + curve.height * curve.y


def _ends(panels: Sequence[Panel]) -> Iterable[np.ndarray]:
    for panel in panels:
        for curve in panel.curves:
            if curve.mark not in ("bars", "ridge"):
                yield from (curve.low, curve.high)


def _others(panels: Sequence[Panel]) -> Iterable[np.ndarray]:
    for panel in panels:
        for curve in panel.curves:
            for band in curve.bands:
                yield from band
        for theirs in panel.published:
            error = np.nan_to_num(theirs.error)
            yield from (theirs.value - error, theirs.value + error)
        for guide in panel.guides:
            if guide.y is not None:
                yield guide.y
            elif guide.axis == "y" and guide.at is not None:
                yield np.array([guide.at])


def _finite(parts: Iterable[np.ndarray]) -> np.ndarray:
    known = np.concatenate([np.zeros(0), *(np.asarray(part, float) for part in parts)])
    return known[np.isfinite(known)]


def _numbers(values: Iterable[Any]) -> list[float | None]:
    """Numbers as JSON has them, shortened; None for what is no number."""
    return [
        None if not math.isfinite(value) else float(f"{float(value):.{DIGITS}g}")
        for value in np.asarray(list(values), dtype=float).tolist()
    ]
