import csv
import json
import math
import signal
from dataclasses import replace

import pytest
import torch

from neuralcodes.errors import DivergenceError
from neuralcodes.networks import hashnetworks, modelfiles
from neuralcodes.networks.training import resume, statefiles
from neuralcodes.networks.training.loop import Training
from neuralcodes.storage.randomness import torch_generator
from neuralcodes.studies import hashruns

CPU = torch.device("cpu")


class Examples:
    """Four classes of ten points around a centre each; other numbers for each seed."""

    def __init__(self, seeds, shape=(5,), classes=4, each=10):
        self.shape, self.classes, self.examples = shape, classes, classes * each
        labels = torch.arange(classes).repeat_interleave(each)
        made = []
        for seed in seeds:
            generator = torch.Generator().manual_seed(100 + seed)
            centres = torch.randn(classes, *shape, generator=generator)
            noise = torch.randn(self.examples, *shape, generator=generator)
            made.append(3 + 2 * centres[labels] + 0.5 * noise)
        self.inputs, self.labels = torch.stack(made), labels.repeat(len(made), 1)
        self.asked, self.device = [], CPU

    def batch(self, rows):
        self.asked.append(rows.clone())
        return torch.stack([each[r] for each, r in zip(self.inputs, rows, strict=True)])

    def moments(self):
        flat = self.inputs.flatten(1)
        return flat.mean(1), flat.std(1)


HASH = hashruns.from_mapping(
    {
        **{"dataset": "toy", "family": "poly", "gamma_dim": 3, "theta_dim": 2, "ambient_dim": None},
        **{"rotation": 0, "shift": 0, "contrast": 0, "brightness": 0, "classes": None},
        **{"manifolds": 4, "points": 10, "label_noise": 0, "network": "hash", "width": 24},
        **{"hash_width": 6, "hash_activation": "linear", "train_first_layer": False},
        **{"init_scale": 1.0, "learning_rate": 0.01, "weight_decay": 0.5, "warmup_steps": 10},
        **{"steps": 70, "batch_size": 16},
    }
)
IMAGES = replace(HASH, network="cnn")
RUNS = {
    "hash": HASH,
    "first layer trained": replace(HASH, train_first_layer=True, init_scale=0.3),
    "relu": replace(HASH, hash_activation="relu"),
    "cnn": IMAGES,
}
EVERY = pytest.mark.parametrize("run", RUNS.values(), ids=RUNS.keys())


def examples_of(run, seeds):
    return Examples(seeds, (1, 8, 8) if run.network == "cnn" else (5,))


def start(run, seeds, lean=None):
    return Training(run, seeds, examples_of(run, seeds), 4, ("0", "final"), lean=lean)


@pytest.fixture(autouse=True)
def sigterm():
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def test_the_learning_rate_warms_up_and_falls_to_zero_by_hand():
    run = replace(HASH, steps=12, warmup_steps=3, learning_rate=0.6)
    found = [run.learning_rate_at(step) for step in (0, 1, 2, 3, 4, 6, 8)]
    cosines = [1, math.cos(math.pi / 12), math.sqrt(3) / 2, math.sqrt(0.5), 0.5, 0, -0.5]
    warmth = [1 / 3, 2 / 3, 1, 1, 1, 1, 1]
    expected = [0.6 * w * (1 + c) / 2 for w, c in zip(warmth, cosines, strict=True)]
    assert found == pytest.approx(expected)
    assert 0 < run.learning_rate_at(11) < 0.011
    assert run.learning_rate_at(12) == pytest.approx(0)


@pytest.mark.parametrize("warmup", [0, 1])
def test_without_warm_up_the_first_step_has_the_full_rate(warmup):
    run = replace(HASH, warmup_steps=warmup)
    assert run.learning_rate_at(0) == run.learning_rate


