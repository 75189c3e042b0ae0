"""Training of hash networks by AdamW: all seeds of a run, each as if it were trained alone."""

import itertools
import json
import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from neuralcodes import __version__
from neuralcodes.errors import DivergenceError
from neuralcodes.networks import hashnetworks, modelfiles
from neuralcodes.networks.hashnetworks import HashArchitecture, HashEnsemble
from neuralcodes.networks.training import statefiles
from neuralcodes.networks.training.hashdata import HashData
from neuralcodes.networks.training.hashsteps import HashSteps
from neuralcodes.storage import rows
from neuralcodes.storage.precision import float32_products
from neuralcodes.storage.randomness import torch_generator

if TYPE_CHECKING:
    from neuralcodes.studies.hashruns import HashRun

logger = logging.getLogger(__name__)

HISTORY = ("seed", "step", "learning_rate", "train_loss", "train_accuracy")
RECORD_EVERY = 50  # steps
BETAS = (0.9, 0.999)
MOMENTS = ("exp_avg", "exp_avg_sq")  # torch's names


@dataclass
class Progress:
    """Where a training stands.

    `position` counts the examples of the current order that have been used; `loss` and `correct`
    are each seed's sums since the last row of the history, `pending` steps ago.
    """

    step: int = 0
    position: int = 0
    pending: int = 0
    loss: list[float] = field(default_factory=list)
    correct: list[int] = field(default_factory=list)
    history: list[list[float | int]] = field(default_factory=list)


