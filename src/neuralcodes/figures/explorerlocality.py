"""Interactive charts of locality: what codes make of the distance of two manifolds."""

import numpy as np
import pandas as pd

from neuralcodes.errors import DataError
from neuralcodes.figures import explorerdimensions, localitycharts, manifoldlooks, marks
from neuralcodes.figures.explorerdata import (
    Dimension,
    Draft,
    Part,
    Value,
    Vertical,
    axis_of,
    guide,
    note,
)
from neuralcodes.figures.marks import FigureSpec, Style
from neuralcodes.figures.scales import Axis

BANDS = ("\u00b1 standard deviation over pairs",)
BUCKET = "bucket"
PAIRS = ("pairs", "Pairs")


def draft_lsh_curve(
    spec: FigureSpec, summary: pd.DataFrame, published: pd.DataFrame | None = None
) -> Draft:
    """Similarity of codes against the distance of their manifolds, and the odds of one bucket."""
    del published  # the paper gives no comparable numbers
    images = "family" in summary.columns and {*summary["family"]} == {"images"}
    positions = str(spec.options.get("positions", "decile" if images else "distance"))
    known = [*localitycharts.REFERENCES, *localitycharts.BUCKETS, "lsh_cosine_sd"]
    rows = manifoldlooks.measured(spec, summary, ["position"], known)
    marks.refuse_mixture(rows, ["representation", "metric", "position", "split"])
    usual = manifoldlooks.of_split(spec, rows)["split"]
    splits, names = explorerdimensions.of_splits(rows, usual.iloc[0]), manifoldlooks.present(rows)
    buckets = rows["metric"].isin(list(localitycharts.BUCKETS))
    far = rows[rows["metric"].isin(list(localitycharts.REFERENCES))]
    metrics = [m for m in localitycharts.METRICS if m == BUCKET or (far["metric"] == m).any()]
    wanted = [m for m in spec.options.get("metrics", metrics) if m in metrics]
    shown = [m for m in dict.fromkeys([*wanted, *metrics]) if m != BUCKET or buckets.any()]
    if not shown:
        raise DataError(f"a chart of kind {spec.kind} needs one of {localitycharts.METRICS}")
    draft = Draft("lines", [], [], bands=BANDS)
    label = localitycharts.POSITIONS[positions]
    axes = [Axis(label, "linear", _levels(far))] if len(far) else []
    axes += [Axis("Bits compared k", "linear", _levels(rows[buckets]))] if buckets.any() else []
    draft.axes = [axis_of(axis, "position") for axis in axes]
    draft.dimensions = [
        Dimension("measure", "Measure", "choice", _measures(shown, len(axes))),
        *(splits, _colours(names, len(far) > 0 and positions == "distance")),
        Dimension(*PAIRS, "dash", _pairs(localitycharts.BUCKETS)),
    ]
    for m, metric in enumerate(shown):
        axis = axes[-1] if metric == BUCKET else axes[0]
        for s, split in enumerate(splits.options):
            for r, name in enumerate(names):
                here = manifoldlooks.of_representation(rows, name)
                here = here[here["split"] == split.text]
                draft.parts += _parts(here, metric, axis, (m, s, r))
        if metric != BUCKET and positions == "distance":
            draft.guides.append(_reference(metric, axis, (m, None, len(names), None)))
            formula = localitycharts.REFERENCES[metric].formula
            draft.notes.append(note((m, None, None, None), f"reference: {formula}"))
    return draft


