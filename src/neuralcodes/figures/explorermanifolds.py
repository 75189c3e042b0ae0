"""Interactive charts of manifolds: sweeps, retrieval and embeddings."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from neuralcodes.errors import DataError
from neuralcodes.figures import (
    curves,
    embeddingcharts,
    explorerdimensions,
    manifoldcharts,
    manifoldlines,
    manifoldlooks,
    marks,
    retrievalcharts,
)
from neuralcodes.figures.explorerdata import (
    FIGURE,
    FURTHER,
    Dimension,
    Draft,
    Part,
    Role,
    Value,
    Vertical,
    axis_of,
    guide,
    note,
)
from neuralcodes.figures.marks import FigureSpec, Style
from neuralcodes.figures.scales import Axis


def draft_manifold_sweep(
    spec: FigureSpec, summary: pd.DataFrame, published: pd.DataFrame | None = None
) -> Draft:
    """All metrics of codes against a factor, beside those of the baselines.

    Without `spec.line` a colour per representation, and dashes by split; with it a colour per
    value and dashes by representation, one split at a time. Variants are then a choice.
    """
    del published  # the paper gives no comparable numbers
    spec = replace(spec, x=spec.x or "manifolds")
    spec = replace(spec, options={**manifoldcharts.AXES.get(spec.x, {}), **spec.options})
    shown = [spec.x, *filter(None, [spec.line, spec.variant])]
    rows = marks.select(summary, spec, [*shown, "representation"])
    rows = rows[rows["representation"].isin(list(manifoldlooks.REPRESENTATIONS))]
    measures = _measures(spec, rows)
    rows = rows[rows["metric"].isin([value.text for value in measures.options])]
    marks.refuse_mixture(rows, [*shown, "metric", "split", "representation"])
    axis = Axis.of(spec.x, rows, spec)
    form = "points" if axis.scale == "category" else "lines"
    draft = Draft(form, [axis_of(axis, spec.x)], [measures])
    if spec.line:
        values = marks.factor_values(rows, spec.line)
        lines = explorerdimensions.of_factor(spec.line, values, "colour", marks.line_styles(values))
        label = manifoldcharts.AXES.get(spec.line, {}).get("x_label", lines.label)
        draft.dimensions += [_splits(spec, rows, "choice"), replace(lines, label=label)]
        draft.dimensions.append(_representations(rows, "dash"))
    else:
        draft.dimensions += [_representations(rows, "colour"), _splits(spec, rows, "dash")]
    draft.dimensions += filter(None, [explorerdimensions.of_variants(spec, rows, "choice")])
    draft.parts = _parts(rows, spec.x, axis, draft.dimensions)
    for m, measure in enumerate(measures.options):
        chance = manifoldcharts.chance_of(measure.text)
        if chance is not None:
            draft.guides.append(guide((m, *[None] * (len(draft.dimensions) - 1)), "chance", chance))
    return draft


def draft_retrieval(
    spec: FigureSpec, summary: pd.DataFrame, published: pd.DataFrame | None = None
) -> Draft:
    """Recall, speed and size of an index of codes against their length, a colour per method."""
    del published  # the paper retrieves nothing
    x = spec.x or "hash_width"
    methods, exact = retrievalcharts.METHODS, retrievalcharts.EXACT
    rows = marks.select(summary, spec, [x, "method"])
    rows = rows[rows["method"].isin([*methods, exact])]
    usual = manifoldlooks.of_split(spec, rows)["split"].iloc[0]
    codes = rows[rows["method"] != exact]
    if codes.empty:
        raise DataError(f"a chart of kind {spec.kind} needs one of the methods {list(methods)}")
    splits = explorerdimensions.of_splits(rows, str(usual))
    marks.refuse_mixture(rows, [x, "method", "metric", "split"])
    present = [name for name in methods if (codes["method"] == name).any()]
    metrics = [m for m in retrievalcharts.METRICS if (codes["metric"] == m).any()]
    measures = [
        Value(metric, marks.metric_label(metric), vertical=_retrieval_axis(metric))
        for metric in metrics
    ]
    axis = _length_axis(spec, x, manifoldlooks.of_split(spec, codes))
    draft = Draft("points", [axis_of(axis, x)], [])
    draft.dimensions = [
        Dimension("measure", "Measure", "choice", tuple(measures)),
        splits,
        Dimension("method", "Method", "colour", tuple(Value(n, *methods[n]) for n in present)),
    ]
    for m, metric in enumerate(metrics):
        for s, split in enumerate(splits.options):
            here = curves.of_series(rows, (metric, split.text))
            for j, method in enumerate(present):
                draft.parts.append(Part(here[here["method"] == method], x, axis, (m, s, j)))
            level = here.loc[here["method"] == exact, "mean"].to_numpy(dtype=float)
            if len(level):
                look = Style("#7f7f7f", "", "-")
                draft.guides.append(guide((m, s, None), "exact search", level.mean(), style=look))
    return draft


def draft_manifold_embedding(
    spec: FigureSpec, summary: pd.DataFrame, published: pd.DataFrame | None = None
) -> Draft:
    """Points of a few manifolds on the two principal components, one member at a time."""
    del published  # the paper shows no embedding
    first, second = embeddingcharts.COMPONENTS
    columns = ("member", "manifold", "position")
    known = [first, second, "explained_variance"]
    rows = manifoldlooks.of_split(spec, manifoldlooks.measured(spec, summary, columns, known))
    points = rows[rows["metric"].isin([first, second])]
    where = ["representation", "member", "manifold", "position"]
    marks.refuse_mixture(points, [*where, "metric"])
    down = points[points["metric"] == second]
    across = points[points["metric"] == first].set_index(where)["mean"]
    down = down.assign(across=across.reindex(pd.MultiIndex.from_frame(down[where])).to_numpy())
    names = _representations(points, "choice")
    members = sorted(points["member"].dropna().unique())
    manifolds = marks.factor_values(points, "manifold")
    if not members or len(manifolds) > len(embeddingcharts.LOOKS):
        raise DataError(
            f"an embedding needs a member in each row and at most {len(embeddingcharts.LOOKS)} "
            f"manifolds; it has {len(members)} and {len(manifolds)}"
        )
    styles = zip(manifolds, embeddingcharts.LOOKS, strict=False)
    looks = [Value(explorerdimensions.text_of(m), str(k), s) for k, (m, s) in enumerate(styles, 1)]
    seeds = [Value(f"{member:.0f}", f"seed {member:.0f}") for member in members]
    axis = Axis("Principal component 1", "linear", tuple(sorted(set(down["across"]))))
    draft = Draft("scatter", [axis_of(axis, "across")], [], Vertical("Principal component 2"))
    draft.dimensions = [
        names,
        Dimension("member", "Seed", "choice", tuple(seeds)),
        Dimension("manifold", "Manifold", "colour", tuple(looks)),
    ]
    draft.parts = _parts(down, "across", axis, draft.dimensions)
    shares = rows[(rows["metric"] == "explained_variance") & np.isfinite(rows["mean"])]
    places = [_places(shares, dimension) for dimension in draft.dimensions[:2]]
    for (r, s), part in shares.groupby(places, sort=True):
        text = f"{100 * part['mean'].iloc[0]:.0f}% of the variance"
        draft.notes.append(note((int(r), int(s), None), text))
    return draft


def _measures(spec: FigureSpec, rows: pd.DataFrame) -> Dimension:
    """All metrics that the trained network has; those of the static figure first."""
    trained = manifoldlooks.of_representation(rows, "trained")
    known = set(trained.loc[np.isfinite(trained["mean"]), "metric"])
    found = [marks.ONE_SHOT.fullmatch(name) for name in known]
    ways = sorted(int(one["way"]) for one in found if one and not one["bits"])
    one_shot = [f"one_shot_accuracy_{way}" for way in ways]
    usual = spec.options.get("metrics", ["variance_ratio", *one_shot, "ridge_r2"])
    shown = [str(name) for name in usual if name in known]
    if not shown:
        raise DataError(f"a chart of kind {spec.kind} shows {[*usual]}; none of it is measured")
    order = list(marks.METRICS)
    further = sorted(known - {*shown}, key=lambda name: (name not in order, name))
    options = []
    for name in (*shown, *further):
        means = rows.loc[(rows["metric"] == name) & np.isfinite(rows["mean"]), "mean"]
        log = name in manifoldcharts.LOG_METRICS and (means > 0).all()
        limits = manifoldlooks.WHOLE if "accuracy" in name else (None, None)
        label = marks.metric_label(name)
        vertical = Vertical(label, "log" if log else "linear", limits)
        group = (FIGURE if name in shown else FURTHER) if further else ""
        options.append(Value(name, label, vertical=vertical, group=group))
    return Dimension("measure", "Measure", "choice", tuple(options))


def _representations(rows: pd.DataFrame, role: Role) -> Dimension:
    looks = {name: manifoldlooks.REPRESENTATIONS[name] for name in manifoldlooks.present(rows)}
    # The network that was trained comes first, the baselines follow.
    options = [Value(name, label, style) for name, (label, style) in reversed(looks.items())]
    return Dimension("representation", "Codes of", role, tuple(options))


def _splits(spec: FigureSpec, rows: pd.DataFrame, role: Role) -> Dimension:
    known = [split for split in manifoldlines.SPLITS if (rows["split"] == split).any()]
    lines = dict(zip(known, marks.LINESTYLES, strict=False))
    options = [Value(s, marks.SPLITS[s], Style(marks.NEUTRAL, "", lines[s])) for s in known]
    named = [split for split in spec.options.get("splits", known) if split in known]
    selected = tuple(known.index(split) for split in named) if role == "dash" else None
    return Dimension("split", "Split", role, tuple(options), selected)


def _places(rows: pd.DataFrame, dimension: Dimension) -> pd.Series:
    """Place of each row's value in a dimension that is named as its column, or holds metrics."""
    column = rows["metric" if dimension.name == "measure" else dimension.name]
    places = {value.text: place for place, value in enumerate(dimension.options)}
    return column.map(explorerdimensions.text_of).map(places)


