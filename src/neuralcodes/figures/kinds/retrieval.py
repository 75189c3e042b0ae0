"""Recall, speed and size of an index of codes against their length."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from neuralcodes.errors import DataError
from neuralcodes.figures import headlines, marks, parts, representations, selection
from neuralcodes.figures.chart import Axis, Chart, Entry, Guide, Panel, Style, Vertical
from neuralcodes.figures.declaration import SCALE, Asked, FigureKind, FigureSpec, Option

if TYPE_CHECKING:
    import pandas as pd

# Where both methods are equal, as in bytes, both still show.
METHODS = {
    "network_code": (
        "code of the trained network",
        Style("#0b4f8a", "o", "-", width=0.9, size=4.6),
    ),
    "simhash": ("SimHash of the input", Style("#d1603d", "s", "--", width=0.9, size=2.3)),
}
EXACT = "exact"
EXACT_STYLE = Style("#808080", "", "-", width=1.2)
METRICS = ("recall_at_1", "recall_at_10", "queries_per_second", "bytes_per_item")
LOG_METRICS = ("queries_per_second", "bytes_per_item")
CODE_LENGTH = "Code length (bits)"


def chart(
    spec: FigureSpec, summary: "pd.DataFrame", published: "pd.DataFrame | None" = None
) -> Chart:
    """A panel per metric, a line per method, on unseen manifolds or else the test set.

    Exact search has no code: its mean over the lengths is a level.
    """
    del published  # the paper retrieves nothing
    rows = selection.select(summary, spec, [spec.x, "method"])
    rows = rows[rows["method"].isin([*METHODS, EXACT])]
    rows = representations.on_unseen(selection.of_metrics(rows, [*METRICS, "code_length"]))
    selection.refuse_mixture(rows, [spec.x, "method", "metric"])
    codes = rows[rows["method"] != EXACT]
    if codes.empty:
        raise DataError(f"a figure of retrieval needs one of the methods {list(METHODS)}")
    axis = _axis(spec, codes)
    drawn = [_panel(rows[rows["metric"] == metric], metric, axis) for metric in METRICS]
    drawn = [panel for panel in drawn if panel.curves]
    present = {curve.label for panel in drawn for curve in panel.curves}
    entries = [Entry(label, style) for label, style in METHODS.values() if label in present]
    text = headlines.courses(sorted(drawn, key=lambda p: p.curves[0].metric != "recall_at_10"))
    return parts.chart_of(
        "retrieval",
        spec,
        parts.wrapped(drawn),
        [("", [*entries, *parts.shown_entries(drawn)])],
        headlines.sentence(text),
    )


def question(asked: Asked) -> str:
    """Ask how well codes find neighbours."""
    whom = f"examples of the same class on {asked.dataset}"
    if asked.paper == "dikkala2021":
        whom = f"points of the same manifold among {asked.unseen}"
    text = f"how well, how fast and in how little space do codes find {whom}"
    return f"{text}, and how does that change with {asked.x}"


def _axis(spec: FigureSpec, rows: "pd.DataFrame") -> Axis:
    levels = selection.factor_values(rows, spec.x)
    if not all(isinstance(value, (int, float)) and value > 0 for value in levels):
        raise DataError(f"code lengths must be numbers above 0; {spec.x} has {levels}")
    lengths = rows[rows["metric"] == "code_length"]
    same = (lengths["mean"] == lengths[spec.x]).all() and (len(lengths) or spec.x == "hash_width")
    label = CODE_LENGTH if same else None
    ticked = spec.scale != "linear"
    return parts.axis_of(spec.x, rows, spec, label=label, scale="log", ticked=ticked)


def _panel(rows: "pd.DataFrame", metric: str, axis: Axis) -> Panel:
    drawn = []
    for method, (label, style) in METHODS.items():
        part = rows[rows["method"] == method]
        if len(part):
            drawn.append(parts.curve_of(part, axis, style, [label], mark="points"))
    exact = rows.loc[rows["method"] == EXACT, "mean"].to_numpy(dtype=float)
    level = float(np.nanmean(exact)) if np.isfinite(exact).any() else None
    guides = () if level is None else (Guide("exact search", level, style=EXACT_STYLE),)
    vertical = Vertical(marks.metric_label(metric), limits=parts.WHOLE)
    if metric in LOG_METRICS and drawn:
        limits = parts.log_limits(drawn, *([] if level is None else [level]))
        vertical = replace(vertical, scale="log", limits=limits)
    return Panel("", axis, vertical, tuple(drawn), guides=guides)


KIND = FigureKind(
    name="retrieval",
    description="Recall, speed and size of an index of codes against their length.",
    measure="retrieval",
    chart=chart,
    question=question,
    reading="How often the nearest codes are of the same manifold or class as the query, how many "
    "queries a second are answered and how many bytes an item takes; the grey line is exact "
    "search; bars are 95% t-intervals of the mean over seeds; speeds are those of one machine",
    options={
        "x": Option("Factor on the horizontal axis.", required=True),
        "scale": SCALE,
    },
)
