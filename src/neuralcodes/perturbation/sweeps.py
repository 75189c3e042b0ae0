"""Perturbations of trained networks: y = min(s x + t, c) before an activation, and its accuracy.

Source: Oursland 2024, arXiv:2411.17932, and its released code.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import torch

from neuralcodes.codes.tracing import batch_of, example_parameter
from neuralcodes.networks.ensembles import Ensemble
from neuralcodes.perturbation import interception
from neuralcodes.perturbation.interception import Activation, Inputs
from neuralcodes.perturbation.kinds import Coefficients, Kind, coefficients
from neuralcodes.perturbation.kinds.declaration import SPREAD

Ranges = tuple[np.ndarray, np.ndarray]

# Numbers of one block of levels x examples x units: large enough for the products that follow,
# small enough for a processor's cache.
BLOCK = 2**20
BLOCK_ON_GPU = 2**27
FEWEST_EXAMPLES = 128  # of a block; below, levels are taken in several turns


@dataclass
class Response:
    """What a network does under each of some levels.

    Attributes:
        examples: how many there are.
        correct: int64 (levels,), examples classified rightly.
        squared_change: float64 (levels,), sum over examples and units of the squared change of
            the activation's output; zeros where it was not asked for.
        squared_output: the same sum of the unperturbed output itself.
    """

    examples: int
    correct: np.ndarray
    squared_change: np.ndarray
    squared_output: float = 0.0

    @property
    def accuracy(self) -> np.ndarray:
        """Share of examples classified rightly, float64 (levels,)."""
        return self.correct / self.examples

    @property
    def change(self) -> np.ndarray:
        """Root-mean-square change of the hidden vector over its root mean square, (levels,)."""
        return np.sqrt(self.squared_change / (self.squared_output or np.inf))  # 0 if all are dead


class PerturbedLayer(torch.nn.Module):
    """y = min(s x + t, c) with fixed s, t and c per unit; transparent while training.

    Buffers `scale`, `shift` and `clip`, (*units): 1, 0 and infinity until `set` changes them.
    """

    scale: torch.Tensor
    shift: torch.Tensor
    clip: torch.Tensor

    def __init__(self, *units: int) -> None:
        super().__init__()
        self.register_buffer("scale", torch.ones(units))
        self.register_buffer("shift", torch.zeros(units))
        self.register_buffer("clip", torch.full(units, torch.inf))

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Perturb values (examples, *units); in training mode return them as they are."""
        if self.training:
            return values
        return torch.minimum(torch.addcmul(self.shift, values, self.scale), self.clip)

    def set(self, coefficients: Coefficients) -> None:
        """Take over the coefficients of one level.

        Args:
            coefficients: of one level, without a ceiling on the activation itself.

        Raises:
            ValueError: several levels, a ceiling, or another number of units.
        """
        shape = (1, *self.scale.shape)
        if coefficients.scale.shape != shape or np.isfinite(coefficients.ceiling).any():
            raise ValueError(
                f"need one level of {shape[1:]} units without clip_activation; got coefficients "
                f"of shape {coefficients.scale.shape}"
            )
        for name in ("scale", "shift", "clip"):
            own = getattr(self, name)
            own.copy_(torch.tensor(getattr(coefficients, name)[0]).to(own))

    def reset(self) -> None:
        """Go back to the identity."""
        self.scale.fill_(1)
        self.shift.fill_(0)
        self.clip.fill_(torch.inf)


def with_perturbed_layer(
    network: torch.nn.Sequential, activation: str, units: tuple[int, ...]
) -> tuple[torch.nn.Sequential, PerturbedLayer]:
    """Put a perturbed layer, still the identity, before an activation of a sequence.

    Args:
        network: its modules are shared, not copied.
        activation: name of one of its modules.
        units: shape of what that module takes, without the examples.

    Returns:
        The longer sequence and the layer in it, which is in evaluation mode, so that it acts;
        all other modules keep their modes.

    Raises:
        ValueError: the sequence has no such module.
    """
    parts = dict(network._modules)  # named_children leaves a second use of a module out
    if activation not in parts:
        raise ValueError(f"the network has no module {activation!r}; it has {', '.join(parts)}")
    like = example_parameter(network)
    layer = PerturbedLayer(*units).to(like).eval()
    modules = []
    for name, module in parts.items():
        modules += [layer, module] if name == activation else [module]
    return torch.nn.Sequential(*modules), layer


