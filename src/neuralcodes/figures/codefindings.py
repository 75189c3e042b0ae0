"""What studies of neural codes show: metrics along a factor, a layer or an input, and regions."""

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from neuralcodes.figures import curves, marks, phrases, trends
from neuralcodes.figures.curves import Series
from neuralcodes.figures.marks import FigureSpec
from neuralcodes.figures.trends import Point

# Parts of a sentence, each of which makes sense alone; they are joined by semicolons.
Clauses = list[str]

MAIN: tuple[Series, ...] = (("redundancy_ratio", "test"), ("knn_accuracy", "test"))
MARGIN = 0.01  # of an accuracy: one point
FINE = 0.01  # a redundancy at which next to no example shares its region
MOST_LINES = 3  # that a sentence tells of
LONG = 200  # characters from which on it tells of two


def of_curves(
    spec: FigureSpec, summary: pd.DataFrame, published: pd.DataFrame | None
) -> list[Clauses]:
    """Findings of the kind `curves`."""
    del published  # see `comparisons`
    spec = replace(spec, x=spec.x or "width_per_layer")
    rows = marks.select(summary, spec, [spec.x, *filter(None, [spec.line, spec.variant])])
    shown = main_series(spec, rows)
    if spec.line is None:
        first = first_variant(spec, rows)
        found = [_along(first, spec.x, shown)]
        if "metrics" not in spec.options:
            found += [_thresholds(first, spec.x), _ends(first, spec.x, shown)]
    else:
        found = _by_line(spec, rows, shown)
    return [*found, *_variants(spec, rows, shown)]


def of_layers(
    spec: FigureSpec, summary: pd.DataFrame, published: pd.DataFrame | None
) -> list[Clauses]:
    """Findings of the kind `layers`; they count from 1."""
    del published
    spec = replace(spec, x="layer", line=spec.line or "width_per_layer")
    rows = curves.layer_rows(summary, spec)
    shown = main_series(spec, rows)
    return [*_by_line(spec, rows, shown), *_variants(spec, rows, shown)]


def of_random_inputs(
    spec: FigureSpec, summary: pd.DataFrame, published: pd.DataFrame | None
) -> list[Clauses]:
    """Findings of the kind `random_inputs`: the end of training, and the way there."""
    del published
    spec = replace(spec, x=spec.x or "epoch", line=spec.line or "width_per_layer")
    rows = marks.select(summary, spec, [spec.x, spec.line])
    rows = rows[rows["metric"] == "redundancy_ratio"]
    order = ("test", *(name for name in curves.INPUT_STYLES if name.startswith("uniform")))
    names = [name for name in order if (rows["split"] == name).any()]
    if not names:
        return []
    last = marks.factor_values(rows, spec.x)[-1]
    ends = []
    for value in trends.some(marks.factor_values(rows, spec.line), MOST_LINES):
        here = marks.rows_equal(marks.rows_equal(rows, spec.line, value), spec.x, last)
        parts = [trends.points(here[here["split"] == name], spec.x) for name in names]
        if all(parts):
            texts = phrases.join([phrases.number(part[0].mean) for part in parts])
            ends.append(f"{texts} {phrases.at(spec.line, value)}")
    if ends:
        kinds = phrases.join([_input_name(name) for name in names])
        ends[0] = f"{phrases.at(spec.x, last)}, redundancy of {kinds} is {ends[0]}"
    subjects = {name: f"redundancy of {_input_name(name)}" for name in names}
    paths = [by_line(subjects[name], spec, rows[rows["split"] == name]) for name in names]
    return [ends, *reversed(paths)]


def of_regions(
    spec: FigureSpec, summary: pd.DataFrame, published: pd.DataFrame | None
) -> list[Clauses]:
    """Findings of the kind `regions`: the course of the median size, and how sizes spread."""
    del published
    spec = replace(spec, x=spec.x or "epoch")
    rows = marks.select(summary, spec, [spec.x, *filter(None, [spec.line])])
    rows = rows[rows["metric"].str.match(r"region_size_(median|q\d\d)$")]
    splits = [name for name in ("test", "train") if (rows["split"] == name).any()]
    found = []
    for split in splits:
        here = curves.of_series(rows, ("region_size_median", split))
        subject = f"the median size of regions of {phrases.ADJECTIVES[split]} examples"
        # A mean over seeds is unbounded as soon as one of them is; the figure leaves a gap.
        found.append(by_line(subject, spec, here[here["mean"] < float("inf")]))
    return [*found, *(_spread(spec, rows, name) for name in splits[:1])]


