"""One-vs-one logistic regression on packed codes: exact Newton steps, or scikit-learn."""

from itertools import combinations

import numpy as np

from neuralcodes.codes import packed as codes
from neuralcodes.metrics.checks import check_labels, check_splits
from neuralcodes.metrics.declaration import Look, Metric, Splits, Values
from neuralcodes.storage.threads import in_threads

DENSE_BYTES = 256 * 2**20  # all codes are held as floats at once up to here, beyond a pair's
NEWTON_FEATURES = 1024  # beyond, a Hessian costs more than it saves
MAX_NEWTON_STEPS = 50
PRECISION = 1e-5  # of the loss: how far above its minimum a Newton fit may end
STEP_SIZES = 0.5 ** np.arange(12)
CURVATURE = 0.2  # examples below this share of the mean curvature are left out of the Hessian


def logistic_regression_accuracy(
    train: np.ndarray,
    train_labels: np.ndarray,
    test: np.ndarray,
    test_labels: np.ndarray,
    units: int,
    seed: int = 9,
) -> float:
    """Fit a logistic regression to training codes and score it on test codes.

    One-vs-one: a model for each pair of classes, which minimises |w|^2 / 2 plus the sum of the
    logistic losses (L2 penalty, C = 1). As in liblinear, the intercept is the weight of a constant
    and penalised like any other. The class with most votes wins, of equals the one with the
    greater sum of decision values. With a single class in training, all are predicted to be it.

    Args:
        train: uint8, shape (train examples, bytes).
        train_labels: integers, 0 or more, shape (train examples,).
        test: uint8, shape (test examples, bytes).
        test_labels: integers, 0 or more, shape (test examples,).
        units: units of a code.
        seed: not used: the fit has one solution, and it starts from zero. Kept so that all
            measures are called alike.

    Returns:
        Share of test codes that are labelled rightly, in [0, 1].

    Raises:
        ValueError: codes are empty, not uint8 or do not fit `units`; labels do not fit the codes.

    Source: He et al. 2021, arXiv:2101.05490, categorization by logistic regression.

    Example:
        >>> import numpy as np
        >>> from neuralcodes import metrics
        >>> packed, labels = np.array([[0], [1], [254], [255]], np.uint8), [0, 0, 1, 1]
        >>> metrics.logistic_regression_accuracy(packed, labels, packed, labels, units=8)
        1.0
    """
    train, test = check_splits(train, test)
    codes.check(train, units, "train")
    test_labels = check_labels(test_labels, test)
    classes, encoded = np.unique(check_labels(train_labels, train), return_inverse=True)
    groups = [np.flatnonzero(encoded == index) for index in range(len(classes))]
    if units < NEWTON_FEATURES and 4 * (units + 1) * len(train) <= DENSE_BYTES:
        weights = _fit_narrow(train, groups, units)
    else:
        weights = _fit_wide(train, groups, units)
    predicted = _vote(test, units, weights, len(classes))
    return float(np.mean(classes[predicted] == test_labels))


def _fit_narrow(packed: np.ndarray, groups: list[np.ndarray], units: int) -> np.ndarray:
    """Weights of each pair of classes, whose rows are given, float32 (pairs, units + 1)."""
    rows = in_threads(lambda group: _Rows(packed[group], units), groups)
    pairs = list(combinations(rows, 2))
    fits = in_threads(lambda pair: _newton(_Pair(*pair)), pairs)
    return np.array(fits, np.float32).reshape(len(pairs), units + 1)


class _Rows:
    """Distinct codes of one class as float32 with a constant 1 behind, and their numbers.

    Args:
        packed: uint8, shape (examples, bytes).
        units: units of a code.
    """

    def __init__(self, packed: np.ndarray, units: int) -> None:
        found = codes.distinct(packed)
        self.values = _with_constant(packed[found.first], units)
        self.counts = found.counts.astype(np.float32)
        self.gram = (self.values.T * self.counts) @ self.values


