from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from neuralcodes.errors import DataError
from neuralcodes.papers import oursland2024

DIRECTORY = Path(__file__).parents[2] / "resources" / "published"


def values_of(table, **where):
    for name, value in where.items():
        table = table[table[name] == value]
    return table["value"].tolist()


def oursland_tests():
    table = oursland2024.read(DIRECTORY)
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
    table = oursland2024.read(DIRECTORY)
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
    table = oursland2024.read(DIRECTORY)
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
        oursland2024.read(tmp_path)


def beside(table, values=None, kind="scale", factors=("activation",), metrics=("train_accuracy",)):
    values = oursland2024.read(DIRECTORY) if values is None else values
    return oursland2024.beside(table, values, kind, factors, metrics)


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
    values = oursland2024.read(DIRECTORY)
    with pytest.raises(DataError, match="add activation to the factors"):
        beside(table, factors=["width"])
    with pytest.raises(DataError, match="of scale hold a point twice"):
        beside(table, pd.concat([values, values]))
