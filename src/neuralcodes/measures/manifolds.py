"""Invariance, separation and recovery on manifolds that were not trained on."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neuralcodes.manifolds import invariance
from neuralcodes.measures.declaration import Measure
from neuralcodes.measures.unseen import PURPOSE, row
from neuralcodes.metrics.declaration import Look, Quantity
from neuralcodes.storage.rows import MANIFOLD_COLUMNS, Row

if TYPE_CHECKING:
    import torch

    from neuralcodes.manifolds.manifolddata import Sample
    from neuralcodes.manifolds.representations import Member, Representation


def measure_manifolds(
    model: Path, data: Sequence[str], settings: Mapping[str, Any], device: "torch.device"
) -> Iterator[Row]:
    """Measure invariance, separation and recovery, seed by seed and representation.

    Claims A to D of Dikkala et al. 2021, arXiv:2103.06875; formulas stand in `invariance`.

    Args:
        model: a model file of hash networks.
        data: dataset.json of the prepared dataset; nothing for generated families.
        settings: the configuration's key `manifolds`.
        device: where to compute.

    Yields:
        Rows of `rows.MANIFOLD_COLUMNS`, the position empty.
    """
    from neuralcodes.manifolds.manifolddata import SEEN, UNSEEN
    from neuralcodes.manifolds.representations import Member

    for member in Member.all_of(model, data, settings["centre_points"], device):
        samples = {
            split: member.source.sample(
                split, settings["seen" if split == SEEN else "unseen"], settings["points"], PURPOSE
            )
            for split in member.source.splits()
        }
        for each in member.representations:
            ratio = {}
            for split, sample in samples.items():
                measured = _measured(member, each, split, sample, settings)
                ratio[split] = measured["variance_ratio"]
                for metric, value in measured.items():
                    yield row(member, each, split, "", metric, value)
            gap = 1 - ratio[SEEN] / ratio[UNSEEN]
            yield row(member, each, UNSEEN, "", "generalization_gap", gap)


def _measured(
    member: "Member",
    each: "Representation",
    split: str,
    sample: "Sample",
    settings: Mapping[str, Any],
) -> dict[str, float]:
    from neuralcodes.manifolds.manifolddata import SEEN, Generated
    from neuralcodes.manifolds.representations import TRAINED

    view = each.view(sample.points)
    if split != SEEN:
        gammas = sample.identifiers if isinstance(member.source, Generated) else None
        names = ("ways", "episodes", "pairs")
        chosen = {name: settings[name] for name in names}
        return invariance.measure(view, gammas, **chosen, seed=member.seed)
    intra, total = invariance.variances(view.values)
    measured = {
        "variance_ratio": intra / total,
        "intra_variance": intra,
        "total_variance": total,
    }
    if each.name == TRAINED:
        own = np.arange(len(sample.points))[:, None]
        measured["accuracy"] = float((each.recognised(sample.points) == own).mean())
    return measured


MEASURE = Measure(
    name="manifolds",
    of="hash_run",
    needs=("data", "model"),
    rows=lambda job: measure_manifolds(job.model, job.manifest, job.settings, job.device),
    settings=lambda settings: settings.manifolds,
    columns=MANIFOLD_COLUMNS,
    device=True,
    memory=1500,
    minutes=60,
    metrics=(
        Quantity(name="variance_ratio", look=Look("Variance ratio \u03c1")),
        *("intra_variance", "total_variance", "intra_distance", "inter_distance"),
        Quantity(name="generalization_gap", look=Look("Gap 1 \u2212 \u03c1 seen / \u03c1 unseen")),
        Quantity(name="separation", look=Look("Separation of manifolds")),
        Quantity(name="pair_auc", look=Look("AUC of pair distances")),
        Quantity(name="ridge_r2", look=Look("Ridge R\u00b2 of the identifier \u03b3")),
        Quantity(name="distance_correlation", look=Look("Spearman correlation with \u03b3")),
        Quantity(name="hamming_intra", look=Look("Hamming distance, intra")),
        Quantity(name="hamming_inter", look=Look("Hamming distance, inter")),
        *("sign_hamming_intra", "sign_hamming_inter"),
        Quantity(name="lsh_exponent", look=Look("LSH exponent \u03b7")),
        Quantity(name="one_shot_accuracy_{way}", look=Look("One-shot accuracy, {way}-way")),
        Quantity(name="one_shot_hamming_accuracy_{way}", look=Look("One-shot Hamming, {way}-way")),
        *("effective_rank", "accuracy"),
    ),
)
