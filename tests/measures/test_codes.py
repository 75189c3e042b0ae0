import dataclasses

import numpy as np
import pytest
import torch

from neuralcodes.codes import packed as codes
from neuralcodes.datasets import sampling
from neuralcodes.errors import DataError
from neuralcodes.measures.codes import measure_codes, updates_per_epoch
from neuralcodes.measures.layers import measure_layers
from neuralcodes.measures.random_inputs import measure_random_inputs
from neuralcodes.metrics import suite
from neuralcodes.metrics.neighbours import knn_accuracy
from neuralcodes.storage import checksums, rows

CPU = torch.device("cpu")
SEEDS = [0, 1, 2]
SETTINGS = suite.MetricSettings(knn_k=3, kmeans_clusters=None, kmeans_restarts=2)


@pytest.fixture(scope="module")
def encoded(encode):
    return encode(depth=2, width=10)


def found(table, seed, split, metric):
    values = [row[-1] for row in table if row[1] == seed and row[3] == split and row[-2] == metric]
    assert len(values) == 1
    return values[0]


def test_values_are_those_of_each_seeds_codes_and_own_labels(encode, toy, images):
    run, folder = encode(sample_size=20, subset="random", label_noise=0.5)
    table = measure_codes(run, SEEDS, "final", folder, toy, SETTINGS)
    train = codes.read(folder / "epochfinal/train.npy")
    test = codes.read(folder / "epochfinal/test.npy")
    for i, seed in enumerate(SEEDS):
        distinct = len({row.tobytes() for row in train[i]})
        assert found(table, seed, "train", "redundancy_ratio") == pytest.approx(1 - distinct / 20)
        own = images[1][sampling.training_rows(run, images[1], seed)]  # the true labels
        expected = knn_accuracy(train[i], own, test[i], images[1][40:], k=3)
        assert found(table, seed, "test", "knn_accuracy") == expected
        for split, metric, value in suite.measure(
            train[i], test[i], 6, own, images[1][40:], SETTINGS
        ):
            assert found(table, seed, split, metric) == value


def test_the_networks_own_accuracy_stands_beside(encoded, toy, images):
    run, folder = encoded
    table = measure_codes(run, SEEDS, "0", folder, toy, SETTINGS)
    lines = (folder / "epoch0/network.csv").read_text().splitlines()
    for line in lines[1:]:
        member, split, metric, value = line.split(",")
        assert found(table, SEEDS[int(member)], split, metric) == float(value)


def test_parameter_updates_are_batches_times_epochs(encoded, toy):
    run, folder = encoded
    for epoch, epochs in (("0", 0), ("final", 2)):
        table = measure_codes(run, SEEDS, epoch, folder, toy, SETTINGS)
        for seed in SEEDS:
            assert found(table, seed, "train", "stopped_epoch") == epochs
            # 45 examples in batches of 8: 5 whole ones and the last of 5
            assert found(table, seed, "train", "parameter_updates") == 6 * epochs


@pytest.mark.parametrize(
    ("sample_size", "expected"),
    [(None, 750), (10, 750), (10000, 625), (30000, 469), (40000, 625), (48000, 750)],
)
def test_parameter_updates_per_epoch_of_mnist(make_run, sample_size, expected):
    run = make_run(batch_size=64, sample_size=sample_size)
    assert updates_per_epoch(run, sample_size or 48000, 60000) == expected


def test_an_update_is_a_step_of_the_optimiser(make_run, make_training):
    for size in (None, 7, 20):
        training = make_training(make_run(sample_size=size), [0])
        training.finish()
        updates = updates_per_epoch(training.run, size or 45, 57)
        assert 2 * updates == training.progress.steps


def test_a_seed_that_stopped_early_counts_its_own_epochs(encode, toy, tmp_path):
    changes = {"learning_rate": 0.3, "schedule": "constant", "patience": 1, "epochs": 12}
    run, folder = encode(**changes, width=4)
    lines = (folder / "members.csv").read_text().splitlines()[1:]
    stopped = [int(line.split(",")[1]) for line in lines]
    assert len(set(stopped)) > 1
    table = measure_codes(run, SEEDS, "final", folder, toy, SETTINGS)
    assert [found(table, seed, "train", "stopped_epoch") for seed in SEEDS] == stopped
    updates = [found(table, seed, "train", "parameter_updates") for seed in SEEDS]
    assert updates == [6 * epochs for epochs in stopped]


def test_a_checkpoint_after_the_stop_counts_the_epochs_until_it(encode, toy):
    run, folder = encode()
    (folder / "epochfinal").rename(folder / "epoch20")
    (folder / "members.csv").write_text("seed,stopped_epoch\n0,7\n1,20\n2,33\n")
    checksums.write_listing(folder)
    table = measure_codes(run, SEEDS, "20", folder, toy, SETTINGS)
    assert [found(table, seed, "train", "stopped_epoch") for seed in SEEDS] == [7, 20, 20]


