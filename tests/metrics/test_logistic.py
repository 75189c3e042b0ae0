import numpy as np
import pytest
from code_cases import clustered
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsOneClassifier
from threadpoolctl import threadpool_limits

from neuralcodes import metrics
from neuralcodes.codes import packed as codes
from neuralcodes.metrics import logistic
from neuralcodes.storage import threads


@pytest.fixture(autouse=True)
def one_thread():
    with threadpool_limits(1):
        yield


def reference_accuracy(train, labels, test, test_labels, units):
    model = OneVsOneClassifier(LogisticRegression(solver="liblinear", tol=1e-8, max_iter=1000))
    model.fit(codes.unpack(train, units).astype(float), labels)
    return model.score(codes.unpack(test, units).astype(float), test_labels)


@pytest.mark.parametrize(("units", "noise"), [(6, 0.2), (30, 0.35), (80, 0.4)])
def test_logistic_regression_scores_as_liblinear_does(units, noise):
    train, labels = clustered(400, units, noise=noise)
    test, test_labels = clustered(300, units, noise=noise, seed=1)
    assert metrics.logistic_regression_accuracy(
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


def test_narrow_and_wide_fits_score_alike(monkeypatch):
    train, labels = clustered(200, 60, noise=0.4)
    test, test_labels = clustered(200, 60, noise=0.4, seed=1)
    splits = (train, labels, test, test_labels)
    narrow = metrics.logistic_regression_accuracy(*splits, 60)
    monkeypatch.setattr(logistic, "NEWTON_FEATURES", 0)
    assert metrics.logistic_regression_accuracy(*splits, 60) == pytest.approx(narrow, abs=0.01)


def test_a_single_training_class_is_always_predicted():
    train, _ = clustered(20, 8)
    labels = np.full(20, 3)
    test_labels = np.array([3, 3, 1, 0])
    assert metrics.logistic_regression_accuracy(train, labels, train[:4], test_labels, 8) == 0.5


@pytest.mark.parametrize("units", [0, 3])
def test_equal_codes_are_labelled_with_the_most_frequent_class(units):
    packed = codes.pack(np.ones((9, units), bool))
    labels = np.array([2, 2, 2, 2, 5, 5, 5, 0, 0])
    assert metrics.logistic_regression_accuracy(packed, labels, packed, labels, units) == 4 / 9


def test_the_sum_of_scores_decides_between_equal_votes():
    # Three classes that beat each other in a circle; the second does so by far.
    weights = np.array([[3.0], [-1.0], [1.0]], np.float32)  # 1 beats 0, 0 beats 2, 2 beats 1
    predicted = logistic._vote(np.zeros((1, 0), np.uint8), 0, weights, 3)
    assert predicted.tolist() == [1]


def test_another_number_of_units_is_rejected():
    packed, labels = clustered(6, 8)
    with pytest.raises(ValueError, match="9 units need 2 bytes"):
        metrics.logistic_regression_accuracy(packed, labels, packed, labels, 9)


@pytest.mark.parametrize("count", [1, 2])
def test_weights_are_equal_to_the_bit_on_one_thread_and_on_two(monkeypatch, count):
    train, labels = clustered(300, 30, noise=0.35)
    groups = [np.flatnonzero(labels == label) for label in range(4)]
    fitted = logistic._fit_narrow(train, groups, 30)
    monkeypatch.setattr(threads, "available", lambda: count)
    assert np.array_equal(logistic._fit_narrow(train, groups, 30), fitted)