def draft_manifold_distances(
    spec: FigureSpec, summary: pd.DataFrame, published: pd.DataFrame | None = None
) -> Draft:
    """Densities of squared distances within and between manifolds, in steps."""
    del published  # the paper gives no comparable numbers
    densities = localitycharts.DENSITIES
    rows = manifoldlooks.measured(spec, summary, ["position"], list(densities))
    marks.refuse_mixture(rows, ["representation", "metric", "position", "split"])
    usual = str(manifoldlooks.of_split(spec, rows)["split"].iloc[0])
    splits = explorerdimensions.of_splits(rows, usual)
    names = list(reversed(manifoldlooks.present(rows)))
    label = localitycharts.DISTANCE_LABEL.replace("\n", " ")
    axis = Axis(label, "linear", _levels(rows))
    draft = Draft("steps", [axis_of(axis, "position")], [], Vertical("Density"))
    codes = [Value(name, manifoldlooks.REPRESENTATIONS[name][0]) for name in names]
    styles = {m: (text, Style(color, "", dash)) for m, (text, color, dash) in densities.items()}
    draft.dimensions = [
        *(Dimension("representation", "Codes of", "choice", tuple(codes)), splits),
        Dimension(*PAIRS, "colour", tuple(Value(m, *look) for m, look in styles.items())),
    ]
    for r, name in enumerate(names):
        for s, split in enumerate(splits.options):
            here = manifoldlooks.of_representation(rows, name)
            here = here[here["split"] == split.text]
            both = [here[here["metric"] == m].sort_values("position") for m in densities]
            for p, part in enumerate(both):
                draft.parts.append(Part(part, "position", axis, (r, s, p)))
            area = _shared_area(*both)
            if area is not None:
                draft.notes.append(note((r, s, None), f"shared area {area:.2f}"))
    return draft


def _parts(rows: pd.DataFrame, metric: str, axis: Axis, place: tuple[int, int, int]) -> list[Part]:
    made = []
    for d, name in enumerate(localitycharts.BUCKETS if metric == BUCKET else [metric]):
        part = rows[rows["metric"] == name].sort_values("position")
        if metric == BUCKET:
            # A chance that no pair met is unknown, not 0.
            part = part[part["mean"] > 0]
        spread = np.full(len(part), np.nan)
        if metric == "lsh_cosine":
            known = rows[rows["metric"] == "lsh_cosine_sd"].set_index("position")["mean"]
            spread = known.reindex(part["position"]).to_numpy(dtype=float)
        mean = part["mean"].to_numpy(dtype=float)
        bands = ((mean - spread, mean + spread),)
        pair = d if metric == BUCKET else None
        made.append(Part(part, "position", axis, (*place, pair), bands))
    return made


def _reference(metric: str, axis: Axis, place: tuple[int | None, ...]) -> dict[str, object]:
    # Densest at the far end, where the angle bends most.
    at = float(axis.levels[-1]) * np.sin(np.linspace(0, np.pi / 2, 41))
    at = np.minimum(at, localitycharts.FARTHEST)
    heights = localitycharts.REFERENCES[metric].of_distance(at)
    style = localitycharts.REFERENCE_STYLE
    return guide(place, localitycharts.REFERENCE_LABEL, heights, at, style=style)


def _measures(metrics: list[str], axes: int) -> tuple[Value, ...]:
    similar = {m: Vertical(marks.metric_label(m)) for m in metrics if m != BUCKET}
    odds = Vertical("P(first k bits equal)", "log")
    made = [Value(m, vertical.label, axis=0, vertical=vertical) for m, vertical in similar.items()]
    made += [Value(BUCKET, odds.label, axis=axes - 1, vertical=odds)] * (BUCKET in metrics)
    return tuple(made)


def _colours(names: list[str], referred: bool) -> Dimension:
    looks = [(name, *manifoldlooks.REPRESENTATIONS[name]) for name in names]
    values = [Value(name, label, style) for name, label, style in looks]
    if referred:
        style = localitycharts.REFERENCE_STYLE
        values.append(Value("reference", localitycharts.REFERENCE_LABEL, style))
    return Dimension("representation", "Codes of", "colour", tuple(values))


def _pairs(buckets: dict[str, tuple[str, str]]) -> tuple[Value, ...]:
    looks = (
        (name, label, Style(marks.NEUTRAL, "", dash)) for name, (label, dash) in buckets.items()
    )
    return tuple(Value(*look) for look in looks)


def _levels(rows: pd.DataFrame) -> tuple[object, ...]:
    return tuple(marks.factor_values(rows, "position"))


def _shared_area(first: pd.DataFrame, second: pd.DataFrame) -> float | None:
    at = first["position"].to_numpy(dtype=float)
    if len(at) < 2 or not np.array_equal(at, second["position"].to_numpy(dtype=float)):
        return None
    between = (at[1:] + at[:-1]) / 2
    edges = [2 * at[0] - between[0], *between, 2 * at[-1] - between[-1]]
    heights = (part["mean"].to_numpy(dtype=float) for part in (first, second))
    return localitycharts.shared_area(*heights, np.diff(edges))
