"""One optimiser for all seeds: parameters, gradients and moments lie in two flat tensors."""

import torch

from neuralcodes.models import Ensemble
from neuralcodes.runs import Run

BETAS = (0.9, 0.999)  # Keras' and torch's defaults; the released code does not set them
STATISTICS = ("mean", "variance")  # running statistics are kept, not trained


class Optimiser:
    """Adam or SGD on an ensemble, with an L2 penalty on the hidden kernels alone.

    The ensemble's parameters become views of two flat tensors (hidden kernels; the rest), so that
    one call of torch's fused kernel updates all layers of all seeds. torch.optim would call the
    same kernel, and spend as long on bookkeeping as on a network this small.

    Attributes:
        gradients: parameter name -> where its gradient is to be written.
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
            ensemble: its trained parameters are moved into the flat tensors.
            moments: what `moments()` gave, to go on from there.
            steps: updates that were made before.
        """
        self.run, self.steps = run, steps
        trained = [name for name in ensemble.parameters if name.split(".")[-1] not in STATISTICS]
        kernels = [name for name in trained if is_hidden_kernel(name)]
        self.groups = (kernels, [name for name in trained if name not in kernels])
        self.penalties = (2 * run.weight_decay, 0.0)
        self.shapes = {name: ensemble.parameters[name].shape for name in trained}
        self.values = [self._flat(ensemble.parameters, group) for group in self.groups]
        slopes = [torch.zeros_like(flat) for flat in self.values]
        self.slopes = slopes
        self.gradients: dict[str, torch.Tensor] = {}
        for flat, slope, group in zip(self.values, slopes, self.groups, strict=True):
            ensemble.parameters.update(self._views(flat, group))
            self.gradients.update(self._views(slope, group))
        self.kept = {
            kind: [
                self._flat({name: moments[f"{kind}/{name}"] for name in group}, group)
                if moments
                else torch.zeros_like(flat)
                for flat, group in zip(self.values, self.groups, strict=True)
            ]
            for kind in (("first", "second") if run.optimizer == "adam" else ("velocity",))
        }
        self.counter = torch.zeros((), device=ensemble.device)

    @torch.no_grad()
    def step(self, learning_rate: float) -> None:
        """Apply the gradients once.

        Args:
            learning_rate: of this step.
        """
        self.steps += 1
        for i in range(len(self.groups)):
            if self.run.optimizer == "adam":
                self._adam(i, learning_rate)
            else:
                self._sgd(i, learning_rate)

    def moments(self) -> dict[str, torch.Tensor]:
        """Give the optimiser's memory, "moment/parameter" -> tensor with a leading seed axis."""
        return {
            f"{kind}/{name}": view
            for kind, flats in self.kept.items()
            for flat, group in zip(flats, self.groups, strict=True)
            for name, view in self._views(flat, group).items()
        }

    def _adam(self, i: int, learning_rate: float) -> None:
        # Keras adds epsilon before the bias correction of the second moment, torch after it
        epsilon = self.run.adam_epsilon / (1 - BETAS[1] ** self.steps) ** 0.5
        torch._fused_adam_(
            [self.values[i]],
            [self.slopes[i]],
            [self.kept["first"][i]],
            [self.kept["second"][i]],
            [],
            [self.counter.fill_(float(self.steps))],
            lr=learning_rate,
            beta1=BETAS[0],
            beta2=BETAS[1],
            weight_decay=self.penalties[i],
            eps=epsilon,
            amsgrad=False,
            maximize=False,
        )

    def _sgd(self, i: int, learning_rate: float) -> None:
        slope = self.slopes[i]
        if self.penalties[i]:
            slope.add_(self.values[i], alpha=self.penalties[i])
        velocity = self.kept["velocity"][i]
        velocity.mul_(self.run.momentum).add_(slope, alpha=-learning_rate)
        self.values[i].add_(velocity)

    def _flat(self, values: dict[str, torch.Tensor], names: list[str]) -> torch.Tensor:
        return torch.cat([values[name].reshape(-1) for name in names])

    def _views(self, flat: torch.Tensor, names: list[str]) -> dict[str, torch.Tensor]:
        parts = flat.split([self.shapes[name].numel() for name in names])
        return {name: part.view(self.shapes[name]) for name, part in zip(names, parts, strict=True)}


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
    return run.weight_decay * sum(
        torch.linalg.vector_norm(value, dim=(1, 2)).square_()
        for name, value in ensemble.parameters.items()
        if is_hidden_kernel(name)
    )


def is_hidden_kernel(name: str) -> bool:
    """Tell whether a parameter is one that the L2 penalty acts on.

    Args:
        name: of the parameter.
    """
    return name.startswith("hidden.") and name.endswith(".weight")
