import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from neuralcodes.errors import DataError
from neuralcodes.papers import conditions, references, scorecard
from neuralcodes.pipeline import configuration
from neuralcodes.studies import tables

ROOT = Path(__file__).parents[2]
PUBLISHED = ROOT / "resources" / "published"
VERDICTS = {"reproduced", "differs", "not run"}
OVERLAY = {"figure": "model_capacity", "dataset": "mnist"}
# 97.5% quantiles of t with 2, 9 and 19 degrees of freedom, from a printed table
T2, T9, T19 = 4.30265, 2.26216, 2.09302
COLUMNS = ("run", "seed", "epoch", "split", "metric", "value")


@pytest.fixture
def facts():
    """Facts of the published trainings, all of which the study "all" measures at all epochs."""
    epochs = ["0", "1", "3", "6", "10", "20", "30", "40", "60", "80", "100"]
    epochs += ["120", "140", "160", "180", "200", "final"]
    return {
        "trainings": [
            {"run": each.run.id, "studies": {"all": list(epochs)}, "reason": ""}
            for each in conditions.trainings()
        ],
        "metrics": {},
    }


@pytest.fixture
def build(tmp_path, facts):
    """Score tables given as name -> rows, the published trainings being in the study "all"."""

    def scored(facts=facts, **studies):
        paths = []
        for name, rows in {"all": [], **studies}.items():
            paths.append(tmp_path / f"{name}.csv")
            columns = dict.fromkeys([*COLUMNS, *itertools.chain(*rows)])
            pd.DataFrame(rows, columns=list(columns)).to_csv(paths[-1], index=False)
        card = scorecard.build(paths, PUBLISHED, facts)
        assert list(card.columns) == list(scorecard.COLUMNS)
        assert len(card) == 1064 + 222
        assert set(card["verdict"]) <= VERDICTS
        assert ((card["reason"] != "") == (card["verdict"] == "not run")).all()
        return card

    return scored


def run_of(figure, width=None, size=None, dataset="mnist", activation="relu"):
    (found,) = [
        each.run.id
        for each in conditions.trainings()
        if (each.figure, each.run.dataset, each.run.sample_size) == (figure, dataset, size)
        and (width is None or each.run.width == width * each.run.depth)
        and each.run.activation == activation
    ]
    return found


def codes(run, values, metric="redundancy_ratio", split="train", epoch="final", first=0, **more):
    return [
        {"run": run, "seed": seed, "epoch": epoch, "split": split, "metric": metric}
        | {"value": value, **more}
        for seed, value in enumerate(values, start=first)
    ]


def perturbed(values, kind="none", level=0.0, metric="train_accuracy", split="train", **run):
    run = run_of("perturbation", **run)
    return codes(run, values, metric=metric, split=split, perturbation=kind, level=level)


def one(card, condition, metric="redundancy_ratio", split="train", **where):
    wanted = {"condition": condition, "metric": metric, "split": split, **where}
    for name, value in wanted.items():
        card = card[card[name] == value]
    assert len(card) == 1
    return card.iloc[0]


def test_a_value_is_compared_with_the_mean_of_our_seeds(build):
    # 0.1012 is published, read to 0.0009
    row = one(
        build(all=codes(run_of("model_capacity", 40), [0.09, 0.10, 0.11])),
        "width 40",
        dataset="mnist",
        source="model_capacity",
    )
    assert row["published"] == 0.1012
    assert row["ours"] == pytest.approx(0.10)
    assert row["std"] == pytest.approx(0.01)
    assert row["n"] == 3
    assert row["interval"] == pytest.approx(T2 * 0.01 / 3**0.5, rel=1e-5)
    assert row["allowance"] == pytest.approx(T9 * 0.01 / 10**0.5, rel=1e-5)
    assert row["tolerance"] == pytest.approx(
        row["reading_error"] + row["interval"] + row["allowance"]
    )
    assert (row["low"], row["high"]) == pytest.approx((0.0751586, 0.1248414))
    assert row["difference"] == pytest.approx(-0.0012)
    assert (row["verdict"], row["reason"], row["study"]) == ("reproduced", "", "all")
    assert row["run"] == run_of("model_capacity", 40)
    assert row["epoch"] == "final"


