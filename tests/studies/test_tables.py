import numpy as np
import pandas as pd
import pytest
from scipy import stats

from neuralcodes.errors import DataError
from neuralcodes.studies import tables

FACTORS = {
    "study": "model_size",
    "dataset": "digits",
    "depth": 1,
    "width": 8,
    "width_per_layer": 8,
    "sample_size": 1149,
}
HEADER = "run,seed,epoch,split,metric,value\n"


def metrics_file(folder, name, rows):
    path = folder / name
    path.write_text(HEADER + "".join(f"{row}\n" for row in rows))
    return path


def long_table(values, **factors):
    rows = [
        {**FACTORS, **factors, "run": "r", "seed": seed, "epoch": "final", "split": "test"}
        | {"metric": "knn_accuracy", "value": value}
        for seed, value in enumerate(values)
    ]
    return pd.DataFrame(rows)


def test_join_puts_the_factors_of_each_run_beside_its_values(tmp_path):
    narrow = metrics_file(tmp_path, "a.csv", ["narrow,0,final,test,knn_accuracy,0.5"])
    wide = metrics_file(tmp_path, "b.csv", ["wide,0,final,test,knn_accuracy,0.75"])
    table = tables.join([(wide, {**FACTORS, "width": 16}), (narrow, FACTORS)])
    assert table.columns.tolist() == [
        *("study", "dataset", "run", "depth", "width", "width_per_layer", "sample_size"),
        *("seed", "epoch", "split", "metric", "value"),
    ]
    assert table[["run", "width", "value"]].to_numpy().tolist() == [
        ["narrow", 8, 0.5],
        ["wide", 16, 0.75],
    ]