def plain_member(run, ensemble, index):
    """One member and its parameters by our names, those that decay first."""
    member = ensemble.member(index).train()
    if run.network == "cnn":
        member[0].eval()  # standardises
        layers = {"conv.0": 1, "conv.1": 4, "conv.2": 7, "hash": 11, "output": 12}
        norms = {f"conv.{i}": member[3 * i + 2] for i in range(3)}
    else:
        layers = {"first": 0, "hash": 2, "output": len(member) - 1}
        norms = {}
    named = {f"{name}.weight": member[place].weight for name, place in layers.items()}
    if not run.train_first_layer:
        named.pop("first.weight", None)
    rest = {f"{name}.bias": member[layers[name]].bias for name in ("hash", "output")}
    for name, norm in norms.items():
        rest |= {f"{name}.scale": norm.weight, f"{name}.shift": norm.bias}
    return member, named, rest


@EVERY
def test_training_is_that_of_a_plain_network_trained_plainly(run):
    run, seeds = replace(run, steps=25), [4, 7]
    ours, data = start(run, seeds), examples_of(run, seeds)
    member, decayed, rest = plain_member(run, ours.checkpoints["0"], 1)
    optimiser = torch.optim.AdamW(
        [
            {"params": list(decayed.values()), "weight_decay": run.weight_decay},
            {"params": list(rest.values()), "weight_decay": 0.0},
        ]
    )
    shuffle, losses = torch_generator(7, "hash shuffle"), []
    for step in range(run.steps):
        if step % 2 == 0:  # 40 examples are two batches of 16
            order = torch.randperm(40, generator=shuffle)
        batch = order[16 * (step % 2) :][:16]
        for group in optimiser.param_groups:
            group["lr"] = run.learning_rate_at(step)
        logits = member(data.inputs[1][batch])
        loss = torch.nn.functional.cross_entropy(logits, data.labels[1][batch])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    final = ours.finish()["final"]
    assert ours.progress.history[-1][3] == pytest.approx(sum(losses) / 25, rel=1e-4)
    for name, value in (decayed | rest).items():
        torch.testing.assert_close(
            final.parameters[name][1], value.detach(), rtol=1e-3, atol=1e-4, msg=name
        )


@EVERY
def test_training_changes_what_it_trains_and_nothing_else(run):
    kept = start(run, [0, 1]).finish()
    before, after = kept["0"].parameters, kept["final"].parameters
    changed = {name for name, value in after.items() if not torch.equal(value, before[name])}
    expected = set(kept["0"].trained_names(run))
    expected |= {name for name in before if name.endswith((".mean", ".variance"))}
    assert changed == expected - {"input.mean"}
    assert ("first.weight" in changed) == run.train_first_layer


def test_checkpoint_0_is_the_initialisation():
    kept = start(replace(HASH, init_scale=0.3), [5, 6]).finish()
    expected = hashnetworks.initialise(kept["0"].shape, [5, 6], 0.3)
    assert list(kept) == ["0", "final"]
    for name, value in expected.parameters.items():
        assert torch.equal(kept["0"].parameters[name], value)


def test_a_convolutional_network_standardises_by_the_moments_of_its_own_examples():
    training = start(IMAGES, [2, 9])
    for epoch in ("0", "final"):
        values = training.finish()[epoch].parameters
        for name, moment in zip(("mean", "deviation"), training.data.moments(), strict=True):
            assert torch.equal(values[f"input.{name}"], moment)
    assert moment[0] != moment[1]


@pytest.mark.parametrize("train_first_layer", [False, True])
def test_where_the_gradient_is_zero_weights_decay_and_biases_do_not(train_first_layer):
    run = replace(HASH, train_first_layer=train_first_layer, warmup_steps=0)
    training = start(run, [0, 1])
    values = training.active.parameters
    values["output.weight"].zero_()  # nothing comes down to the hash layer in the first step
    values["hash.bias"].fill_(1)
    before = {name: value.clone() for name, value in values.items()}
    training.advance()
    kept = 1 - 0.01 * 0.5
    torch.testing.assert_close(values["hash.weight"], before["hash.weight"] * kept)
    assert torch.equal(values["hash.bias"], before["hash.bias"])
    expected = before["first.weight"] * (kept if train_first_layer else 1)
    torch.testing.assert_close(values["first.weight"], expected, rtol=1e-6, atol=0)


