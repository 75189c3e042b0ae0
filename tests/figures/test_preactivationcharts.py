import itertools

import numpy as np
import pandas as pd
import pytest
from figure_cases import drawn_axes, legend_texts, lines_of, point
from matplotlib.colors import to_rgb
from scipy.stats import norm

from neuralcodes.errors import DataError
from neuralcodes.figures import marks, plotting
from neuralcodes.figures.marks import FigureSpec
from neuralcodes.studies import tables

MIDDLES = np.array([-1.5, -0.5, 0.25, 1.0])  # of four units, in the order of their rank
SELECTED = (0, 3)
BINS = np.linspace(-4.25, 4.25, 18)  # none of the middles is 0
QUANTILES = (5, 25, 50, 75, 95)


def preactivations(activations=("relu", "abs"), split="train", **factors):
    rows = []
    for activation, (unit, middle) in itertools.product(activations, enumerate(MIDDLES)):
        one = {"activation": activation, "unit": unit, "position": np.nan, **factors}
        for percent in QUANTILES:
            value = norm.ppf(percent / 100, middle)
            rows.append({**one, "metric": f"quantile_{percent:02d}", "value": value})
        rows.append({**one, "metric": "active_share", "value": norm.sf(0, middle)})
        if unit in SELECTED:
            rows += [
                {**one, "metric": "density", "position": x, "value": norm.pdf(x, middle)}
                for x in BINS
            ]
    common = {"study": "s", "dataset": "mnist", "run": "r", **point(4), "split": split}
    table = pd.DataFrame({**common, **row, "seed": seed} for row in rows for seed in range(2))
    return tables.summarize(table)


def pairs(figure):
    axes = drawn_axes(figure)
    return list(zip(axes[::2], axes[1::2], strict=True))


def test_every_unit_has_its_median_at_its_rank():
    ((left, _), _) = pairs(plotting.draw(FigureSpec("preactivations"), preactivations()))
    (median,) = lines_of(left, "median")
    assert median.get_ydata().tolist() == [0, 1, 2, 3]
    assert median.get_xdata() == pytest.approx(MIDDLES)


def test_bands_are_the_quantiles_and_change_their_colour_at_the_border():
    ((left, _), _) = pairs(plotting.draw(FigureSpec("preactivations"), preactivations()))
    below, above = (band.get_paths()[0].vertices for band in left.collections[:2])
    low, high = norm.ppf(0.05, MIDDLES), norm.ppf(0.95, MIDDLES)
    assert below[:, 0].min() == pytest.approx(low.min())
    assert below[:, 0].max() == 0
    assert above[:, 0].min() == 0
    assert above[:, 0].max() == pytest.approx(high.max())
    colors = [to_rgb(band.get_facecolor()[0]) for band in left.collections]
    assert colors[0] != colors[1]
    assert colors[1] == to_rgb(marks.VALUE_STYLES["relu"].color)
    inner = left.collections[3].get_paths()[0].vertices
    assert inner[:, 0].max() == pytest.approx(norm.ppf(0.75, MIDDLES).max())


def test_densities_stand_one_above_the_other_at_one_scale():
    ((_, right), _) = pairs(plotting.draw(FigureSpec("preactivations"), preactivations()))
    peak = max(norm.pdf(BINS, MIDDLES[unit]).max() for unit in SELECTED)
    for place, unit in enumerate(SELECTED):
        (ridge,) = lines_of(right, f"unit {unit}")
        drawn = dict(zip(*ridge.get_data(), strict=True))
        heights = np.array([drawn[x] - place for x in BINS])
        assert heights == pytest.approx(1.5 * norm.pdf(BINS, MIDDLES[unit]) / peak)


def test_densities_are_filled_up_to_the_border_on_both_sides():
    ((_, right), _) = pairs(plotting.draw(FigureSpec("preactivations"), preactivations()))
    (ridge,) = lines_of(right, "unit 0")
    assert 0 in ridge.get_xdata()
    below, above = (fill.get_paths()[0].vertices[:, 0] for fill in right.collections[:2])
    assert below.max() == above.min() == 0


def test_ridges_are_named_by_rank_and_active_share_and_marked_beside_all_units():
    ((left, right), _) = pairs(plotting.draw(FigureSpec("preactivations"), preactivations()))
    shares = norm.sf(0, MIDDLES)
    labels = [text.get_text() for text in right.get_yticklabels()]
    assert labels == [f"{unit} ({shares[unit]:.2f})" for unit in SELECTED]
    assert left.get_yticks().tolist() == list(SELECTED)


def test_the_border_is_a_line_at_zero_in_every_panel():
    figure = plotting.draw(FigureSpec("preactivations"), preactivations())
    for axes in drawn_axes(figure):
        (border,) = lines_of(axes, "border")
        assert list(border.get_xdata()) == [0, 0]


def test_every_activation_has_a_row_with_letters_and_all_share_one_unit():
    figure = plotting.draw(FigureSpec("preactivations"), preactivations())
    axes = drawn_axes(figure)
    assert [each.get_title() for each in axes] == ["ReLU", "ReLU", "Abs", "Abs"]
    assert [each.get_title(loc="left") for each in axes] == list("abcd")
    assert [each.get_xlabel() for each in axes[2:]] == [
        "Pre-activation (standard deviations of the unit)"
    ] * 2
    assert len({each.get_xlim() for each in axes}) == 1
    assert legend_texts(figure) == [
        *("median over examples", "25\u201375% of examples", "5\u201395% of examples"),
        *("decision border of the unit", "below the border", "above it, ReLU", "above it, Abs"),
    ]


def test_variants_are_rows_and_a_combination_that_is_missing_has_none():
    parts = [
        preactivations(("relu",), input_scaling="raw"),
        preactivations(input_scaling="standardized"),
    ]
    spec = FigureSpec("preactivations", variant="input_scaling")
    figure = plotting.draw(spec, pd.concat(parts))
    assert [left.get_title() for left, _ in pairs(figure)] == [
        "ReLU, input scaling: raw",
        "ReLU, input scaling: standardized",
        "Abs, input scaling: standardized",
    ]


def test_the_view_holds_every_quantile_and_leaves_out_empty_bins():
    summary = preactivations()
    ((left, _), _) = pairs(plotting.draw(FigureSpec("preactivations"), summary))
    low, high = left.get_xlim()
    quantiles = summary[summary["metric"].str.startswith("quantile")]["mean"]
    assert low < quantiles.min()
    assert quantiles.max() < high
    assert high < BINS.max()


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        (lambda s: s.drop(columns="unit"), {}, r"lacks the columns \['unit'\]"),
        (lambda s: s[s["metric"] != "density"], {}, r"train split; \['density'\] is not"),
        (lambda s: s, {"split": "test"}, "of each unit on the test split"),
        (
            lambda s: pd.concat([s.assign(dropout=d) for d in (0.0, 0.5)]),
            {},
            r"differ in \['dropout'\]",
        ),
        (
            lambda s: pd.concat([s, s[s["metric"] == "quantile_50"].assign(dropout=1.0)]),
            {},
            r"differ in \['dropout'\]",
        ),
    ],
    ids=["column", "metric", "split", "mixture", "mixed quantiles"],
)
def test_preactivations_that_cannot_be_drawn_are_refused(change, options, message):
    with pytest.raises(DataError, match=message):
        plotting.draw(FigureSpec("preactivations", options=options), change(preactivations()))
