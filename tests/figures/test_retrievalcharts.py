import pandas as pd
import pytest
from figure_cases import drawn_axes, legend_texts, lines_of
from manifold_figure_cases import HALF_INTERVAL, drawn_by, summary_of_rows

from neuralcodes.errors import DataError
from neuralcodes.figures import plotting
from neuralcodes.figures.marks import FigureSpec

SPEC = FigureSpec("retrieval", x="hash_width")
NETWORK, SIMHASH = "code of the trained network", "SimHash of the input"
FOUND = {
    "network_code": {
        "recall_at_1": {16: 0.5, 128: 0.9},
        "recall_at_10": {16: 0.8, 128: 1.0},
        "queries_per_second": {16: 2e5, 128: 1e5},
        "bytes_per_item": {16: 2.0, 128: 16.0},
    },
    "simhash": {
        "recall_at_1": {16: 0.05, 128: 0.1},
        "recall_at_10": {16: 0.1, 128: 0.2},
        "queries_per_second": {16: 3e5, 128: 1e5},
        "bytes_per_item": {16: 2.0, 128: 16.0},
    },
    "exact": {
        "recall_at_1": {16: 1.0, 128: 1.0},
        "recall_at_10": {16: 1.0, 128: 1.0},
        "queries_per_second": {16: 1000.0, 128: 3000.0},
        "bytes_per_item": {16: 208.0, 128: 208.0},
    },
}
LABELS = ("Recall@1", "Recall@10", "Queries per second", "Bytes per item")


def found(x="hash_width", lengths=True, **common):
    """A summary of what was found; code lengths are not measured of exact search."""
    rows = [
        {x: bits, "method": method, "metric": metric, "value": value}
        for method, metrics in FOUND.items()
        for metric, values in metrics.items()
        for bits, value in values.items()
    ]
    rows += [
        {x: bits, "method": method, "metric": "code_length", "value": float(bits)}
        for method in ("network_code", "simhash")
        for bits in (16, 128)
        if lengths
    ]
    return summary_of_rows(rows, **common)


def test_each_method_has_its_means_at_each_code_length():
    axes = drawn_axes(plotting.draw(SPEC, found()))
    assert tuple(panel.get_ylabel() for panel in axes) == LABELS
    for panel, metric in zip(axes, FOUND["simhash"], strict=True):
        for label, method in ((NETWORK, "network_code"), (SIMHASH, "simhash")):
            (line,) = lines_of(panel, label)
            assert drawn_by(line) == pytest.approx(FOUND[method][metric])
    assert [panel.get_yscale() for panel in axes] == ["linear", "linear", "log", "log"]


def test_points_have_their_t_intervals():
    axes = drawn_axes(plotting.draw(SPEC, found()))[0]
    (low, high), _ = (segment[:, 1] for segment in axes.collections[0].get_segments())
    assert (low, high) == pytest.approx((0.5 * (1 - HALF_INTERVAL), 0.5 * (1 + HALF_INTERVAL)))


def test_exact_search_is_a_level_at_its_mean_over_the_lengths():
    figure = plotting.draw(SPEC, found())
    levels = [lines_of(panel, "_guide") for panel in drawn_axes(figure)]
    assert [line.get_ydata()[0] for (line,) in levels] == pytest.approx([1, 1, 2000, 208])
    for (line,), panel in zip(levels, drawn_axes(figure), strict=True):
        low, high = panel.get_ylim()
        assert low < line.get_ydata()[0] < high
    assert legend_texts(figure) == [NETWORK, SIMHASH, "exact search", "95% interval of the mean"]
    summary = found()
    without = plotting.draw(SPEC, summary[summary["method"] != "exact"])
    assert "exact search" not in legend_texts(without)


def test_both_methods_show_where_they_are_equal():
    bytes_per_item = drawn_axes(plotting.draw(SPEC, found()))[3]
    (network,), (simhash,) = (lines_of(bytes_per_item, label) for label in (NETWORK, SIMHASH))
    assert network.get_markersize() > 1.5 * simhash.get_markersize()
    assert (network.get_linestyle(), simhash.get_linestyle()) == ("-", "--")


def test_code_lengths_are_doublings_with_a_tick_each():
    panel = drawn_axes(plotting.draw(SPEC, found()))[3]
    assert panel.get_xscale() == "log"
    assert panel.get_xlabel() == "Code length (bits)"
    assert panel.get_xticks().tolist() == [16, 128]
    assert [text.get_text() for text in panel.get_xticklabels()] == ["16", "128"]
    linear = FigureSpec("retrieval", x="hash_width", options={"x_scale": "linear"})
    assert drawn_axes(plotting.draw(linear, found()))[3].get_xscale() == "linear"


@pytest.mark.parametrize(
    ("x", "lengths", "label"),
    [
        ("sample_size", True, "Code length (bits)"),
        ("sample_size", False, "Sample size (training examples)"),
        ("hash_width", False, "Code length (bits)"),
    ],
)
def test_the_axis_is_a_code_length_where_it_is_measured_as_one(x, lengths, label):
    panel = drawn_axes(plotting.draw(FigureSpec("retrieval", x=x), found(x, lengths)))[3]
    assert panel.get_xlabel() == label


def test_codes_of_a_dataset_are_searched_on_its_test_set():
    summary = found(split="test")
    panel = drawn_axes(plotting.draw(SPEC, summary))[0]
    assert drawn_by(lines_of(panel, NETWORK)[0]) == pytest.approx({16: 0.5, 128: 0.9})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.drop(columns="method"), r"lacks the columns \['method'\]"),
        (lambda s: s.drop(columns="hash_width"), r"lacks the columns \['hash_width'\]"),
        (lambda s: s.assign(metric="lsh_cosine"), r"measured none of \['recall_at_1'"),
        (lambda s: s[s["method"] == "exact"], "needs one of the methods"),
        (lambda s: s.assign(split="seen"), "on the split 'unseen'"),
        (
            lambda s: s.assign(hash_width="w" + s["hash_width"].astype(str)),
            r"numbers above 0; hash_width has \['w128', 'w16'\]",
        ),
        (lambda s: pd.concat([s.assign(points=n) for n in (1, 2)]), r"differ in \['points'\]"),
    ],
    ids=["method", "x", "metric", "exact", "split", "length", "mixture"],
)
def test_a_retrieval_that_cannot_be_drawn_is_refused(change, message):
    with pytest.raises(DataError, match=message):
        plotting.draw(SPEC, change(found()))
