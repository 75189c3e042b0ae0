"""Runs: one point of a study's grid, addressed by its content."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge, Gt, Le, Lt

from neuralcodes.studies import addressing
from neuralcodes.studies.fields import Absent, Idle, OneOf, marked


@dataclass(frozen=True)
class Run:
    """Everything that decides a training but the seed: dataset, network, optimiser, data factors.

    Every field but `dataset` is a key of a recipe, with this type, these bounds, this default and
    this meaning, and can be a factor of a study.

    Attributes:
        unit: what a turn of its training is.
        record_every: turns that a row of the history is the mean of.
    """

    unit: ClassVar[str] = "epoch"
    record_every: ClassVar[int] = 1

    dataset: str
    architecture: Annotated[str, OneOf("architectures"), Absent("mlp")] = "mlp"
    """Kind of network; a plugin may register others. Keys of a network that a kind does not read
    must not vary."""
    input_scaling: Annotated[Literal["unit", "raw", "standardized"], Absent("unit")] = "unit"
    """unit divides inputs by their maximum, raw leaves them as stored (images 0..255), standardized
    brings the training file to mean 0 and standard deviation 1."""
    depth: Annotated[int, Ge(1)] = 1
    """Hidden layers."""
    width: Annotated[int, Ge(1)] = 50
    """Hidden units in all, split evenly over the layers."""
    activation: Annotated[Literal["relu", "leaky_relu", "abs", "tanh"], Absent("relu")] = "relu"
    """Of the hidden units."""
    batch_norm: bool = True
    """Batch normalisation before each activation."""
    batch_norm_momentum: Annotated[float, Ge(0), Lt(1), Idle(0.99)] = 0.99
    """Share of the running statistics kept per batch (Keras' sense)."""
    batch_norm_epsilon: Annotated[float, Gt(0), Idle(0.001)] = 0.001
    """Added to the variance."""
    dropout: Annotated[float, Ge(0), Lt(1), Absent(0.0)] = 0.0
    """Share of hidden activations dropped in training."""
    initializer: Literal["glorot_uniform", "torch_default"] = "glorot_uniform"
    """glorot_uniform (zero biases, Keras) or torch_default."""
    optimizer: Literal["adam", "sgd"] = "adam"
    """adam or sgd."""
    learning_rate: Annotated[float, Gt(0)] = 0.01
    """Of the first epoch."""
    adam_epsilon: Annotated[float, Gt(0), Idle(1e-7)] = 1e-7
    """Added to the root of the second moment (Keras' sense); idle with sgd."""
    momentum: Annotated[float, Ge(0), Lt(1), Absent(0.0), Idle(0.0)] = 0.0
    """Of sgd; idle with adam."""
    schedule: Literal["step", "constant"] = "step"
    """step multiplies the learning rate by decay_factor every decay_epochs."""
    decay_factor: Annotated[float, Gt(0), Le(1), Idle(0.1)] = 0.1
    """Of the step schedule."""
    decay_epochs: Annotated[int, Ge(1), Idle(20)] = 20
    """Of the step schedule."""
    weight_decay: Annotated[float, Ge(0)] = 1e-6
    """Coefficient of the sum of squares of the hidden kernels in the loss."""
    batch_size: Annotated[int | None, Ge(1)] = 64
    """Examples a batch, the last partial batch kept; null for all of them at once."""
    epochs: Annotated[int, Ge(1)] = 200
    """Epochs at most; a seed that patience stops has fewer."""
    patience: Annotated[int, Ge(0)] = 10
    """Epochs without a new lowest training loss before a seed stops; 0 never stops."""
    validation_fraction: Annotated[float, Ge(0), Lt(1)] = 0.2
    """Last part of the training file, which is used for nothing but the history."""
    sample_size: Annotated[int | None, Ge(1), Absent(None)] = None
    """Training examples; null for all. A smaller sample is repeated within an epoch."""
    subset: Annotated[Literal["first", "random", "stratified"], Absent("first"), Idle("first")] = (
        "first"
    )
    """Which examples a sample_size takes; first for every seed, or drawn per seed."""
    label_noise: Annotated[float, Ge(0), Le(1), Absent(0.0)] = 0.0
    """Fraction of the training labels permuted among themselves, per seed."""
    input_noise: Annotated[float, Ge(0), Le(1), Absent(0.0)] = 0.0
    """Fraction of the training inputs replaced by uniform noise, per seed."""
    tf32: Annotated[bool, Absent(False)] = False
    """Round the inputs of matrix products to tf32 while training on CUDA: faster, and other
    numbers. Idle elsewhere."""

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
DEFAULTS = {field.name: field.default for field in fields(Run)[1:]}
ABSENT = marked(Run, Absent)
IDLE = marked(Run, Idle)


def from_mapping(values: Mapping[str, object]) -> Run:
    """Make a run of a mapping that has every field but absent ones; see `addressing.make`."""
    return addressing.make(Run, {**ABSENT, **values}, IDLE)


def training_part(examples: int, validation_fraction: float) -> int:
    """Number of examples at the start of the training file that train.

    The rest validates and is used for nothing else (He et al. 2021, released code; note A12).
    """
    return int(examples * (1 - validation_fraction) + 1e-9)
