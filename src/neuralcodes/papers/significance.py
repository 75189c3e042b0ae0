"""Whether a perturbation changes the accuracy: paired tests over seeds, as published and corrected.

The released code of the paper takes entry 50 of each grid of levels for the unperturbed network.
For clipping and offsets that is another network: what the tests then show is the distance to it.
The corrected variant tests against the unperturbed network instead, and allows for the number of
tests.

Source: Oursland 2024, arXiv:2411.17932, appendix tables; src/analyze_perturbation.py of the
published repository for the reference and the choice of levels.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
from scipy import stats

from neuralcodes.errors import DataError
from neuralcodes.papers import printedlevels
from neuralcodes.perturbation import kinds as perturbations
from neuralcodes.studies import tables
from neuralcodes.studies.layout import AS_PUBLISHED, CORRECTED

# Tables hold nine digits, so differences of accuracies closer than this are equal; one image in
# a million would still make a larger one.
_RESOLUTION = 2e-8

_BASELINE_METRICS = {"train_accuracy": "train", "test_accuracy": "test", "train_loss": "train"}
_SPLITS = {**_BASELINE_METRICS, "dead_units": "train"}


@dataclass(frozen=True)
class PairedTest:
    """Two-sided paired t test of a sample against its reference.

    Attributes:
        n: number of pairs.
        difference: mean of reference minus sample; positive where the sample is lower.
        t_statistic: mean difference over its standard error; sign of `difference`.
        p_value: two-sided, n - 1 degrees of freedom; in [0, 1].
        cohens_d: Cohen's d of paired samples (d_z), the mean difference over the standard
            deviation (n - 1) of the differences; sign of `difference`.
    """

    n: int
    difference: float
    t_statistic: float
    p_value: float
    cohens_d: float


def paired(reference: np.ndarray, sample: np.ndarray) -> PairedTest:
    """Test whether a sample differs from its reference, pair by pair.

    Without spread of the differences there is no test: where no pair differs (0/0), t, p and d
    are NaN; where all differ by the same amount, t and d are infinite and p is 0, the limit of a
    vanishing spread. With fewer than two pairs t, p and d are NaN.

    Args:
        reference: shape (pairs,), finite.
        sample: shape (pairs,), finite, in the same order.

    Returns:
        The test; its sign is that of the published tables. `difference` is NaN without pairs.

    Raises:
        ValueError: the two are not finite vectors of one length.
    """
    reference, sample = np.asarray(reference, dtype=float), np.asarray(sample, dtype=float)
    if reference.ndim != 1 or reference.shape != sample.shape:
        raise ValueError(
            "reference and sample must be vectors of one length, a pair per seed; "
            f"got shapes {reference.shape} and {sample.shape}"
        )
    if not (np.isfinite(reference).all() and np.isfinite(sample).all()):
        raise ValueError("reference and sample must be finite; leave out pairs with gaps in both")
    differences = reference - sample
    n = len(differences)
    mean = float(differences.mean()) if n else np.nan
    if n < 2:
        return PairedTest(n, mean, np.nan, np.nan, np.nan)
    equal = _RESOLUTION * max(np.abs(reference).max(), np.abs(sample).max())
    if np.abs(differences).max() <= equal:
        return PairedTest(n, mean, np.nan, np.nan, np.nan)
    if np.ptp(differences) <= equal:
        endless = float(np.copysign(np.inf, mean))
        return PairedTest(n, mean, endless, 0.0, endless)
    test = stats.ttest_rel(reference, sample)
    cohens_d = mean / float(differences.std(ddof=1))
    return PairedTest(n, mean, float(test.statistic), float(test.pvalue), cohens_d)


def holm(p_values: Sequence[float] | np.ndarray | pd.Series) -> np.ndarray:
    """Adjust p values for their number, after Holm and Bonferroni.

    Args:
        p_values: shape (tests,), in [0, 1]; NaN where nothing could be tested.

    Returns:
        Adjusted p values, same order; at or below alpha where the family-wise error rate alpha
        rejects. NaN stays NaN and does not count as a test.

    Raises:
        ValueError: `p_values` is not a vector of numbers in [0, 1].

    Source: Holm 1979, Scandinavian Journal of Statistics 6, 65-70.
    """
    values = np.asarray(p_values, dtype=float)
    known = ~np.isnan(values)
    if values.ndim != 1 or np.any((values[known] < 0) | (values[known] > 1)):
        raise ValueError(f"p values must be a vector of numbers in [0, 1]; got {p_values!r}")
    tests = int(known.sum())
    ascending = np.argsort(values, kind="stable")[:tests]  # NaN sorts last
    stepped = np.maximum.accumulate((tests - np.arange(tests)) * values[ascending])
    adjusted = np.full_like(values, np.nan)
    adjusted[ascending] = np.minimum(stepped, 1)
    return adjusted


def variants(kind: str) -> tuple[str, ...]:
    """Name the variants in which a perturbation is tested.

    Args:
        kind: its name; one that is no declared kind has no published tests.
    """
    return perturbations.get(kind).variants if kind in perturbations.names() else (CORRECTED,)


def compare(
    table: pd.DataFrame,
    factors: Sequence[str],
    split: str = "train",
    epoch: str = "final",
    kinds: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Test the accuracy at every printed level against a reference, in both variants.

    "as_published" tests against the measured level nearest to the kind's published reference,
    whatever its distance (kinds without one have no such rows); "corrected" against the unperturbed
    network,
    Holm-adjusted. Whether a level is the identity is not assumed but seen: no seed differs from
    the reference, and t, p and d are NaN. A dead unit, for one, makes offset 0 another network.

    Args:
        table: what `tables.join` returns, with the columns perturbation ("none" for the
            unperturbed network) and level; rows without perturbation are of other measures.
        factors: columns that tell the conditions apart.
        split: split of the examples; the metric is its accuracy.
        epoch: checkpoint, as text.
        kinds: perturbations to test; None for all that were measured.

    Returns:
        One row per variant, condition, kind and printed level, in this order: factors, split,
        perturbation, level (measured), nominal (printed), variant, reference (its level; NaN for
        the unperturbed network), n (seeds), mean and std (n - 1) of the accuracy in [0, 1], the
        fields of `PairedTest`, p_holm (NaN as published; its family is all tests of the
        corrected variant here, over kinds and conditions).

    Raises:
        DataError: a column is missing; nothing was measured; the unperturbed network was not; a
            value is not finite; `factors` do not tell the conditions apart; a seed lacks a level;
            no measured level of a kind is near a printed one.
    """
    rows = _measurements(table, factors)
    metric = f"{split}_accuracy"
    chosen = (rows["metric"] == metric) & (rows["split"] == split) & (rows["epoch"] == epoch)
    wanted = ["none", *(rows["perturbation"].unique() if kinds is None else kinds)]
    rows = rows[chosen & rows["perturbation"].isin(wanted)]
    if (rows["perturbation"] == "none").all():
        raise DataError(
            f"the study table has no {metric} of perturbed networks on split {split} at epoch "
            f"{epoch}, perturbations {wanted[1:]}; measure them"
        )
    tests = []
    for values, here in rows.groupby(list(factors), sort=False, dropna=False):
        condition = dict(zip(factors, values, strict=True))
        samples = _samples(here, condition)
        for kind in _kinds(samples):
            tests += [{**condition, "split": split, **test} for test in _tests(kind, samples)]
    result = pd.DataFrame(tests)
    corrected = result["variant"] == CORRECTED
    result.insert(len(result.columns) - 1, "p_holm", holm(result["p_value"].where(corrected)))
    return result.sort_values("variant", kind="stable", ignore_index=True)


