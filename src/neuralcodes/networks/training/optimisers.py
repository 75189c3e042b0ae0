"""Optimisers: one update of all seeds and layers."""

import torch

from neuralcodes.networks.ensembles import Ensemble
from neuralcodes.studies.hashruns import HashRun
from neuralcodes.studies.runs import Run

BETAS = (0.9, 0.999)  # Keras' and torch's defaults; the released code does not set them
EPSILON = 1e-8  # of AdamW, torch's default
FLAT = ""  # key of what lies end to end in one tensor
# torch's fused kernel takes 36 tensors a launch, and one block to 65,536 numbers of each: our
# kernels go in pieces, or a small one would keep few of a GPU's processors busy.
PIECES = 36
LATE = 1e9  # a step at which 1 - beta^step, torch's own bias correction, is 1 to the last bit


Gradients = dict[str, torch.Tensor | tuple[torch.Tensor, ...]]


class Optimiser:
    """Adam or SGD on an ensemble, with an L2 penalty on its kernels: what weight decay acts on.

    Everything but the kernels becomes views of one flat tensor, so that two calls of
    torch's fused kernel update all layers of all seeds. torch.optim would call the same kernel, and
    spend as long on bookkeeping as on a network this small.

    Attributes:
        gradients: parameter name -> where its gradient is to be written; a kernel's may be
            replaced, also by one tensor per member.
        steps: updates so far.
    """

    def __init__(
        self,
        run: Run,
        ensemble: Ensemble,
        moments: dict[str, torch.Tensor] | None = None,
        steps: int = 0,
    ) -> None:
        """Take over an ensemble's parameters.

        Args:
            run: its optimiser fields are used.
            ensemble: its trained parameters are replaced by copies that are updated in place.
            moments: what `moments()` gave, to go on from there.
            steps: updates that were made before.
        """
        self.run, self.steps = run, steps
        trained, self.kernels = ensemble.trained_names(run), ensemble.decayed_names(run)
        self.rest = [name for name in trained if name not in self.kernels]
        self.shapes = {name: ensemble.parameters[name].shape for name in trained}
        self.values = self._store(ensemble.parameters)
        self.gradients: Gradients = {}
        kinds = ("first", "second") if run.optimizer == "adam" else ("velocity",)
        zeros = {name: torch.zeros_like(ensemble.parameters[name]) for name in trained}
        slopes = self._store(zeros)
        self.flat_slope = slopes[FLAT]
        self.gradients.update(self._named(slopes))
        self.kept = {
            kind: self._store(
                {name: moments[f"{kind}/{name}"] for name in trained} if moments else zeros
            )
            for kind in kinds
        }
        ensemble.parameters.update(self._named(self.values))
        self.counter = torch.zeros((), device=ensemble.device)
        self.late = torch.full((), LATE, device=ensemble.device)

    def take(self, name: str, slope: torch.Tensor | tuple[torch.Tensor, ...]) -> None:
        """Take over a gradient that was not written where `gradients` says.

        Args:
            name: of a trained parameter.
            slope: of the parameter's shape, or one tensor per member.
        """
        if name in self.kernels:
            self.gradients[name] = slope
        elif isinstance(slope, tuple):
            torch.stack(slope, out=self.gradients[name])
        else:
            self.gradients[name].copy_(slope)

    def penalty(self) -> torch.Tensor | float:
        """Compute the L2 penalty that Keras adds to the loss: weight_decay x sum of squares.

        Returns:
            One value per member, (S,); 0.0 where nothing is penalised.
        """
        if not self.run.weight_decay:
            return 0.0
        return self.run.weight_decay * sum(norm.square_() for norm in self.kernel_norms())

    def kernel_norms(self) -> list[torch.Tensor]:
        """Give the root of the sum of squares of each kernel, (S,) each."""
        kernels = (self.values[name] for name in self.kernels)
        return [torch.linalg.vector_norm(each, dim=tuple(range(1, each.dim()))) for each in kernels]

    @torch.no_grad()
    def step(self, learning_rate: float) -> None:
        """Apply the gradients once.

        Args:
            learning_rate: of this step.
        """
        self.steps += 1
        self.counter.fill_(float(self.steps))
        update = self._adam if self.run.optimizer == "adam" else self._sgd
        values, slopes, kept = self._kernel_parts()
        update(values, slopes, kept, learning_rate, 2 * self.run.weight_decay)
        rest = [[stored[FLAT]] for stored in self.kept.values()]
        update([self.values[FLAT]], [self.flat_slope], rest, learning_rate, 0.0)

    def rates(self, learning_rate: float, steps: int) -> torch.Tensor:
        """Give the rates of the next steps, for `step_at`.

        Args:
            learning_rate: of all of them.
            steps: how many; the caller adds them to `steps` once they are taken.

        Returns:
            (steps,), on the device. For Adam with its bias correction, as in Keras' formulation,
            found in float64.
        """
        count = torch.arange(self.steps + 1, self.steps + steps + 1, dtype=torch.float64)
        rates = torch.full_like(count, learning_rate)
        if self.run.optimizer == "adam":
            rates *= (1 - BETAS[1] ** count).sqrt_() / (1 - BETAS[0] ** count)
        return rates.to(self.flat_slope)

    @torch.no_grad()
    def step_at(self, rate: torch.Tensor) -> None:
        """Apply the gradients once, as `step` does, from nothing but tensors on the device.

        Args:
            rate: one of `rates`.
        """
        adam = self.run.optimizer == "adam"
        update = self._adam_at if adam else self._sgd_at
        pieces = max(1, PIECES // max(1, len(self.kernels))) if adam else 1
        update(*self._parts_of(self.kernels, pieces), rate, 2 * self.run.weight_decay)
        update(*self._parts_of(self.rest, 1), rate, 0.0)

    def moments(self) -> dict[str, torch.Tensor]:
        """Give the optimiser's memory, "moment/parameter" -> tensor with a leading seed axis."""
        return {
            f"{kind}/{name}": view
            for kind, stored in self.kept.items()
            for name, view in self._named(stored).items()
        }

    def _kernel_parts(
        self,
    ) -> tuple[list[torch.Tensor], list[torch.Tensor], list[list[torch.Tensor]]]:
        """List kernels, gradients and moments, whole or by member as the gradient comes."""
        values, slopes = [], []
        kept: list[list[torch.Tensor]] = [[] for _ in self.kept]
        for name in self.kernels:
            slope = self.gradients[name]
            apart = isinstance(slope, tuple)
            values += self.values[name].unbind() if apart else [self.values[name]]
            slopes += slope if apart else [slope]
            for moment, stored in zip(kept, self.kept.values(), strict=True):
                moment += stored[name].unbind() if apart else [stored[name]]
        return values, slopes, kept

    def _adam(
        self,
        values: list[torch.Tensor],
        slopes: list[torch.Tensor],
        kept: list[list[torch.Tensor]],
        learning_rate: float,
        penalty: float,
    ) -> None:
        # Keras adds epsilon before the bias correction of the second moment, torch after it
        epsilon = self.run.adam_epsilon / (1 - BETAS[1] ** self.steps) ** 0.5
        _fused_adam(values, slopes, kept, self.counter, learning_rate, penalty, epsilon)

    def _sgd(
        self,
        values: list[torch.Tensor],
        slopes: list[torch.Tensor],
        kept: list[list[torch.Tensor]],
        learning_rate: float,
        penalty: float,
    ) -> None:
        for value, slope, velocity in zip(values, slopes, kept[0], strict=True):
            velocity.mul_(self.run.momentum).add_(slope, alpha=-learning_rate)
            if penalty:
                velocity.add_(value, alpha=-learning_rate * penalty)
            value.add_(velocity)

    def _parts_of(
        self, names: list[str], pieces: int
    ) -> tuple[list[torch.Tensor], list[torch.Tensor], list[list[torch.Tensor]]]:
        """List parameters, gradients and moments, each flat and in some pieces at most."""
        slopes = (self.gradients[name] for name in names)
        lists = [[torch.stack(each) if isinstance(each, tuple) else each for each in slopes]]
        for stored in (self.values, *self.kept.values()):
            named = self._named(stored)
            lists.append([named[name] for name in names])
        slopes, values, *kept = [
            [part for each in tensors for part in _pieces(each, pieces)] for tensors in lists
        ]
        return values, slopes, kept

    def _adam_at(
        self,
        values: list[torch.Tensor],
        slopes: list[torch.Tensor],
        kept: list[list[torch.Tensor]],
        rate: torch.Tensor,
        penalty: float,
    ) -> None:
        _fused_adam(values, slopes, kept, self.late, rate, penalty, self.run.adam_epsilon)

    def _sgd_at(
        self,
        values: list[torch.Tensor],
        slopes: list[torch.Tensor],
        kept: list[list[torch.Tensor]],
        rate: torch.Tensor,
        penalty: float,
    ) -> None:
        for value, slope, velocity in zip(values, slopes, kept[0], strict=True):
            velocity.mul_(self.run.momentum).addcmul_(slope, rate, value=-1)
            if penalty:
                velocity.addcmul_(value, rate, value=-penalty)
            value.add_(velocity)

    def _store(self, named: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """Copy tensors: each kernel by itself, all others end to end."""
        stored = {name: named[name].clone() for name in self.kernels}
        return {**stored, FLAT: torch.cat([named[name].reshape(-1) for name in self.rest])}

    def _named(self, stored: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """View what `_store` made under the parameters' own names and shapes."""
        parts = stored[FLAT].split([self.shapes[name].numel() for name in self.rest])
        views = {n: part.view(self.shapes[n]) for n, part in zip(self.rest, parts, strict=True)}
        return {**{name: stored[name] for name in self.kernels}, **views}


class AdamW:
    """Adam with decoupled weight decay, as torch has it; members' tensors stay apart.

    Attributes:
        steps: updates so far.
    """

    def __init__(
        self,
        run: HashRun,
        ensemble: Ensemble,
        moments: dict[str, torch.Tensor] | None = None,
        steps: int = 0,
    ) -> None:
        """Bind to an ensemble.

        Args:
            run: gives the weight decay.
            ensemble: its trained parameters are updated in place.
            moments: what `moments()` gave, to go on from there.
            steps: updates that were made before.
        """
        self.steps, self.values = steps, ensemble.parameters
        trained, decayed = ensemble.trained_names(run), ensemble.decayed_names(run)
        rest = [name for name in trained if name not in decayed]
        self.groups = ((decayed, run.weight_decay), (rest, 0.0))
        self.kept = {
            kind: {
                name: moments[f"{kind}/{name}"].clone()
                if moments
                else torch.zeros_like(ensemble.parameters[name])
                for name in trained
            }
            for kind in ("first", "second")
        }
        self.gradients: Gradients = {}
        self.counter = torch.zeros((), device=ensemble.device)

    def take(self, name: str, slope: torch.Tensor | tuple[torch.Tensor, ...]) -> None:
        """Take over a gradient; see `Optimiser`."""
        self.gradients[name] = slope

    def penalty(self) -> float:
        """Give 0.0: decoupled, weight decay is in no loss."""
        return 0.0

    @torch.no_grad()
    def step(self, learning_rate: float) -> None:
        """Apply the gradients once.

        Args:
            learning_rate: of this step.
        """
        self.steps += 1
        self.counter.fill_(float(self.steps))
        for names, decay in self.groups:
            lists: list[list[torch.Tensor]] = [[], [], [], []]
            for name in names:
                slope = self.gradients[name]
                stored = [self.values[name], *(kept[name] for kept in self.kept.values())]
                if isinstance(slope, tuple):
                    parts = [stored[0].unbind(), slope, *(each.unbind() for each in stored[1:])]
                else:
                    parts = [[stored[0]], [slope], *([each] for each in stored[1:])]
                for tensors, part in zip(lists, parts, strict=True):
                    tensors += part
            torch._fused_adamw_(
                *lists,
                [],
                [self.counter] * len(lists[0]),
                lr=learning_rate,
                beta1=BETAS[0],
                beta2=BETAS[1],
                weight_decay=decay,
                eps=EPSILON,
                amsgrad=False,
                maximize=False,
            )

    def moments(self) -> dict[str, torch.Tensor]:
        """Give the optimiser's memory, "moment/parameter" -> tensor with a leading seed axis."""
        return {
            f"{kind}/{name}": value
            for kind, stored in self.kept.items()
            for name, value in stored.items()
        }


def optimiser_of(
    run: Run | HashRun,
    ensemble: Ensemble,
    moments: dict[str, torch.Tensor] | None = None,
    steps: int = 0,
) -> Optimiser | AdamW:
    """Give the optimiser of a run.

    Args:
        run: what is trained.
        ensemble: see `Optimiser`.
        moments: see `Optimiser`.
        steps: see `Optimiser`.
    """
    kind = AdamW if run.optimizer == "adamw" else Optimiser
    return kind(run, ensemble, moments, steps)


def _pieces(tensor: torch.Tensor, count: int) -> tuple[torch.Tensor, ...]:
    """View a tensor as flat pieces whose sizes, but the last one's, are multiples of 16 bytes."""
    return tensor.view(-1).split(4 * -(-tensor.numel() // (4 * count)))


def _fused_adam(
    values: list[torch.Tensor],
    slopes: list[torch.Tensor],
    kept: list[list[torch.Tensor]],
    step: torch.Tensor,
    learning_rate: float | torch.Tensor,
    penalty: float,
    epsilon: float,
) -> None:
    torch._fused_adam_(
        values,
        slopes,
        *kept,
        [],
        [step] * len(values),
        lr=learning_rate,
        beta1=BETAS[0],
        beta2=BETAS[1],
        weight_decay=penalty,
        eps=epsilon,
        amsgrad=False,
        maximize=False,
    )
