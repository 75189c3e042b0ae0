"""Where files are, and which files a study needs: what the rules ask of the configuration."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from neuralcodes import sampling

if TYPE_CHECKING:
    from neuralcodes.config import Settings
    from neuralcodes.studies import Study

# A measure's metric files: results/metrics/{run}/seeds{a}-{b}/epoch{epoch}{ending}
ENDINGS = {
    "codes": ".csv",
    "layers": ".layers.csv",
    "random_inputs": ".random_inputs.csv",
    "regions": ".regions.csv",
}
FORMATS = ("pdf", "png", "svg")


def metric_files(settings: "Settings", study: "Study") -> list[str]:
    """List a study's metric files, point by point of its grid.

    Args:
        settings: the configuration.
        study: one of its studies.
    """
    return [
        f"{settings.results}/metrics/{point.run.id}/seeds{first}-{last}/epoch{epoch}{ENDINGS[each]}"
        for point in study.points
        for first, last in study.chunks
        for epoch in study.checkpoints
        for each in study.measures
    ]


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
            "depth": point.run.depth,
            "width": point.run.width,
            "width_per_layer": point.run.width // point.run.depth,
            "sample_size": point.run.sample_size,
        }
        for point in study.points
    ]


def held_out(study: "Study") -> list[float]:
    """List the validation fraction of each of a study's points.

    Args:
        study: the study.
    """
    return [point.run.validation_fraction for point in study.points]


def with_factors(
    files: Sequence[str],
    points: Sequence[Mapping[str, object]],
    training_file: int,
    held_out: Sequence[float],
) -> Iterable[tuple[str, dict[str, object]]]:
    """Pair a study's metric files with the factors of their points.

    Args:
        files: what `metric_files` lists.
        points: what `grid` lists.
        training_file: number of examples in the dataset's training file.
        held_out: the points' validation fractions; a point that trains on everything gets the
            number of examples that its own leaves.
    """
    per_point = len(files) // len(points)
    for position, path in enumerate(files):
        point = dict(points[position // per_point])
        everything = sampling.training_part(training_file, held_out[position // per_point])
        yield path, {**point, "sample_size": point["sample_size"] or everything}


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
    folder = f"{settings.results}/{settings.preset}/figures"
    return [f"{folder}/{name}.{ending}" for name in studies for ending in FORMATS]
