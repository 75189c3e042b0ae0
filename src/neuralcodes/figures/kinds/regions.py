"""Sizes of the linear regions around examples."""

from typing import TYPE_CHECKING

import numpy as np

from neuralcodes.figures import headlines, marks, parts, selection
from neuralcodes.figures.chart import Axis, Chart, Entry, Panel, Style, Vertical
from neuralcodes.figures.declaration import (
    LINE,
    SCALE,
    Asked,
    FigureKind,
    FigureSpec,
    Option,
)

if TYPE_CHECKING:
    import pandas as pd

MEDIAN = "region_size_median"
QUANTILES = (
    ("region_size_q05", "region_size_q95"),
    ("region_size_q25", "region_size_q75"),
)
STYLE = Style(marks.metric_color("knn_accuracy"), "o", "-")
LABEL = "median over examples"


def chart(
    spec: FigureSpec, summary: "pd.DataFrame", published: "pd.DataFrame | None" = None
) -> Chart:
    """Median over examples with bands of quantiles, a panel per split; a column per line value.

    A band reaches the top of the panel where its regions have no border; a median without one
    leaves a gap.
    """
    del published  # the paper gives no comparable numbers
    rows = selection.select(summary, spec, [spec.x, spec.line])
    names = [MEDIAN, *(name for pair in QUANTILES for name in pair)]
    rows = selection.of_metrics(rows, names)
    unbounded = bool(np.isinf(rows["mean"]).any())
    rows = _with_a_top(rows)
    axis = parts.axis_of(spec.x, rows, spec)
    splits = [split for split in ("train", "test") if (rows["split"] == split).any()]
    values = selection.factor_values(rows, spec.line)
    grid = []
    for split in splits:
        own = rows[rows["split"] == split]
        grid.append(
            [_panel(spec, selection.rows_equal(own, spec.line, v), split, v, axis) for v in values]
        )
    if spec.line is None:
        grid = [[panel for row in grid for panel in row]]
    drawn = [panel for row in grid for panel in row]
    entries = [
        Entry(LABEL, STYLE),
        Entry("25\u201375% of examples", STYLE, "band"),
        Entry("5\u201395% of examples", STYLE, "outer"),
    ]
    if unbounded:
        entries.append(Entry("(at the top: no border)", STYLE, "none"))
    clauses = [
        f"{'the median region ' if not place else ''}{headlines.course(panel.curves[0], axis)} "
        f"({panel.title})"
        for place, panel in enumerate(p for p in reversed(drawn) if p.curves)
    ]
    return parts.chart_of(
        "regions",
        spec,
        grid,
        [("", [*entries, *parts.shown_entries(drawn)])],
        headlines.sentence(clauses),
        share_y="all",
    )


def question(asked: Asked) -> str:
    """Ask how large regions are, and what that depends on."""
    text = f"how large are the linear regions around examples on {asked.dataset}"
    return f"{text}, and how does that change with {marks.joined(asked.shown)}"


def _with_a_top(rows: "pd.DataFrame") -> "pd.DataFrame":
    """Put quantiles without a border at one height above all others, so that bands can end."""
    sizes = rows["mean"].to_numpy(dtype=float)
    top = 2 * np.max(sizes[np.isfinite(sizes)], initial=0.5)
    unbounded = np.isinf(sizes) & (rows["metric"] != MEDIAN).to_numpy()
    return rows.assign(mean=np.where(unbounded, top, sizes))


def _panel(spec: FigureSpec, rows: "pd.DataFrame", split: str, value: object, axis: Axis) -> Panel:
    title = f"{split} split"
    if spec.line is not None:
        name = marks.quantity(marks.factor_label(spec.line))
        title = f"{title}, {name} {marks.value_label(value)}"
    label = Vertical("Region size (input units)", "log")
    median = rows[rows["metric"] == MEDIAN]
    if median.empty:
        return Panel(title, axis, label)
    at = median.sort_values(spec.x)[spec.x]
    bands = []
    for pair in QUANTILES:
        ends = []
        for name in pair:
            chosen = rows[rows["metric"] == name]
            selection.refuse_mixture(chosen, [spec.x])
            ends.append(chosen.set_index(spec.x)["mean"].reindex(at).to_numpy(dtype=float))
        bands.append(tuple(ends))
    curve = parts.curve_of(median, axis, STYLE, [LABEL], bands=tuple(bands))
    return Panel(title, axis, label, (curve,))


KIND = FigureKind(
    name="regions",
    description="Sizes of the linear regions around examples.",
    measure="regions",
    chart=chart,
    question=question,
    reading="The line is the median over examples of the size of their linear regions with its "
    "95% t-interval over seeds, the bands hold 50% and 90% of the examples; the vertical axis is "
    "logarithmic, and a band at its top has no border",
    options={
        "x": Option("Factor (or epoch) on the horizontal axis.", required=True),
        "line": LINE,
        "scale": SCALE,
    },
)
