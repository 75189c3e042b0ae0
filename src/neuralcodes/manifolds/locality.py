"""Pairs of points: how their representations and bits follow the distance of their manifolds."""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import overload

import numpy as np

from neuralcodes.storage.randomness import numpy_generator

BUCKET_BITS = (1, 2, 4, 8, 12, 16, 24, 32)
DECILES = 10
BLOCK = 2048  # pairs at a time; bounds memory


@dataclass(frozen=True)
class View:
    """One representation of the points of some manifolds.

    Attributes:
        values: float32 (manifolds, points, d), the representation r.
        bits: bool (manifolds, points, b), pre-activation above its median over training points.
        signs: bool (manifolds, points, b), pre-activation above 0.
        centre: (d,), mean of r over training points.

    Raises:
        ValueError: shapes do not fit together, or bits or signs are not bool.
    """

    values: np.ndarray
    bits: np.ndarray
    signs: np.ndarray
    centre: np.ndarray

    def __post_init__(self) -> None:
        leading = self.values.shape[:2]
        if self.values.ndim != 3 or self.centre.shape != self.values.shape[2:]:
            raise ValueError(
                "values must have shape (manifolds, points, d) and centre (d,); "
                f"got {self.values.shape} and {self.centre.shape}"
            )
        for name, each in (("bits", self.bits), ("signs", self.signs)):
            if each.dtype != bool or each.ndim != 3 or each.shape[:2] != leading:
                raise ValueError(
                    f"{name} must be bool, shape {leading} and units; got {each.dtype}, "
                    f"{each.shape}"
                )


@dataclass(frozen=True)
class Pairs:
    """Random pairs of points, as indices manifold * points + point.

    Attributes:
        intra: int (2, count), two different points of one manifold.
        inter: int (2, count), points of two different manifolds.
    """

    intra: np.ndarray
    inter: np.ndarray


def random_pairs(manifolds: int, points: int, count: int, seed: int) -> Pairs:
    """Draw pairs of points of the same and of different manifolds, with repetition.

    Args:
        manifolds: number of manifolds.
        points: points of each.
        count: pairs of either kind.
        seed: seed of the pairs.

    Raises:
        ValueError: fewer than 2 manifolds or points, or no pairs asked for.
    """
    if manifolds < 2 or points < 2 or count < 1:
        raise ValueError(
            "pairs need at least 2 manifolds, 2 points of each and a count of 1; "
            f"got {manifolds}, {points} and {count}"
        )
    generator = numpy_generator(seed, "pairs")
    own, one = generator.integers(manifolds, size=(2, count))
    other = (one + generator.integers(1, manifolds, size=count)) % manifolds
    first = generator.integers(points, size=count)
    second = (first + generator.integers(1, points, size=count)) % points
    return Pairs(
        intra=own * points + np.stack([first, second]),
        inter=np.stack([one, other]) * points + generator.integers(points, size=(2, count)),
    )


def lsh_exponent(hamming_intra: float, hamming_inter: float) -> float:
    """Exponent ln(1 - intra) / ln(1 - inter), of the probabilities that a bit differs.

    NaN where a logarithm is infinite or the denominator 0.

    Source: Indyk and Motwani 1998, doi:10.1145/276698.276876.
    """
    if hamming_intra >= 1 or not 0 < hamming_inter < 1:
        return math.nan
    return math.log(1 - hamming_intra) / math.log(1 - hamming_inter)


