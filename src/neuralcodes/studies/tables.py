"""Tables of a study: all measurements in one long table, and their summary over seeds."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from neuralcodes.errors import DataError
from neuralcodes.storage import jobs
from neuralcodes.studies import checkpoints

IDENTITY = ("study", "dataset", "run")
# Of any run; a table has those that its runs have.
COMMON_FACTORS = (
    *("depth", "width", "width_per_layer", "sample_size"),
    *("family", "manifolds", "points", "hash_width", "relative_manifolds"),
)
MEASURED = (
    *("seed", "epoch", "split"),
    *("layer", "unit", "perturbation", "level"),  # where measured
    *("representation", "method", "member", "manifold", "position"),
    *("metric", "value"),
)
STATISTICS = ("mean", "std", "low", "high", "n")
CONFIDENCE = 0.95

_METRIC_COLUMNS = ("run", "seed", "epoch", "split", "metric", "value")
_TEXT = {"study": str, "dataset": str, "run": str, "epoch": str, "split": str, "metric": str}
_TEXT |= {"perturbation": str, "representation": str, "method": str, "family": str}
_MISSING = ["", "nan", "NaN"]


def join(metric_files: Sequence[tuple[Path, Mapping[str, object]]]) -> pd.DataFrame:
    """Join a study's metric files with the factors of the runs that they measure.

    Args:
        metric_files: (path of a metrics CSV, factors of its run). The factors name `study`,
            `dataset`, those of `COMMON_FACTORS` that its kind of run has, and whatever the study
            varies; values are scalars. A factor that some runs lack is empty there.

    Returns:
        One row per measurement: study, dataset, run, factors, seed, epoch (text), split,
        layer (where measured), metric, value (float; empty or inf as measured).

    Raises:
        DataError: no files; a factor missing or not a scalar; a file lacks a column, is empty or
            has values that are not numbers; one measurement occurs twice.
    """
    if not metric_files:
        raise DataError("the study has no metric files to join; it needs at least one")
    table = pd.concat([_with_factors(path, factors) for path, factors in metric_files])
    names = dict.fromkeys(name for _, factors in metric_files for name in factors)
    others = [name for name in names if name not in (*IDENTITY, *COMMON_FACTORS)]
    columns = [*IDENTITY, *COMMON_FACTORS, *others, *MEASURED]
    table = table[[name for name in columns if name in table.columns]]
    _refuse_duplicates(table, [name for name in table.columns if name != "value"])
    return _ordered(table, [name for name in table.columns if name != "value"])


def summarize(table: pd.DataFrame) -> pd.DataFrame:
    """Mean, spread and 95% t-interval over the seeds of every measured point.

    A value that is empty (undefined for that seed) is left out, and `n` says how many were
    there. An infinite value is never averaged away: the mean is then inf, or empty when both
    signs occur, and the spread is empty.

    Args:
        table: what `join` returns.

    Returns:
        One row per point: the columns of `table` without run, seed and value; mean;
        std (n - 1 in the denominator); low and high, the t-interval of the mean; n. With fewer
        than two values std, low and high are empty.

    Raises:
        DataError: a column is missing, or one point has the same seed twice (two runs whose
            factors do not tell them apart).
    """
    require(table, ("seed", "metric", "value"), "the study table")
    keys = [name for name in table.columns if name not in ("run", "seed", "value")]
    _refuse_duplicates(table, [*keys, "seed"])
    groups = table.groupby(keys, dropna=False, sort=False)["value"]
    with np.errstate(invalid="ignore"):
        summary = groups.agg(["mean", "std", "count"]).rename(columns={"count": "n"})
    infinite = ~np.isfinite(summary["mean"])
    summary.loc[infinite, "std"] = np.nan
    n = summary["n"].to_numpy()
    quantile = stdtrit(np.maximum(n - 1, 1), (1 + CONFIDENCE) / 2)
    half = quantile * summary["std"] / np.sqrt(np.maximum(n, 1))
    summary["low"], summary["high"] = summary["mean"] - half, summary["mean"] + half
    return _ordered(summary[list(STATISTICS)].reset_index(), keys)


def write(table: pd.DataFrame, path: str | Path) -> None:
    """Write a table as CSV, whole or not at all, with nine significant digits."""
    with jobs.atomic(path) as temporary:
        table.to_csv(temporary, index=False, float_format="%.9g", lineterminator="\n")


def read(path: str | Path, needed: Sequence[str] = ("epoch", "split", "metric")) -> pd.DataFrame:
    """Read a table that `write` wrote: epoch and split are text, empty cells are NaN.

    Args:
        path: the file.
        needed: columns it must have.

    Raises:
        DataError: the file is missing or not such a table.
    """
    table = _read_csv(Path(path), _TEXT, _MISSING)
    require(table, needed, str(path))
    return table


def read_texts(path: str | Path) -> pd.DataFrame:
    """Read a CSV as it stands: every cell is text, an empty one is "".

    Args:
        path: the file.

    Raises:
        DataError: the file is missing or not a table.
    """
    return _read_csv(Path(path), str, [])


def key_columns(table: pd.DataFrame) -> list[str]:
    """Columns of a summary that say what was measured, and not what came out."""
    return [name for name in table.columns if name not in (*STATISTICS, "run", "seed", "value")]


def epoch_order(epochs: Iterable[str]) -> np.ndarray:
    """Epochs as numbers to sort by; accuracies and "final" come after every number.

    Raises:
        DataError: an epoch is neither a whole number, an accuracy nor "final".
    """
    texts = [str(epoch) for epoch in epochs]
    order = {text: checkpoints.order(text) for text in texts}
    wrong = sorted(text for text, place in order.items() if place is None)
    if wrong:
        raise DataError(f'epochs must be whole numbers, "accuracy90" or "final"; got {wrong[0]!r}')
    return np.array([order[text] for text in texts])


def require(table: pd.DataFrame, columns: Sequence[str], what: str) -> None:
    """Refuse a table that lacks columns.

    Args:
        table: any table.
        columns: names it must have.
        what: what the table is, for the message.

    Raises:
        DataError: a column is missing.
    """
    missing = [name for name in columns if name not in table.columns]
    if missing:
        raise DataError(f"{what} lacks the columns {missing}; it has {list(table.columns)}")


def _with_factors(path: Path, factors: Mapping[str, object]) -> pd.DataFrame:
    needed = ("study", "dataset", *(name for name in COMMON_FACTORS if name in factors))
    absent = [name for name in needed if factors.get(name) is None]
    if absent:
        raise DataError(f"the factors of {path} lack {absent}; every run must name {list(needed)}")
    for name, value in factors.items():
        if not isinstance(value, (str, int, float, np.generic, type(None))):
            raise DataError(
                f"factor {name} of {path} must be one number, text or boolean; got {value!r}"
            )
    rows = _read_csv(Path(path), _TEXT, _MISSING)
    require(rows, _METRIC_COLUMNS, str(path))
    if rows.empty:
        raise DataError(f"{path} holds no measurements; delete it and measure again")
    if not pd.api.types.is_numeric_dtype(rows["value"]):
        raise DataError(f"{path} has values that are not numbers; delete it and measure again")
    rows["value"] = rows["value"].astype(float)
    added: dict[str, Any] = {name: value for name, value in factors.items() if name != "run"}
    return rows.assign(**added)


def _read_csv(
    path: Path, dtype: type[str] | dict[str, type[str]], missing: list[str]
) -> pd.DataFrame:
    try:
        return pd.read_csv(path, dtype=dtype, keep_default_na=False, na_values=missing)
    except FileNotFoundError as error:
        raise DataError(f"{path} does not exist; run the rule that writes it") from error
    except (pd.errors.EmptyDataError, pd.errors.ParserError) as error:
        raise DataError(f"{path} is not a CSV table ({error}); delete it and run again") from error


def _refuse_duplicates(table: pd.DataFrame, keys: list[str]) -> None:
    twice = table.duplicated(keys, keep=False)
    if twice.any():
        shown = {name: table.loc[twice, name].iloc[0] for name in keys}
        raise DataError(
            f"{int(twice.sum())} rows are not unique, the first is {shown}; list every metric "
            "file once and name every factor in which the runs differ"
        )


def _ordered(table: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    order = table.sort_values(keys, key=_sortable, kind="stable", na_position="first")
    return order.reset_index(drop=True)


def _sortable(column: pd.Series) -> pd.Series:
    if column.name == "epoch":
        return pd.Series(epoch_order(column), index=column.index)
    numeric = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
    return column if numeric else column.astype(str)
