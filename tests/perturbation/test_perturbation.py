from collections import OrderedDict

import numpy as np
import pytest
import torch

from neuralcodes.codes import packed as codes
from neuralcodes.networks import perceptrons
from neuralcodes.perturbation import sweeps
from neuralcodes.perturbation.kinds import KINDS, Coefficients, coefficients
from neuralcodes.perturbation.sweeps import PerturbedLayer, sweep

INPUTS = np.array([[4, 1], [1, 2], [-1, 0.5], [2, 3]], np.float32)
LABELS = np.array([0, 1, 1, 0])  # the last one is classified wrongly


def by_hand():
    """Hidden vector relu(x), whose second unit leads by 0.1: class 1 where h1 + 0.1 > h0.

    Ranges over INPUTS: h0 from 0 to 4, h1 from 0.5 to 3.
    """
    model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU(), torch.nn.Linear(2, 2))
    for layer, bias in ((model[0], [0.0, 0.0]), (model[2], [0.0, 0.1])):
        layer.load_state_dict({"weight": torch.eye(2), "bias": torch.tensor(bias)})
    return model


# The logits of the four examples stand above.
KNOWN = [
    # 4 against 1.1, 1 against 2.1, 0 against 0.6, 2 against 3.1
    ("scale", 1, 75),
    # 40 against 10.1, 10 against 20.1, 0 against 5.1, 20 against 30.1
    ("scale", 10, 75),
    # 0.04 against 0.11, 0.01 against 0.12, 0 against 0.105, 0.02 against 0.13
    ("scale", 0.01, 50),
    # 0 against 0.1, 0 against 0.1, 1 against 0.1, 0 against 0.1
    ("scale", -1, 25),
    ("scale_per_unit", 1, 75),
    ("clip", 1, 75),
    # at 2 and 1.75: 2 against 1.1, 1 against 1.85, 0 against 0.6, 2 against 1.85
    ("clip", 0.5, 100),
    # at 1 and 1.125: 1 against 1.1, 1 against 1.225, 0 against 0.6, 1 against 1.225
    ("clip", 0.25, 50),
    ("clip_activation", 1, 75),
    ("clip_activation", 0.5, 100),
    ("clip_activation", 0.25, 50),
    ("offset", 0, 75),
    # 2 + x / 2 against 1.25 + 0.583 x: 4 to 1.93, 2.5 to 2.52, 1.5 to 1.64, 3 to 3.1
    ("offset", 0.5, 75),
    # 4 against 2.5 + 0.167 x: 2.77, 2.93, 2.68, 3.1
    ("offset", 1, 50),
]


@pytest.mark.parametrize(("kind", "level", "percent"), KNOWN)
def test_accuracy_under_a_perturbation_computed_by_hand(kind, level, percent):
    options = {"spread": 1} if kind == "scale_per_unit" else {}
    assert sweep(by_hand(), INPUTS, LABELS, kind, [level], **options).tolist() == [percent]


def test_ranges_are_of_the_activations_output_or_of_its_input():
    low, high = sweeps.activation_range(by_hand(), INPUTS)
    assert (low.tolist(), high.tolist()) == ([0, 0.5], [4, 3])
    low, high = sweeps.activation_range(by_hand(), INPUTS, of="input")
    assert (low.tolist(), high.tolist()) == ([-1, 0.5], [4, 3])
    assert low.dtype == high.dtype == np.float32


def test_ranges_of_the_absolute_value_may_begin_above_0():
    model = torch.nn.Sequential(perceptrons.Abs(), torch.nn.Linear(2, 2))
    low, high = sweeps.activation_range(model, INPUTS)
    assert (low.tolist(), high.tolist()) == ([1, 0.5], [4, 3])


def test_the_range_of_the_input_is_not_that_of_an_output_written_over_it():
    model = by_hand()
    model[1] = torch.nn.ReLU(inplace=True)
    low, _ = sweeps.activation_range(model, INPUTS, of="input")
    assert low.tolist() == [-1, 0.5]


@pytest.mark.parametrize("batch_size", [1, 3, 100])
def test_ranges_do_not_depend_on_batches(batch_size):
    found = sweeps.activation_range(by_hand(), INPUTS, batch_size=batch_size)
    assert [each.tolist() for each in found] == [[0, 0.5], [4, 3]]


