"""What all figures share: names and colours of metrics and factors, and the choice of rows."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import matplotlib
import numpy as np
import pandas as pd

from neuralcodes.errors import DataError
from neuralcodes.measures import registry
from neuralcodes.metrics.declaration import NEUTRAL
from neuralcodes.papers import published as published_values
from neuralcodes.studies import checkpoints, tables

Scale = Literal["linear", "log", "category"]


@dataclass(frozen=True)
class FigureSpec:
    """What a figure shows.

    Attributes:
        kind: a key of `plotting.FIGURES`.
        title: dataset and preset, printed above the figure.
        x: factor on the horizontal axis; None for the usual one of the kind.
        line: factor whose values are the lines; None for one line per metric.
        variant: a second factor: line style, or a row of panels each where `line` is None.
        columns: width in columns of a two-column page, 1 (3.35 in) or 2 (6.9 in).
        options: choices of the kind, see `plotting.OPTIONS`.
    """

    kind: str
    title: str = ""
    x: str | None = None
    line: str | None = None
    variant: str | None = None
    columns: Literal[1, 2] = 2
    options: Mapping[str, object] = field(default_factory=dict)

    @property
    def width_inches(self) -> float:
        """Width of the figure on paper."""
        return 6.9 if self.columns == 2 else 3.35


@dataclass(frozen=True)
class Style:
    """How a curve is drawn; tells curves apart without colour as well."""

    color: str | tuple[float, ...]
    marker: str = "o"
    linestyle: str = "-"


# Label and colour of every metric that declares them, in the order of its measures.
METRICS: dict[str, tuple[str, str]] = {
    each.name: (each.look.axis, each.look.color) for each in registry.quantities()
}
# Accuracies among so many manifolds, on codes or on the bits of codes.
ONE_SHOT = re.compile(r"one_shot(?P<bits>_hamming)?_accuracy_(?P<way>\d+)")
FACTORS: dict[str, tuple[str, Scale]] = {
    "width": ("Width (hidden units)", "linear"),
    "width_per_layer": ("Width (units per layer)", "linear"),
    "depth": ("Depth (hidden layers)", "linear"),
    "layer": ("Hidden layer", "linear"),
    "epoch": ("Training time (epochs)", "log"),
    "sample_size": ("Sample size (training examples)", "log"),
    "label_noise": ("Label noise (fraction of labels)", "linear"),
    "input_noise": ("Input noise (fraction of inputs)", "linear"),
    "dropout": ("Dropout (fraction of units)", "linear"),
    "weight_decay": ("Weight decay (L2 penalty)", "log"),
    "learning_rate": ("Learning rate", "log"),
    "batch_size": ("Batch size (examples)", "log"),
    "momentum": ("Momentum", "linear"),
    "batch_norm": ("Batch normalization", "category"),
    "activation": ("Activation", "category"),
    "input_scaling": ("Input scaling", "category"),
    "recipe": ("Recipe", "category"),
    "perturbation": ("Perturbation", "category"),
    "level": ("Level of the perturbation", "linear"),
    "family": ("Family of manifolds", "category"),
    "gamma_dim": ("Dimension of the identifier \u03b3", "linear"),
    "theta_dim": ("Dimension of the nuisance \u03b8", "linear"),
    "ambient_dim": ("Dimension of the inputs", "log"),
    "manifolds": ("Training manifolds m", "log"),
    "relative_manifolds": ("Training manifolds m / threshold m*", "log"),
    "points": ("Points per training manifold n", "log"),
    "hash_width": ("Width of the hash layer (units)", "log"),
    "hash_activation": ("Activation of the hash layer", "category"),
    "train_first_layer": ("Training of the first layer", "category"),
    "init_scale": ("Initial scale of the hash layer", "log"),
    "classes": ("Classes of the training images", "category"),
    "network": ("Network", "category"),
    "steps": ("Training time (steps)", "log"),
    "rotation": ("Rotation (\u00b1 degrees)", "linear"),
    "shift": ("Shift (\u00b1 share of the side)", "linear"),
}
SPLITS = {
    "train": "train",
    "test": "test",
    "uniform_0_1": "uniform in [0, 1]",
    "uniform_-1_0": "uniform in [\u22121, 0]",
    "seen": "training manifolds, new points",
    "unseen": "unseen manifolds",
    "unseen_classes": "unseen manifolds of unseen classes",
}
# The value that the paper used is drawn first, with a solid line.
PUBLISHED_VALUE = {
    "schedule": "step",
    "subset": "first",
    "input_scaling": "raw",
    "recipe": "oursland2024",
}
VALUES = {
    "relu": "ReLU",
    "abs": "Abs",
    "leaky_relu": "leaky ReLU",
    "oursland2024": "Oursland 2024",
    "oursland2024_standardized": "Oursland 2024, standardized",
    "poly": "polynomial",
    "poly2": "polynomial, degree 2",
    "poly_no_constant": "polynomial, no constant",
    "images_relu_hash": "images, ReLU hash layer",
    "images_random_features": "images, random features",
    "hash": "random features",
    "cnn": "CNN",
}
# An activation looks the same in every figure, whichever others stand beside it.
VALUE_STYLES = {
    "relu": Style("#0b5d6b", "o"),
    "abs": Style("#d55e00", "s"),
    "leaky_relu": Style("#66c2a5", "^"),
    "tanh": Style("#1a1a1a", "D"),
}
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">")
LINESTYLES = ("-", "--", ":", "-.")


def metric_label(metric: str) -> str:
    """Name of a metric as an axis label."""
    look = registry.look(metric)
    return look.axis if look else metric.replace("_", " ").capitalize()


def metric_color(metric: str) -> str:
    """The colour that this metric has in every figure."""
    look = registry.look(metric)
    return look.color if look else NEUTRAL


def factor_label(factor: str) -> str:
    """Name of a factor, with its unit."""
    return FACTORS[factor][0] if factor in FACTORS else factor.replace("_", " ").capitalize()


def value_label(value: object) -> str:
    """A factor's value as text: booleans on/off, thousands set apart, absent values none."""
    if isinstance(value, (bool, np.bool_)):
        return "on" if value else "off"
    if isinstance(value, (int, float, np.number)):
        if np.isnan(value):
            return "none"
        whole = float(value).is_integer() and abs(value) < 1e9
        return f"{int(value):,}".replace(",", "\u2009") if whole else f"{value:g}"
    return "none" if value is None else VALUES.get(str(value), str(value))


