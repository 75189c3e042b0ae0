"""Cells of small tables of text: means with their intervals, one row per condition."""

import math
from collections.abc import Mapping, Sequence

import pandas as pd

from neuralcodes.figures import marks, phrases, trends

MOST_ROWS, MOST_COLUMNS = 14, 8
FEWEST_DECIMALS = 2


def cell(mean: float, low: float = math.nan, high: float = math.nan) -> str:
    """A mean and half of its interval, with digits that the interval leaves: 0.912 ± 0.004.

    Args:
        mean: NaN gives an empty cell.
        low: lower end of the interval; NaN where there is none.
        high: upper end.
    """
    if not math.isfinite(mean):
        return "" if math.isnan(mean) else phrases.number(mean)
    half = (high - low) / 2
    if not math.isfinite(half):
        return _fixed(mean, _decimals(mean, math.nan))
    decimals = _decimals(mean, half)
    return f"{_fixed(mean, decimals)} \u00b1 {_fixed(half, decimals) if half > 0 else '0'}"


def grid(
    rows: pd.DataFrame,
    index: Sequence[str],
    columns: Mapping[str, pd.DataFrame],
    thinned: str,
    labels: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """A table of text: a row per condition, a column per group of summary rows.

    Args:
        rows: of a summary; their values of `index` are the rows of the table.
        index: factors that tell conditions apart, in the order of their columns.
        columns: heading -> the rows that it shows, at most one per condition.
        thinned: the factor of which a few values are kept where there are too many, evenly
            spread, the first and the last among them.
        labels: factor -> heading, where it is not the name of its axis.

    Returns:
        At most `MOST_ROWS` rows and `MOST_COLUMNS` columns of text; rows without any value are
        left out.
    """
    conditions = _conditions(rows, index, thinned)
    heads = [(labels or {}).get(name, marks.factor_label(name)) for name in index]
    kept = dict(list(columns.items())[: MOST_COLUMNS - len(heads)])
    table = []
    for condition in conditions:
        texts = [_of(part, index, condition) for part in kept.values()]
        if any(texts):
            table.append([*(marks.value_label(value) for value in condition), *texts])
    return pd.DataFrame(table, columns=[*heads, *kept], dtype=str)


def _conditions(rows: pd.DataFrame, index: Sequence[str], thinned: str) -> list[tuple[object, ...]]:
    """Values of the index, in their order, with as many of `thinned` as there is room for."""
    values = {name: _ordered(rows, name) for name in index}
    ranks = pd.DataFrame(
        {name: _ranks(rows[name], values[name]) for name in index}
    ).drop_duplicates()
    kept, most = ranks, len(values[thinned])
    while len(kept) > MOST_ROWS and most > 1:
        most -= 1
        chosen = trends.some(range(len(values[thinned])), most)
        kept = ranks[ranks[thinned].isin(chosen)]
    kept = kept.sort_values(list(index)).head(MOST_ROWS)
    return [
        tuple(values[name][rank] for name, rank in zip(index, row, strict=True))
        for row in kept.itertuples(index=False)
    ]


def _ordered(rows: pd.DataFrame, factor: str) -> list[object]:
    """Values of a factor in their order, the one that the paper used first."""
    usual = marks.PUBLISHED_VALUE.get(factor)
    return sorted(marks.factor_values(rows, factor), key=lambda value: value != usual)


def _ranks(column: pd.Series, values: Sequence[object]) -> pd.Series:
    """Place of each value of a column among all values; absent ones have a place as well."""
    known = {value: place for place, value in enumerate(values) if not pd.isna(value)}
    absent = next((place for place, value in enumerate(values) if pd.isna(value)), -1)
    return column.map(known).fillna(absent).astype(int)


def _of(rows: pd.DataFrame, index: Sequence[str], condition: Sequence[object]) -> str:
    for name, value in zip(index, condition, strict=True):
        rows = marks.rows_equal(rows, name, value)
    if rows.empty:
        return ""
    if len(rows) > 1:
        marks.refuse_mixture(rows, [*index, "metric", "split"])
    row = rows.iloc[0]
    return cell(*(float(row[name]) for name in ("mean", "low", "high")))


def _decimals(mean: float, half: float) -> int:
    size = abs(mean)
    if size >= 1000:
        return 0
    if half > 0:
        return min(max(-math.floor(math.log10(half)), FEWEST_DECIMALS - (size >= 10)), 6)
    if float(size).is_integer():
        return 0
    return min(1 - math.floor(math.log10(size)), 6) if size < 0.01 else 3 - (size >= 10)


def _fixed(value: float, decimals: int) -> str:
    if abs(value) >= 1000:
        return phrases.number(value)
    text = f"{abs(value):.{min(decimals, 6)}f}"
    negative = value < 0 and any(digit not in "0." for digit in text)
    return (phrases.MINUS if negative else "") + text
