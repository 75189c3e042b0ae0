import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from neuralcodes.metrics import regions


class Absolute(torch.nn.Module):
    def forward(self, inputs):
        return inputs.abs()


ACTIVATIONS = {"relu": torch.nn.ReLU, "leaky_relu": torch.nn.LeakyReLU, "abs": Absolute}
UNIT = (torch.ones(1, 1, 1), torch.zeros(1, 1))
STEP = 0.002


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def layer(weight, bias):
    return torch.tensor([weight]).double(), torch.tensor([bias]).double()


def distances(layers, point, direction, activation="relu", **options):
    line = torch.tensor([point]).double(), torch.tensor([direction]).double()
    borders = regions.border_distances(layers, *line, activation, **options)
    return borders.toward.item(), borders.away.item()


def random_network(seed, widths, activation):
    """A plain network with batch norm in evaluation mode, float64, all its parameters random."""
    generator = torch.Generator().manual_seed(seed)
    modules = []
    for inputs, outputs in itertools.pairwise(widths):
        linear = torch.nn.Linear(inputs, outputs)
        norm = torch.nn.BatchNorm1d(outputs, eps=1e-3)
        torch.nn.init.normal_(linear.weight, std=1 / math.sqrt(inputs), generator=generator)
        for tensor in (linear.bias, norm.weight, norm.bias, norm.running_mean):
            tensor.data.normal_(generator=generator)
        norm.running_var.uniform_(0.2, 2, generator=generator)
        modules += [linear, norm, ACTIVATIONS[activation]()]
    return torch.nn.Sequential(*modules).double().eval()


@torch.no_grad()
def signs(network, inputs):
    """Sign of each pre-activation, read off while the plain network runs."""
    found = []
    for module in network:
        inputs = module(inputs)
        if isinstance(module, torch.nn.BatchNorm1d):
            found.append(inputs > 0)
    return torch.cat(found, dim=-1)


def fold(networks):
    """Affine layers of an ensemble of plain networks, batch norm folded in by hand."""
    layers = []
    for position in range(0, len(networks[0]), 3):
        weights, biases = [], []
        for network in networks:
            linear, norm = network[position], network[position + 1]
            scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
            weights.append(linear.weight * scale[:, None])
            biases.append((linear.bias - norm.running_mean) * scale + norm.bias)
        layers.append((torch.stack(weights), torch.stack(biases)))
    return layers


def random_lines(seed, examples, features):
    generator = torch.Generator().manual_seed(seed)
    points = torch.randn(examples, features, generator=generator, dtype=torch.float64)
    directions, _ = regions.toward_centre(points, torch.zeros(features, dtype=torch.float64))
    return points, directions


def stepped(network, point, direction, steps=10_000):
    """Length of the first step at which the signs differ from the point's; inf if none does."""
    lengths = torch.arange(steps + 1, dtype=torch.float64) * STEP
    patterns = signs(network, point + lengths[:, None] * direction)
    changed = (patterns != patterns[0]).any(dim=1).nonzero()
    return lengths[changed[0, 0]].item() if len(changed) else math.inf


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_one_unit_has_its_border_where_its_preactivation_is_zero(activation):
    unit = [layer([[2.0]], [-6.0])]  # zero at x = 3
    assert distances(unit, [1.0], [1.0], activation) == (2.0, math.inf)
    assert distances(unit, [1.0], [-1.0], activation) == (math.inf, 2.0)
    assert distances(unit, [7.0], [-1.0], activation) == (4.0, math.inf)
    assert distances(unit, [7.0], [1.0], activation) == (math.inf, 4.0)


def test_nearest_unit_on_either_side_ends_the_region():
    units = [layer([[1.0], [-1.0], [4.0], [1.0]], [0.0, 5.0, -8.0, -100.0])]  # 0, 5, 2, 100
    assert distances(units, [2.5], [1.0]) == (2.5, 0.5)
    assert distances(units, [-3.0], [1.0]) == (3.0, math.inf)
    assert distances(units, [9.0], [1.0]) == (91.0, 4.0)


