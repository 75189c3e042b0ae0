"""Scaling: s = p for every unit."""

import numpy as np

from neuralcodes.perturbation.kinds.declaration import Look, Parts, PerturbationKind, Units

# What the released code takes for no perturbation: entry 50 of its grid of scales, and of clips.
ENTRY_50 = float(np.geomspace(0.01, 10, 100)[50])


def _parts(levels: np.ndarray, units: Units) -> Parts:
    return {"scale": np.ones(units.low.shape) * levels}


KIND = PerturbationKind(
    name="scale",
    parts=_parts,
    unit="factor",
    unperturbed=1.0,
    exact=True,
    levels=({"log": (0.01, 10, 100)},),
    code_levels=(0.1, 10),
    printed=(0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 10.0),
    reference=ENTRY_50,
    equal_directions=(1, -1),
    look=Look(
        label="scale",
        axis="Scale (factor)",
        action="scaling",
        said="scaled",
        colour="#0072b2",
        marker="o",
    ),
)
