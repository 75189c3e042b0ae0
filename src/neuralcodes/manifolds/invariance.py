"""Measures of how far representations depend on the manifold of a point and on nothing else."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from neuralcodes.manifolds.locality import (
    Pairs,
    View,
    canonical_order,
    differing_bits,
    in_order,
    lsh_exponent,
    random_pairs,
    squared_distances,
)
from neuralcodes.storage.randomness import numpy_generator

__all__ = [
    "Pairs",
    "View",
    "effective_rank",
    "measure",
    "measure_pairs",
    "one_shot_accuracy",
    "one_shot_hamming_accuracy",
    "random_pairs",
    "ridge_r2",
    "variance_ratio",
    "variances",
]

RIDGE_PENALTY = 1e-3  # times points over features
COSINE_TIE = 1e-12  # above the rounding of a cosine in float64, below what float32 inputs resolve

_IDENTICAL = "all points are identical: the representation has no variance to share out"


def variances(representations: ArrayLike) -> tuple[float, float]:
    """Variance within manifolds, and in total.

    Args:
        representations: R, floats that NumPy can read, shape (manifolds, points, d).

    Returns:
        V_intra, the mean over manifolds of sum_p ||R - mu_manifold||^2 / (points - 1), and V_tot,
        the mean over all points of ||R - mu||^2; both at least 0.

    Raises:
        ValueError: not three axes, fewer than 2 manifolds or points, or values not finite.

    Source: our choice; see docs/fidelity.md.
    """
    values = _ordered(_checked(representations))[0].astype(np.float64)
    points = values.shape[1]
    # Relative to one of them, identical points are exactly 0.
    within = values - values[:, :1]
    within -= within.mean(axis=1, keepdims=True)
    values -= values[0, 0].copy()
    values -= values.mean(axis=(0, 1))
    intra = np.vdot(within, within) / (len(values) * (points - 1))
    return float(intra), float(np.vdot(values, values) / (len(values) * points))


def variance_ratio(representations: ArrayLike) -> float:
    """Share rho = V_intra / V_tot of the variance that is within manifolds.

    Args:
        representations: floats that NumPy can read, shape (manifolds, points, d).

    Returns:
        rho, at least 0: 0 means that points of a manifold are one, about 1 that they have no more
        in common than points of different manifolds.

    Raises:
        ValueError: as in `variances`, or all points are identical, so that there is no variance.

    Example:
        >>> import numpy as np
        >>> from neuralcodes import manifolds
        >>> manifolds.variance_ratio(np.array([[[0.0], [0.0]], [[1.0], [1.0]]]))  # invariant
        0.0
    """
    return _ratio(*variances(representations))


def one_shot_accuracy(
    representations: ArrayLike,
    way: int,
    episodes: int,
    seed: int,
    centre: np.ndarray | None = None,
    queries: int = 5,
) -> float:
    """Accuracy of telling new manifolds apart from one point of each.

    An episode draws `way` manifolds, one support point of each, and other points of each as
    queries. A query goes to the support of largest cosine, after subtraction of `centre`. Of t
    supports that tie (cosines equal up to rounding), each counts 1 / t; a vector of length 0 has
    cosine 0 with all.

    Args:
        representations: floats that NumPy can read, shape (manifolds, points, d).
        way: manifolds of an episode.
        episodes: number of episodes.
        seed: seed of the episodes.
        centre: shape (d,), or None to subtract nothing.
        queries: points of each manifold that are classified; all others where fewer.

    Returns:
        Share of queries that went to their own manifold, in [0, 1]; chance is 1 / way.

    Raises:
        ValueError: as in `variances`; `way` is not from 2 to the number of manifolds; `episodes`
            or `queries` is below 1.

    Example:
        >>> import numpy as np
        >>> from neuralcodes import manifolds
        >>> representations = np.repeat(np.eye(2)[:, None], 3, axis=1)  # 3 equal points of each
        >>> manifolds.one_shot_accuracy(representations, way=2, episodes=10, seed=0)
        1.0
    """
    values = _ordered(_checked(representations))[0].astype(np.float64)
    if centre is not None:
        values -= np.asarray(centre, dtype=np.float64)
    lengths = np.linalg.norm(values, axis=-1, keepdims=True)
    values /= np.where(lengths > 0, lengths, 1)
    return _one_shot(values, way, episodes, seed, queries, COSINE_TIE)


def one_shot_hamming_accuracy(
    bits: np.ndarray, way: int, episodes: int, seed: int, queries: int = 5
) -> float:
    """Give `one_shot_accuracy` of bits (manifolds, points, b), nearest by Hamming distance.

    Raises:
        ValueError: as in `one_shot_accuracy`, or `bits` is not bool.
    """
    if bits.dtype != bool:
        raise ValueError(f"bits must be bool; got {bits.dtype}")
    # Inner products of +-1 are b - 2 * distance; float32 holds them exactly.
    signed = 2 * _ordered(_checked(bits))[0].astype(np.float32) - 1
    return _one_shot(signed, way, episodes, seed, queries, 0.5)


def measure_pairs(view: View, gammas: np.ndarray | None, count: int, seed: int) -> dict[str, float]:
    """Compare random pairs of points of the same and of different manifolds.

    Args:
        view: the points.
        gammas: shape (manifolds, gamma_dim), or None where manifolds have no coordinates.
        count: pairs of either kind.
        seed: seed of the pairs.

    Returns:
        intra_distance, inter_distance: mean squared Euclidean distance; separation: 1st percentile
        of the inter distances over the mean of the intra ones; pair_auc: P(intra < inter), ties
        count half; distance_correlation (with gammas only): Spearman's, of the distance of gammas
        and that of the points, over inter pairs; hamming_intra, hamming_inter, sign_hamming_intra,
        sign_hamming_inter: shares of differing bits and signs; lsh_exponent:
        ln(1 - hamming_intra) / ln(1 - hamming_inter), 0 for a perfect hash and 1 for a useless
        one. NaN where a measure is undefined.

    Raises:
        ValueError: as in `random_pairs`, or `gammas` do not fit.
    """
    if gammas is not None:
        gammas = _fitting(gammas, len(view.values))
    view, gammas = in_order(view, gammas)
    pairs = random_pairs(view.values.shape[0], view.values.shape[1], count, seed)
    intra, inter = (squared_distances(view.values, each) for each in (pairs.intra, pairs.inter))
    result = {
        "intra_distance": float(intra.mean()),
        "inter_distance": float(inter.mean()),
        "separation": float(np.percentile(inter, 1) / intra.mean()) if intra.any() else math.nan,
        "pair_auc": _auc(intra, inter),
    }
    if gammas is not None:
        from scipy.stats import spearmanr  # slow to import, and images have no gamma

        manifolds = pairs.inter // view.values.shape[1]
        apart = squared_distances(gammas[:, None], manifolds)
        varied = np.ptp(apart) > 0 and np.ptp(inter) > 0
        correlation = spearmanr(apart, inter).statistic if varied else np.nan
        result["distance_correlation"] = float(correlation)
    for name, bits in (("", view.bits), ("sign_", view.signs)):
        result[f"{name}hamming_intra"] = differing_bits(bits, pairs.intra)
        result[f"{name}hamming_inter"] = differing_bits(bits, pairs.inter)
    result["lsh_exponent"] = lsh_exponent(result["hamming_intra"], result["hamming_inter"])
    return result


def ridge_r2(representations: ArrayLike, gammas: np.ndarray) -> float:
    """How well ridge regression finds gamma of new manifolds.

    It is fitted on all points of half of the manifolds and tested on the other half. The
    representation is centred and divided by the root mean square of its length, both over the
    points of the fit; the penalty is 1e-3 * points / d.

    Args:
        representations: floats that NumPy can read, shape (manifolds, points, d).
        gammas: shape (manifolds, gamma_dim).

    Returns:
        R^2 = 1 - SSE / SST over all coordinates together, SST around the mean of the tested
        points; at most 1, and below 0 where the mean of the tested points does better.

    Raises:
        ValueError: as in `variances`; fewer than 4 manifolds; `gammas` do not fit.
    """
    checked = _checked(representations)
    values, gammas = _ordered(checked, _fitting(gammas, len(checked)))
    manifolds, points, d = values.shape
    if manifolds < 4:
        raise ValueError(f"ridge regression needs at least 4 manifolds; got {manifolds}")
    targets = np.repeat(gammas.astype(np.float64), points, axis=0)
    fitted = manifolds // 2 * points
    rows = values.reshape(-1, d).astype(np.float64)
    rows -= rows[:fitted].mean(axis=0)
    scale = math.sqrt(np.vdot(rows[:fitted], rows[:fitted]) / fitted)
    rows /= scale or 1.0
    mean = targets[:fitted].mean(axis=0)
    gram = rows[:fitted].T @ rows[:fitted] + RIDGE_PENALTY * fitted / d * np.eye(d)
    # the normal equations, as scikit-learn solves them; importing it takes longer than this
    weights = np.linalg.solve(gram, rows[:fitted].T @ (targets[:fitted] - mean))
    tested = targets[fitted:]
    missed = tested - mean - rows[fitted:] @ weights
    return 1 - float(np.vdot(missed, missed)) / float(((tested - tested.mean(axis=0)) ** 2).sum())


def effective_rank(representations: ArrayLike) -> float:
    """Participation ratio (sum lambda)^2 / sum lambda^2 of the covariance over all points.

    Args:
        representations: floats that NumPy can read, shape (manifolds, points, d).

    Returns:
        From 1 (all variance in one direction) to d (the same in all).

    Raises:
        ValueError: as in `variance_ratio`.
    """
    values = _ordered(_checked(representations))[0].astype(np.float64)
    rows = (values - values[0, 0]).reshape(-1, values.shape[-1])
    rows -= rows.mean(axis=0)
    total = float(np.vdot(rows, rows))
    if total == 0:
        raise ValueError(_IDENTICAL)
    covariance = rows.T @ rows if rows.shape[0] >= rows.shape[1] else rows @ rows.T
    return total**2 / float(np.vdot(covariance, covariance))


def measure(
    view: View,
    gammas: np.ndarray | None,
    ways: Sequence[int],
    episodes: int,
    pairs: int,
    seed: int,
) -> dict[str, float]:
    """Measure the invariance of a representation on unseen manifolds.

    Args:
        view: the points.
        gammas: shape (manifolds, gamma_dim), or None where manifolds have no coordinates.
        ways: numbers of manifolds of the one-shot tasks; those above what there is are left out.
        episodes: episodes of each.
        pairs: random pairs of either kind.
        seed: seed of episodes and pairs.

    Returns:
        Metrics by name, in the order of the tables. `gammas` None leaves out ridge_r2 and
        distance_correlation.

    Raises:
        ValueError: as in the measures.
    """
    intra, total = variances(view.values)
    result = {
        "variance_ratio": _ratio(intra, total),
        "intra_variance": intra,
        "total_variance": total,
    }
    of_pairs = measure_pairs(view, gammas, pairs, seed)
    for name in ("intra_distance", "inter_distance", "separation", "pair_auc"):
        result[name] = of_pairs.pop(name)
    possible = [way for way in ways if way <= len(view.values)]
    for way in possible:
        accuracy = one_shot_accuracy(view.values, way, episodes, seed, view.centre)
        result[f"one_shot_accuracy_{way}"] = accuracy
    for way in possible:
        accuracy = one_shot_hamming_accuracy(view.bits, way, episodes, seed)
        result[f"one_shot_hamming_accuracy_{way}"] = accuracy
    if gammas is not None:
        result["ridge_r2"] = ridge_r2(view.values, gammas)
    return {**result, **of_pairs, "effective_rank": effective_rank(view.values)}


def _checked(representations: ArrayLike) -> np.ndarray:
    values = np.asarray(representations)
    if values.ndim != 3 or min(values.shape[:2]) < 2 or values.shape[2] < 1:
        raise ValueError(
            "representations must have shape (manifolds, points, d), with at least 2 manifolds "
            f"and 2 points of each; got {values.shape}"
        )
    if values.dtype.kind not in "fb":
        raise ValueError(f"representations must be floats; got {values.dtype}")
    if not np.isfinite(values).all():
        raise ValueError("representations must be finite; did the training diverge?")
    return values


def _fitting(gammas: np.ndarray, manifolds: int) -> np.ndarray:
    gammas = np.asarray(gammas)
    if gammas.ndim != 2 or len(gammas) != manifolds:
        raise ValueError(f"gammas must have shape ({manifolds}, gamma_dim); got {gammas.shape}")
    return gammas


def _ordered(*arrays: np.ndarray) -> list[np.ndarray]:
    order = canonical_order(*arrays)
    return [each[order] for each in arrays]


def _one_shot(
    values: np.ndarray, way: int, episodes: int, seed: int, queries: int, tie: float
) -> float:
    """Share of queries whose own support has the largest inner product, ties counted fairly."""
    manifolds, points, _ = values.shape
    if not 2 <= way <= manifolds or episodes < 1 or queries < 1:
        raise ValueError(
            f"way must be from 2 to the {manifolds} manifolds, episodes and queries at least 1; "
            f"got {way}, {episodes} and {queries}"
        )
    generator = numpy_generator(seed, f"one-shot {way}")
    queries = min(queries, points - 1)
    own = np.repeat(np.arange(way), queries)
    correct = 0.0
    for _ in range(episodes):
        drawn = generator.choice(manifolds, way, replace=False)[:, None]
        order = generator.random((way, points)).argsort(axis=1)[:, : queries + 1]
        supports, others = values[drawn[:, 0], order[:, 0]], values[drawn, order[:, 1:]]
        similarity = others.reshape(len(own), -1) @ supports.T
        nearest = similarity >= similarity.max(axis=1, keepdims=True) - tie
        correct += (nearest[np.arange(len(own)), own] / nearest.sum(axis=1)).sum()
    return float(correct / (episodes * len(own)))


def _auc(low: np.ndarray, high: np.ndarray) -> float:
    """P(low < high) over all pairings, ties counted half."""
    high = np.sort(high)
    up_to = [np.searchsorted(high, low, side).sum() for side in ("left", "right")]
    return float(1 - sum(up_to) / (2 * len(low) * len(high)))


def _ratio(intra: float, total: float) -> float:
    if total == 0:
        raise ValueError(_IDENTICAL)
    return intra / total
