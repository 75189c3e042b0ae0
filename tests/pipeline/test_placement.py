"""Where jobs run."""

import re
from pathlib import Path

import pytest

from neuralcodes.pipeline import configuration, placement

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def settings():
    """The shipped configuration with some choices of its own."""

    def build(**chosen):
        return configuration.load({"preset": "digits", **chosen}, ROOT, {})

    return build


@pytest.fixture
def with_gpu(tmp_path):
    """Devices of a machine with an NVIDIA GPU."""
    (tmp_path / "nvidia0").touch()
    return tmp_path


@pytest.mark.parametrize(
    ("device", "local", "gpu"),
    [
        ("cpu", True, 0),
        ("cuda", True, 1),
        ("cuda:1", True, 1),
        ("cuda", False, 1),
        ("auto", True, 1),
        ("auto", False, 0),
        ("mps", True, 0),
    ],
)
def test_a_job_takes_a_gpu_where_its_device_is_one(settings, with_gpu, device, local, gpu):
    found = placement.job_resources(settings(device=device), "train_ensemble", local, with_gpu)
    assert found == {"device": device, "gpu": gpu}


def test_auto_takes_no_gpu_where_there_is_none(settings, tmp_path):
    (tmp_path / "nvidiactl").touch()  # a driver without a card
    found = placement.job_resources(settings(device="auto"), "train_ensemble", True, tmp_path)
    assert found == {"device": "auto", "gpu": 0}


def test_a_rule_can_have_a_device_of_its_own(settings):
    chosen = settings(device="cuda", devices={"encode_ensemble": "cpu"})
    assert placement.job_resources(chosen, "encode_ensemble", False)["device"] == "cpu"
    assert placement.job_resources(chosen, "train_ensemble", False)["device"] == "cuda"


def test_gpu_jobs_go_to_their_own_partition_and_others_to_that_of_all(settings):
    chosen = settings(
        device="cuda",
        devices={"encode_ensemble": "cpu"},
        slurm={"account": "lab", "partition": "batch", "gpu_partition": "gpu"},
    )
    assert placement.cluster_resources(chosen) == {
        "slurm_account": "lab",
        "slurm_partition": "batch",
    }
    trained = placement.job_resources(chosen, "train_ensemble", False)
    assert trained == {"device": "cuda", "gpu": 1, "slurm_partition": "gpu"}
    assert "slurm_partition" not in placement.job_resources(chosen, "encode_ensemble", False)


def test_a_cluster_is_asked_for_nothing_that_is_not_configured(settings):
    assert placement.cluster_resources(settings()) == {}


def test_a_measure_can_have_a_device_of_its_own_by_its_name_or_its_rules(settings):
    def device(**devices):
        chosen = settings(device="cuda", devices=devices)
        given = ("perturb_ensemble", False)
        return placement.job_resources(chosen, *given, measure="perturbations")["device"]

    assert device() == "cuda"
    assert device(perturbations="cpu") == "cpu"
    assert device(perturb_ensemble="mps", perturbations="cpu") == "mps"


def test_every_rule_with_a_device_can_have_another():
    text = "".join(path.read_text() for path in (ROOT / "rules").glob("*.smk"))
    placed = re.findall(r'\*\*placed\("(\w+)"\)', text)
    assert sorted(placed) == sorted(placement.RULES)
