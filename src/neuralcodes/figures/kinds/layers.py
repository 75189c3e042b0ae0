"""Metrics on the codes of each hidden layer of deep networks."""

from dataclasses import replace
from typing import TYPE_CHECKING

from neuralcodes.figures import headlines, marks, parts, selection
from neuralcodes.figures.chart import Chart, Entry, Style
from neuralcodes.figures.declaration import (
    METRICS,
    VARIANT,
    Asked,
    FigureKind,
    FigureSpec,
    usual_line,
)
from neuralcodes.figures.kinds.curves import CODES

if TYPE_CHECKING:
    import pandas as pd

SERIES = (*parts.REDUNDANCY[::2], *parts.CATEGORIZATION[1:])


def chart(
    spec: FigureSpec, summary: "pd.DataFrame", published: "pd.DataFrame | None" = None
) -> Chart:
    """A panel per metric and split, a line per value of `spec.line`; the last layer is ringed."""
    del published  # the paper reports whole networks only
    rows = layer_rows(summary, spec)
    axis = parts.axis_of("layer", rows, spec)
    chosen = SERIES
    if "metrics" in spec.options:
        chosen = selection.series_of(rows, spec.options["metrics"])
    last = float(axis.levels[-1])
    drawn = [
        replace(parts.panel_of_lines(spec, rows, None, series, axis), ringed=last)
        for series in chosen
    ]
    drawn = [panel for panel in drawn if panel.curves]
    ring = Entry("last layer", Style(marks.NEUTRAL), "ring")
    return parts.chart_of(
        "layers",
        spec,
        parts.wrapped(drawn),
        parts.legends_of_lines(spec, rows, [ring, *parts.shown_entries(drawn)]),
        headlines.sentence(parts.courses_of_lines(drawn)),
    )


def layer_rows(summary: "pd.DataFrame", spec: FigureSpec) -> "pd.DataFrame":
    """Rows of single layers, which count from 1 whatever the table starts at.

    Raises:
        DataError: the summary has no column `layer`.
    """
    rows = selection.select(summary, spec, ["layer", spec.line, spec.variant])
    rows = rows[rows["layer"].notna()]
    rows = rows.assign(layer=rows["layer"].astype(int))
    return rows.assign(layer=rows["layer"] + 1 - rows["layer"].min())


def question(asked: Asked) -> str:
    """Ask how codes change through a network."""
    return f"how do {CODES} change from layer to layer of a deep network on {asked.dataset}"


KIND = FigureKind(
    name="layers",
    description="Metrics on codes per hidden layer.",
    measure="layers",
    chart=chart,
    question=question,
    reading="Each line follows one network through its hidden layers, counted from the input on; "
    "the last is ringed; bands are 95% t-intervals of the mean over seeds",
    options={"line": usual_line("width_per_layer"), "variant": VARIANT, "metrics": METRICS},
    needs_one_of=(
        *("redundancy_ratio", "kmeans_accuracy"),
        *("knn_accuracy", "logistic_regression_accuracy"),
    ),
)
