"""The scorecard as the report shows it: readable cells, what they are sorted by, and shares."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from neuralcodes.figures import marks
from neuralcodes.measures import registry

HEADS = (
    *(("Source", False), ("Data", False), ("Condition", False), ("Measure", False)),
    *(("Published", True), ("Ours", True), ("Difference", True), ("Tolerance", True)),
    ("Verdict", False),
)
VERDICTS = ("reproduced", "differs", "not run")
NONE = "\u2013"


@dataclass(frozen=True)
class Cell:
    """A cell: what is read, and the number that it is sorted by; None for texts."""

    text: str
    value: str | None = None


@dataclass(frozen=True)
class Score:
    """One published value beside ours.

    Attributes:
        paper: its name.
        source: figure or table of the paper.
        verdict: one of `VERDICTS`.
        reason: why it was not run, or "".
        cells: as many as `HEADS`, but the last.
    """

    paper: str
    source: str
    verdict: str
    reason: str
    cells: Sequence[Cell]


def scores(scorecard: pd.DataFrame) -> list[Score]:
    """Set the scorecard for reading.

    Args:
        scorecard: its CSV as text, empty cells as "".
    """
    return [_score(row) for row in scorecard.to_dict("records")]


def totals(table: pd.DataFrame, papers: Mapping[str, str]) -> list[dict[str, object]]:
    """Set the totals for reading: of each source, then of each paper.

    Args:
        table: the CSV of the totals as text.
        papers: name -> how it is called.
    """
    counts = table.astype({name: int for name in ("reproduced", "differs", "not_run", "values")})
    rows = []
    for paper, own in counts.groupby("paper", sort=False):
        called = papers.get(str(paper), str(paper))
        rows += [_total(row, called) for row in own.to_dict("records")]
        if len(own) > 1:
            added = own[["reproduced", "differs", "not_run", "values"]].sum().to_dict()
            rows.append(_total({**added, "source": "all", "dataset": ""}, called, total=True))
    return rows


def verdicts(values: Sequence[Score]) -> dict[str, int]:
    """Count what was reproduced, what was compared at all and what was not run."""
    found = Counter(each.verdict for each in values)
    compared = found["reproduced"] + found["differs"]
    return {
        "reproduced": found["reproduced"],
        "compared": compared,
        "not_run": len(values) - compared,
    }


def choices(values: Sequence[Score]) -> tuple[list[str], list[str]]:
    """Give the papers and the sources that there are, in their order."""
    papers = list(dict.fromkeys(each.paper for each in values))
    return papers, list(dict.fromkeys(each.source for each in values))


def source_label(source: str) -> str:
    """Name a figure or table of a paper."""
    return source.replace("stat_", "table of ").replace("_", " ").replace("cutoff", "clipping")


def _score(row: Mapping[str, str]) -> Score:
    metric = marks.metric_label(row["metric"]) if registry.look(row["metric"]) else row["metric"]
    split = row["split"] + (" (uncertain)" if row["split_status"] == "unknown" else "")
    ours = _rounded(row["ours"])
    if row["interval"]:
        ours += f" \u00b1 {_rounded(row['interval'])}"
    if row["n"]:
        ours += f" (n = {row['n']})"
    cells = (
        Cell(source_label(row["source"])),
        Cell(row["dataset"]),
        Cell(row["condition"]),
        Cell(", ".join(filter(None, (metric.replace("_", " "), split)))),
        Cell(_rounded(row["published"]), row["published"]),
        Cell(ours if row["ours"] else NONE, row["ours"]),
        Cell(_rounded(row["difference"], signed=True), row["difference"]),
        Cell(_rounded(row["tolerance"]), row["tolerance"]),
    )
    return Score(row["paper"], row["source"], row["verdict"], row["reason"], cells)


def _total(row: Mapping[str, object], paper: str, *, total: bool = False) -> dict[str, object]:
    parts = [(name, int(str(row[name]))) for name in ("reproduced", "differs", "not_run")]
    told = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in parts)
    return {
        **{name: count for name, count in parts},
        "paper": paper,
        "source": source_label(str(row["source"])),
        "dataset": row["dataset"],
        "count": row["values"],
        "difference": _rounded(str(row.get("median_difference", ""))),
        "tolerance": _rounded(str(row.get("median_tolerance", ""))),
        "shares": [(name.replace("_", "-"), count) for name, count in parts if count],
        "told": told,
        "total": total,
    }


def _rounded(text: str, *, signed: bool = False) -> str:
    if not text:
        return NONE
    value = float(text)
    tiny = 0 < abs(value) < 1e-4
    shown = f"{value:.1e}" if tiny else f"{value:.4g}" if abs(value) >= 1 else f"{value:.4f}"
    return f"+{shown}" if signed and value > 0 else shown.replace("-", "\u2212")
