import numpy as np
import pytest

from neuralcodes.papers import verdicts
from neuralcodes.papers.verdicts import Known

# 97.5% quantiles of t with 1, 2, 9 and 19 degrees of freedom, from a printed table
T1, T2, T9, T19 = 12.7062, 4.30265, 2.26216, 2.09302
CLOSE = {"rel": 1e-5}


def known(value=0.9, reading_error=0.001, seeds=10, **keys):
    return Known(value, reading_error, seeds, **keys)


def test_the_tolerance_is_reading_error_interval_and_allowance():
    score = verdicts.of_mean(0.92, 0.02, 3, known())
    assert score.interval == pytest.approx(T2 * 0.02 / 3**0.5, **CLOSE)  # 0.0497
    assert score.allowance == pytest.approx(T9 * 0.02 / 10**0.5, **CLOSE)  # 0.0143
    assert score.tolerance == pytest.approx(0.001 + 0.0496827 + 0.0143071, rel=1e-4)
    assert score.difference == pytest.approx(0.02)
    assert (score.low, score.high) == pytest.approx((0.8703173, 0.9696827))
    assert (score.ours, score.std, score.n) == (0.92, 0.02, 3)
    assert (score.verdict, score.reason) == ("reproduced", "")


def test_a_printed_standard_deviation_is_the_authors_own():
    score = verdicts.of_mean(0.92, 0.02, 3, known(seeds=20, std=0.004))
    assert score.allowance == pytest.approx(T19 * 0.004 / 20**0.5, **CLOSE)
    assert score.interval == pytest.approx(T2 * 0.02 / 3**0.5, **CLOSE)


@pytest.mark.parametrize(("ours", "verdict"), [(0.966, "differs"), (0.965, "reproduced")])
def test_the_verdict_turns_at_the_tolerance(ours, verdict):
    # 0.001 + 0.04968 + 0.01431 = 0.06499, and 0.06499 + 0.00001 beyond
    score = verdicts.of_mean(ours - 0.00002, 0.02, 3, known())
    assert score.verdict == verdict


def test_differences_of_either_sign_count():
    low, high = (verdicts.of_mean(value, 0.001, 5, known()) for value in (0.8, 1.0))
    assert (low.verdict, high.verdict) == ("differs", "differs")
    assert low.difference == pytest.approx(-0.1)


def test_without_spread_the_reading_error_alone_is_the_tolerance():
    at_edge = verdicts.of_mean(0.901, 0.0, 4, known())
    assert (at_edge.interval, at_edge.allowance) == (0, 0)
    assert at_edge.tolerance == 0.001
    assert at_edge.verdict == "reproduced"  # 0.901 - 0.9 is a little more than 0.001 in floats
    assert verdicts.of_mean(0.9011, 0.0, 4, known()).verdict == "differs"


def test_two_seeds_give_a_wide_interval():
    assert verdicts.of_mean(0.9, 0.01, 2, known()).interval == pytest.approx(
        T1 * 0.01 / 2**0.5, **CLOSE
    )


@pytest.mark.parametrize(
    ("n", "reason"),
    [(0, "no seed has a value"), (1, "one seed has a value, an interval takes two")],
)
def test_fewer_than_two_seeds_have_no_verdict(n, reason):
    score = verdicts.of_mean(0.9 if n else np.nan, np.nan, n, known())
    assert (score.verdict, score.reason, score.n) == ("not run", reason, n)
    assert np.isnan(score.difference)
    assert np.isnan(score.tolerance)


@pytest.mark.parametrize("ours", [np.inf, -np.inf, np.nan])
def test_an_infinite_value_has_no_verdict(ours):
    score = verdicts.of_mean(ours, np.nan, 3, known())
    assert (score.verdict, score.reason) == ("not run", "the value of a seed is infinite")


def test_t_statistics_have_a_standard_error_of_their_own():
    score = verdicts.of_t(10.0, 20, known(15.6, 0.05, 20))
    assert score.interval == pytest.approx(T19 * (1 + 100 / 38) ** 0.5, **CLOSE)  # 3.99
    assert score.allowance == pytest.approx(T19 * (1 + 243.36 / 38) ** 0.5, **CLOSE)  # 5.70
    assert score.tolerance == pytest.approx(0.05 + 3.98863 + 5.69556, rel=1e-4)
    assert score.difference == pytest.approx(-5.6)
    assert score.verdict == "reproduced"
    assert np.isnan(score.std)
    assert verdicts.of_t(5.0, 20, known(15.6, 0.05, 20)).verdict == "differs"


@pytest.mark.parametrize("n", [0, 3, 19, 21])
def test_t_is_compared_at_the_published_number_of_pairs_alone(n):
    score = verdicts.of_t(15.6, n, known(15.6, 0.05, 20))
    assert score.verdict == "not run"
    assert score.reason == f"a test of 20 seeds is compared with one of as many; here are {n}"


@pytest.mark.parametrize("t", [np.nan, np.inf, -np.inf])
def test_a_t_of_nothing_has_no_verdict(t):
    score = verdicts.of_t(t, 20, known(15.6, 0.05, 20))
    assert score.verdict == "not run"
    assert "no test" in score.reason


@pytest.mark.parametrize("t", [15.0, 1.0])
def test_a_p_value_takes_the_verdict_of_its_t(t):
    of_t = verdicts.of_t(t, 20, known(15.6, 0.05, 20))
    score = verdicts.of_p(1e-11, 20, known(2.8e-12, 5e-14, 20), of_t)
    assert score.verdict == of_t.verdict
    assert score.difference == pytest.approx(7.2e-12)
    assert np.isnan(score.tolerance)


def test_a_p_value_without_its_t_has_the_reason_of_that():
    of_t = verdicts.of_t(15.0, 3, known(15.6, 0.05, 20))
    score = verdicts.of_p(0.004, 3, known(2.8e-12, 5e-14, 20), of_t)
    assert (score.verdict, score.reason) == ("not run", of_t.reason)
    assert np.isnan(score.difference)
