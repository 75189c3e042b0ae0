import numpy as np
import pandas as pd
import pytest
from figure_cases import drawn_axes, legend_texts, lines_of
from manifold_figure_cases import HALF_INTERVAL, drawn_by, heights_of, summary_of_rows
from matplotlib.colors import to_rgb

from neuralcodes.errors import DataError
from neuralcodes.figures import manifoldcharts, manifoldlooks, marks, plotting
from neuralcodes.figures.marks import FigureSpec

RATIOS = {0: {10: 0.8, 100: 0.25, 1000: 0.06}, 3: {10: 0.14, 100: 0.05, 1000: 0.03}}
SEEN = {0: {10: 0.04, 100: 0.05, 1000: 0.05}, 3: {10: 0.03, 100: 0.04, 1000: 0.03}}
ACCURACIES = {0: {10: 0.3, 100: 0.9, 1000: 1.0}, 3: {10: 0.9, 100: 1.0, 1000: 1.0}}
BASELINES = {
    "input": {"variance_ratio": 1.0, "one_shot_accuracy_20": 0.195},
    "untrained": {"variance_ratio": 0.95, "one_shot_accuracy_20": 0.188},
}
SPEC = FigureSpec("manifold_sweep", x="manifolds", line="weight_decay")


def rows_of(**factors):
    """Rows of a sweep of training manifolds at two weight decays, with both baselines."""
    rows = []
    for decay, ratios in RATIOS.items():
        for m, ratio in ratios.items():
            one = {"manifolds": m, "weight_decay": decay, "representation": "trained", **factors}
            rows.append({**one, "metric": "variance_ratio", "value": ratio})
            rows.append(
                {**one, "metric": "variance_ratio", "split": "seen", "value": SEEN[decay][m]}
            )
            accuracy = ACCURACIES[decay][m]
            rows.append({**one, "metric": "one_shot_accuracy_20", "value": accuracy})
            rows += [
                {**one, "representation": name, "metric": metric, "value": value}
                for name, values in BASELINES.items()
                for metric, value in values.items()
            ]
    return rows


def classes(**factors):
    """Rows on images: categories, and a split of unseen classes."""
    rows = []
    for split, shift in (("unseen", 0.0), ("unseen_classes", 0.1), ("seen", -0.05)):
        for name, values in {"0-4": (0.2, 0.9), "5-9": (0.3, 0.8)}.items():
            one = {"classes": name, "split": split, **factors}
            for representation, ratio in {"trained": values[0], "input": values[1]}.items():
                if split == "seen" and representation == "input":
                    continue
                rows.append({**one, "representation": representation, "value": ratio + shift})
    return summary_of_rows([{**row, "metric": "variance_ratio"} for row in rows])


def changed(rows, change, **where):
    """Rows with `change` applied to those that have the values of `where`."""
    return [
        {**row, **change(row)} if all(row.get(k) == v for k, v in where.items()) else row
        for row in rows
    ]


def test_a_line_is_the_means_of_the_trained_network_on_unseen_manifolds():
    ratio, accuracy = drawn_axes(plotting.draw(SPEC, summary_of_rows(rows_of())))
    for axes, table in ((ratio, RATIOS), (accuracy, ACCURACIES)):
        for decay, means in table.items():
            (line,) = lines_of(axes, str(decay))
            assert drawn_by(line) == pytest.approx(means)
            assert line.get_linestyle() == "-"
    assert ratio.get_ylabel() == "Variance ratio \u03c1"
    assert accuracy.get_ylabel() == "One-shot accuracy, 20-way"
    assert accuracy.get_xlabel() == "Training manifolds m"
    assert (ratio.get_xscale(), ratio.get_yscale()) == ("log", "log")
    assert accuracy.get_yscale() == "linear"


def test_training_manifolds_are_thin_dashes_without_markers():
    ratio, accuracy = drawn_axes(plotting.draw(SPEC, summary_of_rows(rows_of())))
    for decay, means in SEEN.items():
        (seen,), (unseen,) = lines_of(ratio, f"{decay}, seen"), lines_of(ratio, str(decay))
        assert drawn_by(seen) == pytest.approx(means)
        assert (seen.get_linestyle(), seen.get_marker()) == ("--", "")
        assert seen.get_linewidth() < unseen.get_linewidth()
        assert seen.get_color() == unseen.get_color()
    assert not lines_of(accuracy, "0, seen")


