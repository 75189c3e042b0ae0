import csv
import os
import signal

import pytest
import torch

from neuralcodes.networks import modelfiles
from neuralcodes.networks.training import resume, statefiles

SEEDS = [0, 1, 2, 3, 4, 5]
# All that a state must carry: dropout, momentum, seeds that have stopped, a passed checkpoint.
FULL = {"learning_rate": 0.4, "schedule": "constant", "patience": 1, "epochs": 12, "width": 4}
FULL |= {"dropout": 0.2, "optimizer": "sgd", "momentum": 0.9}
DEEP = {"epochs": 6, "decay_epochs": 2, "depth": 12, "width": 48, "weight_decay": 0.1}
CHECKPOINTS = ("0", "1", "6")


@pytest.fixture(autouse=True)
def sigterm():
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def advance(training, epochs):
    for _ in range(epochs):
        if not training.finished:
            training.advance()
    return training


def assert_same(found, expected):
    assert found.progress == expected.progress
    found, expected = found.finish(), expected.finish()
    assert found.keys() == expected.keys()
    for epoch, ensemble in expected.items():
        for name, value in ensemble.parameters.items():
            assert torch.equal(found[epoch].parameters[name], value), (epoch, name)


@pytest.mark.parametrize("halt", [0, 1, 2, 3, 5, 8])
@pytest.mark.parametrize("changes", [FULL, DEEP], ids=["sgd", "adam"])
def test_a_halted_training_ends_with_the_bits_of_an_uninterrupted_one(
    make_run, make_training, tmp_path, changes, halt
):
    run, path = make_run(**changes), tmp_path / "state"
    through = make_training(run, SEEDS, CHECKPOINTS)
    through.finish()
    halted = advance(make_training(run, SEEDS, CHECKPOINTS), halt)
    resume.save(path, halted, "token")
    resumed = make_training(run, SEEDS, CHECKPOINTS)
    assert resume.restore(path, resumed, "token")
    assert resumed.progress == halted.progress
    resumed.finish()
    assert_same(resumed, through)


def test_the_run_of_these_tests_stops_seeds_at_different_epochs(make_run, make_training):
    training = make_training(make_run(**FULL), SEEDS)
    training.finish()
    assert len(set(training.progress.stopped)) > 2
    assert max(training.progress.stopped) > 3


def test_a_training_may_be_halted_more_than_once(make_run, make_training, tmp_path):
    run, path = make_run(**FULL), tmp_path / "state"
    through = make_training(run, SEEDS, CHECKPOINTS)
    through.finish()
    current = make_training(run, SEEDS, CHECKPOINTS)
    while not current.finished:
        resume.save(path, advance(current, 1), "token")
        current = make_training(run, SEEDS, CHECKPOINTS)
        assert resume.restore(path, current, "token")
    assert_same(current, through)


def test_a_state_of_another_token_is_ignored(make_run, make_training, tmp_path):
    path = tmp_path / "state"
    resume.save(path, advance(make_training(make_run(), [0]), 1), "token")
    fresh = make_training(make_run(), [0])
    assert not resume.restore(path, fresh, "another token")
    assert fresh.progress.epoch == 0


def test_a_missing_state_is_ignored(make_run, make_training, tmp_path):
    assert not resume.restore(tmp_path / "state", make_training(make_run(), [0]), "token")


@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
def test_a_truncated_state_is_ignored(make_run, make_training, tmp_path, share):
    path, fresh = tmp_path / "state", make_training(make_run(), [0])
    resume.save(path, advance(make_training(make_run(), [0]), 1), "token")
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    assert not resume.restore(path, fresh, "token")
    assert fresh.progress.epoch == 0


def test_a_state_with_any_flipped_bit_is_ignored(make_run, make_training, tmp_path):
    path, fresh = tmp_path / "state", make_training(make_run(), [0])
    resume.save(path, advance(make_training(make_run(), [0]), 1), "token")
    content = path.read_bytes()
    for position in range(0, len(content), 97):
        damaged = bytearray(content)
        damaged[position] ^= 1 << position % 8
        path.write_bytes(damaged)
        assert not resume.restore(path, fresh, "token"), position
    assert fresh.progress.epoch == 0
    path.write_bytes(content)
    assert resume.restore(path, fresh, "token")


