import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from neuralcodes.errors import DataError
from neuralcodes.papers import significance

SHARES = np.geomspace(0.01, 10, 100)
# -2 to 1, finer between -0.4 and 0.4: the 125 offsets of the released code.
OFFSETS = np.unique(
    np.concatenate(
        [np.linspace(-2, -0.4, 33), np.linspace(-0.4, 0.4, 81), np.linspace(0.4, 1, 13)]
    ).round(9)
    + 0.0
)
GRIDS = {"scale": SHARES, "clip": SHARES, "offset": OFFSETS}
SEEDS = 5


def row(seed, kind, level, value, metric="train_accuracy", split="train", activation="relu"):
    return {
        "dataset": "toy",
        "activation": activation,
        "seed": seed,
        "epoch": "final",
        "split": split,
        "perturbation": kind,
        "level": level,
        "metric": metric,
        "value": value,
    }


def accuracy(seed, level):
    """Made-up accuracy of a network: every seed and level has another one."""
    return 0.9 - 0.01 * seed - 0.05 * abs(np.sin(7 * level + seed))


def study(grids=GRIDS, activations=("relu",), seeds=SEEDS):
    rows = []
    for activation in activations:
        for seed in range(seeds):
            rows.append(row(seed, "none", 0.0, 0.95 - 0.003 * seed**2, activation=activation))
            rows += [
                row(seed, kind, level, accuracy(seed, level), activation=activation)
                for kind, grid in grids.items()
                for level in grid
            ]
    return pd.DataFrame(rows)


def only(table, **where):
    for name, value in where.items():
        table = table[table[name] == value]
    assert len(table) == 1
    return table.iloc[0]


def test_t_and_p_are_those_of_scipy_on_the_same_pairs():
    reference = np.array([0.95, 0.94, 0.97, 0.96])
    sample = np.array([0.90, 0.93, 0.91, 0.95])
    test, scipys = significance.paired(reference, sample), stats.ttest_rel(reference, sample)
    assert (test.t_statistic, test.p_value) == (scipys.statistic, scipys.pvalue)
    assert test.n == 4


def test_a_test_by_hand():
    # Differences 1, 2, 3: mean 2, deviation 1, t = 2 / (1 / sqrt 3).
    test = significance.paired(np.array([1.0, 2.0, 3.0]), np.zeros(3))
    assert test.difference == pytest.approx(2)
    assert test.cohens_d == pytest.approx(2)
    assert test.t_statistic == pytest.approx(2 * np.sqrt(3))
    assert test.p_value == pytest.approx(2 * stats.t.sf(2 * np.sqrt(3), 2))


def test_difference_t_and_d_are_positive_where_the_sample_is_lower():
    high, low = np.array([0.9, 0.8, 0.95]), np.array([0.5, 0.6, 0.4])
    down, up = significance.paired(high, low), significance.paired(low, high)
    for name in ("difference", "t_statistic", "cohens_d"):
        assert getattr(down, name) > 0
        assert getattr(up, name) == -getattr(down, name)
    assert up.p_value == down.p_value


def test_pairs_count_and_not_the_two_samples():
    reference = np.array([0.5, 0.6, 0.7, 0.8])
    noise = np.array([0.001, -0.001, 0.002, 0.0])
    shifted = reference - 0.01 + noise
    assert significance.paired(reference, shifted).p_value < 1e-2
    assert significance.paired(reference, shifted[::-1]).p_value > 0.5


def test_equal_samples_cannot_be_tested():
    sample = np.array([0.91, 0.92, 0.93])
    test = significance.paired(sample, sample.copy())
    assert test.difference == 0
    assert np.isnan([test.t_statistic, test.p_value, test.cohens_d]).all()


def test_the_same_difference_in_every_pair_is_infinitely_significant():
    # As fractions of 60000 images with nine digits, the differences are equal but for rounding.
    reference = np.array([59000, 58111, 57003]) / 60000
    sample = (reference - 7 / 60000).round(9)
    down = significance.paired(reference.round(9), sample)
    assert (down.t_statistic, down.p_value, down.cohens_d) == (np.inf, 0, np.inf)
    assert significance.paired(sample, reference.round(9)).t_statistic == -np.inf


def test_a_single_image_is_a_difference():
    reference = np.array([59000, 58111, 57003]) / 60000
    sample = reference - np.array([1, 0, 0]) / 60000
    assert significance.paired(reference, sample).t_statistic == pytest.approx(1)


