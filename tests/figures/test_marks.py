import itertools

import numpy as np
import pandas as pd
import pytest
from figure_cases import drawn_axes, point, summary_of
from matplotlib.colors import to_rgb
from neuralcodes.figures.scales import Axis

from neuralcodes.figures import marks, plotting, retrievalcharts
from neuralcodes.figures.marks import FigureSpec


def test_epoch_zero_sits_left_of_a_break_and_is_labelled_zero():
    rows = pd.DataFrame({"epoch": [0.0, 1.0, 10.0, 100.0]})
    axis = Axis.of("epoch", rows)
    assert 0 < axis.place([0])[0] < 1
    assert axis.place([1, 100]).tolist() == [1, 100]
    figure = plotting.draw(
        FigureSpec("curves", x="epoch"), summary_of([point(40, e) for e in (0, 1, 10, 100)])
    )
    axes = drawn_axes(figure)[0]
    figure.draw_without_rendering()
    labels = [text.get_text() for text in axes.get_xticklabels()]
    assert labels == ["0", "1", "10", "100"]
    assert "//" in [text.get_text() for text in axes.texts]


def test_a_category_that_is_not_on_the_axis_is_refused():
    axis = Axis.of("batch_norm", pd.DataFrame({"batch_norm": [True, False]}))
    assert axis.place([False, True]).tolist() == [0, 1]
    with pytest.raises(ValueError, match="is not on the axis"):
        axis.place(["maybe"])


def luminance(color):
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(color)]
    relative = np.dot([0.2126, 0.7152, 0.0722], linear)
    return 116 * np.cbrt(relative) - 16 if relative > 0.008856 else 903.3 * relative


@pytest.mark.parametrize("count", [2, 3, 4, 6])
def test_the_ramp_gets_darker_in_steps_that_greyscale_shows(count):
    lightness = [luminance(color) for color in marks.ramp(count)]
    assert all(before - after >= 8 for before, after in itertools.pairwise(lightness))
    assert lightness[0] < 85


def test_metrics_of_one_panel_differ_in_greyscale():
    names = ("kmeans_accuracy", "logistic_regression_accuracy", "knn_accuracy", "test_accuracy")
    lightness = [luminance(marks.metric_color(name)) for name in names]
    assert all(before - after >= 8 for before, after in itertools.pairwise(lightness))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *((True, "on"), (False, "off"), (48000, "48\u2009000"), (1e-6, "1e-06"), (None, "none")),
        *(("poly2", "polynomial, degree 2"), ("hash", "random features"), ("0-4", "0-4")),
    ],
)
def test_values_are_written_for_readers(value, text):
    assert marks.value_label(value) == text


@pytest.mark.parametrize(
    ("metric", "label"),
    [
        ("one_shot_accuracy_20", "One-shot accuracy, 20-way"),
        ("one_shot_hamming_accuracy_100", "One-shot Hamming, 100-way"),
        ("one_shot_accuracy", "One shot accuracy"),
        ("variance_ratio", "Variance ratio \u03c1"),
        ("effective_rank", "Effective rank"),
    ],
)
def test_metrics_of_hash_networks_have_names(metric, label):
    assert marks.metric_label(metric) == label


def test_common_factors_of_hash_networks_have_names(make_hash_run):
    factors = make_hash_run().common_factors()
    assert factors.keys() <= marks.FACTORS.keys()
    assert marks.factor_label("relative_manifolds") == "Training manifolds m / threshold m*"


def test_metrics_of_retrieval_have_names():
    measured = {*retrievalcharts.MEASURED} - {"code_length"}
    assert measured <= marks.METRICS.keys()
