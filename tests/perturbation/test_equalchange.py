import numpy as np
import pytest
import torch

from neuralcodes.networks import perceptrons
from neuralcodes.perturbation import equalchange, sweeps
from neuralcodes.perturbation.equalchange import Hidden, solve
from neuralcodes.perturbation.kinds import coefficients, identity

SIZES = (0.01, 0.05, 0.2, 0.5, 0.9)


def by_hand():
    """One hidden unit relu(x) over x = 3, 4, -1: outputs of norm 5 between 0 and 4."""
    model = torch.nn.Sequential(torch.nn.Linear(1, 1), torch.nn.ReLU(), torch.nn.Linear(1, 2))
    model[0].load_state_dict({"weight": torch.ones(1, 1), "bias": torch.zeros(1)})
    return model, torch.tensor([[3.0], [4.0], [-1.0]])


def trained_like(activation, hidden=(9,), **changes):
    """A network of random parameters, its inputs and the name of its last activation."""
    shape = perceptrons.Shape(5, hidden, 3, activation, batch_norm=False, **changes)
    ensemble = perceptrons.initialise(shape, [4], "torch_default")
    inputs = torch.randn(200, 5, generator=torch.Generator().manual_seed(1))
    return ensemble.member(0), inputs, ensemble.last_activation()


def solved(activation="relu", sizes=SIZES, seed=0, **changes):
    model, inputs, layer = trained_like(activation, **changes)
    of = "input" if activation == "tanh" else "output"
    ranges = sweeps.activation_range(model, inputs, layer, of=of)
    hidden = Hidden(model, inputs, layer)
    return hidden, {(each.kind, each.size): each for each in solve(hidden, ranges, sizes, seed)}


# the hidden vector


def test_the_hidden_vector_is_kept_as_the_activation_receives_it():
    model, inputs = by_hand()
    hidden = Hidden(model, inputs)
    assert hidden.values.tolist() == inputs.tolist()
    assert hidden.size == pytest.approx(5)


@pytest.mark.parametrize(
    ("kind", "level", "change"),
    [
        ("scale", 1, 0),
        ("scale", 0.25, 0.75),
        ("scale", 3, 2),
        # clipped at 2: 3 and 4 become 2
        ("clip", 0.5, 5**0.5 / 5),
        # s x + t = x / 2 + 2: 3.5, 4 and 1.5
        ("offset", 0.5, (0.25 + 2.25) ** 0.5 / 5),
    ],
)
def test_the_change_is_the_distance_moved_over_the_norm(kind, level, change):
    model, inputs = by_hand()
    ranges = sweeps.activation_range(model, inputs)
    found = Hidden(model, inputs).change(coefficients(kind, [level], *ranges))
    assert found == pytest.approx(change, abs=1e-6)


@pytest.mark.parametrize("activation", ["relu", "abs", "leaky_relu", "tanh"])
def test_the_change_is_the_one_that_perturbing_measures(activation):
    model, inputs, layer = trained_like(activation, hidden=(8, 6))
    ranges = sweeps.activation_range(model, inputs, layer)
    hidden = Hidden(model, inputs, layer, batch_size=64)
    labels = np.zeros(200, int)
    for kind in ("scale", "clip", "offset", "scale_per_unit"):
        chosen = coefficients(kind, [-0.3, 0.2, 0.7], *ranges)
        expected = sweeps.respond(model, inputs, labels, chosen, layer, change=True).change
        found = [hidden.change(chosen[i : i + 1]) for i in range(3)]
        assert found == pytest.approx(expected, rel=1e-5)
    assert hidden.change(identity(ranges[0].shape)) == 0


@pytest.mark.parametrize("rows", [7, 4096])
def test_blocks_change_nothing(monkeypatch, rows):
    monkeypatch.setattr(equalchange, "ROWS", rows)
    hidden, found = solved()
    whole = hidden.activation(hidden.values)
    level = found["equal_offset", 0.2].coefficients
    moved = hidden.activation(hidden.values * torch.tensor(level.scale) + torch.tensor(level.shift))
    assert hidden.size == pytest.approx(whole.norm().item())
    assert hidden.change(level) == pytest.approx(((moved - whole).norm() / whole.norm()).item())


def test_an_activation_that_overwrites_its_input_is_measured_all_the_same():
    model, inputs = by_hand()
    model[1] = torch.nn.ReLU(inplace=True)
    hidden = Hidden(model, inputs)
    ranges = sweeps.activation_range(model, inputs)
    assert hidden.values.tolist() == [[3], [4], [-1]]
    for _ in range(2):
        assert hidden.change(coefficients("scale", [-1], *ranges)) == pytest.approx(26**0.5 / 5)


# solving


