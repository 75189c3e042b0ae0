"""The training loop: all seeds of a run as one ensemble, each as if it were trained alone."""

import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch

from neuralcodes.errors import DivergenceError
from neuralcodes.networks import ensembles
from neuralcodes.networks.architectures import registry
from neuralcodes.networks.ensembles import Ensemble
from neuralcodes.networks.training import optimisers
from neuralcodes.networks.training.batches import StepData, batches_of
from neuralcodes.networks.training.statefiles import State, Tensors, prefixed, without
from neuralcodes.networks.training.steps import Bound
from neuralcodes.networks.training.trainingdata import TrainingData
from neuralcodes.storage.precision import float32_products
from neuralcodes.storage.randomness import torch_generator
from neuralcodes.studies.checkpoints import threshold_of
from neuralcodes.studies.hashruns import HashRun
from neuralcodes.studies.runs import Run

logger = logging.getLogger(__name__)


@dataclass
class Progress:
    """Where a training stands; with it and the parameters a killed training goes on.

    A turn is an epoch or, where the run counts steps, a step. `pending` of them are in no row of
    the history yet. `reached` says for each checkpoint by accuracy in which turn each seed reached
    it, None where it has not.
    """

    turn: int = 0
    steps: int = 0
    pending: int = 0
    active: list[int] = field(default_factory=list)
    best: list[float] = field(default_factory=list)
    waited: list[int] = field(default_factory=list)
    stopped: list[int] = field(default_factory=list)
    reached: dict[str, list[int | None]] = field(default_factory=dict)
    history: list[list[float | int | None]] = field(default_factory=list)


