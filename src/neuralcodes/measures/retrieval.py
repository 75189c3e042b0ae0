"""Search by neural codes: training examples are the items, test examples ask."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from neuralcodes.codes import packed as codes
from neuralcodes.datasets import prepared, sampling
from neuralcodes.measures import codefiles
from neuralcodes.measures.declaration import Measure
from neuralcodes.metrics import retrieval
from neuralcodes.metrics.declaration import Look, Quantity
from neuralcodes.storage.randomness import numpy_generator
from neuralcodes.storage.rows import RETRIEVAL_COLUMNS, Row
from neuralcodes.studies.runs import Run

MOST_QUERIES = 2000


def measure_retrieval(
    run: Run,
    seeds: Sequence[int],
    epoch: str,
    folder: Path,
    data: Path,
    most_queries: int = MOST_QUERIES,
    ks: Sequence[int] = retrieval.KS,
) -> list[Row]:
    """Measure retrieval of each seed's training examples by examples of the test file.

    Groups are the true classes, inputs flattened and not scaled. All seeds and runs have the same
    queries. A seed without the checkpoint has no rows.

    Args:
        run: the run.
        seeds: of the ensemble, in order.
        epoch: the checkpoint.
        folder: codes of the ensemble.
        data: folder of the prepared dataset.
        most_queries: where the test file has more, that many random ones ask.
        ks: numbers of neighbours.

    Returns:
        Rows of `rows.RETRIEVAL_COLUMNS`; the split is test.

    Raises:
        DataError: a file is missing or damaged.
        ValueError: as `retrieval.measure`; or `most_queries` is below 1.
    """
    if most_queries < 1:
        raise ValueError(f"most_queries must be 1 or more; got {most_queries}")
    found, asked = codefiles.read_splits(folder, epoch)
    units = sum(layer.units for layer in codes.read_layers(folder / "layers.csv"))
    train, test = (prepared.load(data.name, data.parent, split) for split in ("train", "test"))
    asking = numpy_generator(0, "retrieval queries").permutation(len(test[1]))[:most_queries]
    table: list[Row] = []
    for i, seed, _ in codefiles.present_members(folder, seeds, epoch):
        items = _collection(train, sampling.training_rows(run, train[1], seed), found[i])
        queries = _collection(test, asking, asked[i][asking])
        measured = retrieval.measure(items, queries, units, seed, ks)
        table += [
            (run.id, seed, epoch, "test", method, metric, value)
            for method, values in measured.items()
            for metric, value in values.items()
        ]
    return table


def _collection(
    split: prepared.Arrays, rows: np.ndarray, packed: np.ndarray
) -> retrieval.Collection:
    inputs, labels = split
    flat = inputs[rows].reshape(len(rows), -1).astype(np.float32)
    return retrieval.Collection(flat, packed, labels[rows])


MEASURE = Measure(
    name="retrieval",
    needs=("data", "codes"),
    rows=lambda job: measure_retrieval(
        *(job.run, job.seeds, job.epoch, job.codes, job.data, job.settings["queries"])
    ),
    settings=lambda settings: {"queries": settings.retrieval["queries"]},
    columns=RETRIEVAL_COLUMNS,
    memory=1250,
    minutes=60,
    metrics=(
        Quantity(name="recall_at_{k}", look=Look("Recall@{k}")),
        Quantity(name="queries_per_second", look=Look("Queries per second")),
        Quantity(name="bytes_per_item", look=Look("Bytes per item")),
        "code_length",
    ),
)
