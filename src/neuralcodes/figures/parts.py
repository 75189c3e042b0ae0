"""Parts of Charts that several kinds are made of: axes, curves, published values, legends."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from neuralcodes.errors import DataError
from neuralcodes.figures import headlines, marks, selection
from neuralcodes.figures.chart import (
    Axis,
    Chart,
    Curve,
    Entry,
    Legend,
    Panel,
    Published,
    Style,
    Vertical,
)
from neuralcodes.figures.declaration import FigureSpec
from neuralcodes.figures.selection import Series

if TYPE_CHECKING:
    import pandas as pd

# What several kinds draw where nothing else is asked for: training data first, then test data.
REDUNDANCY: tuple[Series, ...] = (
    ("redundancy_ratio", "train"),
    ("redundancy_ratio_equal_n", "train"),
    ("redundancy_ratio", "test"),
)
CATEGORIZATION: tuple[Series, ...] = (
    ("kmeans_accuracy", "train"),
    ("kmeans_accuracy", "test"),
    ("knn_accuracy", "test"),
    ("logistic_regression_accuracy", "test"),
    ("test_accuracy", "test"),
)
# In every figure training data are dashed and test data solid.
SPLIT_LINES = {"train": "--", "test": "-"}
SERIES_MARKERS: dict[Series, str] = {
    ("redundancy_ratio", "train"): "s",
    ("redundancy_ratio_equal_n", "train"): "x",
    ("kmeans_accuracy", "train"): "v",
    ("kmeans_accuracy", "test"): "^",
    ("knn_accuracy", "test"): "D",
    ("logistic_regression_accuracy", "test"): "P",
    ("train_accuracy", "train"): "s",
}
INTERVAL = "95% interval of the mean"
PUBLISHED = "published (\u00b1 reading error)"
WHOLE = (-0.02, 1.05)  # all fractions, and half a marker
FARTHEST_END = 2.0  # times a mean; an interval that ends farther from all means leaves the view
CLOSEST = 0.048  # share of the axis that a marker needs, else it hides its line


def axis_of(
    factor: str,
    rows: "pd.DataFrame",
    spec: FigureSpec | None = None,
    **given: Any,  # noqa: ANN401
) -> Axis:
    """Axis of a factor for the values in `rows`.

    Args:
        factor: its column.
        rows: of a summary.
        spec: its scale wins over the factor's usual one.
        given: fields of `Axis` that are known.
    """
    values = tuple(selection.factor_values(rows, factor))
    numeric = all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in values)
    known = marks.FACTORS.get(factor)
    usual = given.pop("scale", None) or (known.scale if known else "linear")
    scale = ((spec.scale if spec else None) or usual) if numeric else "category"
    if scale == "log" and max(values) <= 0:
        scale = "linear"
    label = given.pop("label", None) or marks.factor_label(factor)
    named = scale == "category" or given.get("ticked")
    labels = tuple(marks.value_label(value) for value in values) if named else ()
    return Axis(label, scale, values, labels, factor=factor, **given)


def curve_of(
    rows: "pd.DataFrame",
    axis: Axis,
    style: Style,
    names: Sequence[str] | Mapping[str, str],
    x: str | None = None,
    **given: Any,  # noqa: ANN401
) -> Curve:
    """Curve of summary rows: their means with their 95% t-intervals.

    Args:
        rows: of a summary, one per value of x.
        axis: of x.
        style: how it is drawn.
        names: labels of its entries in the legend, together its name; or a mapping from each to
            what stands for it in the name.
        x: the factor on the axis; None for that of the axis.
        given: further fields of `Curve`.

    Raises:
        DataError: several rows share one value of x.
    """
    factor = x or axis.factor
    selection.refuse_mixture(rows, [factor])
    places = axis.place(rows[factor])
    order = np.argsort(places, kind="stable")
    rows = rows.iloc[order]
    mean, low, high = (finite(rows[name]) for name in ("mean", "low", "high"))
    if given.get("mirrored"):
        mean, low, high = 1 - mean, 1 - high, 1 - low
    metrics, splits = rows["metric"].unique(), rows["split"].unique()
    known = names if isinstance(names, Mapping) else {name: name for name in names}
    fields = {
        "label": ", ".join(text for text in known.values() if text),
        "entries": tuple(name for name in known if name),
        "metric": str(metrics[0]) if len(metrics) == 1 else "",
        "split": str(splits[0]) if len(splits) == 1 else "",
        **given,
    }
    return Curve(
        style=style,
        x=places[order],
        y=mean,
        low=low,
        high=high,
        n=rows["n"].to_numpy(dtype=np.int64),
        rows=rows.index.to_numpy(dtype=np.int64),
        **fields,
    )


def unmeasured(
    label: str,
    style: Style,
    x: np.ndarray,
    y: np.ndarray,
    **given: Any,  # noqa: ANN401
) -> Curve:
    """Curve of values that no single row of the summary has, such as means over rows."""
    none = np.full(len(x), np.nan)
    count = given.pop("n", np.zeros(len(x), dtype=np.int64))
    rows = np.full(len(x), -1, dtype=np.int64)
    return Curve(label, style, x, y, none, none, count, rows, entries=(label,), **given)


def published_of(rows: "pd.DataFrame", axis: Axis, curve: Curve, x: str | None = None) -> Published:
    """Published values of one curve.

    Args:
        rows: with columns x, value and reading_error.
        axis: the axis of x.
        curve: ours.
        x: the factor on the axis; None for that of the axis.
    """
    places = axis.place(rows[x or axis.factor])
    order = np.argsort(places, kind="stable")
    value, error = (rows[name].to_numpy(dtype=float)[order] for name in ("value", "reading_error"))
    return Published(curve.label, curve.style, places[order], value, error)


def published_of_activations(
    rows: "pd.DataFrame", axis: Axis, curves: Sequence[Curve]
) -> tuple[Published, ...]:
    """Published values on training data, each beside the first curve of its activation.

    Args:
        rows: with columns activation, x, value and reading_error.
        axis: the axis of x.
        curves: ours.
    """
    first: dict[str, Curve] = {}
    for curve in curves:
        if curve.split == "train" and curve.entries:
            first.setdefault(curve.entries[0], curve)
    made = []
    for name in rows["activation"].unique():
        curve = first.get(marks.value_label(name))
        if curve is not None:
            own = published_of(rows[rows["activation"] == name], axis, curve)
            marker = marks.VALUE_STYLES[str(name)].marker
            made.append(replace(own, style=replace(curve.style, marker=marker)))
    return tuple(made)


def finite(values: Iterable[float]) -> np.ndarray:
    """Numbers as float64, NaN for those that are not finite."""
    numbers = np.asarray(values, dtype=float)
    return np.where(np.isfinite(numbers), numbers, np.nan)


def series_style(series: Series) -> Style:
    """How a metric of a split is drawn without lines: colour by metric, dash by split."""
    line = SPLIT_LINES.get(series[1], "-")
    return Style(marks.metric_color(series[0]), SERIES_MARKERS.get(series, "o"), line)


def series_label(series: Series) -> str:
    """Name of a metric of a split in a legend."""
    name = marks.metric_label(series[0]).replace(" accuracy", "")
    return f"{name}, {marks.SPLITS.get(series[1], series[1])}"


def series_groups(spec: FigureSpec, rows: "pd.DataFrame", accuracy: str) -> dict[str, list[Series]]:
    """What panels without lines show: label of the vertical axis -> metrics and splits.

    Args:
        spec: the figure; its option `metrics` gives each metric a panel of its own.
        rows: of a summary.
        accuracy: label of the usual panel of accuracies.

    Raises:
        DataError: a metric that is asked for is not measured.
    """
    if "metrics" not in spec.options:
        return {"Redundancy ratio": list(REDUNDANCY), accuracy: list(CATEGORIZATION)}
    groups: dict[str, list[Series]] = {}
    for series in selection.series_of(rows, spec.options["metrics"]):
        groups.setdefault(marks.metric_label(series[0]), []).append(series)
    return groups


def series_entries(rows: "pd.DataFrame", groups: Iterable[Iterable[Series]]) -> list[Entry]:
    """Entries of metrics and splits that have rows."""
    return [
        Entry(series_label(series), series_style(series))
        for group in groups
        for series in group
        if len(selection.of_series(rows, series))
    ]


def panel_of_lines(
    spec: FigureSpec,
    rows: "pd.DataFrame",
    theirs: "pd.DataFrame | None",
    series: Series,
    axis: Axis,
) -> Panel:
    """Panel of one metric on one split: colour by `spec.line`, line style by `spec.variant`.

    Args:
        spec: the figure, with a line.
        rows: of a summary.
        theirs: published values with the column `spec.line`, or None.
        series: the metric and its split.
        axis: the horizontal axis.
    """
    ours, drawn, printed = selection.of_series(rows, series), [], []
    for value, style in line_styles(spec, rows).items():
        here, first = selection.rows_equal(ours, spec.line, value), len(drawn)
        for variant, (name, dash) in variant_looks(spec, rows).items():
            part = selection.rows_equal(here, spec.variant, variant)
            if len(part):
                look = replace(style, linestyle=dash)
                drawn.append(curve_of(part, axis, look, names_of_line(spec.line, value, name)))
        if theirs is not None and spec.line in theirs.columns and len(drawn) > first:
            same = selection.rows_equal(selection.of_series(theirs, series), spec.line, value)
            if len(same):
                printed.append(published_of(same, axis, drawn[first]))
    title = f"{marks.SPLITS.get(series[1], series[1])} split"
    label = Vertical(marks.metric_label(series[0]))
    return Panel(title, axis, label, tuple(drawn), tuple(printed))


def legends_of_lines(
    spec: FigureSpec, rows: "pd.DataFrame", shown: Sequence[Entry]
) -> list[tuple[str, list[Entry]]]:
    """Legends of a figure with a colour per line and a line style per variant."""
    dashes = dash_entries(variant_looks(spec, rows).values())
    return [
        (marks.factor_label(spec.line or ""), line_entries(line_styles(spec, rows))),
        ("", [*dashes, *shown]),
    ]


def courses_of_lines(panels: Sequence[Panel]) -> list[str]:
    """Clauses on the first and the last line of each panel, those of test data first."""
    ordered = sorted(panels, key=lambda panel: any(c.split == "train" for c in panel.curves))
    ends = [{panel.curves[0].label, panel.curves[-1].label} for panel in ordered if panel.curves]
    named = set().union(*ends)
    return headlines.courses(ordered, lambda curve: curve.label in named)


def names_of_line(line: str | None, value: object, *more: str) -> dict[str, str]:
    """Names of a curve of one value of a factor: a number is told with its factor, width 8."""
    label = marks.value_label(value)
    numeric = isinstance(value, (int, float, bool, np.generic))
    return {label: marks.place_name(line or "", value) if numeric else label} | {
        name: name for name in more
    }


def line_styles(spec: FigureSpec, rows: "pd.DataFrame") -> dict[object, Style]:
    """One style per value of the line factor."""
    return marks.line_styles(selection.factor_values(rows, spec.line))


def variant_looks(spec: FigureSpec, rows: "pd.DataFrame") -> dict[object, tuple[str, str]]:
    """(label, line style) of each variant; {None: ("", "-")} without variants."""
    values = selection.variant_values(spec, rows)
    if spec.variant is None:
        return {None: ("", "-")}
    labels = [variant_label(spec, value) for value in values]
    return dict(zip(values, zip(labels, marks.LINESTYLES, strict=False), strict=False))


def variant_label(spec: FigureSpec, value: object) -> str:
    """A variant by its factor and value; "" without variants."""
    if spec.variant is None:
        return ""
    return f"{marks.quantity(marks.factor_label(spec.variant))}: {marks.value_label(value)}"


def with_room(styles: Mapping[object, Style], axes: Iterable[Axis]) -> dict[object, Style]:
    """Styles without markers, unless one of the axes has room for them."""
    room = any(_has_room(axis) for axis in axes)
    return {value: replace(s, marker=s.marker if room else "") for value, s in styles.items()}


def log_limits(curves: Sequence[Curve], *more: float) -> tuple[float, float]:
    """Ends of a logarithmic axis: of means and of intervals, but for wide ones down to 0."""
    means = np.concatenate([more, *(curve.y for curve in curves)])
    means = means[np.isfinite(means) & (means > 0)]
    low, high = float(means.min()), float(means.max())
    ends = np.concatenate([[], *(end for c in curves for end in (c.low, c.high))])
    ends = ends[np.isfinite(ends) & (ends > low / FARTHEST_END) & (ends < high * FARTHEST_END)]
    low, high = float(np.min(ends, initial=low)), float(np.max(ends, initial=high))
    margin = max((high / low) ** 0.08, 1.15)
    return low / margin, high * margin


def wrapped(row: Sequence[Panel]) -> list[list[Panel]]:
    """Rows of panels as wide as the page allows."""
    # Four panels look better as a square than as three and one.
    columns = 2 if len(row) == 4 else 3
    return [list(row[start : start + columns]) for start in range(0, len(row), columns)]


def line_entries(styles: Mapping[object, Style]) -> list[Entry]:
    """Entries of the values of a factor."""
    return [Entry(marks.value_label(value), style) for value, style in styles.items()]


def dash_entries(looks: Iterable[tuple[str, str]]) -> list[Entry]:
    """Entries of (label, line style), each once; a look without a label has none."""
    neutral = marks.NEUTRAL
    return [Entry(name, Style(neutral, "", line)) for name, line in dict.fromkeys(looks) if name]


def shown_entries(panels: Iterable[Panel], *, published: str = PUBLISHED) -> list[Entry]:
    """Entries of what panels have besides curves: intervals, published values and guides.

    Args:
        panels: all of the chart.
        published: what published values are called.
    """
    panels = list(panels)
    curves = [curve for panel in panels for curve in panel.curves]
    entries = []
    for mark, marked in (("band", ("line",)), ("bar", ("points", "levels"))):
        if any(np.isfinite(c.low).any() and c.mark in marked and not c.bands for c in curves):
            entries.append(Entry(INTERVAL, Style(marks.NEUTRAL, ""), mark))
    if not entries and any(np.isfinite(c.low).any() and c.bands for c in curves):
        entries.append(Entry(INTERVAL, Style(marks.NEUTRAL, ""), "bar"))
    if any(panel.published for panel in panels):
        entries.append(Entry(published, Style(marks.NEUTRAL, "o", ""), "open"))
    guides = {guide.label: guide for panel in panels for guide in panel.guides if guide.label}
    for label, guide in guides.items():
        mark = "upright" if guide.at is not None and guide.axis == "x" else "guide"
        entries.append(Entry(label, guide.style or Style("", "", ""), mark))
    return entries


def chart_of(
    kind: str,
    spec: FigureSpec,
    panels: Iterable[Iterable[Panel]],
    legends: Iterable[tuple[str, Iterable[Entry]]],
    headline: str,
    **given: Any,  # noqa: ANN401
) -> Chart:
    """Chart without the panels that have nothing to show, and without empty legends.

    Raises:
        DataError: there is no panel.
    """
    rows = [tuple(p for p in row if p.curves or p.heat is not None) for row in panels]
    rows = [row for row in rows if row]
    if not rows:
        raise DataError("there is nothing to draw: the study measured no metric of the figure")
    made = [Legend(title, tuple(entries)) for title, entries in legends]
    made = [legend for legend in made if legend.entries]
    return Chart(kind, spec.title, tuple(rows), tuple(made), headline, **given)


def _has_room(axis: Axis) -> bool:
    places = axis.place(axis.levels)
    places = np.log(places) if axis.scale == "log" else places
    return len(places) < 2 or np.diff(places).min() >= CLOSEST * np.ptp(places)