def test_second_layer_sees_the_first_through_its_activation_pattern():
    layers = [layer([[1.0, 0.0], [0.0, 1.0]], [0.0, 0.0]), layer([[1.0, 1.0]], [-3.0])]
    assert distances(layers, [1.0, 1.0], [1.0, 0.0]) == (1.0, 1.0)
    # Along y through (1, -1) the second unit is off and the second layer is 1 + f(y) - 3.
    line = ([1.0, -1.0], [0.0, 1.0])
    assert distances(layers, *line, "relu") == (1.0, math.inf)
    assert distances(layers, *line, "leaky_relu") == (1.0, math.inf)
    assert distances(layers, *line, "abs") == (1.0, 1.0)


def test_slope_of_leaky_relu_is_an_argument():
    layers = [layer([[1.0]], [0.0]), layer([[-1.0]], [-3.0])]  # on where f(x) < -3
    assert distances(layers, [-2.0], [-1.0], "leaky_relu") == pytest.approx((298.0, 2.0))
    steep = distances(layers, [-2.0], [-1.0], "leaky_relu", negative_slope=0.5)
    assert steep == pytest.approx((4.0, 2.0))


def test_units_that_do_not_change_along_the_line_set_no_border():
    units = [layer([[0.0, 1.0], [0.0, 0.0]], [0.0, 0.0])]
    assert distances(units, [3.0, 2.0], [1.0, 0.0]) == (math.inf, math.inf)
    assert distances(units, [3.0, 0.0], [1.0, 0.0]) == (math.inf, math.inf)
    behind_dead_layer = [layer([[0.0]], [-1.0]), layer([[5.0]], [-1.0])]
    assert distances(behind_dead_layer, [3.0], [1.0]) == (math.inf, math.inf)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_point_on_a_border_belongs_to_the_side_where_the_bit_is_zero(activation):
    unit = [layer([[2.0]], [0.0])]  # bit is 1 for x > 0
    assert distances(unit, [0.0], [1.0], activation) == (0.0, math.inf)
    assert distances(unit, [0.0], [-1.0], activation) == (math.inf, 0.0)
    units = [layer([[2.0], [1.0]], [0.0, 4.0])]
    assert distances(units, [0.0], [1.0], activation) == (0.0, 4.0)


def test_toward_centre_gives_unit_vectors_and_distances():
    points = torch.tensor([[4.0, 6.0], [1.0, 0.0]])
    directions, lengths = regions.toward_centre(points, torch.tensor([1.0, 2.0]))
    assert lengths.tolist() == [5.0, 2.0]
    assert directions.dtype == torch.float64
    torch.testing.assert_close(directions, torch.tensor([[-0.6, -0.8], [0.0, 1.0]]).double())


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("widths", [(4, 8), (6, 5, 5, 5)])
def test_stepping_agrees_to_one_step_on_both_sides(activation, widths):
    networks = [random_network(seed, widths, activation) for seed in range(3)]
    points, directions = random_lines(11, 6, widths[0])
    borders = regions.border_distances(fold(networks), points, directions, activation)
    bounded = 0
    for (seed, network), example in itertools.product(enumerate(networks), range(len(points))):
        for side, exact in ((1, borders.toward), (-1, borders.away)):
            walked = stepped(network, points[example], side * directions[example])
            found = exact[seed, example].item()
            bounded += walked < math.inf
            if walked == math.inf:
                assert found > 10_000 * STEP
            else:
                assert walked - STEP - 1e-9 <= found <= walked + 1e-9
    assert bounded >= 20


