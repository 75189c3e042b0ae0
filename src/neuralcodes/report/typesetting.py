"""Printed tables of perturbation tests: CSV, Markdown and LaTeX, laid out like the published ones.

The CSV is tidy and has nine digits: a row per condition and level, units in the column names. The
other two have a row per level and a group of columns per condition, as the appendix tables of
Oursland 2024, arXiv:2411.17932.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd

from neuralcodes.errors import DataError
from neuralcodes.papers import published
from neuralcodes.papers.published import beside
from neuralcodes.papers.significance import variants
from neuralcodes.perturbation import kinds as perturbations
from neuralcodes.report import sheets
from neuralcodes.report.sheets import Sheet
from neuralcodes.studies import layout, tables
from neuralcodes.studies.layout import AS_PUBLISHED, CORRECTED

SPLITS = {"train": "Training", "test": "Test"}
VARIANTS = {AS_PUBLISHED: "tests as published", CORRECTED: "corrected tests"}

# CSV column in percent: column of the comparison, a fraction.
_PERCENT = {
    "nominal_percent": "nominal",
    "level_percent": "level",
    "reference_percent": "reference",
    "accuracy_percent": "mean",
    "accuracy_percent_std": "std",
    "difference_percentage_points": "difference",
}
# CSV column: heading, in which *x* is a symbol, and the digits printed.
_AT_A_LEVEL = {
    "accuracy_percent": ("accuracy (%)", ".2f"),
    "published_train_accuracy_percent": ("published (%)", ".2f"),
    "t_statistic": ("*t*", ".1f"),
    "published_t_statistic": ("published *t*", ".1f"),
    "p_value": ("*p*", ".1e"),
    "published_p_value": ("published *p*", ".1e"),
    "cohens_d": ("*d*", ".2f"),
    "p_holm": ("*p* (Holm)", ".1e"),
}
_OF_THE_BASELINE = {
    "train_accuracy_percent": ("training accuracy (%)", ".2f"),
    "published_train_accuracy_percent": ("published training accuracy (%)", ".2f"),
    "test_accuracy_percent": ("test accuracy (%)", ".2f"),
    "published_test_accuracy_percent": ("published test accuracy (%)", ".2f"),
    "train_loss": ("training loss", ".4f"),
    "published_train_loss": ("published training loss", ".4f"),
    "dead_units": ("dead units", ".1f"),
}


@dataclass(frozen=True, eq=False)
class Setting:
    """What the tables of one study have in common.

    Attributes:
        factors: columns that tell the conditions apart.
        dataset: its name in captions.
        epochs: epochs of training in captions; None leaves them out.
        published: what `published.oursland2024` returns, to stand beside ours; matched on those
            factors that it has as columns, so that one more column keeps it to a condition.
    """

    factors: tuple[str, ...]
    dataset: str
    epochs: int | None = None
    published: pd.DataFrame | None = None

    @classmethod
    def of(cls, captions: Mapping[str, Any], values: Sequence[str]) -> Self:
        """Put together what a rule knows.

        Args:
            captions: what `layout.captions` gave.
            values: files of published values; none where the study shows none.
        """
        known = published.oursland2024(Path(values[0]).parent) if values else None
        return cls(**{**captions, "factors": tuple(captions["factors"])}, published=known)


def baseline_sheet(baseline: pd.DataFrame, setting: Setting) -> Sheet:
    """Table of the unperturbed networks, a row per condition.

    Args:
        baseline: what `significance.baseline` returns.
        setting: of the study.

    Returns:
        The sheet. Its table: factors, n; train_accuracy_percent, test_accuracy_percent and
        train_loss, each followed by its standard deviation (`_std`, n - 1 in the denominator, and
        `_std_population`, n); dead_units; the published values, their names before "published_".

    Raises:
        DataError: a column is missing, or the published values cannot be matched.
    """
    tables.require(baseline, [*setting.factors, "n", "dead_units_mean"], "the baseline")
    table = baseline[[*setting.factors, "n"]].copy()
    for metric in ("train_accuracy", "test_accuracy", "train_loss"):
        name, unit = (metric, 1) if metric == "train_loss" else (f"{metric}_percent", 100)
        table[name] = unit * baseline[f"{metric}_mean"]
        for spread in ("std", "std_population"):
            table[f"{name}_{spread}"] = unit * baseline[f"{metric}_{spread}"]
    table["dead_units"] = baseline["dead_units_mean"]
    if setting.published is not None:
        metrics = ("train_accuracy", "test_accuracy", "loss")
        table = beside(table, setting.published, "none", setting.factors, metrics)
    return _sheet(table, setting)


def comparison_sheet(comparison: pd.DataFrame, setting: Setting, kind: str, variant: str) -> Sheet:
    """Table of one perturbation in one variant, a row per level.

    Args:
        comparison: what `significance.compare` returns, all perturbations of one split.
        setting: of the study. The published accuracies are of the training split and stand beside
            no other; the published t and p stand beside the tests as published only.
        kind: the perturbation.
        variant: "as_published" or "corrected".

    Returns:
        The sheet. Its table: factors, split, perturbation, variant, n, nominal_percent (printed
        level), level_percent (measured), reference_percent (empty: the unperturbed network),
        accuracy_percent and its standard deviation (`_std`, n - 1), difference_percentage_points,
        t_statistic, p_value; in the corrected variant cohens_d and p_holm; the published values,
        their names before "published_".

    Raises:
        DataError: a column is missing, there are no such rows or rows of several splits, or the
            published values cannot be matched.
    """
    needed = ("split", "perturbation", "variant", "n", "t_statistic", "p_value", "p_holm")
    needed = (*setting.factors, *needed, *_PERCENT.values())
    tables.require(comparison, needed, "the comparison")
    rows = comparison[(comparison["perturbation"] == kind) & (comparison["variant"] == variant)]
    splits = rows["split"].unique().tolist()
    if len(splits) != 1:
        raise DataError(f"a table of {kind}, {variant}, needs tests of one split; got {splits}")
    table, published = _in_percent(rows, setting.factors, variant), setting.published
    if published is not None and splits == ["train"] and kind in set(published["perturbation"]):
        tests = ("t_statistic", "p_value") if variant == AS_PUBLISHED else ()
        table = beside(table, published, kind, setting.factors, ("train_accuracy", *tests))
    return _sheet(table, setting, int(comparison["p_holm"].notna().sum()))


def read(paths: Sequence[Path], setting: Setting) -> list[tuple[Sheet, pd.DataFrame]]:
    """Read all tables of a study back from their CSV files.

    Args:
        paths: the files that `write_all` wrote.
        setting: of the study; its published values stand in the files.

    Returns:
        Each sheet with its printed cells, as `sheets.markdown` takes them.

    Raises:
        DataError: a file is missing or not such a table.
    """
    found = [tables.read(path, (*setting.factors, "n")) for path in paths]
    tests = sum(int(table["p_holm"].notna().sum()) for table in found if "p_holm" in table)
    made = [_sheet(table, setting, tests) for table in found]
    return [(sheet, _grid(sheet)) for sheet in made]


def markdown(sheet: Sheet) -> str:
    """Set a sheet in Markdown: a heading, the note and a pipe table."""
    return sheets.markdown(sheet, _grid(sheet))


def latex(sheet: Sheet, label: str) -> str:
    """Set a sheet as a LaTeX table; see `sheets.latex`."""
    return sheets.latex(sheet, _grid(sheet), label)


def write_all(
    stem: str | Path,
    baseline: pd.DataFrame,
    comparison: pd.DataFrame,
    setting: Setting,
    kinds: Sequence[str],
) -> list[Path]:
    """Write all tables in all formats, each file whole or not at all.

    Args:
        stem: see `layout.typeset_files`.
        baseline: what `significance.baseline` returns.
        comparison: what `significance.compare` returns.
        setting: of the study.
        kinds: perturbations to print; every one must be in `comparison`.

    Returns:
        What `layout.typeset_files` lists.

    Raises:
        DataError: as the sheets; then nothing is written.
    """
    made, tests = [baseline_sheet(baseline, setting)], {}
    for kind in kinds:
        tests[kind] = variants(kind)
        made += [comparison_sheet(comparison, setting, kind, each) for each in tests[kind]]
    paths = [Path(path) for path in layout.typeset_files(str(stem), tests)]
    for i, sheet in enumerate(made):
        sheets.write(sheet, _grid(sheet), paths[3 * i : 3 * i + 3])
    return paths


def _action(kind: str) -> str:
    return perturbations.get(kind).look.action if kind in perturbations.names() else kind


def _in_percent(rows: pd.DataFrame, factors: Sequence[str], variant: str) -> pd.DataFrame:
    columns = {name: rows[name] for name in (*factors, "split", "perturbation", "variant", "n")}
    columns |= {name: 100 * rows[column] for name, column in _PERCENT.items()}
    extra = ("cohens_d", "p_holm") if variant == CORRECTED else ()
    columns |= {name: rows[name] for name in ("t_statistic", "p_value", *extra)}
    return pd.DataFrame(columns).reset_index(drop=True)


def _sheet(table: pd.DataFrame, setting: Setting, tests: int = 0) -> Sheet:
    """Put title and note to a table: of a perturbation where it has one, else of the baseline."""
    if "perturbation" not in table:
        title = f"Accuracy and loss without perturbation: {_circumstances(setting, table)}"
        note = (
            "Mean and standard deviation over seeds, which divides by their number as published. "
            "Published training accuracies and losses are one step older than the test accuracies."
        )
        return Sheet(table, setting.factors, title, note)
    split, kind, variant = table[["split", "perturbation", "variant"]].iloc[0]
    subject = f"{SPLITS.get(split, split)} accuracy under {_action(kind)}"
    title = f"{subject}, {VARIANTS[variant]}: {_circumstances(setting, table)}"
    return Sheet(table, setting.factors, title, _note(table, variant, tests))


def _circumstances(setting: Setting, table: pd.DataFrame) -> str:
    epochs = [] if setting.epochs is None else [f"{setting.epochs} epochs"]
    return ", ".join([setting.dataset, sheets.seeds(table["n"]), *epochs])


def _note(table: pd.DataFrame, variant: str, tests: int) -> str:
    levels = " or ".join(f"{level:.3g}%" for level in table["reference_percent"].unique())
    if variant == AS_PUBLISHED:
        return (
            f"Paired two-sided t tests against {levels}, the level nearest to what the released "
            "code takes for none. Positive t: less accurate than there. A dash: nothing to test."
        )
    return (
        "Paired two-sided t tests against the unperturbed networks. Positive t and d: less "
        "accurate than these. d: Cohen's d of the paired differences. p (Holm): adjusted for the "
        f"{tests} tests of all perturbations and conditions together. A dash: nothing to test."
    )


def _grid(sheet: Sheet) -> pd.DataFrame:
    """Printed cells as plain text; the columns are pairs of a condition, or "", and a heading."""
    groups = sheet.table.groupby(list(sheet.factors), sort=False, dropna=False)
    conditions = {sheets.label(sheet.factors, values): rows for values, rows in groups}
    if "nominal_percent" not in sheet.table:
        columns = {("", "condition"): list(conditions)}
        return pd.DataFrame(columns | _cells("", sheet.table, _OF_THE_BASELINE))
    levels = np.unique(sheet.table["nominal_percent"])
    plus = "+" if (levels < 0).any() else ""
    columns = {("", "level"): [f"{level:{plus if level else ''}.6g}%" for level in levels]}
    for label, rows in conditions.items():
        rows = rows.set_index("nominal_percent").reindex(levels)
        columns |= _cells(label, rows, _AT_A_LEVEL)
    return pd.DataFrame(columns)


def _cells(
    group: str, rows: pd.DataFrame, shown: Mapping[str, tuple[str, str]]
) -> dict[tuple[str, str], list[str]]:
    cells = {}
    for name, (heading, digits) in shown.items():
        if name not in rows or (name.startswith("published_") and rows[name].isna().all()):
            continue
        spreads = rows.get(f"{name}_std_population", pd.Series(np.nan, rows.index))
        cells[(group, heading)] = [
            sheets.cell(value, digits, spread)
            for value, spread in zip(rows[name], spreads, strict=True)
        ]
    return cells
