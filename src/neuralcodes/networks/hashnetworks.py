"""Hash networks: a representation layer under a classifier, for all seeds of a run together."""

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx
from torch.nn import functional

from neuralcodes.networks import products
from neuralcodes.networks.ensembles import Ensemble, Parameters
from neuralcodes.storage.randomness import torch_generator
from neuralcodes.studies.hashruns import HashRun

# channels, kernel and padding; the layers are our choice, see docs/fidelity.md
CONVOLUTIONS = ((32, 5, 2), (64, 3, 1), (64, 3, 1))
STRIDE = 2
EPSILON, MOMENTUM = 1e-5, 0.1  # torch's defaults for batch norm


@dataclass(frozen=True)
class HashShape:
    """Shape of one member.

    Attributes:
        network: "hash", C x -> ReLU -> hash layer -> classes; or "cnn", three convolutions with
            batch norm -> hash layer -> classes.
        inputs: (features,) or (channels, height, width); "hash" flattens images.
        width: units of the first layer of "hash"; 0 for "cnn".
        hash_width: units of the hash layer.
        classes: number of training classes.
        hash_activation: what follows the hash layer; "linear" is nothing.
    """

    network: Literal["hash", "cnn"]
    inputs: tuple[int, ...]
    width: int
    hash_width: int
    classes: int
    hash_activation: Literal["linear", "relu"] = "linear"


class HashEnsemble(Ensemble):
    """Hash networks of one shape that differ by their seed.

    Parameters: `hash.weight` (S, hash_width, units) and `hash.bias`, `output.weight` (S, classes,
    hash_width) and `output.bias`. "hash" has `first.weight` (S, width, features), without bias.
    "cnn" has for each convolution `conv.{i}.weight` (S, channels, channels below, kernel, kernel),
    `.bias`, `.scale`, `.shift`, `.mean` and `.variance` (S, channels), and `input.mean` and
    `input.deviation` (S,), which standardise what comes in.
    """

    def logits(self, values: Parameters, inputs: Tensor) -> Tensor:
        """See `Ensemble`.

        One seed after the other: on a CPU batched products are no faster, and grouped convolutions
        are slower.
        """
        return run_member(self.shape, values, inputs, training=True)[2]

    @property
    def together(self) -> bool:
        """See `Ensemble`."""
        return self.shape.network == "hash"

    def logits_together(self, values: Parameters, inputs: Tensor) -> Tensor:
        """See `Ensemble`."""
        features = torch.bmm(inputs.flatten(2), values["first.weight"].mT).relu_()
        pre = torch.baddbmm(values["hash.bias"][:, None], features, values["hash.weight"].mT)
        r = _activate(self.shape, pre)
        return torch.baddbmm(values["output.bias"][:, None], r, values["output.weight"].mT)

    @torch.no_grad()
    def represent(self, inputs: Tensor, batch_size: int = 2000) -> tuple[Tensor, Tensor]:
        """Compute the hash layer in evaluation mode.

        Args:
            inputs: float32 (S, examples, ...), or (examples, ...) shared by the members.
            batch_size: examples a batch.

        Returns:
            Pre-activations and representation r, both (S, examples, hash_width); one and the same
            tensor where the hash layer is linear.
        """
        pre = self._evaluate(inputs, batch_size, _hash_layer)
        return pre, _activate(self.shape, pre)

    @torch.no_grad()
    def predict(self, inputs: Tensor, batch_size: int = 2000) -> Tensor:
        """Classify in evaluation mode.

        Args:
            inputs: as in `represent`.
            batch_size: examples a batch.

        Returns:
            int64 (S, examples).
        """
        return self._evaluate(inputs, batch_size, lambda *given: run_member(*given)[2].argmax(1))

    @torch.no_grad()
    def evaluate(self, inputs: Tensor, batch_size: int = 2048) -> Iterator[tuple[Tensor, Tensor]]:
        """See `Ensemble`; all examples at once, of a unit of the hash layer its pre-activation."""
        pre, r = self.represent(inputs, batch_size)
        weight, bias = self.parameters["output.weight"], self.parameters["output.bias"]
        yield pre, torch.baddbmm(bias[:, None], r, weight.mT)

    def layers(self) -> list[tuple[str, int]]:
        """See `Ensemble`: the hash layer."""
        return [("hash", self.shape.hash_width)]

    def trained_names(self, run: HashRun) -> list[str]:
        """See `Ensemble`.

        A convolution's bias is not among them: batch norm takes it away again, so that its
        gradient is 0, and the rounding error found instead would be scaled up by Adam.
        """
        names = ["hash.weight", "hash.bias", "output.weight", "output.bias"]
        if self.shape.network == "cnn":
            kinds = ("weight", "scale", "shift")
            each = itertools.product(range(len(CONVOLUTIONS)), kinds)
            return [f"conv.{i}.{kind}" for i, kind in each] + names
        return (["first.weight"] if run.train_first_layer else []) + names

    def decayed_names(self, run: HashRun) -> list[str]:
        """See `Ensemble`: the weights, nothing else."""
        return [name for name in self.trained_names(run) if name.endswith(".weight")]

    def member(self, index: int) -> torch.nn.Sequential:
        """See `Ensemble`."""
        shape, values = self.shape, self.values(index)
        modules: list[torch.nn.Module] = []
        if shape.network == "cnn":
            modules += _convolution_modules(values, shape.inputs[0])
        if len(shape.inputs) > 1:
            modules.append(torch.nn.Flatten())
        if shape.network == "hash":
            modules += [_linear_module(values, "first"), torch.nn.ReLU()]
        modules.append(_linear_module(values, "hash"))
        if shape.hash_activation == "relu":
            modules.append(torch.nn.ReLU())
        modules.append(_linear_module(values, "output"))
        return torch.nn.Sequential(*modules).to(self.device).eval()

    def _evaluate(self, inputs: Tensor, batch_size: int, run: Callable[..., Tensor]) -> Tensor:
        shape, members = self.shape, []
        shared = inputs.dim() == len(shape.inputs) + 1
        for i in range(self.members):
            batches = (inputs if shared else inputs[i]).split(batch_size)
            made = [run(shape, self.values(i), b.to(self.device), False) for b in batches]
            members.append(torch.cat(made))
        return torch.stack(members)