def _parts(rows: pd.DataFrame, x: str, axis: Axis, dimensions: Sequence[Dimension]) -> list[Part]:
    places = [_places(rows, dimension) for dimension in dimensions]
    groups = rows.groupby(places, sort=True)
    return [Part(part, x, axis, tuple(int(each) for each in place)) for place, part in groups]


def _retrieval_axis(metric: str) -> Vertical:
    log = metric in retrievalcharts.LOG_METRICS
    limits = (None, None) if log else manifoldlooks.WHOLE
    return Vertical(marks.metric_label(metric), "log" if log else "linear", limits)


def _length_axis(spec: FigureSpec, x: str, rows: pd.DataFrame) -> Axis:
    levels = tuple(marks.factor_values(rows, x))
    if not all(isinstance(value, (int, float)) and value > 0 for value in levels):
        raise DataError(f"code lengths must be numbers above 0; {x} has {list(levels)}")
    lengths = rows[rows["metric"] == "code_length"]
    same = (lengths["mean"] == lengths[x]).all() and (len(lengths) or x == "hash_width")
    usual = retrievalcharts.CODE_LENGTH if same else marks.factor_label(x)
    label = str(spec.options.get("x_label") or usual)
    return Axis(label, "log" if spec.options.get("x_scale", "log") == "log" else "linear", levels)
