"""Looks of lines: colour by one factor, line style by split, metric or a second factor."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from matplotlib.lines import Line2D

from neuralcodes.errors import DataError
from neuralcodes.figures import curves, marks, panels
from neuralcodes.figures.curves import Series
from neuralcodes.figures.marks import FigureSpec, Style
from neuralcodes.figures.panels import Curve, Panel, Published
from neuralcodes.figures.scales import Axis

# The training set comes first: it is what the paper perturbs.
SPLIT_LINES = {"train": "-", "test": "--"}
METRIC_LINES = {"knn_accuracy_unperturbed_train": ("test, train codes unperturbed", ":")}
CLOSEST = 0.048  # share of the axis that a marker needs, else it hides its line


@dataclass(frozen=True)
class Look:
    """The rows that are drawn with one line style."""

    label: str
    linestyle: str
    rows: pd.DataFrame


def selected(
    spec: FigureSpec, summary: pd.DataFrame, columns: Iterable[str]
) -> tuple[FigureSpec, pd.DataFrame]:
    """Rows for a figure whose lines are activations, unless `spec.line` says otherwise.

    Args:
        spec: the figure.
        summary: what `tables.summarize` returns.
        columns: that the figure needs besides its line and its variant.

    Returns:
        The figure with its line; the rows.

    Raises:
        DataError: a column is missing, or nothing is left.
    """
    spec = replace(spec, line=spec.line or "activation")
    return spec, marks.select(summary, spec, [*columns, spec.line, *filter(None, [spec.variant])])


def of_any(rows: pd.DataFrame, group: Sequence[Series]) -> pd.DataFrame:
    """Rows of some metrics and splits.

    Raises:
        DataError: there is none.
    """
    found = pd.MultiIndex.from_frame(rows[["metric", "split"]]).isin(list(group))
    if not found.any():
        raise DataError(
            f"there is nothing to draw: the study measured none of {list(dict.fromkeys(group))}"
        )
    return rows[found]


def cell(
    spec: FigureSpec, rows: pd.DataFrame, value: object, variant: object
) -> tuple[pd.DataFrame, str]:
    """Rows of one panel, and its title.

    Args:
        spec: the figure.
        rows: of all panels.
        value: of `spec.line`; None where the panel shows all of them.
        variant: of `spec.variant`, where there is one.
    """
    title = []
    if value is not None:
        rows, title = marks.rows_equal(rows, spec.line, value), [marks.value_label(value)]
    if spec.variant:
        rows = marks.rows_equal(rows, spec.variant, variant)
        title.append(curves.variant_label(spec, variant))
    return rows, ", ".join(title)


def looks_of(spec: FigureSpec, rows: pd.DataFrame, group: Sequence[Series]) -> list[Look]:
    """Give variants their line styles or, without `spec.variant`, metrics and splits.

    Args:
        spec: the figure.
        rows: of a summary.
        group: (metric, split) of the rows that are told apart without variants.

    Raises:
        DataError: there are more variants than line styles.
    """
    made = []
    if spec.variant:
        labels = [handle.get_label() for handle in curves.variant_handles(spec, rows)]
        variants = zip(labels, marks.LINESTYLES, curves.variant_values(spec, rows), strict=False)
        for label, linestyle, variant in variants:
            made.append(Look(label, linestyle, marks.rows_equal(rows, spec.variant, variant)))
    else:
        for metric, split in group:
            usual = (marks.SPLITS[split], SPLIT_LINES[split])
            part = curves.of_series(rows, (metric, split))
            made.append(Look(*METRIC_LINES.get(metric, usual), part))
    return [look for look in made if len(look.rows)]


def curves_of(
    looks: Sequence[Look],
    styles: Mapping[object, Style],
    line: str,
    axis: Axis,
    x: str,
    take: Callable[[pd.DataFrame], pd.DataFrame] = lambda rows: rows,
) -> tuple[Curve, ...]:
    """One curve per value of the factor `line` and look.

    Args:
        looks: what the line styles tell apart.
        styles: value of `line` -> its colour and marker.
        line: the factor.
        axis: the horizontal axis.
        x: the factor on it.
        take: chooses among the rows of a curve.

    Raises:
        DataError: the rows of a curve share a value of `x`.
    """
    drawn = []
    for value, style in styles.items():
        for look in looks:
            part = take(marks.rows_equal(look.rows, line, value))
            if len(part):
                own = replace(style, linestyle=look.linestyle)
                drawn.append(panels.curve_of(part, axis, x, own, marks.value_label(value)))
    return tuple(drawn)


def look_handles(looks: Sequence[Look]) -> list[Line2D]:
    """Legend entries of line styles, each once; a look without a label has none."""
    entries = dict.fromkeys((look.label, look.linestyle) for look in looks if look.label)
    return [panels.line_handle(Style(marks.NEUTRAL, "", style), label) for label, style in entries]


def marked(styles: Mapping[object, Style], *axes: Axis) -> dict[object, Style]:
    """Styles without markers, unless one of the axes has room for them."""
    room = any(_has_room(axis) for axis in axes)
    return {value: replace(s, marker=s.marker if room else "") for value, s in styles.items()}


def published_of(
    rows: pd.DataFrame, axis: Axis, x: str, styles: Mapping[object, Style]
) -> tuple[Published, ...]:
    """Published values of the activations that are drawn.

    Args:
        rows: with columns activation, x, value and reading_error.
        axis: the horizontal axis.
        x: the factor on it.
        styles: activation -> its colour and marker.
    """
    parts = {value: rows[rows["activation"] == value] for value in styles}
    return tuple(
        panels.published_of(part, axis, x, styles[value])
        for value, part in parts.items()
        if len(part)
    )


def published_handles(drawn: Sequence[Panel], styles: Mapping[object, Style]) -> list[Line2D]:
    """Legend entries of published values, one per style that has some."""
    shown = [values.style for panel in drawn for values in panel.published]
    return [
        panels.published_handle(f"{marks.value_label(value)}, published", style)
        for value, style in styles.items()
        if style in shown
    ]


def _has_room(axis: Axis) -> bool:
    places = axis.place(axis.levels)
    places = np.log(places) if axis.scale == "log" else places
    return len(places) < 2 or np.diff(places).min() >= CLOSEST * np.ptp(places)
