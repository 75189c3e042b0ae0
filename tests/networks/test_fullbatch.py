"""Training on all examples at once, and checkpoints by accuracy."""

import numpy as np
import pytest
import torch
from training_cases import advanced, assert_same, finished, resumed

from neuralcodes.datasets import sampling
from neuralcodes.datasets.scaling import scaling_of
from neuralcodes.networks import ensembles, modelfiles
from neuralcodes.networks.training import backpropagation, resume, statefiles
from neuralcodes.networks.training.loop import Training
from neuralcodes.networks.training.trainingdata import TrainingData
from neuralcodes.storage.randomness import torch_generator

ACTIVATIONS = {
    "relu": torch.relu,
    "leaky_relu": lambda pre: torch.where(pre > 0, pre, 0.01 * pre),
    "abs": torch.abs,
    "tanh": torch.tanh,
}
FULL = {"batch_size": None, "optimizer": "sgd", "schedule": "constant", "batch_norm": False}
FULL |= {"initializer": "torch_default", "weight_decay": 0, "patience": 0, "width": 8}
LEARNS = FULL | {"epochs": 60, "learning_rate": 0.2, "validation_fraction": 0}


def examples_of(run, images, seed):
    """What a seed is trained on: inputs as the network takes them, and labels."""
    inputs, labels = images
    rows = sampling.training_rows(run, labels, seed)
    own = inputs.reshape(len(inputs), -1)[rows]
    if run.input_noise:
        own = sampling.noisy_inputs(run, own, 255, seed)
    scaled = scaling_of(run.input_scaling, inputs, 255).features(own)
    return scaled, torch.from_numpy(sampling.noisy_labels(run, labels[rows], seed))


def train_plainly(run, ensemble, index, inputs, labels, seed=0):
    """Descend the gradient of all examples by autograd; give parameters, losses and hits."""
    values = {
        name: value[index].clone().double().requires_grad_()
        for name, value in ensemble.parameters.items()
    }
    inputs, drop, history = inputs.double(), torch_generator(seed, "dropout"), []
    for _ in range(run.epochs):
        hidden, squares = inputs, 0
        for i in range(run.depth):
            weight = values[f"hidden.{i}.weight"]
            hidden = ACTIVATIONS[run.activation](hidden @ weight.T + values[f"hidden.{i}.bias"])
            squares = squares + weight.square().sum()
            if run.dropout:
                drawn = torch.rand(len(weight), len(inputs), generator=drop).T
                hidden = hidden * (drawn < 1 - run.dropout) / (1 - run.dropout)
        logits = hidden @ values["output.weight"].T + values["output.bias"]
        loss = torch.nn.functional.cross_entropy(logits, labels) + run.weight_decay * squares
        slopes = torch.autograd.grad(loss, list(values.values()))
        history.append((loss.item(), (logits.argmax(1) == labels).double().mean().item()))
        with torch.no_grad():
            for value, slope in zip(values.values(), slopes, strict=True):
                value -= run.learning_rate * slope
    return {name: value.detach().float() for name, value in values.items()}, history


def assert_close(found, expected, **tolerance):
    tolerance = {"rtol": 1e-4, "atol": 1e-6} | tolerance
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, **tolerance, msg=lambda m, n=name: n + m)


def member(ensemble, index):
    return {name: value[index] for name, value in ensemble.parameters.items()}


@pytest.mark.parametrize("block", [1000, 7])
@pytest.mark.parametrize("depth", [1, 2])
@pytest.mark.parametrize("activation", ["relu", "abs", "leaky_relu", "tanh"])
@pytest.mark.parametrize("input_scaling", ["unit", "raw", "standardized"])
def test_training_is_gradient_descent_on_all_examples(
    make_run, make_training, images, monkeypatch, input_scaling, activation, depth, block
):
    monkeypatch.setitem(backpropagation.BLOCK, "cpu", block)
    changes = {"activation": activation, "depth": depth, "width": 8 * depth, "epochs": 5}
    # large steps on raw pixels blow rounding up
    rate = {"raw": 2e-3 if activation == "tanh" else 1e-4}.get(input_scaling, 0.05)
    run = make_run(**FULL | changes, input_scaling=input_scaling, learning_rate=rate)
    ours = make_training(run, [3, 4], ("0",))
    kept = ours.finish()
    for i, seed in enumerate((3, 4)):
        data = examples_of(run, images, seed)
        expected, history = train_plainly(run, kept["0"], i, *data)
        assert_close(member(kept["final"], i), expected, atol=5e-6)
        rows = [row for row in ours.progress.history if row[0] == seed]
        assert [row[3] for row in rows] == pytest.approx([loss for loss, _ in history], rel=1e-5)
        assert [row[4] for row in rows] == pytest.approx([share for _, share in history])
        moved = expected["output.weight"] - kept["0"].parameters["output.weight"][i]
        assert moved.abs().max() > 5e-4, "the training should move the network"


