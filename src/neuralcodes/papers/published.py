"""Published values of the papers: read, correct their labels, match them to ours and score."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from neuralcodes.errors import DataError
from neuralcodes.studies import tables

FIGURES = ("model_capacity", "sample_size", "training_time")
METRIC_NAMES = {"lr_accuracy": "logistic_regression_accuracy"}
POINT = ("width_per_layer", "epoch", "sample_size", "split", "metric")
# Columns of the values of Oursland 2024 beside ours. Accuracies are in percent, as printed.
COLUMN_OF_METRIC = {
    "train_accuracy": "published_train_accuracy_percent",
    "test_accuracy": "published_test_accuracy_percent",
    "loss": "published_train_loss",
    "t_statistic": "published_t_statistic",
    "p_value": "published_p_value",
}
# Where a figure does not say which split it shows and its values cannot tell either, the same
# curve of the paper's other data set shows the training split.
ASSUMED_SPLIT = "train"


def he2021(figure: str, dataset: str, directory: str | Path) -> pd.DataFrame:
    """Digitised values of one figure, with wrong or missing split labels put right.

    Args:
        figure: "model_capacity", "sample_size" or "training_time".
        dataset: "mnist" or "cifar10".
        directory: folder of `he2021.csv` and `he2021_inferred_split.csv`.

    Returns:
        One row per digitised point: width_per_layer (int); epoch (text; "final" where the figure
        has no time axis); sample_size (float; NaN for the whole training set); split ("train",
        "test", or "" where it is unknown); metric (our names); value and reading_error, in [0, 1];
        split_status: "printed", "corrected" (the figure is mislabelled), "inferred" (not printed)
        or "unknown" (left as printed, "" if nothing is).

    Raises:
        ValueError: there is no such figure for that dataset.
        DataError: a file is missing or lacks a column.

    Source: He et al. 2021, arXiv:2101.05490, figures of the published repository; how they were
    digitised and corrected: resources/published/README.md.
    """
    values = _read(Path(directory) / "he2021.csv", ["figure", "panel", "dataset", "metric"])
    chosen = values[(values["figure"] == figure) & (values["dataset"] == dataset)]
    if chosen.empty:
        known = sorted(set(zip(values["figure"], values["dataset"], strict=True)))
        raise ValueError(f"no published values for {(figure, dataset)}; there are {known}")
    splits = _read(Path(directory) / "he2021_inferred_split.csv", ["figure", "inferred_split"])
    rows = _with_true_split(chosen, splits)
    epoch = rows["epoch"].map(lambda value: "final" if np.isnan(value) else str(int(value)))
    rows = rows.assign(
        width_per_layer=rows["width"].astype(int),
        epoch=epoch,
        metric=rows["metric"].replace(METRIC_NAMES),
    )
    columns = [*POINT, "value", "reading_error", "split_status"]
    return rows[columns].reset_index(drop=True)


def oursland2024(directory: str | Path) -> pd.DataFrame:
    """Printed values of the four tables: the baseline, and scaling, clipping and offsets.

    Args:
        directory: folder of `oursland2024.csv`.

    Returns:
        One row per printed value, in the order of the tables: source; table; activation ("relu",
        "abs"); perturbation ("none", "scale", "clip", "offset"); level (as printed, a fraction;
        NaN for "none"); metric ("train_accuracy" and "test_accuracy" in percent, "loss",
        "t_statistic", "p_value"); value; std (same unit, divides by n = 20; NaN where not
        printed). Accuracies under perturbation are of the training split.

    Raises:
        DataError: the file is missing or lacks a column.

    Source: Oursland 2024, arXiv:2411.17932, appendix tables; what levels, t and p values refer
    to: resources/published/README.md.
    """
    columns = ("source", "table", "activation", "perturbation", "level", "metric", "value", "std")
    return _read(Path(directory) / "oursland2024.csv", columns)[list(columns)]


def beside(
    table: pd.DataFrame,
    values: pd.DataFrame,
    perturbation: str,
    factors: Sequence[str],
    metrics: Sequence[str],
) -> pd.DataFrame:
    """Put the printed values of Oursland 2024 beside our rows of the same condition and level.

    Args:
        table: our rows; with the column nominal_percent they are matched by level too.
        values: what `oursland2024` returns.
        perturbation: that of `table`; "none" for the baseline.
        factors: our columns that tell conditions apart; those that `values` has are matched, so
            that one more column in `values` keeps them to some of our conditions.
        metrics: which of `COLUMN_OF_METRIC`.

    Returns:
        `table` with a column per metric, NaN where nothing is printed, and its printed standard
        deviation (`_std_population`) where there is one.

    Raises:
        DataError: no factor is shared, or `values` hold a point twice.
    """
    on = [factor for factor in factors if factor in values.columns]
    if not on:
        raise DataError(
            f"none of the factors {list(factors)} is a column of the published values, which are "
            "told apart by activation; add activation to the factors"
        )
    values = values[values["perturbation"] == perturbation]
    if "nominal_percent" in table:
        on, values = [*on, "nominal_percent"], values.assign(nominal_percent=100 * values["level"])
    if values.duplicated([*on, "metric"]).any():
        raise DataError(
            f"the published values of {perturbation} hold a point twice; {on} do not tell them "
            "apart"
        )
    for metric in metrics:
        name = COLUMN_OF_METRIC[metric]
        theirs = values[values["metric"] == metric]
        columns = {"value": name}
        if theirs["std"].notna().any():
            columns["std"] = f"{name}_std_population"
        theirs = theirs.rename(columns=columns)[[*on, *columns.values()]]
        # A left merge keeps the order of our rows.
        table = table.merge(theirs, on=on, how="left")
    return table


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


def _with_true_split(values: pd.DataFrame, splits: pd.DataFrame) -> pd.DataFrame:
    keys = ["figure", "panel", "dataset", "metric", "split"]
    truth = splits.rename(columns={"split_in_csv": "split"})[[*keys, "inferred_split"]]
    values = values.assign(split=values["split"].fillna(""))
    rows = values.merge(truth.fillna({"split": ""}), on=keys, how="left", validate="many_to_one")
    inferred = rows["inferred_split"]
    known = inferred.isin(["train", "test"])
    status = np.select(
        [inferred.isna() | (inferred == rows["split"]), ~known, rows["split"] == ""],
        ["printed", "unknown", "inferred"],
        default="corrected",
    )
    return rows.assign(split=rows["split"].where(~known, inferred), split_status=status)


def _read(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    if not path.is_file():
        raise DataError(f"{path} does not exist; it belongs to the published values of the project")
    table = pd.read_csv(path)
    tables.require(table, columns, str(path))
    return table
