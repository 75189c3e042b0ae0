"""What one source of data is: its files, how they are decoded, and what is known in advance."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

SPLITS = ("train", "test")

Arrays = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class OfficialFile:
    """One file of an official download, the addresses that offer it and its MD5."""

    name: str
    urls: tuple[str, ...]
    md5: str


class Decoded(NamedTuple):
    """What is in the files of a source.

    Attributes:
        arrays: for train and test: inputs uint8 (n, height, width, channels) or float32
            (n, features), and labels int64 (n,).
        classes: their names; label i belongs to `classes[i]`.
        maximum: inputs are divided by it.
    """

    arrays: dict[str, Arrays]
    classes: tuple[str, ...]
    maximum: int = 255


@dataclass(frozen=True)
class Source:
    """One source of data.

    Files are official, the user's own or bundled with a library; a source may also have none.

    Attributes:
        name: in the configuration.
        decode: verified files, as `obtaining.verified` gives them -> what is in them. It trusts
            nothing but official files, and raises DataError where they are damaged or unsafe.
        label: name in texts.
        training_examples: in its training file; None: known once the data are prepared.
        needs_path: its files are the user's own, at the path that the configuration gives.
        files: gives its official files, in the order in which `decode` takes them.
        folders: of a mirror that may hold them.
        bundled: opens the file that a library brings.
    """

    name: str
    decode: Callable[[list[Path]], Decoded]
    label: str
    training_examples: int | None = None
    needs_path: bool = False
    files: Callable[[], list[OfficialFile]] | None = None
    folders: tuple[str, ...] = ()
    bundled: Callable[[], AbstractContextManager[Path]] | None = None
