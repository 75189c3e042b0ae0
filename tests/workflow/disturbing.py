"""A small project with every kind of job, and what must be the same however it is disturbed."""

import contextlib
import fcntl
import json
import os
import pickle
import re
import shutil
import statistics
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil
from projects import Project, copy_project

LOOK_EVERY_S = 0.04
SAVE_EVERY_S = 0.2
FOLDER = "Größe und Übung ☃/neural codes"
RESULTS = "Ergebnisse für später ☃"
# Studies of the tiny preset, of every paper, and what is changed so that trainings take a second.
STUDIES = {
    "widths": {
        **{"factors": {"width": [2, 3, 4]}, "seeds": 1, "checkpoints": ["final"]},
        "figure": {"kind": "curves", "x": "width"},
    },
    "manifolds": {},
    "perturbed": {
        **{"factors": {"activation": ["relu"]}, "measures": ["perturbations"]},
        "significance": False,
    },
}


@dataclass(frozen=True)
class Undisturbed:
    """A project in which everything was run, what was computed, and how long it took.

    Attributes:
        project: to be cloned.
        contents: what its results hold.
        seconds: rule -> how long its jobs live; "start" is how long snakemake takes to the first.
    """

    project: Project
    contents: dict[str, bytes]
    seconds: dict[str, float]


def undisturbed(shared: Path) -> Undisturbed:
    """Run a few studies of every paper, whose trainings take a second and save their states.

    In a folder that processes share; the first one runs them, the others wait.
    """
    folder, done = shared / "undisturbed", shared / "undisturbed.pickle"
    with (shared / "undisturbed.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            done.write_bytes(pickle.dumps(_undisturbed(folder)))
        return pickle.loads(done.read_bytes())


def _undisturbed(folder: Path) -> Undisturbed:
    (folder / FOLDER).parent.mkdir(parents=True)
    project = copy_project(folder / FOLDER)

    def change(preset):
        known = preset["studies"]
        preset["studies"] = {name: known[name] | changes for name, changes in STUDIES.items()}
        preset["recipes"]["tiny"]["epochs"] = 150
        preset["recipes"]["descent"]["epochs"] = 5
        preset["hash_recipes"]["small"]["steps"] = 800

    project.configure(change)
    project.edit(
        "src/neuralcodes/networks/training/statefiles.py",
        lambda text: re.sub(r"(?m)^SAVE_EVERY_S = .*$", f"SAVE_EVERY_S = {SAVE_EVERY_S}", text),
    )
    project.edit(
        "config/config.yaml", lambda text: text.replace("results: results", f"results: {RESULTS}")
    )
    seconds = defaultdict(list)
    with Snakemake(project, cores=2) as running:
        begun = time.monotonic()
        for job in running.watch():
            seconds[job.rule].append(job.age)
            seconds["start"].append(job.born - begun)
    assert running.returncode == 0, running.said
    seconds["start"] = [min(seconds["start"])]
    return Undisturbed(
        project,
        contents(results_of(project)),
        {rule: statistics.median(each) for rule, each in seconds.items()},
    )


def results_of(project: Project) -> Path:
    return project.folder / RESULTS


NOT_COMPARED = ("benchmarks", "report.html")


def contents(results: Path) -> dict[str, bytes]:
    """All that was computed: the bytes of every finished file but those that hold times.

    Those of a model file are put in order: safetensors writes its header in a random one.
    """
    return {
        str(path.relative_to(results)): _in_order(path)
        for path in sorted(results.rglob("*"))
        if path.is_file() and not _hidden(path, results) and not {*NOT_COMPARED} & {*path.parts}
    }


def _in_order(path: Path) -> bytes:
    content = path.read_bytes()
    if path.suffix != ".safetensors":
        return content
    end = 8 + int.from_bytes(content[:8], "little")
    return json.dumps(json.loads(content[8:end]), sort_keys=True).encode() + content[end:]


def unfinished(results: Path) -> list[Path]:
    """Files of jobs that were killed: half written, or the state of a training."""
    found = [path for path in results.rglob("*") if path.is_file() and _hidden(path, results)]
    return [path for path in found if path.name != ".snakemake_timestamp"]


def _hidden(path: Path, below: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(below).parts)


def remove(results: Path, *patterns: str) -> list[str]:
    """Remove files and folders; at least one of each pattern. What was removed."""
    removed = []
    for pattern in patterns:
        found = list(results.glob(pattern))
        assert found, pattern
        for path in found:
            removed.append(str(path.relative_to(results)))
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    return removed


@dataclass
class Job:
    """A process that runs a rule's script."""

    process: psutil.Process
    rule: str
    born: float
    age: float = 0.0

    def kill(self) -> None:
        """Kill it, unless it is over."""
        with contextlib.suppress(psutil.NoSuchProcess):
            self.process.kill()


class Snakemake(subprocess.Popen[str]):
    """A snakemake that runs while the test goes on."""

    def __init__(self, project: Project, *arguments: str, cores: int = 1) -> None:
        self.output = tempfile.TemporaryFile()  # noqa: SIM115
        super().__init__(
            project.command(*arguments, cores=cores),
            cwd=project.folder,
            env=project.environment(),
            stdout=self.output,
            stderr=subprocess.STDOUT,
        )

    def __exit__(self, *arguments: object) -> None:
        super().__exit__(*arguments)
        self.said = os.pread(self.output.fileno(), self.output.seek(0, os.SEEK_END), 0).decode()
        self.output.close()

    def jobs(self) -> list[Job]:
        """The jobs that run now."""
        found = []
        with contextlib.suppress(psutil.NoSuchProcess):
            for process in psutil.Process(self.pid).children(recursive=True):
                with contextlib.suppress(psutil.NoSuchProcess):
                    command = " ".join(process.cmdline()[:2])
                    rule = re.search(r"/scripts/tmp\w+\.(\w+)\.py$", command)
                    if rule:
                        found.append(Job(process, rule[1], time.monotonic()))
        return found

    def watch(self, look: Callable[[list[Job]], object] = lambda _: None) -> list[Job]:
        """Look at the jobs again and again until snakemake ends. All of them."""
        known: dict[int, Job] = {}
        while self.poll() is None:
            present = [known.setdefault(job.process.pid, job) for job in self.jobs()]
            for job in present:
                job.age = time.monotonic() - job.born
            look(present)
            time.sleep(LOOK_EVERY_S)
        return list(known.values())


def wait_for(condition: Callable[[], object], seconds: float = 60) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not reached within {seconds} s"
        time.sleep(0.01)
