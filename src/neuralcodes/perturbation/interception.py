"""Find one activation of any network, and put something between it and its input."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
import torch

from neuralcodes.codes.tracing import Watch, batch_of, evaluating, example_parameter
from neuralcodes.networks import products

Activation = Callable[[torch.Tensor], torch.Tensor]
# Stands in for an activation: gets its function and its input, gives its output.
Replacement = Callable[[Activation, torch.Tensor], torch.Tensor]
Inputs = np.ndarray | torch.Tensor

FEW = 3  # inputs that a network is tried with
MOST_KEPT = 2**28  # numbers of `skip_head`: 1 GiB
WITHOUT_CODE = frozenset({"tanh", "sigmoid", "softplus"})  # activations, but not ReLU-like ones


class _Activations(Watch):
    activations = Watch.activations | WITHOUT_CODE


@dataclass(frozen=True)
class Site:
    """One activation of a network.

    Attributes:
        name: of the module that calls it, or of the function where no module does.
        index: its place among the activations, in order of execution.
        child: the network's own child that it runs in; "" for none.
        within: its place among the activations of that child.
    """

    name: str
    index: int
    child: str
    within: int


class _Census(_Activations):
    """Lists the activations of one call, and which of them belong to a named module."""

    def __init__(self, model: torch.nn.Module, examples: int, layer: str | None) -> None:
        super().__init__(model, examples)
        self.layer = layer
        self.sites: list[Site] = []
        self.inside: list[Site] = []
        self.after: list[int] = []  # activations run before the named module was done

    def on_activation(self, name: str, call: Activation, values: torch.Tensor) -> torch.Tensor:
        child = (self.running[1:2] or [""])[0]
        within = sum(site.child == child for site in self.sites)
        site = Site((self.running[-1:] or [""])[0] or name, len(self.sites), child, within)
        self.sites.append(site)
        if self.layer in self.running:
            self.inside.append(site)
        return call(values)

    def on_leave(self, name: str) -> None:
        if name == self.layer:
            self.after.append(len(self.sites))


class _Interceptor(_Activations):
    """Lets a replacement stand in for one activation."""

    def __init__(
        self, model: torch.nn.Module, examples: int, site: Site, replacement: Replacement
    ) -> None:
        super().__init__(model, examples)
        self.site, self.replacement, self.seen = site, replacement, 0

    def __torch_function__(
        self, function: Callable, types: object, args: tuple = (), kwargs: dict | None = None
    ) -> object:
        """Multiply by the faster library; the small layers behind an activation gain most."""
        if function is torch.nn.functional.linear and not kwargs:
            return products.linear(*args)
        return super().__torch_function__(function, types, args, kwargs)

    def on_activation(self, name: str, call: Activation, values: torch.Tensor) -> torch.Tensor:
        del name
        self.seen += 1
        if self.seen == self.site.index + 1:
            return self.replacement(call, values)
        return call(values)


def find(model: torch.nn.Module, inputs: Inputs, layer: str | None = None) -> Site:
    """Find the activation that belongs to a layer.

    Args:
        model: any network called with one tensor whose first axis is the examples.
        inputs: a few of its inputs.
        layer: name of a module: of an activation, or of a layer, which is then followed to the
            first activation after it. None: the network's only activation.

    Returns:
        The activation.

    Raises:
        ValueError: there is no such module, it does not run exactly once, it is not clear which
            activation belongs to it, or the network does not use what that activation returns.
    """
    modules = dict(model.named_modules())
    if layer is not None and layer not in modules:
        raise ValueError(
            f"{type(model).__name__} has no layer {layer!r}; it has "
            f"{_listed(name for name in modules if name)}"
        )
    with running(model) as like:
        batch = batch_of(inputs[:FEW], like)
        with _Census(model, len(batch), layer) as census:
            model(batch.clone())
        site = _chosen(census, type(model).__name__)
        poisoned = run(model, batch, site, lambda activation, v: activation(v.clone()) * np.nan)
    if not poisoned.isnan().any():
        raise ValueError(
            f"{type(model).__name__} does not go on with what its activation {site.name} returns; "
            "write x = activation(x), also where it works in place"
        )
    return site


def _chosen(census: _Census, network: str) -> Site:
    names = _listed(site.name for site in census.sites)
    if census.layer is None:
        if len(census.sites) != 1:
            raise ValueError(
                f"{network} has {len(census.sites)} activations ({names}); name the layer to "
                "perturb"
            )
        return census.sites[0]
    if len(census.after) != 1:
        raise ValueError(
            f"the layer {census.layer!r} runs {len(census.after)} times, but must run once"
        )
    chosen = census.inside or census.sites[census.after[0] :][:1]
    if len(chosen) != 1:
        raise ValueError(
            f"{len(chosen)} activations belong to the layer {census.layer!r} of {network}; name "
            f"one of {names}, or the layer before it"
        )
    return chosen[0]


def skip_head(
    model: torch.nn.Module, inputs: Inputs, site: Site, batch_size: int = 1024
) -> tuple[torch.nn.Module, Inputs, Site]:
    """Run what a sequence of layers does before an activation, once and for all.

    Args:
        model: the network.
        inputs: (examples, ...).
        site: what `find` gave.
        batch_size: examples a batch.

    Returns:
        The rest of the network, its inputs and the place of the activation in it. A network that
        is no `torch.nn.Sequential`, or whose values there would take too much memory, comes back
        as it is.
    """
    if type(model) is not torch.nn.Sequential or site.child not in model._modules:
        return model, inputs, site
    start = list(model._modules).index(site.child)
    shared = sum(module is model[start] for module in model) > 1  # its name may mean another place
    if start == 0 or shared:
        return model, inputs, site
    head, tail, kept = model[:start], model[start:], []
    with running(head) as like:
        for first in range(0, len(inputs), batch_size):
            kept.append(head(batch_of(inputs[first : first + batch_size], like)))
            if kept[0][0].numel() * len(inputs) > MOST_KEPT:
                return model, inputs, site
    return tail, torch.cat(kept), replace(site, index=site.within)


@contextmanager
def running(model: torch.nn.Module) -> Iterator[torch.Tensor]:
    """Evaluate a network without gradients, and leave it as it was.

    Yields:
        A tensor of the network's precision, on its device.
    """
    with evaluating(model), torch.no_grad():
        yield example_parameter(model)


def run(
    model: torch.nn.Module, batch: torch.Tensor, site: Site, replacement: Replacement
) -> torch.Tensor:
    """Run a network on one batch with a replacement for one activation.

    Args:
        model: the network.
        batch: its input, first axis the examples.
        site: what `find` gave.
        replacement: gets the activation's function and its input (examples, ...); what it returns
            goes on through the network.

    Raises:
        ValueError: the activation does not run.
    """
    with _Interceptor(model, len(batch), site, replacement) as interceptor:
        result = model(batch)
    if interceptor.seen <= site.index:
        raise ValueError(
            f"the activation {site.name} did not run with a batch of {len(batch)}; "
            f"{type(model).__name__} must do the same for batches of any size"
        )
    return result


def takes_several(model: torch.nn.Module, inputs: Inputs, site: Site) -> bool:
    """Try whether a batch that grows at the activation comes out as that many batches.

    Args:
        model: the network.
        inputs: a few of its inputs.
        site: what `find` gave.
    """
    few = inputs[:FEW]

    def together(*factors: float) -> torch.Tensor:
        def replacement(activation: Activation, values: torch.Tensor) -> torch.Tensor:
            return activation(torch.cat([factor * values for factor in factors]))

        return run(model, batch_of(few, like), site, replacement)

    with running(model) as like:
        apart = torch.cat([together(1.0), together(2.0)])
        try:
            both = together(1.0, 2.0)
        except (RuntimeError, ValueError, IndexError):
            return False
    return both.shape == apart.shape and torch.allclose(
        both, apart, rtol=1e-4, atol=1e-5, equal_nan=True
    )


def _listed(names: Iterator[str]) -> str:
    return ", ".join(names) or "none"
