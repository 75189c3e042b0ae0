"""Defects of the published code: the tables of docs/fidelity.md, read and set as HTML."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup, escape

from neuralcodes import papers
from neuralcodes.errors import DataError

HEADER = ("Id", "Published", "Here", "What it changes in the numbers")
# The letter of a defect's id says whose code it is in.
_PAPERS = {each.letter: each.name for each in map(papers.get, papers.names()) if each.letter}

_ID = re.compile(f"([{''.join(_PAPERS)}])[1-9][0-9]*")
_SEPARATOR = re.compile(r":?-+:?")
_BAR = re.compile(r"(?<!\\)\|")
_CODE = re.compile(r"`([^`]+)`")
_EMPHASIS = re.compile(r"(?<!\w)\*([^\s*](?:[^*]*[^\s*])?)\*(?!\w)")


@dataclass(frozen=True)
class Defect:
    """One defect of a paper's published code, figures or text.

    Attributes:
        id: letter of the paper and number, e.g. "B7".
        paper: the paper's name.
        published: what is published.
        here: what this project does instead, or beside it.
        effect: what the defect changes in the numbers or in the comparison with them.

    The texts are Markdown of which `html` sets `code` and *emphasis*.
    """

    id: str
    paper: str
    published: str
    here: str
    effect: str


def read(path: str | Path) -> list[Defect]:
    """Read the tables of defects of a Markdown document.

    Args:
        path: the document; a table of defects is one whose columns are `HEADER`.

    Returns:
        The defects, those of a paper from number 1 on without a gap.

    Raises:
        DataError: the document cannot be read or has no table of defects; a row does not have
            four filled cells, has no id of a known paper, stands in no table of defects, or has
            an id that is there already or not the next one.
    """
    path = Path(path)
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"{path}: the list of defects cannot be read: {error}; restore it from the repository"
        ) from error
    found: list[Defect] = []
    for number, cells in _rows(path, lines):
        defect = _defect(f"{path}, line {number}", cells)
        _check_order(f"{path}, line {number}", defect, found)
        found.append(defect)
    if not found:
        raise DataError(f"{path} has no table of defects, whose columns are {', '.join(HEADER)}")
    return found


def html(text: str) -> Markup:
    """Set a text of a defect as HTML, everything escaped but `code` and *emphasis*.

    Args:
        text: restricted Markdown.
    """
    # every second part stood between backticks
    parts = _CODE.split(text)
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if place % 2 else _emphasised(part)
        for place, part in enumerate(parts)
    )


def _emphasised(text: str) -> Markup:
    # escaping makes no asterisk, so that the marks are still those of the text
    return Markup(_EMPHASIS.sub(r"<em>\1</em>", str(escape(text))))


def _rows(path: Path, lines: list[str]) -> Iterator[tuple[int, list[str]]]:
    """Give the rows of all tables of defects, with the number of their line."""
    inside = False
    for number, line in enumerate(lines, start=1):
        cells = _cells(line)
        if not cells:
            inside = False
        elif tuple(cells) == HEADER:
            inside = True
        elif inside:
            if not all(map(_SEPARATOR.fullmatch, cells)):
                yield number, cells
        elif _ID.fullmatch(cells[0]):
            raise DataError(
                f"{path}, line {number}: {cells[0]} stands in no table of defects; the columns of "
                f"its table must be {', '.join(HEADER)}"
            )


def _cells(line: str) -> list[str]:
    """Split a row of a table; nothing if the line is none."""
    line = line.strip()
    if not line.startswith("|"):
        return []
    # an unclosed row keeps what follows its last bar as one more cell
    cells = _BAR.split(line)[1:]
    cells = cells if cells[-1] else cells[:-1]
    return [cell.strip().replace(r"\|", "|") for cell in cells]


def _defect(place: str, cells: list[str]) -> Defect:
    if len(cells) != len(HEADER) or not all(cells):
        filled = sum(map(bool, cells))
        raise DataError(
            f"{place}: a row of the table of defects has {len(HEADER)} filled cells "
            f"({', '.join(HEADER)}), found {len(cells)} cells, {filled} of them filled"
        )
    match = _ID.fullmatch(cells[0])
    if match is None:
        raise DataError(
            f"{place}: {cells[0]!r} is no id of a defect; write one of the letters "
            f"{', '.join(_PAPERS)} and a number"
        )
    return Defect(cells[0], _PAPERS[match[1]], *cells[1:])


def _check_order(place: str, defect: Defect, before: list[Defect]) -> None:
    own = [each.id for each in before if each.paper == defect.paper]
    if defect.id in own:
        raise DataError(f"{place}: {defect.id} stands there twice; give each an id of its own")
    following = f"{defect.id[0]}{len(own) + 1}"
    if defect.id != following:
        raise DataError(
            f"{place}: {defect.id} is out of order, {following} comes next; number the defects of "
            "a paper from 1 on"
        )
