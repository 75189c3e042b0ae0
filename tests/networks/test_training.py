import math

import numpy as np
import pytest
import torch

from neuralcodes.errors import DivergenceError
from neuralcodes.networks import ensembles, perceptrons, products
from neuralcodes.networks.training import loop
from neuralcodes.networks.training.trainingdata import TrainingData
from neuralcodes.storage.randomness import torch_generator

ACTIVATIONS = {"relu": torch.relu, "abs": torch.abs}
# Seeds of this run stop after different epochs; see `test_early_stopping_...`.
RESTLESS = {"learning_rate": 0.3, "schedule": "constant", "patience": 1, "epochs": 12, "width": 4}


class PlainNetwork(torch.nn.Module):
    """The recipe's network as anyone would write it: one seed, torch's own layers."""

    def __init__(self, run, inputs, classes):
        super().__init__()
        sizes = [inputs, *run.layers]
        self.run = run
        self.dense = torch.nn.ModuleList(map(torch.nn.Linear, sizes[:-1], sizes[1:]))
        # torch's momentum is the share of the new batch, Keras' that of the old value
        self.norm = torch.nn.ModuleList(
            torch.nn.BatchNorm1d(units, eps=1e-3, momentum=0.01) for units in run.layers
        )
        self.output = torch.nn.Linear(sizes[-1], classes)

    def forward(self, inputs, keep=None):
        for i, dense in enumerate(self.dense):
            inputs = dense(inputs)
            if self.run.batch_norm:
                inputs = self.norm[i](inputs)
            inputs = ACTIVATIONS[self.run.activation](inputs)
            if keep is not None:
                inputs = inputs * keep[i]
        return self.output(inputs)

    @torch.no_grad()
    def read(self, ensemble, index):
        for name, parameter in self.named(statistics=True).items():
            parameter.copy_(ensemble.parameters[name][index])

    def named(self, statistics=False):
        names = {"output.weight": self.output.weight, "output.bias": self.output.bias}
        for i, (dense, norm) in enumerate(zip(self.dense, self.norm, strict=True)):
            names |= {f"hidden.{i}.weight": dense.weight, f"hidden.{i}.bias": dense.bias}
            if self.run.batch_norm:
                names |= {f"hidden.{i}.scale": norm.weight, f"hidden.{i}.shift": norm.bias}
            if self.run.batch_norm and statistics:
                names[f"hidden.{i}.mean"] = norm.running_mean
                names[f"hidden.{i}.variance"] = norm.running_var
        return names


class KerasAdam:
    """Adam as Keras writes it, on autograd's gradients."""

    def __init__(self, parameters):
        self.parameters = parameters
        self.memory = [(torch.zeros_like(p), torch.zeros_like(p)) for p in parameters]
        self.steps = 0

    @torch.no_grad()
    def step(self, learning_rate):
        self.steps += 1
        rate = learning_rate * math.sqrt(1 - 0.999**self.steps) / (1 - 0.9**self.steps)
        for parameter, (first, second) in zip(self.parameters, self.memory, strict=True):
            first.mul_(0.9).add_(parameter.grad, alpha=0.1)
            second.mul_(0.999).addcmul_(parameter.grad, parameter.grad, value=0.001)
            parameter -= rate * first / (second.sqrt() + 1e-7)
            parameter.grad = None


