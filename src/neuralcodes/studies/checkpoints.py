"""Names of checkpoints: an epoch ("0", "10"), an accuracy ("accuracy90"), or "final"."""

ACCURACY = "accuracy"  # a name up to its percentage
FINAL = "final"


def is_epoch(name: str) -> bool:
    """Tell whether a checkpoint is kept after a fixed epoch."""
    return name.isdigit()


def threshold_of(name: str) -> int | None:
    """Give the percentage that a checkpoint by accuracy waits for; None for any other."""
    percent = name.removeprefix(ACCURACY)
    return int(percent) if percent != name and percent.isdigit() else None


def order(name: str) -> float | None:
    """Give a number to sort checkpoints by: epochs, then accuracies, then "final".

    Args:
        name: of the checkpoint.

    Returns:
        The epoch; 1e15 + the percentage; infinity; None for what is no checkpoint's name.
    """
    if is_epoch(name):
        return float(name)
    threshold = threshold_of(name)
    if threshold is not None:
        return 1e15 + threshold
    return float("inf") if name == FINAL else None
