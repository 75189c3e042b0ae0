"""The training loop: all seeds of a run as one ensemble, each as if it were trained alone."""

import logging
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import torch

from neuralcodes.errors import DivergenceError
from neuralcodes.networks import models
from neuralcodes.networks.cuda.chunks import Chunks
from neuralcodes.networks.models import Ensemble
from neuralcodes.networks.training import optimisers
from neuralcodes.networks.training.backpropagation import Backpropagation
from neuralcodes.networks.training.batches import Batches
from neuralcodes.networks.training.trainingdata import TrainingData
from neuralcodes.storage.precision import float32_products
from neuralcodes.storage.randomness import torch_generator
from neuralcodes.studies.checkpoints import threshold_of
from neuralcodes.studies.runs import Run

logger = logging.getLogger(__name__)

# Examples of a full batch computed together: on a CPU their activations should stay in its cache.
BLOCK = {"cpu": 1000, "cuda": 20_000}

HISTORY = (
    "seed",
    "epoch",
    "learning_rate",
    "train_loss",
    "train_accuracy",
    "validation_loss",
    "validation_accuracy",
)


@dataclass
class Progress:
    """Where a training stands; with it and the parameters a killed training goes on.

    `reached` says for each checkpoint by accuracy in which epoch each seed reached it, None where
    it has not.
    """

    epoch: int = 0
    steps: int = 0
    active: list[int] = field(default_factory=list)
    best: list[float] = field(default_factory=list)
    waited: list[int] = field(default_factory=list)
    stopped: list[int] = field(default_factory=list)
    reached: dict[str, list[int | None]] = field(default_factory=dict)
    history: list[list[float | int | None]] = field(default_factory=list)


