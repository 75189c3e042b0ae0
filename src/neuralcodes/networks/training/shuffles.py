"""The order of each epoch's examples, for every seed from a generator of its own."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from neuralcodes.storage.randomness import torch_generator


@dataclass(frozen=True)
class _Drawn:
    """An order drawn ahead: the generator's state before and after it."""

    before: torch.Tensor
    order: torch.Tensor
    after: torch.Tensor


class Shuffles:
    """Draws orders on the CPU, so that they do not depend on the device.

    Attributes:
        generators: one per member; members of the same seed share theirs, and their orders.
    """

    def __init__(self, seeds: Sequence[int]) -> None:
        """Make the generators.

        Args:
            seeds: one per member, not necessarily distinct.
        """
        self.seeds = list(seeds)
        by_seed = {seed: torch_generator(seed, "shuffle") for seed in self.seeds}
        self.generators = [by_seed[seed] for seed in self.seeds]
        self.ahead: dict[int, _Drawn] = {}

    def draw(
        self, members: Sequence[int], length: int, pinned: bool = False
    ) -> tuple[torch.Tensor, list[int]]:
        """Draw the next order of every member, once per seed.

        Args:
            members: positions in `seeds`: those still in training, which take one order an epoch.
            length: of an order.
            pinned: whether to put the orders where a GPU can fetch them by itself.

        Returns:
            int64 (distinct seeds, length), and for each member its row.
        """
        first = self._first_of_seeds(members)
        orders = [self._next(member, length) for member in first.values()]
        rows = {seed: row for row, seed in enumerate(first)}
        drawn = torch.empty(len(orders), length, dtype=torch.int64, pin_memory=pinned)
        torch.stack(orders, out=drawn)
        return drawn, [rows[self.seeds[member]] for member in members]

    def draw_ahead(self, members: Sequence[int], length: int) -> None:
        """Draw what `draw` will give next; the generators stay where they are.

        Args:
            members: as in `draw`.
            length: as in `draw`.
        """
        for seed, member in self._first_of_seeds(members).items():
            generator = self.generators[member]
            before = generator.get_state()
            order = torch.randperm(length, generator=generator)
            self.ahead[seed] = _Drawn(before, order, generator.get_state())
            generator.set_state(before)

    def _first_of_seeds(self, members: Sequence[int]) -> dict[int, int]:
        first: dict[int, int] = {}
        for member in members:
            first.setdefault(self.seeds[member], member)
        return first

    def _next(self, member: int, length: int) -> torch.Tensor:
        generator, drawn = self.generators[member], self.ahead.pop(self.seeds[member], None)
        if drawn is None or len(drawn.order) != length:
            return torch.randperm(length, generator=generator)
        if not torch.equal(drawn.before, generator.get_state()):
            return torch.randperm(length, generator=generator)
        generator.set_state(drawn.after)
        return drawn.order
