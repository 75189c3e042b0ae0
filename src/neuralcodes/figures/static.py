"""Draws any Chart with matplotlib, for paper: one layout, three formats, reproducible files."""

import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path

import matplotlib
import matplotlib.style
import numpy as np
from matplotlib import ticker
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke

from neuralcodes.errors import DataError
from neuralcodes.figures import maps
from neuralcodes.figures.chart import (
    Axis,
    Chart,
    Curve,
    Entry,
    Guide,
    Heat,
    Legend,
    Panel,
    Published,
    Style,
    Vertical,
)
from neuralcodes.storage import jobs

FORMATS = ("pdf", "png", "svg")
WIDTH = 6.9  # inches, both columns of a page
CHARACTER = 0.052  # inches of a character of small text
HANDLE = 0.45  # inches of a legend's mark with the gaps around it
LINE = 0.135  # inches of a line of a legend
BAND_ALPHA = 0.18
GUIDE = {"color": "0.45", "linewidth": 0.7}
HATCH = "////"
# Span of a logarithmic axis below which these multiples of each power of ten are labelled.
LABELLED = {50: (1.0, 2.0, 5.0), 300: (1.0, 3.0), np.inf: (1.0,)}
# Without dates and versions the same figure gives the same bytes.
_METADATA = {
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
}


def use_style(path: str | Path) -> None:
    """Use one style file for all figures that follow, whatever the user's matplotlib settings.

    Raises:
        DataError: the file does not exist.
    """
    if not Path(path).is_file():
        raise DataError(f"the style file {path} does not exist; it belongs to the project")
    matplotlib.rcdefaults()
    matplotlib.style.use(path)


def save(figure: Figure, stem: str | Path) -> list[Path]:
    """Write a figure as stem.pdf, stem.png (200 dpi) and stem.svg, each whole or not at all.

    Returns:
        The three paths. The same figure gives the same bytes.
    """
    stem = Path(stem)
    paths = [stem.with_name(f"{stem.name}.{kind}") for kind in FORMATS]
    for kind, path in zip(FORMATS, paths, strict=True):
        with jobs.atomic(path) as temporary:
            figure.savefig(temporary, format=kind, metadata=_METADATA[kind])
    return paths


def draw(chart: Chart) -> Figure:
    """Draw a Chart.

    The legends stand in a free place of the grid of panels, or else below it, each heading in a
    line of its own.
    """
    columns = max(len(row) for row in chart.panels)
    heats = any(panel.heat is not None for panel in chart.each_panel())
    free = not heats and len(chart.panels) > 1 and len(chart.panels[-1]) < columns
    groups = [] if free else _lines(chart.legends)
    heights = [_height(row) for row in chart.panels]
    below = sum(rows for _, _, rows in groups) * LINE + 0.1
    height = sum(heights) + below + 0.25
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    figure.get_layout_engine().set(rect=(0, below / height, 1, 1 - below / height))
    figure.suptitle(chart.title)
    letters = iter(_letters(chart, heats=heats))
    if heats:
        _draw_maps(figure, chart, heights, letters)
    else:
        _draw_grid(figure, chart, heights, columns, letters, free=free)
    top = (below - 0.07) / height
    for handles, across, rows in groups:
        place = {"loc": "upper center", "bbox_to_anchor": (0.5, top), "borderaxespad": 0}
        legend = figure.legend(handles=handles, ncols=across, borderpad=0, **place)
        legend.set_in_layout(False)
        top -= rows * LINE / height
    _keep_places(figure)
    return figure


def add_legend(figure: Figure, handles: Sequence[Artist]) -> None:
    """Put one legend below all panels of a figure without a Chart, so that it covers no data."""
    figure.legend(handles=list(handles), loc="outside lower center", ncols=_across(handles))


def add_letter(axes: Axes, letter: str, title: str = "") -> None:
    """Write the bold panel letter and the panel's title above the axes."""
    axes.set_title(letter, loc="left", fontweight="bold", fontsize=8)
    axes.set_title(title, loc="center")


def _height(row: Sequence[Panel]) -> float:
    """Height of a row of panels in inches."""
    first = row[0]
    if first.heat is not None:
        return 1.95 if len(row) <= 2 else 1.55
    if first.equal:
        return min(WIDTH / len(row), 2.4) + 0.42
    marks = {curve.mark for panel in row for curve in panel.curves}
    if "bars" in marks:
        return 0.24 * len(first.x.levels) + 0.5
    return 2.15 if "ridge" in marks else 1.75


