"""Offsets: t = p (maximum - minimum) of each unit, and a scale that holds its maximum."""

import numpy as np

from neuralcodes.perturbation.kinds.declaration import Look, Parts, PerturbationKind, Units


def _parts(levels: np.ndarray, units: Units) -> Parts:
    # the released formula gives NaN at dead units (note B11)
    shift = np.where(units.alive, levels * units.extent, 0.0)
    scale = np.where(units.alive, 1 - shift / np.where(units.alive, units.high, 1.0), 1.0)
    return {"scale": scale, "shift": shift}


_FAR = (0.1, 0.25, 0.5, 0.75, 1.0)
_NEAR = (0.01, 0.02, 0.03, 0.05)

KIND = PerturbationKind(
    name="offset",
    parts=_parts,
    unperturbed=0.0,
    exact=True,
    levels=(
        {"linear": (-2, -0.45, 32)},
        {"linear": (-0.4, 0.39, 80)},
        {"linear": (0.4, 1, 13)},
    ),
    code_levels=(-0.5, -0.2, -0.1, -0.05, -0.02, -0.01, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5),
    printed=tuple(sorted((-2.0, 0.0, *_NEAR, *_FAR, *(-each for each in (*_NEAR, *_FAR))))),
    reference=-0.22,
    equal_directions=(1, -1),
    look=Look(
        label="offset",
        axis="Offset (fraction of the unit's range)",
        action="offsets",
        said="shifted",
        scale="linear",
        colour="#1a1a1a",
        marker="s",
    ),
)