def test_weight_decay_reaches_the_output_layer_and_no_bias():
    moved = []
    for decay in (0.0, 0.5):
        training = start(replace(HASH, weight_decay=decay, warmup_steps=0), [0])
        training.active.parameters["output.bias"].fill_(1)
        before = {n: v.clone() for n, v in training.active.parameters.items()}
        training.advance()
        moved.append({n: v - before[n] for n, v in training.active.parameters.items()})
    for name, value in moved[0].items():
        shrunk = -0.01 * 0.5 * before[name] if name in ("hash.weight", "output.weight") else 0
        torch.testing.assert_close(moved[1][name], value + shrunk, rtol=1e-3, atol=1e-6)


def test_every_example_comes_once_before_any_comes_twice():
    training = start(replace(HASH, batch_size=10, steps=12), [0, 1])
    training.finish()
    for i in range(2):
        orders = torch.cat([rows[i] for rows in training.data.asked]).view(3, 40)
        assert all(order.sort().values.tolist() == list(range(40)) for order in orders)
        assert not torch.equal(orders[0], orders[1])
    asked = training.data.asked[0]
    assert not torch.equal(asked[0], asked[1])


def test_a_remainder_smaller_than_a_batch_is_left_out():
    training = start(replace(HASH, batch_size=16, steps=6), [0])
    training.finish()
    assert {rows.shape for rows in training.data.asked} == {(1, 16)}
    for first in (0, 2, 4):
        pair = torch.cat(training.data.asked[first : first + 2], 1)[0]
        assert len(pair.unique()) == 32


def test_a_batch_larger_than_the_data_is_all_of_it_shuffled():
    training = start(replace(HASH, batch_size=500, steps=3), [0])
    training.finish()
    orders = [rows[0].tolist() for rows in training.data.asked]
    assert all(sorted(order) == list(range(40)) for order in orders)
    assert orders[0] != orders[1] != list(range(40))
    assert 0 < training.progress.history[-1][4] <= 1


def test_the_history_has_a_row_per_seed_of_every_fifty_steps_and_the_rest():
    training = start(replace(HASH, steps=120), [4, 2])
    training.finish()
    rows = training.progress.history
    assert [row[:2] for row in rows] == [[s, step] for step in (50, 100, 120) for s in (4, 2)]
    for row in rows:
        assert row[2] == training.run.learning_rate_at(row[1] - 1)
    assert len(rows[0]) == 5


@EVERY
def test_the_network_learns(run):
    training = start(replace(run, steps=150), [0, 1])
    training.finish()
    assert min(row[4] for row in training.progress.history[-2:]) > 0.95


@EVERY
def test_lean_steps_train_the_same_network(run):
    expected, found = start(run, [3, 4], lean=False), start(run, [3, 4], lean=True)
    expected.finish()
    found.finish()
    for row, other in zip(found.progress.history, expected.progress.history, strict=True):
        assert row == pytest.approx(other, rel=1e-4, abs=1e-6)
    for name, value in expected.checkpoints["final"].parameters.items():
        other = found.checkpoints["final"].parameters[name]
        torch.testing.assert_close(other, value, rtol=1e-3, atol=1e-4, msg=name)
    for name, value in expected.optimiser.moments().items():
        other = found.optimiser.moments()[name]
        torch.testing.assert_close(other, value, rtol=1e-2, atol=1e-5, msg=name)


def test_losses_are_looked_at_only_when_a_row_is_due():
    training, waiting = start(HASH, [0, 1]), []
    training.finish(lambda each: waiting.append(len(each.measured)))
    assert waiting == [*range(1, 50), 0, *range(1, 20), 0]
    assert [row[:2] for row in training.progress.history] == [
        [s, t] for t in (50, 70) for s in (0, 1)
    ]


def test_a_loss_that_is_not_finite_names_run_seed_step_and_rate():
    training = start(HASH, [7, 8])
    training.advance()
    training.active.parameters["output.bias"][1] = math.nan
    with pytest.raises(
        DivergenceError,
        match=rf"{HASH.id}, seed 8: .* nan in step 2; lower learning_rate \(0\.0019",
    ):
        training.finish()
    assert training.progress.turn == 50


