"""How alike two unseen manifolds are represented as they grow apart."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neuralcodes.manifolds import locality
from neuralcodes.measures.declaration import Measure
from neuralcodes.measures.unseen import PURPOSE, row
from neuralcodes.metrics.declaration import Look, Quantity
from neuralcodes.storage.rows import MANIFOLD_COLUMNS, Row

if TYPE_CHECKING:
    import torch

    from neuralcodes.manifolds.locality import View
    from neuralcodes.manifolds.manifolddata import Sample
    from neuralcodes.manifolds.representations import Member, Representation


def measure_locality(
    model: Path, data: Sequence[str], settings: Mapping[str, Any], device: "torch.device"
) -> Iterator[Row]:
    """Measure how representations of two unseen manifolds resemble as those grow apart.

    Args:
        model: a model file of hash networks.
        data: dataset.json of the prepared dataset; nothing for generated families.
        settings: the configuration's key `manifolds`.
        device: where to compute.

    Yields:
        Rows of `rows.MANIFOLD_COLUMNS`; the position is a distance of gammas (for images a decile),
        a number of bits, or a normalised squared distance.
    """
    from neuralcodes.manifolds.manifolddata import UNSEEN
    from neuralcodes.manifolds.representations import Member

    for member in Member.all_of(model, data, settings["centre_points"], device):
        sample = member.source.sample(UNSEEN, settings["unseen"], settings["points"], PURPOSE)
        for each in member.representations:
            view = each.view(sample.points)
            pairs, seed = settings["pairs"], member.seed
            for position, measured in _curve(member, each, view, sample, settings):
                for metric, value in measured.items():
                    yield row(member, each, UNSEEN, position, metric, value)
            for bits, intra, inter in locality.bucket_collisions(view.bits, pairs=pairs, seed=seed):
                yield row(member, each, UNSEEN, bits, "bucket_intra", intra)
                yield row(member, each, UNSEEN, bits, "bucket_inter", inter)
            for position, intra, inter in locality.distance_densities(view, pairs, seed):
                yield row(member, each, UNSEEN, position, "distance_density_intra", intra)
                yield row(member, each, UNSEEN, position, "distance_density_inter", inter)


def _curve(
    member: "Member",
    each: "Representation",
    view: "View",
    sample: "Sample",
    settings: Mapping[str, Any],
) -> Iterator[tuple[float, dict[str, float]]]:
    """Give positions and measures of the LSH curve."""
    import torch

    from neuralcodes.manifolds.manifolddata import Generated

    source, seed = member.source, member.seed
    if not isinstance(source, Generated):
        yield from locality.image_curve(
            view, sample.identifiers, settings["pairs"], settings["planes"], seed
        )
        return
    angles = settings["angles"]
    first, second = locality.sphere_pairs(settings["unseen"], angles, source.run.gamma_dim, seed)
    own = each.view(source.points_of(torch.from_numpy(first), 1, "curve, first"))
    for angle, gammas in zip(angles, second, strict=True):
        points = source.points_of(torch.from_numpy(gammas), 1, f"curve, {angle:g} degrees")
        other = each.view(points)
        yield (
            2 * float(np.sin(np.radians(angle) / 2)),
            locality.curve(
                own.values[:, 0],
                other.values[:, 0],
                each.centre,
                own.bits[:, 0],
                other.bits[:, 0],
                settings["planes"],
                seed,
            ),
        )


MEASURE = Measure(
    name="locality",
    of="hash_run",
    needs=("data", "model"),
    rows=lambda job: measure_locality(job.model, job.manifest, job.settings, job.device),
    settings=lambda settings: settings.manifolds,
    columns=MANIFOLD_COLUMNS,
    device=True,
    memory=1000,
    minutes=60,
    metrics=(
        Quantity(name="lsh_cosine", look=Look("Cosine similarity")),
        "lsh_cosine_sd",
        Quantity(name="lsh_hamming", look=Look("Hamming distance", unit="share")),
        Quantity(name="lsh_collision", look=Look("Collision probability")),
        *("bucket_intra", "bucket_inter", "distance_density_intra", "distance_density_inter"),
    ),
)
