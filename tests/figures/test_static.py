"""The static renderer: files, style, and what is drawn of a Chart."""

import xml.etree.ElementTree

import matplotlib
import numpy as np
import pytest
from chart_cases import case, chart_of
from figure_cases import PUBLISHED, STYLE, drawn_axes, legend_texts, lines_of, point, summary_of
from matplotlib.colors import to_hex
from PIL import Image

from neuralcodes.errors import DataError
from neuralcodes.figures import drawing, static
from neuralcodes.papers import published
from neuralcodes.studies import tables


def test_saved_files_are_valid_for_paper(tmp_path):
    pdf, png, svg = static.save(static.draw(case("curves")[0]), tmp_path / "one")
    assert pdf.read_bytes().startswith(b"%PDF")
    assert b"/FontFile2" in pdf.read_bytes()
    assert b"CreationDate" not in pdf.read_bytes()
    with Image.open(png) as image:
        image.verify()
        assert image.info["dpi"][0] == pytest.approx(200, abs=0.1)
        assert image.size[0] == 1380
    assert xml.etree.ElementTree.parse(svg).getroot().tag.endswith("svg")


def test_the_style_replaces_the_settings_of_the_user():
    matplotlib.rcParams["font.size"] = 30
    static.use_style(STYLE)
    assert matplotlib.rcParams["font.size"] == 7
    assert matplotlib.rcParams["pdf.fonttype"] == 42


def test_a_missing_style_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"none\.mplstyle does not exist"):
        static.use_style(tmp_path / "none.mplstyle")


def test_a_study_is_drawn_from_its_files(tmp_path):
    tables.write(summary_of([point(w) for w in (3, 40, 100)]), tmp_path / "s.csv")
    figure = {"kind": "curves", "x": "width"}
    figure |= {"published": {"figure": "model_capacity", "dataset": "mnist"}}
    files = [str(PUBLISHED / "he2021.csv")]
    drawing.draw_study(
        tmp_path / "s.csv", "Sizes", figure, ["width"], files, STYLE, tmp_path / "sizes"
    )
    assert sorted(path.name for path in tmp_path.glob("sizes.*")) == [
        *("sizes.pdf", "sizes.png", "sizes.svg")
    ]
    perturbed = drawing.published_values({"figure": "perturbation", "dataset": "mnist"}, files)
    assert set(perturbed["activation"]) == {"relu", "abs"}
    assert drawing.published_values(None, files) is None


def test_curves_are_drawn_in_their_places_with_bands_and_open_published_markers():
    summary = summary_of([point(width, epoch) for width in (40, 50) for epoch in (0, 1, 100)])
    values = published.he2021("training_time", "mnist", PUBLISHED)
    chart = chart_of("curves", summary, values, x="epoch", line="width_per_layer")
    panel = list(chart.each_panel())[3]
    axes = drawn_axes(static.draw(chart))[3]
    for curve, container, theirs in zip(
        panel.curves, axes.containers, panel.published, strict=True
    ):
        (line,) = lines_of(axes, curve.label)
        assert line.get_xdata().tolist() == curve.x.tolist()
        assert line.get_ydata().tolist() == curve.y.tolist()
        markers = container.lines[0]
        assert markers.get_markerfacecolor() == "none"
        assert to_hex(markers.get_color()) == to_hex(line.get_color()) == curve.style.color
        assert markers.get_ydata().tolist() == theirs.value.tolist()
    heights = [band.get_paths()[0].vertices[:, 1] for band in axes.collections[:2]]
    for curve, height in zip(panel.curves, heights, strict=True):
        assert (height.min(), height.max()) == pytest.approx((curve.low.min(), curve.high.max()))


def test_zero_of_a_logarithmic_axis_is_labelled_beside_a_break():
    chart = chart_of("curves", summary_of([point(40, e) for e in (0, 1, 10, 100)]), x="epoch")
    axes = drawn_axes(static.draw(chart))[0]
    assert [text.get_text() for text in axes.get_xticklabels()] == ["0", "1", "10", "100"]
    assert "//" in [text.get_text() for text in axes.texts]


def test_borders_are_drawn_between_regimes_only():
    chart, _ = case("phase_chart")
    axes = drawn_axes(static.draw(chart))[0]
    segments = axes.collections[-1].get_segments()
    assert sorted(segment.tolist() for segment in segments) == [
        [[column, row], [column, row + 1]] for column in (1, 2) for row in (0, 1)
    ]
    assert [text.get_text() for text in axes.texts] == ["U", "C", "S"]


def test_bars_are_stacked_and_named_by_their_length():
    chart, _ = case("recipe_recovery")
    (axes,) = drawn_axes(static.draw(chart))
    assert [text.get_text() for text in axes.get_yticklabels()] == ["he2021", "other"]
    assert [text.get_text() for text in axes.texts] == ["0.000", "0.100"]


def test_ridges_stand_on_their_bases():
    chart, _ = case("preactivations")
    axes = drawn_axes(static.draw(chart))[1]
    (line,) = lines_of(axes, "unit 3")
    assert line.get_ydata().min() == 1
    assert np.ptp(line.get_ydata()) == pytest.approx(0.5 * 1.5)


def test_a_free_place_of_the_grid_holds_the_legend():
    chart, _ = case("layers")
    figure = static.draw(chart)
    texts = legend_texts(figure)
    assert texts[0] == "Width (units per layer):"
    assert {"50", "100", "last layer"} <= set(texts)
