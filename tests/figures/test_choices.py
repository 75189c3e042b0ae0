"""What each kind of figure chooses from a summary: known answers."""

import numpy as np
import pandas as pd
import pytest
from chart_cases import (
    LEVELS,
    case,
    chart_of,
    curve,
    densities,
    layers,
    manifolds,
    one_at_a_time,
    perturbed,
    preactivations,
    recipes,
    regions,
    retrieved,
    similarities,
    summarized,
    training,
    widths,
)
from figure_cases import PUBLISHED, SERIES, means, point, summary_of

from neuralcodes.errors import DataError
from neuralcodes.figures import parts
from neuralcodes.figures.kinds import manifold_distances, manifold_embedding, manifold_sweep
from neuralcodes.figures.kinds.one_at_a_time import base_point
from neuralcodes.metrics import phases
from neuralcodes.papers import published


def panels_of(chart):
    return {(panel.y.label, panel.title): panel for panel in chart.each_panel()}


def entries_of(chart):
    return [entry.label for legend in chart.legends for entry in legend.entries]


def theirs_of(panel, label):
    (found,) = (values for values in panel.published if values.label == label)
    return dict(zip(found.x.tolist(), found.value.tolist(), strict=True))


# Curves


def test_curves_are_the_means_with_their_t_intervals():
    summary = summary_of([point(width) for width in (10, 40, 100)])
    chart = chart_of("curves", summary, x="width")
    redundancy = curve(chart, "Redundancy ratio, train")
    assert redundancy.x.tolist() == [10, 40, 100]
    assert redundancy.y.tolist() == means(
        summary, "width", metric="redundancy_ratio", split="train"
    )
    knn = curve(chart, "K-NN, test", panel=1)
    rows = summary[summary["metric"] == "knn_accuracy"].sort_values("width")
    assert (knn.low.tolist(), knn.high.tolist()) == (rows["low"].tolist(), rows["high"].tolist())


def test_a_line_factor_gives_a_panel_per_metric_and_a_curve_per_value():
    points = [point(width, epoch) for width in (40, 60) for epoch in (0, 1, 10)]
    summary = summary_of(points)
    chart = chart_of("curves", summary, x="epoch", line="width")
    assert list(panels_of(chart)) == [
        ("Redundancy ratio", "train split"),
        ("Redundancy ratio", "test split"),
        ("K-Means accuracy", "test split"),
        ("K-NN accuracy", "test split"),
        ("Logistic regression accuracy", "test split"),
        ("Network accuracy", "test split"),
    ]
    for width in (40, 60):
        found = curve(chart, f"width {width}", panel=3)
        assert found.y.tolist() == means(summary, "epoch", metric="knn_accuracy", width=width)
    assert entries_of(chart)[:2] == ["40", "60"]


def test_a_metric_that_is_named_has_a_panel_of_its_own():
    summary = summary_of([point(width) for width in (10, 40)])
    chart = chart_of("curves", summary, x="width", metrics=["kmeans_accuracy", "knn_accuracy"])
    drawn = [[c.label for c in panel.curves] for panel in chart.each_panel()]
    assert drawn == [["K-Means, train", "K-Means, test"], ["K-NN, test"]]
    with pytest.raises(DataError, match=r"shows dead_units, which is not measured; \['kmeans"):
        chart_of("curves", summary, x="width", metrics=["dead_units"])


def test_panels_without_data_are_left_out():
    summary = summary_of([point(10), point(40)], series=SERIES[:2])
    chart = chart_of("curves", summary, x="width")
    assert [panel.y.label for panel in chart.each_panel()] == ["Redundancy ratio"]
    with pytest.raises(DataError, match="nothing to draw"):
        chart_of("curves", summary_of([point(10)], series=[("code_length", "train")]), x="width")


