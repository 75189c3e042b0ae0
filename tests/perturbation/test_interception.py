from collections import OrderedDict

import numpy as np
import pytest
import torch
from torch.nn import functional

from neuralcodes.perturbation import interception
from neuralcodes.perturbation.interception import Site


class Functional(torch.nn.Module):
    """Two hidden layers whose activations are functions."""

    def __init__(self, function=torch.relu):
        super().__init__()
        self.first, self.second = torch.nn.Linear(4, 5), torch.nn.Linear(5, 6)
        self.out = torch.nn.Linear(6, 3)
        self.function = function

    def forward(self, inputs):
        return self.out(self.function(self.second(self.function(self.first(inputs)))))


class Skip(torch.nn.Module):
    """A way around the activation."""

    def __init__(self):
        super().__init__()
        self.inner, self.act = torch.nn.Linear(4, 4), torch.nn.ReLU()
        self.out = torch.nn.Linear(4, 3)

    def forward(self, inputs):
        return self.out(inputs + self.act(self.inner(inputs)))


class Broken(torch.nn.Module):
    def forward(self, inputs):
        raise RuntimeError("no such input")


def sequential(*between, inputs=4, units=6):
    return torch.nn.Sequential(torch.nn.Linear(inputs, units), *between, torch.nn.Linear(units, 3))


def deep():
    parts = {"one": torch.nn.Linear(4, 5), "norm": torch.nn.BatchNorm1d(5), "act": torch.nn.ReLU()}
    parts |= {"drop": torch.nn.Dropout(0.5), "two": torch.nn.Linear(5, 6), "last": torch.nn.Tanh()}
    return torch.nn.Sequential(OrderedDict(parts | {"out": torch.nn.Linear(6, 3)}))


def conv():
    return torch.nn.Sequential(
        torch.nn.Conv2d(1, 2, 3),
        torch.nn.ReLU(),
        torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(18, 5), torch.nn.ReLU()),
        torch.nn.Linear(5, 3),
    )


def inputs_for(model, examples=7):
    pictures = any(isinstance(module, torch.nn.Conv2d) for module in model.modules())
    shape = (1, 5, 5) if pictures else (4,)
    return torch.randn(examples, *shape, generator=torch.Generator().manual_seed(1))


def received(model, layer=None, inputs=None):
    """The input of the activation that is found, over all examples."""
    inputs, seen = inputs_for(model) if inputs is None else inputs, []

    def keep(activation, values):
        seen.append(values.clone())
        return activation(values)

    with interception.running(model):
        interception.run(model, inputs, interception.find(model, inputs, layer), keep)
    assert len(seen) == 1
    return seen[0]


# finding


@pytest.mark.parametrize(
    "activation",
    [
        torch.nn.ReLU(),
        torch.nn.ReLU(inplace=True),
        torch.nn.LeakyReLU(),
        torch.nn.Tanh(),
        torch.nn.Sigmoid(),
        torch.nn.Softplus(),
        torch.nn.GELU(),
        torch.nn.Hardtanh(0, 1),
    ],
    ids=lambda activation: f"{activation}",
)
def test_the_only_activation_of_a_sequence_needs_no_name(activation):
    model = sequential(activation)
    assert interception.find(model, inputs_for(model)) == Site("1", 0, "1", 0)
    assert torch.equal(received(model), model[0](inputs_for(model)))


@pytest.mark.parametrize(
    "function",
    [
        torch.relu,
        functional.relu,
        torch.Tensor.relu_,
        torch.tanh,
        functional.tanh,
        torch.sigmoid,
        torch.abs,
        lambda x: x.clamp(min=0),
        lambda x: functional.leaky_relu(x, negative_slope=0.1),
        lambda x: functional.relu(input=x),
    ],
)
def test_a_function_is_found_after_the_layer_before_it(function):
    model = Functional(function)
    inputs = inputs_for(model)
    first, second = (interception.find(model, inputs, name) for name in ("first", "second"))
    assert (first.index, second.index) == (0, 1)
    assert first.child == second.child == "", "no child of the network runs them"
    assert (first.within, second.within) == (0, 1)
    assert first.name == second.name
    assert torch.equal(received(model, "first"), model.first(inputs))
    with torch.no_grad():
        expected = model.second(function(model.first(inputs)))
    torch.testing.assert_close(received(model, "second"), expected)


@pytest.mark.parametrize("layer", ["one", "norm", "act"])
def test_a_layer_is_followed_to_its_activation_through_batch_norm(layer):
    model = deep()
    assert interception.find(model, inputs_for(model), layer) == Site("act", 0, "act", 0)


@pytest.mark.parametrize("layer", ["drop", "two", "last"])
def test_a_layer_after_an_activation_has_the_next_one(layer):
    model = deep()
    assert interception.find(model, inputs_for(model), layer) == Site("last", 1, "last", 0)


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        ("0", Site("1", 0, "1", 0)),
        ("1", Site("1", 0, "1", 0)),
        ("2", Site("2.2", 1, "2", 0)),
        ("2.0", Site("2.2", 1, "2", 0)),
        ("2.2", Site("2.2", 1, "2", 0)),
    ],
)
def test_convolutions_and_layers_inside_others_are_found(layer, expected):
    model = conv()
    assert interception.find(model, inputs_for(model), layer) == expected


