import numpy as np
import pytest
from code_cases import clustered
from scipy.spatial.distance import cdist
from sklearn.cluster import KMeans, kmeans_plusplus
from threadpoolctl import threadpool_limits

from neuralcodes import metrics
from neuralcodes.codes import packed as codes
from neuralcodes.metrics import clustering
from neuralcodes.storage import threads


@pytest.fixture(autouse=True)
def one_thread():
    with threadpool_limits(1):
        yield


@pytest.mark.parametrize("units", [12, 40])
def test_the_first_centroids_are_those_of_scikit_learn(monkeypatch, units):
    packed, _ = clustered(500, units)
    started = []
    search = clustering._first_centroids
    monkeypatch.setattr(
        clustering, "_first_centroids", lambda *given: started.append(search(*given)) or started[-1]
    )
    metrics.kmeans(packed, units, 10, restarts=3)
    state = np.random.RandomState(9)
    values = codes.unpack(packed, units).astype(float)
    for rows in started:
        assert np.array_equal(rows, kmeans_plusplus(values, 10, random_state=state)[1])


@pytest.mark.parametrize(("units", "noise"), [(40, 0.3), (8, 0.1), (100, 0.25)])
def test_kmeans_finds_scikit_learns_clusters(units, noise):
    packed, labels = clustered(600, units, noise=noise)
    reference = KMeans(4, n_init=10, random_state=9).fit(codes.unpack(packed, units).astype(float))
    found = metrics.kmeans(packed, units, 4)
    assert found.inertia == pytest.approx(reference.inertia_, rel=1e-3)
    assert metrics.kmeans_accuracy(packed, units, labels, 4) == pytest.approx(
        metrics.clustering_accuracy(reference.labels_, labels), abs=0.01
    )


def test_bounds_leave_lloyds_result_as_it_is(monkeypatch):
    packed, _ = clustered(700, 30, noise=0.4)
    fast = metrics.kmeans(packed, 30, 8, restarts=2)
    monkeypatch.setattr(clustering, "SLACK", np.inf)  # every code is compared at every step
    slow = metrics.kmeans(packed, 30, 8, restarts=2)
    assert np.array_equal(fast.assignments, slow.assignments)
    np.testing.assert_allclose(fast.centroids, slow.centroids, rtol=1e-6)


@pytest.mark.parametrize(("name", "value"), [("DENSE_BYTES", 0), ("BLOCK_ROWS", 17)])
def test_clusters_do_not_depend_on_how_codes_are_held(monkeypatch, name, value):
    packed, _ = clustered(300, 30, noise=0.3)
    expected = metrics.kmeans(packed, 30, 5, restarts=3)
    monkeypatch.setattr(clustering, name, value)
    found = metrics.kmeans(packed, 30, 5, restarts=3)
    assert np.array_equal(found.assignments, expected.assignments)


def test_centroids_are_means_and_assignments_are_nearest():
    packed, _ = clustered(300, 20)
    found = metrics.kmeans(packed, 20, 4)
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
    found = metrics.kmeans(packed, 9, 10)
    assert len(found.centroids) == examples
    assert len(set(found.assignments)) == examples
    assert found.inertia == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("units", [0, 5])
def test_equal_codes_form_one_cluster(units):
    packed = codes.pack(np.ones((6, units), bool))
    labels = np.array([1, 1, 1, 2, 2, 0])
    assert metrics.kmeans_accuracy(packed, units, labels, 10) == 0.5


def test_clusters_of_one_network_are_not_asked_about_another():
    found = metrics.kmeans(codes.pack(np.eye(9, dtype=bool)), 9, 2)
    with pytest.raises(ValueError, match="same network"):
        found.predict(codes.pack(np.eye(12, dtype=bool)), 12)


@pytest.mark.parametrize(("clusters", "restarts"), [(0, 1), (1, 0)])
def test_kmeans_needs_a_cluster_and_a_restart(clusters, restarts):
    with pytest.raises(ValueError, match="must be at least 1"):
        metrics.kmeans(codes.pack(np.eye(3, dtype=bool)), 3, clusters, restarts=restarts)


def test_majority_lets_clusters_share_a_label_and_one_to_one_does_not():
    assignments = np.array([0, 0, 0, 1, 1, 1, 2, 2])
    labels = np.array([7, 7, 1, 7, 7, 1, 0, 1])
    assert metrics.cluster_labels(assignments, labels, 3).tolist() == [7, 7, 0]
    assert metrics.clustering_accuracy(assignments, labels) == 5 / 8
    one_to_one = metrics.cluster_labels(assignments, labels, 3, "one-to-one")
    assert sorted(one_to_one.tolist()) == [0, 1, 7]
    assert metrics.clustering_accuracy(assignments, labels, "one-to-one") == 4 / 8


@pytest.mark.parametrize("assignment", ["majority", "one-to-one"])
def test_an_empty_cluster_has_no_label(assignment):
    label = metrics.cluster_labels(np.array([0, 2]), np.array([0, 1]), 3, assignment)
    assert label.tolist() == [0, -1, 1]


def test_a_cluster_left_over_one_to_one_is_wrong():
    assignments, labels = np.array([0, 0, 1]), np.array([0, 0, 0])
    assert metrics.cluster_labels(assignments, labels, 2, "one-to-one").tolist() == [0, -1]
    assert metrics.clustering_accuracy(assignments, labels, "one-to-one") == 2 / 3


def test_an_unknown_assignment_is_rejected():
    with pytest.raises(ValueError, match='"majority" or "one-to-one"'):
        metrics.cluster_labels(np.array([0]), np.array([0]), 1, "greedy")


@pytest.mark.parametrize("change", [{"labels": np.zeros(5, int)}, {"units": 9}])
def test_codes_and_labels_that_do_not_fit_are_rejected(change):
    given = {"packed": np.zeros((6, 1), np.uint8), "units": 8, "labels": np.zeros(6, int)}
    with pytest.raises(ValueError, match=r"one per example|need 2 bytes"):
        metrics.kmeans_accuracy(**(given | change), clusters=2)


@pytest.mark.parametrize("count", [1, 2])
def test_clusters_are_equal_to_the_bit_on_one_thread_and_on_two(monkeypatch, count):
    train, _ = clustered(300, 30, noise=0.35)
    expected = metrics.kmeans(train, 30, 6)
    monkeypatch.setattr(threads, "available", lambda: count)
    assert np.array_equal(metrics.kmeans(train, 30, 6).centroids, expected.centroids)
