"""Runs of dikkala2021: hash networks trained on manifolds, addressed by their content."""

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge, Gt, Le, Lt

from neuralcodes.studies import addressing
from neuralcodes.studies.fields import Absent, Idle, OneOf, Text, marked

RELATIVE = "relative_manifolds"  # a common factor: training manifolds over `recovery_threshold`
IMAGES = "images"  # the family whose manifolds are images under transformations
FAMILIES = ("poly", "poly2", "poly_no_constant", "sine", IMAGES)
NETWORKS = ("hash", "cnn")
_CLASSES = r"[0-9]{1,5}(-[0-9]{1,5})?(,[0-9]{1,5}(-[0-9]{1,5})?)*"
_OF_GENERATED = ("gamma_dim", "theta_dim", "ambient_dim")
_OF_IMAGES = ("rotation", "shift", "contrast", "brightness", "classes")
_OF_RANDOM_FEATURES = ("width", "train_first_layer", "init_scale")


@dataclass(frozen=True)
class HashRun:
    """Everything that decides the training of a hash network but the seed.

    Every field but `dataset` is a key of a hash recipe, with this type, these bounds, this default
    and this meaning, and can be a factor of a study.

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
    family: Annotated[str, OneOf("families")] = "poly"
    """What the manifolds are: points x = f(gamma, theta) of a generated family, or images, each
    under rotations, shifts and changes of contrast and brightness."""
    gamma_dim: Annotated[int, Ge(2), Idle(0)] = 12
    """Dimension of the manifold's identifier gamma, a unit vector; idle with images."""
    theta_dim: Annotated[int, Ge(1), Idle(0)] = 2
    """Dimension of the manifold itself, angles theta; idle with images."""
    ambient_dim: Annotated[int | None, Ge(2), Idle(None)] = None
    """Dimension of a point; null for the family's own; idle with images."""
    rotation: Annotated[float, Ge(0), Le(180), Idle(0.0)] = 45.0
    """Largest rotation of an image either way, in degrees."""
    shift: Annotated[float, Ge(0), Le(1), Idle(0.0)] = 0.142857142857
    """Largest shift of an image along each axis, as a share of its side."""
    contrast: Annotated[float, Gt(0), Le(1), Idle(0.0)] = 0.4
    """Lowest contrast of an image, of 1."""
    brightness: Annotated[float, Ge(0), Lt(1), Idle(0.0)] = 0.3
    """Largest brightness added to an image, of 1."""
    classes: Annotated[
        str | None, Text(_CLASSES, 'text such as "0-4" or "0,3,7-9"'), Idle(None)
    ] = None
    """Classes whose images are trained on, such as "0-4" or "0,3,7-9"; null for all. Images of the
    others are measured apart."""
    manifolds: Annotated[int, Ge(2)] = 1000
    """Training manifolds, each a class of its own."""
    points: Annotated[int, Ge(1)] = 100
    """Training points of each manifold."""
    label_noise: Annotated[float, Ge(0), Le(1)] = 0.0
    """Fraction of the training points whose labels are permuted among themselves."""
    network: Annotated[str, OneOf("networks")] = "hash"
    """hash has a wide random first layer and a hash layer, cnn three convolutions and a hash
    layer."""
    width: Annotated[int, Ge(1), Idle(0)] = 2000
    """Units of the first layer; idle with cnn."""
    hash_width: Annotated[int, Ge(1)] = 128
    """Units of the hash layer."""
    hash_activation: Literal["linear", "relu"] = "linear"
    """Of the hash layer."""
    train_first_layer: Annotated[bool, Idle(True)] = False
    """Train the first layer too; idle with cnn, which trains everything."""
    init_scale: Annotated[float, Ge(0), Idle(1.0)] = 1.0
    """Factor of the hash layer's initial weights; idle with cnn."""
    learning_rate: Annotated[float, Gt(0)] = 0.003
    """Largest learning rate, after the warm-up."""
    weight_decay: Annotated[float, Ge(0)] = 3.0
    """Decoupled weight decay (AdamW) of the trained weights, biases apart."""
    warmup_steps: Annotated[int, Ge(0)] = 100
    """Steps in which the learning rate rises linearly."""
    steps: Annotated[int, Ge(1)] = 1200
    """Steps in all; the learning rate falls to 0 as a cosine."""
    batch_size: Annotated[int, Ge(1)] = 250
    """Points a step; all of them where there are fewer."""
    tf32: Annotated[bool, Absent(False)] = False
    """Round the inputs of products and convolutions to tf32 while training on CUDA: faster, and
    other numbers. Idle elsewhere."""

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
DEFAULTS = {field.name: field.default for field in fields(HashRun)[1:]}
ABSENT = marked(HashRun, Absent)
IDLE = marked(HashRun, Idle)


def from_mapping(values: Mapping[str, object]) -> HashRun:
    """Make a run of a mapping that has every field but absent ones; see `addressing.make`."""
    return addressing.make(HashRun, {**ABSENT, **values}, IDLE)
