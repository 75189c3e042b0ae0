"""Printed table of retrieval: network codes, SimHash and exact search, a row each and condition.

The CSV is tidy and has nine digits and all conditions. The Markdown and the LaTeX show exact search
once where it finds the same under every condition, since it depends on the data alone.
"""

import math
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from neuralcodes.errors import DataError
from neuralcodes.report import sheets
from neuralcodes.report.sheets import Sheet
from neuralcodes.studies import tables

# Methods as `retrieval.METHODS` names them.
METHODS = {"network_code": "network code", "simhash": "SimHash", "exact": "exact search"}
EXACT = "exact"

_RECALL = r"recall_at_(\d+)"
_DIGITS = 3  # of queries per second: more is noise


def sheet(
    summary: pd.DataFrame, factors: Sequence[str], dataset: str, group: str = "class"
) -> Sheet:
    """Table of retrieval, a row per condition and method.

    Args:
        summary: what `tables.summarize` returns; rows without a method are left out.
        factors: its columns that tell the conditions apart. Epoch and split are added where they
            vary.
        dataset: its name in the title.
        group: what query and item must share: a class, or a manifold.

    Returns:
        The sheet. Its table: factors, epoch, split, method, n (seeds), code_length_bits (empty for
        exact search), bytes_per_item, and of each k recall_at_{k}_percent and of the speed
        queries_per_second, each followed by its standard deviation (`_std`, n - 1).

    Raises:
        DataError: a column or a metric is missing, there is no row of retrieval, or a point stands
            there twice, so that the factors do not tell the conditions apart.
    """
    keys = _keys(factors)
    return _sheet(_by_method(_measured(summary, [*keys, "method"]), keys), factors, dataset, group)


def read(
    path: Path, factors: Sequence[str], dataset: str, group: str = "class"
) -> tuple[Sheet, pd.DataFrame]:
    """Read the table back from its CSV file.

    Args:
        path: the file that `typeset` wrote.
        factors: see `sheet`.
        dataset: see `sheet`.
        group: see `sheet`.

    Returns:
        The sheet and its printed cells, as `sheets.markdown` takes them.

    Raises:
        DataError: the file is missing or not such a table.
    """
    made = _sheet(tables.read(path, (*_keys(factors), "method", "n")), factors, dataset, group)
    return made, _grid(made)[0]


def markdown(made: Sheet) -> str:
    """Set a sheet in Markdown; see `sheets.markdown`."""
    return sheets.markdown(made, *_grid(made))


def latex(made: Sheet, label: str) -> str:
    """Set a sheet as a LaTeX table; see `sheets.latex`."""
    grid, texts = _grid(made)
    return sheets.latex(made, grid, label, texts)


def typeset(
    summary: str | Path,
    factors: Sequence[str],
    dataset: str,
    stem: str | Path,
    group: str = "class",
) -> list[Path]:
    """Write the table in all formats, each file whole or not at all.

    Args:
        summary: a study's summary table.
        factors: see `sheet`.
        dataset: see `sheet`.
        stem: path and name of the files up to .csv, .md and .tex.
        group: see `sheet`.

    Returns:
        The three files.

    Raises:
        DataError: as `sheet`, or the file is no table; then nothing is written.
    """
    made = sheet(tables.read(summary), factors, dataset, group)
    grid, texts = _grid(made)
    stem = Path(stem)
    paths = [stem.with_name(f"{stem.name}.{ending}") for ending in ("csv", "md", "tex")]
    sheets.write(made, grid, paths, texts)
    return paths


def _keys(factors: Sequence[str]) -> list[str]:
    return [*factors, *(name for name in ("epoch", "split") if name not in factors)]


def _sheet(table: pd.DataFrame, factors: Sequence[str], dataset: str, group: str) -> Sheet:
    """Put title and note to a table."""
    varying = [n for n in _keys(factors) if n in factors or len(table[n].unique()) > 1]
    title = f"Retrieval by codes and by raw inputs: {dataset}, {sheets.seeds(table['n'])}"
    return Sheet(table, tuple(varying), title, _note(group))


