"""Headlines: one sentence with the numbers of a Chart, made from its curves and nothing else."""

import math
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from neuralcodes.figures import marks
from neuralcodes.figures.chart import Axis, Curve, Panel, Published

LONGEST = 240  # characters
WORTH_NAMING = 0.2  # share of the range by which an extreme in between must leave both ends
MOST_DECIMALS = 4
PLAIN = {"flipped_bits": "share of flipped bits", "redundancy_ratio": "redundancy"}


def number(value: float) -> str:
    """A number with sensible digits; "1" and "0" only where it is 1 or 0."""
    size, sign = abs(value), "\u2212" if value < 0 else ""
    if not math.isfinite(value):
        return "unknown" if math.isnan(value) else f"{sign}unbounded"
    if size >= 1000:
        return sign + marks.value_label(float(f"{size:.3g}"))
    if size >= 10:
        return sign + f"{size:.{1 if size < 100 else 0}f}"
    if float(size).is_integer():
        return sign + f"{size:g}"
    if size < 0.0995:
        return sign + f"{float(f'{size:.2g}'):g}"
    decimals = 2
    while decimals < MOST_DECIMALS and float(f"{size:.{decimals}f}") == 1:
        decimals += 1
    return sign + f"{size:.{decimals}f}"


def place(axis: Axis, at: float) -> str:
    """A place of an axis in a sentence: at width 8, at epoch 60, for ReLU."""
    name = marks.place_name(axis.factor, axis.value(at)).replace("-", "\u2212")
    return f"{'for' if axis.scale == 'category' else 'at'} {name}"


def sentence(clauses: Iterable[str]) -> str:
    """As many clauses, in their order, as fit into `LONGEST` characters; the first always does.

    Returns:
        A sentence with a capital and a full stop.
    """
    text = ""
    for clause in clauses:
        longer = f"{text}; {clause}" if text else clause
        if text and len(longer) >= LONGEST:
            break
        text = longer
    if len(text) >= LONGEST:
        text = text[: LONGEST - 2].rsplit(" ", 1)[0].rstrip(",;(") + "\u2026"
    return f"{text[:1].upper()}{text[1:]}."


def named(curve: Curve) -> str:
    """The quantity of a curve: its metric, with its split in brackets."""
    split = curve.split if curve.split in ("train", "test") else ""
    name = marks.quantity(marks.metric_label(curve.metric))
    name = "error" if curve.mirrored else PLAIN.get(curve.metric, name)
    return f"{name} ({split})" if split else name


def course(
    curve: Curve,
    axis: Axis,
    published: Sequence[Published] = (),
    which: str = "",
) -> str:
    """How a curve runs from its first to its last point, and through an extreme in between.

    Args:
        curve: with at least one mean.
        axis: its horizontal axis.
        published: published values of the panel; those of the curve at its ends are named.
        which: tells the curve from others of the same quantity.

    Returns:
        The end of a sentence whose subject is the curve: falls from 0.98 at width 3 to 0 at ...
    """
    known = np.flatnonzero(np.isfinite(curve.y))
    if not len(known):
        return "is not measured"
    first, last = known[0], known[-1]
    at = [place(axis, curve.x[index]) for index in (first, last)]
    if first == last:
        more = remarks(which, published_at(published, curve, [first]))
        return f"is {number(curve.y[first])} {at[0]}{more}"
    values = [number(curve.y[index]) for index in (first, last)]
    more = remarks(which, published_at(published, curve, [first, last]))
    middle = _extreme(curve.y, known)
    if middle is not None:
        verb, name = ("rises", "peak") if curve.y[middle] > curve.y[first] else ("falls", "low")
        turn = f"to a {name} of {number(curve.y[middle])} {place(axis, curve.x[middle])}"
        return f"{verb} from {values[0]} {at[0]} {turn} and is {values[1]} {at[1]}{more}"
    if values[0] == values[1]:
        return f"is {values[0]} {at[0]} and {values[1]} {at[1]}{more}"
    verb = "rises" if curve.y[last] > curve.y[first] else "falls"
    return f"{verb} from {values[0]} {at[0]} to {values[1]} {at[1]}{more}"


def courses(panels: Iterable[Panel], wanted: Callable[[Curve], bool] = lambda _: True) -> list[str]:
    """Clauses on the curves of several panels: the quantity, its course, and which curve it is.

    Args:
        panels: in the order of their importance.
        wanted: whether a curve is worth a clause.
    """
    clauses, before = [], ""
    for panel in panels:
        for curve in filter(wanted, panel.curves):
            which = curve.label if _told_apart(panel, curve) else ""
            name = named(curve)
            text = course(curve, panel.x, panel.published, which)
            clauses.append(text if name == before else f"{name} {text}")
            before = name
    return clauses


def published_at(
    published: Sequence[Published],
    curve: Curve,
    places: Sequence[int],
) -> str:
    """Published values at some points of a curve; "" unless all of them have one.

    Args:
        published: of the panel.
        curve: ours.
        places: index of each point.
    """
    for values in published:
        if values.label == curve.label:
            at = {float(x): float(value) for x, value in zip(values.x, values.value, strict=True)}
            known = [
                number(at[float(curve.x[i])]) if float(curve.x[i]) in at else "" for i in places
            ]
            if all(known):
                return f"published: {' and '.join(known)}"
    return ""


def remarks(*parts: str) -> str:
    """Remarks on a number, in brackets after it; "" without any."""
    known = [part for part in parts if part]
    return f" ({'; '.join(known)})" if known else ""


def _told_apart(panel: Panel, curve: Curve) -> bool:
    return sum(c.metric == curve.metric and c.split == curve.split for c in panel.curves) > 1


def _extreme(values: np.ndarray, known: np.ndarray) -> int | None:
    """The extreme in between that leaves both ends farthest; None where none does clearly."""
    first, last, inner = values[known[0]], values[known[-1]], known[1:-1]
    if not len(inner):
        return None
    spread = float(np.ptp(values[known]))
    above = values[inner].max() - max(first, last)
    below = min(first, last) - values[inner].min()
    if max(above, below) <= WORTH_NAMING * spread:
        return None
    return int(
        inner[np.argmax(values[inner])] if above >= below else inner[np.argmin(values[inner])]
    )
