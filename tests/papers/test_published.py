from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from neuralcodes.errors import DataError
from neuralcodes.papers import published

DIRECTORY = Path(__file__).parents[2] / "resources" / "published"


def values_of(table, **where):
    for name, value in where.items():
        table = table[table[name] == value]
    return table["value"].tolist()


def ours(**columns):
    row = {
        "depth": 1,
        "width_per_layer": 40,
        "sample_size": 48000,
        "epoch": "final",
        "split": "test",
        "metric": "knn_accuracy",
        "mean": 0.9,
    }
    return pd.DataFrame([{**row, **columns}])


def theirs(**columns):
    row = {
        "width_per_layer": 40,
        "epoch": "final",
        "sample_size": np.nan,
        "split": "test",
        "metric": "knn_accuracy",
        "value": 0.8,
        "reading_error": 0.001,
        "split_status": "printed",
    }
    return pd.DataFrame([{**row, **columns}])


def test_mnist_training_time_redundancy_is_swapped_back():
    table = published.he2021("training_time", "mnist", DIRECTORY)
    last = {"metric": "redundancy_ratio", "epoch": "2000"}
    # The figure prints 0.0997 as test and 0.0386 as train.
    assert values_of(table, width_per_layer=40, split="train", **last) == [0.0997]
    assert values_of(table, width_per_layer=40, split="test", **last) == [0.0386]
    swapped = table[table["metric"] == "redundancy_ratio"]
    assert set(swapped["split_status"]) == {"corrected"}


def test_corrected_final_redundancy_agrees_with_the_model_capacity_figure():
    time = published.he2021("training_time", "mnist", DIRECTORY)
    size = published.he2021("model_capacity", "mnist", DIRECTORY)
    for split in ("train", "test"):
        where = {"width_per_layer": 50, "metric": "redundancy_ratio", "split": split}
        (late,), (final,) = values_of(time, epoch="2000", **where), values_of(size, **where)
        assert late == pytest.approx(final, abs=0.01)


def test_legends_that_are_right_stay_as_printed():
    table = published.he2021("sample_size", "mnist", DIRECTORY)
    assert set(table["split_status"]) == {"printed"}


def test_cifar_kmeans_against_training_time_is_of_the_training_split():
    table = published.he2021("training_time", "cifar10", DIRECTORY)
    kmeans = table[table["metric"] == "kmeans_accuracy"]
    assert set(zip(kmeans["split"], kmeans["split_status"], strict=True)) == {("train", "inferred")}


def test_unknown_splits_stay_as_printed_and_are_flagged():
    capacity = published.he2021("model_capacity", "mnist", DIRECTORY)
    time = published.he2021("training_time", "mnist", DIRECTORY)
    for table, printed in ((capacity, ""), (time, "test")):
        kmeans = table[table["metric"] == "kmeans_accuracy"]
        assert set(kmeans["split"]) == {printed}
        assert set(kmeans["split_status"]) == {"unknown"}


def test_metric_names_are_ours():
    table = published.he2021("model_capacity", "cifar10", DIRECTORY)
    assert set(table["metric"]) == {
        *("redundancy_ratio", "kmeans_accuracy", "knn_accuracy"),
        *("logistic_regression_accuracy", "test_accuracy"),
    }


def test_epochs_are_text_and_start_at_zero():
    table = published.he2021("training_time", "cifar10", DIRECTORY)
    assert {"0", "1", "3", "200"} <= set(table["epoch"])
    assert set(published.he2021("sample_size", "mnist", DIRECTORY)["epoch"]) == {"final"}


def test_no_point_is_published_twice():
    for figure in published.FIGURES:
        for dataset in ("mnist", "cifar10"):
            table = published.he2021(figure, dataset, DIRECTORY)
            assert not table.duplicated(list(published.POINT)).any()


def test_unknown_figures_are_refused_with_those_there_are():
    with pytest.raises(ValueError, match=r"model_capacity.*mnist"):
        published.he2021("model_capacity", "svhn", DIRECTORY)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(DataError, match=r"he2021\.csv does not exist"):
        published.he2021("model_capacity", "mnist", tmp_path)


def test_a_damaged_table_is_refused(tmp_path):
    (tmp_path / "he2021.csv").write_text("figure,panel\nmodel_capacity,a\n")
    with pytest.raises(DataError, match="lacks the columns"):
        published.he2021("model_capacity", "mnist", tmp_path)


def test_match_puts_the_difference_beside_our_mean():
    matched = published.match(ours(), theirs())
    assert matched["published"].tolist() == [0.8]
    assert matched["difference"].tolist() == [pytest.approx(0.1)]