def test_the_statistics_are_those_of_the_summary(build):
    values = [0.0891, 0.0777, 0.1013, 0.0954]
    rows = codes(run_of("model_capacity", 40), values)
    row = one(build(all=rows), "width 40", dataset="mnist")
    summary = tables.summarize(pd.DataFrame(rows)).iloc[0]
    assert row["ours"] == summary["mean"]
    for name in ("low", "high", "std", "n"):
        assert row[name] == pytest.approx(summary[name])


def test_a_value_far_from_ours_differs(build):
    row = one(build(all=codes(run_of("model_capacity", 40), [0.05, 0.051])), "width 40", n=2)
    assert row["verdict"] == "differs"


def test_without_any_table_nothing_is_run_and_nothing_is_dropped(tmp_path):
    settings = configuration.load({"preset": "digits"}, ROOT, {})
    card = scorecard.build([], PUBLISHED, conditions.facts(settings))
    assert len(card) == 1286
    assert set(card["verdict"]) == {"not run"}
    assert (card["reason"] != "").all()
    assert set(card["run"]) == {""} == set(card["study"])
    assert card["ours"].isna().all()


def test_the_mnist_preset_gives_every_value_a_verdict_or_a_reason(tmp_path):
    settings = configuration.load({"preset": "mnist"}, ROOT, {})
    facts = conditions.facts(settings)
    rows = {name: [] for name in conditions.scored_studies(settings)}
    for value in references.rows(references.read(PUBLISHED)):
        fact = facts["trainings"][value.training]
        for name in fact["studies"]:
            near = [value.published - 0.001, value.published, value.published + 0.001]
            rows[name] += codes(fact["run"], near, value.metric, value.split, value.epoch)
    paths = [tmp_path / f"{name}.csv" for name in rows]
    for path in paths:
        pd.DataFrame(rows[path.stem], columns=COLUMNS).to_csv(path, index=False)
    card = scorecard.build(paths, PUBLISHED, facts)
    assert len(card) == 1286
    counts = card["verdict"].value_counts()
    assert counts["reproduced"] == 147
    assert counts["not run"] == 1286 - 147
    reasons = card["reason"].value_counts()
    assert reasons["CIFAR-10 is not among the datasets"] == 526
    assert reasons["epochs is 150 here, 5,000 published"] == 222
    assert set(card.loc[card["study"] != "", "verdict"]) == {"reproduced"}


def test_epochs_are_matched_and_missing_ones_told(build, facts):
    run = run_of("training_time", 40)
    for each in facts["trainings"]:
        each["studies"] = {"all": ["3", "60"]}
    # as measured: the published figure calls it test (A1)
    card = build(all=codes(run, [0.06, 0.07], epoch="60") + codes(run, [0.9, 0.9], epoch="3"))
    row = one(card, "width 40, epoch 60", split_status="corrected")
    assert (row["ours"], row["epoch"], row["n"]) == (0.065, "60", 2)
    missing = one(card, "width 40, epoch 100")
    assert missing["reason"] == "epoch 100 is not among the checkpoints"
    assert (missing["run"], missing["study"]) == (run, "")
    final = one(card, "width 40", source="model_capacity", dataset="mnist")
    assert final["reason"] == "the end of training is not among the checkpoints"


def test_the_last_epoch_without_early_stopping_is_the_end_of_training(build, facts):
    run = run_of("training_time", 10, dataset="cifar10")
    for each in facts["trainings"]:
        each["studies"] = {"all": ["final"]}
    card = build(all=codes(run, [0.09, 0.10]))
    row = one(card, "width 10 per layer, epoch 200")
    assert (row["ours"], row["epoch"]) == (0.095, "200")


