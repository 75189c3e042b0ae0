"""Figures of the studies: one style, one function per figure kind, reproducible files."""

from collections.abc import Callable
from pathlib import Path

import matplotlib
import matplotlib.style
import pandas as pd
from matplotlib.figure import Figure

from neuralcodes.errors import DataError
from neuralcodes.figures import (
    charts,
    curves,
    embeddingcharts,
    localitycharts,
    manifoldcharts,
    perturbationcharts,
    phasecharts,
    preactivationcharts,
    retrievalcharts,
    trainingcharts,
)
from neuralcodes.figures.marks import FigureSpec
from neuralcodes.storage import jobs

FORMATS = ("pdf", "png", "svg")
FIGURES: dict[str, Callable[[FigureSpec, pd.DataFrame, pd.DataFrame | None], Figure]] = {
    "curves": curves.draw_curves,
    "layers": curves.draw_layers,
    "random_inputs": curves.draw_random_inputs,
    "one_at_a_time": charts.draw_one_at_a_time,
    "regions": charts.draw_regions,
    "recipe_recovery": charts.draw_recipe_recovery,
    "phase_chart": phasecharts.draw_phase_chart,
    "perturbations": perturbationcharts.draw_perturbations,
    "equal_change": perturbationcharts.draw_equal_change,
    "perturbed_codes": perturbationcharts.draw_perturbed_codes,
    "training": trainingcharts.draw_training,
    "preactivations": preactivationcharts.draw_preactivations,
    "manifold_sweep": manifoldcharts.draw_manifold_sweep,
    "lsh_curve": localitycharts.draw_lsh_curve,
    "manifold_distances": localitycharts.draw_manifold_distances,
    "manifold_embedding": embeddingcharts.draw_manifold_embedding,
    "retrieval": retrievalcharts.draw_retrieval,
}
# Every kind takes `where`: a mapping that fixes factors to values.
OPTIONS: dict[str, frozenset[str]] = {
    "curves": frozenset(
        {"metrics", "kmeans_split", "published_beyond", "variants", "x_label", "x_scale"}
    ),
    "layers": frozenset({"metrics", "kmeans_split", "variants", "x_label"}),
    "random_inputs": frozenset({"x_label", "x_scale"}),
    "one_at_a_time": frozenset({"factors", "base"}),
    "regions": frozenset({"x_label", "x_scale"}),
    "recipe_recovery": frozenset({"recipe"}),
    "phase_chart": frozenset({"thresholds"}),
    "perturbations": frozenset({"kinds", "split", "chance", "variants"}),
    "equal_change": frozenset({"split", "variants"}),
    "perturbed_codes": frozenset({"kinds", "variants"}),
    "training": frozenset({"variants", "x_label", "x_scale"}),
    "preactivations": frozenset({"split", "variants"}),
    "manifold_sweep": frozenset({"metrics", "splits", "variants", "x_label", "x_scale"}),
    "lsh_curve": frozenset({"metrics", "positions", "split"}),
    "manifold_distances": frozenset({"split"}),
    "manifold_embedding": frozenset({"split"}),
    "retrieval": frozenset({"split", "x_label", "x_scale"}),
}

# Without dates and versions the same figure gives the same bytes.
_METADATA = {
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
}


def use_style(path: str | Path) -> None:
    """Use one style file for all figures that follow, whatever the user's matplotlib settings.

    Raises:
        DataError: the file does not exist.
    """
    if not Path(path).is_file():
        raise DataError(f"the style file {path} does not exist; it belongs to the project")
    matplotlib.rcdefaults()
    matplotlib.style.use(path)


def draw(spec: FigureSpec, summary: pd.DataFrame, published: pd.DataFrame | None = None) -> Figure:
    """Draw one figure.

    Args:
        spec: what it shows.
        summary: what `tables.summarize` returns.
        published: what a function of `published` returns for the figure, or None.

    Returns:
        The figure; panels without data are left out.

    Raises:
        ValueError: the kind or an option is unknown.
        DataError: the summary lacks what the figure needs, or factors vary that it does not show.
    """
    if spec.kind not in FIGURES:
        raise ValueError(f"unknown figure kind {spec.kind!r}; there are {sorted(FIGURES)}")
    allowed = OPTIONS[spec.kind] | {"where"}
    unknown = sorted(set(spec.options) - allowed)
    if unknown:
        raise ValueError(f"{spec.kind} has no options {unknown}; it has {sorted(allowed)}")
    return FIGURES[spec.kind](spec, summary, published)


def save(figure: Figure, stem: str | Path) -> list[Path]:
    """Write a figure as stem.pdf, stem.png (200 dpi) and stem.svg, each whole or not at all.

    Returns:
        The three paths. The same figure gives the same bytes.
    """
    stem = Path(stem)
    paths = [stem.with_name(f"{stem.name}.{kind}") for kind in FORMATS]
    for kind, path in zip(FORMATS, paths, strict=True):
        with jobs.atomic(path) as temporary:
            figure.savefig(temporary, format=kind, metadata=_METADATA[kind])
    return paths
