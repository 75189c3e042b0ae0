from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from neuralcodes.errors import DataError
from neuralcodes.papers import conditions, published, references

PUBLISHED = Path(__file__).parents[2] / "resources" / "published"


@pytest.fixture(scope="module")
def table():
    return references.read(PUBLISHED)


def one(table, **where):
    for name, value in where.items():
        table = table[table[name] == value]
    (row,) = references.rows(table)
    return row


def lines(name):
    return len((PUBLISHED / name).read_text().splitlines()) - 1


def test_every_published_value_is_there_once(table):
    counts = table["paper"].value_counts()
    assert counts["he2021"] == lines("he2021.csv") == 1064
    assert counts["oursland2024"] == lines("oursland2024.csv") == 222
    assert not table.duplicated(["source", "dataset", "condition", "split", "metric"]).any()


def test_occluded_values_stay_out(table):
    hidden = pd.read_csv(PUBLISHED / "he2021_occluded_inferred.csv")
    assert len(hidden) == 93
    # MNIST training redundancy against model capacity lies under the test line at width 100
    where = {"source": "model_capacity", "condition": "width 100", "split": "train"}
    chosen = table[(table[list(where)] == pd.Series(where)).all(axis="columns")]
    assert "redundancy_ratio" not in set(chosen["metric"])


def test_values_keep_their_numbers_and_every_column_is_filled(table):
    printed = pd.read_csv(PUBLISHED / "he2021.csv")
    values = table[table["paper"] == "he2021"]
    assert values["published"].sum() == pytest.approx(printed["value"].sum())
    assert values["reading_error"].sum() == pytest.approx(printed["reading_error"].sum())
    assert table.drop(columns="published_std").notna().all(axis=None)


def test_a_point_of_a_curve(table):
    row = one(
        table,
        source="sample_size",
        condition="width 40, 60 examples",
        split="train",
        paper="he2021",
    )
    assert (row.panel, row.dataset, row.metric) == ("c_redundancy", "mnist", "redundancy_ratio")
    assert (row.published, row.reading_error) == (0.1065, 0.0009)
    assert (row.epoch, row.perturbation, row.level) == ("final", "", 0)
    run = conditions.trainings()[row.training].run
    assert (run.width, run.sample_size, run.subset, run.patience) == (40, 60, "first", 10)


def test_conditions_can_be_read(table):
    texts = set(table["condition"])
    assert {"width 23", "width 40, epoch 1,000", "width 50, 10,000 examples"} <= texts
    assert {"width 80 per layer, 40,000 examples", "width 10 per layer, epoch 0"} <= texts
    assert {"ReLU, no perturbation", "Abs, scale 1000%", "ReLU, clip 30%"} <= texts
    assert {"Abs, offset -75%", "ReLU, offset +3%", "ReLU, offset 0%"} <= texts


def test_splits_are_put_right(table):
    capacity = one(table, condition="width 57", metric="kmeans_accuracy")
    assert (capacity.split, capacity.split_status) == (published.ASSUMED_SPLIT, "unknown")
    swapped = table[(table["source"] == "training_time") & (table["dataset"] == "mnist")]
    late = one(
        swapped, condition="width 40, epoch 2,000", metric="redundancy_ratio", published=0.0997
    )
    assert (late.split, late.split_status) == ("train", "corrected")
    kmeans = one(swapped, condition="width 40, epoch 2,000", metric="kmeans_accuracy")
    assert (kmeans.split, kmeans.split_status) == ("test", "unknown")


def test_printed_accuracies_are_fractions_and_their_errors_half_a_digit(table):
    row = one(table, source="stat_baseline", condition="ReLU, no perturbation", split="test")
    assert row.metric == "test_accuracy"
    assert row.published == pytest.approx(0.9561)
    assert row.reading_error == pytest.approx(0.00005)
    # printed 0.14, which divides by 20
    assert row.published_std == pytest.approx(0.0014 * np.sqrt(20 / 19))
    assert (row.perturbation, row.level) == ("none", 0)


def test_a_printed_loss_t_and_p(table):
    loss = one(table, condition="ReLU, no perturbation", metric="train_loss")
    assert (loss.published, loss.reading_error) == (0.061, pytest.approx(0.00005))
    where = {"condition": "ReLU, scale 1%", "split": "train"}
    t = one(table, metric="t_statistic", **where)
    assert (t.published, t.reading_error, t.level) == (15.6, pytest.approx(0.05), 0.01)
    p = one(table, metric="p_value", **where)
    assert (p.published, p.reading_error) == (2.8e-12, pytest.approx(5e-14))
    assert np.isnan(p.published_std)


@pytest.mark.parametrize(
    ("text", "half"),
    [("98.33", 0.005), ("0.0610", 0.00005), ("2.8e-12", 5e-14), ("493.8", 0.05), ("7", 0.5)],
)
def test_half_a_unit_of_the_last_digit(text, half):
    assert references.half_last_digit(text) == pytest.approx(half)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(DataError, match=r"he2021\.csv does not exist"):
        references.read(tmp_path)


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("he2021.csv", ",mnist,23,", ",mnist,24,", "24.*none of the published trainings"),
        ("oursland2024.csv", ",relu,none,", ",tanh,none,", "tanh.*none of the published"),
        ("oursland2024.csv", ",loss,", ",margin,", "no measure of ours stands for.*margin"),
    ],
)
def test_values_of_nothing_known_are_refused_and_never_dropped(tmp_path, name, old, new, message):
    for each in conditions.FILES:
        text = (PUBLISHED / each).read_text()
        (tmp_path / each).write_text(text.replace(old, new) if each == name else text)
    with pytest.raises(DataError, match=message):
        references.read(tmp_path)