def _letters(chart: Chart, *, heats: bool) -> list[str]:
    """A letter for each panel; maps of several categories in a row share one."""
    alphabet = "abcdefghijklmnopqrstuvwxyz"
    panels = list(chart.each_panel())
    if heats:
        first = next((i for i, p in enumerate(panels) if _categorical(p)), len(panels))
        return [*alphabet[: first + 1], *[""] * (len(panels) - first - 1)]
    return list(alphabet[: len(panels)]) if 1 < len(panels) <= 26 else [""] * len(panels)


def _categorical(panel: Panel) -> bool:
    return panel.heat is not None and not isinstance(panel.heat.colormap, str)


def _keep_places(figure: Figure) -> None:
    """Lay the figure out once for all formats, and so that noise of the solver changes no byte."""
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for axes in figure.axes:
        axes.set_position(np.round(axes.get_position(original=True).bounds, 5))


def _draw_grid(
    figure: Figure,
    chart: Chart,
    heights: Sequence[float],
    columns: int,
    letters: Iterable[str],
    *,
    free: bool,
) -> None:
    rows = chart.panels
    grid = figure.subplots(
        len(rows), columns, squeeze=False, sharey=chart.share_y, height_ratios=heights
    )
    letter = iter(letters)
    for i, j in np.ndindex(grid.shape):
        axes = grid[i, j]
        if j >= len(rows[i]):
            axes.set_axis_off()
            continue
        panel = rows[i][j]
        under = i + 1 < len(rows) and j < len(rows[i + 1]) and rows[i + 1][j].x == panel.x
        _draw_panel(axes, panel, WIDTH / columns, labelled=not under)
        add_letter(axes, next(letter), panel.title)
        if j > 0 and (chart.share_y != "none" or rows[i][0].y.label == panel.y.label == ""):
            axes.set_ylabel("")
    for i, j in np.ndindex(grid.shape):
        if j < len(rows[i]):
            _keep_to_fractions(grid[i, j], rows[i][j])
    figure.align_ylabels(grid[:, 0])
    if free:
        handles = [h for legend in chart.legends for h in _handles(legend)]
        legend = grid[-1, -1].legend(handles=handles, loc="center")
        legend.set_in_layout(False)


def _draw_panel(axes: Axes, panel: Panel, inches: float, *, labelled: bool) -> None:
    bars = [curve for curve in panel.curves if curve.mark == "bars"]
    if bars:
        _draw_bars(axes, panel, bars)
        return
    axes.set_yscale(panel.y.scale)
    for guide in panel.guides:
        _draw_guide(axes, guide)
    for curve in panel.curves:
        _DRAW[curve.mark](axes, curve)
        if panel.ringed is not None:
            _ring(axes, curve, panel.ringed)
    for values in panel.published:
        _draw_published(axes, values)
    _apply_x(axes, panel.x, inches)
    if labelled:
        axes.set_xlabel(_wrapped(panel.x.label, int(18.5 * inches)))
    _apply_y(axes, panel.y)
    if panel.equal:
        axes.set_box_aspect(1)
        axes.set_aspect("equal", adjustable="datalim")
        axes.grid(visible=False)
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(ticker.MaxNLocator(4, steps=[1, 2, 5, 10]))
    if panel.note:
        place = {"transform": axes.transAxes, "ha": "right", "va": "top", "zorder": 6}
        rim = [withStroke(linewidth=2, foreground="white")]
        axes.text(0.98, 0.98, panel.note, path_effects=rim, **place)


def _line_look(style: Style) -> dict[str, object]:
    look: dict[str, object] = {
        "color": style.color,
        "marker": style.marker,
        "linestyle": style.linestyle,
    }
    if not style.filled:
        look["markerfacecolor"] = "white"
    if style.width is not None:
        look["linewidth"] = style.width
    if style.size is not None:
        look["markersize"] = style.size
    return look


