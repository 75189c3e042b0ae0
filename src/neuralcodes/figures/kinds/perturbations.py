"""Accuracy against the level of each kind of perturbation."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from neuralcodes.figures import headlines, marks, parts, perturbed, selection
from neuralcodes.figures.chart import Chart, Curve, Panel, Published
from neuralcodes.figures.declaration import (
    PUBLISHED,
    VARIANT,
    Asked,
    FigureKind,
    FigureSpec,
    usual_line,
)
from neuralcodes.figures.perturbed import PRE_ACTIVATIONS, View
from neuralcodes.perturbation import kinds as perturbation

if TYPE_CHECKING:
    import pandas as pd

TRAIN, TEST = ("train_accuracy", "train"), ("test_accuracy", "test")
CHANCE = dict.fromkeys(("digits", "mnist", "fashion_mnist", "kmnist", "svhn", "cifar10"), 0.1)
DEVIATION = "published (\u00b1 standard deviation over seeds)"


def chart(
    spec: FigureSpec, summary: "pd.DataFrame", published: "pd.DataFrame | None" = None
) -> Chart:
    """A panel per kind, a line per value of `spec.line`; line style by split or variant.

    With variants the training set alone is shown. Levels on a linear axis have a second panel
    near zero, with an accuracy axis of its own. Published values are accuracies in percent, of the
    training set; each is drawn once, in the panel that shows it largest.
    """
    series = [TRAIN] if spec.variant else [TRAIN, TEST]
    rows = perturbed.select(spec, summary, series)
    label = "Training accuracy" if spec.variant else "Network accuracy"
    looks = looks_of(spec, rows, series)
    styles = parts.line_styles(spec, rows)
    if published is not None:  # the published markers shall be the only ones
        styles = {value: replace(style, marker="") for value, style in styles.items()}
    chance = _chance(rows)
    drawn = []
    for kind in perturbed.chosen(spec, rows, PRE_ACTIVATIONS):
        views = perturbed.views(rows, kind)
        for place, view in enumerate(views):

            def printed(
                view: View, curves: Sequence[Curve], nearer: Sequence[View] = views[place + 1 :]
            ) -> tuple[Published, ...]:
                return _published(published, view, nearer, curves)

            drawn.append(perturbed.panel_of(view, looks, styles, spec.line, label, chance, printed))
    shown = parts.with_room(styles, [panel.x for panel in drawn])
    entries = parts.dash_entries((name, dash) for name, dash, _ in looks)
    return parts.chart_of(
        "perturbations",
        spec,
        parts.wrapped(drawn),
        [
            (marks.factor_label(spec.line), parts.line_entries(shown)),
            ("", [*entries, *parts.shown_entries(drawn, published=DEVIATION)]),
        ],
        headlines.sentence(_clauses(drawn)),
    )


def looks_of(
    spec: FigureSpec, rows: "pd.DataFrame", group: Sequence[selection.Series]
) -> list[perturbed.Look]:
    """Give variants their line styles or, without `spec.variant`, splits."""
    if spec.variant:
        return [
            (name, dash, selection.rows_equal(rows, spec.variant, value))
            for value, (name, dash) in parts.variant_looks(spec, rows).items()
        ]
    return [
        (marks.SPLITS[series[1]], parts.SPLIT_LINES[series[1]], part)
        for series in group
        if len(part := selection.of_series(rows, series))
    ]


def question(asked: Asked) -> str:
    """Ask which perturbations a network withstands."""
    kinds = list(asked.options.get("kinds") or PRE_ACTIVATIONS)
    inner = [perturbation.get(kind).look.said for kind in kinds if kind in PRE_ACTIVATIONS]
    said = [f"its pre-activations are {marks.joined(inner, 'or')}"] if inner else []
    said += [perturbation.get(kind).look.said for kind in kinds if kind not in PRE_ACTIVATIONS]
    others = [text for text in (asked.line, asked.variant) if text]
    rest = f", and does that depend on {marks.joined(others)}" if others else ""
    text = f"does a network trained on {asked.dataset} still answer correctly when "
    return text + ", or when ".join(said) + rest


def _chance(rows: "pd.DataFrame") -> float | None:
    known = {CHANCE.get(str(name)) for name in rows["dataset"].unique()}
    return known.pop() if len(known) == 1 else None


def _published(
    published: "pd.DataFrame | None",
    view: View,
    nearer: Sequence[View],
    curves: Sequence[Curve],
) -> tuple[Published, ...]:
    """Published training accuracies, as fractions, at levels that no nearer view shows."""
    if published is None:
        return ()
    chosen = published["perturbation"] == view.kind
    rows = published[chosen & (published["metric"] == "train_accuracy")]
    rows = rows[[view.holds(p) and not any(n.holds(p) for n in nearer) for p in rows["level"]]]
    rows = rows.assign(value=rows["value"] / 100, reading_error=rows["std"] / 100)
    return parts.published_of_activations(rows, view.axis, curves)


def _clauses(drawn: Sequence[Panel]) -> list[str]:
    """Lowest training accuracy of the first and the last line under each kind."""
    clauses = []
    for panel in drawn:
        if panel.title.endswith("near zero"):
            continue
        curves = [curve for curve in panel.curves if curve.split == "train"] or panel.curves
        lows = []
        for curve in dict.fromkeys((0, len(curves) - 1)):
            here = curves[curve]
            known = np.flatnonzero(np.isfinite(here.y))
            if len(known):
                low = known[np.argmin(here.y[known])]
                at = headlines.place(panel.x, here.x[low])
                theirs = headlines.published_at(panel.published, here, [int(low)])
                more = headlines.remarks(here.label, theirs)
                lows.append(f"{headlines.number(here.y[low])} {at}{more}")
        if lows:
            start = "accuracy is lowest under " if not clauses else "under "
            clauses.append(f"{start}{panel.title}: {marks.joined(lows)}")
    return clauses


KIND = FigureKind(
    name="perturbations",
    description="Accuracy against the level of each kind of perturbation.",
    measure="perturbations",
    chart=chart,
    question=question,
    reading="A panel per kind of perturbation: accuracy against its level, as a factor or as a "
    "fraction of each unit's range; the vertical line changes nothing, the dotted one is chance; "
    "bands are 95% t-intervals of the mean over seeds",
    reading_published="open markers are published values with their standard deviation",
    options={
        "line": usual_line("activation"),
        "variant": VARIANT,
        "kinds": perturbed.KINDS_OPTION,
        "published": PUBLISHED,
    },
    published="perturbation",
)
