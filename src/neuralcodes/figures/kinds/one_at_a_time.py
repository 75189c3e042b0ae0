"""Metrics on codes as each factor leaves a base point while the others stay."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from neuralcodes.errors import DataError
from neuralcodes.figures import headlines, marks, parts, selection
from neuralcodes.figures.chart import Chart, Guide, Panel, Style, Vertical
from neuralcodes.figures.declaration import METRICS, Asked, FigureKind, FigureSpec
from neuralcodes.figures.kinds.curves import CODES
from neuralcodes.figures.selection import Series

if TYPE_CHECKING:
    import pandas as pd

STRIPE = Style("#d9d9d9", "", "-", width=4)
BASE = "base point"


def chart(
    spec: FigureSpec, summary: "pd.DataFrame", published: "pd.DataFrame | None" = None
) -> Chart:
    """A column per factor that varies, a row per group of metrics."""
    del published  # nothing is published for these factors
    rows = selection.select(summary, spec, spec.factors)
    factors = [f for f in spec.factors if len(rows[f].drop_duplicates()) > 1]
    if not factors:
        raise DataError(
            f"none of the factors {list(spec.factors)} varies; there is nothing to compare"
        )
    base = base_point(rows, factors)
    groups = parts.series_groups(spec, rows, "Accuracy")
    grid = [
        [_panel(rows, factor, base, group, label) for factor in factors]
        for label, group in groups.items()
    ]
    drawn = [panel for row in grid for panel in row]
    entries = parts.series_entries(rows, groups.values())
    return parts.chart_of(
        "one_at_a_time",
        spec,
        grid,
        [("", entries), ("", parts.shown_entries(drawn))],
        headlines.sentence(_courses(drawn)),
        share_y="row",
    )


def base_point(rows: "pd.DataFrame", factors: Sequence[str]) -> dict[str, object]:
    """Value that each factor has while others vary: the one met most often.

    Args:
        rows: of a summary.
        factors: columns that vary, one at a time.

    Raises:
        DataError: two values of a factor are met equally often.
    """
    points = rows[list(factors)].drop_duplicates()
    base = {}
    for factor in factors:
        counts = points[factor].value_counts(dropna=False)
        if len(factors) == 1:
            base[factor] = None
        elif counts.iloc[0] == counts.iloc[1]:
            raise DataError(
                f"the base value of {factor} cannot be told from the study: two of its values are "
                "met equally often; vary one factor at a time"
            )
        else:
            base[factor] = counts.index[0]
    return base


def question(asked: Asked) -> str:
    """Ask what each factor does alone."""
    verb = "do" if len(asked.factors) > 1 else "does"
    what = marks.joined(asked.factors)
    return f"what {verb} {what} do, each alone, to {CODES} on {asked.dataset}"


def _panel(
    rows: "pd.DataFrame",
    factor: str,
    base: Mapping[str, object],
    group: Sequence[Series],
    label: str,
) -> Panel:
    for other, value in base.items():
        rows = rows if other == factor else selection.rows_equal(rows, other, value)
    axis = parts.axis_of(factor, rows)
    drawn = []
    for series in group:
        ours = selection.of_series(rows, series)
        if len(ours):
            style, name = parts.series_style(series), parts.series_label(series)
            drawn.append(parts.curve_of(ours, axis, style, [name], mark="points"))
    guides = ()
    if base[factor] is not None:
        guides = (Guide(BASE, float(axis.place([base[factor]])[0]), "x", style=STRIPE),)
    return Panel("", axis, Vertical(label), tuple(drawn), guides=guides)


def _courses(drawn: Sequence[Panel]) -> list[str]:
    """Clauses on the first metric on test data of each panel, a factor each."""
    clauses = []
    for panel in drawn:
        tested = [curve for curve in panel.curves if curve.split == "test"]
        for curve in (tested or panel.curves)[:1]:
            clauses.append(f"{headlines.named(curve)} {headlines.course(curve, panel.x)}")
    return clauses


KIND = FigureKind(
    name="one_at_a_time",
    description="Metrics on codes as each factor leaves the base point alone.",
    measure="codes",
    chart=chart,
    question=question,
    reading="A column per factor: each point leaves the base point, the grey stripe, in that "
    "factor alone; bars are 95% t-intervals of the mean over seeds",
    options={"metrics": METRICS},
    mixes=True,
)
