"""Recipes ranked by their distance to the published values, with each metric's share of it."""

from typing import TYPE_CHECKING

import numpy as np

from neuralcodes.errors import DataError
from neuralcodes.figures import headlines, marks, parts, selection
from neuralcodes.figures.chart import Axis, Chart, Entry, Panel, Vertical
from neuralcodes.figures.declaration import (
    PUBLISHED,
    Asked,
    FigureKind,
    FigureSpec,
    usual_line,
)

if TYPE_CHECKING:
    import pandas as pd

SERIES = (*parts.REDUNDANCY, *parts.CATEGORIZATION)


def chart(
    spec: FigureSpec, summary: "pd.DataFrame", published: "pd.DataFrame | None" = None
) -> Chart:
    """A bar per value of `spec.line`, the nearest on top.

    Raises:
        DataError: nothing is published, or no point is shared by all recipes.
    """
    if published is None:
        raise DataError("a recipe_recovery figure needs published values; none were passed")
    from neuralcodes.papers.published import rank  # pandas: not while a workflow is parsed

    rows = summary
    for factor, value in spec.where.items():
        rows = selection.rows_equal(rows, factor, value)
    ranked = rank(rows, published, [spec.line])
    recipes = ranked.drop_duplicates(spec.line)
    names = tuple(marks.value_label(value) for value in recipes[spec.line])
    axis = Axis(
        marks.factor_label(spec.line),
        "category",
        tuple(recipes[spec.line]),
        names,
        factor=spec.line,
    )
    bars = []
    for series in SERIES:
        own = selection.of_series(ranked, series).set_index(spec.line)["contribution"]
        if len(own):
            heights = own.reindex(recipes[spec.line]).fillna(0).to_numpy(dtype=float)
            bars.append(
                parts.unmeasured(
                    parts.series_label(series),
                    parts.series_style(series),
                    np.arange(len(names), dtype=float),
                    heights,
                    metric=series[0],
                    split=series[1],
                    mark="bars",
                )
            )
    points = int(ranked["points"].iloc[0])
    label = Vertical(f"Mean absolute difference to the published values ({points} points)")
    distances = recipes["distance"].to_numpy(dtype=float)
    clauses = [
        f"{names[0]} is nearest to the published values, {headlines.number(distances[0])} off"
    ]
    clauses += [
        f"{name} is {headlines.number(distance)} off"
        for name, distance in zip(names[1:], distances[1:], strict=True)
    ]
    return parts.chart_of(
        "recipe_recovery",
        spec,
        [[Panel("", axis, label, tuple(bars))]],
        [("", [Entry(bar.label, bar.style, "patch") for bar in bars])],
        headlines.sentence(clauses),
    )


def question(asked: Asked) -> str:
    """Ask which recipe the paper used."""
    return f"which training recipe comes nearest to the published values on {asked.dataset}"


KIND = FigureKind(
    name="recipe_recovery",
    description="Recipes ranked by their distance to the published values.",
    measure="codes",
    chart=chart,
    question=question,
    reading="A bar per recipe, the nearest on top: its length is the mean absolute difference to "
    "the published values, its colours are the metrics' parts of it, hatched on training data",
    options={"line": usual_line("recipe"), "published": PUBLISHED},
    always_shown=("width_per_layer", "sample_size"),
    published="codes",
)