def test_join_keeps_varied_factors_after_the_common_ones_and_the_layer(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("run,seed,epoch,split,layer,metric,value\nr,0,final,test,1,knn_accuracy,0.5\n")
    table = tables.join([(path, {"dropout": 0.2, **FACTORS})])
    assert table.columns.tolist()[6:] == [
        *("sample_size", "dropout", "seed", "epoch", "split", "layer", "metric", "value"),
    ]


def test_join_keeps_what_hash_networks_have_in_order(tmp_path):
    known = {"study": "s", "dataset": "made", "width": 30, "family": "poly", "manifolds": 5}
    known |= {"points": 4, "hash_width": 8, "relative_manifolds": 0.5, "weight_decay": 3.0}
    header = "run,seed,epoch,split,representation,member,manifold,position,metric,value\n"
    (tmp_path / "a.csv").write_text(f"{header}r,0,final,unseen,input,0,1,2,component_1,0.5\n")
    (tmp_path / "b.csv").write_text(
        "run,seed,epoch,split,method,metric,value\nr,0,final,unseen,exact,recall_at_1,0.5\n"
    )
    table = tables.join([(tmp_path / "a.csv", known), (tmp_path / "b.csv", known)])
    assert table.columns.tolist() == [
        *("study", "dataset", "run", "width", "family", "manifolds", "points", "hash_width"),
        *("relative_manifolds", "weight_decay", "seed", "epoch", "split", "representation"),
        *("method", "member", "manifold", "position", "metric", "value"),
    ]
    by_metric = table.set_index("metric")
    assert by_metric.loc["component_1", ["member", "manifold", "position"]].tolist() == [0, 1, 2]
    assert by_metric.loc["recall_at_1", "method"] == "exact"
    assert by_metric.loc["recall_at_1", ["representation", "position"]].isna().all()


def test_join_leaves_a_factor_empty_where_a_run_lacks_it(tmp_path):
    first = metrics_file(tmp_path, "a.csv", ["a,0,final,test,knn_accuracy,0.5"])
    second = metrics_file(tmp_path, "b.csv", ["b,0,final,test,knn_accuracy,0.6"])
    table = tables.join([(first, FACTORS), (second, {**FACTORS, "subset": "first"})])
    assert table["subset"].isna().tolist() == [True, False]


def test_join_sorts_epochs_as_numbers_with_final_last_whatever_the_order_of_files(tmp_path):
    rows = [f"r,0,{epoch},test,knn_accuracy,0.5" for epoch in ("final", "10", "0", "3")]
    path = metrics_file(tmp_path, "a.csv", rows)
    assert tables.join([(path, FACTORS)])["epoch"].tolist() == ["0", "3", "10", "final"]


def test_join_sorts_accuracies_behind_the_epochs_and_before_the_end(tmp_path):
    expected = ["0", "200", "accuracy5", "accuracy50", "accuracy100", "final"]
    rows = [f"r,0,{epoch},test,knn_accuracy,0.5" for epoch in sorted(expected, reverse=True)]
    path = metrics_file(tmp_path, "a.csv", rows)
    assert tables.join([(path, FACTORS)])["epoch"].tolist() == expected
    assert tables.epoch_order(expected).tolist() == sorted(tables.epoch_order(expected))


@pytest.mark.parametrize("name", ["accuracy", "accuracy9.5", "accuracies90", "-1"])
def test_join_refuses_what_is_no_name_of_a_checkpoint(tmp_path, name):
    path = metrics_file(tmp_path, "a.csv", [f"r,0,{name},test,knn_accuracy,0.5"])
    message = f'must be whole numbers, "accuracy90" or "final"; got {name!r}'
    with pytest.raises(DataError, match=message):
        tables.join([(path, FACTORS)])


def test_join_sorts_levels_of_a_perturbation_as_numbers(tmp_path):
    path = tmp_path / "a.csv"
    head = "run,seed,epoch,split,perturbation,level,metric,value\n"
    lines = [f"r,0,final,test,scale,{level},test_accuracy,0.5\n" for level in (10, 0.5, -2, 3)]
    path.write_text(head + "".join(lines))
    table = tables.join([(path, FACTORS)])
    assert table["level"].tolist() == [-2, 0.5, 3, 10]
    assert table.columns.tolist()[-4:] == ["perturbation", "level", "metric", "value"]


def test_join_keeps_infinite_and_empty_values_apart(tmp_path):
    rows = ["r,0,final,test,away_median,inf", "r,1,final,test,away_median,"]
    table = tables.join([(metrics_file(tmp_path, "a.csv", rows), FACTORS)])
    assert table["value"].tolist()[0] == np.inf
    assert np.isnan(table["value"].tolist()[1])


def test_join_refuses_an_empty_list():
    with pytest.raises(DataError, match="no metric files"):
        tables.join([])


def test_join_refuses_a_run_without_sample_size(tmp_path):
    path = metrics_file(tmp_path, "a.csv", ["r,0,final,test,knn_accuracy,0.5"])
    with pytest.raises(DataError, match=r"lack \['sample_size'\]"):
        tables.join([(path, {**FACTORS, "sample_size": None})])


def test_join_refuses_a_factor_that_is_a_list(tmp_path):
    path = metrics_file(tmp_path, "a.csv", ["r,0,final,test,knn_accuracy,0.5"])
    with pytest.raises(DataError, match=r"factor widths .* must be one number"):
        tables.join([(path, {**FACTORS, "widths": [8, 8]})])


def test_join_refuses_the_same_file_twice(tmp_path):
    path = metrics_file(tmp_path, "a.csv", ["r,0,final,test,knn_accuracy,0.5"])
    with pytest.raises(DataError, match=r"2 rows are not unique.*knn_accuracy"):
        tables.join([(path, FACTORS), (path, FACTORS)])


def test_join_refuses_a_file_without_rows(tmp_path):
    with pytest.raises(DataError, match="holds no measurements"):
        tables.join([(metrics_file(tmp_path, "a.csv", []), FACTORS)])


def test_join_refuses_a_file_without_a_value_column(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("run,seed,epoch,split,metric\nr,0,final,test,knn_accuracy\n")
    with pytest.raises(DataError, match=r"a\.csv lacks the columns \['value'\]"):
        tables.join([(path, FACTORS)])


def test_join_refuses_values_that_are_not_numbers(tmp_path):
    path = metrics_file(tmp_path, "a.csv", ["r,0,final,test,knn_accuracy,good"])
    with pytest.raises(DataError, match="not numbers"):
        tables.join([(path, FACTORS)])


def test_join_refuses_a_misspelt_epoch(tmp_path):
    path = metrics_file(tmp_path, "a.csv", ["r,0,last,test,knn_accuracy,0.5"])
    with pytest.raises(DataError, match="'last'"):
        tables.join([(path, FACTORS)])


def test_summary_of_three_seeds_is_the_t_interval_computed_by_hand():
    row = tables.summarize(long_table([0.1, 0.2, 0.3])).iloc[0]
    # mean 0.2, standard deviation 0.1, t(0.975; 2) = 4.302653, half width 0.1 t / sqrt(3)
    assert row["mean"] == pytest.approx(0.2)
    assert row["std"] == pytest.approx(0.1)
    assert row["low"] == pytest.approx(0.2 - 0.2484138)
    assert row["high"] == pytest.approx(0.2 + 0.2484138)
    assert row["n"] == 3


def test_summary_agrees_with_scipy_for_ten_seeds():
    values = np.random.default_rng(1).normal(size=10)
    row = tables.summarize(long_table(values)).iloc[0]
    low, high = stats.t.interval(0.95, 9, values.mean(), stats.sem(values))
    assert [row["low"], row["high"]] == pytest.approx([low, high])


def test_summary_of_one_seed_has_no_spread():
    row = tables.summarize(long_table([0.4])).iloc[0]
    assert (row["mean"], row["n"]) == (0.4, 1)
    assert row[["std", "low", "high"]].isna().all()


def test_summary_leaves_empty_values_out_and_counts_the_others():
    row = tables.summarize(long_table([0.1, np.nan, 0.3])).iloc[0]
    assert (row["mean"], row["n"]) == (pytest.approx(0.2), 2)


def test_summary_of_only_empty_values_is_empty():
    row = tables.summarize(long_table([np.nan, np.nan])).iloc[0]
    assert row["n"] == 0
    assert row[["mean", "std", "low", "high"]].isna().all()


def test_summary_never_averages_infinity_away():
    row = tables.summarize(long_table([1.0, np.inf, 3.0])).iloc[0]
    assert row["mean"] == np.inf
    assert row[["std", "low", "high"]].isna().all()


def test_summary_keeps_points_apart_whose_factor_is_absent():
    both = pd.concat([long_table([0.1], subset=None), long_table([0.9], subset="first")])
    summary = tables.summarize(both)
    assert sorted(summary["mean"]) == [0.1, 0.9]
    assert summary["n"].tolist() == [1, 1]


def test_summary_drops_run_seed_and_value():
    summary = tables.summarize(long_table([0.1, 0.2]))
    assert not {"run", "seed", "value"} & set(summary.columns)
    assert tables.key_columns(summary) == [*FACTORS, "epoch", "split", "metric"]


def test_summary_refuses_two_runs_that_its_factors_do_not_tell_apart():
    twice = pd.concat([long_table([0.1]), long_table([0.2]).assign(run="other")])
    with pytest.raises(DataError, match="every factor in which the runs differ"):
        tables.summarize(twice)


def test_summary_refuses_a_table_without_seeds():
    with pytest.raises(DataError, match=r"lacks the columns \['seed'\]"):
        tables.summarize(long_table([0.1]).drop(columns="seed"))


def test_summary_does_not_depend_on_the_order_of_rows():
    table = pd.concat([long_table([0.1, 0.2], width=width) for width in (100, 9, 30)])
    shuffled = table.sample(frac=1, random_state=3)
    pd.testing.assert_frame_equal(tables.summarize(table), tables.summarize(shuffled))
    assert tables.summarize(table)["width"].tolist() == [9, 30, 100]


def test_written_tables_read_back_with_nine_digits(tmp_path):
    summary = tables.summarize(long_table([1 / 3, 2 / 3, np.inf], batch_norm=True))
    tables.write(summary, tmp_path / "deep" / "s.csv")
    again = tables.read(tmp_path / "deep" / "s.csv")
    pd.testing.assert_frame_equal(again, summary, rtol=1e-8, check_dtype=False)
    assert again["epoch"].tolist() == ["final"]
    assert again["batch_norm"].tolist() == [True]
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["s.csv"]


def test_writing_keeps_nine_significant_digits(tmp_path):
    tables.write(long_table([1 / 3]), tmp_path / "t.csv")
    assert "0.333333333" in (tmp_path / "t.csv").read_text()


def test_reading_names_a_missing_table(tmp_path):
    with pytest.raises(DataError, match=r"none\.csv does not exist"):
        tables.read(tmp_path / "none.csv")


def test_reading_refuses_an_empty_file(tmp_path):
    (tmp_path / "empty.csv").touch()
    with pytest.raises(DataError, match="is not a CSV table"):
        tables.read(tmp_path / "empty.csv")


def test_require_lists_missing_and_present_columns():
    with pytest.raises(DataError, match=r"the thing lacks the columns \['b'\]; it has \['a'\]"):
        tables.require(pd.DataFrame({"a": []}), ["a", "b"], "the thing")


def test_texts_are_read_as_they_stand(tmp_path):
    (tmp_path / "a.csv").write_text("value,note\n1.50,\nnan,NA\n")
    table = tables.read_texts(tmp_path / "a.csv")
    assert table.to_dict("list") == {"value": ["1.50", "nan"], "note": ["", "NA"]}
    with pytest.raises(DataError, match=r"none\.csv does not exist"):
        tables.read_texts(tmp_path / "none.csv")
