"""How float32 products are rounded on CUDA: as float32, or as tf32 where a recipe asks for it."""

import contextlib
from collections.abc import Iterator

import torch


@contextlib.contextmanager
def float32_products(tf32: bool, device: torch.device) -> Iterator[None]:
    """Fix the rounding of matrix products and convolutions while the block runs.

    Args:
        tf32: whether their inputs may be rounded to 10 bits, which tensor cores multiply several
            times as fast. torch's own choice is no for products and yes for convolutions.
        device: where the block computes; nothing changes but on CUDA.
    """
    if device.type != "cuda":
        yield
        return
    convolutions = torch.backends.cudnn.conv  # type: ignore[attr-defined]  # torch lacks its type
    kinds = (torch.backends.cuda.matmul, convolutions)
    before = [kind.fp32_precision for kind in kinds]
    try:
        for kind in kinds:
            kind.fp32_precision = "tf32" if tf32 else "ieee"
        yield
    finally:
        for kind, value in zip(kinds, before, strict=True):
            kind.fp32_precision = value
