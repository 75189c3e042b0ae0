"""Runs, checkpoints and single seeds behind the points of interactive charts."""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from neuralcodes.studies import tables

# A chart with more values of single seeds leaves them out; a page holds dozens of charts.
MOST_SEED_VALUES = 60_000
OMITTED = f"left out: more than {MOST_SEED_VALUES} values"
Json = dict[str, object]


def members(table: pd.DataFrame, summary: pd.DataFrame, index: np.ndarray) -> tuple[Json, Json]:
    """Find the runs, checkpoints and single values behind rows of a summary.

    Args:
        table: the long table.
        summary: what `tables.summarize` makes of it.
        index: int (N,), rows of the summary.

    Returns:
        Columns: run, epoch and span (places, int per row, -1 for none) in runs, epochs (text) and
        spans ([first, last] seed). Seeds: numbers, S of them, and values, S columns of float64
        (N,), or None and omitted, which says why.
    """
    keys = tables.key_columns(summary)
    wanted = summary.loc[np.unique(index), keys]
    found = wanted.assign(point=wanted.index).merge(table, on=keys, how="left")
    found = found[found["seed"].notna()]
    numbers = sorted(int(seed) for seed in found["seed"].unique())
    by_point = found.groupby("point")
    spans = by_point["seed"].agg(["min", "max"]).astype(int)
    of_span = dict.fromkeys(spans.itertuples(index=False, name=None))
    runs = sorted(found["run"].astype(str).unique())
    epochs = list(dict.fromkeys(wanted["epoch"].astype(str)))
    first = by_point["run"].first()
    columns = {
        "runs": runs,
        "epochs": epochs,
        "spans": [list(span) for span in of_span],
        "run": _codes(first.reindex(index), runs),
        "epoch": _codes(summary.loc[index, "epoch"].astype(str), epochs),
        "span": _codes(
            [None if np.isnan(a) else (int(a), int(b)) for a, b in spans.reindex(index).to_numpy()],
            list(of_span),
        ),
    }
    if len(index) * len(numbers) > MOST_SEED_VALUES:
        return columns, {"numbers": numbers, "values": None, "omitted": OMITTED}
    values = found.pivot_table(index="point", columns="seed", values="value", dropna=False)
    values = values.reindex(index=index, columns=numbers)
    return columns, {"numbers": numbers, "values": list(values.to_numpy(float).T), "omitted": None}


def _codes(values: Iterable[object], known: Sequence[object]) -> list[int]:
    places = {value: place for place, value in enumerate(known)}
    return [places.get(value, -1) for value in values]