def test_bands_are_the_t_intervals():
    rows = [row for row in rows_of() if row["weight_decay"] == 3]
    spec = FigureSpec("manifold_sweep", options={"metrics": ["one_shot_accuracy_20"]})
    (axes,) = drawn_axes(plotting.draw(spec, summary_of_rows(rows)))
    (band,) = axes.collections
    assert heights_of(band) == pytest.approx((0.9 * (1 - HALF_INTERVAL), 1 + HALF_INTERVAL))


def test_a_baseline_that_no_line_changes_is_drawn_once_as_the_mean():
    rows = changed(
        rows_of(),
        lambda row: {"value": row["value"] + 0.01},
        representation="input",
        metric="one_shot_accuracy_20",
        weight_decay=3,
    )
    figure = plotting.draw(SPEC, summary_of_rows(rows))
    _, accuracy = drawn_axes(figure)
    (line,) = lines_of(accuracy, "raw input")
    assert drawn_by(line) == pytest.approx(dict.fromkeys((10, 100, 1000), 0.2))
    assert (line.get_linestyle(), line.get_color()) == (":", "#8c8c8c")
    (line,) = lines_of(accuracy, "untrained network")
    assert line.get_ydata() == pytest.approx(np.full(3, 0.188))
    assert line.get_linestyle() == "-."
    assert legend_texts(figure) == [
        *("0", "3", "unseen manifolds", "training manifolds, new points"),
        *("raw input", "untrained network", "95% interval of the mean", "chance"),
    ]


def test_a_baseline_that_lines_change_is_drawn_in_the_colour_of_each():
    rows = changed(
        rows_of(),
        lambda row: {"value": 0.5},
        representation="untrained",
        metric="one_shot_accuracy_20",
        weight_decay=3,
    )
    _, accuracy = drawn_axes(plotting.draw(SPEC, summary_of_rows(rows)))
    for line, decay, height in zip(
        lines_of(accuracy, "untrained network"), ("0", "3"), (0.188, 0.5), strict=True
    ):
        assert line.get_ydata() == pytest.approx(np.full(3, height))
        assert line.get_color() == lines_of(accuracy, decay)[0].get_color()
    assert len(lines_of(accuracy, "raw input")) == 1


def test_lines_that_are_measured_at_places_of_their_own_share_a_baseline_only_if_it_is_the_same():
    own = [{**row, "manifolds": row["manifolds"] + row["weight_decay"]} for row in rows_of()]
    where = {"representation": "untrained", "weight_decay": 3, "metric": "variance_ratio"}
    apart = changed(own, lambda row: {"value": 0.5}, **where)
    for rows, count in ((own, 1), (apart, 2)):
        ratio, _ = drawn_axes(plotting.draw(SPEC, summary_of_rows(rows)))
        assert len(lines_of(ratio, "untrained network")) == count
        assert len(lines_of(ratio, "raw input")) == 1


def test_chance_is_one_of_the_ways():
    assert manifoldcharts.chance_of("one_shot_accuracy_20") == 0.05
    assert manifoldcharts.chance_of("one_shot_hamming_accuracy_100") == 0.01
    assert manifoldcharts.chance_of("pair_auc") == 0.5
    assert manifoldcharts.chance_of("variance_ratio") is None
    ratio, accuracy = drawn_axes(plotting.draw(SPEC, summary_of_rows(rows_of())))
    (chance,) = lines_of(accuracy, "_guide")
    assert set(chance.get_ydata()) == {0.05}
    assert not lines_of(ratio, "_guide")