def test_values_that_cannot_be_reached_say_why(build):
    card = build()
    late = one(card, "width 40, epoch 2,000")
    assert "(A6)" in late["reason"]
    large = one(card, "width 40, 60,000 examples")
    assert "(A4)" in large["reason"]
    assert card["reason"].str.contains(r"\(A6\)").sum() == 105
    assert card["reason"].str.contains(r"\(A4\)").sum() == 15


def test_a_metric_that_was_not_measured_is_told(build):
    card = build(all=codes(run_of("model_capacity", 40), [0.1, 0.1]))
    row = one(card, "width 40", metric="knn_accuracy", split="test", source="model_capacity")
    assert row["reason"] == "knn_accuracy was not measured"
    # measured, but not on the split of the figure
    row = one(card, "width 40", split="test", source="model_capacity", dataset="mnist")
    assert row["reason"] == "redundancy_ratio was not measured"


def test_a_metric_with_other_settings_is_not_compared(build, facts):
    facts["metrics"] = {"knn_accuracy": "knn_k is 5 here, 9 published"}
    rows = codes(run_of("model_capacity", 40), [0.9, 0.9], "knn_accuracy", "test")
    row = one(build(all=rows), "width 40", metric="knn_accuracy", split="test", dataset="mnist")
    assert (row["verdict"], row["reason"]) == ("not run", "knn_k is 5 here, 9 published")


def test_a_split_that_is_unknown_counts_as_training(build):
    run = run_of("model_capacity", 40)
    rows = codes(run, [0.57, 0.58], "kmeans_accuracy") + codes(
        run, [0.1, 0.2], "kmeans_accuracy", "test"
    )
    row = one(build(all=rows), "width 40", metric="kmeans_accuracy", dataset="mnist", n=2)
    assert row["ours"] == pytest.approx(0.575)
    assert row["split_status"] == "unknown"


def test_one_seed_has_no_verdict_but_is_shown(build):
    row = one(build(all=codes(run_of("model_capacity", 40), [0.1012])), "width 40", n=1)
    assert (row["verdict"], row["ours"]) == ("not run", 0.1012)
    assert row["reason"] == "one seed has a value, an interval takes two"
    assert row[["low", "high", "std", "difference", "interval", "tolerance"]].isna().all()


@pytest.mark.parametrize(
    ("values", "verdict", "n"),
    [
        ([0.1012, np.nan, 0.1014], "reproduced", 2),
        ([np.nan, np.nan, 0.1012], "not run", 1),
        ([np.nan, np.nan, np.nan], "not run", 0),
        ([0.1012, 0.1012, np.inf], "not run", 3),
        ([-np.inf, 0.1012, np.inf], "not run", 3),
        ([0.1012, 0.1012, 0.1012], "reproduced", 3),
        ([0.2, 0.2, 0.2], "differs", 3),
    ],
)
def test_undefined_seeds_are_left_out_and_infinite_ones_are_not(build, values, verdict, n):
    card = build(all=codes(run_of("model_capacity", 40), values))
    row = one(card, "width 40", dataset="mnist", source="model_capacity")
    assert (row["verdict"], row["n"]) == (verdict, n)


def test_a_run_of_two_studies_has_each_seed_once(build, facts):
    for each in facts["trainings"]:
        each["studies"] = {"figure": ["final"], "more": ["final"]}
    run = run_of("model_capacity", 40)
    card = build(
        more=codes(run, [0.10, 0.11, 0.12, 0.13]),  # seeds 0 to 3
        figure=codes(run, [0.10, 0.11]),
    )
    row = one(card, "width 40", source="model_capacity", dataset="mnist")
    assert row["n"] == 4
    assert row["ours"] == pytest.approx(0.115)
    assert row["study"] == "figure"


def test_a_study_that_lists_a_run_twice_gives_each_seed_once(build):
    run = run_of("model_capacity", 40)
    card = build(all=codes(run, [0.1, 0.2], recipe="a") + codes(run, [0.1, 0.2], recipe="b"))
    assert one(card, "width 40", source="model_capacity", dataset="mnist")["n"] == 2


