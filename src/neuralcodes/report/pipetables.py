"""Printed tables in Markdown, read back: heading, note, column heads and cells as plain text."""

import re
from dataclasses import dataclass
from pathlib import Path

from neuralcodes.errors import DataError
from neuralcodes.report import payloads

_CELL = re.compile(r"(?<!\\)\|")
_ESCAPE = re.compile(r"\\([\\|*`<])")
_SYMBOL = re.compile(r"(?<!\\)\*(\w+)\*")


@dataclass(frozen=True)
class PipeTable:
    """One printed table.

    Attributes:
        title: its heading.
        note: how to read the numbers.
        heads: column heads.
        rows: cells, as many a row as there are heads.
        numeric: for each column whether it is set to the right.
    """

    title: str
    note: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: tuple[bool, ...]


def read(path: Path) -> PipeTable:
    """Read a table that `sheets.markdown` set.

    Args:
        path: the file.

    Raises:
        DataError: it cannot be read, or is not such a table.
    """
    text = payloads.read(path).decode()
    heading, _, rest = text.partition("\n\n")
    note, _, grid = rest.partition("\n\n")
    lines = [line for line in grid.splitlines() if line]
    if not heading.startswith("## ") or len(lines) < 2:
        raise DataError(f"{path} is not a printed table; delete it and run again")
    heads, marks, *rows = [_cells(line) for line in lines]
    if any(len(row) != len(heads) for row in (marks, *rows)):
        raise DataError(f"{path} has rows of different lengths; delete it and run again")
    return PipeTable(
        title=_plain(heading.removeprefix("## ")),
        note=_plain(note),
        heads=tuple(heads),
        rows=tuple(tuple(row) for row in rows),
        numeric=tuple(mark.endswith(":") for mark in marks),
    )


def _cells(line: str) -> list[str]:
    return [_plain(cell.strip()) for cell in _CELL.split(line)[1:-1]]


def _plain(text: str) -> str:
    return _ESCAPE.sub(r"\1", _SYMBOL.sub(r"\1", text))
