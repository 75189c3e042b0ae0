"""What the data of a study show, in sentences computed from its summary; how to read its figure."""

import re
from collections.abc import Callable

import pandas as pd

from neuralcodes.figures import (
    chartfindings,
    codefindings,
    comparisons,
    localityfindings,
    manifoldfindings,
    perturbationfindings,
    phrases,
    plotting,
    trainingfindings,
)
from neuralcodes.figures.codefindings import Clauses
from neuralcodes.figures.marks import FigureSpec

MOST = 4  # sentences
LONGEST = 240  # characters of the first one, which describes the figure to those who cannot see it
SILENT = "the study has no value of what its figure shows"

FOUND: dict[str, Callable[[FigureSpec, pd.DataFrame, pd.DataFrame | None], list[Clauses]]] = {
    "curves": codefindings.of_curves,
    "layers": codefindings.of_layers,
    "random_inputs": codefindings.of_random_inputs,
    "one_at_a_time": chartfindings.of_one_at_a_time,
    "regions": codefindings.of_regions,
    "recipe_recovery": chartfindings.of_recipe_recovery,
    "phase_chart": chartfindings.of_phase_chart,
    "perturbations": perturbationfindings.of_perturbations,
    "equal_change": perturbationfindings.of_equal_change,
    "perturbed_codes": perturbationfindings.of_perturbed_codes,
    "training": trainingfindings.of_training,
    "preactivations": trainingfindings.of_preactivations,
    "manifold_sweep": manifoldfindings.of_manifold_sweep,
    "lsh_curve": localityfindings.of_lsh_curve,
    "manifold_distances": localityfindings.of_manifold_distances,
    "manifold_embedding": manifoldfindings.of_manifold_embedding,
    "retrieval": manifoldfindings.of_retrieval,
}
BANDS = "Bands are 95% t-intervals of the mean over seeds."
BARS = "Bars are 95% t-intervals of the mean over seeds."
OPEN = "Open markers are published values with their reading error."
_ON_PUBLISHED = re.compile(r" Open markers are published [^.]*\.")
READINGS = {
    "curves": "Each line is the mean over seeds of a metric, or of a value that the legend names, "
    f"against the factor on the horizontal axis. {BANDS} {OPEN}",
    "layers": "Each line follows one network through its hidden layers, counted from the input on; "
    f"the last is ringed. {BANDS}",
    "random_inputs": "A panel per network: redundancy of the codes of real and of random inputs "
    "against the training time. It grows with the number of inputs, so mind how many were drawn. "
    f"{BANDS}",
    "one_at_a_time": "A column per factor: each point leaves the base point, the grey stripe, in "
    f"that factor alone; above redundancy, below accuracies. {BARS}",
    "regions": "The line is the median over examples of the size of their linear regions, the "
    "bands hold 50% and 90% of the examples; all are means over seeds. The vertical axis is "
    "logarithmic; a band at its top has no border.",
    "recipe_recovery": "A bar per recipe, the nearest on top: its length is the mean absolute "
    "difference to the published values, its colours are the metrics' parts of it.",
    "phase_chart": "Each cell is a network size (columns) at a training time or a sample size "
    "(rows), the darker the higher the value. Black borders part the regimes: under- (U), "
    "critically (C) and sufficiently (S) expressive.",
    "perturbations": "A panel per kind of perturbation: accuracy against its level, as a factor or "
    "as a fraction of each unit's range; the vertical line changes nothing, the dotted one is "
    f"chance. {BANDS} Open markers are published values with their standard deviation.",
    "equal_change": "Accuracy against how much the hidden vector changes, so that kinds of "
    f"perturbation compare at equal size; the dotted line is without perturbation. {BANDS}",
    "perturbed_codes": "Columns are the share of flipped bits, the redundancy and the K-NN "
    "accuracy of the codes, rows are the ranges of levels; the vertical line changes nothing. "
    f"{BANDS}",
    "training": "Error (1 \u2212 accuracy) and cross-entropy on the training set against the "
    f"epoch, all axes logarithmic. {BANDS} Open markers are published ends with "
    "their standard deviation.",
    "preactivations": "Left, the units in the order of the share of examples that activate them: "
    "median, 25\u201375% and 5\u201395% of the examples; right, densities of some of them. The "
    "dashed line is the unit's decision border.",
    "manifold_sweep": "Metrics of trained codes beside those of the untrained network and of the "
    "raw input, which carry no colour of a line. A variance ratio \u03c1 of 0 is invariant, of 1 "
    f"not at all. {BANDS} On an axis of categories they are bars.",
    "lsh_curve": "Similarity of the codes of two points against the distance of their manifolds; "
    "black dashes are what the identifiers themselves would give. "
    f"{BANDS} The outlined band of the cosine is one standard deviation over pairs.",
    "manifold_distances": "Densities of squared distances of pairs, averaged over seeds, within "
    "manifolds (dark) and between them (light); the number is the area that both share: 0 where "
    "manifolds are apart.",
    "manifold_embedding": "Points of ten or fewer unseen manifolds on the two principal components "
    "of the input and of the codes, a colour and a marker per manifold; of one seed.",
    "retrieval": "Recall, speed and bytes of an index of codes against their length or what else "
    f"varies; the grey line is exact search. {BARS} Speeds are of the machine that ran it.",
}


