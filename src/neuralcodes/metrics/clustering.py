"""K-Means on packed codes: Lloyd's algorithm with bounds that spare most of the distances.

scikit-learn's on distinct codes with weights takes twice the time from 40 units on and starts from
other codes, so that its values differ: docs/fidelity.md has the numbers.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from neuralcodes.codes import hamming
from neuralcodes.codes import packed as codes
from neuralcodes.storage.threads import in_threads

DENSE_BYTES = 256 * 2**20  # codes are held as floats up to here, unpacked again and again beyond
BLOCK_ROWS = 8192
MAX_ITERATIONS = 300
TOLERANCE = 1e-4  # of the mean variance of a unit; squared movement of the centroids at the end
GATHER_BELOW = 0.6  # share of rows above which all are compared: cheaper than picking them out
SLACK = 1e-3  # of a distance; far above the rounding of the bounds, far below their use


@dataclass(frozen=True)
class Clustering:
    """Clusters found by K-Means.

    Attributes:
        centroids: float32 (clusters, units), in [0, 1].
        assignments: int64 (examples,), the nearest centroid of each code.
        inertia: sum of the squared distances between codes and their centroids.
    """

    centroids: np.ndarray
    assignments: np.ndarray
    inertia: float

    def predict(self, packed: np.ndarray, units: int) -> np.ndarray:
        """Nearest centroid of each code; of equally near ones the first.

        Args:
            packed: uint8, shape (examples, bytes).
            units: units of a code.

        Returns:
            int64, shape (examples,).

        Raises:
            ValueError: the codes have other units than the centroids.
        """
        packed = codes.check(packed, units)
        if units != self.centroids.shape[1]:
            raise ValueError(
                f"the clusters were found on codes of {self.centroids.shape[1]} units; these have "
                f"{units}. Give codes of the same network."
            )
        parts = in_threads(
            lambda rows: _assign(_Points(packed[rows], units, None), self.centroids)[0],
            codes.row_blocks(len(packed), 4 * units),
        )
        return np.concatenate(parts)


def kmeans(
    packed: np.ndarray, units: int, clusters: int, seed: int = 9, restarts: int = 10
) -> Clustering:
    """Cluster codes by K-Means: k-means++ and Lloyd's algorithm, the best of several restarts.

    A restart ends when no code changes its cluster, when the centroids move by less than
    `TOLERANCE`, or after `MAX_ITERATIONS`. Bounds on the distances (Hamerly 2010) spare the codes
    that cannot have changed; the result is Lloyd's. There are never more clusters than distinct
    codes. The random numbers are drawn in scikit-learn's order, so that the same seed starts at
    the same codes as its `KMeans(clusters, n_init=restarts, random_state=seed)`.

    Args:
        packed: uint8, shape (examples, bytes).
        units: units of a code.
        clusters: number of clusters.
        seed: of the restarts' first centroids.
        restarts: number of restarts.

    Returns:
        The clustering with the lowest inertia.

    Raises:
        ValueError: `packed` is empty, not uint8 or does not fit `units`; `clusters` or `restarts`
            is below 1.
    """
    packed = codes.check(packed, units)
    if clusters < 1 or restarts < 1:
        raise ValueError(f"clusters and restarts must be at least 1; got {clusters} and {restarts}")
    found = codes.distinct(packed)
    clusters = min(clusters, len(found.first))
    points = _Points(packed, units, found)
    tolerance = TOLERANCE * points.variance()
    candidates = 2 + int(np.log(clusters))
    # The legacy generator is the one of the published results.
    draws = np.random.RandomState(seed).random_sample((restarts, 1 + candidates * (clusters - 1)))

    def restart(numbers: np.ndarray) -> _Lloyd:
        shares = numbers[1:].reshape(clusters - 1, candidates)
        start = _first_centroids(packed, numbers[0], shares)
        return _Lloyd(points, packed[start], tolerance).run()

    results = in_threads(restart, draws)
    best = min(results, key=lambda result: result.inertia)
    return Clustering(best.centroids, best.assignments[found.inverse], best.inertia)


def _first_centroids(packed: np.ndarray, first: float, shares: np.ndarray) -> np.ndarray:
    """Rows to start from by greedy k-means++, int64 (clusters,).

    Args:
        packed: uint8, shape (examples, bytes).
        first: uniform number in [0, 1) that chooses the first row.
        shares: uniform numbers that choose the candidates for each further one, shape
            (clusters - 1, candidates).

    Source: Arthur and Vassilvitskii 2007; the squared distance of two codes is their Hamming
    distance, so that all potentials are exact integers.
    """
    uniform = np.full(len(packed), 1 / len(packed)).cumsum()
    chosen = [np.searchsorted(uniform / uniform[-1], first, side="right")]
    closest = hamming.distances(packed, packed[chosen])[0]
    for share in shares:
        potential = closest.cumsum(dtype=np.int64)
        rows = np.searchsorted(potential, share * potential[-1])
        offered = np.minimum(hamming.distances(packed, packed[rows]), closest)
        best = offered.sum(axis=1, dtype=np.int64).argmin()
        chosen.append(rows[best])
        closest = offered[best]
    return np.array(chosen)


class _Points:
    """Distinct codes as float32 rows, with the number of examples that each stands for.

    Args:
        packed: uint8, shape (examples, bytes).
        units: units of a code.
        found: the distinct codes among `packed`; None: take each row as it is.
    """

    def __init__(self, packed: np.ndarray, units: int, found: codes.Distinct | None) -> None:
        self.units = units
        self.packed = packed
        self.first = np.arange(len(packed)) if found is None else found.first
        counts = np.ones(len(packed)) if found is None else found.counts
        self.counts = counts.astype(np.float32)
        self.dense = None
        if 4 * units * len(self) <= DENSE_BYTES:
            self.dense = codes.unpack_float(packed[self.first], units)
        sums = [np.einsum("nu->n", rows) for _, rows in self.blocks()]
        self.ones = np.concatenate(sums)

    def __len__(self) -> int:
        return len(self.first)

    def blocks(self, index: np.ndarray | None = None) -> Iterator[tuple[slice, np.ndarray]]:
        """Rows `index` (None: all) in blocks: which part of `index`, and the rows.

        The rows are valid until the next block.
        """
        count = len(self) if index is None else len(index)
        size = max(1, min(BLOCK_ROWS, codes.BLOCK_BYTES // (4 * max(1, self.units))))
        buffer = np.empty((min(size, count), self.units), np.float32)
        for start in range(0, count, size):
            part = slice(start, min(start + size, count))
            if self.dense is None:
                rows = self.first[part if index is None else index[part]]
                yield part, codes.unpack_float(self.packed[rows], self.units)
            elif index is None:
                yield part, self.dense[part]
            else:
                out = buffer[: part.stop - start]
                yield part, np.take(self.dense, index[part], axis=0, out=out, mode="clip")

    def variance(self) -> float:
        """Mean over the units of the variance of a unit."""
        total = np.zeros(self.units)
        for part, rows in self.blocks():
            total += np.einsum("n,nu->u", self.counts[part], rows)
        mean = total / self.counts.sum(dtype=np.float64)
        return float((mean * (1 - mean)).mean()) if self.units else 0.0


class _Lloyd:
    """One restart of Lloyd's algorithm.

    For each code an upper bound on the distance to its own centroid and a lower bound on the
    distance to any other are kept up to date as the centroids move; only codes whose bounds cross
    are compared again.
    """

    def __init__(self, points: _Points, first: np.ndarray, tolerance: float) -> None:
        self.points = points
        self.tolerance = tolerance
        self.centroids = codes.unpack_float(first, points.units)
        self.assignments = np.full(len(points), -1)
        self.upper = np.full(len(points), np.inf, np.float32)
        self.lower = np.zeros(len(points), np.float32)
        # Sums of zeros and ones: exact in float32, so that adding and taking away never drifts.
        self.sums = np.zeros((len(first) + 1, points.units), np.float32)
        self.sizes = np.zeros(len(first) + 1, np.float32)
        self.inertia = np.inf

    def run(self) -> "_Lloyd":
        """Iterate until nothing moves; leaves centroids, assignments and inertia."""
        for _ in range(MAX_ITERATIONS):
            if self._reassign() == 0 or self._move() <= self.tolerance:
                break
        self.assignments, self.inertia = _assign(self.points, self.centroids)
        return self

    def _reassign(self) -> int:
        index: np.ndarray | None = np.flatnonzero(self.upper + SLACK >= self.lower)
        if index is not None and len(index) > GATHER_BELOW * len(self.points):
            index = None
        moved = 0
        for part, rows in self.points.blocks(index):
            where = part if index is None else index[part]
            nearest, first, second = _two_nearest(rows, self.centroids)
            ones = self.points.ones[where]
            self.upper[where] = np.sqrt(np.maximum(first + ones, 0))
            self.lower[where] = np.sqrt(np.maximum(second + ones, 0))
            before = self.assignments[where]
            changed = np.flatnonzero(nearest != before)
            moved += len(changed)
            self._transfer(
                rows[changed], self.points.counts[where][changed], before[changed], nearest[changed]
            )
            self.assignments[where] = nearest
        return moved

    def _transfer(
        self, rows: np.ndarray, counts: np.ndarray, before: np.ndarray, after: np.ndarray
    ) -> None:
        change = np.zeros((len(self.sums), len(rows)), np.float32)
        column = np.arange(len(rows))
        change[after, column] = counts
        change[before, column] = -counts  # -1, no cluster yet: the last row, never read
        self.sums += change @ rows
        self.sizes += change.sum(axis=1)

    def _move(self) -> float:
        """Move the centroids to their members' means; returns the squared movement."""
        sizes = self.sizes[:-1, None]
        # An empty cluster, possible only with coinciding starts, stays where it is.
        means = np.where(sizes > 0, self.sums[:-1] / np.maximum(sizes, 1), self.centroids)
        shifts = np.sqrt(((means - self.centroids) ** 2).sum(axis=1))
        self.centroids = means
        furthest = np.argsort(shifts)
        others = np.full(len(shifts), shifts[furthest[-1]], np.float32)
        others[furthest[-1]] = shifts[furthest[-2]] if len(shifts) > 1 else 0
        self.upper += shifts[self.assignments]
        self.lower -= others[self.assignments]
        return float((shifts**2).sum())


def _two_nearest(
    rows: np.ndarray, centroids: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Nearest centroid of each row, and the two lowest squared distances less the row's own norm.

    Passes over whole arrays, one centroid at a time: many times faster than argmin along an axis.
    """
    scores = (-2 * centroids) @ rows.T
    scores += (centroids * centroids).sum(axis=1)[:, None]
    nearest = np.zeros(len(rows), np.int64)
    first, second = scores[0].copy(), np.full(len(rows), np.inf, np.float32)
    for cluster, score in enumerate(scores[1:], start=1):
        nearest[score < first] = cluster
        np.minimum(second, np.maximum(first, score), out=second)
        np.minimum(first, score, out=first)
    return nearest, first, second


def _assign(points: _Points, centroids: np.ndarray) -> tuple[np.ndarray, float]:
    """Nearest centroid of each row, and the inertia."""
    assignments, inertia = np.empty(len(points), np.int64), 0.0
    for part, rows in points.blocks():
        assignments[part], first, _ = _two_nearest(rows, centroids)
        inertia += float((first + points.ones[part]) @ points.counts[part])
    return assignments, inertia
