import numpy as np
import pandas as pd
import pytest
from figure_cases import (
    PUBLISHED,
    SERIES,
    by_title,
    drawn_axes,
    legend_texts,
    lines_of,
    means,
    point,
    published_points,
    summary_of,
)
from matplotlib.colors import to_rgb

from neuralcodes.errors import DataError
from neuralcodes.figures import plotting
from neuralcodes.figures.marks import FigureSpec
from neuralcodes.papers import published


def test_lines_of_a_curve_figure_are_the_summary_means():
    summary = summary_of([point(width) for width in (10, 40, 100)])
    figure = plotting.draw(FigureSpec("curves", x="width"), summary)
    redundancy, categorization = drawn_axes(figure)
    (line,) = lines_of(redundancy, "Redundancy ratio, train")
    expected = means(summary, "width", metric="redundancy_ratio", split="train")
    assert line.get_xdata().tolist() == [10, 40, 100]
    assert line.get_ydata().tolist() == expected
    (line,) = lines_of(categorization, "K-NN, test")
    assert line.get_ydata().tolist() == means(summary, "width", metric="knn_accuracy")


def test_bands_are_the_t_intervals_and_absent_for_one_seed():
    points = [point(width) for width in (10, 40)]
    three, one = summary_of(points), summary_of(points, seeds=1)
    spec = FigureSpec("curves", x="width", options={"metrics": [["knn_accuracy", "test"]]})
    (axes,) = drawn_axes(plotting.draw(spec, three))
    (band,) = axes.collections
    heights = band.get_paths()[0].vertices[:, 1]
    rows = three[three["metric"] == "knn_accuracy"]
    assert heights.min() == pytest.approx(rows["low"].min())
    assert heights.max() == pytest.approx(rows["high"].max())
    (axes,) = drawn_axes(plotting.draw(spec, one))
    assert len(axes.collections) == 0


def test_a_line_factor_gives_a_panel_per_metric_and_a_line_per_value():
    points = [point(width, epoch) for width in (40, 60) for epoch in (0, 1, 10)]
    summary = summary_of(points)
    figure = plotting.draw(FigureSpec("curves", x="epoch", line="width"), summary)
    panels = by_title(figure)
    assert list(panels) == [
        ("Redundancy ratio", "train split"),
        ("Redundancy ratio", "test split"),
        ("K-Means accuracy", "test split"),
        ("K-NN accuracy", "test split"),
        ("Logistic regression accuracy", "test split"),
        ("Network accuracy", "test split"),
    ]
    for width in (40, 60):
        (line,) = lines_of(panels["K-NN accuracy", "test split"], str(width))
        expected = means(summary, "epoch", metric="knn_accuracy", width=width)
        assert line.get_ydata().tolist() == expected
    assert [axes.get_title(loc="left") for axes in panels.values()] == list("abcdef")


def test_panels_without_data_are_dropped():
    summary = summary_of([point(10), point(40)], series=SERIES[:2])
    figure = plotting.draw(FigureSpec("curves", x="width"), summary)
    assert [axes.get_ylabel() for axes in drawn_axes(figure)] == ["Redundancy ratio"]


def test_published_values_are_drawn_with_the_corrected_split():
    summary = summary_of([point(width, epoch) for width in (40, 50) for epoch in (0, 1, 100)])
    values = published.he2021("training_time", "mnist", PUBLISHED)
    spec = FigureSpec("curves", x="epoch", line="width_per_layer")
    panels = by_title(plotting.draw(spec, summary, values))
    raw = pd.read_csv(PUBLISHED / "he2021.csv")
    raw = raw[(raw["figure"] == "training_time") & (raw["dataset"] == "mnist")]
    raw = raw[(raw["metric"] == "redundancy_ratio") & (raw["width"] == 40) & (raw["epoch"] <= 100)]
    # The legend of the figure is swapped: what it calls test is the training split.
    for shown, printed in (("train", "test"), ("test", "train")):
        first = published_points(panels["Redundancy ratio", f"{shown} split"])[0]
        expected = raw[raw["split"] == printed].sort_values("epoch")["value"]
        assert [y for _, y in first] == expected.tolist()


