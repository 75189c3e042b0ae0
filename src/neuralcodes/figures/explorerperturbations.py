"""Interactive charts of perturbed networks: accuracy and codes against what is done to them."""

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from neuralcodes.errors import DataError
from neuralcodes.figures import (
    curves,
    explorerdimensions,
    looks,
    marks,
    perturbationcharts,
    perturbationviews,
)
from neuralcodes.figures.curves import Series
from neuralcodes.figures.explorerdata import (
    FIGURE,
    FURTHER,
    Dimension,
    Draft,
    Json,
    Part,
    Printed,
    Value,
    Vertical,
    axis_of,
    guide,
)
from neuralcodes.figures.marks import FigureSpec, Style
from neuralcodes.figures.scales import Axis

ACCURACIES = tuple(series for _, series in perturbationcharts.ACCURACY.values())
CHANGE: Series = ("hidden_change", "train")
ACCURACY = Vertical("Network accuracy", limits=perturbationcharts.WHOLE)
UNPERTURBED = "unperturbed level"
USUAL_KINDS = ("scale", "clip", "offset")
DIRECTIONS = (("up", "-"), ("down", "--"))


def draft_perturbations(
    spec: FigureSpec, summary: pd.DataFrame, published: pd.DataFrame | None = None
) -> Draft:
    """Accuracy against the level of a kind of perturbation, a colour per value of `spec.line`.

    Dashes tell variants apart or, without any, splits. How far the hidden vector moves is a
    further measure.
    """
    spec, rows = looks.selected(spec, summary, ("perturbation", "level"))
    looks.of_any(rows, ACCURACIES)
    kinds, axes, views = _kinds(spec, rows, USUAL_KINDS)
    values = marks.factor_values(rows, spec.line)
    lines = explorerdimensions.of_factor(spec.line, values, "colour", marks.line_styles(values))
    measures, dashes, cells = _accuracies(spec, rows)
    draft = Draft("lines", axes, [kinds, measures, lines, dashes])
    for k, view in enumerate(views):
        for (m, d), part in cells.items():
            for j, value in enumerate(values):
                taken = view.take(marks.rows_equal(part, spec.line, value))
                marks.refuse_mixture(taken, ["level"])
                draft.parts.append(Part(taken, "level", view.axis, (k, m, j, d)))
    if published is not None and spec.line == "activation":
        train = _place_of_train(spec, cells)
        for k, view in enumerate(views):
            printed = _published(published, view.kind)
            for j, value in enumerate(values):
                own = printed[printed["activation"] == value]
                draft.printed.append(Printed(own, "level", view.axis, (k, train[0], j, train[1])))
        draft.error_label = "standard deviation"
    chance = _chance(spec, rows)
    if chance is not None:
        draft.guides = [
            guide((None, m, None, None), "chance", chance)
            for m, value in enumerate(measures.options)
            if value.text != ",".join(CHANGE)
        ]
    return draft


def draft_equal_change(
    spec: FigureSpec, summary: pd.DataFrame, published: pd.DataFrame | None = None
) -> Draft:
    """Accuracy against how much a perturbation changes the hidden vector, a colour per kind."""
    del published  # nothing is published at equal change
    spec, rows = looks.selected(spec, summary, ("perturbation", "level"))
    rows = looks.of_any(rows, ACCURACIES)
    kinds = perturbationcharts.EQUAL_KINDS
    known = [name for name in kinds if (rows["perturbation"] == name).any()]
    if not known:
        raise DataError(f"the study measured accuracy under none of the perturbations {[*kinds]}")
    equal = rows[rows["perturbation"].isin(known) & (rows["level"] != 0)]
    down = (equal["level"] < 0) & equal["perturbation"].isin(perturbationcharts.TWO_WAY)
    equal = equal.assign(level=equal["level"].abs(), direction=down.astype(int))
    axis = Axis(marks.metric_label(CHANGE[0]), "log", tuple(sorted(set(equal["level"]))))
    lines = explorerdimensions.of_factor(spec.line, marks.factor_values(equal, spec.line), "choice")
    splits = explorerdimensions.of_splits(rows, str(spec.options.get("split") or "train"))
    variants = explorerdimensions.of_variants(spec, rows, "choice")
    styles = [Value(name, *kinds[name]) for name in known]
    directions = [
        Value(n, f"scale or offset {n}", Style(marks.NEUTRAL, "", d)) for n, d in DIRECTIONS
    ]
    draft = Draft("lines", [axis_of(axis, "level")], [], Vertical("Accuracy"))
    draft.dimensions = [
        *(lines, splits),
        Dimension("perturbation", "Perturbation", "colour", tuple(styles)),
        Dimension("direction", "Direction", "dash", tuple(directions)),
        *filter(None, [variants]),
    ]
    for (i, s, v), cell in _equal_cells(spec, rows, lines, splits).items():
        here = equal.loc[equal.index.intersection(cell.index)]
        for k, name in enumerate(known):
            for d in range(len(DIRECTIONS)):
                part = here[(here["perturbation"] == name) & (here["direction"] == d)]
                marks.refuse_mixture(part, ["level"])
                place = (i, s, k, d, *[v] * bool(spec.variant))
                draft.parts.append(Part(part, "level", axis, place))
        for mean in cell.loc[cell["perturbation"] == "none", "mean"]:
            place = (i, s, None, None, *[v] * bool(spec.variant))
            draft.guides.append(guide(place, "unperturbed", mean))
    return draft


