import contextlib
import subprocess
import sys
from math import comb
from types import SimpleNamespace

import numpy as np
import pytest
import threadpoolctl

from neuralcodes.codes import hamming
from neuralcodes.codes import packed as codes
from neuralcodes.metrics import retrieval
from neuralcodes.metrics.retrieval import Collection


def packed(*texts):
    """Codes written as text, one a row."""
    return codes.pack(np.array([[bit == "1" for bit in text] for text in texts]))


def collection(inputs, code, groups):
    return Collection(np.asarray(inputs, np.float32), code, np.asarray(groups, np.int64))


def clusters(seed, groups=8, points=6, features=20, spread=0.05, bits=16):
    """Well separated clusters, with random codes: inputs, codes, groups."""
    generator = np.random.default_rng(seed)
    centres = np.random.default_rng(1).standard_normal((groups, features))
    labels = np.repeat(np.arange(groups), points)
    inputs = centres[labels] + spread * generator.standard_normal((len(labels), features))
    code = codes.pack(generator.random((len(labels), bits)) > 0.5)
    return collection(inputs, code, labels)


def permuted(items, seed=0):
    order = np.random.default_rng(seed).permutation(len(items.groups))
    return Collection(items.inputs[order], items.codes[order], items.groups[order])


def points(*values):
    return np.array(values, np.float32)[:, None]


def test_points_on_a_line_have_the_recall_of_their_ranks():
    stored, groups = points(0, 1, 3, 7), np.array([0, 1, 2, 3])
    asked = points(0.4, 0.4, 0.4, 6)
    found = retrieval.recall(stored, asked, groups, np.array([0, 1, 2, 3]), [1, 2, 3, 4])
    # Ranks of the right item: 1, 2, 3 and 1.
    assert found == {1: 0.5, 2: 0.75, 3: 1, 4: 1}


def test_any_item_of_the_own_group_is_a_hit():
    stored, groups = points(0, 1, 2, 3), np.array([5, 7, 7, 5])
    found = retrieval.recall(stored, points(1.1, -1), groups, np.array([5, 5]), [1, 2, 3, 4])
    # At 1.1 the nearest are 1, 2, 0, 3: the own group is third.
    assert found == {1: 0.5, 2: 0.5, 3: 1, 4: 1}


def test_codes_are_found_by_their_hamming_distance():
    stored = packed("00000000", "00001111", "11111111")
    asked = packed("00000111", "11111100")
    found = retrieval.recall(stored, asked, np.array([0, 1, 2]), np.array([0, 2]), [1, 2, 3])
    assert found == {1: 0.5, 2: 1, 3: 1}


@pytest.mark.parametrize("k", [1, 2, 3, 4, 5, 6])
def test_ties_count_by_the_chance_of_a_random_order(k):
    # One item nearer, then four tied of which one is the query's own, then one further.
    stored = packed("10000000", *["11100000"] * 4, "11111111")
    asked = packed("00000000")
    found = retrieval.recall(stored, asked, np.array([9, 1, 2, 3, 4, 9]), np.array([3]), [k])
    assert found[k] == pytest.approx({1: 0, 2: 1 / 4, 3: 1 / 2, 4: 3 / 4, 5: 1, 6: 1}[k])


@pytest.mark.parametrize(("tied", "own", "k"), [(7, 2, 3), (10, 3, 8), (10, 3, 7), (5, 5, 1)])
def test_several_tied_items_of_the_own_group_are_hypergeometric(tied, own, k):
    groups = np.repeat([1, 0], [own, tied - own])
    stored = np.zeros((tied, 1), np.uint8)
    found = retrieval.recall(stored, stored[:1], groups, np.array([1]), [k])[k]
    assert found == pytest.approx(1 - comb(tied - own, k) / comb(tied, k))


def test_equal_inputs_tie_too():
    # Images of whole numbers, and floats whose squares round.
    for scale in (1, 0.1):
        stored = np.full((50, 30), 200 * scale, np.float32)
        asked = np.full((3, 30), 199 * scale, np.float32)
        found = retrieval.recall(stored, asked, np.arange(50), np.array([0, 20, 49]), [1, 10])
        assert found == pytest.approx({1: 1 / 50, 10: 10 / 50})


def test_distances_that_differ_by_rounding_tie():
    generator = np.random.default_rng(0)
    features = np.exp(generator.standard_normal(40)).astype(np.float32)
    stored = np.stack([generator.permutation(features) for _ in range(50)])
    asked = np.full((3, 40), 0.7, np.float32)  # as far from any order of the features
    found = retrieval.recall(stored, asked, np.arange(50), np.array([0, 20, 49]), [1, 10])
    assert found == pytest.approx({1: 1 / 50, 10: 10 / 50})


