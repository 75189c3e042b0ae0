"""Studies: a question of a paper, asked of a dataset, expanded into its runs."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from neuralcodes import runs
from neuralcodes.errors import ConfigError
from neuralcodes.runs import Run
from neuralcodes.validation import key, unknown

# What each kind of figure cannot do without.
MEASURE_OF_FIGURE = {
    "curves": "codes",
    "one_at_a_time": "codes",
    "phase_chart": "codes",
    "recipe_recovery": "codes",
    "random_inputs": "random_inputs",
    "regions": "regions",
    "layers": "layers",
}
# Training examples in the whole training file; None: known once the data are prepared.
TRAINING_FILE_SIZES = {
    "digits": 1437,
    "mnist": 60000,
    "fashion_mnist": 60000,
    "kmnist": 60000,
    "cifar10": 50000,
    "cifar100": 50000,
    "svhn": 73257,
}


@dataclass(frozen=True)
class Point:
    """One point of a study's grid: the run and the values of the factors that led to it."""

    run: Run
    factors: Mapping[str, object]


@dataclass(frozen=True)
class Study:
    """A study, expanded.

    Attributes:
        name: key in the configuration.
        paper: paper that asks the question.
        title: of the figure.
        dataset: key of the datasets.
        factors: names of the factors it varies.
        points: its grid.
        chunks: (first, last) seed of each ensemble.
        checkpoints: epochs as text, and "final".
        measures: what is measured of each checkpoint.
        optional: runs only when named.
        figure: the figure's settings, defaults filled in.
    """

    name: str
    paper: str
    title: str
    dataset: str
    factors: tuple[str, ...]
    points: tuple[Point, ...]
    chunks: tuple[tuple[int, int], ...]
    checkpoints: tuple[str, ...]
    measures: tuple[str, ...]
    optional: bool
    figure: Mapping[str, Any]


def expand(
    name: str,
    raw: Mapping[str, Any],
    recipes: Mapping[str, Mapping[str, Any]],
    sources: Mapping[str, str],
    seeds_per_chunk: int,
) -> Study:
    """Expand a study that agrees with the schema; check what a schema cannot say.

    Args:
        name: its key.
        raw: its settings, defaults filled in.
        recipes: all recipes, defaults filled in.
        sources: dataset -> kind of source.
        seeds_per_chunk: see the schema.

    Raises:
        ConfigError: names the key, what was found and what is allowed.
    """
    path = ("studies", name)
    if raw["dataset"] not in sources:
        raise unknown((*path, "dataset"), raw["dataset"], sources, "dataset")
    if raw["recipe"] not in recipes:
        raise unknown((*path, "recipe"), raw["recipe"], recipes, "recipe")
    points = tuple(_points(path, raw, recipes))
    for point in points:
        _check_run(path, point.run, sources[raw["dataset"]])
    _check_checkpoints(path, raw, points)
    _check_figure(path, raw)
    return Study(
        name=name,
        paper=raw["paper"],
        title=raw["title"],
        dataset=raw["dataset"],
        factors=tuple(raw["factors"]),
        points=points,
        chunks=chunks_of(raw["seeds"], seeds_per_chunk, (*path, "seeds")),
        checkpoints=tuple(str(each) for each in raw["checkpoints"]),
        measures=tuple(raw["measures"]),
        optional=raw["optional"],
        figure=raw["figure"],
    )


def chunks_of(
    seeds: int | Sequence[int | str], seeds_per_chunk: int, path: tuple[str | int, ...]
) -> tuple[tuple[int, int], ...]:
    """Split seeds into ensembles.

    Args:
        seeds: a number of repeats, or a list of numbers and ranges "a-b", one ensemble each.
        seeds_per_chunk: largest ensemble made of a number of repeats.
        path: where the seeds stand, for messages.

    Returns:
        (first, last) of each ensemble.

    Raises:
        ConfigError: a range that runs backwards, or a seed listed twice.
    """
    if isinstance(seeds, int):
        starts = range(0, seeds, seeds_per_chunk)
        return tuple((start, min(start + seeds_per_chunk, seeds) - 1) for start in starts)
    chunks, taken = [], set()
    for position, entry in enumerate(seeds):
        first, last = (int(each) for each in f"{entry}-{entry}".split("-")[:2])
        if last < first:
            raise ConfigError(f"{key((*path, position))}: {entry!r} runs backwards; write it a-b")
        twice = taken & set(range(first, last + 1))
        if twice:
            raise ConfigError(
                f"{key((*path, position))}: {entry!r} lists seed {min(twice)} a second time; "
                "each seed may stand once"
            )
        taken |= set(range(first, last + 1))
        chunks.append((first, last))
    return tuple(chunks)


