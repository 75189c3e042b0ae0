"""The examples in the docstrings of the public packages, run as they stand."""

import doctest
import importlib
import pkgutil

import pytest

from neuralcodes import codes, datasets, manifolds, metrics, perturbation

PACKAGES = (codes, datasets, manifolds, metrics, perturbation)
MODULES = [
    each.name
    for package in PACKAGES
    for each in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
]
EXPLAINED = (
    *(codes.pack, codes.unpack, codes.activation_code),
    *(metrics.redundancy_ratio, metrics.knn_accuracy, metrics.kmeans_accuracy),
    *(metrics.logistic_regression_accuracy, perturbation.sweep, perturbation.activation_range),
    *(manifolds.Family, manifolds.variance_ratio, manifolds.one_shot_accuracy, datasets.load),
)


@pytest.mark.parametrize("name", MODULES)
def test_examples_give_what_they_say(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


@pytest.mark.parametrize("function", EXPLAINED, ids=lambda each: each.__name__)
def test_what_is_called_from_outside_has_an_example(function):
    assert doctest.DocTestParser().get_examples(function.__doc__)
