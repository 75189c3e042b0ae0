"""Ensembles of ordinary torch modules: one module, with every member's parameters in turn."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Self

import torch
from torch import Tensor

from neuralcodes.codes.tracing import Recorder
from neuralcodes.networks.ensembles import Ensemble, Parameters
from neuralcodes.storage.randomness import derived_seed

if TYPE_CHECKING:
    from neuralcodes.networks.architectures.declaration import ModuleShape

# (inputs, classes, settings) -> module; see `ModuleArchitecture.module`
Build = Callable[[tuple[int, ...], int, dict[str, Any]], torch.nn.Sequential]


class _Signs(Recorder):
    activations = Recorder.activations | {"tanh"}  # whose output has the sign of its input


class Modules(Ensemble):
    """Torch modules of one shape that differ by their seed; parameters have the module's names."""

    random = True

    def __init__(self, shape: "ModuleShape", parameters: Parameters, build: Build) -> None:
        super().__init__(shape, parameters)
        self.build = build
        self.network = _network(shape, build).to(self.device)

    def alike(self, parameters: Parameters) -> Self:
        """See `Ensemble`."""
        return type(self)(self.shape, parameters, self.build)

    def trained_names(self, run: object = None) -> list[str]:
        """See `Ensemble`: all of the module's parameters, and none of its buffers."""
        del run
        return [name for name, _ in self.network.named_parameters()]

    def decayed_names(self, run: object = None) -> list[str]:
        """See `Ensemble`: kernels, those of the last layer left out."""
        del run
        return [n for n, value in self.network.named_parameters() if value.dim() > 1][:-1]

    def logits(self, values: Parameters, inputs: Tensor) -> Tensor:
        """See `Ensemble`."""
        return torch.func.functional_call(self.network.train(), values, (inputs,))

    def layers(self) -> list[tuple[str, int]]:
        """See `Ensemble`: every activation, see `codes.tracing`."""
        recorder, _ = self._watched(0, torch.zeros(2, *self._features(), device=self.device))
        return recorder.layers()

    def last_activation(self) -> str:
        """See `Ensemble`."""
        return self.layers()[-1][0]

    @torch.no_grad()
    def evaluate(self, inputs: Tensor, batch_size: int = 2048) -> Iterator[tuple[Tensor, Tensor]]:
        """See `Ensemble`; what it gives of a unit is its bit."""
        apart = inputs.dim() == 3
        for start in range(0, inputs.shape[-2], batch_size):
            batch = inputs[..., start : start + batch_size, :].to(self.device)
            signs, logits = [], []
            for i in range(self.members):
                recorder, made = self._watched(i, batch[i] if apart else batch)
                signs.append(torch.cat(recorder.signs, 1))
                logits.append(made)
            yield torch.stack(signs), torch.stack(logits)

    def member(self, index: int) -> torch.nn.Sequential:
        """See `Ensemble`."""
        network = _network(self.shape, self.build).to(self.device)
        network.load_state_dict(self.values(index))
        return network.eval()

    @torch.no_grad()
    def _watched(self, index: int, inputs: Tensor) -> tuple[_Signs, Tensor]:
        with _Signs(self.network, len(inputs)) as recorder:
            made = torch.func.functional_call(self.network.eval(), self.values(index), (inputs,))
        return recorder, made

    def _features(self) -> tuple[int]:
        return (torch.Size(self.shape.inputs).numel(),)


class Images(torch.nn.Module):
    """Flat features (examples, height x width x channels) as images, channels first."""

    def __init__(self, height: int, width: int, channels: int = 1) -> None:
        super().__init__()
        self.size = (height, width, channels)

    def forward(self, features: Tensor) -> Tensor:
        """Give (examples, channels, height, width)."""
        return features.view(len(features), *self.size).movedim(-1, 1).contiguous()


def initial(
    shape: "ModuleShape",
    seeds: Sequence[int],
    build: Build,
    device: torch.device | str = "cpu",
) -> Parameters:
    """Draw the parameters of untrained modules.

    Args:
        shape: of each.
        seeds: one per member; torch's own generator is put back.
        build: makes a module.
        device: where the parameters go.
    """
    members = [_network(shape, build, seed).state_dict() for seed in seeds]
    return {name: torch.stack([each[name] for each in members]).to(device) for name in members[0]}


def _network(shape: "ModuleShape", build: Build, seed: int = 0) -> torch.nn.Sequential:
    with torch.random.fork_rng(devices=[]):
        torch.random.default_generator.manual_seed(derived_seed(seed, "initialise"))
        if len(shape.inputs) == 1:
            return build(shape.inputs, shape.classes, shape.settings)
        height, width, channels = (*shape.inputs, 1)[:3]
        network = build((channels, height, width), shape.classes, shape.settings)
    return torch.nn.Sequential(Images(height, width, channels), *network)