class _Pair:
    """The examples of two classes; a margin is positive where an example is on its own side.

    Args:
        negative: examples that a negative score should have.
        positive: examples that a positive score should have.
    """

    def __init__(self, negative: _Rows, positive: _Rows) -> None:
        self.negative, self.positive = negative.values, positive.values
        self.split = len(negative.counts)
        self.counts = np.concatenate([negative.counts, positive.counts])
        self.gram = negative.gram + positive.gram

    def margins(self, weights: np.ndarray) -> np.ndarray:
        return np.concatenate([-(self.negative @ weights), self.positive @ weights])

    def loss(self, weights: np.ndarray, margins: np.ndarray) -> float:
        losses = float(self.counts @ np.logaddexp(0, -margins))
        return 0.5 * float(weights @ weights) + losses

    def gradient(self, weights: np.ndarray, margins: np.ndarray) -> np.ndarray:
        pull = self.counts * _sigmoid(-margins)
        return weights + pull[: self.split] @ self.negative - pull[self.split :] @ self.positive

    def hessian(self, margins: np.ndarray) -> np.ndarray:
        """Hessian without the examples whose curvature hardly counts.

        A Newton step need not be exact: the gradient is, and decides where the fit ends.
        """
        curvature = self.counts * _sigmoid(margins) * _sigmoid(-margins)
        kept = np.flatnonzero(curvature >= CURVATURE * curvature.mean())
        split = int(np.searchsorted(kept, self.split))
        rows = np.empty((len(kept), len(self.gram)), np.float32)
        np.take(self.negative, kept[:split], axis=0, out=rows[:split], mode="clip")
        np.take(self.positive, kept[split:] - self.split, axis=0, out=rows[split:], mode="clip")
        rows *= np.sqrt(curvature[kept])[:, None]
        return rows.T @ rows


def _newton(pair: _Pair) -> np.ndarray:
    """Newton's method with step halving, from zero; float32 (units + 1,)."""
    from scipy.linalg import cho_factor, cho_solve

    weights, margins = np.zeros(len(pair.gram), np.float32), np.zeros_like(pair.counts)
    loss, hessian = pair.loss(weights, margins), 0.25 * pair.gram
    for _ in range(MAX_NEWTON_STEPS):
        gradient = pair.gradient(weights, margins)
        hessian.flat[:: len(hessian) + 1] += 1
        step = -cho_solve(cho_factor(hessian, overwrite_a=True), gradient)
        slope, margin_step = float(gradient @ step), pair.margins(step)
        for size in STEP_SIZES.astype(np.float32):
            tried = weights + size * step, margins + size * margin_step
            new_loss = pair.loss(*tried)
            if new_loss <= loss + 1e-4 * size * slope:
                break
        else:
            return weights  # rounding hides what is left to gain
        (weights, margins), loss = tried, new_loss
        if -slope / 2 <= PRECISION * loss:
            return weights
        hessian = pair.hessian(margins)
    return weights


def _fit_wide(packed: np.ndarray, groups: list[np.ndarray], units: int) -> np.ndarray:
    """The same for codes too wide for a Hessian, by scikit-learn.

    `newton-cg` was the fastest of its solvers here; with this tolerance the loss ends within
    1e-5 of that of exact Newton steps.
    """
    from sklearn.linear_model import LogisticRegression

    def fit(pair: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
        rows = _with_constant(packed[np.concatenate(pair)], units)
        sides = np.repeat([0, 1], [len(group) for group in pair])
        model = LogisticRegression(
            C=1.0, fit_intercept=False, solver="newton-cg", tol=1e-5, max_iter=1000
        )
        return model.fit(rows, sides).coef_[0]

    fits = in_threads(fit, combinations(groups, 2))
    return np.array(fits, np.float32).reshape(len(fits), units + 1)


def _sigmoid(values: np.ndarray) -> np.ndarray:
    return 0.5 + 0.5 * np.tanh(0.5 * values)  # never overflows


def _with_constant(packed: np.ndarray, units: int) -> np.ndarray:
    values = np.ones((len(packed), units + 1), np.float32)
    values[:, :-1] = codes.unpack_float(packed, units)
    return values


def _vote(packed: np.ndarray, units: int, weights: np.ndarray, classes: int) -> np.ndarray:
    """Class of each code, by the votes of all pairs, then by the sum of their scores."""
    pairs = list(combinations(range(classes), 2))

    def predict(part: slice) -> np.ndarray:
        scores = weights @ _with_constant(packed[part], units).T
        votes, sums = np.zeros((2, classes, scores.shape[1]))
        for (first, second), score in zip(pairs, scores, strict=True):
            votes[second] += score > 0
            votes[first] += score <= 0
            sums[second] += score
            sums[first] -= score
        # The sums decide between equal votes only: they are squeezed to less than half a vote.
        return (votes + sums / (3 * (np.abs(sums) + 1))).argmax(axis=0)

    blocks = codes.row_blocks(len(packed), 4 * (units + 1))
    return np.concatenate(in_threads(predict, blocks))


def _of_test_codes(splits: Splits) -> Values:
    given = (splits.train, splits.train_labels, splits.test, splits.test_labels)
    yield "test", logistic_regression_accuracy(*given, splits.units)


METRICS = (
    Metric(
        name="logistic_regression_accuracy",
        measure=_of_test_codes,
        splits=("test",),
        better="higher",
        published=("he2021",),
        look=Look("Logistic regression accuracy", "#d1603d"),
    ),
)
