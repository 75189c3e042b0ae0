"""Trainings that are finished, halted and compared."""

import torch

from neuralcodes.networks.training import statefiles


def finished(training):
    """Finish a training; its checkpoints are those that `finish` gives."""
    training.checkpoints.update(training.finish())
    return training


def advanced(training, turns):
    """Run some turns, fewer where the training ends before."""
    for _ in range(turns):
        if not training.finished:
            training.advance()
    return training


def resumed(halted, fresh, folder):
    """Save the state of one training, and let a fresh one go on from the file."""
    statefiles.save(folder / "state", *halted.state(), "token")
    fresh.go_on_from(*statefiles.read(folder / "state", "token"))
    assert fresh.progress == halted.progress
    return fresh


def assert_same(found, expected):
    """Two finished trainings are the same to the last bit."""
    assert found.progress == expected.progress
    assert found.checkpoints.keys() == expected.checkpoints.keys()
    for epoch, ensemble in expected.checkpoints.items():
        for name, value in ensemble.parameters.items():
            assert torch.equal(found.checkpoints[epoch].parameters[name], value), (epoch, name)
