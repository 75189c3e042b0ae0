"""He et al. 2021, neural networks as hash encoders: its figures, digitised, and their trainings.

The settings here are the paper's: they stay as they are whatever a preset makes of a recipe.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from neuralcodes.papers.declaration import Paper, Published, Training, width_text
from neuralcodes.studies import runs

if TYPE_CHECKING:
    import pandas as pd

FILES = ("he2021.csv", "he2021_inferred_split.csv")
METRIC_NAMES = {"lr_accuracy": "logistic_regression_accuracy"}

# Released code of the model-size and the sample-size study.
RECIPE: Mapping[str, object] = {
    **{"input_scaling": "unit", "activation": "relu", "initializer": "glorot_uniform"},
    **{"batch_norm": True, "batch_norm_momentum": 0.99, "batch_norm_epsilon": 1e-3},
    **{"optimizer": "adam", "learning_rate": 0.01, "adam_epsilon": 1e-7},
    **{"schedule": "step", "decay_factor": 0.1, "decay_epochs": 20, "weight_decay": 1e-6},
    **{"batch_size": 64, "epochs": 200, "patience": 10, "validation_fraction": 0.2},
}
# The released code of the training-time study stops no training early (note A11).
RECIPES = {
    "model_capacity": RECIPE,
    "sample_size": RECIPE,
    "training_time": {**RECIPE, "patience": 0},
}
AXES = {
    "model_capacity": ("width",),
    "sample_size": ("sample_size", "width"),
    "training_time": ("width",),
}
# The figures give units per layer (note A17).
DEPTHS = {"mnist": 1, "cifar10": 5}
WIDTHS = {
    ("model_capacity", "mnist"): (
        *(3, 7, 10, 15, 20, 23, 27, 30, 33, 37, 40, 43, 47, 50, 53, 57, 60, 65, 70, 75, 80, 90),
        100,
    ),
    ("model_capacity", "cifar10"): tuple(range(10, 201, 10)),
    ("sample_size", "mnist"): (40, 50, 60),
    ("sample_size", "cifar10"): (10, 20, 40, 80),
    ("training_time", "mnist"): (40, 50, 60),
    ("training_time", "cifar10"): (10, 20, 40, 80),
}
SAMPLE_SIZES = {
    "mnist": (10, 30, 60, 100, 300, 600, 1000, 2000, 3000, 6000, 10000, 20000, 30000, 60000),
    "cifar10": (10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 40000),
}


def read(figure: str, dataset: str, directory: str | Path) -> "pd.DataFrame":
    """Digitised values of one figure, with wrong or missing split labels put right.

    Args:
        figure: "model_capacity", "sample_size" or "training_time".
        dataset: "mnist" or "cifar10".
        directory: folder of `FILES`.

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
    from neuralcodes.papers.values import POINT

    rows = _read_all(Path(directory))
    chosen = rows[(rows["figure"] == figure) & (rows["dataset"] == dataset)]
    if chosen.empty:
        known = sorted(set(zip(rows["figure"], rows["dataset"], strict=True)))
        raise ValueError(f"no published values for {(figure, dataset)}; there are {known}")
    return chosen[[*POINT, "value", "reading_error", "split_status"]].reset_index(drop=True)


def _read_all(directory: Path) -> "pd.DataFrame":
    import numpy as np

    from neuralcodes.papers import values

    columns = ["figure", "panel", "dataset", "metric"]
    printed = values.read(directory / FILES[0], columns)
    splits = values.read(directory / FILES[1], ["figure", "inferred_split"])
    rows = _with_true_split(printed, splits)
    return rows.assign(
        width_per_layer=rows["width"].astype(int),
        epoch=rows["epoch"].map(lambda each: "final" if np.isnan(each) else str(int(each))),
        metric=rows["metric"].replace(METRIC_NAMES),
    )


def _with_true_split(values: "pd.DataFrame", splits: "pd.DataFrame") -> "pd.DataFrame":
    import numpy as np

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


def _trainings() -> list[Training]:
    found = []
    for (figure, dataset), widths in WIDTHS.items():
        sizes = SAMPLE_SIZES[dataset] if figure == "sample_size" else (None,)
        depth = DEPTHS[dataset]
        for width in widths:
            for size in sizes:
                shape = {"depth": depth, "width": width * depth, "sample_size": size}
                run = runs.from_mapping({**RECIPES[figure], "dataset": dataset, **shape})
                key = (figure, dataset, width, size or 0)
                found.append(Training("he2021", figure, run, key, AXES[figure]))
    return found


def _references(directory: Path) -> "pd.DataFrame":
    import numpy as np

    from neuralcodes.papers.values import ASSUMED_SPLIT

    rows = _read_all(directory)
    together = rows.groupby(["figure", "dataset"], sort=False).ngroup()
    rows = rows.iloc[together.argsort(kind="stable")]  # figure by figure, as they first appear
    sizes = rows["sample_size"].fillna(0).astype(int)  # the whole training part is no number
    points = zip(rows["figure"], rows["dataset"], rows["width_per_layer"], sizes, strict=True)
    keys = list(points)
    return rows.assign(
        source=rows["figure"],
        split=rows["split"].where(rows["split"] != "", ASSUMED_SPLIT),
        published=rows["value"],
        published_std=np.nan,
        perturbation="",
        level=0.0,
        key=keys,
        condition=[_text(*each) for each in zip(keys, rows["epoch"], strict=True)],
    )


def _text(key: tuple[str, str, int, int], epoch: str) -> str:
    _, dataset, width, size = key
    parts = [width_text(width, DEPTHS.get(dataset, 1))]
    parts += [f"{size:,} examples"] if size else []
    return ", ".join(parts if epoch == "final" else [*parts, f"epoch {int(epoch):,}"])


PAPER = Paper(
    name="he2021",
    title="Neural networks behave as hash encoders",
    people=("Fengxiang He", "Shiye Lei", "Jianmin Ji", "Dacheng Tao"),
    year=2021,
    arxiv="2101.05490",
    letter="A",
    published=Published(
        files=FILES,
        figures=tuple(RECIPES),
        seeds=10,
        measure="codes",
        trainings=_trainings,
        references=_references,
        shown=lambda directory, figure, dataset: read(figure, dataset, directory),
        # None: one cluster a class, of which there are 10
        metric_settings={
            "knn_accuracy": {"knn_k": (9,)},
            "kmeans_accuracy": {"kmeans_clusters": (None, 10), "kmeans_restarts": (10,)},
        },
    ),
)