@pytest.mark.parametrize("n", [0, 1])
def test_fewer_than_two_pairs_cannot_be_tested(n):
    test = significance.paired(np.full(n, 0.9), np.full(n, 0.8))
    assert test.n == n
    assert np.isnan([test.t_statistic, test.p_value, test.cohens_d]).all()
    assert np.isnan(test.difference) if n == 0 else test.difference == pytest.approx(0.1)


def test_unequal_lengths_and_gaps_are_refused():
    with pytest.raises(ValueError, match="vectors of one length"):
        significance.paired(np.zeros(2), np.zeros(3))
    with pytest.raises(ValueError, match="must be finite"):
        significance.paired(np.array([0.1, np.nan]), np.zeros(2))


def test_holm_by_hand():
    # 4 x 0.005 = 0.02, 3 x 0.01 = 0.03, 2 x 0.03 = 0.06, 1 x 0.04 raised to the one before.
    adjusted = significance.holm([0.01, 0.04, 0.03, 0.005])
    assert adjusted.tolist() == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_holm_does_not_count_what_could_not_be_tested():
    adjusted = significance.holm([0.01, np.nan, 0.04])
    assert adjusted.tolist() == pytest.approx([0.02, np.nan, 0.04], nan_ok=True)


def test_holm_ends_at_one():
    assert significance.holm([0.6, 0.9, 0.7]).tolist() == [1, 1, 1]
    assert significance.holm([]).tolist() == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8), st.floats(0.001, 0.2))
def test_holm_rejects_what_the_step_down_procedure_rejects(p_values, alpha):
    ascending = np.sort(p_values)
    thresholds = alpha / (len(p_values) - np.arange(len(p_values)))
    # At a threshold itself the two ways of rounding may differ.
    if np.isclose(ascending, thresholds).any():
        return
    failed = np.flatnonzero(ascending > thresholds)
    expected = failed[0] if len(failed) else len(p_values)
    assert int((significance.holm(p_values) <= alpha).sum()) == expected


def test_holm_refuses_what_is_no_probability():
    with pytest.raises(ValueError, match=r"in \[0, 1\]"):
        significance.holm([0.1, 1.5])


def test_compare_as_published_takes_entry_50_and_corrected_the_unperturbed_network():
    table = significance.compare(study(), ["activation"])
    seeds = np.arange(SEEDS)
    for kind, nominal in (("scale", 0.1), ("clip", 0.1), ("offset", -0.1)):
        sample = np.array([accuracy(seed, abs(nominal) if nominal > 0 else -0.1) for seed in seeds])
        entry = np.array([accuracy(seed, GRIDS[kind][50]) for seed in seeds])
        plain = 0.95 - 0.003 * seeds**2
        for variant, reference in (("as_published", entry), ("corrected", plain)):
            test = only(table, perturbation=kind, nominal=nominal, variant=variant)
            expected = stats.ttest_rel(reference, sample)
            assert test["t_statistic"] == pytest.approx(expected.statistic)
            assert test["p_value"] == pytest.approx(expected.pvalue)
            assert test["mean"] == pytest.approx(sample.mean())
            assert test["std"] == pytest.approx(sample.std(ddof=1))
    levels = table.groupby(["variant", "perturbation"])["reference"].unique()
    assert levels["as_published", "clip"].tolist() == pytest.approx([0.32745491628777285])
    assert levels["as_published", "offset"].tolist() == pytest.approx([-0.22])
    assert np.isnan(levels["corrected", "clip"]).all()


def test_compare_has_its_columns_and_a_row_per_printed_level_and_variant():
    table = significance.compare(study(activations=("abs", "relu")), ["activation"])
    assert table.columns.tolist() == [
        *("activation", "split", "perturbation", "level", "nominal", "variant", "reference"),
        *("n", "mean", "std", "difference", "t_statistic", "p_value", "p_holm", "cohens_d"),
    ]
    # 7 scales, 9 clips and 20 offsets, two activations, two variants.
    assert len(table) == 36 * 2 * 2
    assert table["variant"].tolist() == ["as_published"] * 72 + ["corrected"] * 72
    assert set(table["n"]) == {SEEDS}


