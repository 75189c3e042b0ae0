"""What a training of hash networks asks of its data."""

from typing import Protocol

import torch


class HashData(Protocol):
    """What an ensemble is trained on: m x n examples, n of each of m manifolds.

    Attributes:
        classes: number of classes.
        examples: number of examples of each seed.
        shape: of one example.
        labels: int64 (S, examples).
    """

    classes: int
    examples: int
    shape: tuple[int, ...]
    labels: torch.Tensor

    def batch(self, rows: torch.Tensor) -> torch.Tensor:
        """Give each seed's examples of its rows.

        Args:
            rows: int64 (S, batch), on the CPU.

        Returns:
            float32 (S, batch, *shape).
        """
        ...

    def moments(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Give mean and standard deviation of each seed's inputs, both float32 (S,)."""
        ...