def test_ranges_of_other_data_are_used():
    ranges = np.array([0.0, 0.5]), np.array([2.0, 5.5])
    # clipped at 1 and 3: 1 against 1.1, 1 against 2.1, 0 against 0.6, 1 against 3.1
    assert sweep(by_hand(), INPUTS, LABELS, "clip", [0.5], ranges=ranges).tolist() == [50]
    ours = sweeps.activation_range(by_hand(), INPUTS)
    assert sweep(by_hand(), INPUTS, LABELS, "clip", [0.5], ranges=ours).tolist() == [100]


def test_clipping_before_the_absolute_value_leaves_large_negative_inputs_clipping_after_does_not():
    model = torch.nn.Sequential(perceptrons.Abs(), torch.nn.Linear(1, 2))
    model[1].load_state_dict({"weight": torch.tensor([[1.0], [0]]), "bias": torch.tensor([0, 2.5])})
    inputs, labels = np.array([[-4], [4], [0]], np.float32), np.array([1, 1, 1])
    assert sweep(model, inputs, labels, "clip", [0.5])[0] == pytest.approx(200 / 3)
    assert sweep(model, inputs, labels, "clip_activation", [0.5])[0] == 100


# against a network that has a `PerturbedLayer` in it and runs as a whole


class Cut(torch.nn.Module):
    """Cuts an activation's output, as `PerturbedLayer` does its input."""

    ceiling = torch.tensor(torch.inf)

    def forward(self, values):
        return torch.minimum(values, self.ceiling)


class Skip(torch.nn.Module):
    """A way around the activation."""

    def __init__(self, before, after):
        super().__init__()
        self.inner, self.out = torch.nn.Linear(4, 4), torch.nn.Linear(4, 3)
        self.before, self.after = before, after

    def forward(self, inputs):
        return self.out(inputs + self.after(torch.relu(self.before(self.inner(inputs)))))


class Functional(torch.nn.Module):
    """Activations that are functions, the second one perturbed."""

    def __init__(self, before, after):
        super().__init__()
        self.first, self.second = torch.nn.Linear(4, 6), torch.nn.Linear(6, 5)
        self.out = torch.nn.Linear(5, 3)
        self.before, self.after = before, after

    def forward(self, inputs):
        values = self.before(self.second(torch.relu(self.first(inputs))))
        return self.out(self.after(torch.nn.functional.relu(values)))


def sequence(activation):
    def build(before, after):
        parts = {"hidden": torch.nn.Linear(4, 6), "before": before, "act": activation}
        parts |= {"after": after, "out": torch.nn.Linear(6, 3)}
        return torch.nn.Sequential(OrderedDict(parts))

    return build


def member(**changes):
    """A member of an ensemble, with the activation that `last_activation` names perturbed."""

    def build(before, after):
        shape = perceptrons.Shape(4, classes=3, **{"hidden": (6,), **changes})
        values = perceptrons.initialise(shape, range(2)).parameters
        generator = torch.Generator().manual_seed(1)
        for value in values.values():
            value.add_(0.3 * torch.randn(value.shape, generator=generator).abs())
        ensemble, parts = perceptrons.Perceptrons(shape, values), {}
        for name, module in ensemble.member(1).named_children():
            here = name == ensemble.last_activation()
            parts |= {"before": before, "act": module, "after": after} if here else {name: module}
        return torch.nn.Sequential(OrderedDict(parts))

    return build


def conv(before, after):
    parts = {"hidden": torch.nn.Conv2d(1, 2, 2), "before": before, "act": torch.nn.ReLU()}
    parts |= {"after": after, "flat": torch.nn.Flatten(), "out": torch.nn.Linear(18, 3)}
    return torch.nn.Sequential(OrderedDict(parts))


def nested(before, after):
    parts = [before, torch.nn.LeakyReLU(0.1, inplace=True), after, torch.nn.Linear(6, 3)]
    return torch.nn.Sequential(torch.nn.Linear(4, 6), torch.nn.Sequential(*parts))


