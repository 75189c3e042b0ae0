"""The codes of each hidden layer of a checkpoint apart."""

from collections.abc import Sequence
from pathlib import Path

from neuralcodes.codes import packed as codes
from neuralcodes.datasets import sampling
from neuralcodes.measures import codefiles
from neuralcodes.measures.declaration import Measure
from neuralcodes.metrics import registry, suite
from neuralcodes.metrics.suite import MetricSettings
from neuralcodes.storage.rows import LAYER_COLUMNS, Row
from neuralcodes.studies.runs import Run


def measure_layers(
    run: Run,
    seeds: Sequence[int],
    epoch: str,
    folder: Path,
    data: Path,
    settings: MetricSettings,
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
    train, test = codefiles.read_splits(folder, epoch)
    labels, test_labels = codefiles.read_labels(data)
    rows: list[Row] = []
    for number, layer in enumerate(codes.read_layers(folder / "layers.csv"), start=1):
        for i, seed, _ in codefiles.present_members(folder, seeds, epoch):
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


MEASURE = Measure(
    name="layers",
    needs=("data", "codes"),
    rows=lambda job: measure_layers(
        *(job.run, job.seeds, job.epoch, job.codes, job.data), MetricSettings(**job.settings)
    ),
    settings=lambda settings: settings.metrics,
    columns=LAYER_COLUMNS,
    memory=750,
    minutes=120,
    metrics=registry.names(),
)
