import numpy as np
import pytest

from neuralcodes.perturbation import kinds as module
from neuralcodes.perturbation.kinds import KINDS, Coefficients, coefficients, dead_units, identity

# Ranges of three units: a ReLU's, an absolute value's that never comes to 0, a negative one's.
LOW, HIGH = np.array([0.0, 1.0, -1.0]), np.array([2.0, 3.0, 4.0])
# Four dead units and one that lives.
DEAD_LOW = np.array([0.0, 1.5, -1.0, -3.0, 0.0])
DEAD_HIGH = np.array([0.0, 1.5, 0.0, -0.5, 2.0])


def of(kind, *levels, low=LOW, high=HIGH, **options):
    """Coefficients by name, a list per level."""
    found = coefficients(kind, levels, low, high, **options)
    names = ("scale", "shift", "clip", "ceiling")
    return {name: getattr(found, name).tolist() for name in names}


def unchanged(levels, units=3):
    plain = {"scale": 1.0, "shift": 0.0, "clip": np.inf, "ceiling": np.inf}
    return {name: [[value] * units] * levels for name, value in plain.items()}


def test_a_scale_multiplies_every_unit():
    assert of("scale", 0.5, 10) == unchanged(2) | {"scale": [[0.5] * 3, [10] * 3]}


def test_a_clip_is_a_share_of_the_range_above_the_minimum():
    # ranges of 2, 2 and 5
    clips = [[0.0, 1.0, -1.0], [0.5, 1.5, 0.25], [2.0, 3.0, 4.0]]
    assert of("clip", 0, 0.25, 1) == unchanged(3) | {"clip": clips}


def test_a_ceiling_on_the_activation_lies_where_the_clip_would():
    found = of("clip_activation", 0.25, 2)
    assert found == unchanged(2) | {"ceiling": of("clip", 0.25, 2)["clip"]}


@pytest.mark.parametrize("p", [1, 1.5, 10])
def test_from_level_1_on_a_clip_lies_at_the_maximum_or_above(p):
    (clip,) = of("clip", p)["clip"]
    assert clip == HIGH.tolist() if p == 1 else (clip > HIGH).all()


def test_an_offset_of_half_the_range_by_hand():
    # t = p r = 0.5 x (2, 2, 5); s = (max - t) / max = 1 / 2, 2 / 3, 1.5 / 4
    found = of("offset", 0.5)
    assert found["shift"] == [[1.0, 1.0, 2.5]]
    assert found["scale"][0] == pytest.approx([0.5, 2 / 3, 0.375])
    assert found["clip"] == found["ceiling"] == unchanged(1)["clip"]


def test_a_negative_offset_by_hand():
    found = of("offset", -1.0)
    assert found["shift"] == [[-2.0, -2.0, -5.0]]
    assert found["scale"][0] == pytest.approx([2.0, 5 / 3, 2.25])


@pytest.mark.parametrize("p", [-2, -0.3, 0.01, 0.5, 1])
def test_an_offset_holds_the_maximum(p):
    found = coefficients("offset", [p], LOW, HIGH)
    assert (found.scale * HIGH + found.shift)[0] == pytest.approx(HIGH)


@pytest.mark.parametrize(("kind", "p"), [("scale", 1), ("offset", 0)])
def test_a_level_that_changes_nothing_has_the_coefficients_of_the_identity(kind, p):
    assert of(kind, p) == unchanged(1)
    negative_zero = of(kind, -0.0 if p == 0 else p)
    assert negative_zero == unchanged(1)


def test_factors_per_unit_lie_between_a_share_and_a_multiple_of_the_level():
    low, high = np.zeros(5000), np.ones(5000)
    (factors,) = coefficients("scale_per_unit", [0.6], low, high, spread=3.0).scale
    assert 0.2 <= factors.min() < 0.203
    assert 1.78 < factors.max() <= 1.8
    # uniform in the logarithm: a quarter of the units in each quarter of it
    shares = np.histogram(np.log(factors / 0.6) / np.log(3), [-1, -0.5, 0, 0.5, 1])[0] / 5000
    assert shares == pytest.approx([0.25] * 4, abs=0.02)


def test_factors_per_unit_are_the_same_at_all_levels_and_whatever_the_others_are():
    found = coefficients("scale_per_unit", [0.1, 1, 7], LOW, HIGH, seed=3)
    assert found.scale / np.array([[0.1], [1], [7]]) == pytest.approx(found.scale[[1, 1, 1]])
    (alone,) = coefficients("scale_per_unit", [7], LOW, HIGH, seed=3).scale
    assert np.array_equal(alone, found.scale[2])
    assert len(np.unique(alone)) == 3, "each unit has its own"


