import numpy as np
import pytest
import torch

from neuralcodes.networks import perceptrons
from neuralcodes.networks.training import optimisers

NAMES = ["hidden.0.weight", "hidden.0.bias", "hidden.0.scale", "hidden.0.shift"]
NAMES += ["output.weight", "output.bias"]


def ensemble_of(batch_norm=True, depth=1, seeds=(0, 1)):
    shape = perceptrons.Shape(4, (3,) * depth, 2, batch_norm=batch_norm)
    ensemble = perceptrons.initialise(shape, seeds, "torch_default")
    return perceptrons.Perceptrons(shape, {n: v.double() for n, v in ensemble.parameters.items()})


def numpy_of(ensemble):
    return {name: value.numpy().copy() for name, value in ensemble.parameters.items()}


def random_gradients(optimiser, step):
    """Gradients of sizes around Adam's epsilon and far above it, where it does and does not act."""
    generator = torch.Generator().manual_seed(step)
    for slope in optimiser.gradients.values():
        size = 10 ** (-8 + 8 * torch.rand(slope.shape, generator=generator, dtype=torch.float64))
        slope.copy_(size * torch.randn(slope.shape, generator=generator, dtype=torch.float64))
    return {name: value.numpy().copy() for name, value in optimiser.gradients.items()}


def keras_adam(values, gradients, memory, step, learning_rate, epsilon, weight_decay):
    """Keras' Adam: epsilon is added to the root before the bias correction."""
    rate = learning_rate * np.sqrt(1 - 0.999**step) / (1 - 0.9**step)
    for name, gradient in gradients.items():
        if name in ("hidden.0.weight", "hidden.1.weight"):
            gradient = gradient + 2 * weight_decay * values[name]
        first, second = memory.get(name, (0.0, 0.0))
        first, second = 0.9 * first + 0.1 * gradient, 0.999 * second + 0.001 * gradient**2
        memory[name] = first, second
        values[name] = values[name] - rate * first / (np.sqrt(second) + epsilon)


@pytest.mark.parametrize("weight_decay", [0.0, 1e-3])
@pytest.mark.parametrize("epsilon", [1e-7, 1e-3])
def test_adam_is_that_of_keras(make_run, epsilon, weight_decay):
    run = make_run(adam_epsilon=epsilon, weight_decay=weight_decay)
    ensemble = ensemble_of()
    values, memory = numpy_of(ensemble), {}
    optimiser = optimisers.Optimiser(run, ensemble)
    for step in range(1, 8):
        gradients = random_gradients(optimiser, step)
        rate = 0.01 if step < 5 else 0.001
        optimiser.step(rate)
        keras_adam(values, gradients, memory, step, rate, epsilon, weight_decay)
        for name in NAMES:
            np.testing.assert_allclose(ensemble.parameters[name], values[name], 1e-9, 1e-12)


@pytest.mark.parametrize("weight_decay", [0.0, 1e-2])
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_sgd_has_the_velocity_of_keras(make_run, momentum, weight_decay):
    run = make_run(optimizer="sgd", momentum=momentum, weight_decay=weight_decay)
    ensemble = ensemble_of()
    values = numpy_of(ensemble)
    velocity = dict.fromkeys(NAMES, 0.0)
    optimiser = optimisers.Optimiser(run, ensemble)
    for step in range(1, 6):
        gradients = random_gradients(optimiser, step)
        rate = 0.1 if step < 3 else 0.01  # where Keras' form and torch's differ
        optimiser.step(rate)
        for name in NAMES:
            penalty = 2 * weight_decay * values[name] if name == "hidden.0.weight" else 0.0
            velocity[name] = momentum * velocity[name] - rate * (gradients[name] + penalty)
            values[name] = values[name] + velocity[name]
            np.testing.assert_allclose(ensemble.parameters[name], values[name], 1e-12, 1e-15)


