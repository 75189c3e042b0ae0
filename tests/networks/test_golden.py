"""Trained models of every kind are, bit for bit, those that were recorded.

The bits depend on the processor and on torch: on another machine norms must agree instead. What
`golden.json` lacks is recorded, and the test fails once: delete what is meant to change.
"""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from neuralcodes.manifolds.manifolddata import TrainingPoints
from neuralcodes.networks.training.loop import Training
from neuralcodes.networks.training.trainingdata import TrainingData
from neuralcodes.studies import hashruns, runs

RECORDED = Path(__file__).with_name("golden.json")
CPU = torch.device("cpu")
SEEDS = [0, 3, 4]
CHECKPOINTS = ("0", "2", "accuracy50", "final")
RECIPE = {
    **{"dataset": "toy", "input_scaling": "unit", "depth": 2, "width": 60, "activation": "relu"},
    **{"batch_norm": True, "batch_norm_momentum": 0.99, "batch_norm_epsilon": 1e-3},
    **{"dropout": 0.0, "initializer": "glorot_uniform", "optimizer": "adam", "momentum": 0.0},
    **{"learning_rate": 0.01, "adam_epsilon": 1e-7, "schedule": "step", "decay_factor": 0.1},
    **{"decay_epochs": 2, "weight_decay": 1e-4, "batch_size": 64, "epochs": 4, "patience": 0},
    **{"validation_fraction": 0.2, "sample_size": None, "subset": "first"},
    **{"label_noise": 0.0, "input_noise": 0.0, "tf32": False},
}
HASH_RECIPE = {
    **{"dataset": "manifolds", "family": "poly", "gamma_dim": 3, "theta_dim": 5},
    **{"ambient_dim": None, "rotation": 0.0, "shift": 0.0, "contrast": 0.0, "brightness": 0.0},
    **{"classes": None, "manifolds": 12, "points": 20, "label_noise": 0.1, "network": "hash"},
    **{"width": 400, "hash_width": 64, "hash_activation": "linear", "train_first_layer": False},
    **{"init_scale": 1.0, "learning_rate": 0.01, "weight_decay": 0.1, "warmup_steps": 10},
    **{"steps": 60, "batch_size": 48, "tf32": False},
}
IMAGES = {"dataset": "pictures", "family": "images", "network": "cnn", "rotation": 20.0}
RESTLESS = {"learning_rate": 0.3, "schedule": "constant", "patience": 1, "epochs": 8, "width": 8}
FULL_BATCH = {"batch_size": None, "batch_norm": False, "optimizer": "sgd", "weight_decay": 0.0}
PERCEPTRONS = {
    "batch norm": {},
    "without batch norm": {"batch_norm": False, "activation": "leaky_relu"},
    "dropout": {"dropout": 0.2, "activation": "tanh", "optimizer": "sgd", "momentum": 0.9},
    "early stopping": RESTLESS,
    "noise on a sample": {"sample_size": 50, "subset": "random", "label_noise": 0.2}
    | {"input_noise": 0.1, "input_scaling": "standardized"},
    "full batch": FULL_BATCH | {"activation": "abs", "initializer": "torch_default"},
    "full batch with batch norm": {"batch_size": None},
    "chunks": {},
    "small convolutional network": {"architecture": "small_cnn", "width": 8, "dropout": 0.2},
}
HASHES = {
    "hash network": {},
    "hash network, all trained": {"train_first_layer": True, "hash_activation": "relu"},
    "hash network, lean": {"train_first_layer": True, "init_scale": 0.5},
    "convolutional hash network": {**IMAGES, "manifolds": 15, "points": 4, "steps": 30},
}


def perceptrons(name):
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 4, 250)
    inputs = generator.integers(0, 256, (250, 28, 28), dtype=np.uint8)
    inputs[np.arange(250), labels] = 250
    run = runs.from_mapping(RECIPE | PERCEPTRONS[name])
    data = TrainingData.of(run, SEEDS, inputs, labels, 255)
    training = Training(run, SEEDS, data, 4, CHECKPOINTS, lean=name == "chunks")
    return training.finish(), training.progress.history


def hashes(name, pictures):
    run = hashruns.from_mapping(HASH_RECIPE | HASHES[name])
    data = TrainingPoints.of(run, SEEDS, pictures if run.network == "cnn" else None, CPU)
    lean = name.endswith("lean")
    training = Training(run, SEEDS, data, data.classes, ("0", "final"), lean=lean)
    return training.finish(), training.progress.history


def machine():
    """Name what decides the last bits: torch, its instruction set and the processor."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    facts = dict(line.partition(":")[::2] for line in lines)
    named = {key.strip(): value.strip() for key, value in facts.items()}
    chip = [named.get(key, "unknown") for key in ("vendor_id", "cpu family", "model")]
    return " ".join([torch.__version__, torch.backends.cpu.get_cpu_capability(), *chip])


def fingerprint(checkpoints, history):
    """Digest all numbers, and norms of the tensors to compare where digests may differ."""
    digest, norms = hashlib.sha256(), {}
    for epoch, ensemble in checkpoints.items():
        for name, value in sorted(ensemble.parameters.items()):
            key = f"{epoch}/{name}"
            digest.update(f"{key} {value.dtype} {tuple(value.shape)}".encode())
            digest.update(value.contiguous().numpy().tobytes())
            norms[key] = float(f"{value.double().norm().item():.7g}")
    digest.update(json.dumps(history).encode())
    return {"digest": digest.hexdigest(), "norms": norms}


def compare(name, found):
    recorded = json.loads(RECORDED.read_text())
    if name not in recorded["models"]:
        recorded["models"][name] = found
        RECORDED.write_text(json.dumps(recorded, indent=1) + "\n")
        pytest.fail(f"{name} is recorded now, for {machine()}; run again")
    expected = recorded["models"][name]
    if recorded["machine"] == machine():
        assert found["digest"] == expected["digest"]
    assert found["norms"] == pytest.approx(expected["norms"], rel=1e-4, abs=1e-7)


@pytest.mark.parametrize("name", PERCEPTRONS)
def test_perceptrons_are_the_recorded_ones(name):
    compare(name, fingerprint(*perceptrons(name)))


@pytest.mark.parametrize("name", HASHES)
def test_hash_networks_are_the_recorded_ones(name, pictures):
    compare(name, fingerprint(*hashes(name, pictures)))
