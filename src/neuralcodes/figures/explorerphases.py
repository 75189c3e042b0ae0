"""Interactive charts of their own form: phases in three dimensions, and recovered recipes."""

from dataclasses import replace

import matplotlib
import pandas as pd
from matplotlib.colors import to_hex

from neuralcodes.errors import DataError
from neuralcodes.figures import curves, explorerseeds, marks, phasecharts
from neuralcodes.figures.explorerdata import Draft, Json, assemble, axis_of, rounded
from neuralcodes.figures.marks import FigureSpec
from neuralcodes.figures.scales import Axis
from neuralcodes.metrics import phases
from neuralcodes.papers import published as published_values

AXES = ("epoch", "sample_size")  # besides `spec.x`


def phase_chart(spec: FigureSpec, table: pd.DataFrame, summary: pd.DataFrame) -> Json:
    """Points at width, epoch and sample size, with their regime, redundancy and accuracy.

    Returns:
        What other charts have, where it means something, and: axes, three of them; regimes
        (label, color, meaning); measures (label, color scale, range) of the metrics; points with
        x, y, z, regime (place, -1 where unknown) and, per metric, mean, low, high and n.
    """
    spec = replace(spec, x=spec.x or "width_per_layer")
    rows = phasecharts.measured(summary, spec)
    limits = phasecharts.limits_of(spec, rows)
    shown = [spec.x, *AXES]
    metrics = [name for name, _, _ in phasecharts.MEASURES]
    by_metric = {name: rows[rows["metric"] == name] for name in metrics}
    first = by_metric[metrics[0]]
    both = {
        name: part.set_index(shown)[["mean", "low", "high", "n"]].reindex(
            pd.MultiIndex.from_frame(first[shown])
        )
        for name, part in by_metric.items()
    }
    redundancy, knn = (both[name]["mean"].to_numpy(float) for name in metrics)
    names = phases.regimes(redundancy, knn, limits).tolist()
    columns, seeds = explorerseeds.members(table, summary, first.index.to_numpy())
    return {
        "form": "phases",
        "title": spec.title,
        "axes": [axis_of(Axis.of(name, rows), name) for name in shown],
        "regimes": _regimes(limits),
        "measures": [
            {"name": name, "label": label, "colors": _scale(colors)}
            for name, label, colors in phasecharts.MEASURES
        ],
        "points": {
            **{axis: rounded(first[n]) for axis, n in zip("xyz", shown, strict=True)},
            "regime": [phases.REGIMES.index(name) if name else -1 for name in names],
            **{
                name: {column: rounded(part[column]) for column in part.columns}
                for name, part in both.items()
            },
            **{name: columns[name] for name in ("run", "epoch", "span")},
        },
        **{name: columns[name] for name in ("runs", "epochs", "spans")},
        "seeds": {"numbers": seeds["numbers"], "values": None, "omitted": "not shown in space"},
    }


def recipe_chart(
    spec: FigureSpec, table: pd.DataFrame, summary: pd.DataFrame, published: pd.DataFrame | None
) -> Json:
    """Recipes ranked by their distance to the published values, with each metric's share.

    Returns:
        What other charts have, without points of their own runs, and bars: recipes (labels),
        distance, points (compared), and per series its label, look and share.

    Raises:
        DataError: nothing is published, or no point is shared by all recipes.
    """
    if published is None:
        raise DataError("a recipe_recovery chart needs published values; none were passed")
    names = list(spec.options.get("recipe") or [spec.line or "recipe"])
    rows = summary
    for factor, value in dict(spec.options.get("where", {})).items():
        rows = marks.rows_equal(rows, factor, value)
    parts = published_values.rank(rows, published, names)
    recipes = parts[[*names, "distance"]].drop_duplicates().reset_index(drop=True)
    label = "Mean absolute difference to the published values"
    axis = Axis(f"{label} ({int(parts['points'].iloc[0])} points)", "linear", (0.0, 1.0))
    chart = assemble(Draft("bars", [axis_of(axis, "distance")], []), spec.title, table, summary)
    labels = [
        ", ".join(marks.value_label(row[name]) for name in names) for _, row in recipes.iterrows()
    ]
    bars = {"recipes": labels, "distance": rounded(recipes["distance"])}
    bars |= {"points": int(parts["points"].iloc[0]), "series": []}
    for series in dict.fromkeys((*curves.REDUNDANCY, *curves.CATEGORIZATION)):
        chosen = curves.of_series(parts, series).drop(columns="distance")
        if len(chosen):
            share = recipes.merge(chosen, on=names, how="left")["contribution"].fillna(0)
            look = {"color": marks.metric_color(series[0]), "hatched": series[1] == "train"}
            made = {"text": ",".join(series), "label": curves.series_label(series), **look}
            bars["series"].append({**made, "share": rounded(share)})
    return {**chart, "bars": bars}


def _regimes(limits: phases.Thresholds) -> list[Json]:
    meanings = (
        f"test redundancy \u2265 {limits.under_expressive_redundancy:g}",
        "in between",
        f"test redundancy \u2264 {limits.sufficient_redundancy:g}, "
        f"K-NN accuracy within {limits.sufficient_accuracy_margin:g} of the best",
    )
    return [
        {"text": name, "label": name, "meaning": meaning}
        | {"color": phasecharts.REGIME_COLORS[name]}
        for name, meaning in zip(phases.REGIMES, meanings, strict=True)
    ]


def _scale(name: str) -> list[list[object]]:
    """Nine colours of a colour map, from its lightest."""
    return [[k / 8, to_hex(matplotlib.colormaps[name](k / 8))] for k in range(9)]