def _draw_line(axes: Axes, curve: Curve) -> None:
    shades = curve.bands or ((curve.low, curve.high),)
    for low, high in shades:
        if np.isfinite(low).any():
            look = {"color": curve.style.color, "alpha": BAND_ALPHA, "linewidth": 0}
            axes.fill_between(curve.x, low, high, zorder=1.5, **look)
    if curve.bands:
        _draw_intervals(axes, curve, 0.7)
    axes.plot(curve.x, curve.y, label=curve.label, zorder=2.5, **_line_look(curve.style))


def _draw_points(axes: Axes, curve: Curve) -> None:
    look = {"linewidth": 0.6, **_line_look(curve.style)}
    axes.plot(curve.x, curve.y, label=curve.label, zorder=2.5, **look)
    _draw_intervals(axes, curve, 1.0)


def _draw_intervals(axes: Axes, curve: Curve, width: float) -> None:
    if np.isfinite(curve.low).any():
        look = {"color": curve.style.color, "linewidth": width, "zorder": 2.4}
        axes.vlines(curve.x, curve.low, curve.high, **look)


def _draw_levels(axes: Axes, curve: Curve) -> None:
    ends = (curve.x - curve.reach, curve.x + curve.reach)
    look = {"color": curve.style.color, "linestyle": curve.style.linestyle, "linewidth": 1.2}
    axes.hlines(curve.y, *ends, label=curve.label, zorder=2, **look)


def _draw_steps(axes: Axes, curve: Curve) -> None:
    between = (curve.x[1:] + curve.x[:-1]) / 2
    edges = [2 * curve.x[0] - between[0], *between, 2 * curve.x[-1] - between[-1]]
    style = curve.style
    axes.stairs(curve.y, edges, fill=True, color=style.color, alpha=0.4, linewidth=0)
    look = {"color": style.color, "linestyle": style.linestyle, "linewidth": 0.9}
    axes.stairs(curve.y, edges, label=curve.label, **look)


def _draw_ridge(axes: Axes, curve: Curve) -> None:
    order = 3 - curve.base / 1000  # what stands lower stands before what is behind it
    top = curve.base + curve.height * curve.y
    look = {"color": curve.style.color, "alpha": 0.7, "linewidth": 0}
    axes.fill_between(curve.x, curve.base, top, zorder=order, **look)
    axes.plot(curve.x, top, color="black", linewidth=0.6, zorder=order, label=curve.label)


def _draw_scatter(axes: Axes, curve: Curve) -> None:
    size = 5 if curve.style.marker == "*" else 3.6  # a star fills little of its square
    look = {"markersize": size, "markeredgecolor": "white", "markeredgewidth": 0.3}
    look = {**_line_look(curve.style), "linestyle": "", **look}
    axes.plot(curve.x, curve.y, label=curve.label, **look)


_DRAW = {
    "line": _draw_line,
    "points": _draw_points,
    "levels": _draw_levels,
    "steps": _draw_steps,
    "ridge": _draw_ridge,
    "scatter": _draw_scatter,
}


def _draw_bars(axes: Axes, panel: Panel, bars: Sequence[Curve]) -> None:
    """Stack bars to the right, the first category on top, each with its length at its end."""
    left = np.zeros(len(panel.x.levels))
    for curve in bars:
        look = {"color": curve.style.color, "edgecolor": "white", "linewidth": 0.5, "height": 0.62}
        hatch = HATCH if curve.style.linestyle == "--" else ""
        axes.barh(curve.x, curve.y, left=left, hatch=hatch, label=curve.label, **look)
        left = left + curve.y
    for place, total in enumerate(left):
        offset = {"xytext": (3, 0), "textcoords": "offset points"}
        axes.annotate(f"{total:.3f}", (total, place), va="center", **offset)
    axes.set_yticks(range(len(panel.x.labels)), panel.x.labels)
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.grid(visible=True, axis="x")
    axes.set_xlabel(panel.y.label)
    # Room for the number at the end of the longest bar.
    axes.set_xlim(0, 1.12 * float(left.max()) or 1)


def _draw_published(axes: Axes, values: Published) -> None:
    axes.errorbar(
        values.x,
        values.value,
        yerr=values.error,
        fmt=values.style.marker or "o",
        color=values.style.color,
        markersize=5,
        markerfacecolor="none",
        elinewidth=0.7,
        zorder=3,
        label="published",
    )


