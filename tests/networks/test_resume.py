import csv
import os
import signal

import pytest
import torch
from training_cases import advanced, assert_same, finished, resumed

from neuralcodes.networks import modelfiles
from neuralcodes.networks.training import resume, statefiles

SEEDS = [0, 1, 2, 3, 4, 5]
# All that a state must carry: dropout, momentum, seeds that have stopped, a passed checkpoint.
FULL = {"learning_rate": 0.4, "schedule": "constant", "patience": 1, "epochs": 12, "width": 4}
FULL |= {"dropout": 0.2, "optimizer": "sgd", "momentum": 0.9}
DEEP = {"epochs": 6, "decay_epochs": 2, "depth": 12, "width": 48, "weight_decay": 0.1}
CHECKPOINTS = ("0", "1", "6")


@pytest.mark.parametrize("halt", [0, 1, 2, 3, 5, 8])
@pytest.mark.parametrize("changes", [FULL, DEEP], ids=["sgd", "adam"])
def test_a_halted_training_ends_with_the_bits_of_an_uninterrupted_one(
    make_run, make_training, tmp_path, changes, halt
):
    run = make_run(**changes)
    through, halted, fresh = (make_training(run, SEEDS, CHECKPOINTS) for _ in range(3))
    finished(through)
    assert_same(finished(resumed(advanced(halted, halt), fresh, tmp_path)), through)
    if changes is FULL:
        assert len(set(through.progress.stopped)) > 2, "seeds stop at different epochs"
        assert max(through.progress.stopped) > 3


def test_a_training_may_be_halted_more_than_once(make_run, make_training, tmp_path):
    through, current = (make_training(make_run(**FULL), SEEDS, CHECKPOINTS) for _ in range(2))
    while not current.finished:
        fresh = make_training(make_run(**FULL), SEEDS, CHECKPOINTS)
        current = resumed(advanced(current, 1), fresh, tmp_path)
    assert_same(finished(current), finished(through))


@pytest.fixture(autouse=True)
def sigterm():
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def files_of(folder, run):
    return {
        "model": folder / f"results/models/{run.id}/seeds0-1.safetensors",
        "history": folder / f"results/models/{run.id}/seeds0-1.history.csv",
    }


def train(run, folder, toy, code="code"):
    device = torch.device("cpu")
    resume.train_on_dataset(
        run, range(2), ["0", "final"], toy, **files_of(folder, run), device=device, code=code
    )
    return files_of(folder, run)


def test_training_writes_the_model_file_and_the_history(make_run, tmp_path, toy):
    run = make_run()
    files = train(run, tmp_path, toy)
    metadata = modelfiles.read_metadata(files["model"])
    assert metadata["run"] == run.to_dict()
    assert metadata["seeds"] == [0, 1]
    assert metadata["stopped"] == [2, 2]
    assert metadata["device"] == "cpu"
    assert metadata["versions"]["torch"] == torch.__version__
    with files["history"].open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["epoch"], row["seed"]) for row in rows] == [
        ("1", "0"),
        ("1", "1"),
        ("2", "0"),
        ("2", "1"),
    ]
    assert ",".join(rows[0]) == (
        "seed,epoch,learning_rate,train_loss,train_accuracy,validation_loss,validation_accuracy"
    )
    assert not statefiles.state_path(files["model"]).exists()


def test_a_history_without_validation_leaves_its_columns_empty(make_run, tmp_path, toy):
    files = train(make_run(validation_fraction=0), tmp_path, toy)
    with files["history"].open(newline="") as file:
        assert {row["validation_loss"] for row in csv.DictReader(file)} == {""}


@pytest.mark.parametrize("code", ["code", "edited code"])
def test_a_killed_job_ends_with_the_same_files(make_run, tmp_path, toy, monkeypatch, code):
    run = make_run(epochs=4)
    expected = train(run, tmp_path / "through", toy)
    original, calls = statefiles.Saver.__call__, []

    def interrupted(saver, training):
        calls.append(training.progress.turn)
        if training.progress.turn == 2:
            os.kill(os.getpid(), signal.SIGTERM)
        original(saver, training)

    with monkeypatch.context() as patch, pytest.raises(SystemExit, match="143"):
        patch.setattr(statefiles.Saver, "__call__", interrupted)
        train(run, tmp_path / "killed", toy)
    found = files_of(tmp_path / "killed", run)
    assert not found["model"].exists()
    monkeypatch.setattr(
        statefiles.Saver, "__call__", lambda _, training: calls.append(training.progress.turn)
    )
    train(run, tmp_path / "killed", toy, code)
    # with the same code it goes on; with other code it starts again
    assert calls == ([1, 2, 3, 4] if code == "code" else [1, 2, 1, 2, 3, 4])
    assert found["history"].read_bytes() == expected["history"].read_bytes()
    for name, value in modelfiles.load(expected["model"], "final").parameters.items():
        assert torch.equal(modelfiles.load(found["model"], "final").parameters[name], value)