def test_training_data_are_dashed_and_test_data_solid_in_every_figure():
    for kind in ("curves", "perturbations", "random_inputs", "one_at_a_time"):
        chart, _ = case(kind)
        for panel in chart.each_panel():
            for each in panel.curves:
                if each.split in ("train", "test"):
                    assert each.style.linestyle == {"train": "--", "test": "-"}[each.split]


def test_variants_are_line_styles_and_the_published_one_is_solid():
    points = [
        point(40, "final", n, subset=subset)
        for n in (10, 100, 1000)
        for subset in ("stratified", "first")
    ]
    roles = {"x": "sample_size", "line": "width", "variant": "subset"}
    chart = chart_of("curves", summary_of(points), **roles)
    drawn = panels_of(chart)["K-NN accuracy", "test split"].curves
    assert [(c.label, c.style.linestyle) for c in drawn] == [
        ("width 40, subset: first", "-"),
        ("width 40, subset: stratified", "--"),
    ]
    points = [point(40, "final", n, subset=s) for n in (10, 100) for s in "abcde"]
    with pytest.raises(DataError, match="subset has 5 values"):
        chart_of("curves", summary_of(points), **roles)


def test_without_lines_variants_are_rows_of_panels():
    points = [point(w, label_noise=q) for w in (16, 64) for q in (0.0, 0.2, 0.4)]
    chart = chart_of("curves", summary_of(points), x="label_noise", variant="width")
    titles = [[panel.title for panel in row] for row in chart.panels]
    assert titles == [["width: 16"] * 2, ["width: 64"] * 2]


def test_a_figure_never_mixes_rows_of_a_factor_that_it_does_not_show():
    summary = summary_of([point(w, dropout=d) for w in (10, 40) for d in (0.0, 0.5)])
    with pytest.raises(DataError, match=r"differ in \['dropout'\]"):
        chart_of("curves", summary, x="width")
    chart = chart_of("curves", summary, x="width", where={"dropout": 0.5})
    expected = means(summary, "width", metric="knn_accuracy", dropout=0.5)
    assert curve(chart, "K-NN, test", panel=1).y.tolist() == expected
    with pytest.raises(DataError, match="no row of the summary is left"):
        chart_of("curves", summary, x="width", where={"width": 7})


def test_the_final_checkpoint_is_drawn_unless_epochs_are_asked_for():
    summary = summary_of([point(w, e) for w in (10, 40) for e in (0, 10, "final")])
    found = curve(chart_of("curves", summary, x="width"), "K-NN, test", panel=1)
    assert found.y.tolist() == means(summary, "width", metric="knn_accuracy", epoch="final")


def test_figures_of_whole_networks_leave_out_single_layers():
    whole = summary_of([point(10), point(40)]).assign(layer=np.nan)
    both = pd.concat([whole, whole.assign(layer=1.0)], ignore_index=True)
    found = curve(chart_of("curves", both, x="width"), "K-NN, test", panel=1)
    assert found.y.tolist() == means(whole, "width", metric="knn_accuracy")


# Published values


def test_published_values_are_drawn_with_the_corrected_split():
    summary = summary_of([point(width, epoch) for width in (40, 50) for epoch in (0, 1, 100)])
    values = published.he2021("training_time", "mnist", PUBLISHED)
    chart = chart_of("curves", summary, values, x="epoch", line="width_per_layer")
    raw = pd.read_csv(PUBLISHED / "he2021.csv")
    raw = raw[(raw["figure"] == "training_time") & (raw["dataset"] == "mnist")]
    raw = raw[(raw["metric"] == "redundancy_ratio") & (raw["width"] == 40) & (raw["epoch"] <= 100)]
    # The legend of the figure is swapped: what it calls test is the training split.
    for shown, printed in (("train", "test"), ("test", "train")):
        panel = panels_of(chart)["Redundancy ratio", f"{shown} split"]
        expected = raw[raw["split"] == printed].sort_values("epoch")["value"]
        assert list(theirs_of(panel, "width 40").values()) == expected.tolist()


