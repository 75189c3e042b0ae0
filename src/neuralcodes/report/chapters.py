"""A study as the report shows it: question, figure, findings, numbers, recipe, runs and files."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from neuralcodes.figures import drawing, explorer, findings, highlights, marks, questions
from neuralcodes.papers import conditions
from neuralcodes.report import payloads, pipetables
from neuralcodes.studies import layout, tables

if TYPE_CHECKING:
    from neuralcodes.studies.expansion import Study
    from neuralcodes.studies.settings import Settings


@dataclass(frozen=True)
class Picture:
    """An image inside the page.

    Attributes:
        address: a data address.
        width: in pixels.
        height: in pixels.
    """

    address: str
    width: int
    height: int

    @classmethod
    def of(cls, path: Path) -> "Picture":
        """Take a PNG; see `payloads.image`."""
        return cls(*payloads.image(path))


@dataclass(frozen=True)
class Schematic:
    """A figure without a study: its name, the image and the PDF, packed."""

    name: str
    picture: Picture
    figure: str

    @classmethod
    def of(cls, stem: Path) -> "Schematic":
        """Take the files of a figure.

        Raises:
            DataError: a file cannot be read.
        """
        png, pdf = stem.with_suffix(".png"), stem.with_suffix(".pdf")
        return cls(stem.name, Picture.of(png), payloads.packed_file(pdf))


@dataclass(frozen=True)
class Grid:
    """Cells as text: heads, rows, and for each column whether it holds numbers."""

    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    numeric: Sequence[bool]

    @classmethod
    def of(cls, table: pd.DataFrame) -> "Grid":
        """Take a table of texts."""
        columns = [table[name].astype(str) for name in table.columns]
        numeric = [bool(column.str.match(r"[+\u2212-]?\d|\u2013?$").all()) for column in columns]
        heads = [str(name) for name in table.columns]
        return cls(heads, table.astype(str).to_numpy().tolist(), numeric)


@dataclass(frozen=True)
class Field:
    """One field of a recipe: its key in the configuration, and its value or those of a factor."""

    name: str
    text: str
    varied: bool


@dataclass(frozen=True)
class Chapter:
    """What the report says of one study.

    Attributes:
        name: of the study.
        paper: that asks its question.
        title: of its figure.
        short: the title without what stands in brackets at its end.
        dataset: as figures name it.
        question: one sentence.
        reading: how to read the figure.
        findings: what its data show, the first in one sentence.
        picture: the figure.
        numbers: the most telling ones.
        recipe: how its networks are trained.
        seeds: repeats, for example "0-4".
        runs: (run id, its factors as text) of each point.
        printed: tables that the study prints.
        chart, table, figure: the interactive chart, the summary as CSV and the figure as PDF,
            packed.
    """

    name: str
    paper: str
    title: str
    short: str
    dataset: str
    question: str
    reading: str
    findings: Sequence[str]
    picture: Picture
    numbers: "Grid"
    recipe: Sequence[Field]
    seeds: str
    runs: Sequence[tuple[str, str]]
    printed: Sequence[pipetables.PipeTable]
    chart: str
    table: str
    figure: str


def chapter(settings: "Settings", study: "Study", published: str) -> Chapter:
    """Collect what the report says of a study.

    Args:
        settings: the configuration.
        study: one of its studies, whose tables and figures are there.
        published: folder of the published values.

    Raises:
        DataError: a file is missing or not what it should be.
    """
    folder = Path(settings.results, settings.preset)
    title, label = layout.title_of(settings, study), settings.labels[study.dataset]
    spec = drawing.spec_of(title, study.figure, study.factors)
    table = tables.read(folder / f"tables/{study.name}.csv")
    summary = tables.read(folder / f"tables/{study.name}.summary.csv")
    files = conditions.published_files(study, published)
    theirs = drawing.published_values(study.figure["published"], files)
    return Chapter(
        name=study.name,
        paper=study.paper,
        title=title,
        short=re.sub(r"\s*\([^()]*\)$", "", title) or title,
        dataset=label,
        question=questions.question(study.paper, study.figure, study.factors, label),
        reading=findings.reading(study.figure["kind"], published=theirs is not None),
        findings=findings.sentences(spec, summary, theirs),
        picture=Picture.of(folder / f"figures/{study.name}.png"),
        numbers=Grid.of(highlights.table(spec, summary)),
        recipe=recipe(study),
        seeds=", ".join(f"{a}-{b}" if a != b else str(a) for a, b in study.chunks),
        runs=[(point.run.id, _told(point.factors)) for point in study.points],
        printed=[
            pipetables.read(Path(path))
            for path in layout.printed_tables(settings, [study.name])
            if path.endswith(".md")
        ],
        chart=payloads.packed_json(explorer.chart(spec, table, summary, theirs)),
        table=payloads.packed_file(folder / f"tables/{study.name}.summary.csv"),
        figure=payloads.packed_file(folder / f"figures/{study.name}.pdf"),
    )


def recipe(study: "Study") -> list[Field]:
    """Say how a study's networks are trained: every field that has a say, in the recipe's order.

    Args:
        study: the study.
    """
    runs = [point.run for point in study.points]
    idle = set.intersection(*(run.idle() for run in runs))
    fields = []
    for name in runs[0].to_dict():
        values = list(dict.fromkeys(getattr(run, name) for run in runs))
        if name not in idle:
            text = ", ".join(_text(name, value) for value in values)
            fields.append(Field(name, text, varied=len(values) > 1))
    return fields


def _told(factors: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {_text(name, value)}" for name, value in factors.items())


def _text(name: str, value: object) -> str:
    if value is None and name in ("sample_size", "batch_size"):
        return "all"
    return marks.value_label(value)
