"""Every kind of perturbation, and what all of them have in common."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from neuralcodes.perturbation import kinds, sweeps
from neuralcodes.perturbation.kinds import KINDS, Coefficients, coefficients, dead_units, identity
from neuralcodes.perturbation.kinds.declaration import Look, PerturbationKind

# Ranges of three units: a ReLU's, an absolute value's that never comes to 0, a negative one's.
LOW, HIGH = np.array([0.0, 1.0, -1.0]), np.array([2.0, 3.0, 4.0])
# Four dead units and one that lives.
DEAD_LOW = np.array([0.0, 1.5, -1.0, -3.0, 0.0])
DEAD_HIGH = np.array([0.0, 1.5, 0.0, -0.5, 2.0])
NAMES = ("scale", "shift", "clip", "ceiling")
PLAIN = dict(zip(NAMES, (1.0, 0.0, np.inf, np.inf), strict=True))


def of(kind, *levels, low=LOW, high=HIGH, **options):
    """Coefficients by name, a list per level."""
    found = coefficients(kind, levels, low, high, **options)
    return {name: getattr(found, name).tolist() for name in NAMES}


def unchanged(levels, units=3):
    return {name: [[value] * units] * levels for name, value in PLAIN.items()}


@pytest.fixture
def registry(monkeypatch):
    """What a test registers is gone afterwards."""
    monkeypatch.setattr(kinds, "_KINDS", dict(kinds._KINDS))


# ranges of LOW and HIGH are 2, 2 and 5
@pytest.mark.parametrize(
    ("kind", "level", "changes"),
    [
        ("scale", 0.5, {"scale": [0.5] * 3}),
        ("scale", 10, {"scale": [10] * 3}),
        ("clip", 0, {"clip": [0, 1, -1]}),
        ("clip", 0.25, {"clip": [0.5, 1.5, 0.25]}),
        ("clip", 1, {"clip": [2, 3, 4]}),
        ("clip_activation", 0.25, {"ceiling": [0.5, 1.5, 0.25]}),
        ("clip_activation", 2, {"ceiling": [4, 5, 9]}),
        # t = p r and s = (max - t) / max
        ("offset", 0.5, {"shift": [1, 1, 2.5], "scale": [0.5, 1 - 1 / 3, 0.375]}),
        ("offset", -1, {"shift": [-2, -2, -5], "scale": [2, 1 + 2 / 3, 2.25]}),
    ],
)
def test_coefficients_by_hand(kind, level, changes):
    found = of(kind, level)
    for name, expected in (unchanged(1) | {n: [each] for n, each in changes.items()}).items():
        assert found[name][0] == pytest.approx(expected[0]), name


@pytest.mark.parametrize("p", [-2, -0.3, 0.01, 0.5, 1])
def test_an_offset_holds_the_maximum(p):
    found = coefficients("offset", [p], LOW, HIGH)
    assert (found.scale * HIGH + found.shift)[0] == pytest.approx(HIGH)


def test_factors_per_unit_are_uniform_in_the_logarithm_and_of_the_seed():
    low, high = np.zeros(5000), np.ones(5000)
    (factors,) = coefficients("scale_per_unit", [0.6], low, high, spread=3.0).scale
    assert 0.2 <= factors.min() < 0.203
    assert 1.78 < factors.max() <= 1.8
    shares = np.histogram(np.log(factors / 0.6) / np.log(3), [-1, -0.5, 0, 0.5, 1])[0] / 5000
    assert shares == pytest.approx([0.25] * 4, abs=0.02)
    first, again, other = (of("scale_per_unit", 1, seed=seed)["scale"] for seed in (3, 3, 4))
    assert first == again != other
    assert of("scale_per_unit", 0.5, 2, spread=1) == of("scale", 0.5, 2)
    (usual,) = coefficients("scale_per_unit", [1], low, high).scale
    assert (usual.min(), usual.max()) == pytest.approx((0.5, 2), rel=1e-2)


@pytest.mark.parametrize("kind", KINDS)
def test_a_level_does_not_depend_on_those_beside_it(kind):
    levels = [-0.5, 0.25, 1, 7]
    together = coefficients(kind, levels, LOW, HIGH, seed=3)
    for place, level in enumerate(levels):
        alone = coefficients(kind, [level], LOW, HIGH, seed=3)
        for name in NAMES:
            assert np.array_equal(getattr(alone, name)[0], getattr(together, name)[place])


@pytest.mark.parametrize("kind", KINDS)
def test_every_unit_is_perturbed_by_its_own_range_whatever_the_shape(kind):
    low, high = np.zeros((2, 3)), np.arange(6.0).reshape(2, 3)
    found = coefficients(kind, [0.5, 1, 2, 3], low, high)
    flat = coefficients(kind, [0.5, 1, 2, 3], low.ravel(), high.ravel())
    for name in NAMES:
        assert getattr(found, name).shape == (4, 2, 3)
        assert getattr(found, name).dtype == np.float64
        assert np.array_equal(getattr(found, name).reshape(4, 6), getattr(flat, name))


@pytest.mark.parametrize("kind", KINDS)
def test_the_unperturbed_level_leaves_inputs_or_outputs_within_the_range_as_they_are(kind):
    declared = kinds.get(kind)
    if declared.unperturbed is None:
        return
    found = coefficients(kind, [declared.unperturbed], LOW, HIGH)
    values = torch.linspace(0, 1, 11)[:, None] * torch.tensor(HIGH - LOW) + torch.tensor(LOW)
    changed = values * torch.tensor(found.scale) + torch.tensor(found.shift)
    changed = changed.minimum(torch.tensor(found.clip)).minimum(torch.tensor(found.ceiling))
    assert torch.allclose(changed, values)
    if declared.exact:
        assert (
            of(kind, declared.unperturbed)
            == of(kind, -0.0 * declared.unperturbed or declared.unperturbed)
            == unchanged(1)
        )


@pytest.mark.parametrize("kind", [name for name in KINDS if kinds.get(name).unit == "factor"])
def test_factors_scale_all_units_alike_or_each_by_its_own_and_shift_or_cut_none(kind):
    once, twice = of(kind, 0.7), of(kind, 1.4)
    assert twice["scale"][0] == pytest.approx([2 * each for each in once["scale"][0]])
    assert {name: once[name] for name in NAMES[1:]} == {n: unchanged(1)[n] for n in NAMES[1:]}


@pytest.mark.parametrize("kind", [name for name in KINDS if kinds.get(name).unit == "share"])
@pytest.mark.parametrize("p", [-0.5, 0, 0.5, 1, 3])
def test_dead_units_stay_as_they_are_where_ranges_count(kind, p):
    assert dead_units(DEAD_LOW, DEAD_HIGH).tolist() == [True, True, True, True, False]
    found = of(kind, p, low=DEAD_LOW, high=DEAD_HIGH)
    living = of(kind, p, low=DEAD_LOW[4:], high=DEAD_HIGH[4:])
    plain = unchanged(1, units=4)
    assert found == {name: [[*plain[name][0], *living[name][0]]] for name in found}


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
    joined = Coefficients.joined([whole[2:], coefficients("clip", [0, 1], LOW, HIGH), middle])
    assert joined.shift[:, 0].tolist() == [2, 0, 0, 0]
    assert joined.scale[:, 0].tolist() == [0, 1, 1, 1]
    assert joined.clip[:, 1].tolist() == [np.inf, 1, 3, np.inf]


@pytest.mark.parametrize(
    ("kind", "levels", "spread", "message"),
    [
        ("shift", [1.0], 2, r"need a kind of scale, clip, .*; got 'shift'"),
        ("scale", [1.0, np.nan], 2, "a list of finite levels"),
        ("offset", [np.inf], 2, "a list of finite levels"),
        ("scale", 1.0, 2, "a list of finite levels"),
        ("scale", [[1.0]], 2, "a list of finite levels"),
        ("scale_per_unit", [1.0], 0.5, r"a spread of at least 1; got .* spread 0\.5"),
        ("scale_per_unit", [1.0], np.nan, "a spread of at least 1"),
    ],
)
def test_unknown_kinds_odd_levels_and_a_spread_below_1_are_refused(kind, levels, spread, message):
    with pytest.raises(ValueError, match=message):
        coefficients(kind, levels, LOW, HIGH, spread=spread)


# the declarations


def test_the_kinds_are_those_of_the_paper_and_two_of_ours():
    assert kinds.names()[:5] == KINDS
    published = [name for name in KINDS if kinds.get(name).reference is not None]
    assert published == ["scale", "clip", "offset"]
    assert all("as_published" in kinds.get(name).variants for name in published)
    assert KINDS[3:] == ("scale_per_unit", "clip_activation")
    assert all(kinds.get(name).variants == ("corrected",) for name in KINDS[3:])


def test_the_configuration_allows_the_declared_kinds_and_has_their_levels():
    path = Path(__file__).parents[2] / "workflow/schemas/config.schema.yaml"
    schema = yaml.safe_load(path.read_text())["properties"]["perturbations"]["properties"]
    assert schema["kinds"]["items"]["enum"] == schema["kinds"]["default"] == list(KINDS)
    for setting in ("levels", "code_levels"):
        declared = {n: getattr(kinds.get(n), setting) for n in KINDS}
        declared = {name: _plain(levels) for name, levels in declared.items() if levels}
        given = schema[setting]["properties"]
        assert {name: _plain(each["default"]) for name, each in given.items()} == declared


def _plain(levels):
    return [
        {name: list(points) for name, points in each.items()} if isinstance(each, dict) else each
        for each in levels
    ]


MINE = """
from neuralcodes.perturbation import kinds, Look, PerturbationKind