def test_a_step_by_hand(make_run):
    run = make_run(optimizer="sgd", momentum=0.5, weight_decay=0.25)
    ensemble = ensemble_of(batch_norm=False, seeds=(0,))
    for value in ensemble.parameters.values():
        value.fill_(2.0)
    optimiser = optimisers.Optimiser(run, ensemble)
    for slope in optimiser.gradients.values():
        slope.fill_(3.0)
    optimiser.step(0.1)
    # hidden kernels: 2 - 0.1 * (3 + 2 * 0.25 * 2); all others: 2 - 0.1 * 3
    assert ensemble.parameters["hidden.0.weight"].unique().tolist() == pytest.approx([1.6])
    for name in ("hidden.0.bias", "output.weight", "output.bias"):
        assert ensemble.parameters[name].unique().tolist() == pytest.approx([1.7])


def test_running_statistics_are_not_trained(make_run):
    ensemble = ensemble_of()
    optimiser = optimisers.Optimiser(make_run(), ensemble)
    for slope in optimiser.gradients.values():
        slope.fill_(1.0)
    optimiser.step(0.1)
    assert set(optimiser.gradients) == set(NAMES)
    assert ensemble.parameters["hidden.0.mean"].abs().max() == 0
    assert ensemble.parameters["hidden.0.variance"].unique().tolist() == [1.0]


def test_the_penalty_is_the_coefficient_times_the_squares_of_hidden_kernels(make_run):
    ensemble = ensemble_of(depth=2)
    found = optimisers.Optimiser(make_run(weight_decay=0.3), ensemble).penalty()
    for i in range(2):
        kernels = [ensemble.parameters[f"hidden.{layer}.weight"][i].numpy() for layer in (0, 1)]
        assert found[i].item() == pytest.approx(0.3 * sum((k**2).sum() for k in kernels))


@pytest.mark.parametrize("name", NAMES)
def test_the_penalty_pulls_on_hidden_kernels_by_twice_the_coefficient(make_run, name):
    ensemble = ensemble_of()
    before = ensemble.parameters[name].clone()
    optimisers.Optimiser(make_run(optimizer="sgd", weight_decay=0.3), ensemble).step(1.0)
    pull = 2 * 0.3 * before if name == "hidden.0.weight" else torch.zeros_like(before)
    torch.testing.assert_close(before - ensemble.parameters[name], pull)


def test_without_weight_decay_there_is_no_penalty(make_run):
    assert optimisers.Optimiser(make_run(weight_decay=0), ensemble_of()).penalty() == 0.0


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_an_optimiser_goes_on_from_its_moments(make_run, optimizer):
    run = make_run(optimizer=optimizer, momentum=0.9)
    through, halted = ensemble_of(), ensemble_of()
    first, second = optimisers.Optimiser(run, through), optimisers.Optimiser(run, halted)
    for step in range(6):
        if step == 3:
            moments = {name: value.clone() for name, value in second.moments().items()}
            second = optimisers.Optimiser(run, halted, moments, second.steps)
        for optimiser in (first, second):
            random_gradients(optimiser, step)
            optimiser.step(0.01)
    for name in NAMES:
        assert torch.equal(through.parameters[name], halted.parameters[name])


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_kernel_gradients_apart_by_member_act_as_one_tensor(make_run, optimizer):
    run = make_run(optimizer=optimizer, momentum=0.9, weight_decay=1e-3)
    results = []
    for apart in (False, True):
        ensemble = ensemble_of()
        optimiser = optimisers.Optimiser(run, ensemble)
        for step in range(1, 4):
            random_gradients(optimiser, step)
            whole = optimiser.gradients["hidden.0.weight"]
            if apart:
                optimiser.gradients["hidden.0.weight"] = tuple(each.clone() for each in whole)
            optimiser.step(0.01)
            optimiser.gradients["hidden.0.weight"] = whole
        results.append(numpy_of(ensemble))
    for name, value in results[0].items():
        assert np.array_equal(value, results[1][name]), name