class HashTraining:
    """One ensemble in training. `finish()` runs it to its end; `advance()` takes one step.

    Attributes:
        ensemble: the networks, updated in place.
        checkpoints: "0" (untrained) and, in the end, "final" -> HashEnsemble.
        progress: step and history.
    """

    def __init__(
        self,
        run: "HashRun",
        seeds: Sequence[int],
        data: HashData,
        device: torch.device | str = "cpu",
        lean: bool | None = None,
    ) -> None:
        """Initialise all seeds.

        Args:
            run: what to train.
            seeds: the repeats; a seed's result does not depend on the others beyond rounding.
            data: each seed's examples, in the order of `seeds`.
            device: where to train.
            lean: how to find gradients, see `HashSteps`, and whether to look at losses only when
                the history has a row; None: on CUDA.

        Raises:
            ValueError: the network takes images and the examples are none.
        """
        self.run, self.seeds, self.data = run, list(seeds), data
        shape = HashArchitecture(
            network=run.network,
            inputs=tuple(data.shape),
            width=run.width,
            hash_width=run.hash_width,
            classes=data.classes,
            hash_activation=run.hash_activation,
        )
        self.ensemble = hashnetworks.initialise(shape, self.seeds, run.init_scale, device)
        if run.network == "cnn":
            for name, value in zip(("mean", "deviation"), data.moments(), strict=True):
                self.ensemble.parameters[f"input.{name}"].copy_(value)
        self.device = self.ensemble.device
        self.lean = self.device.type == "cuda" if lean is None else lean
        self.shuffles = [torch_generator(seed, "hash shuffle") for seed in self.seeds]
        self.batch_size = min(run.batch_size, data.examples)
        self.order = torch.zeros(len(self.seeds), data.examples, dtype=torch.int64)
        self.order_of_labels = self.order  # on their device
        self.progress = Progress(position=data.examples)
        self.measured: list[tuple[float, torch.Tensor, torch.Tensor]] = []
        self._clear()
        self._bind()
        self.checkpoints: dict[str, HashEnsemble] = {"0": self.snapshot()}

    @property
    def finished(self) -> bool:
        """Whether the last step is done."""
        return self.progress.step >= self.run.steps

    def finish(
        self, after_step: Callable[["HashTraining"], None] | None = None
    ) -> dict[str, HashEnsemble]:
        """Train to the end.

        Args:
            after_step: called after each step, e.g. to save the state.

        Returns:
            Checkpoints "0" and "final".

        Raises:
            DivergenceError: a loss is not finite.
        """
        while not self.finished:
            self.advance()
            if after_step is not None:
                after_step(self)
        self.checkpoints["final"] = self.snapshot()
        return self.checkpoints

    def advance(self) -> None:
        """Take one step of every seed.

        Raises:
            DivergenceError: a loss is not finite.
        """
        rate = learning_rate_at(self.run, self.progress.step)
        batch = self._next_batch()
        inputs = self.data.batch(self.order[:, batch]).to(self.device)
        labels = self.data.labels.gather(1, self.order_of_labels[:, batch]).to(self.device)
        with float32_products(self.run.tf32, self.device):
            measured = self.steps.gradients(inputs, labels)
        self.progress.step += 1
        self.measured.append((rate, *measured))
        if not self.lean or self._row_is_due(self.progress.step):
            self._settle()
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.optimiser.step()
        self.optimiser.zero_grad()

    def snapshot(self) -> HashEnsemble:
        """Copy the parameters of all seeds."""
        copied = {name: value.clone() for name, value in self.ensemble.parameters.items()}
        return HashEnsemble(self.ensemble.architecture, copied)

    def state(self) -> statefiles.State:
        """Give all that decides how the training goes on, for `statefiles.save`.

        Raises:
            DivergenceError: a loss is not finite.
        """
        self._settle()
        tensors = statefiles.prefixed("parameter", self.ensemble.parameters)
        for kind in MOMENTS:
            tensors |= statefiles.prefixed(kind, self.moments[kind])
        tensors["order"] = self.order
        for i, shuffle in enumerate(self.shuffles):
            tensors[f"shuffle/{i}"] = shuffle.get_state()
        return tensors, asdict(self.progress)

    def go_on_from(self, tensors: statefiles.Tensors, progress: dict[str, Any]) -> None:
        """Put a training that has not advanced where a saved one stood.

        Args:
            tensors: of `state`.
            progress: of `state`.
        """
        self.progress = Progress(**progress)
        for name, value in statefiles.without("parameter", tensors).items():
            self.ensemble.parameters[name].copy_(value)
        for kind in MOMENTS:
            for name, value in statefiles.without(kind, tensors).items():
                self.moments[kind][name].copy_(value)
        for memory in self.optimiser.state.values():
            memory["step"].fill_(self.progress.step)
        self._take_order(tensors["order"])
        for i, shuffle in enumerate(self.shuffles):
            shuffle.set_state(tensors[f"shuffle/{i}"])

    def _bind(self) -> None:
        """Make the parameters leaves of autograd, and their moments the optimiser's."""
        whole, first = self.ensemble, self.run.train_first_layer
        trained, decayed = whole.trained_names(first), whole.decayed_names(first)
        self.steps = HashSteps(whole, trained, self.lean)
        leaves = self.steps.leaves
        groups = [
            {"params": [each[name] for each in leaves for name in names], "weight_decay": wd}
            for names, wd in (
                (decayed, self.run.weight_decay),
                ([name for name in trained if name not in decayed], 0.0),
            )
        ]
        self.optimiser = torch.optim.AdamW(groups, betas=BETAS, fused=True)
        self.moments = {
            kind: {name: torch.zeros_like(whole.parameters[name]) for name in trained}
            for kind in MOMENTS
        }
        for (i, each), name in itertools.product(enumerate(leaves), trained):
            moments = {kind: self.moments[kind][name] for kind in MOMENTS}
            if not self.steps.together:
                moments = {kind: value[i] for kind, value in moments.items()}
            step = torch.zeros((), device=self.device)
            self.optimiser.state[each[name]] = {**moments, "step": step}

    def _next_batch(self) -> slice:
        """Choose the examples of a step, a part of the order."""
        if self.progress.position + self.batch_size > self.data.examples:
            orders = [torch.randperm(self.data.examples, generator=g) for g in self.shuffles]
            self._take_order(torch.stack(orders))
            self.progress.position = 0
        start = self.progress.position
        self.progress.position += self.batch_size
        return slice(start, self.progress.position)

    def _take_order(self, order: torch.Tensor) -> None:
        self.order, self.order_of_labels = order, order.to(self.data.labels.device)

    def _settle(self) -> None:
        """Look at what the last steps measured, which waits for the device."""
        if not self.measured:
            return
        rates, losses, hits = zip(*self.measured, strict=True)
        self.measured = []
        values = torch.stack(losses).tolist(), torch.stack(hits).tolist()
        first = self.progress.step - len(rates) + 1
        for step, measured in enumerate(zip(rates, *values, strict=True), start=first):
            self._record(step, *measured)

    def _row_is_due(self, step: int) -> bool:
        return step % RECORD_EVERY == 0 or step >= self.run.steps

    def _record(self, step: int, rate: float, losses: Sequence[float], hits: Sequence[int]) -> None:
        """Add one step to the sums, and now and then the sums to the history."""
        progress = self.progress
        for seed, loss in zip(self.seeds, losses, strict=True):
            if not math.isfinite(loss):
                raise DivergenceError(
                    f"run {self.run.id}, seed {seed}: the training loss is {loss} in step "
                    f"{step}; lower learning_rate ({rate:g} in this step)"
                )
        progress.pending += 1
        progress.loss = [a + b for a, b in zip(progress.loss, losses, strict=True)]
        progress.correct = [a + b for a, b in zip(progress.correct, hits, strict=True)]
        if not self._row_is_due(step):
            return
        loss = [each / progress.pending for each in progress.loss]
        accuracy = [each / (progress.pending * self.batch_size) for each in progress.correct]
        for row in zip(self.seeds, loss, accuracy, strict=True):
            progress.history.append([row[0], step, rate, *row[1:]])
        logger.info(
            "step %d of %d, %d seeds: learning rate %.3g, loss %.4f, accuracy %.4f (%.4f to %.4f)",
            step,
            self.run.steps,
            len(self.seeds),
            rate,
            sum(loss) / len(loss),
            sum(accuracy) / len(accuracy),
            min(accuracy),
            max(accuracy),
        )
        self._clear()

    def _clear(self) -> None:
        self.progress.pending = 0
        self.progress.loss = [0.0] * len(self.seeds)
        self.progress.correct = [0] * len(self.seeds)


