"""Every metric of the registry, built-in or added, keeps what this file asks of all of them."""

import importlib.util
import itertools
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from code_cases import clustered
from sklearn.cluster import KMeans
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsOneClassifier
from threadpoolctl import threadpool_limits

from neuralcodes import metrics, papers
from neuralcodes.codes import packed as codes
from neuralcodes.metrics import clusters, registry, suite
from neuralcodes.papers import published

VALUES = Path(__file__).parents[2] / "resources/published"
UNITS, CLASSES = 12, 3
METRICS = [registry.get(name) for name in registry.names()]
of_every_metric = pytest.mark.parametrize("metric", METRICS, ids=registry.names())


@pytest.fixture(autouse=True)
def one_thread():
    with threadpool_limits(1):
        yield


def network(train=60, test=60, units=UNITS, noise=0.12, wrong=0.25):
    """Codes of classes that are easily told apart, some with a wrong label."""
    found = []
    for seed, examples in enumerate((train, test)):
        packed, labels = clustered(examples, units, CLASSES, noise, seed)
        generator = np.random.default_rng(seed)
        some = generator.random(examples) < wrong
        found.append((packed, np.where(some, generator.integers(0, CLASSES, examples), labels)))
    (packed, labels), (test_packed, test_labels) = found
    return packed, test_packed, units, labels, test_labels


def values_of(metric, given, **changes):
    settings = suite.MetricSettings(
        **{"knn_k": 5, "kmeans_clusters": None, "kmeans_restarts": 3, "names": (metric.name,)}
        | changes
    )
    return {split: value for split, _, value in suite.measure(*given, settings)}


@of_every_metric
def test_it_is_within_its_bounds_and_of_its_splits(metric):
    low, high = metric.bounds
    for given in (network(), network(9, 30), network(noise=0.5), network(units=1)):
        found = values_of(metric, given)
        assert tuple(found) == metric.splits
        assert all(low <= value <= high for value in found.values())
        assert all(type(value) is float for value in found.values())


@of_every_metric
@pytest.mark.parametrize("what", ["units", "test examples", "training examples"])
def test_order_does_not_matter(metric, what):
    # K-Means starts at random examples, and finds these clusters from any
    train, test, units, labels, test_labels = given = network(noise=0.04, units=24)
    generator = np.random.default_rng(5)
    if what == "units":
        order = generator.permutation(units)
        mixed = [codes.pack(codes.unpack(split, units)[:, order]) for split in (train, test)]
        changed = (*mixed, units, labels, test_labels)
    elif what == "test examples":
        order = generator.permutation(len(test))
        changed = (train, test[order], units, labels, test_labels[order])
    else:
        order = generator.permutation(len(train))
        changed = (train[order], test, units, labels[order], test_labels)
    # of equally near training codes the first votes: all of them do here
    neighbours = {"knn_k": len(train)} if what == "training examples" else {}
    assert values_of(metric, changed, **neighbours) == pytest.approx(
        values_of(metric, given, **neighbours), abs=1e-12
    )


@of_every_metric
def test_what_is_better_is_so_on_codes_that_tell_classes_apart(metric):
    sides = network(units=40, noise=0.02, wrong=0), network(units=40, noise=0.5, wrong=0)
    if metric.name.startswith("redundancy"):  # better where codes differ
        sides = sides[::-1]
    better, worse = (values_of(metric, side) for side in sides)
    for split in metric.splits:
        if metric.better == "higher":
            assert better[split] > worse[split]
        elif metric.better == "lower":
            assert better[split] < worse[split]


def distinct(packed, units):
    return 1 - len(np.unique(codes.unpack(packed, units), axis=0)) / len(packed)


def agreement(assignments, labels, fitted=None, fitted_labels=None, one_to_one=False):
    """Share of the labels that fit the best labelling of the clusters of the fitted codes."""
    fitted, fitted_labels = (assignments, labels) if fitted is None else (fitted, fitted_labels)
    count = np.array(
        [[np.sum((fitted == c) & (fitted_labels == k)) for k in range(CLASSES)] for c in range(3)]
    )
    if one_to_one:
        best = max(
            itertools.permutations(range(CLASSES)),
            key=lambda order: sum(count[c, k] for c, k in enumerate(order)),
        )
    else:
        best = count.argmax(1)
    return np.mean(np.array(best)[assignments] == labels)