NETWORKS = {
    "relu": (sequence(torch.nn.ReLU()), "act", (6,)),
    "abs": (sequence(perceptrons.Abs()), "act", (6,)),
    "leaky_relu": (sequence(torch.nn.LeakyReLU(0.2)), "hidden", (6,)),
    "tanh": (sequence(torch.nn.Tanh()), "act", (6,)),
    "in place": (sequence(torch.nn.ReLU(inplace=True)), "act", (6,)),
    "nested in place": (nested, None, (6,)),
    "member": (member(), "act", (6,)),
    "deep member": (member(hidden=(7, 6, 5), dropout=0.5), "act", (5,)),
    "tanh member": (member(hidden=(7, 5), activation="tanh", batch_norm=False), "act", (5,)),
    "convolution": (conv, None, (2, 3, 3)),
    "skip": (Skip, None, (4,)),
    "functional": (Functional, "second", (5,)),
}


def data(shape, examples=61):
    generator = np.random.default_rng(7)
    inputs = torch.from_numpy(generator.normal(size=(examples, *shape)))
    return inputs, torch.from_numpy(generator.integers(0, 3, examples))


@pytest.fixture(params=NETWORKS)
def network(request):
    """A network, its twin with a perturbed layer in it, inputs, labels and the layer's name."""
    build, layer, units = NETWORKS[request.param]
    torch.manual_seed(5)
    plain = build(torch.nn.Identity(), torch.nn.Identity()).double().eval()
    torch.manual_seed(5)
    perturbed = build(PerturbedLayer(*units), Cut()).double().eval()
    inputs, labels = data((1, 4, 4) if request.param == "convolution" else (4,))
    with torch.no_grad():  # a change of class should be a change of accuracy
        labels[5:] = plain(inputs[5:].clone()).argmax(1)
    return plain, perturbed, inputs, labels, layer


def run_whole(perturbed, inputs, labels, chosen):
    """Percent of right examples, level by level, of a network that runs from its first layer."""
    module = next(m for m in perturbed.modules() if isinstance(m, PerturbedLayer))
    cut = next(m for m in perturbed.modules() if isinstance(m, Cut))
    found = []
    for level in range(len(chosen)):
        one = chosen[level : level + 1]
        cut.ceiling = torch.tensor(one.ceiling[0])
        unbounded = np.full_like(one.ceiling, np.inf)
        module.set(Coefficients(one.scale, one.shift, one.clip, unbounded))
        with torch.no_grad():
            hits = perturbed(inputs.clone()).argmax(1) == labels
        found.append(100 * hits.double().mean().item())
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_results_are_those_of_a_perturbed_layer_in_a_network_run_whole(network, kind):
    plain, perturbed, inputs, labels, layer = network
    levels = np.random.default_rng(3).uniform(-1.5, 2.5, 23)
    chosen = coefficients(kind, levels, *sweeps.activation_range(plain, inputs, layer), seed=4)
    expected = run_whole(perturbed, inputs, labels, chosen)
    found = sweep(plain, inputs, labels, kind, levels, layer, seed=4)
    assert found.tolist() == expected
    assert len(set(expected)) > 1, "these levels should make a difference"


def test_levels_that_change_nothing_equal_the_network_as_it_is(network):
    plain, _, inputs, labels, layer = network
    with torch.no_grad():
        expected = 100 * (plain(inputs.clone()).argmax(1) == labels).double().mean().item()
    ranges = sweeps.activation_range(plain, inputs, layer)
    for kind, level in (("scale", 1), ("clip", 1e9), ("offset", 0), ("clip_activation", 1)):
        found = sweep(plain, inputs, labels, kind, [level], layer, ranges=ranges)
        assert found.tolist() == [expected], kind


@pytest.mark.parametrize(("block", "fewest"), [(1, 128), (40, 1), (150, 3)])
def test_the_size_of_blocks_changes_no_count(network, monkeypatch, block, fewest):
    plain, _, inputs, labels, layer = network
    levels = np.linspace(-1.5, 1, 11)
    expected = sweep(plain, inputs, labels, "offset", levels, layer)
    monkeypatch.setattr(sweeps, "BLOCK", block)
    monkeypatch.setattr(sweeps, "FEWEST_EXAMPLES", fewest)
    assert sweep(plain, inputs, labels, "offset", levels, layer).tolist() == expected.tolist()


