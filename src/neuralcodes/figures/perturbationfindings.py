"""What studies of perturbed networks show: which perturbations accuracy and codes bear."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from neuralcodes.errors import DataError
from neuralcodes.figures import (
    curves,
    looks,
    marks,
    perturbationcharts,
    perturbationviews,
    phrases,
    trends,
)
from neuralcodes.figures.codefindings import MARGIN, Clauses, first_variant
from neuralcodes.figures.curves import Series
from neuralcodes.figures.marks import FigureSpec
from neuralcodes.figures.perturbationviews import KINDS, rows_of
from neuralcodes.figures.trends import Point

# A sentence each; the second kind is a control of the first.
GROUPS = (("scale", "scale_per_unit"), ("clip", "clip_activation"), ("offset",))
DONE = {
    "scale": "pre-activations are scaled by",
    "clip": "pre-activations are clipped at",
    "clip_activation": "outputs are clipped at",
    "offset": "pre-activations are shifted by",
}
NOUNS = {
    "scale": "a scale of",
    "clip": "a clip of",
    "clip_activation": "a clip of the output of",
    "offset": "an offset of",
    "scale_per_unit": "random factors of median",
}
TOLERATED = {
    "scale": "scaling is tolerated by",
    "clip": "clipping is tolerated at",
    "clip_activation": "clipping of outputs is tolerated at",
    "offset": "shifts are tolerated by",
}
WAYS = {
    "scale up": "when scaled up",
    "scale down": "when scaled down",
    "offset up": "when shifted up",
    "offset down": "when shifted down",
    "clip": "when clipped",
    "random scale per unit": "under random factors per unit",
}
SAID = {
    "scale": "when scaled",
    "clip": "when clipped",
    "clip_activation": "when outputs are clipped",
    "offset": "when shifted",
    "scale_per_unit": "under random factors per unit",
}
FACTORS = ("scale", "scale_per_unit")
DIFFERING = ("offset", "scale_per_unit", "clip", "scale")  # what is told of another variant
KNN: Series = ("knn_accuracy", "test")
KNN_UNPERTURBED: Series = ("knn_accuracy_unperturbed_train", "test")


def of_perturbations(
    spec: FigureSpec, summary: pd.DataFrame, published: pd.DataFrame | None
) -> list[Clauses]:
    """Findings of the kind `perturbations`: the levels within which accuracy stays.

    Raises:
        DataError: the summary lacks what the figure needs.
        ValueError: the split is neither train nor test.
    """
    del published  # see `comparisons`
    spec, rows, series = accuracies(spec, summary)
    kinds = perturbationviews.chosen(spec, rows, ("scale", "clip", "offset"))
    usual, *others = curves.variant_values(spec, rows)
    here, found = first_variant(spec, rows), []
    subject = f"{_subject(series)} loses at most one point when"
    for group in GROUPS:
        clauses = []
        for kind in (name for name in group if name in kinds):
            text = _told(spec, here, kind)
            if text and kind in DONE and not found and not clauses:
                text = f"{subject} {DONE[kind]} {text.removeprefix(TOLERATED[kind]).strip()}"
            clauses += [text] if text else []
        found += [clauses] if clauses else []
    if found and spec.variant:
        found[0][0] = f"{phrases.at(spec.variant, usual)}, {found[0][0]}"
        found += [_of_variant(spec, rows, kinds, usual, value) for value in others[:1]]
    elif len(kinds) < 3:
        told = [clause for clauses in found for clause in clauses]
        found = [told, *(_apart(spec, rows, kind) for kind in kinds)]
    return found


def of_equal_change(
    spec: FigureSpec, summary: pd.DataFrame, published: pd.DataFrame | None
) -> list[Clauses]:
    """Findings of the kind `equal_change`: which kind harms most at one size of the change.

    Raises:
        DataError: the study measured no perturbation of equal size.
        ValueError: the split is neither train nor test.
    """
    del published
    spec, rows, series = accuracies(spec, summary)
    rows = first_variant(spec, rows)
    ways = equal_ways(rows)
    if not ways:
        raise DataError(f"the study measured {series[0]} under no perturbation of equal size")
    size = _telling_size(ways)
    ends = {
        name: {label: run[0] for label, run in _at_level(spec, way, size).items()}
        for name, way in ways.items()
    }
    ends = {name: end for name, end in ends.items() if end}
    order = sorted(ends, key=lambda name: min(point.mean for point in ends[name].values()))
    texts = [f"{trends.listed(ends[name])} {WAYS[name]}" for name in order]
    lead = f"where the hidden vector changes by {phrases.percent(size)}, {_subject(series)} is"
    plain = {
        label: trends.points(part[part["perturbation"] == "none"], "perturbation")
        for label, part in lines(spec, rows)
    }
    known = {label: run[0] for label, run in plain.items() if run}
    extremes = texts if len(texts) < 3 else [texts[0], texts[-1]]
    extremes += [f"{trends.listed(known)} unperturbed"] if known else []
    found = [[f"{lead} {extremes[0]}", *map(phrases.Continuation, extremes[1:])]]
    if len(texts) > 2:
        found.append([f"at the same change it is {'; '.join(texts[1:-1])}"])
    return found


def of_perturbed_codes(
    spec: FigureSpec, summary: pd.DataFrame, published: pd.DataFrame | None
) -> list[Clauses]:
    """Findings of the kind `perturbed_codes`: bits that flip, and what that does."""
    del published
    spec, rows = looks.selected(spec, summary, ("perturbation", "level"))
    every = [series for group in perturbationcharts.CODES.values() for series in group]
    rows = first_variant(spec, looks.of_any(rows, every))
    flips, accuracy, frozen = [], [], []
    for kind in perturbationviews.chosen(spec, rows, ("offset",)):
        here = rows_of(rows, kind)
        levels = _ends_of(here, kind)
        bits = curves.of_series(here, ("flipped_bits", "test"))
        for level in levels:
            ends = _at_level(spec, bits, level)
            shares = [f"{phrases.percent(run[0].mean)} ({name})" for name, run in ends.items()]
            if shares:
                text = f"{NOUNS[kind]} {level_text(kind, level)} flips {phrases.join(shares)}"
                flips.append(f"{text} of the bits of test codes")
        accuracy += _codes_at(spec, here, kind, KNN, "K-NN accuracy")
        named = "K-NN accuracy of perturbed test codes against unperturbed training codes"
        frozen += _codes_at(spec, here, kind, KNN_UNPERTURBED, named)
    return [flips, accuracy, frozen]


def accuracies(spec: FigureSpec, summary: pd.DataFrame) -> tuple[FigureSpec, pd.DataFrame, Series]:
    """Rows of the accuracy that findings are about: the training set's, unless the figure says so.

    Raises:
        DataError: it is not measured.
        ValueError: the split is neither train nor test.
    """
    spec, rows = looks.selected(spec, summary, ("perturbation", "level"))
    known = {split: series for split, (_, series) in perturbationcharts.ACCURACY.items()}
    split = spec.options.get("split")
    if split is not None and split not in known:
        raise ValueError(f"option split must be one of {list(known)}; got {split!r}")
    rows = looks.of_any(rows, [known[str(split)]] if split else list(known.values()))
    # Without the training set the figure shows the test set alone.
    series = next(each for each in known.values() if len(curves.of_series(rows, each)))
    return spec, curves.of_series(rows, series), series


def equal_ways(rows: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Rows of each kind and direction of equal changes, the size of the change as the level."""
    ways = {}
    for name, (label, _) in perturbationcharts.EQUAL_KINDS.items():
        part = rows[(rows["perturbation"] == name) & (rows["level"] != 0) & rows["mean"].notna()]
        directions = {label: part}
        if name in perturbationcharts.TWO_WAY:
            down = part["level"] < 0
            directions = {f"{label} up": part[~down], f"{label} down": part[down]}
        for way, here in directions.items():
            if len(here):
                ways[way] = here.assign(level=here["level"].abs())
    return ways


