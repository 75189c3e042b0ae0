import math
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import stats
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score

from neuralcodes.manifolds import invariance
from neuralcodes.manifolds.invariance import (
    View,
    effective_rank,
    measure,
    measure_pairs,
    one_shot_accuracy,
    one_shot_hamming_accuracy,
    ridge_r2,
    variance_ratio,
    variances,
)
from neuralcodes.storage.randomness import numpy_generator

SQUARE = np.array([[[0, 0], [2, 0]], [[0, 4], [2, 4]]], np.float32)


def noise(*shape, purpose="noise"):
    return numpy_generator(0, purpose).standard_normal(shape).astype(np.float32)


def perfect(manifolds=40, points=6, d=8):
    """A representation of the manifold alone."""
    return np.repeat(noise(manifolds, 1, d), points, axis=1)


def lookalike(manifolds, points):
    """Points that resemble themselves and no other: a direction of its own for each."""
    return np.eye(manifolds * points, dtype=np.float32).reshape(manifolds, points, -1)


def view_of(values):
    bits = values > np.median(values.reshape(-1, values.shape[-1]), axis=0)
    return View(values, bits, values > 0, values.mean(axis=(0, 1)))


def typical(manifolds=30, points=6, d=8):
    """A view and identifiers: neither perfect nor useless."""
    gammas = noise(manifolds, 3, purpose="gammas")
    values = (gammas @ noise(3, d, purpose="map"))[:, None] + noise(manifolds, points, d)
    return view_of(values), gammas


def permuted(view, order):
    names = ("values", "bits", "signs")
    return replace(view, **{name: getattr(view, name)[order] for name in names})


def within_chance(accuracy, way, queries):
    low, high = stats.binom.interval(0.9999, queries, 1 / way)
    return low / queries <= accuracy <= high / queries


def test_variances_computed_by_hand():
    # Within: 1 + 1 over P - 1 = 1. Total: every point is 1 and 2 away from (1, 2).
    assert variances(SQUARE) == (2, 5)
    assert variance_ratio(SQUARE) == pytest.approx(0.4)


def test_variance_within_manifolds_is_unbiased():
    intra, total = variances(noise(3000, 2, 4))
    assert intra == pytest.approx(4, rel=0.05) and total == pytest.approx(4, rel=0.05)


def test_variance_ratio_does_not_depend_on_origin_or_scale():
    values = noise(20, 5, 3).astype(np.float64)
    expected = variance_ratio(values)
    assert variance_ratio(1e6 + values) == pytest.approx(expected, rel=1e-8)
    assert variance_ratio(1e-9 * values) == pytest.approx(expected, rel=1e-8)


def test_variance_ratio_is_computed_in_double_precision():
    values = (1e4 + noise(200, 5, 3)).astype(np.float32)
    assert variance_ratio(values) == pytest.approx(variance_ratio(values.astype(float)), rel=1e-12)


def test_a_function_of_the_manifold_alone_is_perfect():
    values = perfect()
    assert variance_ratio(values) == variance_ratio(values * np.pi) == 0
    assert one_shot_accuracy(values, 20, 50, 0, values.mean((0, 1))) == 1
    assert one_shot_accuracy(values, 40, 50, 0) == 1
    view = view_of(perfect(d=32))
    found = measure(view, None, (20,), 20, 500, 0)
    assert found["one_shot_hamming_accuracy_20"] == 1
    assert found["intra_distance"] == found["hamming_intra"] == found["lsh_exponent"] == 0
    assert found["pair_auc"] == 1
    assert math.isnan(found["separation"])


def test_noise_has_no_information_of_the_manifold():
    values = noise(100, 20, 16)
    assert variance_ratio(values) == pytest.approx(1, abs=0.01)
    for way in (2, 20, 100):
        queries = 200 * way * 5
        assert within_chance(one_shot_accuracy(values, way, 200, 0), way, queries)
        # Ties share a point, which only lowers the spread of the accuracy.
        assert within_chance(one_shot_hamming_accuracy(values > 0, way, 200, 0), way, queries)


