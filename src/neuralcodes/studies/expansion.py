"""Studies: a question of a paper, asked of a dataset, expanded into its runs."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from neuralcodes.studies import checkpoints, hashruns, runs
from neuralcodes.studies.hashruns import HashRun
from neuralcodes.studies.keys import key, refused, unknown
from neuralcodes.studies.runs import Run

GENERATED = "generated"  # source of datasets that hash networks make up themselves

SCHEMATIC = "feature_selection"  # name of the figure that is drawn without a study
MOST_SEEDS = 10_000  # of one study; far more than a mean needs, so that more are a slip

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Point:
    """One point of a study's grid: the run and the values of the factors that led to it."""

    run: Run | HashRun
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
        significance: whether perturbations are tested.
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
    significance: bool
    optional: bool
    figure: Mapping[str, Any]

    @property
    def hashing(self) -> bool:
        """Whether its runs train hash networks."""
        return isinstance(self.points[0].run, HashRun)


def expand(
    name: str,
    raw: Mapping[str, Any],
    recipes: Mapping[str, Mapping[str, Any]],
    sources: Mapping[str, str],
    sizes: Mapping[str, int | None],
    seeds_per_chunk: int,
    hash_recipes: Mapping[str, Mapping[str, Any]] | None = None,
) -> Study:
    """Expand a study that agrees with the schema; check what a schema cannot say.

    Args:
        name: its key.
        raw: its settings, defaults filled in.
        recipes: all recipes, defaults filled in.
        sources: dataset -> kind of source.
        sizes: kind of source -> examples in its training file; None: known once prepared.
        seeds_per_chunk: see the schema.
        hash_recipes: recipes of hash networks, defaults filled in.

    Raises:
        ConfigError: names the key, what was found and what is allowed.
    """
    path = ("studies", name)
    hash_recipes = hash_recipes or {}
    if raw["recipe"] not in {**recipes, **hash_recipes}:
        known = (*recipes, *hash_recipes)
        raise unknown((*path, "recipe"), raw["recipe"], known, "recipe")
    hashing = raw["recipe"] in hash_recipes
    recipes = hash_recipes if hashing else recipes
    _check_names(path, raw, recipes, sources, hashruns.FIELDS if hashing else runs.FIELDS)
    make = hashruns.from_mapping if hashing else runs.from_mapping
    points = tuple(_points(raw, recipes, make))
    source = sources[raw["dataset"]]
    for point in points:
        if isinstance(point.run, HashRun):
            _check_hash_run(path, raw, point, point.run, source, sizes.get(source))
        else:
            _check_run(path, raw, point, point.run, source, sizes.get(source))
    if not hashing:
        _check_checkpoints(path, raw, points)
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
        significance=raw["significance"],
        optional=raw["optional"],
        figure=raw["figure"],
    )


def chunks_of(
    seeds: int | Sequence[int | str], seeds_per_chunk: int, path: Path
) -> tuple[tuple[int, int], ...]:
    """Split seeds into ensembles.

    Args:
        seeds: a number of repeats, or a list of numbers and ranges "a-b", one ensemble each.
        seeds_per_chunk: largest ensemble made of a number of repeats.
        path: where the seeds stand, for messages.

    Returns:
        (first, last) of each ensemble.

    Raises:
        ConfigError: a range that runs backwards, a seed listed twice, or far too many seeds.
    """
    if isinstance(seeds, int):
        starts = range(0, seeds, seeds_per_chunk)
        return tuple((start, min(start + seeds_per_chunk, seeds) - 1) for start in starts)
    chunks: list[tuple[int, int]] = []
    for position, entry in enumerate(seeds):
        here = (*path, position)
        first, last = (int(each) for each in f"{entry}-{entry}".split("-")[:2])
        if last < first:
            raise refused(here, entry, f"it runs backwards; write {last}-{first}")
        for begin, end in chunks:
            if first <= end and begin <= last:
                twice = max(first, begin)
                raise refused(
                    here, entry, f"it lists seed {twice} a second time; each may stand once"
                )
        chunks.append((first, last))
        if sum(end - begin + 1 for begin, end in chunks) > MOST_SEEDS:
            raise refused(here, entry, f"at most {MOST_SEEDS} seeds in all")
    return tuple(chunks)


def _check_names(
    path: Path,
    raw: Mapping[str, Any],
    recipes: Mapping[str, Mapping[str, Any]],
    sources: Mapping[str, str],
    fields: Sequence[str],
) -> None:
    if raw["dataset"] not in sources:
        raise unknown((*path, "dataset"), raw["dataset"], sources, "dataset")
    known = (*fields[1:], "recipe")
    for name in raw["factors"]:
        if name not in known:
            raise unknown((*path, "factors", name), name, known, "factor")
        # One at a time, `set` gives the base point that a factor leaves.
        if name in raw["set"] and raw["design"] == "grid":
            raise refused(
                (*path, "set", name),
                raw["set"][name],
                f"{key((*path, 'factors', name))} gives {name} too; take one of them out",
            )
    for position, name in enumerate(raw["factors"].get("recipe", ())):
        if not isinstance(name, str) or name not in recipes:
            raise unknown((*path, "factors", "recipe", position), name, recipes, "recipe")


