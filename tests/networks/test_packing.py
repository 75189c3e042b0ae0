import csv
import os
import signal

import pytest
import torch

from neuralcodes.errors import DivergenceError
from neuralcodes.networks import modelfiles
from neuralcodes.networks.cuda import packing
from neuralcodes.networks.cuda.packing import PackedTraining, Part
from neuralcodes.networks.models import Ensemble
from neuralcodes.networks.training import resume, statefiles
from neuralcodes.networks.training.loop import TrainingData

CPU = torch.device("cpu")
WIDTHS, SEEDS = (3, 8, 5), (0, 1, 2)
NETWORKS = {
    "adam": {"weight_decay": 1e-3},
    "sgd": {"optimizer": "sgd", "momentum": 0.9, "weight_decay": 1e-2, "learning_rate": 0.05},
    "no_norm": {"batch_norm": False, "weight_decay": 1e-3},
    "torch_default": {"batch_norm": False, "initializer": "torch_default", "optimizer": "sgd"},
    "deep": {"depth": 2, "label_noise": 0.2, "sample_size": 20, "subset": "random"},
    "full_batch": {"batch_size": None, "batch_norm": False, "optimizer": "sgd"},
    "full_batch_norm": {"batch_size": None},
}
# Seeds of these runs stop after different epochs.
RESTLESS = {"learning_rate": 0.3, "schedule": "constant", "patience": 1, "epochs": 12}


@pytest.fixture(autouse=True)
def sigterm():
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def make_parts(make_run, tmp_path):
    """Parts of a pack: one of each width, with the seeds 0 to 2, whose files are in a folder."""

    def build(
        widths=WIDTHS, checkpoints=("0", "2", "final"), seeds=SEEDS, folder="packed", **changes
    ):
        made = []
        for width in widths:
            run = make_run(**{"width": width, "epochs": 4, **changes})
            stem = tmp_path / folder / "results/models" / run.id / f"seeds{seeds[0]}-{seeds[-1]}"
            files = (stem.with_suffix(".safetensors"), stem.with_suffix(".history.csv"))
            made.append(Part(run, tuple(seeds), tuple(checkpoints), *files))
        return made

    return build


@pytest.fixture
def make_packed(images):
    """Start training a pack on the images."""

    def build(parts, chunked=None):
        seeds = [seed for part in parts for seed in part.seeds]
        data = TrainingData.of(parts[0].run, seeds, *images, maximum=255)
        return PackedTraining(parts, data, 3, chunked)

    return build


def assert_close(found, expected, name=""):
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5, msg=name)


def padding(ensemble, run, members):
    """What is left of some members when their own networks are taken away."""
    own = {name: value[members].clone() for name, value in ensemble.parameters.items()}
    network = packing.unpack(Ensemble(ensemble.architecture, own), run, slice(None))
    for value in network.parameters.values():
        value.fill_(0)
    return own


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "abs", "tanh"])
@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("network", NETWORKS)
def test_padding_stays_zero(make_parts, make_packed, network, chunked, activation):
    parts = make_parts(**NETWORKS[network], activation=activation)
    training = make_packed(parts, chunked)
    final = training.finish()["final"]
    for number, part in enumerate(parts):
        members = slice(3 * number, 3 * number + 3)
        for name, value in padding(final, part.run, members).items():
            if name.endswith("variance"):  # 1 / inverse ** 2 - epsilon, with rounding
                assert value.abs().max() < 1e-9
            else:
                assert not value.any(), name
        own = packing.unpack(final, part.run, members).parameters["output.weight"]
        assert own.shape == (3, 3, part.run.layers[-1])
        assert own.all()


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("network", NETWORKS)
def test_runs_trained_in_a_pack_end_as_if_trained_alone(
    make_parts, make_packed, make_training, network, chunked
):
    parts = make_parts(**NETWORKS[network])
    pack = make_packed(parts, chunked)
    kept = pack.finish()
    for number, part in enumerate(parts):
        alone = make_training(part.run, list(SEEDS), part.checkpoints)
        members = slice(3 * number, 3 * number + 3)
        for epoch, expected in alone.finish().items():
            found = packing.unpack(kept[epoch], part.run, members)
            assert found.architecture == expected.architecture
            assert list(found.parameters) == list(expected.parameters)
            for name, value in expected.parameters.items():
                assert_close(found.parameters[name], value, f"{epoch} {name}")
        history = torch.tensor(pack.history_of(members), dtype=torch.float64)
        expected = torch.tensor(alone.progress.history, dtype=torch.float64)
        assert_close(history, expected, "history")


