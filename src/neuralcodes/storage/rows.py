"""Metric files: one tidy row per measurement."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

from neuralcodes.storage import jobs

COLUMNS = ("run", "seed", "epoch", "split", "metric", "value")
LAYER_COLUMNS = ("run", "seed", "epoch", "split", "layer", "metric", "value")
PERTURBATION_COLUMNS = ("run", "seed", "epoch", "split", "perturbation", "level", "metric", "value")
UNIT_COLUMNS = ("run", "seed", "epoch", "split", "unit", "position", "metric", "value")
RETRIEVAL_COLUMNS = ("run", "seed", "epoch", "split", "method", "metric", "value")
MANIFOLD_COLUMNS = (
    *("run", "seed", "epoch", "split", "representation", "position", "metric", "value"),
)
EMBEDDING_COLUMNS = (
    *("run", "seed", "epoch", "split", "representation", "member", "manifold", "position"),
    *("metric", "value"),
)
Row = tuple[str | int | float, ...]


def write(path: Path, rows: Iterable[Row], columns: Sequence[str] = COLUMNS) -> None:
    """Write rows as CSV, atomically, numbers to nine digits.

    Args:
        path: the file.
        rows: one tuple a row.
        columns: the header.
    """
    with jobs.atomic(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([f"{x:.9g}" if isinstance(x, float) else x for x in row] for row in rows)