def by_clusters(one_to_one, transfer):
    def reference(train, test, units, labels, test_labels):
        fits = [
            KMeans(CLASSES, n_init=3, random_state=9).fit(codes.unpack(each, units).astype(float))
            for each in (train, test)
        ]
        if transfer:
            found = fits[0].predict(codes.unpack(test, units).astype(float))
            yield agreement(found, test_labels, fits[0].labels_, labels, one_to_one)
            return
        for fit, own in zip(fits, (labels, test_labels), strict=True):
            yield agreement(fit.labels_, own, one_to_one=one_to_one)

    return reference


def by_neighbours(train, test, units, labels, test_labels):
    apart = (codes.unpack(train, units)[None] != codes.unpack(test, units)[:, None]).sum(2)
    nearest = np.argsort(apart, axis=1, kind="stable")[:, :5]
    votes = np.stack([(labels[nearest] == label).sum(1) for label in range(CLASSES)], 1)
    yield np.mean(votes.argmax(1) == test_labels)


def by_regression(train, test, units, labels, test_labels):
    model = OneVsOneClassifier(LogisticRegression(solver="liblinear", tol=1e-8, max_iter=1000))
    model.fit(codes.unpack(train, units).astype(float), labels)
    yield model.score(codes.unpack(test, units).astype(float), test_labels)


def varying(train, test, units, *_):
    both = np.concatenate([codes.unpack(each, units) for each in (train, test)])
    yield (both != both[0]).any(0).sum()


# a value for each split; the splits are equally large, so that a subset of equal n is the whole
REFERENCES = {
    "redundancy_ratio": lambda *given: (distinct(each, given[2]) for each in given[:2]),
    "redundancy_ratio_equal_n": lambda *given: [distinct(given[0], given[2])],
    "code_length": varying,
    "kmeans_accuracy": by_clusters(one_to_one=False, transfer=False),
    "kmeans_accuracy_one_to_one": by_clusters(one_to_one=True, transfer=False),
    "kmeans_accuracy_transfer": by_clusters(one_to_one=False, transfer=True),
    "kmeans_accuracy_transfer_one_to_one": by_clusters(one_to_one=True, transfer=True),
    "knn_accuracy": by_neighbours,
    "logistic_regression_accuracy": by_regression,
}


@of_every_metric
def test_it_is_what_an_independent_reference_gives(metric):
    given = network()
    expected = list(REFERENCES[metric.name](*given))
    assert list(values_of(metric, given).values()) == pytest.approx(expected, abs=1e-12)


def fixed(units):
    generator = np.random.default_rng(0)
    centres = generator.random((3, units)) < 0.5
    labels = np.arange(100) % 3
    packed = codes.pack(centres[labels] ^ (generator.random((100, units)) < 0.3))
    return packed[:60], packed[60:], units, labels[:60], labels[60:]


def test_the_values_of_a_fixed_case_stay():
    wide = [0, 0, 0, 20, 43 / 60, 0.625, 25 / 60, 0.225, 0.525, 0.35, 0.7, 0.65]
    narrow = [0.5, 0.4, 0.375, 6, 0.65, 0.7, 17 / 60, 0.3, 0.675, 0.2, 0.625, 0.7]
    for units, expected in ((20, wide), (6, narrow)):
        measured = suite.measure(*fixed(units))
        assert [value for *_, value in measured] == pytest.approx(expected, abs=1e-15)
    assert [(name, split) for split, name, _ in measured] == [
        (each.name, split) for each in METRICS for split in each.splits
    ]


def test_the_published_metrics_are_those_whose_published_values_are_kept():
    kept = set()
    for figure in papers.get("he2021").published.figures:
        kept |= set(published.he2021(figure, "mnist", VALUES)["metric"])
    assert {each.name for each in METRICS if "he2021" in each.published} == kept - {"test_accuracy"}


