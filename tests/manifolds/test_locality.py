import itertools
import math
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from neuralcodes.manifolds import locality
from neuralcodes.manifolds.locality import (
    View,
    bucket_collisions,
    canonical_order,
    curve,
    differing_bits,
    distance_densities,
    image_curve,
    in_order,
    lsh_exponent,
    random_pairs,
    sphere_pairs,
    squared_distances,
)
from neuralcodes.storage.randomness import numpy_generator

ANGLES = (0, 5, 30, 60, 90, 150, 180)


def noise(*shape, purpose="noise"):
    return numpy_generator(0, purpose).standard_normal(shape).astype(np.float32)


def view_of(values):
    return View(values, values > 0.1, values > 0, values.mean(axis=(0, 1)))


def permuted(view, order):
    names = ("values", "bits", "signs")
    return replace(view, **{name: getattr(view, name)[order] for name in names})


def at_angle(degrees, count=300, d=6):
    """Pairs of vectors of the given angle, of varied lengths, around a centre."""
    first, second = sphere_pairs(count, [degrees], d, 0)
    lengths = numpy_generator(0, "lengths").uniform(0.5, 2, (2, count, 1))
    centre = noise(d, purpose="centre")
    bits = np.zeros((count, 3), bool)
    return lengths[0] * first + centre, lengths[1] * second[0] + centre, centre, bits, bits


def test_pairs_are_of_one_manifold_or_of_two():
    pairs = random_pairs(4, 3, 2000, 0)
    for found, same in ((pairs.intra, True), (pairs.inter, False)):
        assert found.shape == (2, 2000)
        manifold = found // 3
        assert np.all((manifold[0] == manifold[1]) == same)
    assert np.all(pairs.intra[0] != pairs.intra[1])


def test_pairs_are_drawn_uniformly_from_all_there_are():
    pairs = random_pairs(3, 4, 60000, 0)
    for found, possible in ((pairs.intra, 3 * 4 * 3), (pairs.inter, 3 * 2 * 4 * 4)):
        _, counts = np.unique(found, axis=1, return_counts=True)
        assert len(counts) == possible
        assert stats.chisquare(counts).pvalue > 1e-4


def test_pairs_follow_their_seed():
    one, same, other = (random_pairs(9, 5, 50, seed) for seed in (0, 0, 1))
    assert np.array_equal(one.intra, same.intra) and np.array_equal(one.inter, same.inter)
    assert not np.array_equal(one.intra, other.intra)
    assert not np.array_equal(one.inter, other.inter)


@pytest.mark.parametrize("sizes", [(1, 5, 10), (5, 1, 10), (5, 5, 0)])
def test_impossible_pairs_are_refused(sizes):
    with pytest.raises(ValueError, match=f"got {sizes[0]}, {sizes[1]} and {sizes[2]}"):
        random_pairs(*sizes, 0)


def test_exponent_of_a_hash_by_hand():
    assert lsh_exponent(0.1, 1 - 0.9**4) == pytest.approx(1 / 4)
    assert lsh_exponent(0.3, 0.3) == 1
    assert lsh_exponent(0, 0.5) == 0
    assert all(map(math.isnan, (lsh_exponent(0.1, 0), lsh_exponent(0.1, 1), lsh_exponent(1, 0.5))))


def test_identifiers_on_the_sphere_have_the_angles_asked_for():
    first, second = sphere_pairs(200, ANGLES, 5, 0)
    assert first.shape == (200, 5) and second.shape == (7, 200, 5)
    assert first.dtype == second.dtype == np.float32
    for degrees, each in zip(ANGLES, second, strict=True):
        np.testing.assert_allclose(np.linalg.norm(each, axis=1), 1, rtol=1e-6)
        cosine = (first.astype(float) * each).sum(axis=1)
        np.testing.assert_allclose(cosine, math.cos(math.radians(degrees)), atol=1e-6)
        distance = 2 * math.sin(math.radians(degrees) / 2)
        np.testing.assert_allclose(np.linalg.norm(first - each, axis=1), distance, atol=1e-6)
    np.testing.assert_array_equal(second[0], first)


def test_identifiers_on_the_sphere_have_no_preferred_direction():
    first, second = sphere_pairs(20000, [90], 3, 0)
    for each in (first, second[0]):  # of a uniform point every coordinate is uniform on [-1, 1]
        for coordinate in each.T:
            assert stats.kstest(coordinate, stats.uniform(-1, 2).cdf).pvalue > 1e-4


