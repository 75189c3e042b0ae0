"""Devices and GPUs of real jobs."""

import re

import pytest
import torch

pytestmark = pytest.mark.workflow
FIGURE = "results/tiny/figures/widths.pdf"


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_device_that_is_not_there_is_an_error_and_jobs_take_turns_on_it(fresh):
    done = fresh.snakemake(FIGURE, "--config", "device=cuda", "jobs_per_gpu=3", cores=2)
    assert done.returncode == 1
    assert 'gpu=Resource("gpu", 3)' in done.stdout
    assert "DeviceError: device: cuda was asked for, but torch sees 0 CUDA devices" in done.stdout
    assert not list(fresh.folder.glob("results/models/*/*"))


def test_a_rule_can_run_elsewhere_than_the_others(fresh):
    chosen = ("--config", "device=cuda", "devices={encode_ensemble: cpu}")
    planned = fresh.snakemake("-n", FIGURE, *chosen).stdout
    found = re.findall(r"^rule (\w+):.*?device=(\w+), gpu=(\d)", planned, re.DOTALL | re.MULTILINE)
    placed = {rule: (device, gpu) for rule, device, gpu in found if rule != "prepare_data"}
    assert placed["encode_ensemble"] == ("cpu", "0")
    assert ("cuda", "1") in placed.values()


def test_an_unknown_rule_in_devices_is_refused(fresh):
    done = fresh.snakemake("-n", "--config", "devices={encode_ensmble: cpu}")
    assert done.returncode == 1
    assert 'devices.encode_ensmble: "encode_ensmble" is no known key; did you mean' in done.stdout
