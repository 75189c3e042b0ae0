import dataclasses

import numpy as np
import pytest
import torch

from neuralcodes.codes import packed
from neuralcodes.errors import DataError
from neuralcodes.manifolds.manifolddata import source_of
from neuralcodes.manifolds.representations import Member, Representation
from neuralcodes.measures.hash_retrieval import measure_hash_retrieval
from neuralcodes.metrics import retrieval
from neuralcodes.storage import rows

CPU = torch.device("cpu")
SEEDS = [6, 1]
SETTINGS = {"manifolds": 40, "queries": 25}


@pytest.fixture(scope="module")
def run(make_hash_run):
    return make_hash_run(hash_width=11)


@pytest.fixture(scope="module")
def model(run, train_hash):
    return train_hash(run, SEEDS)


@pytest.fixture(scope="module")
def table(model):
    return list(measure_hash_retrieval(model, [], SETTINGS, CPU))


@pytest.fixture
def searched(monkeypatch):
    """What is searched for what: items, queries, code length and seed of every search."""
    calls = []

    def measure(*given):
        calls.append(given)
        return {"exact": {"recall_at_1": 0.5}}

    monkeypatch.setattr(retrieval, "measure", measure)
    return calls


def values_of(table, seed, method):
    return {row[5]: row[6] for row in table if (row[1], row[4]) == (seed, method)}


def test_rows_have_the_columns_of_metric_files_and_are_complete(table, run):
    assert all(len(row) == len(rows.RETRIEVAL_COLUMNS) for row in table)
    assert {(row[0], row[2], row[3]) for row in table} == {(run.id, "final", "unseen")}
    assert list(dict.fromkeys(row[1] for row in table)) == SEEDS
    assert all(type(row[6]) is float for row in table)
    for seed in SEEDS:
        for method in retrieval.METHODS:
            found = values_of(table, seed, method)
            costs = {"queries_per_second", "bytes_per_item"}
            lengths = {"code_length"} if method != "exact" else set()
            assert set(found) == {"recall_at_1", "recall_at_10"} | costs | lengths
            assert found["bytes_per_item"] == (4 * 16 if method == "exact" else 2)
            assert found.get("code_length", 11) == 11
            assert 0 <= found["recall_at_1"] <= found["recall_at_10"] <= 1


def test_items_and_queries_are_different_points_of_the_same_manifolds(model, run, searched):
    list(measure_hash_retrieval(model, [], SETTINGS, CPU))
    assert [given[2:] for given in searched] == [(11, 6), (11, 1)]
    for items, queries, _, seed in searched:
        assert items.inputs.shape == (40, 16)
        assert queries.inputs.shape == (25, 16)
        assert np.array_equal(items.groups, np.arange(40))
        assert np.array_equal(queries.groups, np.arange(25))
        mixing = source_of(run, seed, None).family.mixing.numpy()
        # x = A (phi x psi): phi phi^T is the same wherever a point lies on its manifold
        products = [
            np.einsum("nij,nkj->nik", each, each)
            for each in ((side.inputs @ mixing).reshape(-1, 4, 4) for side in (items, queries))
        ]
        np.testing.assert_allclose(products[0][:25], products[1], atol=1e-5)
        assert not np.isclose(products[0][1:26], products[1], atol=1e-3).all((1, 2)).any()
        assert not np.isclose(items.inputs[:25], queries.inputs, atol=1e-3).all(1).any()


def test_searched_manifolds_were_not_trained_on_and_differ_by_seed(model, run, searched):
    list(measure_hash_retrieval(model, [], SETTINGS, CPU))
    (one, *_), (other, *_) = searched
    assert not np.allclose(one.inputs, other.inputs)
    source = source_of(run, 6, None)
    unseen = source.sample("unseen", 40, 2, "retrieval")
    assert np.array_equal(one.inputs, unseen.points[:, 0].numpy())