def draft_perturbed_codes(
    spec: FigureSpec, summary: pd.DataFrame, published: pd.DataFrame | None = None
) -> Draft:
    """Flipped bits, redundancy and K-NN accuracy of codes against the level of a perturbation."""
    del published  # nothing is published on codes under perturbation
    spec, rows = looks.selected(spec, summary, ("perturbation", "level"))
    groups = perturbationcharts.CODES
    rows = looks.of_any(rows, [series for group in groups.values() for series in group])
    kinds, axes, views = _kinds(spec, rows, ("offset",))
    values = marks.factor_values(rows, spec.line)
    lines = explorerdimensions.of_factor(spec.line, values, "colour", marks.line_styles(values))
    measured = {k: g for k, g in groups.items() if any(len(curves.of_series(rows, s)) for s in g)}
    measures = [Value(g[0][0], k, vertical=Vertical(k)) for k, g in measured.items()]
    every = dict.fromkeys(_look(series) for group in measured.values() for series in group)
    dashes = [Value(label, label, Style(marks.NEUTRAL, "", dash)) for label, dash in every]
    variants = explorerdimensions.of_variants(spec, rows, "choice")
    draft = Draft("lines", axes, [])
    draft.dimensions = [
        *(kinds, Dimension("measure", "Measure", "choice", tuple(measures)), lines),
        Dimension("split", "Codes", "dash", tuple(dashes)),
        *filter(None, [variants]),
    ]
    for v, variant in enumerate(curves.variant_values(spec, rows)):
        here, _ = looks.cell(spec, rows, None, variant)
        for m, group in enumerate(measured.values()):
            for series in group:
                part, d = curves.of_series(here, series), list(every).index(_look(series))
                for k, view in enumerate(views):
                    for j, value in enumerate(values):
                        taken = view.take(marks.rows_equal(part, spec.line, value))
                        marks.refuse_mixture(taken, ["level"])
                        place = (k, m, j, d, *[v] * bool(spec.variant))
                        draft.parts.append(Part(taken, "level", view.axis, place))
    return draft


def _kinds(
    spec: FigureSpec, rows: pd.DataFrame, usual: Sequence[str]
) -> tuple[Dimension, list[Json], list[perturbationviews.View]]:
    """Kinds of perturbation, those of the figure first, each with its axis and all its levels."""
    shown = perturbationviews.chosen(spec, rows, usual)
    measured = [n for n in perturbationviews.KINDS if (rows["perturbation"] == n).any()]
    names = [*shown, *(name for name in measured if name not in shown)]
    values, axes, whole = [], [], []
    for place, name in enumerate(names):
        views = perturbationviews.views(rows, name)
        parts = [("all levels", views[0].axis), *(("near zero", v.axis) for v in views[1:])]
        own = views[0]
        axes.append(
            axis_of(
                own.axis, "level", (UNPERTURBED, own.unperturbed), parts if len(parts) > 1 else ()
            )
        )
        group = (FIGURE if name in shown else FURTHER) if len(names) > len(shown) else ""
        label = perturbationviews.KINDS[name].name
        values.append(Value(name, label, axis=place, group=group))
        whole.append(own)
    return Dimension("perturbation", "Perturbation", "choice", tuple(values)), axes, whole