def baseline(table: pd.DataFrame, factors: Sequence[str], epoch: str = "final") -> pd.DataFrame:
    """Accuracy and loss of the unperturbed networks, over seeds.

    The published training accuracy and loss are one step older than the published test accuracy;
    all of ours are of one network, the checkpoint's.

    Args:
        table: what `tables.join` returns, as for `compare`; dead_units may be absent.
        factors: columns that tell the conditions apart.
        epoch: checkpoint, as text.

    Returns:
        One row per condition: factors, n (seeds); for train_accuracy, test_accuracy (both in
        [0, 1]) and train_loss the mean (`<metric>_mean`), the standard deviation with n - 1 in
        the denominator (`<metric>_std`) and with n, as published (`<metric>_std_population`),
        both NaN for a single seed; dead_units_mean (units; NaN where not measured).

    Raises:
        DataError: a column is missing; a metric was not measured for every seed or is not finite;
            `factors` do not tell the conditions apart.
    """
    rows = _measurements(table, factors)
    chosen = (rows["split"] == rows["metric"].map(_SPLITS)) & (rows["epoch"] == epoch)
    rows = rows[chosen & (rows["perturbation"] == "none")]
    if rows.empty:
        raise DataError(f"the study table has no unperturbed networks (none) at epoch {epoch}")
    result = []
    for values, here in rows.groupby(list(factors), sort=False, dropna=False):
        condition = dict(zip(factors, values, strict=True))
        result.append({**condition, **_baseline_of(here, condition)})
    return pd.DataFrame(result)


