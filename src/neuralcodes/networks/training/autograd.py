"""Gradients by autograd: seed after seed, or as a GPU likes them."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import torch
from torch import Tensor

from neuralcodes.networks.ensembles import Parameters
from neuralcodes.networks.training.steps import Bound, OneByOne

aten = torch.ops.aten


class Autograd(OneByOne):
    """Takes the steps of any ensemble that gives `logits`."""

    def __init__(self, bound: Bound, lean: bool) -> None:
        """Make the trained parameters leaves of autograd, in the memory of the ensemble's.

        Args:
            bound: see `Steps`.
            lean: start few kernels and never wait for the device, as suits a GPU, rather than
                compute each seed as if it were alone, as suits a CPU.
        """
        super().__init__(bound)
        self.lean, self.together = lean, lean and self.ensemble.together
        self.trained = self.ensemble.trained_names(self.run)
        whole = {name: value.detach() for name, value in self.ensemble.parameters.items()}
        members = [{n: v[i] for n, v in whole.items()} for i in range(self.ensemble.members)]
        self.leaves: list[Parameters] = [whole] if self.together else members
        for each in self.leaves:
            for name in self.trained:
                each[name].requires_grad_()

    def gradients(self, inputs: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """See `OneByOne`."""
        if self.together:
            logits = self.ensemble.logits_together(self.leaves[0], inputs)
            measured = _descend(logits, labels)
        else:
            pairs = [self._gradients_of(i, inputs[i], labels[i]) for i in range(len(self.leaves))]
            losses, hits = zip(*pairs, strict=True)
            measured = torch.stack(losses), torch.stack(hits)
        for name in self.trained:
            slopes = tuple(each[name].grad for each in self.leaves)
            self.optimiser.take(name, slopes[0] if self.together else slopes)
            for each in self.leaves:
                each[name].grad = None
        return measured

    def _gradients_of(self, i: int, inputs: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        random = self.ensemble.random
        with _drawing_from(self.noise[i], inputs.device) if random else nullcontext():
            logits = self.ensemble.logits(self.leaves[i], inputs)
        if self.lean:
            return _descend(logits, labels)
        loss = torch.nn.functional.cross_entropy(logits, labels)
        loss.backward()
        return loss.detach(), _hits(logits, labels)


@contextmanager
def _drawing_from(generator: torch.Generator, device: torch.device) -> Iterator[None]:
    """Let torch's own generators draw numbers that depend on another one alone."""
    cuda = device.type == "cuda"
    with torch.random.fork_rng(devices=[device] if cuda else []):
        seed = int(torch.randint(2**62, (), generator=generator))
        torch.random.default_generator.manual_seed(seed)
        if cuda:
            torch.cuda.manual_seed(seed)
        yield


def _descend(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Go back from logits (..., batch, classes); give mean cross-entropy and hits, both (...).

    The slope of the cross-entropy is written out: torch's own loss has no deterministic kernel.
    """
    with torch.no_grad():
        target, batch = labels[..., None], labels.shape[-1]
        output = torch.log_softmax(logits, -1)
        loss = -output.gather(-1, target).sum((-2, -1)) / batch
        slope = torch.zeros_like(output).scatter_(-1, target, -1 / batch)
        gradient = aten._log_softmax_backward_data(slope, output, -1, output.dtype)
    logits.backward(gradient)
    return loss, _hits(logits, labels)


@torch.no_grad()
def _hits(logits: Tensor, labels: Tensor) -> Tensor:
    """Count hits, (...); argmax takes ten times as long."""
    return (logits.gather(-1, labels[..., None])[..., 0] >= logits.amax(-1)).sum(-1)