def test_all_measured_ways_have_a_panel_and_named_metrics_their_order():
    rows = rows_of()
    more = (
        "one_shot_accuracy_100",
        "one_shot_accuracy_5",
        "ridge_r2",
        "one_shot_hamming_accuracy_20",
    )
    for metric in more:
        rows += [
            {**row, "metric": metric} for row in rows_of() if row["metric"] != "variance_ratio"
        ]
    summary = summary_of_rows(rows)
    labels = [axes.get_ylabel() for axes in drawn_axes(plotting.draw(SPEC, summary))]
    assert labels == [
        "Variance ratio \u03c1",
        *(f"One-shot accuracy, {way}-way" for way in (5, 20, 100)),
        "Ridge R\u00b2 of the identifier \u03b3",
    ]
    options = {"metrics": ["one_shot_hamming_accuracy_20", "variance_ratio"]}
    spec = FigureSpec("manifold_sweep", line="weight_decay", options=options)
    labels = [axes.get_ylabel() for axes in drawn_axes(plotting.draw(spec, summary))]
    assert labels == ["One-shot Hamming, 20-way", "Variance ratio \u03c1"]


def test_without_lines_the_trained_network_has_its_colour():
    rows = [row for row in rows_of() if row["weight_decay"] == 3]
    figure = plotting.draw(FigureSpec("manifold_sweep"), summary_of_rows(rows))
    ratio, _ = drawn_axes(figure)
    (line,) = lines_of(ratio, "trained network")
    assert drawn_by(line) == pytest.approx(RATIOS[3])
    assert line.get_color() == manifoldlooks.REPRESENTATIONS["trained"][1].color
    assert legend_texts(figure)[0] == "trained network"


def test_factors_of_hash_networks_have_names_of_their_own():
    rows = [row for row in rows_of() if row["manifolds"] == 100]
    figure = plotting.draw(FigureSpec("manifold_sweep", x="weight_decay"), summary_of_rows(rows))
    axes = drawn_axes(figure)[0]
    assert axes.get_xlabel() == "Weight decay (decoupled)"
    rows = [{**row, "width": row["manifolds"]} for row in rows_of() if row["weight_decay"] == 3]
    rows = [{**row, "manifolds": 5} for row in rows]
    axes = drawn_axes(
        plotting.draw(FigureSpec("manifold_sweep", x="width"), summary_of_rows(rows))
    )[0]
    assert (axes.get_xlabel(), axes.get_xscale()) == ("Width of the first layer (units)", "log")
    spec = FigureSpec("manifold_sweep", x="width", options={"x_scale": "linear"})
    assert drawn_axes(plotting.draw(spec, summary_of_rows(rows)))[0].get_xscale() == "linear"


def test_a_variance_ratio_of_zero_is_in_view():
    where = {"representation": "trained", "manifolds": 1000, "metric": "variance_ratio"}
    rows = changed(rows_of(), lambda row: {"value": 0.0}, **where)
    ratio, _ = drawn_axes(plotting.draw(SPEC, summary_of_rows(rows)))
    assert ratio.get_yscale() == "linear"
    assert ratio.get_ylim()[0] < 0


def test_a_logarithmic_axis_shows_the_means_and_what_is_near_of_their_intervals():
    summary = summary_of_rows(rows_of())
    low = summary["mean"].min()
    summary.loc[summary["mean"] == low, "low"] = low / 100
    ratio, _ = drawn_axes(plotting.draw(SPEC, summary))
    bottom, top = ratio.get_ylim()
    assert low / 2 < bottom < low
    assert 1 < top < 2


def test_variants_are_line_styles_of_unseen_manifolds():
    rows = rows_of(gamma_dim=6) + changed(
        rows_of(gamma_dim=12), lambda row: {"value": row["value"] * 0.9}, representation="trained"
    )
    spec = FigureSpec("manifold_sweep", line="weight_decay", variant="gamma_dim")
    figure = plotting.draw(spec, summary_of_rows(rows))
    ratio, _ = drawn_axes(figure)
    first, second = lines_of(ratio, "3")
    assert drawn_by(first) == pytest.approx(RATIOS[3])
    assert drawn_by(second) == pytest.approx({m: 0.9 * v for m, v in RATIOS[3].items()})
    assert (first.get_linestyle(), second.get_linestyle()) == ("-", "--")
    assert not lines_of(ratio, "3, seen")
    assert legend_texts(figure)[2:4] == [
        "dimension of the identifier \u03b3: 6",
        "dimension of the identifier \u03b3: 12",
    ]


