"""Special figure kinds: one factor at a time, region sizes, phase charts, recovered recipes."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from neuralcodes.errors import DataError
from neuralcodes.figures import curves, marks, panels
from neuralcodes.figures.marks import FigureSpec, Style
from neuralcodes.figures.panels import Curve, Panel
from neuralcodes.figures.scales import Axis
from neuralcodes.papers import published

REGULARIZATION = ("weight_decay", "dropout", "batch_norm")
QUANTILES = (("q05", "q95"), ("q25", "q75"))
HATCHES = {"train": "////", "test": ""}


def draw_one_at_a_time(
    spec: FigureSpec, summary: pd.DataFrame, published: pd.DataFrame | None = None
) -> Figure:
    """Metrics as each factor leaves the base point while the others stay: a column per factor.

    Options: `factors` (default: those of `REGULARIZATION` that vary) and `base`, the base point.

    Raises:
        DataError: no factor varies, or the base point cannot be told.
    """
    del published  # nothing is published for these factors
    known = spec.options.get("factors") or [f for f in REGULARIZATION if f in summary.columns]
    rows = marks.select(summary, spec, list(known))
    factors = [f for f in known if len(rows[f].drop_duplicates()) > 1]
    if not factors:
        raise DataError(f"none of the factors {list(known)} varies; there is nothing to compare")
    base = base_point(rows, factors, spec.options.get("base", {}))
    groups = [("Redundancy ratio", curves.REDUNDANCY), ("Accuracy", curves.CATEGORIZATION)]
    grid = []
    for y_label, group in groups:
        row = [_factor_panel(spec, rows, factor, base, group, y_label) for factor in factors]
        grid.append([panel for panel in row if panel.curves])
    present = [s for _, group in groups for s in group if len(curves.of_series(rows, s))]
    handles = [panels.line_handle(curves.series_style(s), curves.series_label(s)) for s in present]
    handles += panels.interval_handles(rows, joined=False)
    handles.append(Patch(color="0.85", label="base point"))
    return panels.draw_panels(grid, spec, handles, share_y="row")


def draw_regions(
    spec: FigureSpec, summary: pd.DataFrame, published: pd.DataFrame | None = None
) -> Figure:
    """Sizes of linear regions: median over examples, with 25-75% and 5-95% bands.

    A panel per split; with `spec.line` a column per value and a row per split. A band reaches the
    top of the panel where its regions have no border; a median without one leaves a gap.

    Raises:
        DataError: the summary lacks what the figure needs, or factors vary that it does not show.
    """
    del published  # the paper gives no comparable numbers
    spec = replace(spec, x=spec.x or "epoch")
    rows = marks.select(summary, spec, [spec.x, *filter(None, [spec.line])])
    rows = rows[rows["metric"].str.match(r"region_size_(median|q\d\d)$")]
    unbounded = bool(np.isinf(rows["mean"]).any())
    rows = _with_a_top(rows)
    axis = Axis.of(spec.x, rows, spec)
    values = marks.factor_values(rows, spec.line) if spec.line else [None]
    splits = [split for split in marks.SPLITS if (rows["split"] == split).any()]
    grid = []
    for split in splits:
        row = []
        for value in values:
            here = marks.rows_equal(rows, spec.line, value) if spec.line else rows
            row.append(_region_panel(spec, here[here["split"] == split], split, value, axis))
        grid.append([panel for panel in row if panel.curves])
    if spec.line is None and spec.columns == 2:
        grid = [[panel for row in grid for panel in row]]
    color = marks.metric_color("knn_accuracy")
    handles = [
        panels.line_handle(Style(color), "median over examples"),
        Patch(facecolor=color, alpha=2 * panels.BAND_ALPHA, label="25\u201375% of examples"),
        Patch(facecolor=color, alpha=panels.BAND_ALPHA, label="5\u201395% of examples"),
    ]
    if unbounded:
        handles.append(Patch(alpha=0, label="(at the top: no border)"))
    return panels.draw_panels(grid, spec, handles, share_y="all")


def draw_recipe_recovery(
    spec: FigureSpec, summary: pd.DataFrame, theirs: pd.DataFrame | None = None
) -> Figure:
    """Recipes ranked by their distance to the published values, with each metric's share.

    `spec.line` (default "recipe") or the option `recipe`, a list, names the columns that tell
    recipes apart.

    Raises:
        DataError: nothing is published, or no point is shared by all recipes.
    """
    if theirs is None:
        raise DataError("a recipe_recovery figure needs published values; none were passed")
    names = list(spec.options.get("recipe") or [spec.line or "recipe"])
    rows = summary
    for factor, value in dict(spec.options.get("where", {})).items():
        rows = marks.rows_equal(rows, factor, value)
    parts = published.rank(rows, theirs, names)
    recipes = parts[[*names, "distance"]].drop_duplicates().reset_index(drop=True)
    size = (spec.width_inches, 0.24 * len(recipes) + 1.15)
    figure = Figure(figsize=size, layout="constrained")
    figure.suptitle(spec.title)
    axes = figure.subplots()
    _draw_bars(axes, parts, recipes, names)
    points = int(parts["points"].iloc[0])
    axes.set_xlabel(f"Mean absolute difference to the published values ({points} points)")
    panels.add_legend(figure, axes.get_legend_handles_labels()[0], "", spec)
    return figure


def _draw_bars(axes: Axes, parts: pd.DataFrame, recipes: pd.DataFrame, names: list[str]) -> None:
    places, left = np.arange(len(recipes)), np.zeros(len(recipes))
    for series in dict.fromkeys((*curves.REDUNDANCY, *curves.CATEGORIZATION)):
        chosen = curves.of_series(parts, series).drop(columns="distance")
        if chosen.empty:
            continue
        share = recipes.merge(chosen, on=names, how="left")["contribution"].fillna(0).to_numpy()
        axes.barh(
            places,
            share,
            left=left,
            height=0.62,
            color=marks.metric_color(series[0]),
            edgecolor="white",
            linewidth=0.5,
            hatch=HATCHES[series[1]],
            label=curves.series_label(series),
        )
        left = left + share
    for place, total in enumerate(recipes["distance"]):
        offset = {"xytext": (3, 0), "textcoords": "offset points"}
        axes.annotate(f"{total:.3f}", (total, place), va="center", **offset)
    axes.set_yticks(places, [_recipe_label(row, names) for _, row in recipes.iterrows()])
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.grid(visible=True, axis="x")
    # Room for the number at the end of the longest bar.
    axes.set_xlim(0, 1.12 * max(recipes["distance"]) or 1)


def base_point(
    rows: pd.DataFrame, factors: list[str], given: Mapping[str, object]
) -> dict[str, object]:
    """Value that each factor has while others vary: what is given, else the one met most often.

    Args:
        rows: of a summary.
        factors: columns that vary, one at a time.
        given: values that are known.

    Returns:
        Factor -> value; None for a single factor without one.

    Raises:
        DataError: two values are met equally often.
    """
    points = rows[factors].drop_duplicates()
    base = {}
    for factor in factors:
        counts = points[factor].value_counts(dropna=False)
        if factor in given:
            base[factor] = given[factor]
        elif len(factors) == 1:
            base[factor] = None
        elif counts.iloc[0] == counts.iloc[1]:
            raise DataError(
                f"the base value of {factor} cannot be told from the study; "
                f"name it in the option base: {{{factor}: ...}}"
            )
        else:
            base[factor] = counts.index[0]
    return base


def _factor_panel(
    spec: FigureSpec,
    rows: pd.DataFrame,
    factor: str,
    base: Mapping[str, object],
    group: tuple[curves.Series, ...],
    y_label: str,
) -> Panel:
    for other, value in base.items():
        rows = rows if other == factor else marks.rows_equal(rows, other, value)
    axis = Axis.of(factor, rows)
    drawn = []
    for metric, split in group:
        ours = rows[(rows["metric"] == metric) & (rows["split"] == split)]
        if len(ours):
            style, label = (
                curves.series_style((metric, split)),
                curves.series_label((metric, split)),
            )
            drawn.append(panels.curve_of(ours, axis, factor, style, label))
    place = None if base[factor] is None else float(axis.place([base[factor]])[0])
    return Panel("", y_label, axis, tuple(drawn), marked_x=place, joined=False)


def _with_a_top(rows: pd.DataFrame) -> pd.DataFrame:
    """Put quantiles without a border at one height above all others, so that bands can end."""
    sizes = rows["mean"].to_numpy(dtype=float)
    top = 2 * np.max(sizes[np.isfinite(sizes)], initial=0.5)
    unbounded = np.isinf(sizes) & (rows["metric"] != "region_size_median").to_numpy()
    return rows.assign(mean=np.where(unbounded, top, sizes))


def _region_panel(
    spec: FigureSpec, rows: pd.DataFrame, split: str, value: object, axis: Axis
) -> Panel:
    def quantile(name: str) -> pd.DataFrame:
        chosen = rows[rows["metric"] == f"region_size_{name}"]
        marks.refuse_mixture(chosen, [spec.x])
        return chosen.set_index(spec.x)["mean"]

    median = quantile("median").sort_index().replace(np.inf, np.nan)
    bands = tuple(
        tuple(quantile(name).reindex(median.index).to_numpy(dtype=float) for name in pair)
        for pair in QUANTILES
    )
    style = Style(marks.metric_color("knn_accuracy"), "o", "-")
    curve = Curve("median", axis.place(median.index), median.to_numpy(float), style, bands)
    title = f"{marks.SPLITS[split]} split"
    if value is not None:
        name = marks.factor_label(spec.line).split(" (")[0].lower()
        title = f"{title}, {name} {marks.value_label(value)}"
    drawn = (curve,) if len(median) else ()
    return Panel(title, "Region size (input units)", axis, drawn, y_scale="log")


def _recipe_label(row: pd.Series, names: list[str]) -> str:
    if len(names) == 1:
        return marks.value_label(row[names[0]])
    return ", ".join(f"{name.replace('_', ' ')} {marks.value_label(row[name])}" for name in names)