@pytest.mark.parametrize("way", [2, 7, 20])
@pytest.mark.parametrize("constant", [0.0, 0.1, -3e4])
def test_a_constant_representation_scores_chance_exactly(way, constant):
    values = np.full((20, 4, 37), constant, np.float32)
    for centre in (None, values[0, 0], np.full(37, 0.3, np.float32)):
        assert one_shot_accuracy(values, way, 10, 0, centre) == pytest.approx(1 / way, rel=1e-12)
    assert one_shot_hamming_accuracy(values > 0, way, 10, 0) == pytest.approx(1 / way, rel=1e-12)


def test_ties_count_as_one_over_their_number():
    # Two manifolds of one direction, one of another, one opposite to the latter.
    directions = np.array([[1, 0], [1, 0], [0, 1], [0, -1]], np.float32)
    values = np.repeat(directions[:, None], 3, axis=1)
    assert one_shot_accuracy(values, 4, 10, 0) == pytest.approx((0.5 + 0.5 + 1 + 1) / 4)
    assert one_shot_hamming_accuracy(values > 0, 4, 10, 0) == pytest.approx((0.5 + 0.5 + 1 + 1) / 4)


def test_cosines_that_differ_by_rounding_alone_tie():
    for step, expected in ((1e-7, 1 / 4), (1e-3, 1)):
        angles = step * np.arange(4)
        directions = np.stack([np.cos(angles), np.sin(angles)], axis=1)
        values = np.repeat(directions[:, None], 3, axis=1)
        assert one_shot_accuracy(values, 4, 10, 0) == pytest.approx(expected)


def test_the_support_is_never_a_query():
    # All cosines of different points are 0, a support's with itself would be 1.
    for points in (2, 3, 9):
        values = lookalike(10, points)
        assert one_shot_accuracy(values, 10, 30, 0) == pytest.approx(0.1, rel=1e-12)
        assert one_shot_hamming_accuracy(values > 0, 10, 30, 0) == pytest.approx(0.1, rel=1e-12)


def test_queries_of_an_episode_are_distinct_points_of_distinct_manifolds(monkeypatch):
    drawn = []

    class Recorded(np.ndarray):
        def __getitem__(self, index):
            if isinstance(index, tuple) and len(index) == 2:
                drawn.append(np.broadcast_arrays(*index))
            return np.asarray(self)[index]

    values = noise(12, 7, 3).astype(np.float64).view(Recorded)
    invariance._one_shot(values, 5, 20, 0, 4, 0.0)
    assert len(drawn) == 40
    for (manifolds, support), (_, queries) in zip(drawn[::2], drawn[1::2], strict=True):
        assert len(set(manifolds.tolist())) == 5
        assert queries.shape == (5, 4)
        for one, others in zip(support, queries, strict=True):
            assert len({one, *others.tolist()}) == 5


def test_cosines_are_taken_around_the_centre():
    # Seen from the centre the manifolds lie opposite; from 0 their lengths alone differ.
    values = np.repeat(np.array([[[1.0, 0]], [[3.0, 0]]], np.float32), 4, axis=1)
    assert one_shot_accuracy(values, 2, 10, 0) == 0.5
    assert one_shot_accuracy(values, 2, 10, 0, np.array([2.0, 0])) == 1


def test_cosines_do_not_depend_on_length():
    values = perfect() * numpy_generator(0, "lengths").uniform(0.1, 10, (40, 6, 1))
    assert one_shot_accuracy(values, 40, 20, 0) == 1


def test_a_query_goes_to_the_nearest_support_by_hamming_distance():
    # Manifolds are 4 apart; each point flips one bit of its own, so that points are 2 apart.
    code = np.repeat(np.repeat(np.eye(5, dtype=bool), 2, axis=1)[:, None], 4, axis=1)
    own = np.broadcast_to(np.eye(4, dtype=bool), (5, 4, 4))
    bits = np.concatenate([code, own], axis=2)
    assert one_shot_hamming_accuracy(bits, 5, 20, 0) == 1
    assert one_shot_hamming_accuracy(own, 5, 20, 0) < 0.5


def test_more_ways_are_harder_and_episodes_follow_their_seed():
    values = typical(100)[0].values
    few, many = (one_shot_accuracy(values, way, 100, 0) for way in (5, 50))
    assert many < few
    assert one_shot_accuracy(values, 5, 100, 0) == few
    assert one_shot_accuracy(values, 5, 100, 1) != few