def test_published_markers_are_open_and_have_the_colour_of_their_line():
    summary = summary_of([point(width, epoch) for width in (40, 50) for epoch in (0, 1, 100)])
    values = published.he2021("training_time", "mnist", PUBLISHED)
    spec = FigureSpec("curves", x="epoch", line="width_per_layer")
    axes = by_title(plotting.draw(spec, summary, values))["K-NN accuracy", "test split"]
    for width, container in zip((40, 50), axes.containers, strict=True):
        (ours,) = lines_of(axes, str(width))
        theirs = container.lines[0]
        assert theirs.get_markerfacecolor() == "none"
        assert to_rgb(theirs.get_color()) == to_rgb(ours.get_color())
        assert theirs.get_marker() == ours.get_marker()


def test_published_values_outside_our_range_are_left_out_unless_asked_for():
    summary = summary_of([point(40, epoch) for epoch in (1, 10, 100)])
    values = published.he2021("training_time", "mnist", PUBLISHED)
    spec = FigureSpec("curves", x="epoch", line="width_per_layer")
    (points,) = published_points(
        by_title(plotting.draw(spec, summary, values))["K-NN accuracy", "test split"]
    )
    assert max(x for x, _ in points) == 100
    spec = FigureSpec("curves", "", "epoch", "width", options={"published_beyond": True})
    (points,) = published_points(
        by_title(plotting.draw(spec, summary, values))["K-NN accuracy", "test split"]
    )
    assert max(x for x, _ in points) == 2000


def test_published_widths_per_layer_meet_our_total_widths():
    summary = summary_of([point(width, depth=5) for width in (10, 100, 200)])
    values = published.he2021("model_capacity", "cifar10", PUBLISHED)
    figure = plotting.draw(FigureSpec("curves", x="width"), summary, values)
    widths = {x for points in published_points(drawn_axes(figure)[1]) for x, _ in points}
    assert {50, 1000} <= widths


def test_an_unknown_published_split_is_told_in_the_legend():
    summary = summary_of([point(width) for width in (3, 40, 100)])
    values = published.he2021("model_capacity", "mnist", PUBLISHED)
    figure = plotting.draw(FigureSpec("curves", x="width"), summary, values)
    assert "published (± reading error; K-Means split not stated)" in legend_texts(figure)


def test_kmeans_shows_the_split_that_is_published():
    summary = summary_of([point(10, epoch, depth=5) for epoch in (0, 10, 200)])
    values = published.he2021("training_time", "cifar10", PUBLISHED)
    spec = FigureSpec("curves", x="epoch", line="width_per_layer")
    assert ("K-Means accuracy", "train split") in by_title(plotting.draw(spec, summary, values))
    assert ("K-Means accuracy", "test split") in by_title(plotting.draw(spec, summary))


def test_variants_are_line_styles_and_the_published_one_is_solid():
    points = [
        point(40, "final", n, subset=subset)
        for n in (10, 100, 1000)
        for subset in ("stratified", "first")
    ]
    spec = FigureSpec("curves", x="sample_size", line="width", variant="subset")
    figure = plotting.draw(spec, summary_of(points))
    axes = by_title(figure)["K-NN accuracy", "test split"]
    assert [line.get_linestyle() for line in lines_of(axes, "40")] == ["-", "--"]
    assert legend_texts(figure)[1:3] == ["subset: first", "subset: stratified"]


def test_without_lines_variants_are_rows_of_panels():
    points = [point(w, label_noise=q) for w in (16, 64) for q in (0.0, 0.2, 0.4)]
    spec = FigureSpec("curves", x="label_noise", variant="width")
    figure = plotting.draw(spec, summary_of(points))
    titles = [axes.get_title() for axes in drawn_axes(figure)]
    assert titles == ["width: 16", "width: 16", "width: 64", "width: 64"]


