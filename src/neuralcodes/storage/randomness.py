"""Every random number comes from a generator named by its seed and its purpose."""

import hashlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch


def derived_seed(seed: int, purpose: str) -> int:
    """Give a 63-bit seed for one purpose of one repeat.

    Args:
        seed: the repeat, 0, 1, 2, ...
        purpose: what the numbers are for, e.g. "shuffle".
    """
    digest = hashlib.sha256(f"{seed}/{purpose}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def numpy_generator(seed: int, purpose: str) -> np.random.Generator:
    """Make NumPy's generator for one purpose of one repeat."""
    return np.random.default_rng(derived_seed(seed, purpose))


def torch_generator(seed: int, purpose: str) -> "torch.Generator":
    """Make torch's generator for one purpose of one repeat.

    It lives on the CPU, so that the numbers do not depend on the device.
    """
    import torch

    return torch.Generator().manual_seed(derived_seed(seed, purpose))
