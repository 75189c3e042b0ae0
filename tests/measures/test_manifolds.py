import dataclasses
import itertools
import math

import numpy as np
import pytest
import torch

from neuralcodes.manifolds import invariance
from neuralcodes.manifolds.manifolddata import Generated, source_of
from neuralcodes.manifolds.representations import Member
from neuralcodes.measures.embedding import measure_embedding
from neuralcodes.measures.locality import measure_locality
from neuralcodes.measures.manifolds import measure_manifolds
from neuralcodes.measures.unseen import PURPOSE
from neuralcodes.networks import modelfiles
from neuralcodes.storage import rows

CPU = torch.device("cpu")
SEEDS = [0, 3]
NAMES = ("input", "untrained", "trained")
SETTINGS = {
    **{"unseen": 24, "points": 4, "seen": 5, "centre_points": 20, "ways": [3, 7, 30]},
    **{"episodes": 4, "pairs": 60, "angles": [0, 60, 90, 180], "planes": 16, "shown": 3},
}
ON_SEEN = {"variance_ratio", "intra_variance", "total_variance"}
OF_IDENTIFIERS = {"ridge_r2", "distance_correlation"}
ON_UNSEEN = ON_SEEN | {
    *("intra_distance", "inter_distance", "separation", "pair_auc", "effective_rank"),
    *("one_shot_accuracy_3", "one_shot_accuracy_7", "lsh_exponent"),
    *("one_shot_hamming_accuracy_3", "one_shot_hamming_accuracy_7"),
    *("hamming_intra", "hamming_inter", "sign_hamming_intra", "sign_hamming_inter"),
}
LOCALITY = {"lsh_cosine", "lsh_cosine_sd", "lsh_collision", "lsh_hamming"}


@pytest.fixture(scope="module")
def run(make_hash_run):
    return make_hash_run()


@pytest.fixture(scope="module")
def model(run, train_hash):
    return train_hash(run, SEEDS)


@pytest.fixture(scope="module")
def measured(model):
    return list(measure_manifolds(model, [], SETTINGS, CPU))


@pytest.fixture(scope="module")
def curves(model):
    return list(measure_locality(model, [], SETTINGS, CPU))


@pytest.fixture(scope="module")
def of_images(make_hash_run, train_hash, pictures):
    """Model file and dataset.json of a convolutional network of images of two classes."""
    run = make_hash_run(
        **{"dataset": "pictures", "family": "images", "network": "cnn", "manifolds": 12},
        classes="0-1",
    )
    return train_hash(run, [5], pictures), [str(pictures / "dataset.json")]


def value(table, seed, split, representation, metric, position=""):
    found = [
        row
        for row in table
        if row[1] == seed and row[3:7] == (split, representation, position, metric)
    ]
    assert len(found) == 1, (seed, split, representation, metric, position)
    return found[0][7]


def encoded(model, name, seed, points):
    """Representation of points (manifolds, points, d) by the file's own network, unbatched."""
    if name == "input":
        return points.numpy()
    ensemble = modelfiles.load(model, "0" if name == "untrained" else "final")
    values = ensemble.represent(points.flatten(0, 1))[1][SEEDS.index(seed)]
    return values.reshape(*points.shape[:2], -1).numpy()


def test_every_split_and_representation_has_every_metric(measured):
    for seed, name in itertools.product(SEEDS, NAMES):
        own = [row for row in measured if (row[1], row[4]) == (seed, name)]
        seen = {row[6] for row in own if row[3] == "seen"}
        assert seen == ON_SEEN | ({"accuracy"} if name == "trained" else set())
        unseen = {row[6] for row in own if row[3] == "unseen"}
        assert unseen == ON_UNSEEN | OF_IDENTIFIERS | {"generalization_gap"}
        assert {row[3] for row in own} == {"seen", "unseen"}


