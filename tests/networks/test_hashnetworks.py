import math
from types import SimpleNamespace

import pytest
import torch

from neuralcodes.networks import hashnetworks
from neuralcodes.networks.hashnetworks import HashEnsemble, HashShape

TRAINED, FROZEN = (SimpleNamespace(train_first_layer=each) for each in (True, False))
HASH = HashShape("hash", (6,), 20, 5, 7)
CNN = HashShape("cnn", (1, 10, 10), 0, 5, 7)
SHAPES = [
    HASH,
    HashShape("hash", (6,), 20, 5, 7, "relu"),
    HashShape("hash", (2, 3, 4), 20, 5, 7),
    CNN,
    HashShape("cnn", (3, 9, 13), 0, 4, 6, "relu"),
]


def name_of(shape):
    return f"{shape.network}-{'x'.join(map(str, shape.inputs))}-{shape.hash_activation}"


def generator(seed=1):
    return torch.Generator().manual_seed(seed)


def forward(ensemble, inputs, training):
    """Pre-activations, representations and logits of each member on its own batch."""
    members = range(ensemble.members)
    made = [
        hashnetworks.run_member(ensemble.shape, ensemble.values(i), inputs[i], training)
        for i in members
    ]
    return tuple(map(torch.stack, zip(*made, strict=True)))


def random_ensemble(shape, members=3):
    """An ensemble all of whose parameters differ from what a fresh network has."""
    ensemble = hashnetworks.initialise(shape, range(members))
    for name, value in ensemble.parameters.items():
        noise = torch.rand(value.shape, generator=generator()) + 0.5
        if name.endswith((".variance", ".deviation", ".scale")):
            value.copy_(noise)
        else:
            value.add_(noise, alpha=0.3)
    return ensemble


def batch_of(shape, *sizes):
    return torch.randn(*sizes, *shape.inputs, generator=generator(2))


class PlainNetwork(torch.nn.Module):
    """One member as anyone would write it."""

    def __init__(self, ensemble, index):
        super().__init__()
        self.shape = ensemble.shape
        values = {name: value[index] for name, value in ensemble.parameters.items()}
        self.values = values
        if self.shape.network == "hash":
            self.first = torch.nn.Linear(math.prod(self.shape.inputs), self.shape.width, bias=False)
            self.first.weight.data.copy_(values["first.weight"])
        else:
            sizes = [(self.shape.inputs[0], 32, 5, 2), (32, 64, 3, 1), (64, 64, 3, 1)]
            self.conv = torch.nn.ModuleList(
                torch.nn.Conv2d(below, channels, kernel, stride=2, padding=padding)
                for below, channels, kernel, padding in sizes
            )
            self.norm = torch.nn.ModuleList(torch.nn.BatchNorm2d(size[1]) for size in sizes)
            for i, (conv, norm) in enumerate(zip(self.conv, self.norm, strict=True)):
                conv.weight.data.copy_(values[f"conv.{i}.weight"])
                conv.bias.data.copy_(values[f"conv.{i}.bias"])
                norm.weight.data.copy_(values[f"conv.{i}.scale"])
                norm.bias.data.copy_(values[f"conv.{i}.shift"])
                norm.running_mean.copy_(values[f"conv.{i}.mean"])
                norm.running_var.copy_(values[f"conv.{i}.variance"])

    def forward(self, inputs):
        values = self.values
        if self.shape.network == "hash":
            hidden = torch.relu(self.first(inputs.flatten(1)))
        else:
            hidden = (inputs - values["input.mean"]) / values["input.deviation"]
            for conv, norm in zip(self.conv, self.norm, strict=True):
                hidden = torch.relu(norm(conv(hidden)))
            hidden = hidden.flatten(1)
        pre = hidden @ values["hash.weight"].T + values["hash.bias"]
        r = torch.relu(pre) if self.shape.hash_activation == "relu" else pre
        return pre, r, r @ values["output.weight"].T + values["output.bias"]


def assert_close(found, expected, message=None):
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5, msg=message)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("shape", SHAPES, ids=name_of)
def test_the_ensemble_is_a_plain_network_member_by_member(shape, training):
    ensemble = random_ensemble(shape)
    inputs = batch_of(shape, 3, 11)
    plain = [PlainNetwork(ensemble, i).train(training) for i in range(3)]
    plain = [network.requires_grad_(False) for network in plain]
    expected = [network(inputs[i]) for i, network in enumerate(plain)]
    found = forward(ensemble, inputs, training=training)
    for i in range(3):
        for ours, theirs in zip(found, expected[i], strict=True):
            assert_close(ours[i], theirs)


@pytest.mark.parametrize("shape", [s for s in SHAPES if s.network == "cnn"], ids=name_of)
def test_batches_in_training_move_the_running_statistics_as_torch_does(shape):
    ensemble = random_ensemble(shape)
    plain = [PlainNetwork(ensemble, i).requires_grad_(False) for i in range(3)]
    for seed in range(3):
        inputs = torch.randn(3, 8, *shape.inputs, generator=generator(seed))
        forward(ensemble, inputs, training=True)
        for i, network in enumerate(plain):
            network(inputs[i])
    for i, network in enumerate(plain):
        for j, norm in enumerate(network.norm):
            assert_close(ensemble.parameters[f"conv.{j}.mean"][i], norm.running_mean)
            assert_close(ensemble.parameters[f"conv.{j}.variance"][i], norm.running_var)


