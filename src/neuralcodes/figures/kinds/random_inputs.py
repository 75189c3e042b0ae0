"""Redundancy of the codes of real and of random inputs."""

from typing import TYPE_CHECKING

from neuralcodes.figures import headlines, marks, parts, selection
from neuralcodes.figures.chart import Chart, Curve, Entry, Panel, Style, Vertical
from neuralcodes.figures.declaration import (
    SCALE,
    Asked,
    FigureKind,
    FigureSpec,
    Option,
    usual_line,
)

if TYPE_CHECKING:
    import pandas as pd

METRIC = "redundancy_ratio"
STYLES = {
    "train": parts.series_style((METRIC, "train")),
    "test": parts.series_style((METRIC, "test")),
    "uniform_0_1": Style("#d98c3f", "^", "-."),
    "uniform_-1_0": Style("#6e6e6e", "v", ":"),
}


def chart(
    spec: FigureSpec, summary: "pd.DataFrame", published: "pd.DataFrame | None" = None
) -> Chart:
    """A panel per value of `spec.line`, a line per kind of input."""
    del published  # nothing is published for random inputs
    rows = selection.select(summary, spec, [spec.x, spec.line])
    rows = selection.of_metrics(rows, [METRIC])
    axis = parts.axis_of(spec.x, rows, spec)
    drawn = []
    for value in selection.factor_values(rows, spec.line):
        here = selection.rows_equal(rows, spec.line, value)
        curves = []
        for split, style in STYLES.items():
            part = here[here["split"] == split]
            if len(part):
                curves.append(parts.curve_of(part, axis, style, [marks.SPLITS[split]]))
        title = f"{marks.factor_label(spec.line).split(' (')[0]} {marks.value_label(value)}"
        drawn.append(Panel(title, axis, Vertical(marks.metric_label(METRIC)), tuple(curves)))
    present = {label for panel in drawn for curve in panel.curves for label in curve.entries}
    entries = [Entry(marks.SPLITS[split], style) for split, style in STYLES.items()]
    last = drawn[-1]
    clauses = [
        f"{'that of' if place else 'redundancy of'} {_inputs(curve)} "
        f"{headlines.course(curve, axis)}"
        for place, curve in enumerate(c for c in last.curves if c.split != "train")
    ]
    return parts.chart_of(
        "random_inputs",
        spec,
        parts.wrapped(drawn),
        [
            ("Inputs", [entry for entry in entries if entry.label in present]),
            ("", parts.shown_entries(drawn)),
        ],
        headlines.sentence([f"{last.title}: {clause}" for clause in clauses[:1]] + clauses[1:]),
        share_y="all",
    )


def question(asked: Asked) -> str:
    """Ask whether random inputs fall into as many regions as real ones."""
    data = asked.dataset
    return f"do networks trained on {data} give random inputs as many different codes as real ones"


def _inputs(curve: Curve) -> str:
    return f"{curve.split} inputs" if curve.split in parts.SPLIT_LINES else f"inputs {curve.label}"


KIND = FigureKind(
    name="random_inputs",
    description="Redundancy of the codes of real and of random inputs.",
    measure="random_inputs",
    chart=chart,
    question=question,
    reading="A panel per network: redundancy of the codes of real and of random inputs against the "
    "horizontal axis; it grows with the number of inputs, so mind how many were drawn; bands are "
    "95% t-intervals of the mean over seeds",
    options={
        "x": Option("Factor (or epoch) on the horizontal axis.", required=True),
        "line": usual_line("width_per_layer"),
        "scale": SCALE,
    },
)
