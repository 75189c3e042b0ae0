"""Tables of published values: their files, and what all of them have in common."""

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pandas as pd

from neuralcodes.errors import DataError
from neuralcodes.studies import tables

# Where a figure does not say which split it shows and its values cannot tell either, the same
# curve of the paper's other data set shows the training split.
ASSUMED_SPLIT = "train"
POINT = ("width_per_layer", "epoch", "sample_size", "split", "metric")


def read(path: str | Path, columns: Sequence[str], **options: object) -> pd.DataFrame:
    """Read a file of published values.

    Args:
        path: the file.
        columns: those that it must have.
        options: for pandas.

    Raises:
        DataError: the file is missing or lacks a column.
    """
    if not Path(path).is_file():
        raise DataError(f"{path} does not exist; it belongs to the published values of the project")
    table = pd.read_csv(path, **options)
    tables.require(table, columns, str(path))
    return table


def half_last_digit(text: str) -> float:
    """Give half a unit of the last printed digit, "2.8e-12" giving 5e-14.

    Args:
        text: a number as printed.
    """
    return float(Decimal(5).scaleb(Decimal(text).as_tuple().exponent - 1))