def _accuracies(
    spec: FigureSpec, rows: pd.DataFrame
) -> tuple[Dimension, Dimension, dict[tuple[int, int], pd.DataFrame]]:
    """Measures, dashes, and the rows of each pair of them."""
    label = marks.metric_label(CHANGE[0])
    change = Value(",".join(CHANGE), label, vertical=Vertical(label), group=FURTHER)
    moved = curves.of_series(rows, CHANGE)
    moved = moved[moved["perturbation"].isin(list(perturbationviews.KINDS))]
    measured = {split: series for split, (_, series) in perturbationcharts.ACCURACY.items()}
    measured = {k: s for k, s in measured.items() if len(curves.of_series(rows, s))}
    first = str(spec.options.get("split") or "train")
    if spec.variant:
        return _by_variant(spec, rows, sorted(measured, key=lambda s: s != first), change, moved)
    values = [Value("accuracy", ACCURACY.label, vertical=ACCURACY, group=FIGURE)]
    cells = {(0, d): curves.of_series(rows, series) for d, series in enumerate(measured.values())}
    if len(moved):
        values.append(change)
        cells[1, [*measured].index("train") if "train" in measured else 0] = moved
    dashes = [
        Value(s, marks.SPLITS[s], Style(marks.NEUTRAL, "", looks.SPLIT_LINES[s])) for s in measured
    ]
    selected = ([*measured].index(first),) if spec.options.get("split") else None
    split = Dimension("split", "Split", "dash", tuple(dashes), selected)
    return Dimension("measure", "Measure", "choice", tuple(values)), split, cells


def _by_variant(
    spec: FigureSpec,
    rows: pd.DataFrame,
    splits: Sequence[str],
    change: Value,
    moved: pd.DataFrame,
) -> tuple[Dimension, Dimension, dict[tuple[int, int], pd.DataFrame]]:
    """As in the static figure, variants take the dashes and one split is shown at a time."""
    labels = [perturbationcharts.ACCURACY[split] for split in splits]
    values = [
        Value(",".join(series), label, vertical=replace(ACCURACY, label=label), group=FIGURE)
        for label, series in labels
    ]
    parts = [curves.of_series(rows, series) for _, series in labels]
    if len(moved):
        values, parts = [*values, change], [*parts, moved]
    cells = {
        (m, d): marks.rows_equal(part, spec.variant, variant)
        for m, part in enumerate(parts)
        for d, variant in enumerate(curves.variant_values(spec, rows))
    }
    dashes = explorerdimensions.of_variants(spec, rows, "dash")
    return Dimension("measure", "Measure", "choice", tuple(values)), dashes, cells


def _place_of_train(
    spec: FigureSpec, cells: dict[tuple[int, int], pd.DataFrame]
) -> tuple[int, int | None]:
    """Where the training accuracy is: the paper printed no other."""
    for (m, d), part in cells.items():
        if len(part) and (part["metric"] == ACCURACIES[0][0]).all():
            return m, None if spec.variant else d
    return -2, None  # nowhere


def _equal_cells(
    spec: FigureSpec, rows: pd.DataFrame, lines: Dimension, splits: Dimension
) -> dict[tuple[int, int, int], pd.DataFrame]:
    cells = {}
    for i, value in enumerate(marks.factor_values(rows, spec.line)[: len(lines.options)]):
        for v, variant in enumerate(curves.variant_values(spec, rows)):
            cell, _ = looks.cell(spec, rows, value, variant)
            for s, split in enumerate(splits.options):
                cells[i, s, v] = cell[cell["split"] == split.text]
    return cells


def _look(series: Series) -> tuple[str, str]:
    usual = (marks.SPLITS[series[1]], looks.SPLIT_LINES[series[1]])
    return looks.METRIC_LINES.get(series[0], usual)


def _published(published: pd.DataFrame, kind: str) -> pd.DataFrame:
    rows = published[(published["perturbation"] == kind)]
    rows = rows[rows["metric"] == "train_accuracy"]
    return rows.assign(value=rows["value"] / 100, reading_error=rows["std"] / 100)


def _chance(spec: FigureSpec, rows: pd.DataFrame) -> float | None:
    if "chance" in spec.options:
        return spec.options["chance"]
    known = {perturbationcharts.CHANCE.get(str(name)) for name in rows["dataset"].unique()}
    return known.pop() if len(known) == 1 else None
