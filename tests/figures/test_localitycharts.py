import numpy as np
import pandas as pd
import pytest
from figure_cases import drawn_axes, legend_texts, lines_of
from manifold_figure_cases import HALF_INTERVAL, drawn_by, heights_of, summary_of_rows
from matplotlib.colors import to_rgb

from neuralcodes.errors import DataError
from neuralcodes.figures import localitycharts, manifoldlooks, plotting
from neuralcodes.figures.marks import FigureSpec

DISTANCES = (0.0, 1.0, 2.0)
SIMILAR = {
    "lsh_cosine": {"trained": (0.97, 0.48, -0.96), "untrained": (0.05, 0.03, -0.05)},
    "lsh_cosine_sd": {"trained": (0.01, 0.07, 0.01), "untrained": (0.4, 0.4, 0.4)},
    "lsh_hamming": {"trained": (0.07, 0.34, 0.91), "untrained": (0.48, 0.49, 0.51)},
    "lsh_collision": {"trained": (0.92, 0.66, 0.09), "untrained": (0.51, 0.5, 0.49)},
}
BUCKETS = {
    "bucket_intra": {"trained": (0.9, 0.6), "untrained": (0.6, 0.1)},
    "bucket_inter": {"trained": (0.5, 0.01), "untrained": (0.5, 0.01)},
}
MIDDLES = (0.1, 0.3, 0.5, 0.7)
DENSITIES = {
    "trained": {"intra": (4.0, 1.0, 0.0, 0.0), "inter": (0.0, 1.0, 3.0, 1.0)},
    "input": {"intra": (1.0, 2.0, 1.0, 1.0), "inter": (1.0, 2.0, 1.0, 1.0)},
}
COSINE, HAMMING, COLLISION, BUCKET = (
    *("Cosine similarity", "Hamming distance (share)", "Collision probability"),
    "P(first k bits equal)",
)


def curve(positions=DISTANCES, bits=(1, 8), **common):
    """A summary of an LSH curve and of buckets."""
    tables = ((SIMILAR, positions), (BUCKETS, bits))
    rows = [
        {"representation": name, "metric": metric, "position": position, "value": value}
        for table, places in tables
        for metric, by_name in table.items()
        for name, values in by_name.items()
        for position, value in zip(places, values, strict=True)
    ]
    return summary_of_rows(rows, **common)


def densities(**common):
    """A summary of the distances of pairs."""
    rows = [
        {"representation": name, "metric": f"distance_density_{kind}", "position": p, "value": y}
        for name, both in DENSITIES.items()
        for kind, values in both.items()
        for p, y in zip(MIDDLES, values, strict=True)
    ]
    return summary_of_rows(rows, **common)


def panels_of(figure):
    return {axes.get_ylabel(): axes for axes in drawn_axes(figure)}


def test_similarities_are_the_means_at_each_distance_in_the_colour_of_the_representation():
    panels = panels_of(plotting.draw(FigureSpec("lsh_curve"), curve()))
    assert list(panels) == [COSINE, HAMMING, COLLISION, BUCKET]
    for label, metric in zip(panels, ("lsh_cosine", "lsh_hamming", "lsh_collision"), strict=False):
        for name in ("trained", "untrained"):
            title, style = manifoldlooks.REPRESENTATIONS[name]
            (line,) = lines_of(panels[label], title)
            expected = dict(zip(DISTANCES, SIMILAR[metric][name], strict=True))
            assert drawn_by(line) == pytest.approx(expected)
            assert (line.get_color(), line.get_marker()) == (style.color, style.marker)
            assert line.get_linestyle() == "-"


@pytest.mark.parametrize(
    ("panel", "at_0", "at_1", "at_root_2", "at_2"),
    [
        (COSINE, 1, 1 / 2, 0, -1),
        (HAMMING, 0, 1 / 3, 1 / 2, 1),
        (COLLISION, 1, 2 / 3, 1 / 2, 0),
    ],
)
def test_references_are_those_of_the_angle_of_the_identifiers(panel, at_0, at_1, at_root_2, at_2):
    axes = panels_of(plotting.draw(FigureSpec("lsh_curve"), curve()))[panel]
    (line,) = lines_of(axes, localitycharts.REFERENCE_LABEL)
    x, y = line.get_data()
    assert (x[0], x[-1]) == (0, 2)
    drawn = np.interp([0, 1, np.sqrt(2), 2], x, y)
    assert drawn == pytest.approx([at_0, at_1, at_root_2, at_2], abs=1e-3)


def test_the_angle_of_distances_is_a_share_of_pi():
    found = localitycharts.angle_share(np.array([0, 1, np.sqrt(2), np.sqrt(3), 2]))
    assert found == pytest.approx(np.array([0, 1 / 3, 1 / 2, 2 / 3, 1]))


