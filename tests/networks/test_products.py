import pytest
import torch

from neuralcodes.networks import products


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


@pytest.mark.parametrize("kind", [torch.float32, torch.float64])
@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("shape", [(3, 2, 3, 4), (2, 100, 784, 64), (1, 4, 3, 2), (4, 1, 1, 1)])
def test_a_right_matrix_shared_by_the_seeds_is_multiplied_with_each(shape, transposed, kind):
    seeds, n, k, m = shape
    generator = torch.Generator().manual_seed(0)
    left = torch.randn(seeds, n, k, generator=generator).to(kind)
    right = torch.randn(1, m, k, generator=generator).to(kind).mT
    right = (right if transposed else right.contiguous()).expand(seeds, -1, -1)
    expected = torch.bmm(left.double(), right.double().contiguous()).to(kind)
    target = torch.full_like(expected, float("nan"))
    assert torch.allclose(products.product(left, right), expected, atol=1e-4)
    assert products.product(left, right, out=target) is target
    assert torch.allclose(target, expected, atol=1e-4)


def test_a_right_matrix_shared_by_the_seeds_is_multiplied_once(monkeypatch):
    shapes, bmm = [], torch.bmm
    monkeypatch.setattr(torch, "bmm", lambda a, b, **k: shapes.append(a.shape) or bmm(a, b, **k))
    products.product(torch.ones(3, 2, 4), torch.ones(1, 4, 5).expand(3, -1, -1))
    assert shapes == [(1, 6, 4)]
    products.product(torch.ones(3, 2, 4), torch.ones(3, 4, 5))
    assert shapes[1:] == [(3, 2, 4)]


def test_a_left_matrix_that_is_a_view_may_meet_a_shared_one():
    left = torch.arange(24.0).view(2, 3, 4).mT
    right = torch.eye(3)[None].expand(2, -1, -1)
    assert torch.equal(products.product(left, right), left)


def test_a_product_by_seed_may_be_left_apart_but_is_the_same():
    generator = torch.Generator().manual_seed(0)
    left = torch.randn(2, 100, 784, generator=generator)
    right = torch.randn(2, 784, 64, generator=generator)
    made = products.product_by_seed(left, right)
    made = made if isinstance(made, torch.Tensor) else torch.stack(made)
    assert torch.allclose(made, left @ right, atol=1e-3)


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
