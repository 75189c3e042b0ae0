"""The numbers of a study that a reader wants first, as a small table of text."""

from collections.abc import Callable
from dataclasses import replace

import pandas as pd

from neuralcodes.figures import (
    cells,
    chartfindings,
    codefindings,
    curves,
    localityfindings,
    looks,
    manifoldfindings,
    manifoldlooks,
    marks,
    perturbationhighlights,
    trainingfindings,
    trends,
)
from neuralcodes.figures.curves import Series
from neuralcodes.figures.manifoldlines import SPLITS
from neuralcodes.figures.manifoldlooks import REPRESENTATIONS
from neuralcodes.figures.marks import FigureSpec
from neuralcodes.figures.retrievalcharts import EXACT, METHODS, METRICS

LETTERS = {"under-expressive": "U", "critically-expressive": "C", "sufficiently-expressive": "S"}
UNIT_METRICS = ("active_share", "quantile_05", "quantile_50", "quantile_95")


def table(spec: FigureSpec, summary: pd.DataFrame) -> pd.DataFrame:
    """A study's main numbers, in the units of its figure.

    Cells are means over seeds and half of their 95% interval; with one seed there is no interval.
    Of many values a few are shown, evenly spread, the first and the last among them; of levels of
    perturbations those that the paper prints.

    Args:
        spec: the study's figure; its rows are the table's.
        summary: what `tables.summarize` returns.

    Returns:
        At most 14 rows and 8 columns of text; the first columns are the condition.

    Raises:
        DataError: the summary lacks what the figure needs.
        ValueError: there is no such kind, or an option is wrong.
    """
    if spec.kind not in MADE:
        raise ValueError(f"there is no figure kind {spec.kind!r}; there are {sorted(MADE)}")
    return MADE[spec.kind](spec, summary)


def _curves(spec: FigureSpec, summary: pd.DataFrame) -> pd.DataFrame:
    spec = replace(spec, x=spec.x or "width_per_layer")
    index = [*filter(None, [spec.line, spec.variant]), spec.x]
    rows = marks.select(summary, spec, index)
    return cells.grid(rows, index, _series(spec, rows), spec.x)


def _layers(spec: FigureSpec, summary: pd.DataFrame) -> pd.DataFrame:
    index = [spec.line or "width_per_layer", *filter(None, [spec.variant]), "layer"]
    rows = curves.layer_rows(summary, spec)
    return cells.grid(rows, index, _series(spec, rows), "layer")


def _random_inputs(spec: FigureSpec, summary: pd.DataFrame) -> pd.DataFrame:
    x = spec.x or "epoch"
    index = [spec.line or "width_per_layer", x]
    rows = marks.select(summary, spec, index)
    rows = rows[rows["metric"] == "redundancy_ratio"]
    name = marks.metric_label("redundancy_ratio")
    columns = {
        f"{name}, {marks.SPLITS[split]}": rows[rows["split"] == split]
        for split in curves.INPUT_STYLES
        if (rows["split"] == split).any()
    }
    return cells.grid(rows, index, columns, x)


