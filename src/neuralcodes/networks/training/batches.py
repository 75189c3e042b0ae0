"""Which examples every member sees in a step: its shuffled rows, and the inputs that lie there."""

from collections.abc import Sequence

import torch

from neuralcodes.networks.training.shuffles import Shuffles
from neuralcodes.networks.training.trainingdata import TrainingData

RESIDENT = 2 * 2**30  # bytes of scaled inputs that may stay on the device


class Batches:
    """The examples of the members in training.

    Attributes:
        shuffles: the members' orders.
        labels: int64 (active members, n).
    """

    def __init__(self, data: TrainingData, seeds: Sequence[int], scaled: bool = False) -> None:
        """Take all members' data.

        Args:
            data: see `TrainingData.of`.
            seeds: one per member.
            scaled: whether to keep the inputs scaled, where they fit: faster to gather on a GPU,
                four times the memory of images.
        """
        self.data, self.shuffles = data, Shuffles(seeds)
        self.flat = data.inputs.view(-1, data.inputs.shape[-1])
        self.scaled = scaled and 4 * self.flat.numel() <= RESIDENT
        if self.scaled:
            self.flat = data.scaling.apply(self.flat.to(torch.float32, copy=True))
        self.bind(range(len(data.labels)))

    @property
    def device(self) -> torch.device:
        """Where the data are."""
        return self.flat.device

    @property
    def examples(self) -> int:
        """Number of examples of an epoch, repeats counted."""
        return self.labels.shape[1] * self.data.repeats

    def bind(self, active: Sequence[int]) -> None:
        """Choose the members in training.

        Args:
            active: their positions.
        """
        self.active = list(active)
        chosen = torch.tensor(self.active, device=self.device)
        self.labels = self.data.labels[chosen]
        self.rows = None if self.data.rows is None else self.data.rows[chosen]
        self.whole: torch.Tensor | None = None

    def order(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Shuffle: rows of the flat inputs and labels, each (active members, examples)."""
        cuda = self.device.type == "cuda"
        drawn, rows = self.shuffles.draw(self.active, self.examples, pinned=cuda)
        order = drawn.to(self.device, non_blocking=cuda)
        if self.data.repeats > 1:
            order.remainder_(self.labels.shape[1])
        if len(order) < len(rows):
            order = order[torch.tensor(rows, device=self.device)]
        return self._rows_of_flat(order), self.labels.gather(1, order)

    def draw_ahead(self) -> None:
        """Draw the next `order` on the CPU while the device computes."""
        self.shuffles.draw_ahead(self.active, self.examples)

    def gather(self, rows: torch.Tensor) -> torch.Tensor:
        """Give the scaled inputs of some rows.

        Args:
            rows: int64 (...), of the flat inputs.

        Returns:
            float32 (..., features).
        """
        chosen = self.flat.index_select(0, rows.reshape(-1))
        chosen = chosen if self.scaled else self.data.scaling.apply(chosen)
        return chosen.view(*rows.shape, -1)

    def everything(self) -> torch.Tensor:
        """Give all examples in their own order, (active members, n, features).

        A view expanded along the members where they all have the same.
        """
        if self.whole is None:
            rows = self._rows_of_flat(None)
            self.whole = self.gather(rows[:1] if (rows == rows[0]).all() else rows)
        return self.whole.expand(len(self.labels), -1, -1)

    def _rows_of_flat(self, order: torch.Tensor | None) -> torch.Tensor:
        """Find the rows of the flat inputs, (active members, n); None: each one's own order."""
        if self.rows is not None:
            return self.rows if order is None else self.rows.gather(1, order)
        examples = self.labels.shape[1]
        own = torch.arange(examples, device=self.device) if order is None else order
        offset = torch.tensor(self.active, device=self.device) * examples
        return own + offset[:, None]
