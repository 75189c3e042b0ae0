"""Names and looks: what metrics, factors and their values are called and how they are drawn."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from neuralcodes.figures.chart import Scale, Style
from neuralcodes.measures import registry
from neuralcodes.metrics.declaration import NEUTRAL


@dataclass(frozen=True)
class Factor:
    """How a factor is named.

    Attributes:
        label: on an axis, with its unit.
        scale: of the axis.
        phrase: in a question, with its article; "" for one made from the label.
        place: one of its values in a sentence; "" for one made from the label.
    """

    label: str
    scale: Scale = "linear"
    phrase: str = ""
    place: str = ""


# Label and colour of every metric that declares them, in the order of its measures.
METRICS: dict[str, tuple[str, str]] = {
    each.name: (each.look.axis, each.look.color) for each in registry.quantities()
}
# Accuracies among so many manifolds, on codes or on the bits of codes.
ONE_SHOT = re.compile(r"one_shot(?P<bits>_hamming)?_accuracy_(?P<way>\d+)")
FACTORS: dict[str, Factor] = {
    "width": Factor("Width (hidden units)", phrase="the width of the network", place="width {}"),
    "width_per_layer": Factor(
        "Width (units per layer)", phrase="the width of the network", place="width {}"
    ),
    "depth": Factor("Depth (hidden layers)", phrase="the depth of the network", place="depth {}"),
    "layer": Factor("Hidden layer", phrase="the depth of the layer", place="layer {}"),
    "epoch": Factor("Training time (epochs)", "log", phrase="the training time", place="epoch {}"),
    "sample_size": Factor(
        "Sample size (training examples)",
        "log",
        phrase="the number of training examples",
        place="n = {}",
    ),
    "label_noise": Factor("Label noise (fraction of labels)", phrase="the share of noisy labels"),
    "input_noise": Factor(
        "Input noise (fraction of inputs)", phrase="the share of noise in the inputs"
    ),
    "dropout": Factor("Dropout (fraction of units)", phrase="dropout"),
    "weight_decay": Factor("Weight decay (L2 penalty)", "log", phrase="weight decay"),
    "learning_rate": Factor("Learning rate", "log"),
    "batch_size": Factor("Batch size (examples)", "log"),
    "momentum": Factor("Momentum", phrase="momentum"),
    "batch_norm": Factor("Batch normalization", "category", phrase="batch normalization"),
    "activation": Factor("Activation", "category", phrase="the activation", place="{}"),
    "input_scaling": Factor("Input scaling", "category", phrase="input scaling"),
    "recipe": Factor("Recipe", "category", phrase="the recipe", place="{}"),
    "perturbation": Factor("Perturbation", "category"),
    "position": Factor("Position", place="{}"),
    "level": Factor("Level of the perturbation", place="{}"),
    "family": Factor(
        "Family of manifolds", "category", phrase="the family of manifolds", place="{}"
    ),
    "gamma_dim": Factor("Dimension of the identifier \u03b3", place="{} dimensions of \u03b3"),
    "theta_dim": Factor("Dimension of the nuisance \u03b8", place="{} dimensions of \u03b8"),
    "ambient_dim": Factor("Dimension of the inputs", "log"),
    "manifolds": Factor(
        "Training manifolds m", "log", phrase="the number of training manifolds", place="m = {}"
    ),
    "relative_manifolds": Factor(
        "Training manifolds m / threshold m*",
        "log",
        phrase="the number of training manifolds as a multiple of its threshold m*",
        place="m/m* = {}",
    ),
    "points": Factor(
        "Points per training manifold n",
        "log",
        phrase="the number of points per training manifold",
        place="{} points",
    ),
    "hash_width": Factor(
        "Width of the hash layer (units)",
        "log",
        phrase="the width of the hash layer",
        place="{} units",
    ),
    "hash_activation": Factor("Activation of the hash layer", "category"),
    "train_first_layer": Factor("Training of the first layer", "category"),
    "init_scale": Factor("Initial scale of the hash layer", "log"),
    "classes": Factor(
        "Classes of the training images",
        "category",
        phrase="the choice of training classes",
        place="classes {}",
    ),
    "network": Factor("Network", "category", phrase="the network", place="{}"),
    "steps": Factor("Training time (steps)", "log", phrase="the training time", place="step {}"),
    "rotation": Factor(
        "Rotation (\u00b1 degrees)", phrase="the largest rotation", place="\u00b1{}\u00b0"
    ),
    "shift": Factor("Shift (\u00b1 share of the side)", phrase="the largest shift"),
    "subset": Factor("Subset", phrase="the choice of the subset"),
    "schedule": Factor("Schedule", phrase="the learning rate's schedule"),
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
PROPER = ("Hamming", "Spearman")  # names keep their capital within a sentence


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
    return FACTORS[factor].label if factor in FACTORS else factor.replace("_", " ").capitalize()


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


def ramp(count: int) -> list[str]:
    """Colours of `count` ordered values: the larger the darker, safe for colour blindness."""
    import matplotlib  # not while a workflow is parsed
    from matplotlib.colors import to_hex

    positions = np.linspace(0.8, 0.0, count) if count > 1 else np.array([0.25])
    return [to_hex(color) for color in matplotlib.colormaps["viridis"](positions)]


def line_styles(values: Sequence[object]) -> dict[object, Style]:
    """One style per value of the line factor, in the given order; some values have their own."""
    if all(value in VALUE_STYLES for value in values):
        return {value: VALUE_STYLES[str(value)] for value in values}
    colors = ramp(len(values))
    return {
        value: Style(color, MARKERS[index % len(MARKERS)])
        for index, (value, color) in enumerate(zip(values, colors, strict=True))
    }


def quantity(label: str) -> str:
    """An axis label within a sentence: without its unit, small unless it is an abbreviation."""
    text = label.split(" (")[0]
    plain = (text[1:2].islower() or text[1:2] == " ") and not text.startswith(PROPER)
    return text[:1].lower() + text[1:] if plain else text


def factor_phrase(factor: str) -> str:
    """A factor in a question, with its article: the width of the network, dropout."""
    known = FACTORS[factor].phrase if factor in FACTORS else ""
    return known or f"the {quantity(factor_label(factor))}"


def place_name(factor: str, value: object) -> str:
    """A value of a factor in a sentence: width 8, n = 100, ReLU."""
    known = FACTORS[factor].place if factor in FACTORS else ""
    return (known or f"{quantity(factor_label(factor))} {{}}").format(value_label(value))


def joined(parts: Sequence[str], last: str = "and") -> str:
    """Parts as an enumeration: a, b and c."""
    return "".join(parts) if len(parts) < 2 else f"{', '.join(parts[:-1])} {last} {parts[-1]}"