def test_images_have_a_split_of_unseen_classes_and_no_identifiers_to_regress(of_images):
    model, data = of_images
    table = list(measure_manifolds(model, data, SETTINGS, CPU))
    assert all(len(row) == len(rows.MANIFOLD_COLUMNS) for row in table)
    for name in NAMES:
        metrics = {
            split: {row[6] for row in table if (row[3], row[4]) == (split, name)}
            for split in ("seen", "unseen", "unseen_classes")
        }
        assert metrics["seen"] == ON_SEEN | ({"accuracy"} if name == "trained" else set())
        assert metrics["unseen"] == ON_UNSEEN | {"generalization_gap"}
        assert metrics["unseen_classes"] == ON_UNSEEN


@pytest.mark.parametrize("name", NAMES)
def test_variances_are_those_of_new_points_by_hand(measured, model, run, name):
    for seed, (split, manifolds) in itertools.product(SEEDS, {"seen": 5, "unseen": 24}.items()):
        points = source_of(run, seed, None).sample(split, manifolds, 4, "measure").points
        assert len(points) == manifolds
        values = encoded(model, name, seed, points).astype(np.float64)
        within = ((values - values.mean(1, keepdims=True)) ** 2).sum() / (manifolds * 3)
        total = ((values - values.mean((0, 1))) ** 2).sum(2).mean()
        found = (
            value(measured, seed, split, name, f"{each}_variance") for each in ("intra", "total")
        )
        assert list(found) == pytest.approx([within, total], rel=1e-4)
        ratio = value(measured, seed, split, name, "variance_ratio")
        assert ratio == pytest.approx(within / total, rel=1e-4)


def test_unseen_manifolds_are_measured_as_invariance_does(measured, model):
    for member in Member.all_of(model, [], 20, CPU):
        sample = member.source.sample("unseen", 24, 4, "measure")
        for each in member.representations:
            expected = invariance.measure(
                *(each.view(sample.points), sample.identifiers, [3, 7], 4, 60, member.seed)
            )
            assert set(expected) == ON_UNSEEN | OF_IDENTIFIERS
            for metric, number in expected.items():
                found = value(measured, member.seed, "unseen", each.name, metric)
                assert found == pytest.approx(number, nan_ok=True), metric


def test_the_gap_is_what_seen_manifolds_lack_of_the_variance_of_unseen_ones(measured):
    for seed, name in itertools.product(SEEDS, NAMES):
        seen, unseen = (
            value(measured, seed, split, name, "variance_ratio") for split in ("seen", "unseen")
        )
        gap = value(measured, seed, "unseen", name, "generalization_gap")
        assert gap == pytest.approx(1 - seen / unseen)


