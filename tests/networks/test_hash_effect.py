"""The effect itself: hash networks trained on some manifolds hash others by their identifier."""

import numpy as np
import pytest
import torch

from neuralcodes.manifolds import invariance, manifolddata
from neuralcodes.manifolds.manifolddata import TrainingPoints
from neuralcodes.manifolds.representations import Representation
from neuralcodes.networks.hashnetworks import HashEnsemble
from neuralcodes.networks.training.loop import Training

CPU = torch.device("cpu")
SEEDS = (0, 1, 2)
SETTINGS = {"ways": (20, 100), "episodes": 100, "pairs": 20000}
SMALL = {
    **{"family": "poly", "gamma_dim": 6, "theta_dim": 2, "ambient_dim": 32},
    **{"manifolds": 100, "points": 100, "width": 1000, "hash_width": 128},
    **{"steps": 500, "warmup_steps": 100, "batch_size": 250},
}


def measured(run):
    """Measures of unseen manifolds: seed -> representation -> metric -> value."""
    data = TrainingPoints.of(run, SEEDS, None, CPU)
    kept = Training(run, SEEDS, data, data.classes, ("0", "final")).finish()
    found = {}
    for i, (seed, source) in enumerate(zip(SEEDS, data.sources, strict=True)):
        training = manifolddata.some_training_points(source, data.examples, 5000)
        sample = source.sample("unseen", 1000, 20, "effect")
        found[seed] = {}
        for name, epoch in (("input", None), ("untrained", "0"), ("trained", "final")):
            network = None
            if epoch is not None:
                whole = kept[epoch]
                alone = {name: value[i : i + 1] for name, value in whole.parameters.items()}
                network = HashEnsemble(whole.shape, alone)
            view = Representation.of(name, network, training, CPU).view(sample.points)
            found[seed][name] = invariance.measure(view, sample.identifiers, **SETTINGS, seed=seed)
    return found


@pytest.fixture(scope="module")
def effect(make_hash_run):
    return measured(make_hash_run(**SMALL))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("baseline", ["input", "untrained"])
def test_training_beats_both_baselines_on_manifolds_it_has_not_seen(effect, seed, baseline):
    trained, other = effect[seed]["trained"], effect[seed][baseline]
    assert trained["variance_ratio"] < 0.1 * other["variance_ratio"]
    for metric in ("one_shot_accuracy_20", "one_shot_accuracy_100", "one_shot_hamming_accuracy_20"):
        assert trained[metric] > other[metric] + 0.7
    assert trained["ridge_r2"] > other["ridge_r2"] + 0.1
    assert trained["distance_correlation"] > other["distance_correlation"] + 0.7
    assert trained["separation"] > 3 * other["separation"]
    assert trained["lsh_exponent"] < 0.25 * other["lsh_exponent"]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("representation", "metric", "low", "high"),
    [
        ("trained", "variance_ratio", 0.05, 0.09),
        ("trained", "one_shot_accuracy_20", 0.98, 1),
        ("trained", "one_shot_accuracy_100", 0.95, 1),
        ("trained", "ridge_r2", 0.97, 1),
        ("trained", "hamming_intra", 0, 0.13),
        ("trained", "hamming_inter", 0.48, 0.52),
        ("trained", "lsh_exponent", 0, 0.2),
        ("input", "variance_ratio", 0.99, 1.01),
        ("input", "one_shot_accuracy_20", 0.16, 0.21),
        ("untrained", "one_shot_accuracy_20", 0.05, 0.22),
    ],
)
def test_values_are_those_of_an_independent_prototype(
    effect, seed, representation, metric, low, high
):
    assert low <= effect[seed][representation][metric] <= high


def test_seeds_are_repeats_and_not_copies(effect):
    ratios = [effect[seed]["trained"]["variance_ratio"] for seed in SEEDS]
    assert len(set(ratios)) == len(SEEDS)
    assert np.std(ratios) < 0.01


def test_shuffled_labels_teach_no_invariance(make_hash_run):
    found = measured(make_hash_run(**{**SMALL, "label_noise": 1.0, "steps": 200}))
    for seed in SEEDS:
        trained = found[seed]["trained"]
        assert trained["variance_ratio"] > 0.88
        assert trained["one_shot_accuracy_20"] < 0.28
