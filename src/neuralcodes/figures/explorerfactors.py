"""Interactive charts of one factor at a time, of region sizes, and of pre-activations."""

from dataclasses import replace

import numpy as np
import pandas as pd

from neuralcodes.errors import DataError
from neuralcodes.figures import (
    charts,
    curves,
    explorercurves,
    explorerdimensions,
    looks,
    marks,
    preactivationcharts,
)
from neuralcodes.figures.explorerdata import Dimension, Draft, Part, Value, Vertical, axis_of
from neuralcodes.figures.marks import FigureSpec, Style
from neuralcodes.figures.scales import Axis

BANDS = ("5\u201395% of examples", "25\u201375% of examples")
BORDER = ("decision border of the unit", 0.0)
Band = tuple[np.ndarray, np.ndarray]


def draft_one_at_a_time(
    spec: FigureSpec, summary: pd.DataFrame, published: pd.DataFrame | None = None
) -> Draft:
    """Metrics as one factor leaves the base point while the others stay.

    Raises:
        DataError: no factor varies, or the base point cannot be told.
    """
    del published  # nothing is published for these factors
    known = spec.options.get("factors") or charts.REGULARIZATION
    known = [factor for factor in known if factor in summary.columns]
    rows = marks.select(summary, spec, known)
    factors = [f for f in known if len(rows[f].drop_duplicates()) > 1]
    if not factors:
        raise DataError(f"none of the factors {known} varies; there is nothing to compare")
    base = charts.base_point(rows, factors, spec.options.get("base", {}))
    usual = (*curves.REDUNDANCY, *curves.CATEGORIZATION)
    shown = [series for series in usual if len(curves.of_series(rows, series))]
    groups, series = explorercurves.series_dimensions(rows, shown, factors)
    draft, options = Draft("points", [], []), []
    for place, factor in enumerate(factors):
        here = rows
        for other, value in base.items():
            here = here if other == factor else marks.rows_equal(here, other, value)
        axis = Axis.of(factor, here)
        marked = None if base[factor] is None else float(axis.place([base[factor]])[0])
        draft.axes.append(axis_of(axis, factor, ("base point", marked)))
        options.append(Value(factor, marks.factor_label(factor), axis=place))
        for s, value in enumerate(series.options):
            pair = explorercurves.series_of(value)
            at = (place, explorercurves.group_place(groups, pair), s)
            draft.parts.append(Part(curves.of_series(here, pair), factor, axis, at))
    draft.dimensions = [Dimension("factor", "Factor", "choice", tuple(options)), groups, series]
    return draft


def draft_regions(
    spec: FigureSpec, summary: pd.DataFrame, published: pd.DataFrame | None = None
) -> Draft:
    """Median size of linear regions, with bands over examples; without a border, at the top."""
    del published  # the paper gives no comparable numbers
    spec = replace(spec, x=spec.x or "epoch")
    rows = marks.select(summary, spec, [spec.x, *filter(None, [spec.line])])
    rows = rows[rows["metric"].str.match(r"region_size_(median|q\d\d)$")]
    axis = Axis.of(spec.x, rows, spec)
    splits = explorerdimensions.of_splits(rows, None)
    values = marks.factor_values(rows, spec.line) if spec.line else [None]
    color = Style(marks.metric_color("knn_accuracy"), "o", "-")
    styles = marks.line_styles(values) if spec.line else {None: color}
    unbounded = np.isinf(rows["mean"]).any()
    vertical = Vertical("Region size (input units)", "log")
    draft = Draft("lines", [axis_of(axis, spec.x)], [splits], vertical, bands=BANDS)
    draft.interval = False
    lines = explorerdimensions.of_factor(spec.line or "width_per_layer", values, "colour", styles)
    if not spec.line:
        median = Value("median", "median over examples", color)
        lines = Dimension("series", "Series", "colour", (median,))
    draft.dimensions.append(lines)
    top = _top(rows)
    draft.top = top if unbounded else None
    for s, split in enumerate(splits.options):
        for j, value in enumerate(values):
            here = rows[rows["split"] == split.text]
            here = marks.rows_equal(here, spec.line, value) if spec.line else here
            marks.refuse_mixture(here, [spec.x, "metric"])
            medians = here[here["metric"] == "region_size_median"]
            bands = tuple(
                _band(here, medians[spec.x], spec.x, pair, top) for pair in charts.QUANTILES
            )
            medians = medians.assign(mean=medians["mean"].replace(np.inf, np.nan))
            draft.parts.append(Part(medians, spec.x, axis, (s, j), bands))
    return draft