def test_accuracy_is_that_of_new_points_of_training_manifolds_by_hand(measured, model, run):
    for i, seed in enumerate(SEEDS):
        points = source_of(run, seed, None).sample("seen", 5, 4, "measure").points
        found = modelfiles.load(model, "final").predict(points.flatten(0, 1))[i].tolist()
        right = sum(each == place // 4 for place, each in enumerate(found))
        assert value(measured, seed, "seen", "trained", "accuracy") == right / 20


def test_a_network_that_has_learned_its_manifolds_is_right(make_hash_run, train_hash):
    run = make_hash_run(manifolds=3, points=40, width=200, steps=150, theta_dim=1)
    table = list(measure_manifolds(train_hash(run, [1]), [], SETTINGS, CPU))
    assert value(table, 1, "seen", "trained", "accuracy") > 0.9
    ratios = [value(table, 1, "seen", name, "variance_ratio") for name in NAMES]
    assert ratios[2] < 0.5 * min(ratios[:2])


def test_baselines_do_not_depend_on_the_training(measured, run, train_hash):
    other = dataclasses.replace(run, weight_decay=0.0, learning_rate=0.03, steps=9)
    found = {
        row[1:7]: row[7] for row in measure_manifolds(train_hash(other, SEEDS), [], SETTINGS, CPU)
    }
    before = {row[1:7]: row[7] for row in measured}
    assert found.keys() == before.keys()
    for key in before:
        if key[3] != "trained":
            assert found[key] == pytest.approx(before[key], nan_ok=True), key
    changed = [key for key in before if found[key] != before[key]]
    assert {key[3] for key in changed} == {"trained"}


@pytest.mark.parametrize("measure", [measure_manifolds, measure_locality])
def test_the_order_of_the_seeds_does_not_matter(measure, model, run, train_hash):
    tables = [
        {row[:7]: row[7] for row in measure(path, [], SETTINGS, CPU)}
        for path in (model, train_hash(run, SEEDS[::-1]))
    ]
    assert tables[0].keys() == tables[1].keys()
    for key, number in tables[0].items():
        assert tables[1][key] == pytest.approx(number, rel=1e-4, abs=1e-6, nan_ok=True), key


def test_seeds_have_manifolds_of_their_own(measured):
    first, second = (value(measured, seed, "unseen", "input", "intra_distance") for seed in SEEDS)
    assert first != second


def test_the_curve_has_a_position_per_angle(curves):
    distances = [0, 1, math.sqrt(2), 2]
    for seed, name, metric in itertools.product(SEEDS, NAMES, sorted(LOCALITY)):
        own = [row for row in curves if (row[1], row[4], row[6]) == (seed, name, metric)]
        assert [row[5] for row in own] == pytest.approx(distances)
        assert {row[3] for row in own} == {"unseen"}
    assert {row[6] for row in curves} == LOCALITY | {
        *("bucket_intra", "bucket_inter", "distance_density_intra", "distance_density_inter"),
    }


def test_buckets_have_as_many_bits_as_there_are(curves):
    for name, widest in (("input", [1, 2, 4, 8, 12, 16]), ("trained", [1, 2, 4, 8])):
        for metric in ("bucket_intra", "bucket_inter"):
            own = [row for row in curves if (row[1], row[4], row[6]) == (0, name, metric)]
            assert [row[5] for row in own] == widest
            assert all(0 <= row[7] <= 1 for row in own)
            falling = [row[7] for row in own]
            assert falling == sorted(falling, reverse=True)


def test_densities_are_of_distances_over_their_mean(curves):
    for seed, name in itertools.product(SEEDS, NAMES):
        for metric in ("distance_density_intra", "distance_density_inter"):
            own = [row for row in curves if (row[1], row[4], row[6]) == (seed, name, metric)]
            assert [row[5] for row in own] == pytest.approx(np.arange(0.025, 2.5, 0.05))
            assert sum(row[7] for row in own) * 0.05 == pytest.approx(1)
    inter = [
        row for row in curves if (row[1], row[4], row[6]) == (0, "input", "distance_density_inter")
    ]
    # each in the middle of its bin, so nearly the mean, 1
    assert sum(row[5] * row[7] for row in inter) * 0.05 == pytest.approx(1, abs=0.05)


def test_pairs_of_the_curve_are_as_far_apart_as_they_say(model, monkeypatch):
    asked = []

    def points_of(self, gammas, points, purpose):
        drawn = real(self, gammas, points, purpose)
        if purpose.startswith("curve"):
            asked.append((gammas.numpy(), drawn.numpy()))
        return drawn

    real = Generated.points_of
    monkeypatch.setattr(Generated, "points_of", points_of)
    list(measure_locality(model, [], SETTINGS, CPU))
    assert len(asked) == len(SEEDS) * len(NAMES) * 5
    for start in range(0, len(asked), 5):
        (first, points), *others = asked[start : start + 5]
        assert first.shape == (24, 3)
        assert points.shape == (24, 1, 16)
        for degrees, (second, drawn) in zip([0, 60, 90, 180], others, strict=True):
            cosine = (first * second).sum(1)
            np.testing.assert_allclose(cosine, math.cos(math.radians(degrees)), atol=1e-5)
            assert not np.isclose(points, drawn).all(2).any(), "points of their own"


def test_opposite_manifolds_without_a_constant_are_one(make_hash_run, train_hash):
    run = make_hash_run(family="poly_no_constant", theta_dim=1)
    settings = SETTINGS | {"unseen": 2000}
    table = list(measure_locality(train_hash(run, [2]), [], settings, CPU))
    # x(-gamma, theta + pi) = x(gamma, theta), and theta is uniform
    for metric, sign in (("lsh_cosine", 1), ("lsh_collision", 1), ("lsh_hamming", -1)):
        same, orthogonal, opposite = (
            next(row[7] for row in table if row[4] == "trained" and row[5:7] == (place, metric))
            for place in (0, 2 * math.sin(math.radians(90) / 2), 2)
        )
        assert same == pytest.approx(opposite, abs=0.04)
        assert sign * (same - orthogonal) > 0.035


def test_images_are_compared_by_the_decile_of_their_distance(of_images):
    table = list(measure_locality(*of_images, SETTINGS, CPU))
    for name, metric in itertools.product(NAMES, sorted(LOCALITY)):
        own = [row for row in table if row[4] == name and row[6] == metric]
        assert [row[5] for row in own] == list(range(11))
    assert {row[3] for row in table} == {"unseen"}


def test_the_embedding_is_of_the_first_seed(model, run):
    table = list(measure_embedding(model, [], SETTINGS, CPU))
    assert all(len(row) == len(rows.EMBEDDING_COLUMNS) for row in table)
    assert {row[:6] for row in table} == {(run.id, 0, "final", "unseen", name, 0) for name in NAMES}
    points = source_of(run, 0, None).sample("unseen", 3, 4, "measure").points
    for name in NAMES:
        own = [row[6:] for row in table if row[4] == name]
        assert own[0][:3] == ("", "", "explained_variance")
        assert [row[:3] for row in own[1:]] == [
            (manifold, point, f"component_{number}")
            for manifold in range(3)
            for point in range(4)
            for number in (1, 2)
        ]
        found = np.array([row[3] for row in own[1:]]).reshape(12, 2)
        values = encoded(model, name, 0, points).reshape(12, -1).astype(np.float64)
        values -= values.mean(0)
        _, lengths, _ = np.linalg.svd(values, full_matrices=False)
        squares = lengths**2
        assert own[0][3] == pytest.approx(squares[:2].sum() / squares.sum(), rel=1e-4)
        # uncorrelated, each of the variance of its direction
        np.testing.assert_allclose(found.T @ found, np.diag(squares[:2]), rtol=1e-4, atol=1e-3)
        np.testing.assert_allclose(found.sum(0), 0, atol=1e-4)
        # no direction explains more: distances in the plane are those of the projection
        gram = values @ values.T
        left = gram - found @ found.T
        assert np.linalg.eigvalsh(left).max() == pytest.approx(squares[2], rel=1e-3)


def test_the_embedding_of_the_second_seed_needs_it_to_be_first(run, train_hash):
    table = list(measure_embedding(train_hash(run, SEEDS[::-1]), [], SETTINGS, CPU))
    assert {row[1] for row in table} == {row[5] for row in table} == {3}


def test_every_measure_evaluates_the_same_unseen_manifolds(model, monkeypatch):
    asked = set()
    real = Generated.sample

    def sample(self, split, manifolds, points, purpose):
        asked.add((split, manifolds, points, purpose))
        return real(self, split, manifolds, points, purpose)

    monkeypatch.setattr(Generated, "sample", sample)
    for measure in (measure_manifolds, measure_locality, measure_embedding):
        list(measure(model, [], SETTINGS, CPU))
    counts = {("seen", 5), ("unseen", 24), ("unseen", 3)}
    assert asked == {(split, manifolds, 4, PURPOSE) for split, manifolds in counts}