def test_too_many_variants_are_refused():
    points = [point(40, "final", n, subset=s) for n in (10, 100) for s in "abcde"]
    spec = FigureSpec("curves", x="sample_size", line="width", variant="subset")
    with pytest.raises(DataError, match="subset has 5 values"):
        plotting.draw(spec, summary_of(points))


def test_a_figure_never_mixes_rows_of_a_factor_that_it_does_not_show():
    summary = summary_of([point(w, dropout=d) for w in (10, 40) for d in (0.0, 0.5)])
    with pytest.raises(DataError, match=r"differ in \['dropout'\]"):
        plotting.draw(FigureSpec("curves", x="width"), summary)
    fixed = FigureSpec("curves", x="width", options={"where": {"dropout": 0.5}})
    (line,) = lines_of(drawn_axes(plotting.draw(fixed, summary))[1], "K-NN, test")
    assert line.get_ydata().tolist() == means(summary, "width", metric="knn_accuracy", dropout=0.5)


def test_nothing_left_is_an_error_that_says_so():
    spec = FigureSpec("curves", x="width", options={"where": {"width": 7}})
    with pytest.raises(DataError, match="no row of the summary is left"):
        plotting.draw(spec, summary_of([point(10)]))


def test_a_study_without_the_metrics_of_the_figure_is_an_error():
    summary = summary_of([point(10)], series=[("code_length", "train")])
    with pytest.raises(DataError, match="nothing to draw"):
        plotting.draw(FigureSpec("curves", x="width"), summary)


def test_the_final_checkpoint_is_drawn_unless_epochs_are_asked_for():
    summary = summary_of([point(w, e) for w in (10, 40) for e in (0, 10, "final")])
    figure = plotting.draw(FigureSpec("curves", x="width"), summary)
    (line,) = lines_of(drawn_axes(figure)[1], "K-NN, test")
    expected = means(summary, "width", metric="knn_accuracy", epoch="final")
    assert line.get_ydata().tolist() == expected


def test_random_inputs_have_a_panel_per_width_and_a_line_per_kind_of_input():
    kinds = ("train", "test", "uniform_0_1", "uniform_-1_0")
    series = [("redundancy_ratio", kind) for kind in kinds]
    summary = summary_of([point(w, e) for w in (20, 40) for e in (0, 1, 10)], series=series)
    figure = plotting.draw(FigureSpec("random_inputs", x="epoch", line="width"), summary)
    first, second = drawn_axes(figure)
    assert (first.get_title(), second.get_title()) == ("Width 20", "Width 40")
    (line,) = lines_of(second, "uniform in [0, 1]")
    assert line.get_ydata().tolist() == means(summary, "epoch", split="uniform_0_1", width=40)


def layer_summary(first=0):
    points = [point(w, depth=3, layer=first + k) for w in (10, 40) for k in range(3)]
    return summary_of(points, series=SERIES[:-1])


def test_layers_count_from_one_and_the_last_is_ringed():
    summary = layer_summary()
    figure = plotting.draw(FigureSpec("layers", line="width_per_layer"), summary)
    axes = by_title(figure)["K-NN accuracy", "test split"]
    (line,) = lines_of(axes, "10")
    assert line.get_xdata().tolist() == [1, 2, 3]
    expected = means(summary, "layer", metric="knn_accuracy", width_per_layer=10)
    assert line.get_ydata().tolist() == expected
    rings = lines_of(axes, "_ring")
    assert [ring.get_xdata().tolist() for ring in rings] == [[3], [3]]
    assert ("Network accuracy", "test split") not in by_title(figure)


def test_figures_of_whole_networks_leave_out_single_layers():
    whole = summary_of([point(10), point(40)]).assign(layer=np.nan)
    both = pd.concat([whole, layer_summary(first=1)])
    figure = plotting.draw(FigureSpec("curves", x="width"), both)
    (line,) = lines_of(drawn_axes(figure)[1], "K-NN, test")
    assert line.get_ydata().tolist() == means(whole, "width", metric="knn_accuracy")
