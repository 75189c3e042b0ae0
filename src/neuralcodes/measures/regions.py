"""The linear regions around examples under a checkpoint."""

from pathlib import Path
from typing import TYPE_CHECKING

from neuralcodes.datasets import prepared
from neuralcodes.datasets.scaling import scaling_of
from neuralcodes.measures.declaration import Measure
from neuralcodes.storage.rows import Row
from neuralcodes.studies import runs

if TYPE_CHECKING:
    import torch


def measure_regions(
    model: Path, epoch: str, data: Path, examples: int, device: "torch.device"
) -> list[Row]:
    """Measure the regions along the line from each example to the centre of the data.

    The centre is the mean of the training part. The first `examples` of each split are measured,
    the same for every run and seed.

    Args:
        model: a model file.
        epoch: the checkpoint.
        data: folder of the prepared dataset.
        examples: of each split.
        device: where to compute.

    Returns:
        Rows of `rows.COLUMNS`.
    """
    from neuralcodes.metrics import regions
    from neuralcodes.networks import modelfiles

    metadata = modelfiles.read_metadata(model)
    run = runs.from_mapping(metadata["run"])
    ensemble = modelfiles.load(model, epoch, device)
    stored, _ = prepared.load(data.name, data.parent, "train")
    scaling = scaling_of(run.input_scaling, stored, prepared.describe(data).maximum)
    test, _ = prepared.load(data.name, data.parent, "test")
    train = scaling.features(stored[: runs.training_part(len(stored), run.validation_fraction)])
    centre = train.double().mean(0)
    measured: list[Row] = []
    for split, points in (
        ("train", train[:examples]),
        ("test", scaling.features(test[:examples])),
    ):
        directions, _ = regions.toward_centre(points, centre)
        borders = regions.border_distances(
            ensemble.affine_layers()[:-1], points, directions, run.activation
        )
        measured += [
            (run.id, seed, epoch, split, metric, float(value))
            for metric, values in regions.statistics(borders)
            for seed, value in zip(metadata["seeds"], values, strict=True)
            if modelfiles.has_checkpoint(metadata, seed, epoch)
        ]
    return measured


MEASURE = Measure(
    name="regions",
    needs=("data", "model"),
    rows=lambda job: measure_regions(
        job.model, job.epoch, job.data, job.settings["examples"], job.device
    ),
    settings=lambda settings: {"examples": settings.region_examples},
    device=True,
    memory=1500,
    minutes=20,
    metrics=(
        *("region_size", "region_size_median", "region_size_q05", "region_size_q25"),
        *("region_size_q75", "region_size_q95", "toward_centre_median", "away_median"),
        "region_unbounded",
    ),
)
