"""Words for numbers, factors and metrics within sentences."""

import math
from collections.abc import Sequence

from neuralcodes.figures import marks

MINUS = "\u2212"
# How a value of a factor is named in a sentence; other factors go by the name of their axis.
NAMES = {
    "epoch": "epoch {}",
    "steps": "step {}",
    "layer": "layer {}",
    "sample_size": "{} examples",
    "manifolds": "{} training manifolds",
    "relative_manifolds": "m/m* = {}",
    "points": "{} points per manifold",
    "hash_width": "{} units of the hash layer",
    "gamma_dim": "\u03b3 of {} dimensions",
    "theta_dim": "\u03b8 of {} dimensions",
    "rotation": "rotations of \u00b1{}\u00b0",
    "activation": "{}",
    "recipe": "recipe {}",
    "family": "{}",
    "network": "{}",
    "classes": "classes {}",
}
SINGULAR = {
    "sample_size": "{} example",
    "manifolds": "{} training manifold",
    "points": "{} point per manifold",
    "hash_width": "{} unit of the hash layer",
    "gamma_dim": "\u03b3 of {} dimension",
    "theta_dim": "\u03b8 of {} dimension",
}
COUNTED = ("sample_size", "manifolds", "points", "hash_width", "gamma_dim", "theta_dim", "rotation")
NAMED = ("activation", "recipe", "family", "network", "classes", "subset", "schedule")
ADJECTIVES = {"train": "training", "test": "test"}
PLAIN = {
    "redundancy_ratio": "redundancy",
    "redundancy_ratio_equal_n": "redundancy at equal n",
    "test_accuracy": "accuracy of the network",
    "train_accuracy": "accuracy of the network",
    "test_loss": "loss of the network",
    "train_loss": "loss of the network",
    "flipped_bits": "share of flipped bits",
    "knn_accuracy_unperturbed_train": "K-NN accuracy against unperturbed training codes",
}
ONE_SPLIT = ("knn_accuracy", "knn_accuracy_unperturbed_train", "logistic_regression_accuracy")
PROPER = ("Hamming", "Spearman")
MOST_DECIMALS = 4
NOISE = 1e-12


class Continuation(str):
    """A clause that makes no sense without the one before it."""

    __slots__ = ()


def number(value: float, decimals: int = 2) -> str:
    """A number with sensible digits: 0 and 1 only where it is 0 or 1.

    Args:
        value: the number.
        decimals: fewest digits after the point of a fraction that is not small.
    """
    if not math.isfinite(value):
        return "unknown" if math.isnan(value) else ("" if value > 0 else MINUS) + "unbounded"
    # Digits beyond those of a table are noise of the arithmetic.
    value = 0.0 if abs(value) < NOISE else float(f"{value:.9g}")
    size, sign = abs(value), MINUS if value < 0 else ""
    if size >= 1000:
        return sign + marks.value_label(float(f"{size:.3g}"))
    if size >= 10:
        return sign + f"{size:.{1 if size < 100 else 0}f}"
    if size.is_integer():
        return sign + f"{size:g}"
    if size < 0.0995:
        digits = max(decimals, 1 - math.floor(math.log10(size)))
        text = f"{size:.{digits}f}"
        return sign + (text.rstrip("0") if size < 0.00995 or float(text) == size else text)
    while decimals < MOST_DECIMALS and float(f"{size:.{decimals}f}") == 1:
        decimals += 1
    return sign + f"{size:.{decimals}f}"


def numbers(*values: float) -> list[str]:
    """Numbers with as many digits as tell different ones apart, if four decimals do."""
    for decimals in range(2, MOST_DECIMALS + 1):
        texts = [number(value, decimals) for value in values]
        if len(set(texts)) == len({float(f"{value:.9g}") for value in values}):
            break
    return texts


def percent(fraction: float, *, signed: bool = False) -> str:
    """A fraction as a percentage of two digits, three from 100% on.

    Args:
        fraction: 0.1 is 10%.
        signed: with a sign above 0 as well.
    """
    size = abs(100 * fraction)
    if not math.isfinite(size):
        return number(fraction)
    sign = MINUS if fraction < 0 else ("+" if signed and fraction > 0 else "")
    text = f"{size:.0f}" if size >= 9.95 else f"{float(f'{size:.2g}'):g}"
    if text == "100" and size != 100:
        text = f"{size:.1f}" if f"{size:.1f}" != "100.0" else f"{size:.2f}"
    return f"{sign}{'under 0.001' if 0 < size < 0.001 else text}%"


def share(count: int, total: int) -> str:
    """A share of a count, in words."""
    if count in (0, total):
        return "none" if count == 0 else "all"
    return f"{count} of {total}"


def join(parts: Sequence[str], last: str = "and") -> str:
    """Parts as an enumeration: a, b and c."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} {last} {parts[-1]}"


def sentence(clauses: Sequence[str]) -> str:
    """Clauses as one sentence with a capital and a full stop; empty ones are left out."""
    text = "; ".join(clause for clause in clauses if clause)
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def quantity(label: str) -> str:
    """An axis label within a sentence: without its unit, small unless it is an abbreviation."""
    text = label.split(" (")[0]
    plain = (text[1:2].islower() or text[1:2] == " ") and not text.startswith(PROPER)
    return text[:1].lower() + text[1:] if plain else text


def metric_name(metric: str, split: str = "") -> str:
    """A metric of a split in a sentence."""
    if one_shot := marks.ONE_SHOT.fullmatch(metric):
        kind = "accuracy by Hamming distance" if one_shot["bits"] else "accuracy"
        return f"{one_shot['way']}-way one-shot {kind}"
    if metric in ("test_accuracy", "train_accuracy", "test_loss", "train_loss"):
        split = metric.split("_")[0]
    name = PLAIN.get(metric, quantity(marks.metric_label(metric)))
    adjective = "" if metric in ONE_SPLIT else ADJECTIVES.get(split, "")
    return f"{adjective} {name}".strip()


def value_name(factor: str, value: object) -> str:
    """A value of a factor in a sentence: width 8, 100 examples, ReLU."""
    text = marks.value_label(value).replace("-", MINUS if _numeric(value) else "-")
    name = NAMES.get(factor, f"{quantity(marks.factor_label(factor))} {{}}")
    if text == "1":
        name = SINGULAR.get(factor, name)
    if "," in text:
        text = f"\u201c{text}\u201d"
    return name.format(text)


def at(factor: str, value: object) -> str:
    """Where on a factor something holds: at width 8, with 100 examples, before training."""
    if factor in ("epoch", "steps") and str(value) in ("0", "0.0"):
        return "before training"
    if factor == "epoch" and str(value) == "final":
        return "at the end of training"
    counted = factor in (*COUNTED, *NAMED) or not _numeric(value)
    preposition = "in" if factor == "layer" else ("with" if counted else "at")
    return f"{preposition} {value_name(factor, value)}"


def _numeric(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