@pytest.mark.parametrize("shape", SHAPES, ids=name_of)
def test_evaluation_changes_no_parameter(shape):
    ensemble = random_ensemble(shape)
    before = {name: value.clone() for name, value in ensemble.parameters.items()}
    forward(ensemble, batch_of(shape, 3, 5), training=False)
    ensemble.represent(batch_of(shape, 5))
    ensemble.predict(batch_of(shape, 5))
    assert all(torch.equal(value, before[n]) for n, value in ensemble.parameters.items())


@pytest.mark.parametrize("shape", SHAPES, ids=name_of)
def test_gradients_are_those_of_a_plain_network(shape):
    ensemble = random_ensemble(shape, members=1)
    inputs, labels = batch_of(shape, 9), torch.arange(9) % shape.classes
    plain = PlainNetwork(ensemble, 0).double()
    names = ensemble.trained_names(TRAINED)
    layers = {"scale": "weight", "shift": "bias"}
    plain.values = {name: v.double().requires_grad_() for name, v in plain.values.items()}
    torch.nn.functional.cross_entropy(plain(inputs.double())[2], labels).backward()
    values = {n: v[0].requires_grad_(n in names) for n, v in ensemble.parameters.items()}
    logits = hashnetworks.run_member(shape, values, inputs, training=True)[2]
    torch.nn.functional.cross_entropy(logits, labels).backward()
    for name in names:
        layer, *rest = name.split(".")
        if layer in ("hash", "output"):
            expected = plain.values[name].grad
        elif layer == "first":
            expected = plain.first.weight.grad
        else:
            kept = plain.conv if rest[1] == "weight" else plain.norm
            expected = getattr(kept[int(rest[0])], layers.get(rest[1], rest[1])).grad
        assert_close(values[name].grad, expected.float(), name)


def test_the_gradient_of_a_convolutions_bias_is_zero():
    network = PlainNetwork(random_ensemble(CNN, members=1), 0).double()
    network.values = {name: value.double() for name, value in network.values.items()}
    logits = network(batch_of(CNN, 9).double())[2]
    torch.nn.functional.cross_entropy(logits, torch.arange(9) % 7).backward()
    assert max(conv.bias.grad.abs().max().item() for conv in network.conv) < 1e-12


def test_a_linear_hash_network_by_hand():
    shape = HashShape("hash", (1,), 2, 1, 2)
    values = {"first.weight": [[[3.0], [-1.0]]], "hash.weight": [[[2.0, 5.0]]]}
    values |= {"hash.bias": [[-20.0]], "output.weight": [[[1.0], [-1.0]]]}
    values |= {"output.bias": [[0.0, 0.5]]}
    ensemble = HashEnsemble(shape, {n: torch.tensor(v) for n, v in values.items()})
    # h = relu(6, -2), pre = 2 * 6 - 20
    pre, r, logits = forward(ensemble, torch.tensor([[[2.0]]]), training=False)
    assert (pre.item(), r.item(), logits.tolist()) == (-8, -8, [[[-8, 8.5]]])
    rectified = HashEnsemble(HashShape("hash", (1,), 2, 1, 2, "relu"), dict(ensemble.parameters))
    pre, r, logits = forward(rectified, torch.tensor([[[2.0]]]), training=False)
    assert (pre.item(), r.item(), logits.tolist()) == (-8, 0, [[[0, 0.5]]])


@pytest.mark.parametrize("shape", SHAPES, ids=name_of)
def test_representations_do_not_depend_on_batches_or_on_sharing(shape):
    ensemble, inputs = random_ensemble(shape), batch_of(shape, 11)
    expected = forward(ensemble, inputs.expand(3, *inputs.shape), training=False)
    for given in (inputs, inputs.expand(3, *inputs.shape)):
        pre, r = ensemble.represent(given, batch_size=4)
        assert_close(pre, expected[0])
        assert_close(r, expected[1])
        assert torch.equal(ensemble.predict(given, batch_size=4), expected[2].argmax(2))
    assert pre.shape == (3, 11, shape.hash_width)


def test_each_member_represents_its_own_inputs():
    ensemble, inputs = random_ensemble(HASH), batch_of(HASH, 3, 5)
    pre, _ = ensemble.represent(inputs)
    for i in range(3):
        assert_close(pre[i], ensemble.represent(inputs[i])[0][i])
    assert not torch.allclose(pre[0], ensemble.represent(inputs[1])[0][0])


@pytest.mark.parametrize("shape", SHAPES, ids=name_of)
def test_a_member_is_the_ensemble_at_its_index(shape):
    ensemble, inputs = random_ensemble(shape), batch_of(shape, 11)
    logits = forward(ensemble, inputs.expand(3, *inputs.shape), training=False)[2]
    for i in range(3):
        member = ensemble.member(i)
        assert not member.training
        assert_close(member(inputs).detach(), logits[i])


