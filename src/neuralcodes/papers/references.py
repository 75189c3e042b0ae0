"""All published values in one table: of which training each is, and how well it is known."""

from dataclasses import dataclass, fields
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd

from neuralcodes.errors import DataError
from neuralcodes.papers import conditions, published
from neuralcodes.perturbation import kinds

# Metric of oursland2024: our name, its split and what one unit of ours is in the printed one.
PRINTED = {
    "train_accuracy": ("train_accuracy", "train", 100),
    "test_accuracy": ("test_accuracy", "test", 100),
    "loss": ("train_loss", "train", 1),
    "t_statistic": ("t_statistic", "train", 1),
    "p_value": ("p_value", "train", 1),
}
TESTS = ("t_statistic", "p_value")
_ACTIVATIONS = {"relu": "ReLU", "abs": "Abs"}


@dataclass(frozen=True)
class Reference:
    """One published value.

    Attributes:
        paper: "he2021" or "oursland2024".
        source: figure or table.
        panel: of the figure; "" in tables.
        dataset: by the name of its official source.
        condition: for a reader.
        split: a split that is not known counts as `published.ASSUMED_SPLIT`.
        split_status: see `published.he2021`.
        metric: by our name.
        published: the value; accuracies in [0, 1].
        reading_error: of a printed value half a unit of its last digit.
        published_std: of the authors' repeats, n - 1; NaN where it is not printed.
        epoch: as published, or "final".
        perturbation: "" of neural codes.
        level: as printed; 0 without perturbation.
        training: its place in `conditions.trainings`.
    """

    paper: str
    source: str
    panel: str
    dataset: str
    condition: str
    split: str
    split_status: str
    metric: str
    published: float
    reading_error: float
    published_std: float
    epoch: str
    perturbation: str
    level: float
    training: int


COLUMNS = tuple(field.name for field in fields(Reference))


def read(directory: str | Path) -> pd.DataFrame:
    """Put all published values in one table; occluded ones, which are bounds, stay out.

    Args:
        directory: folder of `conditions.FILES`.

    Returns:
        One row per value, in the order of the files, with a column per field of `Reference`.

    Raises:
        DataError: a file is missing or lacks a column; a value is of no training in
            `conditions.trainings`.
    """
    directory = Path(directory)
    table = pd.concat([_he2021(directory), _oursland2024(directory)], ignore_index=True)
    return table[list(COLUMNS)]


def rows(table: pd.DataFrame) -> list[Reference]:
    """Give the rows of what `read` returned, or of a part of it."""
    return [Reference(*row) for row in table[list(COLUMNS)].itertuples(index=False)]


def half_last_digit(text: str) -> float:
    """Give half a unit of the last printed digit, "2.8e-12" giving 5e-14.

    Args:
        text: a number as printed.
    """
    return float(Decimal(5).scaleb(Decimal(text).as_tuple().exponent - 1))


def _he2021(directory: Path) -> pd.DataFrame:
    path = directory / "he2021.csv"
    published.he2021(published.FIGURES[0], "mnist", directory)  # refuses a file that is none
    raw = pd.read_csv(path, usecols=["figure", "panel", "dataset", "metric"])
    places = _places()
    parts = []
    for figure, dataset in raw[["figure", "dataset"]].drop_duplicates().itertuples(index=False):
        values = published.he2021(figure, dataset, directory)
        own = raw[(raw["figure"] == figure) & (raw["dataset"] == dataset)]
        panels = dict(zip(own["metric"].replace(published.METRIC_NAMES), own["panel"], strict=True))
        split = values["split"].where(values["split"] != "", published.ASSUMED_SPLIT)
        points = values[["width_per_layer", "sample_size"]].itertuples(index=False)
        keys = [(figure, dataset, width, size) for width, size in points]
        parts.append(
            values.assign(
                **{"paper": "he2021", "source": figure, "dataset": dataset, "split": split},
                panel=values["metric"].map(panels),
                published=values["value"],
                published_std=np.nan,
                perturbation="",
                level=0.0,
                training=[_place(places, key, path) for key in keys],
            )
        )
    table = pd.concat(parts, ignore_index=True)
    table["condition"] = [
        _training_text(place, epoch)
        for place, epoch in zip(table["training"], table["epoch"], strict=True)
    ]
    return table


def _oursland2024(directory: Path) -> pd.DataFrame:
    path = directory / "oursland2024.csv"
    values = published.oursland2024(directory)
    texts = pd.read_csv(path, usecols=["value"], dtype=str)["value"]
    places = _places()
    unknown = sorted(set(values["metric"]) - set(PRINTED))
    if unknown:
        raise DataError(f"{path} has metrics that no measure of ours stands for: {unknown}")
    names, splits, units = zip(*(PRINTED[metric] for metric in values["metric"]), strict=True)
    units = np.array(units)
    n = conditions.SEEDS["oursland2024"]
    return values.assign(
        **{"paper": "oursland2024", "source": values["table"], "panel": "", "dataset": "mnist"},
        condition=[
            _perturbation_text(*each)
            for each in values[["activation", "perturbation", "level"]].itertuples(index=False)
        ],
        split=splits,
        split_status="printed",
        metric=names,
        published=values["value"] / units,
        reading_error=texts.map(half_last_digit) / units,
        published_std=values["std"] / units * np.sqrt(n / (n - 1)),  # printed: divides by n
        epoch="final",
        level=values["level"].fillna(0.0),
        training=[
            _place(places, (conditions.TABLES, "mnist", activation), path)
            for activation in values["activation"]
        ],
    )


def _places() -> dict[tuple[object, ...], int]:
    """Number the trainings: by figure, dataset, width per layer and sample size, or activation."""
    places: dict[tuple[object, ...], int] = {}
    for place, training in enumerate(conditions.trainings()):
        run = training.run
        head = (training.figure, run.dataset)
        point = (run.width // run.depth, run.sample_size or 0)
        places[(*head, *((run.activation,) if training.figure == conditions.TABLES else point))] = (
            place
        )
    return places


def _place(places: dict[tuple[object, ...], int], key: tuple[object, ...], path: Path) -> int:
    # the whole training part is no number in the file
    key = tuple(0 if isinstance(each, float) and np.isnan(each) else each for each in key)
    if key not in places:
        raise DataError(f"{path} has a value of {key}, which is none of the published trainings")
    return places[key]


def _training_text(place: int, epoch: str) -> str:
    run = conditions.trainings()[place].run
    size = [] if run.sample_size is None else [f"{run.sample_size:,} examples"]
    time = [] if epoch == "final" else [f"epoch {int(epoch):,}"]
    return ", ".join([conditions.width_text(run), *size, *time])


def _perturbation_text(activation: str, kind: str, level: float) -> str:
    name = _ACTIVATIONS.get(activation, activation)
    if kind == "none":
        return f"{name}, no perturbation"
    sign = "+" if kinds.get(kind).signed and level else ""
    return f"{name}, {kind} {100 * level:{sign}.6g}%"