def test_training_manifolds_of_variants_are_drawn_where_they_are_asked_for():
    rows = rows_of(gamma_dim=6) + rows_of(gamma_dim=12)
    options = {"splits": ["seen", "unseen"], "metrics": ["variance_ratio"]}
    spec = FigureSpec("manifold_sweep", line="weight_decay", variant="gamma_dim", options=options)
    (ratio,) = drawn_axes(plotting.draw(spec, summary_of_rows(rows)))
    lines = lines_of(ratio, "3, seen")
    assert [line.get_linestyle() for line in lines] == ["-", "--"]
    assert {line.get_marker() for line in lines} == {""}


def test_a_baseline_that_variants_do_not_change_is_drawn_once_per_line():
    rows = rows_of(gamma_dim=6) + rows_of(gamma_dim=12)
    where = {"representation": "untrained", "metric": "variance_ratio", "weight_decay": 3}
    rows = changed(rows, lambda row: {"value": 0.5}, **where)
    spec = FigureSpec("manifold_sweep", line="weight_decay", variant="gamma_dim")
    ratio, _ = drawn_axes(plotting.draw(spec, summary_of_rows(rows)))
    heights = [line.get_ydata()[0] for line in lines_of(ratio, "untrained network")]
    assert heights == pytest.approx([0.95, 0.5])


def test_categories_are_points_side_by_side_filled_by_split():
    figure = plotting.draw(FigureSpec("manifold_sweep", x="classes"), classes())
    (axes,) = drawn_axes(figure)
    labels = ("", ", unseen classes", ", seen")
    unseen, other, seen = (lines_of(axes, f"trained network{label}")[0] for label in labels)
    assert unseen.get_ydata() == pytest.approx([0.2, 0.3])
    assert other.get_ydata() == pytest.approx([0.3, 0.4])
    assert seen.get_ydata() == pytest.approx([0.15, 0.25])
    assert {line.get_linestyle() for line in (unseen, other, seen)} == {"None"}
    assert [line.get_marker() for line in (unseen, other, seen)] == ["o", "o", "x"]
    assert to_rgb(unseen.get_markerfacecolor()) == to_rgb(unseen.get_color())
    assert to_rgb(other.get_markerfacecolor()) == (1, 1, 1)
    places = np.array([line.get_xdata() for line in (unseen, other, seen)])
    assert places == pytest.approx(np.array([[-0.16, 0.84], [0, 1], [0.16, 1.16]]))
    assert [text.get_text() for text in axes.get_xticklabels()] == ["0-4", "5-9"]
    assert legend_texts(figure)[1:4] == [
        *("unseen manifolds", "unseen manifolds of unseen classes"),
        "training manifolds, new points",
    ]


def test_a_category_has_a_level_of_each_baseline_over_each_split():
    (axes,) = drawn_axes(plotting.draw(FigureSpec("manifold_sweep", x="classes"), classes()))
    (levels,) = lines_of(axes, "raw input")
    x, y = (np.asarray(part).reshape(-1, 3)[:, :2] for part in levels.get_data())
    assert y == pytest.approx(np.repeat([[0.9], [0.8], [1.0], [0.9]], 2, axis=1))
    assert x == pytest.approx(np.array([[-0.24, -0.08], [0.76, 0.92], [-0.08, 0.08], [0.92, 1.08]]))


def test_variants_of_categories_are_markers():
    summary = pd.concat([classes(weight_decay=decay) for decay in (0, 1)])
    spec = FigureSpec("manifold_sweep", x="classes", variant="weight_decay")
    (axes,) = drawn_axes(plotting.draw(spec, summary))
    lines = lines_of(axes, "trained network")
    assert [line.get_marker() for line in lines] == ["o", "s"]
    assert len({line.get_xdata()[0] for line in axes.lines if line.get_marker() != ""}) == 4


def test_unseen_classes_are_dashed_open_markers_on_an_axis_of_numbers():
    rows = [row for row in rows_of() if row["weight_decay"] == 3 and "split" not in row]
    rows += [
        {**row, "split": "unseen_classes", "value": row["value"] + 0.1}
        for row in rows
        if row["representation"] == "trained"
    ]
    ratio, _ = drawn_axes(plotting.draw(FigureSpec("manifold_sweep"), summary_of_rows(rows)))
    (line,) = lines_of(ratio, "trained network, unseen classes")
    assert drawn_by(line) == pytest.approx({m: v + 0.1 for m, v in RATIOS[3].items()})
    assert line.get_linestyle() == "--"
    assert to_rgb(line.get_markerfacecolor()) == (1, 1, 1)


