"""What studies of locality show: codes against the distance of manifolds, and pair distances."""

import numpy as np
import pandas as pd

from neuralcodes.figures import localitycharts, manifoldlooks, marks, phrases, trends
from neuralcodes.figures.codefindings import Clauses
from neuralcodes.figures.manifoldlooks import REPRESENTATIONS
from neuralcodes.figures.marks import FigureSpec

INTRA, INTER = localitycharts.DENSITIES
SCARCE = 0.001  # a share of the pairs below which little is known of it


def of_lsh_curve(
    spec: FigureSpec, summary: pd.DataFrame, published: pd.DataFrame | None
) -> list[Clauses]:
    """Findings of the kind `lsh_curve`: how similarity falls with the distance of manifolds.

    Raises:
        DataError: the summary lacks what the figure needs.
    """
    del published
    rows, x, metrics = similarities(spec, summary)
    found = []
    for metric in metrics:
        found.append(_along(rows[rows["metric"] == metric], metric, x))
    if x == "distance":
        found.insert(1, _off_reference(rows, metrics, x))
    found.insert(2, _buckets(rows))
    return [clauses for clauses in found if clauses]


def of_manifold_distances(
    spec: FigureSpec, summary: pd.DataFrame, published: pd.DataFrame | None
) -> list[Clauses]:
    """Findings of the kind `manifold_distances`: how far the two densities overlap.

    Raises:
        DataError: the summary lacks what the figure needs.
    """
    del published
    found = overlaps(spec, summary)
    if found.empty:
        return []
    areas, means = (
        phrases.join(
            [
                f"{phrases.number(value)} ({REPRESENTATIONS[name][0]})"
                for name, value in found[column][::-1].items()
                if np.isfinite(value)
            ]
        )
        for column in ("shared_area", "intra_share")
    )
    split = _split_name(spec, summary)
    return [
        [f"the densities of distances within and between {split} share an area of {areas}"],
        [
            "the mean squared distance within a manifold is a share of that between manifolds of "
            f"{means}"
        ],
    ]


def similarities(spec: FigureSpec, summary: pd.DataFrame) -> tuple[pd.DataFrame, str, list[str]]:
    """Rows of similarities of codes, and of buckets.

    Returns:
        The rows, with their position in a column "distance" or "decile"; the name of that
        column; the similarities that are measured, in the order of the figure.

    Raises:
        DataError: the summary lacks what the figure needs.
    """
    wanted = [str(name) for name in spec.options.get("metrics", localitycharts.METRICS)]
    buckets = [*localitycharts.BUCKETS] if "bucket" in wanted else []
    named = [name for name in wanted if name in localitycharts.REFERENCES]
    rows = manifoldlooks.measured(spec, summary, ["position"], [*named, *buckets])
    rows = manifoldlooks.of_split(spec, rows)
    images = "family" in rows.columns and {*rows["family"]} == {"images"}
    x = str(spec.options.get("positions", "decile" if images else "distance"))
    rows = rows.assign(**{x: [float(f"{value:.3g}") for value in rows["position"]]})
    return rows, x, [name for name in named if (rows["metric"] == name).any()]


def overlaps(spec: FigureSpec, summary: pd.DataFrame) -> pd.DataFrame:
    """What the two densities of squared distances share.

    Returns:
        A row per representation, in the order of `manifoldlooks.REPRESENTATIONS`: shared_area;
        intra and inter, the means of the two densities; intra_share, their ratio.

    Raises:
        DataError: the summary lacks what the figure needs.
    """
    rows = manifoldlooks.measured(spec, summary, ["position"], [INTRA, INTER])
    rows = manifoldlooks.of_split(spec, rows)
    marks.refuse_mixture(rows, ["representation", "metric", "position"])
    found = {}
    for name in manifoldlooks.present(rows):
        here = manifoldlooks.of_representation(rows, name)
        table = here.pivot_table(index="position", columns="metric", values="mean").sort_index()
        if not {INTRA, INTER} <= set(table.columns) or len(table) < 2:
            continue
        table = table.dropna()
        middles, widths = table.index.to_numpy(dtype=float), np.gradient(table.index)
        intra, inter = (table[metric].to_numpy(dtype=float) for metric in (INTRA, INTER))
        means = [_mean(density, middles, widths) for density in (intra, inter)]
        area = localitycharts.shared_area(intra, inter, widths)
        found[name] = (area, *means, means[0] / means[1] if means[1] > 0 else np.nan)
    columns = ["shared_area", "intra", "inter", "intra_share"]
    return pd.DataFrame.from_dict(found, orient="index", columns=columns)