def test_published_values_belong_to_the_curve_of_their_line_within_its_range():
    summary = summary_of([point(width, epoch) for width in (40, 50) for epoch in (1, 10, 100)])
    values = published.he2021("training_time", "mnist", PUBLISHED)
    chart = chart_of("curves", summary, values, x="epoch", line="width_per_layer")
    panel = panels_of(chart)["K-NN accuracy", "test split"]
    assert [theirs.label for theirs in panel.published] == ["width 40", "width 50"]
    for ours, theirs in zip(panel.curves, panel.published, strict=True):
        assert (ours.label, ours.style) == (theirs.label, theirs.style)
        assert (theirs.x.min(), theirs.x.max()) == (1, 100)


def test_published_widths_per_layer_meet_our_total_widths():
    summary = summary_of([point(width, depth=5) for width in (10, 100, 200)])
    values = published.he2021("model_capacity", "cifar10", PUBLISHED)
    panel = list(chart_of("curves", summary, values, x="width").each_panel())[1]
    assert {50, 1000} <= {x for theirs in panel.published for x in theirs.x}


def test_a_published_split_that_is_not_stated_is_told():
    summary = summary_of([point(width) for width in (3, 40, 100)])
    values = published.he2021("model_capacity", "mnist", PUBLISHED)
    chart = chart_of("curves", summary, values, x="width")
    assert "published (\u00b1 reading error; K-Means split not stated)" in entries_of(chart)


def test_kmeans_shows_the_split_that_is_published():
    summary = summary_of([point(10, epoch, depth=5) for epoch in (0, 10, 200)])
    values = published.he2021("training_time", "cifar10", PUBLISHED)
    roles = {"x": "epoch", "line": "width_per_layer"}
    shown = panels_of(chart_of("curves", summary, values, **roles))
    assert ("K-Means accuracy", "train split") in shown
    assert ("K-Means accuracy", "test split") in panels_of(chart_of("curves", summary, **roles))


# Other figures of codes


def test_layers_count_from_one_and_the_last_is_ringed():
    chart = chart_of("layers", summarized(layers()))
    panel = panels_of(chart)["K-NN accuracy", "test split"]
    assert panel.curves[0].x.tolist() == [1, 2, 3]
    assert panel.curves[0].y == pytest.approx([0.6, 0.7, 0.9])
    assert panel.ringed == 3


def test_random_inputs_have_a_panel_per_width_and_a_curve_per_kind_of_input():
    splits = ("train", "test", "uniform_0_1", "uniform_-1_0")
    series = [("redundancy_ratio", split) for split in splits]
    summary = summary_of([point(w, e) for w in (20, 40) for e in (0, 1, 10)], series=series)
    chart = chart_of("random_inputs", summary, x="epoch", line="width")
    assert [panel.title for panel in chart.each_panel()] == ["Width 20", "Width 40"]
    found = curve(chart, "uniform in [0, 1]", panel=1)
    assert found.y.tolist() == means(summary, "epoch", split="uniform_0_1", width=40)


def test_one_factor_leaves_the_base_point_while_the_others_stay():
    chart, _ = case("one_at_a_time")
    redundancy = chart.panels[0]
    assert [panel.x.factor for panel in redundancy] == ["weight_decay", "dropout", "batch_norm"]
    assert [panel.curves[0].y.round(3).tolist() for panel in redundancy] == [
        [0.1, 0.1],
        [0.1, 0.6],
        [0.3, 0.1],
    ]
    stripes = [guide for panel in redundancy for guide in panel.guides]
    assert [guide.label for guide in stripes] == ["base point"] * 3
    assert stripes[2].at == 1


def test_a_base_point_that_is_met_no_more_often_than_another_is_refused():
    rows = pd.DataFrame({"dropout": [0, 0.5, 0, 0.5], "depth": [1, 1, 2, 2]})
    with pytest.raises(DataError, match="base value of dropout cannot be told"):
        base_point(rows, ["dropout", "depth"])
    with pytest.raises(DataError, match="none of the factors"):
        chart_of("one_at_a_time", summarized(one_at_a_time()), factors=("depth",))


