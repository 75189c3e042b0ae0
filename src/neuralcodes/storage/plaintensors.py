"""The safetensors format, for machines without the package of that name.

Eight bytes say how long the header is, little-endian; the header is JSON, name -> dtype, shape and
place, with text under "__metadata__"; the rest is the tensors' bytes. Nothing in it is ever run.
"""

import contextlib
import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import torch

METADATA = "__metadata__"
LONGEST_HEADER = 100_000_000  # bytes, the format's own limit
LARGEST = 2**48  # of any number in the header; no file holds more
DTYPES = {  # in the order in which the package lays tensors out
    "I64": torch.int64,
    "F64": torch.float64,
    "F32": torch.float32,
    "I32": torch.int32,
    "BF16": torch.bfloat16,
    "F16": torch.float16,
    "I16": torch.int16,
    "I8": torch.int8,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}
_NAMES = {dtype: name for name, dtype in DTYPES.items()}


class BrokenFile(Exception):
    """A file that is not a whole safetensors file."""


class PlainFile:
    """A file that is open; its tensors are read one by one."""

    def __init__(self, file: BinaryIO) -> None:
        """Read the header.

        Args:
            file: at its start.

        Raises:
            BrokenFile: the header does not fit the file.
        """
        self._file = file
        size = file.seek(0, 2)
        file.seek(0)
        length = int.from_bytes(file.read(8), "little")
        if size < 8 or length > min(size - 8, LONGEST_HEADER):
            raise BrokenFile(f"a header of {length} bytes does not fit a file of {size}")
        try:
            header = json.loads(file.read(length).decode("utf-8"))
            text = header.pop(METADATA, None) or {}
            self._text = {str(key): str(value) for key, value in text.items()}
            self._places = {name: _Place(**place) for name, place in header.items()}
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
            raise BrokenFile(f"the header is none: {error}") from error
        self._data = 8 + length
        end = 0
        for place in sorted(self._places.values(), key=lambda each: each.data_offsets):
            if place.data_offsets[0] != end:
                raise BrokenFile("tensors overlap or leave a gap")
            end = place.data_offsets[1]
        if self._data + end != size:
            raise BrokenFile(f"tensors end at byte {self._data + end} of {size}")

    def metadata(self) -> dict[str, str]:
        """Give the text in the header."""
        return dict(self._text)

    def names(self) -> list[str]:
        """Name the tensors."""
        return list(self._places)

    def tensor(self, name: str) -> torch.Tensor:
        """Read a tensor onto the CPU.

        Args:
            name: one of `names`.

        Raises:
            BrokenFile: the file has no such tensor, or has become shorter.
        """
        if name not in self._places:
            raise BrokenFile(f"there is no tensor {name}")
        place = self._places[name]
        first, end = place.data_offsets
        self._file.seek(self._data + first)
        content = bytearray(self._file.read(end - first))
        if len(content) != end - first:
            raise BrokenFile(f"tensor {name} ends too early")
        dtype = DTYPES[place.dtype]
        if not content:
            return torch.empty(place.shape, dtype=dtype)
        return torch.frombuffer(content, dtype=dtype).reshape(place.shape)


class _Place:
    """Where a tensor lies."""

    def __init__(self, dtype: str, shape: list[int], data_offsets: list[int]) -> None:
        first, end = data_offsets
        numbers = [*shape, first, end]
        if not all(type(each) is int and 0 <= each <= LARGEST for each in numbers):
            raise ValueError(f"{numbers} are no sizes and places")
        if end - first != math.prod(shape) * DTYPES[dtype].itemsize:
            raise ValueError(f"{end - first} bytes do not hold {dtype} of shape {shape}")
        self.dtype, self.shape, self.data_offsets = dtype, tuple(shape), (first, end)


@contextlib.contextmanager
def opened(path: Path) -> Iterator[PlainFile]:
    """Open a file.

    Args:
        path: the file.

    Raises:
        OSError: there is no such file, or the system cannot read it.
        BrokenFile: it is not a safetensors file, or not a whole one.
    """
    with path.open("rb") as file:
        yield PlainFile(file)


def write(path: Path, tensors: Mapping[str, torch.Tensor], text: Mapping[str, str]) -> None:
    """Write a file, laid out as the package does.

    Args:
        path: the file.
        tensors: name -> tensor on the CPU.
        text: kept in the file's header.

    Raises:
        OSError: the system cannot write.
    """
    header: dict[str, Any] = {METADATA: dict(text)} if text else {}
    ranks = list(_NAMES)
    order = sorted(tensors, key=lambda name: (ranks.index(tensors[name].dtype), name))
    end = 0
    for name in order:
        first, end = end, end + tensors[name].nbytes
        place = {"shape": list(tensors[name].shape), "data_offsets": [first, end]}
        header[name] = {"dtype": _NAMES[tensors[name].dtype], **place}
    written = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    written += b" " * (-len(written) % 8)
    with path.open("wb") as file:
        file.write(len(written).to_bytes(8, "little") + written)
        for name in order:
            file.write(tensors[name].contiguous().flatten().view(torch.uint8).numpy())
