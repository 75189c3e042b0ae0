"""How invariant and how separable manifolds are, against a factor."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from neuralcodes.errors import DataError
from neuralcodes.figures import headlines, marks, parts, representations, selection
from neuralcodes.figures.chart import Axis, Chart, Curve, Entry, Guide, Panel, Style, Vertical
from neuralcodes.figures.declaration import (
    LINE,
    SCALE,
    VARIANT,
    Asked,
    FigureKind,
    FigureSpec,
    Option,
)
from neuralcodes.figures.representations import LOOKS

if TYPE_CHECKING:
    import pandas as pd

MEASURED = (
    "^(variance_ratio|intra_variance|total_variance|intra_distance|inter_distance|separation"
    "|pair_auc|one_shot_accuracy_[0-9]+|one_shot_hamming_accuracy_[0-9]+|ridge_r2"
    "|distance_correlation|(sign_)?hamming_(intra|inter)|lsh_exponent|effective_rank"
    "|generalization_gap)$"
)
LOG_METRICS = (
    *("variance_ratio", "intra_variance", "total_variance"),
    *("intra_distance", "inter_distance", "separation"),
)
# What these factors are called here: the network has two layers, its weight decay is decoupled.
AXES: dict[str, dict[str, str]] = {
    "width": {"label": "Width of the first layer (units)", "scale": "log"},
    "weight_decay": {"label": "Weight decay (decoupled)"},
}
CHANCE = Style("#737373", "", "-", width=0.7)
LABEL = LOOKS["trained"][0]
BASELINES = ("untrained", "input")  # where they are equal, dots show on dashes
SPLITS = ("unseen", "unseen_classes", "seen")
SUFFIXES = {"unseen": "", "unseen_classes": "unseen classes", "seen": "seen"}
# Networks were not trained on unseen manifolds: solid. Open markers are of unseen classes.
SPLIT_LINES = {"unseen": "-", "unseen_classes": "-", "seen": "--"}
AGREE = {"rtol": 0.05, "atol": 0.02}  # lines whose baselines differ less share one
SPREAD, CLOSEST = 0.7, 0.16  # shares of a category that its points fill, and that two are apart


@dataclass(frozen=True)
class Slot:
    """One line of a panel: a split, a value of the line factor, a value of the variant."""

    split: str
    value: object
    variant: object
    offset: float = 0.0  # on an axis of categories

    def of(self, spec: FigureSpec, rows: "pd.DataFrame") -> "pd.DataFrame":
        """Rows of the line."""
        rows = selection.rows_equal(rows[rows["split"] == self.split], spec.line, self.value)
        return selection.rows_equal(rows, spec.variant, self.variant)


def chart(
    spec: FigureSpec, summary: "pd.DataFrame", published: "pd.DataFrame | None" = None
) -> Chart:
    """Metrics of the trained codes, a panel each, beside the baselines.

    A colour per value of `spec.line`, if any. Line style by split or, with `spec.variant`, by its
    value; training manifolds are then left out. Categories have points side by side: marker by
    variant, filled by split. The raw input and the untrained network are averaged over lines where
    these agree, and drawn on unseen manifolds only unless the axis has categories. Chance is that
    of one-shot classification and of the AUC.
    """
    del published  # the paper gives no comparable numbers
    shown = [name for name in (spec.x, spec.line, spec.variant) if name]
    metrics, rows = _measured(spec, summary, shown)
    selection.refuse_mixture(rows, [*shown, "metric", "split", "representation"])
    trained = representations.of(rows, "trained")
    axis = parts.axis_of(spec.x, rows, spec, **AXES.get(spec.x, {}))
    styles = {None: LOOKS["trained"][1]}
    if spec.line:
        styles = marks.line_styles(selection.factor_values(trained, spec.line))
    drawn = [_panel(spec, rows, metric, axis, styles) for metric in metrics]
    label = AXES.get(spec.line or "", {}).get("label") or marks.factor_label(spec.line or "")
    return parts.chart_of(
        "manifold_sweep",
        spec,
        parts.wrapped(drawn),
        [
            (label if spec.line else "", _line_entries(spec, styles, axis)),
            ("", [*_look_entries(spec, trained, drawn, axis), *parts.shown_entries(drawn)]),
        ],
        headlines.sentence(_clauses(drawn)),
    )


def chance_of(metric: str) -> float | None:
    """Value of a guess; None where a guess has none."""
    if one_shot := marks.ONE_SHOT.fullmatch(metric):
        return 1 / int(one_shot["way"])
    return 0.5 if metric == "pair_auc" else None


def question(asked: Asked) -> str:
    """Ask how manifolds are represented, and what that depends on."""
    others = [text for text in (asked.line, asked.variant) if text]
    text = (
        f"how does {asked.x} change how invariantly and how far apart a network represents "
        f"{asked.unseen}"
    )
    if asked.options.get("x") == "manifolds":
        text = (
            "from how many training manifolds on does a network represent "
            f"{asked.unseen} invariantly and far apart"
        )
    return f"{text}, and does that depend on {marks.joined(others)}" if others else text


def _measured(
    spec: FigureSpec, summary: "pd.DataFrame", shown: Sequence[str]
) -> tuple[list[str], "pd.DataFrame"]:
    """Metrics that the figure shows, in order, and their rows."""
    names = [str(name) for name in summary["metric"].unique()] if "metric" in summary else []
    found = [marks.ONE_SHOT.fullmatch(name) for name in names]
    ways = sorted(int(one["way"]) for one in found if one and not one["bits"])
    one_shot = [f"one_shot_accuracy_{way}" for way in ways] or ["one_shot_accuracy_20"]
    asked = spec.options.get("metrics")
    wanted = list(asked or ["variance_ratio", *one_shot, "ridge_r2"])
    rows = representations.select(spec, summary, shown, wanted)
    trained = representations.of(rows, "trained")
    known = trained.loc[np.isfinite(trained["mean"]), "metric"]
    measured = [name for name in wanted if (known == name).any()]
    absent = [name for name in wanted if name not in measured]
    if absent and (asked or not measured):
        raise DataError(f"the figure shows {wanted} of trained networks; {absent} is not measured")
    return measured, rows[rows["metric"].isin(measured)]


def _panel(
    spec: FigureSpec,
    rows: "pd.DataFrame",
    metric: str,
    axis: Axis,
    styles: Mapping[object, Style],
) -> Panel:
    here = rows[rows["metric"] == metric]
    joined = axis.scale != "category"
    slots = _slots(spec, here, styles, joined=joined)
    trained = representations.of(here, "trained")
    variants = selection.variant_values(spec, representations.of(rows, "trained"))
    drawn = []
    for name in BASELINES:
        own = representations.of(here, name)
        drawn += _baselines(spec, own, name, slots, axis, styles)
    for slot in slots:
        style = _style(spec, slot, styles, variants, joined=joined)
        more = [parts.variant_label(spec, slot.variant), SUFFIXES[slot.split]]
        names = parts.names_of_line(spec.line, slot.value, *more) if spec.line else [LABEL, *more]
        mark = "line" if joined else "points"
        curve = parts.curve_of(slot.of(spec, trained), axis, style, names, mark=mark)
        drawn.append(replace(curve, x=curve.x + slot.offset))
    positive = not any((curve.y <= 0).any() for curve in drawn)
    vertical = Vertical(marks.metric_label(metric))
    if "accuracy" in metric:
        vertical = replace(vertical, limits=parts.WHOLE)
    elif metric in LOG_METRICS and positive:
        vertical = replace(vertical, scale="log", limits=parts.log_limits(drawn))
    chance = chance_of(metric)
    guides = () if chance is None else (Guide("chance", chance, style=CHANCE),)
    return Panel("", axis, vertical, tuple(drawn), guides=guides)


def _slots(
    spec: FigureSpec, rows: "pd.DataFrame", styles: Mapping[object, Style], *, joined: bool
) -> list[Slot]:
    """Lines of a panel that have rows, side by side where the axis has categories."""
    trained = representations.of(rows, "trained")
    measured = [split for split in SPLITS if (trained["split"] == split).any()]
    usual = [split for split in measured if not spec.variant or split != "seen"]
    slots = [
        Slot(split, value, variant)
        for split in usual or measured
        for value in styles
        for variant in selection.variant_values(spec, trained)
    ]
    slots = [slot for slot in slots if len(slot.of(spec, trained))]
    if joined:
        return slots
    step = min(SPREAD / len(slots), CLOSEST)
    middle = (len(slots) - 1) / 2
    return [replace(slot, offset=(i - middle) * step) for i, slot in enumerate(slots)]


def _style(
    spec: FigureSpec,
    slot: Slot,
    styles: Mapping[object, Style],
    variants: Sequence[object],
    *,
    joined: bool,
) -> Style:
    """Give a line its style: a marker alone where the axis has categories."""
    style, place = styles[slot.value], variants.index(slot.variant)
    style = replace(style, filled=slot.split != "unseen_classes")
    seen = slot.split == "seen"
    if not joined:
        marker = "x" if seen else marks.MARKERS[place]
        return replace(style, linestyle="", marker=marker)
    dash = marks.LINESTYLES[place] if spec.variant else SPLIT_LINES[slot.split]
    style = replace(style, linestyle=dash)
    return replace(style, marker="", width=0.7) if seen else style


def _baselines(
    spec: FigureSpec,
    rows: "pd.DataFrame",
    name: str,
    slots: Sequence[Slot],
    axis: Axis,
    styles: Mapping[object, Style],
) -> list[Curve]:
    """Lines of a baseline on the first split, or its levels within each category.

    One where it is the same for all lines, else each.
    """
    label, style = LOOKS[name]
    style, joined = replace(style, marker="", width=1.2), axis.scale != "category"
    splits = list(dict.fromkeys(slot.split for slot in slots))
    half, drawn = min(SPREAD / len(slots), CLOSEST) / 2, []
    for split in splits[:1] if joined else splits:
        own = [slot for slot in slots if slot.split == split]
        for group in _groups(spec, rows, own):
            level = _level(spec, rows, group)
            if level.empty:
                continue
            look = style
            if joined and spec.line and len(group) < len(own):
                look = replace(style, color=styles[group[0].value].color)
            if len(group) == 1:
                curve = parts.curve_of(level, axis, look, [label])
            else:
                curve = _averaged(level, axis, look, label)
            given = {"low": np.full(len(curve.x), np.nan), "high": np.full(len(curve.x), np.nan)}
            if not joined:
                middle = (group[0].offset + group[-1].offset) / 2
                reach = (group[-1].offset - group[0].offset) / 2 + half
                given |= {"x": curve.x + middle, "mark": "levels", "reach": reach}
            drawn.append(replace(curve, **given))
    return drawn


def _level(spec: FigureSpec, rows: "pd.DataFrame", slots: Sequence[Slot]) -> "pd.DataFrame":
    """Rows of a baseline of one slot; of several, their means by value of `spec.x`."""
    import pandas as pd  # not while a workflow is parsed

    part = pd.concat([slot.of(spec, rows) for slot in slots])
    if len(slots) == 1:
        return part
    groups = part.groupby(spec.x, dropna=False)
    return groups.agg(
        {"mean": "mean", "n": "sum", "metric": "first", "split": "first"}
    ).reset_index()


def _averaged(level: "pd.DataFrame", axis: Axis, style: Style, label: str) -> Curve:
    places = axis.place(level[axis.factor])
    order = np.argsort(places, kind="stable")
    level = level.iloc[order]
    return parts.unmeasured(
        label,
        style,
        places[order],
        level["mean"].to_numpy(dtype=float),
        n=level["n"].to_numpy(dtype=np.int64),
        metric=str(level["metric"].iloc[0]),
        split=str(level["split"].iloc[0]),
    )


def _groups(spec: FigureSpec, rows: "pd.DataFrame", slots: Sequence[Slot]) -> list[list[Slot]]:
    """Slots that share a baseline: all of them, or those of a line, or else each its own."""
    by_line = [[s for s in slots if s.value == v] for v in dict.fromkeys(s.value for s in slots)]
    for groups in ([list(slots)], by_line):
        if all(_agree(spec, rows, group) for group in groups):
            return groups
    return [[slot] for slot in slots]


def _agree(spec: FigureSpec, rows: "pd.DataFrame", slots: Sequence[Slot]) -> bool:
    import pandas as pd

    own = [slot.of(spec, rows).set_index(spec.x)["mean"] for slot in slots]
    table = pd.concat(own, axis=1)
    # Lines that are measured at places of their own can only be compared as a whole.
    whole = table.mean().to_frame().T if table.isna().any(axis=None) else table[:0]
    both = pd.concat([table, whole])
    return np.allclose(both.min(axis=1), both.max(axis=1), equal_nan=True, **AGREE)


def _value_label(spec: FigureSpec, value: object) -> str:
    return marks.value_label(value) if spec.line else LABEL


def _line_entries(spec: FigureSpec, styles: Mapping[object, Style], axis: Axis) -> list[Entry]:
    if axis.scale != "category":
        return [Entry(_value_label(spec, value), style) for value, style in styles.items()]
    return [
        Entry(_value_label(spec, value), replace(style, marker="o"), "marker")
        for value, style in styles.items()
    ]


def _look_entries(
    spec: FigureSpec, trained: "pd.DataFrame", drawn: Sequence[Panel], axis: Axis
) -> list[Entry]:
    """Entries of variants, of splits where there are several, and of the baselines."""
    joined, entries = axis.scale != "category", []
    looks = parts.variant_looks(spec, trained).values()
    if joined:
        entries += parts.dash_entries(looks)
    else:
        for (name, _), marker in zip(looks, marks.MARKERS, strict=False):
            if name:
                entries.append(Entry(name, Style(marks.NEUTRAL, marker, ""), "marker"))
    curves = [curve for panel in drawn for curve in panel.curves]
    baselines = [LOOKS[name][0] for name in BASELINES]
    shown = [c for c in curves if c.label not in baselines]
    splits = [split for split in SPLITS if any(curve.split == split for curve in shown)]
    for split in splits if len(splits) > 1 else []:
        seen = split == "seen"
        if joined:
            dash = "-" if spec.variant else SPLIT_LINES[split]
            style = Style(marks.NEUTRAL, "" if seen else "o", dash, filled=split == "unseen")
        else:
            style = Style(marks.NEUTRAL, "x" if seen else "o", "", filled=split == "unseen")
        entries.append(Entry(marks.SPLITS[split], style, "line" if joined else "marker"))
    for name in reversed(BASELINES):
        label, style = LOOKS[name]
        colors = {curve.style.color for curve in curves if curve.label == label}
        color = style.color if colors == {style.color} else marks.NEUTRAL
        if colors:
            entries.append(Entry(label, Style(color, "", style.linestyle, width=1.2)))
    return entries


def _clauses(drawn: Sequence[Panel]) -> list[str]:
    """Courses of trained networks on unseen manifolds, those of the last line value first."""
    clauses = []
    for panel in drawn:
        curves = [c for c in panel.curves if c.mark != "levels" and c.split == "unseen"]
        curves = [c for c in curves if c.label not in [LOOKS[name][0] for name in BASELINES]]
        centred = [replace(c, x=np.round(c.x)) for c in curves] if panel.x.labels else curves
        clauses += headlines.courses([replace(panel, curves=tuple(centred))])
    return clauses


KIND = FigureKind(
    name="manifold_sweep",
    description="Metrics of representations of manifolds against a factor.",
    measure="manifolds",
    chart=chart,
    question=question,
    reading="Metrics of trained codes beside those of the untrained network and of the raw input; "
    "a variance ratio \u03c1 of 0 is invariant, of 1 not at all; bands, on an axis of categories "
    "bars, are 95% t-intervals of the mean over seeds",
    options={
        "x": Option("Factor on the horizontal axis.", required=True),
        "line": LINE,
        "variant": VARIANT,
        "scale": SCALE,
        "metrics": Option(
            "Metrics to draw, a panel each; null for those of the kind of figure.",
            tuple[str, ...] | None,
            pattern=MEASURED,
        ),
    },
)
