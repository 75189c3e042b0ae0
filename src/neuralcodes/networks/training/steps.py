"""The steps of a turn: gradients of every member on its own batch, and an update with them."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from neuralcodes.networks.ensembles import Ensemble
from neuralcodes.networks.training.batches import Batches
from neuralcodes.networks.training.optimisers import AdamW, Optimiser
from neuralcodes.studies.hashruns import HashRun
from neuralcodes.studies.runs import Run


@dataclass(frozen=True)
class Bound:
    """What steps are taken with.

    Attributes:
        run: what is trained.
        ensemble: the members in training, whose parameters the optimiser has taken over.
        optimiser: of the ensemble.
        batches: of its members.
        noise: a generator per member, of what is random in a step.
    """

    run: Run | HashRun
    ensemble: Ensemble
    optimiser: Optimiser | AdamW
    batches: Batches
    noise: Sequence[torch.Generator]


class Steps(ABC):
    """Takes the steps of the members in training."""

    def __init__(self, bound: Bound) -> None:
        """Bind to an ensemble.

        Args:
            bound: what to take steps with; the ensemble is updated in place.
        """
        self.run, self.ensemble, self.optimiser = bound.run, bound.ensemble, bound.optimiser
        self.batches, self.noise = bound.batches, bound.noise

    @abstractmethod
    def turn(self, rate: float) -> tuple[Tensor, Tensor]:
        """Take the steps of a turn.

        Args:
            rate: the learning rate.

        Returns:
            Mean loss, penalty included, and number of hits among `batches.examples`, both float32
            (S,).
        """


class OneByOne(Steps):
    """Steps one after the other: gradients, then an update."""

    def turn(self, rate: float) -> tuple[Tensor, Tensor]:
        """See `Steps`."""
        loss = torch.zeros(self.ensemble.members, device=self.ensemble.device)
        correct = torch.zeros(self.ensemble.members, device=self.ensemble.device)
        weights = 0
        for weight, inputs, labels in self.batches.turn():
            cost, hits = self.gradients(inputs, labels)
            cost += self.optimiser.penalty()
            loss += cost * weight
            correct += hits
            weights += weight
            self.optimiser.step(rate)
        return loss / weights, correct

    @abstractmethod
    def gradients(self, inputs: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Give the optimiser the gradients of every member's mean cross-entropy.

        Args:
            inputs: float32 (S, batch, ...).
            labels: int64 (S, batch).

        Returns:
            Mean cross-entropy (S,), which the caller may change, and number of hits (S,).
        """