class Training:
    """One ensemble in training. `finish()` runs it to its end; `advance()` runs one turn.

    Attributes:
        checkpoints: epoch ("0", "10", "final") -> Ensemble of all seeds.
        progress: turn, early stopping per seed and history.
        active: the members that have not stopped.
    """

    def __init__(
        self,
        run: Run | HashRun,
        seeds: Sequence[int],
        data: TrainingData | StepData,
        classes: int,
        checkpoints: Sequence[str] = ("final",),
        lean: bool | None = None,
    ) -> None:
        """Initialise all seeds.

        Args:
            run: what to train.
            seeds: the repeats; a seed's result does not depend on the others beyond rounding.
            data: of the seeds, on the device where to train.
            classes: number of classes.
            checkpoints: what to keep: turns as text, "accuracy90" for the end of the first turn
                whose training accuracy is at least 90 percent, "final".
            lean: whether to take steps as suits a GPU, few kernels and never waiting for it,
                rather than as suits a CPU; None: on CUDA.

        Raises:
            ValueError: the architecture does not take such data.
        """
        self.run, self.seeds, self.data = run, list(seeds), data
        self.wanted, self.device = list(checkpoints), data.device
        self.architecture = registry.get(run.architecture)
        shape = self.architecture.shape_of(run, data.shape, classes)
        active = self.architecture.initialise(shape, seeds, run, self.device)
        self.architecture.prepare(active, data)
        self.whole = active.copy()
        self.lean = self.device.type == "cuda" if lean is None else lean
        self.batches = batches_of(run, self.seeds, data, self.lean)
        self.noise = [torch_generator(seed, "dropout") for seed in seeds]
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
        self.measured: list[tuple[float, torch.Tensor]] = []
        self._clear()
        self.checkpoints: dict[str, Ensemble] = {}
        self.bind(active, None)
        if "0" in self.wanted:
            self.checkpoints["0"] = self.snapshot()

    @property
    def finished(self) -> bool:
        """Whether every seed has stopped or the last turn is done."""
        return not self.progress.active or self.progress.turn >= self.run.turns

    def finish(self, after_turn: Callable[["Training"], None] | None = None) -> dict[str, Ensemble]:
        """Train to the end.

        Args:
            after_turn: called after each turn, e.g. to save the state.

        Returns:
            The checkpoints asked for. Turns after a seed's early stop, and accuracies that it
            never reached, show where it stopped.

        Raises:
            DivergenceError: a loss is not finite.
        """
        while not self.finished:
            self.advance()
            if after_turn is not None:
                after_turn(self)
        final = self.snapshot()
        for epoch in self.wanted:
            if epoch not in self.checkpoints:
                self.checkpoints[epoch] = final
            for i, reached in enumerate(self.progress.reached.get(epoch, ())):
                if reached is None:
                    _copy_members(final, self.checkpoints[epoch], [i])
        return {epoch: self.checkpoints[epoch] for epoch in self.wanted}

    def advance(self) -> None:
        """Run one turn of every seed that has not stopped.

        Raises:
            DivergenceError: a loss is not finite.
        """
        progress = self.progress
        rate = self.run.learning_rate_at(progress.turn)
        with float32_products(self.run.tf32, self.device):
            measured = self.steps.turn(rate)
        progress.turn += 1
        progress.steps = self.optimiser.steps
        self.measured.append((rate, torch.stack(measured)))
        if progress.turn % self.run.record_every == 0 or progress.turn >= self.run.turns:
            self._end_row(rate)
        if str(progress.turn) in self.wanted:
            self.checkpoints[str(progress.turn)] = self.snapshot()

    def snapshot(self) -> Ensemble:
        """Copy the parameters of all seeds, stopped ones as they were when they stopped."""
        self._keep()
        return self.whole.copy()

    def bind(self, active: Ensemble, moments: Tensors | None) -> None:
        """Make an ensemble the one in training.

        Args:
            active: the members that have not stopped, in the order of `progress.active`.
            moments: their optimiser's memory; None starts afresh.
        """
        self.active = active
        self.optimiser = optimisers.optimiser_of(self.run, active, moments, self.progress.steps)
        self.batches.bind(self.progress.active)
        noise = [self.noise[i] for i in self.progress.active]
        bound = Bound(self.run, active, self.optimiser, self.batches, noise)
        self.steps = self.architecture.steps(bound, self.lean)

    def state(self) -> State:
        """Give all that decides how the training goes on, for `statefiles.save`.

        Raises:
            DivergenceError: a loss is not finite.
        """
        self._settle()
        tensors = prefixed("whole", self.whole.parameters)
        tensors |= prefixed("active", self.active.parameters)
        tensors |= prefixed("moments", self.optimiser.moments())
        tensors |= prefixed("batches", self.batches.state())
        tensors |= {f"noise/{i}": each.get_state() for i, each in enumerate(self.noise)}
        for epoch, ensemble in self.checkpoints.items():
            tensors |= prefixed(f"checkpoint.{epoch}", ensemble.parameters)
        return {**tensors, "sums": torch.from_numpy(self.sums)}, asdict(self.progress)

    def go_on_from(self, tensors: Tensors, progress: dict[str, Any]) -> None:
        """Put a training that has not advanced where a saved one stood.

        Args:
            tensors: of `state`.
            progress: of `state`.
        """
        self.progress, self.sums = Progress(**progress), tensors["sums"].numpy()
        self.batches.go_on_from(without("batches", tensors))
        for i, generator in enumerate(self.noise):
            generator.set_state(tensors[f"noise/{i}"])
        here = {name: value.to(self.device) for name, value in tensors.items()}
        self.whole.parameters.update(without("whole", here))
        for epoch in self.wanted:
            if kept := without(f"checkpoint.{epoch}", here):
                self.checkpoints[epoch] = self.whole.alike(kept)
        if self.progress.active:
            active = without("active", here)
            # in the order of before, not the file's: it decides which are rounded together
            active = {name: active[name] for name in self.active.parameters}
            self.bind(self.whole.alike(active), without("moments", here))

    def _end_row(self, rate: float) -> None:
        """Add to the history, and see who has reached or stopped what."""
        held_out: Sequence[Any] | None = None
        if isinstance(self.data, TrainingData) and self.data.validation:
            held_out = ensembles.score(self.active, *self.data.validation)
        if self.lean and not self.finished:
            self.batches.draw_ahead()  # before anything waits for the device
        self._settle()
        examples = self.progress.pending * self.batches.examples
        loss, correct = self.sums[0] / self.progress.pending, self.sums[1]
        self._record(rate, loss.tolist(), (correct / examples).tolist(), held_out)
        self._reach(correct.tolist(), examples)
        self._stop_early(loss.tolist())
        self._clear()

    def _settle(self) -> None:
        """Look at what the last turns measured, which waits for the device."""
        if not self.measured:
            return
        first = self.progress.turn - len(self.measured) + 1
        rates, values = zip(*self.measured, strict=True)
        for turn, (rate, each) in enumerate(
            zip(rates, torch.stack(values).cpu().numpy(), strict=True), start=first
        ):
            self._refuse_divergence(turn, rate, each[0])
            self.sums += each
        self.progress.pending += len(self.measured)
        self.measured = []

    def _clear(self) -> None:
        # single turns stay as they were measured; sums of many need more digits
        kind = np.float32 if self.run.record_every == 1 else np.float64
        self.progress.pending = 0
        self.sums = np.zeros((2, len(self.progress.active)), kind)

    def _refuse_divergence(self, turn: int, rate: float, loss: np.ndarray) -> None:
        for i, value in zip(self.progress.active, loss.tolist(), strict=True):
            if not math.isfinite(value):
                advice = "" if getattr(self.run, "batch_norm", True) else " or set batch_norm"
                raise DivergenceError(
                    f"run {self.run.id}, seed {self.seeds[i]}: the training loss is {value} in "
                    f"{self.run.unit} {turn}; lower learning_rate ({rate:g} there){advice}"
                )

    def _record(
        self,
        rate: float,
        loss: list[float],
        accuracy: list[float],
        held_out: Sequence[torch.Tensor] | None,
    ) -> None:
        turn, seeds = self.progress.turn, [self.seeds[i] for i in self.progress.active]
        columns = [loss, accuracy]
        if isinstance(self.data, TrainingData):
            columns += [e.tolist() for e in held_out] if held_out else [[None] * len(seeds)] * 2
        for seed, *row in zip(seeds, *columns, strict=True):
            self.progress.history.append([seed, turn, rate, *row])
        logger.info(
            "%s %d of %d, %d seeds: learning rate %.3g, loss %.4f, accuracy %.4f (%.4f to %.4f)",
            self.run.unit,
            turn,
            self.run.turns,
            len(seeds),
            rate,
            sum(loss) / len(loss),
            sum(accuracy) / len(accuracy),
            min(accuracy),
            max(accuracy),
        )

    def _reach(self, correct: list[float], examples: int) -> None:
        """Keep the seeds that have come to one of the wanted accuracies for the first time."""
        for name, reached in self.progress.reached.items():
            least = threshold_of(name)
            new = [
                i
                for i, hits in zip(self.progress.active, correct, strict=True)
                if reached[i] is None and 100 * hits >= least * examples
            ]
            if not new:
                continue
            now = self.snapshot()
            _copy_members(now, self.checkpoints.setdefault(name, now), new)
            for i in new:
                reached[i] = self.progress.turn

    def _stop_early(self, loss: list[float]) -> None:
        """Keras' rule: stop after `patience` turns in a row without a new lowest loss."""
        progress, going = self.progress, []
        for position, i in enumerate(progress.active):
            progress.stopped[i] = progress.turn
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
        self._keep()
        moments = {name: value[going] for name, value in self.optimiser.moments().items()}
        parameters = {name: value[going] for name, value in self.active.parameters.items()}
        self.progress.active = [self.progress.active[position] for position in going]
        if going:
            self.bind(self.whole.alike(parameters), moments)

    def _keep(self) -> None:
        """Copy the members in training to their places among all."""
        target = torch.tensor(self.progress.active, dtype=torch.long, device=self.device)
        if len(target):
            for name, value in self.active.parameters.items():
                self.whole.parameters[name][target] = value


def _copy_members(source: Ensemble, target: Ensemble, members: Sequence[int]) -> None:
    for name, value in target.parameters.items():
        value[members] = source.parameters[name][members]
