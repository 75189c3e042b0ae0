"""Figure kind of embeddings: the two principal components of a few unseen manifolds."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from neuralcodes.errors import DataError
from neuralcodes.figures import manifoldlooks, marks, panels
from neuralcodes.figures.manifoldlooks import REPRESENTATIONS
from neuralcodes.figures.marks import FigureSpec, Style

LARGEST = 2.4  # inches, of a panel
COMPONENTS = ("component_1", "component_2")
# Told apart by colour-blind readers; the markers tell manifolds apart without colour.
LOOKS = tuple(
    Style(color, marker, "")
    for color, marker in (
        *(("#332288", "o"), ("#ddcc77", "s"), ("#117733", "^"), ("#cc6677", "D")),
        *(("#88ccee", "v"), ("#882255", "P"), ("#44aa99", "X"), ("#999933", "<")),
        *(("#aa4499", ">"), ("#1a1a1a", "*")),
    )
)


def draw_manifold_embedding(
    spec: FigureSpec, summary: pd.DataFrame, published: pd.DataFrame | None = None
) -> Figure:
    """Points of a few manifolds on the two principal components, a panel per representation.

    A colour and a marker per manifold. Of several members the first is drawn, and named.

    Options: `split` (default: unseen).

    Raises:
        DataError: the summary lacks what the figure needs, there are more manifolds than looks,
            or factors vary that it does not show.
    """
    del published  # the paper shows no embedding
    rows, first = _chosen(spec, summary)
    points = _points(spec, rows)
    manifolds = marks.factor_values(points, "manifold")
    names = manifoldlooks.present(points)
    columns = 1 if spec.columns == 1 else len(names)
    lines = -(-len(names) // columns)
    side = min(spec.width_inches / columns, LARGEST)
    figure = Figure(figsize=(spec.width_inches, side * lines + 0.6), layout="constrained")
    figure.suptitle(spec.title)
    grid = figure.subplots(lines, columns, squeeze=False)
    letters = iter("abc" if len(names) > 1 else [""])
    styles = dict(zip(manifolds, LOOKS, strict=False))
    for axes, name in zip(grid.flat, names, strict=True):
        _draw_points(axes, manifoldlooks.of_representation(points, name), styles)
        title = REPRESENTATIONS[name][0].removesuffix(" network") + _share(rows, name)
        panels.add_letter(axes, next(letters), title)
    for axes in grid[:, 0]:
        axes.set_ylabel("Principal component 2")
    handles = [
        panels.line_handle(style, f"{place}", line=False)
        for place, style in enumerate(styles.values(), start=1)
    ]
    for handle in handles:
        handle.set(**_marker_look(str(handle.get_marker())))
    title = "Manifold" if first is None else f"Manifold (seed {first})"
    panels.add_legend(figure, handles, title, spec)
    return figure


def _chosen(spec: FigureSpec, summary: pd.DataFrame) -> tuple[pd.DataFrame, int | None]:
    """Rows of the first member, and its number if there are others."""
    columns = ("member", "manifold", "position")
    rows = manifoldlooks.measured(spec, summary, columns, [*COMPONENTS, "explained_variance"])
    rows = manifoldlooks.of_split(spec, rows)
    absent = sorted({*COMPONENTS} - {*rows["metric"]})
    if absent:
        raise DataError(f"a figure of kind {spec.kind} needs {[*COMPONENTS]}; it lacks {absent}")
    members = sorted(rows["member"].dropna().unique())
    if not members:
        raise DataError(f"a figure of kind {spec.kind} needs a member (a seed) in each row")
    rows = rows[rows["member"] == members[0]]
    points = rows[rows["metric"].isin(list(COMPONENTS))]
    marks.refuse_mixture(points, ["representation", "manifold", "position", "metric"])
    return rows, int(members[0]) if len(members) > 1 else None


def _points(spec: FigureSpec, rows: pd.DataFrame) -> pd.DataFrame:
    """One row per point, with its two components as columns."""
    rows = rows[rows["metric"].isin(list(COMPONENTS))]
    where = ["representation", "manifold", "position"]
    points = rows.pivot_table(index=where, columns="metric", values="mean").reset_index()
    count = points["manifold"].nunique()
    if count > len(LOOKS):
        raise DataError(
            f"the embedding has {count} manifolds, but a figure tells {len(LOOKS)} apart; "
            "embed fewer"
        )
    return points


def _draw_points(axes: Axes, points: pd.DataFrame, styles: dict[object, Style]) -> None:
    for place, (manifold, style) in enumerate(styles.items(), start=1):
        here = points[points["manifold"] == manifold]
        axes.plot(
            here[COMPONENTS[0]],
            here[COMPONENTS[1]],
            color=style.color,
            marker=style.marker,
            linestyle="",
            **_marker_look(style.marker),
            label=f"{place}",
        )
    axes.set_box_aspect(1)
    axes.set_aspect("equal", adjustable="datalim")
    axes.grid(visible=False)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    axes.set_xlabel("Principal component 1")


def _marker_look(marker: str) -> dict[str, object]:
    size = 5 if marker == "*" else 3.6  # a star fills little of its square
    return {"markersize": size, "markeredgecolor": "white", "markeredgewidth": 0.3}


def _share(rows: pd.DataFrame, name: str) -> str:
    """Share of the variance that the components explain, as a part of a title."""
    rows = manifoldlooks.of_representation(rows, name)
    share = rows.loc[rows["metric"] == "explained_variance", "mean"].to_numpy(dtype=float)
    return f", {100 * share[0]:.0f}% of variance" if np.isfinite(share).any() else ""