def sphere_pairs(
    count: int, angles_degrees: Sequence[float], gamma_dim: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Draw identifiers on the unit sphere at given angles from each other.

    gamma2 = cos(angle) gamma1 + sin(angle) u, with u a random unit vector orthogonal to gamma1,
    the same for all angles; ||gamma1 - gamma2|| = 2 sin(angle / 2).

    Args:
        count: number of pairs at each angle.
        angles_degrees: angles, from 0 to 180.
        gamma_dim: length of gamma, at least 2.
        seed: seed of the pairs.

    Returns:
        gamma1, float32 (count, gamma_dim), and gamma2, float32 (angles, count, gamma_dim).

    Raises:
        ValueError: no orthogonal direction, no pairs, or an angle outside of its range.
    """
    angles = np.asarray(angles_degrees, dtype=np.float64)
    if count < 1 or gamma_dim < 2 or not ((angles >= 0) & (angles <= 180)).all():
        raise ValueError(
            "count must be at least 1, gamma_dim at least 2 and angles from 0 to 180 degrees; "
            f"got {count}, {gamma_dim} and {angles_degrees}"
        )
    generator = numpy_generator(seed, "sphere pairs")
    first = _unit(generator.standard_normal((count, gamma_dim)))
    direction = generator.standard_normal((count, gamma_dim))
    direction = _unit(direction - (direction * first).sum(axis=1, keepdims=True) * first)
    radians = np.radians(angles)[:, None, None]
    second = np.cos(radians) * first + np.sin(radians) * direction
    return first.astype(np.float32), second.astype(np.float32)


def curve(
    first: np.ndarray,
    second: np.ndarray,
    centre: np.ndarray,
    bits_first: np.ndarray,
    bits_second: np.ndarray,
    planes: int,
    seed: int,
) -> dict[str, float]:
    """Compare pairs of points of one distance of their manifolds.

    Args:
        first: representations of the pairs' first points, shape (pairs, d).
        second: the same of their second points.
        centre: what is subtracted before cosines and projections, shape (d,).
        bits_first: bool (pairs, b).
        bits_second: bool (pairs, b).
        planes: number of random hyperplanes through the centre, the same for every pair.
        seed: seed of the hyperplanes.

    Returns:
        lsh_cosine, lsh_cosine_sd: mean and standard deviation (n in the denominator) of the
        cosine over pairs, a vector of length 0 having cosine 0; lsh_collision: share of (pair,
        plane) with both points on one side; lsh_hamming: share of differing bits.

    Raises:
        ValueError: shapes do not fit, or no planes asked for.

    Source: random hyperplanes: Charikar 2002, doi:10.1145/509907.509965.
    """
    shapes = [each.shape for each in (first, second, bits_first, bits_second)]
    if first.ndim != 2 or shapes[::2] != shapes[1::2] or planes < 1:
        raise ValueError(
            "both sides must have one shape, (pairs, d) and (pairs, b), with at least 1 plane; "
            f"got {shapes} and {planes}"
        )
    sides = [_unit(each.astype(np.float64) - centre) for each in (first, second)]
    cosine = np.einsum("pd,pd->p", *sides)
    shape = (first.shape[1], planes)
    normals = numpy_generator(seed, "sign random projections").standard_normal(shape)
    one, other = (each @ normals > 0 for each in sides)
    return {
        "lsh_cosine": float(cosine.mean()),
        "lsh_cosine_sd": float(cosine.std()),
        "lsh_collision": float((one == other).mean()),
        "lsh_hamming": float((bits_first != bits_second).mean()),
    }


def image_curve(
    view: View, originals: np.ndarray, pairs: int, planes: int, seed: int
) -> list[tuple[int, dict[str, float]]]:
    """Compare pairs of transformed images by the distance of the images they come from.

    Args:
        view: the points.
        originals: the untransformed images, shape (manifolds, features).
        pairs: pairs of one image, and of different images.
        planes: random hyperplanes.
        seed: seed of pairs and hyperplanes.

    Returns:
        (position, what `curve` returns): 0 for pairs of one image, 1 to 10 for the deciles of the
        Euclidean distance of the originals, among pairs of different images.

    Raises:
        ValueError: as in `random_pairs`, or fewer than 10 pairs, or originals that do not fit.
    """
    if originals.ndim != 2 or len(originals) != len(view.values) or pairs < DECILES:
        raise ValueError(
            f"originals must have shape ({len(view.values)}, features), pairs be at least "
            f"{DECILES}; got {originals.shape} and {pairs}"
        )
    view, ordered = in_order(view, originals)
    drawn = random_pairs(view.values.shape[0], view.values.shape[1], pairs, seed)
    apart = squared_distances(ordered[:, None], drawn.inter // view.values.shape[1])
    deciles = np.array_split(np.argsort(apart, kind="stable"), DECILES)
    rows, bits = (each.reshape(-1, each.shape[-1]) for each in (view.values, view.bits))
    result = []
    for position, (one, other) in enumerate([drawn.intra, *(drawn.inter[:, d] for d in deciles)]):
        sides = (rows[one], rows[other], view.centre, bits[one], bits[other])
        result.append((position, curve(*sides, planes, seed)))
    return result


def bucket_collisions(
    bits: np.ndarray, counts: Sequence[int] = BUCKET_BITS, *, pairs: int, seed: int
) -> list[tuple[int, float, float]]:
    """Probability that two points share a bucket of k bits.

    The k bits are drawn from all b; the probability is over pairs and exact over all choices of
    bits, of which those without any of a pair's h differing bits are C(b - h, k) of C(b, k).

    Args:
        bits: bool (manifolds, points, b).
        counts: the k; those above b are left out.
        pairs: random pairs of either kind.
        seed: seed of the pairs.

    Returns:
        (k, probability within a manifold, probability between manifolds).

    Raises:
        ValueError: as in `random_pairs`, a k below 1, or `bits` is not bool with three axes.
    """
    if bits.dtype != bool or bits.ndim != 3 or min(counts, default=1) < 1:
        raise ValueError(
            "bits must be bool (manifolds, points, b) and k at least 1; "
            f"got {bits.dtype}, {bits.shape} and {tuple(counts)}"
        )
    bits = bits[canonical_order(bits)]
    drawn = random_pairs(bits.shape[0], bits.shape[1], pairs, seed)
    width = bits.shape[2]
    differing = [_count_differing(bits, each) for each in (drawn.intra, drawn.inter)]
    rows = []
    for k in (k for k in counts if k <= width):
        taken = np.arange(k)
        agreeing = (width - np.arange(width + 1))[:, None] - taken
        collision = (np.maximum(agreeing, 0) / (width - taken)).prod(axis=1)
        intra, inter = (float(collision[each].mean()) for each in differing)
        rows.append((k, intra, inter))
    return rows


def distance_densities(
    view: View, pairs: int, seed: int, edges: np.ndarray | None = None
) -> list[tuple[float, float, float]]:
    """Densities of squared distances over the mean of those between manifolds.

    Args:
        view: the points.
        pairs: random pairs of either kind.
        seed: seed of the pairs.
        edges: ascending edges of the bins; None for 50 bins from 0 to 2.5. Values beyond the
            outer edges count in the outer bins.

    Returns:
        (bin centre, density within manifolds, density between manifolds); each density times the
        widths of the bins sums to 1.

    Raises:
        ValueError: as in `random_pairs`, or no two points of different manifolds differ.
    """
    edges = np.linspace(0, 2.5, 51) if edges is None else np.asarray(edges, dtype=np.float64)
    values = view.values[canonical_order(view.values)]
    drawn = random_pairs(values.shape[0], values.shape[1], pairs, seed)
    intra, inter = (squared_distances(values, each) for each in (drawn.intra, drawn.inter))
    mean = inter.mean()
    if mean == 0:
        raise ValueError("all points of different manifolds are identical: distances have no scale")
    intra, inter = (
        np.histogram(np.clip(each / mean, edges[0], edges[-1]), edges, density=True)[0].tolist()
        for each in (intra, inter)
    )
    return list(zip(((edges[:-1] + edges[1:]) / 2).tolist(), intra, inter, strict=True))


def canonical_order(*arrays: np.ndarray) -> np.ndarray:
    """Order of manifolds by a digest of all that belongs to them.

    Measures take it first: no result depends, by so much as rounding, on the order they came in.

    Args:
        arrays: each with manifolds as its first axis.

    Raises:
        ValueError: the arrays are not of the same number of manifolds.
    """
    if len({len(each) for each in arrays}) != 1:
        raise ValueError(f"arrays differ in manifolds: {[len(each) for each in arrays]}")
    return np.array(sorted(range(len(arrays[0])), key=lambda row: _digest(arrays, row)))


@overload
def in_order(view: View, more: np.ndarray) -> tuple[View, np.ndarray]: ...
@overload
def in_order(view: View, more: None) -> tuple[View, None]: ...
def in_order(view: View, more: np.ndarray | None) -> tuple[View, np.ndarray | None]:
    """Put a view, and what else belongs to its manifolds, into canonical order."""
    known = {name: getattr(view, name) for name in ("values", "bits", "signs")}
    order = canonical_order(*known.values(), *([] if more is None else [more]))
    view = replace(view, **{name: each[order] for name, each in known.items()})
    return view, None if more is None else more[order]


def squared_distances(values: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Squared distances, float64, of one kind of `Pairs` of values (manifolds, points, d)."""
    rows = values.reshape(-1, values.shape[-1])
    found = np.empty(pairs.shape[1])
    for start in range(0, len(found), BLOCK):
        one, other = pairs[:, start : start + BLOCK]
        difference = rows[one].astype(np.float64) - rows[other]
        found[start : start + BLOCK] = np.einsum("pd,pd->p", difference, difference)
    return found


def differing_bits(bits: np.ndarray, pairs: np.ndarray) -> float:
    """Share of differing bits over one kind of `Pairs`; bool (manifolds, points, b)."""
    return float(_count_differing(bits, pairs).mean() / bits.shape[-1])


def _count_differing(bits: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    rows = bits.reshape(-1, bits.shape[-1])
    return (rows[pairs[0]] != rows[pairs[1]]).sum(axis=1)


def _digest(arrays: Sequence[np.ndarray], row: int) -> bytes:
    digest = hashlib.blake2b()
    for each in arrays:
        digest.update(np.ascontiguousarray(each[row]).data)
    return digest.digest()


def _unit(vectors: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.where(lengths > 0, lengths, 1)
