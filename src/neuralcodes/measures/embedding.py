"""Some unseen manifolds in two dimensions, before and after training."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neuralcodes.measures.declaration import Measure
from neuralcodes.measures.unseen import PURPOSE
from neuralcodes.storage.rows import EMBEDDING_COLUMNS, Row
from neuralcodes.studies.checkpoints import FINAL

if TYPE_CHECKING:
    import torch


def measure_embedding(
    model: Path, data: Sequence[str], settings: Mapping[str, Any], device: "torch.device"
) -> Iterator[Row]:
    """Embed some unseen manifolds in two dimensions by PCA; of the first seed alone.

    Args:
        model: a model file of hash networks.
        data: dataset.json of the prepared dataset; nothing for generated families.
        settings: the configuration's key `manifolds`.
        device: where to compute.

    Yields:
        Rows of `rows.EMBEDDING_COLUMNS`: component_1 and component_2 of each point, and
        explained_variance, the share of both.
    """
    from sklearn.decomposition import PCA

    from neuralcodes.manifolds.manifolddata import UNSEEN
    from neuralcodes.manifolds.representations import Member

    member = next(Member.all_of(model, data, settings["centre_points"], device))
    sample = member.source.sample(UNSEEN, settings["shown"], settings["points"], PURPOSE)
    start = (member.run.id, member.seed, FINAL, UNSEEN)
    for each in member.representations:
        values = each.view(sample.points).values
        pca = PCA(2, svd_solver="full")
        components = pca.fit_transform(values.reshape(-1, values.shape[2]).astype(np.float64))
        explained = float(pca.explained_variance_ratio_.sum())
        yield (*start, each.name, member.seed, "", "", "explained_variance", explained)
        for (manifold, point), pair in zip(
            np.ndindex(*values.shape[:2]), components.tolist(), strict=True
        ):
            for metric, value in zip(("component_1", "component_2"), pair, strict=True):
                yield (*start, each.name, member.seed, manifold, point, metric, value)


MEASURE = Measure(
    name="embedding",
    of="hash_run",
    needs=("data", "model"),
    rows=lambda job: measure_embedding(job.model, job.manifest, job.settings, job.device),
    settings=lambda settings: settings.manifolds,
    columns=EMBEDDING_COLUMNS,
    device=True,
    memory=1000,
    minutes=60,
    metrics=("component_1", "component_2", "explained_variance"),
)
