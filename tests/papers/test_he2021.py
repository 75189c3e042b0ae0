from pathlib import Path

import pytest

from neuralcodes.errors import DataError
from neuralcodes.papers import he2021, values

DIRECTORY = Path(__file__).parents[2] / "resources" / "published"


def values_of(table, **where):
    for name, value in where.items():
        table = table[table[name] == value]
    return table["value"].tolist()


def test_mnist_training_time_redundancy_is_swapped_back():
    table = he2021.read("training_time", "mnist", DIRECTORY)
    last = {"metric": "redundancy_ratio", "epoch": "2000"}
    # The figure prints 0.0997 as test and 0.0386 as train.
    assert values_of(table, width_per_layer=40, split="train", **last) == [0.0997]
    assert values_of(table, width_per_layer=40, split="test", **last) == [0.0386]
    swapped = table[table["metric"] == "redundancy_ratio"]
    assert set(swapped["split_status"]) == {"corrected"}


def test_corrected_final_redundancy_agrees_with_the_model_capacity_figure():
    time = he2021.read("training_time", "mnist", DIRECTORY)
    size = he2021.read("model_capacity", "mnist", DIRECTORY)
    for split in ("train", "test"):
        where = {"width_per_layer": 50, "metric": "redundancy_ratio", "split": split}
        (late,), (final,) = values_of(time, epoch="2000", **where), values_of(size, **where)
        assert late == pytest.approx(final, abs=0.01)


def test_legends_that_are_right_stay_as_printed():
    table = he2021.read("sample_size", "mnist", DIRECTORY)
    assert set(table["split_status"]) == {"printed"}


def test_cifar_kmeans_against_training_time_is_of_the_training_split():
    table = he2021.read("training_time", "cifar10", DIRECTORY)
    kmeans = table[table["metric"] == "kmeans_accuracy"]
    assert set(zip(kmeans["split"], kmeans["split_status"], strict=True)) == {("train", "inferred")}


def test_unknown_splits_stay_as_printed_and_are_flagged():
    capacity = he2021.read("model_capacity", "mnist", DIRECTORY)
    time = he2021.read("training_time", "mnist", DIRECTORY)
    for table, printed in ((capacity, ""), (time, "test")):
        kmeans = table[table["metric"] == "kmeans_accuracy"]
        assert set(kmeans["split"]) == {printed}
        assert set(kmeans["split_status"]) == {"unknown"}


def test_no_point_is_published_twice():
    for figure, dataset in he2021.WIDTHS:
        table = he2021.read(figure, dataset, DIRECTORY)
        assert not table.duplicated(list(values.POINT)).any()
        assert set(table["epoch"]) >= ({"0", "1"} if figure == "training_time" else {"final"})


def test_unknown_figures_are_refused_with_those_there_are():
    with pytest.raises(ValueError, match=r"model_capacity.*mnist"):
        he2021.read("model_capacity", "svhn", DIRECTORY)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(DataError, match=r"he2021\.csv does not exist"):
        he2021.read("model_capacity", "mnist", tmp_path)


def test_a_damaged_table_is_refused(tmp_path):
    (tmp_path / "he2021.csv").write_text("figure,panel\nmodel_capacity,a\n")
    with pytest.raises(DataError, match="lacks the columns"):
        he2021.read("model_capacity", "mnist", tmp_path)
