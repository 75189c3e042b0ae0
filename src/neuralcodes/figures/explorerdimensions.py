"""Dimensions that interactive charts share: factors, variants, splits and measures."""

import re
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from neuralcodes.figures import curves, marks
from neuralcodes.figures.curves import Series
from neuralcodes.figures.explorerdata import FIGURE, FURTHER, Dimension, Role, Value, Vertical
from neuralcodes.figures.marks import FigureSpec, Style

SHARE = re.compile(r"accuracy|redundancy_ratio|flipped_bits|recall_at")
SHARES = "Redundancy ratio, accuracy"


def of_factor(
    factor: str, values: Iterable[object], role: Role, styles: Mapping[object, Style] | None = None
) -> Dimension:
    """Make a dimension of a factor's values.

    Args:
        factor: its name.
        values: in their order.
        role: of the dimension.
        styles: value -> its style, for the roles colour and dash.
    """
    made = [
        Value(text_of(value), marks.value_label(value), styles[value] if styles else None)
        for value in values
    ]
    return Dimension(factor, marks.factor_label(factor), role, tuple(made))


def of_variants(spec: FigureSpec, rows: pd.DataFrame, role: Role) -> Dimension | None:
    """Make a dimension of the variants, with their line styles; None without `spec.variant`."""
    if not spec.variant:
        return None
    values = curves.variant_values(spec, rows)
    curves.variant_handles(spec, rows)  # refuses more variants than line styles
    dashes = [Style(marks.NEUTRAL, "", dash) for dash in marks.LINESTYLES]
    return of_factor(spec.variant, values, role, dict(zip(values, dashes, strict=False)))


def of_splits(rows: pd.DataFrame, first: str | None, role: Role = "choice") -> Dimension:
    """Make a dimension of the splits in the rows, `first` before all others."""
    known = [*filter(None, [first]), *marks.SPLITS, *rows["split"].unique()]
    measured = [split for split in dict.fromkeys(known) if (rows["split"] == split).any()]
    values = [Value(str(split), marks.SPLITS.get(split, str(split))) for split in measured]
    return Dimension("split", "Split", role, tuple(values))


def of_measures(
    shown: Sequence[Series], further: Sequence[Series], scales: Mapping[str, Vertical] | None = None
) -> Dimension:
    """Make a choice of metrics and splits, those of the figure first.

    Args:
        shown: those of the static figure.
        further: what else is measured.
        scales: metric -> its vertical axis, where its name is not enough.
    """
    every = [*((s, FIGURE) for s in shown), *((s, FURTHER) for s in further)]
    metrics = [metric for metric, _ in (*shown, *further)]
    values = [
        Value(
            text=",".join(series),
            label=_measure_label(series, alone=metrics.count(series[0]) == 1),
            vertical=(scales or {}).get(series[0], Vertical(marks.metric_label(series[0]))),
            group=heading if further else "",
        )
        for series, heading in every
    ]
    return Dimension("measure", "Measure", "choice", tuple(values))


def further_series(
    rows: pd.DataFrame, shown: Iterable[Series], drawn: Sequence[str]
) -> list[Series]:
    """List what is measured besides the series of a figure, each at one point per place.

    Args:
        rows: of a summary.
        shown: the series of the static figure.
        drawn: columns that tell points apart.
    """
    known, found = set(shown), []
    for series, part in rows.groupby(["metric", "split"], sort=True):
        unique = not part.duplicated(list(drawn)).any()
        if series not in known and unique and np.isfinite(part["mean"]).any():
            found.append((str(series[0]), str(series[1])))
    return sorted(found, key=_order)


def is_share(metric: str) -> bool:
    """Tell whether a metric is a fraction that can stand on one axis with others."""
    return SHARE.search(metric) is not None


def text_of(value: object) -> str:
    """A factor's value as the plain text that names it in the page."""
    if isinstance(value, (float, np.floating)):
        return "none" if np.isnan(value) else f"{value:g}" if value % 1 else f"{value:.0f}"
    return "none" if value is None else str(value)


def _measure_label(series: Series, *, alone: bool) -> str:
    metric, split = series
    name = marks.metric_label(metric)
    # A network's accuracy is named alike on both splits.
    return (
        name
        if alone and metric != "train_accuracy"
        else f"{name}, {marks.SPLITS.get(split, split)}"
    )


def _order(series: Series) -> tuple[int, str, str]:
    known = list(marks.METRICS)
    return (known.index(series[0]) if series[0] in known else len(known), *series)
