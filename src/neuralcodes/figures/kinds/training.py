"""Error and loss on the training set against the epoch."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from neuralcodes.figures import headlines, marks, parts, selection
from neuralcodes.figures.chart import Axis, Chart, Curve, Panel, Published, Vertical
from neuralcodes.figures.declaration import (
    PUBLISHED,
    SCALE,
    VARIANT,
    Asked,
    FigureKind,
    FigureSpec,
    usual_line,
)

if TYPE_CHECKING:
    import pandas as pd

LABELS = {
    "train_accuracy": "Training error (1 \u2212 accuracy)",
    "train_loss": "Training loss (cross-entropy)",
}
PUBLISHED_NAMES = {"train_accuracy": "train_accuracy", "train_loss": "loss"}
PUBLISHED_EPOCHS = 5000
DEVIATION = "published end (\u00b1 standard deviation over seeds)"


def chart(
    spec: FigureSpec, summary: "pd.DataFrame", published: "pd.DataFrame | None" = None
) -> Chart:
    """A line per value of `spec.line`, a line style per value of `spec.variant`.

    Published values, mean and standard deviation over seeds, are of the end of the paper's
    training: they are drawn where ours is as long.
    """
    rows = selection.select(summary, spec, ["epoch", spec.line, spec.variant])
    if "perturbation" in rows.columns:
        rows = rows[rows["perturbation"].isna()]
    rows = selection.of_metrics(rows[rows["split"] == "train"], LABELS)
    axis = parts.axis_of("epoch", rows, spec)
    styles = parts.with_room(parts.line_styles(spec, rows), [axis])
    drawn = []
    for metric, label in LABELS.items():
        own = selection.of_series(rows, (metric, "train"))
        curves = []
        for value, style in styles.items():
            here = selection.rows_equal(own, spec.line, value)
            for variant, (name, dash) in parts.variant_looks(spec, rows).items():
                part = selection.rows_equal(here, spec.variant, variant)
                if len(part):
                    look = replace(style, linestyle=dash)
                    names = parts.names_of_line(spec.line, value, name)
                    mirrored = metric == "train_accuracy"
                    curves.append(parts.curve_of(part, axis, look, names, mirrored=mirrored))
        printed = _published_end(published, metric, axis, curves)
        vertical = Vertical(label, "log", _above_zero(curves, printed))
        drawn.append(Panel("", axis, vertical, tuple(curves), printed))
    drawn = [panel for panel in drawn if panel.curves]
    dashes = parts.dash_entries(parts.variant_looks(spec, rows).values())
    return parts.chart_of(
        "training",
        spec,
        parts.wrapped(drawn),
        [
            (marks.factor_label(spec.line), parts.line_entries(styles)),
            ("", [*dashes, *parts.shown_entries(drawn, published=DEVIATION)]),
        ],
        headlines.sentence(parts.courses_of_lines(drawn)),
    )


def question(asked: Asked) -> str:
    """Ask how training proceeds."""
    by = marks.joined([text for text in (asked.line, asked.variant) if text])
    return (
        f"how do training error and loss fall on {asked.dataset}, and how do they differ with {by}"
    )


def _above_zero(curves: Sequence[Curve], printed: Sequence[Published]) -> tuple[float | None, None]:
    """Lower end of a logarithmic axis: intervals may reach below 0 where means do not."""
    means = np.concatenate([[], *(c.y for c in curves), *(p.value for p in printed)])
    positive = means[means > 0]
    return (float(positive.min()) / 2 if len(positive) else None, None)


def _published_end(
    published: "pd.DataFrame | None", metric: str, axis: Axis, curves: Sequence[Curve]
) -> tuple[Published, ...]:
    if published is None or float(axis.levels[-1]) < PUBLISHED_EPOCHS:
        return ()
    rows = published[published["perturbation"] == "none"]
    rows = rows[rows["metric"] == PUBLISHED_NAMES[metric]].assign(epoch=PUBLISHED_EPOCHS)
    value, std = rows["value"], rows["std"]
    if metric == "train_accuracy":
        value, std = 1 - value / 100, std / 100
    rows = rows.assign(value=value, reading_error=std)
    return parts.published_of_activations(rows, axis, curves)


KIND = FigureKind(
    name="training",
    description="Error and loss on the training set against the epoch.",
    measure="history",
    chart=chart,
    question=question,
    reading="Error (1 \u2212 accuracy) and cross-entropy on the training set against the epoch, "
    "all axes logarithmic; bands are 95% t-intervals of the mean over seeds",
    reading_published="open markers are published ends with their standard deviation",
    options={
        "line": usual_line("activation"),
        "variant": VARIANT,
        "scale": SCALE,
        "published": PUBLISHED,
    },
    published="perturbation",
)