def test_regions_without_a_border_reach_the_top_and_medians_without_one_leave_a_gap():
    chart, _ = case("regions")
    (found,) = next(chart.each_panel()).curves
    assert found.y == pytest.approx([4, 2])
    (low, high), _ = found.bands
    assert low == pytest.approx([1, 0.5])
    assert high == pytest.approx([9, 18], rel=1e-2)  # twice the largest size that there is
    assert "(at the top: no border)" in entries_of(chart)
    chart = chart_of("regions", summarized(regions(median=(4.0, np.inf))), x="epoch")
    assert np.isnan(next(chart.each_panel()).curves[0].y).tolist() == [False, True]


def test_recipes_are_ranked_by_their_distance_with_each_metric_s_share():
    chart, _ = case("recipe_recovery")
    (panel,) = chart.each_panel()
    assert panel.x.labels == ("he2021", "other")
    heights = {bar.label: bar.y for bar in panel.curves}
    assert heights["Redundancy ratio, test"] == pytest.approx([0, 0.05], abs=1e-6)
    assert sum(heights.values()) == pytest.approx([0, 0.1], abs=1e-6)
    assert "(4 points)" in panel.y.label
    with pytest.raises(DataError, match="needs published values"):
        chart_of("recipe_recovery", summarized(recipes()))


def phase_summary(sizes=(100, 1000)):
    return summary_of([point(w, e, n) for w in (5, 20, 40) for e in (0, 1, 10) for n in sizes])


def test_a_phase_chart_shows_the_means_of_the_largest_sample_and_of_the_last_epoch():
    summary = phase_summary()
    heats = [panel.heat for panel in chart_of("phase_chart", summary, x="width").each_panel()]
    assert len(heats) == 6
    test = summary[(summary["metric"] == "redundancy_ratio") & (summary["split"] == "test")]
    full = test[test["sample_size"] == 1000].astype({"epoch": int})
    by_epoch = full.pivot_table(index="epoch", columns="width", values="mean")
    assert np.array_equal(heats[0].values, by_epoch)
    last = test[test["epoch"] == "10"]
    by_size = last.pivot_table(index="sample_size", columns="width", values="mean")
    assert np.array_equal(heats[2].values, by_size)


def test_a_phase_chart_tells_the_regimes_of_its_cells_by_its_thresholds():
    chart, _ = case("phase_chart")
    heat = next(chart.each_panel()).heat
    assert heat.categories == phases.REGIMES
    assert heat.groups.tolist() == [[0, 1, 2], [0, 1, 2]]
    limits = {"under_expressive_redundancy": 0.2, "sufficient_redundancy": 0.1}
    chart = chart_of("phase_chart", phase_summary(), regimes=limits)
    assert {int(g) for panel in chart.each_panel() for g in panel.heat.groups.flat} == {0}


def test_a_phase_chart_needs_knn_accuracy_and_a_second_dimension():
    summary = phase_summary()
    with pytest.raises(DataError, match=r"\['knn_accuracy'\] is not measured"):
        chart_of("phase_chart", summary[summary["metric"] != "knn_accuracy"])
    with pytest.raises(DataError, match="several epochs or several sample sizes"):
        chart_of("phase_chart", summary_of([point(5), point(10)]))


# Perturbed networks


def test_every_kind_of_perturbation_has_a_panel_with_its_unperturbed_level_and_chance():
    chart, _ = case("perturbations")
    panels = {panel.title: panel for panel in chart.each_panel()}
    assert list(panels) == ["scale", "clip", "offset", "offset, near zero"]
    assert [(g.label, g.at) for g in panels["scale"].guides] == [
        ("unperturbed level", 1.0),
        ("chance", 0.1),
    ]
    assert [g.label for g in panels["offset, near zero"].guides] == ["unperturbed level"]
    train = next(c for c in panels["offset"].curves if c.label == "Abs, train")
    # The unperturbed network stands at the level that changes nothing.
    assert dict(zip(train.x.tolist(), train.y.round(3), strict=True)) == {
        level: values[1] for level, values in sorted({**LEVELS["offset"], 0: (0.9, 0.9)}.items())
    }


