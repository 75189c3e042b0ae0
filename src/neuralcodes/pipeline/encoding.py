"""From an ensemble's checkpoint to packed codes, with the loss and accuracy of the same pass."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from neuralcodes.codes import packed as codes
from neuralcodes.datasets import prepared, sampling
from neuralcodes.datasets.scaling import Scaling, scaling_of
from neuralcodes.networks import modelfiles
from neuralcodes.networks.ensembles import Ensemble
from neuralcodes.storage import checksums, jobs, rows
from neuralcodes.storage.randomness import numpy_generator
from neuralcodes.studies import runs


@dataclass(frozen=True)
class Encoded:
    """Codes of one split under one checkpoint.

    Attributes:
        packed: uint8 (S, examples, bytes).
        loss: mean cross-entropy in evaluation mode, float64 (S,); None without labels.
        accuracy: in [0, 1], float64 (S,); None without labels.
    """

    packed: np.ndarray
    loss: np.ndarray | None
    accuracy: np.ndarray | None


@torch.no_grad()
def encode(
    ensemble: Ensemble,
    inputs: np.ndarray,
    labels: np.ndarray | None,
    scaling: Scaling,
    rows: np.ndarray | None = None,
    batch_size: int = 2048,
) -> Encoded:
    """Encode the same examples, or each member's own, under every member.

    The bit of a unit is 1 where its pre-activation is above 0, which for relu and leaky_relu is
    where its output is. For abs the sign of the pre-activation is the linear region.

    Args:
        ensemble: the networks.
        inputs: uint8 or float32, first axis examples.
        labels: int64 (examples,) or None.
        scaling: how the networks take inputs.
        rows: int64 (S, n): the examples of each member; None: all for each.
        batch_size: examples a batch.
    """
    count = len(inputs) if rows is None else rows.shape[1]
    units = sum(units for _, units in ensemble.layers())
    packed = np.empty((ensemble.members, count, (units + 7) // 8), np.uint8)
    loss = np.zeros(ensemble.members)
    hits = np.zeros(ensemble.members)
    for start in range(0, count, batch_size):
        chosen = slice(start, start + batch_size)
        batch = inputs[chosen] if rows is None else inputs[rows[:, chosen]]
        leading = batch.shape[: 1 if rows is None else 2]
        values = torch.tensor(np.ascontiguousarray(batch).reshape(*leading, -1))
        values = scaling.apply(values.to(ensemble.device))
        for pre, logits in ensemble.evaluate(values, batch_size):
            packed[:, chosen] = codes.pack(pre > 0).cpu().numpy()
            if labels is not None:
                target = labels[chosen] if rows is None else labels[rows[:, chosen]]
                cost, right = _score(logits, target)
                loss += cost
                hits += right
    if labels is None:
        return Encoded(packed, None, None)
    return Encoded(packed, loss / count, hits / count)


def layers_of(ensemble: Ensemble) -> list[codes.Layer]:
    """Name the hidden layers and the units of the code that belong to each.

    Args:
        ensemble: the networks.
    """
    names, units = zip(*ensemble.layers(), strict=True)
    starts = np.cumsum([0, *units[:-1]]).tolist()
    return [codes.Layer(*each) for each in zip(names, starts, units, strict=True)]


def write_checkpoints(model: Path, data: Path, folder: Path, device: torch.device) -> None:
    """Write the codes of every checkpoint of a model file: the files of one encoding job.

    `epoch{e}/train.npy` and `test.npy` (uint8, seeds x examples x bytes), `layers.csv` beside
    them with `members.csv` (when each seed stopped), and `epoch{e}/network.csv` with the networks'
    own loss and accuracy; last `checksums.sha256`, the listing of them all. The training codes are
    of the examples that each seed was trained on, without the noise it was trained with.

    Args:
        model: a model file.
        data: folder of the prepared dataset.
        folder: where to write.
        device: where to compute.
    """
    metadata = modelfiles.read_metadata(model)
    run = runs.from_mapping(metadata["run"])
    train, labels = prepared.load(data.name, data.parent, "train")
    scaling = scaling_of(run.input_scaling, train, prepared.describe(data).maximum)
    test = prepared.load(data.name, data.parent, "test")
    seeds = metadata["seeds"]
    own = np.stack([sampling.training_rows(run, labels, seed) for seed in seeds])
    shared = bool((own == own[0]).all())
    for epoch in metadata["epochs"]:
        ensemble = modelfiles.load(model, epoch, device)
        if shared:
            encoded = {"train": encode(ensemble, train[own[0]], labels[own[0]], scaling)}
        else:
            encoded = {"train": encode(ensemble, train, labels, scaling, rows=own)}
        encoded["test"] = encode(ensemble, *test, scaling)
        for split, each in encoded.items():
            codes.write(folder / f"epoch{epoch}" / f"{split}.npy", each.packed)
        _write_network(folder / f"epoch{epoch}" / "network.csv", encoded)
    codes.write_layers(folder / "layers.csv", layers_of(ensemble))
    _write_members(folder / "members.csv", metadata)
    checksums.write_listing(folder)


def write_random_checkpoints(
    model: Path, data: Path, examples: int, folder: Path, device: torch.device
) -> None:
    """Write the codes of random inputs under every checkpoint: the files of one job.

    The same inputs for every run and seed: uniform on [0, 1] of the data's maximum, and their
    negatives, uniform on [-1, 0], which is what the released script feeds (note A20).

    Args:
        model: a model file.
        data: folder of the prepared dataset; its shape and scale are used.
        examples: random inputs of each range.
        folder: where to write `epoch{e}/uniform_0_1.npy` and `epoch{e}/uniform_-1_0.npy`.
        device: where to compute.
    """
    info, metadata = prepared.describe(data), modelfiles.read_metadata(model)
    train, _ = prepared.load(data.name, data.parent, "train")
    kind = runs.from_mapping(metadata["run"]).input_scaling
    scaling = scaling_of(kind, train, info.maximum).of_unit_inputs(info.maximum)
    shape = (examples, info.features)
    positive = numpy_generator(0, "random inputs").random(shape, dtype=np.float32)
    for epoch in metadata["epochs"]:
        ensemble = modelfiles.load(model, epoch, device)
        for name, inputs in (("uniform_0_1", positive), ("uniform_-1_0", -positive)):
            packed = encode(ensemble, inputs, None, scaling).packed
            codes.write(folder / f"epoch{epoch}" / f"{name}.npy", packed)
    _write_members(folder / "members.csv", metadata)
    checksums.write_listing(folder)


def _write_members(path: Path, metadata: dict[str, Any]) -> None:
    """Write when each seed stopped, and when it reached the checkpoints by accuracy, if it did."""
    reached = metadata["reached"]
    columns = [metadata["seeds"], metadata["stopped"], *reached.values()]
    table = zip(*columns, strict=True)
    rows.write(path, table, ("seed", "stopped_epoch", *reached))


def _write_network(path: Path, encoded: dict[str, Encoded]) -> None:
    lines = ["member,split,metric,value"]
    for split, each in encoded.items():
        for metric, values in (("loss", each.loss), ("accuracy", each.accuracy)):
            lines += [f"{i},{split},{split}_{metric},{v:.9g}" for i, v in enumerate(values)]
    with jobs.atomic(path) as temporary:
        temporary.write_text("\n".join(lines) + "\n")


def _score(logits: torch.Tensor, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    target = torch.as_tensor(np.broadcast_to(labels, logits.shape[:2]).copy())
    target = target.to(logits.device)
    cost = -torch.log_softmax(logits, -1).gather(2, target[:, :, None]).sum((1, 2))
    hits = (logits.argmax(-1) == target).sum(1)
    return cost.cpu().double().numpy(), hits.cpu().double().numpy()