def test_untrained_networks_of_a_pack_are_those_of_their_runs_to_the_bit(
    make_parts, make_packed, make_training
):
    parts = make_parts(depth=2)
    kept = make_packed(parts).checkpoints["0"]
    for number, part in enumerate(parts):
        own = packing.unpack(kept, part.run, slice(3 * number, 3 * number + 3))
        alone = make_training(part.run, list(SEEDS), ["0"]).checkpoints["0"]
        for name, value in alone.parameters.items():
            assert torch.equal(own.parameters[name], value), name


def test_seeds_of_a_pack_stop_and_reach_accuracies_each_for_itself(
    make_parts, make_packed, make_training
):
    parts = make_parts(**RESTLESS, checkpoints=("3", "accuracy50", "accuracy99", "final"))
    pack = make_packed(parts)
    kept, progress = pack.finish(), pack.progress
    assert len(set(progress.stopped)) > 3
    assert len(set(progress.reached["accuracy50"])) > 2
    for number, part in enumerate(parts):
        members = slice(3 * number, 3 * number + 3)
        alone = make_training(part.run, list(SEEDS), part.checkpoints)
        expected = alone.finish()
        assert progress.stopped[members] == alone.progress.stopped
        for name, reached in alone.progress.reached.items():
            assert progress.reached[name][members] == reached
        rows = [row[:2] for row in pack.history_of(members)]
        assert rows == [row[:2] for row in alone.progress.history]
        for name, ensemble in expected.items():
            own = packing.unpack(kept[name], part.run, members)
            assert_close(own.parameters["output.bias"], ensemble.parameters["output.bias"], name)


def test_a_diverging_network_of_a_pack_is_named_by_its_own_run_and_seed(make_parts, make_packed):
    changes = {"batch_norm": False, "optimizer": "sgd", "activation": "abs", "learning_rate": 0.01}
    parts = make_parts(seeds=(4, 5), **changes)
    training = make_packed(parts)
    training.active.parameters["output.bias"][3, 0] = torch.nan
    with pytest.raises(
        DivergenceError, match=f"run {parts[1].run.id}, seed 5: the training loss is nan in epoch 1"
    ):
        training.advance()


# Files


def train(parts, toy):
    for part in parts:
        files = {"model": part.model, "history": part.history}
        resume.train_to_files(
            part.run, part.seeds, part.checkpoints, toy, **files, device=CPU, code="code"
        )
    return parts


def rows_of(part):
    with part.history.open(newline="") as file:
        return [
            [float(value) if value else None for value in row.values()]
            for row in csv.DictReader(file)
        ]


def without_checksums(part):
    metadata = modelfiles.read_metadata(part.model)
    return {key: value for key, value in metadata.items() if "checksum" not in key}


def test_a_pack_writes_the_files_of_runs_trained_alone(make_parts, toy):
    changes = {**RESTLESS, "depth": 2}
    named = {"widths": (6,), "checkpoints": ("0", "accuracy50", "final")}
    others = {"widths": (4, 9), "checkpoints": ("1", "accuracy60", "accuracy99")}
    parts = make_parts(**named, **changes) + make_parts(**others, seeds=(1, 2), **changes)
    alone = {"folder": "alone", **changes}
    expected = train(
        make_parts(**named, **alone) + make_parts(**others, seeds=(1, 2), **alone), toy
    )
    packing.train_to_files(parts, toy, CPU, "code")
    for part, reference in zip(parts, expected, strict=True):
        header = without_checksums(part)
        assert header == without_checksums(reference)
        assert header["epochs"] == list(part.checkpoints)
        for epoch in part.checkpoints:
            found = modelfiles.load(part.model, epoch)
            for name, value in modelfiles.load(reference.model, epoch).parameters.items():
                assert_close(found.parameters[name], value, name)
        assert (
            part.history.read_text().splitlines()[0]
            == (reference.history.read_text().splitlines()[0])
        )
        found, wanted = rows_of(part), rows_of(reference)
        assert_close(torch.tensor(found), torch.tensor(wanted))
    assert not packing.state_path(parts).exists()


