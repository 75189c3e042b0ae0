"""How a measured quantity runs along a factor, with its intervals, and the words for it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from neuralcodes.figures import marks, phrases
from neuralcodes.figures.phrases import number, numbers

WORTH_NAMING = 0.2  # share of the range by which an extreme in between must leave both ends


@dataclass(frozen=True)
class Point:
    """A value of a factor and what was measured there: mean and 95% interval, NaN where none."""

    at: object
    mean: float
    low: float = math.nan
    high: float = math.nan

    @property
    def ends(self) -> tuple[float, float]:
        """Ends of the interval; the mean where there is none."""
        return (
            self.mean if math.isnan(self.low) else self.low,
            self.mean if math.isnan(self.high) else self.high,
        )


def points(rows: pd.DataFrame, x: str) -> list[Point]:
    """Summary rows of one curve as points in the order of `x`; those without a mean are left out.

    Raises:
        DataError: several rows share one value of `x`.
    """
    rows = rows[rows["mean"].notna()]
    marks.refuse_mixture(rows, [x])
    columns = zip(*(rows[name].tolist() for name in (x, "mean", "low", "high")), strict=True)
    measured = {_known(at): values for at, *values in columns}
    return [
        Point(value, *(float(each) for each in measured[_known(value)]))
        for value in marks.factor_values(rows, x)
    ]


def _known(value: object) -> object:
    """A value of a factor as a key; absent ones, which equal nothing, have one key."""
    return None if pd.isna(value) else value


def beyond(first: Point, second: Point) -> bool:
    """Tell whether two means differ by more than their intervals."""
    (low, high), (other_low, other_high) = first.ends, second.ends
    return low > other_high or other_low > high


def steady(found: Sequence[Point], reference: float, margin: float) -> list[Point]:
    """Points within a margin of a reference."""
    # Rounding must not push a mean that is exactly at the margin out of it.
    return [point for point in found if abs(point.mean - reference) <= margin + 1e-9]


def some(values: Sequence[object], most: int) -> list[object]:
    """Of many values a few, evenly spread, the first and the last among them."""
    if len(values) <= most:
        return list(values)
    if most < 2:
        return [values[-1]]
    step = (len(values) - 1) / (most - 1)
    return [values[round(place * step)] for place in range(most)]


def same(first: object, second: object) -> bool:
    """Tell whether two values of a factor are equal; absent ones are."""
    return first == second or (pd.isna(first) and pd.isna(second))


def stretch(run: Sequence[Point], inside: Sequence[Point], x: str) -> str:
    """Where the points inside lie on a run, if they are one piece of it; else empty.

    Args:
        run: points in order.
        inside: some of them, in order.
        x: the factor that they lie on.
    """
    if not inside:
        return ""
    if len(inside) == len(run):
        return "throughout"
    first, last = run.index(inside[0]), run.index(inside[-1])
    if last - first + 1 != len(inside):
        return ""
    names = [phrases.value_name(x, point.at) for point in (inside[0], inside[-1])]
    if len(inside) == 1:
        return f"{phrases.at(x, inside[0].at)} only"
    if last == len(run) - 1:
        return f"from {names[0]} on"
    return f"up to {names[1]}" if first == 0 else f"from {names[0]} to {names[1]}"


def course(found: Sequence[Point], x: str, *, places: bool = True) -> str:
    """How a quantity runs from its first to its last point, as the verb of a sentence.

    An extreme in between is named where it leaves both ends by more than the intervals.

    Args:
        found: points in order.
        x: the factor that they lie on.
        places: name where the first and the last are.
    """
    return " ".join(_course(found, x, places=places)).strip()


def courses(runs: Mapping[str, Sequence[Point]], x: str) -> list[str]:
    """Courses of several lines: places named once, and a verb only where it is another one.

    Args:
        runs: label -> points in order; empty ones are left out.
        x: the factor that they lie on.

    Returns:
        A text per line, without its label.
    """
    texts, before = [], ""
    for found in (run for run in runs.values() if run):
        verb, rest = _course(found, x, places=not texts)
        repeated = verb == before and verb in ("rises", "falls")
        texts.append(rest if repeated else f"{verb} {rest}".strip())
        before = verb
    return texts


def unchanged(found: Sequence[Point]) -> bool:
    """Tell whether neither the last of several points nor an extreme leaves the first."""
    return len(found) > 1 and _turn(found) is None and not beyond(found[0], found[-1])


def span(found: Sequence[Point]) -> str:
    """The smallest and the largest mean."""
    return " to ".join(numbers(*(end(point.mean for point in found) for end in (min, max))))


def listed(ends: Mapping[str, Point]) -> str:
    """Means with the names of their lines: 0.97 (ReLU) and 0.98 (Abs)."""
    return phrases.join([f"{number(point.mean)} ({label})" for label, point in ends.items()])


def _course(found: Sequence[Point], x: str, *, places: bool) -> tuple[str, str]:
    """Verb and rest of a course."""
    if not found:
        return "was", "not measured"
    if len(found) == 1:
        return "is", f"{number(found[0].mean)} {phrases.at(x, found[0].at)}"
    first, last, turn = found[0], found[-1], _turn(found)
    # Of counted things the last place alone names them: with 10 to 0.3 with 100 examples.
    short = x in phrases.COUNTED and places
    start = f" {f'with {marks.value_label(first.at)}' if short else phrases.at(x, first.at)}"
    start, end = (start, f" {phrases.at(x, last.at)}") if places else ("", "")
    if turn is not None:
        texts = numbers(first.mean, turn.mean, last.mean)
        verb, name = ("rises", "peak") if turn.mean > first.mean else ("falls", "low")
        middle = f"to a {name} of {texts[1]} {phrases.at(x, turn.at)}"
        return verb, f"from {texts[0]}{start} {middle} and is {texts[2]}{end}"
    if unchanged(found):
        if len({point.mean for point in found}) == 1:
            return "stays", f"at {number(first.mean)}"
        return "does", f"not change beyond its intervals ({span(found)})"
    texts = numbers(first.mean, last.mean)
    return "rises" if last.mean > first.mean else "falls", (
        f"from {texts[0]}{start} to {texts[1]}{end}"
    )


def _turn(found: Sequence[Point]) -> Point | None:
    """The extreme in between that leaves both ends farthest; None where none does clearly."""
    if len(found) < 3:
        return None
    first, last, inner = found[0], found[-1], found[1:-1]
    means = [point.mean for point in found]
    spread = max(means) - min(means)
    best, farthest = None, WORTH_NAMING * spread if math.isfinite(spread) else math.inf
    for extreme, ends in ((max, max), (min, min)):
        point = extreme(inner, key=lambda each: each.mean)
        excess = abs(point.mean - ends(first.mean, last.mean))
        outside = point.mean == extreme(means) and point.mean not in (first.mean, last.mean)
        if outside and excess > farthest and beyond(point, first) and beyond(point, last):
            best, farthest = point, excess
    return best
