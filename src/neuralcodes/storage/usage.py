"""What a job took: its time and peak memory, measured by itself and kept in its log."""

import re
import resource
import sys
import time
from pathlib import Path

_STATUS = Path("/proc/self/status")
_LINE = re.compile(
    r"^\S+ took ([\d.]+) s, [\d.]+ s of a processor; peak memory: (\d+) MB$", re.MULTILINE
)


class Clock:
    """Measures the time from its making on."""

    def __init__(self) -> None:
        self.begun = self._now()

    def message(self) -> str:
        """Word the time since then and the peak memory, for a job's log."""
        wall, processor = (now - then for now, then in zip(self._now(), self.begun, strict=True))
        return f"took {wall:.2f} s, {processor:.2f} s of a processor; peak memory: {peak_mb()} MB"

    @staticmethod
    def _now() -> tuple[float, float]:
        return time.monotonic(), time.process_time()


def peak_mb() -> int:
    """Give the largest resident memory that this process has had, in MB (10^6 bytes)."""
    if _STATUS.exists():  # of this program alone; getrusage counts what the process ran before it
        found = re.search(r"^VmHWM:\s+(\d+) kB$", _STATUS.read_text(), re.MULTILINE)
        if found:
            return round(int(found[1]) * 1024 / 1e6)
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(size * (1 if sys.platform == "darwin" else 1024) / 1e6)


def of_logs(logs: Path) -> dict[Path, tuple[float, int]]:
    """Collect what finished jobs took.

    Args:
        logs: folder of the logs, logs/{rule}/...log.

    Returns:
        Log -> wall time in seconds and peak memory in MB, in the order of the logs' paths below
        the folder; logs of jobs that did not come to their end are left out.
    """
    found = {}
    for path in sorted(logs.glob("*/**/*.log")):
        ends = _LINE.findall(path.read_text(encoding="utf-8", errors="replace"))
        if ends:
            found[path.relative_to(logs)] = (float(ends[-1][0]), int(ends[-1][1]))
    return found
