"""From an ensemble's checkpoint to its neural codes under perturbation, as metric rows."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from neuralcodes.codes import packed as codes
from neuralcodes.metrics import suite
from neuralcodes.perturbation import kinds, sweeps
from neuralcodes.perturbation.kinds import Coefficients
from neuralcodes.pipeline.members import Member
from neuralcodes.storage.rows import Row
from neuralcodes.studies.levels import CodeLevels


def measure_perturbed_codes(
    model: Path, epoch: str, data: Path, settings: CodeLevels, device: torch.device
) -> list[Row]:
    """Measure what perturbations do to the neural code of every member.

    `flipped_bits`: share of the code's bits that differ from the unperturbed code.
    `redundancy_ratio`: of the perturbed code. `knn_accuracy`: perturbed training codes vote on
    perturbed test codes; `knn_accuracy_unperturbed_train`: unperturbed ones do.

    Args:
        model: a model file.
        epoch: the checkpoint.
        data: folder of the prepared dataset.
        settings: which perturbations.
        device: where to compute.

    Returns:
        Rows of `rows.PERTURBATION_COLUMNS`.
    """
    measured: list[Row] = []
    for member in Member.all_of(model, epoch, data, device):
        units = member.ranges[0].shape
        network, layer = sweeps.with_perturbed_layer(member.network, member.layer, units)
        plain = _codes(network, member)
        for kind, level, chosen in _code_levels(member, settings):
            layer.set(chosen)
            found = _compare(_codes(network, member), plain, member, settings.knn_k)
            head = (member.run.id, member.seed, epoch)
            measured += [(*head, split, kind, level, *rest) for split, *rest in found]
    return measured


def _codes(network: torch.nn.Module, member: Member) -> dict[str, np.ndarray]:
    return {split: codes.activation_code(network, inputs)[0] for split, inputs, _ in member.splits}


def _compare(
    perturbed: dict[str, np.ndarray], plain: dict[str, np.ndarray], member: Member, k: int
) -> Iterator[tuple[str, str, float]]:
    """Measure perturbed codes: split, metric, value."""
    bits = sum(member.run.layers)
    for split, packed in perturbed.items():
        flipped = np.bitwise_count(packed ^ plain[split]).sum()
        yield split, "flipped_bits", float(flipped / (len(packed) * bits))
        yield split, "redundancy_ratio", suite.redundancy_ratio(packed)
    (_, _, labels), (_, _, test_labels) = member.splits
    for name, votes in (
        ("knn_accuracy", perturbed["train"]),
        ("knn_accuracy_unperturbed_train", plain["train"]),
    ):
        accuracy = suite.knn_accuracy(votes, labels, perturbed["test"], test_labels, k)
        yield "test", name, accuracy


def _code_levels(member: Member, settings: CodeLevels) -> Iterator[tuple[str, float, Coefficients]]:
    yield "none", 0.0, kinds.identity(member.ranges[0].shape)
    options = {"spread": settings.spread, "seed": member.seed}
    for kind, levels in settings.levels.items():
        for level in levels:
            yield kind, level, kinds.coefficients(kind, [level], *member.ranges, **options)