def test_inputs_that_are_close_do_not_tie():
    stored = np.full((3, 700), 255, np.float32)
    stored[0, 0], stored[1, 0] = 254, 253
    asked = np.full((1, 700), 255, np.float32)
    for group, expected in ((0, 0), (1, 0), (2, 1)):
        assert retrieval.recall(stored, asked, np.arange(3), np.array([group]), [1])[1] == expected


def test_recall_is_the_mean_of_what_faiss_finds_in_random_orders():
    generator = np.random.default_rng(3)
    stored, asked = (generator.integers(0, 16, (n, 1), np.uint8) for n in (40, 30))
    groups, asked_groups = generator.integers(0, 12, 40), generator.integers(0, 12, 30)
    expected = retrieval.recall(stored, asked, groups, asked_groups, [1, 5])
    found = {1: [], 5: []}
    for _ in range(2000):
        order = generator.permutation(40)
        _, neighbours = retrieval.index(stored[order]).search(asked, 5)
        hits = groups[order][neighbours] == asked_groups[:, None]
        for k, share in found.items():
            share.append(hits[:, :k].any(1).mean())
    for k, share in found.items():
        error = np.std(share) / np.sqrt(len(share))
        assert np.mean(share) == pytest.approx(expected[k], abs=4 * error)
        assert 0 < error < 0.002


@pytest.mark.parametrize("order", range(3))
def test_the_order_of_the_items_does_not_matter(order):
    items, queries = clusters(0, spread=1.5, bits=4), clusters(5, spread=1.5, bits=4)
    before = retrieval.measure(items, queries, 4, seed=0)
    after = retrieval.measure(permuted(items, order), queries, 4, seed=0)
    assert 0 < before["network_code"]["recall_at_1"] < 1
    for method in retrieval.METHODS:
        for k in (1, 10):
            name = f"recall_at_{k}"
            assert after[method][name] == pytest.approx(before[method][name], abs=1e-12)


def test_long_tables_of_distances_are_computed_in_blocks(monkeypatch):
    items, queries = clusters(0, spread=1.5, bits=4), clusters(5, spread=1.5, bits=4)
    for name in ("codes", "inputs"):
        stored, asked = getattr(items, name), getattr(queries, name)
        whole = retrieval.recall(stored, asked, items.groups, queries.groups)
        monkeypatch.setattr(retrieval, "BLOCK_BYTES", 5 * 8 * len(stored))
        assert retrieval.recall(stored, asked, items.groups, queries.groups) == whole
        monkeypatch.undo()


def test_a_query_whose_group_no_item_has_is_never_found():
    for stored in (np.zeros((4, 1), np.uint8), np.zeros((4, 1), np.float32)):
        groups = np.zeros(4, np.int64)
        assert retrieval.recall(stored, stored[:1], groups, np.array([3]), [1, 4]) == {1: 0, 4: 0}


def test_a_code_of_the_class_finds_every_query():
    items, queries = clusters(0), clusters(1)
    perfect = packed(*(f"{group:08b}" for group in range(8)))
    items = Collection(items.inputs, perfect[items.groups], items.groups)
    queries = Collection(queries.inputs, perfect[queries.groups], queries.groups)
    found = retrieval.measure(items, queries, 8, seed=0)["network_code"]
    assert (found["recall_at_1"], found["recall_at_10"]) == (1, 1)


def test_random_codes_are_right_by_chance():
    generator = np.random.default_rng(8)
    groups, asked_groups = np.arange(1000) % 10, np.arange(2000) % 10
    stored, asked = (generator.integers(0, 256, (n, 8), np.uint8) for n in (1000, 2000))
    found = retrieval.recall(stored, asked, groups, asked_groups, [1, 10])
    for k in (1, 10):
        chance = 1 - comb(900, k) / comb(1000, k)
        deviation = np.sqrt(chance * (1 - chance) / 2000)
        assert found[k] == pytest.approx(chance, abs=4 * deviation)


def test_simhash_and_exact_search_find_well_separated_clusters():
    items, queries = clusters(0, bits=32), clusters(5, bits=32)
    found = retrieval.measure(items, queries, 32, seed=0)
    assert found["simhash"]["recall_at_1"] == found["exact"]["recall_at_1"] == 1
    assert found["network_code"]["recall_at_1"] < 0.5


