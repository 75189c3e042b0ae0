"""Oursland 2024, neural networks as distance metrics: its tables, as printed, and their trainings.

The settings here are the paper's: they stay as they are whatever a preset makes of a recipe.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from neuralcodes.errors import DataError
from neuralcodes.papers.declaration import Paper, Published, Training
from neuralcodes.perturbation import kinds
from neuralcodes.studies import runs

if TYPE_CHECKING:
    import pandas as pd

FILES = ("oursland2024.csv",)
TABLES = "perturbation"  # the four tables, which are of the same networks
SEEDS = 20
# Released code: full-batch gradient descent on raw pixels.
RECIPE: Mapping[str, object] = {
    **{"input_scaling": "raw", "depth": 1, "width": 128, "initializer": "torch_default"},
    **{"batch_norm": False, "batch_norm_momentum": 0.99, "batch_norm_epsilon": 1e-3},
    **{"optimizer": "sgd", "learning_rate": 0.001, "adam_epsilon": 1e-7},
    **{"schedule": "constant", "decay_factor": 0.1, "decay_epochs": 20, "weight_decay": 0.0},
    **{"batch_size": None, "epochs": 5000, "patience": 0, "validation_fraction": 0.0},
}
ACTIVATIONS = {"abs": "Abs", "relu": "ReLU"}
# Printed metric: our name, its split and what one unit of ours is in the printed one.
PRINTED = {
    "train_accuracy": ("train_accuracy", "train", 100),
    "test_accuracy": ("test_accuracy", "test", 100),
    "loss": ("train_loss", "train", 1),
    "t_statistic": ("t_statistic", "train", 1),
    "p_value": ("p_value", "train", 1),
}
# Columns of the values beside ours. Accuracies are in percent, as printed.
COLUMN_OF_METRIC = {
    "train_accuracy": "published_train_accuracy_percent",
    "test_accuracy": "published_test_accuracy_percent",
    "loss": "published_train_loss",
    "t_statistic": "published_t_statistic",
    "p_value": "published_p_value",
}


def read(directory: str | Path) -> "pd.DataFrame":
    """Printed values of the four tables: the baseline, and scaling, clipping and offsets.

    Args:
        directory: folder of `FILES`.

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
    from neuralcodes.papers import values

    columns = ("source", "table", "activation", "perturbation", "level", "metric", "value", "std")
    return values.read(Path(directory) / FILES[0], columns)[list(columns)]


def beside(
    table: "pd.DataFrame",
    values: "pd.DataFrame",
    perturbation: str,
    factors: Sequence[str],
    metrics: Sequence[str],
) -> "pd.DataFrame":
    """Put the printed values beside our rows of the same condition and level.

    Args:
        table: our rows; with the column nominal_percent they are matched by level too.
        values: what `read` returns.
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


def _trainings() -> list[Training]:
    fields = {**RECIPE, "dataset": "mnist"}
    return [
        Training(
            "oursland2024",
            TABLES,
            runs.from_mapping({**fields, "activation": activation}),
            key=(activation,),
            axes=("activation",),
        )
        for activation in ACTIVATIONS
    ]


def _references(directory: Path) -> "pd.DataFrame":
    import numpy as np

    from neuralcodes.papers.values import half_last_digit
    from neuralcodes.papers.values import read as read_file

    path, rows = directory / FILES[0], read(directory)
    texts = read_file(path, ["value"], usecols=["value"], dtype=str)["value"]
    unknown = sorted(set(rows["metric"]) - set(PRINTED))
    if unknown:
        raise DataError(f"{path} has metrics that no measure of ours stands for: {unknown}")
    names, splits, units = zip(*(PRINTED[metric] for metric in rows["metric"]), strict=True)
    units = np.array(units)
    told = zip(rows["activation"], rows["perturbation"], rows["level"], strict=True)
    return rows.assign(
        **{"source": rows["table"], "panel": "", "dataset": "mnist", "epoch": "final"},
        condition=[_text(*each) for each in told],
        split=splits,
        split_status="printed",
        metric=names,
        published=rows["value"] / units,
        reading_error=texts.map(half_last_digit) / units,
        published_std=rows["std"] / units * np.sqrt(SEEDS / (SEEDS - 1)),  # printed: divides by n
        level=rows["level"].fillna(0.0),
        key=[(activation,) for activation in rows["activation"]],
    )


def _text(activation: str, kind: str, level: float) -> str:
    name = ACTIVATIONS.get(activation, activation)
    if kind == "none":
        return f"{name}, no perturbation"
    sign = "+" if kinds.get(kind).signed and level else ""
    return f"{name}, {kind} {100 * level:{sign}.6g}%"


PAPER = Paper(
    name="oursland2024",
    title="Neural networks use distance metrics",
    people=("Alan Oursland",),
    year=2024,
    arxiv="2411.17932",
    letter="B",
    published=Published(
        files=FILES,
        figures=(TABLES,),
        seeds=SEEDS,
        measure="perturbations",
        trainings=_trainings,
        references=_references,
        shown=lambda directory, figure, dataset: read(directory),
        metric_settings={},
    ),
)