def test_the_saver_saves_when_it_is_time(make_run, make_training, tmp_path):
    now, path = [0.0], tmp_path / "folder" / "state"
    saver = resume.Saver(path, "token", resume.state_of, clock=lambda: now[0])
    training = advance(make_training(make_run(epochs=5), [0]), 1)
    saver(training)
    assert not path.exists()
    now[0] = statefiles.SAVE_EVERY_S
    saver(training)
    assert path.exists()
    path.unlink()
    saver(training)
    assert not path.exists(), "the clock starts again with each save"


def test_sigterm_saves_the_state_and_leaves_with_143(make_run, make_training, tmp_path):
    run, path = make_run(epochs=5), tmp_path / "state"
    saver = resume.Saver(path, "token", resume.state_of)
    training = make_training(run, [0])

    def after_epoch(each):
        if each.progress.epoch == 2:
            os.kill(os.getpid(), signal.SIGTERM)
        saver(each)

    with pytest.raises(SystemExit, match="143"):
        training.finish(after_epoch)
    resumed, through = make_training(run, [0]), make_training(run, [0])
    assert resume.restore(path, resumed, "token")
    assert resumed.progress.epoch == 2
    resumed.finish()
    through.finish()
    assert_same(resumed, through)


def test_sigterm_after_the_last_epoch_lets_the_results_be_written(
    make_run, make_training, tmp_path
):
    saver = resume.Saver(tmp_path / "state", "token", resume.state_of)
    training = make_training(make_run(epochs=1), [0])
    training.advance()
    os.kill(os.getpid(), signal.SIGTERM)
    saver(training)
    assert not (tmp_path / "state").exists()


def test_done_removes_the_state_if_there_is_one(tmp_path):
    path = tmp_path / "state"
    saver = resume.Saver(path, "token", resume.state_of)
    path.touch()
    saver.done()
    saver.done()
    assert not path.exists()


def test_the_state_lies_in_a_hidden_folder_of_the_results(tmp_path):
    model = tmp_path / "results/models/digits-mlp1x8-6bca3d9e/seeds0-4.safetensors"
    expected = tmp_path / "results/.resume/digits-mlp1x8-6bca3d9e/seeds0-4.safetensors"
    assert resume.state_path(model) == expected


def files_of(folder, run):
    return {
        "model": folder / f"results/models/{run.id}/seeds0-1.safetensors",
        "history": folder / f"results/models/{run.id}/seeds0-1.history.csv",
    }


def train(run, folder, toy, code="code"):
    device = torch.device("cpu")
    resume.train_to_files(
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
    assert not resume.state_path(files["model"]).exists()


def test_a_history_without_validation_leaves_its_columns_empty(make_run, tmp_path, toy):
    files = train(make_run(validation_fraction=0), tmp_path, toy)
    with files["history"].open(newline="") as file:
        assert {row["validation_loss"] for row in csv.DictReader(file)} == {""}


@pytest.mark.parametrize("code", ["code", "edited code"])
def test_a_killed_job_ends_with_the_same_files(make_run, tmp_path, toy, monkeypatch, code):
    run = make_run(epochs=4)
    expected = train(run, tmp_path / "through", toy)
    original, calls = resume.Saver.__call__, []

    def interrupted(saver, training):
        calls.append(training.progress.epoch)
        if training.progress.epoch == 2:
            os.kill(os.getpid(), signal.SIGTERM)
        original(saver, training)

    with monkeypatch.context() as patch, pytest.raises(SystemExit, match="143"):
        patch.setattr(resume.Saver, "__call__", interrupted)
        train(run, tmp_path / "killed", toy)
    found = files_of(tmp_path / "killed", run)
    assert not found["model"].exists()
    monkeypatch.setattr(
        resume.Saver, "__call__", lambda _, training: calls.append(training.progress.epoch)
    )
    train(run, tmp_path / "killed", toy, code)
    # with the same code it goes on; with other code it starts again
    assert calls == ([1, 2, 3, 4] if code == "code" else [1, 2, 1, 2, 3, 4])
    assert found["history"].read_bytes() == expected["history"].read_bytes()
    for name, value in modelfiles.load(expected["model"], "final").parameters.items():
        assert torch.equal(modelfiles.load(found["model"], "final").parameters[name], value)
