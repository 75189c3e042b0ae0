from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from neuralcodes.errors import DataError
from neuralcodes.papers import he2021, published

DIRECTORY = Path(__file__).parents[2] / "resources" / "published"


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
    table = he2021.read("sample_size", "mnist", DIRECTORY)
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
