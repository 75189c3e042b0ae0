"""How far measured values are from the published ones, in sentences."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd

from neuralcodes.figures import curves, looks, marks, perturbationviews, phrases
from neuralcodes.figures.codefindings import Clauses, first_variant
from neuralcodes.figures.marks import FigureSpec
from neuralcodes.figures.perturbationfindings import accuracies, rows_of
from neuralcodes.figures.trainingcharts import PUBLISHED_EPOCHS
from neuralcodes.figures.trainingfindings import as_error

# The paper prints round levels, its code and ours take the nearest of a grid.
NEAREST = 0.025  # largest share of a level by which that may be off
PAIR = ["value", "error", "mean", "low", "high", "what"]


def of_curves(spec: FigureSpec, summary: pd.DataFrame, published: pd.DataFrame) -> Clauses:
    """Comparison of the kind `curves`: the first variant, at the places that are published."""
    spec = replace(spec, x=spec.x or "width_per_layer")
    rows = marks.select(summary, spec, [spec.x, *filter(None, [spec.line, spec.variant])])
    theirs = marks.select_published(published, rows, spec, spec.x)
    if theirs.empty or (spec.line and spec.line not in theirs.columns):
        return []
    on = ["metric", "split", *dict.fromkeys([spec.x, *filter(None, [spec.line])])]
    ours = first_variant(spec, rows)
    shown = {*curves.REDUNDANCY, *curves.CATEGORIZATION}
    if "metrics" in spec.options:
        shown = {tuple(series) for series in spec.options["metrics"]}
    ours = ours[pd.MultiIndex.from_frame(ours[["metric", "split"]]).isin(list(shown))]
    theirs = theirs[[*on, "value", "reading_error"]].drop_duplicates(on)
    numeric = {name: float for name in on[2:] if pd.api.types.is_numeric_dtype(ours[name])}
    pairs = ours.astype(numeric).merge(theirs.astype(numeric), on=on)
    names = [
        phrases.metric_name(*series) for series in zip(pairs["metric"], pairs["split"], strict=True)
    ]
    return _told(pairs.assign(error=pairs["reading_error"], what=names))


def of_perturbations(spec: FigureSpec, summary: pd.DataFrame, published: pd.DataFrame) -> Clauses:
    """Comparison of the kind `perturbations`: accuracies of the training set, level by level."""
    spec, rows, (metric, split) = accuracies(spec, summary)
    if split != "train" or spec.line != "activation":
        return []
    rows, found = first_variant(spec, rows), []
    theirs = published[published["metric"] == metric]
    for kind in perturbationviews.chosen(spec, rows, ("scale", "clip", "offset")):
        printed = theirs[theirs["perturbation"] == kind]
        for value in marks.factor_values(rows, "activation"):
            here = marks.rows_equal(rows_of(rows, kind), "activation", value)
            here = here[here["mean"].notna()].reset_index(drop=True)
            for _, row in printed[printed["activation"] == value].iterrows():
                near = _nearest(here, float(row["level"]))
                if near is not None:
                    own = [near[name] for name in ("mean", "low", "high")]
                    found.append(
                        (row["value"] / 100, 0.0, *own, f"{kind} of {marks.value_label(value)}")
                    )
    return _told(pd.DataFrame(found, columns=PAIR))


def of_training(spec: FigureSpec, summary: pd.DataFrame, published: pd.DataFrame) -> Clauses:
    """Comparison of the kind `training`: the end, where training is as long as in the paper."""
    spec, rows = looks.selected(spec, summary, ("epoch",))
    rows = as_error(first_variant(spec, rows))
    rows = rows[rows["epoch"] == PUBLISHED_EPOCHS]
    theirs = published[
        (published["perturbation"] == "none") & (published["metric"] == "train_accuracy")
    ]
    if rows.empty or spec.line != "activation":
        return []
    theirs = theirs.assign(value=1 - theirs["value"] / 100, error=theirs["std"] / 100)
    pairs = rows.merge(theirs[["activation", "value", "error"]], on="activation")
    words = [
        f"{phrases.number(row['mean'])} in place of {phrases.number(row['value'])} "
        f"({marks.value_label(row['activation'])})"
        for _, row in pairs.iterrows()
    ]
    if not words:
        return []
    place = phrases.at("epoch", PUBLISHED_EPOCHS)
    return [f"{place}, training error is {phrases.join(words)} as published"]


COMPARED: dict[str, Callable[[FigureSpec, pd.DataFrame, pd.DataFrame], Clauses]] = {
    "curves": of_curves,
    "perturbations": of_perturbations,
    "training": of_training,
}


def _told(pairs: pd.DataFrame) -> Clauses:
    """Mean absolute difference, how many lie within the intervals, and what is farthest off."""
    pairs = pairs.dropna(subset=["mean", "value"])
    if pairs.empty:
        return []
    off = (pairs["mean"] - pairs["value"]).abs()
    mean = phrases.number(float(off.mean()), 3)
    if len(pairs) == 1:
        return [f"the one published value is {mean} from ours"]
    clauses = [f"the {len(pairs)} published values are {mean} from ours on average"]
    known = pairs[np.isfinite(pairs["low"]) & np.isfinite(pairs["high"])]
    if len(known):
        error = known["error"].fillna(0)
        inside = known["value"].between(known["low"] - error, known["high"] + error)
        count = phrases.share(int(inside.sum()), len(known))
        clauses[0] += f", {count} lie within our intervals"
    farthest = off.groupby(pairs["what"]).mean().sort_values()
    text = phrases.number(float(farthest.iloc[-1]), 3)
    if text != mean:
        clauses.append(f"{farthest.index[-1]} is farthest off, by {text} on average")
    return clauses


def _nearest(rows: pd.DataFrame, level: float) -> pd.Series | None:
    """The row of the nearest level, if it is near enough to be meant."""
    if rows.empty:
        return None
    off = (rows["level"].astype(float) - level).abs()
    place = off.idxmin()
    near = off[place] <= max(NEAREST * abs(level), 1e-9)
    return rows.loc[place] if near else None
