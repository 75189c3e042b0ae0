import math
import pickle

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from neuralcodes import models, tensorfiles
from neuralcodes.errors import DataError


def random_ensemble(activation="relu", *, batch_norm=True, hidden=(5, 3), members=3, dropout=0.0):
    shape = models.Architecture(
        4, hidden, 2, activation, batch_norm, batch_norm_epsilon=1e-3, dropout=dropout
    )
    generator = torch.Generator().manual_seed(1)
    values = {
        name: torch.randn(value.shape, generator=generator)
        for name, value in models.initialise(shape, range(members)).parameters.items()
    }
    for name, value in values.items():
        if name.endswith("variance"):
            value.abs_()
    return models.Ensemble(shape, values)


def inputs_of(examples=11):
    return torch.randn(examples, 4, generator=torch.Generator().manual_seed(2))


@pytest.fixture
def saved(tmp_path):
    """A model file of two checkpoints, and what was saved."""
    path = tmp_path / "seeds0-2.safetensors"
    checkpoints = {"0": random_ensemble(members=3), "final": random_ensemble(members=3)}
    for value in checkpoints["final"].parameters.values():
        value.add_(1)
    models.save(path, checkpoints, {"seeds": [0, 1, 2], "run": {"width": 8}})
    return path, checkpoints


def header_length(path):
    return 8 + int.from_bytes(path.read_bytes()[:8], "little")