def learning_rate_at(run: "HashRun", step: int) -> float:
    """Give the learning rate of a step: a linear warm-up times half a cosine.

    Args:
        run: gives the peak, the steps and the steps of the warm-up, 0 for none.
        step: from 0.

    Returns:
        learning_rate x min(1, (step + 1) / warmup_steps) x (1 + cos(pi step / steps)) / 2.
    """
    warmth = min(1.0, (step + 1) / max(1, run.warmup_steps))
    return run.learning_rate * warmth * (1 + math.cos(math.pi * step / run.steps)) / 2


def train_to_files(
    run: "HashRun",
    seeds: Sequence[int],
    data: HashData,
    model: Path,
    history: Path,
    device: torch.device,
    code: str,
    facts: str,
    extra: dict[str, object] | None = None,
) -> None:
    """Train a run's ensemble, or go on with it, and write its model file and history.

    Args:
        run: what to train.
        seeds: the repeats.
        data: each seed's examples.
        model: the model file, with the checkpoints "0" and "final".
        history: CSV, one row per seed and `RECORD_EVERY` steps.
        device: where to train.
        code: fingerprint of the code, so that a state of other code is never gone on with.
        facts: what the examples were made of, so that neither is a state of other examples.
        extra: further JSON-ready facts for the model file's header.

    Raises:
        DivergenceError: a loss is not finite.
    """
    training = HashTraining(run, seeds, data, device)
    token = json.dumps([run.id, list(seeds), facts, code])
    saver = statefiles.Saver(statefiles.state_path(model), token, HashTraining.state)
    state = statefiles.read(saver.path, token)
    if state is not None:
        training.go_on_from(*state)
        logger.info("going on after step %d with the saved state", training.progress.step)
    kept = training.finish(saver)
    header = {
        **(extra or {}),
        "run": run.to_dict(),
        "seeds": list(seeds),
        "reached": {},
        "device": device.type,
        "versions": {"torch": torch.__version__, "neuralcodes": __version__},
    }
    modelfiles.save(model, kept, header)
    rows.write(history, training.progress.history, HISTORY)
    saver.done()
