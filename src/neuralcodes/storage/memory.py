"""Peak memory of a job: measured by the job itself, kept in its log, collected by rule."""

import re
import resource
import sys
from pathlib import Path

_STATUS = Path("/proc/self/status")
_LINE = re.compile(r"^\S+ peak memory: (\d+) MB$", re.MULTILINE)


def peak_mb() -> int:
    """Give the largest resident memory that this process has had, in MB (10^6 bytes)."""
    if _STATUS.exists():  # of this program alone; getrusage counts what the process ran before it
        found = re.search(r"^VmHWM:\s+(\d+) kB$", _STATUS.read_text(), re.MULTILINE)
        if found:
            return round(int(found[1]) * 1024 / 1e6)
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(size * (1 if sys.platform == "darwin" else 1024) / 1e6)


def message() -> str:
    """Word the peak for a job's log."""
    return f"peak memory: {peak_mb()} MB"


def peaks(logs: Path) -> dict[str, list[int]]:
    """Collect the peaks of finished jobs.

    Args:
        logs: folder of the logs, logs/{rule}/...log.

    Returns:
        Rule -> one peak in MB for every job, in the order of the logs' names.
    """
    found: dict[str, list[int]] = {}
    for path in sorted(logs.glob("*/**/*.log")):
        rule = path.relative_to(logs).parts[0]
        each = _LINE.findall(path.read_text(encoding="utf-8", errors="replace"))
        found.setdefault(rule, []).extend(map(int, each[-1:]))
    return found
