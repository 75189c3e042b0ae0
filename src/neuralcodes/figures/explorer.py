"""Interactive charts of the report: what the page draws for each kind of figure."""

from collections.abc import Callable

import pandas as pd

from neuralcodes.figures import (
    explorercurves,
    explorerdata,
    explorerfactors,
    explorerlocality,
    explorermanifolds,
    explorerperturbations,
    explorerphases,
)
from neuralcodes.figures.explorerdata import Draft, Json
from neuralcodes.figures.marks import FigureSpec

DRAFTS: dict[str, Callable[[FigureSpec, pd.DataFrame, pd.DataFrame | None], Draft]] = {
    "curves": explorercurves.draft_curves,
    "layers": explorercurves.draft_layers,
    "random_inputs": explorercurves.draft_random_inputs,
    "one_at_a_time": explorerfactors.draft_one_at_a_time,
    "regions": explorerfactors.draft_regions,
    "perturbations": explorerperturbations.draft_perturbations,
    "equal_change": explorerperturbations.draft_equal_change,
    "perturbed_codes": explorerperturbations.draft_perturbed_codes,
    "training": explorercurves.draft_training,
    "preactivations": explorerfactors.draft_preactivations,
    "manifold_sweep": explorermanifolds.draft_manifold_sweep,
    "lsh_curve": explorerlocality.draft_lsh_curve,
    "manifold_distances": explorerlocality.draft_manifold_distances,
    "manifold_embedding": explorermanifolds.draft_manifold_embedding,
    "retrieval": explorermanifolds.draft_retrieval,
}


def chart(
    spec: FigureSpec, table: pd.DataFrame, summary: pd.DataFrame, published: pd.DataFrame | None
) -> Json:
    """Make the interactive chart of a figure: the figure's rows, further ones, and their runs.

    Args:
        spec: what the figure shows.
        table: what `tables.join` returns: run, seed and value of every measurement.
        summary: what `tables.summarize` makes of it.
        published: what a function of `published` returns for the figure, or None.

    Returns:
        What is plain JSON, without NaN, numbers with `explorerdata.DIGITS` significant digits:

        - form: "lines", "points", "steps", "scatter", "bars" or "phases"; title; y, the vertical
          axis (label, scale, limits); labels (published, error); bands, their names;
          interval, whether low and high are drawn; top, where bands without an end are cut;
        - axes: `explorerdata.axis_of`; the first, unless a value of a choice names another;
        - dimensions: name, label, role ("colour", "dash", "choice"), selected, and values: text,
          label, color, symbol, dash, axis, y and group, where they have them;
        - points: columns x, at (one column per dimension: places of values), mean, low, high, n,
          run, epoch and span (places in runs, epochs and spans, -1 for none), bands;
        - published: columns x, at (-1 for any), value and error;
        - guides: label, at, x, y and a look; notes: text and at;
        - runs, epochs, and spans ([first, last] seed); seeds: numbers, values (a column per seed)
          or None, and omitted, the reason.

        The forms "bars" and "phases" have more: see `explorerphases`.

    Raises:
        ValueError: the kind is unknown.
        DataError: the summary lacks what the figure needs, or factors vary that it does not show.
    """
    if spec.kind == "phase_chart":
        return explorerphases.phase_chart(spec, table, summary)
    if spec.kind == "recipe_recovery":
        return explorerphases.recipe_chart(spec, table, summary, published)
    if spec.kind not in DRAFTS:
        raise ValueError(f"unknown figure kind {spec.kind!r}; there are {sorted(DRAFTS)}")
    draft = DRAFTS[spec.kind](spec, summary, published)
    return explorerdata.assemble(draft, spec.title, table, summary)
