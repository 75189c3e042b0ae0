"""One optimiser for all seeds and layers."""

import torch

from neuralcodes.networks.models import Ensemble
from neuralcodes.studies.runs import Run

BETAS = (0.9, 0.999)  # Keras' and torch's defaults; the released code does not set them
STATISTICS = ("mean", "variance")  # running statistics are kept, not trained
FLAT = ""  # key of what lies end to end in one tensor
# torch's fused kernel takes 36 tensors a launch, and one block to 65,536 numbers of each: our
# kernels go in pieces, or a small one would keep few of a GPU's processors busy.
PIECES = 36
LATE = 1e9  # a step at which 1 - beta^step, torch's own bias correction, is 1 to the last bit


Gradients = dict[str, torch.Tensor | tuple[torch.Tensor, ...]]


class Optimiser:
    """Adam or SGD on an ensemble, with an L2 penalty on the hidden kernels alone.

    Everything but the hidden kernels becomes views of one flat tensor, so that two calls of
    torch's fused kernel update all layers of all seeds. torch.optim would call the same kernel, and
    spend as long on bookkeeping as on a network this small.

    Attributes:
        gradients: parameter name -> where its gradient is to be written; a hidden kernel's may be
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
        trained = [name for name in ensemble.parameters if name.split(".")[-1] not in STATISTICS]
        self.kernels = [name for name in trained if is_hidden_kernel(name)]
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
        """Copy tensors: each hidden kernel by itself, all others end to end."""
        stored = {name: named[name].clone() for name in self.kernels}
        return {**stored, FLAT: torch.cat([named[name].reshape(-1) for name in self.rest])}

    def _named(self, stored: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """View what `_store` made under the parameters' own names and shapes."""
        parts = stored[FLAT].split([self.shapes[name].numel() for name in self.rest])
        views = {n: part.view(self.shapes[n]) for n, part in zip(self.rest, parts, strict=True)}
        return {**{name: stored[name] for name in self.kernels}, **views}


def penalty(run: Run, ensemble: Ensemble) -> torch.Tensor | float:
    """Compute the L2 penalty that Keras adds to the loss: weight_decay x sum of squares.

    Args:
        run: gives the coefficient.
        ensemble: its hidden kernels are penalised, nothing else.

    Returns:
        One value per member, (S,); 0.0 where nothing is penalised.
    """
    if not run.weight_decay:
        return 0.0
    return run.weight_decay * sum(norm.square_() for norm in kernel_norms(ensemble))


def kernel_norms(ensemble: Ensemble) -> list[torch.Tensor]:
    """Give the root of the sum of squares of each hidden kernel, (S,) each.

    Args:
        ensemble: the networks.
    """
    return [
        torch.linalg.vector_norm(value, dim=(1, 2))
        for name, value in ensemble.parameters.items()
        if is_hidden_kernel(name)
    ]


def _pieces(tensor: torch.Tensor, count: int) -> tuple[torch.Tensor, ...]:
    """View a tensor as flat pieces whose sizes, but the last one's, are multiples of 16 bytes."""
    return tensor.view(-1).split(4 * -(-tensor.numel() // (4 * count)))


def is_hidden_kernel(name: str) -> bool:
    """Tell whether a parameter is one that the L2 penalty acts on.

    Args:
        name: of the parameter.
    """
    return name.startswith("hidden.") and name.endswith(".weight")


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