def test_kinds_may_be_mixed_in_one_run(network):
    plain, perturbed, inputs, labels, layer = network
    ranges = sweeps.activation_range(plain, inputs, layer)
    parts = [coefficients(kind, [0.3, -0.4], *ranges) for kind in KINDS]
    parts.insert(2, coefficients("scale", [1], *ranges))
    chosen = Coefficients.joined(parts)
    response = sweeps.respond(plain, inputs, labels, chosen, layer)
    assert (100 * response.accuracy).tolist() == run_whole(perturbed, inputs, labels, chosen)
    assert (response.correct, response.examples) == (pytest.approx(response.accuracy * 61), 61)


def test_networks_and_inputs_are_left_as_they_were(network):
    plain, _, inputs, labels, layer = network
    plain.train()
    before, values = inputs.clone(), {n: v.clone() for n, v in plain.state_dict().items()}
    sweep(plain, inputs, labels, "offset", [-0.5, 0.5], layer)
    assert torch.equal(inputs, before)
    assert all(module.training for module in plain.modules())
    assert all(torch.equal(value, values[name]) for name, value in plain.state_dict().items())


def random_ensemble(activation="relu", **changes):
    shape = perceptrons.Shape(4, (7, 6), 3, activation, **changes)
    return perceptrons.initialise(shape, [3, 4, 5], "torch_default")


@pytest.mark.parametrize("kind", KINDS)
def test_an_ensemble_gives_what_its_members_do(kind):
    ensemble, (inputs, labels) = random_ensemble(), data((4,))
    levels = np.linspace(-1, 2, 9)
    found = sweep(ensemble, inputs, labels, kind, levels, spread=3, seed=8)
    assert found.shape == (3, 9)
    for i in range(3):
        options = {"spread": 3, "seed": 8 + i}
        expected = sweep(ensemble.member(i), inputs, labels, kind, levels, "5", **options)
        assert found[i].tolist() == expected.tolist()


# the layer


def test_a_perturbed_layer_is_transparent_while_training():
    layer = PerturbedLayer(2)
    layer.set(coefficients("clip", [0.5], np.zeros(2), np.ones(2)))
    values = torch.tensor([[-1.0, 3.0]])
    assert layer.train()(values) is values
    assert layer.eval()(values).tolist() == [[-1, 0.5]]
    layer.reset()
    assert layer(values).tolist() == [[-1, 3]]


def test_a_perturbed_layer_computes_the_minimum_of_a_line_and_a_bound():
    layer = PerturbedLayer(3).eval()
    bounds = np.array([[np.inf, np.inf, 4]])
    rows = [np.array([each]) for each in ([2.0, 1, 3], [0.0, 5, 1])]
    layer.set(Coefficients(*rows, bounds, np.full((1, 3), np.inf)))
    assert layer(torch.tensor([[1.0, 1, 1], [-1, -1, -1]])).tolist() == [[2, 6, 4], [-2, 4, -2]]


def test_a_perturbed_layer_has_nothing_to_train_and_is_saved_with_the_network():
    network = torch.nn.Sequential(torch.nn.Linear(2, 2), PerturbedLayer(2))
    network[1].set(coefficients("offset", [0.25], np.zeros(2), np.array([1.0, 4.0])))
    assert len(list(network.parameters())) == 2
    again = torch.nn.Sequential(torch.nn.Linear(2, 2), PerturbedLayer(2))
    again.load_state_dict(network.state_dict())
    assert again[1].shift.tolist() == [0.25, 1]
    assert again[1].scale.tolist() == [0.75, 0.75]
    assert network.double()[1].clip.dtype == torch.float64


@pytest.mark.parametrize(
    ("kind", "levels", "units"),
    [("scale", [1, 2], 3), ("scale", [1], 4), ("clip_activation", [0.5], 3)],
)
def test_a_perturbed_layer_takes_one_level_of_its_units_without_a_ceiling(kind, levels, units):
    with pytest.raises(ValueError, match=r"one level of \(3,\) units without clip_activation; got"):
        PerturbedLayer(3).set(coefficients(kind, levels, np.zeros(units), np.ones(units)))


