"""Nearest-neighbour retrieval: Hamming search on codes beside SimHash and exact search.

FAISS searches (Douze et al. 2024, arXiv:2401.08281). Items and queries have a group, a class or a
manifold, and a search is right where it brings up an item of the query's own group. SimHash is the
locality-sensitive hashing of Charikar 2002 (STOC), by the signs of random projections.
"""

import contextlib
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import threadpoolctl

from neuralcodes.codes import hamming
from neuralcodes.codes import packed as codes
from neuralcodes.storage.randomness import numpy_generator

NETWORK_CODE, SIMHASH, EXACT = "network_code", "simhash", "exact"
METHODS = (NETWORK_CODE, SIMHASH, EXACT)
KS = (1, 10)
REPEATS = 3  # timed searches, after one to warm up

BLOCK_BYTES = 128 * 2**20  # memory of one block of distances
ROUNDING = 1e-10  # of the largest squared norm: smaller differences of distances are rounding


@dataclass(frozen=True, eq=False)
class Collection:
    """Items to find, or queries to find them with.

    Attributes:
        inputs: raw inputs, float32 (n, features).
        codes: a network's codes of them, packed as `codes.pack` does, uint8 (n, bytes).
        groups: class or manifold of each, int64 (n,).

    Raises:
        ValueError: another dtype or number of axes, different lengths, or no example.
    """

    inputs: np.ndarray
    codes: np.ndarray
    groups: np.ndarray

    def __post_init__(self) -> None:
        codes.check(self.codes, name="codes")
        for name, dtype, axes in (("inputs", np.float32, 2), ("groups", np.int64, 1)):
            array = getattr(self, name)
            if array.dtype != dtype or array.ndim != axes or len(array) != len(self.codes):
                raise ValueError(
                    f"{name} must be {np.dtype(dtype)} with {axes} axes and {len(self.codes)} "
                    f"rows, as many as the codes; got {array.dtype} of shape {array.shape}"
                )


def measure(
    items: Collection, queries: Collection, code_length: int, seed: int, ks: Sequence[int] = KS
) -> dict[str, dict[str, float]]:
    """Search items by a network's codes, by SimHash of as many bits and by their raw inputs.

    Args:
        items: what is searched.
        queries: what is searched for; a query that is an item finds itself.
        code_length: bits of a code.
        seed: of SimHash's directions.
        ks: numbers of neighbours, each at most the number of items.

    Returns:
        For each of `METHODS`: recall_at_{k}, in [0, 1], see `recall`; queries_per_second, of a
        search for the most neighbours of `ks`, see `queries_per_second`; bytes_per_item in the
        index; for codes code_length, in bits.

    Raises:
        ValueError: items and queries do not fit each other or `code_length`, or `ks` the items.
    """
    _check(items, queries, code_length)
    vectors = {
        NETWORK_CODE: (items.codes, queries.codes),
        SIMHASH: simhash(items.inputs, queries.inputs, code_length, seed),
        EXACT: (items.inputs, queries.inputs),
    }
    result = {}
    for method, (stored, asked) in vectors.items():
        found = recall(stored, asked, items.groups, queries.groups, ks)
        values = {f"recall_at_{k}": value for k, value in found.items()}
        values["queries_per_second"] = queries_per_second(stored, asked, max(ks))
        values["bytes_per_item"] = float(stored[0].nbytes)
        if method != EXACT:
            values["code_length"] = float(code_length)
        result[method] = values
    return result