def _points(
    path: tuple[str, ...], raw: Mapping[str, Any], recipes: Mapping[str, Mapping[str, Any]]
) -> list[Point]:
    factors = raw["factors"]
    for name in factors:
        if name not in runs.FIELDS[1:] and name != "recipe":
            raise unknown((*path, "factors", name), name, (*runs.FIELDS[1:], "recipe"), "factor")
    for position, name in enumerate(factors.get("recipe", [])):
        if name not in recipes:
            raise unknown((*path, "factors", "recipe", position), name, recipes, "recipe")
    points = {}
    for values in _combinations(factors, raw["design"]):
        recipe = recipes[values.get("recipe", raw["recipe"])]
        fields = {name: value for name, value in values.items() if name != "recipe"}
        run = runs.from_mapping({"dataset": raw["dataset"], **recipe, **raw["set"], **fields})
        varied = {
            name: values.get("recipe") if name == "recipe" else getattr(run, name)
            for name in factors
        }
        points.setdefault(
            run.id if "recipe" not in factors else (run.id, varied["recipe"]), Point(run, varied)
        )
    return list(points.values())


def _combinations(factors: Mapping[str, Sequence[Any]], design: str) -> list[dict[str, Any]]:
    if design == "one_at_a_time":
        return [{}] + [{name: value} for name, values in factors.items() for value in values]
    return [dict(zip(factors, each, strict=True)) for each in itertools.product(*factors.values())]


def _check_run(path: tuple[str, ...], run: Run, source: str) -> None:
    if run.width < run.depth:
        raise ConfigError(
            f"{key((*path, 'factors', 'width'))}: {run.width} units cannot fill {run.depth} "
            "hidden layers; width is the total over the layers and must be at least depth"
        )
    size = TRAINING_FILE_SIZES.get(source)
    if size is not None and run.sample_size is not None:
        available = int(size * (1 - run.validation_fraction) + 1e-9)
        if run.sample_size > available:
            raise ConfigError(
                f"{key((*path, 'factors', 'sample_size'))}: {run.sample_size} is above the "
                f"{available} training examples of {run.dataset} (the training file has {size}, "
                f"validation_fraction {run.validation_fraction:g} is held out)"
            )


def _check_checkpoints(
    path: tuple[str, ...], raw: Mapping[str, Any], points: Sequence[Point]
) -> None:
    last = min(point.run.epochs for point in points)
    for position, epoch in enumerate(raw["checkpoints"]):
        if epoch != "final" and int(epoch) > last:
            raise ConfigError(
                f"{key((*path, 'checkpoints', position))}: epoch {epoch} is beyond the last, "
                f"{last}; raise epochs or take it out"
            )


def _check_figure(path: tuple[str, ...], raw: Mapping[str, Any]) -> None:
    figure, factors = raw["figure"], raw["factors"]
    kind, here = figure["kind"], (*path, "figure")
    if MEASURE_OF_FIGURE[kind] not in raw["measures"]:
        raise ConfigError(
            f"{key((*here, 'kind'))}: {kind} has no data without the measure "
            f"{MEASURE_OF_FIGURE[kind]}; add it to {key((*path, 'measures'))}"
        )
    axes = {"x": figure["x"], "line": figure["line"], "variant": figure["variant"]}
    for role, name in axes.items():
        if name is not None and name not in (*factors, "epoch"):
            raise unknown((*here, role), name, (*factors, "epoch"), "factor of this study")
    if kind == "curves" and figure["x"] is None:
        raise ConfigError(f"{key((*here, 'x'))}: a figure of kind curves needs a factor here")
    epochs = [each for each in raw["checkpoints"] if each != "final"]
    if figure["x"] == "epoch" and len(epochs) < 2:
        raise ConfigError(
            f"{key((*here, 'x'))}: epoch needs at least two numbered checkpoints; "
            f"{key((*path, 'checkpoints'))} has {len(epochs)}"
        )
    if kind == "phase_chart" and ("width" not in factors or len(epochs) < 2):
        raise ConfigError(
            f"{key((*here, 'kind'))}: phase_chart needs the factor width and at least two "
            "numbered checkpoints; this study lacks them"
        )
    if kind == "recipe_recovery" and (figure["published"] is None or "recipe" not in factors):
        raise ConfigError(
            f"{key((*here, 'kind'))}: recipe_recovery needs the factor recipe and published values"
        )
