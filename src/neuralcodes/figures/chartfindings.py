"""What studies of one factor at a time, of recipes and of phase charts show."""

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from neuralcodes.errors import DataError
from neuralcodes.figures import curves, marks, phasecharts, phrases, trends
from neuralcodes.figures.codefindings import MAIN, Clauses
from neuralcodes.figures.marks import FigureSpec
from neuralcodes.figures.trends import Point
from neuralcodes.metrics import phases
from neuralcodes.papers import published

REGULARIZATION = ("weight_decay", "dropout", "batch_norm")
Effect = tuple[str, Point, Point | None]


def of_one_at_a_time(
    spec: FigureSpec, summary: pd.DataFrame, values: pd.DataFrame | None
) -> list[Clauses]:
    """Findings of the kind `one_at_a_time`: what each factor does, the strongest first."""
    del values
    rows, base = base_point(spec, summary)
    clauses = []
    for factor, usual in base.items():
        effects = _effects(of_factor(rows, base, factor), factor, usual)
        if effects:
            size = max(0.0 if far is None else abs(far.mean - p.mean) for _, p, far in effects)
            clauses.append((size, _told(factor, usual, effects)))
    clauses.sort(key=lambda each: -each[0])
    return [[text] for _, text in clauses]


def of_recipe_recovery(
    spec: FigureSpec, summary: pd.DataFrame, values: pd.DataFrame | None
) -> list[Clauses]:
    """Findings of the kind `recipe_recovery`: which recipes come nearest to the paper.

    Raises:
        DataError: nothing is published, or no point is shared by all recipes.
    """
    if values is None:
        raise DataError("a recipe_recovery figure needs published values; none were passed")
    names = list(spec.options.get("recipe") or [spec.line or "recipe"])
    rows = summary
    for factor, value in dict(spec.options.get("where", {})).items():
        rows = marks.rows_equal(rows, factor, value)
    parts = published.rank(rows, values, names)
    recipes = parts[[*names, "distance"]].drop_duplicates().reset_index(drop=True)
    labels = [
        ", ".join(phrases.value_name(name, row[name]) for name in names)
        for _, row in recipes.iterrows()
    ]
    texts = phrases.numbers(*recipes["distance"])
    count = int(parts["points"].iloc[0])
    over = f"{texts[0]} off on average over {count} values"
    found = [[f"{labels[0]} comes nearest to the published values, {over}"]]
    if len(labels) > 1:
        found[0].append(f"next is {labels[1]} ({texts[1]})")
    if len(labels) > 2:
        found[0].append(f"last is {labels[-1]} ({texts[-1]})")
    nearest = parts.merge(recipes.iloc[:1], on=[*names, "distance"])
    worst = nearest.nlargest(1, "contribution").iloc[0]
    if worst["contribution"] > 0:
        name = phrases.metric_name(str(worst["metric"]), str(worst["split"]))
        part = phrases.percent(worst["contribution"] / worst["distance"])
        found.append([f"{part} of what the nearest recipe is off is in {name}"])
    return found


def of_phase_chart(
    spec: FigureSpec, summary: pd.DataFrame, values: pd.DataFrame | None
) -> list[Clauses]:
    """Findings of the kind `phase_chart`: shares of the regimes, and where they lie.

    Raises:
        DataError: a metric is not measured, or factors vary that the chart does not show.
        ValueError: the thresholds are not in order.
    """
    del values
    spec = replace(spec, x=spec.x or "width_per_layer")
    chart = regimes(spec, summary)
    chart = chart[chart["regime"] != ""]
    if chart.empty:
        return [["no point of the chart has both redundancy and K-NN accuracy"]]
    shares = [
        f"{phrases.percent(float((chart['regime'] == name).mean()))} are {name}"
        for name in phases.REGIMES
        if (chart["regime"] == name).any()
    ]
    axes = [
        name for name in (spec.x, "epoch", "sample_size") if len(chart[name].drop_duplicates()) > 1
    ]
    over = phrases.join([phrases.quantity(marks.factor_label(name)) for name in axes])
    found = [[f"of {len(chart)} combinations of {over}, {phrases.join(shares)}"]]
    sizes = sorted(chart["sample_size"].unique(), reverse=True)
    last = marks.factor_values(chart, "epoch")[-1]
    for size in trends.some(sizes, 2):
        here = chart[(chart["epoch"] == last) & (chart["sample_size"] == size)]
        place = phrases.at("sample_size", int(size))
        found.append([f"{place}, {phrases.at('epoch', last)}, {_by_regime(spec.x, here)}"])
    return found


