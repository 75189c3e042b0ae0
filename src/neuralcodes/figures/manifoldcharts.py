"""Figure kind of manifolds: how invariant and how separable they are, against a factor."""

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import replace

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from neuralcodes.errors import DataError
from neuralcodes.figures import curves, manifoldlines, manifoldlooks, marks, panels
from neuralcodes.figures.manifoldlines import BASELINES, SPLITS, SUFFIXES
from neuralcodes.figures.manifoldlooks import REPRESENTATIONS
from neuralcodes.figures.marks import FigureSpec, Style
from neuralcodes.figures.panels import Guide, Panel
from neuralcodes.figures.scales import Axis

LOG_METRICS = (
    *("variance_ratio", "intra_variance", "total_variance"),
    *("intra_distance", "inter_distance", "separation"),
)
# What these factors are called here: the network has two layers, its weight decay is decoupled.
AXES: dict[str, dict[str, str]] = {
    "width": {"x_label": "Width of the first layer (units)", "x_scale": "log"},
    "weight_decay": {"x_label": "Weight decay (decoupled)"},
}
CHARACTER = 0.058  # inches of a character of a tick's label, with some space
AXES_SHARE = 0.85  # of a panel's width, the rest is for the vertical axis
CHANCE = {"color": "0.45", "linewidth": 0.7, "linestyle": "-"}


def draw_manifold_sweep(
    spec: FigureSpec, summary: pd.DataFrame, published: pd.DataFrame | None = None
) -> Figure:
    """Metrics of the trained codes against a factor, a panel per metric, beside the baselines.

    A colour per value of `spec.line`, if any. Line style by split or, with `spec.variant`, by its
    value; training manifolds are then left out, unless they are asked for. Categories have points
    side by side: marker by variant, filled by split. The raw input and the untrained network are
    averaged over lines where these agree, and drawn on unseen manifolds only unless the axis has
    categories. Chance is that of one-shot classification and of the AUC.

    Options: `metrics` (default: variance_ratio, all measured one_shot_accuracy_*, ridge_r2),
    `splits` (default: see above).

    Raises:
        DataError: the summary lacks what the figure needs, or factors vary that it does not show.
    """
    del published  # the paper gives no comparable numbers
    spec = replace(spec, x=spec.x or "manifolds")
    spec = replace(spec, options={**AXES.get(spec.x, {}), **spec.options})
    shown = [spec.x, *filter(None, [spec.line, spec.variant])]
    metrics, rows = _measured(spec, summary, shown)
    marks.refuse_mixture(rows, [*shown, "metric", "split", "representation"])
    trained = manifoldlooks.of_representation(rows, "trained")
    axis = Axis.of(spec.x, rows, spec)
    styles = _line_styles(spec, trained)
    variants = _variant_handles(spec, trained, joined=axis.scale != "category")
    row = [_draw_metric(spec, rows, metric, axis, styles) for metric in metrics]
    handles = _handles(spec, trained, row, styles, variants)
    title = _factor_label(spec.line) if spec.line else ""
    grid = curves.wrapped(row, spec)
    figure = panels.draw_panels(grid, spec, handles, title)
    for axes, panel in zip(figure.axes, row, strict=False):
        _finish(axes, panel, spec.width_inches / len(grid[0]))
    return figure


def chance_of(metric: str) -> float | None:
    """Value of a guess; None where a guess has none."""
    if one_shot := marks.ONE_SHOT.fullmatch(metric):
        return 1 / int(one_shot["way"])
    return 0.5 if metric == "pair_auc" else None


def _measured(
    spec: FigureSpec, summary: pd.DataFrame, shown: Sequence[str]
) -> tuple[list[str], pd.DataFrame]:
    """Metrics that the figure shows, in order, and their rows."""
    names = [str(name) for name in summary.get("metric", pd.Series(dtype=str)).unique()]
    found = [marks.ONE_SHOT.fullmatch(name) for name in names]
    ways = sorted(int(one["way"]) for one in found if one and not one["bits"])
    one_shot = [f"one_shot_accuracy_{way}" for way in ways] or ["one_shot_accuracy_20"]
    usual = ["variance_ratio", *one_shot, "ridge_r2"]
    wanted = [str(name) for name in spec.options.get("metrics", usual)]
    rows = manifoldlooks.measured(spec, summary, shown, wanted)
    trained = manifoldlooks.of_representation(rows, "trained")
    known = trained.loc[np.isfinite(trained["mean"]), "metric"]
    measured = [name for name in wanted if (known == name).any()]
    absent = [name for name in wanted if name not in measured]
    if absent and ("metrics" in spec.options or not measured):
        raise DataError(
            f"a figure of kind {spec.kind} shows {wanted} of trained networks; {absent} is not "
            "measured"
        )
    return measured, rows[rows["metric"].isin(measured)]


def _line_styles(spec: FigureSpec, trained: pd.DataFrame) -> dict[object, Style]:
    if spec.line is None:
        return {None: REPRESENTATIONS["trained"][1]}
    return marks.line_styles(marks.factor_values(trained, spec.line))


def _factor_label(factor: str) -> str:
    return AXES.get(factor, {}).get("x_label", marks.factor_label(factor))


