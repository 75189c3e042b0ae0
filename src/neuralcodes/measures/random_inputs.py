"""How many random inputs share a code under a checkpoint."""

from collections.abc import Sequence
from pathlib import Path

from neuralcodes.codes import packed as codes
from neuralcodes.measures import codefiles
from neuralcodes.measures.declaration import Measure
from neuralcodes.metrics.redundancy import redundancy_ratio
from neuralcodes.storage import checksums
from neuralcodes.storage.rows import Row
from neuralcodes.studies.runs import Run


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
        for i, seed, _ in codefiles.present_members(folder, seeds, epoch):
            ratio = redundancy_ratio(packed[i])
            rows.append((run.id, seed, epoch, path.stem, "redundancy_ratio", ratio))
    return rows


MEASURE = Measure(
    name="random_inputs",
    needs=("random_codes",),
    rows=lambda job: measure_random_inputs(job.run, job.seeds, job.epoch, job.random_codes),
    memory=500,
    minutes=10,
    metrics=("redundancy_ratio",),
)
