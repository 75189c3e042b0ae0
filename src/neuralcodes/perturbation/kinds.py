"""What a perturbation does to each unit: y = min(s x + t, c), from the unit's range and a level.

Source: Oursland 2024, arXiv:2411.17932, section 4; where text and released code differ, the code.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from neuralcodes.storage.randomness import numpy_generator

Kind = Literal["scale", "clip", "offset", "scale_per_unit", "clip_activation"]

KINDS: tuple[Kind, ...] = get_args(Kind)
SPREAD = 2.0  # of scale_per_unit: factors from p / 2 to 2 p


@dataclass(frozen=True)
class Coefficients:
    """What some levels do to every unit: min(act(min(scale x + shift, clip)), ceiling).

    Attributes:
        scale, shift, clip, ceiling: float64, (levels, *units).
    """

    scale: np.ndarray
    shift: np.ndarray
    clip: np.ndarray
    ceiling: np.ndarray

    def __len__(self) -> int:
        return len(self.scale)

    def __getitem__(self, levels: slice) -> "Coefficients":
        return Coefficients(*(each[levels] for each in self._arrays()))

    @classmethod
    def joined(cls, parts: Sequence["Coefficients"]) -> "Coefficients":
        """Put the levels of several one after the other."""
        return cls(*map(np.concatenate, zip(*(part._arrays() for part in parts), strict=True)))

    def _arrays(self) -> tuple[np.ndarray, ...]:
        return self.scale, self.shift, self.clip, self.ceiling


def coefficients(
    kind: Kind,
    levels: Sequence[float] | np.ndarray,
    minimum: np.ndarray,
    maximum: np.ndarray,
    *,
    spread: float = SPREAD,
    seed: int = 0,
) -> Coefficients:
    """Turn the levels p of one kind into coefficients of every unit.

    With r = maximum - minimum of a unit:
    "scale": s = p. "clip": c = minimum + p r. "offset": t = p r and s = (maximum - t) / maximum,
    which holds the maximum. "scale_per_unit": s = p spread^u, u uniform in [-1, 1] per unit and
    the same for all levels. "clip_activation": the activation's output is cut at minimum + p r.
    Dead units (`dead_units`) are neither shifted nor cut; the released formula gives NaN there
    (note B11).

    Args:
        kind: of the perturbation.
        levels: p.
        minimum: of each unit's output, (*units).
        maximum: likewise.
        spread: largest factor of scale_per_unit, at least 1.
        seed: of its random numbers.

    Raises:
        ValueError: the kind is unknown, a level is not finite, or the spread is below 1.

    Source: Oursland 2024, arXiv:2411.17932, section 4; where text and released code differ, the
    code (notes B8, B10). scale_per_unit and clip_activation are ours (notes B9, B13).
    """
    p = np.asarray(levels, dtype=np.float64)
    low, high = (np.asarray(each, dtype=np.float64)[None] for each in (minimum, maximum))
    if kind not in KINDS or p.ndim != 1 or not np.isfinite(p).all() or not spread >= 1:
        raise ValueError(
            f"need a kind of {', '.join(KINDS)}, a list of finite levels and a spread of at least "
            f"1; got {kind!r}, levels {levels!r:.60}, spread {spread}"
        )
    p = p.reshape(-1, *[1] * (low.ndim - 1))
    scale, shift = np.ones(np.broadcast_shapes(p.shape, low.shape)), np.zeros(1)
    clip = ceiling = np.full(1, np.inf)
    alive, extent = ~dead_units(minimum, maximum)[None], high - low
    if kind == "scale":
        scale = scale * p
    elif kind == "scale_per_unit":
        power = numpy_generator(seed, "scale per unit").uniform(-1, 1, low.shape)
        scale = p * np.float64(spread) ** power
    elif kind == "offset":
        shift = np.where(alive, p * extent, 0.0)
        scale = np.where(alive, 1 - shift / np.where(alive, high, 1.0), 1.0)
    else:
        cut = np.where(alive, low + p * extent, np.inf)
        clip, ceiling = (cut, ceiling) if kind == "clip" else (clip, cut)
    shape = scale.shape
    return Coefficients(*(np.broadcast_to(x, shape) for x in (scale, shift, clip, ceiling)))


def identity(units: tuple[int, ...]) -> Coefficients:
    """Coefficients of one level that changes nothing.

    Args:
        units: shape of the units.
    """
    ones, unbounded = np.ones((1, *units)), np.full((1, *units), np.inf)
    return Coefficients(ones, 0 * ones, unbounded, unbounded)


def dead_units(minimum: np.ndarray, maximum: np.ndarray) -> np.ndarray:
    """Tell which units have no range to perturb: a constant output, or none above 0 to hold.

    Args:
        minimum: of each unit's output, (*units).
        maximum: likewise.

    Returns:
        bool (*units).
    """
    return (np.asarray(maximum) == np.asarray(minimum)) | (np.asarray(maximum) <= 0)