@pytest.mark.parametrize("degrees", [20, 60, 90, 150])
def test_simhash_bits_differ_with_a_probability_of_the_angle_over_pi(degrees):
    angle, bits = np.deg2rad(degrees), 20_000
    one = np.array([[1, 0, 0], [-1, 0, 0]], np.float32)  # their mean is 0
    other = np.array([[np.cos(angle), np.sin(angle), 0]], np.float32)
    stored, asked = retrieval.simhash(one, other, bits, seed=4)
    chance = degrees / 180
    deviation = np.sqrt(chance * (1 - chance) / bits)
    assert hamming.distances(stored[:1], asked)[0, 0] / bits == pytest.approx(
        chance, abs=4 * deviation
    )
    assert hamming.distances(stored[:1], stored[1:])[0, 0] == bits


def test_simhash_does_not_depend_on_an_offset_or_a_scale():
    items, queries = clusters(0).inputs, clusters(5).inputs
    found = retrieval.simhash(items, queries, 64, seed=0)
    moved = retrieval.simhash(64 + 8 * items, 64 + 8 * queries, 64, seed=0)
    for before, after in zip(found, moved, strict=True):
        assert np.mean(codes.unpack(before, 64) != codes.unpack(after, 64)) < 0.001


def test_the_centre_of_simhash_is_of_the_items_alone():
    items, queries = clusters(0).inputs, clusters(5).inputs
    both, alone = (retrieval.simhash(items, each, 64, seed=0) for each in (queries, queries[:1]))
    np.testing.assert_array_equal(both[0], alone[0])
    np.testing.assert_array_equal(both[1][:1], alone[1])


def test_seeds_of_simhash_differ_and_repeat():
    items = clusters(0).inputs
    found = [retrieval.simhash(items, items, 64, seed)[0] for seed in (0, 0, 1)]
    np.testing.assert_array_equal(found[0], found[1])
    assert (found[0] != found[2]).any()


@pytest.mark.parametrize("bits", [1, 7, 8, 9, 70])
def test_simhash_is_packed_as_codes_are(bits):
    stored, _ = retrieval.simhash(clusters(0).inputs, clusters(1).inputs, bits, seed=0)
    codes.check(stored, bits)
    np.testing.assert_array_equal(codes.pack(codes.unpack(stored, bits)), stored)


@pytest.mark.parametrize("bits", [3, 8, 13, 300])
def test_faiss_finds_the_hamming_distances_of_brute_force(bits):
    generator = np.random.default_rng(bits)
    stored, asked = (codes.pack(generator.random((n, bits)) > 0.5) for n in (200, 30))
    distances, neighbours = retrieval.index(stored).search(asked, 7)
    every = hamming.distances(stored, asked)
    own = np.take_along_axis(every, hamming.nearest(stored, asked, 7), axis=1)
    np.testing.assert_array_equal(distances, own)
    np.testing.assert_array_equal(np.take_along_axis(every, neighbours, axis=1), own)


def test_padding_changes_no_distance():
    generator = np.random.default_rng(0)
    bits = generator.random((60, 11)) > 0.5
    stored = codes.pack(bits)
    distances, _ = retrieval.index(stored).search(stored[:9], 60)
    expected = np.sort((bits[:9, None] != bits[None]).sum(2), axis=1)
    np.testing.assert_array_equal(distances, expected)


def test_faiss_finds_the_squared_euclidean_distances_of_brute_force():
    items, queries = clusters(0, spread=1).inputs, clusters(5, spread=1).inputs
    distances, neighbours = retrieval.index(items).search(queries, 4)
    expected = np.square(queries[:, None] - items[None]).sum(2)
    np.testing.assert_allclose(distances, np.sort(expected, axis=1)[:, :4], rtol=1e-4)
    np.testing.assert_array_equal(neighbours, np.argsort(expected, axis=1)[:, :4])


def test_every_method_says_what_it_costs():
    found = retrieval.measure(clusters(0, bits=13), clusters(5, bits=13), 13, seed=0)
    assert tuple(found) == retrieval.METHODS
    for method, values in found.items():
        expected = {"recall_at_1", "recall_at_10", "queries_per_second", "bytes_per_item"}
        assert set(values) == expected | ({"code_length"} if method != "exact" else set())
        assert all(isinstance(value, float) for value in values.values())
        assert 0 < values["queries_per_second"] < np.inf
        assert values["bytes_per_item"] == (4 * 20 if method == "exact" else 2)
        assert values.get("code_length", 13) == 13


def test_speed_is_the_median_of_searches_after_one_to_warm_up(monkeypatch):
    clock = iter(np.cumsum([0, 100, 0, 2, 0, 9, 0, 4]))  # 100 s to warm up, then 2, 9 and 4
    monkeypatch.setattr(retrieval.time, "perf_counter", lambda: next(clock))
    items = clusters(0)
    assert retrieval.queries_per_second(items.codes, items.codes[:8], 1) == 8 / 4