def ramp(count: int) -> list[tuple[float, float, float]]:
    """Colours of `count` ordered values: the larger the darker, safe for colour blindness."""
    positions = np.linspace(0.8, 0.0, count) if count > 1 else np.array([0.25])
    colors = matplotlib.colormaps["viridis"](positions)
    return [tuple(float(part) for part in color[:3]) for color in colors]


def line_styles(values: Sequence[object]) -> dict[object, Style]:
    """One style per value of the line factor, in the given order; some values have their own."""
    if all(value in VALUE_STYLES for value in values):
        return {value: VALUE_STYLES[str(value)] for value in values}
    colors = ramp(len(values))
    return {
        value: Style(color, MARKERS[index % len(MARKERS)])
        for index, (value, color) in enumerate(zip(values, colors, strict=True))
    }


def factor_values(rows: pd.DataFrame, factor: str) -> list[object]:
    """Distinct values of a factor in their order; "final" comes last, ReLU before its rivals."""
    values = rows[factor].drop_duplicates()
    if values.isin(list(VALUE_STYLES)).all():
        return [value for value in VALUE_STYLES if value in set(values)]
    if factor == "epoch" and values.dtype != float:
        return [str(value) for value in values.iloc[np.argsort(tables.epoch_order(values))]]
    return values.sort_values(na_position="first").tolist()


