import numpy as np
import pytest
import torch

from neuralcodes.datasets import prepared
from neuralcodes.errors import DataError
from neuralcodes.manifolds import imagemanifolds, manifolddata
from neuralcodes.manifolds.manifolddata import TrainingPoints, source_of

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def of_images(make_hash_run):
    def build(**changes):
        return make_hash_run(
            **{"dataset": "pictures", "family": "images", "manifolds": 12, "points": 4} | changes
        )

    return build


def training_points(run, seed, data=None):
    count = run.manifolds * run.points
    return source_of(run, seed, data).training_points(torch.arange(count))


def test_training_points_are_of_their_manifolds_one_after_the_other(make_hash_run):
    source = source_of(make_hash_run(), 0, None)
    points = source.training_points(torch.arange(6 * 5)).unflatten(0, (6, 5))
    # the family's own property: points of a manifold depend on theta through its mixing alone
    gammas = torch.cat([torch.ones(6, 1), source.gammas], 1)
    back = (points.double() @ source.family.mixing.double()).unflatten(2, (4, 4))
    for manifold in range(6):
        # phi phi^T, whatever theta: psi has the norm that the normaliser takes away
        products = torch.einsum("pij,pkj->pik", back[manifold], back[manifold])
        expected = torch.outer(gammas[manifold], gammas[manifold]).double() / 2
        assert torch.allclose(products, expected.expand_as(products), atol=1e-5)


def test_fewer_manifolds_are_the_first_of_more(make_hash_run):
    few, many = (training_points(make_hash_run(manifolds=m), 3) for m in (4, 9))
    assert torch.equal(few, many[: len(few)])


def test_seeds_differ_and_do_not_depend_on_their_neighbours(make_hash_run):
    run = make_hash_run()
    both = TrainingPoints.of(run, [0, 1], None, CPU)
    alone = TrainingPoints.of(run, [1], None, CPU)
    rows = torch.tensor([[3, 29, 0]])
    assert torch.equal(both.batch(rows.expand(2, -1))[1], alone.batch(rows)[0])
    assert not torch.equal(both.batch(rows.expand(2, -1))[0], alone.batch(rows)[0])


def test_labels_name_the_manifold_of_each_point(make_hash_run):
    data = TrainingPoints.of(make_hash_run(), [0, 5], None, CPU)
    assert (data.classes, data.examples) == (6, 30)
    assert data.shape == (16,)
    assert torch.equal(data.labels, torch.arange(6).repeat_interleave(5).expand(2, -1))


def test_shuffled_labels_are_the_same_labels_in_another_order(make_hash_run):
    data = TrainingPoints.of(make_hash_run(label_noise=1.0), [0, 5], None, CPU)
    straight = torch.arange(6).repeat_interleave(5)
    for own in data.labels:
        assert torch.equal(own.sort()[0], straight)
        assert not torch.equal(own, straight)
    assert not torch.equal(data.labels[0], data.labels[1])


def test_moments_are_those_of_the_training_points(make_hash_run):
    run = make_hash_run()
    mean, deviation = TrainingPoints.of(run, [0, 5], None, CPU).moments()
    points = training_points(run, 5)
    assert mean[1] == pytest.approx(float(points.mean()), abs=1e-6)
    assert deviation[1] == pytest.approx(float(points.std(correction=0)), rel=1e-5)


def test_seen_manifolds_are_those_trained_on_at_new_points(make_hash_run):
    run = make_hash_run()
    source = source_of(run, 0, None)
    seen = source.sample("seen", 4, 3, "test")
    assert np.array_equal(seen.identifiers, source.gammas[:4].numpy())
    trained = {each.numpy().tobytes() for each in training_points(run, 0)}
    assert not trained & {each.numpy().tobytes() for each in seen.points.flatten(0, 1)}


def test_unseen_manifolds_are_new_and_differ_by_purpose(make_hash_run):
    source = source_of(make_hash_run(), 0, None)
    first, second = (source.sample("unseen", 50, 3, purpose) for purpose in ("one", "two"))
    assert first.points.shape == (50, 3, 16)
    trained = {each.tobytes() for each in source.gammas.numpy()}
    assert not trained & {each.tobytes() for each in first.identifiers}
    assert not np.array_equal(first.identifiers, second.identifiers)
    again = source.sample("unseen", 50, 3, "one")
    assert torch.equal(first.points, again.points)