def test_the_units_of_a_convolution_keep_their_shape():
    model = conv()
    assert received(model, "0").shape == (7, 2, 3, 3)


def test_the_network_itself_stands_for_its_only_activation():
    model = sequential(torch.nn.ReLU())
    assert interception.find(model, inputs_for(model), "").name == "1"


@pytest.mark.parametrize("convert", [torch.Tensor.numpy, torch.Tensor.double])
def test_inputs_may_be_arrays_and_of_another_precision(convert):
    model = sequential(torch.nn.ReLU())
    assert interception.find(model, convert(inputs_for(model))).name == "1"


def test_one_example_is_enough():
    model = sequential(torch.nn.ReLU())
    assert interception.find(model, inputs_for(model)[:1]).name == "1"


def twice():
    """One activation module behind two layers."""
    act = torch.nn.ReLU()
    parts = [torch.nn.Linear(4, 4), act, torch.nn.Linear(4, 4), act, torch.nn.Linear(4, 3)]
    return torch.nn.Sequential(*parts)


WRONG = [
    (deep, None, r"Sequential has 2 activations \(act, last\); name the layer to perturb"),
    (Functional, None, r"Functional has 2 activations \(relu, relu\); name the layer"),
    (sequential, None, r"Sequential has 0 activations \(none\); name the layer"),
    (
        deep,
        "three",
        r"Sequential has no layer 'three'; it has one, norm, act, drop, two, last, out",
    ),
    (
        deep,
        "out",
        r"^0 activations belong to the layer 'out' of Sequential; name one of act, last,",
    ),
    (deep, "", r"^2 activations belong to the layer '' of Sequential; name one of act, last,"),
    (twice, "1", r"the layer '1' runs 2 times, but must run once"),
]


@pytest.mark.parametrize(("build", "layer", "message"), WRONG)
def test_it_is_said_why_no_activation_is_meant(build, layer, message):
    model = build()
    with pytest.raises(ValueError, match=message):
        interception.find(model, inputs_for(model), layer)


def test_a_layer_that_never_runs_is_refused():
    model = Skip()
    model.idle = torch.nn.ReLU()
    with pytest.raises(ValueError, match="the layer 'idle' runs 0 times"):
        interception.find(model, inputs_for(model), "idle")


def test_an_activation_that_runs_twice_is_found_by_the_layer_before_it():
    model = twice()
    assert interception.find(model, inputs_for(model), "0").index == 0
    second = interception.find(model, inputs_for(model), "2")
    assert (second.index, second.within) == (1, 1)
    with torch.no_grad():
        expected = model[:3](inputs_for(model))
    assert torch.equal(received(model, "2"), expected)


# replacing


def test_what_a_replacement_returns_goes_on_through_the_network():
    model = deep().eval()
    inputs = inputs_for(model)
    site = interception.find(model, inputs, "act")
    with interception.running(model):
        found = interception.run(model, inputs, site, lambda act, x: act(2 * x + 1))
        expected = model[3:](torch.relu(2 * model[:2](inputs) + 1))
    assert torch.equal(found, expected)


def test_the_other_activations_run_as_ever():
    model = deep()
    inputs = inputs_for(model)
    site = interception.find(model, inputs, "last")
    with interception.running(model):
        found = interception.run(model, inputs, site, lambda _, x: x)
        assert torch.equal(found, model.out(model[:5](inputs)))


def test_the_arguments_of_an_activation_are_kept():
    model = Functional(lambda x: functional.leaky_relu(x, negative_slope=0.5))
    inputs = inputs_for(model)
    site = interception.find(model, inputs, "second")
    with interception.running(model):
        found = interception.run(model, inputs, site, lambda act, x: act(-x))
        hidden = functional.leaky_relu(model.first(inputs), 0.5)
        assert torch.equal(found, model.out(functional.leaky_relu(-model.second(hidden), 0.5)))


def state_of(model):
    modes = [module.training for module in model.modules()]
    values = {name: value.clone() for name, value in model.state_dict().items()}
    return modes, values, [p.grad is None for p in model.parameters()]


def assert_left_alone(model, before):
    modes, values, gradients = state_of(model)
    assert modes == before[0]
    assert all(torch.equal(value, before[1][name]) for name, value in values.items())
    assert gradients == before[2]
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())


def test_the_network_is_left_as_it_was():
    model = deep()
    model.norm.eval()
    before = state_of(model)
    inputs = inputs_for(model)
    site = interception.find(model, inputs, "last")
    interception.skip_head(model, inputs, site)
    with interception.running(model):
        interception.run(model, inputs, site, lambda act, x: act(x))
    assert_left_alone(model, before)
    assert before[0] != [False] * len(before[0])


