"""Verdicts: whether a value of ours is as near to a published one as chance and reading explain."""

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from neuralcodes.studies import tables

REPRODUCED, DIFFERS, NOT_RUN = "reproduced", "differs", "not run"
# Tables hold nine digits, so that a difference may be this much beyond its tolerance.
RESOLUTION = 1e-9


@dataclass(frozen=True)
class Score:
    """Our value beside a published one; NaN where there is nothing to say.

    Attributes:
        ours: mean over our seeds, or our statistic.
        low: lower end of our interval.
        high: upper end of our interval.
        std: of our seeds, n - 1.
        n: our seeds that have a value.
        difference: ours - published.
        interval: half width of our interval.
        allowance: half width of the authors' interval.
        tolerance: reading error + interval + allowance.
        verdict: "reproduced", "differs" or "not run".
        reason: why not run; "" otherwise.
    """

    ours: float = np.nan
    low: float = np.nan
    high: float = np.nan
    std: float = np.nan
    n: float = np.nan
    difference: float = np.nan
    interval: float = np.nan
    allowance: float = np.nan
    tolerance: float = np.nan
    verdict: str = NOT_RUN
    reason: str = ""


@dataclass(frozen=True)
class Known:
    """A published value and how well it is known.

    Attributes:
        value: as published.
        reading_error: of the digitisation, or half a unit of the last printed digit.
        seeds: the authors' repeats.
        std: of their seeds, n - 1; NaN where it is not known.
    """

    value: float
    reading_error: float
    seeds: int
    std: float = np.nan


def of_mean(ours: float, std: float, n: int, known: Known) -> Score:
    """Score a mean over our seeds against a published mean over theirs.

    Our interval is the 95% t-interval of `tables.summarize`. The authors' mean has one, too: that
    of a mean over their number of seeds, with their standard deviation where it is printed and
    with ours otherwise. The two half widths are added, which is more than chance alone asks for:
    a verdict "differs" is the stronger for it.

    Args:
        ours: our mean.
        std: of our seeds, n - 1.
        n: number of our seeds with a value.
        known: the published mean.

    Returns:
        The score; without a verdict with fewer than two seeds or an infinite value.
    """
    if n < 2:
        return Score(ours=ours, n=n, reason=_few(n))
    if not np.isfinite(ours):
        return Score(ours=ours, n=n, reason="the value of a seed is infinite")
    interval = _half_width(std / np.sqrt(n), n)
    spread = std if np.isnan(known.std) else known.std
    return _score(
        ours, std, n, interval, _half_width(spread / np.sqrt(known.seeds), known.seeds), known
    )


def of_t(ours: float, n: int, known: Known) -> Score:
    """Score a paired t statistic against a published one of as many pairs.

    A t statistic grows with the root of the number of pairs, so that other numbers cannot be
    compared. Its standard error is sqrt(1 + t^2 / (2 (n - 1))), by the delta method: 1 is the mean
    difference's part, the rest that of the standard deviation. Interval and allowance are 95%
    half widths of it, at our t and at theirs.

    Args:
        ours: our t statistic.
        n: number of our pairs.
        known: the published t statistic.

    Returns:
        The score; without a verdict with another number of pairs or where t is not finite.
    """
    if n != known.seeds:
        reason = f"a test of {known.seeds} seeds is compared with one of as many; here are {n}"
        return Score(ours=ours, n=n, reason=reason)
    if not np.isfinite(ours):
        reason = "no seed differs from the reference, or all by the same amount: there is no test"
        return Score(ours=ours, n=n, reason=reason)
    interval, allowance = (
        _half_width(np.sqrt(1 + t**2 / (2 * (n - 1))), n) for t in (ours, known.value)
    )
    return _score(ours, np.nan, n, interval, allowance, known)


def of_p(ours: float, n: int, known: Known, t: Score) -> Score:
    """Give a p value the verdict of its t statistic, of which it is a function.

    Args:
        ours: our p value.
        n: number of our pairs.
        known: the published p value.
        t: score of the t statistic.
    """
    difference = np.nan if t.verdict == NOT_RUN else ours - known.value
    return Score(ours=ours, n=n, difference=difference, verdict=t.verdict, reason=t.reason)


def _score(
    ours: float, std: float, n: int, interval: float, allowance: float, known: Known
) -> Score:
    difference = ours - known.value
    tolerance = known.reading_error + interval + allowance
    return Score(
        ours=ours,
        low=ours - interval,
        high=ours + interval,
        std=std,
        n=n,
        difference=difference,
        interval=interval,
        allowance=allowance,
        tolerance=tolerance,
        verdict=REPRODUCED if abs(difference) <= tolerance + RESOLUTION else DIFFERS,
    )


def _half_width(standard_error: float, n: int) -> float:
    return float(stdtrit(n - 1, (1 + tables.CONFIDENCE) / 2) * standard_error)


def _few(n: int) -> str:
    return "no seed has a value" if n == 0 else "one seed has a value, an interval takes two"