def test_unseen_manifolds_that_were_trained_on_are_refused():
    known = np.eye(3, dtype=np.float32)
    manifolddata.refuse_common(known, known + 1)
    with pytest.raises(DataError, match="2 of 4 unseen manifolds were trained on"):
        manifolddata.refuse_common(known, np.concatenate([known[1:], known[:2] + 1]))


def test_a_process_that_repeats_a_training_manifold_is_caught(make_hash_run, monkeypatch):
    source = source_of(make_hash_run(), 0, None)
    monkeypatch.setattr(source.family, "sample_gammas", lambda count, _: source.gammas[:count])
    with pytest.raises(DataError, match="3 of 3 unseen manifolds were trained on"):
        source.sample("unseen", 3, 2, "test")


def test_images_are_transformed_as_their_row_says(of_images, pictures):
    run = of_images()
    source = source_of(run, 0, pictures)
    points = source.training_points(torch.tensor([0, 7, 47]))
    expected = imagemanifolds.transform(
        source.images[[0, 1, 11]], source.thetas[[0, 7, 47]], source.border
    )
    assert torch.equal(points, expected)
    assert source.shape == (1, 10, 10)


def test_training_images_are_distinct_images_of_the_training_file(of_images, pictures):
    inputs, _ = prepared.load("pictures", pictures.parent, "train")
    whole = {each.numpy().tobytes() for each in imagemanifolds.bordered(inputs, 255)}
    chosen = [each.numpy().tobytes() for each in source_of(of_images(), 0, pictures).images]
    assert len(set(chosen)) == 12
    assert set(chosen) <= whole


def test_unseen_images_are_of_the_test_file_without_copies_of_training_images(of_images, pictures):
    inputs, _ = prepared.load("pictures", pictures.parent, "test")
    source = source_of(of_images(manifolds=60), 0, pictures)
    unseen = source.sample("unseen", 1000, 2, "test")
    kept = {each.tobytes() for each in unseen.identifiers}
    images = imagemanifolds.bordered(inputs, 255).flatten(1).numpy()
    assert kept == {each.tobytes() for i, each in enumerate(images) if i != 4}
    assert unseen.points.shape == (29, 2, 1, 10, 10)


def test_classes_split_the_images(of_images, pictures):
    source = source_of(of_images(classes="0,2"), 0, pictures)
    assert source.splits() == ("seen", "unseen", "unseen_classes")
    train, labels = prepared.load("pictures", pictures.parent, "train")
    of_class_1 = imagemanifolds.bordered(train[labels == 1], 255)
    assert not {x.numpy().tobytes() for x in source.images} & {
        x.numpy().tobytes() for x in of_class_1
    }
    test, labels = prepared.load("pictures", pictures.parent, "test")
    for split, inside in (("unseen", [0, 2]), ("unseen_classes", [1])):
        images = imagemanifolds.bordered(test[np.isin(labels, inside)], 255).flatten(1)
        found = {x.tobytes() for x in source.sample(split, 99, 2, "test").identifiers}
        assert found == {x.numpy().tobytes() for x in images}


@pytest.mark.parametrize("classes", [None, "0-2"])
def test_without_other_classes_there_is_no_split_of_them(of_images, pictures, classes):
    assert source_of(of_images(classes=classes), 0, pictures).splits() == ("seen", "unseen")


def test_more_manifolds_than_images_are_refused(of_images, pictures):
    with pytest.raises(DataError, match="21 manifolds are more than the 20 training images of "):
        source_of(of_images(classes="1", manifolds=21), 0, pictures)


def test_data_without_images_are_refused(make_hash_run, tmp_path):
    values = np.random.default_rng(0).random((9, 4))
    labels = np.arange(9) % 3
    np.savez(tmp_path / "f.npz", x_train=values, y_train=labels, x_test=values, y_test=labels)
    spec = prepared.DatasetSpec("f", "npz", str(tmp_path / "f.npz"))
    prepared.fetch(spec, tmp_path / "raw", None)
    prepared.prepare(spec, tmp_path / "raw", tmp_path / "f")
    with pytest.raises(DataError, match="holds no images; family images needs some"):
        source_of(make_hash_run(family="images", manifolds=2), 0, tmp_path / "f")


def test_some_training_points_are_drawn_without_repetition(make_hash_run):
    source = source_of(make_hash_run(), 0, None)
    drawn = manifolddata.some_training_points(source, 30, 12)
    assert len({each.numpy().tobytes() for each in drawn}) == 12
    assert len(manifolddata.some_training_points(source, 30, 99)) == 30
