"""Clipping before the activation: c = minimum + p (maximum - minimum) of each unit."""

import numpy as np

from neuralcodes.perturbation.kinds.declaration import Look, Parts, PerturbationKind, Units
from neuralcodes.perturbation.kinds.scale import ENTRY_50


def cut(levels: np.ndarray, units: Units) -> np.ndarray:
    """Place a bound at a share of each unit's range; dead units have none.

    Args:
        levels: p, float64 (levels, *1).
        units: what is known of them.

    Returns:
        float64 (levels, *units).
    """
    return np.where(units.alive, units.low + levels * units.extent, np.inf)


def _parts(levels: np.ndarray, units: Units) -> Parts:
    return {"clip": cut(levels, units)}


KIND = PerturbationKind(
    name="clip",
    parts=_parts,
    unperturbed=1.0,
    levels=({"log": (0.01, 10, 100)},),
    code_levels=(0.1, 0.5),
    printed=(0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0),
    reference=ENTRY_50,
    equal_directions=(-1,),
    look=Look(
        label="clip",
        axis="Clip (fraction of the unit's range)",
        action="clipping",
        said="clipped",
        colour="#c98a00",
        marker="^",
    ),
)
