import dataclasses

import numpy as np
import pytest

from neuralcodes.errors import ConfigError
from neuralcodes.perturbation import kinds
from neuralcodes.studies import levels

RAW = {
    "kinds": ["scale", "offset", "scale_per_unit", "clip_activation"],
    "levels": {"scale": [{"log": [0.1, 10, 3]}], "clip": [0.5, 0.25], "offset": [0]},
    "spread": 4,
    "equal_changes": [1, 0.5],
    "code_levels": {"scale": [2], "clip": [0.1], "offset": [{"linear": [-1, 1, 3]}]},
}
PATH = ("perturbations", "levels", "scale")
KINDS = {name: kinds.get(name) for name in kinds.KINDS}


def test_levels_are_written_out_ascending_each_once():
    assert levels.expand([3, {"linear": [0, 1, 3]}, 0.5, -2], PATH) == (-2, 0, 0.5, 1, 3)


def test_a_logarithmic_range_has_equal_factors_between_its_points():
    assert levels.expand([{"log": [0.01, 100, 5]}], PATH) == (0.01, 0.1, 1, 10, 100)


def test_a_range_holds_its_ends_and_whole_hundredths():
    found = levels.expand([{"linear": [-0.4, 0.39, 80]}], PATH)
    assert found == tuple(round(-0.4 + 0.01 * i, 2) for i in range(80))
    assert found[40] == 0


def test_zero_is_never_the_negative_zero():
    assert str(levels.expand([{"linear": [-0.5, 0.1, 7]}], PATH)[5]) == "0.0"


def test_ranges_that_share_a_level_hold_it_once():
    ranges = [{"linear": [0, 0.3, 4]}, {"linear": [0.1, 0.5, 5]}, 0.1]
    assert levels.expand(ranges, PATH) == (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)


def test_levels_are_floats_also_where_integers_stand():
    assert {type(each) for each in levels.expand([1, {"linear": [2, 4, 3]}], PATH)} == {float}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"linear": [1, 0, 5]}, r"\.linear: \[1, 0, 5\] is .* from below to and 2 to"),
        ({"linear": [1, 1, 5]}, r"\.linear: \[1, 1, 5\] is not allowed: \[from, to, points\] with"),
        ({"log": [1, 2, 1]}, r"\.log: \[1, 2, 1\] is .* 2 to 10000 points$"),
        ({"log": [1, 2, 2.5]}, r"\.log: \[1, 2, 2\.5\] is not allowed"),
        ({"linear": [0, 1, 10001]}, r"\.linear: \[0, 1, 10001\] is not allowed"),
        ({"log": [0, 1, 5]}, r"\.log: \[0, 1, 5\] is not allowed: from must be above 0$"),
        ({"log": [-1, 1, 5]}, r"\.log: \[-1, 1, 5\] is not allowed: from must be above 0$"),
    ],
)
def test_a_range_that_makes_no_sense_is_refused_where_it_stands(given, message):
    with pytest.raises(ConfigError, match=r"^perturbations\.levels\.scale\[1\]" + message):
        levels.expand([1, given], PATH)


def test_far_too_many_levels_are_refused():
    ranges = [{"linear": [0, 1, 10000]}, {"linear": [2, 3, 2]}]
    with pytest.raises(ConfigError, match=r"^perturbations\.levels\.scale: .* most 10000 levels"):
        levels.expand(ranges, PATH)
    assert len(levels.expand(ranges[:1], PATH)) == 10000


def test_kinds_take_their_own_levels_or_those_of_the_kind_they_resemble():
    accuracy, _ = levels.of_configuration(RAW, 9, KINDS)
    assert accuracy.levels == {
        "scale": (0.1, 1.0, 10.0),
        "offset": (0.0,),
        "scale_per_unit": (0.1, 1.0, 10.0),
        "clip_activation": (0.25, 0.5),
    }
    assert list(accuracy.levels) == RAW["kinds"]
    assert (accuracy.spread, accuracy.equal_changes) == (4.0, (1.0, 0.5))


def test_codes_have_levels_of_their_own():
    _, coded = levels.of_configuration(RAW, 7, KINDS)
    assert coded.levels == {"scale": (2.0,), "clip": (0.1,), "offset": (-1.0, 0.0, 1.0)}
    assert (coded.spread, coded.knn_k) == (4.0, 7)


@pytest.mark.parametrize("key", ["levels", "code_levels"])
def test_a_wrong_range_is_named_with_its_key(key):
    raw = RAW | {key: {**RAW[key], "clip": [{"log": [3, 1, 5]}]}}
    with pytest.raises(ConfigError, match=rf"^perturbations\.{key}\.clip\[0\]\.log: \[3, 1, 5\]"):
        levels.of_configuration(raw, 9, KINDS)


@pytest.mark.parametrize("key", ["levels", "code_levels"])
def test_a_level_that_a_kind_does_not_take_is_refused(key):
    bounded = KINDS | {"clip": dataclasses.replace(KINDS["clip"], lowest=0.2, highest=1)}
    raw = RAW | {key: {**RAW[key], "clip": [0.3, 1.5]}}
    with pytest.raises(ConfigError, match=rf"{key}\.clip: 1\.5 is not .* lie in 0\.2\.\.1$"):
        levels.of_configuration(raw, 9, bounded)


def test_levels_too_close_to_be_told_apart_become_one():
    close = np.nextafter(0.5, 1)
    assert levels.expand([{"linear": [0.5, close + 1e-14, 2]}], PATH) == (0.5,)