kinds.register(
    PerturbationKind(
        name="floor",
        parts=lambda levels, units: {"shift": levels + 0 * units.low},
        levels=(0, 1),
        lowest=0,
        look=Look("constant", "Added constant", "a constant added", "raised"),
    )
)
"""


def test_a_kind_of_a_file_of_its_own_is_swept_like_any_other(registry, tmp_path, monkeypatch):
    (tmp_path / "my_kind.py").write_text(MINE)
    monkeypatch.syspath_prepend(tmp_path)
    __import__("my_kind")
    assert kinds.names() == (*KINDS, "floor")
    model = torch.nn.Sequential(torch.nn.ReLU(), torch.nn.Linear(1, 2, bias=False))
    model[1].weight.data = torch.tensor([[1.0], [0.5]])
    inputs, labels = torch.tensor([[-1.0], [-3.0]]), [0, 0]  # both 0 without, the first above with
    assert sweeps.sweep(model, inputs, [1, 1], "floor", [0, 2]).tolist() == [0, 0]
    model[1].weight.data = torch.tensor([[0.0], [1.0]])
    assert sweeps.sweep(model, inputs, labels, "floor", [0, 2, 4]).tolist() == [100, 50, 0]


def test_registering_twice_is_no_error_and_a_name_is_taken_once(registry):
    scale = kinds.get("scale")
    kinds.register(scale)
    with pytest.raises(ValueError, match="a kind of perturbation scale already"):
        kinds.register(dataclasses.replace(scale, unit="share"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({}, "kind mine needs levels, or levels_of another kind"),
        ({"levels_of": "scale_per_unit"}, "levels_of scale_per_unit, which has none of its own"),
        ({"levels_of": "shift"}, "need a kind of .*; got 'shift'"),
        ({"levels": (1,), "equal_directions": (1,)}, "needs `unperturbed`"),
    ],
)
def test_a_declaration_that_lacks_something_is_refused(registry, changes, message):
    with pytest.raises(ValueError, match=message):
        kinds.register(
            PerturbationKind("mine", lambda levels, units: {}, Look("a", "b", "c", "d"), **changes)
        )
    assert "mine" not in kinds.names()