def test_a_study_that_is_not_of_the_run_has_no_say(build, facts):
    for each in facts["trainings"]:
        each["studies"] = {"figure": ["final"]}
    run = run_of("model_capacity", 40)
    card = build(figure=codes(run, [0.1, 0.11]), other=codes(run, [0.9, 0.9, 0.9]))
    row = one(card, "width 40", source="model_capacity", dataset="mnist")
    assert (row["n"], row["study"]) == (2, "figure")


def test_rows_of_layers_random_inputs_and_other_representations_stay_out(build):
    run = run_of("model_capacity", 40)
    parts = ("layer", "unit", "method", "representation", "member", "manifold", "position")
    of_parts = [codes(run, [0.9, 0.9], **{name: 1}) for name in parts]
    random = codes(run, [0.8, 0.8], split="zero_one")
    own = codes(run, [0.10, 0.11])
    unperturbed = codes(run, [0.7, 0.7], perturbation="none", level=0.0)
    rows = [*own, *itertools.chain(*of_parts), *random, *unperturbed]
    row = one(build(all=rows), "width 40", source="model_capacity", dataset="mnist")
    assert (row["n"], row["ours"]) == (2, pytest.approx(0.105))


def test_large_tables_are_read_part_by_part(build, monkeypatch):
    monkeypatch.setattr("neuralcodes.papers.measurements._ROWS_AT_A_TIME", 2)
    run = run_of("model_capacity", 40)
    rows = codes("another-mlp1x40-00000000", [0.5] * 3) + codes(run, [0.1, 0.11, 0.12])
    assert one(build(all=rows), "width 40", source="model_capacity", dataset="mnist")["n"] == 3


def test_printed_accuracies_and_losses_of_the_baseline(build):
    # published: 98.33 +- 0.15 %, divides by n = 20
    card = build(
        all=perturbed([0.982, 0.984, 0.986])
        + perturbed([0.055, 0.061, 0.064], metric="train_loss")
        + perturbed([0.95, 0.96, 0.97], metric="test_accuracy", split="test")
    )
    row = one(card, "ReLU, no perturbation", metric="train_accuracy")
    theirs = 0.0015 * (20 / 19) ** 0.5
    assert (row["source"], row["panel"]) == ("stat_baseline", "")
    assert (row["published"], row["ours"]) == pytest.approx((0.9833, 0.984))
    assert row["allowance"] == pytest.approx(T19 * theirs / 20**0.5, rel=1e-5)
    assert row["interval"] == pytest.approx(T2 * 0.002 / 3**0.5, rel=1e-5)
    assert row["reading_error"] == pytest.approx(0.00005)
    assert row["verdict"] == "reproduced"
    loss = one(card, "ReLU, no perturbation", metric="train_loss")
    assert (loss["published"], loss["ours"]) == pytest.approx((0.061, 0.06))
    test = one(card, "ReLU, no perturbation", metric="test_accuracy", split="test")
    assert (test["published"], test["ours"]) == pytest.approx((0.9561, 0.96))
    other = one(card, "Abs, no perturbation", metric="train_accuracy")
    assert other["reason"] == "train_accuracy was not measured"


def test_a_history_is_no_measurement_of_the_final_network(build):
    run = run_of("perturbation")
    card = build(all=codes(run, [0.98, 0.98], metric="train_accuracy", epoch="5000"))
    row = one(card, "ReLU, no perturbation", metric="train_accuracy")
    assert row["reason"] == "train_accuracy was not measured"


