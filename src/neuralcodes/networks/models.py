"""Seed ensembles: multilayer perceptrons whose parameters carry a leading seed axis."""

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import torch

from neuralcodes.storage.randomness import torch_generator

Activation = Literal["relu", "leaky_relu", "abs", "tanh"]
Initializer = Literal["glorot_uniform", "torch_default"]

LEAKY_SLOPE = 0.01
ACTIVATIONS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "relu": torch.relu,
    "leaky_relu": lambda pre: torch.nn.functional.leaky_relu(pre, LEAKY_SLOPE),
    "abs": torch.abs,
    "tanh": torch.tanh,
}


@dataclass(frozen=True)
class Architecture:
    """Shape of one member: `hidden` x [dense -> batch norm? -> activation -> dropout?] -> dense."""

    inputs: int
    hidden: tuple[int, ...]
    classes: int
    activation: Activation = "relu"
    batch_norm: bool = True
    batch_norm_epsilon: float = 1e-3
    dropout: float = 0.0


class Ensemble:
    """Networks of one architecture that differ by their seed and are computed together.

    Parameters (`parameters`, name -> tensor with a leading seed axis S):
    `hidden.{i}.weight` (S, units, inputs) and `hidden.{i}.bias` (S, units); with batch norm
    `hidden.{i}.scale`, `.shift`, `.mean` and `.variance` (S, units), the last two being the
    running statistics; `output.weight` (S, classes, units) and `output.bias` (S, classes).
    """

    def __init__(self, architecture: Architecture, parameters: dict[str, torch.Tensor]) -> None:
        self.architecture = architecture
        self.parameters = parameters

    @property
    def members(self) -> int:
        """Number of networks S."""
        return len(self.parameters["output.weight"])

    @property
    def device(self) -> torch.device:
        """Where the parameters are."""
        return self.parameters["output.weight"].device

    def affine_layers(self) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """Give every dense layer in evaluation mode, with batch norm folded in.

        Returns:
            (weight (S, units, inputs), bias (S, units)) per layer; the last is the output layer.
        """
        values, layers = self.parameters, []
        for i in range(len(self.architecture.hidden)):
            weight, bias = values[f"hidden.{i}.weight"], values[f"hidden.{i}.bias"]
            if self.architecture.batch_norm:
                epsilon = self.architecture.batch_norm_epsilon
                deviation = (values[f"hidden.{i}.variance"] + epsilon).sqrt()
                gain = values[f"hidden.{i}.scale"] / deviation
                shift = values[f"hidden.{i}.shift"]
                bias = (bias - values[f"hidden.{i}.mean"]) * gain + shift
                weight = weight * gain[:, :, None]
            layers.append((weight, bias))
        return [*layers, (values["output.weight"], values["output.bias"])]

    @torch.no_grad()
    def evaluate(
        self, inputs: torch.Tensor, batch_size: int = 2048
    ) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Run all members in evaluation mode, batch by batch.

        Args:
            inputs: float32 (examples, features) shared by all members, or (S, examples, features).
            batch_size: examples a batch.

        Yields:
            Pre-activations of all hidden units, float32 (S, examples, units in layer order), and
            logits, float32 (S, examples, classes).
        """
        layers = self.affine_layers()
        activation = ACTIVATIONS[self.architecture.activation]
        for start in range(0, inputs.shape[-2], batch_size):
            values = inputs[..., start : start + batch_size, :].to(self.device).mT
            hidden = []
            for weight, bias in layers:
                values = torch.matmul(weight, values) + bias[:, :, None]
                hidden.append(values)
                values = activation(values)
            yield torch.cat(hidden[:-1], dim=1).mT, hidden[-1].mT

    def member(self, index: int) -> torch.nn.Sequential:
        """Give one member as an ordinary torch module, in evaluation mode.

        Args:
            index: position on the seed axis.
        """
        shape, modules = self.architecture, []
        sizes = [shape.inputs, *shape.hidden]
        for i, (inputs, units) in enumerate(zip(sizes, shape.hidden, strict=False)):
            modules.append(self._dense(f"hidden.{i}", index, inputs, units))
            if shape.batch_norm:
                modules.append(self._norm(f"hidden.{i}", index, units))
            modules.append(_module(shape.activation))
            if shape.dropout:
                modules.append(torch.nn.Dropout(shape.dropout))
        modules.append(self._dense("output", index, sizes[-1], shape.classes))
        return torch.nn.Sequential(*modules).to(self.device).eval()

    def _dense(self, name: str, index: int, inputs: int, units: int) -> torch.nn.Linear:
        layer, names = torch.nn.Linear(inputs, units), ("weight", "bias")
        layer.load_state_dict({each: self.parameters[f"{name}.{each}"][index] for each in names})
        return layer

    def _norm(self, name: str, index: int, units: int) -> torch.nn.BatchNorm1d:
        layer = torch.nn.BatchNorm1d(units, eps=self.architecture.batch_norm_epsilon)
        targets = (layer.weight.data, layer.bias.data, layer.running_mean, layer.running_var)
        for target, ours in zip(targets, ("scale", "shift", "mean", "variance"), strict=True):
            target.copy_(self.parameters[f"{name}.{ours}"][index])
        return layer


def last_activation(ensemble: Ensemble) -> str:
    """Name the module of a `member` that is its last hidden layer's activation.

    Args:
        ensemble: the networks.
    """
    shape = ensemble.architecture
    modules = 2 + shape.batch_norm + bool(shape.dropout)  # of each hidden layer
    return str(modules * len(shape.hidden) - 1 - bool(shape.dropout))


def initialise(
    architecture: Architecture,
    seeds: Sequence[int],
    initializer: Initializer = "glorot_uniform",
    device: torch.device | str = "cpu",
) -> Ensemble:
    """Make an untrained ensemble; a member depends on its own seed alone.

    Args:
        architecture: shape of each member.
        seeds: one per member.
        initializer: "glorot_uniform" kernels with zero biases (he2021), or torch's own default
            for `Linear`: kernels and biases uniform within 1 / sqrt(inputs) (oursland2024).
        device: where the parameters go; the numbers are drawn on the CPU.
    """
    members = [_initial_member(architecture, seed, initializer) for seed in seeds]
    stacked = {name: torch.stack([each[name] for each in members]) for name in members[0]}
    return Ensemble(architecture, {name: value.to(device) for name, value in stacked.items()})


@torch.no_grad()
def score(
    ensemble: Ensemble, inputs: torch.Tensor, labels: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
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


def _initial_member(shape: Architecture, seed: int, rule: Initializer) -> dict[str, torch.Tensor]:
    generator = torch_generator(seed, "initialise")
    sizes = [shape.inputs, *shape.hidden, shape.classes]
    values = {}
    for i, (inputs, units) in enumerate(itertools.pairwise(sizes)):
        name = f"hidden.{i}" if i < len(shape.hidden) else "output"
        glorot = rule == "glorot_uniform"
        limit = math.sqrt(6 / (inputs + units)) if glorot else 1 / math.sqrt(inputs)
        uniform = torch.rand(units, inputs, generator=generator)
        values[f"{name}.weight"] = (2 * uniform - 1) * limit
        bias = (2 * torch.rand(units, generator=generator) - 1) * limit
        values[f"{name}.bias"] = torch.zeros(units) if glorot else bias
        if shape.batch_norm and name != "output":
            values |= {f"{name}.scale": torch.ones(units), f"{name}.shift": torch.zeros(units)}
            values |= {f"{name}.mean": torch.zeros(units), f"{name}.variance": torch.ones(units)}
    return values


def _module(activation: Activation) -> torch.nn.Module:
    if activation == "relu":
        return torch.nn.ReLU()
    if activation == "leaky_relu":
        return torch.nn.LeakyReLU(LEAKY_SLOPE)
    if activation == "tanh":
        return torch.nn.Tanh()
    return Abs()


class Abs(torch.nn.Module):
    """Absolute value as an activation (Oursland 2024, arXiv:2411.17932)."""

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Return |values|."""
        return values.abs()
