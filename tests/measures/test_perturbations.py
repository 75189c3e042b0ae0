import dataclasses

import model_cases
import numpy as np
import pytest
import torch
from model_cases import CPU, split_of

from neuralcodes.codes import packed as codes
from neuralcodes.measures.codes import measure_codes
from neuralcodes.measures.perturbations import measure_perturbations
from neuralcodes.measures.perturbed_codes import measure_perturbed_codes
from neuralcodes.metrics import suite
from neuralcodes.metrics.neighbours import knn_accuracy
from neuralcodes.networks import ensembles
from neuralcodes.perturbation import equalchange, sweeps
from neuralcodes.perturbation.kinds import KINDS, coefficients
from neuralcodes.pipeline import encoding
from neuralcodes.storage import rows
from neuralcodes.studies.levels import AccuracyLevels, CodeLevels

SEEDS = [3, 4, 7]
LEVELS = {kind: (0.05, 0.5, 1.0, 2.0) for kind in KINDS} | {"offset": (-0.8, -0.1, 0.0, 0.3)}
ACCURACY = AccuracyLevels(LEVELS, spread=3.0, equal_changes=())
CODED = {"scale": (0.1, 10.0), "clip": (0.1, 0.5), "offset": (-0.4, 0.0, 0.4)}
CODES = CodeLevels(CODED, spread=3.0, knn_k=3)


@pytest.fixture(scope="module")
def save(make_run, tmp_path_factory):
    """Write a model file of a run whose networks have random parameters."""

    def build(reached=None, dead=(), **changes):
        run = make_run(**{"batch_norm": False, "width": 9, **changes})
        folder = tmp_path_factory.mktemp("models")
        return run, *model_cases.write(folder, run, SEEDS, reached, dead)

    return build


def values_of(table, **where):
    """Values of the rows that have all that, by perturbation and level."""
    columns = rows.PERTURBATION_COLUMNS
    named = [dict(zip(columns, row, strict=True)) for row in table]
    chosen = [row for row in named if all(row[name] == value for name, value in where.items())]
    found = {(row["perturbation"], row["level"]): row["value"] for row in chosen}
    assert len(found) == len(chosen), "each measurement stands once"
    return found


NETWORKS = [
    {},
    {"activation": "abs", "depth": 2, "width": 14},
    {"activation": "leaky_relu", "batch_norm": True},
    {"input_scaling": "raw"},
    {"input_scaling": "standardized", "sample_size": 20, "subset": "random"},
]


@pytest.mark.parametrize("changes", NETWORKS, ids=lambda changes: "-".join(changes) or "relu")
def test_accuracies_are_those_of_a_sweep_over_ranges_of_the_training_examples(
    save, toy, images, changes
):
    run, path, ensemble = save(**changes)
    table = measure_perturbations(path, "final", toy, ACCURACY, CPU)
    layer = ensemble.last_activation()
    for i, seed in enumerate(SEEDS):
        network = ensemble.member(i)
        train, labels = split_of(run, images, seed, "train")
        ranges = sweeps.activation_range(network, train, layer)
        for split in ("train", "test"):
            data = split_of(run, images, seed, split)
            found = values_of(table, seed=seed, split=split, metric=f"{split}_accuracy")
            assert len(found) == 1 + 4 * len(KINDS)
            for kind, levels in LEVELS.items():
                options = {"spread": 3.0, "seed": seed, "ranges": ranges}
                expected = sweeps.sweep(network, *data, kind, levels, layer, **options) / 100
                assert [found[kind, level] for level in levels] == pytest.approx(expected)
        assert len(labels) == (run.sample_size or 45)


def test_every_level_of_every_kind_is_measured_of_every_seed(save, toy):
    run, path, _ = save()
    table = measure_perturbations(path, "final", toy, ACCURACY, CPU)
    assert {row[:3] for row in table} == {(run.id, seed, "final") for seed in SEEDS}
    # per seed: accuracy of all levels on two splits, change of the hidden vector on one, two losses
    # and the number of dead units
    assert len(table) == 3 * (3 * (1 + 4 * len(KINDS)) + 3)


@pytest.mark.parametrize("activation", ["relu", "abs", "tanh"])
def test_without_perturbation_loss_and_accuracy_are_those_of_the_network(
    save, toy, images, activation
):
    run, path, ensemble = save(activation=activation)
    table = measure_perturbations(path, "final", toy, ACCURACY, CPU)
    for split in ("train", "test"):
        inputs, labels = split_of(run, images, 0, split)
        loss, accuracy = ensembles.score(ensemble, inputs, torch.from_numpy(labels))
        for i, seed in enumerate(SEEDS):
            where = {"seed": seed, "split": split, "perturbation": "none", "level": 0.0}
            found = {
                name: values_of(table, metric=f"{split}_{name}", **where)["none", 0.0]
                for name in ("loss", "accuracy")
            }
            assert found["loss"] == pytest.approx(loss[i].item(), rel=1e-5)
            assert found["accuracy"] == pytest.approx(accuracy[i].item())