class Training:
    """One ensemble in training. `finish()` runs it to its end; `advance()` runs one epoch.

    Attributes:
        checkpoints: epoch ("0", "10", "final") -> Ensemble of all seeds.
        progress: epoch, early stopping per seed and history.
    """

    def __init__(
        self,
        run: Run,
        seeds: Sequence[int],
        data: TrainingData,
        classes: int,
        checkpoints: Sequence[str] = ("final",),
        chunked: bool | None = None,
    ) -> None:
        """Initialise all seeds.

        Args:
            run: what to train.
            seeds: the repeats; a seed's result does not depend on the others beyond rounding.
            data: see `trainingdata.TrainingData.of`.
            classes: number of classes.
            checkpoints: what to keep: epochs as text, "accuracy90" for the end of the first epoch
                whose training accuracy is at least 90 percent, "final".
            chunked: whether to take steps as `Chunks` does; None: on CUDA. Full batches and
                dropout never are.
        """
        self.run, self.seeds, self.data = run, list(seeds), data
        self.wanted = list(checkpoints)
        self.device = data.inputs.device
        shape = architecture_of(run, data.inputs.shape[-1], classes)
        whole = models.initialise(shape, seeds, run.initializer, self.device)
        copied = {name: value.clone() for name, value in whole.parameters.items()}
        self.whole = Ensemble(whole.architecture, copied)
        chunked = self.device.type == "cuda" if chunked is None else chunked
        self.chunked = chunked and run.batch_size is not None and not run.dropout
        self.batches = Batches(data, self.seeds, scaled=self.chunked)
        self.shuffles = self.batches.shuffles.generators
        self.drops = [torch_generator(seed, "dropout") for seed in seeds]
        count = len(self.seeds)
        self.progress = Progress(
            active=list(range(count)),
            best=[math.inf] * count,
            waited=[0] * count,
            stopped=[0] * count,
            reached={
                name: [None] * count for name in self.wanted if threshold_of(name) is not None
            },
        )
        self.checkpoints: dict[str, Ensemble] = {}
        self.bind(whole, None)
        if "0" in self.wanted:
            self.checkpoints["0"] = self.snapshot()

    @property
    def finished(self) -> bool:
        """Whether every seed has stopped or the last epoch is done."""
        return not self.progress.active or self.progress.epoch >= self.run.epochs

    def finish(
        self, after_epoch: Callable[["Training"], None] | None = None
    ) -> dict[str, Ensemble]:
        """Train to the end.

        Args:
            after_epoch: called after each epoch, e.g. to save the state.

        Returns:
            The checkpoints asked for. Epochs after a seed's early stop, and accuracies that it
            never reached, show where it stopped.

        Raises:
            DivergenceError: a loss is not finite.
        """
        while not self.finished:
            self.advance()
            if after_epoch is not None:
                after_epoch(self)
        final = self.snapshot()
        for epoch in self.wanted:
            if epoch not in self.checkpoints:
                self.checkpoints[epoch] = final
            for i, reached in enumerate(self.progress.reached.get(epoch, ())):
                if reached is None:
                    _copy_members(final, self.checkpoints[epoch], [i])
        return {epoch: self.checkpoints[epoch] for epoch in self.wanted}

    def advance(self) -> None:
        """Run one epoch of every seed that has not stopped."""
        progress, length = self.progress, self.batches.examples
        learning_rate = self.run.learning_rate_at(progress.epoch)
        with float32_products(self.run.tf32, self.device):
            if self.chunks is None:
                loss, correct = self._epoch(learning_rate)
            else:
                loss, correct = self.chunks.epoch(*self.batches.order(), learning_rate)
        progress.epoch += 1
        progress.steps = self.optimiser.steps
        held_out = self.data.validation and models.score(self.active, *self.data.validation)
        if self.chunks is not None and not self.finished:
            self.batches.draw_ahead()  # before anything waits for the device
        self._record(learning_rate, (loss / length).tolist(), (correct / length).tolist(), held_out)
        self._reach(correct.tolist(), length)
        self._stop_early((loss / length).tolist())
        if str(progress.epoch) in self.wanted:
            self.checkpoints[str(progress.epoch)] = self.snapshot()

    def snapshot(self) -> Ensemble:
        """Copy the parameters of all seeds, stopped ones as they were when they stopped."""
        self._keep(range(len(self.progress.active)))
        copied = {name: value.clone() for name, value in self.whole.parameters.items()}
        return Ensemble(self.whole.architecture, copied)

    def bind(self, active: Ensemble, moments: dict[str, torch.Tensor] | None) -> None:
        """Make an ensemble the one in training.

        Args:
            active: the members that have not stopped, in the order of `progress.active`.
            moments: their optimiser's memory; None starts afresh.
        """
        self.active = active
        self.optimiser = optimisers.Optimiser(self.run, active, moments, self.progress.steps)
        self.backward = Backpropagation(
            active, self.optimiser.gradients, self.run.batch_norm_momentum
        )
        self.batches.bind(self.progress.active)
        self.chunks: Chunks | None = None
        if self.chunked:
            self.chunks = Chunks(self.run, active, self.optimiser, self.batches.gather)

    def _epoch(self, learning_rate: float) -> tuple[torch.Tensor, torch.Tensor]:
        """Take the steps of one epoch; give sums over its examples of loss and hits, both (S,)."""
        loss = torch.zeros(self.active.members, device=self.device)
        correct = torch.zeros(self.active.members, device=self.device)
        for size, cost, hits in self._steps():
            cost += optimisers.penalty(self.run, self.active)
            loss += cost * size
            correct += hits
            self.optimiser.step(learning_rate)
        return loss, correct

    def _steps(self) -> Iterator[tuple[int, torch.Tensor, torch.Tensor]]:
        """Compute the gradients of one step after the other.

        Yields:
            Examples of the step, mean cross-entropy (S,) and number of correct examples (S,).
        """
        if self.run.batch_size is None:
            yield self._whole_step()
            return
        rows, labels = self.batches.order()
        for start in range(0, labels.shape[1], self.run.batch_size):
            batch = slice(start, start + self.run.batch_size)
            inputs, target = self.batches.gather(rows[:, batch]), labels[:, batch]
            yield target.shape[1], *self.backward.step(inputs, target, self._masks(inputs))

    def _whole_step(self) -> tuple[int, torch.Tensor, torch.Tensor]:
        """Take all examples at once, in their own order, which no sum over them depends on."""
        inputs, labels = self.batches.everything(), self.batches.labels
        examples, masks = labels.shape[1], self._masks(inputs)
        if self.run.batch_norm or masks is not None:
            return examples, *self.backward.step(inputs, labels, masks)
        block = BLOCK.get(self.device.type, examples)
        return examples, *self.backward.step_in_blocks(inputs, labels, block)

    def _masks(self, inputs: torch.Tensor) -> list[torch.Tensor] | None:
        if not self.run.dropout:
            return None
        batch, keep = inputs.shape[1], 1 - self.run.dropout
        return [
            torch.stack(
                [
                    torch.rand(units, batch, generator=self.drops[i]).lt_(keep).div_(keep)
                    for i in self.progress.active
                ]
            ).to(self.device)
            for units in self.active.architecture.hidden
        ]

    def _record(
        self,
        learning_rate: float,
        loss: list[float],
        accuracy: list[float],
        held_out: tuple[torch.Tensor, torch.Tensor] | None,
    ) -> None:
        progress = self.progress
        seeds = [self.seeds[i] for i in progress.active]
        for seed, value in zip(seeds, loss, strict=True):
            if not math.isfinite(value):
                raise DivergenceError(
                    f"run {self.run.id}, seed {seed}: the training loss is {value} in epoch "
                    f"{progress.epoch}; lower learning_rate ({learning_rate:g}) or set batch_norm"
                )
        held = [each.tolist() for each in held_out] if held_out else [[None] * len(seeds)] * 2
        for row in zip(seeds, loss, accuracy, *held, strict=True):
            progress.history.append([row[0], progress.epoch, learning_rate, *row[1:]])
        logger.info(
            "epoch %d of %d, %d seeds: learning rate %.3g, loss %.4f, accuracy %.4f (%.4f to %.4f)",
            progress.epoch,
            self.run.epochs,
            len(seeds),
            learning_rate,
            sum(loss) / len(loss),
            sum(accuracy) / len(accuracy),
            min(accuracy),
            max(accuracy),
        )

    def _reach(self, correct: list[float], length: int) -> None:
        """Keep the seeds that have come to one of the wanted accuracies for the first time."""
        for name, reached in self.progress.reached.items():
            least = threshold_of(name)
            new = [
                i
                for i, hits in zip(self.progress.active, correct, strict=True)
                if reached[i] is None and 100 * hits >= least * length
            ]
            if not new:
                continue
            now = self.snapshot()
            _copy_members(now, self.checkpoints.setdefault(name, now), new)
            for i in new:
                reached[i] = self.progress.epoch

    def _stop_early(self, loss: list[float]) -> None:
        """Keras' rule: stop after `patience` epochs in a row without a new lowest loss."""
        progress, going = self.progress, []
        for position, i in enumerate(progress.active):
            progress.stopped[i] = progress.epoch
            if loss[position] < progress.best[i]:
                progress.best[i], progress.waited[i] = loss[position], 0
            else:
                progress.waited[i] += 1
            if not self.run.patience or progress.waited[i] < self.run.patience:
                going.append(position)
        if len(going) < len(progress.active):
            self._shrink(going)

    def _shrink(self, going: list[int]) -> None:
        """Freeze the seeds that stopped and go on with a smaller ensemble."""
        self._keep(range(len(self.progress.active)))
        moments = {name: value[going] for name, value in self.optimiser.moments().items()}
        parameters = {name: value[going] for name, value in self.active.parameters.items()}
        self.progress.active = [self.progress.active[position] for position in going]
        if going:
            self.bind(Ensemble(self.whole.architecture, parameters), moments)

    def _keep(self, positions: Sequence[int]) -> None:
        target = torch.tensor(
            [self.progress.active[p] for p in positions], dtype=torch.long, device=self.device
        )
        if len(target):
            for name, value in self.active.parameters.items():
                self.whole.parameters[name][target] = value


def architecture_of(run: Run, inputs: int, classes: int) -> models.Architecture:
    """Give the shape of a run's networks.

    Args:
        run: the run.
        inputs: numbers per example.
        classes: number of classes.
    """
    return models.Architecture(
        inputs=inputs,
        hidden=run.layers,
        classes=classes,
        activation=run.activation,
        batch_norm=run.batch_norm,
        batch_norm_epsilon=run.batch_norm_epsilon,
        dropout=run.dropout,
    )


def _copy_members(source: Ensemble, target: Ensemble, members: Sequence[int]) -> None:
    for name, value in target.parameters.items():
        value[members] = source.parameters[name][members]
