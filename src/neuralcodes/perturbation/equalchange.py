"""Perturbations of equal size: levels at which the hidden vector changes by the same amount.

Scale, clip and offset count in units of their own. What they share is how far they move the hidden
vector: the root-mean-square change over examples and units, divided by its root mean square.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy.optimize import brentq

from neuralcodes.codes.tracing import batch_of
from neuralcodes.perturbation import interception, kinds
from neuralcodes.perturbation.interception import Activation, Inputs
from neuralcodes.perturbation.kinds import Coefficients
from neuralcodes.perturbation.kinds.declaration import PerturbationKind
from neuralcodes.perturbation.sweeps import Ranges

PREFIX = "equal_"  # before the name of a kind
FARTHEST = 1e6  # distance from the identity beyond which a change counts as out of reach
LOWEST = 0.999  # the same for a scale or clip turned down
ROWS = 4096  # examples of a block


@dataclass(frozen=True)
class Solution:
    """A level that changes the hidden vector by a wanted amount.

    Attributes:
        kind: name of the kind after `PREFIX`.
        size: the wanted relative root-mean-square change; negative where the kind is turned down
            (scaled or shifted down, clipped).
        level: that brings it about: p of scale, clip and offset, the spread of scale_per_unit.
        coefficients: of that one level.
    """

    kind: str
    size: float
    level: float
    coefficients: Coefficients


class Hidden:
    """The input of one activation over many examples, taken from one run of the network."""

    def __init__(
        self,
        model: torch.nn.Module,
        inputs: Inputs,
        layer: str | None = None,
        batch_size: int = 1024,
    ) -> None:
        """Run a network once.

        Args:
            model: any network called with one tensor (examples, ...).
            inputs: (examples, ...), as the network takes them.
            layer: see `perturbation.sweep`.
            batch_size: examples a batch.

        Raises:
            ValueError: there is no such layer.
        """
        site, kept = interception.find(model, inputs, layer), []

        def keep(activation: Activation, values: torch.Tensor) -> torch.Tensor:
            self.activation = activation
            kept.append(values.clone())
            return activation(values)

        with interception.running(model) as like:
            for start in range(0, len(inputs), batch_size):
                batch = batch_of(inputs[start : start + batch_size], like)
                interception.run(model, batch, site, keep)
        self.values = torch.cat(kept)
        self.size = self._norm(lambda values: self.activation(values.clone()))

    def change(self, level: Coefficients) -> float:
        """Relative root-mean-square change of the activation's output under one level."""
        scale, shift, clip = (
            torch.tensor(each[0]).to(self.values) for each in (level.scale, level.shift, level.clip)
        )
        bounded = bool(torch.isfinite(clip).any())

        def moved(values: torch.Tensor) -> torch.Tensor:
            changed = torch.addcmul(shift, values, scale)
            changed = torch.minimum(changed, clip) if bounded else changed
            return self.activation(changed).sub_(self.activation(values.clone()))

        return self._norm(moved) / self.size if self.size else 0.0  # where all units are dead

    @torch.no_grad()
    def _norm(self, function: Callable[[torch.Tensor], torch.Tensor]) -> float:
        squares = [
            float(torch.linalg.vector_norm(function(part)).double() ** 2)
            for part in self.values.split(ROWS)
        ]
        return float(np.sqrt(sum(squares)))


def solve(hidden: Hidden, ranges: Ranges, sizes: Sequence[float], seed: int = 0) -> list[Solution]:
    """Find the levels of every kind that change the hidden vector by the wanted sizes.

    Up and down are told apart: a scale above and below 1, an offset above and below 0; clipping
    only turns down, independent factors per unit only count up.

    Args:
        hidden: the network's activation over the examples that sizes are measured on.
        ranges: of each unit, see `perturbation.activation_range`.
        sizes: relative changes, above 0.
        seed: of the factors per unit.

    Returns:
        A solution for each kind, direction and size that can be reached.

    Raises:
        ValueError: a size is not above 0.
    """
    if not all(size > 0 for size in sizes):
        raise ValueError(f"sizes of a change must be above 0; got {list(sizes)}")
    found = []
    for kind in map(kinds.get, kinds.names()):
        make = _maker(kind, ranges, seed)
        for direction in kind.equal_directions:
            for size in sizes:
                level = _level(hidden, size, direction, _start(kind), make)
                if level is not None:
                    name = f"{PREFIX}{kind.name}"
                    found.append(Solution(name, direction * size, level, make(level)))
    return found


def _start(kind: PerturbationKind) -> float:
    # a kind that is sought by its level has one, or its declaration was refused
    return 1.0 if kind.equal_by == "spread" or kind.unperturbed is None else kind.unperturbed


def _maker(kind: PerturbationKind, ranges: Ranges, seed: int) -> Callable[[float], Coefficients]:
    if kind.equal_by == "spread":
        return lambda spread: kinds.coefficients(
            kind.name, [1.0], *ranges, spread=spread, seed=seed
        )
    return lambda level: kinds.coefficients(kind.name, [level], *ranges, seed=seed)


def _level(
    hidden: Hidden,
    size: float,
    direction: int,
    start: float,
    make: Callable[[float], Coefficients],
) -> float | None:
    def level_at(distance: float) -> float:
        return start + direction * distance

    def excess(distance: float) -> float:
        return hidden.change(make(level_at(distance))) - size

    # a scale of 0 and a clip at the smallest output leave nothing of the hidden vector
    farthest = LOWEST if level_at(1.0) == 0 else FARTHEST

    near, far = 0.0, min(size, farthest)
    if excess(near) > 0:  # even the mildest level does more
        return None
    while excess(far) < 0:
        if far >= farthest:
            return None
        near, far = far, min(2 * far, farthest)
    return level_at(brentq(excess, near, far, xtol=1e-6, rtol=1e-4))
