import numpy as np
import pytest

from neuralcodes.metrics import phases


def test_regimes_of_a_hand_made_grid():
    redundancy = np.array([[0.9, 0.5, 0.49, 0.011], [0.01, 0.0, 0.0, np.nan]])
    knn = np.array([[0.99, 0.3, 0.9, 0.98], [0.98, 0.97, 0.96, 0.9]])
    # The best accuracy is 0.99, so that 0.97 is just within the margin and 0.96 is not.
    under, critical, sufficient = phases.REGIMES
    assert phases.regimes(redundancy, knn).tolist() == [
        [under, under, critical, critical],
        [sufficient, sufficient, critical, ""],
    ]


def test_regimes_without_knn_are_told_only_where_redundancy_decides():
    names = phases.regimes(np.array([0.9, 0.2, 0.0]), np.full(3, np.nan))
    assert names.tolist() == [phases.UNDER_EXPRESSIVE, phases.CRITICALLY_EXPRESSIVE, ""]


def test_regimes_take_the_best_accuracy_of_a_larger_chart():
    thresholds = phases.Thresholds(best_accuracy=0.99)
    names = phases.regimes(np.zeros(2), np.array([0.9, 0.98]), thresholds)
    assert names.tolist() == [phases.CRITICALLY_EXPRESSIVE, phases.SUFFICIENTLY_EXPRESSIVE]


def test_regimes_refuse_grids_of_two_shapes():
    with pytest.raises(ValueError, match=r"\(2,\) and \(3,\)"):
        phases.regimes(np.zeros(2), np.zeros(3))


def test_regimes_refuse_thresholds_out_of_order():
    with pytest.raises(ValueError, match="thresholds need"):
        phases.regimes(np.zeros(2), np.zeros(2), phases.Thresholds(sufficient_redundancy=0.6))