def test_every_measure_is_exactly_invariant_to_the_order_of_manifolds():
    view, gammas = typical()
    expected = measure(view, gammas, (5, 30), 20, 500, 0)
    of_pairs = measure_pairs(view, gammas, 500, 0)
    alone = {
        variances: (view.values,),
        variance_ratio: (view.values,),
        effective_rank: (view.values,),
        one_shot_accuracy: (view.values, 5, 20, 0, view.centre),
        one_shot_hamming_accuracy: (view.bits, 5, 20, 0),
    }
    for seed in range(3):
        order = numpy_generator(seed, "order").permutation(30)
        assert measure(permuted(view, order), gammas[order], (5, 30), 20, 500, 0) == expected
        assert measure_pairs(permuted(view, order), gammas[order], 500, 0) == of_pairs
        assert ridge_r2(view.values[order], gammas[order]) == expected["ridge_r2"]
        for metric, (values, *rest) in alone.items():
            assert metric(values[order], *rest) == metric(values, *rest)


def test_measures_of_pairs_computed_by_hand():
    # Two manifolds of two points; every pair of a kind is equally far apart.
    values = np.array([[[0, 0, 0], [2, 0, 0]], [[0, 3, 4], [2, 3, 4]]], np.float32)
    bits = np.array([[[0, 0, 0], [1, 0, 0]], [[0, 1, 1], [1, 1, 1]]], bool)
    found = measure_pairs(View(values, bits, ~bits, np.zeros(3)), None, 4000, 0)
    assert found["intra_distance"] == 4
    assert found["inter_distance"] == pytest.approx(27, abs=0.2)  # 25 or 29
    assert found["separation"] == pytest.approx(25 / 4)
    assert found["pair_auc"] == 1
    assert found["hamming_intra"] == pytest.approx(1 / 3)
    assert found["hamming_inter"] == pytest.approx(2.5 / 3, abs=0.01)  # 2 or 3
    assert found["sign_hamming_intra"] == found["hamming_intra"]
    assert "distance_correlation" not in found
    exponent = math.log(1 - found["hamming_intra"]) / math.log(1 - found["hamming_inter"])
    assert found["lsh_exponent"] == pytest.approx(exponent)


def test_bits_and_signs_are_told_apart():
    view, _ = typical()
    found = measure_pairs(view, None, 500, 0)
    swapped = measure_pairs(replace(view, bits=view.signs, signs=view.bits), None, 500, 0)
    assert found["hamming_intra"] != found["sign_hamming_intra"]
    assert found["hamming_inter"] == pytest.approx(swapped["sign_hamming_inter"], abs=0.05)


def test_separation_is_a_low_percentile_of_the_distances_between_manifolds():
    values = noise(200, 10, 3)
    found = measure_pairs(view_of(values), None, 20000, 0)
    # Squared distances are 2 chi^2 of 3 degrees of freedom, within and between.
    assert found["separation"] == pytest.approx(stats.chi2.ppf(0.01, 3) / 3, rel=0.1)
    assert found["pair_auc"] == pytest.approx(0.5, abs=0.02)


def test_auc_counts_every_pairing_and_ties_half():
    low, high = np.array([0.0, 1, 1, 5]), np.array([1.0, 2, 6, 0])
    pairings = [(x < y) + 0.5 * (x == y) for x in low for y in high]
    assert invariance._auc(low, high) == np.mean(pairings)
    assert invariance._auc(low, low) == 0.5


def test_distances_that_follow_the_identifiers_correlate_with_them():
    gammas = noise(50, 3)
    view = view_of(np.repeat(gammas[:, None], 4, axis=1))
    assert measure_pairs(view, gammas, 500, 0)["distance_correlation"] == pytest.approx(1)
    # On a half circle the chord grows with the arc, but not in proportion.
    arc = numpy_generator(0, "arc").uniform(0, np.pi, (50, 1))
    circle = view_of(np.repeat(np.concatenate([np.cos(arc), np.sin(arc)], axis=1)[:, None], 4, 1))
    assert measure_pairs(circle, arc, 500, 0)["distance_correlation"] == pytest.approx(1)
    shuffled = measure_pairs(view, noise(50, 3, purpose="others"), 5000, 0)
    assert abs(shuffled["distance_correlation"]) < 0.2
    constant = measure_pairs(view, np.ones((50, 3)), 500, 0)
    assert math.isnan(constant["distance_correlation"])


