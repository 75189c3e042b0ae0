"""What an ensemble is trained on: each seed's examples, labels and noise, on the device."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from neuralcodes.datasets import sampling
from neuralcodes.datasets.scaling import Scaling, scaling_of
from neuralcodes.studies.runs import Run, training_part


@dataclass(frozen=True)
class TrainingData:
    """What an ensemble is trained on.

    Attributes:
        inputs: uint8 or float32, (rows, features) shared by the seeds, or (S, n, features).
        labels: int64 (S, n), noise included.
        rows: int64 (S, n), rows of shared `inputs` that each seed uses; None: its own inputs.
        scaling: how the networks take inputs.
        shape: of an example as it is stored: (features,), (height, width) or (height, width,
            channels).
        repeats: how often an epoch passes over the n examples.
        validation: float32 inputs (m, features) and int64 labels (m,), or None.
    """

    inputs: torch.Tensor
    labels: torch.Tensor
    rows: torch.Tensor | None
    scaling: Scaling
    shape: tuple[int, ...]
    repeats: int = 1
    validation: tuple[torch.Tensor, torch.Tensor] | None = None

    @property
    def device(self) -> torch.device:
        """Where everything is."""
        return self.inputs.device

    @classmethod
    def of(
        cls,
        run: Run,
        seeds: Sequence[int],
        inputs: np.ndarray,
        labels: np.ndarray,
        maximum: float,
        device: torch.device | str = "cpu",
    ) -> "TrainingData":
        """Choose a run's examples for each seed, put its noise on them, move them to the device.

        Args:
            run: its data factors are applied.
            seeds: the repeats.
            inputs: the training file, uint8 or float32, first axis examples.
            labels: the training file's labels, int64.
            maximum: largest value of an input.
            device: where everything goes.
        """
        available = training_part(len(labels), run.validation_fraction)
        flat = np.ascontiguousarray(inputs).reshape(len(labels), -1)
        scaling = scaling_of(run.input_scaling, inputs, maximum)
        rows = [sampling.training_rows(run, labels, seed) for seed in seeds]
        noisy = [sampling.noisy_labels(run, labels[r], s) for r, s in zip(rows, seeds, strict=True)]
        if run.input_noise:
            own = [
                sampling.noisy_inputs(run, flat[r], maximum, s)
                for r, s in zip(rows, seeds, strict=True)
            ]
            shared = np.stack(own)
        else:
            shared = flat[:available]
        held_out = None
        if available < len(labels):
            values = scaling.features(flat[available:])
            held_out = (values.to(device), torch.tensor(labels[available:], device=device))
        return cls(
            inputs=torch.tensor(shared, device=device),
            labels=torch.tensor(np.stack(noisy), device=device),
            rows=None if run.input_noise else torch.tensor(np.stack(rows), device=device),
            scaling=scaling,
            shape=inputs.shape[1:],
            repeats=sampling.repeats(run, len(rows[0]), available),
            validation=held_out,
        )
