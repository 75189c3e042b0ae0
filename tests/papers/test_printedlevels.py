from pathlib import Path

import numpy as np
import pytest

from neuralcodes.papers import oursland2024, printedlevels
from neuralcodes.perturbation import kinds
from neuralcodes.studies import levels

PUBLISHED = Path(__file__).parents[2] / "resources" / "published"
KINDS = ("scale", "clip", "offset")


def grid(kind):
    """The declared levels, which are those of the released code."""
    return levels.expand(kinds.get(kind).levels, ())


@pytest.mark.parametrize("kind", KINDS)
def test_the_declared_levels_are_the_published_ones(kind):
    table = oursland2024.read(PUBLISHED)
    printed = np.unique(table.loc[table["perturbation"] == kind, "level"])
    assert printedlevels.of_kind(kind) == tuple(printed)
    assert len(grid(kind)) == (125 if kind == "offset" else 100)
    # the released code takes entry 50 for none
    assert kinds.get(kind).reference == pytest.approx(grid(kind)[50])


@pytest.mark.parametrize("kind", KINDS)
def test_every_printed_level_is_on_the_published_grid_and_none_stands_for_two(kind):
    pairs = printedlevels.pairs(kind, grid(kind))
    assert tuple(printed for printed, _ in pairs) == printedlevels.of_kind(kind)
    assert len({level for _, level in pairs}) == len(pairs)
    tables = {"scale": {0.05: 4.977, 0.25: 24.77, 0.5: 49.77}, "clip": {0.3: 30.54, 0.75: 75.65}}
    for printed, percent in tables.get(kind, {}).items():
        assert 100 * dict(pairs)[printed] == pytest.approx(percent, rel=5e-4)
    if kind == "offset":
        assert all(level == pytest.approx(printed, abs=1e-9) for printed, level in pairs)
    for level in np.linspace(-2.1, 10.1, 20_000):
        assert len(printedlevels.pairs(kind, [level])) <= 1


@pytest.mark.parametrize(
    ("measured", "level", "expected"),
    [
        ([0.1, 0.28, 1.02], 1.0, 1.02),
        ([0.1, 0.28, 1.03], 1.0, None),
        ([0.1, 0.28], 0.25, None),
        ([-0.26, -0.2], -0.25, None),
        ([-0.102], -0.1, -0.102),
        ([1e-3], 0.0, None),
        ([0.0], 0.0, 0.0),
        ([2.03125, 1.96875], 2.0, 1.96875),
        ([], 1.0, None),
    ],
)
def test_the_nearest_level_stands_for_a_printed_one_where_it_is_near_enough(
    measured, level, expected
):
    assert printedlevels.stand_in(measured, level) == expected


def test_kinds_of_our_own_borrow_levels_or_print_all():
    assert printedlevels.pairs("scale_per_unit", [0.05, 0.07]) == [(0.05, 0.05)]
    assert printedlevels.pairs("clip_activation", [0.3, 0.25]) == [(0.3, 0.3)]
    assert printedlevels.pairs("rotation", [2.0, 0.07]) == [(0.07, 0.07), (2.0, 2.0)]
