import csv
import itertools

import pytest
import torch

from neuralcodes.errors import DataError
from neuralcodes.measures import history as histories
from neuralcodes.networks.training import resume, statefiles
from neuralcodes.storage import rows

HEADER = "seed,epoch,learning_rate,train_loss,train_accuracy,validation_loss,validation_accuracy"


def history(folder, *lines, header=HEADER):
    path = folder / "seeds0-1.history.csv"
    path.write_text("\n".join([header, *lines]) + "\n")
    return path


def test_every_quantity_of_every_seed_and_epoch_is_a_row(tmp_path):
    path = history(tmp_path, "3,1,0.1,2.5,0.25,2.75,0.5", "4,1,0.1,1.5,0.75,1.25,1")
    assert histories.measure_history(path, "r") == [
        ("r", 3, "1", "train", "train_loss", 2.5),
        ("r", 3, "1", "train", "train_accuracy", 0.25),
        ("r", 3, "1", "validation", "validation_loss", 2.75),
        ("r", 3, "1", "validation", "validation_accuracy", 0.5),
        ("r", 4, "1", "train", "train_loss", 1.5),
        ("r", 4, "1", "train", "train_accuracy", 0.75),
        ("r", 4, "1", "validation", "validation_loss", 1.25),
        ("r", 4, "1", "validation", "validation_accuracy", 1.0),
    ]


def test_what_was_not_measured_has_no_row(tmp_path):
    found = histories.measure_history(history(tmp_path, "0,1,0.1,2.5,0.25,,"), "r")
    assert [row[4] for row in found] == ["train_loss", "train_accuracy"]


def test_a_long_history_is_thinned_for_all_seeds_alike(tmp_path):
    lines = [f"{seed},{epoch},0.1,{epoch},0.5,," for epoch in range(1, 3001) for seed in (0, 1)]
    found = histories.measure_history(history(tmp_path, *lines), "r")
    kept = histories.thinned(3000)
    assert len(kept) < 200
    for seed in (0, 1):
        losses = [row for row in found if row[1] == seed and row[4] == "train_loss"]
        assert [int(row[2]) for row in losses] == kept
        assert [row[5] for row in losses] == kept, "the value is of that epoch"


def test_a_seed_that_stopped_early_is_shown_until_then(tmp_path):
    lines = ["0,1,0.1,5,0,,", "1,1,0.1,5,0,,", "1,2,0.1,4,0,,", "1,3,0.1,3,0,,"]
    found = histories.measure_history(history(tmp_path, *lines), "r")
    epochs = [(row[1], row[2]) for row in found if row[4] == "train_loss"]
    assert epochs == [(0, "1"), (1, "1"), (1, "2"), (1, "3")]


@pytest.mark.parametrize("last", [1, 2, 5, 20, 200, 5000, 10**6])
def test_epochs_kept_are_few_and_hold_both_ends(last):
    kept = histories.thinned(last)
    assert (kept[0], kept[-1]) == (1, last)
    assert len(kept) <= histories.MOST_EPOCHS
    assert kept == sorted(set(kept))
    assert {type(each) for each in kept} == {int}


def test_the_first_epochs_are_all_kept_and_later_ones_at_equal_factors():
    assert histories.thinned(20) == list(range(1, 21))
    kept = histories.thinned(5000)
    assert kept[:20] == list(range(1, 21))
    late = [b / a for a, b in itertools.pairwise(kept) if a > 1000]
    assert late == pytest.approx([5000 ** (1 / 199)] * len(late), rel=1e-3)


def test_the_history_of_a_training_gives_rows_for_a_metric_file(make_run, toy, tmp_path):
    run, path = make_run(), tmp_path / "results/models/run/seeds0-1.safetensors"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(statefiles.signal, "signal", lambda *_: None)
        files = (path, path.with_suffix(".csv"))
        resume.train_on_dataset(run, [0, 1], ["final"], toy, *files, torch.device("cpu"), "code")
    found = histories.measure_history(path.with_suffix(".csv"), run.id)
    assert len(found) == 2 * 2 * 4  # seeds x epochs x quantities
    assert {len(row) for row in found} == {len(rows.COLUMNS)}
    with path.with_suffix(".csv").open(newline="") as file:
        line = list(csv.DictReader(file))[2]
    expected = (run.id, int(line["seed"]), line["epoch"], "validation", "validation_loss")
    assert (*expected, float(line["validation_loss"])) in found


def test_a_missing_history_is_named_with_the_command_that_writes_it(tmp_path):
    message = r"h\.csv is missing or no history .*; delete .*h\.csv and run the same"
    with pytest.raises(DataError, match=message):
        histories.measure_history(tmp_path / "h.csv", "r")


@pytest.mark.parametrize(
    ("header", "line"),
    [
        ("seed,epoch,train_loss", "0,1,0.5"),
        (HEADER, "0,one,0.1,2.5,0.25,,"),
        (HEADER, "0,1,0.1,much,0.25,,"),
        (HEADER, "0"),
        ("", ""),
    ],
)
def test_a_file_that_is_no_history_is_refused(tmp_path, header, line):
    path = history(tmp_path, line, header=header)
    with pytest.raises(DataError, match=r"history\.csv is missing or no history of a training"):
        histories.measure_history(path, "r")


def test_a_history_without_epochs_is_refused(tmp_path):
    with pytest.raises(DataError, match="no history of a training"):
        histories.measure_history(history(tmp_path), "r")
