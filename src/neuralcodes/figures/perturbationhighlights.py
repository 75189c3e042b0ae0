"""Small tables of text of perturbed networks: the levels that tell most."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from neuralcodes.figures import (
    cells,
    codefindings,
    curves,
    looks,
    marks,
    perturbationcharts,
    perturbationfindings,
    perturbationviews,
    trends,
)
from neuralcodes.figures.marks import FigureSpec
from neuralcodes.figures.perturbationviews import KINDS

# Levels that the paper's tables have, the most telling first.
TELLING = {
    "scale": (0.1, 0.01, 10.0, 0.05, 0.5, 2.0, 0.3, 5.0),
    "clip": (0.1, 0.5, 0.01, 0.3, 0.05, 1.0, 0.2, 0.75),
    "offset": (0.1, -0.1, 0.5, -0.5, 0.05, -0.05, 0.01, -0.01, 0.3, -0.3, 1.0, -1.0),
}
LEVELS_OF = {"scale_per_unit": "scale", "clip_activation": "clip"}
NEAR = 0.1  # share of a level by which a measured one may differ from it


def of_perturbations(spec: FigureSpec, summary: pd.DataFrame) -> pd.DataFrame:
    """Numbers of the kind `perturbations`: the levels that tell most, by line and split."""
    spec, rows = looks.selected(spec, summary, ("perturbation", "level"))
    series = [each for _, each in perturbationcharts.ACCURACY.values()]
    rows = looks.of_any(rows, series)
    kinds = perturbationviews.chosen(spec, rows, ("scale", "clip", "offset"))
    variants = curves.variant_values(spec, rows)
    shown = [s for s in series if _shows(spec, s[1]) and len(curves.of_series(rows, s))]
    many = len(variants) * len(marks.factor_values(rows, spec.line))
    # Rather all lines of one split than some lines of a second.
    shown = shown[: max(1, (cells.MOST_COLUMNS - 2) // many)]
    columns = {}
    for variant in variants:
        part = marks.rows_equal(rows, spec.variant, variant) if spec.variant else rows
        end = f", {marks.value_label(variant)}" if spec.variant else ""
        for metric, split in shown:
            for label, here in perturbationfindings.lines(spec, part):
                named = f"{label}, {marks.SPLITS[split]}{end}"
                columns[named] = curves.of_series(here, (metric, split))
    return _by_level(rows, kinds, columns)


def of_equal_change(spec: FigureSpec, summary: pd.DataFrame) -> pd.DataFrame:
    """Numbers of the kind `equal_change`: a row per line and size, a column per kind."""
    spec, rows, _ = perturbationfindings.accuracies(spec, summary)
    ways = perturbationfindings.equal_ways(codefindings.first_variant(spec, rows))
    columns = {f"{way[:1].upper()}{way[1:]}": here for way, here in ways.items()}
    if not columns:
        return pd.DataFrame()
    labels = {"level": "Change of the hidden vector"}
    index = [spec.line, "level"]
    return cells.grid(pd.concat(columns.values()), index, columns, "level", labels)


def of_perturbed_codes(spec: FigureSpec, summary: pd.DataFrame) -> pd.DataFrame:
    """Numbers of the kind `perturbed_codes`: the levels that tell most, by line."""
    spec, rows = looks.selected(spec, summary, ("perturbation", "level"))
    group = [series for part in perturbationcharts.CODES.values() for series in part]
    rows = codefindings.first_variant(spec, looks.of_any(rows, group))
    kinds = perturbationviews.chosen(spec, rows, ("offset",))
    values = marks.factor_values(rows, spec.line)
    named = [
        (("flipped_bits", "test"), "Flipped bits"),
        (("redundancy_ratio", "test"), "Redundancy ratio"),
        (("knn_accuracy", "test"), "K-NN accuracy"),
    ]
    # As many metrics of each line as there are columns for.
    room = max(1, (cells.MOST_COLUMNS - 2) // len(values))
    measured = [(s, label) for s, label in named if len(curves.of_series(rows, s))]
    measured = sorted(measured, key=lambda each: each[0][0] != "knn_accuracy")[:room]
    columns = {
        f"{label}, {name}": curves.of_series(part, series)
        for series, label in measured
        for name, part in perturbationfindings.lines(spec, rows)
    }
    return _by_level(rows, kinds, columns)


def _by_level(
    rows: pd.DataFrame, kinds: Sequence[str], columns: dict[str, pd.DataFrame]
) -> pd.DataFrame:
    """A row without perturbation, and rows of the levels of each kind that tell most."""
    columns = dict(list(columns.items())[: cells.MOST_COLUMNS - 2])
    plain = {label: part[part["perturbation"] == "none"] for label, part in columns.items()}
    made = [("none", "", {label: _only(part) for label, part in plain.items()})]
    for kind in kinds:
        known = rows.loc[rows["perturbation"] == kind, "level"].astype(float).unique()
        for level in _telling(kind, known, (cells.MOST_ROWS - 1) // len(kinds)):
            texts = {}
            for label, part in columns.items():
                same = np.isclose(part["level"].astype(float), level, rtol=1e-9, atol=1e-12)
                texts[label] = _only(part[(part["perturbation"] == kind) & same])
            text = perturbationfindings.level_text(kind, level)
            made.append((KINDS[kind].name, text, texts))
    lines = [
        {"Perturbation": kind, "Level": level, **texts}
        for kind, level, texts in made
        if any(texts.values())
    ]
    return pd.DataFrame(lines, columns=["Perturbation", "Level", *columns], dtype=str)


def _telling(kind: str, known: Sequence[float], most: int) -> list[float]:
    """Measured levels next to those that tell most, in their order."""
    found: list[float] = []
    for level in TELLING[LEVELS_OF.get(kind, kind)]:
        near = [each for each in known if abs(each - level) <= NEAR * abs(level) + 1e-12]
        near.sort(key=lambda each: abs(each - level))
        found += [float(near[0])] if near and float(near[0]) not in found else []
    found = found or trends.some(sorted(float(each) for each in known), most)
    return sorted(found[:most])


def _only(rows: pd.DataFrame) -> str:
    if rows.empty:
        return ""
    marks.refuse_mixture(rows, ["perturbation", "level"])
    return cells.cell(*(float(rows.iloc[0][name]) for name in ("mean", "low", "high")))


def _shows(spec: FigureSpec, split: str) -> bool:
    """Whether a figure of perturbations draws a split: one where it has variants, else both."""
    chosen = spec.options.get("split") or ("train" if spec.variant else None)
    return chosen in (None, split)
