"""Similarity of codes against the distance of their manifolds, and the odds of one bucket."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from neuralcodes.errors import DataError
from neuralcodes.figures import headlines, marks, parts, representations, selection
from neuralcodes.figures.chart import Axis, Chart, Curve, Entry, Guide, Panel, Style, Vertical
from neuralcodes.figures.declaration import Asked, FigureKind, FigureSpec
from neuralcodes.figures.representations import LOOKS

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Reference:
    """What the identifiers themselves would give at a distance d on the unit sphere."""

    formula: str
    of_distance: Callable[[np.ndarray], np.ndarray]


def angle_share(distance: np.ndarray) -> np.ndarray:
    """Angle between unit vectors at a distance (0 to 2), as a share of pi."""
    return 2 * np.arcsin(distance / 2) / np.pi


REFERENCES = {
    "lsh_cosine": Reference("cos \u03b1 = 1 \u2212 d\u00b2/2", lambda d: 1 - d**2 / 2),
    "lsh_hamming": Reference("\u03b1/\u03c0", angle_share),
    "lsh_collision": Reference("1 \u2212 \u03b1/\u03c0", lambda d: 1 - angle_share(d)),
}
REFERENCE_STYLE = Style("#000000", "", "--", width=0.8)
REFERENCE_LABEL = "reference: \u03b3 itself (angle \u03b1)"
SPREAD = "lsh_cosine_sd"
BUCKETS = {
    "bucket_intra": ("intra-manifold pairs", "-"),
    "bucket_inter": ("inter-manifold pairs", "--"),
}
DISTANCE = "Distance of the identifiers d = \u2016\u03b3\u2081 \u2212 \u03b3\u2082\u2016"
DECILE = "Distance of the untransformed images (decile; 0: same image)"
FARTHEST = 2.0  # distance of two unit vectors


def chart(
    spec: FigureSpec, summary: "pd.DataFrame", published: "pd.DataFrame | None" = None
) -> Chart:
    """A colour and a marker per representation, on unseen manifolds.

    The cosine has the standard deviation over pairs as a band. References are what the identifiers
    themselves would give: 1 - d^2/2 for the cosine, and their angle 2 asin(d/2), as a share of pi,
    for the bits of random projections. Images have deciles of distances, and no references.
    """
    del published  # the paper gives no comparable numbers
    images = "family" in summary.columns and {*summary["family"]} == {"images"}
    names = [*REFERENCES, *BUCKETS]
    every = representations.select(spec, summary, ["position"], [*names, SPREAD])
    every = representations.on_unseen(every)
    rows = selection.of_metrics(every, names)
    selection.refuse_mixture(every, ["representation", "metric", "position"])
    if not images:
        _refuse_far(rows[rows["metric"].isin(list(REFERENCES))])
    drawn = [
        _similarity(every, metric, images=images)
        for metric in REFERENCES
        if (rows["metric"] == metric).any()
    ]
    if rows["metric"].isin(list(BUCKETS)).any():
        drawn.append(_buckets(rows))
    pairs = [BUCKETS[name] for name in BUCKETS if (rows["metric"] == name).any()]
    entries = parts.dash_entries(pairs)
    if any(curve.bands for panel in drawn for curve in panel.curves):
        entries.append(Entry("cosine \u00b1 SD over pairs", Style(marks.NEUTRAL, ""), "outer"))
    text = headlines.courses(drawn, lambda c: c.entries[0] in (LOOKS["trained"][0],))
    return parts.chart_of(
        "lsh_curve",
        spec,
        parts.wrapped(drawn),
        [
            ("", representations.entries(representations.present(rows))),
            ("", [*entries, *parts.shown_entries(drawn)]),
        ],
        headlines.sentence(text or headlines.courses(drawn)),
    )


def question(asked: Asked) -> str:
    """Ask whether near manifolds have near codes."""
    return f"are the codes of two {asked.unseen} the less alike, the farther apart these are"


def _refuse_far(rows: "pd.DataFrame") -> None:
    farthest = float(rows["position"].max()) if len(rows) else 0.0
    if farthest > FARTHEST * (1 + 1e-6):
        raise DataError(
            f"the positions reach {farthest:g}, but unit vectors are at most {FARTHEST:g} apart; "
            "deciles of distances are those of the family images"
        )


def _similarity(rows: "pd.DataFrame", metric: str, *, images: bool) -> Panel:
    here, drawn = rows[rows["metric"] == metric], []
    levels = tuple(selection.factor_values(here, "position"))
    axis = Axis(DECILE if images else DISTANCE, "linear", levels, factor="position")
    for name in representations.present(here):
        label, style = LOOKS[name]
        part = representations.of(here, name)
        curve = parts.curve_of(part, axis, Style(style.color, style.marker), [label])
        spread = _spread(representations.of(rows, name), curve)
        if metric == "lsh_cosine" and spread is not None:
            curve = replace(curve, bands=(spread,))
        drawn.append(curve)
    if images:
        return Panel("", axis, Vertical(marks.metric_label(metric)), tuple(drawn))
    reference = REFERENCES[metric]
    at = np.minimum(np.linspace(0, float(levels[-1]), 101), FARTHEST)
    heights = reference.of_distance(at)
    guide = Guide(REFERENCE_LABEL, x=at, y=heights, style=REFERENCE_STYLE)
    title = f"reference: {reference.formula}"
    return Panel(title, axis, Vertical(marks.metric_label(metric)), tuple(drawn), guides=(guide,))


def _spread(rows: "pd.DataFrame", curve: Curve) -> tuple[np.ndarray, np.ndarray] | None:
    rows = rows[rows["metric"] == SPREAD]
    if rows.empty:
        return None
    deviation = rows.set_index("position")["mean"].reindex(curve.x).to_numpy(dtype=float)
    return curve.y - deviation, curve.y + deviation


def _buckets(rows: "pd.DataFrame") -> Panel:
    here = rows[rows["metric"].isin(list(BUCKETS))]
    levels = tuple(selection.factor_values(here, "position"))
    axis = Axis("Bits compared k", "linear", levels, factor="position")
    # A chance that no pair met is unknown, not 0, on a logarithmic axis.
    here, drawn = here.assign(mean=here["mean"].where(here["mean"] > 0)), []
    for name in representations.present(here):
        label, style = LOOKS[name]
        for metric, (pairs, dash) in BUCKETS.items():
            part = representations.of(here[here["metric"] == metric], name)
            if len(part):
                look = replace(style, linestyle=dash)
                drawn.append(parts.curve_of(part, axis, look, [label, pairs]))
    vertical = Vertical("P(first k bits equal)", "log", parts.log_limits(drawn))
    return Panel("", axis, vertical, tuple(drawn))


KIND = FigureKind(
    name="lsh_curve",
    description="Similarity of codes against the distance of their manifolds.",
    measure="locality",
    chart=chart,
    question=question,
    reading="Similarity of the codes of two points against the distance of their manifolds; black "
    "dashes are what the identifiers themselves would give; bands and bars are 95% t-intervals of "
    "the mean over seeds, but the band of the cosine is one standard deviation over pairs",
)
