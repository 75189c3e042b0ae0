import numpy as np
import pytest
from code_cases import clustered
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.neighbors import KNeighborsClassifier

from neuralcodes import metrics
from neuralcodes.codes import hamming
from neuralcodes.codes import packed as codes


def brute_force_neighbours(train, test, k):
    distances = np.bitwise_count(train[None] ^ test[:, None]).sum(axis=2, dtype=int)
    return np.argsort(distances, axis=1, kind="stable")[:, :k]


@given(
    units=st.integers(0, 20),
    train=st.integers(1, 60),
    test=st.integers(1, 40),
    k=st.integers(1, 12),
    seed=st.integers(0, 1000),
)
@settings(deadline=None)
def test_neighbours_are_those_of_a_brute_force_search(units, train, test, k, seed):
    generator = np.random.default_rng(seed)
    packed = codes.pack(generator.random((train, units)) < 0.3)
    queries = codes.pack(generator.random((test, units)) < 0.3)
    expected = brute_force_neighbours(packed, queries, k)
    assert np.array_equal(hamming.nearest(packed, queries, k), expected)


@pytest.mark.parametrize("units", [250, 2100, 66_000])
def test_wide_codes_have_the_same_neighbours(units):
    generator = np.random.default_rng(1)
    packed = codes.pack(generator.random((70, units)) < 0.5)
    queries = np.concatenate([~packed[:20], packed[:3]])  # distances up to all units
    assert np.array_equal(
        hamming.nearest(packed, queries, 5), brute_force_neighbours(packed, queries, 5)
    )


def test_neighbours_do_not_depend_on_how_the_work_is_cut(monkeypatch):
    packed, _ = clustered(300, 30)
    queries, _ = clustered(90, 30, seed=1)
    expected = brute_force_neighbours(packed, queries, 9)
    monkeypatch.setattr(hamming, "COLUMNS", 37)
    monkeypatch.setattr(hamming, "QUERIES_PER_TASK", 20)
    monkeypatch.setattr(hamming, "COUNTABLE", 2)
    assert np.array_equal(hamming.nearest(packed, queries, 9), expected)


def test_of_equally_distant_codes_the_lower_index_votes():
    train = codes.pack(np.eye(8, dtype=bool))
    labels = np.array([5, 5, 3, 3, 3, 3, 3, 3])
    origin = codes.pack(np.zeros((1, 8), bool))
    assert metrics.knn_predict(train, labels, origin, k=2).tolist() == [5]


def test_of_equal_votes_the_lower_label_wins():
    train = codes.pack(np.eye(4, dtype=bool))
    origin = codes.pack(np.zeros((1, 4), bool))
    assert metrics.knn_predict(train, np.array([7, 2, 7, 2]), origin, k=4).tolist() == [2]


def test_knn_agrees_with_scikit_learn_where_no_distances_tie():
    # These codes differ from the empty code in 1, 2, 3, ... units.
    stairs = np.tri(40, 80, dtype=bool)
    labels = np.random.default_rng(0).integers(0, 3, 40)
    queries = np.zeros((1, 80), bool)
    reference = KNeighborsClassifier(9, metric="hamming", algorithm="brute").fit(stairs, labels)
    predicted = metrics.knn_predict(codes.pack(stairs), labels, codes.pack(queries))
    assert np.array_equal(predicted, reference.predict(queries))


def test_knn_accuracy_is_close_to_scikit_learns_where_they_do():
    train, labels = clustered(400, 40, noise=0.35)
    test, test_labels = clustered(200, 40, noise=0.35, seed=1)
    reference = KNeighborsClassifier(9, metric="hamming", algorithm="brute")
    reference.fit(codes.unpack(train, 40), labels)
    expected = reference.score(codes.unpack(test, 40), test_labels)
    assert metrics.knn_accuracy(train, labels, test, test_labels) == pytest.approx(
        expected, abs=0.03
    )


def test_with_few_training_codes_all_of_them_vote():
    train = codes.pack(np.array([[0, 0], [1, 1], [1, 1]], bool))
    test = codes.pack(np.array([[0, 0]], bool))
    assert metrics.knn_predict(train, np.array([4, 6, 6]), test, k=9).tolist() == [6]


def test_codes_without_units_are_all_neighbours():
    empty = np.zeros((5, 0), np.uint8)
    assert metrics.knn_accuracy(empty, np.arange(5), empty[:2], np.array([0, 1]), k=1) == 0.5


def test_knn_rejects_no_neighbours():
    train, labels = clustered(5, 8)
    with pytest.raises(ValueError, match="k must be at least 1"):
        metrics.knn_predict(train, labels, train, k=0)