def _one_at_a_time(spec: FigureSpec, summary: pd.DataFrame) -> pd.DataFrame:
    rows, base = chartfindings.base_point(spec, summary)
    parts = []
    for factor, usual in base.items():
        here = chartfindings.of_factor(rows, base, factor)
        values = marks.factor_values(here, factor)
        kept = trends.some(values, max(2, (cells.MOST_ROWS - 1) // len(base)))
        # The base is the first row of the table, not one of each factor.
        for value in (each for each in kept if not trends.same(each, usual)):
            label = f"{marks.factor_label(factor)}: {marks.value_label(value)}"
            parts.append(marks.rows_equal(here, factor, value).assign(change=label))
    plain = rows
    for factor, usual in base.items():
        plain = marks.rows_equal(plain, factor, usual)
    shown = pd.concat([plain.assign(change="none (base point)"), *parts])
    made = [
        cells.grid(part, ["change"], _series(spec, shown), "change", {"change": "Changed factor"})
        for _, part in shown.groupby("change", sort=False)
    ]
    return pd.concat(made, ignore_index=True).head(cells.MOST_ROWS)


def _regions(spec: FigureSpec, summary: pd.DataFrame) -> pd.DataFrame:
    x = spec.x or "epoch"
    index = [*filter(None, [spec.line]), x]
    rows = marks.select(summary, spec, index)
    rows = rows[rows["metric"].str.match(r"region_size_(median|q\d\d)$")]
    names = {"median": "Median size", "q05": "5% quantile", "q95": "95% quantile"}
    columns = {
        f"{label}, {split}": curves.of_series(rows, (f"region_size_{name}", split))
        for split in ("train", "test")
        for name, label in names.items()
    }
    return cells.grid(rows, index, _filled(columns), x)


def _recipes(spec: FigureSpec, summary: pd.DataFrame) -> pd.DataFrame:
    names = [str(each) for each in spec.options.get("recipe") or [spec.line or "recipe"]]
    rows = marks.select(summary, spec, [*names, "width_per_layer"])
    index = [*names, "width_per_layer"]
    return cells.grid(rows, index, _series(spec, rows), "width_per_layer")


def _phases(spec: FigureSpec, summary: pd.DataFrame) -> pd.DataFrame:
    """Regime and redundancy of each point: a row per sample size and epoch, a column per width."""
    spec = replace(spec, x=spec.x or "width_per_layer")
    chart = chartfindings.regimes(spec, summary)
    sizes = marks.factor_values(chart, "sample_size")
    epochs = marks.factor_values(chart, "epoch")
    sizes = trends.some(sizes, cells.MOST_ROWS)
    epochs = trends.some(epochs, max(1, cells.MOST_ROWS // len(sizes)))
    widths = trends.some(marks.factor_values(chart, spec.x), cells.MOST_COLUMNS - 2)
    name = marks.factor_label(spec.x).split(" (")[0]
    made = []
    for size in sizes:
        for epoch in epochs:
            here = chart[(chart["sample_size"] == size) & (chart["epoch"] == epoch)]
            line = {
                marks.factor_label("sample_size"): marks.value_label(size),
                marks.factor_label("epoch"): marks.value_label(epoch),
            }
            for width in widths:
                cell = marks.rows_equal(here, spec.x, width)
                line[f"{name} {marks.value_label(width)}"] = _regime(cell)
            made.append(line)
    return pd.DataFrame(made, dtype=str)


def _training(spec: FigureSpec, summary: pd.DataFrame) -> pd.DataFrame:
    spec, rows = looks.selected(spec, summary, ("epoch",))
    if "perturbation" in rows.columns:
        rows = rows[rows["perturbation"].isna()]
    rows = looks.of_any(rows, [trainingfindings.ACCURACY, trainingfindings.LOSS])
    columns = {
        "Training error (1 \u2212 accuracy)": trainingfindings.as_error(rows),
        "Training loss": curves.of_series(rows, trainingfindings.LOSS),
    }
    index = [*filter(None, [spec.variant]), spec.line, "epoch"]
    return cells.grid(rows, index, _filled(columns), "epoch")


def _preactivations(spec: FigureSpec, summary: pd.DataFrame) -> pd.DataFrame:
    spec, rows = looks.selected(spec, summary, ("unit", "position"))
    split = str(spec.options.get("split", "train"))
    rows = rows[(rows["split"] == split) & rows["unit"].notna()]
    rows = rows[rows["metric"].isin(UNIT_METRICS)]
    rows = rows.assign(unit=rows["unit"].astype(int))
    names = {
        "active_share": "Active share of examples",
        "quantile_05": "5% quantile (SD)",
        "quantile_50": "Median pre-activation (SD)",
        "quantile_95": "95% quantile (SD)",
    }
    columns = {label: rows[rows["metric"] == metric] for metric, label in names.items()}
    index = [spec.line, *filter(None, [spec.variant]), "unit"]
    labels = {"unit": "Unit (rank by active share)"}
    return cells.grid(rows, index, _filled(columns), "unit", labels)


def _sweep(spec: FigureSpec, summary: pd.DataFrame) -> pd.DataFrame:
    spec, rows, metrics = manifoldfindings.sweep_rows(spec, summary)
    trained = manifoldlooks.of_representation(rows, "trained")
    split = next(name for name in SPLITS if (trained["split"] == name).any())
    rows = rows[rows["split"] == split]
    index = [*filter(None, [spec.line, spec.variant]), spec.x]
    shown = [(metric, "trained") for metric in metrics]
    shown += [(metric, name) for metric in metrics for name in ("untrained", "input")]
    columns = {}
    for metric, name in shown:
        here = manifoldlooks.of_representation(rows, name)
        head = f"{marks.metric_label(metric)}, {REPRESENTATIONS[name][0]}"
        columns[head] = here[here["metric"] == metric]
    labels = {spec.x: str(spec.options.get("x_label", marks.factor_label(spec.x)))}
    return cells.grid(rows, index, _filled(columns), spec.x, labels)


def _locality(spec: FigureSpec, summary: pd.DataFrame) -> pd.DataFrame:
    rows, x, metrics = localityfindings.similarities(spec, summary)
    rows = rows[rows["metric"].isin(metrics)]
    columns = {
        f"{marks.metric_label(metric)}, {REPRESENTATIONS[name][0]}": rows[
            (rows["metric"] == metric) & (rows["representation"] == name)
        ]
        for metric in metrics
        for name in ("trained", "untrained", "input")
    }
    label = {"distance": "Distance of the identifiers", "decile": "Distance of images (decile)"}[x]
    return cells.grid(rows, [x], _filled(columns), x, {x: label})


def _distances(spec: FigureSpec, summary: pd.DataFrame) -> pd.DataFrame:
    found = localityfindings.overlaps(spec, summary)
    heads = {
        "shared_area": "Shared area of the densities",
        "intra": "Mean squared distance, intra",
        "inter": "Mean squared distance, inter",
    }
    return _by_representation(found, heads)


def _embedding(spec: FigureSpec, summary: pd.DataFrame) -> pd.DataFrame:
    found = manifoldfindings.embedding(spec, summary)
    heads = {
        "within": "Variance within manifolds (share of the plane's)",
        "neighbours": "Nearest neighbour of the same manifold (share)",
        "explained": "Variance that the plane holds (share)",
    }
    return _by_representation(found, heads)


def _retrieval(spec: FigureSpec, summary: pd.DataFrame) -> pd.DataFrame:
    x, rows = manifoldfindings.retrieval_rows(spec, summary)
    names = {name: label for name, (label, _) in METHODS.items()} | {EXACT: "exact search"}
    rows = rows.assign(method=rows["method"].map(names))
    columns = {marks.metric_label(name): rows[rows["metric"] == name] for name in METRICS}
    return cells.grid(rows, [x, "method"], _filled(columns), x, {"method": "Search by"})


def _series(spec: FigureSpec, rows: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """A column per metric and split that the figure shows, the main ones first."""
    named = [(str(metric), str(split)) for metric, split in spec.options.get("metrics", ())]
    usual = [*codefindings.MAIN, *curves.CATEGORIZATION, *curves.REDUNDANCY]
    columns = {}
    for series in dict.fromkeys(named or usual):
        columns[_head(series)] = curves.of_series(rows, series)
    return _filled(columns)


def _head(series: Series) -> str:
    metric, split = series
    return f"{marks.metric_label(metric)}, {marks.SPLITS.get(split, split)}"


def _filled(columns: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    return {label: rows for label, rows in columns.items() if rows["mean"].notna().any()}


def _regime(rows: pd.DataFrame) -> str:
    """Letter of the regime and test redundancy of one point."""
    if rows.empty:
        return ""
    text = cells.cell(float(rows["redundancy_ratio"].iloc[0]))
    return f"{LETTERS.get(str(rows['regime'].iloc[0]), '')} {text}".strip()


def _by_representation(found: pd.DataFrame, heads: dict[str, str]) -> pd.DataFrame:
    made = [
        {"Codes of": REPRESENTATIONS[str(name)][0]}
        | {head: cells.cell(float(row[column])) for column, head in heads.items()}
        for name, row in found.iterrows()
    ]
    return pd.DataFrame(made, columns=["Codes of", *heads.values()], dtype=str)


MADE: dict[str, Callable[[FigureSpec, pd.DataFrame], pd.DataFrame]] = {
    "curves": _curves,
    "layers": _layers,
    "random_inputs": _random_inputs,
    "one_at_a_time": _one_at_a_time,
    "regions": _regions,
    "recipe_recovery": _recipes,
    "phase_chart": _phases,
    "perturbations": perturbationhighlights.of_perturbations,
    "equal_change": perturbationhighlights.of_equal_change,
    "perturbed_codes": perturbationhighlights.of_perturbed_codes,
    "training": _training,
    "preactivations": _preactivations,
    "manifold_sweep": _sweep,
    "lsh_curve": _locality,
    "manifold_distances": _distances,
    "manifold_embedding": _embedding,
    "retrieval": _retrieval,
}
