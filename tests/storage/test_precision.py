import pytest
import torch

from neuralcodes.storage import jobs
from neuralcodes.storage.precision import float32_products

CUDA = torch.device("cuda")


def flags():
    return torch.backends.cuda.matmul.fp32_precision, torch.backends.cudnn.conv.fp32_precision


@pytest.mark.parametrize(("tf32", "kind"), [(True, "tf32"), (False, "ieee")])
def test_the_choice_holds_for_the_block_alone(tf32, kind):
    before = flags()
    with float32_products(tf32, CUDA):
        assert flags() == (kind, kind)
    assert flags() == before


def test_an_error_in_the_block_puts_all_back():
    before = flags()
    with pytest.raises(ZeroDivisionError), float32_products(tf32=True, device=CUDA):
        _ = 1 / 0
    assert flags() == before


@pytest.mark.parametrize("device", ["cpu", "mps"])
def test_other_devices_are_left_alone(device):
    before = flags()
    with float32_products(tf32=True, device=torch.device(device)):
        assert flags() == before


def test_a_job_on_cuda_does_not_round_convolutions_unasked(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with float32_products(tf32=True, device=CUDA):
        jobs.start_torch(1, "cuda")
        assert flags()[1] == "ieee"


def test_on_a_cpu_the_choice_changes_nothing(make_run, make_training):
    finals = [
        make_training(make_run(tf32=tf32), [0, 1]).finish()["final"] for tf32 in (False, True)
    ]
    for name, value in finals[0].parameters.items():
        assert torch.equal(finals[1].parameters[name], value)