def test_levels_that_change_nothing_equal_the_network_as_it_is(save, toy):
    _, path, _ = save()
    table = measure_perturbations(path, "final", toy, ACCURACY, CPU)
    for seed in SEEDS:
        found = values_of(table, seed=seed, metric="train_accuracy")
        for same in (("scale", 1.0), ("offset", 0.0), ("clip", 1.0), ("clip_activation", 2.0)):
            assert found[same] == found["none", 0.0]
        changes = values_of(table, seed=seed, metric="hidden_change")
        assert changes["none", 0.0] == changes["scale", 1.0] == changes["clip", 2.0] == 0
        assert changes["scale", 0.5] == pytest.approx(0.5)


def test_the_change_of_the_hidden_vector_is_measured_on_training_examples_alone(save, toy):
    _, path, _ = save()
    table = measure_perturbations(path, "final", toy, ACCURACY, CPU)
    assert {row[3] for row in table if row[6] == "hidden_change"} == {"train"}


def test_the_spread_of_factors_per_unit_is_that_of_the_settings(save, toy):
    _, path, _ = save()
    both = []
    for spread in (3.0, 1.0):
        settings = dataclasses.replace(ACCURACY, spread=spread)
        table = measure_perturbations(path, "final", toy, settings, CPU)
        both.append(values_of(table, seed=3, metric="hidden_change"))
    assert both[1]["scale_per_unit", 0.5] == pytest.approx(0.5)
    assert both[0]["scale_per_unit", 0.5] != pytest.approx(0.5, abs=1e-3)


def test_equal_changes_have_their_size_as_level_and_what_brings_them_about(save, toy, images):
    run, path, ensemble = save()
    settings = AccuracyLevels({"scale": (0.7,)}, 3.0, equal_changes=(0.3, 1.5))
    table = measure_perturbations(path, "final", toy, settings, CPU)
    layer = ensemble.last_activation()
    for i, seed in enumerate(SEEDS):
        train = split_of(run, images, seed, "train")
        network = ensemble.member(i)
        ranges = sweeps.activation_range(network, train[0], layer)
        hidden = equalchange.Hidden(network, train[0], layer)
        expected = equalchange.solve(hidden, ranges, (0.3, 1.5), seed)
        levels = values_of(table, seed=seed, metric="solved_level")
        assert levels == {(each.kind, each.size): pytest.approx(each.level) for each in expected}
        changes = values_of(table, seed=seed, metric="hidden_change")
        accuracy = values_of(table, seed=seed, metric="train_accuracy")
        assert changes.keys() == accuracy.keys() == {("none", 0.0), ("scale", 0.7), *levels}
        for kind, size in levels:
            assert changes[kind, size] == pytest.approx(abs(size), rel=1e-3)
        (offset,) = (each for each in expected if (each.kind, each.size) == ("equal_offset", 0.3))
        own = sweeps.sweep(network, *train, "offset", [offset.level], layer, ranges=ranges)
        assert accuracy["equal_offset", 0.3] == pytest.approx(own[0] / 100)
        assert ("equal_scale", 0.3) in accuracy
        assert ("equal_scale", -1.5) not in accuracy


@pytest.mark.parametrize("depth", [1, 2])
def test_dead_units_of_the_last_hidden_layer_are_counted(save, toy, images, depth):
    run, path, ensemble = save(dead=(0, 2, 3), depth=depth, width=9 * depth)
    table = measure_perturbations(path, "final", toy, ACCURACY, CPU)
    pre, _ = next(ensemble.evaluate(split_of(run, images, 0, "train")[0]))
    expected = (pre[:, :, -9:].amax(1) <= 0).sum(1).tolist()
    assert expected[1] >= 3 + (expected[0] > 0)
    for seed, count in zip(SEEDS, expected, strict=True):
        assert values_of(table, seed=seed, metric="dead_units") == {("none", 0.0): count}


def test_a_network_whose_units_are_all_dead_is_measured(save, toy):
    _, path, _ = save(dead=range(9))
    settings = dataclasses.replace(ACCURACY, equal_changes=(0.1,))
    table = measure_perturbations(path, "final", toy, settings, CPU)
    found = values_of(table, seed=SEEDS[1], metric="train_accuracy")
    assert set(found.values()) == {found["none", 0.0]}
    assert values_of(table, seed=SEEDS[1], metric="dead_units")["none", 0.0] == 9
    assert all(np.isfinite(row[-1]) for row in table)