def sweep(
    model: torch.nn.Module | Ensemble,
    inputs: Inputs,
    labels: Inputs,
    kind: Kind,
    levels: Sequence[float] | np.ndarray,
    layer: str | None = None,
    *,
    ranges: Ranges | None = None,
    spread: float = SPREAD,
    seed: int = 0,
) -> np.ndarray:
    """Accuracy of a network while one layer is perturbed, at every level of one kind.

    A sequence of layers (`torch.nn.Sequential`) runs once up to the activation; from there on
    levels go through the rest together, in blocks. Any other network runs once per block of
    levels, and one that cannot take several at once (with a way around the layer, say) once per
    level.

    Args:
        model: any network called with one tensor (examples, ...) that gives logits (examples,
            classes); or an ensemble, whose last hidden layer is perturbed.
        inputs: (examples, ...), as the network takes them.
        labels: integers (examples,).
        kind: see `coefficients`.
        levels: the levels p.
        layer: module whose activation's input is perturbed; None: the only activation there is.
            See `interception.find`.
        ranges: smallest and largest output of each unit, (*units) each; None: over these inputs,
            `activation_range`. For an ensemble it must be None.
        spread: of scale_per_unit.
        seed: of scale_per_unit; for an ensemble, its first member's, the next one's being one more.

    Returns:
        Percent of the examples classified rightly, float64 (levels,); for an ensemble (S, levels).

    Raises:
        ValueError: an unknown kind or layer, a level that the kind does not allow, or inputs and
            labels that do not fit each other.

    Source: Oursland 2024, arXiv:2411.17932, section 4, and the released code.

    Example:
        >>> import torch
        >>> from neuralcodes import perturbation
        >>> from torch.nn import Linear, ReLU, Sequential
        >>> network = Sequential(Linear(1, 1), ReLU(), Linear(1, 2))
        >>> network[0].weight.data, network[0].bias.data = torch.ones(1, 1), torch.zeros(1)
        >>> network[2].weight.data = torch.tensor([[0.0], [1.0]])
        >>> network[2].bias.data = torch.tensor([0.5, 0.0])  # class 1 where the unit exceeds 0.5
        >>> inputs, labels = torch.tensor([[1.0], [-1.0]]), torch.tensor([1, 0])
        >>> perturbation.sweep(network, inputs, labels, "scale", [0.1, 1])
        array([ 50., 100.])
    """
    if isinstance(model, Ensemble):
        if ranges is not None:
            raise ValueError("ranges are of one network; leave them out for an ensemble")
        common = (inputs, labels, kind, levels, model.last_activation())
        found = [
            sweep(model.member(i), *common, spread=spread, seed=seed + i)
            for i in range(model.members)
        ]
        return np.stack(found)
    ranges = ranges or activation_range(model, inputs, layer)
    chosen = coefficients(kind, levels, *ranges, spread=spread, seed=seed)
    return 100 * respond(model, inputs, labels, chosen, layer).accuracy


def activation_range(
    model: torch.nn.Module,
    inputs: Inputs,
    layer: str | None = None,
    *,
    of: Literal["output", "input"] = "output",
    batch_size: int = 1024,
) -> Ranges:
    """Smallest and largest value of each unit of an activation over some inputs.

    Args:
        model: any network called with one tensor (examples, ...).
        inputs: (examples, ...), as the network takes them.
        layer: see `sweep`.
        of: the activation's output, as published (note B8), or its input.
        batch_size: examples a batch.

    Returns:
        Minimum and maximum, float32 (*units).

    Raises:
        ValueError: there is no example, or no such layer.

    Example:
        >>> import torch
        >>> from neuralcodes import perturbation
        >>> from torch.nn import Linear, ReLU, Sequential
        >>> network = Sequential(Linear(1, 1), ReLU(), Linear(1, 2))
        >>> network[0].weight.data, network[0].bias.data = torch.ones(1, 1), torch.zeros(1)
        >>> perturbation.activation_range(network, torch.tensor([[-1.0], [2.0]]))
        (array([0.], dtype=float32), array([2.], dtype=float32))
    """
    _check_examples(inputs)
    site = interception.find(model, inputs, layer)
    bounds: list[torch.Tensor] = []  # the smallest and the largest so far

    def watch(activation: Activation, values: torch.Tensor) -> torch.Tensor:
        seen = values.clone() if of == "input" else None
        result = activation(values)
        low, high = (result if seen is None else seen).aminmax(dim=0)
        if bounds:
            low, high = torch.minimum(bounds[0], low), torch.maximum(bounds[1], high)
        bounds[:] = [low, high]
        return result

    with interception.running(model) as like:
        for start in range(0, len(inputs), batch_size):
            batch = batch_of(inputs[start : start + batch_size], like)
            interception.run(model, batch, site, watch)
    low, high = (each.float().cpu().numpy() for each in bounds)
    return low, high