def test_final_matches_figures_without_a_time_axis_only():
    assert len(published.match(ours(epoch="200"), theirs())) == 0
    assert len(published.match(ours(), theirs(epoch="200"))) == 0
    assert len(published.match(ours(epoch="200"), theirs(epoch="200"))) == 1


def test_the_whole_training_set_matches_our_largest_sample_size():
    both = pd.concat([ours(), ours(sample_size=1000)])
    assert published.match(both, theirs())["sample_size"].tolist() == [48000]
    assert published.match(both, theirs(sample_size=1000.0))["sample_size"].tolist() == [1000]


def test_a_missing_split_matches_the_training_split():
    both = pd.concat([ours(split="train"), ours(split="test")])
    matched = published.match(both, theirs(split="", split_status="unknown"))
    assert matched["split"].tolist() == ["train"]
    assert matched["split_status"].tolist() == ["unknown"]


def test_every_variant_of_ours_meets_the_published_value():
    both = pd.concat([ours(subset="first"), ours(subset="stratified", mean=0.7)])
    matched = published.match(both, theirs())
    assert matched["difference"].tolist() == [pytest.approx(0.1), pytest.approx(-0.1)]


def test_the_mnist_point_at_sixty_thousand_matches_nothing():
    table = published.he2021("sample_size", "mnist", DIRECTORY)
    assert 60000 in set(table["sample_size"])
    assert published.match(ours(), table).empty


def test_match_refuses_values_of_several_figures_at_once():
    with pytest.raises(DataError, match="one figure at a time"):
        published.match(ours(), pd.concat([theirs(), theirs()]))


def test_match_refuses_a_summary_without_means():
    with pytest.raises(DataError, match=r"the summary lacks the columns \['mean'\]"):
        published.match(ours().drop(columns="mean"), theirs())


def test_distance_is_the_mean_absolute_difference():
    matched = pd.DataFrame({"difference": [0.1, -0.3, np.nan]})
    assert published.distance(matched) == pytest.approx(0.2)


def test_distance_refuses_to_compare_nothing():
    with pytest.raises(DataError, match="none of our points"):
        published.distance(published.match(ours(width_per_layer=41), theirs()))


def two_recipes(extra=True):
    rows = [
        ours(recipe="near", mean=0.82),
        ours(recipe="far", mean=0.7),
        ours(recipe="near", metric="test_accuracy", mean=0.8),
        ours(recipe="far", metric="test_accuracy", mean=0.4),
    ]
    # Measured for one recipe only, so that it must not count.
    alone = [ours(recipe="near", width_per_layer=50, mean=0.0)] if extra else []
    values = [theirs(), theirs(metric="test_accuracy"), theirs(width_per_layer=50)]
    return pd.concat([*rows, *alone]), pd.concat(values)


def test_rank_puts_the_nearest_recipe_first_with_its_parts():
    ranked = published.rank(*two_recipes(), ["recipe"])
    assert ranked["recipe"].tolist() == ["near", "near", "far", "far"]
    assert ranked["distance"].tolist() == pytest.approx([0.01, 0.01, 0.25, 0.25])
    assert ranked["contribution"].tolist() == pytest.approx([0.01, 0.0, 0.05, 0.2])
    assert set(ranked["points"]) == {2}


def test_rank_agrees_with_distance_where_all_points_are_shared():
    summary, values = two_recipes(extra=False)
    ranked = published.rank(summary, values, ["recipe"])
    far = published.match(summary[summary["recipe"] == "far"], values)
    assert ranked["distance"].iloc[-1] == pytest.approx(published.distance(far))


def test_rank_leaves_out_values_of_an_unknown_split():
    summary, values = two_recipes()
    doubtful = values.assign(value=values["value"] + 0.5, split_status="unknown")
    doubtful["metric"] = "kmeans_accuracy"
    more = pd.concat([summary, summary.assign(metric="kmeans_accuracy")])
    ranked = published.rank(more, pd.concat([values, doubtful]), ["recipe"])
    assert ranked.equals(published.rank(summary, values, ["recipe"]))


def test_rank_refuses_recipes_that_share_no_point():
    summary = pd.concat([ours(recipe="a"), ours(recipe="b", width_per_layer=50)])
    values = pd.concat([theirs(), theirs(width_per_layer=50)])
    with pytest.raises(DataError, match="train them on one grid"):
        published.rank(summary, values, ["recipe"])


def test_rank_refuses_recipes_that_are_not_told_apart():
    summary = pd.concat([ours(recipe="a", dropout=0.0), ours(recipe="a", dropout=0.5)])
    with pytest.raises(DataError, match="do not tell the recipes apart"):
        published.rank(summary, theirs(), ["recipe"])