def main_series(spec: FigureSpec, rows: pd.DataFrame) -> list[Series]:
    """The two series that findings are about: those named, or test redundancy and K-NN."""
    named = [(str(metric), str(split)) for metric, split in spec.options.get("metrics", ())]
    usual = dict.fromkeys([*MAIN, *curves.CATEGORIZATION, *curves.REDUNDANCY])
    return [series for series in named or usual if len(curves.of_series(rows, series))][:2]


def first_variant(spec: FigureSpec, rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of the variant that the paper used; all rows where there are no variants."""
    if not spec.variant:
        return rows
    return marks.rows_equal(rows, spec.variant, curves.variant_values(spec, rows)[0])


def by_line(subject: str, spec: FigureSpec, rows: pd.DataFrame) -> Clauses:
    """How one quantity runs along `spec.x`: a clause per line, of many lines of a few."""
    clauses = _by_some(subject, spec, rows, MOST_LINES)
    if len(phrases.sentence(clauses)) > LONG:
        clauses = _by_some(subject, spec, rows, 2)
    return clauses


def _by_some(subject: str, spec: FigureSpec, rows: pd.DataFrame, most: int) -> Clauses:
    """What `by_line` gives of so many lines."""
    lines = marks.factor_values(rows, spec.line) if spec.line else [None]
    runs = {}
    for value in trends.some(lines, most):
        here = marks.rows_equal(rows, spec.line, value) if spec.line else rows
        label = f"{phrases.at(spec.line, value)}, " if spec.line else ""
        runs[label] = trends.points(here, spec.x)
    runs = {label: run for label, run in runs.items() if run}
    if len(runs) > 1 and all(trends.unchanged(run) for run in runs.values()):
        spans = [f"{trends.span(run)} {label.removesuffix(', ')}" for label, run in runs.items()]
        return [f"{subject} does not change beyond its intervals: {', '.join(spans)}"]
    clauses: Clauses = []
    for label, text in zip(runs, trends.courses(runs, spec.x), strict=True):
        again = "" if text.startswith("from ") else "it "
        whole = f"{label}{subject} {text}"
        clauses.append(phrases.Continuation(f"{label}{again}{text}") if clauses else whole)
    return clauses


def _along(rows: pd.DataFrame, x: str, shown: Sequence[Series]) -> Clauses:
    clauses: Clauses = []
    for series in shown:
        run = trends.points(curves.of_series(rows, series), x)
        course = trends.course(run, x, places=not clauses)
        clauses.append(f"{phrases.metric_name(*series)} {course}")
    return clauses


def _thresholds(rows: pd.DataFrame, x: str) -> Clauses:
    """From where on regions are fine, and accuracy the best or no longer what it was."""
    clauses = []
    redundancy = trends.points(curves.of_series(rows, MAIN[0]), x)
    fine = trends.stretch(redundancy, [p for p in redundancy if p.mean <= FINE], x)
    if fine and len(redundancy) > 1:
        clauses.append(f"test redundancy is at most {FINE:g} {fine}")
    accuracy = trends.points(curves.of_series(rows, MAIN[1]), x)
    if len(accuracy) < 2:
        return clauses
    best = max(accuracy, key=lambda point: point.mean)
    if best is accuracy[0]:
        worse = [point for point in accuracy if trends.beyond(point, best)]
        where = trends.stretch(accuracy, worse, x)
        if where.endswith(" on"):
            clauses.append(f"K-NN accuracy is lower beyond the intervals {where}")
        return clauses
    near = trends.steady(accuracy, best.mean, MARGIN)
    where = trends.stretch(accuracy, near, x)
    if where and len(near) > 1:
        text = phrases.number(best.mean)
        clauses.append(f"K-NN accuracy is within {MARGIN:g} of its best, {text}, {where}")
    return clauses


def _ends(rows: pd.DataFrame, x: str, shown: Sequence[Series]) -> Clauses:
    """Where the other metrics end."""
    last = marks.factor_values(rows, x)[-1]
    words = []
    for series in dict.fromkeys((*curves.CATEGORIZATION, *curves.REDUNDANCY[:1])):
        here = curves.of_series(marks.rows_equal(rows, x, last), series)
        end = trends.points(here, x)
        if end and series not in shown:
            verb = "" if words else "is "
            words.append(f"{phrases.metric_name(*series)} {verb}{phrases.number(end[0].mean)}")
    return [f"{phrases.at(x, last)}, {phrases.join(words)}"] if words else []


def _by_line(spec: FigureSpec, rows: pd.DataFrame, shown: Sequence[Series]) -> list[Clauses]:
    first = first_variant(spec, rows)
    names = [phrases.metric_name(*series) for series in shown]
    parts = [curves.of_series(first, series) for series in shown]
    return [by_line(name, spec, part) for name, part in zip(names, parts, strict=True)]


def _variants(spec: FigureSpec, rows: pd.DataFrame, shown: Sequence[Series]) -> list[Clauses]:
    """How other variants differ from the first, point by point."""
    if not spec.variant:
        return []
    usual, *others = curves.variant_values(spec, rows)
    found = []
    for other in others:
        clauses, alike, count = [], [], 0
        for series in shown:
            pairs = _pairs(spec, curves.of_series(rows, series), usual, other)
            name = phrases.metric_name(*series)
            clear = [pair for pair in pairs if trends.beyond(*pair[1:])]
            if clear:
                clauses.append(_difference(spec, name, clear, len(pairs)))
            elif pairs:
                alike, count = [*alike, name], len(pairs)
        if alike:
            verb = "are" if len(alike) > 1 else "is"
            text = f"the same within the intervals at all {count} points"
            clauses.append(f"{phrases.join(alike)} {verb} {text}")
        if clauses:
            name = phrases.quantity(marks.factor_label(spec.variant))
            values = [marks.value_label(value) for value in (other, usual)]
            clauses[0] = f"with {name} {values[0]} in place of {values[1]}, {clauses[0]}"
            found.append(clauses)
    return found


def _pairs(
    spec: FigureSpec, rows: pd.DataFrame, usual: object, other: object
) -> list[tuple[object, Point, Point]]:
    """Points of two variants on the same line and place."""
    pairs = []
    for value in marks.factor_values(rows, spec.line) if spec.line else [None]:
        here = marks.rows_equal(rows, spec.line, value) if spec.line else rows
        one, two = (
            trends.points(marks.rows_equal(here, spec.variant, each), spec.x)
            for each in (usual, other)
        )
        known = {point.at: point for point in one}
        pairs += [(value, known[point.at], point) for point in two if point.at in known]
    return pairs


def _difference(
    spec: FigureSpec, name: str, clear: Sequence[tuple[object, Point, Point]], total: int
) -> str:
    value, before, after = max(clear, key=lambda pair: abs(pair[1].mean - pair[2].mean))
    texts = phrases.numbers(after.mean, before.mean)
    place = phrases.at(spec.x, before.at)
    place += f" and {phrases.value_name(spec.line, value)}" if spec.line else ""
    most = "most " if len(clear) > 1 else ""
    return (
        f"{name} differs beyond the intervals at {phrases.share(len(clear), total)} points, "
        f"{most}{place}: {texts[0]} in place of {texts[1]}"
    )


def _spread(spec: FigureSpec, rows: pd.DataFrame, split: str) -> Clauses:
    """Sizes between which most examples lie at the last value of x."""
    last = marks.factor_values(rows, spec.x)[-1]
    here = marks.rows_equal(rows[rows["split"] == split], spec.x, last)
    texts = []
    for value in marks.factor_values(rows, spec.line) if spec.line else [None]:
        part = marks.rows_equal(here, spec.line, value) if spec.line else here
        ends = [part.loc[part["metric"] == f"region_size_{q}", "mean"] for q in ("q05", "q95")]
        if all(len(end) == 1 and end.notna().all() for end in ends):
            label = f" ({phrases.value_name(spec.line, value)})" if spec.line else ""
            low, high = (phrases.number(float(end.iloc[0])) for end in ends)
            texts.append(f"{low} and {high}{label}")
    if not texts:
        return []
    whose = f"sizes of regions of {phrases.ADJECTIVES[split]} examples"
    texts = phrases.join(trends.some(texts, MOST_LINES))
    return [f"{phrases.at(spec.x, last)}, the 5% and 95% quantiles of the {whose} are {texts}"]


def _input_name(split: str) -> str:
    if split in phrases.ADJECTIVES:
        return f"{phrases.ADJECTIVES[split]} examples"
    return f"inputs {marks.SPLITS[split]}"
