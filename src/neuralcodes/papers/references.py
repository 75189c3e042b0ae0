"""All published values in one table: of which training each is, and how well it is known."""

from dataclasses import dataclass, fields
from pathlib import Path

import pandas as pd

from neuralcodes import papers
from neuralcodes.errors import DataError
from neuralcodes.papers import conditions
from neuralcodes.papers.declaration import Paper

TESTS = ("t_statistic", "p_value")


@dataclass(frozen=True)
class Reference:
    """One published value.

    Attributes:
        paper: name of the paper.
        source: figure or table.
        panel: of the figure; "" in tables.
        dataset: by the name of its official source.
        condition: for a reader.
        split: a split that is not known counts as `values.ASSUMED_SPLIT`.
        split_status: see `he2021.read`.
        metric: by our name.
        published: the value; accuracies in [0, 1].
        reading_error: of a printed value half a unit of its last digit.
        published_std: of the authors' repeats, n - 1; NaN where it is not printed.
        epoch: as published, or "final".
        perturbation: "" of neural codes.
        level: as printed; 0 without perturbation.
        training: its place in `conditions.trainings`.
    """

    paper: str
    source: str
    panel: str
    dataset: str
    condition: str
    split: str
    split_status: str
    metric: str
    published: float
    reading_error: float
    published_std: float
    epoch: str
    perturbation: str
    level: float
    training: int


COLUMNS = tuple(field.name for field in fields(Reference))


def read(directory: str | Path) -> pd.DataFrame:
    """Put all published values in one table; occluded ones, which are bounds, stay out.

    Args:
        directory: folder of `conditions.FILES`.

    Returns:
        One row per value, in the order of the files, with a column per field of `Reference`.

    Raises:
        DataError: a file is missing or lacks a column; a value is of no training in
            `conditions.trainings`.
    """
    parts = [_of_paper(paper, Path(directory)) for paper in papers.with_values()]
    return pd.concat(parts, ignore_index=True)[list(COLUMNS)]


def rows(table: pd.DataFrame) -> list[Reference]:
    """Give the rows of what `read` returned, or of a part of it."""
    return [Reference(*row) for row in table[list(COLUMNS)].itertuples(index=False)]


def _of_paper(paper: Paper, directory: Path) -> pd.DataFrame:
    rows = paper.published.references(directory)
    places = {
        each.key: place
        for place, each in enumerate(conditions.trainings())
        if each.paper == paper.name
    }
    unknown = sorted(set(rows["key"]) - set(places), key=str)
    if unknown:
        path = directory / paper.published.files[0]
        raise DataError(
            f"{path} has a value of {unknown[0]}, which is none of the published trainings"
        )
    return rows.assign(paper=paper.name, training=rows["key"].map(places))