@settings(deadline=None, max_examples=80, derandomize=True)
@given(
    seed=st.integers(0, 2**31 - 1),
    widths=st.lists(st.integers(1, 6), min_size=2, max_size=5),
    activation=st.sampled_from(list(ACTIVATIONS)),
)
def test_code_holds_just_inside_the_border_and_changes_just_outside(seed, widths, activation):
    network = random_network(seed, widths, activation)
    points, directions = random_lines(seed, 4, widths[0])
    borders = regions.border_distances(fold([network]), points, directions, activation)
    here = signs(network, points)
    for side, exact in ((1, borders.toward[0]), (-1, borders.away[0])):
        bounded = exact.isfinite()
        length = torch.where(bounded, exact, 1e3)[:, None]
        inside = signs(network, points + side * directions * length * (1 - 1e-7))
        outside = signs(network, points + side * directions * length * (1 + 1e-7))
        assert torch.equal(inside, here)
        assert torch.equal((outside != here).any(dim=1), bounded)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_positive_rescaling_of_a_hidden_unit_changes_nothing(activation):
    layers = fold([random_network(seed, (4, 5, 3), activation) for seed in range(2)])
    lines = random_lines(3, 9, 4)
    before = regions.border_distances(layers, *lines, activation)
    (first, bias), (second, _) = layers
    with torch.no_grad():
        first[:, 2] *= 7.5
        bias[:, 2] *= 7.5
        second[:, :, 2] /= 7.5
    after = regions.border_distances(layers, *lines, activation)
    torch.testing.assert_close(after.toward, before.toward)
    torch.testing.assert_close(after.away, before.away)


def test_seeds_and_blocks_do_not_touch_each_other():
    networks = [random_network(seed, (4, 6, 6), "relu") for seed in range(3)]
    points, directions = random_lines(3, 10, 4)
    together = regions.border_distances(fold(networks), points, directions, block=3)
    assert together.toward.shape == together.away.shape == (3, 10)
    for seed, network in enumerate(networks):
        alone = regions.border_distances(fold([network]), points, directions)
        torch.testing.assert_close(together.toward[seed], alone.toward[0])
        torch.testing.assert_close(together.away[seed], alone.away[0])


def test_float32_arguments_are_computed_in_float64():
    layers = [tuple(t.float() for t in pair) for pair in fold([random_network(1, (4, 6), "relu")])]
    points, directions = (tensor.float() for tensor in random_lines(3, 5, 4))
    single = regions.border_distances(layers, points, directions)
    exact = [tuple(t.double() for t in pair) for pair in layers]
    double = regions.border_distances(exact, points.double(), directions.double())
    assert single.toward.dtype == single.away.dtype == torch.float64
    assert torch.equal(single.toward, double.toward)
    assert torch.equal(single.away, double.away)


@pytest.mark.parametrize("examples", [1, 14])
def test_statistics_of_bounded_regions_are_those_of_numpy(examples):
    generator = torch.Generator().manual_seed(2)
    toward, away = torch.rand(2, 3, examples, generator=generator, dtype=torch.float64)
    found = dict(regions.statistics(regions.Borders(toward, away)))
    size = (toward + away).numpy()
    expected = {
        "region_size": size.mean(axis=1),
        "region_size_median": np.median(size, axis=1),
        **{f"region_size_q{q:02}": np.quantile(size, q / 100, axis=1) for q in (5, 25, 75, 95)},
        "toward_centre_median": np.median(toward.numpy(), axis=1),
        "away_median": np.median(away.numpy(), axis=1),
        "region_unbounded": np.zeros(3),
    }
    assert list(found) == list(expected)
    for metric, values in expected.items():
        np.testing.assert_allclose(found[metric], values, err_msg=metric)


