import itertools

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from neuralcodes.figures import headlines, marks
from neuralcodes.figures.kinds import retrieval
from neuralcodes.measures import registry


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


def test_common_factors_of_hash_networks_and_metrics_of_retrieval_have_names(make_hash_run):
    assert make_hash_run().common_factors().keys() <= marks.FACTORS.keys()
    assert all(registry.look(name) for name in retrieval.METRICS)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *((0.0, "0"), (1.0, "1"), (0.9999, "0.9999"), (0.126, "0.13"), (0.00831, "0.0083")),
        *(
            (-0.72, "\u22120.72"),
            (12.34, "12.3"),
            (1234.5, "1\u2009230"),
            (float("nan"), "unknown"),
        ),
        (float("inf"), "unbounded"),
    ],
)
def test_numbers_of_headlines_have_sensible_digits(value, text):
    assert headlines.number(value) == text