def test_the_cosine_has_the_spread_over_pairs_as_an_outlined_band_and_its_own_interval():
    figure = plotting.draw(FigureSpec("lsh_curve"), curve())
    axes = panels_of(figure)[COSINE]
    edges = lines_of(axes, localitycharts.EDGE)
    cosine, spread = (np.array(SIMILAR[m]["trained"]) for m in ("lsh_cosine", "lsh_cosine_sd"))
    assert edges[2].get_ydata() == pytest.approx(cosine - spread)
    assert edges[3].get_ydata() == pytest.approx(cosine + spread)
    interval, band = axes.collections[2:4]
    assert heights_of(interval)[1] == pytest.approx(0.97 * (1 + HALF_INTERVAL))
    assert heights_of(band) == pytest.approx((-0.97, 0.98))
    assert {"cosine \u00b1 SD over pairs", "95% interval of the mean"} <= set(legend_texts(figure))
    assert not lines_of(panels_of(figure)[HAMMING], localitycharts.EDGE)


def test_without_a_spread_the_cosine_is_drawn_alone():
    summary = curve()
    figure = plotting.draw(FigureSpec("lsh_curve"), summary[summary["metric"] != "lsh_cosine_sd"])
    assert not lines_of(panels_of(figure)[COSINE], localitycharts.EDGE)
    assert "cosine \u00b1 SD over pairs" not in legend_texts(figure)


def test_buckets_are_logarithmic_with_dashes_for_pairs_of_two_manifolds():
    axes = panels_of(plotting.draw(FigureSpec("lsh_curve"), curve()))[BUCKET]
    intra, inter = lines_of(axes, "trained network")
    assert drawn_by(intra) == pytest.approx({1: 0.9, 8: 0.6})
    assert drawn_by(inter) == pytest.approx({1: 0.5, 8: 0.01})
    assert (intra.get_linestyle(), inter.get_linestyle()) == ("-", "--")
    assert (axes.get_yscale(), axes.get_xlabel()) == ("log", "Bits compared k")


def test_a_bucket_that_no_pair_shared_is_left_out():
    summary = curve()
    summary.loc[summary["metric"] == "bucket_inter", ["mean", "low", "high"]] = 0.0
    axes = panels_of(plotting.draw(FigureSpec("lsh_curve"), summary))[BUCKET]
    _, inter = lines_of(axes, "trained network")
    assert np.isnan(inter.get_ydata()).all()
    assert axes.get_ylim()[0] > 0.05


def test_axes_and_legend_say_what_is_compared():
    figure = plotting.draw(FigureSpec("lsh_curve"), curve())
    for label in (COSINE, HAMMING, COLLISION):
        axes = panels_of(figure)[label]
        assert axes.get_xlabel() == (
            "Distance of the identifiers d = \u2016\u03b3\u2081 \u2212 \u03b3\u2082\u2016"
        )
        assert axes.get_title().startswith("reference: ")
    assert legend_texts(figure) == [
        *("untrained network", "trained network", localitycharts.REFERENCE_LABEL),
        *("intra-manifold pairs", "inter-manifold pairs"),
        *("cosine \u00b1 SD over pairs", "95% interval of the mean"),
    ]


@pytest.mark.parametrize(
    ("options", "common"),
    [({"positions": "decile"}, {}), ({}, {"family": "images"})],
    ids=["option", "family"],
)
def test_deciles_of_images_have_no_reference(options, common):
    summary = curve((0, 5, 10), **common)
    figure = plotting.draw(FigureSpec("lsh_curve", options=options), summary)
    axes = panels_of(figure)[COSINE]
    assert not lines_of(axes, localitycharts.REFERENCE_LABEL)
    assert axes.get_title() == ""
    text = "Distance of the untransformed images (decile; 0: same image)"
    assert axes.get_xlabel().replace("\n", " ") == text
    assert localitycharts.REFERENCE_LABEL not in legend_texts(figure)


