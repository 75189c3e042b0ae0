"""Printed tables: one sheet in CSV, Markdown and LaTeX."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from neuralcodes.storage import jobs
from neuralcodes.studies import tables

_MISSING, _INFINITE, _PLUS_MINUS = "\u2013", "\u221e", "\u00b1"
_NUMBER = re.compile(
    rf"[+-]?(\d{{1,3}}(,\d{{3}})+|\d+(\.\d+)?|{_INFINITE})(e[+-]\d+)?"
    rf"( {_PLUS_MINUS} \d+\.\d+)?%?"
)
_IN_MATHS = {_INFINITE: r"\infty", _PLUS_MINUS: r"\pm", "%": r"\%", ",": "{,}"}
_IN_MARKDOWN = str.maketrans({sign: f"\\{sign}" for sign in "\\|*`<"})
_IN_LATEX = str.maketrans(
    {sign: f"\\{sign}" for sign in "&%$#_{}"}
    | {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    | {"<": r"\textless{}", ">": r"\textgreater{}", _MISSING: "--"}
)


@dataclass(frozen=True, eq=False)
class Sheet:
    """One table before it is set in a format.

    Attributes:
        table: content of the CSV.
        factors: its columns that tell the conditions apart.
        title: heading; names the dataset, the seeds and what was measured.
        note: how to read the numbers.
    """

    table: pd.DataFrame
    factors: tuple[str, ...]
    title: str
    note: str


def markdown(sheet: Sheet, grid: pd.DataFrame, texts: int = 1) -> str:
    """Set a sheet in Markdown: a heading, the note and a pipe table.

    Args:
        sheet: the sheet.
        grid: printed cells as plain text; the columns are pairs of a condition, or "", and a
            heading, in which *x* is a symbol.
        texts: first columns that hold no numbers.
    """
    grid = grid.map(lambda text: text.translate(_IN_MARKDOWN))
    grid.columns = [
        ": ".join(filter(None, (group.translate(_IN_MARKDOWN), heading)))
        for group, heading in grid.columns
    ]
    align = [*["left"] * texts, *["right"] * (len(grid.columns) - texts)]
    text = f"## {sheet.title}\n\n{sheet.note}".translate(_IN_MARKDOWN)
    # With numparse 99.90 would become 99.9.
    return f"{text}\n\n{grid.to_markdown(index=False, disable_numparse=True, colalign=align)}\n"


def heads(grid: pd.DataFrame) -> list[str]:
    """Name the columns of printed cells in plain text: the condition, then what stands there."""
    named = (": ".join(filter(None, column)) for column in grid.columns)
    return [re.sub(r"\*(\w)\*", r"\1", name) for name in named]


def latex(sheet: Sheet, grid: pd.DataFrame, name: str, texts: int = 1) -> str:
    """Set a sheet as a LaTeX table, which needs the package booktabs.

    Args:
        sheet: the sheet.
        grid: as for `markdown`.
        name: label for references; other signs than letters, digits, dots and colons become
            hyphens.
        texts: as for `markdown`.
    """
    grid = grid.map(_latex_cell)
    names = pd.MultiIndex.from_tuples(
        (group.translate(_IN_LATEX), re.sub(r"\*(\w)\*", r"$\1$", heading.replace("%", r"\%")))
        for group, heading in grid.columns
    )
    grid.columns = names if any(names.get_level_values(0)) else names.get_level_values(1)
    return grid.to_latex(
        index=False,
        escape=False,
        column_format="l" * texts + "r" * (len(grid.columns) - texts),
        multicolumn_format="c",
        caption=f"{sheet.title}. {sheet.note}".translate(_IN_LATEX),
        label=re.sub(r"[^A-Za-z0-9.:-]", "-", name),
    )


def write(sheet: Sheet, grid: pd.DataFrame, paths: Sequence[Path], texts: int = 1) -> None:
    """Write a sheet in all formats, each file whole or not at all.

    Args:
        sheet: the sheet.
        grid: as for `markdown`.
        paths: of the CSV, with nine digits; the Markdown; and the LaTeX file, whose name without
            its ending is the table's label.
        texts: as for `markdown`.
    """
    csv, md, tex = paths
    tables.write(sheet.table, csv)
    printed = markdown(sheet, grid, texts), latex(sheet, grid, f"tab:{tex.stem}", texts)
    for path, text in zip((md, tex), printed, strict=True):
        with jobs.atomic(path) as temporary:
            temporary.write_text(text, encoding="utf-8")


def cell(value: float, digits: str, spread: float = math.nan) -> str:
    """Print a number, with its spread unless that is missing; a missing number is a dash.

    Args:
        value: the number.
        digits: format of both.
        spread: after the sign for plus or minus.
    """
    # z: what rounds to zero has no sign.
    text = f"{value:z{digits}}".replace("inf", _INFINITE).replace("nan", _MISSING)
    return text if math.isnan(spread) else f"{text} {_PLUS_MINUS} {spread:{digits}}"


def label(factors: Sequence[str], values: Sequence[object]) -> str:
    """Condition in words: texts stand alone, other values need their factor's name."""
    return ", ".join(
        value if isinstance(value, str) else f"{factor.replace('_', ' ')} {value}"
        for factor, value in zip(factors, values, strict=True)
    )


def seeds(counts: pd.Series) -> str:
    """Number of seeds in words, from that of each row."""
    low, high = int(counts.min()), int(counts.max())
    return "1 seed" if high == 1 else f"{low} to {high} seeds" if low < high else f"{low} seeds"


def _latex_cell(text: str) -> str:
    if not _NUMBER.fullmatch(text):
        return text.translate(_IN_LATEX)
    for sign, command in _IN_MATHS.items():
        text = text.replace(sign, command)
    power = re.sub(r"e([+-]\d+)", lambda found: rf" \times 10^{{{int(found[1])}}}", text)
    return f"${power}$"
