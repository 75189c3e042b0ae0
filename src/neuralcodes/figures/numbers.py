"""The numbers of a Chart as one table: what was measured where, with its interval."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from neuralcodes.figures import marks
from neuralcodes.figures.chart import Axis, Chart, Curve, Heat, Panel

MOST = 60  # rows, as long as each curve has two of them


@dataclass(frozen=True)
class Number:
    """One point of a curve, or one cell of a heat map.

    Attributes:
        panel: letter and title of the panel, "" of the only one without a title.
        curve: name of the curve, or of the row of the map.
        quantity: what is measured, as on the vertical axis.
        x: the place, as text.
        mean: as drawn.
        low, high: ends of its 95 % interval; NaN where there is none.
        n: seeds behind it; 0 where it was computed from others, and in maps.
        published: the published value at this place; NaN where there is none.
        row: index in the summary; -1 for none.
    """

    panel: str
    curve: str
    quantity: str
    x: str
    mean: float
    low: float
    high: float
    n: int
    published: float
    row: int


def table(chart: Chart, most: int = MOST) -> list[Number]:
    """Numbers of a Chart, panel by panel and curve by curve.

    Each curve gives its first and its last point, those with a published value, and others evenly
    spread between, as many as keep the table within `most` rows. Of a heat map the corners and
    evenly spread cells stand for all. The summary has every number.

    Args:
        chart: any.
        most: rows; a table has more only where two points of each curve, or the published values,
            need them.

    Returns:
        One entry per number; points without a mean are left out.
    """
    panels = list(chart.each_panel())
    parts = sum(1 if panel.heat is not None else len(panel.curves) for panel in panels)
    share = max(most // max(parts, 1), 2)
    letters = "abcdefghijklmnopqrstuvwxyz" if 1 < len(panels) <= 26 else ""
    rows: list[Number] = []
    for place, panel in enumerate(panels):
        title = " ".join(panel.title.split())
        name = " ".join(filter(None, [letters[place : place + 1], title]))
        if panel.heat is not None:
            rows += _of_heat(name, panel.x, panel.heat, share)
        for curve in panel.curves:
            rows += _of_curve(name, panel, curve, share)
    return rows


def _of_curve(name: str, panel: Panel, curve: Curve, share: int) -> list[Number]:
    theirs = {
        float(x): float(value)
        for values in panel.published
        if values.label == curve.label
        for x, value in zip(values.x, values.value, strict=True)
    }
    known = np.flatnonzero(np.isfinite(curve.y))
    shared = [int(index) for index in known if float(curve.x[index]) in theirs]
    quantity = " ".join(panel.y.label.split())
    return [
        Number(
            panel=name,
            curve=curve.label,
            quantity=quantity,
            x=_place(panel.x, curve, int(index)),
            mean=float(curve.y[index]),
            low=float(curve.low[index]),
            high=float(curve.high[index]),
            n=int(curve.n[index]),
            published=theirs.get(float(curve.x[index]), float("nan")),
            row=int(curve.rows[index]),
        )
        for index in sorted({*spread(known, share), *shared})
    ]


def _of_heat(name: str, axis: Axis, heat: Heat, share: int) -> list[Number]:
    lines, columns = heat.values.shape
    side = max(int(np.sqrt(share)), 2)
    rows = []
    for i in spread(np.arange(lines), side):
        for j in spread(np.arange(columns), max(share // side, 2)):
            value = float(heat.values[i, j])
            if np.isfinite(value):
                where = marks.place_name(heat.vertical.factor, heat.vertical.levels[i])
                at = marks.value_label(axis.levels[j])
                nothing = float("nan")
                row = int(heat.rows[i, j])
                rows.append(
                    Number(name, where, heat.label, at, value, nothing, nothing, 0, nothing, row)
                )
    return rows


def spread(places: Sequence[int] | np.ndarray, most: int) -> list[int]:
    """Of many places a few, evenly spread, the first and the last among them."""
    if len(places) <= most:
        return [int(place) for place in places]
    chosen = np.unique(np.round(np.linspace(0, len(places) - 1, most)).astype(int))
    return [int(places[index]) for index in chosen]


def _place(axis: Axis, curve: Curve, index: int) -> str:
    if axis.scale == "category":
        return axis.labels[round(float(curve.x[index]))]
    return marks.value_label(axis.value(float(curve.x[index])))
