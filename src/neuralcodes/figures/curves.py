"""Figure kinds made of curves: metrics against a factor, a layer, an input or a region's size."""

from dataclasses import replace

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from neuralcodes.errors import DataError
from neuralcodes.figures import marks, panels
from neuralcodes.figures.marks import FigureSpec, Style
from neuralcodes.figures.panels import Curve, Panel
from neuralcodes.figures.scales import Axis

Series = tuple[str, str]

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
# A series looks the same in every figure without a line factor: colour by metric, dashes by split.
SERIES_STYLES: dict[Series, Style] = {
    ("redundancy_ratio", "train"): Style(marks.metric_color("redundancy_ratio"), "s", "--"),
    ("redundancy_ratio", "test"): Style(marks.metric_color("redundancy_ratio"), "o", "-"),
    ("redundancy_ratio_equal_n", "train"): Style(
        marks.metric_color("redundancy_ratio_equal_n"), "x", ":"
    ),
    ("kmeans_accuracy", "train"): Style(marks.metric_color("kmeans_accuracy"), "v", "--"),
    ("kmeans_accuracy", "test"): Style(marks.metric_color("kmeans_accuracy"), "^", "-"),
    ("knn_accuracy", "test"): Style(marks.metric_color("knn_accuracy"), "D", "-"),
    ("logistic_regression_accuracy", "test"): Style(
        marks.metric_color("logistic_regression_accuracy"), "P", "-"
    ),
    ("test_accuracy", "test"): Style(marks.metric_color("test_accuracy"), "o", "-."),
}
INPUT_STYLES = {
    "train": SERIES_STYLES["redundancy_ratio", "train"],
    "test": SERIES_STYLES["redundancy_ratio", "test"],
    "uniform_0_1": Style("#d98c3f", "^", "-."),
    "uniform_-1_0": Style("#6e6e6e", "v", ":"),
}


def of_series(rows: pd.DataFrame, series: Series) -> pd.DataFrame:
    """Rows of one metric on one split."""
    return rows[(rows["metric"] == series[0]) & (rows["split"] == series[1])]


def series_style(series: Series) -> Style:
    """How a metric of a split is drawn in figures without a line factor."""
    default = Style(marks.metric_color(series[0]), "o", "--" if series[1] == "train" else "-")
    return SERIES_STYLES.get(series, default)


def series_label(series: Series) -> str:
    """Name of a metric of a split in a legend."""
    metric, split = series
    return (
        f"{marks.metric_label(metric).replace(' accuracy', '')}, {marks.SPLITS.get(split, split)}"
    )


def wrapped(row: list[Panel], spec: FigureSpec) -> list[list[Panel]]:
    """Rows of panels as wide as the page allows."""
    # Four panels look better as a square than as three and one.
    columns = 1 if spec.columns == 1 else (2 if len(row) == 4 else 3)
    return [row[start : start + columns] for start in range(0, len(row), columns)]


def layer_rows(summary: pd.DataFrame, spec: FigureSpec) -> pd.DataFrame:
    """Rows of single layers, which count from 1 whatever the table starts at.

    Args:
        summary: what `tables.summarize` returns.
        spec: a figure of the kind `layers`.

    Raises:
        DataError: the summary has no column `layer`.
    """
    line = spec.line or "width_per_layer"
    rows = marks.select(summary, spec, ["layer", line, *filter(None, [spec.variant])])
    rows = rows[rows["layer"].notna()]
    rows = rows.assign(layer=rows["layer"].astype(int))
    rows["layer"] += 1 - rows["layer"].min()
    return rows


def line_handles(styles: dict[object, Style]) -> list[Line2D]:
    """Legend entries of the values of the line factor."""
    return [panels.line_handle(style, marks.value_label(v)) for v, style in styles.items()]


def variant_handles(spec: FigureSpec, rows: pd.DataFrame) -> list[Line2D]:
    """Legend entries of the variants, one line style each.

    Raises:
        DataError: there are more variants than line styles.
    """
    if not spec.variant:
        return []
    variants = variant_values(spec, rows)
    if len(variants) > len(marks.LINESTYLES):
        raise DataError(
            f"{spec.variant} has {len(variants)} values, but a figure tells "
            f"{len(marks.LINESTYLES)} line styles apart; choose fewer with the option where"
        )
    return [
        panels.line_handle(Style(marks.NEUTRAL, "", style), variant_label(spec, variant))
        for variant, style in zip(variants, marks.LINESTYLES, strict=False)
    ]


