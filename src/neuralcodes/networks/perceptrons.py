"""Multilayer perceptrons: all seeds in batched products."""

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import torch

from neuralcodes.networks.ensembles import Ensemble
from neuralcodes.storage.randomness import torch_generator

Activation = Literal["relu", "leaky_relu", "abs", "tanh"]
Initializer = Literal["glorot_uniform", "torch_default"]

LEAKY_SLOPE = 0.01
STATISTICS = ("mean", "variance")  # running statistics are kept, not trained
ACTIVATIONS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "relu": torch.relu,
    "leaky_relu": lambda pre: torch.nn.functional.leaky_relu(pre, LEAKY_SLOPE),
    "abs": torch.abs,
    "tanh": torch.tanh,
}


@dataclass(frozen=True)
class Shape:
    """Shape of one member: `hidden` x [dense -> batch norm? -> activation -> dropout?] -> dense."""

    inputs: int
    hidden: tuple[int, ...]
    classes: int
    activation: Activation = "relu"
    batch_norm: bool = True
    batch_norm_epsilon: float = 1e-3
    dropout: float = 0.0


class Perceptrons(Ensemble):
    """Perceptrons of one shape that differ by their seed.

    Parameters: `hidden.{i}.weight` (S, units, inputs) and `hidden.{i}.bias` (S, units); with batch
    norm `hidden.{i}.scale`, `.shift`, `.mean` and `.variance` (S, units), the last two being the
    running statistics; `output.weight` (S, classes, units) and `output.bias` (S, classes).
    """

    def trained_names(self, run: object = None) -> list[str]:
        """See `Ensemble`: all but the running statistics."""
        del run
        return [name for name in self.parameters if name.split(".")[-1] not in STATISTICS]

    def decayed_names(self, run: object = None) -> list[str]:
        """See `Ensemble`: the hidden kernels."""
        del run
        return [f"hidden.{i}.weight" for i in range(len(self.shape.hidden))]

    def layers(self) -> list[tuple[str, int]]:
        """See `Ensemble`."""
        return [(f"hidden.{i}", units) for i, units in enumerate(self.shape.hidden)]

    def affine_layers(self) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """Give every dense layer in evaluation mode, with batch norm folded in.

        Returns:
            (weight (S, units, inputs), bias (S, units)) per layer; the last is the output layer.
        """
        values, layers = self.parameters, []
        for i in range(len(self.shape.hidden)):
            weight, bias = values[f"hidden.{i}.weight"], values[f"hidden.{i}.bias"]
            if self.shape.batch_norm:
                epsilon = self.shape.batch_norm_epsilon
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
        """See `Ensemble`; what it gives of a unit is its pre-activation."""
        layers = self.affine_layers()
        activation = ACTIVATIONS[self.shape.activation]
        for start in range(0, inputs.shape[-2], batch_size):
            values = inputs[..., start : start + batch_size, :].to(self.device).mT
            hidden = []
            for weight, bias in layers:
                values = torch.matmul(weight, values) + bias[:, :, None]
                hidden.append(values)
                values = activation(values)
            yield torch.cat(hidden[:-1], dim=1).mT, hidden[-1].mT

    def member(self, index: int) -> torch.nn.Sequential:
        """See `Ensemble`."""
        shape, modules = self.shape, []
        sizes = [shape.inputs, *shape.hidden]
        for i, (inputs, units) in enumerate(zip(sizes, shape.hidden, strict=False)):
            modules.append(self._dense(f"hidden.{i}", index, inputs, units))
            if shape.batch_norm:
                modules.append(self._norm(f"hidden.{i}", index, units))
            modules.append(activation_module(shape.activation))
            if shape.dropout:
                modules.append(torch.nn.Dropout(shape.dropout))
        modules.append(self._dense("output", index, sizes[-1], shape.classes))
        return torch.nn.Sequential(*modules).to(self.device).eval()

    def last_activation(self) -> str:
        """See `Ensemble`."""
        shape = self.shape
        modules = 2 + shape.batch_norm + bool(shape.dropout)  # of each hidden layer
        return str(modules * len(shape.hidden) - 1 - bool(shape.dropout))

    def _dense(self, name: str, index: int, inputs: int, units: int) -> torch.nn.Linear:
        layer, names = torch.nn.Linear(inputs, units), ("weight", "bias")
        layer.load_state_dict({each: self.parameters[f"{name}.{each}"][index] for each in names})
        return layer

    def _norm(self, name: str, index: int, units: int) -> torch.nn.BatchNorm1d:
        layer = torch.nn.BatchNorm1d(units, eps=self.shape.batch_norm_epsilon)
        targets = (layer.weight.data, layer.bias.data, layer.running_mean, layer.running_var)
        for target, ours in zip(targets, ("scale", "shift", "mean", "variance"), strict=True):
            target.copy_(self.parameters[f"{name}.{ours}"][index])
        return layer


def initialise(
    shape: Shape,
    seeds: Sequence[int],
    initializer: Initializer = "glorot_uniform",
    device: torch.device | str = "cpu",
) -> Perceptrons:
    """Make an untrained ensemble; a member depends on its own seed alone.

    Args:
        shape: of each member.
        seeds: one per member.
        initializer: "glorot_uniform" kernels with zero biases (he2021), or torch's own default
            for `Linear`: kernels and biases uniform within 1 / sqrt(inputs) (oursland2024).
        device: where the parameters go; the numbers are drawn on the CPU.
    """
    members = [_initial_member(shape, seed, initializer) for seed in seeds]
    stacked = {name: torch.stack([each[name] for each in members]) for name in members[0]}
    return Perceptrons(shape, {name: value.to(device) for name, value in stacked.items()})


def _initial_member(shape: Shape, seed: int, rule: Initializer) -> dict[str, torch.Tensor]:
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


def activation_module(activation: Activation) -> torch.nn.Module:
    """Give an activation as a module.

    Args:
        activation: its name.
    """
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
