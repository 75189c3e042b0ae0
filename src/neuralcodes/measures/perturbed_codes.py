"""The neural codes of a checkpoint under perturbation."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from neuralcodes.codes import packed as codes
from neuralcodes.measures.declaration import Measure
from neuralcodes.metrics.declaration import Look, Quantity
from neuralcodes.metrics.neighbours import knn_accuracy
from neuralcodes.metrics.redundancy import redundancy_ratio
from neuralcodes.perturbation import kinds
from neuralcodes.perturbation.kinds import Coefficients
from neuralcodes.storage.rows import PERTURBATION_COLUMNS, Row
from neuralcodes.studies.levels import CodeLevels

if TYPE_CHECKING:
    import torch

    from neuralcodes.measures.members import Member


def measure_perturbed_codes(
    model: Path, epoch: str, data: Path, settings: CodeLevels, device: "torch.device"
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
    from neuralcodes.measures.members import Member
    from neuralcodes.perturbation import sweeps

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


def _codes(network: "torch.nn.Module", member: "Member") -> dict[str, np.ndarray]:
    return {split: codes.activation_code(network, inputs)[0] for split, inputs, _ in member.splits}


def _compare(
    perturbed: dict[str, np.ndarray], plain: dict[str, np.ndarray], member: "Member", k: int
) -> Iterator[tuple[str, str, float]]:
    """Measure perturbed codes: split, metric, value."""
    bits = sum(member.run.layers)
    for split, packed in perturbed.items():
        flipped = np.bitwise_count(packed ^ plain[split]).sum()
        yield split, "flipped_bits", float(flipped / (len(packed) * bits))
        yield split, "redundancy_ratio", redundancy_ratio(packed)
    (_, _, labels), (_, _, test_labels) = member.splits
    for name, votes in (
        ("knn_accuracy", perturbed["train"]),
        ("knn_accuracy_unperturbed_train", plain["train"]),
    ):
        accuracy = knn_accuracy(votes, labels, perturbed["test"], test_labels, k)
        yield "test", name, accuracy


def _code_levels(
    member: "Member", settings: CodeLevels
) -> Iterator[tuple[str, float, Coefficients]]:
    yield "none", 0.0, kinds.identity(member.ranges[0].shape)
    options = {"spread": settings.spread, "seed": member.seed}
    for kind, levels in settings.levels.items():
        for level in levels:
            yield kind, level, kinds.coefficients(kind, [level], *member.ranges, **options)


MEASURE = Measure(
    name="perturbed_codes",
    rule="perturb_codes",
    needs=("data", "model"),
    rows=lambda job: measure_perturbed_codes(
        job.model, job.epoch, job.data, CodeLevels(**job.settings), job.device
    ),
    settings=lambda settings: asdict(settings.code_levels),
    columns=PERTURBATION_COLUMNS,
    device=True,
    memory=1250,
    minutes=120,
    metrics=(
        *("redundancy_ratio", "knn_accuracy"),
        Quantity(
            name="knn_accuracy_unperturbed_train",
            look=Look("K-NN accuracy, unperturbed train codes", "#56b4e9"),
        ),
        Quantity(name="flipped_bits", look=Look("Flipped bits", "#009e73", unit="share")),
    ),
)
