"""The digits of scikit-learn: 1,797 images of 8 x 8 pixels, split once and for all."""

import importlib.resources
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np

from neuralcodes.datasets.sources.declaration import Decoded, Source

_TEST_EXAMPLES = 360  # a fifth of 1,797; 1,437 train


def _bundled() -> AbstractContextManager[Path]:
    data = importlib.resources.files("sklearn.datasets.data").joinpath("digits.csv.gz")
    return importlib.resources.as_file(data)


def _decode(files: list[Path]) -> Decoded:
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    del files  # scikit-learn finds its own
    digits = load_digits()
    images, labels = digits.images.astype(np.uint8)[..., None], digits.target.astype(np.int64)
    options = {"test_size": _TEST_EXAMPLES, "random_state": 0, "stratify": labels}
    train, test, train_labels, test_labels = train_test_split(images, labels, **options)
    arrays = {"train": (train, train_labels), "test": (test, test_labels)}
    return Decoded(arrays, tuple(str(digit) for digit in range(10)), maximum=16)


SOURCE = Source(
    name="digits", decode=_decode, label="digits", training_examples=1437, bundled=_bundled
)
