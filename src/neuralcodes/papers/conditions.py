"""Trainings behind the published values, and which studies of a configuration contain them."""

import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from neuralcodes import papers
from neuralcodes.datasets import sources
from neuralcodes.papers.declaration import Training, width_text
from neuralcodes.studies import runs
from neuralcodes.studies.runs import Run

if TYPE_CHECKING:
    from neuralcodes.studies.expansion import Study
    from neuralcodes.studies.settings import Settings

FILES = tuple(name for paper in papers.with_values() for name in paper.published.files)
MOST_DIFFERENCES = 3  # named in a reason


@functools.cache
def trainings() -> tuple[Training, ...]:
    """List all trainings with published results, each once a figure."""
    return tuple(each for paper in papers.with_values() for each in paper.published.trainings())


def published_files(study: "Study", folder: str) -> list[str]:
    """List the files of published values that a study's figure shows.

    Args:
        study: the study.
        folder: where published values are.
    """
    overlay = study.figure["published"]
    if overlay is None:
        return []
    return [f"{folder}/{name}" for name in papers.of_figure(overlay["figure"]).published.files]


def scored_studies(settings: "Settings") -> list[str]:
    """Name the selected studies that measure a training with published results.

    Args:
        settings: the configuration.

    Returns:
        Names in the order of `settings.selected`.
    """
    wanted = {
        (_measure(training), run) for training in trainings() for run in _here(training, settings)
    }
    return [
        name
        for name in settings.selected
        if any(
            (measure, point.run) in wanted
            for measure in settings.studies[name].measures
            for point in settings.studies[name].points
        )
    ]


def facts(settings: "Settings") -> dict[str, object]:
    """Say of every training with published results which study of ours measures it, or why none.

    Args:
        settings: the configuration.

    Returns:
        Plain data. "trainings": in the order of `trainings`, run (id; "" if there is none),
        studies (name -> checkpoints) and reason ("" where there are studies). "metrics": metric ->
        why its values cannot be compared.
    """
    measured = _measured(settings)
    pool = [run for run in dict.fromkeys(measured) if isinstance(run, Run)]
    return {
        "trainings": [_found(training, settings, measured, pool) for training in trainings()],
        "metrics": _unlike_metrics(settings.metrics),
    }


def _measure(training: Training) -> str:
    return papers.get(training.paper).published.measure


def _here(training: Training, settings: "Settings") -> list[Run]:
    """Give a training under each name that its dataset has here; a look-alike is none of them."""
    published = training.run.dataset
    names = [name for name, spec in settings.datasets.items() if spec.source == published]
    return [
        training.run if name == published else replace(training.run, dataset=name) for name in names
    ]


def _measured(settings: "Settings") -> dict[object, dict[str, list[str]]]:
    """Collect the selected studies of every run: run -> study -> measures."""
    found: dict[object, dict[str, list[str]]] = {}
    for name in settings.selected:
        study = settings.studies[name]
        for point in study.points:
            found.setdefault(point.run, {})[name] = list(study.measures)
    return found


def _found(
    training: Training,
    settings: "Settings",
    measured: Mapping[object, Mapping[str, Sequence[str]]],
    pool: Sequence[Run],
) -> dict[str, object]:
    measure, here = _measure(training), _here(training, settings)
    nothing = {"run": "", "studies": {}}
    present = [run for run in here if run in measured]
    for run in present:
        names = [name for name, measures in measured[run].items() if measure in measures]
        # the study that shows these values in its figure first
        names.sort(key=lambda name: not _shows(settings.studies[name], training))
        if names:
            studies = {name: list(settings.studies[name].checkpoints) for name in names}
            return {"run": run.id, "studies": studies, "reason": ""}
    if present:
        return {**nothing, "reason": f"no study of this run has the measure {measure}"}
    label = sources.get(training.run.dataset).label
    if not here:
        return {**nothing, "reason": f"{label} is not among the datasets"}
    names = {run.dataset for run in here}
    pool = [run for run in pool if run.dataset in names]
    if not pool:
        return {**nothing, "reason": f"no study that is run trains these networks on {label}"}
    return {**nothing, "reason": _difference(training, pool)}


def _shows(study: "Study", training: Training) -> bool:
    return (study.figure["published"] or {}).get("figure") == training.figure


def _difference(training: Training, pool: Iterable[Run]) -> str:
    """Say what keeps the nearest of our runs from being the published one."""
    target, axes = training.run, training.axes
    fixed = [name for name in runs.FIELDS if name not in ("dataset", *axes)]
    unlike = {run: [name for name in fixed if _differ(run, target, name)] for run in pool}
    fewest = min(map(len, unlike.values()))
    if fewest:
        run = next(run for run, names in unlike.items() if len(names) == fewest)
        named = [
            _unlike(name, getattr(run, name), getattr(target, name))
            for name in unlike[run][:MOST_DIFFERENCES]
        ]
        more = fewest - len(named)
        return "; ".join([*named, f"and {more} more"] if more else named)
    alike = [run for run, names in unlike.items() if not names]
    missing = _axis_text(target, axes[0])
    for name in axes[1:]:
        alike = [run for run in alike if not _differ(run, target, axes[0])]
        if alike:
            missing = f"{_axis_text(target, name)} at {missing}"
    return f"{missing} is not in the grid"


def _unlike(name: str, here: object, published: object) -> str:
    return f"{name} is {_shown(here)} here, {_shown(published)} published"


def _differ(run: Run, other: Run, name: str) -> bool:
    return getattr(run, name) != getattr(other, name)


def _axis_text(run: Run, name: str) -> str:
    if name == "width":
        return width_text(run.width // run.depth, run.depth)
    return f"{name.replace('_', ' ')} {_shown(getattr(run, name))}"


def _shown(value: object) -> str:
    """Write a setting as a reader of the configuration knows it."""
    if value is None or isinstance(value, bool):
        return {None: "all", True: "true", False: "false"}[value]
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _unlike_metrics(settings: Mapping[str, object]) -> dict[str, str]:
    reasons = {}
    compared = [paper.published.metric_settings for paper in papers.with_values()]
    for metric, published in (item for each in compared for item in each.items()):
        named = [
            _unlike(name, settings[name], values[-1])
            for name, values in published.items()
            if settings[name] not in values
        ]
        if named:
            reasons[metric] = "; ".join(named)
    return reasons
