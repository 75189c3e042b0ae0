"""The same GPU, the same bits: what the mode sets, and that no training needs what it refuses."""

import os
from pathlib import Path

import pytest
import torch
from recordings import Recorder

from neuralcodes.manifolds.manifolddata import TrainingPoints
from neuralcodes.networks.training.loop import Training
from neuralcodes.networks.training.trainingdata import TrainingData
from neuralcodes.pipeline import configuration
from neuralcodes.storage import jobs

ROOT = Path(__file__).parents[2]
CPU = torch.device("cpu")
# Operators that torch documents as refused on CUDA in this mode, so far as networks use such.
REFUSED = {
    *("cumsum", "histc", "put_", "median", "nanmedian", "kthvalue", "scatter_reduce"),
    *("nll_loss_forward", "nll_loss2d_forward", "ctc_loss", "embedding_bag"),
    *("avg_pool3d_backward", "_adaptive_avg_pool2d_backward", "adaptive_max_pool2d_backward"),
    *("fractional_max_pool2d_backward", "max_unpool2d", "grid_sampler_2d_backward"),
    *("upsample_linear1d_backward", "upsample_bilinear2d_backward", "reflection_pad2d_backward"),
}
PERCEPTRONS = {
    "published": {},
    "deep": {"depth": 3, "width": 12},
    "without batch norm": {"batch_norm": False, "activation": "abs"},
    "tanh": {"activation": "tanh"},
    "leaky": {"activation": "leaky_relu", "optimizer": "sgd", "momentum": 0.9},
    "dropout": {"dropout": 0.2},
    "early stopping": {"learning_rate": 0.3, "schedule": "constant", "patience": 1, "epochs": 8},
    "full batch": {"batch_size": None, "batch_norm": False, "optimizer": "sgd"},
    "full batch, batch norm": {"batch_size": None},
    "noise": {"label_noise": 0.2, "input_noise": 0.2},
}
HASHES = {
    "random features": {},
    "everything trained": {"train_first_layer": True, "hash_activation": "relu"},
    "convolutions": {"dataset": "pictures", "family": "images", "network": "cnn"},
}


@pytest.fixture
def as_before(monkeypatch):
    monkeypatch.delenv(jobs.DETERMINISTIC_VARIABLE, raising=False)
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    threads = torch.get_num_threads()
    yield
    os.environ.pop("CUBLAS_WORKSPACE_CONFIG", None)
    torch.use_deterministic_algorithms(mode=False)
    torch.utils.deterministic.fill_uninitialized_memory = True
    torch.backends.cudnn.deterministic = False
    torch.set_num_threads(threads)


@pytest.fixture
def deterministic(as_before, monkeypatch):
    monkeypatch.setenv(jobs.DETERMINISTIC_VARIABLE, "1")
    jobs.start_torch(1, "cpu")
    assert torch.are_deterministic_algorithms_enabled()


@pytest.mark.parametrize(
    ("value", "asked"), [(None, False), ("", False), ("0", False), ("1", True)]
)
def test_the_mode_is_on_where_the_environment_asks_for_it(as_before, monkeypatch, value, asked):
    if value is not None:
        monkeypatch.setenv(jobs.DETERMINISTIC_VARIABLE, value)
    jobs.start_torch(1, "cpu")
    assert torch.are_deterministic_algorithms_enabled() == asked
    assert torch.backends.cudnn.deterministic == asked
    assert os.environ.get("CUBLAS_WORKSPACE_CONFIG") == (":4096:8" if asked else None)
    assert torch.utils.deterministic.fill_uninitialized_memory != asked


@pytest.mark.parametrize("asked", [False, True])
def test_the_configuration_says_whether(asked):
    given = {"deterministic": True} if asked else {}
    assert configuration.load({"preset": "digits", **given}, ROOT, {}).deterministic == asked


def test_a_workspace_of_the_user_s_own_stays(as_before, monkeypatch):
    monkeypatch.setenv(jobs.DETERMINISTIC_VARIABLE, "1")
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":16:8")
    jobs.start_torch(1, "cpu")
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":16:8"


def test_what_the_mode_refuses_is_seen_by_these_tests():
    with Recorder() as recorder:
        torch.rand(4).cumsum(0)
    assert recorder.names & REFUSED == {"cumsum"}


@pytest.mark.parametrize("lean", [True, False], ids=["chunked", "plain"])
@pytest.mark.parametrize("changes", PERCEPTRONS.values(), ids=PERCEPTRONS.keys())
def test_perceptrons_train_in_this_mode(deterministic, make_run, images, changes, lean):
    run, finals = make_run(**{"epochs": 3, **changes}), []
    data = TrainingData.of(run, [0, 1], *images, 255)
    for _ in range(2):
        with Recorder() as recorder:
            kept = Training(run, [0, 1], data, 3, ("0", "2", "final"), lean=lean).finish()
        assert not recorder.names & REFUSED
        finals.append(kept["final"].parameters)
    for name, value in finals[0].items():
        assert torch.equal(finals[1][name], value), name


@pytest.mark.parametrize("changes", HASHES.values(), ids=HASHES.keys())
def test_hash_networks_train_in_this_mode(deterministic, make_hash_run, pictures, changes):
    run, finals = make_hash_run(**changes), []
    data = TrainingPoints.of(run, [0, 1], pictures if "family" in changes else None, CPU)
    for _ in range(2):
        with Recorder() as recorder:
            kept = Training(run, [0, 1], data, data.classes, lean=True).finish()
        assert not recorder.names & REFUSED
        finals.append(kept["final"].parameters)
    for name, value in finals[0].items():
        assert torch.equal(finals[1][name], value), name
