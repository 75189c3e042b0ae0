"""The history of a training, so that training curves are a study like any other."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from neuralcodes.errors import DataError
from neuralcodes.measures.declaration import Measure
from neuralcodes.storage import checksums
from neuralcodes.storage.rows import Row

MOST_EPOCHS = 200  # of a curve; more cannot be told apart
SPLITS = ("train", "validation")
QUANTITIES = ("loss", "accuracy")


def measure_history(history: Path, run: str) -> list[Row]:
    """Read loss and accuracy of every seed, at epochs spread evenly over the logarithm of time.

    Values of an epoch are means over its steps: with one step per epoch those of the network
    before that step (note B7).

    Args:
        history: the CSV file that training wrote.
        run: id of the run.

    Returns:
        Rows of `rows.COLUMNS`; splits and quantities that were not measured are left out.

    Raises:
        DataError: the file is missing or not a history.
    """
    try:
        with history.open(newline="", encoding="utf-8") as file:
            table = list(csv.DictReader(file))
        last = max(int(row["epoch"]) for row in table)
        kept = set(thinned(last))
        return [
            (run, int(row["seed"]), row["epoch"], split, f"{split}_{name}", float(value))
            for row in table
            if int(row["epoch"]) in kept
            for split in SPLITS
            for name in QUANTITIES
            if (value := row[f"{split}_{name}"])
        ]
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"{history} is missing or no history of a training ({error!r}); "
            f"{checksums.rebuild(history)}"
        ) from error


def thinned(last: int) -> Sequence[int]:
    """Choose at most `MOST_EPOCHS` epochs from 1 to `last`, the ends among them.

    Args:
        last: the last epoch, at least 1.
    """
    spread = np.geomspace(1, last, MOST_EPOCHS).round().astype(int)
    return np.unique(spread).tolist()


MEASURE = Measure(
    name="history",
    needs=("history",),
    rows=lambda job: measure_history(job.history, job.run.id),
    whole=True,
    memory=500,
    minutes=10,
    metrics=tuple(f"{split}_{name}" for split in SPLITS for name in QUANTITIES),
)
