"""Snakemake that submits to a cluster through the profile."""

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from cluster import Cluster
from projects import Project

PROFILE = ("--workflow-profile", "profiles/slurm")
OFTEN = ("--slurm-init-seconds-before-status-checks", "2")
FEW = ("--jobs", "8")  # what a killed controller has submitted runs nevertheless
TIMED = "timed"
LONGEST_RUN_S = 1200


@dataclass
class Controller:
    """A running snakemake that submits to a cluster."""

    process: subprocess.Popen
    log: Path

    def finish(self) -> str:
        """Wait for its end, which must be a success; what it said."""
        code = self.process.wait(LONGEST_RUN_S)
        said = self.log.read_text()
        assert code == 0, said[-20_000:]
        return said


def submit(project: Project, cluster: Cluster, *arguments: str) -> Controller:
    """Start snakemake with the profile."""
    log = project.folder / f"controller{len(list(project.folder.glob('controller*')))}.log"
    with log.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "snakemake", *PROFILE, *OFTEN, *FEW, *arguments],
            cwd=project.folder,
            env=project.environment(**cluster.environment),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return Controller(process, log)


def done_by(controller: Controller) -> int:
    """How many jobs a controller has seen to their end."""
    steps = re.findall(r"^(\d+) of \d+ steps", controller.log.read_text(), re.MULTILINE)
    return int(steps[-1]) if steps else 0