def respond(
    model: torch.nn.Module,
    inputs: Inputs,
    labels: Inputs,
    perturbations: Coefficients,
    layer: str | None = None,
    *,
    change: bool = False,
) -> Response:
    """Run a network under many levels of any kinds at once.

    Args:
        model: see `sweep`.
        inputs: see `sweep`.
        labels: see `sweep`.
        perturbations: of all levels.
        layer: see `sweep`.
        change: measure how far the hidden vector moves, too.

    Raises:
        ValueError: there is no example, labels do not fit, or no such layer.
    """
    _check_examples(inputs)
    if len(labels) != len(inputs):
        raise ValueError(f"{len(inputs)} inputs need as many labels; got {len(labels)}")
    site = interception.find(model, inputs, layer)
    model, inputs, site = interception.skip_head(model, inputs, site)
    levels, units = len(perturbations), int(np.prod(perturbations.scale.shape[1:]))
    block = BLOCK_ON_GPU if example_parameter(model).is_cuda else BLOCK
    together = max(1, min(levels, block // (units * FEWEST_EXAMPLES)))
    if not interception.takes_several(model, inputs, site):
        together = 1
    size = max(1, min(len(inputs), block // (units * together)))
    found = Response(len(inputs), np.zeros(levels, np.int64), np.zeros(levels))
    with interception.running(model) as like:
        for first in range(0, levels, together):
            chosen = slice(first, min(first + together, levels))
            stack = _Stack(perturbations[chosen], like, change=change)
            for start in range(0, len(inputs), size):
                batch = batch_of(inputs[start : start + size], like)
                target = batch_of(labels[start : start + size], like)
                logits = interception.run(model, batch, site, stack)
                hits = logits.argmax(-1).view(-1, len(batch)) == target
                found.correct[chosen] += hits.sum(1).cpu().numpy()
            found.squared_change[chosen] = stack.squared_change
            found.squared_output = stack.squared_output
    return found


@dataclass
class _Stack:
    """Stands in for an activation: all levels of a batch one after the other, (levels x batch)."""

    perturbations: Coefficients
    like: torch.Tensor
    change: bool
    squared_change: np.ndarray = field(init=False)
    squared_output: float = 0.0

    def __post_init__(self) -> None:
        self.squared_change = np.zeros(len(self.perturbations))
        names = ("scale", "shift", "clip", "ceiling")
        values = (getattr(self.perturbations, name)[:, None] for name in names)
        self.scale, self.shift, self.clip, self.ceiling = (
            torch.tensor(value).to(self.like) for value in values
        )

    def __call__(self, activation: Activation, values: torch.Tensor) -> torch.Tensor:
        stacked = torch.addcmul(self.shift, values[None], self.scale)
        _cut(stacked, self.clip)
        result = activation(stacked.flatten(0, 1)).view_as(stacked)
        _cut(result, self.ceiling)
        if self.change:
            plain = activation(values.clone())
            moved = (result - plain).flatten(1)
            self.squared_change += (
                torch.linalg.vector_norm(moved, dim=1).double().cpu().numpy() ** 2
            )
            self.squared_output += float(torch.linalg.vector_norm(plain).double() ** 2)
        return result.flatten(0, 1)


def _cut(values: torch.Tensor, bound: torch.Tensor) -> None:
    """Cut values (levels, ...) in place at those levels that have a bound."""
    bounded = torch.isfinite(bound).flatten(1).any(1).nonzero().flatten().tolist()
    if bounded:
        part = slice(bounded[0], bounded[-1] + 1)
        torch.minimum(values[part], bound[part], out=values[part])


def _check_examples(inputs: Inputs) -> None:
    if len(inputs) == 0:
        raise ValueError("need one or more inputs; got none")
