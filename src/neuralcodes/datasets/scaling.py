"""How a network takes its inputs: stored values, shifted and divided."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    import torch

Kind = Literal["unit", "raw", "standardized"]


@dataclass(frozen=True)
class Scaling:
    """(value - shift) / divisor, in float32.

    Attributes:
        shift: what is taken away, in stored units.
        divisor: positive, in stored units.
    """

    shift: float
    divisor: float

    def apply(self, values: "torch.Tensor") -> "torch.Tensor":
        """Scale stored inputs.

        Args:
            values: any numeric tensor; a float32 one is overwritten.

        Returns:
            float32, of the same shape.
        """
        import torch

        values = values.to(torch.float32)
        return (values.sub_(self.shift) if self.shift else values).div_(self.divisor)

    def features(self, inputs: np.ndarray) -> "torch.Tensor":
        """Flatten stored inputs and scale them.

        Args:
            inputs: (n, ...), any numeric type; left as they are.

        Returns:
            float32 (n, features).
        """
        import torch

        return self.apply(torch.tensor(np.ascontiguousarray(inputs).reshape(len(inputs), -1)))

    def of_unit_inputs(self, maximum: float) -> "Scaling":
        """Give the scaling that does the same to inputs already divided by their maximum.

        Args:
            maximum: what they were divided by.
        """
        return Scaling(self.shift / maximum, self.divisor / maximum)


def scaling_of(kind: Kind, training_inputs: np.ndarray, maximum: float) -> Scaling:
    """Find what a kind of scaling means for a dataset.

    Args:
        kind: "unit" divides by the maximum (he2021); "raw" leaves stored values as they are, for
            images 0..255 (oursland2024, released code; note B5); "standardized" takes the mean of
            all numbers of the training file away and divides by their standard deviation, for MNIST
            0.1307 and 0.3081 of the maximum (oursland2024, as its text says).
        training_inputs: the whole training file, first axis examples.
        maximum: largest stored value.

    Raises:
        ValueError: inputs that are all alike cannot be standardized.
    """
    if kind == "unit":
        return Scaling(0.0, float(maximum))
    if kind == "raw":
        return Scaling(0.0, 1.0)
    mean, deviation = _moments(np.asarray(training_inputs))
    if not deviation > 0:
        raise ValueError(
            f"all {training_inputs.size} numbers of the training file are {mean:g}, so that they "
            "cannot be standardized; set input_scaling to unit or raw"
        )
    return Scaling(mean, deviation)


def _moments(values: np.ndarray) -> tuple[float, float]:
    if values.dtype == np.uint8:
        counts = np.bincount(values.reshape(-1), minlength=256)
        levels = np.arange(256)
        mean = float((counts * levels).sum() / values.size)
        return mean, float(np.sqrt((counts * (levels - mean) ** 2).sum() / values.size))
    return float(values.mean(dtype=np.float64)), float(values.std(dtype=np.float64))
