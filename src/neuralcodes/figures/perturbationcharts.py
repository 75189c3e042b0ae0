"""Figure kinds of perturbed networks: accuracy and codes against what is done to them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.figure import Figure

from neuralcodes.errors import DataError
from neuralcodes.figures import curves, looks, marks, panels, perturbationviews
from neuralcodes.figures.curves import Series
from neuralcodes.figures.looks import Look
from neuralcodes.figures.marks import FigureSpec, Style
from neuralcodes.figures.panels import Curve, Guide, Panel, Published
from neuralcodes.figures.perturbationviews import View
from neuralcodes.figures.scales import Axis
from neuralcodes.perturbation import kinds as perturbation_kinds

ACCURACY: dict[str, tuple[str, Series]] = {
    "train": ("Training accuracy", ("train_accuracy", "train")),
    "test": ("Test accuracy", ("test_accuracy", "test")),
}
CODES: dict[str, tuple[Series, ...]] = {
    "Flipped bits (share)": (("flipped_bits", "train"), ("flipped_bits", "test")),
    "Redundancy ratio": (("redundancy_ratio", "train"), ("redundancy_ratio", "test")),
    "K-NN accuracy": (("knn_accuracy", "test"), ("knn_accuracy_unperturbed_train", "test")),
}
# None of the colours of the activations.
EQUAL_KINDS = {
    f"equal_{kind.name}": (kind.look.label, Style(kind.look.colour, kind.look.marker))
    for kind in map(perturbation_kinds.get, ("scale", "offset", "clip", "scale_per_unit"))
}
TWO_WAY = ("equal_scale", "equal_offset")
WHOLE = (-0.02, 1.05)  # all fractions, and half a marker
NARROWEST = 0.04  # an axis of fractions shows no less
CHANCE = dict.fromkeys(("digits", "mnist", "fashion_mnist", "kmnist", "svhn", "cifar10"), 0.1)


def draw_perturbations(
    spec: FigureSpec, summary: pd.DataFrame, published: pd.DataFrame | None = None
) -> Figure:
    """Accuracy against the level of each kind of perturbation, a line per value of `spec.line`.

    Line style by split or, on one split, by value of `spec.variant`. Levels on a linear axis have
    a second panel near zero, with an accuracy axis of its own. Published values are accuracies in
    percent, of the training set; each is drawn once, in the panel that shows it largest.

    Options: `kinds` (default: scale, clip and offset where measured), `split` (default: both, or
    train where there are variants), `chance` (accuracy of a guess; default: the dataset's).

    Raises:
        DataError: the summary lacks what the figure needs, or factors vary that it does not show.
        ValueError: the split is neither train nor test.
    """
    spec, rows = looks.selected(spec, summary, ("perturbation", "level"))
    y_label, series = _accuracies(spec)
    rows = looks.of_any(rows, series)
    told_apart = looks.looks_of(spec, rows, series)
    if len(series) == 1 and not spec.variant:
        told_apart = [Look("", "-", rows)]
    # The tables of the paper are of the training set; their markers shall be the only ones.
    compared = published is not None and series[0] == ACCURACY["train"][1]
    styles, chance, row = _line_styles(spec, rows), _chance(spec, rows), []
    lines = {v: replace(s, marker="") for v, s in styles.items()} if compared else styles
    for kind in perturbationviews.chosen(spec, rows, ("scale", "clip", "offset")):
        views = perturbationviews.views(rows, kind)
        for place, view in enumerate(views):
            printed = _published(published, view, views[place + 1 :], styles) if compared else ()
            row.append(_draw_view(view, told_apart, lines, spec.line, y_label, printed, chance))
    handles = _handles(lines, told_apart, row, y="chance")
    handles += looks.published_handles(row, styles)
    title = marks.factor_label(spec.line)
    return panels.draw_panels(curves.wrapped(row, spec), spec, handles, title)


def draw_equal_change(
    spec: FigureSpec, summary: pd.DataFrame, published: pd.DataFrame | None = None
) -> Figure:
    """Accuracy against how much a perturbation changes the hidden vector, a line per kind.

    A panel per value of `spec.line`, a row per value of `spec.variant`. A level line shows the
    accuracy without perturbation.

    Options: `split` (default: train).

    Raises:
        DataError: the summary lacks what the figure needs, or factors vary that it does not show.
        ValueError: the split is neither train nor test.
    """
    del published  # nothing is published at equal change
    spec, rows = looks.selected(spec, summary, ("perturbation", "level"))
    y_label, (series,) = _accuracies(spec, usual="train")
    rows = looks.of_any(rows, [series])
    known = [name for name in EQUAL_KINDS if (rows["perturbation"] == name).any()]
    if not known:
        raise DataError(
            f"the study measured {series[0]} under none of the perturbations {list(EQUAL_KINDS)}"
        )
    equal = rows[rows["perturbation"].isin(known) & (rows["level"] != 0)]
    sizes = sorted({abs(float(level)) for level in equal["level"]})
    axis = Axis(marks.metric_label("hidden_change"), "log", tuple(sizes))
    styles = looks.marked({name: EQUAL_KINDS[name][1] for name in known}, axis)
    grid = []
    for variant in curves.variant_values(spec, rows):
        row = [
            _draw_equal(*looks.cell(spec, rows, value, variant), y_label, axis, styles)
            for value in marks.factor_values(equal, spec.line)
        ]
        grid.append([panel for panel in row if panel.curves])
    if not spec.variant or spec.columns == 1:
        grid = curves.wrapped([panel for row in grid for panel in row], spec)
    handles = [panels.line_handle(style, EQUAL_KINDS[name][0]) for name, style in styles.items()]
    handles += looks.look_handles(_directions(equal)) + panels.interval_handles(equal)
    handles.append(panels.guide_handle("y", "unperturbed"))
    return panels.draw_panels(grid, spec, handles, "Perturbation", share_y="all")


def draw_perturbed_codes(
    spec: FigureSpec, summary: pd.DataFrame, published: pd.DataFrame | None = None
) -> Figure:
    """Flipped bits, redundancy and K-NN accuracy of codes against the level of a perturbation.

    A column per measure, a line per value of `spec.line`; a row per kind, per value of
    `spec.variant` and, on a linear axis, for levels near zero, with vertical axes of their own.

    Options: `kinds` (default: offset).

    Raises:
        DataError: the summary lacks what the figure needs, or factors vary that it does not show.
    """
    del published  # nothing is published on codes under perturbation
    spec, rows = looks.selected(spec, summary, ("perturbation", "level"))
    every = [series for group in CODES.values() for series in group]
    rows = looks.of_any(rows, every)
    kinds = perturbationviews.chosen(spec, rows, ("offset",))
    views = [view for kind in kinds for view in perturbationviews.views(rows, kind)]
    # Splits take the line styles, so that variants are rows.
    plain, styles, grid = replace(spec, variant=None), _line_styles(spec, rows), []
    for variant in curves.variant_values(spec, rows):
        here, _ = looks.cell(spec, rows, None, variant)
        name = f", {curves.variant_label(spec, variant)}" if spec.variant else ""
        for view in views:
            view = replace(view, title=view.title + name)
            row = [
                _draw_view(view, looks.looks_of(plain, here, group), styles, spec.line, y_label)
                for y_label, group in CODES.items()
            ]
            grid.append([panel for panel in row if panel.curves])
    drawn = [panel for row in grid for panel in row]
    handles = _handles(styles, looks.looks_of(plain, rows, every), drawn)
    grid = [[panel] for panel in drawn] if spec.columns == 1 else grid
    title = marks.factor_label(spec.line)
    return panels.draw_panels(grid, spec, handles, title)


def _accuracies(spec: FigureSpec, usual: str | None = None) -> tuple[str, list[Series]]:
    """Label of the vertical axis, and the accuracies that are drawn on it."""
    split = spec.options.get("split") or ("train" if spec.variant else usual)
    if split is None:
        return "Network accuracy", [series for _, series in ACCURACY.values()]
    if split not in ACCURACY:
        raise ValueError(f"option split must be one of {list(ACCURACY)}; got {split!r}")
    label, series = ACCURACY[str(split)]
    return label, [series]


def _line_styles(spec: FigureSpec, rows: pd.DataFrame) -> dict[object, Style]:
    return marks.line_styles(marks.factor_values(rows, spec.line))


def _draw_view(
    view: View,
    told_apart: Sequence[Look],
    styles: Mapping[object, Style],
    line: str,
    y_label: str,
    printed: tuple[Published, ...] = (),
    chance: float | None = None,
) -> Panel:
    own = looks.marked(styles, view.axis)
    drawn = looks.curves_of(told_apart, own, line, view.axis, "level", view.take)
    places = ((view.unperturbed, "x"), (None if view.near else chance, "y"))
    guides = tuple(Guide(at, axis) for at, axis in places if at is not None)
    ends = _near_ends(drawn, printed) if view.near else WHOLE
    return Panel(view.title, y_label, view.axis, drawn, printed, guides=guides, y_limits=ends)


def _near_ends(
    drawn: Sequence[Curve], printed: Sequence[Published]
) -> tuple[float | None, float | None]:
    """Ends of the axis of a view near zero: those of the data, unless they are all but constant."""
    bands = [end for curve in drawn for band in curve.bands for end in band]
    values = np.concatenate([[], *bands, *(each.y for each in (*drawn, *printed))])
    values = values[np.isfinite(values)]
    if not len(values) or np.ptp(values) >= NARROWEST:
        return None, None
    low = max(float(values.min() + values.max() - NARROWEST) / 2, -0.05 * NARROWEST)
    return low, low + NARROWEST


def _draw_equal(
    rows: pd.DataFrame, title: str, y_label: str, axis: Axis, styles: Mapping[object, Style]
) -> Panel:
    drawn = looks.curves_of(_directions(rows), styles, "perturbation", axis, "level")
    unperturbed = rows[rows["perturbation"] == "none"]
    marks.refuse_mixture(unperturbed, ["perturbation"])
    guides = tuple(Guide(float(mean), "y") for mean in unperturbed["mean"])
    return Panel(title, y_label, axis, drawn, guides=guides)


def _directions(rows: pd.DataFrame) -> list[Look]:
    """Changes up and down as two looks, with the size of the change as the level."""
    down = (rows["level"] < 0) & rows["perturbation"].isin(TWO_WAY)
    sizes = rows.assign(level=rows["level"].abs())
    both = [Look("scale or offset up", "-", sizes[~down])]
    both.append(Look("scale or offset down", "--", sizes[down]))
    return [look for look in both if len(look.rows)]


def _chance(spec: FigureSpec, rows: pd.DataFrame) -> float | None:
    if "chance" in spec.options:
        return spec.options["chance"]
    known = {CHANCE.get(str(name)) for name in rows["dataset"].unique()}
    return known.pop() if len(known) == 1 else None


def _published(
    published: pd.DataFrame, view: View, nearer: Sequence[View], styles: Mapping[object, Style]
) -> tuple[Published, ...]:
    """Published accuracies, as fractions, at levels that no nearer view shows."""
    chosen = published["perturbation"] == view.kind
    rows = published[chosen & (published["metric"] == "train_accuracy")]
    rows = rows[[view.holds(p) and not any(n.holds(p) for n in nearer) for p in rows["level"]]]
    rows = rows.assign(value=rows["value"] / 100, reading_error=rows["std"] / 100)
    return looks.published_of(rows, view.axis, "level", styles)


def _handles(
    styles: Mapping[object, Style],
    told_apart: Sequence[Look],
    drawn: Sequence[Panel],
    **guides: str,
) -> list[Artist]:
    own = looks.marked(styles, *(panel.axis for panel in drawn))
    rows = pd.concat([look.rows for look in told_apart])
    shown = {guide.axis for panel in drawn for guide in panel.guides}
    labels = {"x": "unperturbed level", **guides}
    return [
        *curves.line_handles(own),
        *looks.look_handles(told_apart),
        *panels.interval_handles(rows),
        *(panels.guide_handle(axis, text) for axis, text in labels.items() if axis in shown),
    ]