@pytest.mark.parametrize(
    "changes",
    [
        {"sample_size": 20, "subset": "random"},
        {"sample_size": 10},
        {"input_noise": 0.5, "label_noise": 0.5},
        {"weight_decay": 0.1},
        {"validation_fraction": 0},
        {"dropout": 0.3, "depth": 2},
    ],
    ids=lambda changes: "-".join(changes),
)
def test_each_seed_is_trained_on_its_own_examples(
    make_run, make_training, images, monkeypatch, changes
):
    monkeypatch.setitem(backpropagation.BLOCK, "cpu", 8)
    run = make_run(**FULL | {"epochs": 4, "learning_rate": 0.1} | changes)
    kept = make_training(run, [0, 1, 2], ("0",)).finish()
    for i in range(3):
        expected, _ = train_plainly(run, kept["0"], i, *examples_of(run, images, i), i)
        assert_close(member(kept["final"], i), expected)


def test_an_epoch_is_one_step_on_each_example_once(make_run, make_training):
    ours = make_training(make_run(**FULL, sample_size=9), [0])
    (size, _, _) = next(ours.batches.turn())
    assert (size, ours.data.repeats) == (9, 1)
    ours.finish()
    assert ours.progress.steps == ours.progress.turn == 2


@pytest.mark.parametrize("changes", [{"depth": 2, "width": 12}, {"input_noise": 0.5}])
def test_the_size_of_blocks_changes_nothing_but_rounding(
    make_run, make_training, monkeypatch, changes
):
    run = make_run(**FULL | {"epochs": 6, "learning_rate": 0.1} | changes)
    finals = []
    for block in (1, 10, 44, 45, 10_000):
        monkeypatch.setitem(backpropagation.BLOCK, "cpu", block)
        finals.append(make_training(run, [0, 1]).finish()["final"].parameters)
    for final in finals[1:]:
        assert_close(final, finals[0])


PARTS = [
    {},
    {"batch_norm": True, "dropout": 0.2, "optimizer": "adam", "learning_rate": 0.01},
    {"sample_size": 20, "subset": "stratified", "depth": 2},
    {"input_noise": 0.3},
    {"optimizer": "sgd", "momentum": 0.9},
]


@pytest.mark.parametrize("changes", PARTS, ids=lambda changes: "-".join(changes) or "plain")
def test_a_seed_does_not_feel_its_neighbours(make_run, make_training, changes):
    run = make_run(**FULL | {"epochs": 5, "learning_rate": 0.1} | changes)
    whole = make_training(run, [0, 1, 2]).finish()["final"]
    for i in range(3):
        alone = make_training(run, [i]).finish()["final"]
        assert_close(member(alone, 0), member(whole, i), atol=1e-5)


@pytest.mark.parametrize("changes", [{}, {"sample_size": 20, "subset": "random"}])
def test_seeds_that_stop_early_leave_the_others_as_they_were(make_run, make_training, changes):
    restless = {"epochs": 40, "learning_rate": 1.5, "patience": 1}
    run, seeds = make_run(**FULL | restless | changes), list(range(6))
    ours = make_training(run, seeds)
    whole = ours.finish()["final"]
    assert len(set(ours.progress.stopped)) > 2, "they should stop at different epochs"
    for i in seeds:
        alone = make_training(run, [i])
        final = alone.finish()["final"]
        assert alone.progress.stopped == [ours.progress.stopped[i]]
        assert_close(member(final, 0), member(whole, i), rtol=1e-3, atol=1e-4)


def test_batch_norm_takes_its_statistics_over_all_examples(make_run, make_training, images):
    run = make_run(**FULL | {"batch_norm": True, "epochs": 1})
    kept = make_training(run, [0], ("0",)).finish()
    inputs, _ = examples_of(run, images, 0)
    start = member(kept["0"], 0)
    pre = inputs @ start["hidden.0.weight"].T + start["hidden.0.bias"]
    final = member(kept["final"], 0)
    torch.testing.assert_close(final["hidden.0.mean"], 0.01 * pre.mean(0))
    expected = 0.99 + 0.01 * pre.var(0, correction=0)
    torch.testing.assert_close(final["hidden.0.variance"], expected)


def test_the_inputs_are_scaled_once_and_left_as_they_are(make_run, images):
    run = make_run(**FULL, input_scaling="raw")
    inputs = images[0].astype(np.float32)
    data = TrainingData.of(run, [0, 1], inputs, images[1], maximum=255)
    before = data.inputs.clone()
    Training(run, [0, 1], data, 3).finish()
    assert torch.equal(data.inputs, before)


@pytest.mark.parametrize("kind", ["unit", "raw", "standardized"])
def test_what_validates_is_scaled_like_what_trains(make_run, make_training, images, kind):
    ours = make_training(make_run(**FULL, input_scaling=kind, learning_rate=1e-4), [0, 1])
    final = ours.finish()["final"]
    inputs = scaling_of(kind, images[0], 255).features(images[0][45:])
    expected = ensembles.score(final, inputs, torch.from_numpy(images[1][45:]))
    found = [row[5:] for row in ours.progress.history if row[1] == 2]
    assert found == [
        pytest.approx(pair) for pair in zip(*map(torch.Tensor.tolist, expected), strict=True)
    ]


# checkpoints by accuracy

THRESHOLDS = ("accuracy40", "accuracy70", "accuracy90", "accuracy100")