def test_a_killed_pack_goes_on_and_ends_with_the_same_files(make_parts, toy, monkeypatch):
    changes = {**RESTLESS, "checkpoints": ("0", "3", "accuracy50", "final")}
    through, killed = make_parts(**changes), make_parts(**changes, folder="killed")
    packing.train_to_files(through, toy, CPU, "code")
    original, calls = statefiles.Saver.__call__, []

    def interrupted(saver, training):
        calls.append(training.progress.epoch)
        if training.progress.epoch == 4:
            os.kill(os.getpid(), signal.SIGTERM)
        original(saver, training)

    monkeypatch.setattr(statefiles.Saver, "__call__", interrupted)
    with pytest.raises(SystemExit, match="143"):
        packing.train_to_files(killed, toy, CPU, "code")
    assert packing.state_path(killed).exists()
    packing.train_to_files(killed, toy, CPU, "code")
    assert calls == sorted(calls)
    assert max(calls) > 5
    for part, reference in zip(killed, through, strict=True):
        # checksums of all parameters among it
        header, expected = (modelfiles.read_metadata(each.model) for each in (part, reference))
        assert header == expected
        assert part.history.read_bytes() == reference.history.read_bytes()
    assert not packing.state_path(killed).exists()


# What is packed


def test_runs_that_differ_in_more_than_their_width_are_packed_apart(make_parts):
    parts = [
        *make_parts((3, 8)),
        *make_parts((8,), seeds=(3, 4)),
        *make_parts((5, 4), learning_rate=0.5),
        *make_parts((5,), checkpoints=("7", "final")),
        *make_parts((6,), depth=2),
    ]
    shown = [[(each.run.width, each.seeds[0]) for each in pack] for pack in packing.packs(parts)]
    assert shown == [[(8, 0), (8, 3), (5, 0), (3, 0)], [(5, 0), (4, 0)], [(6, 0)]]


@pytest.mark.parametrize("changes", [{"dropout": 0.2}, {"input_noise": 0.1}])
def test_runs_whose_random_numbers_depend_on_their_width_are_left_alone(make_parts, changes):
    assert [len(pack) for pack in packing.packs(make_parts(**changes))] == [1, 1, 1]


def test_packs_fit_into_the_memory_and_hold_similar_widths(make_parts):
    parts = make_parts((3, 1000, 5, 900, 4))
    wide = packing.bytes_of(parts[1], features=12, examples=57)
    sizes = {"features": 12, "examples": 57}
    assert wide > 50 * packing.bytes_of(parts[0], **sizes)
    packs = packing.packs(parts, budget=7 * wide, **sizes)
    assert [[part.run.width for part in pack] for pack in packs] == [[1000, 900], [5, 4, 3]]
    packs = packing.packs(parts, budget=wide, **sizes)
    assert [[part.run.width for part in pack] for pack in packs] == [[1000], [900], [5, 4, 3]]


def test_the_estimated_memory_grows_with_all_that_takes_memory(make_parts):
    sizes = {"features": 100, "examples": 1000}
    (base,) = make_parts((50,))
    bigger = [
        (make_parts((60,))[0], sizes),
        (make_parts((50,), batch_size=32)[0], sizes),
        (make_parts((50,), batch_size=None)[0], sizes),
        (make_parts((50,), checkpoints=[str(epoch) for epoch in range(9)])[0], sizes),
        (base, sizes | {"features": 200}),
        (base, sizes | {"examples": 2000}),
    ]
    least = packing.bytes_of(base, **sizes)
    assert all(packing.bytes_of(part, **each) > least for part, each in bigger)
    assert packing.budget_of(CPU) == float("inf")
