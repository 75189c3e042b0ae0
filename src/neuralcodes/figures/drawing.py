"""From a study's summary to its Chart and its figure files."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from neuralcodes import papers
from neuralcodes.figures import kinds, static
from neuralcodes.figures.chart import Chart
from neuralcodes.studies import tables


def draw_study(
    summary: Path,
    title: str,
    figure: Mapping[str, Any],
    factors: Sequence[str],
    values: Sequence[str],
    style: Path,
    stem: Path,
) -> None:
    """Draw a study's figure as PDF, PNG and SVG.

    Args:
        summary: the study's summary table.
        title: of the figure.
        figure: the study's figure settings.
        factors: names of the factors that the study varies.
        values: files of published values.
        style: the style file.
        stem: where to write, without ending.
    """
    static.use_style(style)
    chart = chart_of_study(tables.read(summary), title, figure, factors, values)
    static.save(static.draw(chart), stem)


def chart_of_study(
    summary: pd.DataFrame,
    title: str,
    figure: Mapping[str, Any],
    factors: Sequence[str],
    values: Sequence[str],
) -> Chart:
    """The Chart of a study: all that its figure, its page and its table of numbers show.

    Args:
        summary: what `tables.summarize` returns.
        title: of the figure.
        figure: the study's figure settings.
        factors: names of the factors that the study varies.
        values: files of published values.

    Raises:
        ValueError: there is no such kind of figure.
        DataError: the summary lacks what the figure needs, or factors vary that it does not show.
    """
    kind = kinds.get(figure["kind"])
    spec = kind.spec(title, figure, tuple(factors))
    return kind.chart(spec, summary, published_values(figure.get("published"), values))


def published_values(
    overlay: Mapping[str, str] | None, values: Sequence[str]
) -> pd.DataFrame | None:
    """Read the published values that a figure shows.

    Args:
        overlay: the figure's setting `published`.
        values: files of published values.

    Returns:
        What the paper's `Published.shown` gives; None where none are shown.
    """
    if overlay is None:
        return None
    paper = papers.of_figure(overlay["figure"])
    return paper.published.shown(Path(values[0]).parent, overlay["figure"], overlay["dataset"])