def sentences(spec: FigureSpec, summary: pd.DataFrame, published: pd.DataFrame | None) -> list[str]:
    """What the data of a study show.

    A change or difference counts as one where the 95% intervals of two means are apart. With one
    seed there are none, and the last sentence says so.

    Args:
        spec: the study's figure; the sentences are about the rows that it draws.
        summary: what `tables.summarize` returns.
        published: what the figure is given, or None.

    Returns:
        One to four sentences. The first states the finding in at most 240 characters, so that it
        can stand for the figure.

    Raises:
        DataError: the summary lacks what the figure needs.
        ValueError: there is no such kind, or an option is wrong.
    """
    if spec.kind not in FOUND:
        raise ValueError(f"there is no figure kind {spec.kind!r}; there are {sorted(FOUND)}")
    body = [clauses for clauses in FOUND[spec.kind](spec, summary, published) if clauses]
    body = _within(body or [[SILENT]])
    last = []
    if published is not None and spec.kind in comparisons.COMPARED:
        last.append(comparisons.COMPARED[spec.kind](spec, summary, published))
    if spec.kind != "manifold_embedding" and not _has_intervals(summary):
        last.append(["there is one seed, so that nothing is known of the spread"])
    last = [clauses for clauses in last if clauses]
    kept = [*body[: MOST - len(last)], *last]
    return [phrases.sentence(clauses) for clauses in kept]


def reading(kind: str, *, published: bool = True) -> str:
    """How to read a figure of a kind.

    Args:
        kind: of `plotting.FIGURES`.
        published: whether it shows published values.

    Raises:
        ValueError: there is no such kind.
    """
    if kind not in READINGS:
        raise ValueError(f"there is no figure kind {kind!r}; there are {sorted(plotting.FIGURES)}")
    return READINGS[kind] if published else _ON_PUBLISHED.sub("", READINGS[kind])


def _within(body: list[Clauses]) -> list[Clauses]:
    """Move clauses from the first sentence to the second until it is short enough.

    Those that make no sense alone are left out.
    """
    first, rest = list(body[0]), []
    while len(first) > 1 and len(phrases.sentence(first)) > LONGEST:
        rest.insert(0, first.pop())
    rest = [clause for clause in rest if not isinstance(clause, phrases.Continuation)]
    if len(phrases.sentence(first)) > LONGEST:
        first = [_shortened(first[0])]
    body = [first, *([rest] if rest else []), *body[1:]]
    if rest and len(body) > MOST:
        body[1:3] = [[*rest, *body[2]]]
    return body


def _shortened(clause: str) -> str:
    """A clause cut between words."""
    return clause[: LONGEST - 2].rsplit(" ", 1)[0].rstrip(",;(") + "\u2026"


def _has_intervals(summary: pd.DataFrame) -> bool:
    return "low" in summary.columns and bool(summary["low"].notna().any())
