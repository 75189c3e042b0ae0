"""Which examples every member sees in a step, and the inputs that lie there."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Protocol

import torch
from torch import Tensor

from neuralcodes.networks.training.shuffles import Shuffles
from neuralcodes.networks.training.trainingdata import TrainingData
from neuralcodes.storage.randomness import torch_generator
from neuralcodes.studies.hashruns import HashRun
from neuralcodes.studies.runs import Run

RESIDENT = 2 * 2**30  # bytes of scaled inputs that may stay on the device


class StepData(Protocol):
    """What is trained on step by step, its inputs made when they are asked for.

    Attributes:
        classes: number of classes.
        examples: number of examples of each seed.
        shape: of one example.
        labels: int64 (S, examples).
        device: where batches are.
    """

    classes: int
    examples: int
    shape: tuple[int, ...]
    labels: Tensor
    device: torch.device

    def batch(self, rows: Tensor) -> Tensor:
        """Give each seed's examples of its rows.

        Args:
            rows: int64 (S, batch), on the CPU.

        Returns:
            float32 (S, batch, *shape).
        """
        ...

    def moments(self) -> tuple[Tensor, Tensor]:
        """Give mean and standard deviation of each seed's inputs, both float32 (S,)."""
        ...


class Batches(ABC):
    """The examples of the members in training, turn by turn.

    Attributes:
        examples: number of examples of a turn.
    """

    examples: int

    @abstractmethod
    def turn(self) -> Iterator[tuple[int, Tensor, Tensor]]:
        """Give the batches of the next turn.

        Yields:
            The weight of the batch's mean loss in the turn's, inputs, float32 (active members,
            batch, ...), and labels, int64 (active members, batch).
        """

    @abstractmethod
    def state(self) -> dict[str, Tensor]:
        """Give what decides the turns to come."""

    @abstractmethod
    def go_on_from(self, state: dict[str, Tensor]) -> None:
        """Continue from a `state`."""

    def bind(self, active: Sequence[int]) -> None:
        """Choose the members in training.

        Args:
            active: their positions.
        """
        del active  # all are, where nobody stops early

    def draw_ahead(self) -> None:
        """Draw what the next turn needs on the CPU while the device computes."""
        return


class EpochBatches(Batches):
    """A turn is an epoch: all examples in a new order, or all at once.

    Attributes:
        shuffles: the members' orders.
        labels: int64 (active members, n).
    """

    def __init__(
        self,
        data: TrainingData,
        seeds: Sequence[int],
        batch_size: int | None,
        scaled: bool = False,
    ) -> None:
        """Take all members' data.

        Args:
            data: see `TrainingData.of`.
            seeds: one per member.
            batch_size: the last batch may be smaller; None: all examples at once.
            scaled: whether to keep the inputs scaled, where they fit: faster to gather on a GPU,
                four times the memory of images.
        """
        self.data, self.shuffles, self.batch_size = data, Shuffles(seeds), batch_size
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

    def turn(self) -> Iterator[tuple[int, Tensor, Tensor]]:
        """See `Batches`; all at once, the examples are in their own order."""
        if self.batch_size is None:
            yield self.labels.shape[1], self.everything(), self.labels
            return
        rows, labels = self.order()
        for start in range(0, labels.shape[1], self.batch_size):
            batch = slice(start, start + self.batch_size)
            inputs, target = self.gather(rows[:, batch]), labels[:, batch]
            yield target.shape[1], inputs, target

    def state(self) -> dict[str, Tensor]:
        """See `Batches`."""
        return {str(i): each.get_state() for i, each in enumerate(self.shuffles.generators)}

    def go_on_from(self, state: dict[str, Tensor]) -> None:
        """See `Batches`."""
        for i, generator in enumerate(self.shuffles.generators):
            generator.set_state(state[str(i)])

    def bind(self, active: Sequence[int]) -> None:
        """See `Batches`."""
        self.active = list(active)
        chosen = torch.tensor(self.active, device=self.device)
        self.labels = self.data.labels[chosen]
        self.rows = None if self.data.rows is None else self.data.rows[chosen]
        self.whole: Tensor | None = None

    def order(self) -> tuple[Tensor, Tensor]:
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
        """See `Batches`: the next order."""
        self.shuffles.draw_ahead(self.active, self.examples)

    def gather(self, rows: Tensor) -> Tensor:
        """Give the scaled inputs of some rows.

        Args:
            rows: int64 (...), of the flat inputs.

        Returns:
            float32 (..., features).
        """
        chosen = self.flat.index_select(0, rows.reshape(-1))
        chosen = chosen if self.scaled else self.data.scaling.apply(chosen)
        return chosen.view(*rows.shape, -1)

    def everything(self) -> Tensor:
        """Give all examples in their own order, (active members, n, features).

        A view expanded along the members where they all have the same.
        """
        if self.whole is None:
            rows = self._rows_of_flat(None)
            self.whole = self.gather(rows[:1] if (rows == rows[0]).all() else rows)
        return self.whole.expand(len(self.labels), -1, -1)

    def _rows_of_flat(self, order: Tensor | None) -> Tensor:
        """Find the rows of the flat inputs, (active members, n); None: each one's own order."""
        if self.rows is not None:
            return self.rows if order is None else self.rows.gather(1, order)
        examples = self.labels.shape[1]
        own = torch.arange(examples, device=self.device) if order is None else order
        offset = torch.tensor(self.active, device=self.device) * examples
        return own + offset[:, None]


