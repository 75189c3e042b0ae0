"""Multilayer perceptrons, whose steps are written out."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from neuralcodes.networks.architectures.declaration import Architecture
from neuralcodes.studies.runs import Run

if TYPE_CHECKING:
    import torch

    from neuralcodes.networks.perceptrons import Perceptrons, Shape
    from neuralcodes.networks.training.steps import Bound, Steps


class Perceptron(Architecture):
    """`depth` hidden layers of `width` units in all, as He et al. 2021 have them."""

    name = "mlp"
    affine = True
    keys = frozenset(
        {"depth", "width", "activation", "batch_norm", "batch_norm_momentum", "batch_norm_epsilon"}
        | {"dropout", "initializer"}
    )

    def shape_of(self, run: Run, inputs: tuple[int, ...], classes: int) -> "Shape":
        """See `Architecture`."""
        from neuralcodes.networks.perceptrons import Shape

        return Shape(
            inputs=math.prod(inputs),
            hidden=run.layers,
            classes=classes,
            activation=run.activation,
            batch_norm=run.batch_norm,
            batch_norm_epsilon=run.batch_norm_epsilon,
            dropout=run.dropout,
        )

    def shape_from(self, fields: dict[str, Any]) -> "Shape":
        """See `Architecture`."""
        from neuralcodes.networks.perceptrons import Shape

        return Shape(**fields)

    def ensemble(self, shape: "Shape", parameters: "dict[str, torch.Tensor]") -> "Perceptrons":
        """See `Architecture`."""
        from neuralcodes.networks.perceptrons import Perceptrons

        return Perceptrons(shape, parameters)

    def initialise(
        self,
        shape: "Shape",
        seeds: Sequence[int],
        run: Run | None = None,
        device: "torch.device | str" = "cpu",
    ) -> "Perceptrons":
        """See `Architecture`."""
        from neuralcodes.networks import perceptrons

        rule = "glorot_uniform" if run is None else run.initializer
        return perceptrons.initialise(shape, seeds, rule, device)

    def steps(self, bound: "Bound", lean: bool) -> "Steps":
        """See `Architecture`; full batches and dropout never go in chunks."""
        from neuralcodes.networks.cuda.chunks import Chunks
        from neuralcodes.networks.training.backpropagation import WrittenOut

        whole = bound.run.batch_size is None or bound.run.dropout
        return Chunks(bound) if lean and not whole else WrittenOut(bound)


MLP = Perceptron()