def test_long_categories_break_into_lines():
    values = ("poly", "poly2", "poly_no_constant", "sine")
    rows = [
        {"recipe": name, "representation": "trained", "metric": metric, "value": 0.5}
        for name in values
        for metric in ("variance_ratio", "one_shot_accuracy_20", "one_shot_accuracy_100")
    ]
    spec = FigureSpec("manifold_sweep", x="recipe")
    axes = drawn_axes(plotting.draw(spec, summary_of_rows(rows)))[0]
    labels = [text.get_text() for text in axes.get_xticklabels()]
    assert labels[0] == "polynomial"
    assert labels[2].replace("\n", " ") == "polynomial, no constant"
    assert "\n" in labels[2]


def test_the_option_where_fixes_a_factor():
    options = {"where": {"weight_decay": 3}}
    spec = FigureSpec("manifold_sweep", options=options)
    ratio, _ = drawn_axes(plotting.draw(spec, summary_of_rows(rows_of())))
    assert drawn_by(lines_of(ratio, "trained network")[0]) == pytest.approx(RATIOS[3])


def test_a_metric_without_any_finite_value_has_no_panel():
    summary = summary_of_rows(rows_of())
    summary.loc[summary["metric"] == "one_shot_accuracy_20", ["mean", "low", "high"]] = np.nan
    (axes,) = drawn_axes(plotting.draw(SPEC, summary))
    assert axes.get_ylabel() == "Variance ratio \u03c1"


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        (lambda s: s.drop(columns="representation"), {}, r"lacks the columns \['representation'\]"),
        (lambda s: s.drop(columns="manifolds"), {}, r"lacks the columns \['manifolds'\]"),
        (lambda s: s.drop(columns="metric"), {}, r"lacks the columns \['metric'\]"),
        (lambda s: s.assign(representation=np.nan), {}, "measured none of"),
        (lambda s: s, {"metrics": ["lsh_exponent"]}, r"none of \['lsh_exponent'\]"),
        (
            lambda s: s,
            {"metrics": ["variance_ratio", "pair_auc"]},
            r"trained networks; \['pair_auc'\] is not measured",
        ),
        (lambda s: s[s["representation"] != "trained"], {}, "of trained networks; "),
        (
            lambda s: pd.concat([s.assign(points=n) for n in (10, 20)]),
            {},
            r"differ in \['points'\]",
        ),
        (
            lambda s: pd.concat(
                [s.assign(points=10), s[s["representation"] == "input"].assign(points=20)]
            ),
            {},
            r"differ in \['points'\]",
        ),
    ],
    ids=[
        *("representation", "x", "metric", "none", "named", "partly", "trained", "mixture"),
        "mixed baseline",
    ],
)
def test_a_sweep_that_cannot_be_drawn_is_refused(change, options, message):
    spec = FigureSpec("manifold_sweep", x="manifolds", line="weight_decay", options=options)
    with pytest.raises(DataError, match=message):
        plotting.draw(spec, change(summary_of_rows(rows_of())))


def test_more_variants_than_line_styles_are_refused():
    rows = [row for d in range(5) for row in rows_of(gamma_dim=d)]
    spec = FigureSpec("manifold_sweep", line="weight_decay", variant="gamma_dim")
    with pytest.raises(DataError, match="gamma_dim has 5 values"):
        plotting.draw(spec, summary_of_rows(rows))


def test_representations_differ_in_greyscale():
    styles = [style for _, style in manifoldlooks.REPRESENTATIONS.values()]
    grey = sorted(np.dot([0.299, 0.587, 0.114], to_rgb(style.color)) for style in styles)
    assert min(np.diff(grey)) > 0.1
    assert len({style.marker for style in styles}) == 3


def test_names_of_one_shot_accuracies_hold_the_number_of_manifolds():
    assert marks.metric_label("one_shot_accuracy_7") == "One-shot accuracy, 7-way"
    assert marks.metric_label("one_shot_accuracy") == "One shot accuracy"
