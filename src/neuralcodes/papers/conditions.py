"""Trainings behind the published values, and which studies of a configuration contain them.

The settings here are the papers': they stay as they are whatever a preset makes of a recipe.
"""

import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from neuralcodes.datasets import sources
from neuralcodes.studies import checkpoints, runs
from neuralcodes.studies.runs import Run

if TYPE_CHECKING:
    from neuralcodes.studies.expansion import Study
    from neuralcodes.studies.settings import Settings

FILES = ("he2021.csv", "he2021_inferred_split.csv", "oursland2024.csv")
TABLES = "perturbation"  # the four tables of oursland2024, which are of the same networks
SEEDS = {"he2021": 10, "oursland2024": 20}  # the authors' repeats of every training
MEASURES = {"he2021": "codes", "oursland2024": "perturbations"}

# He et al. 2021, released code of the model-size and the sample-size study.
HE2021: Mapping[str, object] = {
    **{"input_scaling": "unit", "activation": "relu", "initializer": "glorot_uniform"},
    **{"batch_norm": True, "batch_norm_momentum": 0.99, "batch_norm_epsilon": 1e-3},
    **{"optimizer": "adam", "learning_rate": 0.01, "adam_epsilon": 1e-7},
    **{"schedule": "step", "decay_factor": 0.1, "decay_epochs": 20, "weight_decay": 1e-6},
    **{"batch_size": 64, "epochs": 200, "patience": 10, "validation_fraction": 0.2},
}
# Oursland 2024, released code: full-batch gradient descent on raw pixels.
OURSLAND2024: Mapping[str, object] = {
    **{"input_scaling": "raw", "depth": 1, "width": 128, "initializer": "torch_default"},
    **{"batch_norm": False, "batch_norm_momentum": 0.99, "batch_norm_epsilon": 1e-3},
    **{"optimizer": "sgd", "learning_rate": 0.001, "adam_epsilon": 1e-7},
    **{"schedule": "constant", "decay_factor": 0.1, "decay_epochs": 20, "weight_decay": 0.0},
    **{"batch_size": None, "epochs": 5000, "patience": 0, "validation_fraction": 0.0},
}
# The released code of the training-time study stops no training early (note A11).
RECIPES: Mapping[str, Mapping[str, object]] = {
    "model_capacity": HE2021,
    "sample_size": HE2021,
    "training_time": {**HE2021, "patience": 0},
    TABLES: OURSLAND2024,
}
AXES = {
    "model_capacity": ("width",),
    "sample_size": ("sample_size", "width"),
    "training_time": ("width",),
    TABLES: ("activation",),
}
# The figures give units per layer (note A17).
DEPTHS = {"mnist": 1, "cifar10": 5}
WIDTHS = {
    ("model_capacity", "mnist"): (
        *(3, 7, 10, 15, 20, 23, 27, 30, 33, 37, 40, 43, 47, 50, 53, 57, 60, 65, 70, 75, 80, 90),
        100,
    ),
    ("model_capacity", "cifar10"): tuple(range(10, 201, 10)),
    ("sample_size", "mnist"): (40, 50, 60),
    ("sample_size", "cifar10"): (10, 20, 40, 80),
    ("training_time", "mnist"): (40, 50, 60),
    ("training_time", "cifar10"): (10, 20, 40, 80),
}
SAMPLE_SIZES = {
    "mnist": (10, 30, 60, 100, 300, 600, 1000, 2000, 3000, 6000, 10000, 20000, 30000, 60000),
    "cifar10": (10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 40000),
}
ACTIVATIONS = ("abs", "relu")
# Settings of a measure that its values depend on; None: one cluster a class, of which there are 10.
METRIC_SETTINGS = {
    "knn_accuracy": {"knn_k": (9,)},
    "kmeans_accuracy": {"kmeans_clusters": (None, 10), "kmeans_restarts": (10,)},
}
MOST_DIFFERENCES = 3  # named in a reason


@dataclass(frozen=True)
class Training:
    """One training whose results are published.

    Attributes:
        paper: "he2021" or "oursland2024".
        figure: a figure of he2021, or `TABLES`.
        run: its dataset goes by the name of its official source.
    """

    paper: str
    figure: str
    run: Run

    def checkpoint(self, epoch: str) -> str:
        """Give the name that a checkpoint of the last epoch has in any case: "final".

        Args:
            epoch: name of a checkpoint. Early stopping would make "final" another epoch.
        """
        last = self.run.patience == 0 and epoch == str(self.run.epochs)
        return checkpoints.FINAL if last else epoch

    def unreachable(self, epoch: str) -> str:
        """Say why no run that follows the released code gives a value; "" where one does.

        Args:
            epoch: of the value, or "final".
        """
        run = self.run
        size = sources.get(run.dataset).training_examples
        available = runs.training_part(size, run.validation_fraction)
        if run.sample_size is not None and run.sample_size > available:
            return (
                f"{run.sample_size:,} examples are more than the {available:,} that the released "
                "code trains on (A4)"
            )
        if checkpoints.is_epoch(epoch) and int(epoch) > run.epochs:
            return (
                f"the released code ends at epoch {run.epochs}; the schedule behind epoch "
                f"{int(epoch):,} was not released (A6)"
            )
        return ""


@functools.cache
def trainings() -> tuple[Training, ...]:
    """List all trainings with published results, each once a figure."""
    found = []
    for (figure, dataset), widths in WIDTHS.items():
        sizes = SAMPLE_SIZES[dataset] if figure == "sample_size" else (None,)
        depth = DEPTHS[dataset]
        for width in widths:
            for size in sizes:
                shape = {"depth": depth, "width": width * depth, "sample_size": size}
                run = runs.from_mapping({**RECIPES[figure], "dataset": dataset, **shape})
                found.append(Training("he2021", figure, run))
    for activation in ACTIVATIONS:
        fields = {**RECIPES[TABLES], "dataset": "mnist", "activation": activation}
        found.append(Training("oursland2024", TABLES, runs.from_mapping(fields)))
    return tuple(found)


def scored_studies(settings: "Settings") -> list[str]:
    """Name the selected studies that measure a training with published results.

    Args:
        settings: the configuration.

    Returns:
        Names in the order of `settings.selected`.
    """
    wanted = {
        (MEASURES[training.paper], run)
        for training in trainings()
        for run in _here(training, settings)
    }
    return [
        name
        for name in settings.selected
        if any(
            (measure, point.run) in wanted
            for measure in set(settings.studies[name].measures) & set(MEASURES.values())
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


def width_text(run: Run) -> str:
    """Give a run's width as the figures do, per layer."""
    return f"width {run.width // run.depth}" + (" per layer" if run.depth > 1 else "")


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
    measure, here = MEASURES[training.paper], _here(training, settings)
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
    target, axes = training.run, AXES[training.figure]
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
        return width_text(run)
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
    for metric, published in METRIC_SETTINGS.items():
        named = [
            _unlike(name, settings[name], values[-1])
            for name, values in published.items()
            if settings[name] not in values
        ]
        if named:
            reasons[metric] = "; ".join(named)
    return reasons