def run_member(
    shape: HashShape, values: Parameters, inputs: Tensor, training: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """Run one network.

    Args:
        shape: its shape.
        values: its parameters, without a seed axis.
        inputs: float32 (batch, ...).
        training: whether batch norm takes the batch's statistics and updates the running ones.

    Returns:
        Pre-activations and representation r, both (batch, hash_width), and logits (batch,
        classes).
    """
    pre = _hash_layer(shape, values, inputs, training)
    r = _activate(shape, pre)
    return pre, r, _Affine.apply(r, values["output.weight"], values["output.bias"])


def initialise(
    shape: HashShape,
    seeds: Sequence[int],
    init_scale: float = 1.0,
    device: torch.device | str = "cpu",
) -> HashEnsemble:
    """Make an untrained ensemble; a member depends on its own seed alone.

    "hash": the first layer's weights have the variance 2, the hash layer's 2 / width, the
    output's 1 / hash_width, biases are 0. "cnn": torch's default, weights and biases uniform
    within 1 / sqrt(inputs of a unit). Our choice; see docs/fidelity.md.

    Args:
        shape: of each member.
        seeds: one per member.
        init_scale: factor on the hash layer's weights.
        device: where the parameters go; the numbers are drawn on the CPU.

    Raises:
        ValueError: "cnn", and the inputs are not images.
    """
    members = [_initial_member(shape, seed) for seed in seeds]
    stacked = {name: torch.stack([each[name] for each in members]) for name in members[0]}
    stacked["hash.weight"] *= init_scale
    return HashEnsemble(shape, {name: v.to(device) for name, v in stacked.items()})


class _Affine(torch.autograd.Function):
    """A linear layer whose three products are those of `products`."""

    @staticmethod
    def forward(ctx: FunctionCtx, inputs: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(inputs, weight)
        return products.linear(inputs, weight, bias)

    @staticmethod
    def backward(ctx: FunctionCtx, slope: Tensor) -> tuple[Tensor | None, ...]:
        inputs, weight = ctx.saved_tensors
        wanted = ctx.needs_input_grad
        return (
            products.linear(slope, weight.mT) if wanted[0] else None,
            products.linear(slope.mT, inputs.mT) if wanted[1] else None,
            slope.sum(0) if wanted[2] else None,
        )


def _hash_layer(shape: HashShape, values: Parameters, inputs: Tensor, training: bool) -> Tensor:
    if shape.network == "cnn":
        features = _convolve(values, inputs, training)
    else:
        features = _Affine.apply(inputs.flatten(1), values["first.weight"], None).relu_()
    return _Affine.apply(features, values["hash.weight"], values["hash.bias"])


def _activate(shape: HashShape, pre: Tensor) -> Tensor:
    return pre.relu() if shape.hash_activation == "relu" else pre


def _convolve(values: Parameters, inputs: Tensor, training: bool) -> Tensor:
    images = (inputs - values["input.mean"]) / values["input.deviation"]
    batch, channels, height, width = images.shape
    # the strides of channels_last, which torch leaves open where there is one channel
    images = images.movedim(1, -1).reshape(-1).view(batch, height, width, channels).movedim(-1, 1)
    for i, (_, _, padding) in enumerate(CONVOLUTIONS):
        kinds = ("weight", "bias", "mean", "variance", "scale", "shift")
        weight, bias, *norm = (values[f"conv.{i}.{kind}"] for kind in kinds)
        images = functional.conv2d(images, weight, bias, STRIDE, padding)
        images = functional.batch_norm(images, *norm, training, MOMENTUM, EPSILON).relu_()
    return images.flatten(1)


def _initial_member(shape: HashShape, seed: int) -> Parameters:
    generator = torch_generator(seed, "hash network")
    if shape.network == "cnn":
        return _initial_cnn(shape, generator)
    sizes = {
        "first": (shape.width, math.prod(shape.inputs), 2),
        "hash": (shape.hash_width, shape.width, 2 / shape.width),
        "output": (shape.classes, shape.hash_width, 1 / shape.hash_width),
    }
    values = {}
    for name, (units, below, variance) in sizes.items():
        normal = torch.randn(units, below, generator=generator)
        values[f"{name}.weight"] = normal * math.sqrt(variance)
        if name != "first":
            values[f"{name}.bias"] = torch.zeros(units)
    return values


def _initial_cnn(shape: HashShape, generator: torch.Generator) -> Parameters:
    if len(shape.inputs) != 3:
        raise ValueError(f"network cnn takes images (channels, height, width), not {shape.inputs}")
    values = {"input.mean": torch.zeros(()), "input.deviation": torch.ones(())}
    below, height, width = shape.inputs
    sizes: dict[str, tuple[int, ...]] = {}
    for i, (channels, kernel, _) in enumerate(CONVOLUTIONS):
        sizes[f"conv.{i}"] = (channels, below, kernel, kernel)
        values |= {f"conv.{i}.{kind}": torch.zeros(channels) for kind in ("shift", "mean")}
        values |= {f"conv.{i}.{kind}": torch.ones(channels) for kind in ("scale", "variance")}
        below, height, width = channels, -(-height // STRIDE), -(-width // STRIDE)
    sizes["hash"] = (shape.hash_width, below * height * width)
    sizes["output"] = (shape.classes, shape.hash_width)
    for name, size in sizes.items():
        limit = 1 / math.sqrt(math.prod(size[1:]))
        for kind, drawn in (("weight", size), ("bias", size[:1])):
            values[f"{name}.{kind}"] = (2 * torch.rand(drawn, generator=generator) - 1) * limit
    return values


def _linear_module(values: Parameters, name: str) -> torch.nn.Linear:
    state = {k: values[f"{name}.{k}"] for k in ("weight", "bias") if f"{name}.{k}" in values}
    units, below = state["weight"].shape
    layer = torch.nn.Linear(below, units, bias="bias" in state)
    layer.load_state_dict(state)
    return layer


def _convolution_modules(values: Parameters, below: int) -> list[torch.nn.Module]:
    standardise = torch.nn.BatchNorm2d(below, eps=0, affine=False)
    standardise.running_mean.fill_(values["input.mean"])
    standardise.running_var.fill_(values["input.deviation"] ** 2)
    modules: list[torch.nn.Module] = [standardise]
    for i, (channels, kernel, padding) in enumerate(CONVOLUTIONS):
        convolution = torch.nn.Conv2d(below, channels, kernel, STRIDE, padding)
        norm, below = torch.nn.BatchNorm2d(channels, EPSILON, MOMENTUM), channels
        targets = {"weight": convolution.weight, "bias": convolution.bias, "scale": norm.weight}
        targets |= {"shift": norm.bias, "mean": norm.running_mean, "variance": norm.running_var}
        for kind, target in targets.items():
            target.data.copy_(values[f"conv.{i}.{kind}"])
        modules += [convolution, norm, torch.nn.ReLU()]
    return modules
