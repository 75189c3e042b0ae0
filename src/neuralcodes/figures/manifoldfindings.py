"""What studies of manifolds show: invariance on unseen ones, embeddings and retrieval."""

from dataclasses import replace

import numpy as np
import pandas as pd

from neuralcodes.errors import DataError
from neuralcodes.figures import (
    codefindings,
    embeddingcharts,
    manifoldcharts,
    manifoldlooks,
    marks,
    phrases,
    retrievalcharts,
    trends,
)
from neuralcodes.figures.codefindings import Clauses
from neuralcodes.figures.manifoldlines import SPLITS
from neuralcodes.figures.manifoldlooks import REPRESENTATIONS
from neuralcodes.figures.marks import FigureSpec
from neuralcodes.figures.scales import Axis

RECALLS = {"recall_at_1": "recall@1", "recall_at_10": "recall@10"}
CODE = "network_code"
COMPONENTS = list(embeddingcharts.COMPONENTS)


def of_manifold_sweep(
    spec: FigureSpec, summary: pd.DataFrame, published: pd.DataFrame | None
) -> list[Clauses]:
    """Findings of the kind `manifold_sweep`: each metric of trained codes beside the baselines.

    Raises:
        DataError: the summary lacks what the figure needs.
    """
    del published
    spec, rows, metrics = sweep_rows(spec, summary)
    trained = manifoldlooks.of_representation(rows, "trained")
    split = next(name for name in SPLITS if (trained["split"] == name).any())
    category = Axis.of(spec.x, trained, spec).scale == "category"
    found = []
    for metric in metrics:
        whole = rows[(rows["metric"] == metric) & (rows["split"] == split)]
        here = manifoldlooks.of_representation(whole, "trained")
        subject = f"{phrases.metric_name(metric)} of trained networks"
        tell = _by_value if category else codefindings.by_line
        clauses = tell(subject, spec, codefindings.first_variant(spec, here))
        if clauses:
            found.append([*clauses, *_baselines(whole, metric)])
    if found:
        found[0][0] = f"on {marks.SPLITS.get(split, split)}, {found[0][0]}"
    return found


def of_manifold_embedding(
    spec: FigureSpec, summary: pd.DataFrame, published: pd.DataFrame | None
) -> list[Clauses]:
    """Findings of the kind `manifold_embedding`: how tight manifolds lie in the drawn plane.

    Raises:
        DataError: the summary lacks what the figure needs.
    """
    del published
    plane = embedding(spec, summary)
    found = []
    for column, text in (
        ("within", "of the variance in the drawn plane, {} lies within manifolds"),
        ("neighbours", "the nearest neighbour in the plane is of the same manifold for {} of the"
         " points"),
        ("explained", "the plane holds {} of the variance of the codes"),
    ):  # fmt: skip
        values = plane[column].replace([np.inf, -np.inf], np.nan).dropna()[::-1]
        words = [
            f"{phrases.percent(value)} ({REPRESENTATIONS[name][0]})"
            for name, value in values.items()
        ]
        if words:
            found.append([text.format(phrases.join(words))])
    return found


def of_retrieval(
    spec: FigureSpec, summary: pd.DataFrame, published: pd.DataFrame | None
) -> list[Clauses]:
    """Findings of the kind `retrieval`: recall along the lengths, size and speed at the last.

    Raises:
        DataError: the summary lacks what the figure needs.
    """
    del published
    x, rows = retrieval_rows(spec, summary)
    found = []
    for metric, name in RECALLS.items():
        here = rows[rows["metric"] == metric]
        runs = {
            f"of {'codes of trained networks' if method == CODE else 'SimHash of the input'}":
            trends.points(here[here["method"] == method], x)
            for method in retrievalcharts.METHODS
        }  # fmt: skip
        runs = {label: run for label, run in runs.items() if run}
        texts = zip(runs, trends.courses(runs, x), strict=True)
        clauses: Clauses = []
        for label, text in texts:
            comma = "," if clauses and text.startswith("from ") else ""
            again = phrases.Continuation(f"that {label}{comma} {text}")
            clauses.append(again if clauses else f"{name} {label} {text}")
        exact = here.loc[here["method"] == retrievalcharts.EXACT, "mean"].dropna()
        if len(exact) and clauses:
            clauses.append(f"exact search has {phrases.number(float(exact.mean()))}")
        found += [clauses] if clauses else []
    return [each for each in (*found, _size(rows, x)) if each]


def sweep_rows(
    spec: FigureSpec, summary: pd.DataFrame
) -> tuple[FigureSpec, pd.DataFrame, list[str]]:
    """Rows of a sweep, and the metrics that findings are about, in the order of their weight.

    Raises:
        DataError: the summary lacks what the figure needs.
    """
    spec = replace(spec, x=spec.x or "manifolds")
    spec = replace(spec, options={**manifoldcharts.AXES.get(spec.x, {}), **spec.options})
    names = [str(name) for name in summary.get("metric", pd.Series(dtype=str)).unique()]
    found = [marks.ONE_SHOT.fullmatch(name) for name in names]
    ways = sorted(int(one["way"]) for one in found if one and not one["bits"])
    few, *many = [f"one_shot_accuracy_{way}" for way in ways] or ["one_shot_accuracy_20"]
    wanted = [
        str(n) for n in spec.options.get("metrics", ["variance_ratio", few, "ridge_r2", *many])
    ]
    shown = [spec.x, *filter(None, [spec.line, spec.variant])]
    rows = manifoldlooks.measured(spec, summary, shown, wanted)
    marks.refuse_mixture(rows, [*shown, "metric", "split", "representation"])
    trained = manifoldlooks.of_representation(rows, "trained")
    known = trained.loc[trained["mean"].notna(), "metric"]
    metrics = [name for name in wanted if (known == name).any()]
    if not metrics:
        raise DataError(f"a figure of kind {spec.kind} shows trained networks; none is measured")
    return spec, rows, metrics


