"""Durations: how long the jobs of each rule took, from benchmarks and from Snakemake's records."""

import base64
import binascii
import csv
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

RECORDS = Path(".snakemake/metadata")


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


def of_rules(results: Path, names: Iterable[str], records: Path = RECORDS) -> list[Duration]:
    """Add up the wall time of the jobs behind a preset, rule by rule.

    Rules with a benchmark are timed by it. Snakemake times no benchmark of a rule whose results it
    may take from a shared store: for these its own records of the files it made are asked.

    Args:
        results: folder of everything computed.
        names: what jobs of the preset are about: run ids, datasets, the preset itself.
        records: Snakemake's records of this working folder.

    Returns:
        By rule, longest first. What was never timed, or somewhere else, is not there.
    """
    known, spent = set(names), {}
    for path in sorted((results / "benchmarks").rglob("*.tsv")):
        rule, *about = path.relative_to(results / "benchmarks").with_suffix("").parts
        if known & set(about):
            spent.setdefault(rule, []).extend(_seconds(path))
    timed = set(spent)
    for rule, seconds in _recorded(records, known):
        if rule not in timed:
            spent.setdefault(rule, []).append(seconds)
    found = [Duration(rule, len(each), sum(each), max(each)) for rule, each in spent.items()]
    return sorted(found, key=lambda each: (-each.seconds, each.rule))


def _seconds(path: Path) -> list[float]:
    with path.open(newline="", encoding="utf-8") as file:
        values = [row.get("s") for row in csv.DictReader(file, delimiter="\t")]
    return [float(value) for value in values if value]


def _recorded(records: Path, known: set[str]) -> Iterator[tuple[str, float]]:
    """Give rule and seconds of each job that made files about what is known, each job once."""
    jobs = set()
    for path in sorted(records.rglob("*")) if records.is_dir() else ():
        if not (path.is_file() and known & set(_parts(path.relative_to(records)))):
            continue
        try:
            record = json.loads(path.read_bytes())
            rule, begin, end = record["rule"], record["starttime"], record["endtime"]
            jobs.add((rule, tuple(record.get("log") or ()), float(begin), float(end)))
        except (ValueError, KeyError, TypeError):  # of another version of Snakemake
            continue
    # the files of one job have one log, and start and end within a moment
    spans: dict[tuple[str, tuple[str, ...]], float] = {}
    for rule, log, begin, end in jobs:
        spans[rule, log] = max(spans.get((rule, log), 0.0), end - begin)
    for (rule, _), seconds in sorted(spans.items()):
        yield rule, seconds


def _parts(record: Path) -> list[str]:
    """Folders and names in the path of the file that a record is about."""
    coded = "".join(part.removeprefix("@") for part in record.parts)
    try:
        path = Path(base64.urlsafe_b64decode(coded).decode())
    except (binascii.Error, UnicodeDecodeError):
        return []
    return list(path.parts)
