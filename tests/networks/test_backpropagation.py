import pytest
import torch

from neuralcodes.networks import perceptrons
from neuralcodes.networks.training.backpropagation import Backpropagation

ACTIVATIONS = {
    "relu": torch.nn.functional.relu,
    "leaky_relu": lambda pre: torch.nn.functional.leaky_relu(pre, 0.01),
    "abs": torch.abs,
    "tanh": torch.tanh,
}
STATISTICS = ("mean", "variance")


def random_ensemble(depth, activation="relu", *, batch_norm=True, dropout=0.0, members=3):
    """Members of random parameters, all of them away from where they are initialised."""
    shape = perceptrons.Shape(
        inputs=7,
        hidden=(6, 4, 5, 3, 4)[:depth],
        classes=3,
        activation=activation,
        batch_norm=batch_norm,
        dropout=dropout,
    )
    generator = torch.Generator().manual_seed(1)
    parameters = {}
    for name, value in perceptrons.initialise(shape, range(members)).parameters.items():
        noise = torch.randn(value.shape, generator=generator, dtype=torch.float64)
        parameters[name] = noise.abs() if name.endswith("variance") else noise
    return perceptrons.Perceptrons(shape, parameters)


def random_batch(ensemble, examples=9):
    generator = torch.Generator().manual_seed(2)
    members, shape = ensemble.members, ensemble.shape
    inputs = torch.randn(members, examples, 7, generator=generator, dtype=torch.float64)
    labels = torch.randint(0, 3, (members, examples), generator=generator)
    keep = [
        torch.rand(members, units, examples, generator=generator).double().lt(0.6) / 0.6
        for units in shape.hidden
    ]
    return inputs, labels, keep if shape.dropout else None


def backpropagate(ensemble, inputs, labels, keep=None, momentum=0.99):
    gradients = {
        name: torch.full_like(value, torch.nan)
        for name, value in ensemble.parameters.items()
        if not name.endswith(STATISTICS)
    }
    loss, correct = Backpropagation(ensemble, gradients, momentum).step(inputs, labels, keep)
    return gradients, loss, correct


def reference_logits(shape, values, inputs, keep=None):
    """One member in training mode by torch's own layers: values are its parameters."""
    for i in range(len(shape.hidden)):
        weight, bias = values[f"hidden.{i}.weight"], values[f"hidden.{i}.bias"]
        inputs = torch.nn.functional.linear(inputs, weight, bias)
        if shape.batch_norm:
            scale, shift = values[f"hidden.{i}.scale"], values[f"hidden.{i}.shift"]
            epsilon = shape.batch_norm_epsilon
            inputs = torch.nn.functional.batch_norm(
                inputs, None, None, scale, shift, training=True, eps=epsilon
            )
        inputs = ACTIVATIONS[shape.activation](inputs)
        if keep is not None:
            inputs = inputs * keep[i].T
    return torch.nn.functional.linear(inputs, values["output.weight"], values["output.bias"])


def member_values(ensemble, index):
    return {name: value[index].clone() for name, value in ensemble.parameters.items()}


@pytest.mark.parametrize("dropout", [0.0, 0.4])
@pytest.mark.parametrize("batch_norm", [True, False])
@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "abs", "tanh"])
@pytest.mark.parametrize("depth", [1, 2, 5])
def test_gradients_are_those_of_autograd(depth, activation, batch_norm, dropout):
    ensemble = random_ensemble(depth, activation, batch_norm=batch_norm, dropout=dropout)
    inputs, labels, keep = random_batch(ensemble)
    before = [member_values(ensemble, i) for i in range(ensemble.members)]
    gradients, loss, correct = backpropagate(ensemble, inputs, labels, keep)
    for i, values in enumerate(before):
        trained = {name: values[name].requires_grad_() for name in gradients}
        masks = keep and [mask[i] for mask in keep]
        logits = reference_logits(ensemble.shape, trained, inputs[i], masks)
        expected = torch.nn.functional.cross_entropy(logits, labels[i])
        expected.backward()
        torch.testing.assert_close(loss[i], expected.detach(), rtol=1e-12, atol=1e-12)
        assert correct[i] == (logits.argmax(1) == labels[i]).sum()
        for name, value in trained.items():
            torch.testing.assert_close(gradients[name][i], value.grad, rtol=1e-9, atol=1e-11)


def test_gradients_are_those_of_finite_differences():
    ensemble = random_ensemble(2, "leaky_relu", members=1)
    inputs, labels, _ = random_batch(ensemble)
    gradients, _, _ = backpropagate(ensemble, inputs, labels)
    step = 1e-6

    def loss_of(name, position, change):
        values = {key: value.clone() for key, value in ensemble.parameters.items()}
        values[name].view(-1)[position] += change
        other = perceptrons.Perceptrons(ensemble.shape, values)
        return backpropagate(other, inputs, labels)[1].item()

    for name, gradient in gradients.items():
        for position in range(gradient.numel()):
            rise = loss_of(name, position, step) - loss_of(name, position, -step)
            found = gradient.view(-1)[position].item()
            assert found == pytest.approx(rise / (2 * step), rel=1e-5, abs=1e-8), name


def assert_same(found, expected):
    """Gradients by name, a kernel's whole or one tensor per member."""
    for name, value in expected.items():
        other = found[name]
        other = torch.stack(other) if isinstance(other, tuple) else other
        value = torch.stack(value) if isinstance(value, tuple) else value
        torch.testing.assert_close(other, value, rtol=1e-10, atol=1e-12, msg=name)