def test_ridge_finds_identifiers_that_are_linear_in_the_representation():
    gammas = noise(200, 3)
    values = np.repeat((100 + gammas @ noise(3, 8, purpose="map"))[:, None], 4, axis=1)
    assert ridge_r2(values, gammas) > 0.99
    assert ridge_r2(1e-4 * values, gammas) == pytest.approx(ridge_r2(values, gammas), abs=1e-4)
    assert -0.2 < ridge_r2(noise(200, 4, 8), gammas) < 0.01


def test_ridge_is_that_of_scikit_learn_on_half_of_the_manifolds():
    view, gammas = typical(7, 3, 4)
    order = invariance.canonical_order(view.values, gammas)
    rows = view.values[order].astype(float)
    fit, test = rows[:3].reshape(9, 4), rows[3:].reshape(12, 4)
    fit_targets, test_targets = (np.repeat(gammas[each], 3, 0) for each in (order[:3], order[3:]))
    centre = fit.mean(axis=0)
    scale = np.sqrt(((fit - centre) ** 2).sum(axis=1).mean())
    model = Ridge(alpha=1e-3 * 9 / 4).fit((fit - centre) / scale, fit_targets)
    found = model.predict((test - centre) / scale)
    expected = r2_score(test_targets, found, multioutput="variance_weighted")
    assert ridge_r2(view.values, gammas) == pytest.approx(expected, rel=1e-6)


def test_ridge_of_a_constant_representation_finds_nothing():
    assert ridge_r2(np.ones((50, 3, 2), np.float32), noise(50, 3)) == pytest.approx(0, abs=0.3)
    assert ridge_r2(np.ones((50, 3, 2), np.float32), noise(50, 3)) <= 0


def test_effective_rank_counts_directions_of_equal_variance():
    corners = np.array(np.meshgrid(*[[-1, 1]] * 4)).reshape(4, -1).T.astype(np.float32)
    values = 5 + corners.reshape(4, 4, 4)
    assert effective_rank(values) == pytest.approx(4)
    assert effective_rank(values * [1, 0, 0, 0]) == pytest.approx(1)
    assert effective_rank(values * [2, 1, 0, 0]) == pytest.approx((4 + 1) ** 2 / (4**2 + 1))


def test_effective_rank_does_not_depend_on_how_it_is_computed():
    wide = noise(3, 4, 100).astype(np.float64)
    rotation = np.linalg.svd((wide - wide.mean((0, 1))).reshape(12, 100), full_matrices=False)[2]
    assert effective_rank(wide) == pytest.approx(effective_rank(wide @ rotation.T))


def test_measure_gives_all_metrics_in_the_order_of_the_tables():
    view, gammas = typical()
    names = list(measure(view, gammas, (30, 5, 31), 3, 50, 0))
    assert names == [
        "variance_ratio",
        "intra_variance",
        "total_variance",
        "intra_distance",
        "inter_distance",
        "separation",
        "pair_auc",
        "one_shot_accuracy_30",
        "one_shot_accuracy_5",
        "one_shot_hamming_accuracy_30",
        "one_shot_hamming_accuracy_5",
        "ridge_r2",
        "distance_correlation",
        "hamming_intra",
        "hamming_inter",
        "sign_hamming_intra",
        "sign_hamming_inter",
        "lsh_exponent",
        "effective_rank",
    ]
    without = list(measure(view, None, (30, 5), 3, 50, 0))
    assert without == [each for each in names if each not in ("ridge_r2", "distance_correlation")]


