import math

import pytest

from neuralcodes.figures import phrases


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (1.0, "1"),
        (7e-17, "0"),
        (0.9, "0.90"),
        (0.9967, "0.997"),
        (0.99996, "1.0000"),
        (0.0123, "0.012"),
        (0.0007, "0.0007"),
        (0.05, "0.05"),
        (-0.5, "\u22120.50"),
        (3.14159, "3.14"),
        (42.42, "42.4"),
        (512.0, "512"),
        (266435.6, "266\u2009000"),
        (math.inf, "unbounded"),
        (math.nan, "unknown"),
    ],
)
def test_numbers_have_the_digits_that_tell_something(value, text):
    assert phrases.number(value) == text


def test_numbers_that_differ_are_told_apart_if_four_decimals_do():
    assert phrases.numbers(0.9051, 0.9058) == ["0.905", "0.906"]
    assert phrases.numbers(0.5, 0.5) == ["0.50", "0.50"]
    assert phrases.numbers(0.500001, 0.500002) == ["0.5000", "0.5000"]


@pytest.mark.parametrize(
    ("fraction", "signed", "text"),
    [
        (0.1, False, "10%"),
        (0.1, True, "+10%"),
        (-0.055, True, "\u22125.5%"),
        (0.0, True, "0%"),
        (0.631, False, "63%"),
        (1.0, False, "100%"),
        (0.9997, False, "99.97%"),
        (1e-6, False, "under 0.001%"),
    ],
)
def test_percentages_have_two_digits(fraction, signed, text):
    assert phrases.percent(fraction, signed=signed) == text


def test_shares_of_counts_are_words_at_their_ends():
    assert [phrases.share(n, 3) for n in (0, 2, 3)] == ["none", "2 of 3", "all"]


def test_parts_are_joined_as_in_running_text():
    assert [phrases.join(list("abc")[:n]) for n in range(4)] == ["", "a", "a and b", "a, b and c"]
    assert phrases.join(["a", "b"], "or") == "a or b"
    assert phrases.sentence(["one thing", "", "another"]) == "One thing; another."
    assert phrases.sentence([]) == ""


@pytest.mark.parametrize(
    ("factor", "value", "text"),
    [
        ("width", 8, "at width 8"),
        ("epoch", 0.0, "before training"),
        ("epoch", "final", "at the end of training"),
        ("epoch", 60.0, "at epoch 60"),
        ("sample_size", 1000, "with 1\u2009000 examples"),
        ("manifolds", 1, "with 1 training manifold"),
        ("layer", 2.0, "in layer 2"),
        ("activation", "leaky_relu", "with leaky ReLU"),
        (
            "recipe",
            "oursland2024_standardized",
            "with recipe \u201cOursland 2024, standardized\u201d",
        ),
        ("batch_norm", False, "with batch normalization off"),
        ("weight_decay", 1e-6, "at weight decay 1e\u221206"),
        ("a_new_factor", 3, "at a new factor 3"),
    ],
)
def test_places_on_factors_are_named(factor, value, text):
    assert phrases.at(factor, value) == text


@pytest.mark.parametrize(
    ("series", "text"),
    [
        (("redundancy_ratio", "test"), "test redundancy"),
        (("knn_accuracy", "test"), "K-NN accuracy"),
        (("kmeans_accuracy", "train"), "training K-Means accuracy"),
        (("train_accuracy", "train"), "training accuracy of the network"),
        (("one_shot_accuracy_20",), "20-way one-shot accuracy"),
        (("one_shot_hamming_accuracy_5",), "5-way one-shot accuracy by Hamming distance"),
        (("lsh_hamming",), "Hamming distance"),
        (("ridge_r2",), "ridge R\u00b2 of the identifier \u03b3"),
    ],
)
def test_metrics_are_named(series, text):
    assert phrases.metric_name(*series) == text