def draft_preactivations(
    spec: FigureSpec, summary: pd.DataFrame, published: pd.DataFrame | None = None
) -> Draft:
    """Quantiles of the pre-activations of every unit, or the densities of a few of them."""
    del published  # nothing is published on pre-activations
    spec, rows = _of_units(spec, summary)
    values = marks.factor_values(rows, spec.line)
    lines = explorerdimensions.of_factor(spec.line, values, "choice")
    variants = explorerdimensions.of_variants(spec, rows, "choice")
    densities = rows[rows["metric"] == "density"]
    ranks = Axis("Unit (rank by active share)", "linear", tuple(sorted(set(rows["unit"]))))
    label, places = preactivationcharts.X_LABELS[2], sorted(set(densities["position"]))
    at = Axis(label, "linear", tuple(places))
    units = sorted(set(densities["unit"]))
    draft = Draft(
        "lines", [axis_of(ranks, "unit"), axis_of(at, "position", BORDER)], [], bands=BANDS
    )
    draft.interval = False
    draft.dimensions = [
        Dimension("view", "View", "choice", _views()),
        *(lines, _units(units, values)),
        *filter(None, [variants]),
    ]
    for j, value in enumerate(values):
        for v, variant in enumerate(curves.variant_values(spec, rows)):
            here, _ = looks.cell(spec, rows, value, variant)
            last = [v] * bool(spec.variant)
            medians = here[here["metric"] == "quantile_50"]
            marks.refuse_mixture(medians, ["unit"])
            bands = tuple(
                tuple(_quantile(here, name, medians["unit"]) for name in pair[:2])
                for pair in preactivationcharts.BANDS
            )
            draft.parts.append(Part(medians, "unit", ranks, (0, j, j, *last), bands))
            for place, unit in enumerate(units, start=len(values)):
                part = here[(here["metric"] == "density") & (here["unit"] == unit)]
                marks.refuse_mixture(part, ["position"])
                draft.parts.append(Part(part, "position", at, (1, j, place, *last), _none(part)))
    return draft


def _top(rows: pd.DataFrame) -> float:
    # As in the static figure: where bands without a border end.
    sizes = rows["mean"].to_numpy(dtype=float)
    return float(2 * np.max(sizes[np.isfinite(sizes)], initial=0.5))


def _band(rows: pd.DataFrame, at: pd.Series, x: str, pair: tuple[str, str], top: float) -> Band:
    ends = []
    for name in pair:
        quantile = rows[rows["metric"] == f"region_size_{name}"].set_index(x)["mean"]
        ends.append(quantile.replace(np.inf, top).reindex(at).to_numpy(dtype=float))
    return ends[0], ends[1]


def _of_units(spec: FigureSpec, summary: pd.DataFrame) -> tuple[FigureSpec, pd.DataFrame]:
    spec, rows = looks.selected(spec, summary, ("unit", "position"))
    split = str(spec.options.get("split", "train"))
    wanted = [*preactivationcharts.QUANTILES, "active_share", "density"]
    rows = rows[rows["metric"].isin(wanted) & (rows["split"] == split) & rows["unit"].notna()]
    absent = sorted(set(wanted) - set(rows["metric"]))
    if absent:
        raise DataError(f"a chart of preactivations needs {wanted}; {absent} is not measured")
    return spec, rows.assign(unit=rows["unit"].astype(int))


def _quantile(rows: pd.DataFrame, name: str, units: pd.Series) -> np.ndarray:
    values = rows[rows["metric"] == name].set_index("unit")["mean"]
    return values.reindex(units).to_numpy(dtype=float)


def _none(part: pd.DataFrame) -> tuple[Band, ...]:
    nothing = np.full(len(part), np.nan)
    return tuple((nothing, nothing) for _ in BANDS)


def _views() -> tuple[Value, ...]:
    labels = ("Quantiles of every unit", "Densities of some units")
    verticals = (Vertical("Pre-activation (standard deviations of the unit)"), Vertical("Density"))
    return tuple(
        Value(text, label, axis=place, vertical=vertical)
        for place, (text, label, vertical) in enumerate(
            zip(("quantiles", "densities"), labels, verticals, strict=True)
        )
    )


def _units(units: list[int], values: list[object]) -> Dimension:
    """Medians of all units in the colour of their line's value, then single units on a ramp."""
    styles = marks.line_styles(values)
    medians = [
        Value(
            f"median,{explorerdimensions.text_of(value)}",
            "median over examples",
            replace(styles[value], marker=""),
        )
        for value in values
    ]
    colors = [Style(color, "") for color in marks.ramp(len(units))]
    single = [Value(str(u), f"unit {u}", s) for u, s in zip(units, colors, strict=True)]
    return Dimension("unit", "Unit", "colour", (*medians, *single))
