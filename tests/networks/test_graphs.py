import pytest
import torch
from recordings import recorder_of

from neuralcodes.networks.cuda import graphs

CPU = torch.device("cpu")


@pytest.fixture
def recorded(monkeypatch):
    recorders = []
    monkeypatch.setattr(graphs, "recorder", recorder_of(recorders))
    return recorders


def counted(total):
    """A function that adds to a tensor in place, and how often Python ran it."""
    calls = []

    def function(left, right):
        calls.append(left.shape)
        total.add_((left * right).sum())

    return function, calls


def pairs(count, size=3):
    generator = torch.Generator().manual_seed(size)
    return torch.randn(count, 2, size, generator=generator, dtype=torch.float64)


def test_a_recording_does_what_the_function_does(recorded):
    total = torch.zeros((), dtype=torch.float64)
    function, calls = counted(total)
    replayed, expected = graphs.Replayed(), 0.0
    for left, right in pairs(6):
        replayed(function, left, right)
        expected += (left * right).sum()
        assert total == expected
    assert len(calls) == 2, "once as it is and once to record"
    assert len(recorded) == 1


def test_inputs_of_other_shapes_have_a_recording_of_their_own(recorded):
    total = torch.zeros((), dtype=torch.float64)
    function, calls = counted(total)
    replayed, expected = graphs.Replayed(), 0.0
    for few, many in zip(pairs(4, 2), pairs(4, 5), strict=True):
        for left, right in (few, many):
            replayed(function, left, right)
            expected += (left * right).sum()
    torch.testing.assert_close(total, expected)
    assert calls == [torch.Size([2]), torch.Size([5])] * 2
    assert len(recorded) == 2


def test_inputs_that_do_not_lie_end_to_end_are_copied_into_place(recorded):
    total = torch.zeros((), dtype=torch.float64)
    function, _ = counted(total)
    replayed, expected = graphs.Replayed(), 0.0
    for both in pairs(8).view(4, 2, 2, 3):
        left, right = both.transpose(1, 2)
        replayed(function, left, right)
        expected += (left * right).sum()
    torch.testing.assert_close(total, expected)


def test_inputs_are_left_as_they_are(recorded):
    total = torch.zeros((), dtype=torch.float64)
    replayed, given = graphs.Replayed(), pairs(4)
    before = given.clone()
    for left, right in given:
        replayed(counted(total)[0], left, right)
    assert torch.equal(given, before)


def test_on_a_cpu_every_call_is_a_plain_one():
    total = torch.zeros((), dtype=torch.float64)
    function, calls = counted(total)
    replayed = graphs.Replayed()
    for left, right in pairs(5):
        replayed(function, left, right)
    assert len(calls) == 5
    assert not replayed.recorded


def test_on_a_cpu_nothing_runs_beside_anything():
    assert graphs.recorder(CPU) is None
    assert graphs.side_stream(CPU) is None
    made = []
    with graphs.beside(None):
        made.append(1)
    graphs.join(None)
    assert made == [1]
