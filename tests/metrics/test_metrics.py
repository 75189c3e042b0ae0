import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from threadpoolctl import threadpool_limits

from neuralcodes.codes import packed as codes
from neuralcodes.metrics import suite

BITS = hnp.arrays(bool, st.tuples(st.integers(1, 30), st.integers(0, 12)))


@pytest.fixture(autouse=True)
def one_thread():
    with threadpool_limits(1):
        yield


def splits(train=60, test=40, units=20, classes=3):
    generator = np.random.default_rng(0)
    centres = generator.random((classes, units)) < 0.5
    labels = np.arange(train + test) % classes
    packed = codes.pack(centres[labels] ^ (generator.random((train + test, units)) < 0.15))
    return packed[:train], packed[train:], units, labels[:train], labels[train:]


# redundancy


def test_redundancy_counts_the_codes_already_taken():
    bits = np.array([[0, 1], [0, 1], [1, 0], [0, 1]], bool)
    assert suite.redundancy_ratio(codes.pack(bits)) == 0.5
    assert suite.redundancy_ratio(codes.pack(np.eye(4, dtype=bool))) == 0


@given(BITS)
def test_redundancy_is_that_of_numpys_unique_rows(bits):
    ratio = suite.redundancy_ratio(codes.pack(bits))
    distinct = len(np.unique(bits, axis=0)) if bits.size else 1
    assert ratio == 1 - distinct / len(bits)
    assert 0 <= ratio < 1


@given(BITS, st.randoms(use_true_random=False))
def test_redundancy_ignores_the_order_of_units_and_examples(bits, random):
    units, examples = list(range(bits.shape[1])), list(range(len(bits)))
    random.shuffle(units)
    random.shuffle(examples)
    mixed = bits[examples][:, units]
    assert suite.redundancy_ratio(codes.pack(mixed)) == suite.redundancy_ratio(codes.pack(bits))


def test_redundancy_of_equal_codes_is_all_but_one():
    assert suite.redundancy_ratio(np.zeros((10, 0), np.uint8)) == 0.9
    assert suite.redundancy_ratio(np.full((10, 3), 7, np.uint8)) == 0.9


@pytest.mark.parametrize("packed", [np.zeros((4, 3)), np.zeros((0, 3), np.uint8)])
def test_redundancy_rejects_what_is_not_packed_codes(packed):
    with pytest.raises(ValueError, match="non-empty uint8 matrix"):
        suite.redundancy_ratio(packed)


def test_a_subset_is_drawn_without_replacement():
    packed = codes.pack(np.eye(50, dtype=bool))
    assert suite.redundancy_ratio_of_subset(packed, 40, seed=0) == 0
    twice = packed.repeat(2, axis=0)
    assert suite.redundancy_ratio_of_subset(twice, 100, seed=0) == 0.5


def test_a_subset_follows_its_seed():
    packed = codes.pack(np.random.default_rng(0).random((300, 8)) < 0.5)
    ratios = [suite.redundancy_ratio_of_subset(packed, 60, seed) for seed in (1, 1, 2, 3, 4)]
    assert ratios[0] == ratios[1]
    assert len(set(ratios)) > 1


@pytest.mark.parametrize("examples", [0, 5])
def test_a_subset_larger_than_the_split_is_rejected(examples):
    with pytest.raises(ValueError, match="cannot draw"):
        suite.redundancy_ratio_of_subset(np.zeros((4, 1), np.uint8), examples, seed=0)


# code length


def test_constant_units_do_not_count_towards_the_code_length():
    train = codes.pack(np.array([[1, 0, 0, 1, 1], [1, 0, 1, 1, 1]], bool))
    test = codes.pack(np.array([[1, 0, 1, 1, 0]], bool))
    assert suite.code_length(5, train) == 1
    assert suite.code_length(5, train, test) == 2


@given(BITS)
def test_code_length_is_the_number_of_columns_that_vary(bits):
    expected = int((bits != bits[0]).any(axis=0).sum())
    assert suite.code_length(bits.shape[1], codes.pack(bits)) == expected