def test_a_learning_rate_far_too_large_is_an_error_of_divergence():
    with pytest.raises(DivergenceError, match="lower learning_rate"):
        start(replace(HASH, learning_rate=1e30, warmup_steps=0), [0]).finish()


def test_a_network_of_images_refuses_what_is_no_image():
    with pytest.raises(ValueError, match="takes images"):
        Training(IMAGES, [0], Examples([0]), 4)


def files_of(folder):
    model = folder / "results/models/toy-hash24x6-01234567/seeds0-1.safetensors"
    return {"model": model, "history": model.with_suffix(".history.csv")}


def train(folder, run=HASH, code="code", facts="facts"):
    files, data = files_of(folder), examples_of(run, [0, 1])
    resume.train_on_steps(run, range(2), data, **files, code=code, facts=facts)
    return files


def test_training_writes_the_model_file_and_the_history(tmp_path):
    files = train(tmp_path)
    metadata = modelfiles.read_metadata(files["model"])
    assert metadata["run"] == json.loads(json.dumps(HASH.to_dict()))
    assert metadata["seeds"] == [0, 1]
    assert metadata["epochs"] == ["0", "final"]
    assert metadata["device"] == "cpu"
    assert metadata["versions"]["torch"] == torch.__version__
    assert modelfiles.has_checkpoint(metadata, 1, "final")
    expected = start(HASH, [0, 1]).finish()
    for epoch, ensemble in expected.items():
        found = modelfiles.load(files["model"], epoch)
        assert found.shape == ensemble.shape
        for name, value in ensemble.parameters.items():
            assert torch.equal(found.parameters[name], value)
    with files["history"].open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["seed"], row["step"]) for row in rows] == [
        ("0", "50"),
        ("1", "50"),
        ("0", "70"),
        ("1", "70"),
    ]
    assert ",".join(rows[0]) == "seed,step,learning_rate,train_loss,train_accuracy"
    assert not statefiles.state_path(files["model"]).exists()


class Manifolds(Examples):
    """Points A ((1, gamma) x (cos theta, sin theta)) / 2: gamma names the manifold."""

    def __init__(self, manifolds, points, role):
        generator = torch.Generator().manual_seed(0)
        basis = torch.linalg.qr(torch.randn(32, 28, generator=generator))[0]
        generator = torch.Generator().manual_seed(1 + role)
        gamma = torch.randn(manifolds, 6, generator=generator)
        gamma = torch.nn.functional.normalize(gamma, dim=1)
        theta = 2 * math.pi * torch.rand(manifolds, points, 2, generator=generator)
        first = torch.cat([torch.ones(manifolds, 1), gamma], 1)
        second = torch.cat([theta.cos(), theta.sin()], 2)
        product = first[:, None, :, None] * second[:, :, None, :]
        self.inputs = (product.flatten(2) @ basis.T / 2).flatten(0, 1)[None]
        self.shape, self.classes, self.examples = (32,), manifolds, manifolds * points
        self.labels = torch.arange(manifolds).repeat_interleave(points)[None]
        self.asked, self.device = [], CPU


def variance_ratio(r, manifolds):
    points = r.unflatten(0, (manifolds, -1))
    within = points.var(1).sum(1).mean()
    return (within / r.var(0, correction=0).sum()).item()


def test_training_makes_the_representation_invariant_on_unseen_manifolds():
    run = replace(HASH, width=1000, hash_width=128, steps=500, batch_size=250)
    run = replace(run, learning_rate=3e-3, weight_decay=3.0, warmup_steps=100)
    kept = Training(run, [0], Manifolds(100, 100, 0), 100, ("0", "final")).finish()
    unseen = Manifolds(300, 20, 1).inputs[0]
    found = {epoch: variance_ratio(e.represent(unseen)[1][0], 300) for epoch, e in kept.items()}
    assert variance_ratio(unseen, 300) == pytest.approx(1, abs=0.01)
    assert found["0"] > 0.8
    assert 0.05 < found["final"] < 0.09
