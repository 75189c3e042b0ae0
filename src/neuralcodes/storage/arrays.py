"""Files of one array, in the .npy format."""

from pathlib import Path

import numpy as np

from neuralcodes.errors import DataError
from neuralcodes.storage import jobs


def write(path: Path, array: np.ndarray) -> None:
    """Write a .npy file, atomically.

    Args:
        path: the file.
        array: of numbers.
    """
    with jobs.atomic(path) as temporary, temporary.open("wb") as file:
        np.save(file, np.ascontiguousarray(array), allow_pickle=False)


def read(path: Path, remedy: str) -> np.ndarray:
    """Map a .npy file into memory, read-only; pickled objects are refused unread.

    Args:
        path: the file.
        remedy: what to do where it is not one.

    Raises:
        FileNotFoundError: there is no such file.
        DataError: the file is truncated, or not a .npy file of numbers.
    """
    try:
        return np.lib.format.open_memmap(path, mode="r")
    except FileNotFoundError:
        raise
    except Exception as error:  # NumPy parses the header as Python, which fails in many ways
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise DataError(f"{path} is not a whole .npy file ({reason}); {remedy}") from error