def _measurements(table: pd.DataFrame, factors: Sequence[str]) -> pd.DataFrame:
    if isinstance(factors, str) or not factors:
        raise DataError(f"factors must be a list of at least one column; got {factors!r}")
    needed = [*factors, "seed", "epoch", "split", "metric", "perturbation", "level", "value"]
    tables.require(table, needed, "the study table")
    return table[table["perturbation"].notna() & (table["perturbation"] != "")]


def _samples(here: pd.DataFrame, condition: dict[str, object]) -> pd.DataFrame:
    """Accuracies of one condition: a row per seed, a column per (perturbation, level)."""
    levels = here["level"].where(here["perturbation"] != "none", 0.0)
    if levels.isna().any():
        raise DataError(f"{condition} has perturbations without a level; measure them again")
    wide = _pivot(here.assign(level=levels), ["perturbation", "level"], condition)
    if ("none", 0.0) not in wide.columns:
        raise DataError(f"{condition} lacks the unperturbed network (perturbation none)")
    return wide


def _pivot(here: pd.DataFrame, columns: list[str], condition: dict[str, object]) -> pd.DataFrame:
    if not np.isfinite(here["value"]).all():
        seeds = here.loc[~np.isfinite(here["value"]), "seed"].unique().tolist()
        raise DataError(f"{condition} has values that are not finite, of seeds {seeds}")
    if here.duplicated([*columns, "seed"]).any():
        raise DataError(
            f"{condition} holds a seed twice; name every factor in which the runs differ"
        )
    wide = here.pivot_table(index="seed", columns=columns, values="value")
    for column in wide:
        missing = wide.index[wide[column].isna()].tolist()
        if missing:
            raise DataError(
                f"{condition} lacks {column} of seeds {missing}, which it has elsewhere; pairs "
                "need the same seeds on both sides, measure them"
            )
    return wide


def _kinds(samples: pd.DataFrame) -> list[str]:
    """Perturbations of a condition: the declared ones in their order, then all others."""
    found = sorted(set(samples.columns.get_level_values("perturbation")) - {"none"})
    return sorted(found, key=lambda kind: list((*perturbations.names(), kind)).index(kind))


def _tests(kind: str, samples: pd.DataFrame) -> list[dict[str, object]]:
    grid = samples[kind].columns.to_numpy(dtype=float)
    pairs = printedlevels.pairs(kind, grid)
    if not pairs:
        raise DataError(
            f"no measured level of {kind} is near a printed one; it has {grid.tolist()}, printed "
            f"are {list(printedlevels.of_kind(kind))}"
        )
    tests = []
    for variant in variants(kind):
        reference, level_of_reference = samples[("none", 0.0)], np.nan
        if variant == AS_PUBLISHED:
            reference_level = perturbations.get(kind).reference
            level_of_reference = printedlevels.nearest(grid, reference_level)
            reference = samples[(kind, level_of_reference)]
        for nominal, level in pairs:
            sample = samples[(kind, level)]
            named = {"perturbation": kind, "level": level, "nominal": nominal, "variant": variant}
            named["reference"] = level_of_reference
            test = paired(reference.to_numpy(), sample.to_numpy())
            spread = {"n": test.n, "mean": sample.mean(), "std": sample.std(ddof=1)}
            tests.append({**named, **spread, **asdict(test)})
    return tests


def _baseline_of(here: pd.DataFrame, condition: dict[str, object]) -> dict[str, float]:
    wide = _pivot(here, ["metric"], condition)
    several = len(wide) > 1
    summary: dict[str, float] = {"n": len(wide)}
    for metric in _BASELINE_METRICS:
        if metric not in wide:
            raise DataError(f"{condition} lacks {metric} of the unperturbed network")
        summary[f"{metric}_mean"] = wide[metric].mean()
        summary[f"{metric}_std"] = wide[metric].std(ddof=1)
        summary[f"{metric}_std_population"] = wide[metric].std(ddof=0) if several else np.nan
    summary["dead_units_mean"] = wide["dead_units"].mean() if "dead_units" in wide else np.nan
    return summary