@pytest.mark.parametrize("seen_by_threadpoolctl", [True, False])
def test_searches_that_are_timed_run_on_one_thread(monkeypatch, seen_by_threadpoolctl):
    import faiss

    def limits():
        pools = {pool["num_threads"] for pool in threadpoolctl.threadpool_info()}
        return (pools if seen_by_threadpoolctl else set()) | {faiss.omp_get_max_threads()}

    seen, items = [], clusters(0)
    index = SimpleNamespace(search=lambda asked, k: seen.append(limits()))
    monkeypatch.setattr(retrieval, "index", lambda stored: index)
    with threadpoolctl.threadpool_limits(2):
        if not seen_by_threadpoolctl:  # FAISS with a library of threads of its own
            monkeypatch.setattr(threadpoolctl, "threadpool_limits", contextlib.nullcontext)
        before = limits()
        retrieval.queries_per_second(items.codes, items.codes, 3)
        after = limits()
        monkeypatch.undo()
    assert seen == [{1}] * 4
    assert before == after == {2}


@pytest.mark.parametrize("ks", [(0, 1), (1, 49), ()])
def test_more_neighbours_than_items_and_none_are_refused(ks):
    with pytest.raises(ValueError, match="k must be 1 to 48, the number of items"):
        retrieval.measure(clusters(0), clusters(1), 16, seed=0, ks=ks)


def test_as_many_neighbours_as_items_find_everything():
    found = retrieval.measure(clusters(0), clusters(1), 16, seed=0, ks=[48])
    assert {values["recall_at_48"] for values in found.values()} == {1}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"inputs": np.zeros((4, 3))}, r"inputs must be float32 .* got float64 of shape \(4, 3\)"),
        ({"inputs": np.zeros((4, 3, 2), np.float32)}, r"got float32 of shape \(4, 3, 2\)"),
        ({"inputs": np.zeros((5, 3), np.float32)}, r"4 rows, as many as the codes"),
        ({"groups": np.zeros(4, np.int32)}, r"groups must be int64 .* got int32"),
        ({"groups": np.zeros((4, 1), np.int64)}, r"got int64 of shape \(4, 1\)"),
        ({"codes": np.zeros((4, 2), bool)}, r"codes must be a non-empty uint8 matrix"),
        ({"codes": np.zeros((0, 2), np.uint8)}, r"codes must be a non-empty .* \(0, 2\)"),
    ],
)
def test_a_collection_refuses_what_does_not_fit(changes, message):
    parts = {"inputs": np.zeros((4, 3), np.float32), "codes": np.zeros((4, 2), np.uint8)}
    with pytest.raises(ValueError, match=message):
        Collection(**{**parts, "groups": np.zeros(4, np.int64), **changes})


def test_items_and_queries_must_fit_each_other_and_the_length():
    items = clusters(0, bits=13)
    with pytest.raises(ValueError, match="inputs of items have 20 columns, those of queries 9"):
        retrieval.measure(items, clusters(1, features=9, bits=13), 13, seed=0)
    with pytest.raises(ValueError, match="codes of items have 2 columns, those of queries 1"):
        retrieval.measure(items, clusters(1, bits=8), 13, seed=0)
    with pytest.raises(ValueError, match="17 units need 3 bytes"):
        retrieval.measure(items, items, 17, seed=0)
    with pytest.raises(ValueError, match="bits set beyond the first 12"):
        retrieval.measure(items, items, 12, seed=0)
    with pytest.raises(ValueError, match="code_length must be 1 or more bits; got 0"):
        retrieval.measure(items, items, 0, seed=0)


def ran(program):
    """Output of a program in a process of its own, in which a warning is an error."""
    command = [sys.executable, "-W", "error", "-c", program]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


@pytest.mark.parametrize("module", ["metrics.retrieval", "measures.retrieval"])
def test_importing_retrieval_imports_neither_torch_nor_faiss(module):
    program = f"import sys; import neuralcodes.{module}; names = ('torch', 'faiss');"
    assert ran(f"{program} print(*(name in sys.modules for name in names))") == ["False"] * 2


SEARCH = """
import numpy as np
from neuralcodes.metrics import retrieval
x = np.random.default_rng(0).random((500, 64)).astype(np.float32)
print(retrieval.index(x).search(x, 1)[1].ravel().tolist() == list(range(500)))
print(retrieval.queries_per_second(x, x, 1) > 0)
"""
MULTIPLY = """
import torch
x = torch.eye(300)
print(torch.equal(x @ x, x))
"""


@pytest.mark.parametrize("programs", [(SEARCH, MULTIPLY), (MULTIPLY, SEARCH)])
def test_faiss_and_torch_work_in_one_process_in_either_order(programs):
    first, second = programs
    assert ran(first + second + first) == ["True"] * (4 if first == MULTIPLY else 5)
