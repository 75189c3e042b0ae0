"""From trained hash networks to one tidy row per measurement on unseen manifolds."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from neuralcodes.manifolds import invariance, locality
from neuralcodes.manifolds.invariance import View
from neuralcodes.manifolds.manifolddata import SEEN, UNSEEN, Generated, Sample
from neuralcodes.manifolds.representations import TRAINED, Member, Representation
from neuralcodes.storage.rows import Row
from neuralcodes.studies.checkpoints import FINAL

PURPOSE = "measure"  # of the random numbers that draw the evaluated points


def measure_manifolds(
    model: Path, data: Sequence[str], settings: Mapping[str, Any], device: torch.device
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
                    yield _row(member, each, split, "", metric, value)
            gap = 1 - ratio[SEEN] / ratio[UNSEEN]
            yield _row(member, each, UNSEEN, "", "generalization_gap", gap)


def measure_locality(
    model: Path, data: Sequence[str], settings: Mapping[str, Any], device: torch.device
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
    for member in Member.all_of(model, data, settings["centre_points"], device):
        sample = member.source.sample(UNSEEN, settings["unseen"], settings["points"], PURPOSE)
        for each in member.representations:
            view = each.view(sample.points)
            pairs, seed = settings["pairs"], member.seed
            for position, measured in _curve(member, each, view, sample, settings):
                for metric, value in measured.items():
                    yield _row(member, each, UNSEEN, position, metric, value)
            for bits, intra, inter in locality.bucket_collisions(view.bits, pairs=pairs, seed=seed):
                yield _row(member, each, UNSEEN, bits, "bucket_intra", intra)
                yield _row(member, each, UNSEEN, bits, "bucket_inter", inter)
            for position, intra, inter in locality.distance_densities(view, pairs, seed):
                yield _row(member, each, UNSEEN, position, "distance_density_intra", intra)
                yield _row(member, each, UNSEEN, position, "distance_density_inter", inter)


def measure_embedding(
    model: Path, data: Sequence[str], settings: Mapping[str, Any], device: torch.device
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


def _measured(
    member: Member,
    each: Representation,
    split: str,
    sample: Sample,
    settings: Mapping[str, Any],
) -> dict[str, float]:
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


def _curve(
    member: Member,
    each: Representation,
    view: View,
    sample: Sample,
    settings: Mapping[str, Any],
) -> Iterator[tuple[float, dict[str, float]]]:
    """Give positions and measures of the LSH curve."""
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


def _row(
    member: Member,
    each: Representation,
    split: str,
    position: float | str,
    metric: str,
    value: float,
) -> Row:
    return (member.run.id, member.seed, FINAL, split, each.name, position, metric, float(value))
