import numpy as np
import pytest
import torch

from neuralcodes.codes import packed
from neuralcodes.datasets import prepared, sampling
from neuralcodes.errors import DataError
from neuralcodes.measures.retrieval import measure_retrieval
from neuralcodes.metrics import retrieval
from neuralcodes.metrics.retrieval import Collection
from neuralcodes.storage import checksums

CPU = torch.device("cpu")
SEEDS = [0, 1, 2]


@pytest.fixture(scope="module")
def encoded(encode):
    return encode(depth=2, width=10, sample_size=20, subset="random", label_noise=0.5)


def found(table, seed, method, metric):
    values = [row[-1] for row in table if row[1] == seed and row[4:6] == (method, metric)]
    assert len(values) == 1
    return values[0]


def test_every_seed_is_searched_by_every_method(encoded, toy):
    run, folder = encoded
    table = measure_retrieval(run, SEEDS, "final", folder, toy)
    assert {row[:4] for row in table} == {(run.id, seed, "final", "test") for seed in SEEDS}
    assert {row[4] for row in table} == set(retrieval.METHODS)
    assert len(table) == 3 * (4 + 5 + 5)
    assert found(table, 1, "exact", "bytes_per_item") == 48


def test_values_are_those_of_each_seeds_training_examples_and_true_labels(encoded, toy, images):
    run, folder = encoded
    table = measure_retrieval(run, SEEDS, "final", folder, toy)
    train, test = (packed.read(folder / f"epochfinal/{s}.npy") for s in ("train", "test"))
    inputs, labels = images[0].reshape(57, -1).astype(np.float32), images[1]
    for i, seed in enumerate(SEEDS):
        own = sampling.training_rows(run, labels, seed)
        items = Collection(inputs[own], train[i], labels[own])
        queries = Collection(inputs[40:], test[i], labels[40:])
        for method, values in retrieval.measure(items, queries, 10, seed).items():
            for metric, value in values.items():
                if metric != "queries_per_second":
                    assert found(table, seed, method, metric) == pytest.approx(value, rel=1e-12)


def asked_by(monkeypatch):
    """The queries of every measurement that follows, none of which is carried out."""
    seen = []
    monkeypatch.setattr(
        retrieval, "measure", lambda items, queries, *rest: seen.append(queries) or {}
    )
    return seen


def test_at_most_so_many_queries_ask_the_same_ones_of_every_seed(encoded, toy, monkeypatch):
    run, folder = encoded
    seen = asked_by(monkeypatch)
    measure_retrieval(run, SEEDS, "final", folder, toy, most_queries=5)
    measure_retrieval(run, SEEDS, "0", folder, toy, most_queries=5)
    assert [len(each.groups) for each in seen] == [5] * 6
    test, _ = prepared.load(toy.name, toy.parent, "test")
    for each in seen[1:]:
        np.testing.assert_array_equal(each.inputs, seen[0].inputs)
    assert (seen[0].inputs != test[:5].reshape(5, -1)).any(), "drawn, not the first"
    assert len(np.unique(seen[0].inputs, axis=0)) == 5
    with pytest.raises(ValueError, match="most_queries must be 1 or more; got 0"):
        measure_retrieval(run, SEEDS, "final", folder, toy, most_queries=0)


def test_queries_keep_their_codes_and_classes(encoded, toy, monkeypatch):
    run, folder = encoded
    seen = asked_by(monkeypatch)
    measure_retrieval(run, SEEDS, "final", folder, toy, most_queries=5)
    test, labels = prepared.load(toy.name, toy.parent, "test")
    code = packed.read(folder / "epochfinal/test.npy")
    for i, queries in enumerate(seen):
        for j, row in enumerate(queries.inputs):
            place = np.flatnonzero((test.reshape(17, -1) == row).all(1))[0]
            assert queries.groups[j] == labels[place]
            np.testing.assert_array_equal(queries.codes[j], code[i, place])


def test_seeds_that_never_reached_an_accuracy_are_left_out(encode, toy):
    run, folder = encode()
    (folder / "epochfinal").rename(folder / "epochaccuracy90")
    (folder / "members.csv").write_text("seed,stopped_epoch,accuracy90\n0,7,3\n1,20,\n2,33,12\n")
    checksums.write_listing(folder)
    table = measure_retrieval(run, SEEDS, "accuracy90", folder, toy)
    assert {row[1] for row in table} == {0, 2}
    assert {row[2] for row in table} == {"accuracy90"}
    (folder / "members.csv").unlink()
    with pytest.raises(DataError, match=r"members\.csv is damaged: .* no such file"):
        measure_retrieval(run, SEEDS, "accuracy90", folder, toy)
