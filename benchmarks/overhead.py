"""What the workflow itself costs: a dry run of the paper preset, and a run with nothing to do."""

import statistics
import subprocess
import sys
import time
from pathlib import Path

PROJECT = Path(__file__).parents[1]
SNAKEMAKE = [str(Path(sys.executable).with_name("snakemake"))]


def run(repeats: int = 3) -> list[dict[str, object]]:
    """Time both; the second only where the digits preset has been drawn.

    Args:
        repeats: of which the median is taken.
    """
    rows = [_row("snakemake -n, paper preset", ["-n", "--config", "preset=paper"], repeats, 15.0)]
    if (PROJECT / "results/digits/figures/model_size_digits.pdf").is_file():
        dry = _snakemake(["-n", "--config", "preset=digits"])
        if "Nothing to be done" in dry.stdout + dry.stderr:
            arguments = ["--cores", "2", "--config", "preset=digits"]
            rows.append(_row("snakemake with nothing to do, digits preset", arguments, repeats))
    return rows


def _row(
    name: str, arguments: list[str], repeats: int, goal: float | None = None
) -> dict[str, object]:
    spent = []
    for _ in range(repeats):
        start = time.perf_counter()
        _snakemake(arguments)
        spent.append(time.perf_counter() - start)
    return {"benchmark": name, "ours_s": statistics.median(spent), "goal_s": goal}


def _snakemake(arguments: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        SNAKEMAKE + arguments, cwd=PROJECT, check=True, capture_output=True, text=True
    )


if __name__ == "__main__":
    for row in run():
        print(row)