def test_a_member_shares_no_memory_with_the_ensemble():
    for shape in (HASH, CNN):
        ensemble = random_ensemble(shape)
        before = {name: value.clone() for name, value in ensemble.parameters.items()}
        for parameter in ensemble.member(0).parameters():
            parameter.data.zero_()
        assert all(torch.equal(v, before[n]) for n, v in ensemble.parameters.items())


def test_all_weights_and_nothing_else_decay_but_a_fixed_first_layer():
    ensemble = hashnetworks.initialise(HASH, [0])
    rest = ["hash.weight", "hash.bias", "output.weight", "output.bias"]
    assert ensemble.trained_names(FROZEN) == rest
    assert ensemble.trained_names(TRAINED) == ["first.weight", *rest]
    decayed = ["hash.weight", "output.weight"]
    assert ensemble.decayed_names(FROZEN) == decayed
    assert ensemble.decayed_names(TRAINED) == ["first.weight", *decayed]


def test_tensors_of_more_than_one_dimension_decay_in_a_convolutional_network():
    ensemble = hashnetworks.initialise(CNN, [0])
    trained = ensemble.trained_names(FROZEN)
    matrices = {name for name, value in ensemble.parameters.items() if value[0].dim() > 1}
    assert set(ensemble.decayed_names(FROZEN)) == matrices
    assert matrices == {f"{n}.weight" for n in ("conv.0", "conv.1", "conv.2", "hash", "output")}
    fixed = {"input.mean", "input.deviation"}
    fixed |= {f"conv.{i}.{kind}" for i in range(3) for kind in ("bias", "mean", "variance")}
    assert set(ensemble.parameters) - set(trained) == fixed


def test_initial_weights_of_a_hash_network_have_their_variances():
    shape = HashShape("hash", (50,), 400, 300, 200)
    values = hashnetworks.initialise(shape, [0], init_scale=0.1).parameters
    expected = {"first": 2, "hash": 0.01 * 2 / 400, "output": 1 / 300}
    for name, variance in expected.items():
        weight = values[f"{name}.weight"]
        assert weight.var().item() == pytest.approx(variance, rel=0.03)
        assert weight.mean().item() == pytest.approx(0, abs=variance**0.5 / 30)
        assert weight.abs().max() > 3.5 * variance**0.5, "normal, not uniform"
    assert values["hash.bias"].count_nonzero() == values["output.bias"].count_nonzero() == 0


def test_the_scale_of_the_initialisation_changes_the_hash_layer_alone():
    plain, scaled = (hashnetworks.initialise(HASH, [0], s).parameters for s in (1.0, 0.5))
    for name, value in plain.items():
        assert torch.equal(scaled[name], value * 0.5 if name == "hash.weight" else value)


def test_initial_weights_of_a_convolutional_network_are_torchs_default():
    shape = HashShape("cnn", (3, 32, 32), 0, 128, 100)
    values = hashnetworks.initialise(shape, [0]).parameters
    layers = [torch.nn.Conv2d(3, 32, 5), torch.nn.Conv2d(32, 64, 3), torch.nn.Conv2d(64, 64, 3)]
    layers += [torch.nn.Linear(64 * 4 * 4, 128), torch.nn.Linear(128, 100)]
    for name, layer in zip(["conv.0", "conv.1", "conv.2", "hash", "output"], layers, strict=True):
        limit = 1 / math.sqrt(layer.weight[0].numel())
        assert values[f"{name}.weight"][0].shape == layer.weight.shape
        for kind in ("weight", "bias"):
            for found in (values[f"{name}.{kind}"], getattr(layer, kind).detach()):
                assert 0.85 * limit < found.abs().max() <= limit
        spread = values[f"{name}.weight"].std().item()
        assert spread == pytest.approx(layer.weight.std().item(), rel=0.05)


def test_batch_norm_and_standardisation_start_as_the_identity():
    values = hashnetworks.initialise(CNN, [0, 1]).parameters
    for kind, start in {"scale": 1, "shift": 0, "mean": 0, "variance": 1}.items():
        assert all(values[f"conv.{i}.{kind}"].unique().tolist() == [start] for i in range(3))
    assert values["input.mean"].tolist() == [0, 0]
    assert values["input.deviation"].tolist() == [1, 1]


@pytest.mark.parametrize("shape", [HASH, CNN], ids=name_of)
def test_a_member_is_initialised_by_its_own_seed_alone(shape):
    whole = hashnetworks.initialise(shape, [3, 8, 5]).parameters
    alone = hashnetworks.initialise(shape, [8]).parameters
    for name, value in alone.items():
        assert torch.equal(whole[name][1:2], value)
    assert not torch.equal(whole["hash.weight"][0], whole["hash.weight"][1])


def test_a_convolutional_network_refuses_what_is_no_image():
    with pytest.raises(ValueError, match=r"takes images .*, not \(52,\)"):
        hashnetworks.initialise(HashShape("cnn", (52,), 0, 5, 7), [0])
