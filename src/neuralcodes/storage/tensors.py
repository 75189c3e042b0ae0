"""Files of named tensors, in the safetensors format: reading one never runs what is in it."""

import contextlib
import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file


class Unreadable(Exception):
    """A file that is not a whole safetensors file."""


class TensorFile:
    """A safetensors file that is open; its tensors are read one by one."""

    def __init__(self, file: safe_open) -> None:
        self._file = file

    def metadata(self) -> dict[str, str]:
        """Give the text in the header."""
        return dict(self._file.metadata() or {})

    def names(self) -> list[str]:
        """Name the tensors."""
        return list(self._file.keys())

    def tensor(self, name: str) -> torch.Tensor:
        """Read a tensor onto the CPU."""
        return self._file.get_tensor(name)


@contextlib.contextmanager
def opened(path: Path) -> Iterator[TensorFile]:
    """Open a safetensors file.

    Args:
        path: the file.

    Raises:
        OSError: there is no such file, or the system cannot read it.
        Unreadable: it is not a safetensors file, or not a whole one.
    """
    try:
        with safe_open(path, framework="pt") as file:
            yield TensorFile(file)
    except SafetensorError as error:
        raise Unreadable(str(error)) from error


def write(path: Path, tensors: dict[str, torch.Tensor], text: dict[str, str]) -> None:
    """Write a safetensors file; a full disk is an `OSError` as with any other file.

    Args:
        path: the file.
        tensors: name -> tensor on the CPU; no two may share memory.
        text: kept in the file's header.

    Raises:
        OSError: the system cannot write.
    """
    path.touch()
    mode = path.stat().st_mode
    try:
        save_file(tensors, path, metadata=text)
        path.chmod(mode)  # safetensors makes files that only their owner can read
    except SafetensorError as error:
        number = re.search(r"os error (\d+)", str(error))
        if number is None:
            raise
        raise OSError(int(number[1]), str(error)) from error


def checksum(tensors: Mapping[str, torch.Tensor]) -> str:
    """SHA-256 of names, dtypes, shapes and bytes of tensors on the CPU, in whatever order."""
    digest = hashlib.sha256()
    for name, value in sorted(tensors.items()):
        digest.update(f"{name}\0{value.dtype}\0{tuple(value.shape)}\0".encode())
        digest.update(value.contiguous().flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()
