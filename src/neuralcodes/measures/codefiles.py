"""Files of an ensemble's codes: both splits of a checkpoint, and whose codes they are."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from neuralcodes.codes import packed as codes
from neuralcodes.datasets import prepared
from neuralcodes.storage import checksums
from neuralcodes.studies import checkpoints


def read_splits(folder: Path, epoch: str) -> tuple[np.ndarray, np.ndarray]:
    """Read the codes of the training and of the test examples.

    Args:
        folder: codes of the ensemble.
        epoch: the checkpoint.

    Returns:
        uint8 (seeds, examples, bytes) each, mapped into memory.

    Raises:
        DataError: a file is missing or damaged.
    """
    checksums.verify_listed(folder, f"epoch{epoch}")
    train, test = (codes.read(folder / f"epoch{epoch}" / f"{s}.npy") for s in ("train", "test"))
    return train, test


def read_labels(data: Path) -> tuple[np.ndarray, np.ndarray]:
    """Read the true labels of the training and of the test file.

    Args:
        data: folder of the prepared dataset.
    """
    return prepared.load_labels(data, "train"), prepared.load_labels(data, "test")


def present_members(folder: Path, seeds: Sequence[int], epoch: str) -> list[tuple[int, int, int]]:
    """List the members that have a checkpoint: position, seed and the epoch that it shows.

    A seed that never reached an accuracy has no such checkpoint.

    Args:
        folder: codes of the ensemble.
        seeds: of the ensemble, in order.
        epoch: the checkpoint.
    """
    found = []
    for i, (seed, row) in enumerate(zip(seeds, read_table(folder / "members.csv"), strict=True)):
        stopped = int(row["stopped_epoch"])
        if checkpoints.threshold_of(epoch) is not None:
            shown = int(row[epoch]) if row[epoch] else None
        else:
            shown = stopped if epoch == checkpoints.FINAL else min(int(epoch), stopped)
        if shown is not None:
            found.append((i, seed, shown))
    return found


def read_table(path: Path) -> list[dict[str, str]]:
    """Read a CSV file beside the codes, a mapping a row.

    Args:
        path: the file.
    """
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