@pytest.mark.parametrize("position", [0, 2, 3])
def test_the_network_is_left_as_it_was_also_after_an_error(position):
    model = sequential(torch.nn.BatchNorm1d(6), torch.nn.ReLU())
    inputs = inputs_for(model)
    site = interception.find(model, inputs)
    model[position] = Broken()
    before = state_of(model)
    with pytest.raises(RuntimeError, match="no such input"):
        interception.find(model, inputs)
    with pytest.raises(RuntimeError, match="no such input"), interception.running(model):
        interception.run(model, inputs, site, lambda act, x: act(x))
    if position == 0:
        with pytest.raises(RuntimeError, match="no such input"):
            interception.skip_head(model, inputs, site)
    assert_left_alone(model, before)


def test_a_replacement_that_fails_leaves_the_network_as_it_was():
    model = deep()
    before, inputs = state_of(model), inputs_for(model)
    site = interception.find(model, inputs, "act")
    with pytest.raises(ZeroDivisionError), interception.running(model):
        interception.run(model, inputs, site, lambda act, x: 1 / 0)
    assert_left_alone(model, before)


def test_no_gradients_are_computed_and_dropout_is_off():
    model = deep()
    inputs = inputs_for(model)
    with interception.running(model) as like:
        first, second = model(inputs), model(inputs)
        assert not first.requires_grad
    assert torch.equal(first, second)
    assert like is model.one.weight


# skipping what comes before


@pytest.mark.parametrize("batch_size", [1024, 3])
@pytest.mark.parametrize(
    ("build", "layer", "left"),
    [
        (lambda: sequential(torch.nn.ReLU()), None, 2),
        (lambda: sequential(torch.nn.ReLU(inplace=True)), None, 2),
        (deep, "act", 5),
        (deep, "last", 2),
        (conv, "0", 3),
        (conv, "2", 2),
    ],
)
def test_the_rest_of_a_sequence_gives_what_the_whole_does(build, layer, left, batch_size):
    model = build()
    inputs = inputs_for(model)
    site = interception.find(model, inputs, layer)
    tail, kept, there = interception.skip_head(model, inputs, site, batch_size)
    assert len(tail) == left
    with interception.running(model):
        for replacement in (lambda act, x: act(x), lambda act, x: act(0.3 - x)):
            expected = interception.run(model, inputs, site, replacement)
            found = interception.run(tail, kept.clone(), there, replacement)
            torch.testing.assert_close(found, expected)
    assert not kept.requires_grad


def test_an_activation_inside_the_rest_is_counted_from_its_start():
    inner = torch.nn.Sequential(
        torch.nn.ReLU(), torch.nn.Linear(6, 6), torch.nn.Tanh(), torch.nn.Linear(6, 6)
    )
    model = sequential(torch.nn.ReLU(), inner)
    inputs = inputs_for(model)
    site = interception.find(model, inputs, "2.2")
    tail, kept, there = interception.skip_head(model, inputs, site)
    assert (site.index, there.index, len(tail)) == (2, 1, 2)
    with interception.running(model):
        expected = interception.run(model, inputs, site, lambda _, x: x)
        found = interception.run(tail, kept, there, lambda _, x: x)
    torch.testing.assert_close(found, expected)


class Own(torch.nn.Sequential):
    """A sequence that does something else with its layers."""

    def forward(self, inputs):
        return super().forward(inputs) + 1


@pytest.mark.parametrize(
    ("model", "layer"),
    [
        (Functional(), "first"),
        (Skip(), None),
        (twice(), "2"),
        (Own(*sequential(torch.nn.ReLU())), None),
        (torch.nn.Sequential(torch.nn.ReLU(), torch.nn.Linear(4, 3)), None),
    ],
    ids=["functional", "skip", "shared", "own", "first"],
)
def test_other_networks_come_back_as_they_are(model, layer):
    inputs = inputs_for(model)
    site = interception.find(model, inputs, layer)
    assert interception.skip_head(model, inputs, site) == (model, inputs, site)


def test_a_network_whose_values_would_take_too_much_memory_comes_back(monkeypatch):
    model = sequential(torch.nn.ReLU())
    inputs = inputs_for(model)
    site = interception.find(model, inputs)
    monkeypatch.setattr(interception, "MOST_KEPT", 7 * 6)
    assert interception.skip_head(model, inputs, site)[0] is not model
    monkeypatch.setattr(interception, "MOST_KEPT", 7 * 6 - 1)
    assert interception.skip_head(model, inputs, site) == (model, inputs, site)


def test_arrays_go_through_the_head_as_well():
    model = sequential(torch.nn.ReLU())
    inputs = inputs_for(model).numpy()
    site = interception.find(model, inputs)
    _, kept, _ = interception.skip_head(model, inputs, site)
    with torch.no_grad():
        np.testing.assert_allclose(kept, model[0](torch.from_numpy(inputs)), rtol=1e-6)