@pytest.mark.parametrize(
    ("count", "angles", "gamma_dim"), [(0, [1], 3), (1, [1], 1), (1, [-1], 3), (1, [1, 181], 3)]
)
def test_impossible_angles_are_refused(count, angles, gamma_dim):
    with pytest.raises(ValueError, match="gamma_dim at least 2 and angles from 0 to 180 degrees"):
        sphere_pairs(count, angles, gamma_dim, 0)


@pytest.mark.parametrize("degrees", ANGLES)
def test_random_projections_collide_by_the_angle(degrees):
    found = curve(*at_angle(degrees), planes=512, seed=0)
    assert found["lsh_cosine"] == pytest.approx(math.cos(math.radians(degrees)), abs=1e-6)
    assert found["lsh_cosine_sd"] == pytest.approx(0, abs=1e-6)
    # One pair per plane is independent of the others; as many again would only narrow it.
    low, high = stats.binom.interval(0.9999, 512, 1 - degrees / 180)
    assert low / 512 - 1e-3 <= found["lsh_collision"] <= high / 512 + 1e-3


def test_one_pair_gives_a_binomial_number_of_collisions():
    first, second, centre, bits, _ = at_angle(40, count=1)
    low, high = stats.binom.interval(0.9999, 20000, 1 - 40 / 180)
    collision = curve(first, second, centre, bits, bits, 20000, 0)["lsh_collision"]
    assert low <= collision * 20000 <= high


def test_a_curve_computed_by_hand():
    first = np.array([[2.0, 1], [1, 3], [1, 1]])
    second = np.array([[9.0, 1], [1, -3], [5, 5]])
    bits = np.array([[0, 1, 1, 0], [0, 0, 0, 0], [1, 1, 1, 1]], bool)
    found = curve(first, second, np.ones(2), bits, np.zeros((3, 4), bool), 64, 0)
    # Cosines are 1, -1 and, for the point in the centre, 0.
    assert found["lsh_cosine"] == pytest.approx(0)
    assert found["lsh_cosine_sd"] == pytest.approx(math.sqrt(2 / 3))
    assert found["lsh_hamming"] == 6 / 12
    assert list(found) == ["lsh_cosine", "lsh_cosine_sd", "lsh_collision", "lsh_hamming"]
    halves = [curve(first[i : i + 1], second[i : i + 1], 1, bits, bits, 64, 0) for i in (0, 1)]
    assert [each["lsh_collision"] for each in halves] == [1, 0]


def test_planes_follow_their_seed():
    pairs = at_angle(40)
    one, same, other = (curve(*pairs, 8, seed)["lsh_collision"] for seed in (0, 0, 1))
    assert one == same != other


def test_sides_that_do_not_fit_are_refused():
    first, second, centre, bits, _ = at_angle(40, count=3)
    for sides in (
        (first, second[:2], centre, bits, bits),
        (first, second, centre, bits, bits[:, :2]),
        (first[0], second[0], centre, bits, bits),
    ):
        with pytest.raises(ValueError, match="both sides must have one shape"):
            curve(*sides, 8, 0)
    with pytest.raises(ValueError, match=r"at least 1 plane; got .* and 0"):
        curve(first, second, centre, bits, bits, 0, 0)


def test_cosine_falls_with_the_decile_of_the_distance_of_images_that_it_follows():
    originals = noise(80, 4)
    view = view_of(np.repeat(originals[:, None], 3, axis=1))
    rows = image_curve(view, originals, 4000, 64, 0)
    assert [position for position, _ in rows] == list(range(11))
    cosines = [found["lsh_cosine"] for _, found in rows]
    assert cosines[0] == pytest.approx(1) and rows[0][1]["lsh_hamming"] == 0
    assert all(after < before for before, after in itertools.pairwise(cosines))
    unrelated = image_curve(view, noise(80, 4, purpose="others"), 4000, 64, 0)
    assert np.ptp([found["lsh_cosine"] for _, found in unrelated[1:]]) < 0.3


