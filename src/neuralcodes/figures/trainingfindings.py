"""What studies of training and of pre-activations show."""

import pandas as pd

from neuralcodes.errors import DataError
from neuralcodes.figures import curves, looks, marks, phrases, trends
from neuralcodes.figures.codefindings import Clauses
from neuralcodes.figures.curves import Series
from neuralcodes.figures.marks import FigureSpec
from neuralcodes.figures.perturbationfindings import lines

ACCURACY: Series = ("train_accuracy", "train")
LOSS: Series = ("train_loss", "train")
ERRORS = (0.1, 0.01)  # training errors of which is told when they are reached
MANY, FEW = 0.95, 0.05  # shares of the examples that are nearly all, and nearly none


def of_training(
    spec: FigureSpec, summary: pd.DataFrame, published: pd.DataFrame | None
) -> list[Clauses]:
    """Findings of the kind `training`: error and loss along the epochs."""
    del published  # see `comparisons`
    spec, rows = looks.selected(spec, summary, ("epoch",))
    if "perturbation" in rows.columns:
        rows = rows[rows["perturbation"].isna()]
    rows = looks.of_any(rows, [ACCURACY, LOSS])
    error, loss, slow = [], [], []
    for variant in curves.variant_values(spec, rows):
        here, name = rows, ""
        if spec.variant:
            here = marks.rows_equal(rows, spec.variant, variant)
            name = f"{phrases.at(spec.variant, variant)}, "
        error += _run(spec, as_error(here), f"{name}training error")
        loss += _run(spec, curves.of_series(here, LOSS), f"{name}training loss")
        slow += [_reached(spec, as_error(here), limit, name) for limit in ERRORS]
    return [error, [clause for clause in slow if clause], loss]


def of_preactivations(
    spec: FigureSpec, summary: pd.DataFrame, published: pd.DataFrame | None
) -> list[Clauses]:
    """Findings of the kind `preactivations`: how units split the examples.

    Raises:
        DataError: the summary lacks what the figure needs.
    """
    del published
    spec, rows = looks.selected(spec, summary, ("unit", "position"))
    split = str(spec.options.get("split", "train"))
    rows = rows[(rows["split"] == split) & rows["unit"].notna()]
    absent = sorted({"active_share", "quantile_50"} - set(rows["metric"]))
    if absent:
        raise DataError(
            f"a figure of preactivations needs {absent} of each unit on the {split} split; "
            "it is not measured"
        )
    units = _units(spec, rows)
    if not units:
        return []
    middle, most, least, medians = (phrases.join(texts) for texts in zip(*units, strict=True))
    whose = f"{phrases.ADJECTIVES.get(split, split)} examples"
    many, few = phrases.percent(MANY), phrases.percent(FEW)
    where = "standard deviations of the unit from its decision border"
    return [
        [f"the median unit is active on {middle} of the {whose}"],
        [
            f"units that are active on {many} of the examples or more make up {most}",
            f"those that are active on {few} or fewer, {least}",
        ],
        [f"median pre-activations lie from {medians} {where}"],
    ]


def as_error(rows: pd.DataFrame) -> pd.DataFrame:
    """Training accuracies as training errors, and nothing else."""
    rows = curves.of_series(rows, ACCURACY)
    return rows.assign(mean=1 - rows["mean"], low=1 - rows["high"], high=1 - rows["low"])


def by_unit(rows: pd.DataFrame, metric: str) -> pd.Series:
    """Means of a metric by unit.

    Raises:
        DataError: units are measured twice.
    """
    chosen = rows[(rows["metric"] == metric) & rows["mean"].notna()]
    marks.refuse_mixture(chosen, ["unit"])
    return chosen.set_index("unit")["mean"].sort_index()


def _units(spec: FigureSpec, rows: pd.DataFrame) -> list[tuple[str, str, str, str]]:
    """Of each panel: share of examples of the median unit, shares of units, ends of medians."""
    found = []
    for value in marks.factor_values(rows, spec.line):
        for variant in curves.variant_values(spec, rows):
            here, title = looks.cell(spec, rows, value, variant)
            active, median = (by_unit(here, name) for name in ("active_share", "quantile_50"))
            if not len(active) or not len(median):
                continue
            shares = (active.median(), (active >= MANY).mean(), (active <= FEW).mean())
            ends = [phrases.number(float(end)) for end in (median.min(), median.max())]
            texts = [*(phrases.percent(float(each)) for each in shares), " to ".join(ends)]
            found.append(tuple(f"{text} ({title})" for text in texts))
    return found


def _run(spec: FigureSpec, rows: pd.DataFrame, subject: str) -> Clauses:
    runs = {label: trends.points(part, "epoch") for label, part in lines(spec, rows)}
    runs = {label: run for label, run in runs.items() if run}
    texts = trends.courses(runs, "epoch")
    words = [f"{text} ({label})" for text, label in zip(texts, runs, strict=True)]
    return [f"{subject} {phrases.join(words)}"] if words else []


def _reached(spec: FigureSpec, rows: pd.DataFrame, limit: float, name: str) -> str:
    """From which epoch on the error is below a limit, if it gets there."""
    reached: dict[str, list[str]] = {}
    missed = []
    for label, part in lines(spec, rows):
        run = trends.points(part, "epoch")
        above = [place for place, point in enumerate(run) if point.mean > limit]
        first = above[-1] + 1 if above else 0
        if first < len(run):
            reached.setdefault(phrases.at("epoch", run[first].at), []).append(label)
        elif run:
            missed.append(f"{phrases.value_name('epoch', run[-1].at)} ({label})")
    if not reached:
        return ""
    rest = f" but not by {phrases.join(missed)}" if missed else ""
    when = phrases.join([f"{at} ({phrases.join(labels)})" for at, labels in reached.items()])
    return f"{name}it gets to {limit:g} for good {when}{rest}"