def simhash(
    items: np.ndarray, queries: np.ndarray, code_length: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Codes of random projections: on which side of random hyperplanes through the mean.

    Two inputs differ in each bit with a probability of their angle over pi, seen from the mean of
    the items. It is subtracted because inputs without negative values, such as images, lie within a
    narrow cone as seen from 0, where most hyperplanes through 0 separate none of them.

    Args:
        items: float32, shape (items, features); the mean is theirs alone.
        queries: float32, shape (queries, features).
        code_length: bits, 1 or more.
        seed: of the directions, which are Gaussian.

    Returns:
        The packed codes of items and queries, uint8, shape (., ceil(code_length / 8)).

    Source: Charikar 2002, Similarity estimation techniques from rounding algorithms, section 3.
    """
    mean = items.mean(axis=0, dtype=np.float64)
    shape = (items.shape[1], code_length)
    directions = numpy_generator(seed, "simhash").standard_normal(shape)
    packed = []
    for inputs in (items, queries):
        bits = np.empty((len(inputs), code_length), bool)
        for rows in codes.row_blocks(len(inputs), 8 * inputs.shape[1]):
            bits[rows] = (inputs[rows] - mean) @ directions > 0
        packed.append(codes.pack(bits))
    return packed[0], packed[1]


def recall(
    stored: np.ndarray,
    asked: np.ndarray,
    groups: np.ndarray,
    asked_groups: np.ndarray,
    ks: Sequence[int] = KS,
) -> dict[int, float]:
    """Share of queries with an item of their own group among the k nearest.

    Items at the same distance, of which codes have many, come in random order, and the share is
    its expectation over that order, computed exactly: it does not depend on the order of the
    items, as the neighbours do that an index returns.

    Args:
        stored: of the items, packed codes for Hamming distances, uint8 (items, bytes), or floats
            for Euclidean ones, shape (items, features).
        asked: the same of the queries.
        groups: of the items, int64 (items,).
        asked_groups: of the queries, int64 (queries,). One that no item has is never found.
        ks: numbers of neighbours.

    Returns:
        For each k the recall, in [0, 1].

    Raises:
        ValueError: a k is below 1 or above the number of items.
    """
    if not ks or min(ks) < 1 or max(ks) > len(stored):
        raise ValueError(f"k must be 1 to {len(stored)}, the number of items; got {list(ks)}")
    distances = hamming.distances if stored.dtype == np.uint8 else _squared_distances
    hits = {k: np.empty(len(asked)) for k in ks}
    for rows in codes.row_blocks(len(asked), 8 * len(stored), BLOCK_BYTES):
        found = distances(stored, asked[rows])
        counts = _before_the_first(found, groups == asked_groups[rows, None])
        for k in ks:
            hits[k][rows] = _hit_probability(*counts, k)
    return {k: float(hit.mean()) for k, hit in hits.items()}


def queries_per_second(stored: np.ndarray, asked: np.ndarray, k: int) -> float:
    """Speed of FAISS on one thread, all queries in one call.

    The median of a few searches after one to warm up. Neither computing the codes nor building the
    index counts.

    Args:
        stored: of the items, as in `recall`.
        asked: of the queries.
        k: number of neighbours.
    """
    seconds = []
    with _one_thread():
        built = index(stored)
        for _ in range(1 + REPEATS):
            start = time.perf_counter()
            built.search(asked, k)
            seconds.append(time.perf_counter() - start)
    return len(asked) / statistics.median(seconds[1:])


def index(stored: np.ndarray) -> Any:  # noqa: ANN401, FAISS has no types
    """Build the FAISS index that compares a query with every item.

    Args:
        stored: packed codes, uint8 (items, bytes), or float32 (items, features).

    Returns:
        Its `search(asked, k)` gives distances and positions, each (queries, k), nearest first.
        Squared distances of floats come from 32-bit arithmetic. Padding is zero in every code and
        changes no distance.
    """
    import faiss

    binary, width = stored.dtype == np.uint8, stored.shape[1]
    built = faiss.IndexBinaryFlat(8 * width) if binary else faiss.IndexFlatL2(width)
    built.add(np.ascontiguousarray(stored))
    return built


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    import faiss

    before = faiss.omp_get_max_threads()
    with threadpoolctl.threadpool_limits(1):
        faiss.omp_set_num_threads(1)
        try:
            yield
        finally:
            faiss.omp_set_num_threads(before)


def _check(items: Collection, queries: Collection, code_length: int) -> None:
    for name in ("inputs", "codes"):
        ours, theirs = getattr(items, name).shape[1], getattr(queries, name).shape[1]
        if ours != theirs:
            raise ValueError(
                f"{name} of items have {ours} columns, those of queries {theirs}; "
                "are they of the same network and data?"
            )
    if code_length < 1:
        raise ValueError(f"code_length must be 1 or more bits; got {code_length}")
    padding = (1 << -code_length % 8) - 1
    for each in (items, queries):
        codes.check(each.codes, code_length, "codes")
        if (each.codes[:, -1] & padding).any():
            raise ValueError(
                f"codes have bits set beyond the first {code_length}; give the code's whole length"
            )


def _squared_distances(stored: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Squared Euclidean distances in units of rounding, float64 (queries, items).

    Whole numbers, so that equal distances are equal; inputs of 0 to 255 lose nothing.
    """
    asked = asked.astype(np.float64)
    norms = np.square(asked).sum(1)
    stored_norms = np.einsum("ij,ij->i", stored, stored, dtype=np.float64)
    result = np.empty((len(asked), len(stored)))
    for rows in codes.row_blocks(len(stored), 8 * stored.shape[1]):
        result[:, rows] = asked @ (-2 * stored[rows].astype(np.float64)).T
    result += norms[:, None]
    result += stored_norms
    unit = ROUNDING * max(norms.max(), stored_norms.max())
    return np.rint(np.divide(result, unit, out=result), out=result) if unit else result


def _before_the_first(
    found: np.ndarray, own: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Count what stands before and beside each query's nearest item of its own group.

    Args:
        found: distances, (queries, items).
        own: bool (queries, items), items of the query's group.

    Returns:
        Integers (queries,): items nearer than that one, items as near, and those of the group.
    """
    beyond = np.inf if found.dtype.kind == "f" else np.iinfo(found.dtype).max
    first = np.min(found, axis=1, initial=beyond, where=own)[:, None]
    tied = found == first
    counted = (found < first, tied, tied & own)
    nearer, beside, of_group = (np.count_nonzero(each, axis=1) for each in counted)
    return nearer, beside, of_group


def _hit_probability(nearer: np.ndarray, tied: np.ndarray, own: np.ndarray, k: int) -> np.ndarray:
    """Probability that a random order of the tied items has one of `own` in the first k places."""
    miss = np.ones(len(nearer))
    for drawn in range(k):
        others = np.maximum(tied - own - drawn, 0) / np.maximum(tied - drawn, 1)
        miss *= np.where(drawn < k - nearer, others, 1)
    return 1 - miss
