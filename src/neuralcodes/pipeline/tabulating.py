"""From metric files to the table of a study."""

from collections.abc import Sequence
from pathlib import Path

from neuralcodes.datasets import prepared


def training_examples(described: Sequence[str]) -> int | None:
    """Give the number of examples in a dataset's training file.

    Args:
        described: its dataset.json; nothing where a study needs no data, which gives None.
    """
    return prepared.describe(Path(described[0]).parent).examples["train"] if described else None
