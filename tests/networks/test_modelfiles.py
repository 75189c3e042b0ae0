import pytest
import torch
from model_cases import random_ensemble
from safetensors.torch import save_file

from neuralcodes.errors import DataError
from neuralcodes.networks import modelfiles


@pytest.fixture
def saved(tmp_path):
    """A model file of two checkpoints, and what was saved."""
    path = tmp_path / "seeds0-2.safetensors"
    checkpoints = {"0": random_ensemble(members=3), "final": random_ensemble(members=3)}
    for value in checkpoints["final"].parameters.values():
        value.add_(1)
    modelfiles.save(path, checkpoints, {"seeds": [0, 1, 2], "run": {"width": 8}})
    return path, checkpoints


def header_length(path):
    return 8 + int.from_bytes(path.read_bytes()[:8], "little")


def test_what_is_saved_is_loaded(saved):
    path, checkpoints = saved
    for epoch, expected in checkpoints.items():
        found = modelfiles.load(path, epoch)
        assert found.shape == expected.shape
        assert found.parameters.keys() == expected.parameters.keys()
        for name, value in expected.parameters.items():
            assert torch.equal(found.parameters[name], value)


def test_the_header_says_what_was_saved(saved):
    metadata = modelfiles.read_metadata(saved[0])
    assert metadata["seeds"] == [0, 1, 2]
    assert metadata["run"] == {"width": 8}
    assert metadata["epochs"] == ["0", "final"]
    assert metadata["architecture"]["hidden"] == [5, 3]


def test_checkpoints_that_are_one_and_the_same_ensemble_are_saved(tmp_path):
    ensemble = random_ensemble()
    path = tmp_path / "model.safetensors"
    modelfiles.save(path, {"20": ensemble, "final": ensemble}, {})
    for epoch in ("20", "final"):
        assert torch.equal(
            modelfiles.load(path, epoch).parameters["output.bias"],
            ensemble.parameters["output.bias"],
        )


def test_a_model_file_has_the_permissions_of_any_new_file(saved, tmp_path):
    (tmp_path / "any").touch()
    assert saved[0].stat().st_mode == (tmp_path / "any").stat().st_mode


def test_the_same_ensemble_is_saved_as_the_same_bytes(saved, tmp_path):
    again = tmp_path / "again.safetensors"
    modelfiles.save(again, saved[1], {"run": {"width": 8}, "seeds": [0, 1, 2]})
    assert (
        again.read_bytes()[header_length(again) :] == saved[0].read_bytes()[header_length(again) :]
    )
    assert modelfiles.read_metadata(again) == modelfiles.read_metadata(saved[0])


def test_a_missing_checkpoint_is_named_beside_those_there_are(saved):
    with pytest.raises(DataError, match=r"no checkpoint of epoch 30; it has 0, final"):
        modelfiles.load(saved[0], "30")


def test_a_missing_file_is_named_with_the_command_that_makes_it(tmp_path):
    path = tmp_path / "absent.safetensors"
    with pytest.raises(DataError, match=r"absent.safetensors does not exist; correct"):
        modelfiles.load(path, "final")


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.999])
def test_a_truncated_file_is_named_as_damaged(saved, share):
    path = saved[0]
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(DataError, match=r"seeds0-2.safetensors is damaged .*; delete"):
        modelfiles.load(path, "final")


@pytest.mark.parametrize("metadata", [None, {"format": "pt"}])
def test_a_safetensors_file_of_others_is_not_a_model_file(tmp_path, metadata):
    path = tmp_path / "other.safetensors"
    save_file({"a": torch.zeros(1)}, path, metadata=metadata)
    with pytest.raises(
        DataError, match=r"other\.safetensors is a safetensors file but not a model"
    ):
        modelfiles.read_metadata(path)


def test_parameters_that_do_not_fit_the_architecture_are_refused(tmp_path):
    ensemble, path = random_ensemble(), tmp_path / "short.safetensors"
    del ensemble.parameters["hidden.1.shift"]
    modelfiles.save(path, {"final": ensemble}, {})
    with pytest.raises(DataError, match=r"short\.safetensors is damaged \(epoch final lacks"):
        modelfiles.load(path, "final")


@pytest.mark.parametrize(
    ("epoch", "expected"),
    [
        ("accuracy90", [True, False, True]),
        ("accuracy100", [False, False, False]),
        ("0", [True] * 3),
        ("10", [True] * 3),
        ("final", [True] * 3),
    ],
)
def test_a_seed_has_every_checkpoint_but_accuracies_it_never_reached(epoch, expected):
    reached = {"accuracy90": [7, None, 1], "accuracy100": [None, None, None]}
    metadata = {"seeds": [4, 2, 9], "reached": reached}
    assert [modelfiles.has_checkpoint(metadata, seed, epoch) for seed in (4, 2, 9)] == expected