def test_the_panels_of_a_curve_are_the_metrics_that_it_names():
    spec = FigureSpec("lsh_curve", options={"metrics": ["bucket", "lsh_cosine"]})
    assert list(panels_of(plotting.draw(spec, curve()))) == [BUCKET, COSINE]
    summary = curve()
    few = summary[summary["metric"].isin(["lsh_hamming", "bucket_intra"])]
    panels = panels_of(plotting.draw(FigureSpec("lsh_curve"), few))
    assert list(panels) == [HAMMING, BUCKET]


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        (lambda s: s.drop(columns="representation"), {}, r"lacks the columns \['representation'\]"),
        (lambda s: s.drop(columns="position"), {}, r"lacks the columns \['position'\]"),
        (lambda s: s.assign(metric="accuracy"), {}, r"measured none of \['lsh_cosine'"),
        (lambda s: s[s["metric"] == "lsh_cosine_sd"], {}, r"measured none of \['lsh_cosine'"),
        (lambda s: s.assign(split="seen"), {}, r"on the split 'unseen'; .* \['seen'\]"),
        (lambda s: s, {"split": "seen"}, r"on the split 'seen'; .* \['unseen'\]"),
        (lambda s: s.assign(position=2 * s["position"]), {}, "reach 4, but unit vectors"),
        (
            lambda s: pd.concat([s.assign(weight_decay=d) for d in (0, 3)]),
            {},
            r"differ in \['weight_decay'\]",
        ),
    ],
    ids=["representation", "position", "metric", "spread", "seen", "split", "far", "mixture"],
)
def test_a_curve_that_cannot_be_drawn_is_refused(change, options, message):
    with pytest.raises(DataError, match=message):
        plotting.draw(FigureSpec("lsh_curve", options=options), change(curve()))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"positions": "angle"}, "option positions must be one of .*; got 'angle'"),
        ({"metrics": ["cosine"]}, r"option metrics must be of .*; got \['cosine'\]"),
    ],
)
def test_unknown_choices_of_a_curve_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        plotting.draw(FigureSpec("lsh_curve", options=options), curve())


def outlines(axes):
    """Filled and outlined steps by the label of the outline."""
    steps = [patch for patch in axes.patches if hasattr(patch, "get_data")]
    return {patch.get_label(): patch for patch in steps if not patch.get_fill()}


def test_densities_are_steps_over_the_bins_around_the_positions():
    raw, trained = drawn_axes(plotting.draw(FigureSpec("manifold_distances"), densities()))
    assert (raw.get_title(), trained.get_title()) == ("raw input", "trained network")
    for label, kind in (("intra-manifold pairs", "intra"), ("inter-manifold pairs", "inter")):
        values, edges, _ = outlines(trained)[label].get_data()
        assert values == pytest.approx(DENSITIES["trained"][kind])
        assert edges == pytest.approx([0, 0.2, 0.4, 0.6, 0.8])
    assert len(trained.patches) == 4
    assert raw.get_shared_x_axes().joined(raw, trained)


def test_each_panel_names_the_area_that_both_densities_share():
    raw, trained = drawn_axes(plotting.draw(FigureSpec("manifold_distances"), densities()))
    texts = [[text.get_text() for text in axes.texts] for axes in (raw, trained)]
    assert texts == [["shared area 1.00"], ["shared area 0.20"]]
    widths = np.array([0.5, 1.0])
    apart, same = np.array([2.0, 0.0]), np.array([0.0, 1.0])
    assert localitycharts.shared_area(apart, same, widths) == 0
    assert localitycharts.shared_area(same, same, widths) == 1
    assert localitycharts.shared_area(np.array([1.0, 0.5]), same, widths) == 0.5


def test_intra_and_inter_differ_in_greyscale_and_in_dashes():
    _, trained = drawn_axes(plotting.draw(FigureSpec("manifold_distances"), densities()))
    intra, inter = outlines(trained).values()
    grey = [np.dot([0.299, 0.587, 0.114], to_rgb(step.get_edgecolor())) for step in (intra, inter)]
    assert abs(grey[0] - grey[1]) > 0.3
    assert (intra.get_linestyle(), inter.get_linestyle()) == ("-", "--")


def test_panels_of_a_narrow_figure_stand_one_above_the_other():
    figure = plotting.draw(FigureSpec("manifold_distances", columns=1), densities())
    raw, trained = drawn_axes(figure)
    assert trained.get_position().y1 < raw.get_position().y0
    assert raw.get_xlabel() == ""
    assert trained.get_xlabel().startswith("Squared distance")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.drop(columns="representation"), r"lacks the columns \['representation'\]"),
        (lambda s: s.assign(metric="lsh_cosine"), "measured none of"),
        (lambda s: s.assign(split="seen"), "on the split 'unseen'"),
        (lambda s: s[~s["metric"].str.endswith("inter")], "it found 4 within manifolds and 0"),
        (lambda s: s[(s["position"] < 0.6) | s["metric"].str.endswith("inter")], "it found 3"),
        (lambda s: s[s["position"] < 0.2], "it found 1 within manifolds and 1"),
        (lambda s: pd.concat([s.assign(points=n) for n in (1, 2)]), r"differ in \['points'\]"),
    ],
    ids=["representation", "metric", "split", "inter", "bins", "one", "mixture"],
)
def test_distances_that_cannot_be_drawn_are_refused(change, message):
    with pytest.raises(DataError, match=message):
        plotting.draw(FigureSpec("manifold_distances"), change(densities()))