def rows_equal(rows: pd.DataFrame, factor: str, value: object) -> pd.DataFrame:
    """Rows whose factor has the value; an absent value equals an absent value."""
    absent = value is None or (isinstance(value, float) and np.isnan(value))
    return rows[rows[factor].isna() if absent else rows[factor] == value]


def select(summary: pd.DataFrame, spec: FigureSpec, factors: Iterable[str]) -> pd.DataFrame:
    """Rows of a summary that a figure needs.

    Args:
        summary: what `tables.summarize` returns.
        spec: its option `where` fixes factors.
        factors: columns that the figure spreads out. Without epoch among them, the checkpoint
            "final" (else the last one) is taken; with it, epoch becomes a number. Without layer
            among them, rows of single layers are left out.

    Raises:
        DataError: a column is missing, or nothing is left.
    """
    factors = [factor for factor in factors if factor]
    where = dict(spec.options.get("where", {}))
    tables.require(summary, [*factors, *where, "metric", "split", "mean"], "the summary")
    rows = summary.assign(epoch=summary["epoch"].astype(str))
    if "layer" in rows.columns and "layer" not in factors:
        rows = rows[rows["layer"].isna()]
    for factor, value in where.items():
        rows = rows_equal(rows, factor, str(value) if factor == "epoch" else value)
    if not rows.empty and "epoch" in factors:
        numbered = rows[rows["epoch"].map(checkpoints.is_epoch)]
        rows = numbered.assign(epoch=numbered["epoch"].astype(float))
    elif not rows.empty and "epoch" not in where:
        rows = rows[rows["epoch"] == factor_values(rows, "epoch")[-1]]
    if rows.empty:
        raise DataError(
            f"no row of the summary is left for the figure (where {where}, factors {factors}); "
            "the study must measure what the figure shows"
        )
    return rows


def refuse_mixture(rows: pd.DataFrame, drawn: Sequence[str]) -> None:
    """Refuse rows in which factors vary that the figure does not show.

    Raises:
        DataError: two rows would fall on one point; names the factors that vary there.
    """
    twice = rows[rows.duplicated(list(drawn), keep=False)]
    if twice.empty:
        return
    point = twice[twice[list(drawn)].eq(twice[list(drawn)].iloc[0]).all(axis=1)]
    keys = [name for name in tables.key_columns(rows) if name not in drawn]
    varying = [name for name in keys if len(point[name].drop_duplicates()) > 1]
    raise DataError(
        f"the figure would mix rows that differ in {varying}; show it as line or variant, or fix "
        "it with the option where"
    )


def select_published(
    published: pd.DataFrame | None, rows: pd.DataFrame, spec: FigureSpec, x: str
) -> pd.DataFrame:
    """Published values that belong into a figure: same axis, same widths, within our range of x.

    Returns:
        The rows with columns x, width, width_per_layer, split (unknown ones as
        `published.ASSUMED_SPLIT`), metric, value, reading_error; empty where nothing is published.
    """
    if published is None or x not in ("width", "width_per_layer", "epoch", "sample_size"):
        return pd.DataFrame(columns=[x, "split", "metric", "value", "reading_error"])
    theirs = published.copy()
    theirs["split"] = theirs["split"].where(theirs["split"] != "", published_values.ASSUMED_SPLIT)
    theirs["width"] = theirs["width_per_layer"] * int(rows["depth"].max())
    with_time, with_size = theirs["epoch"] != "final", theirs["sample_size"].notna()
    theirs = theirs[(with_time == (x == "epoch")) & (with_size == (x == "sample_size"))]
    theirs = theirs.assign(**{x: theirs[x].astype(float)})
    if x not in ("width", "width_per_layer"):
        theirs = theirs[theirs["width_per_layer"].isin(rows["width_per_layer"])]
    if spec.options.get("published_beyond", False):
        return theirs
    return theirs[theirs[x].between(rows[x].min(), rows[x].max())]
