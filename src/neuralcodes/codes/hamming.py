"""Exact Hamming distances and nearest neighbours of packed codes."""

import numpy as np

from neuralcodes.codes import packed as codes
from neuralcodes.storage.threads import in_threads

QUERIES = 16  # queries side by side: their temporaries stay in the processor's cache
COLUMNS = 65_536  # stored codes per pass, for the same reason
QUERIES_PER_TASK = 512
COUNTABLE = 31  # bytes whose differing bits uint8 can count
PLANES_BYTES = 64 * 2**20  # memory of one pass over wide codes


def distances(packed: np.ndarray, queries: np.ndarray) -> np.ndarray:
    """Number of units in which codes differ, for each query and each code.

    Args:
        packed: uint8, shape (examples, bytes).
        queries: uint8, shape (queries, bytes).

    Returns:
        uint8, uint16 or uint32, shape (queries, examples).
    """
    result: np.ndarray = np.empty((len(queries), len(packed)), _distance_dtype(packed.shape[1]))
    for chunk in _chunks(*packed.shape):
        work = _Pass(np.ascontiguousarray(packed[chunk].T))
        for rows in _cut(len(queries), QUERIES):
            result[rows, chunk] = work.distances(queries[rows])
    return result


def nearest(packed: np.ndarray, queries: np.ndarray, k: int) -> np.ndarray:
    """The `k` codes nearest to each query, nearest first; equal distances in order of index.

    Args:
        packed: uint8, shape (examples, bytes).
        queries: uint8, shape (queries, bytes).
        k: number of neighbours; no more than there are codes are returned.

    Returns:
        int64 indices into `packed`, shape (queries, min(k, examples)).
    """
    # Of equal codes only the first k can be among the k nearest, and equal queries share theirs.
    kept = _first_copies(codes.distinct(packed), k)
    asked = codes.distinct(queries)
    best = np.full((len(asked.first), min(k, len(kept))), np.iinfo(np.int64).max)
    for chunk in _chunks(len(kept), packed.shape[1]):
        planes = np.ascontiguousarray(packed[kept[chunk]].T)

        def search(task: slice, first: int = chunk.start, planes: np.ndarray = planes) -> None:
            work = _Pass(planes)
            for start in range(task.start, task.stop, QUERIES):
                rows = slice(start, min(start + QUERIES, task.stop))
                best[rows] = work.merge_nearest(queries[asked.first[rows]], first, best[rows])

        in_threads(search, _cut(len(best), QUERIES_PER_TASK))
    return kept[(best & 0xFFFFFFFF)[asked.inverse]]


class _Pass:
    """Distances of a few queries to one chunk of codes, in memory that is used again.

    Args:
        planes: uint8, shape (bytes, codes): all first bytes, then all second bytes, ...; numpy
            compares whole planes far faster than rows of a few bytes.
    """

    def __init__(self, planes: np.ndarray) -> None:
        self.planes = planes
        count = planes.shape[1]
        self.differing = np.empty((QUERIES, count), np.uint8)
        self.bits = np.empty((QUERIES, count), np.uint8)
        self.partial = np.empty((QUERIES, count), np.uint8)
        self.total: np.ndarray = np.empty((QUERIES, count), _distance_dtype(len(planes)))
        # Eight flags are tested at once, as one word; the padding stays False.
        self.close = np.zeros((QUERIES, -(-count // 8) * 8), bool)

    def distances(self, queries: np.ndarray) -> np.ndarray:
        """Distances, shape (queries, codes), valid until the next call."""
        partial = self._count(queries, 0)
        if len(self.planes) <= COUNTABLE:
            return partial
        total = self.total[: len(queries)]
        total[:] = partial
        for first in range(COUNTABLE, len(self.planes), COUNTABLE):
            total += self._count(queries, first)
        return total

    def merge_nearest(self, queries: np.ndarray, first: int, best: np.ndarray) -> np.ndarray:
        """Keys (distance, index) of the nearest among `best` and this chunk, in order.

        Args:
            queries: uint8, shape (queries, bytes).
            first: index of the chunk's first code.
            best: int64 keys, shape (queries, k), of earlier chunks.
        """
        rows, k = best.shape
        found = self.distances(queries)
        limits = np.minimum(_upper_bounds(found, k), best[:, -1] >> 32)
        close = self.close[:rows]
        np.less_equal(found, limits[:, None].astype(found.dtype), out=close[:, : found.shape[1]])
        words = np.flatnonzero(close.view(np.uint64).ravel() != 0)
        word, bit = np.nonzero(close.reshape(-1, 8)[words])
        row, column = np.divmod(8 * words[word] + bit, close.shape[1])
        keys = (found[row, column].astype(np.int64) << 32) | (first + column)
        row = np.concatenate([row, np.repeat(np.arange(rows), k)])
        keys = np.concatenate([keys, best.ravel()])
        order = np.lexsort((keys, row))
        starts = np.searchsorted(row[order], np.arange(rows))
        return keys[order[starts[:, None] + np.arange(k)]]

    def _count(self, queries: np.ndarray, first: int) -> np.ndarray:
        rows = len(queries)
        differing, bits, partial = self.differing[:rows], self.bits[:rows], self.partial[:rows]
        partial[:] = 0
        for plane in range(first, min(first + COUNTABLE, len(self.planes))):
            np.bitwise_xor(self.planes[plane], queries[:, plane, None], out=differing)
            np.bitwise_count(differing, out=bits)
            np.add(partial, bits, out=partial)
        return partial


def _upper_bounds(found: np.ndarray, k: int) -> np.ndarray:
    """Bounds from above on each row's k-th smallest value, from the minima of groups of columns."""
    count = found.shape[1]
    if count < k:
        return np.full(len(found), np.iinfo(found.dtype).max, np.int64)
    size = max(1, min(64, count // (4 * k)))
    groups = found[:, : count // size * size].reshape(len(found), size, -1)
    minima = np.minimum.reduce(groups, axis=1)
    return np.partition(minima, k - 1, axis=1)[:, k - 1].astype(np.int64)


def _first_copies(found: codes.Distinct, k: int) -> np.ndarray:
    """Indices, ascending, of the first k copies of each distinct code."""
    order = np.argsort(found.inverse, kind="stable")
    starts = np.cumsum(found.counts) - found.counts
    rank = np.arange(len(order)) - np.repeat(starts, found.counts)
    return np.sort(order[rank < k])


def _distance_dtype(width: int) -> type:
    return np.uint8 if width <= COUNTABLE else np.uint16 if width <= 8191 else np.uint32


def _chunks(count: int, width: int) -> list[slice]:
    return _cut(count, max(1, min(COLUMNS, PLANES_BYTES // max(1, width))))


def _cut(count: int, size: int) -> list[slice]:
    return [slice(start, min(start + size, count)) for start in range(0, count, size)]
