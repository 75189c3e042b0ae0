"""From the codes of a checkpoint to one tidy row per measurement."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from neuralcodes.codes import packed as codes
from neuralcodes.datasets import prepared, sampling
from neuralcodes.metrics import suite
from neuralcodes.storage import checksums
from neuralcodes.storage.rows import Row
from neuralcodes.studies import checkpoints
from neuralcodes.studies.runs import Run, training_part


def measure_codes(
    run: Run,
    seeds: Sequence[int],
    epoch: str,
    folder: Path,
    data: Path,
    settings: suite.MetricSettings,
) -> list[Row]:
    """Measure the codes of one checkpoint, seed by seed, beside the networks' own accuracy.

    Classes are the true labels throughout: noise is put on the training alone.

    Args:
        run: the run.
        seeds: of the ensemble, in order.
        epoch: the checkpoint.
        folder: codes of the ensemble.
        data: folder of the prepared dataset.
        settings: which measures, and how.

    Returns:
        Rows of `rows.COLUMNS`.

    Raises:
        DataError: a file is missing or damaged.
    """
    checksums.verify_listed(folder, f"epoch{epoch}")
    train, test = (codes.read(folder / f"epoch{epoch}" / f"{s}.npy") for s in ("train", "test"))
    units = sum(layer.units for layer in codes.read_layers(folder / "layers.csv"))
    labels, test_labels = _labels(data)
    rows = _network_rows(run, seeds, epoch, folder)
    updates = _updates_per_epoch(run, train.shape[1], len(labels))
    for i, seed, last in present_members(folder, seeds, epoch):
        own = labels[sampling.training_rows(run, labels, seed)]
        measured = suite.measure(train[i], test[i], units, own, test_labels, settings)
        measured += [
            ("train", "stopped_epoch", last),
            ("train", "parameter_updates", last * updates),
        ]
        rows += [(run.id, seed, epoch, *each) for each in measured]
    return rows


def measure_layers(
    run: Run,
    seeds: Sequence[int],
    epoch: str,
    folder: Path,
    data: Path,
    settings: suite.MetricSettings,
) -> list[Row]:
    """Measure the codes of each hidden layer apart; the layer's number, 1 first, follows the split.

    Args:
        run: the run.
        seeds: of the ensemble, in order.
        epoch: the checkpoint.
        folder: codes of the ensemble.
        data: folder of the prepared dataset.
        settings: which measures, and how.

    Raises:
        DataError: a file is missing or damaged.
    """
    checksums.verify_listed(folder, f"epoch{epoch}")
    train, test = (codes.read(folder / f"epoch{epoch}" / f"{s}.npy") for s in ("train", "test"))
    labels, test_labels = _labels(data)
    rows: list[Row] = []
    for number, layer in enumerate(codes.read_layers(folder / "layers.csv"), start=1):
        for i, seed, _ in present_members(folder, seeds, epoch):
            own = labels[sampling.training_rows(run, labels, seed)]
            measured = suite.measure(
                codes.layer_code(train[i], layer),
                codes.layer_code(test[i], layer),
                layer.units,
                own,
                test_labels,
                settings,
            )
            rows += [(run.id, seed, epoch, each[0], number, *each[1:]) for each in measured]
    return rows


def measure_random_inputs(run: Run, seeds: Sequence[int], epoch: str, folder: Path) -> list[Row]:
    """Measure how many random inputs share a code.

    Args:
        run: the run.
        seeds: of the ensemble, in order.
        epoch: the checkpoint.
        folder: codes of random inputs of the ensemble.

    Raises:
        DataError: a file is missing or damaged.
    """
    checksums.verify_listed(folder, f"epoch{epoch}")
    rows: list[Row] = []
    for path in sorted((folder / f"epoch{epoch}").glob("*.npy")):
        packed = codes.read(path)
        for i, seed, _ in present_members(folder, seeds, epoch):
            ratio = suite.redundancy_ratio(packed[i])
            rows.append((run.id, seed, epoch, path.stem, "redundancy_ratio", ratio))
    return rows


def present_members(folder: Path, seeds: Sequence[int], epoch: str) -> list[tuple[int, int, int]]:
    """List the members that have a checkpoint: position, seed and the epoch that it shows.

    A seed that never reached an accuracy has no such checkpoint.

    Args:
        folder: codes of the ensemble.
        seeds: of the ensemble, in order.
        epoch: the checkpoint.
    """
    found = []
    for i, (seed, row) in enumerate(zip(seeds, _read(folder / "members.csv"), strict=True)):
        stopped = int(row["stopped_epoch"])
        if checkpoints.threshold_of(epoch) is not None:
            shown = int(row[epoch]) if row[epoch] else None
        else:
            shown = stopped if epoch == checkpoints.FINAL else min(int(epoch), stopped)
        if shown is not None:
            found.append((i, seed, shown))
    return found


def _labels(data: Path) -> tuple[np.ndarray, np.ndarray]:
    return prepared.load_labels(data, "train"), prepared.load_labels(data, "test")


def _network_rows(run: Run, seeds: Sequence[int], epoch: str, folder: Path) -> list[Row]:
    present = {i: seed for i, seed, _ in present_members(folder, seeds, epoch)}
    return [
        (run.id, present[member], epoch, row["split"], row["metric"], float(row["value"]))
        for row in _read(folder / f"epoch{epoch}" / "network.csv")
        if (member := int(row["member"])) in present
    ]


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _updates_per_epoch(run: Run, examples: int, file_size: int) -> int:
    if run.batch_size is None:
        return 1
    available = training_part(file_size, run.validation_fraction)
    return -(-examples * sampling.repeats(run, examples, available) // run.batch_size)
