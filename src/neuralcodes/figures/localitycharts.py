"""Figure kinds of locality: what codes make of the distance of two manifolds."""

import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from neuralcodes.errors import DataError
from neuralcodes.figures import curves, manifoldlooks, marks, panels
from neuralcodes.figures.manifoldlooks import REPRESENTATIONS
from neuralcodes.figures.marks import FigureSpec, Style
from neuralcodes.figures.panels import Curve, Panel
from neuralcodes.figures.scales import Axis


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
REFERENCE_STYLE = Style("black", "", "--")
REFERENCE_LABEL = "reference: \u03b3 itself (angle \u03b1)"
METRICS = (*REFERENCES, "bucket")
BUCKETS = {
    "bucket_intra": ("intra-manifold pairs", "-"),
    "bucket_inter": ("inter-manifold pairs", "--"),
}
POSITIONS = {
    "distance": "Distance of the identifiers d = \u2016\u03b3\u2081 \u2212 \u03b3\u2082\u2016",
    "decile": "Distance of the untransformed images (decile; 0: same image)",
}
FARTHEST = 2.0  # distance of two unit vectors
DENSITIES = {
    "distance_density_intra": ("intra-manifold pairs", "#5b2a86", "-"),
    "distance_density_inter": ("inter-manifold pairs", "#7fb8d8", "--"),
}
DISTANCE_LABEL = "Squared distance\n(share of the inter-manifold mean)"
EDGE = "_spread"


def draw_lsh_curve(
    spec: FigureSpec, summary: pd.DataFrame, published: pd.DataFrame | None = None
) -> Figure:
    """Similarity of codes against the distance of their manifolds, and the odds of one bucket.

    A colour and a marker per representation. The cosine has the standard deviation over pairs as
    an outlined band; plain bands are intervals of the mean. References are what the identifiers
    themselves would give: 1 - d^2/2 for the cosine, and their angle 2 asin(d/2), as a share of pi,
    for the bits of random projections.

    Options: `metrics` (of `METRICS`; default: all that are measured), `split` (default: unseen),
    `positions`: "distance" of the identifiers, or "decile" of the distances of images, which has
    no references (default: decile where the factor `family` is images).

    Raises:
        DataError: the summary lacks what the figure needs, or factors vary that it does not show.
        ValueError: `positions` or a metric is unknown.
    """
    del published  # the paper gives no comparable numbers
    positions, wanted = _lsh_options(spec, summary)
    named = [name for metric in wanted for name in (BUCKETS if metric == "bucket" else [metric])]
    every = manifoldlooks.measured(spec, summary, ["position"], [*named, "lsh_cosine_sd"])
    every = manifoldlooks.of_split(spec, every)
    rows = manifoldlooks.of_metrics(spec, every, named)
    marks.refuse_mixture(every, ["representation", "metric", "position"])
    if positions == "distance":
        _refuse_far(rows[rows["metric"].isin(list(REFERENCES))])
    row = []
    for metric in wanted:
        if metric == "bucket" and rows["metric"].isin(list(BUCKETS)).any():
            row.append(_bucket_panel(rows))
        elif (rows["metric"] == metric).any():
            row.append(_similarity_panel(every, metric, positions))
    grid = curves.wrapped(row, spec)
    figure = panels.draw_panels(grid, spec, _lsh_handles(rows, row))
    for axes, panel in zip(figure.axes, row, strict=False):
        _finish(axes, panel, characters=32 if len(grid[0]) > 2 else 48)
    return figure


