"""Horizontal axes of figures: every value of a factor has an honest place and label."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib import ticker
from matplotlib.axes import Axes

from neuralcodes.figures import marks


@dataclass(frozen=True)
class Axis:
    """A horizontal axis on which every value of a factor has its place.

    On a logarithmic axis 0 sits left of an axis break and is labelled 0.
    """

    label: str
    scale: marks.Scale
    levels: tuple[object, ...]

    @classmethod
    def of(cls, factor: str, rows: pd.DataFrame, spec: marks.FigureSpec | None = None) -> "Axis":
        """Axis of a factor for the values in `rows`; `x_label` and `x_scale` of `spec` win."""
        options = spec.options if spec else {}
        values = tuple(marks.factor_values(rows, factor))
        numeric = all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in values)
        scale = options.get("x_scale") or (marks.FACTORS.get(factor, ("", "linear"))[1])
        scale = scale if numeric else "category"
        if scale == "log" and max(values) <= 0:
            scale = "linear"
        return cls(str(options.get("x_label") or marks.factor_label(factor)), scale, values)

    @property
    def zero(self) -> float | None:
        """Where 0 is drawn on a logarithmic axis; None where it needs no place."""
        if self.scale != "log" or min(self.levels) > 0:
            return None
        smallest = min(value for value in self.levels if value > 0)
        decades = np.log10(max(self.levels) / smallest)
        return float(smallest / 10 ** max(0.3, 0.14 * decades))

    def place(self, values: Iterable[object]) -> np.ndarray:
        """Positions (float64) of values on the axis."""
        if self.scale == "category":
            return np.array([self._index(value) for value in values], dtype=float)
        positions = np.array(list(values), dtype=float)
        return positions if self.zero is None else np.where(positions == 0, self.zero, positions)

    def apply(self, axes: Axes, *, labelled: bool = True) -> None:
        """Give matplotlib axes this scale, its ticks and, if `labelled`, its label."""
        if labelled:
            axes.set_xlabel(self.label)
        if self.scale == "category":
            axes.set_xticks(range(len(self.levels)), [marks.value_label(v) for v in self.levels])
            axes.set_xlim(-0.5, len(self.levels) - 0.5)
        elif self.scale == "log":
            self._apply_log(axes)
        elif self._whole() and np.ptp(self.levels) <= 10:
            axes.set_xticks(self.levels, [marks.value_label(value) for value in self.levels])
        else:
            locator = ticker.MaxNLocator(5, integer=self._whole(), steps=[1, 2, 2.5, 5, 10])
            axes.xaxis.set_major_locator(locator)

    def _apply_log(self, axes: Axes) -> None:
        positive = [float(value) for value in self.levels if value > 0]
        axes.set_xscale("log")
        exponents = range(int(np.floor(np.log10(positive[0]))), int(np.log10(positive[-1])) + 1)
        decades = [10.0**k for k in exponents if positive[0] <= 10.0**k * (1 + 1e-9)]
        ticks = decades if len(decades) > 1 else _spaced(positive)
        minor = [m * 10.0**k for k in exponents for m in range(2, 10)]
        inside = [value for value in minor if positive[0] <= value <= positive[-1]]
        powers = max(ticks) >= 1e4 or min(ticks) < 1e-2
        labels = [_power(tick) if powers else f"{tick:g}" for tick in ticks]
        if self.zero is not None:
            ticks, labels = [self.zero, *ticks], ["0", *labels]
            _draw_break(axes, float(np.sqrt(self.zero * positive[0])))
        axes.xaxis.set_major_locator(ticker.FixedLocator(ticks))
        axes.xaxis.set_major_formatter(ticker.FixedFormatter(labels))
        axes.xaxis.set_minor_locator(ticker.FixedLocator(inside if len(decades) > 1 else []))
        axes.xaxis.set_minor_formatter(ticker.NullFormatter())

    def _whole(self) -> bool:
        return all(float(value).is_integer() for value in self.levels)

    def _index(self, value: object) -> int:
        for index, known in enumerate(self.levels):
            if known == value or (pd.isna(known) and pd.isna(value)):
                return index
        raise ValueError(f"{value!r} is not on the axis; it has {list(self.levels)}")


def _spaced(values: list[float], most: int = 6) -> list[float]:
    # Neighbours closer than this share of the axis would print over each other.
    gap = (values[-1] / values[0]) ** (1 / most)
    chosen = [values[0]]
    for value in values[1:]:
        if value >= chosen[-1] * gap * (1 - 1e-9):
            chosen.append(value)
    return chosen


def _power(value: float) -> str:
    mantissa, exponent = f"{value:.0e}".split("e")
    power = f"10^{{{int(exponent)}}}"
    return f"${power}$" if mantissa == "1" else f"${mantissa}\\cdot{power}$"


def _draw_break(axes: Axes, position: float) -> None:
    box = {"facecolor": "white", "edgecolor": "none", "pad": 0.4}
    axes.text(
        *(position, 0, "//"),
        transform=axes.get_xaxis_transform(),
        ha="center",
        va="center",
        fontsize=6,
        bbox=box,
        zorder=5,
    )
