"""A random scale of each unit: s = p spread^u, u uniform in [-1, 1], the same at all levels."""

import numpy as np

from neuralcodes.perturbation.kinds.declaration import Look, Parts, PerturbationKind, Units
from neuralcodes.storage.randomness import numpy_generator


def _parts(levels: np.ndarray, units: Units) -> Parts:
    power = numpy_generator(units.seed, "scale per unit").uniform(-1, 1, units.low.shape)
    return {"scale": levels * np.float64(units.spread) ** power}


# Ours: scaling all units alike leaves the order of distances as it was (note B9).
KIND = PerturbationKind(
    name="scale_per_unit",
    parts=_parts,
    unit="factor",
    levels_of="scale",
    equal_directions=(1,),
    equal_by="spread",
    look=Look(
        label="random scale per unit",
        axis="Random scale per unit (median factor)",
        action="scaling unit by unit",
        said="each unit is scaled by a random factor of its own",
        colour="#56b4e9",
        marker="D",
    ),
)
