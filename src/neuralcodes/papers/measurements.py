"""Measurements of the published trainings: of all studies together, each seed once."""

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd

from neuralcodes.errors import DataError
from neuralcodes.papers import conditions, printedlevels, references, significance
from neuralcodes.papers.references import Reference
from neuralcodes.perturbation import kinds
from neuralcodes.studies import tables

Point = tuple[str, str, str, str, str, float]

TESTED = "train_accuracy"  # what the published tests compare

# A row with one of these is of a part of a network, or not of its codes and accuracies.
_PARTS = ("layer", "unit", "representation", "method", "member", "manifold", "position")
_TEXT = ("run", "epoch", "split", "metric", "perturbation")
_NEEDED = ("run", "seed", "epoch", "split", "metric", "value")
_POINT = ("run", "epoch", "split", "metric", "perturbation", "level")
_METRICS = {
    *("redundancy_ratio", "kmeans_accuracy", "knn_accuracy", "logistic_regression_accuracy"),
    *("test_accuracy", "train_accuracy", "train_loss"),
}
_ROWS_AT_A_TIME = 200_000


@dataclass(frozen=True, eq=False)
class Measured:
    """Measurements of the published trainings.

    Attributes:
        rows: run, seed, epoch ("final" where it is the same), split, metric, perturbation ("" of
            codes), level (0 without), value, study; each seed of a point once.
        points: (run, epoch, split, metric, perturbation, level) -> mean, std, n and the first of
            the studies that have it.
    """

    rows: pd.DataFrame
    points: Mapping[Point, Mapping[str, Any]]

    @classmethod
    def read(cls, files: Sequence[str | Path], trainings: Sequence[Mapping[str, Any]]) -> Self:
        """Read studies' long tables.

        Args:
            files: one a study, named by it.
            trainings: "trainings" of what `conditions.facts` gave.

        Raises:
            DataError: a file is missing or damaged, or a study's table is not among them.
        """
        paths = {Path(path).stem: Path(path) for path in files}
        studies = list(dict.fromkeys(name for each in trainings for name in each["studies"]))
        absent = [name for name in studies if name not in paths]
        if absent:
            raise DataError(f"the tables of {absent} are missing; pass {{study}}.csv of each")
        rank = {
            (each["run"], name): position
            for each in trainings
            for position, name in enumerate(each["studies"])
        }
        parts = [
            _read(paths[name], {run for run, study in rank if study == name}) for name in studies
        ]
        rows = pd.concat([_no_rows(), *parts], ignore_index=True)
        rows["epoch"] = _checkpoints(rows, trainings)
        order = rows.assign(
            rank=[rank[pair] for pair in zip(rows["run"], rows["study"], strict=True)]
        ).sort_values(["rank", "seed"], kind="stable")
        rows = order.drop(columns="rank").drop_duplicates([*_POINT, "seed"], ignore_index=True)
        return cls(rows, _points(rows))

    def point(self, value: Reference, run: str) -> Point:
        """Find the point of a published value.

        Args:
            value: the published value, without a `missing_level`.
            run: the run that reproduces it.
        """
        training = conditions.trainings()[value.training]
        level = self._levels(run, value.perturbation).get(value.level, 0.0)
        metric = TESTED if value.metric in references.TESTS else value.metric
        epoch = training.checkpoint(value.epoch)
        return run, epoch, value.split, metric, value.perturbation, level

    def missing_level(self, value: Reference, run: str) -> str:
        """Say which level a published value lacks here; "" where it has what it takes.

        Args:
            value: the published value.
            run: the run that reproduces it.
        """
        kind = value.perturbation
        if not self._grid(run, kind):
            return f"perturbation {kind} was not measured"
        if value.level not in self._levels(run, kind):
            return f"no measured level of {kind} is near {100 * value.level:.6g}%"
        if value.metric in references.TESTS and self._reference(run, kind) is None:
            wanted = kinds.get(kind).reference
            return f"the level that the test compares with, {100 * wanted:.3g}%, was not measured"
        return ""

    def paired(self, point: Point) -> significance.PairedTest:
        """Test a point against the level that the published tests compare with, seed by seed.

        Args:
            point: of a perturbed network, without a `missing_level`.
        """
        run, *middle, kind, _ = point
        reference = (run, *middle, kind, self._reference(run, kind))
        pairs = pd.concat(
            [self._seeds(reference), self._seeds(point)], axis="columns", join="inner"
        )
        pairs = pairs[np.isfinite(pairs).all(axis="columns")].to_numpy()
        return significance.paired(pairs[:, 0], pairs[:, 1])

    def _seeds(self, point: Sequence[object]) -> pd.Series:
        same = [self.rows[name] == value for name, value in zip(_POINT, point, strict=True)]
        return self.rows[np.logical_and.reduce(same)].set_index("seed")["value"]

    def _grid(self, run: str, kind: str) -> list[float]:
        return self._grids.get((run, kind), [])

    @functools.cached_property
    def _grids(self) -> dict[tuple[str, str], list[float]]:
        levels = self.rows.groupby(["run", "perturbation"])["level"]
        return {key: sorted(set(values)) for key, values in levels}

    def _levels(self, run: str, kind: str) -> dict[float, float]:
        """Printed level -> measured one."""
        return dict(printedlevels.pairs(kind, self._grid(run, kind)))

    def _reference(self, run: str, kind: str) -> float | None:
        return printedlevels.stand_in(self._grid(run, kind), kinds.get(kind).reference)