def _draw_metric(
    spec: FigureSpec, rows: pd.DataFrame, metric: str, axis: Axis, styles: Mapping[object, Style]
) -> Panel:
    here = rows[rows["metric"] == metric]
    joined = axis.scale != "category"
    slots = manifoldlines.slots_of(spec, here, styles, joined=joined)
    variants = curves.variant_values(spec, manifoldlooks.of_representation(rows, "trained"))
    drawn = []
    for name in BASELINES:
        theirs = manifoldlooks.of_representation(here, name)
        draw = manifoldlines.baseline_lines if joined else manifoldlines.baseline_levels
        drawn += draw(spec, theirs, name, slots, axis, styles)
    trained = manifoldlooks.of_representation(here, "trained")
    for slot in slots:
        style = manifoldlines.style_of(spec, slot, styles, variants, joined=joined)
        label = _value_label(spec, slot.value) + SUFFIXES[slot.split]
        curve = panels.curve_of(
            manifoldlines.of_slot(spec, trained, slot), axis, spec.x, style, label
        )
        drawn.append(replace(curve, x=curve.x + slot.offset))
    positive = not any((curve.y <= 0).any() for curve in drawn)
    scale = "log" if metric in LOG_METRICS and positive else "linear"
    limits = manifoldlooks.WHOLE if "accuracy" in metric else (None, None)
    limits = manifoldlooks.log_limits(drawn) if scale == "log" else limits
    chance = chance_of(metric)
    guides = () if chance is None else (Guide(chance, "y"),)
    return Panel(
        *("", marks.metric_label(metric), axis, tuple(drawn), (), scale),
        joined=joined,
        guides=guides,
        y_limits=limits,
    )


def _value_label(spec: FigureSpec, value: object) -> str:
    return marks.value_label(value) if spec.line else REPRESENTATIONS["trained"][0]


def _handles(
    spec: FigureSpec,
    trained: pd.DataFrame,
    row: Sequence[Panel],
    styles: Mapping[object, Style],
    variants: Sequence[Artist],
) -> list[Artist]:
    joined = row[0].joined
    lines = {_value_label(spec, value): style for value, style in styles.items()}
    handles = [
        panels.line_handle(style if joined else replace(style, marker="o"), label, line=joined)
        for label, style in lines.items()
    ]
    labels = {curve.label for panel in row for curve in panel.curves}
    splits = [s for s in SPLITS if any(name + SUFFIXES[s] in labels for name in lines)]
    handles += variants
    handles += _split_handles(spec, splits, joined=joined) if len(splits) > 1 else []
    for name in reversed(BASELINES):
        label, style = REPRESENTATIONS[name]
        colors = {c.style.color for panel in row for c in panel.curves if c.label == label}
        color = style.color if colors == {style.color} else marks.NEUTRAL
        if colors:
            handles.append(panels.line_handle(Style(color, "", style.linestyle), label))
    handles += panels.interval_handles(trained, joined=joined)
    if any(panel.guides for panel in row):
        handle = panels.guide_handle("y", "chance")
        handle.set(**CHANCE)
        handles.append(handle)
    return handles


def _variant_handles(spec: FigureSpec, trained: pd.DataFrame, *, joined: bool) -> list[Artist]:
    handles = curves.variant_handles(spec, trained)
    if joined:
        return handles
    for handle, marker in zip(handles, marks.MARKERS, strict=False):
        handle.set(marker=marker, linestyle="")
    return handles


def _split_handles(spec: FigureSpec, splits: Sequence[str], *, joined: bool) -> list[Artist]:
    handles = []
    for split in splits:
        style = Style(
            marks.NEUTRAL, "" if split == "seen" else "o", manifoldlines.SPLIT_LINES[split]
        )
        if not joined:
            style = replace(style, marker="x" if split == "seen" else "o")
        if spec.variant:
            style = replace(style, linestyle="-")
        handle = panels.line_handle(style, marks.SPLITS[split], line=joined)
        handle.set(**_split_look(split))
        handles.append(handle)
    return handles


def _split_look(split: str) -> dict[str, object]:
    if split == "unseen_classes":
        return {"markerfacecolor": "white"}
    return {"linewidth": 0.7} if split == "seen" else {}


def _break_ticks(axes: Axes, panel: Panel, room: int) -> None:
    """Break the names of categories between words at `room` characters; long words are small."""
    names = [marks.value_label(value) for value in panel.axis.levels]
    parts = [textwrap.wrap(name, room, break_long_words=False) for name in names]
    longest = max(len(part) for lines in parts for part in lines)
    axes.set_xticks(range(len(names)), ["\n".join(lines) for lines in parts])
    if longest > room:
        axes.tick_params(
            axis="x", labelsize=matplotlib.rcParams["xtick.labelsize"] * room / longest
        )


def _finish(axes: Axes, panel: Panel, inches: float) -> None:
    """Tell splits, baselines and chance apart beyond colour and dashes; break long ticks."""
    manifoldlooks.label_decades(axes)
    if panel.axis.scale == "category":
        _break_ticks(axes, panel, int(AXES_SHARE * inches / len(panel.axis.levels) / CHARACTER))
    baselines = [REPRESENTATIONS[name][0] for name in BASELINES]
    for line in axes.lines:
        label = str(line.get_label())
        line.set(**_split_look(next((s for s in SPLITS[1:] if label.endswith(SUFFIXES[s])), "")))
        if label in baselines:
            line.set(linewidth=1.2)
        elif label == "_guide":
            line.set(**CHANCE)