@pytest.mark.parametrize("activation", ["relu", "abs", "leaky_relu", "tanh"])
@pytest.mark.parametrize("hidden", [(9,), (7, 6)])
def test_a_solution_reaches_the_wanted_change(activation, hidden):
    kept, found = solved(activation, hidden=hidden)
    for (_, size), each in found.items():
        assert kept.change(each.coefficients) == pytest.approx(abs(size), rel=1e-3)
    assert len({kind for kind, _ in found}) == 4


def test_up_and_down_are_told_apart_by_sign():
    _, found = solved()
    directions = {
        kind: {np.sign(size) for each, size in found if each == kind} for kind, _ in found
    }
    assert directions == {
        "equal_scale": {1, -1},
        "equal_clip": {-1},
        "equal_offset": {1, -1},
        "equal_scale_per_unit": {1},
    }
    for (kind, size), each in found.items():
        if kind == "equal_offset":
            assert np.sign(each.level) == np.sign(size)
        if kind == "equal_clip":
            assert 0 < each.level < 1
        if kind == "equal_scale_per_unit":
            assert each.level > 1


@pytest.mark.parametrize("activation", ["relu", "abs", "leaky_relu"])
def test_a_scale_moves_a_homogeneous_activation_by_its_distance_from_1(activation):
    _, found = solved(activation)
    for size in SIZES:
        assert found["equal_scale", size].level == pytest.approx(1 + size, abs=1e-4)
        assert found["equal_scale", -size].level == pytest.approx(1 - size, abs=1e-4)


def test_larger_changes_need_levels_farther_away():
    _, found = solved()
    for kind, rest in (("equal_scale", 1), ("equal_clip", 1), ("equal_offset", 0)):
        distances = [abs(found[kind, -size].level - rest) for size in SIZES]
        assert distances == sorted(distances)
    spreads = [found["equal_scale_per_unit", size].level for size in SIZES[:-1]]
    assert spreads == sorted(spreads)


def test_the_coefficients_of_a_solution_are_those_of_its_level():
    model, inputs, layer = trained_like("relu")
    ranges = sweeps.activation_range(model, inputs, layer)
    _, found = solved(seed=5)
    for (kind, size), each in found.items():
        plain = kind.removeprefix("equal_")
        if plain == "scale_per_unit":
            expected = coefficients(plain, [1.0], *ranges, spread=each.level, seed=5)
        else:
            expected = coefficients(plain, [each.level], *ranges)
        for name, value in vars(expected).items():
            assert np.array_equal(getattr(each.coefficients, name), value)
        assert (each.kind, each.size) == (kind, size)


def test_factors_per_unit_are_those_of_the_seed():
    first, other = (solved(seed=seed)[1]["equal_scale_per_unit", 0.2] for seed in (1, 2))
    assert first.level != other.level


def test_scaling_down_and_clipping_leave_something_of_the_vector():
    sizes = [0.5, 0.99, 1.0, 3.0]
    _, found = solved(sizes=sizes)
    assert [size for kind, size in found if kind == "equal_scale"] == [*sizes, -0.5, -0.99]
    assert [size for kind, size in found if kind == "equal_clip"] == [-0.5, -0.99]
    assert found["equal_scale", 3.0].level == pytest.approx(4)


def test_clipping_before_the_absolute_value_cannot_take_negative_inputs_away():
    _, found = solved("abs", sizes=[0.01, 0.99])
    assert ("equal_clip", -0.01) in found
    assert ("equal_clip", -0.99) not in found
    assert ("equal_scale", -0.99) in found


def test_a_bounded_activation_cannot_be_moved_beyond_its_bounds():
    _, found = solved("tanh", sizes=[50.0])
    assert found == {}


def test_a_range_that_cuts_at_its_own_maximum_has_no_milder_level():
    model, inputs = by_hand()
    ranges = np.array([0.0]), np.array([2.0])  # of other data: 3 and 4 are clipped at level 1
    found = {(each.kind, each.size) for each in solve(Hidden(model, inputs), ranges, [0.1, 0.6])}
    assert ("equal_clip", -0.1) not in found
    assert ("equal_clip", -0.6) in found


def test_nothing_moves_a_network_whose_units_are_all_dead():
    model, inputs = by_hand()
    model[0].bias.data.fill_(-100)
    ranges = sweeps.activation_range(model, inputs)
    hidden = Hidden(model, inputs)
    assert hidden.change(coefficients("scale", [2], *ranges)) == 0
    assert solve(hidden, ranges, SIZES) == []


@pytest.mark.parametrize("sizes", [[0.1, 0], [-0.5], [np.nan]])
def test_sizes_must_be_above_0(sizes):
    model, inputs = by_hand()
    hidden, ranges = Hidden(model, inputs), sweeps.activation_range(model, inputs)
    with pytest.raises(ValueError, match="sizes of a change must be above 0; got "):
        solve(hidden, ranges, sizes)


def test_an_unknown_layer_is_refused():
    model, inputs = by_hand()
    with pytest.raises(ValueError, match="Sequential has no layer '7'"):
        Hidden(model, inputs, "7")