def test_kinds_of_perturbation_are_those_that_are_named_in_their_order():
    summary = summarized(perturbed())
    chart = chart_of("perturbations", summary, kinds=["scale_per_unit", "clip"])
    assert [panel.title for panel in chart.each_panel()] == ["random scale per unit", "clip"]
    with pytest.raises(DataError, match=r"under the perturbations \['clip_activation'\]"):
        chart_of("perturbations", summary, kinds=["clip_activation"])


def test_published_accuracies_are_fractions_drawn_once_where_they_are_largest():
    rows = [("offset", level, "relu", 90.0 + level) for level in (-0.5, -0.1, 0.1)]
    theirs = pd.DataFrame(rows, columns=["perturbation", "level", "activation", "value"])
    theirs = theirs.assign(metric="train_accuracy", std=2.0)
    chart = chart_of("perturbations", summarized(perturbed()), theirs, kinds=["offset"])
    whole, near = chart.each_panel()
    assert theirs_of(whole, "ReLU, train") == pytest.approx({-0.5: 0.895})
    assert theirs_of(near, "ReLU, train") == pytest.approx({-0.1: 0.899, 0.1: 0.901})
    assert near.published[0].error.tolist() == [0.02, 0.02]
    # Published markers are the only ones, and those of their activation.
    assert {c.style.marker for c in near.curves} == {""}
    assert near.published[0].style.marker == "o"


def test_variants_of_perturbed_networks_show_the_training_set_alone():
    rows = [
        {**row, "recipe": recipe} for recipe in ("other", "oursland2024") for row in perturbed()
    ]
    chart = chart_of("perturbations", summarized(rows), variant="recipe", kinds=["clip"])
    (panel,) = chart.each_panel()
    assert panel.y.label == "Training accuracy"
    assert [(c.label, c.style.linestyle) for c in panel.curves[:2]] == [
        ("ReLU, recipe: Oursland 2024", "-"),
        ("ReLU, recipe: other", "--"),
    ]


def test_equal_changes_are_told_apart_by_direction_where_there_are_two():
    chart, _ = case("equal_change")
    assert [panel.title for panel in chart.each_panel()] == ["ReLU", "Abs"]
    abs_ = list(chart.each_panel())[1]
    assert {c.label: float(c.y[0].round(3)) for c in abs_.curves} == {
        "scale up": 0.9,
        "scale down": 0.9,
        "offset up": 0.3,
        "offset down": 0.6,
        "clip": 0.8,
    }
    assert [(guide.label, round(guide.at, 6)) for guide in abs_.guides] == [("unperturbed", 0.9)]


def test_perturbed_codes_have_a_column_per_measure_and_a_row_per_range_of_levels():
    chart, _ = case("perturbed_codes")
    assert [[panel.y.label for panel in row] for row in chart.panels] == [
        ["Flipped bits (share)", "Redundancy ratio", "K-NN accuracy"]
    ] * 2
    assert [row[0].title for row in chart.panels] == ["offset", "offset, near zero"]


# Training and units


def test_training_errors_are_mirrored_accuracies_with_mirrored_intervals():
    chart, summary = case("training")
    found = curve(chart, "Abs")
    assert found.y == pytest.approx([0.9, 0.1, 0.008])
    row = summary.loc[found.rows[0]]
    assert (found.low[0], found.high[0]) == pytest.approx((1 - row["high"], 1 - row["low"]))
    losses = curve(chart, "ReLU", panel=1)
    assert losses.y == pytest.approx([1.35, 0.15, 0.012])


