"""Clipping after the activation, at minimum + p (maximum - minimum) of each unit's output."""

import numpy as np

from neuralcodes.perturbation.kinds.clip import cut
from neuralcodes.perturbation.kinds.declaration import Look, Parts, PerturbationKind, Units


def _parts(levels: np.ndarray, units: Units) -> Parts:
    return {"ceiling": cut(levels, units)}


# Ours: a bound before an absolute value does not bound its output (note B13).
KIND = PerturbationKind(
    name="clip_activation",
    parts=_parts,
    unperturbed=1.0,
    levels_of="clip",
    look=Look(
        label="clip of the output",
        axis="Clip of the output (fraction of its range)",
        action="clipping after the activation",
        said="outputs of units are clipped",
    ),
)
