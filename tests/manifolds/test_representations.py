import dataclasses

import numpy as np
import pytest
import torch

from neuralcodes.errors import DataError
from neuralcodes.manifolds.manifolddata import TrainingPoints, some_training_points, source_of
from neuralcodes.manifolds.representations import Member, Representation
from neuralcodes.networks import modelfiles

CPU = torch.device("cpu")
SEEDS = [4, 2]
EPOCHS = {"untrained": "0", "trained": "final"}


@pytest.fixture(scope="module")
def run(make_hash_run):
    return make_hash_run()


@pytest.fixture(scope="module")
def model(run, train_hash):
    return train_hash(run, SEEDS)


@pytest.fixture(scope="module")
def members(model):
    return list(Member.all_of(model, [], 1000, CPU))


@pytest.fixture(scope="module")
def of_images(make_hash_run, train_hash, pictures):
    """The member of a convolutional network with a ReLU hash layer, and its model file."""
    run = make_hash_run(
        **{"dataset": "pictures", "family": "images", "network": "cnn", "manifolds": 12},
        hash_activation="relu",
    )
    path = train_hash(run, [7], pictures)
    return next(Member.all_of(path, [str(pictures / "dataset.json")], 25, CPU)), path


def named(member, name):
    (found,) = [each for each in member.representations if each.name == name]
    return found


def encoded(path, name, index, inputs):
    """Pre-activations and representation of one member, of the file itself."""
    pre, values = modelfiles.load(path, EPOCHS[name]).represent(inputs)
    return pre[index].numpy(), values[index].numpy()


def test_members_are_the_seeds_of_the_file_in_its_order(members, run):
    assert [member.seed for member in members] == SEEDS
    for member in members:
        assert member.run == run
        assert [each.name for each in member.representations] == ["input", "untrained", "trained"]
        expected = source_of(run, member.seed, None)
        rows = torch.arange(30)
        assert torch.equal(member.source.training_points(rows), expected.training_points(rows))


def test_the_input_represents_itself(members):
    for member in members:
        training = member.source.training_points(torch.arange(30)).numpy()
        points = member.source.sample("unseen", 5, 3, "test").points
        view = named(member, "input").view(points)
        assert np.array_equal(view.values, points.numpy())
        np.testing.assert_allclose(view.centre, training.mean(0), atol=1e-6)
        assert np.array_equal(view.bits, points.numpy() > np.median(training, axis=0))
        assert np.array_equal(view.signs, points.numpy() > 0)