def backpropagate_in_blocks(ensemble, inputs, labels, block):
    gradients = {name: torch.full_like(v, torch.nan) for name, v in ensemble.parameters.items()}
    written = dict(gradients)
    step = Backpropagation(ensemble, gradients, 0.99)
    for _ in range(2):  # nothing of the first time may be left
        loss, correct = step.step_in_blocks(inputs, labels, block)
    for name, value in written.items():
        kernel = name.startswith("hidden") and name.endswith("weight")
        assert kernel or gradients[name] is value, "the optimiser reads the tensors it gave"
    return gradients, loss, correct


@pytest.mark.parametrize("block", [1, 4, 8, 9, 100])
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("depth", [1, 3])
def test_a_batch_in_blocks_has_the_gradients_of_the_batch(depth, activation, block):
    ensemble = random_ensemble(depth, activation, batch_norm=False)
    inputs, labels, _ = random_batch(ensemble)
    expected, loss, correct = backpropagate(ensemble, inputs, labels)
    found, loss_of_blocks, hits = backpropagate_in_blocks(ensemble, inputs, labels, block)
    assert_same(found, expected)
    torch.testing.assert_close(loss_of_blocks.double(), loss, rtol=1e-6, atol=0)
    assert hits.tolist() == correct.tolist()


@pytest.mark.parametrize("block", [None, 4])
@pytest.mark.parametrize("kind", [torch.float64, torch.float32])
def test_members_that_share_a_batch_have_the_gradients_of_the_batch_each(kind, block):
    ensemble = random_ensemble(2, batch_norm=False)
    for name, value in ensemble.parameters.items():
        ensemble.parameters[name] = value.to(kind)
    inputs, labels, _ = random_batch(ensemble)
    shared = inputs[:1].to(kind).expand(3, -1, -1)
    expected, loss, _ = backpropagate(ensemble, shared.contiguous(), labels)
    if block is None:
        found, shared_loss, _ = backpropagate(ensemble, shared, labels)
    else:
        found, shared_loss, _ = backpropagate_in_blocks(ensemble, shared, labels, block)
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, rtol=1e-4, atol=1e-5, msg=name)
    torch.testing.assert_close(shared_loss.to(kind), loss, rtol=1e-5, atol=1e-6)


def test_sums_may_be_divided_by_another_number_of_examples():
    ensemble = random_ensemble(2, batch_norm=False)
    inputs, labels, _ = random_batch(ensemble)
    expected, loss, correct = backpropagate(ensemble, inputs, labels)
    gradients = {name: torch.empty_like(v) for name, v in ensemble.parameters.items()}
    third, hits = Backpropagation(ensemble, gradients, 0.99).step(inputs, labels, examples=27)
    assert_same(gradients, {name: value / 3 for name, value in expected.items()})
    torch.testing.assert_close(third, loss / 3)
    assert hits.tolist() == correct.tolist()


def test_running_statistics_keep_99_percent_and_take_the_biased_variance():
    ensemble = random_ensemble(1)
    inputs, labels, _ = random_batch(ensemble)
    before = {name: value.clone() for name, value in ensemble.parameters.items()}
    backpropagate(ensemble, inputs, labels, momentum=0.99)
    weight, bias = before["hidden.0.weight"], before["hidden.0.bias"]
    pre = torch.einsum("sui,sbi->sub", weight, inputs) + bias[:, :, None]
    mean = pre.sum(2) / 9
    variance = (pre - mean[:, :, None]).square().sum(2) / 9  # by 9, not by 8
    torch.testing.assert_close(
        ensemble.parameters["hidden.0.mean"], 0.99 * before["hidden.0.mean"] + 0.01 * mean
    )
    torch.testing.assert_close(
        ensemble.parameters["hidden.0.variance"],
        0.99 * before["hidden.0.variance"] + 0.01 * variance,
    )


def test_only_the_running_statistics_change():
    ensemble = random_ensemble(2)
    before = {name: value.clone() for name, value in ensemble.parameters.items()}
    backpropagate(ensemble, *random_batch(ensemble))
    for name, value in ensemble.parameters.items():
        assert torch.equal(value, before[name]) != name.endswith(STATISTICS)


def test_a_batch_of_one_example_gives_finite_gradients():
    ensemble = random_ensemble(2)
    inputs, labels, _ = random_batch(ensemble, examples=1)
    gradients, loss, _ = backpropagate(ensemble, inputs, labels)
    assert all(value.isfinite().all() for value in [loss, *gradients.values()])
    # with one example batch norm gives its shift, whatever the weights below
    assert gradients["hidden.0.weight"].abs().max() < 1e-12


def test_a_bias_below_batch_norm_has_no_gradient_not_even_a_rounding_error():
    ensemble = random_ensemble(2)
    gradients, _, _ = backpropagate(ensemble, *random_batch(ensemble))
    assert [gradients[f"hidden.{i}.bias"].count_nonzero() for i in range(2)] == [0, 0]


def test_a_member_does_not_feel_the_others():
    whole = random_ensemble(2)
    inputs, labels, _ = random_batch(whole)
    alone = perceptrons.Perceptrons(
        whole.shape, {name: value[1:2].clone() for name, value in whole.parameters.items()}
    )
    expected, _, _ = backpropagate(alone, inputs[1:2], labels[1:2])
    gradients, _, _ = backpropagate(whole, inputs, labels)
    for name, value in expected.items():
        torch.testing.assert_close(gradients[name][1:2], value, rtol=1e-12, atol=1e-14)