def test_levels_stand_for_the_printed_ones_near_them(build):
    # printed 5%, the grid has 4.977%; 30% is 30.54%; 20% has no level near
    rows = perturbed([0.97, 0.98], "scale", 0.0497702356)
    rows += perturbed([0.5, 0.6], "scale", 0.06) + perturbed([0.96, 0.97], "clip", 0.305385551)
    card = build(all=rows)
    row = one(card, "ReLU, scale 5%", metric="train_accuracy")
    assert (row["ours"], row["n"]) == (pytest.approx(0.975), 2)
    # ours: no spread is printed
    assert row["allowance"] == pytest.approx(T19 * row["std"] / 20**0.5, rel=1e-5)
    assert one(card, "ReLU, clip 30%", metric="train_accuracy")["ours"] == pytest.approx(0.965)
    missing = one(card, "ReLU, clip 20%", metric="train_accuracy")
    assert missing["reason"] == "no measured level of clip is near 20%"
    missing = one(card, "ReLU, offset -25%", metric="train_accuracy")
    assert missing["reason"] == "perturbation offset was not measured"
    missing = one(card, "Abs, scale 5%", metric="train_accuracy")
    assert missing["reason"] == "perturbation scale was not measured"


def scaled(n, rng, activation="relu"):
    """Accuracies at entry 50 of the scale grid and at 10%, of n seeds."""
    reference = 0.98 + 0.001 * rng.standard_normal(n)
    sample = reference - 0.002 + 0.0009 * rng.standard_normal(n)
    rows = perturbed(reference, "scale", 0.327454916, activation=activation)
    return rows + perturbed(sample, "scale", 0.1, activation=activation), reference, sample


def test_tests_compare_with_entry_50_of_the_grid(build):
    rows, reference, sample = scaled(20, np.random.default_rng(0))
    shuffled = [rows[i] for i in np.random.default_rng(1).permutation(len(rows))]
    card = build(all=shuffled)
    expected = stats.ttest_rel(reference, sample)
    t = one(card, "ReLU, scale 10%", metric="t_statistic")
    assert t["published"] == 10.4
    assert t["ours"] == pytest.approx(expected.statistic)
    assert t["interval"] == pytest.approx(T19 * (1 + expected.statistic**2 / 38) ** 0.5, rel=1e-5)
    assert t["allowance"] == pytest.approx(T19 * (1 + 10.4**2 / 38) ** 0.5, rel=1e-5)
    assert t["verdict"] == "reproduced"
    p = one(card, "ReLU, scale 10%", metric="p_value")
    assert p["ours"] == pytest.approx(expected.pvalue)
    assert p["verdict"] == "reproduced"
    assert np.isnan(p["tolerance"])


def test_a_test_of_the_opposite_sign_differs_and_so_does_its_p(build):
    rows, reference, sample = scaled(20, np.random.default_rng(0))
    turned = perturbed(sample, "scale", 0.327454916) + perturbed(reference, "scale", 0.1)
    card = build(all=turned)
    assert one(card, "ReLU, scale 10%", metric="t_statistic")["verdict"] == "differs"
    assert one(card, "ReLU, scale 10%", metric="p_value")["verdict"] == "differs"
    assert one(card, "ReLU, scale 10%", metric="train_accuracy")["verdict"] != "not run"
    assert len(rows) == 40


def test_tests_need_as_many_seeds_as_the_paper(build):
    rows, *_ = scaled(3, np.random.default_rng(0))
    card = build(all=rows)
    for metric in ("t_statistic", "p_value"):
        row = one(card, "ReLU, scale 10%", metric=metric)
        assert row["verdict"] == "not run"
        assert row["reason"] == "a test of 20 seeds is compared with one of as many; here are 3"
    assert one(card, "ReLU, scale 10%", metric="train_accuracy")["verdict"] != "not run"


def test_tests_need_the_level_that_they_compare_with(build):
    card = build(all=perturbed([0.9] * 20, "scale", 0.1) + perturbed([0.9] * 20, "offset", -0.25))
    row = one(card, "ReLU, scale 10%", metric="t_statistic")
    assert row["reason"] == "the level that the test compares with, 32.7%, was not measured"
    row = one(card, "ReLU, offset -25%", metric="p_value")
    assert row["reason"] == "the level that the test compares with, -22%, was not measured"


