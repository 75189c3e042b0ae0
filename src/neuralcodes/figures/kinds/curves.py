"""Metrics on codes against a factor: a line per metric, or per value of another factor."""

from typing import TYPE_CHECKING

from neuralcodes.figures import headlines, marks, parts, selection
from neuralcodes.figures.chart import Axis, Chart, Panel, Vertical
from neuralcodes.figures.declaration import (
    LINE,
    METRICS,
    PUBLISHED,
    SCALE,
    VARIANT,
    Asked,
    FigureKind,
    FigureSpec,
    Option,
)
from neuralcodes.figures.selection import Series

if TYPE_CHECKING:
    import pandas as pd

CODES = "the redundancy of neural codes and the accuracy of classifiers on them"
NOT_STATED = "published (\u00b1 reading error; K-Means split not stated)"


def chart(
    spec: FigureSpec, summary: "pd.DataFrame", published: "pd.DataFrame | None" = None
) -> Chart:
    """Redundancy beside categorization, or with `spec.line` a panel per metric and split.

    Without lines there is a row per value of `spec.variant`; with them it is the line style.
    """
    rows = selection.select(summary, spec, [spec.x, spec.line, spec.variant])
    theirs = selection.select_published(published, rows, spec.x)
    axis = parts.axis_of(spec.x, rows, spec)
    note = parts.PUBLISHED
    if theirs is not None and (theirs.get("split_status", "") == "unknown").any():
        note = NOT_STATED
    if spec.line is None:
        return _by_metric(spec, rows, theirs, axis, note)
    return _by_line(spec, rows, theirs, axis, note)


def question(asked: Asked) -> str:
    """Ask how codes change with the factor, and whether that depends on others."""
    others = [text for text in (asked.line, asked.variant) if text]
    rest = f", and does that depend on {marks.joined(others)}" if others else ""
    return f"how do {CODES} change with {asked.x} on {asked.dataset}{rest}"


def _by_metric(
    spec: FigureSpec,
    rows: "pd.DataFrame",
    theirs: "pd.DataFrame | None",
    axis: Axis,
    note: str,
) -> Chart:
    groups = parts.series_groups(spec, rows, "Categorization accuracy")
    grid = []
    for variant in selection.variant_values(spec, rows):
        here = selection.rows_equal(rows, spec.variant, variant)
        title = parts.variant_label(spec, variant)
        grid.append([_panel(here, theirs, g, axis, title, y) for y, g in groups.items()])
    drawn = [panel for row in grid for panel in row]
    entries = parts.series_entries(rows, groups.values())
    text = headlines.courses(drawn, lambda curve: curve.split != "train")
    return parts.chart_of(
        "curves",
        spec,
        grid,
        [("", entries), ("", parts.shown_entries(drawn, published=note))],
        headlines.sentence(text or headlines.courses(drawn)),
    )


def _panel(
    rows: "pd.DataFrame",
    theirs: "pd.DataFrame | None",
    group: list[Series],
    axis: Axis,
    title: str,
    label: str,
) -> Panel:
    drawn, printed = [], []
    for series in group:
        ours = selection.of_series(rows, series)
        if len(ours):
            name = parts.series_label(series)
            drawn.append(parts.curve_of(ours, axis, parts.series_style(series), [name]))
            if theirs is not None and len(same := selection.of_series(theirs, series)):
                printed.append(parts.published_of(same, axis, drawn[-1]))
    return Panel(title, axis, Vertical(label), tuple(drawn), tuple(printed))


def _by_line(
    spec: FigureSpec,
    rows: "pd.DataFrame",
    theirs: "pd.DataFrame | None",
    axis: Axis,
    note: str,
) -> Chart:
    if "metrics" in spec.options:
        chosen = selection.series_of(rows, spec.options["metrics"])
    else:
        chosen = _usual_series(theirs)
    drawn = [parts.panel_of_lines(spec, rows, theirs, series, axis) for series in chosen]
    drawn = [panel for panel in drawn if panel.curves]
    return parts.chart_of(
        "curves",
        spec,
        parts.wrapped(drawn),
        parts.legends_of_lines(spec, rows, parts.shown_entries(drawn, published=note)),
        headlines.sentence(parts.courses_of_lines(drawn)),
    )


def _usual_series(theirs: "pd.DataFrame | None") -> list[Series]:
    # K-Means is comparable with the split that the paper shows; without a paper, with the test.
    shown = [] if theirs is None else theirs.loc[theirs["metric"] == "kmeans_accuracy", "split"]
    split = shown.mode().iloc[0] if len(shown) else "test"
    first = [("redundancy_ratio", "train"), ("redundancy_ratio", "test")]
    return [*first, ("kmeans_accuracy", str(split)), *parts.CATEGORIZATION[2:]]


KIND = FigureKind(
    name="curves",
    description="Metrics on codes against a factor or the epoch.",
    measure="codes",
    chart=chart,
    question=question,
    reading="Each line is the mean over seeds of a metric, or of a value that the legend names, "
    "against the factor on the horizontal axis; bands are 95% t-intervals of the mean",
    reading_published="open markers are published values with their reading error",
    options={
        "x": Option("Factor (or epoch) on the horizontal axis.", required=True),
        "line": LINE,
        "variant": VARIANT,
        "scale": SCALE,
        "metrics": METRICS,
        "published": PUBLISHED,
    },
    published="codes",
)
