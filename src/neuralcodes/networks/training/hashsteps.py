"""The gradients of one step of a hash ensemble: seed after seed, or as a GPU likes them."""

import torch
from torch import Tensor

from neuralcodes.networks import hashnetworks
from neuralcodes.networks.hashnetworks import HashArchitecture, HashEnsemble, Parameters

aten = torch.ops.aten


class HashSteps:
    """Finds the gradients of all seeds, each on its own batch.

    Attributes:
        leaves: the parameters as autograd knows them, in the memory of the ensemble's: one mapping
            per member, or a single one whose tensors have the seed axis.
    """

    def __init__(self, ensemble: HashEnsemble, trained: list[str], lean: bool) -> None:
        """Bind to an ensemble.

        Args:
            ensemble: trained in place.
            trained: names of its trained parameters.
            lean: start few kernels and never wait for the device, as suits a GPU, rather than
                compute each seed as if it were alone, as suits a CPU.
        """
        self.shape, self.lean = ensemble.architecture, lean
        self.together = lean and self.shape.network == "hash"
        whole = {name: value.detach() for name, value in ensemble.parameters.items()}
        members = [{n: v[i] for n, v in whole.items()} for i in range(ensemble.members)]
        self.leaves = [whole] if self.together else members
        for each in self.leaves:
            for name in trained:
                each[name].requires_grad_()

    def gradients(self, inputs: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Put the gradients of every seed's mean cross-entropy into the leaves.

        Args:
            inputs: float32 (S, batch, *shape).
            labels: int64 (S, batch).

        Returns:
            Mean cross-entropy and number of hits, both (S,).
        """
        if self.together:
            return _descend(_logits_together(self.shape, self.leaves[0], inputs), labels)
        measured = [
            self._gradients_of_one(values, *batch)
            for values, *batch in zip(self.leaves, inputs, labels, strict=True)
        ]
        losses, hits = zip(*measured, strict=True)
        return torch.stack(losses), torch.stack(hits)

    def _gradients_of_one(
        self, values: Parameters, inputs: Tensor, labels: Tensor
    ) -> tuple[Tensor, Tensor]:
        _, _, logits = hashnetworks.run_member(self.shape, values, inputs, training=True)
        if self.lean:
            return _descend(logits, labels)
        loss = torch.nn.functional.cross_entropy(logits, labels)
        loss.backward()
        return loss.detach(), _hits(logits, labels)


def _logits_together(shape: HashArchitecture, values: Parameters, inputs: Tensor) -> Tensor:
    """Do for all seeds at once what `run_member` does for one "hash" network."""
    features = torch.bmm(inputs.flatten(2), values["first.weight"].mT).relu_()
    pre = torch.baddbmm(values["hash.bias"][:, None], features, values["hash.weight"].mT)
    r = pre.relu() if shape.hash_activation == "relu" else pre
    return torch.baddbmm(values["output.bias"][:, None], r, values["output.weight"].mT)


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