def first_epochs(history, seed, percent):
    """The first epoch of a seed whose recorded accuracy is enough, or None."""
    found = [row[1] for row in history if row[0] == seed and row[4] >= percent / 100 - 1e-9]
    return min(found, default=None)


@pytest.mark.parametrize(("batch_size", "last"), [(None, 40), (8, 20)])
def test_an_accuracy_is_kept_where_a_seed_first_comes_to_it(
    make_run, make_training, batch_size, last
):
    run = make_run(**LEARNS | {"batch_size": batch_size, "epochs": last})
    epochs = tuple(str(epoch) for epoch in range(last + 1))
    ours = make_training(run, [0, 1, 2, 3], (*epochs, *THRESHOLDS))
    kept = ours.finish()
    assert list(ours.progress.reached) == list(THRESHOLDS)
    for name, percent in zip(THRESHOLDS, (40, 70, 90, 100), strict=True):
        expected = [first_epochs(ours.progress.history, seed, percent) for seed in range(4)]
        assert ours.progress.reached[name] == expected
        for i, epoch in enumerate(expected):
            state = kept["final" if epoch is None else str(epoch)]
            for key, value in kept[name].parameters.items():
                assert torch.equal(value[i], state.parameters[key][i])
    found = ours.progress.reached
    assert len(set(found["accuracy70"])) > 1, "seeds should differ"
    assert None in found["accuracy100"], "some should never be there"
    assert None not in found["accuracy40"]


def test_a_threshold_counts_from_exactly_its_share_on(make_run, make_training):
    ours = make_training(make_run(**FULL), [0, 1, 2], ("accuracy60",))
    ours.progress.turn = 1
    ours._reach([26.0, 27.0, 28.0], 45)  # 27 of 45 are 60 percent
    assert ours.progress.reached == {"accuracy60": [None, 1, 1]}
    ours.progress.turn = 2
    ours._reach([27.0, 0.0, 45.0], 45)
    assert ours.progress.reached == {"accuracy60": [2, 1, 1]}, "the first time counts"


def test_all_examples_right_are_100_percent(make_run, make_training):
    ours = make_training(make_run(**FULL), [0, 1], ("accuracy100",))
    ours.progress.turn = 5
    ours._reach([44.0, 45.0], 45)
    assert ours.progress.reached == {"accuracy100": [None, 5]}


def test_a_network_that_learns_everything_reaches_100_percent(make_run, make_training):
    run = make_run(**LEARNS | {"epochs": 150, "width": 30, "optimizer": "adam"})
    run = make_run(**{**run.to_dict(), "learning_rate": 0.03})
    ours = make_training(run, [0, 1], ("accuracy100",))
    kept = ours.finish()
    assert all(epoch < 150 for epoch in ours.progress.reached["accuracy100"])
    assert not torch.equal(
        kept["accuracy100"].parameters["output.bias"], kept["final"].parameters["output.bias"]
    )


def test_a_seed_that_stopped_early_keeps_what_it_reached(make_run, make_training):
    changes = {"epochs": 40, "learning_rate": 1.5, "patience": 1}
    ours = make_training(make_run(**FULL | changes), list(range(6)), ("accuracy60", "accuracy99"))
    kept = ours.finish()
    for i, epoch in enumerate(ours.progress.reached["accuracy60"]):
        assert epoch == first_epochs(ours.progress.history, i, 60)
        assert epoch is None or epoch <= ours.progress.stopped[i]
    for name, value in kept["accuracy99"].parameters.items():
        for i, epoch in enumerate(ours.progress.reached["accuracy99"]):
            assert epoch is not None or torch.equal(value[i], kept["final"].parameters[name][i])


@pytest.mark.parametrize("halt", [1, 3, 8, 20])
@pytest.mark.parametrize("batch_size", [None, 8])
def test_a_halted_training_remembers_what_was_reached(
    make_run, make_training, tmp_path, batch_size, halt
):
    run = make_run(**LEARNS | {"batch_size": batch_size, "epochs": 25, "dropout": 0.1})
    wanted = (*THRESHOLDS, "2", "12")
    through = finished(make_training(run, [0, 1, 2], wanted))
    halted = advanced(make_training(run, [0, 1, 2], wanted), halt)
    going_on = resumed(halted, make_training(run, [0, 1, 2], wanted), tmp_path)
    assert going_on.checkpoints.keys() == halted.checkpoints.keys()
    assert_same(finished(going_on), through)


def test_the_model_file_says_when_each_seed_reached_what(make_run, toy, tmp_path):
    run, model = make_run(**LEARNS | {"epochs": 8}), tmp_path / "results/models/run/s.safetensors"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(statefiles.signal, "signal", lambda *_: None)
        device, wanted = torch.device("cpu"), ["accuracy1", "accuracy100"]
        resume.train_on_dataset(
            run, [0, 1], wanted, toy, model, tmp_path / "history.csv", device, "code"
        )
    metadata = modelfiles.read_metadata(model)
    assert metadata["reached"] == {"accuracy1": [1, 1], "accuracy100": [None, None]}
    assert modelfiles.load(model, "accuracy100").members == 2