def test_a_perturbed_layer_is_put_before_an_activation_and_changes_nothing_at_first():
    model = by_hand().double()
    longer, layer = sweeps.with_perturbed_layer(model, "1", (2,))
    inputs = torch.from_numpy(INPUTS).double()
    assert [module for module in longer if module is not layer] == list(model)
    assert list(longer).index(layer) == 1
    assert not layer.training
    assert [module.training for module in longer if module is not layer] == [True, True, True]
    assert torch.equal(longer(inputs), model(inputs))
    assert layer.clip.dtype == torch.float64
    layer.set(coefficients("clip", [0.5], *sweeps.activation_range(model, INPUTS)))
    assert layer.clip.tolist() == [2, 1.75]
    assert longer(inputs).argmax(1).tolist() == LABELS.tolist()


def test_a_perturbed_layer_is_put_into_a_sequence_that_uses_a_module_twice():
    torch.manual_seed(0)
    act = torch.nn.LeakyReLU(0.1)
    first, second, last = torch.nn.Linear(2, 2), torch.nn.Linear(2, 2), torch.nn.Linear(2, 3)
    model = torch.nn.Sequential(first, act, second, act, last)
    longer, layer = sweeps.with_perturbed_layer(model, "3", (2,))
    assert list(longer) == [first, act, second, layer, act, last]


def test_a_perturbed_layer_is_put_into_a_sequence_without_parameters():
    longer, layer = sweeps.with_perturbed_layer(torch.nn.Sequential(torch.nn.ReLU()), "0", (1,))
    layer.set(coefficients("scale", [3], np.zeros(1), np.ones(1)))
    assert longer(torch.tensor([[2.0], [-1]])).tolist() == [[6], [0]]


def test_a_perturbed_layer_is_put_before_a_module_that_is_there():
    with pytest.raises(ValueError, match="no module 'act'; it has 0, 1, 2"):
        sweeps.with_perturbed_layer(by_hand(), "act", (2,))


@pytest.mark.parametrize(
    ("kind", "levels", "changed"),
    [("scale", [0.1, 3], False), ("clip", [0.1, 2], False), ("offset", [-0.3, 0.3], True)],
)
def test_the_code_of_a_relu_feels_an_offset_but_no_scale_and_no_clip(kind, levels, changed):
    torch.manual_seed(0)
    layer, (inputs, _) = PerturbedLayer(6), data((4,))
    network = torch.nn.Sequential(torch.nn.Linear(4, 6), layer, torch.nn.ReLU()).double()
    plain, _ = codes.activation_code(network, inputs)
    ranges = sweeps.activation_range(network, inputs)
    for level in levels:
        layer.set(coefficients(kind, [level], *ranges))
        packed, _ = codes.activation_code(network, inputs)
        assert np.array_equal(packed, plain) != changed


# change of the hidden vector


@pytest.mark.parametrize(
    "activation", [torch.nn.ReLU(), perceptrons.Abs(), torch.nn.LeakyReLU(0.1)]
)
def test_a_scale_changes_the_hidden_vector_by_its_distance_from_1(activation):
    model, (inputs, labels) = sequence(activation)(*[torch.nn.Identity()] * 2), data((4,))
    levels = np.array([0, 0.4, 1, 1.3, 5])
    chosen = coefficients("scale", levels, *sweeps.activation_range(model, inputs))
    response = sweeps.respond(model, inputs, labels, chosen, change=True)
    assert response.change == pytest.approx(abs(levels - 1), abs=1e-6)


@pytest.mark.parametrize(("block", "fewest"), [(2**20, 128), (2, 1), (4, 1)])
def test_the_change_of_the_hidden_vector_by_hand(monkeypatch, block, fewest):
    monkeypatch.setattr(sweeps, "BLOCK", block)
    monkeypatch.setattr(sweeps, "FEWEST_EXAMPLES", fewest)
    ranges = sweeps.activation_range(by_hand(), INPUTS)
    chosen = coefficients("clip", [1, 0.5], *ranges)
    response = sweeps.respond(by_hand(), INPUTS, LABELS, chosen, change=True)
    # from (4, 1) (1, 2) (0, 0.5) (2, 3) to (2, 1) (1, 1.75) (0, 0.5) (2, 1.75)
    assert response.squared_change == pytest.approx([0, 4 + 0.0625 + 1.5625])
    assert response.squared_output == pytest.approx(17 + 5 + 0.25 + 13)
    assert response.change == pytest.approx([0, np.sqrt(5.625 / 35.25)])


