"""Training steps in chunks that are functions of device tensors alone, for CUDA graphs.

The arithmetic is that of `Backpropagation` and `Optimiser.step`, with as few kernels a step as
torch allows: on networks this small a kernel takes longer to start than to compute. What no step
needs of the one before it (losses, hits, running statistics) waits until the end of the chunk.
"""

import torch

from neuralcodes.networks.cuda import graphs
from neuralcodes.networks.perceptrons import Perceptrons
from neuralcodes.networks.products import product
from neuralcodes.networks.training import optimisers
from neuralcodes.networks.training.backpropagation import Backpropagation
from neuralcodes.networks.training.steps import Bound, Steps

aten = torch.ops.aten

STEPS = 25  # of a chunk at most; 750 steps an epoch, as on MNIST, are 30 whole chunks
GATHERED = 64 * 2**20  # bytes of inputs that are gathered together: some steps', at least one's


class Chunks(Steps):
    """Takes the steps of perceptrons chunk by chunk: on batches, without dropout."""

    def __init__(self, bound: Bound) -> None:
        """Bind as `Steps` does."""
        super().__init__(bound)
        ensemble, device = self.ensemble, self.ensemble.device
        self.backward = DeferredBackpropagation(
            ensemble, self.optimiser.gradients, self.run.batch_norm_momentum
        )
        self.loss = torch.zeros(ensemble.members, device=device)
        self.correct = torch.zeros(ensemble.members, device=device)
        self.replayed = graphs.Replayed()
        self.side = graphs.side_stream(device) if self.run.weight_decay else None

    def turn(self, rate: float) -> tuple[torch.Tensor, torch.Tensor]:
        """See `Steps`; nothing waits for the device."""
        rows, labels = self.batches.order()
        self.loss.zero_()
        self.correct.zero_()
        length, batch = labels.shape[1], self.run.batch_size
        rates = self.optimiser.rates(rate, -(-length // batch))
        whole = length // batch
        for step in range(0, whole, STEPS):
            steps = slice(step, min(step + STEPS, whole))
            part = slice(steps.start * batch, steps.stop * batch)
            self._chunk(rows[:, part], labels[:, part], rates[steps])
        if length % batch:
            part = slice(whole * batch, length)
            self._chunk(rows[:, part], labels[:, part], rates[whole:])
        return self.loss / length, self.correct

    def _chunk(self, rows: torch.Tensor, labels: torch.Tensor, rates: torch.Tensor) -> None:
        by_step = (each.unflatten(1, (len(rates), -1)).transpose(0, 1) for each in (rows, labels))
        self.replayed(self._steps, *by_step, rates)
        self.optimiser.steps += len(rates)

    @torch.no_grad()
    def _steps(self, rows: torch.Tensor, labels: torch.Tensor, rates: torch.Tensor) -> None:
        """Take one step after the other.

        Args:
            rows: int64 (steps, S, batch).
            labels: int64 (steps, S, batch).
            rates: (steps,), see `Optimiser.rates`.
        """
        slopes, norms = self.backward.begin(labels), []
        inputs_of_step = 4 * rows[0].numel() * self.ensemble.shape.inputs
        together = max(1, GATHERED // inputs_of_step)
        for first in range(0, len(rows), together):
            for i, inputs in enumerate(
                self.batches.gather(rows[first : first + together]), start=first
            ):
                with graphs.beside(self.side):
                    norms += self.optimiser.kernel_norms() if self.run.weight_decay else []
                self.backward.take_step(inputs, slopes[i])
                graphs.join(self.side)
                self.optimiser.step_at(rates[i])
        loss, correct = self.backward.settle(labels)
        if self.run.weight_decay:
            squares = torch.stack(norms).square_().view(len(rows), -1, loss.shape[1])
            loss += self.run.weight_decay * squares.sum(1)
        self.loss += loss.sum(0) * labels.shape[2]
        self.correct += correct


class DeferredBackpropagation(Backpropagation):
    """Leaves losses, hits and running statistics to the end of some steps.

    Kernels start late on a GPU, so that each step has as few as possible: what the steps leave is
    worked on for all of them together, and gradients stay where torch puts them.
    """

    def __init__(
        self, ensemble: Perceptrons, gradients: optimisers.Gradients, batch_norm_momentum: float
    ) -> None:
        """Bind as `Backpropagation` does; all gradients may be replaced.

        Args:
            ensemble: as there.
            gradients: as there.
            batch_norm_momentum: as there.
        """
        super().__init__(ensemble, gradients, batch_norm_momentum)
        values = ensemble.parameters["output.weight"]
        self.classes = torch.arange(self.shape.classes, device=values.device)[:, None]
        ages = torch.arange(STEPS - 1, -1, -1, dtype=torch.float64)
        shares = self.forget * batch_norm_momentum**ages
        self.shares = shares.to(values)[:, None]  # of the last steps' statistics, the last one last
        self.momentum = batch_norm_momentum
        self._clear()

    def begin(self, labels: torch.Tensor) -> torch.Tensor:
        """Prepare steps.

        Args:
            labels: int64 (steps, S, batch), at most `STEPS` steps.

        Returns:
            The slope of each step's loss on its log-probabilities, float (steps, S, classes,
            batch): -1 / batch at the labels.
        """
        self._clear()
        hot = (labels[:, :, None] == self.classes).to(self.shares.dtype)
        return hot.mul_(-1 / labels.shape[2])

    def take_step(self, inputs: torch.Tensor, slope: torch.Tensor) -> None:
        """Fill the gradients for one batch per member.

        Args:
            inputs: float (S, batch, features).
            slope: one step of what `begin` gave.
        """
        tape, values = [], inputs.mT
        for i in range(len(self.shape.hidden)):
            tape.append(self._forward(i, values))
            values = tape[-1]["activation"]
        weight, bias = self.values["output.weight"], self.values["output.bias"]
        output = torch.log_softmax(torch.baddbmm(bias[:, :, None], weight, values), 1)
        self.outputs.append(output)
        gradient = aten._log_softmax_backward_data(slope, output, 1, output.dtype)
        torch.bmm(gradient, values.mT, out=self.gradients["output.weight"])
        torch.sum(gradient, 2, out=self.gradients["output.bias"])
        gradient = torch.bmm(weight.mT, gradient)
        for i in reversed(range(len(tape))):
            below = tape[i - 1]["activation"] if i else inputs.mT
            gradient = self._backward(i, tape[i], gradient, below)

    def settle(self, labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Measure the steps since `begin` and bring the running statistics up to date.

        Args:
            labels: as in `begin`.

        Returns:
            Mean cross-entropy (steps, S) and number of correct examples in all steps (S,).
        """
        outputs = torch.stack(self.outputs)
        chosen = outputs.gather(2, labels[:, :, None])
        loss = -chosen.sum((2, 3)) / labels.shape[2]
        correct = (chosen[:, :, 0] >= outputs.amax(2)).sum((0, 2))
        for i, statistics in enumerate(self.statistics):
            self._settle_statistics(i, *map(torch.stack, zip(*statistics, strict=True)))
        self._clear()
        return loss, correct

    def _affine(self, i: int, below: torch.Tensor) -> torch.Tensor:
        if self.shape.batch_norm:  # takes the bias away again; `_settle_statistics` adds it
            return product(self.values[f"hidden.{i}.weight"], below)
        return super()._affine(i, below)

    def _keep_statistics(self, i: int, mean: torch.Tensor, inverse: torch.Tensor) -> None:
        self.statistics[i].append((mean, inverse))

    def _settle_statistics(self, i: int, means: torch.Tensor, inverses: torch.Tensor) -> None:
        """Average some batches in, one after the other; both (steps, channels)."""
        kept, shares = self.momentum ** len(means), self.shares[-len(means) :]
        variances = inverses.pow(-2).sub_(self.shape.batch_norm_epsilon)
        bias = self.values[f"hidden.{i}.bias"].view(-1)
        for name, parts in (("mean", means + bias), ("variance", variances)):
            self.values[f"hidden.{i}.{name}"].view(-1).mul_(kept).add_((shares * parts).sum(0))

    def _take(self, name: str, slope: torch.Tensor) -> None:
        self.gradients[name] = slope

    def _clear(self) -> None:
        self.outputs: list[torch.Tensor] = []
        hidden = self.shape.hidden if self.shape.batch_norm else ()
        self.statistics: list[list[tuple[torch.Tensor, torch.Tensor]]] = [[] for _ in hidden]
