"""From a study's summary to its figure files."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from neuralcodes import papers
from neuralcodes.figures import plotting
from neuralcodes.figures.marks import FigureSpec
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
    plotting.use_style(style)
    known = published_values(figure["published"], values)
    drawn = plotting.draw(spec_of(title, figure, factors), tables.read(summary), known)
    plotting.save(drawn, stem)


def spec_of(title: str, figure: Mapping[str, Any], factors: Sequence[str]) -> FigureSpec:
    """Turn a study's figure settings into what the figure functions take.

    Args:
        title: of the figure.
        figure: settings that agree with the schema.
        factors: names of the factors that the study varies.
    """
    options: dict[str, object] = {}
    if "x_scale" in plotting.OPTIONS[figure["kind"]] and figure["scale"] is not None:
        options["x_scale"] = figure["scale"]
    if figure["kind"] == "one_at_a_time":
        options["factors"] = list(factors)
    if figure["kind"] == "phase_chart":
        options["thresholds"] = dict(figure["regimes"])
    for several in ("kinds", "metrics"):
        if several in plotting.OPTIONS[figure["kind"]] and figure.get(several):
            options[several] = tuple(figure[several])
    if figure["where"]:
        options["where"] = dict(figure["where"])
    return FigureSpec(
        kind=figure["kind"],
        title=title,
        x=figure["x"] or "width_per_layer",
        line=figure["line"],
        variant=figure["variant"],
        options=options,
    )


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
