"""Durations: how long the jobs of each rule took, from benchmarks and from the jobs' own logs."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from neuralcodes.storage import usage

LOGS = Path("logs")


@dataclass(frozen=True)
class Duration:
    """What the jobs of one rule took.

    Attributes:
        rule: its name.
        jobs: how many were timed.
        seconds: wall time, all jobs together, as if one ran after the other.
        longest: the longest of them, in seconds.
    """

    rule: str
    jobs: int
    seconds: float
    longest: float


def of_rules(results: Path, names: Iterable[str], logs: Path = LOGS) -> list[Duration]:
    """Add up the wall time of the jobs behind a preset, rule by rule.

    Rules with a benchmark are timed by it. Snakemake allows none for a rule whose results it may
    take from a shared store, such as a training: the logs of these say what their jobs took.

    Args:
        results: folder of everything computed.
        names: what jobs of the preset are about: run ids, datasets, the preset itself.
        logs: folder of the logs, logs/{rule}/...log.

    Returns:
        By rule, longest first. What was never timed, or somewhere else, is not there.
    """
    known = set(names)
    spent: dict[str, list[float]] = {}
    benchmarks = results / "benchmarks"
    for path in sorted(benchmarks.rglob("*.tsv")):
        rule, *about = path.relative_to(benchmarks).with_suffix("").parts
        if known & set(about):
            spent.setdefault(rule, []).extend(_seconds(path))
    timed = set(spent)
    for path, (seconds, _) in usage.of_logs(logs).items():
        rule, *about = path.with_suffix("").parts
        if rule not in timed and known & set(about):
            spent.setdefault(rule, []).append(seconds)
    found = [Duration(rule, len(each), sum(each), max(each)) for rule, each in spent.items()]
    return sorted(found, key=lambda each: (-each.seconds, each.rule))


def _seconds(path: Path) -> list[float]:
    with path.open(newline="", encoding="utf-8") as file:
        values = [row.get("s") for row in csv.DictReader(file, delimiter="\t")]
    return [float(value) for value in values if value]