class StepBatches(Batches):
    """A turn is a step: the next examples of an order, of which a new one is drawn in time.

    Examples at the end of an order that do not fill a batch are left out.
    """

    def __init__(self, data: StepData, seeds: Sequence[int], batch_size: int) -> None:
        """Take all members' data.

        Args:
            data: each seed's examples.
            seeds: one per member.
            batch_size: of each step; all examples where they are fewer.
        """
        self.data, self.examples = data, min(batch_size, data.examples)
        self.shuffles = [torch_generator(seed, "hash shuffle") for seed in seeds]
        self.position = data.examples  # how many of the order have been used
        self._take_order(torch.zeros(len(seeds), data.examples, dtype=torch.int64))

    def turn(self) -> Iterator[tuple[int, Tensor, Tensor]]:
        """See `Batches`."""
        if self.position + self.examples > self.data.examples:
            orders = [torch.randperm(self.data.examples, generator=g) for g in self.shuffles]
            self._take_order(torch.stack(orders))
            self.position = 0
        batch = slice(self.position, self.position + self.examples)
        self.position = batch.stop
        inputs = self.data.batch(self.order[:, batch]).to(self.data.device)
        labels = self.data.labels.gather(1, self.order_of_labels[:, batch])
        yield 1, inputs, labels.to(self.data.device)

    def state(self) -> dict[str, Tensor]:
        """See `Batches`."""
        shuffles = {str(i): each.get_state() for i, each in enumerate(self.shuffles)}
        return {"order": self.order, "position": torch.tensor(self.position), **shuffles}

    def go_on_from(self, state: dict[str, Tensor]) -> None:
        """See `Batches`."""
        self._take_order(state["order"])
        self.position = int(state["position"])
        for i, shuffle in enumerate(self.shuffles):
            shuffle.set_state(state[str(i)])

    def _take_order(self, order: Tensor) -> None:
        self.order, self.order_of_labels = order, order.to(self.data.labels.device)


def batches_of(
    run: Run | HashRun, seeds: Sequence[int], data: TrainingData | StepData, lean: bool
) -> Batches:
    """Give the batches that a run is trained on.

    Args:
        run: its `unit` says what a turn is.
        seeds: one per member.
        data: of the seeds.
        lean: whether to arrange the data as suits a GPU.
    """
    if run.unit == "step":
        return StepBatches(data, seeds, run.batch_size)
    scaled = lean and run.batch_size is not None
    return EpochBatches(data, seeds, run.batch_size, scaled)
