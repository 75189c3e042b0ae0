import numpy as np
import pytest
from figure_cases import drawn_axes, point, summary_of

from neuralcodes.errors import DataError
from neuralcodes.figures import plotting
from neuralcodes.figures.marks import FigureSpec
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


def phase_summary(sizes=(100, 1000)):
    points = [point(w, e, n) for w in (5, 20, 40) for e in (0, 1, 10) for n in sizes]
    return summary_of(points)


def test_a_phase_chart_shows_the_means_of_the_largest_sample_and_of_the_last_epoch():
    summary = phase_summary()
    figure = plotting.draw(FigureSpec("phase_chart", x="width"), summary)
    axes = drawn_axes(figure)
    assert len(axes) == 6
    time, size = (axes[i].collections[0].get_array() for i in (0, 2))
    test = summary[(summary["metric"] == "redundancy_ratio") & (summary["split"] == "test")]
    full = test[test["sample_size"] == 1000].astype({"epoch": int})
    assert np.array_equal(time, full.pivot_table(index="epoch", columns="width", values="mean"))
    last = test[test["epoch"] == "10"]
    assert np.array_equal(
        size, last.pivot_table(index="sample_size", columns="width", values="mean")
    )
    assert [each.get_title() for each in axes[4:]] == ["n = 100", "n = 1\u2009000"]


def test_a_phase_chart_draws_a_border_between_regimes_only():
    rows = phase_summary(sizes=(100,))
    test = (rows["metric"] == "redundancy_ratio") & (rows["split"] == "test")
    rows.loc[test, "mean"] = np.where(rows.loc[test, "width"] == 5, 0.9, 0.2)
    figure = plotting.draw(FigureSpec("phase_chart", x="width"), rows)
    lines = drawn_axes(figure)[0].collections[-1].get_segments()
    assert sorted(segment.tolist() for segment in lines) == [
        [[1, row], [1, row + 1]] for row in range(3)
    ]
    assert [text.get_text() for text in drawn_axes(figure)[0].texts] == ["U", "C"]


def test_a_phase_chart_needs_knn_accuracy_on_the_test_split():
    summary = phase_summary()
    with pytest.raises(DataError, match=r"\['knn_accuracy'\] is not measured"):
        plotting.draw(FigureSpec("phase_chart"), summary[summary["metric"] != "knn_accuracy"])


def test_a_phase_chart_needs_a_second_dimension():
    with pytest.raises(DataError, match="several epochs or several sample sizes"):
        plotting.draw(FigureSpec("phase_chart"), summary_of([point(5), point(10)]))


def test_a_phase_chart_takes_its_thresholds_from_the_options():
    options = {"thresholds": {"under_expressive_redundancy": 0.2, "sufficient_redundancy": 0.1}}
    figure = plotting.draw(FigureSpec("phase_chart", options=options), phase_summary())
    letters = {text.get_text() for axes in drawn_axes(figure) for text in axes.texts}
    assert letters == {"U"}
