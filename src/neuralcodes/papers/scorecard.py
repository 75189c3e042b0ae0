"""The scorecard: every published value beside ours, with a verdict, and how many agree."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from neuralcodes import papers
from neuralcodes.papers import conditions, references, verdicts
from neuralcodes.papers.measurements import Measured, Point
from neuralcodes.papers.references import Reference
from neuralcodes.papers.verdicts import Known, Score
from neuralcodes.studies import tables

COLUMNS = (
    *("paper", "source", "panel", "study", "dataset", "condition", "split", "split_status"),
    *("metric", "published", "reading_error", "ours", "low", "high", "std", "n", "difference"),
    *("interval", "allowance", "tolerance", "verdict", "reason", "run", "epoch"),
)
GROUP = ("paper", "source", "dataset")
# In units of their own, so that no median of differences takes them in.
OTHER_UNITS = ("train_loss", "t_statistic", "p_value")


def build(
    files: Sequence[str | Path], directory: str | Path, facts: Mapping[str, Any]
) -> pd.DataFrame:
    """Put our value beside every published one.

    Args:
        files: long tables ({study}.csv) of `conditions.scored_studies`.
        directory: folder of the published values.
        facts: what `conditions.facts` gave.

    Returns:
        One row per published value, in their order, with the columns `COLUMNS`: accuracies and
        ratios in [0, 1]; statistics as in `tables.summarize`; the rest as in `scores`. A value
        without a verdict ("not run") has a reason; study and run are those that measured it, and
        run stands where the training is in the grid at all.

    Raises:
        DataError: a file is missing or damaged, or a study's table is not among them.
    """
    values = references.read(directory)
    measured = Measured.read(files, facts["trainings"])
    printed_t = values[values["metric"] == "t_statistic"]
    tests = {
        (each.training, each.perturbation, each.level): _known(each)
        for each in references.rows(printed_t)
    }
    scored = []
    for value in references.rows(values):
        fact = facts["trainings"][value.training]
        reason = _reason(value, fact, facts["metrics"], measured)
        score, study = Score(reason=reason), ""
        if not reason:
            point = measured.point(value, fact["run"])
            t = tests.get((value.training, value.perturbation, value.level))
            score, study = _score(value, point, measured, t), measured.points[point]["study"]
        scored.append({**asdict(score), "study": study, "run": fact["run"]})
    return pd.concat([values, pd.DataFrame(scored)], axis="columns")[list(COLUMNS)]


def totals(card: pd.DataFrame) -> pd.DataFrame:
    """Count the verdicts of each figure and table.

    Args:
        card: what `build` returns.

    Returns:
        One row per paper, source and dataset, in the order of the card: reproduced, differs,
        not_run, values (their sum); median_difference and median_tolerance, medians of absolute
        values over the accuracies and ratios that have a verdict, empty without any. Losses, t
        and p are counted but stay out of the medians: their units are others.
    """
    tables.require(card, [*GROUP, "metric", "verdict", "difference", "tolerance"], "the scorecard")
    compared = ~card["metric"].isin(OTHER_UNITS) & (card["verdict"] != verdicts.NOT_RUN)
    columns: dict[str, pd.Series] = {
        verdict.replace(" ", "_"): card["verdict"] == verdict
        for verdict in (verdicts.REPRODUCED, verdicts.DIFFERS, verdicts.NOT_RUN)
    }
    columns["values"] = pd.Series(data=True, index=card.index)
    counts = card[list(GROUP)].assign(**columns).groupby(list(GROUP), sort=False).sum()
    shares = card[list(GROUP)].assign(
        median_difference=card["difference"].abs().where(compared),
        median_tolerance=card["tolerance"].where(compared),
    )
    return counts.join(shares.groupby(list(GROUP), sort=False).median()).reset_index()


def write(
    files: Sequence[str | Path],
    values: Sequence[str | Path],
    facts: Mapping[str, Any],
    card: str | Path,
    total: str | Path,
) -> None:
    """Write the scorecard and its totals as CSV, each whole or not at all.

    Args:
        files: see `build`.
        values: the files of published values, all in one folder.
        facts: see `build`.
        card: where the scorecard goes.
        total: where its totals go.

    Raises:
        DataError: see `build`.
    """
    built = build(files, Path(values[0]).parent, facts)
    tables.write(built, card)
    tables.write(totals(built), total)


def _reason(
    value: Reference, fact: Mapping[str, Any], metrics: Mapping[str, str], measured: Measured
) -> str:
    """Say why a value has none of ours beside it; "" where it has."""
    training = conditions.trainings()[value.training]
    reason = training.unreachable(value.epoch) or fact["reason"] or metrics.get(value.metric, "")
    if reason:
        return reason
    kept = {training.checkpoint(each) for names in fact["studies"].values() for each in names}
    if training.checkpoint(value.epoch) not in kept:
        shown = "the end of training" if value.epoch == "final" else f"epoch {value.epoch}"
        return f"{shown} is not among the checkpoints"
    if value.perturbation not in ("", "none"):
        missing = measured.missing_level(value, fact["run"])
        if missing:
            return missing
    if measured.point(value, fact["run"]) not in measured.points:
        return f"{value.metric} was not measured"
    return ""


def _score(value: Reference, point: Point, measured: Measured, t: Known | None) -> Score:
    if value.metric not in references.TESTS:
        ours = measured.points[point]
        return verdicts.of_mean(ours["mean"], ours["std"], ours["n"], _known(value))
    test = measured.paired(point)
    score = verdicts.of_t(test.t_statistic, test.n, t)
    if value.metric == "t_statistic":
        return score
    return verdicts.of_p(test.p_value, test.n, _known(value), score)


def _known(value: Reference) -> Known:
    return Known(
        value=value.published,
        reading_error=value.reading_error,
        seeds=papers.get(value.paper).published.seeds,
        std=value.published_std,
    )