def test_published_ends_stand_where_ours_trained_as_long():
    rows = [("relu", "train_accuracy", 99.0, 0.5), ("abs", "loss", 0.02, 0.001)]
    theirs = pd.DataFrame(rows, columns=["activation", "metric", "value", "std"])
    theirs = theirs.assign(perturbation="none")
    error, loss = chart_of("training", summarized(training()), theirs).each_panel()
    assert theirs_of(error, "ReLU") == pytest.approx({5000: 0.01})
    assert theirs_of(loss, "Abs") == pytest.approx({5000: 0.02})
    short = [row for row in training() if row["epoch"] != "5000"]
    chart = chart_of("training", summarized(short), theirs)
    assert not any(panel.published for panel in chart.each_panel())


def test_preactivations_have_quantiles_by_rank_and_densities_one_above_the_other():
    chart, _ = case("preactivations")
    quantiles, ridges = chart.each_panel()
    (median,) = quantiles.curves
    assert median.y == pytest.approx([-2, -0.5, 0.5, 2.5])
    (wide_low, wide_high), (low, high) = median.bands
    assert (wide_low[0], low[0], high[0], wide_high[0]) == pytest.approx((-3, -2.5, -1.5, -1))
    assert [(c.label, c.base) for c in ridges.curves] == [("unit 0", 0), ("unit 3", 1)]
    assert ridges.y.ticks == ((0, "0 (0.00)"), (1, "3 (1.00)"))
    rows = [row for row in preactivations() if row["metric"] != "density"]
    with pytest.raises(DataError, match=r"\['density'\] is not measured"):
        chart_of("preactivations", summarized(rows))


# Manifolds


def test_a_sweep_shows_trained_codes_beside_one_baseline_where_lines_agree():
    rows = [{**row, "weight_decay": decay} for decay in (0.0, 3.0) for row in manifolds()]
    chart = chart_of("manifold_sweep", summarized(rows), x="manifolds", line="weight_decay")
    ratio = next(chart.each_panel())
    assert [c.label for c in ratio.curves] == [
        "untrained network",
        "raw input",
        "weight decay 0",
        "weight decay 3",
    ]
    assert ratio.curves[0].y == pytest.approx([0.9, 0.9])
    assert ratio.curves[0].n.tolist() == [6, 6]
    assert curve(chart, "weight decay 3", panel=1).y == pytest.approx([0.4, 0.95])
    apart = [
        {**row, "value": row["value"] / (1 + row["weight_decay"])}
        if row["representation"] == "untrained"
        else row
        for row in rows
    ]
    chart = chart_of("manifold_sweep", summarized(apart), x="manifolds", line="weight_decay")
    labels = [c.label for c in next(chart.each_panel()).curves]
    assert labels.count("untrained network") == 2 and labels.count("raw input") == 1


def test_a_sweep_over_categories_has_points_side_by_side_and_baselines_as_levels():
    both = [
        {**row, "split": split}
        for split in ("seen", "unseen")
        for row in manifolds("recipe", ("poly", "sine"))
    ]
    chart = chart_of("manifold_sweep", summarized(both), x="recipe")
    ratio = next(chart.each_panel())
    unseen, seen = ratio.curves[-2:]
    assert (unseen.style.marker, seen.style.marker) == ("o", "x")
    assert seen.x - unseen.x == pytest.approx([0.16, 0.16])
    levels = [c for c in ratio.curves if c.mark == "levels"]
    assert {c.label for c in levels} == {"untrained network", "raw input"}
    assert levels[0].x == pytest.approx(unseen.x)


def test_metrics_of_a_sweep_are_those_that_are_named_or_else_the_usual_ones():
    summary = summarized(manifolds())
    chart = chart_of("manifold_sweep", summary, x="manifolds", metrics=["one_shot_accuracy_20"])
    assert [panel.y.label for panel in chart.each_panel()] == ["One-shot accuracy, 20-way"]
    with pytest.raises(DataError, match=r"\['pair_auc'\] is not measured"):
        chart_of("manifold_sweep", summary, x="manifolds", metrics=["variance_ratio", "pair_auc"])