def borne(found: Sequence[Point], reference: float, start: float) -> list[Point]:
    """The run of levels, from `start` both ways, at which accuracy loses one point at most.

    Args:
        found: points in the order of their levels.
        reference: accuracy without perturbation.
        start: the level that changes nothing; it need not be measured.
    """
    # Rounding must not push a mean that is exactly at the margin out of it.
    run = [point for point in found if point.mean >= reference - MARGIN - 1e-9]
    below = [point for point in found if point.at <= start]
    above = [point for point in found if point.at > start]
    low, high = [], []
    for side, kept in ((reversed(below), low), (above, high)):
        for point in side:
            if point not in run:
                break
            kept.append(point)
    return [*reversed(low), *high]


def level_text(kind: str, level: float) -> str:
    """A level of a kind of perturbation: a factor, or a percentage of the unit's range."""
    if kind in FACTORS:
        return f"{level:.2g}"
    return phrases.percent(level, signed=kind == "offset")


def lines(spec: FigureSpec, rows: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """Label and rows of each value of `spec.line`."""
    return [
        (phrases.value_name(spec.line, value), marks.rows_equal(rows, spec.line, value))
        for value in marks.factor_values(rows, spec.line)
    ]


def _subject(series: Series) -> str:
    return phrases.metric_name(*series).removesuffix(" of the network")


def _told(spec: FigureSpec, rows: pd.DataFrame, kind: str) -> str:
    """Levels that each line bears, those that bear the same together."""
    groups: dict[str, list[str]] = {}
    for label, part in lines(spec, rows):
        text = _reach(part, kind)
        if text:
            groups.setdefault(text, []).append(label)
    if not groups:
        return ""
    unit = "" if kind in FACTORS else " of each unit's range"
    texts = []
    for text, names in groups.items():
        known = unit if "%" in text and not any("%" in each for each in texts) else ""
        texts.append(f"{text}{known} ({phrases.join(names)})")
    if kind == "scale_per_unit":
        return f"random factors per unit, of median 1, take it {phrases.join(texts)}"
    largest = max(float(level) for level in marks.factor_values(rows_of(rows, kind), "level"))
    more = kind == "scale" and any("more" in text for text in groups)
    end = f", measured up to {level_text(kind, largest)}" if more else ""
    return f"{TOLERATED[kind]} {phrases.join(texts)}{end}"


def _reach(rows: pd.DataFrame, kind: str) -> str:
    found = trends.points(rows_of(rows, kind), "level")
    plain = trends.points(rows[rows["perturbation"] == "none"], "perturbation")
    start = KINDS[kind].unperturbed or (0.0 if kind == "offset" else 1.0)
    if not found:
        return ""
    nearest = min(found, key=lambda point: _distance(point.at, start))
    if kind == "scale_per_unit":
        texts = phrases.numbers(*(point.mean for point in (*plain, nearest)))
        return f"from {texts[0]} to {texts[1]}" if plain else f"to {texts[0]}"
    run = borne(found, plain[0].mean if plain else nearest.mean, start)
    if not run:
        return "no measured level"
    low, high = (level_text(kind, float(point.at)) for point in (run[0], run[-1]))
    if kind != "offset" and run[-1] is found[-1]:
        return f"{low} or more"
    return f"{low} only" if low == high else f"{low} to {high}"


def _of_variant(
    spec: FigureSpec, rows: pd.DataFrame, kinds: Sequence[str], usual: object, value: object
) -> Clauses:
    """What another variant bears otherwise than the first."""
    first, here = (marks.rows_equal(rows, spec.variant, each) for each in (usual, value))
    texts = {kind: _told(spec, here, kind) for kind in DIFFERING if kind in kinds}
    clauses = [text for kind, text in texts.items() if text not in ("", _told(spec, first, kind))]
    clauses = clauses[:2]
    if not clauses:
        clauses = ["the same is tolerated"] if any(texts.values()) else []
    if clauses:
        clauses[0] = f"{phrases.at(spec.variant, value)}, {clauses[0]}"
    return clauses


def _apart(spec: FigureSpec, rows: pd.DataFrame, kind: str) -> Clauses:
    """The level at which the lines differ most."""
    runs = {
        label: {p.at: p for p in trends.points(rows_of(part, kind), "level")}
        for label, part in lines(spec, rows)
    }
    levels = set.intersection(*(set(run) for run in runs.values())) if len(runs) > 1 else set()
    if not levels:
        return []
    ordered = {
        level: sorted((run[level] for run in runs.values()), key=lambda point: point.mean)
        for level in sorted(levels)
    }
    widest = max(ordered, key=lambda level: ordered[level][-1].mean - ordered[level][0].mean)
    if not trends.beyond(ordered[widest][0], ordered[widest][-1]):
        return [f"{phrases.join(list(runs))} nowhere differ beyond their intervals {SAID[kind]}"]
    ends = trends.listed({label: run[widest] for label, run in runs.items()})
    return [f"the networks differ most at {NOUNS[kind]} {level_text(kind, widest)}: {ends}"]


def _codes_at(
    spec: FigureSpec, rows: pd.DataFrame, kind: str, series: Series, subject: str
) -> Clauses:
    """A metric of codes at the ends of the levels, and without perturbation."""
    part, clauses = curves.of_series(rows, series), []
    unperturbed = KINDS[kind].unperturbed
    for level in ([] if unperturbed is None else [unperturbed]) + _ends_of(rows, kind):
        ends = {name: run[0] for name, run in _at_level(spec, part, level).items()}
        place = "unperturbed" if level == unperturbed else f"at {level_text(kind, level)}"
        if ends:
            lead = "" if clauses else f"{subject} is "
            text = phrases.Continuation(f"{lead}{trends.listed(ends)} {place}")
            clauses.append(text)
    return clauses


def _ends_of(rows: pd.DataFrame, kind: str) -> list[float]:
    """The largest and the smallest level that change something."""
    levels = marks.factor_values(rows, "level")
    ends = dict.fromkeys((float(levels[-1]), float(levels[0])))
    return [level for level in ends if level != KINDS[kind].unperturbed]


def _at_level(spec: FigureSpec, rows: pd.DataFrame, level: float) -> dict[str, list[Point]]:
    """The point of each line at a level."""
    here = rows[np.isclose(rows["level"].astype(float), level, rtol=0, atol=1e-9)]
    found = {label: trends.points(part, "level") for label, part in lines(spec, here)}
    return {label: run for label, run in found.items() if run}


def _telling_size(ways: Mapping[str, pd.DataFrame]) -> float:
    """The size at which most was measured and kinds differ most."""
    every = pd.concat(ways.values()).groupby("level")["mean"]
    measured, spread = every.size(), every.max() - every.min()
    return float(spread[measured == measured.max()].idxmax())


def _distance(level: float, start: float) -> float:
    """How far a level is from another, in the measure of its axis."""
    if level > 0 and start > 0:
        return abs(float(np.log(level / start)))
    return abs(level - start)
