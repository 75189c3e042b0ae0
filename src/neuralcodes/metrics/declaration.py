"""What declares a metric once: how it is measured, what its values can be, how it is shown."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import numpy as np

if TYPE_CHECKING:
    from neuralcodes.metrics.suite import MetricSettings

NEUTRAL = "#4d4d4d"  # of metrics that never stand beside others

Result = TypeVar("Result")
Values = Iterator[tuple[str, float]]  # split, value


@dataclass(frozen=True)
class Look:
    """How a metric is shown, which changes nothing of what is measured.

    Arguments of the name `look` are therefore in no fingerprint but in those of rules that draw.

    Attributes:
        label: name in legends and titles.
        color: the same in every figure, as #rrggbb.
        unit: what its values count, if they are not plain shares; "" for none.
    """

    label: str
    color: str = NEUTRAL
    unit: str = ""

    @property
    def axis(self) -> str:
        """Label of an axis: the name, with its unit."""
        return f"{self.label} ({self.unit})" if self.unit else self.label


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """A metric as it stands in the files of a measure.

    Attributes:
        name: in the column `metric`. One part in braces stands for a number, such as {way}.
        look: how it is shown; its label may hold the same part in braces.
    """

    name: str
    look: Look


class Splits:
    """The codes of one network, and what several metrics need of them, found once.

    Attributes:
        train: uint8 (train examples, bytes).
        test: uint8 (test examples, bytes).
        units: units of a code.
        train_labels: integers, 0 or more, (train examples,).
        test_labels: integers, 0 or more, (test examples,).
        settings: how to measure.
    """

    def __init__(
        self,
        train: np.ndarray,
        test: np.ndarray,
        units: int,
        train_labels: np.ndarray,
        test_labels: np.ndarray,
        settings: "MetricSettings",
    ) -> None:
        self.train, self.test, self.units = train, test, units
        self.train_labels, self.test_labels = train_labels, test_labels
        self.settings = settings
        self._found: dict[Callable[[Splits], Any], Any] = {}

    def shared(self, find: "Callable[[Splits], Result]") -> Result:
        """Give what a function finds of these codes; it is called once, whoever asks.

        Args:
            find: a function of a module, so that all who ask name the same one.
        """
        if find not in self._found:
            self._found[find] = find(self)
        return self._found[find]


@dataclass(frozen=True, kw_only=True)
class Metric(Quantity):
    """A metric of neural codes.

    Attributes:
        measure: from the codes of a network to a value for each of `splits`.
        splits: which it is measured of, in order.
        better: whether more of it is better; None where neither is.
        bounds: lowest and highest value; infinity where there is none.
        published: keys of the papers that report it.
    """

    measure: Callable[[Splits], Values] = field(repr=False)
    splits: tuple[str, ...]
    better: Literal["higher", "lower"] | None
    bounds: tuple[float, float] = (0, 1)
    published: tuple[str, ...] = ()