def embedding(spec: FigureSpec, summary: pd.DataFrame) -> pd.DataFrame:
    """How tight the manifolds of the first member lie on the two principal components.

    Returns:
        A row per representation, in the order of `manifoldlooks.REPRESENTATIONS`: within, the
        share of the variance in the plane that is within manifolds; neighbours, the share of
        points whose nearest neighbour is of their manifold; explained, the share of the variance
        of the codes that the plane holds, NaN where not measured.

    Raises:
        DataError: the summary lacks what the figure needs.
    """
    columns = ("member", "manifold", "position")
    rows = manifoldlooks.measured(spec, summary, columns, [*COMPONENTS, "explained_variance"])
    rows = manifoldlooks.of_split(spec, rows)
    members = sorted(rows["member"].dropna().unique())
    if not members or not {*COMPONENTS} <= {*rows["metric"]}:
        raise DataError(f"a figure of kind {spec.kind} needs {COMPONENTS} of a member")
    rows = rows[rows["member"] == members[0]]
    found = {}
    for name in manifoldlooks.present(rows):
        here = manifoldlooks.of_representation(rows, name)
        share = here.loc[here["metric"] == "explained_variance", "mean"].dropna()
        where = ["manifold", "position"]
        points = here[here["metric"].isin(COMPONENTS)]
        marks.refuse_mixture(points, [*where, "metric"])
        points = points.pivot_table(index=where, columns="metric", values="mean")
        points = points.reindex(columns=COMPONENTS).replace([np.inf, -np.inf], np.nan).dropna()
        tight = _tightness(points.to_numpy(float), points.index.get_level_values(0))
        found[name] = (*tight, float(share.iloc[0]) if len(share) else np.nan)
    return pd.DataFrame.from_dict(
        found, orient="index", columns=["within", "neighbours", "explained"]
    )


def retrieval_rows(spec: FigureSpec, summary: pd.DataFrame) -> tuple[str, pd.DataFrame]:
    """Factor on the axis, and rows, of a figure of retrieval.

    Raises:
        DataError: the summary lacks what the figure needs.
    """
    x = spec.x or "hash_width"
    rows = marks.select(summary, spec, [x, "method"])
    rows = rows[rows["method"].isin([*retrievalcharts.METHODS, retrievalcharts.EXACT])]
    rows = manifoldlooks.of_metrics(spec, rows, retrievalcharts.MEASURED)
    rows = manifoldlooks.of_split(spec, rows)
    marks.refuse_mixture(rows, [x, "method", "metric"])
    return x, rows


def _by_value(subject: str, spec: FigureSpec, rows: pd.DataFrame) -> Clauses:
    """Means at the categories of x, a clause per line."""
    clauses = []
    for value in marks.factor_values(rows, spec.line) if spec.line else [None]:
        here = marks.rows_equal(rows, spec.line, value) if spec.line else rows
        run = {marks.value_label(point.at): point for point in trends.points(here, spec.x)}
        if run:
            label = f"{phrases.at(spec.line, value)}, " if spec.line else ""
            again = phrases.Continuation(f"{label}it is {trends.listed(run)}")
            clauses.append(again if clauses else f"{label}{subject} is {trends.listed(run)}")
    return clauses


def _baselines(rows: pd.DataFrame, metric: str) -> Clauses:
    """What untrained networks and the input have, and what a guess has."""
    words = []
    for name, label in (("untrained", "untrained networks"), ("input", "the raw input")):
        means = manifoldlooks.of_representation(rows, name)["mean"].dropna()
        if len(means):
            texts = [phrases.number(float(end)) for end in (means.min(), means.max())]
            text = texts[0] if texts[0] == texts[1] else f"{texts[0]} to {texts[1]}"
            words.append(f"{label} {'have' if not words else ''} {text}".replace("  ", " "))
    chance = manifoldcharts.chance_of(metric)
    if chance is not None:
        words.append(f"chance {'' if words else 'is '}{phrases.number(chance)}")
    return [phrases.join(words)] if words else []


def _size(rows: pd.DataFrame, x: str) -> Clauses:
    """What an item takes; its speed depends on the machine and on what else runs there."""
    codes = rows[rows["method"] == CODE]
    if codes.empty:
        return []
    last = marks.factor_values(codes, x)[-1]
    here = marks.rows_equal(rows, x, last)
    here = here[here["metric"] == "bytes_per_item"]
    pair = [
        here.loc[here["method"] == method, "mean"].dropna()
        for method in (CODE, retrievalcharts.EXACT)
    ]
    if not all(len(part) for part in pair):
        return []
    ours, exact = (phrases.number(float(part.iloc[0])).removesuffix(".0") for part in pair)
    return [f"{phrases.at(x, last)}, an item takes {ours} bytes in place of {exact}"]


def _tightness(points: np.ndarray, manifolds: pd.Index) -> tuple[float, float]:
    """Share of the variance within manifolds, and of points whose nearest is of their manifold."""
    if len(points) < 2:
        return np.nan, np.nan
    frame = pd.DataFrame(points)
    labels = manifolds.to_numpy()
    centred = frame - frame.groupby(labels).transform("mean")
    total = float(((frame - frame.mean()) ** 2).to_numpy().sum())
    within = float((centred**2).to_numpy().sum()) / total if total > 0 else np.nan
    distances = ((points[:, None, :] - points[None, :, :]) ** 2).sum(axis=2)
    np.fill_diagonal(distances, np.inf)
    return within, float((labels[distances.argmin(axis=1)] == labels).mean())