def test_seeds_that_never_reached_an_accuracy_have_no_rows(save, toy):
    _, path, _ = save(reached={"accuracy90": [5, None, 2]})
    for measure, settings in (
        (measure_perturbations, ACCURACY),
        (measure_perturbed_codes, CODES),
    ):
        assert {row[1] for row in measure(path, "accuracy90", toy, settings, CPU)} == {3, 7}
        assert {row[1] for row in measure(path, "final", toy, settings, CPU)} == {3, 4, 7}


# codes


def code_values(table, seed, metric, split):
    return values_of(table, seed=seed, metric=metric, split=split)


@pytest.mark.parametrize("changes", NETWORKS[:3], ids=lambda each: "-".join(each) or "relu")
def test_without_perturbation_codes_are_those_that_are_measured_otherwise(
    save, toy, tmp_path, changes
):
    run, path, _ = save(**changes)
    table = measure_perturbed_codes(path, "final", toy, CODES, CPU)
    encoding.write_checkpoints(path, toy, tmp_path, CPU)
    settings = suite.MetricSettings(3, None, 2, names=("redundancy_ratio", "knn_accuracy"))
    plain = measure_codes(run, SEEDS, "final", tmp_path, toy, settings)
    expected = {(row[1], row[3], row[4]): row[5] for row in plain}
    none = ("none", 0.0)
    for seed in SEEDS:
        for split in ("train", "test"):
            ratio = code_values(table, seed, "redundancy_ratio", split)[none]
            assert ratio == expected[seed, split, "redundancy_ratio"]
            assert code_values(table, seed, "flipped_bits", split)[none] == 0
        for name in ("knn_accuracy", "knn_accuracy_unperturbed_train"):
            assert (
                code_values(table, seed, name, "test")[none]
                == (expected[seed, "test", "knn_accuracy"])
            )


@pytest.mark.parametrize("activation", ["relu", "abs"])
def test_a_scale_and_a_clip_flip_no_bit_and_an_offset_does(save, toy, activation):
    _, path, _ = save(activation=activation)
    table = measure_perturbed_codes(path, "final", toy, CODES, CPU)
    for seed in SEEDS:
        for split in ("train", "test"):
            found = code_values(table, seed, "flipped_bits", split)
            assert found.keys() == {("none", 0.0)} | {
                (k, x) for k, all_ in CODED.items() for x in all_
            }
            for (kind, level), share in found.items():
                assert (share > 0) == (kind == "offset" and level != 0), (kind, level)


@pytest.mark.parametrize("changes", NETWORKS[:3], ids=lambda each: "-".join(each) or "relu")
def test_perturbed_codes_are_signs_of_the_perturbed_pre_activations(save, toy, images, changes):
    run, path, ensemble = save(**changes)
    table = measure_perturbed_codes(path, "final", toy, CODES, CPU)
    layer, level = ensemble.last_activation(), -0.4
    last = run.layers[-1]
    for i, seed in enumerate(SEEDS):
        train, labels = split_of(run, images, seed, "train")
        test, test_labels = split_of(run, images, seed, "test")
        ranges = sweeps.activation_range(ensemble.member(i), train, layer)
        chosen = coefficients("offset", [level], *ranges)
        bits = {}
        for name, inputs in (("train", train), ("test", test)):
            pre = next(ensemble.evaluate(inputs))[0][i].numpy().copy()
            plain = pre > 0
            pre[:, -last:] = pre[:, -last:] * chosen.scale + chosen.shift
            bits[name] = plain, pre > 0
            flipped = code_values(table, seed, "flipped_bits", name)["offset", level]
            assert flipped == pytest.approx((plain != (pre > 0)).mean())
            distinct = len(np.unique(pre > 0, axis=0)) / len(pre)
            ratio = code_values(table, seed, "redundancy_ratio", name)["offset", level]
            assert ratio == pytest.approx(1 - distinct)
        packed = [[codes.pack(each) for each in bits[name]] for name in ("train", "test")]
        (plain_train, train_code), (_, test_code) = packed
        for name, voters in (
            ("knn_accuracy", train_code),
            ("knn_accuracy_unperturbed_train", plain_train),
        ):
            expected = knn_accuracy(voters, labels, test_code, test_labels, 3)
            assert code_values(table, seed, name, "test")["offset", level] == expected


def test_rows_of_perturbed_codes_have_the_columns_of_their_files(save, toy):
    run, path, _ = save()
    table = measure_perturbed_codes(path, "final", toy, CODES, CPU)
    assert {row[:3] for row in table} == {(run.id, seed, "final") for seed in SEEDS}
    assert {len(row) for row in table} == {len(rows.PERTURBATION_COLUMNS)}
    assert len(table) == 3 * (1 + 7) * 6
