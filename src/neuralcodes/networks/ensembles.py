"""Ensembles: networks of one shape that differ by their seed, and are computed together."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, Self

import torch
from torch import Tensor

from neuralcodes.studies.hashruns import HashRun
from neuralcodes.studies.runs import Run

Parameters = dict[str, Tensor]
Shape = Any  # frozen dataclass of JSON-ready fields, each architecture's own


class Ensemble(ABC):
    """Networks of one shape, one per seed.

    Attributes:
        shape: what decides all of a member but its numbers; its field `network` names the
            architecture, where it is not "mlp".
        parameters: name -> tensor with a leading seed axis S, whatever training changes or keeps.
        random: whether a member in training draws numbers from torch's own generators.
    """

    random = False

    def __init__(self, shape: Shape, parameters: Parameters) -> None:
        self.shape = shape
        self.parameters = parameters

    @property
    def members(self) -> int:
        """Number of networks S."""
        return len(next(iter(self.parameters.values())))

    @property
    def device(self) -> torch.device:
        """Where the parameters are."""
        return next(iter(self.parameters.values())).device

    def alike(self, parameters: Parameters) -> Self:
        """Make an ensemble of the same shape.

        Args:
            parameters: of any number of members.
        """
        return type(self)(self.shape, parameters)

    def copy(self) -> Self:
        """Copy all parameters."""
        return self.alike({name: value.clone() for name, value in self.parameters.items()})

    def values(self, index: int) -> Parameters:
        """View one member's parameters, without the seed axis.

        Args:
            index: position on the seed axis.
        """
        return {name: value[index] for name, value in self.parameters.items()}

    @abstractmethod
    def trained_names(self, run: Run | HashRun) -> list[str]:
        """Name the parameters that the training of a run changes by their gradients."""

    @abstractmethod
    def decayed_names(self, run: Run | HashRun) -> list[str]:
        """Name the trained parameters that weight decay acts on."""

    @abstractmethod
    def layers(self) -> list[tuple[str, int]]:
        """Name the layers of a code with their units, in the code's order."""

    @abstractmethod
    def evaluate(self, inputs: Tensor, batch_size: int = 2048) -> Iterator[tuple[Tensor, Tensor]]:
        """Run all members in evaluation mode, batch by batch, without gradients.

        Args:
            inputs: float32 (examples, features) shared by all members, or (S, examples, features).
            batch_size: examples a batch.

        Yields:
            What is above 0 where a unit's bit is 1, (S, examples, units), and logits, float32
            (S, examples, classes).
        """

    @abstractmethod
    def member(self, index: int) -> torch.nn.Sequential:
        """Give one member as an ordinary torch module, in evaluation mode.

        Args:
            index: position on the seed axis.
        """

    def last_activation(self) -> str:
        """Name the module of a `member` that is its last hidden layer's activation.

        Raises:
            ValueError: there is none.
        """
        raise ValueError(f"{type(self).__name__} end in a layer without an activation")

    def logits(self, values: Parameters, inputs: Tensor) -> Tensor:
        """Run one member in training mode, so that autograd can go back; see `Autograd`.

        Args:
            values: its parameters, see `values`; running statistics are updated in place.
            inputs: float32 (batch, ...).

        Returns:
            float32 (batch, classes).
        """
        raise NotImplementedError(f"{type(self).__name__} writes its gradients out")

    @property
    def together(self) -> bool:
        """Whether all members can be run at once, by `logits_together`."""
        return False

    def logits_together(self, values: Parameters, inputs: Tensor) -> Tensor:
        """Run all members at once in training mode, each on its own batch, as suits a GPU.

        Args:
            values: all members' parameters.
            inputs: float32 (S, batch, ...).

        Returns:
            float32 (S, batch, classes).
        """
        raise NotImplementedError(f"{type(self).__name__} runs one member after the other")


@torch.no_grad()
def score(ensemble: Ensemble, inputs: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Measure every member in evaluation mode.

    Args:
        ensemble: the networks.
        inputs: float32 (examples, features).
        labels: int64 (examples,).

    Returns:
        Mean cross-entropy (S,) and accuracy in [0, 1] (S,).
    """
    loss = torch.zeros(ensemble.members, device=ensemble.device)
    correct = torch.zeros(ensemble.members, device=ensemble.device)
    start = 0
    for _, logits in ensemble.evaluate(inputs):
        target = labels[start : start + logits.shape[1]].to(ensemble.device)
        start += logits.shape[1]
        chosen = torch.log_softmax(logits, -1).gather(
            2, target[None, :, None].expand(ensemble.members, -1, 1)
        )
        loss -= chosen.sum((1, 2))
        correct += (logits.argmax(-1) == target).sum(1)
    return loss / start, correct / start
