"""Interactive charts of codes and training: against a factor, a layer, an epoch or an input."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd

from neuralcodes.errors import DataError
from neuralcodes.figures import curves, explorerdimensions, looks, marks, trainingcharts
from neuralcodes.figures.curves import Series
from neuralcodes.figures.explorerdata import (
    PUBLISHED,
    Dimension,
    Draft,
    Part,
    Printed,
    Value,
    Vertical,
    axis_of,
)
from neuralcodes.figures.marks import FigureSpec, Style
from neuralcodes.figures.scales import Axis

NO_SERIES = pd.DataFrame(columns=["metric", "split"])
DEVIATION = "standard deviation"


def draft_curves(
    spec: FigureSpec, summary: pd.DataFrame, published: pd.DataFrame | None = None
) -> Draft:
    """Metrics against a factor: the lines are metrics or, with `spec.line`, its values."""
    spec = replace(spec, x=spec.x or "width_per_layer")
    rows = marks.select(summary, spec, [spec.x, *filter(None, [spec.line, spec.variant])])
    theirs = marks.select_published(published, rows, spec, spec.x)
    axis = Axis.of(spec.x, rows, spec)
    if spec.line:
        draft = _by_line(spec, rows, theirs, axis, (spec.x, spec.line))
    else:
        draft = Draft("lines", [axis_of(axis, spec.x)], [])
        shown = _figure_series(spec, rows, (*curves.REDUNDANCY, *curves.CATEGORIZATION))
        drawn = [spec.x, *filter(None, [spec.variant])]
        groups, series = series_dimensions(rows, shown, drawn)
        variants = explorerdimensions.of_variants(spec, rows, "choice")
        draft.dimensions = [groups, series, *filter(None, [variants])]
        _fill_series(spec, draft, rows, theirs, axis)
    unknown = "split_status" in theirs and (theirs["split_status"] == "unknown").any()
    draft.published_label = PUBLISHED + (" (K-Means split not stated)" if unknown else "")
    return draft


def draft_layers(
    spec: FigureSpec, summary: pd.DataFrame, published: pd.DataFrame | None = None
) -> Draft:
    """Metrics per hidden layer, a line per value of `spec.line`; the last layer is ringed."""
    del published  # the paper reports whole networks only
    line = spec.line or "width_per_layer"
    rows = curves.layer_rows(summary, spec)
    axis = Axis.of("layer", rows, spec)
    draft = _by_line(spec, rows, NO_SERIES, axis, ("layer", line))
    draft.axes = [axis_of(axis, "layer", ringed=float(axis.levels[-1]))]
    return draft


def draft_random_inputs(
    spec: FigureSpec, summary: pd.DataFrame, published: pd.DataFrame | None = None
) -> Draft:
    """Redundancy of the codes of real and of random inputs, for one value of `spec.line`."""
    del published  # nothing is published for random inputs
    line, spec = spec.line or "width_per_layer", replace(spec, x=spec.x or "epoch")
    rows = marks.select(summary, spec, [spec.x, line])
    rows = rows[rows["metric"] == "redundancy_ratio"]
    marks.refuse_mixture(rows, [spec.x, line, "split"])
    axis = Axis.of(spec.x, rows, spec)
    values = marks.factor_values(rows, line)
    present = [split for split in curves.INPUT_STYLES if (rows["split"] == split).any()]
    inputs = [Value(s, marks.SPLITS[s], curves.INPUT_STYLES[s]) for s in present]
    draft = Draft("lines", [axis_of(axis, spec.x)], [])
    draft.vertical = Vertical(marks.metric_label("redundancy_ratio"))
    draft.dimensions = [
        explorerdimensions.of_factor(line, values, "choice"),
        Dimension("split", "Inputs", "colour", tuple(inputs)),
    ]
    for i, value in enumerate(values):
        here = marks.rows_equal(rows, line, value)
        for j, split in enumerate(present):
            draft.parts.append(Part(here[here["split"] == split], spec.x, axis, (i, j)))
    return draft


def draft_training(
    spec: FigureSpec, summary: pd.DataFrame, published: pd.DataFrame | None = None
) -> Draft:
    """Error and loss against the epoch, on the training set and on others where measured."""
    spec, rows = looks.selected(spec, summary, ("epoch",))
    if "perturbation" in rows.columns:
        rows = rows[rows["perturbation"].isna()]
    shown = [(metric, "train") for metric in trainingcharts.LABELS]
    shown = [s for s in shown if len(curves.of_series(rows, s))]
    looks.of_any(rows, shown)
    further = [("test_accuracy", "test"), ("test_loss", "test")]
    further = [series for series in further if len(curves.of_series(rows, series))]
    axis = Axis.of("epoch", rows, spec)
    scales = {
        **{metric: Vertical(label, "log") for metric, label in trainingcharts.LABELS.items()},
        "test_accuracy": Vertical("Test error (1 \u2212 accuracy)", "log"),
        "test_loss": Vertical("Test loss (cross-entropy)", "log"),
    }
    measures = explorerdimensions.of_measures(shown, further, scales)
    named = [replace(value, label=value.vertical.label) for value in measures.options]
    draft = _lines_of(spec, rows, replace(measures, options=tuple(named)), axis, "epoch")
    draft.published_label, draft.error_label = PUBLISHED, DEVIATION
    every = [*shown, *further]
    draft.parts = [
        replace(part, rows=_errors(part.rows), mirrored=True)
        if every[part.place[0]][0].endswith("accuracy")
        else part
        for part in draft.parts
    ]
    if published is not None and float(axis.levels[-1]) >= trainingcharts.PUBLISHED_EPOCHS:
        draft.printed = [
            Printed(part, "epoch", axis, (i, j, *[None] * bool(spec.variant)))
            for i, (metric, _) in enumerate(shown)
            for j, value in enumerate(marks.factor_values(rows, spec.line))
            if len(part := _published_end(published, metric, value))
        ]
    return draft


def series_dimensions(
    rows: pd.DataFrame, shown: Sequence[Series], drawn: Sequence[str]
) -> tuple[Dimension, Dimension]:
    """Make a choice of vertical axes and the series on them, a colour each.

    Fractions share an axis; every other metric has one of its own.

    Args:
        rows: of a summary.
        shown: series of the static figure that are measured.
        drawn: columns that tell points of a series apart.

    Raises:
        DataError: rows of a shown series fall on one point, or there is nothing to show.
    """
    for series in shown:
        marks.refuse_mixture(curves.of_series(rows, series), drawn)
    further = explorerdimensions.further_series(rows, shown, drawn)
    every = [*shown, *further]
    if not every:
        raise DataError("there is nothing to show: the study measured no metric of the figure")
    names = dict.fromkeys(_group_of(metric) for metric, _ in every)
    names = sorted(names, key=lambda name: name != explorerdimensions.SHARES)
    groups = [
        Value("shares" if name == explorerdimensions.SHARES else name, _group_label(name))
        for name in names
    ]
    groups = [replace(value, vertical=Vertical(value.label)) for value in groups]
    values = tuple(
        Value(",".join(s), curves.series_label(s), curves.series_style(s)) for s in every
    )
    selected = [
        place
        for place, series in enumerate(every)
        if series in shown or not explorerdimensions.is_share(series[0])
    ]
    return (
        Dimension("measure", "Measure", "choice", tuple(groups)),
        Dimension("series", "Series", "colour", values, tuple(selected)),
    )


def series_of(value: Value) -> Series:
    """Metric and split of a value that `series_dimensions` or `of_measures` made."""
    metric, split = value.text.split(",", 1)
    return metric, split


def group_place(groups: Dimension, series: Series) -> int:
    """Place of the vertical axis of a series."""
    name = _group_of(series[0])
    text = "shares" if name == explorerdimensions.SHARES else name
    return [value.text for value in groups.options].index(text)


def _group_of(metric: str) -> str:
    return explorerdimensions.SHARES if explorerdimensions.is_share(metric) else metric


def _group_label(name: str) -> str:
    return name if name == explorerdimensions.SHARES else marks.metric_label(name)


def _figure_series(spec: FigureSpec, rows: pd.DataFrame, usual: Sequence[Series]) -> list[Series]:
    named = spec.options.get("metrics")
    wanted = [(str(metric), str(split)) for metric, split in named] if named else usual
    return [series for series in wanted if len(curves.of_series(rows, series))]


def _fill_series(
    spec: FigureSpec, draft: Draft, rows: pd.DataFrame, theirs: pd.DataFrame, axis: Axis
) -> None:
    groups, series_dimension = draft.dimensions[:2]
    for place, value in enumerate(series_dimension.options):
        series = series_of(value)
        ours, group = curves.of_series(rows, series), group_place(groups, series)
        for v, variant in enumerate(curves.variant_values(spec, rows)):
            part = marks.rows_equal(ours, spec.variant, variant) if spec.variant else ours
            at = (group, place, *[v] * bool(spec.variant))
            draft.parts.append(Part(part, spec.x, axis, at))
        printed = curves.of_series(theirs, series)
        at = (group, place, *[None] * bool(spec.variant))
        draft.printed.append(Printed(printed, spec.x, axis, at))


def _by_line(
    spec: FigureSpec,
    rows: pd.DataFrame,
    theirs: pd.DataFrame,
    axis: Axis,
    factors: tuple[str, str],
) -> Draft:
    x, line = factors
    shown = _figure_series(spec, rows, _usual_series(spec, theirs))
    drawn = [x, line, *filter(None, [spec.variant])]
    for series in shown:
        marks.refuse_mixture(curves.of_series(rows, series), drawn)
    further = explorerdimensions.further_series(rows, shown, drawn)
    measures = explorerdimensions.of_measures(shown, further)
    draft = _lines_of(replace(spec, line=line), rows, measures, axis, x)
    values = marks.factor_values(rows, line)
    for i, measure in enumerate(measures.options):
        printed = curves.of_series(theirs, series_of(measure))
        ours = curves.of_series(rows, series_of(measure))
        for j, value in enumerate(values):
            if line in printed.columns and len(marks.rows_equal(ours, line, value)):
                at = (i, j, *[None] * bool(spec.variant))
                draft.printed.append(Printed(marks.rows_equal(printed, line, value), x, axis, at))
    return draft


def _lines_of(
    spec: FigureSpec, rows: pd.DataFrame, measures: Dimension, axis: Axis, x: str
) -> Draft:
    """Measures as a choice, `spec.line` as colours, variants as dashes."""
    if not measures.options:
        raise DataError("there is nothing to show: the study measured no metric of the figure")
    values = marks.factor_values(rows, spec.line)
    styles: Mapping[object, Style] = marks.line_styles(values)
    variants = explorerdimensions.of_variants(spec, rows, "dash")
    lines = explorerdimensions.of_factor(spec.line, values, "colour", styles)
    draft = Draft("lines", [axis_of(axis, x)], [measures, lines, *filter(None, [variants])])
    for i, measure in enumerate(measures.options):
        ours = curves.of_series(rows, series_of(measure))
        for j, value in enumerate(values):
            here = marks.rows_equal(ours, spec.line, value)
            for v, variant in enumerate(curves.variant_values(spec, rows)):
                part = marks.rows_equal(here, spec.variant, variant) if spec.variant else here
                at = (i, j, *[v] * bool(spec.variant))
                marks.refuse_mixture(part, [x])
                draft.parts.append(Part(part, x, axis, at))
    return draft


def _usual_series(spec: FigureSpec, theirs: pd.DataFrame) -> tuple[Series, ...]:
    # As in the static figure: K-Means on the split that the paper shows.
    shown = theirs.loc[theirs["metric"] == "kmeans_accuracy", "split"].mode()
    kmeans = str(spec.options.get("kmeans_split") or (shown.iloc[0] if len(shown) else "test"))
    first = (("redundancy_ratio", "train"), ("redundancy_ratio", "test"))
    return (*first, ("kmeans_accuracy", kmeans), *curves.CATEGORIZATION[2:])


def _errors(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(mean=1 - rows["mean"], low=1 - rows["high"], high=1 - rows["low"])


def _published_end(published: pd.DataFrame, metric: str, value: object) -> pd.DataFrame:
    rows = published[(published["perturbation"] == "none") & (published["activation"] == value)]
    rows = rows[rows["metric"] == trainingcharts.PUBLISHED_NAMES[metric]]
    of, std = rows["value"], rows["std"]
    if metric == "train_accuracy":
        of, std = 1 - of / 100, std / 100
    end = float(trainingcharts.PUBLISHED_EPOCHS)
    return rows.assign(epoch=end, value=of, reading_error=std)
