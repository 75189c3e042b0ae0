from dataclasses import replace

import numpy as np
import pytest
from figure_cases import STYLE, drawn_axes, legend_texts, lines_of

from neuralcodes.figures import schematics, static
from neuralcodes.figures.schematics import (
    AT_ZERO,
    LARGEST,
    OTHER,
    SMALLEST,
    FeatureSelection,
    Scene,
)

TITLES = ("before activation", "after activation", "negative offset", "positive offset")


def panels_of(figure):
    """Axes of each panel's output, and of the clusters below it."""
    axes = drawn_axes(figure)
    return [(axes[i], axes[i + 4]) for i in (*range(4), *range(8, 12))]


def scene(activation, border, offset=0.0):
    return Scene("", activation, border, offset)


def test_there_are_two_rows_of_four_lettered_panels():
    figure = schematics.draw_feature_selection()
    tops = [top for top, _ in panels_of(figure)]
    assert [top.get_title(loc="left") for top in tops] == list("abcdefgh")
    assert [top.get_title() for top in tops] == [
        f"{name}, {title}" for name in ("ReLU", "Abs") for title in TITLES
    ]
    assert len(figure.legends) == 1
    assert legend_texts(figure) == [
        *("pre-activation, or output", "decision border", "border without offset"),
        *(role.label for role in (AT_ZERO, SMALLEST, LARGEST, OTHER)),
    ]


def test_curves_are_the_output_of_the_unit():
    chosen = FeatureSelection()
    tops = [top for top, _ in panels_of(schematics.draw_feature_selection(chosen))]
    size, relu, abs_ = chosen.offset, chosen.relu_border, chosen.abs_border
    for top, expected in (
        (tops[0], lambda x: x - relu),
        (tops[1], lambda x: np.maximum(x - relu, 0)),
        (tops[2], lambda x: np.maximum(x - relu - size, 0)),
        (tops[5], lambda x: np.abs(x - abs_)),
        (tops[7], lambda x: np.abs(x - abs_ + size)),
    ):
        (line,) = lines_of(top, "output")
        assert line.get_ydata() == pytest.approx(expected(line.get_xdata()))


def test_an_offset_moves_the_border_and_shows_where_it_was():
    chosen = FeatureSelection(abs_border=0.5, offset=1.5)
    panels = panels_of(schematics.draw_feature_selection(chosen))
    for axes in panels[6]:  # Abs, negative offset
        assert lines_of(axes, "border")[0].get_xdata()[0] == 2.0
        assert lines_of(axes, "old border")[0].get_xdata()[0] == 0.5
    for axes in panels[7]:
        assert lines_of(axes, "border")[0].get_xdata()[0] == -1.0
    assert not lines_of(panels[5][0], "old border")
    for top, _ in panels:
        low, high = top.get_xlim()
        assert low < lines_of(top, "border")[0].get_xdata()[0] < high


def test_mean_outputs_are_those_of_normally_distributed_examples():
    generator = np.random.default_rng(3)
    for activation in ("", "relu", "abs"):
        unit = scene(activation, border=0.3, offset=0.2)
        outputs = unit.mean_outputs((-1.0, 0.0, 2.0), (0.5, 0.4, 0.3))
        for mean, width, output in zip((-1.0, 0.0, 2.0), (0.5, 0.4, 0.3), outputs, strict=True):
            sample = unit.output(generator.normal(mean, width, 200_000))
            assert output == pytest.approx(sample.mean(), abs=0.005)


def test_offsets_change_what_a_relu_unit_selects():
    chosen = FeatureSelection()
    border, size = chosen.relu_border, chosen.offset
    assert schematics.roles(scene("relu", border), chosen) == [AT_ZERO, OTHER, LARGEST]
    assert schematics.roles(scene("relu", border, -size), chosen) == [AT_ZERO, AT_ZERO, LARGEST]
    assert schematics.roles(scene("relu", border, size), chosen) == [SMALLEST, OTHER, LARGEST]


def test_offsets_change_what_an_abs_unit_selects():
    chosen = FeatureSelection()
    border, size = chosen.abs_border, chosen.offset
    assert schematics.roles(scene("abs", border), chosen) == [OTHER, AT_ZERO, LARGEST]
    assert schematics.roles(scene("abs", border, -size), chosen) == [LARGEST, OTHER, AT_ZERO]
    assert schematics.roles(scene("abs", border, size), chosen) == [AT_ZERO, OTHER, LARGEST]


def test_before_the_activation_nothing_is_selected():
    assert schematics.roles(scene("", -1.0), FeatureSelection()) == [OTHER] * 3


def test_marks_stand_at_the_mean_output_of_their_cluster():
    chosen = FeatureSelection()
    top, bottom = panels_of(schematics.draw_feature_selection(chosen))[5]
    outputs = scene("abs", chosen.abs_border).mean_outputs(chosen.positions, chosen.widths)
    for role, place in ((OTHER, 0), (AT_ZERO, 1), (LARGEST, 2)):
        (mark,) = lines_of(top, role.label)
        assert mark.get_xdata().tolist() == [chosen.positions[place]]
        assert mark.get_ydata().tolist() == [outputs[place]]
    assert [fill.get_label() for fill in bottom.collections] == [
        role.label for role in (OTHER, AT_ZERO, LARGEST)
    ]
    assert [text.get_text() for text in bottom.get_xticklabels()] == ["A", "B", "C"]


def test_slopes_look_alike_in_all_panels():
    tops = [top for top, _ in panels_of(schematics.draw_feature_selection())]
    spans = [np.ptp(top.get_ylim()) for top in tops]
    assert spans == pytest.approx([spans[0]] * 8)


@pytest.mark.parametrize(
    "wrong",
    [
        {"positions": (0.0, -1.0, 2.0)},
        {"positions": (0.0, 0.0, 2.0)},
        {"widths": (0.3, 0.0, 0.3)},
        {"offset": 0.0},
    ],
)
def test_parameters_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValueError, match="need three clusters in increasing order"):
        replace(FeatureSelection(), **wrong)


def test_the_schematic_is_the_same_bytes_every_time(tmp_path):
    for name in ("first", "again"):
        schematics.draw_schematic(STYLE, tmp_path / name)
    for kind in static.FORMATS:
        first, again = (tmp_path / f"{name}.{kind}" for name in ("first", "again"))
        assert first.read_bytes() == again.read_bytes()
        assert first.stat().st_size > 0
