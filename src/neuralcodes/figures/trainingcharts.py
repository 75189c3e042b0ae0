"""Figure kind of training: error and loss on the training set against the epoch."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from neuralcodes.figures import curves, looks, marks, panels
from neuralcodes.figures.marks import FigureSpec, Style
from neuralcodes.figures.panels import Curve, Panel, Published
from neuralcodes.figures.scales import Axis

LABELS = {
    "train_accuracy": "Training error (1 \u2212 accuracy)",
    "train_loss": "Training loss (cross-entropy)",
}
PUBLISHED_NAMES = {"train_accuracy": "train_accuracy", "train_loss": "loss"}
PUBLISHED_EPOCHS = 5000


def draw_training(
    spec: FigureSpec, summary: pd.DataFrame, published: pd.DataFrame | None = None
) -> Figure:
    """Training error and training loss against the epoch, on logarithmic axes.

    A line per value of `spec.line`, a line style per value of `spec.variant`. Published values,
    mean and standard deviation over seeds, are of the end of the paper's training: they are drawn
    where ours is as long.

    Raises:
        DataError: the summary lacks what the figure needs, or factors vary that it does not show.
    """
    spec, rows = looks.selected(spec, summary, ("epoch",))
    if "perturbation" in rows.columns:
        rows = rows[rows["perturbation"].isna()]
    rows = looks.of_any(rows, [(metric, "train") for metric in LABELS])
    axis = Axis.of("epoch", rows, spec)
    styles = marks.line_styles(marks.factor_values(rows, spec.line))
    lines, row = looks.marked(styles, axis), []
    for metric, y_label in LABELS.items():
        own = _as_error(curves.of_series(rows, (metric, "train")))
        told_apart = looks.looks_of(spec, own, [(metric, "train")])
        drawn = looks.curves_of(told_apart, lines, spec.line, axis, "epoch")
        printed = _published_end(published, metric, axis, styles)
        limits = _above_zero([*drawn, *printed])
        row.append(Panel("", y_label, axis, drawn, printed, "log", y_limits=limits))
    row = [panel for panel in row if panel.curves]
    handles = [*curves.line_handles(lines), *curves.variant_handles(spec, rows)]
    handles += panels.interval_handles(rows)
    handles += looks.published_handles(row, styles)
    title = marks.factor_label(spec.line)
    return panels.draw_panels(curves.wrapped(row, spec), spec, handles, title)


def _as_error(rows: pd.DataFrame) -> pd.DataFrame:
    """Turn accuracies into errors; other metrics stay as they are."""
    accurate = rows["metric"] == "train_accuracy"
    mirrored = {"mean": "mean", "low": "high", "high": "low"}
    return rows.assign(**{k: rows[k].mask(accurate, 1 - rows[v]) for k, v in mirrored.items()})


def _above_zero(drawn: Sequence[Curve | Published]) -> tuple[float | None, None]:
    """Lower end of a logarithmic axis: intervals may reach below 0 where means do not."""
    means = np.concatenate([[], *(each.y for each in drawn)])
    positive = means[means > 0]
    return (float(positive.min()) / 2 if len(positive) else None, None)


def _published_end(
    published: pd.DataFrame | None, metric: str, axis: Axis, styles: Mapping[object, Style]
) -> tuple[Published, ...]:
    if published is None or float(axis.levels[-1]) < PUBLISHED_EPOCHS:
        return ()
    rows = published[published["perturbation"] == "none"]
    rows = rows[rows["metric"] == PUBLISHED_NAMES[metric]].assign(epoch=PUBLISHED_EPOCHS)
    value, std = rows["value"], rows["std"]
    if metric == "train_accuracy":
        value, std = 1 - value / 100, std / 100
    rows = rows.assign(value=value, reading_error=std)
    return looks.published_of(rows, axis, "epoch", styles)
