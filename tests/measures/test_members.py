import model_cases
import numpy as np
import pytest
import torch
from model_cases import CPU, split_of

from neuralcodes.errors import DataError
from neuralcodes.measures.members import Member

SEEDS = [3, 4, 7]


@pytest.fixture
def members(make_run, toy, tmp_path):
    """Load the members of a model file of random networks, and give its run and ensemble too."""

    def build(epoch="final", reached=None, **changes):
        run = make_run(**changes)
        path, ensemble = model_cases.write(tmp_path, run, SEEDS, reached)
        return run, ensemble, list(Member.all_of(path, epoch, toy, CPU))

    return build


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"sample_size": 20, "subset": "random"},
        {"input_noise": 0.5, "label_noise": 0.5},
        {"input_scaling": "raw", "validation_fraction": 0.5},
        {"input_scaling": "standardized"},
    ],
    ids=lambda changes: "-".join(changes) or "plain",
)
def test_members_come_with_what_they_were_trained_on_without_its_noise(members, images, changes):
    run, _, found = members(**changes)
    assert [member.seed for member in found] == SEEDS
    for member in found:
        assert member.run == run
        assert [name for name, *_ in member.splits] == ["train", "test"]
        for name, inputs, labels in member.splits:
            expected = split_of(run, images, member.seed, name)
            assert torch.equal(inputs, expected[0])
            assert np.array_equal(labels, expected[1])


def test_seeds_that_train_on_the_same_examples_share_them(members):
    _, _, found = members()
    assert len({member.splits[0][1].data_ptr() for member in found}) == 1
    _, _, found = members(sample_size=20, subset="random")
    assert len({member.splits[0][1].data_ptr() for member in found}) == 3
    assert len({member.splits[1][1].data_ptr() for member in found}) == 1


@pytest.mark.parametrize("batch_norm", [True, False])
@pytest.mark.parametrize(("depth", "dropout"), [(1, 0), (1, 0.5), (3, 0), (3, 0.5)])
def test_members_are_the_networks_of_the_file_in_evaluation_mode(
    members, batch_norm, depth, dropout
):
    changes = {"depth": depth, "width": 5 * depth, "batch_norm": batch_norm, "dropout": dropout}
    _, ensemble, found = members(**changes)
    for i, member in enumerate(found):
        assert not any(module.training for module in member.network.modules())
        pairs = zip(member.network.parameters(), ensemble.member(i).parameters(), strict=True)
        assert all(torch.equal(ours, theirs) for ours, theirs in pairs)
        activations = [n for n, m in member.network.named_modules() if type(m) is torch.nn.ReLU]
        assert member.layer == activations[-1]


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "abs", "tanh"])
def test_ranges_are_of_the_output_but_for_tanh_of_its_input(members, images, activation):
    changes = {"activation": activation, "batch_norm": False, "depth": 2, "width": 12}
    run, ensemble, found = members(input_scaling="standardized", **changes)
    inputs, _ = split_of(run, images, 0, "train")
    pre, _ = next(ensemble.evaluate(inputs))
    values = pre[:, :, 6:]
    if activation != "tanh":
        module = found[0].network.get_submodule(found[0].layer)
        values = module(values)
    for i, member in enumerate(found):
        low, high = member.ranges
        np.testing.assert_allclose(low, values[i].amin(0), rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(high, values[i].amax(0), rtol=1e-4, atol=1e-5)


def test_a_seed_that_never_reached_an_accuracy_is_left_out(members):
    reached = {"accuracy90": [5, None, 2]}
    _, ensemble, found = members("accuracy90", reached)
    assert [member.seed for member in found] == [3, 7]
    expected = ensemble.member(2).state_dict()
    assert all(torch.equal(v, expected[n]) for n, v in found[1].network.state_dict().items())
    for epoch in ("0", "final"):
        assert len(members(epoch, reached)[2]) == 3


def test_a_checkpoint_that_is_not_there_is_refused(members):
    with pytest.raises(DataError, match="no checkpoint of epoch 12; it has 0, final"):
        members("12")