def test_factors_per_unit_come_from_the_seed():
    first, again, other = (of("scale_per_unit", 1, seed=seed)["scale"] for seed in (3, 3, 4))
    assert first == again != other


def test_without_spread_factors_per_unit_are_one_scale():
    assert of("scale_per_unit", 0.5, 2, spread=1) == of("scale", 0.5, 2)


def test_factors_per_unit_are_by_default_at_most_twice_the_level():
    (factors,) = coefficients("scale_per_unit", [1], np.zeros(5000), np.ones(5000)).scale
    assert (factors.min(), factors.max()) == pytest.approx((0.5, 2), rel=1e-2)


def test_dead_units_are_those_of_constant_output_or_none_above_0():
    assert dead_units(DEAD_LOW, DEAD_HIGH).tolist() == [True, True, True, True, False]


@pytest.mark.parametrize("kind", ["clip", "offset", "clip_activation"])
@pytest.mark.parametrize("p", [-0.5, 0, 0.5, 1, 3])
def test_dead_units_stay_as_they_are(kind, p):
    found = of(kind, p, low=DEAD_LOW, high=DEAD_HIGH)
    living = of(kind, p, low=DEAD_LOW[4:], high=DEAD_HIGH[4:])
    plain = unchanged(1, units=4)
    assert found == {name: [[*plain[name][0], *living[name][0]]] for name in found}


@pytest.mark.parametrize("kind", KINDS)
def test_units_may_have_several_axes(kind):
    low, high = np.zeros((2, 3)), np.arange(6.0).reshape(2, 3)
    found = coefficients(kind, [0.5, 1, 2, 3], low, high)
    flat = coefficients(kind, [0.5, 1, 2, 3], low.ravel(), high.ravel())
    for name in ("scale", "shift", "clip", "ceiling"):
        assert getattr(found, name).shape == (4, 2, 3)
        assert np.array_equal(getattr(found, name).reshape(4, 6), getattr(flat, name))


def test_coefficients_are_exact_for_ranges_of_less_precision():
    found = of("offset", 0.1, low=np.zeros(1, np.float32), high=np.ones(1, np.float32))
    assert found["scale"] == [[0.9]]


def test_the_identity_is_one_level_that_changes_nothing():
    found = identity((3,))
    assert len(found) == 1
    assert {name: value.tolist() for name, value in vars(found).items()} == unchanged(1)
    assert identity((2, 5)).ceiling.shape == (1, 2, 5)


def test_levels_are_cut_out_and_put_together():
    whole = coefficients("offset", [-1, 0, 1], LOW, HIGH)
    middle = whole[1:2]
    assert (len(whole), len(middle)) == (3, 1)
    assert vars(middle).keys() == vars(identity((3,))).keys()
    assert np.array_equal(middle.shift, np.zeros((1, 3)))
    joined = Coefficients.joined([whole[2:], coefficients("clip", [0, 1], LOW, HIGH), middle])
    assert joined.shift[:, 0].tolist() == [2, 0, 0, 0]
    assert joined.scale[:, 0].tolist() == [0, 1, 1, 1]
    assert joined.clip[:, 1].tolist() == [np.inf, 1, 3, np.inf]


def test_what_is_known_of_units_is_left_as_it_is():
    low, high = DEAD_LOW.copy(), DEAD_HIGH.copy()
    for kind in KINDS:
        coefficients(kind, [0.5], low, high)
    assert np.array_equal(low, DEAD_LOW)
    assert np.array_equal(high, DEAD_HIGH)


@pytest.mark.parametrize(
    ("kind", "levels", "spread"),
    [
        ("shift", [1.0], 2),
        ("scale", [1.0, np.nan], 2),
        ("offset", [np.inf], 2),
        ("scale", 1.0, 2),
        ("scale", [[1.0]], 2),
        ("scale_per_unit", [1.0], 0.5),
        ("scale_per_unit", [1.0], np.nan),
    ],
)
def test_unknown_kinds_odd_levels_and_a_spread_below_1_are_refused(kind, levels, spread):
    message = r"kind of scale, clip, .* finite levels and a spread of at least 1; got '"
    with pytest.raises(ValueError, match=message):
        coefficients(kind, levels, LOW, HIGH, spread=spread)


def test_the_kinds_are_those_of_the_paper_and_two_of_ours():
    assert KINDS == ("scale", "clip", "offset", "scale_per_unit", "clip_activation")
    assert module.SPREAD == 2
