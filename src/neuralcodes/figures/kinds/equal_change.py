"""Accuracy against how much a perturbation changes the hidden vector."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from neuralcodes.errors import DataError
from neuralcodes.figures import headlines, marks, parts, perturbed, selection
from neuralcodes.figures.chart import Axis, Chart, Entry, Guide, Panel, Style, Vertical
from neuralcodes.figures.declaration import VARIANT, Asked, FigureKind, FigureSpec, usual_line
from neuralcodes.perturbation import kinds as perturbation
from neuralcodes.perturbation.kinds.declaration import PerturbationKind

if TYPE_CHECKING:
    import pandas as pd

SERIES = ("train_accuracy", "train")
UP, DOWN = "scale or offset up", "scale or offset down"


def _kinds() -> dict[str, PerturbationKind]:
    """Kinds that can be compared, by their name among perturbations at equal change."""
    declared = map(perturbation.get, perturbation.names())
    return {f"equal_{kind.name}": kind for kind in declared if kind.equal_directions}


def chart(
    spec: FigureSpec, summary: "pd.DataFrame", published: "pd.DataFrame | None" = None
) -> Chart:
    """A line per kind, a panel per value of `spec.line` and a row per value of `spec.variant`.

    A level line shows the accuracy without perturbation.
    """
    del published  # nothing is published at equal change
    rows = perturbed.select(spec, summary, [SERIES])
    kinds = _kinds()
    known = [name for name in kinds if (rows["perturbation"] == name).any()]
    if not known:
        raise DataError(
            f"the study measured {SERIES[0]} under none of the perturbations {list(kinds)}"
        )
    equal = rows[rows["perturbation"].isin(known) & (rows["level"] != 0)]
    sizes = sorted({abs(float(level)) for level in equal["level"]})
    axis = Axis(marks.metric_label("hidden_change"), "log", tuple(sizes), factor="level")
    looks = {name: kinds[name].look for name in known}
    styles = {name: Style(look.colour, look.marker) for name, look in looks.items()}
    styles = parts.with_room(styles, [axis])
    grid = []
    for variant in selection.variant_values(spec, rows):
        own = selection.rows_equal(rows, spec.variant, variant)
        titles = [parts.variant_label(spec, variant)] if spec.variant else []
        grid.append([])
        for value in selection.factor_values(equal, spec.line):
            title = ", ".join([marks.value_label(value), *titles])
            here = selection.rows_equal(own, spec.line, value)
            grid[-1].append(_panel(here, title, axis, styles))
    drawn = [panel for row in grid for panel in row if panel.curves]
    down = any(DOWN in curve.entries for panel in drawn for curve in panel.curves)
    directions = parts.dash_entries([(UP, "-"), *([(DOWN, "--")] if down else [])])
    return parts.chart_of(
        "equal_change",
        spec,
        grid if spec.variant else parts.wrapped(drawn),
        [
            ("Perturbation", [Entry(looks[name].label, style) for name, style in styles.items()]),
            ("", [*directions, *parts.shown_entries(drawn)]),
        ],
        headlines.sentence(_clauses(drawn)),
        share_y="all",
    )


def question(asked: Asked) -> str:
    """Ask which perturbation harms most at one size."""
    return (
        f"which perturbation harms a network trained on {asked.dataset} most, if each changes the "
        "hidden vector by the same amount"
    )


def _panel(rows: "pd.DataFrame", title: str, axis: Axis, styles: dict[object, Style]) -> Panel:
    """Panel whose levels are sizes of the change; changes down are dashed."""
    kinds = {name: _kinds()[name] for name in styles}
    two_way = [name for name, kind in kinds.items() if len(kind.equal_directions) > 1]
    down = (rows["level"] < 0) & rows["perturbation"].isin(two_way)
    sizes = rows.assign(level=rows["level"].abs())
    drawn = []
    for name, style in styles.items():
        for direction, dash, chosen in ((UP, "-", ~down), (DOWN, "--", down)):
            part = sizes[chosen & (sizes["perturbation"] == name)]
            if len(part):
                way, label = direction if name in two_way else "", kinds[name].look.label
                own = f"{label} {way.rsplit(maxsplit=1)[-1] if way else ''}".strip()
                names = {label: own, way: ""}
                drawn.append(parts.curve_of(part, axis, replace(style, linestyle=dash), names))
    unperturbed = rows[rows["perturbation"] == "none"]
    selection.refuse_mixture(unperturbed, ["perturbation"])
    guides = tuple(Guide("unperturbed", float(mean)) for mean in unperturbed["mean"])
    return Panel(title, axis, Vertical("Training accuracy"), tuple(drawn), guides=guides)


def _clauses(drawn: list[Panel]) -> list[str]:
    """Accuracy at the largest change of each panel, from the worst kind to the best."""
    clauses = []
    for panel in drawn:
        ends = [(float(c.y[-1]), c.label, c.x[-1]) for c in panel.curves if np.isfinite(c.y[-1])]
        largest = max((end[2] for end in ends), default=0)
        ends = sorted(end for end in ends if end[2] == largest)
        if ends:
            told = [f"{headlines.number(value)} ({label})" for value, label, _ in ends]
            clauses.append(
                f"at a change of {headlines.number(largest)}, accuracy of {panel.title} is "
                f"{marks.joined(told)}"
                if not clauses
                else f"of {panel.title}, {marks.joined(told)}"
            )
    return clauses


KIND = FigureKind(
    name="equal_change",
    description="Accuracy against the size of the change of the hidden vector.",
    measure="perturbations",
    chart=chart,
    question=question,
    reading="Accuracy against how much the hidden vector changes, so that kinds of perturbation "
    "compare at equal size; the dotted line is without perturbation; bands are 95% t-intervals of "
    "the mean over seeds",
    options={"line": usual_line("activation"), "variant": VARIANT},
)