def _measured(summary: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """One row per condition and method, which are `keys`, in the order of the summary."""
    tables.require(summary, [*keys, "metric", "mean", "std", "n"], "the summary")
    rows = summary[summary["method"].notna()]
    if rows.empty:
        raise DataError("the summary has no rows of retrieval; add it to the study's measures")
    twice = rows.duplicated([*keys, "metric"])
    if twice.any():
        shown = {name: rows.loc[twice, name].iloc[0] for name in [*keys, "metric"]}
        raise DataError(f"{shown} stands twice; name every factor in which the conditions differ")
    found = rows["metric"].str.extract(f"^{_RECALL}$")[0].dropna()
    ks = sorted({int(k) for k in found})
    groups = rows.groupby(list(keys), sort=False, dropna=False)
    return pd.DataFrame([_record(keys, values, each, ks) for values, each in groups])


def _record(
    keys: Sequence[str], values: Sequence[object], rows: pd.DataFrame, ks: Sequence[int]
) -> dict[str, object]:
    """One row of the table, from one condition's metrics of one method."""
    record, metrics = dict(zip(keys, values, strict=True)), rows.set_index("metric")
    needed = [*(f"recall_at_{k}" for k in ks), "queries_per_second", "bytes_per_item"]
    missing = [name for name in needed if name not in metrics.index]
    if missing or not ks:
        wanted = missing or ["recall_at_{k}"]
        raise DataError(f"{record} lacks the metrics {wanted}; measure retrieval again")
    record["n"] = int(metrics["n"].max())
    record["code_length_bits"] = metrics["mean"].get("code_length", math.nan)
    record["bytes_per_item"] = metrics["mean"]["bytes_per_item"]
    for name in needed[:-1]:
        shown, unit = (name, 1) if name == "queries_per_second" else (f"{name}_percent", 100)
        record[shown] = unit * metrics["mean"][name]
        record[f"{shown}_std"] = unit * metrics["std"][name]
    return record


def _by_method(table: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """Put the methods of each condition in the order of `METHODS`, what is unknown last."""
    rank = {name: place for place, name in enumerate(METHODS)}
    order = pd.DataFrame(
        {
            "condition": table.groupby(list(keys), sort=False, dropna=False).ngroup(),
            "method": table["method"].map(rank).fillna(len(rank)),
        }
    )
    places = order.sort_values(["condition", "method"], kind="stable").index
    return table.loc[places].reset_index(drop=True)


def _note(group: str) -> str:
    return (
        f"Recall@k: share of queries with an item of their own {group} among the k nearest, the "
        "expectation over a random order of items at the same distance; mean and standard "
        "deviation over seeds (n - 1). SimHash: signs of random projections through the items' "
        "mean, as many bits as the network's code. Queries/s: FAISS on one thread, all queries in "
        "one call, without computing the codes. Exact search depends on the data alone; where it "
        "is the same for all conditions it stands once, with its mean speed."
    )


def _grid(made: Sheet) -> tuple[pd.DataFrame, int]:
    """Printed cells as `sheets.markdown` takes them, and how many columns hold text."""
    table = made.table
    labels = [_condition(made.factors, row) for row in table[[*made.factors]].to_numpy(object)]
    table = table.assign(condition=labels)
    exact = table["method"] == EXACT
    same = [name for name in table if name.endswith("_percent")] + ["bytes_per_item"]
    if exact.sum() > 1 and len(table.loc[exact, same].drop_duplicates()) == 1:
        speed = table.loc[exact, "queries_per_second"].mean()
        once = table[exact].iloc[:1].assign(condition="all", queries_per_second=speed)
        table = pd.concat([table[~exact], once])
    columns = {("", "condition"): table["condition"].tolist()} if made.factors else {}
    columns[("", "method")] = [METHODS.get(name, name) for name in table["method"]]
    texts = len(columns)
    for name, heading in (("code_length_bits", "bits"), ("bytes_per_item", "bytes/item")):
        columns[("", heading)] = [sheets.cell(value, ",.0f") for value in table[name]]
    for name in same[:-1]:
        k = name.removeprefix("recall_at_").removesuffix("_percent")
        columns[("", f"recall@{k} (%)")] = [
            sheets.cell(value, ".2f", spread)
            for value, spread in zip(table[name], table[f"{name}_std"], strict=True)
        ]
    columns[("", "queries/s")] = [_speed(value) for value in table["queries_per_second"]]
    return pd.DataFrame(columns), texts


def _condition(factors: Sequence[str], values: Sequence[object]) -> str:
    plain = []
    for factor, value in zip(factors, values, strict=True):
        if factor == "epoch":
            value = f"epoch {value}"
        elif isinstance(value, float) and value.is_integer():
            value = int(value)
        plain.append(value)
    return sheets.label(factors, plain)


def _speed(value: float) -> str:
    """Round to three digits: 1,230 or 12.3."""
    if not math.isfinite(value) or value <= 0:
        return sheets.cell(value, ",.0f")
    decimals = _DIGITS - 1 - math.floor(math.log10(value))
    rounded = round(value, decimals)
    decimals = max(0, _DIGITS - 1 - math.floor(math.log10(rounded)))
    return sheets.cell(rounded, f",.{decimals}f")
