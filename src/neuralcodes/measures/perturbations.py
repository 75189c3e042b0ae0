"""The accuracy of a checkpoint under every level of every perturbation."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neuralcodes.measures.declaration import Measure
from neuralcodes.metrics.declaration import Look, Quantity
from neuralcodes.perturbation import kinds
from neuralcodes.perturbation.kinds import Coefficients
from neuralcodes.storage.rows import PERTURBATION_COLUMNS, Row
from neuralcodes.studies.levels import AccuracyLevels

if TYPE_CHECKING:
    import numpy as np
    import torch

    from neuralcodes.measures.members import Member


def measure_perturbations(
    model: Path, epoch: str, data: Path, settings: AccuracyLevels, device: "torch.device"
) -> list[Row]:
    """Measure the accuracy of every member under every level of every kind.

    Ranges, and the size of a change, are those of the training examples, also for the test split.

    Args:
        model: a model file.
        epoch: the checkpoint.
        data: folder of the prepared dataset.
        settings: which perturbations.
        device: where to compute.

    Returns:
        Rows of `rows.PERTURBATION_COLUMNS`. Perturbation "none", level 0, is the network as it is,
        with its loss and its number of dead units; those at equal change have the wanted
        change as level, and the level that brings it about as metric `solved_level`.
    """
    from neuralcodes.measures.members import Member
    from neuralcodes.perturbation import sweeps

    measured: list[Row] = []
    for member in Member.all_of(model, epoch, data, device):
        head = (member.run.id, member.seed, epoch)
        names, levels, plan, solved = _plan(member, settings)
        measured += [(*head, "train", *each) for each in solved]
        dead = int(kinds.dead_units(*member.ranges).sum())
        measured.append((*head, "train", "none", 0.0, "dead_units", dead))
        for split, _, labels in member.splits:
            change, values = split == "train", member.values[split]
            response = sweeps.respond(
                member.tail, values, labels, plan, member.layer, change=change
            )
            found = {f"{split}_accuracy": response.accuracy}
            found |= {"hidden_change": response.change} if change else {}
            measured += [
                (*head, split, name, level, metric, float(value))
                for metric, values in found.items()
                for name, level, value in zip(names, levels, values, strict=True)
            ]
            loss = _loss(member.tail, values, labels)
            measured.append((*head, split, "none", 0.0, f"{split}_loss", loss))
    return measured


def _plan(
    member: "Member", settings: AccuracyLevels
) -> tuple[list[str], list[float], Coefficients, list[tuple[Any, ...]]]:
    """Collect all levels of all kinds: names, levels, coefficients, rows of what was solved for."""
    from neuralcodes.perturbation import equalchange

    options = {"spread": settings.spread, "seed": member.seed}
    names, levels = ["none"], [0.0]
    parts = [kinds.identity(member.ranges[0].shape)]
    for kind, chosen in settings.levels.items():
        parts.append(kinds.coefficients(kind, chosen, *member.ranges, **options))
        names += [kind] * len(chosen)
        levels += list(chosen)
    solved: list[tuple[Any, ...]] = []
    if settings.equal_changes:
        hidden = equalchange.Hidden(member.tail, member.values["train"], member.layer)
        for each in equalchange.solve(hidden, member.ranges, settings.equal_changes, member.seed):
            parts.append(each.coefficients)
            names.append(each.kind)
            levels.append(each.size)
            solved.append((each.kind, each.size, "solved_level", float(each.level)))
    return names, levels, Coefficients.joined(parts), solved


def _loss(network: "torch.nn.Module", inputs: "torch.Tensor", labels: "np.ndarray") -> float:
    import torch

    device, total = next(network.parameters()).device, 0.0
    targets = torch.as_tensor(labels)
    with torch.no_grad():
        for batch, target in zip(inputs.split(2048), targets.split(2048), strict=True):
            logits = network(batch.to(device))
            target = target.to(device)
            total += float(torch.nn.functional.cross_entropy(logits, target, reduction="sum"))
    return total / len(labels)


MEASURE = Measure(
    name="perturbations",
    rule="perturb_ensemble",
    needs=("data", "model"),
    rows=lambda job: measure_perturbations(
        job.model, job.epoch, job.data, AccuracyLevels(**job.settings), job.device
    ),
    settings=lambda settings: asdict(settings.accuracy_levels),
    columns=PERTURBATION_COLUMNS,
    device=True,
    memory=1500,
    minutes=60,
    metrics=(
        *("train_accuracy", "test_accuracy", "train_loss", "test_loss"),
        Quantity(
            name="hidden_change",
            look=Look("Change of the hidden vector", unit="relative RMS"),
        ),
        Quantity(name="dead_units", look=Look("Dead units")),
        "solved_level",
    ),
)