def test_codes_are_the_bits_of_the_trained_network(model, searched):
    list(measure_hash_retrieval(model, [], SETTINGS, CPU))
    for member, (items, queries, *_) in zip(
        Member.all_of(model, [], 5000, CPU), searched, strict=True
    ):
        (trained,) = [each for each in member.representations if each.name == "trained"]
        for side in (items, queries):
            bits = trained.view(torch.tensor(side.inputs)[:, None]).bits[:, 0]
            assert np.array_equal(packed.unpack(side.codes, 11), bits)


def test_there_are_as_many_queries_as_items_at_most(model, searched):
    list(measure_hash_retrieval(model, [], {"manifolds": 12, "queries": 2000}, CPU))
    for items, queries, *_ in searched:
        assert len(items.groups) == len(queries.groups) == 12


def test_images_are_searched_as_far_as_there_are_unseen_ones(
    make_hash_run, train_hash, pictures, searched
):
    run = make_hash_run(
        **{"dataset": "pictures", "family": "images", "network": "cnn", "manifolds": 60}
    )
    data = [str(pictures / "dataset.json")]
    found = list(measure_hash_retrieval(train_hash(run, [0], pictures), data, SETTINGS, CPU))
    assert found == [(run.id, 0, "final", "unseen", "exact", "recall_at_1", 0.5)]
    ((items, queries, *_),) = searched
    # 30 images of the test file, of which one was trained on
    assert items.inputs.shape == (29, 100)
    assert queries.inputs.shape == (25, 100)


def test_a_code_that_names_the_manifold_finds_every_query(model, monkeypatch):
    real = Representation.view

    def view(self, points):
        names = np.arange(len(points))[:, None] >> np.arange(11) & 1
        bits = np.repeat(names[:, None].astype(bool), points.shape[1], axis=1)
        return dataclasses.replace(real(self, points), bits=bits)

    monkeypatch.setattr(Representation, "view", view)
    table = list(measure_hash_retrieval(model, [], SETTINGS, CPU))
    for seed in SEEDS:
        assert values_of(table, seed, "network_code")["recall_at_1"] == 1
        # raw points of a manifold are nowhere near each other
        assert values_of(table, seed, "exact")["recall_at_1"] < 0.5


def test_a_code_that_says_nothing_is_right_by_chance(model, monkeypatch):
    real = Representation.view
    monkeypatch.setattr(
        Representation,
        "view",
        lambda *given: dataclasses.replace((found := real(*given)), bits=np.ones_like(found.bits)),
    )
    table = list(measure_hash_retrieval(model, [], SETTINGS, CPU))
    for seed in SEEDS:
        found = values_of(table, seed, "network_code")
        assert found["recall_at_1"] == pytest.approx(1 / 40)
        assert found["recall_at_10"] == pytest.approx(10 / 40)


def test_a_network_that_has_learned_finds_more_than_the_others(make_hash_run, train_hash):
    run = make_hash_run(
        **{"manifolds": 30, "points": 30, "width": 300, "hash_width": 32, "theta_dim": 1},
        **{"steps": 300, "batch_size": 100},
    )
    table = list(measure_hash_retrieval(train_hash(run, [0]), [], SETTINGS, CPU))
    found = {each: values_of(table, 0, each)["recall_at_10"] for each in retrieval.METHODS}
    assert found["network_code"] > 0.8
    assert found["network_code"] > found["exact"] + 0.2
    assert found["network_code"] > found["simhash"] + 0.2


def test_searches_repeat_but_for_their_speed(table, model):
    again = list(measure_hash_retrieval(model, [], SETTINGS, CPU))
    timed = [row for row in table if row[5] == "queries_per_second"]
    assert [row for row in again if row[5] != "queries_per_second"] == [
        row for row in table if row not in timed
    ]
    assert len(timed) == len(SEEDS) * len(retrieval.METHODS)


def test_fewer_unseen_manifolds_than_neighbours_are_refused(model, run):
    few = {"manifolds": 9, "queries": 5}
    message = f"run {run.id}: the 9 unseen manifolds of manifolds are fewer than the 10 neighbours"
    with pytest.raises(DataError, match=message):
        list(measure_hash_retrieval(model, [], few, CPU))