def test_without_being_asked_for_no_change_is_measured():
    chosen = coefficients("clip", [0.5], *sweeps.activation_range(by_hand(), INPUTS))
    assert sweeps.respond(by_hand(), INPUTS, LABELS, chosen).squared_change.tolist() == [0]


# corners


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dead", [1, 2], ids=["one unit", "all units"])
def test_dead_units_give_no_nan(kind, dead):
    model = by_hand()
    model[0].bias.data[:dead] = -100
    with torch.no_grad():
        expected = (model(torch.from_numpy(INPUTS)).argmax(1).numpy() == LABELS).mean()
    ranges = sweeps.activation_range(model, INPUTS)
    chosen = coefficients(kind, [0.001, 0.5, 1, 2], *ranges)
    response = sweeps.respond(model, INPUTS, LABELS, chosen, change=True)
    assert np.isfinite(response.change).all()
    if dead == 2:
        assert response.accuracy.tolist() == [expected] * 4
        assert response.change.tolist() == [0] * 4


def test_labels_may_be_a_read_only_map_and_inputs_an_array(tmp_path):
    np.save(tmp_path / "labels.npy", LABELS)
    labels = np.load(tmp_path / "labels.npy", mmap_mode="r")
    assert sweep(by_hand(), INPUTS.astype(np.float64), labels, "clip", [0.5]).tolist() == [100]
    assert sweep(by_hand(), torch.tensor(INPUTS), labels, "clip", [0.5]).tolist() == [100]


def test_no_levels_have_no_accuracies():
    assert sweep(by_hand(), INPUTS, LABELS, "scale", []).shape == (0,)


def test_one_example_is_enough():
    assert sweep(by_hand(), INPUTS[:1], LABELS[:1], "scale", [1, 10]).tolist() == [100, 100]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": LABELS[:3]}, "4 inputs need as many labels; got 3"),
        ({"inputs": INPUTS[:0], "labels": LABELS[:0]}, "need one or more inputs; got none"),
        ({"kind": "shift"}, r"need a kind of scale, clip, .*; got 'shift'"),
        ({"levels": [np.nan]}, "a list of finite levels"),
        ({"layer": "9"}, "Sequential has no layer '9'; it has 0, 1, 2"),
        ({"layer": "2"}, "0 activations belong to the layer '2'"),
        ({"spread": 0.5}, "a spread of at least 1"),
    ],
)
def test_what_does_not_fit_is_refused(change, message):
    given = {"model": by_hand(), "inputs": INPUTS, "labels": LABELS, "kind": "scale"}
    with pytest.raises(ValueError, match=message):
        sweep(**{**given, "levels": [1.0], **change})


def test_ranges_of_no_inputs_are_refused():
    with pytest.raises(ValueError, match="need one or more inputs; got none"):
        sweeps.activation_range(by_hand(), INPUTS[:0])


def test_an_ensemble_takes_no_ranges_of_one_network():
    ensemble, (inputs, labels) = random_ensemble(), data((4,))
    with pytest.raises(ValueError, match="ranges are of one network"):
        sweep(ensemble, inputs, labels, "clip", [0.5], ranges=(np.zeros(6), np.ones(6)))


def test_an_activation_whose_result_is_not_used_is_refused():
    class InPlace(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.hidden, self.out = torch.nn.Linear(3, 4), torch.nn.Linear(4, 2)

        def forward(self, inputs):
            values = self.hidden(inputs)
            values.relu_()
            return self.out(values)

    with pytest.raises(ValueError, match=r"does not go on with .* relu returns; write x = "):
        sweeps.sweep(InPlace(), torch.randn(5, 3), [0, 1, 0, 1, 0], "offset", [0.1])


def test_levels_do_not_mix_in_a_network_that_looks_at_its_whole_batch():
    torch.manual_seed(0)
    norm = torch.nn.BatchNorm1d(4, track_running_stats=False)
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU(), norm, torch.nn.Linear(4, 2))
    inputs, labels = torch.randn(60, 3), torch.randint(0, 2, (60,))
    levels = [-0.9, 0.0, 0.9]
    apart = [sweeps.sweep(model, inputs, labels, "offset", [p])[0] for p in levels]
    assert sweeps.sweep(model, inputs, labels, "offset", levels).tolist() == apart
    assert len(set(apart)) > 1
