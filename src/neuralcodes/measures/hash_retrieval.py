"""Search of unseen manifolds: one point of each is the collection, others are the queries."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from neuralcodes.codes import packed
from neuralcodes.errors import DataError
from neuralcodes.measures.declaration import Measure
from neuralcodes.metrics import retrieval
from neuralcodes.metrics.retrieval import Collection
from neuralcodes.storage.rows import RETRIEVAL_COLUMNS, Row
from neuralcodes.studies.checkpoints import FINAL

if TYPE_CHECKING:
    import torch


def measure_hash_retrieval(
    model: Path, data: Sequence[str], settings: Mapping[str, int], device: "torch.device"
) -> Iterator[Row]:
    """Search by the binary code of the trained hash layer, by SimHash, and exactly, seed by seed.

    The collection holds one point of each manifold, so that recall at k is the share of queries
    whose own manifold is among the k nearest.

    Args:
        model: a model file of hash networks.
        data: dataset.json of the prepared dataset; nothing for generated families.
        settings: the configuration's key `retrieval`.
        device: where codes are computed; the search is on the CPU.

    Yields:
        Rows of `rows.RETRIEVAL_COLUMNS`.

    Raises:
        DataError: there are fewer unseen manifolds than neighbours to look for.
    """
    from neuralcodes.manifolds.manifolddata import MOMENT_POINTS, UNSEEN
    from neuralcodes.manifolds.representations import TRAINED, Member

    for member in Member.all_of(model, data, MOMENT_POINTS, device):
        points = member.source.sample(UNSEEN, settings["manifolds"], 2, "retrieval").points
        if len(points) < max(retrieval.KS):
            raise DataError(
                f"run {member.run.id}: the {len(points)} unseen manifolds of {member.run.dataset} "
                f"are fewer than the {max(retrieval.KS)} neighbours that retrieval looks for; "
                "leave the measure retrieval out, or train on more classes"
            )
        (trained,) = (each for each in member.representations if each.name == TRAINED)
        bits = trained.view(points).bits
        items, queries = (
            Collection(
                inputs=points[:many, i].flatten(1).numpy(),
                codes=packed.pack(bits[:many, i]),
                groups=np.arange(len(points))[:many],
            )
            for i, many in ((0, len(points)), (1, settings["queries"]))
        )
        found = retrieval.measure(items, queries, bits.shape[2], member.seed)
        for method, measured in found.items():
            for metric, value in measured.items():
                yield (member.run.id, member.seed, FINAL, UNSEEN, method, metric, float(value))


MEASURE = Measure(
    name="retrieval",
    rule="measure_hash_retrieval",
    of="hash_run",
    needs=("data", "model"),
    rows=lambda job: measure_hash_retrieval(job.model, job.manifest, job.settings, job.device),
    settings=lambda settings: settings.retrieval,
    columns=RETRIEVAL_COLUMNS,
    device=True,
    memory=1500,
    minutes=60,
    metrics=("recall_at_{k}", "queries_per_second", "bytes_per_item", "code_length"),
)
