"""Runs, checkpoints and single seeds behind rows of a summary."""

from collections.abc import Iterable, Sequence

import pandas as pd

from neuralcodes.studies import tables

# A chart with more values of single seeds leaves them out; a page holds dozens of charts.
MOST_SEED_VALUES = 60_000


def behind(table: pd.DataFrame, summary: pd.DataFrame, rows: Sequence[int]) -> dict[str, object]:
    """Find what is behind rows of a summary.

    Args:
        table: the long table.
        summary: what `tables.summarize` makes of it.
        rows: N indices of the summary.

    Returns:
        `runs` and `epochs`, texts; `run` and `epoch`, the place of each row's in them, -1 for none;
        `first` and `last`, each row's seeds; `seeds`, the numbers of all seeds; `values`, for each
        of them N float64 values, NaN where it is missing, or None where they are too many.
    """
    keys = tables.key_columns(summary)
    wanted = summary.loc[list(rows), keys]
    found = wanted.assign(row=wanted.index).merge(table, on=keys, how="left")
    found = found[found["seed"].notna()].astype({"seed": int})
    by_row = found.groupby("row")
    runs, epochs = sorted(found["run"].unique()), list(dict.fromkeys(wanted["epoch"].astype(str)))
    spans = by_row["seed"].agg(["min", "max"]).reindex(rows).fillna(-1).astype(int)
    seeds = sorted(found["seed"].unique().tolist())
    values = None
    if len(rows) * len(seeds) <= MOST_SEED_VALUES:
        single = found.pivot_table(index="row", columns="seed", values="value", dropna=False)
        values = list(single.reindex(index=rows, columns=seeds).to_numpy(float).T)
    return {
        "runs": runs,
        "epochs": epochs,
        "run": _places(by_row["run"].first().reindex(rows), runs),
        "epoch": _places(wanted["epoch"].astype(str), epochs),
        "first": spans["min"].tolist(),
        "last": spans["max"].tolist(),
        "seeds": seeds,
        "values": values,
    }


def _places(values: Iterable[object], known: Sequence[object]) -> list[int]:
    places = {value: place for place, value in enumerate(known)}
    return [places.get(value, -1) for value in values]
