"""Forward and backward pass of one training step, written out for a seed ensemble.

Autograd would do; on networks this small its bookkeeping costs a third of the step. Activations
are kept as (seeds, units, batch): per-seed batch normalisation is then torch's own kernel over
seeds x units channels, and no tensor is ever transposed in memory.
"""

import torch

from neuralcodes.networks.perceptrons import LEAKY_SLOPE, Perceptrons
from neuralcodes.networks.products import product, product_by_seed
from neuralcodes.networks.training.optimisers import Gradients
from neuralcodes.networks.training.steps import Bound, OneByOne

aten = torch.ops.aten

# Examples of a full batch computed together: on a CPU their activations should stay in its cache.
BLOCK = {"cpu": 1000, "cuda": 20_000}


class Backpropagation:
    """Computes the gradients of every member's mean cross-entropy, each on its own batch."""

    def __init__(
        self,
        ensemble: Perceptrons,
        gradients: Gradients,
        batch_norm_momentum: float,
    ) -> None:
        """Bind to parameters and to the tensors that take the gradients.

        Args:
            ensemble: the networks; running statistics are updated in place.
            gradients: trained parameter name -> tensor of the parameter's shape, overwritten; a
                hidden kernel's may be replaced by one tensor per member.
            batch_norm_momentum: share of the running statistics kept per batch (Keras' sense).
        """
        self.shape = ensemble.shape
        self.values = ensemble.parameters
        self.gradients = gradients
        self.kernels = {
            name: gradients[name]
            for name in (f"hidden.{i}.weight" for i in range(len(self.shape.hidden)))
        }
        self.forget = 1 - batch_norm_momentum
        self.members = ensemble.members
        if self.shape.batch_norm:
            # Batch norm takes its input's mean away, so that the true gradient of a bias below it
            # is 0. Computed, it is rounding error, which Adam scales up to whole steps: a seed
            # would then end elsewhere in another chunk.
            for i in range(len(self.shape.hidden)):
                gradients[f"hidden.{i}.bias"].zero_()

    @torch.no_grad()
    def step(
        self,
        inputs: torch.Tensor,
        labels: torch.Tensor,
        keep: list[torch.Tensor] | None = None,
        examples: int | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Fill the gradients for one batch per member.

        Args:
            inputs: float32 (S, batch, features); a view expanded along S where all members share
                the batch, which is then multiplied once for all of them.
            labels: int64 (S, batch).
            keep: with dropout, per hidden layer a float32 (S, units, batch) mask of 0 and
                1 / (1 - dropout).
            examples: number that sums over the batch are divided by; None: the batch's own.

        Returns:
            Mean cross-entropy (S,) and number of correct examples (S,).
        """
        examples = examples or labels.shape[1]
        tape = []
        values = inputs.mT
        for i in range(len(self.shape.hidden)):
            record = self._forward(i, values)
            values = record["activation"]
            if keep is not None:
                values = record["output"] = values * keep[i]
            tape.append(record)
        loss, correct, gradient = self._output(values, labels, examples)
        for i in reversed(range(len(tape))):
            if keep is not None:
                gradient.mul_(keep[i])
            below = tape[i - 1].get("output", tape[i - 1]["activation"]) if i else inputs.mT
            gradient = self._backward(i, tape[i], gradient, below)
        return loss, correct

    def step_in_blocks(
        self, inputs: torch.Tensor, labels: torch.Tensor, block: int
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Fill the gradients for one large batch, block by block, so that blocks stay in cache.

        The sums over the batch are those of `step` but for rounding. Batch norm and dropout need
        the batch as a whole.

        Args:
            inputs: as in `step`.
            labels: as in `step`.
            block: examples a block.

        Returns:
            As `step`.
        """
        total: dict[str, torch.Tensor] = {}
        loss = torch.zeros(self.members, device=labels.device)
        correct = torch.zeros(self.members, device=labels.device)
        for start in range(0, labels.shape[1], block):
            part = slice(start, start + block)
            cost, hits = self.step(inputs[:, part], labels[:, part], examples=labels.shape[1])
            loss += cost
            correct += hits
            for name, slope in self.gradients.items():
                whole = torch.stack(slope) if isinstance(slope, tuple) else slope
                total[name] = total[name].add_(whole) if name in total else whole.clone()
        for name, whole in total.items():
            if name in self.kernels:
                self.gradients[name] = whole
            else:
                self.gradients[name].copy_(whole)  # a view of what the optimiser reads
        return loss, correct

    def _forward(self, i: int, below: torch.Tensor) -> dict[str, torch.Tensor]:
        value = self.values
        pre = self._affine(i, below)
        record = {"pre": pre}
        if self.shape.batch_norm:
            normal, mean, inverse = aten.native_batch_norm(
                self._channels(pre),
                value[f"hidden.{i}.scale"].view(-1),
                value[f"hidden.{i}.shift"].view(-1),
                None,
                None,
                True,
                0.0,
                self.shape.batch_norm_epsilon,
            )
            self._keep_statistics(i, mean, inverse)
            record |= {"mean": mean, "inverse": inverse, "normal": normal.view_as(pre)}
        before = record.get("normal", pre)
        record["activation"] = self._activate(before)
        return record

    def _affine(self, i: int, below: torch.Tensor) -> torch.Tensor:
        bias = self.values[f"hidden.{i}.bias"][:, :, None]
        return product(self.values[f"hidden.{i}.weight"], below).add_(bias)

    def _keep_statistics(self, i: int, mean: torch.Tensor, inverse: torch.Tensor) -> None:
        """Average a batch in; Keras takes its biased variance, torch's own update the unbiased."""
        variance = inverse.pow(-2).sub_(self.shape.batch_norm_epsilon)
        self.values[f"hidden.{i}.mean"].view(-1).lerp_(mean, self.forget)
        self.values[f"hidden.{i}.variance"].view(-1).lerp_(variance, self.forget)

    def _output(
        self, below: torch.Tensor, labels: torch.Tensor, examples: int
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        weight, bias = self.values["output.weight"], self.values["output.bias"]
        logits = torch.baddbmm(bias[:, :, None], weight, below)
        target = labels[:, None]
        log_probability = torch.log_softmax(logits, 1)
        chosen = log_probability.gather(1, target)
        loss = -chosen.sum((1, 2)) / examples
        # a hit where the label's own probability is the largest; argmax takes ten times as long
        correct = (chosen[:, 0] >= log_probability.amax(1)).sum(1)
        gradient = log_probability.exp_().scatter_add_(1, target, torch.full_like(chosen, -1.0))
        gradient.div_(examples)
        torch.bmm(gradient, below.mT, out=self.gradients["output.weight"])
        torch.sum(gradient, 2, out=self.gradients["output.bias"])
        return loss, correct, torch.bmm(weight.mT, gradient)

    def _backward(
        self, i: int, record: dict[str, torch.Tensor], gradient: torch.Tensor, below: torch.Tensor
    ) -> torch.Tensor | None:
        pre = record["pre"]
        gradient = self._deactivate(gradient, record)
        if self.shape.batch_norm:
            gradient, scale, shift = aten.native_batch_norm_backward(
                self._channels(gradient),
                self._channels(pre),
                self.values[f"hidden.{i}.scale"].view(-1),
                None,
                None,
                record["mean"],
                record["inverse"],
                True,
                self.shape.batch_norm_epsilon,
                [True, True, True],
            )
            gradient = gradient.view_as(pre)
            self._take(f"hidden.{i}.scale", scale)
            self._take(f"hidden.{i}.shift", shift)
        name = f"hidden.{i}.weight"
        self.gradients[name] = product_by_seed(gradient, below.mT, out=self.kernels[name])
        if not self.shape.batch_norm:
            torch.sum(gradient, 2, out=self.gradients[f"hidden.{i}.bias"])
        # nobody needs the gradient of the inputs
        return torch.bmm(self.values[name].mT, gradient) if i else None

    def _take(self, name: str, slope: torch.Tensor) -> None:
        """Keep a gradient that torch has put into a tensor of its own."""
        self.gradients[name].view(-1).copy_(slope)

    def _channels(self, values: torch.Tensor) -> torch.Tensor:
        """View (S, units, batch) as one example of S x units channels."""
        return values.view(1, -1, values.shape[-1])

    def _activate(self, before: torch.Tensor) -> torch.Tensor:
        if self.shape.activation == "relu":
            return torch.relu(before)
        if self.shape.activation == "leaky_relu":
            return aten.leaky_relu(before, LEAKY_SLOPE)
        if self.shape.activation == "tanh":
            return before.tanh()
        return before.abs()

    def _deactivate(self, gradient: torch.Tensor, record: dict[str, torch.Tensor]) -> torch.Tensor:
        before = record.get("normal", record["pre"])
        if self.shape.activation == "relu":
            return aten.threshold_backward(gradient, before, 0)
        if self.shape.activation == "leaky_relu":
            return aten.leaky_relu_backward(gradient, before, LEAKY_SLOPE, False)
        if self.shape.activation == "tanh":
            return aten.tanh_backward(gradient, record["activation"])
        return gradient * before.sign()


class WrittenOut(OneByOne):
    """Takes the steps of perceptrons, one after the other."""

    def __init__(self, bound: Bound) -> None:
        """Bind as `Steps` does."""
        super().__init__(bound)
        self.backward = Backpropagation(
            self.ensemble, self.optimiser.gradients, self.run.batch_norm_momentum
        )

    def gradients(self, inputs: torch.Tensor, labels: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """See `OneByOne`."""
        masks = self._masks(inputs)
        if self.run.batch_size is not None or self.run.batch_norm or masks is not None:
            return self.backward.step(inputs, labels, masks)
        block = BLOCK.get(inputs.device.type, labels.shape[1])
        return self.backward.step_in_blocks(inputs, labels, block)

    def _masks(self, inputs: torch.Tensor) -> list[torch.Tensor] | None:
        if not self.run.dropout:
            return None
        batch, keep = inputs.shape[1], 1 - self.run.dropout
        return [
            torch.stack(
                [
                    torch.rand(units, batch, generator=generator).lt_(keep).div_(keep)
                    for generator in self.noise
                ]
            ).to(inputs.device)
            for units in self.ensemble.shape.hidden
        ]
