"""Figure kind of pre-activations: where examples lie on either side of each unit's border."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from neuralcodes.errors import DataError
from neuralcodes.figures import curves, looks, marks, panels
from neuralcodes.figures.marks import FigureSpec, Style

BANDS = (("quantile_05", "quantile_95", 0.2), ("quantile_25", "quantile_75", 0.4))
QUANTILES = ("quantile_05", "quantile_25", "quantile_50", "quantile_75", "quantile_95")
X_LABELS = {
    1: "Pre-activation\n(standard deviations)",
    2: "Pre-activation (standard deviations of the unit)",
}
BELOW_COLOR = "0.55"
BORDER = {"color": "black", "linewidth": 0.9, "linestyle": "--"}
Color = str | tuple[float, ...]
FARTHEST = 8.0  # standard deviations; a unit that lies farther from its border leaves the view
OVERLAP = 1.5  # height of the highest ridge, in distances between ridges


def draw_preactivations(
    spec: FigureSpec, summary: pd.DataFrame, published: pd.DataFrame | None = None
) -> Figure:
    """Quantiles of the pre-activations of every unit beside the densities of a few of them.

    A row per value of `spec.line` and of `spec.variant`. Units are ranked by the share of examples
    that activate them, and averaged over seeds rank by rank.

    Options: `split` (default: train).

    Raises:
        DataError: the summary lacks what the figure needs, or factors vary that it does not show.
    """
    del published  # nothing is published on pre-activations
    spec, rows = _measured(spec, summary)
    styles = marks.line_styles(marks.factor_values(rows, spec.line))
    cells = [
        (style.color, *looks.cell(spec, rows, value, variant))
        for value, style in styles.items()
        for variant in curves.variant_values(spec, rows)
    ]
    cells = [cell for cell in cells if len(cell[1])]
    size = (spec.width_inches, 2.15 * len(cells) + 0.75)
    figure = Figure(figsize=size, layout="constrained")
    figure.suptitle(spec.title)
    grid = figure.subplots(len(cells), 2, squeeze=False, sharex=True)
    letters = iter("abcdefghijklmnopqrstuvwxyz")
    for (left, right), (color, here, title) in zip(grid, cells, strict=True):
        ranks = _draw_ridges(right, here, color)
        _draw_quantiles(left, here, color, ranks)
        panels.add_letter(left, next(letters), title)
        panels.add_letter(right, next(letters), title)
    for axes in grid[-1]:
        axes.set_xlabel(X_LABELS[spec.columns])
        axes.set_xlim(*_ends(rows))
    panels.add_legend(figure, _handles(styles), "", spec)
    return figure


def _measured(spec: FigureSpec, summary: pd.DataFrame) -> tuple[FigureSpec, pd.DataFrame]:
    spec, rows = looks.selected(spec, summary, ("unit", "position"))
    split = str(spec.options.get("split", "train"))
    wanted = [*QUANTILES, "active_share", "density"]
    rows = rows[rows["metric"].isin(wanted) & (rows["split"] == split) & rows["unit"].notna()]
    absent = sorted(set(wanted) - set(rows["metric"]))
    if absent:
        raise DataError(
            f"a figure of preactivations needs {wanted} of each unit on the {split} split; "
            f"{absent} is not measured"
        )
    return spec, rows.assign(unit=rows["unit"].astype(int))


def _by_unit(rows: pd.DataFrame, metric: str) -> pd.Series:
    chosen = rows[rows["metric"] == metric]
    marks.refuse_mixture(chosen, ["unit"])
    return chosen.set_index("unit")["mean"].sort_index()


def _draw_quantiles(axes: Axes, rows: pd.DataFrame, color: Color, ranks: Sequence[int]) -> None:
    values = {name: _by_unit(rows, name) for name in QUANTILES}
    median = values["quantile_50"]
    for low, high, alpha in BANDS:
        for side, shade in ((np.minimum, BELOW_COLOR), (np.maximum, color)):
            ends = (side(values[name].to_numpy(dtype=float), 0) for name in (low, high))
            axes.fill_betweenx(median.index, *ends, color=shade, alpha=alpha, linewidth=0)
    axes.plot(median, median.index, color="black", label="median")
    axes.axvline(0, **BORDER, label="border")
    axes.set_yticks(list(ranks))
    axes.set_ylim(median.index.min() - 0.5, median.index.max() + 0.5)
    axes.set_ylabel("Unit (rank by active share)")


def _draw_ridges(axes: Axes, rows: pd.DataFrame, color: Color) -> list[int]:
    """Draw the densities, one above the other in the order of their units, and name these."""
    densities = rows[rows["metric"] == "density"]
    marks.refuse_mixture(densities, ["unit", "position"])
    table = densities.pivot_table(index="position", columns="unit", values="mean").sort_index()
    active = _by_unit(rows, "active_share")
    ranks = [int(rank) for rank in table.columns]
    heights = OVERLAP * table / np.nanmax(table.to_numpy())
    # From the top down, so that a ridge stands before the one behind it.
    for place, rank in reversed(list(enumerate(ranks))):
        x, y = _with_border(table.index.to_numpy(dtype=float), heights[rank].to_numpy(dtype=float))
        for part, shade in ((x <= 0, BELOW_COLOR), (x >= 0, color)):
            base, order = np.full(int(part.sum()), float(place)), 3 - place / len(ranks)
            axes.fill_between(
                x[part], base, place + y[part], color=shade, alpha=0.75, linewidth=0, zorder=order
            )
        axes.plot(x, place + y, color="black", linewidth=0.6, zorder=order, label=f"unit {rank}")
    axes.axvline(0, **BORDER, zorder=4, label="border")
    axes.set_yticks(range(len(ranks)), [f"{rank} ({active[rank]:.2f})" for rank in ranks])
    axes.set_ylim(-0.1, len(ranks) - 1 + 1.08 * OVERLAP)
    axes.set_ylabel("Density, by unit (active share)")
    return ranks


def _with_border(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Add the border to the bins, so that both sides of it are filled up to it."""
    if np.any(x == 0) or not x[0] < 0 < x[-1]:
        return x, y
    place = int(np.searchsorted(x, 0))
    return np.insert(x, place, 0), np.insert(y, place, np.interp(0, x, y))


def _ends(rows: pd.DataFrame) -> tuple[float, float]:
    """Where examples are: all quantiles, and densities that can be seen, within `FARTHEST`."""
    densities = rows[rows["metric"] == "density"]
    seen = densities.loc[densities["mean"] > 0.01 * densities["mean"].max(), "position"]
    quantiles = rows.loc[rows["metric"].isin(QUANTILES), "mean"]
    everything = np.concatenate([seen, quantiles, [0.0]]).astype(float)
    everything = np.clip(everything, -FARTHEST, FARTHEST)
    margin = 0.04 * float(np.ptp(everything))
    return float(everything.min()) - margin, float(everything.max()) + margin


def _handles(styles: Mapping[object, Style]) -> list[Artist]:
    neutral = marks.NEUTRAL
    return [
        Line2D([], [], color="black", label="median over examples"),
        Patch(facecolor=neutral, alpha=0.6, label="25\u201375% of examples"),
        Patch(facecolor=neutral, alpha=0.25, label="5\u201395% of examples"),
        Line2D([], [], **BORDER, label="decision border of the unit"),
        Patch(facecolor=BELOW_COLOR, alpha=0.75, label="below the border"),
        *(
            Patch(facecolor=s.color, alpha=0.75, label=f"above it, {marks.value_label(value)}")
            for value, s in styles.items()
        ),
    ]
