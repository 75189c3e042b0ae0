"""Flipped bits, redundancy and K-NN accuracy of codes against the level of a perturbation."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from neuralcodes.figures import headlines, marks, parts, perturbed, selection
from neuralcodes.figures.chart import Chart, Panel
from neuralcodes.figures.declaration import VARIANT, Asked, FigureKind, FigureSpec, usual_line
from neuralcodes.figures.selection import Series
from neuralcodes.perturbation import kinds as perturbation

if TYPE_CHECKING:
    import pandas as pd

CODES: dict[str, tuple[Series, ...]] = {
    "Flipped bits (share)": (("flipped_bits", "train"), ("flipped_bits", "test")),
    "Redundancy ratio": (("redundancy_ratio", "train"), ("redundancy_ratio", "test")),
    "K-NN accuracy": (("knn_accuracy", "test"), ("knn_accuracy_unperturbed_train", "test")),
}
UNPERTURBED_TRAIN = ("test, train codes unperturbed", ":")


def chart(
    spec: FigureSpec, summary: "pd.DataFrame", published: "pd.DataFrame | None" = None
) -> Chart:
    """A column per measure, a line per value of `spec.line`.

    A row per kind, per value of `spec.variant` and, on a linear axis, for levels near zero, with
    vertical axes of their own.
    """
    del published  # nothing is published on codes under perturbation
    every = [series for group in CODES.values() for series in group]
    rows = perturbed.select(spec, summary, every)
    kinds = perturbed.chosen(spec, rows, ("offset",))
    views = [view for kind in kinds for view in perturbed.views(rows, kind)]
    styles, grid = parts.line_styles(spec, rows), []
    for variant in selection.variant_values(spec, rows):
        here = selection.rows_equal(rows, spec.variant, variant)
        name = parts.variant_label(spec, variant)
        for view in views:
            titled = replace(view, title=", ".join(filter(None, [view.title, name])))
            grid.append(
                [
                    perturbed.panel_of(titled, _looks(here, group), styles, spec.line, label)
                    for label, group in CODES.items()
                ]
            )
    drawn = [panel for row in grid for panel in row]
    dashes = [(name, dash) for name, dash, _ in _looks(rows, every)]
    shown = parts.with_room(styles, [panel.x for panel in drawn])
    return parts.chart_of(
        "perturbed_codes",
        spec,
        grid,
        [
            (marks.factor_label(spec.line), parts.line_entries(shown)),
            ("", [*parts.dash_entries(dashes), *parts.shown_entries(drawn)]),
        ],
        headlines.sentence(_clauses(grid)),
    )


def question(asked: Asked) -> str:
    """Ask what becomes of codes."""
    kinds = [perturbation.get(kind).look.said for kind in asked.options.get("kinds") or ("offset",)]
    text = f"what becomes of the neural codes of a network trained on {asked.dataset}"
    return f"{text} when its pre-activations are {marks.joined(kinds, 'or')}"


def _looks(rows: "pd.DataFrame", group: tuple[Series, ...] | list[Series]) -> list[perturbed.Look]:
    looks = []
    for metric, split in group:
        part = selection.of_series(rows, (metric, split))
        look = (marks.SPLITS[split], parts.SPLIT_LINES[split])
        if metric == "knn_accuracy_unperturbed_train":
            look = UNPERTURBED_TRAIN
        if len(part):
            looks.append((*look, part))
    return looks


def _clauses(grid: list[list[Panel]]) -> list[str]:
    """Largest share of flipped bits, and lowest accuracy, of the first and the last line."""
    clauses = []
    for panel, best, name in zip(
        grid[0],
        (np.nanargmax, np.nanargmax, np.nanargmin),
        ("highest", "highest", "lowest"),
        strict=False,
    ):
        tested = [c for c in panel.curves if c.split == "test" and np.isfinite(c.y).any()]
        tested = [c for c in tested if c.metric != "knn_accuracy_unperturbed_train"]
        told = []
        for curve in dict.fromkeys(tested[place].label for place in (0, -1) if tested):
            own = next(c for c in tested if c.label == curve)
            at = int(best(own.y))
            level = headlines.place(panel.x, own.x[at])
            told.append(f"{headlines.number(own.y[at])} {level} ({own.entries[0]})")
        if told:
            subject = headlines.named(tested[0]).removesuffix(" (test)")
            clauses.append(f"{subject} under {panel.title} is {name} with {marks.joined(told)}")
    return clauses


KIND = FigureKind(
    name="perturbed_codes",
    description="Flipped bits, redundancy and K-NN accuracy of perturbed codes.",
    measure="perturbed_codes",
    chart=chart,
    question=question,
    reading="Columns are the share of flipped bits, the redundancy and the K-NN accuracy of the "
    "codes, rows are the ranges of levels; the vertical line changes nothing; bands are 95% "
    "t-intervals of the mean over seeds",
    options={
        "line": usual_line("activation"),
        "variant": VARIANT,
        "kinds": perturbed.KINDS_OPTION,
    },
)