def _no_rows() -> pd.DataFrame:
    kinds = dict.fromkeys((*_TEXT, "study"), str) | {"seed": int, "level": float, "value": float}
    return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in kinds.items()})


def _read(path: Path, runs: set[str]) -> pd.DataFrame:
    """Read what is needed of a long table, part by part: it may be large."""
    kept = [_no_rows()]
    for part in _parts(path):
        whole = [part[name].isna() for name in _PARTS if name in part]
        wanted = np.logical_and.reduce(
            [part["run"].isin(runs), part["metric"].isin(_METRICS), *whole]
        )
        kept.append(part[wanted].drop(columns=[name for name in _PARTS if name in part]))
    table = pd.concat(kept, ignore_index=True)
    filled = table.fillna({"perturbation": "", "level": 0.0})
    return filled.assign(study=path.stem)


def _parts(path: Path) -> Iterator[pd.DataFrame]:
    columns = {*_NEEDED, *_TEXT, *_PARTS, "level"}
    try:
        with pd.read_csv(
            path,
            usecols=lambda name: name in columns,
            dtype=dict.fromkeys(_TEXT, str),
            keep_default_na=False,
            na_values=["", "nan", "NaN"],
            chunksize=_ROWS_AT_A_TIME,
        ) as parts:
            for part in parts:
                tables.require(part, _NEEDED, str(path))
                yield part.astype({"value": float})
    except FileNotFoundError as error:
        raise DataError(f"{path} does not exist; run the rule that writes it") from error
    except DataError:
        raise
    except ValueError as error:
        raise DataError(f"{path} is no study's table ({error}); delete it and run again") from error


def _checkpoints(rows: pd.DataFrame, trainings: Sequence[Mapping[str, Any]]) -> list[str]:
    of_run = {
        each["run"]: training
        for each, training in zip(trainings, conditions.trainings(), strict=True)
        if each["run"]
    }
    pairs = zip(rows["run"], rows["epoch"], strict=True)
    return [of_run[run].checkpoint(epoch) for run, epoch in pairs]


def _points(rows: pd.DataFrame) -> dict[Point, dict[str, Any]]:
    if rows.empty:
        return {}
    # the summary leaves a column run out, since a study's factors stand for it
    table = rows.drop(columns="study").rename(columns={"run": "training"})
    summary = tables.summarize(table).rename(columns={"training": "run"}).set_index(list(_POINT))
    first = rows.groupby(list(_POINT))["study"].first()
    joined = summary.join(first)[["mean", "std", "n", "study"]]
    return dict(zip(joined.index, joined.to_dict("records"), strict=True))