def test_code_length_rejects_no_split_and_wrong_units():
    with pytest.raises(ValueError, match="at least one split"):
        suite.code_length(5)
    with pytest.raises(ValueError, match="9 units need 2 bytes"):
        suite.code_length(9, np.zeros((4, 1), np.uint8))


# the suite


def test_the_suite_reports_every_measure_of_its_splits():
    measured = suite.measure(*splits())
    assert [(split, name) for split, name, _ in measured] == [
        ("train", "redundancy_ratio"),
        ("test", "redundancy_ratio"),
        ("train", "redundancy_ratio_equal_n"),
        ("train", "code_length"),
        ("train", "kmeans_accuracy"),
        ("test", "kmeans_accuracy"),
        ("train", "kmeans_accuracy_one_to_one"),
        ("test", "kmeans_accuracy_one_to_one"),
        ("test", "kmeans_accuracy_transfer"),
        ("test", "kmeans_accuracy_transfer_one_to_one"),
        ("test", "knn_accuracy"),
        ("test", "logistic_regression_accuracy"),
    ]
    assert all(type(value) is float for *_, value in measured)


def test_the_suites_values_are_those_of_the_single_measures():
    train, test, units, labels, test_labels = splits()
    measured = {(split, name): value for split, name, value in suite.measure(*splits())}
    both = (train, labels, test, test_labels)
    assert measured["test", "redundancy_ratio"] == suite.redundancy_ratio(test)
    assert measured["train", "code_length"] == suite.code_length(units, train, test)
    assert measured["test", "knn_accuracy"] == suite.knn_accuracy(*both)
    assert measured["test", "logistic_regression_accuracy"] == (
        suite.logistic_regression_accuracy(*both, units)
    )
    for assignment, name in [("majority", ""), ("one-to-one", "_one_to_one")]:
        assert measured["train", f"kmeans_accuracy{name}"] == suite.kmeans_accuracy(
            train, units, labels, 10, assignment=assignment
        )
        found = suite.kmeans(train, units, 10)
        label = suite.cluster_labels(found.assignments, labels, 10, assignment)
        predicted = label[found.predict(test, units)]
        assert measured["test", f"kmeans_accuracy_transfer{name}"] == np.mean(
            predicted == test_labels
        )


def test_each_split_is_clustered_once(monkeypatch):
    calls = []
    kmeans = suite.kmeans
    monkeypatch.setattr(suite, "kmeans", lambda *given: calls.append(given) or kmeans(*given))
    suite.measure(*splits())
    assert len(calls) == 2


def test_the_settings_choose_measures_and_parameters():
    settings = suite.MetricSettings(
        knn_k=1, kmeans_clusters=None, kmeans_restarts=1, names=("knn_accuracy", "kmeans_accuracy")
    )
    train, test, units, labels, test_labels = splits()
    assert suite.measure(train, test, units, labels, test_labels, settings) == [
        (
            "train",
            "kmeans_accuracy",
            suite.clustering_accuracy(suite.kmeans(train, units, 3, 9, 1).assignments, labels),
        ),
        (
            "test",
            "kmeans_accuracy",
            suite.clustering_accuracy(suite.kmeans(test, units, 3, 9, 1).assignments, test_labels),
        ),
        ("test", "knn_accuracy", suite.knn_accuracy(train, labels, test, test_labels, k=1)),
    ]


def test_a_training_split_smaller_than_the_test_split_is_taken_whole():
    small = splits(train=10, test=90)
    measured = {name: value for _, name, value in suite.measure(*small)}
    assert measured["redundancy_ratio_equal_n"] == suite.redundancy_ratio(small[0])


def test_an_unknown_measure_is_named():
    with pytest.raises(ValueError, match=r"unknown metrics \['knn'\].*knn_accuracy"):
        suite.MetricSettings(names=("knn",))


@pytest.mark.parametrize("position", range(5))
def test_the_suite_rejects_splits_that_do_not_fit(position):
    given = list(splits())
    given[position] = given[position] + 8 if position == 2 else given[position][:-1].astype(float)
    with pytest.raises(ValueError, match=r"must be|need"):
        suite.measure(*given)


def test_measuring_needs_neither_torch_nor_scikit_learn():
    code = "import sys; import neuralcodes.metrics; print({'torch', 'sklearn'} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"