def _draw_guide(axes: Axes, guide: Guide) -> None:
    look = {**GUIDE, "linestyle": "-" if guide.axis == "x" else ":"}
    if guide.style is not None:
        given = _line_look(guide.style)
        look |= {name: value for name, value in given.items() if name != "marker"}
    if guide.at is None:
        axes.plot(guide.x, guide.y, zorder=2.6, label="_guide", **look)
        return
    order = 0.5 if look["linewidth"] > 2 else 1
    draw = axes.axvline if guide.axis == "x" else axes.axhline
    draw(guide.at, zorder=order, label="_guide", **look)


def _ring(axes: Axes, curve: Curve, position: float) -> None:
    there = curve.x == position
    look = {"color": "black", "marker": curve.style.marker, "markerfacecolor": curve.style.color}
    axes.plot(
        curve.x[there],
        curve.y[there],
        markersize=5,
        linestyle="",
        zorder=2.8,
        label="_ring",
        **look,
    )


def _apply_x(axes: Axes, axis: Axis, inches: float) -> None:
    if axis.ends is not None:
        axes.set_xlim(*axis.ends)
    if axis.scale == "category":
        _apply_categories(axes, axis, inches)
    elif axis.scale == "log":
        _apply_log(axes, axis)
    elif _whole(axis) and np.ptp(axis.levels) <= 10:
        axes.set_xticks(axis.levels, [f"{value:g}" for value in axis.levels])
    else:
        steps = [1, 2, 2.5, 5, 10]
        axes.xaxis.set_major_locator(ticker.MaxNLocator(5, integer=_whole(axis), steps=steps))


def _whole(axis: Axis) -> bool:
    return all(float(value).is_integer() for value in axis.levels)


def _apply_categories(axes: Axes, axis: Axis, inches: float) -> None:
    """Break the names of categories between words; long words are small."""
    room = max(int(0.85 * inches / len(axis.labels) / 0.058), 1)
    parts = [textwrap.wrap(name, room, break_long_words=False) or [""] for name in axis.labels]
    longest = max(len(part) for lines in parts for part in lines)
    axes.set_xticks(range(len(parts)), ["\n".join(lines) for lines in parts])
    if longest > room:
        size = matplotlib.rcParams["xtick.labelsize"] * room / longest
        axes.tick_params(axis="x", labelsize=size)
    axes.set_xlim(-0.5, len(axis.levels) - 0.5)


def _apply_log(axes: Axes, axis: Axis) -> None:
    positive = [float(value) for value in axis.levels if value > 0]
    axes.set_xscale("log")
    if axis.ticked:
        axes.xaxis.set_major_locator(ticker.FixedLocator(positive))
        axes.xaxis.set_major_formatter(ticker.FixedFormatter(list(axis.labels)))
        axes.xaxis.set_minor_locator(ticker.NullLocator())
        return
    exponents = range(int(np.floor(np.log10(positive[0]))), int(np.log10(positive[-1])) + 1)
    decades = [10.0**k for k in exponents if positive[0] <= 10.0**k * (1 + 1e-9)]
    ticks = decades if len(decades) > 1 else _spaced(positive)
    minor = [m * 10.0**k for k in exponents for m in range(2, 10)]
    inside = [value for value in minor if positive[0] <= value <= positive[-1]]
    powers = max(ticks) >= 1e4 or min(ticks) < 1e-2
    labels = [_power(tick) if powers else f"{tick:g}" for tick in ticks]
    if axis.zero is not None:
        ticks, labels = [axis.zero, *ticks], ["0", *labels]
        _draw_break(axes, float(np.sqrt(axis.zero * positive[0])))
    axes.xaxis.set_major_locator(ticker.FixedLocator(ticks))
    axes.xaxis.set_major_formatter(ticker.FixedFormatter(labels))
    axes.xaxis.set_minor_locator(ticker.FixedLocator(inside if len(decades) > 1 else []))
    axes.xaxis.set_minor_formatter(ticker.NullFormatter())


def _spaced(values: list[float], most: int = 6) -> list[float]:
    # Neighbours closer than this share of the axis would print over each other.
    gap = (values[-1] / values[0]) ** (1 / most)
    chosen = [values[0]]
    for value in values[1:]:
        if value >= chosen[-1] * gap * (1 - 1e-9):
            chosen.append(value)
    return chosen