@pytest.fixture(scope="module")
def reached(encode):
    """Codes of a checkpoint by accuracy that seed 1 never reached."""
    run, folder = encode(depth=2, width=10)
    (folder / "epochfinal").rename(folder / "epochaccuracy90")
    (folder / "members.csv").write_text(
        "seed,stopped_epoch,accuracy50,accuracy90\n0,7,1,3\n1,20,2,\n2,33,4,12\n"
    )
    checksums.write_listing(folder)
    return run, folder


def test_seeds_that_never_reached_an_accuracy_are_left_out(reached, toy):
    run, folder = reached
    for measure in (measure_codes, measure_layers):
        table = measure(run, SEEDS, "accuracy90", folder, toy, SETTINGS)
        assert {row[1] for row in table} == {0, 2}
        assert {row[2] for row in table} == {"accuracy90"}
    table = measure_random_inputs(run, SEEDS, "accuracy90", folder)
    assert {row[1] for row in table} == {0, 2}


def test_the_others_are_measured_on_their_own_codes(reached, encoded, toy, tmp_path):
    run, folder = reached
    table = measure_codes(run, SEEDS, "accuracy90", folder, toy, SETTINGS)
    whole = measure_codes(run, SEEDS, "final", encoded[1], toy, SETTINGS)
    for metric, split in (("knn_accuracy", "test"), ("train_loss", "train")):
        for seed in (0, 2):
            expected = found(whole, seed, split, metric)
            assert found(table, seed, split, metric) == expected


def test_a_checkpoint_by_accuracy_counts_the_epochs_until_it(reached, toy):
    run, folder = reached
    table = measure_codes(run, SEEDS, "accuracy90", folder, toy, SETTINGS)
    assert [found(table, seed, "train", "stopped_epoch") for seed in (0, 2)] == [3, 12]
    updates = [found(table, seed, "train", "parameter_updates") for seed in (0, 2)]
    assert updates == [6 * 3, 6 * 12]


def test_a_full_batch_is_one_update_an_epoch(make_run):
    for size in (None, 7):
        run = make_run(batch_size=None, sample_size=size)
        assert updates_per_epoch(run, size or 45, 57) == 1


def test_layers_are_measured_apart(encoded, toy, images):
    run, folder = encoded
    settings = dataclasses.replace(SETTINGS, names=("redundancy_ratio", "code_length"))
    table = measure_layers(run, SEEDS, "final", folder, toy, settings)
    assert all(len(row) == len(rows.LAYER_COLUMNS) for row in table)
    assert {row[4] for row in table} == {1, 2}
    bits = codes.unpack(codes.read(folder / "epochfinal/train.npy"), 10)
    for seed, split, layer, metric, value in (
        (row[1], row[3], row[4], row[5], row[6]) for row in table
    ):
        if (split, metric) == ("train", "redundancy_ratio"):
            own = bits[seed][:, 5 * (layer - 1) : 5 * layer]
            assert value == pytest.approx(1 - len(np.unique(own, axis=0)) / 45)
    assert len(table) == 2 * 3 * 3  # layers x seeds x (ratio of train and test, length)


def test_random_inputs_have_their_own_splits(encoded):
    run, folder = encoded
    table = measure_random_inputs(run, SEEDS, "final", folder)
    splits = {row[3] for row in table}
    assert {"uniform_0_1", "uniform_-1_0"} <= splits
    packed = codes.read(folder / "epochfinal/uniform_0_1.npy")
    for seed in SEEDS:
        distinct = len({row.tobytes() for row in packed[seed]})
        value = found(table, seed, "uniform_0_1", "redundancy_ratio")
        assert value == pytest.approx(1 - distinct / 30)


@pytest.mark.parametrize("name", ["members.csv", "epochfinal/network.csv", "epochfinal/test.npy"])
def test_a_missing_file_is_named_with_the_command_that_writes_it(encode, toy, name):
    run, folder = encode()
    (folder / name).unlink()
    message = rf"{name} is damaged: .* no such file; delete {folder} and run"
    for measure in (measure_codes, measure_layers):
        with pytest.raises(DataError, match=message):
            measure(run, SEEDS, "final", folder, toy, SETTINGS)
    with pytest.raises(DataError, match=message):
        measure_random_inputs(run, SEEDS, "final", folder)


def test_codes_of_other_checkpoints_may_be_missing(encode, toy):
    run, folder = encode()
    expected = measure_codes(run, SEEDS, "final", folder, toy, SETTINGS)
    (folder / "epoch0/test.npy").unlink()
    assert measure_codes(run, SEEDS, "final", folder, toy, SETTINGS) == expected


def test_rows_are_written_as_csv_with_nine_digits(tmp_path):
    path = tmp_path / "metrics.csv"
    rows.write(path, [("run", 0, "final", "train", "redundancy_ratio", 1 / 3)])
    assert path.read_text() == (
        "run,seed,epoch,split,metric,value\nrun,0,final,train,redundancy_ratio,0.333333333\n"
    )
