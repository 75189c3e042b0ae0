import os
import signal
from dataclasses import dataclass

import pytest
import torch

from neuralcodes.errors import DataError
from neuralcodes.networks.training import statefiles

TENSORS = {"a/weight": torch.arange(6.0).reshape(2, 3), "order": torch.tensor([[2, 0, 1]])}
PROGRESS = {"step": 7, "loss": [0.1, 1 / 3], "history": [[0, 1, 0.3]]}


@pytest.fixture(autouse=True)
def sigterm():
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@dataclass
class Counting:
    """Something unfinished: counts to five."""

    count: int = 0

    @property
    def finished(self):
        return self.count >= 5

    def state(self):
        return {"count": torch.tensor(self.count)}, {"count": self.count}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "folder" / "state"


def test_what_is_saved_is_read(path):
    statefiles.save(path, TENSORS, PROGRESS, "token")
    tensors, progress = statefiles.read(path, "token")
    assert progress == PROGRESS
    assert tensors.keys() == TENSORS.keys()
    for name, value in TENSORS.items():
        assert tensors[name].dtype == value.dtype
        assert torch.equal(tensors[name], value)


def test_tensors_may_be_views_and_share_memory(path):
    shared = torch.arange(12.0).reshape(3, 4)
    given = {"whole": shared, "column": shared[:, 1], "turned": shared.T}
    statefiles.save(path, given, {}, "token")
    tensors, _ = statefiles.read(path, "token")
    for name, value in given.items():
        assert torch.equal(tensors[name], value)


def test_saving_leaves_no_other_file(path):
    for _ in range(2):
        statefiles.save(path, TENSORS, PROGRESS, "token")
    assert [each.name for each in path.parent.iterdir()] == ["state"]


def test_a_full_disk_is_an_error_that_names_the_file(path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(statefiles.tensorfiles, "write", full)
    with pytest.raises(DataError, match=r"no space left to write .*state"):
        statefiles.save(path, TENSORS, PROGRESS, "token")


def test_a_missing_state_is_none(path):
    assert statefiles.read(path, "token") is None


def test_a_folder_is_no_state(tmp_path):
    assert statefiles.read(tmp_path, "token") is None


def test_a_state_of_another_token_is_none(path):
    statefiles.save(path, TENSORS, PROGRESS, "token")
    assert statefiles.read(path, "Token") is None


@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
def test_a_truncated_state_is_none(path, share):
    statefiles.save(path, TENSORS, PROGRESS, "token")
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    assert statefiles.read(path, "token") is None


def test_a_state_with_any_flipped_bit_is_none(path):
    statefiles.save(path, TENSORS, PROGRESS, "token")
    content = path.read_bytes()
    for position in range(len(content)):
        damaged = bytearray(content)
        damaged[position] ^= 1 << position % 8
        path.write_bytes(damaged)
        found = statefiles.read(path, "token")
        if found is not None:  # the padding of the header holds nothing
            assert content[position : position + 1] == b" "
            assert found[1] == PROGRESS
            assert all(torch.equal(found[0][name], value) for name, value in TENSORS.items())


def test_the_saver_saves_what_it_is_called_with_when_it_is_time(path):
    now = [0.0]
    saver = statefiles.Saver(path, "token", clock=lambda: now[0])
    saver(Counting(1))
    assert not path.exists()
    now[0] = statefiles.SAVE_EVERY_S
    saver(Counting(2))
    tensors, progress = statefiles.read(path, "token")
    assert progress == {"count": 2}
    assert tensors["count"].item() == 2
    path.unlink()
    saver(Counting(3))
    assert not path.exists(), "the clock starts again with each save"


def test_sigterm_saves_and_leaves_with_143_at_the_next_call(path):
    saver = statefiles.Saver(path, "token")
    os.kill(os.getpid(), signal.SIGTERM)
    assert not path.exists()
    with pytest.raises(SystemExit) as left:
        saver(Counting(3))
    assert left.value.code == 143
    assert statefiles.read(path, "token")[1] == {"count": 3}


def test_what_is_finished_is_neither_saved_nor_stopped(path):
    saver = statefiles.Saver(path, "token")
    os.kill(os.getpid(), signal.SIGTERM)
    saver(Counting(5))
    assert not path.exists()


def test_done_removes_the_state_if_there_is_one(tmp_path):
    path = tmp_path / "state"
    saver = statefiles.Saver(path, "token")
    path.touch()
    saver.done()
    saver.done()
    assert not path.exists()


def test_the_state_lies_in_a_hidden_folder_of_the_results(tmp_path):
    model = tmp_path / "results/models/poly-hash-6bca3d9e/seeds0-4.safetensors"
    expected = tmp_path / "results/.resume/poly-hash-6bca3d9e/seeds0-4.safetensors"
    assert statefiles.state_path(model) == expected


def test_a_prefix_is_put_before_names_and_taken_away_again():
    first, second = {"b.weight": torch.zeros(1)}, {"weight": torch.ones(1)}
    together = statefiles.prefixed("a", first) | statefiles.prefixed("a.b", second)
    assert list(together) == ["a/b.weight", "a.b/weight"]
    assert statefiles.without("a", together) == first
    assert statefiles.without("a.b", together) == second
