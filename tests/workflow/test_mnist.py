"""The whole way on real MNIST, where a mirror has its files."""

import os

import pandas as pd
import pytest

MIRROR = os.environ.get("NEURALCODES_DATA_MIRROR")

pytestmark = [
    pytest.mark.workflow,
    pytest.mark.mirror,
    pytest.mark.skipif(not MIRROR, reason="NEURALCODES_DATA_MIRROR names no mirror"),
]


def test_two_epochs_on_mnist_learn_the_digits_and_share_codes(fresh):
    def ask(preset):
        preset["datasets"]["mnist"] = {"source": "mnist"}
        preset["recipes"]["tiny"] = {"epochs": 2, "patience": 0}
        preset["metrics"] = {"names": ["redundancy_ratio", "knn_accuracy"]}
        preset["studies"] = {
            "mnist": {
                "dataset": "mnist",
                "recipe": "tiny",
                "factors": {"width": [20]},
                "seeds": 1,
                "figure": {"kind": "curves", "x": "width"},
            }
        }

    fresh.configure(ask)
    table = "results/tiny/tables/mnist.csv"
    ran = fresh.run(table, cores=2, NEURALCODES_DATA_MIRROR=MIRROR)
    assert "train_ensemble mlp1x20 seeds0-0" in ran
    measured = pd.read_csv(fresh.folder / table).set_index(["metric", "split"])["value"]
    assert 0.9 < measured["test_accuracy", "test"] < 0.98
    assert 0.7 < measured["knn_accuracy", "test"] < measured["test_accuracy", "test"]
    # 20 units: far fewer codes than the 48,000 examples, far more than the ten classes
    assert 0.3 < measured["redundancy_ratio", "train"] < 0.95
    assert measured["redundancy_ratio", "test"] < measured["redundancy_ratio", "train"]
