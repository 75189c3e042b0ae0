"""Runs of dikkala2021: hash networks trained on manifolds, addressed by their content."""

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import ClassVar, Literal

from neuralcodes.studies import addressing

RELATIVE = "relative_manifolds"  # a common factor: training manifolds over `recovery_threshold`
IMAGES = "images"  # the family whose manifolds are images under transformations
# See `runs.ABSENT`.
ABSENT: dict[str, object] = {"tf32": False}
# See `runs.IDLE`.
IDLE: dict[str, object] = {
    "gamma_dim": 0,
    "theta_dim": 0,
    "ambient_dim": None,
    "rotation": 0.0,
    "shift": 0.0,
    "contrast": 0.0,
    "brightness": 0.0,
    "classes": None,
    "width": 0,
    "train_first_layer": True,
    "init_scale": 1.0,
}
_OF_GENERATED = ("gamma_dim", "theta_dim", "ambient_dim")
_OF_IMAGES = ("rotation", "shift", "contrast", "brightness", "classes")
_OF_RANDOM_FEATURES = ("width", "train_first_layer", "init_scale")


@dataclass(frozen=True)
class HashRun:
    """Everything that decides the training of a hash network but the seed.

    Every field but `dataset` is a key of a hash recipe, described in the configuration's schema,
    and can be a factor of a study.

    Attributes:
        unit: what a turn of its training is.
        record_every: turns that a row of the history is the mean of.
        optimizer: Adam with decoupled weight decay.
        patience: 0, no seed stops early.
    """

    unit: ClassVar[str] = "step"
    record_every: ClassVar[int] = 50
    optimizer: ClassVar[str] = "adamw"
    patience: ClassVar[int] = 0

    dataset: str
    family: Literal["poly", "poly2", "poly_no_constant", "sine", "images"]
    gamma_dim: int
    theta_dim: int
    ambient_dim: int | None
    rotation: float
    shift: float
    contrast: float
    brightness: float
    classes: str | None
    manifolds: int
    points: int
    label_noise: float
    network: Literal["hash", "cnn"]
    width: int
    hash_width: int
    hash_activation: Literal["linear", "relu"]
    train_first_layer: bool
    init_scale: float
    learning_rate: float
    weight_decay: float
    warmup_steps: int
    steps: int
    batch_size: int
    tf32: bool

    @property
    def architecture(self) -> str:
        """Name of the kind of network."""
        return self.network

    @property
    def turns(self) -> int:
        """Steps in all."""
        return self.steps

    @property
    def id(self) -> str:
        """Readable slug and 8 hex digits of the SHA-256 of the canonical JSON."""
        hashing = f"cnn{self.hash_width}"
        if self.network == "hash":
            hashing = f"hash{self.width}x{self.hash_width}"
        return f"{self.dataset}-{hashing}-{addressing.digest(self.canonical_json())}"

    def canonical_json(self) -> str:
        """Serialise what decides the training: sorted keys, no absent and no idle field."""
        return addressing.canonical_json(self, self.idle(), ABSENT)

    def learning_rate_at(self, step: int) -> float:
        """Learning rate of a step, the first being 0: a linear warm-up times half a cosine."""
        warmth = min(1.0, (step + 1) / max(1, self.warmup_steps))
        return self.learning_rate * warmth * (1 + math.cos(math.pi * step / self.steps)) / 2

    def to_dict(self) -> dict[str, object]:
        """Give all fields, for a rule's params or a table."""
        return asdict(self)

    def common_factors(self) -> dict[str, object]:
        """Give what every table of a study says of a run, whatever the study varies."""
        factors: dict[str, object] = {
            "family": self.family,
            "manifolds": self.manifolds,
            "points": self.points,
            "width": self.width,
            "hash_width": self.hash_width,
        }
        if self.family == "poly":
            factors[RELATIVE] = self.manifolds / recovery_threshold(self.gamma_dim)
        return factors

    def idle(self) -> set[str]:
        """Name the fields that have no say, given the others."""
        idle = set(_OF_GENERATED if self.family == IMAGES else _OF_IMAGES)
        return idle if self.network == "hash" else idle | {*_OF_RANDOM_FEATURES}

    def trained_classes(self) -> set[int] | None:
        """Give the classes whose images are trained on; None for all.

        Example: "0-4" or "0,3,7-9" in the recipe's `classes`.
        """
        if self.classes is None:
            return None
        ranges = (each.split("-") for each in re.split(",", self.classes))
        return {label for ends in ranges for label in range(int(ends[0]), int(ends[-1]) + 1)}


def recovery_threshold(gamma_dim: int) -> int:
    """Count the training manifolds of the family poly that force invariance on all others.

    The phi phi^T of poly, phi = [1, gamma], span (gamma_dim + 1)(gamma_dim + 2) / 2 - 1 dimensions,
    one less than all symmetric matrices, because the trace of gamma gamma^T is the square of the
    constant. A linear function of phi phi^T that vanishes on so many manifolds in general position
    vanishes on all. The argument is ours, not the paper's.

    Args:
        gamma_dim: dimension of gamma, a unit vector.
    """
    return (gamma_dim + 1) * (gamma_dim + 2) // 2 - 1


FIELDS = tuple(field.name for field in fields(HashRun))


def from_mapping(values: Mapping[str, object]) -> HashRun:
    """Make a run of a mapping that has every field but absent ones; see `addressing.make`."""
    return addressing.make(HashRun, {**ABSENT, **values}, IDLE)
