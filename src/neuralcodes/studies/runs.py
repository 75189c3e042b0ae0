"""Runs: one point of a study's grid, addressed by its content."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import ClassVar, Literal

from neuralcodes.studies import addressing

# A field at its value here says "this factor is absent": it stays out of the digest, so that a
# factor added later changes no id of before.
ABSENT: dict[str, object] = {
    "architecture": "mlp",
    "activation": "relu",
    "input_scaling": "unit",
    "dropout": 0.0,
    "momentum": 0.0,
    "sample_size": None,
    "subset": "first",
    "label_noise": 0.0,
    "input_noise": 0.0,
    "tf32": False,
}
# What a field holds where another field makes it idle: one training, one run, whatever was written.
IDLE: dict[str, object] = {
    "adam_epsilon": 1e-7,
    "batch_norm_epsilon": 1e-3,
    "batch_norm_momentum": 0.99,
    "decay_epochs": 20,
    "decay_factor": 0.1,
    "momentum": 0.0,
    "subset": "first",
}


@dataclass(frozen=True)
class Run:
    """Everything that decides a training but the seed: dataset, network, optimiser, data factors.

    Every field but `dataset` is a key of a recipe, described in the configuration's schema, and
    can be a factor of a study.

    Attributes:
        unit: what a turn of its training is.
        record_every: turns that a row of the history is the mean of.
    """

    unit: ClassVar[str] = "epoch"
    record_every: ClassVar[int] = 1

    dataset: str
    architecture: str
    input_scaling: Literal["unit", "raw", "standardized"]
    depth: int
    width: int
    activation: Literal["relu", "leaky_relu", "abs", "tanh"]
    batch_norm: bool
    batch_norm_momentum: float
    batch_norm_epsilon: float
    dropout: float
    initializer: Literal["glorot_uniform", "torch_default"]
    optimizer: Literal["adam", "sgd"]
    learning_rate: float
    adam_epsilon: float
    momentum: float
    schedule: Literal["step", "constant"]
    decay_factor: float
    decay_epochs: int
    weight_decay: float
    batch_size: int | None
    epochs: int
    patience: int
    validation_fraction: float
    sample_size: int | None
    subset: Literal["first", "random", "stratified"]
    label_noise: float
    input_noise: float
    tf32: bool

    @property
    def layers(self) -> tuple[int, ...]:
        """Units per hidden layer: the total width split evenly, the remainder dropped (A17)."""
        return (self.width // self.depth,) * self.depth

    @property
    def turns(self) -> int:
        """Epochs at most."""
        return self.epochs

    @property
    def id(self) -> str:
        """Readable slug and 8 hex digits of the SHA-256 of the canonical JSON."""
        slug = f"{self.dataset}-{self.architecture}{self.depth}x{self.width // self.depth}"
        return f"{slug}-{addressing.digest(self.canonical_json())}"

    def canonical_json(self) -> str:
        """Serialise what decides the training: sorted keys, no absent and no idle field."""
        return addressing.canonical_json(self, self.idle(), ABSENT)

    def learning_rate_at(self, epoch: int) -> float:
        """Learning rate of an epoch, the first being 0."""
        if self.schedule == "constant":
            return self.learning_rate
        return self.learning_rate * self.decay_factor ** (epoch // self.decay_epochs)

    def to_dict(self) -> dict[str, object]:
        """Give all fields, for a rule's params or a table."""
        return asdict(self)

    def common_factors(self) -> dict[str, object]:
        """Give what every table of a study says of a run, whatever the study varies."""
        return {
            "depth": self.depth,
            "width": self.width,
            "width_per_layer": self.width // self.depth,
            "sample_size": self.sample_size,
        }

    def idle(self) -> set[str]:
        """Name the fields that have no say, given the others."""
        idle = set()
        if self.schedule == "constant":
            idle |= {"decay_factor", "decay_epochs"}
        if self.optimizer != "adam":
            idle.add("adam_epsilon")
        if self.optimizer != "sgd":
            idle.add("momentum")
        if not self.batch_norm:
            idle |= {"batch_norm_momentum", "batch_norm_epsilon"}
        if self.sample_size is None:
            idle.add("subset")
        return idle


FIELDS = tuple(field.name for field in fields(Run))


def from_mapping(values: Mapping[str, object]) -> Run:
    """Make a run of a mapping that has every field but absent ones; see `addressing.make`."""
    return addressing.make(Run, {**ABSENT, **values}, IDLE)


def training_part(examples: int, validation_fraction: float) -> int:
    """Number of examples at the start of the training file that train.

    The rest validates and is used for nothing else (He et al. 2021, released code; note A12).
    """
    return int(examples * (1 - validation_fraction) + 1e-9)