@pytest.mark.parametrize("batch_norm", [True, False])
@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "abs", "tanh"])
def test_a_member_is_the_ensemble_at_its_index(activation, batch_norm):
    ensemble = random_ensemble(activation, batch_norm=batch_norm, dropout=0.5)
    inputs = inputs_of()
    _, logits = next(ensemble.evaluate(inputs))
    for i in range(3):
        member = ensemble.member(i)
        assert not member.training
        torch.testing.assert_close(member(inputs).detach(), logits[i], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("batch_norm", [True, False])
def test_pre_activations_are_what_the_activations_receive(batch_norm):
    ensemble, inputs = random_ensemble(batch_norm=batch_norm), inputs_of()
    pre, _ = next(ensemble.evaluate(inputs))
    received = []
    member = ensemble.member(1)
    for module in member:
        if isinstance(module, torch.nn.ReLU):
            module.register_forward_pre_hook(lambda _, given: received.append(given[0].detach()))
    member(inputs)
    torch.testing.assert_close(pre[1], torch.cat(received, 1), rtol=1e-4, atol=1e-5)


KINDS = {"relu": torch.nn.ReLU, "abs": models.Abs, "tanh": torch.nn.Tanh}


@pytest.mark.parametrize("dropout", [0.0, 0.5])
@pytest.mark.parametrize("batch_norm", [True, False])
@pytest.mark.parametrize("hidden", [(5,), (5, 3), (5, 4, 3)])
@pytest.mark.parametrize("activation", KINDS)
def test_the_last_activation_is_that_module_of_a_member(activation, hidden, batch_norm, dropout):
    ensemble = random_ensemble(activation, batch_norm=batch_norm, hidden=hidden, dropout=dropout)
    modules = ensemble.member(0).named_children()
    expected = [name for name, module in modules if isinstance(module, KINDS[activation])]
    assert len(expected) == len(hidden)
    assert models.last_activation(ensemble) == expected[-1]


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
    assert [models.has_checkpoint(metadata, seed, epoch) for seed in (4, 2, 9)] == expected


def test_batches_and_inputs_per_member_change_nothing():
    ensemble, inputs = random_ensemble(), inputs_of()
    whole = next(ensemble.evaluate(inputs))
    for given in (inputs, inputs.expand(3, -1, -1)):
        batches = list(ensemble.evaluate(given, batch_size=4))
        assert [len(pre[0]) for pre, _ in batches] == [4, 4, 3]
        for i in range(2):
            joined = torch.cat([batch[i] for batch in batches], 1)
            torch.testing.assert_close(joined, whole[i], rtol=1e-4, atol=1e-5)


def test_batch_norm_is_folded_into_the_affine_layers_by_hand():
    shape = models.Architecture(1, (1,), 1, batch_norm_epsilon=0.75)
    values = {"hidden.0.weight": 3.0, "hidden.0.bias": 1.0, "hidden.0.scale": 4.0}
    values |= {"hidden.0.shift": 5.0, "hidden.0.mean": 7.0, "hidden.0.variance": 3.25}
    values |= {"output.weight": 6.0, "output.bias": 8.0}
    sizes = {name: (1, 1, 1) if name.endswith("weight") else (1, 1) for name in values}
    parameters = {name: torch.full(sizes[name], value) for name, value in values.items()}
    (weight, bias), (last, last_bias) = models.Ensemble(shape, parameters).affine_layers()
    # (3 x + 1 - 7) / sqrt(3.25 + 0.75) * 4 + 5 = 6 x - 7
    assert (weight.item(), bias.item()) == (6.0, -7.0)
    assert (last.item(), last_bias.item()) == (6.0, 8.0)


def test_without_batch_norm_the_affine_layers_are_the_parameters():
    ensemble = random_ensemble(batch_norm=False)
    for (weight, bias), name in zip(
        ensemble.affine_layers(), ["hidden.0", "hidden.1", "output"], strict=True
    ):
        assert torch.equal(weight, ensemble.parameters[f"{name}.weight"])
        assert torch.equal(bias, ensemble.parameters[f"{name}.bias"])


def test_glorot_uniform_fills_its_interval_and_biases_are_zero():
    shape = models.Architecture(300, (200,), 10)
    values = models.initialise(shape, [0]).parameters
    for name, inputs, units in (("hidden.0", 300, 200), ("output", 200, 10)):
        limit = math.sqrt(6 / (inputs + units))
        weight = values[f"{name}.weight"]
        assert limit * 0.99 < weight.abs().max() <= limit
        assert weight.mean().item() == pytest.approx(0, abs=limit / 30)
        assert weight.std().item() == pytest.approx(limit / math.sqrt(3), rel=0.03)
        assert values[f"{name}.bias"].count_nonzero() == 0


def test_batch_norm_starts_as_the_identity():
    values = models.initialise(models.Architecture(4, (3,), 2), [0]).parameters
    found = {name: values[f"hidden.0.{name}"].unique().tolist() for name in ("scale", "shift")}
    found |= {name: values[f"hidden.0.{name}"].unique().tolist() for name in ("mean", "variance")}
    assert found == {"scale": [1], "shift": [0], "mean": [0], "variance": [1]}


def test_the_torch_default_is_uniform_within_one_over_the_root_of_the_inputs():
    shape = models.Architecture(400, (300,), 10, batch_norm=False)
    values = models.initialise(shape, [0], "torch_default").parameters
    reference = torch.nn.Linear(400, 300)
    for name in ("weight", "bias"):
        for found in (values[f"hidden.0.{name}"], getattr(reference, name).detach()):
            assert 0.95 / 20 < found.abs().max() <= 1 / 20
        assert values[f"hidden.0.{name}"].std().item() == pytest.approx(0.05 / 3**0.5, rel=0.05)
    assert values["output.bias"].abs().max() <= 1 / math.sqrt(300)


def test_a_member_is_initialised_by_its_own_seed_alone():
    shape = models.Architecture(4, (3,), 2)
    whole = models.initialise(shape, [3, 8, 5]).parameters
    alone = models.initialise(shape, [8]).parameters
    for name, value in alone.items():
        assert torch.equal(whole[name][1:2], value)
    assert not torch.equal(whole["hidden.0.weight"][0], whole["hidden.0.weight"][1])


def test_what_is_saved_is_loaded(saved):
    path, checkpoints = saved
    for epoch, expected in checkpoints.items():
        found = models.load(path, epoch)
        assert found.architecture == expected.architecture
        assert found.parameters.keys() == expected.parameters.keys()
        for name, value in expected.parameters.items():
            assert torch.equal(found.parameters[name], value)


def test_the_header_says_what_was_saved(saved):
    metadata = models.read_metadata(saved[0])
    assert metadata["seeds"] == [0, 1, 2]
    assert metadata["run"] == {"width": 8}
    assert metadata["epochs"] == ["0", "final"]
    assert metadata["architecture"]["hidden"] == [5, 3]


def test_checkpoints_that_are_one_and_the_same_ensemble_are_saved(tmp_path):
    ensemble = random_ensemble()
    path = tmp_path / "model.safetensors"
    models.save(path, {"20": ensemble, "final": ensemble}, {})
    for epoch in ("20", "final"):
        assert torch.equal(
            models.load(path, epoch).parameters["output.bias"], ensemble.parameters["output.bias"]
        )


def test_a_model_file_has_the_permissions_of_any_new_file(saved, tmp_path):
    (tmp_path / "any").touch()
    assert saved[0].stat().st_mode == (tmp_path / "any").stat().st_mode


def test_the_same_ensemble_is_saved_as_the_same_bytes(saved, tmp_path):
    again = tmp_path / "again.safetensors"
    models.save(again, saved[1], {"run": {"width": 8}, "seeds": [0, 1, 2]})
    assert (
        again.read_bytes()[header_length(again) :] == saved[0].read_bytes()[header_length(again) :]
    )
    assert models.read_metadata(again) == models.read_metadata(saved[0])


def test_a_missing_checkpoint_is_named_beside_those_there_are(saved):
    with pytest.raises(DataError, match=r"no checkpoint of epoch 30; it has 0, final"):
        models.load(saved[0], "30")


def test_a_missing_file_is_named_with_the_command_that_makes_it(tmp_path):
    path = tmp_path / "absent.safetensors"
    with pytest.raises(
        DataError, match=r"absent.safetensors does not exist; snakemake .* makes it"
    ):
        models.load(path, "final")


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.999])
def test_a_truncated_file_is_named_as_damaged(saved, share):
    path = saved[0]
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(DataError, match=r"seeds0-2.safetensors is damaged .* rebuilds it"):
        models.load(path, "final")


