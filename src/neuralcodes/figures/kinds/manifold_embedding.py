"""The two principal components of the points of a few unseen manifolds."""

from typing import TYPE_CHECKING

import numpy as np

from neuralcodes.errors import DataError
from neuralcodes.figures import headlines, marks, parts, representations, selection
from neuralcodes.figures.chart import Axis, Chart, Curve, Entry, Panel, Style, Vertical
from neuralcodes.figures.declaration import Asked, FigureKind, FigureSpec
from neuralcodes.figures.representations import LOOKS

if TYPE_CHECKING:
    import pandas as pd

COMPONENTS = ("component_1", "component_2")
# Told apart by colour-blind readers; the markers tell manifolds apart without colour.
STYLES = tuple(
    Style(color, marker, "")
    for color, marker in (
        *(("#332288", "o"), ("#ddcc77", "s"), ("#117733", "^"), ("#cc6677", "D")),
        *(("#88ccee", "v"), ("#882255", "P"), ("#44aa99", "X"), ("#999933", "<")),
        *(("#aa4499", ">"), ("#1a1a1a", "*")),
    )
)


def chart(
    spec: FigureSpec, summary: "pd.DataFrame", published: "pd.DataFrame | None" = None
) -> Chart:
    """A panel per representation, a colour and a marker per manifold.

    Of several members the first is drawn, and named.

    Raises:
        DataError: the summary lacks what the figure needs, there are more manifolds than looks,
            or factors vary that it does not show.
    """
    del published  # the paper shows no embedding
    rows, first = _chosen(spec, summary)
    points = rows[rows["metric"].isin(list(COMPONENTS))]
    manifolds = selection.factor_values(points, "manifold")
    if len(manifolds) > len(STYLES):
        raise DataError(
            f"the embedding has {len(manifolds)} manifolds, but a figure tells {len(STYLES)} "
            "apart; embed fewer"
        )
    styles = dict(zip(manifolds, STYLES, strict=False))
    names = representations.present(points)
    drawn, told = [], []
    for name in names:
        title = LOOKS[name][0]
        curves = _curves(representations.of(points, name), styles)
        within = share_within(curves)
        panel = _panel(f"{title}\n{_share(rows, name)}{within:.2f} within manifolds", curves)
        drawn.append(panel)
        told.append(f"{within:.2f} ({title})")
    entries = [Entry(f"{i}", style, "marker") for i, style in enumerate(styles.values(), start=1)]
    text = "of the variance of the points shown, this share lies within manifolds: "
    return parts.chart_of(
        "manifold_embedding",
        spec,
        [drawn],
        [("Manifold" if first is None else f"Manifold (seed {first})", entries)],
        headlines.sentence([text + marks.joined(told)]),
    )


def share_within(curves: list[Curve]) -> float:
    """Share of the variance of all points that lies within the curves, 0 to 1."""
    groups = [np.stack([curve.x, curve.y]) for curve in curves]
    middle = np.concatenate(groups, axis=1).mean(axis=1, keepdims=True)
    total = sum(float(np.square(group - middle).sum()) for group in groups)
    within = sum(
        float(np.square(group - group.mean(axis=1, keepdims=True)).sum()) for group in groups
    )
    return within / total if total else 0.0


def question(asked: Asked) -> str:
    """Ask whether training gathers manifolds."""
    return f"does training gather the points of each of a few {asked.unseen} in one place"


def _chosen(spec: FigureSpec, summary: "pd.DataFrame") -> tuple["pd.DataFrame", int | None]:
    """Rows of the first member, and its number if there are others."""
    columns = ("member", "manifold", "position")
    names = [*COMPONENTS, "explained_variance"]
    rows = representations.on_unseen(representations.select(spec, summary, columns, names))
    absent = sorted({*COMPONENTS} - {*rows["metric"]})
    if absent:
        raise DataError(f"an embedding needs {[*COMPONENTS]}; it lacks {absent}")
    members = sorted(rows["member"].dropna().unique())
    if not members:
        raise DataError("an embedding needs a member (a seed) in each row")
    rows = rows[rows["member"] == members[0]]
    points = rows[rows["metric"].isin(list(COMPONENTS))]
    selection.refuse_mixture(points, ["representation", "manifold", "position", "metric"])
    return rows, int(members[0]) if len(members) > 1 else None


def _curves(points: "pd.DataFrame", styles: dict[object, Style]) -> list[Curve]:
    """One curve per manifold: the first component of its points as x, the second as y."""
    made = []
    for place, (manifold, style) in enumerate(styles.items(), start=1):
        own = points[points["manifold"] == manifold]
        first, second = (own[own["metric"] == name].sort_values("position") for name in COMPONENTS)
        if len(first) != len(second):
            raise DataError(f"manifold {manifold} has points without one of the two components")
        none = np.full(len(second), np.nan)
        made.append(
            Curve(
                f"{place}",
                style,
                first["mean"].to_numpy(dtype=float),
                second["mean"].to_numpy(dtype=float),
                none,
                none,
                second["n"].to_numpy(dtype=np.int64),
                second.index.to_numpy(dtype=np.int64),
                metric=COMPONENTS[1],
                split=str(second["split"].iloc[0]) if len(second) else "",
                entries=(f"{place}",),
                mark="scatter",
            )
        )
    return made


def _panel(title: str, curves: list[Curve]) -> Panel:
    places = tuple(sorted({float(x) for curve in curves for x in curve.x}))
    axis = Axis("Principal component 1", "linear", places)
    vertical = Vertical("Principal component 2")
    return Panel(title, axis, vertical, tuple(curves), equal=True)


def _share(rows: "pd.DataFrame", name: str) -> str:
    """Share of the variance that the components explain, as a part of a title."""
    rows = representations.of(rows, name)
    share = rows.loc[rows["metric"] == "explained_variance", "mean"].to_numpy(dtype=float)
    return f"{100 * share[0]:.0f}% of variance\n" if np.isfinite(share).any() else ""


KIND = FigureKind(
    name="manifold_embedding",
    description="Two principal components of a few unseen manifolds.",
    measure="embedding",
    chart=chart,
    question=question,
    reading="Points of ten or fewer unseen manifolds on the two principal components of each "
    "representation, a colour and a marker per manifold; the second number is the share of the "
    "variance shown that lies within manifolds: 0 where each is one point",
)