def test_measure_gives_what_each_measure_gives():
    view, gammas = typical()
    found = measure(view, gammas, (5,), 30, 400, 1)
    assert all(type(value) is float for value in found.values())
    assert found["variance_ratio"] == variance_ratio(view.values)
    assert (found["intra_variance"], found["total_variance"]) == variances(view.values)
    expected = one_shot_accuracy(view.values, 5, 30, 1, view.centre)
    assert found["one_shot_accuracy_5"] == expected
    assert found["one_shot_hamming_accuracy_5"] == one_shot_hamming_accuracy(view.bits, 5, 30, 1)
    assert found["ridge_r2"] == ridge_r2(view.values, gammas)
    assert found["effective_rank"] == effective_rank(view.values)
    of_pairs = measure_pairs(view, gammas, 400, 1)
    assert of_pairs == {name: found[name] for name in of_pairs}


def test_tensors_and_double_precision_are_read_as_well():
    values = typical()[0].values
    for metric in (variance_ratio, effective_rank, lambda each: one_shot_accuracy(each, 5, 20, 0)):
        assert metric(torch.from_numpy(values)) == metric(values)
    double = variance_ratio(values.astype(np.float64))
    assert double == pytest.approx(variance_ratio(values), rel=1e-12)


def test_inputs_are_left_as_they_were():
    view, gammas = typical()
    before = [each.copy() for each in (view.values, view.bits, view.signs, view.centre, gammas)]
    measure(view, gammas, (5,), 3, 50, 0)
    after = (view.values, view.bits, view.signs, view.centre, gammas)
    assert all(map(np.array_equal, before, after))


@pytest.mark.parametrize("shape", [(5, 3), (1, 5, 3), (5, 1, 3), (5, 3, 0)])
@pytest.mark.parametrize(
    "metric", [variances, effective_rank, lambda each: one_shot_accuracy(each, 2, 1, 0)]
)
def test_a_representation_of_the_wrong_shape_is_refused(metric, shape):
    with pytest.raises(ValueError, match=r"shape \(manifolds, points, d\)"):
        metric(np.ones(shape, np.float32))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_representation_that_is_not_finite_is_refused(bad):
    values = noise(5, 3, 2)
    values[2, 1, 0] = bad
    with pytest.raises(ValueError, match="must be finite"):
        variance_ratio(values)


def test_a_representation_that_is_not_of_floats_is_refused():
    with pytest.raises(ValueError, match="must be floats; got int64"):
        variance_ratio(np.ones((5, 3, 2), np.int64))


def test_a_representation_without_variance_is_refused():
    for metric in (variance_ratio, effective_rank):
        with pytest.raises(ValueError, match="all points are identical"):
            metric(np.full((5, 3, 2), 0.1))
    assert variances(np.full((5, 3, 2), 0.1)) == (0, 0)


@pytest.mark.parametrize(
    "changes", [{"way": 1}, {"way": 6}, {"episodes": 0}, {"queries": 0}], ids=str
)
def test_impossible_episodes_are_refused(changes):
    settings = {"way": 2, "episodes": 1, "seed": 0, **changes}
    with pytest.raises(ValueError, match="way must be from 2 to the 5 manifolds"):
        one_shot_accuracy(noise(5, 3, 2), **settings)
    with pytest.raises(ValueError, match="way must be from 2 to the 5 manifolds"):
        one_shot_hamming_accuracy(noise(5, 3, 2) > 0, **settings)


def test_bits_that_are_not_bool_are_refused():
    with pytest.raises(ValueError, match="bits must be bool; got uint8"):
        one_shot_hamming_accuracy(np.ones((5, 3, 2), np.uint8), 2, 1, 0)


def test_identifiers_that_do_not_fit_are_refused():
    view, gammas = typical()
    with pytest.raises(ValueError, match=r"gammas must have shape \(30, gamma_dim\)"):
        ridge_r2(view.values, gammas[:-1])
    with pytest.raises(ValueError, match=r"gammas must have shape \(30, gamma_dim\)"):
        measure_pairs(view, gammas[:-1], 10, 0)


def test_ridge_refuses_manifolds_too_few_to_be_halved():
    with pytest.raises(ValueError, match="at least 4 manifolds; got 3"):
        ridge_r2(noise(3, 4, 2), noise(3, 2))


def test_the_module_imports_no_torch():
    command = "import sys, neuralcodes.manifolds.invariance; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", command], check=False).returncode == 0