def _points(
    raw: Mapping[str, Any],
    recipes: Mapping[str, Mapping[str, Any]],
    make: Callable[[Mapping[str, object]], Run | HashRun],
) -> list[Point]:
    points: dict[tuple[str, object], Point] = {}
    for values in _combinations(raw["factors"], raw["design"]):
        recipe = values.get("recipe", raw["recipe"])
        fields = {name: value for name, value in values.items() if name != "recipe"}
        run = make({"dataset": raw["dataset"], **recipes[recipe], **raw["set"], **fields})
        varied = {
            name: recipe if name == "recipe" else getattr(run, name) for name in raw["factors"]
        }
        points.setdefault((run.id, varied.get("recipe")), Point(run, varied))
    return list(points.values())


def _combinations(factors: Mapping[str, Sequence[Any]], design: str) -> list[dict[str, Any]]:
    if design == "one_at_a_time":
        return [{}] + [{name: value} for name, values in factors.items() for value in values]
    return [dict(zip(factors, each, strict=True)) for each in itertools.product(*factors.values())]


def _check_run(
    path: Path, raw: Mapping[str, Any], point: Point, run: Run, source: str, size: int | None
) -> None:
    if run.width < run.depth:
        raise refused(
            _origin(path, raw, point, "width"),
            run.width,
            f"at least {run.depth}, the depth; width is the total over the hidden layers",
        )
    if source == GENERATED:
        raise refused((*path, "dataset"), raw["dataset"], "only hash_recipes make up their data")
    if size is None:
        return
    available = runs.training_part(size, run.validation_fraction)
    if available < 1:
        raise refused(
            _origin(path, raw, point, "validation_fraction"),
            run.validation_fraction,
            f"it leaves none of the {size} examples of {run.dataset} for training",
        )
    if run.sample_size is not None and run.sample_size > available:
        raise refused(
            _origin(path, raw, point, "sample_size"),
            run.sample_size,
            f"at most {available}, the training examples of {run.dataset} (its training file has "
            f"{size}, validation_fraction {run.validation_fraction:g} is held out)",
        )


def _check_hash_run(
    path: Path, raw: Mapping[str, Any], point: Point, run: HashRun, source: str, size: int | None
) -> None:
    if (run.family == hashruns.IMAGES) == (source == GENERATED):
        needed = "data with images" if source == GENERATED else f"a dataset of source {GENERATED}"
        raise refused((*path, "dataset"), raw["dataset"], f"family {run.family} needs {needed}")
    if run.network == "cnn" and source == GENERATED:
        raise refused(_origin(path, raw, point, "network"), "cnn", "it takes images only")
    if size is not None and run.manifolds > size:
        raise refused(
            _origin(path, raw, point, "manifolds"),
            run.manifolds,
            f"at most {size}, the images in the training file of {run.dataset}",
        )
    for part in (run.classes or "").split(","):
        first, _, last = part.partition("-")
        if last and int(last) < int(first):
            here = _origin(path, raw, point, "classes")
            raise refused(here, run.classes, f"{part} runs backwards; write {last}-{first}")
    if run.warmup_steps > run.steps:
        raise refused(
            _origin(path, raw, point, "warmup_steps"),
            run.warmup_steps,
            f"at most {run.steps}, the steps in all, given by "
            f"{key(_origin(path, raw, point, 'steps'))}",
        )
    for position, name in enumerate(raw["checkpoints"]):
        if name != checkpoints.FINAL:
            raise refused(
                (*path, "checkpoints", position),
                name,
                f"{checkpoints.FINAL} alone; hash networks are measured before training anyway",
            )


def _check_checkpoints(path: Path, raw: Mapping[str, Any], points: Sequence[Point]) -> None:
    epochs = {p.run.epochs: p for p in reversed(points) if isinstance(p.run, Run)}
    last = min(epochs)
    for position, epoch in enumerate(raw["checkpoints"]):
        if isinstance(epoch, int) and epoch > last:
            raise refused(
                (*path, "checkpoints", position),
                epoch,
                f"at most {last}, the last epoch, given by "
                f"{key(_origin(path, raw, epochs[last], 'epochs'))}",
            )


def _origin(path: Path, raw: Mapping[str, Any], point: Point, field: str) -> Path:
    """Find the key that gives a run its value: of a factor, of `set` or of the recipe."""
    value = getattr(point.run, field)
    if value in raw["factors"].get(field, ()):
        return (*path, "factors", field, raw["factors"][field].index(value))
    if field in raw["set"]:
        return (*path, "set", field)
    table = "hash_recipes" if isinstance(point.run, HashRun) else "recipes"
    return (table, str(point.factors.get("recipe", raw["recipe"])), field)