@pytest.mark.parametrize(
    ("metric", "chance"),
    [("one_shot_accuracy_20", 0.05), ("pair_auc", 0.5), ("variance_ratio", None)],
)
def test_chance_is_that_of_a_guess(metric, chance):
    assert manifold_sweep.chance_of(metric) == chance


def test_locality_stands_beside_what_the_identifiers_would_give():
    chart, _ = case("lsh_curve")
    cosine, buckets = chart.each_panel()
    assert curve(chart, "trained network").y == pytest.approx([0.9, 0.5, -0.8])
    (reference,) = cosine.guides
    assert reference.y[[0, 50, 100]] == pytest.approx([1, 0.5, -1])
    assert {c.label for c in buckets.curves} >= {"trained network, inter-manifold pairs"}
    images = chart_of("lsh_curve", summarized(similarities(), family="images"))
    assert not next(images.each_panel()).guides
    far = [{**row, "position": 5.0 + row["position"]} for row in similarities()]
    with pytest.raises(DataError, match="the positions reach 7"):
        chart_of("lsh_curve", summarized(far))


def test_densities_share_no_area_where_manifolds_are_apart_and_all_of_it_where_they_are_not():
    chart, _ = case("manifold_distances")
    notes = {panel.title: panel.note for panel in chart.each_panel()}
    assert notes == {"raw input": "shared area 1.00", "trained network": "shared area 0.00"}
    area = manifold_distances.shared_area(np.array([2.0, 0]), np.array([1.0, 1]), np.full(2, 0.5))
    assert area == 0.5
    rows = [row for row in densities() if row["position"] < 0.2]
    with pytest.raises(DataError, match="the same bins, at least two"):
        chart_of("manifold_distances", summarized(rows))


def test_an_embedding_has_the_points_of_the_first_member_and_tells_how_gathered_they_are():
    chart, _ = case("manifold_embedding")
    input_, trained = chart.each_panel()
    assert trained.curves[1].x == pytest.approx([10, 10.1])
    assert trained.title.endswith("0.00 within manifolds")
    assert input_.title.endswith("1.00 within manifolds")
    assert manifold_embedding.share_within(trained.curves) == pytest.approx(0, abs=1e-3)


def test_retrieval_has_a_curve_per_method_and_a_level_of_exact_search():
    chart, _ = case("retrieval")
    recall, size = chart.each_panel()
    assert {c.label: c.y.round(3).tolist() for c in recall.curves} == {
        "code of the trained network": [0.5, 0.9],
        "SimHash of the input": [0.2, 0.3],
    }
    assert [(guide.label, round(guide.at, 6)) for guide in size.guides] == [("exact search", 256)]
    exact = [row for row in retrieved() if row["method"] == "exact"]
    with pytest.raises(DataError, match="needs one of the methods"):
        chart_of("retrieval", summarized(exact), x="hash_width")


# Axes


def test_zero_sits_left_of_a_break_on_a_logarithmic_axis():
    axis = parts.axis_of("epoch", pd.DataFrame({"epoch": [0.0, 1.0, 10.0, 100.0]}))
    assert axis.scale == "log"
    assert 0 < axis.place([0])[0] < 1
    assert axis.place([1, 100]).tolist() == [1, 100]
    assert axis.value(axis.zero) == 0


def test_a_category_that_is_not_on_the_axis_is_refused():
    axis = parts.axis_of("batch_norm", pd.DataFrame({"batch_norm": [True, False]}))
    assert axis.place([False, True]).tolist() == [0, 1]
    assert axis.labels == ("off", "on")
    with pytest.raises(ValueError, match="is not on the axis"):
        axis.place(["maybe"])


def test_widths_are_drawn_against_the_scale_that_is_asked_for():
    summary = summarized(widths({10: (0.8, 0.4), 1000: (0.1, 0.8)}))
    scales = {
        scale: next(chart_of("curves", summary, x="width", scale=scale).each_panel()).x.scale
        for scale in (None, "log")
    }
    assert scales == {None: "linear", "log": "log"}
