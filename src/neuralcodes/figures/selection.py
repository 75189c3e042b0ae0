"""Which rows of a summary a figure shows, in which order, and that no two fall on one point."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from neuralcodes.errors import DataError
from neuralcodes.figures import marks
from neuralcodes.figures.declaration import FigureSpec
from neuralcodes.studies import checkpoints

if TYPE_CHECKING:
    import pandas as pd

Series = tuple[str, str]  # metric, split


def select(summary: "pd.DataFrame", spec: FigureSpec, factors: Iterable[str]) -> "pd.DataFrame":
    """Rows of a summary that a figure needs; they keep their index.

    Args:
        summary: what `tables.summarize` returns.
        spec: its `where` fixes factors.
        factors: columns that the figure spreads out. Without epoch among them, the checkpoint
            "final" (else the last one) is taken; with it, epoch becomes a number. Without layer
            among them, rows of single layers are left out.

    Raises:
        DataError: a column is missing, or nothing is left.
    """
    from neuralcodes.studies import tables  # pandas: not while a workflow is parsed

    factors = [factor for factor in factors if factor]
    where = dict(spec.where)
    tables.require(summary, [*factors, *where, "metric", "split", "mean"], "the summary")
    rows = summary.assign(epoch=summary["epoch"].astype(str))
    if "layer" in rows.columns and "layer" not in factors:
        rows = rows[rows["layer"].isna()]
    for factor, value in where.items():
        rows = rows_equal(rows, factor, str(value) if factor == "epoch" else value)
    if not rows.empty and "epoch" in factors:
        numbered = rows[rows["epoch"].map(checkpoints.is_epoch)]
        rows = numbered.assign(epoch=numbered["epoch"].astype(float))
    elif not rows.empty and "epoch" not in where:
        rows = rows[rows["epoch"] == factor_values(rows, "epoch")[-1]]
    if rows.empty:
        raise DataError(
            f"no row of the summary is left for the figure (where {where}, factors {factors}); "
            "the study must measure what the figure shows"
        )
    return rows


def refuse_mixture(rows: "pd.DataFrame", drawn: Sequence[str]) -> None:
    """Refuse rows in which factors vary that the figure does not show.

    Raises:
        DataError: two rows would fall on one point; names the factors that vary there.
    """
    twice = rows[rows.duplicated(list(drawn), keep=False)]
    if twice.empty:
        return
    from neuralcodes.studies import tables

    point = twice[twice[list(drawn)].eq(twice[list(drawn)].iloc[0]).all(axis=1)]
    keys = [name for name in tables.key_columns(rows) if name not in drawn]
    varying = [name for name in keys if len(point[name].drop_duplicates()) > 1]
    raise DataError(
        f"the figure would mix rows that differ in {varying}; show it as line or variant, or fix "
        "it with the option where"
    )


def rows_equal(rows: "pd.DataFrame", factor: str | None, value: object) -> "pd.DataFrame":
    """Rows whose factor has the value; an absent value equals an absent value; no factor, all."""
    if factor is None:
        return rows
    absent = value is None or (isinstance(value, float) and np.isnan(value))
    return rows[rows[factor].isna() if absent else rows[factor] == value]


def factor_values(rows: "pd.DataFrame", factor: str | None) -> list[object]:
    """Distinct values of a factor in their order; "final" comes last, ReLU before its rivals.

    Without a factor there is one value, None.
    """
    if factor is None:
        return [None]
    values = rows[factor].drop_duplicates()
    if values.isin(list(marks.VALUE_STYLES)).all():
        return [value for value in marks.VALUE_STYLES if value in set(values)]
    if factor == "epoch" and values.dtype != float:
        from neuralcodes.studies import tables

        return [str(value) for value in values.iloc[np.argsort(tables.epoch_order(values))]]
    return values.sort_values(na_position="first").tolist()


def variant_values(spec: FigureSpec, rows: "pd.DataFrame") -> list[object]:
    """Values of `spec.variant`, the one that the paper used first; [None] without variants.

    Raises:
        DataError: there are more variants than line styles.
    """
    values = factor_values(rows, spec.variant)
    if len(values) > len(marks.LINESTYLES):
        raise DataError(
            f"{spec.variant} has {len(values)} values, but a figure tells "
            f"{len(marks.LINESTYLES)} line styles apart; choose fewer with the option where"
        )
    return sorted(values, key=lambda value: value != marks.PUBLISHED_VALUE.get(spec.variant or ""))


def of_series(rows: "pd.DataFrame", series: Series) -> "pd.DataFrame":
    """Rows of one metric on one split."""
    return rows[(rows["metric"] == series[0]) & (rows["split"] == series[1])]


def of_metrics(rows: "pd.DataFrame", metrics: Iterable[str]) -> "pd.DataFrame":
    """Rows of some metrics.

    Raises:
        DataError: there is none.
    """
    names = list(dict.fromkeys(metrics))
    found = rows["metric"].isin(names)
    if not found.any():
        raise DataError(f"there is nothing to draw: the study measured none of {names}")
    return rows[found]


def series_of(rows: "pd.DataFrame", names: Sequence[str]) -> list[Series]:
    """(metric, split) of metrics that a figure is asked to show, training data first.

    Raises:
        DataError: a metric is not measured; names those that are.
    """
    found = rows[["metric", "split"]].drop_duplicates()
    measured = sorted({*found["metric"]})
    for name in names:
        if name not in measured:
            raise DataError(f"the figure shows {name}, which is not measured; {measured} are")
    order = {split: place for place, split in enumerate(marks.SPLITS)}
    return [
        (name, split)
        for name in names
        for split in sorted(
            found.loc[found["metric"] == name, "split"],
            key=lambda split: order.get(split, len(order)),
        )
    ]


def select_published(
    published: "pd.DataFrame | None", rows: "pd.DataFrame", x: str
) -> "pd.DataFrame | None":
    """Published values that belong into a figure: same axis, same widths, within our range of x.

    Args:
        published: what `published.he2021` gives, or None.
        rows: ours, with columns x, depth and width_per_layer.
        x: the factor on the horizontal axis.

    Returns:
        The rows with columns x, width, width_per_layer, split (unknown ones as
        `published.ASSUMED_SPLIT`), metric, value, reading_error; None where nothing is published.
    """
    if published is None or x not in ("width", "width_per_layer", "epoch", "sample_size"):
        return None
    from neuralcodes.papers.published import ASSUMED_SPLIT

    theirs = published.copy()
    theirs["split"] = theirs["split"].where(theirs["split"] != "", ASSUMED_SPLIT)
    theirs["width"] = theirs["width_per_layer"] * int(rows["depth"].max())
    with_time, with_size = theirs["epoch"] != "final", theirs["sample_size"].notna()
    theirs = theirs[(with_time == (x == "epoch")) & (with_size == (x == "sample_size"))]
    theirs = theirs.assign(**{x: theirs[x].astype(float)})
    if x not in ("width", "width_per_layer"):
        theirs = theirs[theirs["width_per_layer"].isin(rows["width_per_layer"])]
    return theirs[theirs[x].between(rows[x].min(), rows[x].max())]
