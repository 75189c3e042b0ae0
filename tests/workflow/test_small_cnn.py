"""The real snakemake trains, encodes and measures networks that are no perceptrons."""

import csv

import pytest

from neuralcodes.codes import packed
from neuralcodes.networks import modelfiles

pytestmark = pytest.mark.workflow
TABLE = "results/tiny/tables/convolutions.csv"
STUDY = {
    "dataset": "digits",
    "recipe": "tiny",
    "set": {"architecture": "small_cnn", "depth": 2, "epochs": 5},
    "factors": {"width": [8]},
    "seeds": 1,
    "measures": ["codes", "layers", "perturbations"],
    "figure": {"kind": "layers", "line": "width"},
}


def test_a_small_convolutional_network_is_trained_encoded_and_measured(fresh):
    fresh.configure(lambda preset: preset.update(studies={"convolutions": STUDY}))
    done = fresh.run(TABLE, cores=2)
    assert "train_ensemble small_cnn2x4 seeds0-0" in done
    assert fresh.planned(TABLE) == []
    networks = modelfiles.load(fresh.only("results/models/*/seeds0-0.safetensors"), "final")
    assert networks.shape.network == "small_cnn"
    folder = fresh.only("results/codes/*/seeds0-0")
    layers = packed.read_layers(folder / "layers.csv")
    # four channels of 8 x 8 and, after pooling, of 4 x 4
    assert [each.units for each in layers] == [256, 64]
    assert packed.read(folder / "epochfinal" / "test.npy").shape == (1, 360, 40)
    with (fresh.folder / TABLE).open(newline="") as file:
        rows = list(csv.DictReader(file))
    found = {row["metric"]: float(row["value"]) for row in rows if row.get("layer", "") == ""}
    assert found["test_accuracy"] > 0.5
    assert found["knn_accuracy"] > 0.8
    layered = fresh.only("results/metrics/*/seeds0-0/epochfinal.layers.csv").read_text()
    assert all(each.layer in layered for each in layers)