def draw_manifold_distances(
    spec: FigureSpec, summary: pd.DataFrame, published: pd.DataFrame | None = None
) -> Figure:
    """Densities of squared distances within and between manifolds, a panel per representation.

    Each panel names the area that the two densities, averaged over seeds, share.

    Options: `split` (default: unseen).

    Raises:
        DataError: the summary lacks what the figure needs, or factors vary that it does not show.
    """
    del published  # the paper gives no comparable numbers
    rows = manifoldlooks.measured(spec, summary, ["position"], list(DENSITIES))
    rows = manifoldlooks.of_split(spec, rows)
    marks.refuse_mixture(rows, ["representation", "metric", "position"])
    names = manifoldlooks.present(rows)
    columns = 1 if spec.columns == 1 else len(names)
    lines = -(-len(names) // columns)
    size = (spec.width_inches, 1.6 * lines + 0.85)
    figure = Figure(figsize=size, layout="constrained")
    figure.suptitle(spec.title)
    grid = figure.subplots(lines, columns, squeeze=False, sharex=True)
    letters = iter("abc" if len(names) > 1 else [""])
    for axes, name in zip(grid.flat, names, strict=True):
        _draw_densities(spec, axes, manifoldlooks.of_representation(rows, name))
        panels.add_letter(axes, next(letters), REPRESENTATIONS[name][0])
    for axes in grid[:, 0]:
        axes.set_ylabel("Density")
    figure.align_ylabels(grid[:, 0])
    for axes in grid[-1]:
        axes.set_xlabel(DISTANCE_LABEL)
    handles = [_density_handle(*look) for look in DENSITIES.values()]
    panels.add_legend(figure, handles, "", spec)
    return figure


def shared_area(first: np.ndarray, second: np.ndarray, widths: np.ndarray) -> float:
    """Area below both of two densities: 0 where they are apart, 1 where they are the same.

    Args:
        first: density per bin, float64 (bins,).
        second: the other one, in the same bins.
        widths: of the bins.
    """
    return float(np.sum(np.minimum(first, second) * widths))


def _lsh_options(spec: FigureSpec, summary: pd.DataFrame) -> tuple[str, list[str]]:
    images = "family" in summary.columns and {*summary["family"]} == {"images"}
    positions = str(spec.options.get("positions", "decile" if images else "distance"))
    if positions not in POSITIONS:
        raise ValueError(f"option positions must be one of {list(POSITIONS)}; got {positions!r}")
    wanted = [str(name) for name in spec.options.get("metrics", METRICS)]
    unknown = [name for name in wanted if name not in METRICS]
    if unknown:
        raise ValueError(f"option metrics must be of {list(METRICS)}; got {unknown}")
    return positions, wanted


def _refuse_far(rows: pd.DataFrame) -> None:
    farthest = float(rows["position"].max()) if len(rows) else 0.0
    if farthest > FARTHEST * (1 + 1e-6):
        raise DataError(
            f"the positions reach {farthest:g}, but unit vectors are at most {FARTHEST:g} apart; "
            'if they are deciles, set the option positions to "decile"'
        )


def _similarity_panel(rows: pd.DataFrame, metric: str, positions: str) -> Panel:
    here = rows[rows["metric"] == metric]
    axis = Axis(POSITIONS[positions], "linear", tuple(marks.factor_values(here, "position")))
    drawn = []
    for name in manifoldlooks.present(here):
        label, style = REPRESENTATIONS[name]
        style = replace(style, linestyle="-")
        part = manifoldlooks.of_representation(here, name)
        curve = panels.curve_of(part, axis, "position", style, label)
        spread = _spread(manifoldlooks.of_representation(rows, name), curve)
        if metric == "lsh_cosine" and spread is not None:
            curve = replace(curve, bands=(*curve.bands, spread))
            drawn += [Curve(EDGE, curve.x, end, replace(style, marker="")) for end in spread]
        drawn.append(curve)
    title = ""
    if positions == "distance":
        reference, at = REFERENCES[metric], np.linspace(0, float(axis.levels[-1]), 101)
        at = np.minimum(at, FARTHEST)
        drawn.append(Curve(REFERENCE_LABEL, at, reference.of_distance(at), REFERENCE_STYLE))
        title = f"reference: {reference.formula}"
    return Panel(title, marks.metric_label(metric), axis, tuple(drawn))


def _spread(rows: pd.DataFrame, curve: Curve) -> tuple[np.ndarray, np.ndarray] | None:
    """Ends of one standard deviation over pairs around the means; None where not measured."""
    rows = rows[rows["metric"] == "lsh_cosine_sd"]
    if rows.empty:
        return None
    deviation = rows.set_index("position")["mean"].reindex(curve.x).to_numpy(dtype=float)
    return curve.y - deviation, curve.y + deviation


def _bucket_panel(rows: pd.DataFrame) -> Panel:
    here = rows[rows["metric"].isin(list(BUCKETS))]
    # A chance that no pair met is unknown, not 0, on a logarithmic axis.
    here = here.assign(mean=here["mean"].where(here["mean"] > 0))
    axis = Axis("Bits compared k", "linear", tuple(marks.factor_values(here, "position")))
    drawn = []
    for name in manifoldlooks.present(here):
        for metric, (_, linestyle) in BUCKETS.items():
            part = manifoldlooks.of_representation(here[here["metric"] == metric], name)
            if len(part):
                label, style = REPRESENTATIONS[name]
                style = replace(style, linestyle=linestyle)
                drawn.append(panels.curve_of(part, axis, "position", style, label))
    limits = manifoldlooks.log_limits(drawn)
    y_label = "P(first k bits equal)"
    return Panel("", y_label, axis, tuple(drawn), y_scale="log", y_limits=limits)


def _lsh_handles(rows: pd.DataFrame, row: Sequence[Panel]) -> list[Artist]:
    handles = manifoldlooks.representation_handles(manifoldlooks.present(rows))
    labels = {curve.label for panel in row for curve in panel.curves}
    if REFERENCE_LABEL in labels:
        handles.append(panels.line_handle(REFERENCE_STYLE, REFERENCE_LABEL))
    measured = [name for name in BUCKETS if (rows["metric"] == name).any()]
    for label, linestyle in (BUCKETS[name] for name in measured):
        handles.append(panels.line_handle(Style(marks.NEUTRAL, "", linestyle), label))
    if EDGE in labels:
        look = {"edgecolor": marks.NEUTRAL, "linewidth": 0.5, "facecolor": "0.9"}
        handles.append(Patch(**look, label="cosine \u00b1 SD over pairs"))
    return handles + panels.interval_handles(rows)


def _finish(axes: Axes, panel: Panel, characters: int) -> None:
    # Panels below one another differ in their axes: each says what is on its own.
    axes.set_xlabel(textwrap.fill(panel.axis.label, characters))
    for line in axes.lines:
        if line.get_label() == EDGE:
            line.set(linewidth=0.4, zorder=1.6)
        elif line.get_label() == REFERENCE_LABEL:
            line.set(linewidth=0.8, zorder=2.6)


def _draw_densities(spec: FigureSpec, axes: Axes, rows: pd.DataFrame) -> None:
    heights = {
        metric: rows[rows["metric"] == metric].set_index("position")["mean"].sort_index()
        for metric in DENSITIES
    }
    intra, inter = (heights[metric] for metric in DENSITIES)
    if not intra.index.equals(inter.index) or len(intra) < 2:
        raise DataError(
            f"a figure of kind {spec.kind} compares densities in the same bins, at least two; "
            f"it found {len(intra)} within manifolds and {len(inter)} between them"
        )
    edges = _edges(intra.index.to_numpy(dtype=float))
    for metric, (label, color, linestyle) in DENSITIES.items():
        values = heights[metric].to_numpy(dtype=float)
        axes.stairs(values, edges, fill=True, color=color, alpha=0.45, linewidth=0)
        axes.stairs(values, edges, color=color, linestyle=linestyle, linewidth=0.9, label=label)
    area = shared_area(intra.to_numpy(), inter.to_numpy(), np.diff(edges))
    place = {"transform": axes.transAxes, "ha": "right", "va": "top"}
    axes.text(0.98, 0.97, f"shared area {area:.2f}", **place)
    axes.set_ylim(0, 1.15 * max(intra.max(), inter.max()))


def _edges(middles: np.ndarray) -> np.ndarray:
    """Edges of bins from their middles, as evenly as these lie."""
    between = (middles[1:] + middles[:-1]) / 2
    return np.array([2 * middles[0] - between[0], *between, 2 * middles[-1] - between[-1]])


def _density_handle(label: str, color: str, linestyle: str) -> Patch:
    look = {"facecolor": (color, 0.45), "edgecolor": color, "linestyle": linestyle}
    return Patch(**look, linewidth=0.9, label=label)