def variant_values(spec: FigureSpec, rows: pd.DataFrame) -> list[object]:
    """Values of `spec.variant`, the one that the paper used first; [None] without variants."""
    if not spec.variant:
        return [None]
    measured = marks.factor_values(rows, spec.variant)
    measured.sort(key=lambda value: value != marks.PUBLISHED_VALUE.get(spec.variant))
    return [v for v in spec.options.get("variants", measured) if v in measured]


def variant_label(spec: FigureSpec, variant: object) -> str:
    """A variant by its factor and value, for legends and titles."""
    name = marks.factor_label(spec.variant).split(" (")[0].lower()
    return f"{name}: {marks.value_label(variant)}"


def draw_curves(
    spec: FigureSpec, summary: pd.DataFrame, published: pd.DataFrame | None = None
) -> Figure:
    """Metrics against a factor, one line per metric, or one panel per metric and a line per value.

    Without `spec.line`: redundancy beside categorization, a row per value of `spec.variant`. With
    it: a panel per metric, colour by line value, line style by variant value.

    Raises:
        DataError: the summary lacks what the figure needs, or factors vary that it does not show.
    """
    spec = replace(spec, x=spec.x or "width_per_layer")
    rows = marks.select(summary, spec, [spec.x, *filter(None, [spec.line, spec.variant])])
    theirs = marks.select_published(published, rows, spec, spec.x)
    if spec.line is None:
        return _draw_by_metric(spec, rows, theirs)
    return _draw_by_line(spec, rows, theirs)


def draw_layers(
    spec: FigureSpec, summary: pd.DataFrame, published: pd.DataFrame | None = None
) -> Figure:
    """Metrics per hidden layer, a line per value of `spec.line`; the last layer is ringed.

    Raises:
        DataError: the summary has no column `layer`, or factors vary that are not shown.
    """
    del published  # the paper reports whole networks only
    line = spec.line or "width_per_layer"
    rows = layer_rows(summary, spec)
    axis = Axis.of("layer", rows, spec)
    styles = marks.line_styles(marks.factor_values(rows, line))
    grid = [
        _line_panel(spec, rows, None, series, axis, styles, ("layer", line))
        for series in _chosen_series(spec, rows, pd.DataFrame(columns=["metric", "split"]))
    ]
    last = float(axis.levels[-1])
    grid = [replace(panel, emphasised_x=last) for panel in grid if panel.curves]
    ring = Line2D([], [], color="black", marker="o", ls="", mfc="0.7", ms=5, label="last layer")
    handles = [*line_handles(styles), *variant_handles(spec, rows), ring]
    handles += panels.interval_handles(rows)
    return panels.draw_panels(wrapped(grid, spec), spec, handles, marks.factor_label(line))


def draw_random_inputs(
    spec: FigureSpec, summary: pd.DataFrame, published: pd.DataFrame | None = None
) -> Figure:
    """Redundancy of the codes of real and of random inputs, a panel per value of `spec.line`.

    Raises:
        DataError: the summary lacks what the figure needs, or factors vary that it does not show.
    """
    del published  # nothing is published for random inputs
    line, spec = spec.line or "width_per_layer", replace(spec, x=spec.x or "epoch")
    rows = marks.select(summary, spec, [spec.x, line])
    rows = rows[rows["metric"] == "redundancy_ratio"]
    axis = Axis.of(spec.x, rows, spec)
    row = []
    for value in marks.factor_values(rows, line):
        here = marks.rows_equal(rows, line, value)
        drawn = [
            panels.curve_of(here[here["split"] == split], axis, spec.x, style, marks.SPLITS[split])
            for split, style in INPUT_STYLES.items()
            if (here["split"] == split).any()
        ]
        title = f"{marks.factor_label(line).split(' (')[0]} {marks.value_label(value)}"
        row.append(Panel(title, marks.metric_label("redundancy_ratio"), axis, tuple(drawn)))
    present = [split for split in INPUT_STYLES if (rows["split"] == split).any()]
    handles = [panels.line_handle(INPUT_STYLES[split], marks.SPLITS[split]) for split in present]
    handles += panels.interval_handles(rows)
    return panels.draw_panels(wrapped(row, spec), spec, handles, "Inputs", share_y="all")