def test_rank_refuses_a_missing_recipe_column():
    with pytest.raises(DataError, match=r"lacks the columns \['recipe'\]"):
        published.rank(ours(), theirs(), ["recipe"])


def oursland_tests():
    table = published.oursland2024(DIRECTORY)
    tested = table[table["perturbation"] != "none"]
    keys = ["perturbation", "activation", "level"]
    return tested.pivot_table(index=keys, columns="metric", values="value").reset_index()


def test_every_printed_p_agrees_with_its_t_of_twenty_pairs_and_no_other_number():
    table = oursland_tests()
    assert len(table) == 72
    t, p = table["t_statistic"].abs(), table["p_value"]
    half = 0.05 * 10 ** np.floor(np.log10(p))
    fitting = {}
    for freedom in (18, 19, 20):
        low, high = (2 * stats.t.sf(t + shift, freedom) for shift in (0.05, -0.05))
        fitting[freedom] = int(((high >= p - half) & (low <= p + half)).sum())
    assert fitting[19] == 72
    assert max(fitting[18], fitting[20]) < 10


@pytest.mark.parametrize(("kind", "identity"), [("scale", 1.0), ("clip", 1.0), ("offset", 0.0)])
def test_rows_that_change_nothing_have_the_accuracies_of_the_baseline(kind, identity):
    table = published.oursland2024(DIRECTORY)
    for activation in ("relu", "abs"):
        of_metric = {"activation": activation, "metric": "train_accuracy"}
        plain = values_of(table, perturbation="none", **of_metric)
        assert values_of(table, perturbation=kind, level=identity, **of_metric) == plain


@pytest.mark.parametrize(
    ("kind", "low", "high"), [("scale", 0.25, 0.5), ("clip", 0.3, 0.4), ("offset", -0.25, -0.1)]
)
def test_the_sign_of_t_changes_around_entry_50_of_the_grid(kind, low, high):
    tests = oursland_tests()
    signs = tests[tests["perturbation"] == kind].set_index("level")["t_statistic"]
    assert (signs[low] > 0).all()
    assert (signs[high] < 0).all()


def test_printed_accuracies_and_the_sign_of_t_allow_one_reference_each():
    for _, tests in oursland_tests().groupby(["perturbation", "activation"]):
        worse = tests.loc[tests["t_statistic"] > 0, "train_accuracy"].max()
        better = tests.loc[tests["t_statistic"] < 0, "train_accuracy"].min()
        assert worse <= better


def test_the_printed_baseline_has_spreads_and_accuracies_are_percent():
    table = published.oursland2024(DIRECTORY)
    plain = table[table["perturbation"] == "none"]
    assert plain["std"].notna().all()
    assert plain["level"].isna().all()
    relu = plain[plain["activation"] == "relu"]
    assert relu.set_index("metric")["value"].to_dict() == {
        "train_accuracy": 98.33,
        "test_accuracy": 95.61,
        "loss": 0.0610,
    }


def test_missing_printed_values_are_named(tmp_path):
    with pytest.raises(DataError, match=r"oursland2024\.csv does not exist"):
        published.oursland2024(tmp_path)


def beside(table, values=None, kind="scale", factors=("activation",), metrics=("train_accuracy",)):
    values = published.oursland2024(DIRECTORY) if values is None else values
    return published.beside(table, values, kind, factors, metrics)


def test_printed_values_stand_beside_our_rows_of_their_condition_and_level_in_our_order():
    table = pd.DataFrame({"activation": ["relu", "abs", "relu", "gelu"]})
    table["nominal_percent"] = [10.0, 5.0, 7.0, 10.0]
    found = beside(table)["published_train_accuracy_percent"].tolist()
    assert found == pytest.approx([98.10, 99.86, np.nan, np.nan], nan_ok=True)


def test_printed_baselines_stand_beside_our_conditions_with_their_spread():
    table = pd.DataFrame({"activation": ["relu", "abs"]})
    found = beside(table, kind="none", metrics=("loss",))
    assert found["published_train_loss"].tolist() == [0.0610, 0.0047]
    assert found["published_train_loss_std_population"].tolist() == [0.0044, 0.0005]


def test_printed_values_that_cannot_be_told_apart_are_refused():
    table = pd.DataFrame({"activation": ["relu"], "width": [128], "nominal_percent": [10.0]})
    values = published.oursland2024(DIRECTORY)
    with pytest.raises(DataError, match="add activation to the factors"):
        beside(table, factors=["width"])
    with pytest.raises(DataError, match="of scale hold a point twice"):
        beside(table, pd.concat([values, values]))
