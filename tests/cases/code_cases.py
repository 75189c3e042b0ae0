"""Codes in classes, as the tests of categorization need them."""

import numpy as np

from neuralcodes.codes import packed as codes


def clustered(examples, units, classes=4, noise=0.2, seed=0):
    """Packed codes around one random code per class, and their labels."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, classes, examples)
    centres = np.random.default_rng(99).random((classes, units)) < 0.5
    return codes.pack(centres[labels] ^ (generator.random((examples, units)) < noise)), labels