def _draw_by_metric(spec: FigureSpec, rows: pd.DataFrame, theirs: pd.DataFrame) -> Figure:
    variants = variant_values(spec, rows)
    axis = Axis.of(spec.x, rows, spec)
    groups = [("Redundancy ratio", REDUNDANCY), ("Categorization accuracy", CATEGORIZATION)]
    if "metrics" in spec.options:
        wanted = _named_series(spec)
        names = dict.fromkeys(metric for metric, _ in wanted)
        groups = [
            (marks.metric_label(name), tuple(s for s in wanted if s[0] == name)) for name in names
        ]
    grid = []
    for variant in variants:
        here = marks.rows_equal(rows, spec.variant, variant) if spec.variant else rows
        made = [_metric_panel(spec, here, theirs, group, axis, variant) for group in groups]
        grid.append([panel for panel in made if panel.curves])
    present = [s for _, group in groups for s in group if len(of_series(rows, s))]
    handles = [panels.line_handle(series_style(s), series_label(s)) for s in present]
    handles += panels.interval_handles(rows)
    if any(panel.published for row in grid for panel in row):
        handles.append(_published_handle(theirs))
    if spec.columns == 1:
        grid = [[panel] for row in grid for panel in row]
    return panels.draw_panels(grid, spec, handles)


def _metric_panel(
    spec: FigureSpec,
    rows: pd.DataFrame,
    theirs: pd.DataFrame,
    group: tuple[str, tuple[Series, ...]],
    axis: Axis,
    variant: object,
) -> Panel:
    y_label, all_series = group
    drawn, values = [], []
    for series in all_series:
        ours, printed = of_series(rows, series), of_series(theirs, series)
        if len(ours):
            style, label = series_style(series), series_label(series)
            drawn.append(panels.curve_of(ours, axis, spec.x, style, label))
            if len(printed):
                values.append(panels.published_of(printed, axis, spec.x, style))
    title = variant_label(spec, variant) if spec.variant else ""
    return Panel(title, y_label, axis, tuple(drawn), tuple(values))


def _draw_by_line(spec: FigureSpec, rows: pd.DataFrame, theirs: pd.DataFrame) -> Figure:
    axis = Axis.of(spec.x, rows, spec)
    styles = marks.line_styles(marks.factor_values(rows, spec.line))
    row = [
        _line_panel(spec, rows, theirs, series, axis, styles, (spec.x, spec.line))
        for series in _chosen_series(spec, rows, theirs)
    ]
    row = [panel for panel in row if panel.curves]
    handles = [*line_handles(styles), *variant_handles(spec, rows)]
    handles += panels.interval_handles(rows)
    if any(panel.published for panel in row):
        handles.append(_published_handle(theirs))
    title = marks.factor_label(spec.line)
    return panels.draw_panels(wrapped(row, spec), spec, handles, title)


def _line_panel(
    spec: FigureSpec,
    rows: pd.DataFrame,
    theirs: pd.DataFrame | None,
    series: Series,
    axis: Axis,
    styles: dict[object, Style],
    factors: tuple[str, str],
) -> Panel:
    x, line = factors
    ours = of_series(rows, series)
    printed = of_series(theirs, series) if theirs is not None else pd.DataFrame()
    variants = variant_values(spec, rows)
    drawn: list[Curve] = []
    values = []
    for value, style in styles.items():
        here = marks.rows_equal(ours, line, value)
        for variant, linestyle in zip(variants, marks.LINESTYLES, strict=False):
            part = marks.rows_equal(here, spec.variant, variant) if spec.variant else here
            if len(part):
                look = Style(style.color, style.marker, linestyle)
                drawn.append(panels.curve_of(part, axis, x, look, marks.value_label(value)))
        if line in printed.columns and len(here):
            same = marks.rows_equal(printed, line, value)
            if len(same):
                values.append(panels.published_of(same, axis, x, style))
    title, y_label = (
        f"{marks.SPLITS.get(series[1], series[1])} split",
        marks.metric_label(series[0]),
    )
    return Panel(title, y_label, axis, tuple(drawn), tuple(values))


def _chosen_series(
    spec: FigureSpec, rows: pd.DataFrame, theirs: pd.DataFrame
) -> tuple[Series, ...]:
    if "metrics" in spec.options:
        return _named_series(spec)
    # K-Means is comparable with the split that the paper shows; without a paper, with the test.
    shown = theirs.loc[theirs["metric"] == "kmeans_accuracy", "split"].mode()
    kmeans = str(spec.options.get("kmeans_split") or (shown.iloc[0] if len(shown) else "test"))
    return (
        ("redundancy_ratio", "train"),
        ("redundancy_ratio", "test"),
        ("kmeans_accuracy", kmeans),
        *CATEGORIZATION[2:],
    )


def _named_series(spec: FigureSpec) -> tuple[Series, ...]:
    return tuple((str(metric), str(split)) for metric, split in spec.options["metrics"])


def _published_handle(theirs: pd.DataFrame) -> Line2D:
    unknown = "split_status" in theirs.columns and (theirs["split_status"] == "unknown").any()
    note = "; K-Means split not stated" if unknown else ""
    return panels.published_handle(panels.PUBLISHED_LABEL[:-1] + note + ")")