def _power(value: float) -> str:
    mantissa, exponent = f"{value:.0e}".split("e")
    power = f"10^{{{int(exponent)}}}"
    return f"${power}$" if mantissa == "1" else f"${mantissa}\\cdot{power}$"


def _draw_break(axes: Axes, position: float) -> None:
    box = {"facecolor": "white", "edgecolor": "none", "pad": 0.4}
    place = {"transform": axes.get_xaxis_transform(), "ha": "center", "va": "center"}
    axes.text(position, 0, "//", fontsize=6, bbox=box, zorder=5, **place)


def _apply_y(axes: Axes, vertical: Vertical) -> None:
    if vertical.limits != (None, None):
        axes.set_ylim(*vertical.limits)
    if vertical.ticks:
        heights, labels = zip(*vertical.ticks, strict=True)
        axes.set_yticks(heights, labels)
    axes.set_ylabel(vertical.label)
    low, high = axes.get_ylim()
    if vertical.scale == "log" and low >= 1e-3 and high <= 1e4:
        # Few decades are labelled in plain numbers, more than one each.
        steps = next(steps for span, steps in LABELLED.items() if high / low < span)
        axes.yaxis.set_major_locator(ticker.LogLocator(10, subs=steps))
        axes.yaxis.set_major_formatter(ticker.FuncFormatter(lambda value, _: f"{value:g}"))
        axes.yaxis.set_minor_formatter(ticker.NullFormatter())


def _keep_to_fractions(axes: Axes, panel: Panel) -> None:
    """Cut the view, not the data, where the intervals of fractions leave what fractions can be."""
    plain = [c for c in panel.curves if c.mark in ("line", "points", "levels")]
    if panel.y.scale != "linear" or len(plain) < len(panel.curves):
        return
    means = np.concatenate([curve.y for curve in plain])
    if np.isfinite(means).any() and np.nanmin(means) >= 0 and np.nanmax(means) <= 1:
        low, high = axes.get_ylim()
        axes.set_ylim(max(low, -0.05), min(high, 1.05))


def _wrapped(label: str, characters: int) -> str:
    return label if "\n" in label else textwrap.fill(label, characters)


def _draw_maps(
    figure: Figure, chart: Chart, heights: Sequence[float], letters: Iterable[str]
) -> None:
    """Draw rows of heat maps; each row has as many columns as it has maps."""
    letter = iter(letters)
    whole = figure.add_gridspec(len(heights), 1, height_ratios=heights)
    for i, row in enumerate(chart.panels):
        small = len(row) > 2
        # A row that is not full keeps the size of its maps.
        across = max(len(other) for other in chart.panels if (len(other) > 2) == small)
        grid = whole[i].subgridspec(1, across).subplots(sharey=small, squeeze=False)[0]
        below = chart.panels[i + 1] if i + 1 < len(chart.panels) else ()
        for j, axes in enumerate(grid):
            if j >= len(row):
                axes.set_axis_off()
                continue
            heat = row[j].heat
            _draw_map(figure, axes, row[j].x, heat, ticks=(5, 7) if small else (9, 9))
            add_letter(axes, next(letter), row[j].title)
            if small and j < len(below) and below[j].x == row[j].x:
                axes.set_xlabel("")
            if small and j:
                axes.set_ylabel("")


