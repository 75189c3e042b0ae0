"""The codes of a checkpoint, all layers together, beside the networks' own accuracy."""

from collections.abc import Sequence
from pathlib import Path

from neuralcodes.codes import packed as codes
from neuralcodes.datasets import sampling
from neuralcodes.measures import codefiles
from neuralcodes.measures.declaration import Measure
from neuralcodes.metrics import registry, suite
from neuralcodes.metrics.declaration import Look, Quantity
from neuralcodes.metrics.suite import MetricSettings
from neuralcodes.storage.rows import Row
from neuralcodes.studies.runs import Run, training_part


def measure_codes(
    run: Run,
    seeds: Sequence[int],
    epoch: str,
    folder: Path,
    data: Path,
    settings: MetricSettings,
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
    train, test = codefiles.read_splits(folder, epoch)
    units = sum(layer.units for layer in codes.read_layers(folder / "layers.csv"))
    labels, test_labels = codefiles.read_labels(data)
    rows = _network_rows(run, seeds, epoch, folder)
    updates = updates_per_epoch(run, train.shape[1], len(labels))
    for i, seed, last in codefiles.present_members(folder, seeds, epoch):
        own = labels[sampling.training_rows(run, labels, seed)]
        measured = suite.measure(train[i], test[i], units, own, test_labels, settings)
        measured += [
            ("train", "stopped_epoch", last),
            ("train", "parameter_updates", last * updates),
        ]
        rows += [(run.id, seed, epoch, *each) for each in measured]
    return rows


def _network_rows(run: Run, seeds: Sequence[int], epoch: str, folder: Path) -> list[Row]:
    present = {i: seed for i, seed, _ in codefiles.present_members(folder, seeds, epoch)}
    return [
        (run.id, present[member], epoch, row["split"], row["metric"], float(row["value"]))
        for row in codefiles.read_table(folder / f"epoch{epoch}" / "network.csv")
        if (member := int(row["member"])) in present
    ]


def updates_per_epoch(run: Run, examples: int, file_size: int) -> int:
    """Count the steps of the optimiser in one epoch.

    Args:
        run: the run.
        examples: that it is trained on.
        file_size: examples in the training file.
    """
    if run.batch_size is None:
        return 1
    available = training_part(file_size, run.validation_fraction)
    return -(-examples * sampling.repeats(run, examples, available) // run.batch_size)


MEASURE = Measure(
    name="codes",
    needs=("data", "codes"),
    rows=lambda job: measure_codes(
        *(job.run, job.seeds, job.epoch, job.codes, job.data), MetricSettings(**job.settings)
    ),
    settings=lambda settings: settings.metrics,
    memory=750,
    minutes=60,
    metrics=(
        *registry.names(),
        Quantity(name="test_accuracy", look=Look("Network accuracy", "#1a1a1a")),
        Quantity(name="train_accuracy", look=Look("Network accuracy", "#7f7f7f")),
        Quantity(name="test_loss", look=Look("Network loss", "#1a1a1a")),
        Quantity(name="train_loss", look=Look("Network loss", "#7f7f7f")),
        Quantity(name="parameter_updates", look=Look("Parameter updates")),
        Quantity(name="stopped_epoch", look=Look("Epoch of stopping")),
    ),
)