@pytest.mark.parametrize("name", EPOCHS)
def test_networks_are_those_of_the_file_before_and_after_training(members, model, name):
    for i, member in enumerate(members):
        training = member.source.training_points(torch.arange(30))
        points = member.source.sample("unseen", 5, 3, "test").points
        own = encoded(model, name, i, training)[0]
        pre, values = encoded(model, name, i, points.flatten(0, 1))
        view = named(member, name).view(points)
        assert view.values.shape == (5, 3, 8)
        # a product of other sizes may round otherwise
        np.testing.assert_allclose(view.values.reshape(15, 8), values, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(view.centre, own.mean(0), rtol=1e-4, atol=1e-5)
        assert np.array_equal(view.bits.reshape(15, 8), pre > np.median(own, axis=0))
        assert np.array_equal(view.signs.reshape(15, 8), pre > 0)


def test_training_has_changed_the_network_and_seeds_differ(members):
    points = members[0].source.sample("unseen", 5, 3, "test").points
    found = {
        (member.seed, name): named(member, name).view(points).values
        for member in members
        for name in EPOCHS
    }
    assert not np.allclose(found[4, "untrained"], found[4, "trained"])
    assert not np.allclose(found[4, "trained"], found[2, "trained"])


def test_a_bit_is_on_for_half_of_the_training_points(members):
    for member in members:
        training = member.source.training_points(torch.arange(30)).unflatten(0, (6, 5))
        for each in member.representations:
            assert (each.view(training).bits.sum((0, 1)) == 15).all()


def test_few_points_centre_where_few_are_asked_for(model):
    (first, *_) = Member.all_of(model, [], 7, CPU)
    points = first.source.training_points(torch.arange(30)).numpy()
    centre = named(first, "input").centre
    rows = torch.randperm(30, generator=torch.Generator().manual_seed(0))
    assert not np.allclose(centre, points.mean(0), atol=1e-3)
    assert not np.allclose(centre, points[rows[:7]].mean(0), atol=1e-3)
    again = named(next(Member.all_of(model, [], 7, CPU)), "input").centre
    assert np.array_equal(centre, again)
    bits = named(first, "input").view(torch.tensor(points).unflatten(0, (6, 5))).bits
    assert (bits.sum((0, 1)) != 15).any()


def test_bits_come_before_the_activation_of_the_hash_layer(of_images):
    member, path = of_images
    points = member.source.sample("unseen", 6, 2, "test").points
    view = named(member, "trained").view(points)
    pre, _ = encoded(path, "trained", 0, points.flatten(0, 1))
    assert (view.values >= 0).all()
    assert (view.values == 0).any()
    np.testing.assert_allclose(view.values.reshape(12, 8), pre.clip(0), rtol=1e-4, atol=1e-6)
    assert np.array_equal(view.signs, view.values > 0)
    training = some_training_points(member.source, 60, 25)
    own = encoded(path, "trained", 0, training)[0]
    np.testing.assert_allclose(view.centre, own.clip(0).mean(0), rtol=1e-4, atol=1e-5)
    off = ~view.signs
    assert view.bits[off].any(), "a unit that is off may be above its median"


def test_images_are_flattened_where_they_stand_for_themselves(of_images):
    member, _ = of_images
    points = member.source.sample("unseen", 6, 2, "test").points
    view = named(member, "input").view(points)
    assert np.array_equal(view.values, points.flatten(2).numpy())
    assert view.centre.shape == (100,)


def test_a_network_recognises_what_it_predicts(members, model):
    for i, member in enumerate(members):
        points = member.source.sample("seen", 6, 3, "test").points
        expected = modelfiles.load(model, "final").predict(points.flatten(0, 1))[i]
        found = named(member, "trained").recognised(points)
        assert found.dtype == np.int64
        assert np.array_equal(found, expected.reshape(6, 3).numpy())


def test_members_do_not_depend_on_their_neighbours(members, model, run, train_hash):
    (alone,) = Member.all_of(train_hash(run, SEEDS[1:]), [], 1000, CPU)
    points = alone.source.sample("unseen", 5, 3, "test").points
    for name in ("input", *EPOCHS):
        one, other = (named(each, name).view(points) for each in (members[1], alone))
        np.testing.assert_allclose(one.values, other.values, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(one.centre, other.centre, rtol=1e-4, atol=1e-5)


def test_a_representation_is_centred_by_what_it_is_given():
    training = torch.tensor([[1.0, -2.0], [3.0, 0.0], [8.0, 5.0]])
    found = Representation.of("input", None, training, CPU)
    assert found.centre.tolist() == [4, 1]
    assert found.median.tolist() == [3, 0]
    view = found.view(torch.tensor([[[3.5, -1.0], [3.0, 0.5]]]))
    assert view.bits.tolist() == [[[True, False], [False, True]]]
    assert view.signs.tolist() == [[[True, False], [True, True]]]
    assert dataclasses.astuple(view)[3].tolist() == [4, 1]


def test_training_points_that_centre_are_those_that_were_trained_on(run, model):
    (first, *_) = Member.all_of(model, [], 1000, CPU)
    data = TrainingPoints.of(run, SEEDS, None, CPU)
    points = data.batch(torch.arange(30).expand(2, -1))[0]
    np.testing.assert_allclose(named(first, "input").centre, points.numpy().mean(0), atol=1e-6)


def test_networks_of_another_kind_are_refused(tmp_path, make_run, make_training):
    training = make_training(make_run(epochs=1), [0], ("0",))
    modelfiles.save(tmp_path / "model", training.finish(), {"run": {}, "seeds": [0]})
    with pytest.raises(DataError, match="model holds no hash networks"):
        next(Member.all_of(tmp_path / "model", [], 10, CPU))