def test_each_split_is_clustered_once(monkeypatch):
    calls = []
    kmeans = clusters.kmeans
    monkeypatch.setattr(clusters, "kmeans", lambda *given: calls.append(given) or kmeans(*given))
    suite.measure(*network())
    assert len(calls) == 2


def test_the_settings_choose_metrics_and_parameters():
    settings = suite.MetricSettings(
        knn_k=1, kmeans_clusters=None, kmeans_restarts=1, names=("knn_accuracy", "kmeans_accuracy")
    )
    train, test, units, labels, test_labels = network()
    own = [
        metrics.clustering_accuracy(metrics.kmeans(packed, units, 3, 9, 1).assignments, classes)
        for packed, classes in ((train, labels), (test, test_labels))
    ]
    assert suite.measure(train, test, units, labels, test_labels, settings) == [
        ("train", "kmeans_accuracy", own[0]),
        ("test", "kmeans_accuracy", own[1]),
        ("test", "knn_accuracy", metrics.knn_accuracy(train, labels, test, test_labels, k=1)),
    ]


def test_a_training_split_smaller_than_the_test_split_is_taken_whole():
    small = network(train=10, test=90)
    measured = {name: value for _, name, value in suite.measure(*small)}
    assert measured["redundancy_ratio_equal_n"] == metrics.redundancy_ratio(small[0])


def test_an_unknown_metric_is_named():
    with pytest.raises(ValueError, match=r"unknown metrics \['knn'\].*knn_accuracy"):
        suite.MetricSettings(names=("knn",))
    with pytest.raises(ValueError, match="unknown metric 'knn'; there are redundancy_ratio, "):
        registry.get("knn")


@pytest.mark.parametrize("position", range(5))
def test_splits_that_do_not_fit_are_rejected(position):
    given = list(network())
    given[position] = given[position] + 8 if position == 2 else given[position][:-1].astype(float)
    with pytest.raises(ValueError, match=r"must be|need"):
        suite.measure(*given)


@pytest.mark.parametrize("accuracy", [metrics.knn_accuracy, metrics.logistic_regression_accuracy])
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
def test_a_single_metric_rejects_them_too(accuracy, change, message):
    splits = {
        "train": np.zeros((6, 1), np.uint8),
        "train_labels": np.zeros(6, int),
        "test": np.zeros((5, 1), np.uint8),
        "test_labels": np.zeros(5, int),
    } | change
    if accuracy is metrics.logistic_regression_accuracy:
        splits["units"] = 8
    with pytest.raises(ValueError, match=message):
        accuracy(**splits)


def test_no_warning_leaves_the_suite():
    equal = np.zeros((12, 1), np.uint8), np.zeros((12, 1), np.uint8)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        suite.measure(*equal, 4, np.zeros(12, int), np.ones(12, int))


OWN = '''
"""The share of units that are active."""

import numpy as np

from neuralcodes.metrics import registry
from neuralcodes.metrics.declaration import Look, Metric


def _measure(splits):
    for name, packed in (("train", splits.train), ("test", splits.test)):
        yield name, np.bitwise_count(packed).sum() / (len(packed) * splits.units)


registry.register(
    Metric(
        name="activity",
        measure=_measure,
        splits=("train", "test"),
        better=None,
        look=Look("Share of active units"),
    )
)
'''


def test_a_metric_in_a_file_of_ones_own_is_measured_like_any_other(tmp_path, monkeypatch):
    monkeypatch.setattr(registry, "_known", dict(registry._known))
    path = tmp_path / "activity.py"
    path.write_text(OWN)
    spec = importlib.util.spec_from_file_location("activity", path)
    spec.loader.exec_module(importlib.util.module_from_spec(spec))
    given = network()
    found = values_of(registry.get("activity"), given)
    assert found["test"] == codes.unpack(given[1], UNITS).mean()
    assert registry.names()[-1] == "activity"
    with pytest.raises(ValueError, match="a metric activity already"):
        spec.loader.exec_module(importlib.util.module_from_spec(spec))


def test_measuring_needs_neither_torch_nor_scikit_learn():
    code = "import sys; from neuralcodes.metrics import suite; print(*sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {"torch", "sklearn", "scipy", "pandas", "faiss"}.isdisjoint(found.stdout.split())
