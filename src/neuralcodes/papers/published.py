"""Published values of a figure of curves: matched to ours point by point, and how far they are."""

from collections.abc import Sequence

import pandas as pd

from neuralcodes.errors import DataError
from neuralcodes.papers.he2021 import read as he2021
from neuralcodes.papers.oursland2024 import beside
from neuralcodes.papers.oursland2024 import read as oursland2024
from neuralcodes.papers.values import ASSUMED_SPLIT, POINT
from neuralcodes.studies import tables

__all__ = [
    "ASSUMED_SPLIT",
    "POINT",
    "beside",
    "distance",
    "he2021",
    "match",
    "oursland2024",
    "rank",
]


def match(summary: pd.DataFrame, published: pd.DataFrame) -> pd.DataFrame:
    """Put the published value beside every point of ours that has one.

    Published points without a time axis match our checkpoint "final"; those without a sample
    size match our largest one. A point whose split is unknown counts as `ASSUMED_SPLIT`.

    Args:
        summary: what `tables.summarize` returns.
        published: what `he2021` returns.

    Returns:
        The matching rows of `summary`, with published, reading_error, split_status and
        difference = mean - published. Empty when nothing matches.

    Raises:
        DataError: a column is missing, or the published values hold a point twice.
    """
    tables.require(summary, [*POINT, "mean"], "the summary")
    tables.require(
        published, [*POINT, "value", "reading_error", "split_status"], "the published values"
    )
    theirs = published.rename(columns={"value": "published"}).astype({"sample_size": float})
    theirs["split"] = theirs["split"].where(theirs["split"] != "", ASSUMED_SPLIT)
    theirs["sample_size"] = theirs["sample_size"].fillna(summary["sample_size"].max())
    if theirs.duplicated(list(POINT)).any():
        raise DataError(
            "the published values hold a point twice; pass the values of one figure at a time"
        )
    ours = summary.assign(
        sample_size=summary["sample_size"].astype(float), epoch=summary["epoch"].astype(str)
    )
    # An inner merge keeps the order of the left table, which is our deterministic one.
    matched = ours.merge(theirs, on=list(POINT), how="inner")
    matched["sample_size"] = matched["sample_size"].astype(int)
    return matched.assign(difference=matched["mean"] - matched["published"])


def distance(matched: pd.DataFrame) -> float:
    """Mean absolute difference between our means and the published values.

    Args:
        matched: what `match` returns.

    Returns:
        The distance in the unit of the metrics, >= 0; points without a mean are left out.

    Raises:
        DataError: no point can be compared.
    """
    tables.require(matched, ["difference"], "the matched table")
    difference = matched["difference"].dropna().abs()
    if difference.empty:
        raise DataError(
            "none of our points has a published value; widths, epochs, sample sizes and metrics "
            "must meet those of the figure"
        )
    return float(difference.mean())


def rank(summary: pd.DataFrame, published: pd.DataFrame, recipe: Sequence[str]) -> pd.DataFrame:
    """Rank recipes by their distance to the published values, on the points that all share.

    Values whose split is not known (K-Means on MNIST) do not take part.

    Args:
        summary: what `tables.summarize` returns, for several recipes.
        published: what `he2021` returns.
        recipe: the columns of `summary` whose values tell the recipes apart.

    Returns:
        One row per recipe, metric and split, nearest recipe first: the recipe columns, distance
        (of the recipe), metric, split, contribution (they add up to the distance),
        points (number of points compared, all metrics together).

    Raises:
        DataError: a column is missing, no point is shared by all recipes, or a recipe measured
            one point more than once.
    """
    names = list(recipe)
    tables.require(summary, names, "the summary")
    certain = published[published["split_status"] != "unknown"]
    matched = match(summary, certain).dropna(subset=["difference"])
    if matched.duplicated([*names, *POINT]).any():
        raise DataError(
            f"{names} do not tell the recipes apart: one of them has a point twice; "
            "name every factor in which they differ"
        )
    recipes = len(summary[names].drop_duplicates())
    sharing = matched.groupby(list(POINT))["difference"].transform("size")
    shared = matched[sharing == recipes]
    if shared.empty:
        raise DataError("no published point was measured for all recipes; train them on one grid")
    absolute = shared.assign(contribution=shared["difference"].abs() * recipes / len(shared))
    parts = absolute.groupby([*names, "metric", "split"], dropna=False)["contribution"].sum()
    parts = parts.reset_index()
    parts["distance"] = parts.groupby(names, dropna=False)["contribution"].transform("sum")
    parts["points"] = len(shared) // recipes
    order = parts.sort_values(["distance", *names, "metric", "split"], kind="stable")
    columns = [*names, "distance", "metric", "split", "contribution", "points"]
    return order[columns].reset_index(drop=True)
