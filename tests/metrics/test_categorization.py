import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from sklearn.cluster import KMeans, kmeans_plusplus
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsOneClassifier
from sklearn.neighbors import KNeighborsClassifier
from threadpoolctl import threadpool_limits

from neuralcodes.codes import hamming
from neuralcodes.codes import packed as codes
from neuralcodes.metrics import categorization, clustering, logistic, suite
from neuralcodes.storage import threads


@pytest.fixture(autouse=True)
def one_thread():
    with threadpool_limits(1):
        yield


def clustered(examples, units, classes=4, noise=0.2, seed=0):
    """Packed codes around one random code per class, and their labels."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, classes, examples)
    centres = np.random.default_rng(99).random((classes, units)) < 0.5
    return codes.pack(centres[labels] ^ (generator.random((examples, units)) < noise)), labels


def brute_force_neighbours(train, test, k):
    distances = np.bitwise_count(train[None] ^ test[:, None]).sum(axis=2, dtype=int)
    return np.argsort(distances, axis=1, kind="stable")[:, :k]


# K-NN


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
    assert suite.knn_predict(train, labels, origin, k=2).tolist() == [5]


def test_of_equal_votes_the_lower_label_wins():
    train = codes.pack(np.eye(4, dtype=bool))
    origin = codes.pack(np.zeros((1, 4), bool))
    assert suite.knn_predict(train, np.array([7, 2, 7, 2]), origin, k=4).tolist() == [2]


def test_knn_agrees_with_scikit_learn_where_no_distances_tie():
    # These codes differ from the empty code in 1, 2, 3, ... units.
    stairs = np.tri(40, 80, dtype=bool)
    labels = np.random.default_rng(0).integers(0, 3, 40)
    queries = np.zeros((1, 80), bool)
    reference = KNeighborsClassifier(9, metric="hamming", algorithm="brute").fit(stairs, labels)
    predicted = suite.knn_predict(codes.pack(stairs), labels, codes.pack(queries))
    assert np.array_equal(predicted, reference.predict(queries))


def test_knn_accuracy_is_close_to_scikit_learns_where_they_do():
    train, labels = clustered(400, 40, noise=0.35)
    test, test_labels = clustered(200, 40, noise=0.35, seed=1)
    reference = KNeighborsClassifier(9, metric="hamming", algorithm="brute")
    reference.fit(codes.unpack(train, 40), labels)
    expected = reference.score(codes.unpack(test, 40), test_labels)
    assert suite.knn_accuracy(train, labels, test, test_labels) == pytest.approx(expected, abs=0.03)


def test_with_few_training_codes_all_of_them_vote():
    train = codes.pack(np.array([[0, 0], [1, 1], [1, 1]], bool))
    test = codes.pack(np.array([[0, 0]], bool))
    assert suite.knn_predict(train, np.array([4, 6, 6]), test, k=9).tolist() == [6]


def test_codes_without_units_are_all_neighbours():
    empty = np.zeros((5, 0), np.uint8)
    assert suite.knn_accuracy(empty, np.arange(5), empty[:2], np.array([0, 1]), k=1) == 0.5


def test_knn_rejects_no_neighbours():
    train, labels = clustered(5, 8)
    with pytest.raises(ValueError, match="k must be at least 1"):
        suite.knn_predict(train, labels, train, k=0)


# K-Means


@pytest.mark.parametrize("units", [12, 40])
def test_the_first_centroids_are_those_of_scikit_learn(monkeypatch, units):
    packed, _ = clustered(500, units)
    started = []
    search = clustering._first_centroids
    monkeypatch.setattr(
        clustering, "_first_centroids", lambda *given: started.append(search(*given)) or started[-1]
    )
    suite.kmeans(packed, units, 10, restarts=3)
    state = np.random.RandomState(9)
    values = codes.unpack(packed, units).astype(float)
    for rows in started:
        assert np.array_equal(rows, kmeans_plusplus(values, 10, random_state=state)[1])


@pytest.mark.parametrize(("units", "noise"), [(40, 0.3), (8, 0.1), (100, 0.25)])
def test_kmeans_finds_scikit_learns_clusters(units, noise):
    packed, labels = clustered(600, units, noise=noise)
    reference = KMeans(4, n_init=10, random_state=9).fit(codes.unpack(packed, units).astype(float))
    found = suite.kmeans(packed, units, 4)
    assert found.inertia == pytest.approx(reference.inertia_, rel=1e-3)
    assert suite.kmeans_accuracy(packed, units, labels, 4) == pytest.approx(
        suite.clustering_accuracy(reference.labels_, labels), abs=0.01
    )


def test_bounds_leave_lloyds_result_as_it_is(monkeypatch):
    packed, _ = clustered(700, 30, noise=0.4)
    fast = suite.kmeans(packed, 30, 8, restarts=2)
    monkeypatch.setattr(clustering, "SLACK", np.inf)  # every code is compared at every step
    slow = suite.kmeans(packed, 30, 8, restarts=2)
    assert np.array_equal(fast.assignments, slow.assignments)
    np.testing.assert_allclose(fast.centroids, slow.centroids, rtol=1e-6)


@pytest.mark.parametrize(("name", "value"), [("DENSE_BYTES", 0), ("BLOCK_ROWS", 17)])
def test_clusters_do_not_depend_on_how_codes_are_held(monkeypatch, name, value):
    packed, _ = clustered(300, 30, noise=0.3)
    expected = suite.kmeans(packed, 30, 5, restarts=3)
    monkeypatch.setattr(clustering, name, value)
    found = suite.kmeans(packed, 30, 5, restarts=3)
    assert np.array_equal(found.assignments, expected.assignments)


def test_centroids_are_means_and_assignments_are_nearest():
    packed, _ = clustered(300, 20)
    found = suite.kmeans(packed, 20, 4)
    values = codes.unpack(packed, 20).astype(np.float32)
    for cluster in range(4):
        np.testing.assert_allclose(
            found.centroids[cluster], values[found.assignments == cluster].mean(axis=0), atol=1e-5
        )
    distances = cdist(values, found.centroids, "sqeuclidean")
    assert np.array_equal(found.assignments, distances.argmin(axis=1))
    assert found.inertia == pytest.approx(distances.min(axis=1).sum(), rel=1e-4)
    assert np.array_equal(found.predict(packed, 20), found.assignments)


@pytest.mark.parametrize("examples", [1, 3])
def test_there_are_never_more_clusters_than_distinct_codes(examples):
    packed = codes.pack(np.eye(examples, 9, dtype=bool)).repeat(2, axis=0)
    found = suite.kmeans(packed, 9, 10)
    assert len(found.centroids) == examples
    assert len(set(found.assignments)) == examples
    assert found.inertia == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("units", [0, 5])
def test_equal_codes_form_one_cluster(units):
    packed = codes.pack(np.ones((6, units), bool))
    labels = np.array([1, 1, 1, 2, 2, 0])
    assert suite.kmeans_accuracy(packed, units, labels, 10) == 0.5


def test_clusters_of_one_network_are_not_asked_about_another():
    found = suite.kmeans(codes.pack(np.eye(9, dtype=bool)), 9, 2)
    with pytest.raises(ValueError, match="same network"):
        found.predict(codes.pack(np.eye(12, dtype=bool)), 12)


@pytest.mark.parametrize(("clusters", "restarts"), [(0, 1), (1, 0)])
def test_kmeans_needs_a_cluster_and_a_restart(clusters, restarts):
    with pytest.raises(ValueError, match="must be at least 1"):
        suite.kmeans(codes.pack(np.eye(3, dtype=bool)), 3, clusters, restarts=restarts)


def test_majority_lets_clusters_share_a_label_and_one_to_one_does_not():
    assignments = np.array([0, 0, 0, 1, 1, 1, 2, 2])
    labels = np.array([7, 7, 1, 7, 7, 1, 0, 1])
    assert suite.cluster_labels(assignments, labels, 3).tolist() == [7, 7, 0]
    assert suite.clustering_accuracy(assignments, labels) == 5 / 8
    one_to_one = suite.cluster_labels(assignments, labels, 3, "one-to-one")
    assert sorted(one_to_one.tolist()) == [0, 1, 7]
    assert suite.clustering_accuracy(assignments, labels, "one-to-one") == 4 / 8


@pytest.mark.parametrize("assignment", ["majority", "one-to-one"])
def test_an_empty_cluster_has_no_label(assignment):
    label = suite.cluster_labels(np.array([0, 2]), np.array([0, 1]), 3, assignment)
    assert label.tolist() == [0, -1, 1]


def test_a_cluster_left_over_one_to_one_is_wrong():
    assignments, labels = np.array([0, 0, 1]), np.array([0, 0, 0])
    assert suite.cluster_labels(assignments, labels, 2, "one-to-one").tolist() == [0, -1]
    assert suite.clustering_accuracy(assignments, labels, "one-to-one") == 2 / 3


def test_an_unknown_assignment_is_rejected():
    with pytest.raises(ValueError, match='"majority" or "one-to-one"'):
        suite.cluster_labels(np.array([0]), np.array([0]), 1, "greedy")


# logistic regression


def reference_accuracy(train, labels, test, test_labels, units):
    model = OneVsOneClassifier(LogisticRegression(solver="liblinear", tol=1e-8, max_iter=1000))
    model.fit(codes.unpack(train, units).astype(float), labels)
    return model.score(codes.unpack(test, units).astype(float), test_labels)


@pytest.mark.parametrize(("units", "noise"), [(6, 0.2), (30, 0.35), (80, 0.4)])
def test_logistic_regression_scores_as_liblinear_does(units, noise):
    train, labels = clustered(400, units, noise=noise)
    test, test_labels = clustered(300, units, noise=noise, seed=1)
    assert logistic.logistic_regression_accuracy(
        train, labels, test, test_labels, units
    ) == pytest.approx(reference_accuracy(train, labels, test, test_labels, units), abs=0.005)


def reference_weights(groups, units):
    values = codes.unpack(np.concatenate(groups), units).astype(float)
    model = LogisticRegression(solver="liblinear", tol=1e-10, max_iter=10_000)
    model.fit(values, np.repeat([0, 1], [len(group) for group in groups]))
    return np.append(model.coef_[0], model.intercept_)


@pytest.mark.parametrize("fit", [logistic._fit_narrow, logistic._fit_wide])
@pytest.mark.parametrize("units", [5, 30, 150])
def test_the_weights_are_liblinears(fit, units):
    packed, labels = clustered(120, units, classes=2, noise=0.4)
    packed[::7] = packed[0]  # some codes more than once
    groups = [np.flatnonzero(labels == label) for label in range(2)]
    expected = reference_weights([packed[group] for group in groups], units)
    np.testing.assert_allclose(fit(packed, groups, units)[0], expected, atol=0.01, rtol=0.01)


def test_codes_too_wide_for_memory_are_fitted_block_by_block(monkeypatch):
    packed, labels = clustered(60, 90, classes=2, noise=0.4)
    groups = [np.flatnonzero(labels == label) for label in range(2)]
    expected = logistic._fit_wide(packed, groups, 90)
    monkeypatch.setattr(logistic, "WIDE_BYTES", 0)
    monkeypatch.setattr(codes.row_blocks, "__defaults__", (1000,))
    np.testing.assert_allclose(logistic._fit_wide(packed, groups, 90), expected, atol=0.005)


def test_narrow_and_wide_fits_score_alike(monkeypatch):
    train, labels = clustered(200, 60, noise=0.4)
    test, test_labels = clustered(200, 60, noise=0.4, seed=1)
    splits = (train, labels, test, test_labels)
    narrow = suite.logistic_regression_accuracy(*splits, 60)
    monkeypatch.setattr(logistic, "NEWTON_FEATURES", 0)
    assert suite.logistic_regression_accuracy(*splits, 60) == pytest.approx(narrow, abs=0.01)


def test_a_single_training_class_is_always_predicted():
    train, _ = clustered(20, 8)
    labels = np.full(20, 3)
    test_labels = np.array([3, 3, 1, 0])
    assert suite.logistic_regression_accuracy(train, labels, train[:4], test_labels, 8) == 0.5


@pytest.mark.parametrize("units", [0, 3])
def test_equal_codes_are_labelled_with_the_most_frequent_class(units):
    packed = codes.pack(np.ones((9, units), bool))
    labels = np.array([2, 2, 2, 2, 5, 5, 5, 0, 0])
    assert suite.logistic_regression_accuracy(packed, labels, packed, labels, units) == 4 / 9


def test_the_sum_of_scores_decides_between_equal_votes():
    # Three classes that beat each other in a circle; the second does so by far.
    weights = np.array([[3.0], [-1.0], [1.0]], np.float32)  # 1 beats 0, 0 beats 2, 2 beats 1
    predicted = logistic._vote(np.zeros((1, 0), np.uint8), 0, weights, 3)
    assert predicted.tolist() == [1]


# what all have in common


@pytest.mark.parametrize("accuracy", ["knn", "logistic_regression", "kmeans"])
def test_the_order_of_units_changes_no_accuracy(accuracy):
    train, labels = clustered(200, 24, noise=0.3)
    test, test_labels = clustered(100, 24, noise=0.3, seed=1)
    order = np.random.default_rng(0).permutation(24)
    mixed = [codes.pack(codes.unpack(split, 24)[:, order]) for split in (train, test)]
    function = {
        "knn": lambda a, b: suite.knn_accuracy(a, labels, b, test_labels),
        "logistic_regression": lambda a, b: suite.logistic_regression_accuracy(
            a, labels, b, test_labels, 24
        ),
        "kmeans": lambda a, b: suite.kmeans_accuracy(b, 24, test_labels, 4),
    }[accuracy]
    assert function(train, test) == pytest.approx(function(*mixed), abs=1e-9)


@pytest.mark.parametrize("accuracy", [suite.knn_accuracy, suite.logistic_regression_accuracy])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"train_labels": np.zeros(3, int)}, "one per example"),
        ({"test_labels": np.zeros((5, 1), int)}, "one per example"),
        ({"test_labels": np.zeros(5)}, "labels must be integers"),
        ({"train_labels": np.array([0, 0, -1, 0, 0, 0])}, "0 or more"),
        ({"train": np.zeros((0, 1), np.uint8)}, "train must be a non-empty"),
        ({"test": np.zeros((5, 1), np.int8)}, "test must be a non-empty"),
        ({"test": np.zeros((5, 2), np.uint8)}, "same network"),
    ],
)
def test_splits_that_do_not_fit_are_rejected(accuracy, change, message):
    splits = {
        "train": np.zeros((6, 1), np.uint8),
        "train_labels": np.zeros(6, int),
        "test": np.zeros((5, 1), np.uint8),
        "test_labels": np.zeros(5, int),
    } | change
    if accuracy is suite.logistic_regression_accuracy:
        splits["units"] = 8
    with pytest.raises(ValueError, match=message):
        accuracy(**splits)


def test_logistic_regression_rejects_another_number_of_units():
    packed, labels = clustered(6, 8)
    with pytest.raises(ValueError, match="9 units need 2 bytes"):
        suite.logistic_regression_accuracy(packed, labels, packed, labels, 9)


@pytest.mark.parametrize("change", [{"labels": np.zeros(5, int)}, {"units": 9}])
def test_kmeans_accuracy_rejects_what_does_not_fit(change):
    given = {"packed": np.zeros((6, 1), np.uint8), "units": 8, "labels": np.zeros(6, int)}
    with pytest.raises(ValueError, match=r"one per example|need 2 bytes"):
        suite.kmeans_accuracy(**(given | change), clusters=2)


@pytest.mark.parametrize("count", [1, 2])
def test_results_are_equal_to_the_bit_on_one_thread_and_on_two(monkeypatch, count):
    train, labels = clustered(300, 30, noise=0.35)
    expected = suite.kmeans(train, 30, 6)
    groups = [np.flatnonzero(labels == label) for label in range(4)]
    fitted = logistic._fit_narrow(train, groups, 30)
    monkeypatch.setattr(threads, "available", lambda: count)
    assert np.array_equal(suite.kmeans(train, 30, 6).centroids, expected.centroids)
    assert np.array_equal(logistic._fit_narrow(train, groups, 30), fitted)


def test_threads_keep_the_order_and_pass_errors_on(monkeypatch):
    monkeypatch.setattr(threads, "available", lambda: 3)
    assert threads.in_threads(lambda item: item * 2, range(20)) == list(range(0, 40, 2))
    with pytest.raises(ZeroDivisionError):
        threads.in_threads(lambda item: 1 / item, [1, 0, 2])


def test_no_warning_leaves_the_measures():
    packed = codes.pack(np.zeros((12, 4), bool))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert suite.kmeans_accuracy(packed, 4, np.zeros(12, int), 10) == 1
        assert categorization.knn_accuracy(packed, np.zeros(12, int), packed, np.ones(12, int)) == 0
