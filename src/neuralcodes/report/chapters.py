"""A study as the report shows it: question, figure, headline, numbers, recipe, runs and files."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from neuralcodes.figures import drawing, interactive, kinds, marks, numbers
from neuralcodes.papers import conditions
from neuralcodes.report import payloads, retrievaltables, scores, sheets, typesetting
from neuralcodes.studies import layout, tables

if TYPE_CHECKING:
    from neuralcodes.studies.expansion import Study
    from neuralcodes.studies.settings import Settings


_NUMBER = re.compile(r"[+\u2212-]?\d|\u2013?$")


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
    def of(cls, table: pd.DataFrame, heads: Sequence[str] | None = None) -> "Grid":
        """Take a table of texts, under its own heads or under those given."""
        cells = table.astype(str).to_numpy().tolist()
        numeric = [
            all(_NUMBER.match(cell) for cell in column) for column in zip(*cells, strict=True)
        ]
        return cls(heads or [str(name) for name in table.columns], cells, numeric)


@dataclass(frozen=True)
class Printed:
    """A printed table: its title, how to read the numbers, and its cells."""

    title: str
    note: str
    grid: Grid


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
        headline: what the figure shows, in one sentence.
        picture: the figure.
        numbers: those that the figure shows.
        recipe: how its networks are trained.
        seeds: repeats, for example "0-4".
        runs: (run id, its factors as text) of each point.
        printed: tables that the study prints.
        heights: of the interactive chart in pixels, see `interactive.heights`.
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
    headline: str
    picture: Picture
    numbers: Grid
    recipe: Sequence[Field]
    seeds: str
    runs: Sequence[tuple[str, str]]
    printed: Sequence[Printed]
    heights: tuple[int, int]
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
    kind = kinds.get(study.figure["kind"])
    table = tables.read(folder / f"tables/{study.name}.csv")
    summary = tables.read(folder / f"tables/{study.name}.summary.csv")
    files = conditions.published_files(study, published)
    shown = drawing.chart_of_study(summary, title, study.figure, study.factors, files)
    chart = interactive.figure(shown, table, summary)
    return Chapter(
        name=study.name,
        paper=study.paper,
        title=title,
        short=re.sub(r"\s*\([^()]*\)$", "", title) or title,
        dataset=label,
        question=kinds.question(study.paper, study.figure, study.factors, label),
        reading=kind.how_to_read(published=any(each.published for each in shown.each_panel())),
        headline=shown.headline,
        picture=Picture.of(folder / f"figures/{study.name}.png"),
        numbers=Grid.of(told(numbers.table(shown))),
        recipe=recipe(study),
        seeds=", ".join(f"{a}-{b}" if a != b else str(a) for a, b in study.chunks),
        runs=[(point.run.id, _told(point.factors)) for point in study.points],
        printed=printed(settings, study),
        heights=interactive.heights(chart),
        chart=payloads.packed_json(chart),
        table=payloads.packed_file(folder / f"tables/{study.name}.summary.csv"),
        figure=payloads.packed_file(folder / f"figures/{study.name}.pdf"),
    )


def told(found: Sequence[numbers.Number]) -> pd.DataFrame:
    """Set the numbers of a figure for reading; a column in which nothing stands is left out.

    Args:
        found: what `numbers.table` gives.
    """
    rows = [
        {
            "Panel": each.panel,
            "Curve": each.curve,
            "Quantity": each.quantity,
            "At": re.sub(r"^-(?=\d)", "\u2212", each.x),
            "Value": interactive.number(each.mean),
            "95% interval": interactive.interval(each.low, each.high),
            "n": str(each.n or ""),
            "Published": interactive.number(each.published)
            if each.published == each.published
            else "",
        }
        for each in found
    ]
    table = pd.DataFrame(rows).replace("", scores.NONE)
    return table[[name for name in table if (table[name] != scores.NONE).any()]]


def printed(settings: "Settings", study: "Study") -> list[Printed]:
    """Take a study's printed tables, of retrieval and of tests.

    Args:
        settings: the configuration.
        study: one of its studies.

    Raises:
        DataError: a file is missing or not such a table.
    """
    files = [Path(each) for each in layout.printed_tables(settings, [study.name])]
    files = [path for path in files if path.suffix == ".csv"]
    made = []
    for path in files:
        if path.name == f"{study.name}.retrieval.csv":
            dataset, group = settings.labels[study.dataset], layout.searched_group(study)
            made.append(retrievaltables.read(path, study.factors, dataset, group))
    if study.significance:
        tests = files[len(made) :]
        made += typesetting.read(
            tests, typesetting.Setting.of(layout.captions(settings, study), ())
        )
    return [
        Printed(sheet.title, sheet.note, Grid.of(cells, sheets.heads(cells)))
        for sheet, cells in made
    ]


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
