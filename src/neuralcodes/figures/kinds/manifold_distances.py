"""Densities of squared distances within and between manifolds."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from neuralcodes.errors import DataError
from neuralcodes.figures import headlines, parts, representations, selection
from neuralcodes.figures.chart import Axis, Chart, Entry, Panel, Style, Vertical
from neuralcodes.figures.declaration import Asked, FigureKind, FigureSpec
from neuralcodes.figures.representations import LOOKS

if TYPE_CHECKING:
    import pandas as pd

DENSITIES = {
    "distance_density_intra": ("intra-manifold pairs", Style("#5b2a86", "", "-")),
    "distance_density_inter": ("inter-manifold pairs", Style("#7fb8d8", "", "--")),
}
LABEL = "Squared distance\n(share of the inter-manifold mean)"


def chart(
    spec: FigureSpec, summary: "pd.DataFrame", published: "pd.DataFrame | None" = None
) -> Chart:
    """A panel per representation, with the area that its densities share, on unseen manifolds."""
    del published  # the paper gives no comparable numbers
    rows = representations.select(spec, summary, ["position"], list(DENSITIES))
    rows = representations.on_unseen(rows)
    selection.refuse_mixture(rows, ["representation", "metric", "position"])
    positions = tuple(selection.factor_values(rows, "position"))
    axis = Axis(LABEL, "linear", positions, factor="position")
    names, areas = representations.present(rows), []
    drawn = []
    for name in names:
        panel, area = _panel(representations.of(rows, name), LOOKS[name][0], axis)
        drawn.append(panel)
        areas.append(f"{area:.2f} ({panel.title})")
    entries = [Entry(label, replace(style, width=1.5)) for label, style in DENSITIES.values()]
    text = "distances within and between manifolds share an area of " + areas[-1]
    return parts.chart_of(
        "manifold_distances",
        spec,
        [drawn],
        [("", entries)],
        headlines.sentence([text, *areas[:-1]]),
    )


def shared_area(first: np.ndarray, second: np.ndarray, widths: np.ndarray) -> float:
    """Area below both of two densities: 0 where they are apart, 1 where they are the same.

    Args:
        first: density per bin, float64 (bins,).
        second: the other one, in the same bins.
        widths: of the bins.
    """
    return float(np.sum(np.minimum(first, second) * widths))


def question(asked: Asked) -> str:
    """Ask whether codes keep manifolds apart."""
    text = "do codes keep points of one manifold nearer to each other than points of two"
    return f"{text}, among {asked.unseen}"


def _panel(rows: "pd.DataFrame", title: str, axis: Axis) -> tuple[Panel, float]:
    intra, inter = (
        parts.curve_of(rows[rows["metric"] == metric], axis, style, [label], mark="steps")
        for metric, (label, style) in DENSITIES.items()
    )
    if not np.array_equal(intra.x, inter.x) or len(intra.x) < 2:
        raise DataError(
            "densities are compared in the same bins, at least two; there are "
            f"{len(intra.x)} within manifolds and {len(inter.x)} between them"
        )
    between = (intra.x[1:] + intra.x[:-1]) / 2
    ends = [2 * intra.x[0] - between[0], *between, 2 * intra.x[-1] - between[-1]]
    area = shared_area(intra.y, inter.y, np.diff(ends))
    top = 1.15 * max(intra.y.max(), inter.y.max())
    vertical = Vertical("Density", limits=(0.0, float(top)))
    # Intervals of 60 bins and two densities would hide these.
    curves = tuple(
        replace(c, low=np.full(len(c.x), np.nan), high=np.full(len(c.x), np.nan))
        for c in (intra, inter)
    )
    return Panel(title, axis, vertical, curves, note=f"shared area {area:.2f}"), area


KIND = FigureKind(
    name="manifold_distances",
    description="Densities of distances within and between manifolds.",
    measure="locality",
    chart=chart,
    question=question,
    reading="Densities of squared distances of pairs, averaged over seeds, within manifolds (dark) "
    "and between them (light); the number is the area that both share: 0 where they are apart",
)
