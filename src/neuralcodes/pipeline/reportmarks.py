"""Where Snakemake's own report shows a file: under which paper and study, and with which label."""

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from neuralcodes import papers
from neuralcodes.studies import layout
from neuralcodes.studies.expansion import SCHEMATIC

if TYPE_CHECKING:
    from neuralcodes.studies.settings import Settings

# Captions as the rule files see them.
CAPTIONS = "../workflow/report"


class OfStudy(Protocol):
    """Wildcards of a rule that makes a study's files."""

    study: str


def of_study(settings: "Settings", caption: str, result: str) -> dict[str, object]:
    """Give the arguments with which Snakemake's `report` marks a study's file.

    Args:
        settings: the configuration.
        caption: name of the caption's file, without its ending.
        result: what the file is; tells the files of a study apart.
    """

    def paper(wildcards: OfStudy) -> str:
        return papers.get(settings.studies[wildcards.study].paper).heading

    def title(wildcards: OfStudy) -> str:
        return layout.title_of(settings, settings.studies[wildcards.study])

    return {
        "caption": f"{CAPTIONS}/{caption}.rst",
        "category": paper,
        "subcategory": title,
        "labels": {"result": result, "study": "{study}"},
    }


def of_schematic() -> dict[str, object]:
    """Give the arguments that mark the schematic figure, which no study makes."""
    return {
        "caption": f"{CAPTIONS}/schematic.rst",
        "category": papers.get("oursland2024").heading,
        "subcategory": "How units select features",
        "labels": {"result": "figure", "study": SCHEMATIC},
    }


def of_tests(settings: "Settings", path: str) -> dict[str, object]:
    """Give the arguments that mark a printed table of tests.

    Args:
        settings: the configuration.
        path: one of `layout.typeset_files`: {stem}.{table}.{variant}.{format}.
    """
    names = [each[1:].replace("_", " ") for each in Path(path).suffixes[:-1]]
    return of_study(settings, "tests", f"tests, {', '.join(names)}")