def train_plainly(run, network, inputs, labels, seed, repeats=1):
    """Train one seed by the recipe of the released code; return its loss per epoch."""
    shuffle, drop = torch_generator(seed, "shuffle"), torch_generator(seed, "dropout")
    optimiser, losses = KerasAdam(list(network.named().values())), []
    tiled_inputs, tiled_labels = inputs.repeat(repeats, 1), labels.repeat(repeats)
    for epoch in range(run.epochs):
        order = torch.randperm(len(tiled_labels), generator=shuffle)
        total = 0.0
        for batch in order.split(run.batch_size):
            keep = None
            if run.dropout:
                kept = 1 - run.dropout
                draws = [torch.rand(n, len(batch), generator=drop) for n in run.layers]
                keep = [(draw < kept).T / kept for draw in draws]
            logits = network(tiled_inputs[batch], keep)
            loss = torch.nn.functional.cross_entropy(logits, tiled_labels[batch])
            squares = sum(dense.weight.square().sum() for dense in network.dense)
            loss = loss + run.weight_decay * squares
            loss.backward()
            unbiased_to_biased(network, logits, run)
            optimiser.step(run.learning_rate * 0.1 ** (epoch // run.decay_epochs))
            total += loss.item() * len(batch)
        losses.append(total / len(order))
    return losses


@torch.no_grad()
def unbiased_to_biased(network, logits, run):
    """Turn the variance that torch has just averaged in into Keras' biased one."""
    count = len(logits)
    for norm in network.norm if run.batch_norm else ():
        before = getattr(norm, "before", torch.ones_like(norm.running_var))
        added = norm.running_var - 0.99 * before
        norm.running_var.copy_(0.99 * before + added * (count - 1) / count)
        norm.before = norm.running_var.clone()


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"depth": 2, "width": 12, "weight_decay": 1e-2},
        {"batch_norm": False, "activation": "abs"},
        {"dropout": 0.3},
        {"decay_epochs": 1},
        {"sample_size": 13},
    ],
    ids=lambda changes: "-".join(changes) or "published",
)
def test_training_is_that_of_a_plain_network_trained_plainly(
    make_run, make_training, images, changes
):
    run = make_run(**changes)
    ours = make_training(run, [3, 4])
    plain = PlainNetwork(run, 12, 3)
    plain.read(ours.whole, 1)
    examples = run.sample_size or 45
    inputs = torch.from_numpy(images[0][:examples]).reshape(examples, 12) / 255
    labels = torch.from_numpy(images[1][:examples])
    losses = train_plainly(run, plain, inputs, labels, seed=4, repeats=45 // examples)
    final = ours.finish()["final"]
    history = [row[3] for row in ours.progress.history if row[0] == 4]
    assert history == pytest.approx(losses, rel=1e-5)
    for name, parameter in plain.named(statistics=True).items():
        if run.batch_norm and name.endswith((".bias", ".mean")) and name.startswith("hidden"):
            continue  # batch norm cancels the bias; the plain one drifts by rounding error alone
        found = final.parameters[name][1]
        torch.testing.assert_close(found, parameter.detach(), rtol=1e-3, atol=2e-5, msg=name)


def assert_same_function(found, expected, inputs):
    """Same logits and same trained parameters but for rounding."""
    inputs = torch.from_numpy(inputs.reshape(len(inputs), -1)) / 255
    (_, left), (_, right) = next(found.evaluate(inputs)), next(expected.evaluate(inputs))
    torch.testing.assert_close(left, right, rtol=1e-4, atol=1e-5)
    for name in ("hidden.0.weight", "output.weight", "output.bias"):
        found_value, value = found.parameters[name], expected.parameters[name]
        torch.testing.assert_close(found_value, value, rtol=1e-4, atol=1e-5, msg=name)


def members_of(ensemble, indices):
    values = {name: value[indices] for name, value in ensemble.parameters.items()}
    return perceptrons.Perceptrons(ensemble.shape, values)


DATA_FACTORS = [
    {},
    {"dropout": 0.2, "depth": 2, "width": 10},
    {"sample_size": 20, "subset": "random"},
    {"label_noise": 0.3, "input_noise": 0.3},
]


@pytest.mark.parametrize("changes", DATA_FACTORS, ids=lambda changes: "-".join(changes) or "plain")
def test_a_seed_alone_is_the_seed_in_its_chunk(make_run, make_training, images, changes):
    run = make_run(**changes, epochs=3)
    whole = make_training(run, [0, 1, 2, 3]).finish()["final"]
    for seed in (0, 2):
        alone = make_training(run, [seed]).finish()["final"]
        assert_same_function(alone, members_of(whole, [seed]), images[0])


def test_results_do_not_depend_on_the_chunks(make_run, make_training, images):
    run = make_run(epochs=3)
    whole = make_training(run, [0, 1, 2, 3, 4]).finish()["final"]
    for chunk in ([0, 1], [2, 3, 4]):
        part = make_training(run, chunk).finish()["final"]
        assert_same_function(part, members_of(whole, chunk), images[0])


def test_seeds_differ_in_initialisation_and_shuffle(make_run, make_training):
    started = make_training(make_run(), [0, 1])
    first, second = started.whole.parameters["hidden.0.weight"]
    rows, _ = started.batches.order()
    assert not torch.equal(first, second)
    assert not torch.equal(rows[0], rows[1])
    assert [sorted(order) for order in rows.tolist()] == [list(range(45))] * 2


def test_the_same_training_twice_is_the_same_to_the_last_bit(make_run, make_training):
    run = make_run(dropout=0.2)
    first, second = (make_training(run, [0, 1]).finish()["final"] for _ in range(2))
    for name, value in first.parameters.items():
        assert torch.equal(value, second.parameters[name])


def test_each_epoch_has_its_own_order(make_run, make_training):
    started = make_training(make_run(), [0])
    assert not torch.equal(started.batches.order()[0], started.batches.order()[0])


def test_rows_and_labels_of_a_batch_belong_together(make_run, make_training, images):
    started = make_training(make_run(sample_size=9, subset="random"), [0, 1])
    rows, labels = started.batches.order()
    assert torch.equal(labels, torch.from_numpy(images[1])[rows])


def test_a_repeated_sample_shows_each_example_equally_often(make_run, make_training):
    started = make_training(make_run(sample_size=9), [0])
    rows, _ = started.batches.order()
    assert rows[0].bincount().tolist() == [5] * 9  # 45 // 9 passes in one epoch


def test_a_sample_that_does_not_divide_the_data_is_repeated_rounded_down(make_run, make_training):
    started = make_training(make_run(sample_size=20), [0])
    rows, _ = started.batches.order()
    assert rows[0].bincount().tolist() == [2] * 20  # an epoch has 40 examples, not 45


def stop_by_keras_rule(losses, patience):
    best, waited = math.inf, 0
    for epoch, loss in enumerate(losses, start=1):
        waited = 0 if loss < best else waited + 1
        best = min(best, loss)
        if waited >= patience:
            return epoch
    return len(losses)


@pytest.mark.parametrize("patience", [1, 2, 3])
def test_early_stopping_follows_keras_on_the_training_loss(make_run, make_training, patience):
    run = make_run(**{**RESTLESS, "patience": patience})
    through = make_training(make_run(**{**RESTLESS, "patience": 0}), list(range(6)))
    through.finish()
    losses = [[row[3] for row in through.progress.history if row[0] == seed] for seed in range(6)]
    expected = [stop_by_keras_rule(each, patience) for each in losses]
    stopping = make_training(run, list(range(6)))
    stopping.finish()
    assert stopping.progress.stopped == expected
    assert len(set(expected)) > 1, "the run should stop its seeds at different epochs"


def test_a_seed_stops_with_its_last_weights_and_stays_so(make_run, make_training):
    epochs = tuple(str(epoch) for epoch in range(13))
    training = make_training(make_run(**RESTLESS), list(range(6)), epochs)
    kept = training.finish()
    through = make_training(make_run(**{**RESTLESS, "patience": 0}), list(range(6)), epochs)
    expected = through.finish()
    for i, stopped in enumerate(training.progress.stopped):
        for epoch in range(13):
            for name, value in kept[str(epoch)].parameters.items():
                reference = expected[str(min(epoch, stopped))].parameters[name][i]
                torch.testing.assert_close(value[i], reference, rtol=1e-3, atol=1e-4)
                if epoch >= stopped:
                    assert torch.equal(value[i], kept["final"].parameters[name][i])


def test_the_ensemble_shrinks_when_seeds_stop(make_run, make_training):
    training = make_training(make_run(**RESTLESS), list(range(6)))
    sizes = []
    training.finish(lambda each: sizes.append(len(each.progress.active)))
    stopped = training.progress.stopped
    assert sizes == [sum(s > e for s in stopped) for e in range(1, max(stopped) + 1)]
    # the rows of the history are of the seeds that were in training
    for epoch in range(1, max(stopped) + 1):
        seeds = [row[0] for row in training.progress.history if row[1] == epoch]
        assert seeds == [i for i, last in enumerate(stopped) if last >= epoch]


def test_seeds_in_training_are_those_of_the_ensemble(make_run, make_training):
    training = make_training(make_run(**RESTLESS), list(range(6)))
    while not training.finished:
        training.advance()
        if training.progress.active:
            assert training.active.members == len(training.progress.active)


def test_without_patience_all_seeds_train_to_the_end(make_run, make_training):
    training = make_training(make_run(**{**RESTLESS, "patience": 0}), [0, 1])
    training.finish()
    assert training.progress.stopped == [12, 12]
    assert training.progress.steps == 12 * 6


def test_checkpoint_0_is_the_initialisation(make_run, make_training):
    training = make_training(make_run(), [5, 6], ("0", "1"))
    kept = training.finish()
    expected = perceptrons.initialise(kept["0"].shape, [5, 6])
    for name, value in expected.parameters.items():
        assert torch.equal(kept["0"].parameters[name], value)
    assert not torch.equal(
        kept["1"].parameters["output.weight"], kept["0"].parameters["output.weight"]
    )


def test_a_checkpoint_is_what_a_shorter_training_ends_with(make_run, make_training):
    kept = make_training(make_run(epochs=3), [0, 1], ("2",)).finish()
    shorter = make_training(make_run(epochs=2), [0, 1]).finish()["final"]
    assert list(kept) == ["2", "final"]
    for name, value in shorter.parameters.items():
        assert torch.equal(kept["2"].parameters[name], value)


def test_the_history_has_the_learning_rate_of_each_epoch(make_run, make_training):
    training = make_training(make_run(epochs=5, decay_epochs=2, learning_rate=0.02), [0])
    training.finish()
    rates = [row[2] for row in training.progress.history]
    assert rates == pytest.approx([0.02, 0.02, 0.002, 0.002, 0.0002])


def test_the_learning_rate_of_an_epoch_scales_its_step(make_run, make_training):
    changes = {"optimizer": "sgd", "epochs": 1, "batch_size": 45, "weight_decay": 0}
    moved = []
    for rate in (0.1, 0.2):
        kept = make_training(make_run(**changes, learning_rate=rate), [0], ("0",)).finish()
        before, after = (kept[e].parameters["output.weight"] for e in ("0", "final"))
        moved.append(after - before)
    torch.testing.assert_close(moved[1], 2 * moved[0], rtol=1e-4, atol=1e-7)


def test_the_network_learns(make_run, make_training):
    training = make_training(make_run(epochs=60, width=20), [0])
    training.finish()
    assert training.progress.history[-1][4] > 0.95


def test_a_loss_that_is_not_finite_names_run_seed_and_epoch(make_run, make_training):
    training = make_training(make_run(), [7, 8])
    training.advance()
    training.active.parameters["output.bias"][1] = math.nan
    with pytest.raises(DivergenceError, match=rf"{training.run.id}, seed 8: .* in epoch 2; lower"):
        training.advance()


def test_a_learning_rate_far_too_large_is_an_error_of_divergence(make_run, make_training):
    run = make_run(batch_norm=False, optimizer="sgd", learning_rate=1e6, weight_decay=1)
    with pytest.raises(DivergenceError, match="lower learning_rate"):
        make_training(run, [0]).finish()


def test_the_validation_part_is_used_for_the_history_alone(make_run, images):
    run, results = make_run(), []
    for inputs, labels in (images, (images[0].copy(), images[1].copy())):
        if results:
            inputs[45:], labels[45:] = 255 - inputs[45:], 2 - labels[45:]
        data = TrainingData.of(run, [0], inputs, labels, 255)
        results.append(loop.Training(run, [0], data, 3))
    finals = [each.finish()["final"] for each in results]
    for name, value in finals[0].parameters.items():
        assert torch.equal(value, finals[1].parameters[name])
    history = [each.progress.history for each in results]
    assert [row[:5] for row in history[0]] == [row[:5] for row in history[1]]
    assert history[0][-1][5] != history[1][-1][5]


def test_a_run_without_validation_trains_on_the_whole_file(make_run, images):
    run = make_run(validation_fraction=0)
    started = loop.Training(run, [0], TrainingData.of(run, [0], *images, 255), 3)
    started.finish()
    assert started.batches.order()[0].shape == (1, 57)
    assert started.progress.history[0][5:] == [None, None]


def test_evaluate_is_the_loss_and_accuracy_of_each_member(make_run, make_training, images):
    final = make_training(make_run(), [0, 1]).finish()["final"]
    inputs = torch.from_numpy(images[0].reshape(57, -1)) / 255
    labels = torch.from_numpy(images[1])
    loss, accuracy = ensembles.score(final, inputs, labels)
    for i in range(2):
        logits = final.member(i)(inputs)
        expected = torch.nn.functional.cross_entropy(logits, labels)
        torch.testing.assert_close(loss[i], expected.detach())
        assert accuracy[i] == (logits.argmax(1) == labels).float().mean()


def test_the_history_reports_the_validation_of_the_epoch(make_run, make_training, images):
    started = make_training(make_run(), [0])
    final = started.finish()["final"]
    inputs = torch.from_numpy(images[0][45:].reshape(12, -1)) / 255
    loss, accuracy = ensembles.score(final, inputs, torch.from_numpy(images[1][45:]))
    assert started.progress.history[-1][5:] == pytest.approx([loss.item(), accuracy.item()])


def test_inputs_are_divided_by_their_maximum_and_flattened(make_run, images):
    run = make_run()
    data = TrainingData.of(run, [0], *images, 255)
    started = loop.Training(run, [0], data, 3)
    gathered = started.batches.gather(torch.tensor([[3, 0]])).numpy()
    np.testing.assert_array_equal(
        gathered[0], images[0][[3, 0]].reshape(2, 12).astype(np.float32) / np.float32(255)
    )


def test_each_seed_trains_on_its_own_noise(make_run, images):
    run = make_run(input_noise=0.5, label_noise=0.5)
    before = images[0].copy(), images[1].copy()
    data = TrainingData.of(run, [0, 1], *images, 255)
    started = loop.Training(run, [0, 1], data, 3)
    rows, labels = started.batches.order()
    for i in range(2):
        gathered = started.batches.gather(rows[i : i + 1])[0] * 255
        order = (rows[i] - 45 * i).tolist()
        torch.testing.assert_close(gathered, data.inputs[i, order].float())
        assert torch.equal(labels[i], data.labels[i, order])
    assert not torch.equal(data.inputs[0], data.inputs[1])
    assert not torch.equal(data.labels[0], data.labels[1])
    assert all(np.array_equal(now, then) for now, then in zip(images, before, strict=True))


@pytest.mark.parametrize("changes", [{}, {"depth": 2, "width": 8, "patience": 1, "dropout": 0.2}])
def test_both_libraries_for_products_train_the_same_network(
    make_run, make_training, monkeypatch, changes
):
    run, finals = make_run(epochs=3, **changes), []
    for worthwhile in (0, 10**12):
        monkeypatch.setattr(products, "WORTHWHILE", worthwhile)
        finals.append(make_training(run, [0, 1, 2]).finish()["final"].parameters)
    for name, value in finals[0].items():
        assert torch.allclose(value, finals[1][name], rtol=1e-4, atol=1e-5), name