def test_compare_pairs_seeds_whatever_the_order_of_rows():
    table = study({"scale": [0.1, 0.3]})
    shuffled = table.sample(frac=1, random_state=0)
    pd.testing.assert_frame_equal(
        significance.compare(table, ["activation"]), significance.compare(shuffled, ["activation"])
    )


def test_compare_cannot_test_a_level_that_changes_nothing():
    table = study({"scale": [0.1, 0.5, 1.0]})
    unchanged = (table["perturbation"] == "scale") & (table["level"] == 1.0)
    table.loc[unchanged, "value"] = table.loc[table["perturbation"] == "none", "value"].to_numpy()
    result = significance.compare(table, ["activation"])
    tests = result[result["variant"] == "corrected"].set_index("nominal")
    names = ["t_statistic", "p_value", "p_holm", "cohens_d"]
    assert tests.loc[1.0, names].isna().all()
    assert tests.loc[0.5, names].notna().all()
    assert only(result, variant="as_published", nominal=1.0)["t_statistic"] < 0


def test_compare_adjusts_over_kinds_and_conditions_and_only_the_corrected_tests():
    table = significance.compare(study(activations=("abs", "relu")), ["activation"])
    corrected = table[table["variant"] == "corrected"]
    assert corrected["p_holm"].tolist() == pytest.approx(
        significance.holm(corrected["p_value"]).tolist()
    )
    smallest = corrected["p_value"].idxmin()
    assert corrected.loc[smallest, "p_holm"] == pytest.approx(
        72 * corrected.loc[smallest, "p_value"]
    )
    assert table.loc[table["variant"] == "as_published", "p_holm"].isna().all()


def test_compare_tests_some_kinds_as_their_own_family():
    table = significance.compare(study(), ["activation"], kinds=["clip"])
    assert set(table["perturbation"]) == {"clip"}
    corrected = table[table["variant"] == "corrected"]
    assert corrected["p_holm"].min() == pytest.approx(9 * corrected["p_value"].min())


def test_kinds_without_a_published_table_are_tested_against_the_unperturbed_network_only():
    table = significance.compare(study({"clip_activation": [0.1, 0.3, 1.0]}), ["activation"])
    assert set(table["variant"]) == {"corrected"}
    assert table["nominal"].tolist() == [0.1, 0.3, 1.0]


def test_compare_uses_the_split_and_the_epoch_asked_for():
    train = study({"scale": [0.1, 0.3]})
    early = train.assign(epoch="100", value=train["value"] / 2)
    tested = train.assign(split="test", metric="test_accuracy", value=train["value"] - 0.1)
    both = pd.concat([train, early, tested])
    plain = significance.compare(train, ["activation"])
    assert significance.compare(both, ["activation"]).equals(plain)
    later = significance.compare(both, ["activation"], epoch="100")
    assert later["mean"].tolist() == pytest.approx((plain["mean"] / 2).tolist())
    test = significance.compare(both, ["activation"], split="test")
    assert test["mean"].tolist() == pytest.approx((plain["mean"] - 0.1).tolist())
    assert set(test["split"]) == {"test"}


def test_compare_ignores_rows_of_other_measures_and_metrics():
    table = study({"scale": [0.1, 0.3]})
    codes = table.assign(perturbation=np.nan, level=np.nan, value=0.1)
    changes = table.assign(metric="hidden_change", value=0.2)
    expected = significance.compare(table, ["activation"])
    mixed = pd.concat([codes, table, changes, codes.assign(perturbation="")])
    assert significance.compare(mixed, ["activation"]).equals(expected)


def test_the_unperturbed_network_may_have_no_level():
    table = study({"scale": [0.1, 0.3]})
    empty = table.assign(level=table["level"].where(table["perturbation"] != "none"))
    expected = significance.compare(table, ["activation"])
    assert significance.compare(empty, ["activation"]).equals(expected)


@pytest.mark.parametrize("kind", ["none", "scale"])
def test_a_seed_missing_on_one_side_is_named(kind):
    table = study({"scale": [0.1, 0.3]})
    gap = (table["perturbation"] == kind) & (table["seed"] == 3) & (table["level"] != 0.3)
    with pytest.raises(DataError, match=rf"relu.*lacks \('{kind}', .*seeds \[3\]"):
        significance.compare(table[~gap], ["activation"])