def test_statistics_count_unbounded_regions_as_the_largest():
    toward = torch.tensor([[1.0, 2.0, 3.0, 4.0, 5.0], [1.0, 1.0, 1.0, 1.0, math.inf]])
    away = torch.tensor([[0.0, 0.0, 0.0, math.inf, math.inf], [math.inf] * 5])
    found = dict(regions.statistics(regions.Borders(toward, away)))
    assert found["region_unbounded"].tolist() == [0.4, 1.0]
    np.testing.assert_array_equal(found["region_size"], [2.0, np.nan])
    assert found["region_size_median"].tolist() == [3.0, math.inf]
    assert found["region_size_q25"].tolist() == [2.0, math.inf]
    assert found["region_size_q95"].tolist() == [math.inf, math.inf]
    assert found["toward_centre_median"].tolist() == [3.0, 1.0]
    assert found["away_median"].tolist() == [0.0, math.inf]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"activation": "tanh"}, "one of relu, leaky_relu, abs; got 'tanh'"),
        ({"negative_slope": -1.0}, "negative_slope must be finite and >= 0; got -1.0"),
        ({"negative_slope": math.inf}, "negative_slope must be finite"),
        ({"block": 0}, "block must be at least 1 example; got 0"),
    ],
)
def test_wrong_options_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        distances([UNIT], [1.0], [1.0], **options)


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([], "layers is empty; expected at least one hidden layer"),
        ([(torch.ones(2, 1), torch.ones(2))], r"layer 0 must be weight .* got \(2, 1\)"),
        ([(torch.ones(1, 2, 1), torch.ones(1, 3))], r"layer 0 must be weight .* and \(1, 3\)"),
        ([UNIT, (torch.ones(2, 1, 1), torch.ones(2, 1))], "layer 1 must .* the seeds of layer 0"),
        ([UNIT, layer([[1.0, 1.0]], [0.0])], "layer 1 must take the 1 outputs of the layer before"),
        ([(torch.ones(1, 0, 1), torch.ones(1, 0))], "layer 0 must take .* and have units"),
        ([layer([[math.nan]], [0.0])], "layer 0 holds values that are not finite"),
        ([layer([[1.0]], [math.inf])], "layer 0 holds values that are not finite"),
    ],
)
def test_layers_that_do_not_fit_are_refused(layers, message):
    with pytest.raises(ValueError, match=message):
        distances(layers, [1.0], [1.0])


@pytest.mark.parametrize(
    ("points", "directions", "message"),
    [
        (torch.ones(2, 3), torch.ones(2, 3), r"points must have shape \(examples, 2\)"),
        (torch.ones(0, 2), torch.ones(0, 2), "at least one example"),
        (torch.ones(2, 1, 1), torch.ones(2, 1, 1), "Flatten the inputs first"),
        (torch.ones(2, 2), torch.ones(1, 2), "directions must have the shape of points"),
        (torch.full((1, 2), math.nan), torch.ones(1, 2), "points holds values that are not"),
        (torch.ones(1, 2), torch.full((1, 2), math.inf), "directions holds values that are not"),
        (torch.ones(1, 2), torch.ones(1, 2), "unit vectors; 1 of 1 examples .* first 1.41421"),
        (
            torch.ones(2, 2),
            torch.tensor([[1.0, 0.0], [0.0, 0.0]]),
            r"first: 1\).*first 0\. .*centre",
        ),
    ],
)
def test_points_and_directions_that_do_not_fit_are_refused(points, directions, message):
    with pytest.raises(ValueError, match=message):
        regions.border_distances([layer([[1.0, 1.0]], [0.0])], points, directions)


def test_point_at_the_centre_has_no_direction():
    points = torch.tensor([[0.0, 0.0], [1.0, 2.0], [1.0, 2.0]])
    with pytest.raises(ValueError, match=r"2 of 3 examples \(the first: 1\) lie at the centre"):
        regions.toward_centre(points, torch.tensor([1.0, 2.0]))


@pytest.mark.parametrize(
    ("points", "centre", "message"),
    [
        (torch.ones(2, 3), torch.zeros(2), "centre .features,.; got"),
        (torch.tensor([[math.nan]]), torch.zeros(1), "points holds values that are not finite"),
        (torch.ones(1, 1), torch.tensor([math.inf]), "centre holds values that are not finite"),
    ],
)
def test_centre_that_does_not_fit_is_refused(points, centre, message):
    with pytest.raises(ValueError, match=message):
        regions.toward_centre(points, centre)


@pytest.mark.parametrize(
    ("toward", "away", "message"),
    [
        (torch.ones(2, 0), torch.ones(2, 0), "two non-empty matrices"),
        (torch.ones(2, 3), torch.ones(2, 1), r"toward \(2, 3\) and away \(2, 1\)"),
        (torch.full((1, 1), math.nan), torch.ones(1, 1), "borders hold NaN"),
    ],
)
def test_statistics_refuse_borders_that_do_not_fit(toward, away, message):
    with pytest.raises(ValueError, match=message):
        regions.statistics(regions.Borders(toward, away))