def regimes(spec: FigureSpec, summary: pd.DataFrame) -> pd.DataFrame:
    """Points of a phase chart with their regimes.

    Args:
        spec: the figure, with its x.
        summary: of the study.

    Returns:
        One row per point: spec.x, epoch, sample_size, redundancy_ratio, knn_accuracy, regime.

    Raises:
        DataError: a metric is not measured, or factors vary that the chart does not show.
        ValueError: the thresholds are not in order.
    """
    rows = phasecharts.measured(summary, spec)
    wanted = [metric for metric, _ in MAIN]
    at = [spec.x, "sample_size", "epoch"]
    chart = rows.pivot_table(index=at, columns="metric", values="mean")
    chart = chart.reindex(columns=wanted).reset_index()
    limits = phasecharts.limits_of(spec, rows)
    return chart.assign(regime=phases.regimes(chart[wanted[0]], chart[wanted[1]], limits))


def base_point(spec: FigureSpec, summary: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, object]]:
    """Rows of a study of one factor at a time, and the values that its factors leave.

    Raises:
        DataError: none of the factors varies.
    """
    known = spec.options.get("factors") or [f for f in REGULARIZATION if f in summary.columns]
    rows = marks.select(summary, spec, list(known))
    factors = [name for name in known if len(rows[name].drop_duplicates()) > 1]
    if not factors:
        raise DataError(f"none of the factors {list(known)} varies; there is nothing to compare")
    given, grid = dict(spec.options.get("base", {})), rows[factors].drop_duplicates()
    # Where one factor at a time leaves the base, its base value is the one met most often.
    usual = {name: grid[name].value_counts(dropna=False).index[0] for name in factors}
    return rows, {name: given.get(name, usual[name]) for name in factors}


def of_factor(rows: pd.DataFrame, base: dict[str, object], factor: str) -> pd.DataFrame:
    """Rows in which only one factor leaves the base point."""
    for other, value in base.items():
        rows = rows if other == factor else marks.rows_equal(rows, other, value)
    return rows


def _effects(rows: pd.DataFrame, factor: str, usual: object) -> list[Effect]:
    """Of each metric: its name, the base, and what differs most from it beyond the intervals."""
    effects = []
    for series in MAIN:
        run = trends.points(curves.of_series(rows, series), factor)
        base = next((point for point in run if trends.same(point.at, usual)), None)
        if base is None or len(run) < 2:
            continue
        clear = [point for point in run if trends.beyond(point, base)]
        clear.sort(key=lambda point: abs(point.mean - base.mean))
        effects.append((phrases.metric_name(*series), base, clear[-1] if clear else None))
    return effects


def _told(factor: str, usual: object, effects: Sequence[Effect]) -> str:
    name = phrases.quantity(marks.factor_label(factor))
    changed = [(metric, base, far) for metric, base, far in effects if far is not None]
    kept = [metric for metric, _, far in effects if far is None]
    if not changed:
        return f"{name} does not change {phrases.join(kept, 'or')} beyond the intervals"
    words, one = [], len({far.at for _, _, far in changed}) == 1
    for metric, base, far in changed:
        texts = phrases.numbers(base.mean, far.mean)
        verb = "raises" if far.mean > base.mean else "lowers"
        place = "" if one else f" at {marks.value_label(far.at)}"
        words.append(f"{verb} {metric} from {texts[0]} to {texts[1]}{place}")
    base = marks.value_label(usual)
    lead = f"{name} (base: {base})"
    if one:
        lead = f"{name} {marks.value_label(changed[0][2].at)} in place of {base}"
    rest = f"; {phrases.join(kept)} stays within the intervals" if kept else ""
    return f"{lead} {phrases.join(words)}{rest}"


def _by_regime(x: str, rows: pd.DataFrame) -> str:
    rows, parts = rows.sort_values(x), []
    axis = phrases.quantity(marks.factor_label(x))
    for name in phases.REGIMES:
        values = rows.loc[rows["regime"] == name, x].tolist()
        if not values:
            continue
        texts = [marks.value_label(value) for value in values]
        whole = len(rows[rows[x].between(values[0], values[-1])]) == len(values)
        run = f"{texts[0]} to {texts[-1]}" if whole and len(texts) > 2 else phrases.join(texts)
        parts.append(f"{name} at {axis}{'s' if len(texts) > 1 else ''} {run}")
    return f"networks are {phrases.join(parts)}"