def _along(rows: pd.DataFrame, metric: str, x: str) -> Clauses:
    """A similarity of trained networks along the distances, and between what others have it."""
    runs = {
        REPRESENTATIONS[name][0]: trends.points(manifoldlooks.of_representation(rows, name), x)
        for name in manifoldlooks.present(rows)[::-1]
    }
    runs = {label: run for label, run in runs.items() if run}
    if not runs:
        return []
    label, first = next(iter(runs.items()))
    found = [f"{phrases.metric_name(metric)} of the {label} {trends.course(first, x)}"]
    others = [f"{trends.span(run)} ({each})" for each, run in runs.items() if each != label]
    if others:
        found.append(phrases.Continuation(f"the others have {phrases.join(others)}"))
    return found


def _off_reference(rows: pd.DataFrame, metrics: list[str], x: str) -> Clauses:
    """How far trained and other codes are from what the identifiers themselves would give."""
    clauses = []
    for metric in metrics[:2]:
        here, words = rows[rows["metric"] == metric], []
        for name in manifoldlooks.present(here)[::-1]:
            run = trends.points(manifoldlooks.of_representation(here, name), x)
            at = np.minimum([float(point.at) for point in run], localitycharts.FARTHEST)
            wanted = localitycharts.REFERENCES[metric].of_distance(at)
            off = float(np.mean(np.abs(np.array([point.mean for point in run]) - wanted)))
            words.append(f"{phrases.number(off)} ({REPRESENTATIONS[name][0]})")
        if words:
            name = phrases.metric_name(metric)
            clauses.append(f"{name} is on average {phrases.join(words)} off its reference")
    return clauses


def _buckets(rows: pd.DataFrame) -> Clauses:
    """How often pairs agree in their first bits, in as many as tell something of each."""
    shares: dict[str, dict[object, list[float]]] = {}
    for name in manifoldlooks.present(rows)[::-1]:
        here = manifoldlooks.of_representation(rows, name)
        parts = [here[here["metric"] == metric] for metric in localitycharts.BUCKETS]
        runs = [{p.at: p.mean for p in trends.points(part, "position")} for part in parts]
        shares[name] = {k: [run[k] for run in runs] for k in runs[0] if k in runs[1]}
    known = [set(of_name) for of_name in shares.values() if of_name]
    common = sorted(set.intersection(*known)) if known else []
    first = next((of_name for of_name in shares.values() if of_name), {})
    told = [k for k in common if first[k][1] >= SCARCE] or common[:1]
    if not told:
        return []
    words = [
        f"{phrases.percent(pair[0])} and {phrases.percent(pair[1])} ({REPRESENTATIONS[name][0]})"
        for name, pair in ((name, of_name[told[-1]]) for name, of_name in shares.items() if of_name)
    ]
    bits = marks.value_label(told[-1])
    return [f"of pairs within and pairs between manifolds, {phrases.join(words)} agree in their "
            f"first {bits} bits"]  # fmt: skip


def _mean(density: np.ndarray, middles: np.ndarray, widths: np.ndarray) -> float:
    total = float(np.sum(density * widths))
    return float(np.sum(density * widths * middles)) / total if total > 0 else float("nan")


def _split_name(spec: FigureSpec, summary: pd.DataFrame) -> str:
    rows = manifoldlooks.measured(spec, summary, ["position"], [INTRA, INTER])
    split = str(manifoldlooks.of_split(spec, rows)["split"].iloc[0])
    return marks.SPLITS.get(split, split)
