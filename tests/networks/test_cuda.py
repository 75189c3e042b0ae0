"""What needs a GPU: recordings are made, and numbers are those of the CPU but for rounding."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from training_cases import advanced, resumed

from neuralcodes.manifolds.manifolddata import TrainingPoints
from neuralcodes.networks.cuda import chunks, graphs
from neuralcodes.networks.training.loop import Training
from neuralcodes.networks.training.trainingdata import TrainingData

CUDA = torch.device("cuda")
pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")

SEEDS = [0, 1, 2, 3]
RESTLESS = {"learning_rate": 0.3, "schedule": "constant", "patience": 1, "epochs": 12, "width": 4}
TRAININGS = [
    {},
    {"depth": 3, "width": 12, "weight_decay": 1e-2},
    {"batch_norm": False, "activation": "abs"},
    {"activation": "tanh", "initializer": "torch_default", "weight_decay": 0.0},
    {"activation": "leaky_relu", "optimizer": "sgd", "momentum": 0.9},
    {"dropout": 0.2},
    {"input_noise": 0.3},
    {"batch_size": None, "batch_norm": False, "optimizer": "sgd"},
    {"batch_size": None},
    RESTLESS,
]
EVERY = pytest.mark.parametrize("changes", TRAININGS, ids=lambda changes: "-".join(changes) or "-")


@pytest.fixture(autouse=True)
def few_steps(monkeypatch):
    monkeypatch.setattr(chunks, "STEPS", 2)


@pytest.fixture
def start(make_run, images):
    def build(changes, device=CUDA):
        run = make_run(**{"epochs": 4, **changes})
        data = TrainingData.of(run, SEEDS, *images, 255, device)
        return Training(run, SEEDS, data, 3, ("1", "final"))

    return build


def assert_close(found, expected):
    for name, value in expected.parameters.items():
        other = found.parameters[name].cpu()
        torch.testing.assert_close(other, value.cpu(), rtol=2e-3, atol=2e-4, msg=name)


@EVERY
def test_a_gpu_trains_the_network_of_the_cpu(start, changes):
    ours, expected = start(changes), start(changes, torch.device("cpu"))
    kept, known = ours.finish(), expected.finish()
    assert ours.progress.stopped == expected.progress.stopped
    for row, other in zip(ours.progress.history, expected.progress.history, strict=True):
        assert row == pytest.approx(other, rel=1e-3, abs=1e-5)
    for epoch in ("1", "final"):
        assert_close(kept[epoch], known[epoch])


def test_chunks_are_recorded(start, monkeypatch):
    recorded = start({})
    recorded.finish()
    assert len(recorded.steps.replayed.recorded) == 3  # of 2 steps, of 1, and of a partial batch
    monkeypatch.setattr(graphs, "recorder", lambda device: None)
    plain = start({})
    plain.finish()
    assert not plain.steps.replayed.recorded
    assert_close(recorded.active, plain.active)


@pytest.mark.parametrize("halt", [1, 2, 4])
def test_a_halted_training_goes_on(start, tmp_path, halt):
    expected, halted = start(RESTLESS), start(RESTLESS)
    expected.finish()
    going_on = resumed(advanced(halted, halt), start(RESTLESS), tmp_path)
    going_on.finish()
    assert going_on.progress.stopped == expected.progress.stopped
    assert_close(going_on.whole, expected.whole)


def test_tf32_is_a_choice(start):
    if torch.cuda.get_device_capability() < (8, 0):
        pytest.skip("needs a GPU with tf32")
    changes = {"batch_norm": False, "optimizer": "sgd"}
    plain, rounded = (start({**changes, "tf32": tf32}) for tf32 in (False, True))
    plain.finish()
    rounded.finish()
    name = "hidden.0.weight"
    assert not torch.equal(plain.active.parameters[name], rounded.active.parameters[name])
    assert_close(rounded.active, plain.active)


@pytest.mark.parametrize("changes", [{}, {"train_first_layer": True}, {"network": "cnn"}], ids=str)
def test_a_gpu_trains_the_hash_network_of_the_cpu(make_hash_run, pictures, changes):
    images = "network" in changes
    of_images = {"dataset": "pictures", "family": "images"} if images else {}
    run = make_hash_run(**changes, **of_images)
    kept = []
    for device in (CUDA, torch.device("cpu")):
        data = TrainingPoints.of(run, [0, 1], pictures if images else None, device)
        kept.append(Training(run, [0, 1], data, data.classes).finish()["final"])
    assert_close(*kept)


PROGRAM = """
import hashlib, sys
import numpy as np
import torch
from neuralcodes.storage import jobs
from neuralcodes.studies import runs
from neuralcodes.networks.training.loop import Training
from neuralcodes.networks.training.trainingdata import TrainingData
device = jobs.start_torch(1, "cuda")
assert torch.are_deterministic_algorithms_enabled()
run = runs.from_mapping(eval(sys.argv[1]))
generator = np.random.default_rng(0)
inputs = generator.integers(0, 256, (1000, 20), dtype=np.uint8)
data = TrainingData.of(run, [0, 1], inputs, generator.integers(0, 3, 1000), 255.0, device)
final = Training(run, [0, 1], data, 3).finish()["final"]
content = b"".join(v.cpu().numpy().tobytes() for v in final.parameters.values())
print(hashlib.sha256(content).hexdigest())
"""


@pytest.mark.parametrize("changes", [{}, {"dropout": 0.2}, {"batch_size": None}], ids=str)
def test_the_deterministic_mode_gives_the_same_bits_in_every_process(
    make_run, monkeypatch, changes
):
    monkeypatch.setenv("NEURALCODES_DETERMINISTIC", "1")
    monkeypatch.setenv("PYTHONPATH", str(Path(graphs.__file__).parents[1]))
    command = [sys.executable, "-c", PROGRAM, repr(make_run(**changes).to_dict())]
    found = [
        subprocess.run(command, check=True, capture_output=True, text=True).stdout for _ in range(2)
    ]
    assert found[0] == found[1]
