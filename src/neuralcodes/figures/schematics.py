"""Schematic figures: how a unit selects features, and what an offset does to its choice."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from scipy.special import ndtr

from neuralcodes.figures import static

NAMES = ("A", "B", "C")
OUTPUT = {"color": "black", "linewidth": 1.2}
BORDER = {"color": "black", "linewidth": 0.9, "linestyle": "--"}
OLD_BORDER = {"color": "0.6", "linewidth": 0.9, "linestyle": "--"}
SAME = 0.05  # outputs closer than this share of their range are no different
SHARES = (2.4, 1)  # of a panel's height: output, clusters


@dataclass(frozen=True)
class FeatureSelection:
    """Three clusters of examples along the normal of a unit, and where the unit's border lies.

    Attributes:
        positions: middles of the clusters, in increasing order.
        widths: their standard deviations.
        relu_border: where the pre-activation of the ReLU unit is 0.
        abs_border: where that of the Abs unit is 0.
        offset: size of the offset that is added to the pre-activation, or taken from it.

    Raises:
        ValueError: not three clusters in order, or a width or the offset is not positive.
    """

    positions: tuple[float, float, float] = (-2.0, 0.0, 2.3)
    widths: tuple[float, float, float] = (0.28, 0.28, 0.28)
    relu_border: float = -1.0
    abs_border: float = 0.0
    offset: float = 2.15

    def __post_init__(self) -> None:
        a, b, c = self.positions
        if not (a < b < c and min(self.widths) > 0 and self.offset > 0):
            raise ValueError(
                "need three clusters in increasing order, positive widths and a positive offset; "
                f"got positions {self.positions}, widths {self.widths}, offset {self.offset}"
            )


@dataclass(frozen=True)
class Role:
    """What a cluster is to a unit, and how that is drawn."""

    label: str
    color: str
    marker: str = "o"
    filled: bool = True


AT_ZERO = Role("smallest output, at 0 (distance reading)", "#0072b2")
SMALLEST = Role("smallest output, away from 0", "#0072b2", filled=False)
LARGEST = Role("largest output (intensity reading)", "#d55e00", "^")
OTHER = Role("other examples", "0.72")


@dataclass(frozen=True)
class Scene:
    """One panel: a unit and its offset.

    Attributes:
        title: above the panel.
        activation: "relu", "abs", or "" for the pre-activation itself.
        border: where the pre-activation is 0 without offset.
        offset: added to the pre-activation.
    """

    title: str
    activation: str
    border: float
    offset: float = 0.0

    @property
    def moved_border(self) -> float:
        """Where the pre-activation is 0 with the offset."""
        return self.border - self.offset

    def output(self, x: np.ndarray) -> np.ndarray:
        """Output of the unit at positions x (float64) along its normal."""
        z = np.asarray(x, dtype=float) - self.moved_border
        if self.activation == "relu":
            return np.maximum(z, 0)
        return np.abs(z) if self.activation == "abs" else z

    def mean_outputs(self, positions: Sequence[float], widths: Sequence[float]) -> np.ndarray:
        """Mean output over each normally distributed cluster, float64 (clusters,)."""
        mean, std = np.array(positions) - self.moved_border, np.array(widths)
        height = std * np.exp(-((mean / std) ** 2) / 2) / np.sqrt(2 * np.pi)
        if self.activation == "relu":
            return height + mean * ndtr(mean / std)
        return 2 * height + mean * (2 * ndtr(mean / std) - 1) if self.activation else mean


def draw_feature_selection(parameters: FeatureSelection | None = None, title: str = "") -> Figure:
    """Which cluster of examples makes the output of a ReLU or Abs unit smallest, which largest.

    Two rows, ReLU and Abs; four columns: before the activation, after it, and after it with a
    negative and with a positive offset. Below each unit's output lie the clusters; those with the
    smallest mean output (the distance reading) and with the largest one (the intensity reading)
    are marked.

    Args:
        parameters: of the clusters and units.
        title: above the figure.
    """
    chosen = parameters or FeatureSelection()
    figure = Figure(figsize=(static.WIDTH, 4.1), layout="constrained")
    if title:
        figure.suptitle(title)
    grid = figure.subplots(4, 4, height_ratios=[*SHARES, *SHARES])
    letters = iter("abcdefgh")
    for row, scenes in enumerate(_scenes(chosen)):
        for top, bottom, scene in zip(grid[2 * row], grid[2 * row + 1], scenes, strict=True):
            _draw_output(top, scene, chosen)
            _draw_clusters(bottom, scene, chosen)
            static.add_letter(top, next(letters), scene.title)
    for axes in grid[-1]:
        axes.set_xlabel("Position along the normal")
    static.add_legend(figure, _handles())
    return figure


def draw_schematic(style: Path, stem: Path) -> None:
    """Draw how a unit selects features, as PDF, PNG and SVG.

    Args:
        style: the style file.
        stem: where to write, without ending.
    """
    static.use_style(style)
    static.save(draw_feature_selection(), stem)


def roles(scene: Scene, parameters: FeatureSelection) -> list[Role]:
    """Tell what each cluster is to a unit, by the mean output over it.

    Outputs closer than `SAME` of their range count as one; one below the width of its cluster
    counts as 0. Before the activation nothing is selected.
    """
    if not scene.activation:
        return [OTHER] * len(parameters.positions)
    outputs = scene.mean_outputs(parameters.positions, parameters.widths)
    near = SAME * float(np.ptp(outputs))
    found = []
    for output, width in zip(outputs, parameters.widths, strict=True):
        if output <= outputs.min() + near:
            found.append(AT_ZERO if output <= width else SMALLEST)
        else:
            found.append(LARGEST if output >= outputs.max() - near else OTHER)
    return found


def _scenes(chosen: FeatureSelection) -> list[list[Scene]]:
    units = (("ReLU", "relu", chosen.relu_border), ("Abs", "abs", chosen.abs_border))
    size = chosen.offset
    return [
        [
            Scene(f"{name}, before activation", "", border),
            Scene(f"{name}, after activation", activation, border),
            Scene(f"{name}, negative offset", activation, border, -size),
            Scene(f"{name}, positive offset", activation, border, size),
        ]
        for name, activation, border in units
    ]


def _positions(chosen: FeatureSelection) -> np.ndarray:
    """Positions that all panels show: every cluster and every border, float64."""
    borders = [scene.moved_border for scenes in _scenes(chosen) for scene in scenes]
    reach = 3.5 * max(chosen.widths)
    places = [*chosen.positions, *borders]
    return np.linspace(min(places) - reach, max(places) + reach, 401)


def _span(chosen: FeatureSelection) -> float:
    """One height for all panels, so that slopes look alike."""
    x = _positions(chosen)
    return max(float(np.ptp(s.output(x))) for scenes in _scenes(chosen) for s in scenes)


def _draw_output(axes: Axes, scene: Scene, chosen: FeatureSelection) -> None:
    x, span = _positions(chosen), _span(chosen)
    values = scene.output(x)
    axes.axhline(0, color="0.88", linewidth=0.5, zorder=0.5)
    axes.plot(x, values, **OUTPUT, zorder=2, label="output")
    outputs = scene.mean_outputs(chosen.positions, chosen.widths)
    for place, height, role in zip(chosen.positions, outputs, roles(scene, chosen), strict=True):
        axes.vlines(place, 0, height, color=role.color, linewidth=0.8, zorder=2.2)
        axes.plot(place, height, **_marker(role), zorder=3, label=role.label)
    _draw_border(axes, scene)
    if scene.offset:
        axes.annotate(
            "",
            xy=(scene.moved_border, 0.9),
            xytext=(scene.border, 0.9),
            xycoords=axes.get_xaxis_transform(),
            arrowprops={"arrowstyle": "->", "linewidth": 0.9, "shrinkA": 0, "shrinkB": 0},
        )
    axes.set_xlim(x[0], x[-1])
    axes.set_ylim(values.min() - 0.05 * span, values.min() + 1.02 * span)
    axes.set_ylabel("Output" if scene.activation else "Pre-activation")
    axes.set_yticks([0], ["0"])
    axes.grid(visible=False)
    axes.tick_params(axis="x", length=0, labelbottom=False)
    axes.spines["bottom"].set_visible(False)


def _draw_clusters(axes: Axes, scene: Scene, chosen: FeatureSelection) -> None:
    x, found = _positions(chosen), roles(scene, chosen)
    for place, width, role in zip(chosen.positions, chosen.widths, found, strict=True):
        density = np.exp(-(((x - place) / width) ** 2) / 2)
        shade = role.color if role.filled else "white"
        axes.fill_between(x, density, color=shade, linewidth=0, label=role.label)
        inside = abs(x - place) < 3.5 * width
        axes.plot(x[inside], density[inside], color=role.color, linewidth=0.8)
    _draw_border(axes, scene)
    axes.set_xlim(x[0], x[-1])
    axes.set_ylim(0, 1.1)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_xticks(chosen.positions, NAMES, fontweight="bold")
    axes.tick_params(axis="x", length=0)
    for label, role in zip(axes.get_xticklabels(), found, strict=True):
        label.set_color("0.35" if role == OTHER else role.color)


def _draw_border(axes: Axes, scene: Scene) -> None:
    if scene.offset:
        axes.axvline(scene.border, **OLD_BORDER, zorder=1, label="old border")
    axes.axvline(scene.moved_border, **BORDER, zorder=1.5, label="border")


def _marker(role: Role) -> dict[str, object]:
    return {
        "color": role.color,
        "marker": role.marker,
        "markersize": 5,
        "markerfacecolor": role.color if role.filled else "white",
        "linestyle": "",
    }


def _handles() -> list[Artist]:
    return [
        Line2D([], [], **OUTPUT, label="pre-activation, or output"),
        Line2D([], [], **BORDER, label="decision border"),
        Line2D([], [], **OLD_BORDER, label="border without offset"),
        *(
            Line2D([], [], **_marker(role), label=role.label)
            for role in (AT_ZERO, SMALLEST, LARGEST, OTHER)
        ),
    ]
