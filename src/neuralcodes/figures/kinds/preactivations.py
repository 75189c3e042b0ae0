"""Where examples lie on either side of each unit's decision border."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from neuralcodes.errors import DataError
from neuralcodes.figures import headlines, marks, parts, selection
from neuralcodes.figures.chart import Axis, Chart, Curve, Entry, Guide, Panel, Style, Vertical
from neuralcodes.figures.declaration import VARIANT, Asked, FigureKind, FigureSpec, usual_line

if TYPE_CHECKING:
    import pandas as pd

MEDIAN = "quantile_50"
BANDS = (("quantile_05", "quantile_95"), ("quantile_25", "quantile_75"))
QUANTILES = (MEDIAN, *(name for pair in BANDS for name in pair))
VALUE = "Pre-activation (standard deviations of the unit)"
RANK = "Unit (rank by active share)"
BORDER = Style("#000000", "", "--", width=0.9)
BORDER_LABEL = "decision border of the unit"
FARTHEST = 8.0  # standard deviations; a unit that lies farther from its border leaves the view
OVERLAP = 1.5  # height of the highest ridge, in distances between ridges


def chart(
    spec: FigureSpec, summary: "pd.DataFrame", published: "pd.DataFrame | None" = None
) -> Chart:
    """Quantiles of the pre-activations of every unit beside the densities of a few of them.

    A row per value of `spec.line` and of `spec.variant`. Units are ranked by the share of examples
    that activate them, and averaged over seeds rank by rank. The examples are training data.
    """
    del published  # nothing is published on pre-activations
    rows = _measured(spec, summary)
    ends, grid = _ends(rows), []
    styles = parts.line_styles(spec, rows)
    for value, style in styles.items():
        for variant in selection.variant_values(spec, rows):
            here = selection.rows_equal(rows, spec.line, value)
            here = selection.rows_equal(here, spec.variant, variant)
            names = [marks.value_label(value), parts.variant_label(spec, variant)]
            if len(here):
                title = ", ".join(filter(None, names))
                color = Style(style.color, "")
                grid.append(
                    [_quantiles(here, title, color, ends), _ridges(here, title, color, ends)]
                )
    drawn = [panel for row in grid for panel in row]
    neutral = Style(marks.NEUTRAL, "")
    entries = [
        Entry("median over examples", neutral),
        Entry("25\u201375% of examples", neutral, "band"),
        Entry("5\u201395% of examples", neutral, "outer"),
        *parts.shown_entries(drawn),
    ]
    colors = [Entry(marks.value_label(v), Style(s.color, ""), "patch") for v, s in styles.items()]
    clauses = [
        f"{'the median pre-activation ' if not place else ''}"
        f"{headlines.course(panel.curves[0], panel.x)} ({panel.title})"
        for place, (panel, _) in enumerate(grid)
    ]
    return parts.chart_of(
        "preactivations",
        spec,
        grid,
        [(marks.factor_label(spec.line), colors), ("", entries)],
        headlines.sentence(clauses),
    )


def question(asked: Asked) -> str:
    """Ask where examples lie."""
    return (
        "on which side of the units' decision borders, and how far from them, do examples lie "
        f"after training on {asked.dataset}"
    )


def _measured(spec: FigureSpec, summary: "pd.DataFrame") -> "pd.DataFrame":
    rows = selection.select(summary, spec, ["unit", "position", spec.line, spec.variant])
    wanted = [*QUANTILES, "active_share", "density"]
    rows = rows[rows["metric"].isin(wanted) & (rows["split"] == "train") & rows["unit"].notna()]
    absent = sorted(set(wanted) - set(rows["metric"]))
    if absent:
        raise DataError(
            f"a figure of preactivations needs {wanted} of each unit on the train split; "
            f"{absent} is not measured"
        )
    return rows.assign(unit=rows["unit"].astype(int))


def _of_metric(rows: "pd.DataFrame", metric: str) -> "pd.DataFrame":
    chosen = rows[rows["metric"] == metric]
    selection.refuse_mixture(chosen, ["unit"])
    return chosen.sort_values("unit")


def _quantiles(rows: "pd.DataFrame", title: str, style: Style, ends: tuple[float, float]) -> Panel:
    medians = _of_metric(rows, MEDIAN)
    ranks = tuple(int(rank) for rank in medians["unit"])
    axis = Axis(RANK, "linear", ranks, factor="unit")
    bands = tuple(
        tuple(_of_metric(rows, name)["mean"].to_numpy(dtype=float) for name in pair)
        for pair in BANDS
    )
    curve = parts.curve_of(medians, axis, style, [title], bands=bands)
    # Intervals of so many units side by side would hide the bands.
    none = np.full(len(ranks), np.nan)
    curve = replace(curve, low=none, high=none)
    border = Guide(BORDER_LABEL, 0.0, style=BORDER)
    vertical = Vertical("Pre-activation\n(standard deviations of the unit)", limits=ends)
    return Panel(title, axis, vertical, (curve,), guides=(border,))


def _ridges(rows: "pd.DataFrame", title: str, style: Style, ends: tuple[float, float]) -> Panel:
    """The densities, one above the other in the order of their units."""
    densities = rows[rows["metric"] == "density"]
    selection.refuse_mixture(densities, ["unit", "position"])
    ranks = sorted({int(rank) for rank in densities["unit"]})
    positions = tuple(float(x) for x in sorted(densities["position"].unique()))
    axis = Axis(VALUE, "linear", positions, ends=ends, factor="position")
    height = OVERLAP / float(densities["mean"].max())
    shares = _of_metric(rows, "active_share").set_index("unit")["mean"]
    curves: list[Curve] = []
    for place, rank in enumerate(ranks):
        own = densities[densities["unit"] == rank]
        given = {"mark": "ridge", "base": float(place), "height": height}
        curves.append(parts.curve_of(own, axis, style, [f"unit {rank}"], entries=(title,), **given))
    ticks = tuple((float(p), f"{rank} ({shares[rank]:.2f})") for p, rank in enumerate(ranks))
    limits = (-0.1, len(ranks) - 1 + 1.08 * OVERLAP)
    vertical = Vertical("Density, by unit (active share)", limits=limits, ticks=ticks)
    border = Guide(BORDER_LABEL, 0.0, "x", style=BORDER)
    return Panel(title, axis, vertical, tuple(curves), guides=(border,))


def _ends(rows: "pd.DataFrame") -> tuple[float, float]:
    """Where examples are: all quantiles, and densities that can be seen, within `FARTHEST`."""
    densities = rows[rows["metric"] == "density"]
    seen = densities.loc[densities["mean"] > 0.01 * densities["mean"].max(), "position"]
    quantiles = rows.loc[rows["metric"].isin(QUANTILES), "mean"]
    everything = np.concatenate([seen, quantiles, [0.0]]).astype(float)
    everything = np.clip(everything, -FARTHEST, FARTHEST)
    margin = 0.04 * float(np.ptp(everything))
    return float(everything.min()) - margin, float(everything.max()) + margin


KIND = FigureKind(
    name="preactivations",
    description="Quantiles and densities of the pre-activations of each unit.",
    measure="preactivations",
    chart=chart,
    question=question,
    reading="Left, the units in the order of the share of examples that activate them: median, "
    "25\u201375% and 5\u201395% of the examples; right, densities of some of them; the dashed line "
    "is the unit's decision border",
    options={"line": usual_line("activation"), "variant": VARIANT},
)
