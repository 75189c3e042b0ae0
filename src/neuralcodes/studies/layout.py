"""Where files are, and which files a study needs: what the rules ask of the configuration."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from neuralcodes.studies import runs
from neuralcodes.studies.expansion import SCHEMATIC

if TYPE_CHECKING:
    from neuralcodes.studies.expansion import Study
    from neuralcodes.studies.settings import Settings

FORMATS = ("pdf", "png", "svg")


# Significance tables: as published where the paper has one, corrected for every perturbation.
AS_PUBLISHED, CORRECTED = "as_published", "corrected"
TABLE_FORMATS = ("csv", "md", "tex")
REPORT = "report.html"  # results/{preset}/report.html
SCORECARD_NAME = "scorecard"
SCORECARD = (f"{SCORECARD_NAME}.csv", f"{SCORECARD_NAME}.totals.csv")


def grid(study: "Study") -> list[dict[str, object]]:
    """List the factors of a study's points, the common ones and those it varies.

    Args:
        study: the study.
    """
    return [
        {
            "study": study.name,
            "dataset": study.dataset,
            **point.factors,
            **point.run.common_factors(),
        }
        for point in study.points
    ]


def held_out(study: "Study") -> list[float]:
    """List the validation fraction of each of a study's points; hash networks hold nothing out.

    Args:
        study: the study.
    """
    return [
        point.run.validation_fraction if isinstance(point.run, runs.Run) else 0.0
        for point in study.points
    ]


def with_factors(
    files: Sequence[str],
    points: Sequence[Mapping[str, object]],
    training_file: int | None,
    held_out: Sequence[float],
) -> Iterable[tuple[str, dict[str, object]]]:
    """Pair a study's metric files with the factors of their points.

    Args:
        files: the study's metric files, point by point of its grid, equally many of each.
        points: what `grid` lists.
        training_file: number of examples in the dataset's training file; None without one.
        held_out: the points' validation fractions; a point that trains on everything gets the
            number of examples that its own leaves.
    """
    per_point = len(files) // len(points)
    for position, path in enumerate(files):
        point = dict(points[position // per_point])
        whole = "sample_size" in point and point["sample_size"] is None
        if whole and training_file is not None:
            fraction = held_out[position // per_point]
            point["sample_size"] = runs.training_part(training_file, fraction)
        yield path, point


def title_of(settings: "Settings", study: "Study") -> str:
    """Give a study's title; without one of its own, its name, its data and its seeds.

    Args:
        settings: the configuration.
        study: one of its studies.
    """
    seeds = sum(last - first + 1 for first, last in study.chunks)
    repeats = "1 seed" if seeds == 1 else f"{seeds} seeds"
    name = study.name.replace("_", " ").capitalize()
    return study.title or f"{name} ({settings.labels[study.dataset]}, {repeats})"


def figure_files(settings: "Settings", studies: Iterable[str]) -> list[str]:
    """List the figure files of studies.

    Args:
        settings: the configuration.
        studies: names.
    """
    names = list(studies)
    if any(settings.studies[name].paper == "oursland2024" for name in names):
        names.append(SCHEMATIC)
    folder = f"{settings.results}/{settings.preset}/figures"
    return [f"{folder}/{name}.{ending}" for name in names for ending in FORMATS]


def typeset_files(stem: str, tests: Mapping[str, Sequence[str]]) -> list[str]:
    """List the printed tables of a study's tests: {stem}.{table}.{variant}.{format}.

    Args:
        stem: path and first part of the names.
        tests: perturbation -> variants, a table each, after that of the unperturbed networks.
    """
    names = ["baseline", *(f"{kind}.{each}" for kind in tests for each in tests[kind])]
    return [f"{stem}.{name}.{ending}" for name in names for ending in TABLE_FORMATS]


def printed_tables(settings: "Settings", studies: Iterable[str]) -> list[str]:
    """List the printed tables of studies: of tests where asked for, of retrieval where measured.

    Args:
        settings: the configuration.
        studies: names.
    """
    folder, studies = f"{settings.results}/{settings.preset}/tables", list(studies)
    searched = [name for name in studies if "retrieval" in settings.studies[name].measures]
    return [
        f"{folder}/{name}.retrieval.{ending}" for name in searched for ending in TABLE_FORMATS
    ] + [
        path
        for name in studies
        if settings.studies[name].significance
        for path in typeset_files(f"{folder}/{name}", settings.tests)
    ]


def study_tables(settings: "Settings", studies: Iterable[str]) -> list[str]:
    """List the tables of studies with every measurement.

    Args:
        settings: the configuration.
        studies: names.
    """
    return [f"{settings.results}/{settings.preset}/tables/{name}.csv" for name in studies]


def report_files(settings: "Settings", studies: Iterable[str]) -> list[str]:
    """List what the report of a preset is made of: tables, figures, printed tables and scorecard.

    Args:
        settings: the configuration.
        studies: names.
    """
    folder, studies = f"{settings.results}/{settings.preset}/tables", list(studies)
    return [
        *study_tables(settings, studies),
        *(f"{folder}/{name}.summary.csv" for name in studies),
        *(path for path in figure_files(settings, studies) if not path.endswith(".svg")),
        *(path for path in printed_tables(settings, studies) if path.endswith(".csv")),
        *(f"{folder}/{name}" for name in SCORECARD),
    ]


def searched_group(study: "Study") -> str:
    """Say what a study's retrieval looks for: points of the query's manifold, or of its class."""
    return "manifold" if study.hashing else "class"


def captions(settings: "Settings", study: "Study") -> dict[str, object]:
    """Give what the captions of a study's tables say: factors, dataset, epochs where all agree.

    Args:
        settings: the configuration.
        study: one of its studies.
    """
    epochs = {each.run.epochs for each in study.points if isinstance(each.run, runs.Run)}
    return {
        "factors": study.factors,
        "dataset": settings.labels[study.dataset],
        "epochs": epochs.pop() if len(epochs) == 1 else None,
    }
