"""From an ensemble's checkpoint to its neural codes under perturbation, as metric rows."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from neuralcodes import codes, coefficients, metrics, perturbation
from neuralcodes.coefficients import Coefficients
from neuralcodes.levels import CodeLevels
from neuralcodes.members import Member
from neuralcodes.rows import Row


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
        head = (member.run.id, member.seed, epoch)
        (_, train, labels), (_, test, test_labels) = member.splits
        units = member.ranges[0].shape
        network, layer = perturbation.with_perturbed_layer(member.network, member.layer, units)
        plain, _ = codes.activation_code(network, train)
        plain_test, layers = codes.activation_code(network, test)
        bits = sum(each.units for each in layers)
        for kind, level, level_coefficients in _code_levels(member, settings):
            layer.set(level_coefficients)
            packed, _ = codes.activation_code(network, train)
            packed_test, _ = codes.activation_code(network, test)
            votes = {"knn_accuracy": packed, "knn_accuracy_unperturbed_train": plain}
            found = [
                ("train", "flipped_bits", _flipped(packed, plain, bits)),
                ("test", "flipped_bits", _flipped(packed_test, plain_test, bits)),
                ("train", "redundancy_ratio", metrics.redundancy_ratio(packed)),
                ("test", "redundancy_ratio", metrics.redundancy_ratio(packed_test)),
                *(
                    ("test", name, metrics.knn_accuracy(v, labels, packed_test, test_labels, k))
                    for k in [settings.knn_k]
                    for name, v in votes.items()
                ),
            ]
            measured += [(*head, split, kind, level, *rest) for split, *rest in found]
    return measured


def _code_levels(member: Member, settings: CodeLevels) -> Iterator[tuple[str, float, Coefficients]]:
    yield "none", 0.0, coefficients.identity(member.ranges[0].shape)
    options = {"spread": settings.spread, "seed": member.seed}
    for kind, levels in settings.levels.items():
        for level in levels:
            yield kind, level, coefficients.coefficients(kind, [level], *member.ranges, **options)


def _flipped(packed: np.ndarray, plain: np.ndarray, bits: int) -> float:
    return float(np.bitwise_count(packed ^ plain).sum() / (len(plain) * bits))