def _draw_map(
    figure: Figure, axes: Axes, columns: Axis, heat: Heat, *, ticks: tuple[int, int]
) -> None:
    named = isinstance(heat.colormap, str)
    cmap = matplotlib.colormaps[heat.colormap] if named else ListedColormap(list(heat.colormap))
    mesh = axes.pcolormesh(heat.values, cmap=cmap, vmin=heat.limits[0], vmax=heat.limits[1])
    _draw_borders(axes, heat.groups)
    _name_groups(axes, heat)
    for axis, shown, most in (
        (axes.xaxis, columns, ticks[0]),
        (axes.yaxis, heat.vertical, ticks[1]),
    ):
        chosen = range(0, len(shown.levels), -(-len(shown.levels) // most))
        axis.set_ticks([place + 0.5 for place in chosen])
        axis.set_ticklabels([shown.labels[place] for place in chosen])
        axis.set_tick_params(length=0)
        axis.set_label_text(shown.label)
    axes.grid(visible=False)
    axes.spines[:].set_visible(True)
    if named:
        bar = figure.colorbar(mesh, ax=axes, pad=0.02, aspect=18)
        bar.set_label(heat.label)
        bar.outline.set_linewidth(0.6)


def _draw_borders(axes: Axes, groups: np.ndarray) -> None:
    # A white rim keeps the border visible on dark cells.
    for color, width in (("white", 2.4), ("black", 1.1)):
        look = {"colors": color, "linewidths": width, "capstyle": "projecting"}
        axes.add_collection(LineCollection(maps.borders(groups), **look), autolim=False)


def _name_groups(axes: Axes, heat: Heat) -> None:
    for group, name in enumerate(heat.categories):
        cell = maps.roomiest(heat.groups, group)
        if cell is None:
            continue
        rim = [withStroke(linewidth=2, foreground="white")]
        look = {"fontsize": 8, "fontweight": "bold", "path_effects": rim, "zorder": 5}
        place = {"ha": "center", "va": "center"}
        axes.text(cell[1] + 0.5, cell[0] + 0.5, name[0].upper(), **place, **look)


def _lines(legends: Sequence[Legend]) -> list[tuple[list[Artist], int, int]]:
    """Handles, columns and lines of each legend; those without a heading are one."""
    titled = [legend for legend in legends if legend.title]
    entries = tuple(e for legend in legends if not legend.title for e in legend.entries)
    together = [handle for legend in legends for handle in _handles(legend)]
    if _across(together) == len(together):
        return [(together, len(together), 1)]
    made = []
    for legend in [*titled, *([Legend("", entries)] if entries else [])]:
        handles = _handles(legend)
        across = _across(handles)
        made.append((handles, across, -(-len(handles) // across)))
    return made


def _across(handles: Sequence[Artist]) -> int:
    """Most columns of a legend that fit into the width of a figure."""
    lengths = [len(str(handle.get_label())) for handle in handles]
    for rows in range(1, len(lengths) + 1):
        columns = -(-len(lengths) // rows)
        widths = [
            CHARACTER * max(lengths[start : start + rows]) + HANDLE
            for start in range(0, len(lengths), rows)
        ]
        if sum(widths) <= WIDTH:
            return columns
    return 1


def _handles(legend: Legend) -> list[Artist]:
    heading = [Patch(alpha=0, label=f"{legend.title}:")] if legend.title else []
    return [*heading, *(_handle(entry) for entry in legend.entries)]


def _handle(entry: Entry) -> Artist:
    style, label, mark = entry.style, entry.label, entry.mark
    if mark in ("line", "marker"):
        look = _line_look(style)
        return Line2D(
            [], [], label=label, **(look | ({"linestyle": ""} if mark == "marker" else {}))
        )
    if mark in ("band", "outer"):
        alpha = (2 if mark == "band" else 1) * BAND_ALPHA
        return Patch(facecolor=style.color, alpha=alpha, label=label)
    if mark == "patch":
        hatch = HATCH if style.linestyle == "--" else ""
        edge = "white" if hatch else "0.3"
        return Patch(facecolor=style.color, edgecolor=edge, linewidth=0.5, hatch=hatch, label=label)
    if mark in ("guide", "upright"):
        return _guide_handle(entry)
    if mark == "none":
        return Patch(alpha=0, label=label)
    look = {
        "bar": {"marker": "|", "markersize": 7},
        "open": {"marker": style.marker, "markersize": 5, "markerfacecolor": "none"},
        "ring": {"color": "black", "marker": "o", "markersize": 5, "markerfacecolor": "0.7"},
    }[mark]
    return Line2D([], [], linestyle="", label=label, **({"color": style.color} | look))


def _guide_handle(entry: Entry) -> Artist:
    style = entry.style
    if style.color and (style.width or 0) > 2:
        return Patch(color=style.color, label=entry.label)
    look: dict[str, object] = dict(GUIDE)
    if style.color:
        look |= {"color": style.color, "linestyle": style.linestyle}
        look |= {"linewidth": style.width} if style.width else {}
    elif entry.mark == "upright":
        look |= {"marker": "|", "markersize": 8, "linestyle": ""}
    else:
        look |= {"linestyle": ":"}
    return Line2D([], [], label=entry.label, **look)
