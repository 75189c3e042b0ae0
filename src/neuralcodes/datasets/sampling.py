"""Which training examples a run uses, and the noise put on them."""

from typing import TYPE_CHECKING

import numpy as np

from neuralcodes.errors import DataError
from neuralcodes.storage.randomness import numpy_generator
from neuralcodes.studies.runs import Run, training_part

if TYPE_CHECKING:
    from neuralcodes.studies.hashruns import HashRun


def training_rows(run: Run, labels: np.ndarray, seed: int) -> np.ndarray:
    """Choose the rows of the training file that a seed of a run is trained on.

    Args:
        run: its `sample_size` and `subset` decide: "first" takes the first n for every seed, as
            published; "random" and "stratified" draw n per seed.
        labels: all labels of the training file, int64 (examples,).
        seed: the repeat.

    Returns:
        Row numbers, int64 (n,), distinct.

    Raises:
        DataError: the run asks for more examples than there are.
    """
    available = training_part(len(labels), run.validation_fraction)
    size = run.sample_size or available
    if size > available:
        raise DataError(
            f"sample_size: {size} is more than the {available} training examples of {run.dataset} "
            f"({len(labels)} less the validation fraction {run.validation_fraction:g}); "
            "take it out of the study's factors"
        )
    if size == available or run.subset == "first":
        return np.arange(size)
    generator = numpy_generator(seed, f"subset/{run.subset}/{size}")
    if run.subset == "random":
        return generator.permutation(available)[:size]
    return _stratified(labels[:available], size, generator)


def noisy_labels(run: "Run | HashRun", labels: np.ndarray, seed: int) -> np.ndarray:
    """Permute a fraction of the labels among themselves.

    Args:
        run: its `label_noise` is the fraction.
        labels: labels of the rows that train, int64 (n,); left as they are.
        seed: the repeat.
    """
    labels = labels.copy()
    rows = noisy_rows(run.label_noise, len(labels), numpy_generator(seed, "label noise rows"))
    labels[rows] = numpy_generator(seed, "label noise order").permutation(labels[rows])
    return labels


def noisy_inputs(run: Run, inputs: np.ndarray, maximum: float, seed: int) -> np.ndarray:
    """Replace a fraction of the inputs by uniform noise on the data's own range.

    Args:
        run: its `input_noise` is the fraction.
        inputs: inputs of the rows that train, uint8 or float32 (n, features); left as they are.
        maximum: largest value of an input; integer inputs get integers 0..maximum.
        seed: the repeat.
    """
    inputs = inputs.copy()
    generator = numpy_generator(seed, "input noise")
    rows = noisy_rows(run.input_noise, len(inputs), numpy_generator(seed, "input noise rows"))
    shape = (len(rows), inputs.shape[1])
    if inputs.dtype == np.uint8:
        inputs[rows] = generator.integers(0, int(maximum) + 1, shape, dtype=np.uint8)
    else:
        inputs[rows] = generator.random(shape, dtype=np.float32) * np.float32(maximum)
    return inputs


def noisy_rows(fraction: float, examples: int, generator: np.random.Generator) -> np.ndarray:
    """Draw which rows are noisy; a larger fraction keeps the rows of a smaller one."""
    return generator.permutation(examples)[: round(fraction * examples)]


def repeats(run: Run, examples: int, available: int) -> int:
    """How often a subset is repeated in one epoch (released code; note A14).

    Args:
        run: only a run with a `sample_size` and batches repeats; a full batch is what it is.
        examples: size of the subset.
        available: size of the whole training part.
    """
    return available // examples if run.sample_size and run.batch_size else 1


def _stratified(labels: np.ndarray, size: int, generator: np.random.Generator) -> np.ndarray:
    """Draw each class in proportion; what is left over goes to the largest remainders."""
    classes, counts = np.unique(labels, return_counts=True)
    share = counts * size / len(labels)
    quota = np.floor(share).astype(int)
    # equal remainders are common with few examples: which class gains is drawn, not fixed
    order = generator.permutation(len(classes))
    order = order[np.argsort(-(share - quota)[order], kind="stable")]
    quota[order[: size - quota.sum()]] += 1
    rows = [
        generator.permutation(np.flatnonzero(labels == label))[:count]
        for label, count in zip(classes, quota, strict=True)
    ]
    return generator.permutation(np.concatenate(rows))
