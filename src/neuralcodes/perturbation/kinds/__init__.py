"""Kinds of perturbation: what each does to every unit, y = min(s x + t, c), at a level.

Source: Oursland 2024, arXiv:2411.17932, section 4; where text and released code differ, the code.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from neuralcodes.perturbation.kinds import clip, clip_activation, offset, scale, scale_per_unit
from neuralcodes.perturbation.kinds.declaration import SPREAD, PerturbationKind, Units

Kind = str  # name of a kind

_BUILT_IN = tuple(module.KIND for module in (scale, clip, offset, scale_per_unit, clip_activation))
_KINDS: dict[str, PerturbationKind] = {kind.name: kind for kind in _BUILT_IN}

KINDS: tuple[Kind, ...] = tuple(_KINDS)  # those of the library, without registered ones


def register(kind: PerturbationKind) -> None:
    """Add a kind; its name is then one of `names`.

    Args:
        kind: its declaration. The same one may be registered again.

    Raises:
        ValueError: another kind has its name, or the kind whose levels it takes is unknown.
    """
    if _KINDS.get(kind.name, kind) != kind:
        raise ValueError(f"there is a kind of perturbation {kind.name} already; take another name")
    if kind.levels_of is not None and not get(kind.levels_of).levels:
        raise ValueError(f"kind {kind.name}: levels_of {kind.levels_of}, which has none of its own")
    _KINDS[kind.name] = kind


def names() -> tuple[Kind, ...]:
    """Name all kinds, the published ones first."""
    return tuple(_KINDS)


def get(name: Kind) -> PerturbationKind:
    """Give the declaration of a kind.

    Raises:
        ValueError: there is no such kind.
    """
    if name not in _KINDS:
        raise ValueError(f"need a kind of {', '.join(_KINDS)}; got {name!r}")
    return _KINDS[name]


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
        kind: of the perturbation, one of `names`.
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
    declared, p = get(kind), np.asarray(levels, dtype=np.float64)
    if p.ndim != 1 or not np.isfinite(p).all() or not spread >= 1:
        raise ValueError(
            f"{kind} needs a list of finite levels and a spread of at least 1; got levels "
            f"{levels!r:.60}, spread {spread}"
        )
    low, high = (np.asarray(each, dtype=np.float64)[None] for each in (minimum, maximum))
    units = Units(low, high, ~dead_units(low, high), spread, seed)
    p = p.reshape(-1, *[1] * (low.ndim - 1))
    plain = {"scale": np.ones(1), "shift": np.zeros(1), "clip": _UNBOUNDED, "ceiling": _UNBOUNDED}
    parts = plain | declared.parts(p, units)
    shape = np.broadcast_shapes(p.shape, low.shape)
    return Coefficients(**{name: np.broadcast_to(part, shape) for name, part in parts.items()})


_UNBOUNDED = np.full(1, np.inf)


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
