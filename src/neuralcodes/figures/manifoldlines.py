"""Lines of a figure of manifolds: which there are, how they look, and the baselines below them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from neuralcodes.figures import curves, manifoldlooks, marks
from neuralcodes.figures.manifoldlooks import REPRESENTATIONS
from neuralcodes.figures.marks import FigureSpec, Style
from neuralcodes.figures.panels import Curve
from neuralcodes.figures.scales import Axis

BASELINES = ("untrained", "input")  # where they are equal, dots show on dashes
SPLITS = ("unseen", "unseen_classes", "seen")
SUFFIXES = {"unseen": "", "unseen_classes": ", unseen classes", "seen": ", seen"}
# Lines without variants: dashes by split. Where variants take the dashes, markers still differ.
SPLIT_LINES = {"unseen": "-", "unseen_classes": "--", "seen": "--"}
AGREE = {"rtol": 0.05, "atol": 0.02}  # lines whose baselines differ less share one
SPREAD, CLOSEST = 0.7, 0.16  # shares of a category that its points fill, and that two are apart


@dataclass(frozen=True)
class Slot:
    """One line of a panel: a split, a value of the line factor, a value of the variant."""

    split: str
    value: object
    variant: object
    offset: float = 0.0  # on an axis of categories


def slots_of(
    spec: FigureSpec, rows: pd.DataFrame, styles: Mapping[object, Style], *, joined: bool
) -> list[Slot]:
    """Lines of a panel that have rows, side by side where the axis has categories.

    Args:
        spec: the figure; its option `splits` chooses among what is measured.
        rows: of one metric.
        styles: value of `spec.line` -> its style.
        joined: the axis has numbers, no categories.
    """
    trained = manifoldlooks.of_representation(rows, "trained")
    measured = [split for split in SPLITS if (trained["split"] == split).any()]
    usual = [split for split in SPLITS if split != "seen"] if spec.variant else SPLITS
    splits = [split for split in measured if split in spec.options.get("splits", usual)]
    slots = [
        Slot(split, value, variant)
        for split in splits or measured
        for value in styles
        for variant in curves.variant_values(spec, trained)
    ]
    slots = [slot for slot in slots if len(of_slot(spec, trained, slot))]
    if joined:
        return slots
    step = min(SPREAD / len(slots), CLOSEST)
    middle = (len(slots) - 1) / 2
    return [replace(slot, offset=(i - middle) * step) for i, slot in enumerate(slots)]


def of_slot(spec: FigureSpec, rows: pd.DataFrame, slot: Slot) -> pd.DataFrame:
    """Rows of one line."""
    rows = rows[rows["split"] == slot.split]
    if spec.line:
        rows = marks.rows_equal(rows, spec.line, slot.value)
    return marks.rows_equal(rows, spec.variant, slot.variant) if spec.variant else rows


def style_of(
    spec: FigureSpec,
    slot: Slot,
    styles: Mapping[object, Style],
    variants: Sequence[object],
    *,
    joined: bool,
) -> Style:
    """Give a line its style: a marker alone where the axis has categories."""
    style, place = styles[slot.value], variants.index(slot.variant)
    if not joined:
        marker = "x" if slot.split == "seen" else marks.MARKERS[place]
        return replace(style, linestyle="", marker=marker)
    linestyle = marks.LINESTYLES[place] if spec.variant else SPLIT_LINES[slot.split]
    return replace(style, linestyle=linestyle, marker="" if slot.split == "seen" else style.marker)


def baseline_lines(
    spec: FigureSpec,
    rows: pd.DataFrame,
    name: str,
    slots: Sequence[Slot],
    axis: Axis,
    styles: Mapping[object, Style],
) -> list[Curve]:
    """Lines of a baseline on the first split: one if it is the same for all lines, else each.

    Args:
        spec: the figure.
        rows: of one metric, measured on the baseline.
        name: of the baseline.
        slots: the panel's lines.
        axis: of `spec.x`.
        styles: value of `spec.line` -> its style.
    """
    label, style = REPRESENTATIONS[name]
    style, first = replace(style, marker=""), [s for s in slots if s.split == slots[0].split]
    drawn = []
    for group in _groups(spec, rows, first):
        level = _level(spec, rows, group)
        own = style
        if spec.line and len(group) < len(first):
            own = replace(style, color=styles[group[0].value].color)
        places = axis.place(level.index)
        order = np.argsort(places, kind="stable")
        if len(level):
            drawn.append(Curve(label, places[order], level.to_numpy(dtype=float)[order], own))
    return drawn


def baseline_levels(
    spec: FigureSpec,
    rows: pd.DataFrame,
    name: str,
    slots: Sequence[Slot],
    axis: Axis,
    styles: Mapping[object, Style],
) -> list[Curve]:
    """Levels of a baseline within each category, over the width of each split's points.

    Takes what `baseline_lines` takes.
    """
    del styles  # the place of a level says which points it belongs to
    label, style = REPRESENTATIONS[name]
    half = min(SPREAD / len(slots), CLOSEST) / 2
    ends, heights = [], []
    for split in dict.fromkeys(slot.split for slot in slots):
        for group in _groups(spec, rows, [slot for slot in slots if slot.split == split]):
            level = _level(spec, rows, group)
            for place, height in zip(axis.place(level.index), level, strict=True):
                ends += [place + group[0].offset - half, place + group[-1].offset + half, np.nan]
                heights += [height, height, np.nan]
    if not ends:
        return []
    x, y = np.array(ends), np.array(heights, dtype=float)
    return [Curve(label, x, y, replace(style, marker=""), ((y, y),))]


def _level(spec: FigureSpec, rows: pd.DataFrame, slots: Sequence[Slot]) -> pd.Series:
    """Mean of a baseline over slots, by value of `spec.x`."""
    part = pd.concat([of_slot(spec, rows, slot) for slot in slots])
    return part.groupby(spec.x, dropna=False)["mean"].mean()


def _groups(spec: FigureSpec, rows: pd.DataFrame, slots: Sequence[Slot]) -> list[list[Slot]]:
    """Slots that share a baseline: all of them, or those of a line, or else each its own."""
    by_line = [[s for s in slots if s.value == v] for v in dict.fromkeys(s.value for s in slots)]
    for groups in ([list(slots)], by_line):
        if all(_agree(spec, rows, group) for group in groups):
            return groups
    return [[slot] for slot in slots]


def _agree(spec: FigureSpec, rows: pd.DataFrame, slots: Sequence[Slot]) -> bool:
    parts = [of_slot(spec, rows, slot).set_index(spec.x)["mean"] for slot in slots]
    table = pd.concat(parts, axis=1)
    # Lines that are measured at places of their own can only be compared as a whole.
    whole = table.mean().to_frame().T if table.isna().any(axis=None) else table[:0]
    both = pd.concat([table, whole])
    return np.allclose(both.min(axis=1), both.max(axis=1), equal_nan=True, **AGREE)