def test_no_flipped_bit_of_the_header_goes_unnoticed(saved):
    path, checkpoints = saved
    content = path.read_bytes()
    own = f"epoch{'final'}/".encode()
    for position in range(0, header_length(path), 3):
        damaged = bytearray(content)
        damaged[position] ^= 1 << position % 8
        path.write_bytes(damaged)
        try:
            found = models.load(path, "final")
        except DataError as error:
            assert "seeds0-2.safetensors" in str(error)
        else:  # the name of a tensor of the other checkpoint
            assert damaged.count(own) == content.count(own)
            for name, value in checkpoints["final"].parameters.items():
                assert torch.equal(found.parameters[name], value)


def test_a_pickle_by_the_name_of_a_model_is_refused_unread(tmp_path):
    class Trap:
        def __reduce__(self):
            return (pytest.fail, ("the pickle was read",))

    path = tmp_path / "trap.safetensors"
    path.write_bytes(pickle.dumps(Trap()))
    with pytest.raises(DataError, match=r"trap\.safetensors is damaged"):
        models.load(path, "final")
    torch.save({"a": torch.zeros(1)}, path)
    with pytest.raises(DataError, match=r"trap\.safetensors is damaged"):
        models.load(path, "final")


@pytest.mark.parametrize("metadata", [None, {"format": "pt"}])
def test_a_safetensors_file_of_others_is_not_a_model_file(tmp_path, metadata):
    path = tmp_path / "other.safetensors"
    save_file({"a": torch.zeros(1)}, path, metadata=metadata)
    with pytest.raises(
        DataError, match=r"other\.safetensors is a safetensors file but not a model"
    ):
        models.read_metadata(path)


def test_parameters_that_do_not_fit_the_architecture_are_refused(tmp_path):
    ensemble, path = random_ensemble(), tmp_path / "short.safetensors"
    del ensemble.parameters["hidden.1.shift"]
    models.save(path, {"final": ensemble}, {})
    with pytest.raises(DataError, match=r"short\.safetensors is damaged \(epoch final lacks"):
        models.load(path, "final")


def test_tensors_that_cannot_be_written_are_an_error_of_the_system(tmp_path):
    with pytest.raises(IsADirectoryError, match="Is a directory"):
        tensorfiles.write(tmp_path, {"a": torch.zeros(1)}, {})


def test_abs_is_the_absolute_value():
    assert models.Abs()(torch.tensor([-2.0, 0.0, 3.0])).tolist() == [2, 0, 3]


def test_the_leaky_slope_of_a_member_is_that_of_the_ensemble():
    member = random_ensemble("leaky_relu").member(0)
    slopes = [m.negative_slope for m in member if isinstance(m, torch.nn.LeakyReLU)]
    assert slopes == [models.LEAKY_SLOPE] * 2
    found = models.ACTIVATIONS["leaky_relu"](torch.tensor([-100.0, 2.0]))
    np.testing.assert_allclose(found, [-1.0, 2.0])
