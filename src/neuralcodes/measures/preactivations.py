"""How the pre-activations of trained units are distributed around their decision border."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from neuralcodes.measures.declaration import Measure
from neuralcodes.storage.rows import UNIT_COLUMNS, Row

if TYPE_CHECKING:
    import torch

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
SHOWN = 5  # units whose whole distribution is kept
EDGES = np.linspace(-8, 8, 161)  # of its bins, in standard deviations


def measure_preactivations(
    model: Path, epoch: str, data: Path, device: "torch.device"
) -> list[Row]:
    """Measure where the training examples of every member lie around each unit's border, 0.

    Units of different seeds have nothing to do with one another. They are therefore ranked within
    a network by the share of examples on the positive side of their border, and rank stands for
    unit. Pre-activations are divided by the unit's own standard deviation.

    Args:
        model: a model file.
        epoch: the checkpoint.
        data: folder of the prepared dataset.
        device: where to compute.

    Returns:
        Rows of `rows.UNIT_COLUMNS`: of every unit `active_share` and `quantile_05` to
        `quantile_95`, without position; of `SHOWN` units spread over the ranks `density`, per
        standard deviation, at the middle of each bin. A unit whose pre-activation is constant is
        left out.
    """
    from neuralcodes.measures.members import Member
    from neuralcodes.perturbation.equalchange import Hidden

    measured: list[Row] = []
    for member in Member.all_of(model, epoch, data, device):
        head = (member.run.id, member.seed, epoch, "train")
        hidden = Hidden(member.tail, member.values["train"], member.layer)
        values = hidden.values.flatten(1).cpu().numpy()
        measured += [(*head, *row) for row in describe(values)]
    return measured


def describe(values: np.ndarray) -> list[tuple[int, float | str, str, float]]:
    """Describe the distribution of each unit.

    Args:
        values: pre-activations, float (examples, units).

    Returns:
        (rank of the unit, position or "", metric, value).
    """
    share = (values > 0).mean(0)
    deviation = values.std(0)
    order = np.argsort(share, kind="stable")
    quantiles = np.quantile(values, QUANTILES, axis=0)
    shown = set(np.linspace(0, len(order) - 1, SHOWN).round().astype(int).tolist())
    found: list[tuple[int, float | str, str, float]] = []
    for rank, unit in enumerate(order.tolist()):
        if not deviation[unit] > 0:
            continue
        found.append((rank, "", "active_share", float(share[unit])))
        for name, value in zip(QUANTILES, quantiles[:, unit] / deviation[unit], strict=True):
            found.append((rank, "", f"quantile_{round(100 * name):02d}", float(value)))
        if rank in shown:
            found += _density(rank, values[:, unit] / deviation[unit])
    return found


def _density(rank: int, values: np.ndarray) -> list[tuple[int, float | str, str, float]]:
    counts, _ = np.histogram(values, EDGES)
    height = counts / (len(values) * np.diff(EDGES))
    middle = (EDGES[:-1] + EDGES[1:]) / 2
    return [
        (rank, float(f"{x:.9g}"), "density", float(y)) for x, y in zip(middle, height, strict=True)
    ]


MEASURE = Measure(
    name="preactivations",
    needs=("data", "model"),
    rows=lambda job: measure_preactivations(job.model, job.epoch, job.data, job.device),
    columns=UNIT_COLUMNS,
    device=True,
    memory=1500,
    minutes=20,
    metrics=("active_share", *(f"quantile_{round(100 * q):02d}" for q in QUANTILES), "density"),
)
