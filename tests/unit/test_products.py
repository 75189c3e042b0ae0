import pytest
import torch

from neuralcodes import products


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("shape", [(3, 2, 3, 4), (2, 100, 784, 64), (5, 1, 1, 1)])
def test_product_equals_torchs_own_whatever_library_computes_it(shape, transposed):
    seeds, n, k, m = shape
    generator = torch.Generator().manual_seed(0)
    left = torch.randn(seeds, n, k, generator=generator)
    right = torch.randn(seeds, k, m, generator=generator)
    if transposed:
        right = right.mT.contiguous().mT
    expected = (left.double() @ right.double()).float()
    target = torch.full_like(expected, float("nan"))
    assert torch.allclose(products.product(left, right), expected, atol=1e-4)
    products.product(left, right, out=target)
    assert torch.allclose(target, expected, atol=1e-4)


def test_large_float32_products_of_one_thread_leave_torchs_default_library(monkeypatch):
    calls = []
    bmm = torch.bmm
    monkeypatch.setattr(torch, "bmm", lambda *a, **k: calls.append(1) or bmm(*a, **k))
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    products.product(torch.ones(1, 100, 784), torch.ones(1, 784, 64))
    if torch.backends.mkldnn.is_available():
        assert not calls
    products.product(torch.ones(1, 100, 784).double(), torch.ones(1, 784, 64).double())
    assert calls