def test_a_study_without_perturbations_is_refused():
    table = study({"scale": [0.1]})
    with pytest.raises(DataError, match="no train_accuracy of perturbed networks"):
        significance.compare(table[table["perturbation"] == "none"], ["activation"])
    with pytest.raises(DataError, match="split train at epoch 3"):
        significance.compare(table, ["activation"], epoch="3")
    with pytest.raises(DataError, match=r"lacks the columns \['perturbation', 'level'\]"):
        significance.compare(table.drop(columns=["perturbation", "level"]), ["activation"])


def test_a_study_without_the_unperturbed_network_is_refused():
    table = study({"scale": [0.1]})
    with pytest.raises(DataError, match="lacks the unperturbed network"):
        significance.compare(table[table["perturbation"] != "none"], ["activation"])


def test_factors_that_do_not_tell_runs_apart_are_refused():
    table = study({"scale": [0.1]}, activations=("abs", "relu"))
    with pytest.raises(DataError, match="holds a seed twice; name every factor"):
        significance.compare(table, ["dataset"])
    with pytest.raises(DataError, match="at least one column"):
        significance.compare(table, [])


def test_gaps_in_values_and_levels_are_refused():
    table = study({"scale": [0.1, 0.3]})
    with pytest.raises(DataError, match=r"not finite, of seeds \[2\]"):
        significance.compare(
            table.assign(value=table["value"].where(table["seed"] != 2)), ["activation"]
        )
    with pytest.raises(DataError, match="perturbations without a level"):
        significance.compare(
            table.assign(level=table["level"].where(table["level"] != 0.3)), ["activation"]
        )


def test_a_grid_that_misses_every_printed_level_is_refused():
    with pytest.raises(DataError, match=r"no measured level of scale .* it has \[0.07, 0.7\]"):
        significance.compare(study({"scale": [0.07, 0.7]}), ["activation"])


def plain_networks(activation="relu", shift=0.0):
    rows = []
    for seed, value in enumerate((0.90, 0.94)):
        value += shift
        rows += [
            row(seed, "none", 0.0, value, activation=activation),
            row(seed, "none", 0.0, value - 0.1, "test_accuracy", "test", activation),
            row(seed, "none", 0.0, 1 - value, "train_loss", "train", activation),
            row(seed, "none", 0.0, 3.0 * seed, "dead_units", "train", activation),
        ]
    return pd.DataFrame(rows)


def test_baseline_by_hand():
    table = pd.concat([plain_networks(), study({"scale": [0.1]}).query("perturbation == 'scale'")])
    result = only(significance.baseline(table, ["activation"]), activation="relu")
    assert result["n"] == 2
    # Two values 0.04 apart: deviation 0.02 dividing by n, 0.02 x sqrt 2 by n - 1.
    for metric, mean in (("train_accuracy", 0.92), ("test_accuracy", 0.82), ("train_loss", 0.08)):
        assert result[f"{metric}_mean"] == pytest.approx(mean)
        assert result[f"{metric}_std_population"] == pytest.approx(0.02)
        assert result[f"{metric}_std"] == pytest.approx(0.02 * np.sqrt(2))
    assert result["dead_units_mean"] == 1.5


def test_baseline_has_a_row_per_condition_and_needs_no_dead_units():
    table = pd.concat([plain_networks("abs", 0.05), plain_networks()])
    result = significance.baseline(table[table["metric"] != "dead_units"], ["activation"])
    assert result["activation"].tolist() == ["abs", "relu"]
    assert result["train_accuracy_mean"].tolist() == pytest.approx([0.97, 0.92])
    assert result["dead_units_mean"].isna().all()


def test_baseline_of_one_seed_has_no_spread():
    table = plain_networks()
    result = significance.baseline(table[table["seed"] == 0], ["activation"]).iloc[0]
    assert result["train_accuracy_mean"] == 0.9
    assert np.isnan([result["train_accuracy_std"], result["train_accuracy_std_population"]]).all()


def test_baseline_names_what_was_not_measured():
    table = plain_networks()
    with pytest.raises(DataError, match="lacks test_accuracy of the unperturbed network"):
        significance.baseline(table[table["metric"] != "test_accuracy"], ["activation"])
    with pytest.raises(DataError, match=r"lacks train_loss of seeds \[1\]"):
        lost = (table["metric"] == "train_loss") & (table["seed"] == 1)
        significance.baseline(table[~lost], ["activation"])
    with pytest.raises(DataError, match="no unperturbed networks"):
        significance.baseline(table, ["activation"], epoch="7")