def test_tests_without_a_difference_have_no_verdict(build):
    same = perturbed([0.98] * 20, "scale", 0.327454916) + perturbed([0.98] * 20, "scale", 0.5)
    row = one(build(all=same), "ReLU, scale 50%", metric="t_statistic")
    assert row["verdict"] == "not run"
    assert "no test" in row["reason"]


def test_seeds_without_a_value_are_no_pairs(build):
    rows, *_ = scaled(20, np.random.default_rng(0))
    rows[3]["value"] = np.nan
    row = one(build(all=rows), "ReLU, scale 10%", metric="t_statistic")
    assert (row["verdict"], row["n"]) == ("not run", 19)


def test_totals_count_every_value_and_give_medians_in_one_unit(build):
    width = {each: run_of("model_capacity", each) for each in (40, 43, 47)}
    rows = codes(width[40], [0.1012, 0.1012])  # published 0.1012 +- 0.0009
    rows += codes(width[43], [0.5, 0.5]) + perturbed([9.0, 9.0], metric="train_loss")
    card = build(all=rows)
    totals = scorecard.totals(card)
    assert totals["values"].sum() == len(card) == 1286
    counts = totals[["reproduced", "differs", "not_run"]]
    assert (counts.sum(axis="columns") == totals["values"]).all()
    assert list(totals.columns) == [
        *("paper", "source", "dataset", "reproduced", "differs", "not_run", "values"),
        *("median_difference", "median_tolerance"),
    ]
    first = totals.iloc[0]
    assert (first["source"], first["dataset"], first["values"]) == ("model_capacity", "mnist", 114)
    assert (first["reproduced"], first["differs"], first["not_run"]) == (1, 1, 112)
    published = one(card, "width 43", source="model_capacity")["published"]
    assert first["median_difference"] == pytest.approx((0.5 - published) / 2)
    # the loss is counted, but it is no accuracy
    baseline = totals[totals["source"] == "stat_baseline"].iloc[0]
    assert (baseline["differs"], baseline["not_run"]) == (1, 5)
    assert np.isnan(baseline["median_difference"])
    assert np.isnan(baseline["median_tolerance"])


def test_both_files_are_written_whole(tmp_path, facts):
    pd.DataFrame(codes(run_of("model_capacity", 40), [0.1, 0.11])).to_csv(
        tmp_path / "all.csv", index=False
    )
    card, total = tmp_path / "out" / "scorecard.csv", tmp_path / "out" / "scorecard.totals.csv"
    values = [PUBLISHED / name for name in conditions.FILES]
    scorecard.write([tmp_path / "all.csv"], values, facts, card, total)
    assert sorted(path.name for path in card.parent.iterdir()) == [card.name, total.name]
    read = pd.read_csv(card, keep_default_na=False)
    assert list(read.columns) == list(scorecard.COLUMNS)
    assert len(read) == 1286
    assert read.loc[read["n"] != "", "n"].tolist() == ["2"]
    assert pd.read_csv(total)["values"].sum() == 1286


def test_a_missing_or_damaged_table_is_named(tmp_path, facts):
    with pytest.raises(DataError, match=r"tables of \['all'\] are missing"):
        scorecard.build([], PUBLISHED, facts)
    path = tmp_path / "all.csv"
    with pytest.raises(DataError, match=r"all\.csv does not exist"):
        scorecard.build([path], PUBLISHED, facts)
    path.write_text("")
    with pytest.raises(DataError, match=r"all\.csv is no study's table"):
        scorecard.build([path], PUBLISHED, facts)
    path.write_text("run,seed\na,1\n")
    with pytest.raises(DataError, match="lacks the columns"):
        scorecard.build([path], PUBLISHED, facts)
    path.write_text("run,seed,epoch,split,metric,value\na,1,final,train,x,much\n")
    with pytest.raises(DataError, match=r"all\.csv is no study's table"):
        scorecard.build([path], PUBLISHED, facts)