def test_deciles_share_all_pairs_of_different_images():
    originals = noise(20, 4)
    view = view_of(noise(20, 3, 5))
    rows = image_curve(view, originals, 500, 16, 0)
    view, originals = in_order(view, originals)
    pairs = random_pairs(20, 3, 500, 0)
    apart = np.linalg.norm(originals[pairs.inter[0] // 3] - originals[pairs.inter[1] // 3], axis=1)
    centred = (view.values - view.centre).reshape(60, 5)
    one, other = (centred[each] for each in pairs.inter[:, np.argsort(apart)[150:200]])
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    cosine = (one * other).sum(axis=1) / lengths
    assert rows[4][1]["lsh_cosine"] == pytest.approx(cosine.mean(), rel=1e-5)
    assert rows[4][1]["lsh_cosine_sd"] == pytest.approx(cosine.std(), rel=1e-5)


def test_originals_that_do_not_fit_are_refused():
    view = view_of(noise(5, 3, 2))
    for originals, pairs in ((noise(4, 2), 100), (noise(5, 2, 2), 100), (noise(5, 2), 9)):
        with pytest.raises(ValueError, match=r"originals must have shape \(5, features\)"):
            image_curve(view, originals, pairs, 8, 0)


def test_buckets_of_bits_computed_by_counting_all_choices():
    bits = np.array([[[0, 0, 0, 0, 0], [1, 1, 0, 0, 0]], [[1, 1, 1, 0, 0], [0, 0, 1, 0, 0]]], bool)
    # Within a manifold 2 of 5 bits differ; between them 1 or 3 do.
    rows = bucket_collisions(bits, (1, 2, 3, 5, 6), pairs=4000, seed=0)
    assert [row[0] for row in rows] == [1, 2, 3, 5]
    inter = random_pairs(2, 2, 4000, 0).inter
    share = (differing_bits(bits, inter) * 5 - 1) / 2  # of pairs that differ in 3
    for k, intra, between in rows:
        choices = list(itertools.combinations(range(5), k))
        agreeing = [np.mean([min(each) >= h for each in choices]) for h in (1, 2, 3)]
        assert intra == pytest.approx(agreeing[1])
        assert between == pytest.approx((1 - share) * agreeing[0] + share * agreeing[2], rel=0.05)


def test_buckets_of_random_bits_halve_with_every_bit():
    rows = bucket_collisions(noise(300, 10, 64) > 0, pairs=20000, seed=0)
    assert [row[0] for row in rows] == [1, 2, 4, 8, 12, 16, 24, 32]
    for k, *found in rows[:4]:
        assert found == pytest.approx([0.5**k] * 2, rel=0.1)


def test_identical_codes_share_every_bucket():
    bits = np.repeat(noise(20, 1, 64) > 0, 4, axis=1)
    rows = bucket_collisions(bits, (1, 64), pairs=500, seed=0)
    assert [row[1] for row in rows] == [1, 1]
    assert rows[1][2] == 0


def test_buckets_do_not_depend_on_the_order_of_units():
    bits = noise(20, 4, 16) > 0
    bits = np.concatenate([bits, bits[:, :, :1] | bits[:, :, 1:2]], axis=2)
    counts = (1, 4, 8)
    for row, other in zip(
        bucket_collisions(bits, counts, pairs=20000, seed=0),
        bucket_collisions(bits[:, :, ::-1], counts, pairs=20000, seed=0),
        strict=True,
    ):
        assert row == pytest.approx(other, rel=0.1)


def test_impossible_buckets_are_refused():
    bits = noise(5, 3, 4) > 0
    for wrong, counts in ((bits.astype(np.uint8), (1,)), (bits[0], (1,)), (bits, (0, 1))):
        with pytest.raises(ValueError, match=r"bits must be bool .* and k at least 1"):
            bucket_collisions(wrong, counts, pairs=10, seed=0)


def test_densities_computed_by_hand():
    # Squared distances are 1 within and 9 (or 10) between two manifolds; one bin holds each.
    values = np.array([[[0, 0], [1, 0]], [[0, 3], [1, 3]]], np.float32)
    rows = distance_densities(view_of(values), 1000, 0, np.array([0, 0.5, 1.5, 2]))
    assert [row[0] for row in rows] == [0.25, 1, 1.75]
    assert [row[1] for row in rows] == [2, 0, 0]
    assert [row[2] for row in rows] == [0, 1, 0]


def test_densities_integrate_to_1_and_those_between_have_mean_1():
    rows = np.array(distance_densities(view_of(noise(100, 5, 8)), 20000, 0))
    assert rows.shape == (50, 3)
    np.testing.assert_allclose(rows[:, 0], np.arange(0.025, 2.5, 0.05))
    np.testing.assert_allclose(rows[:, 1:].sum(axis=0) * 0.05, 1)
    assert (rows[:, 0] * rows[:, 2]).sum() * 0.05 == pytest.approx(1, abs=0.01)


def test_distances_beyond_the_last_edge_are_in_the_last_bin():
    values = noise(20, 5, 2) + 0
    values[0] *= 1e3
    rows = np.array(distance_densities(view_of(values), 5000, 0, np.linspace(0, 1, 11)))
    np.testing.assert_allclose(rows[:, 1:].sum(axis=0) * 0.1, 1)
    assert rows[-1, 2] > 0.5


def test_densities_without_a_scale_are_refused():
    with pytest.raises(ValueError, match="distances have no scale"):
        distance_densities(view_of(np.ones((5, 3, 2), np.float32)), 10, 0)


def test_every_measure_is_exactly_invariant_to_the_order_of_manifolds():
    view, originals = view_of(noise(30, 4, 6)), noise(30, 5, purpose="originals")
    order = numpy_generator(0, "order").permutation(30)
    other = permuted(view, order)
    assert image_curve(view, originals, 200, 8, 0) == image_curve(
        other, originals[order], 200, 8, 0
    )
    assert bucket_collisions(view.bits, (1, 3), pairs=200, seed=0) == bucket_collisions(
        other.bits, (1, 3), pairs=200, seed=0
    )
    assert distance_densities(view, 200, 0) == distance_densities(other, 200, 0)


def test_the_canonical_order_depends_on_everything_that_belongs_to_a_manifold():
    equal, different = np.zeros((30, 2, 3), np.float32), noise(30, 4)
    order = numpy_generator(0, "order").permutation(30)
    found = order[canonical_order(equal[order], different[order])]
    assert np.array_equal(found, canonical_order(equal, different))
    assert sorted(found.tolist()) == list(range(30))
    with pytest.raises(ValueError, match=r"arrays differ in manifolds: \[30, 29\]"):
        canonical_order(equal, different[1:])


def test_the_canonical_order_does_not_sort_by_size():
    values = np.arange(1000, dtype=np.float32)[:, None]
    order = canonical_order(values)
    assert abs(np.corrcoef(order, np.arange(1000))[0, 1]) < 0.15


def test_what_belongs_together_stays_together_in_order():
    view, more = view_of(noise(30, 4, 6)), noise(30, 5)
    ordered, also = in_order(view, more)
    order = canonical_order(view.values, view.bits, view.signs, more)
    for name in ("values", "bits", "signs"):
        assert np.array_equal(getattr(ordered, name), getattr(view, name)[order])
    assert np.array_equal(also, more[order])
    assert in_order(view, None)[1] is None


def test_distances_of_pairs_do_not_depend_on_blocks(monkeypatch):
    values = noise(20, 5, 3)
    pairs = random_pairs(20, 5, 100, 0).inter
    rows = values.reshape(100, 3).astype(float)
    expected = ((rows[pairs[0]] - rows[pairs[1]]) ** 2).sum(axis=1)
    for size in (7, 100, 2048):
        monkeypatch.setattr(locality, "BLOCK", size)
        np.testing.assert_allclose(squared_distances(values, pairs), expected, rtol=1e-12)


def test_a_view_whose_parts_do_not_fit_is_refused():
    values, bits, centre = noise(5, 3, 2), np.zeros((5, 3, 4), bool), np.zeros(2)
    for wrong in ((values[0], centre), (values, np.zeros(3))):
        with pytest.raises(ValueError, match=r"values must have shape .* and centre \(d,\)"):
            View(wrong[0], bits, bits, wrong[1])
    for wrong in (bits[:4], bits.astype(np.uint8), bits[0]):
        with pytest.raises(ValueError, match=r"bits must be bool, shape \(5, 3\) and units"):
            View(values, wrong, bits, centre)
        with pytest.raises(ValueError, match=r"signs must be bool, shape \(5, 3\) and units"):
            View(values, bits, wrong, centre)


def test_the_module_imports_no_torch():
    command = "import sys, neuralcodes.manifolds.locality; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", command], check=False).returncode == 0
