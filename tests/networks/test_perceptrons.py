import math

import numpy as np
import pytest
import torch
from model_cases import random_ensemble

from neuralcodes.networks import perceptrons


def inputs_of(examples=11):
    return torch.randn(examples, 4, generator=torch.Generator().manual_seed(2))


@pytest.mark.parametrize("batch_norm", [True, False])
@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "abs", "tanh"])
def test_a_member_is_the_ensemble_at_its_index(activation, batch_norm):
    ensemble = random_ensemble(activation, batch_norm=batch_norm, dropout=0.5)
    inputs = inputs_of()
    _, logits = next(ensemble.evaluate(inputs))
    for i in range(3):
        member = ensemble.member(i)
        assert not member.training
        torch.testing.assert_close(member(inputs).detach(), logits[i], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("batch_norm", [True, False])
def test_pre_activations_are_what_the_activations_receive(batch_norm):
    ensemble, inputs = random_ensemble(batch_norm=batch_norm), inputs_of()
    pre, _ = next(ensemble.evaluate(inputs))
    received = []
    member = ensemble.member(1)
    for module in member:
        if isinstance(module, torch.nn.ReLU):
            module.register_forward_pre_hook(lambda _, given: received.append(given[0].detach()))
    member(inputs)
    torch.testing.assert_close(pre[1], torch.cat(received, 1), rtol=1e-4, atol=1e-5)


KINDS = {"relu": torch.nn.ReLU, "abs": perceptrons.Abs, "tanh": torch.nn.Tanh}


@pytest.mark.parametrize("dropout", [0.0, 0.5])
@pytest.mark.parametrize("batch_norm", [True, False])
@pytest.mark.parametrize("hidden", [(5,), (5, 3), (5, 4, 3)])
@pytest.mark.parametrize("activation", KINDS)
def test_the_last_activation_is_that_module_of_a_member(activation, hidden, batch_norm, dropout):
    ensemble = random_ensemble(activation, batch_norm=batch_norm, hidden=hidden, dropout=dropout)
    modules = ensemble.member(0).named_children()
    expected = [name for name, module in modules if isinstance(module, KINDS[activation])]
    assert len(expected) == len(hidden)
    assert ensemble.last_activation() == expected[-1]


def test_batches_and_inputs_per_member_change_nothing():
    ensemble, inputs = random_ensemble(), inputs_of()
    whole = next(ensemble.evaluate(inputs))
    for given in (inputs, inputs.expand(3, -1, -1)):
        batches = list(ensemble.evaluate(given, batch_size=4))
        assert [len(pre[0]) for pre, _ in batches] == [4, 4, 3]
        for i in range(2):
            joined = torch.cat([batch[i] for batch in batches], 1)
            torch.testing.assert_close(joined, whole[i], rtol=1e-4, atol=1e-5)


def test_batch_norm_is_folded_into_the_affine_layers_by_hand():
    shape = perceptrons.Shape(1, (1,), 1, batch_norm_epsilon=0.75)
    values = {"hidden.0.weight": 3.0, "hidden.0.bias": 1.0, "hidden.0.scale": 4.0}
    values |= {"hidden.0.shift": 5.0, "hidden.0.mean": 7.0, "hidden.0.variance": 3.25}
    values |= {"output.weight": 6.0, "output.bias": 8.0}
    sizes = {name: (1, 1, 1) if name.endswith("weight") else (1, 1) for name in values}
    parameters = {name: torch.full(sizes[name], value) for name, value in values.items()}
    (weight, bias), (last, last_bias) = perceptrons.Perceptrons(shape, parameters).affine_layers()
    # (3 x + 1 - 7) / sqrt(3.25 + 0.75) * 4 + 5 = 6 x - 7
    assert (weight.item(), bias.item()) == (6.0, -7.0)
    assert (last.item(), last_bias.item()) == (6.0, 8.0)


def test_without_batch_norm_the_affine_layers_are_the_parameters():
    ensemble = random_ensemble(batch_norm=False)
    for (weight, bias), name in zip(
        ensemble.affine_layers(), ["hidden.0", "hidden.1", "output"], strict=True
    ):
        assert torch.equal(weight, ensemble.parameters[f"{name}.weight"])
        assert torch.equal(bias, ensemble.parameters[f"{name}.bias"])


def test_glorot_uniform_fills_its_interval_and_biases_are_zero():
    shape = perceptrons.Shape(300, (200,), 10)
    values = perceptrons.initialise(shape, [0]).parameters
    for name, inputs, units in (("hidden.0", 300, 200), ("output", 200, 10)):
        limit = math.sqrt(6 / (inputs + units))
        weight = values[f"{name}.weight"]
        assert limit * 0.99 < weight.abs().max() <= limit
        assert weight.mean().item() == pytest.approx(0, abs=limit / 30)
        assert weight.std().item() == pytest.approx(limit / math.sqrt(3), rel=0.03)
        assert values[f"{name}.bias"].count_nonzero() == 0


def test_batch_norm_starts_as_the_identity():
    values = perceptrons.initialise(perceptrons.Shape(4, (3,), 2), [0]).parameters
    found = {name: values[f"hidden.0.{name}"].unique().tolist() for name in ("scale", "shift")}
    found |= {name: values[f"hidden.0.{name}"].unique().tolist() for name in ("mean", "variance")}
    assert found == {"scale": [1], "shift": [0], "mean": [0], "variance": [1]}


def test_the_torch_default_is_uniform_within_one_over_the_root_of_the_inputs():
    shape = perceptrons.Shape(400, (300,), 10, batch_norm=False)
    values = perceptrons.initialise(shape, [0], "torch_default").parameters
    reference = torch.nn.Linear(400, 300)
    for name in ("weight", "bias"):
        for found in (values[f"hidden.0.{name}"], getattr(reference, name).detach()):
            assert 0.95 / 20 < found.abs().max() <= 1 / 20
        assert values[f"hidden.0.{name}"].std().item() == pytest.approx(0.05 / 3**0.5, rel=0.05)
    assert values["output.bias"].abs().max() <= 1 / math.sqrt(300)


def test_a_member_is_initialised_by_its_own_seed_alone():
    shape = perceptrons.Shape(4, (3,), 2)
    whole = perceptrons.initialise(shape, [3, 8, 5]).parameters
    alone = perceptrons.initialise(shape, [8]).parameters
    for name, value in alone.items():
        assert torch.equal(whole[name][1:2], value)
    assert not torch.equal(whole["hidden.0.weight"][0], whole["hidden.0.weight"][1])


def test_abs_is_the_absolute_value():
    assert perceptrons.Abs()(torch.tensor([-2.0, 0.0, 3.0])).tolist() == [2, 0, 3]


def test_the_leaky_slope_of_a_member_is_that_of_the_ensemble():
    member = random_ensemble("leaky_relu").member(0)
    slopes = [m.negative_slope for m in member if isinstance(m, torch.nn.LeakyReLU)]
    assert slopes == [perceptrons.LEAKY_SLOPE] * 2
    found = perceptrons.ACTIVATIONS["leaky_relu"](torch.tensor([-100.0, 2.0]))
    np.testing.assert_allclose(found, [-1.0, 2.0])
