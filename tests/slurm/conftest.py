"""Fixtures of the tests that submit to a real SLURM."""

import importlib.util
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cluster import Cluster, missing, running, wait_until
from projects import Project, copy_project

PACKAGES = "munge slurmctld slurmd slurm-client, with accounting slurmdbd mariadb-server"
PLUGIN = "snakemake_executor_plugin_slurm"
REQUIRED = "NEURALCODES_REQUIRE_SLURM"  # set where a missing SLURM is a failure
PROFILE = ("--workflow-profile", "profiles/slurm")
OFTEN = ("--slurm-init-seconds-before-status-checks", "2")
FEW = ("--jobs", "8")  # what a killed controller has submitted runs nevertheless
# Too little memory for the first try, 1,600 MB for the second.
ENOUGH, SCARCE = r"(prepare_data: {mem_mb: )\d+ \* attempt", r"\g<1>100 * attempt**4"
# The whole digits preset is some 400 jobs; these studies have every rule, and a third of the jobs.
SHORT = "NEURALCODES_SHORT_SLURM"
EVERY_RULE = (
    *("model_size_digits", "random_input_digits", "region_size_digits", "layers_digits"),
    *("training_curves_digits", "perturbation_digits", "perturbed_codes_digits"),
    *("preactivations_digits", "manifold_families", "lsh_curve", "manifold_embedding"),
    *("image_manifolds_digits", "retrieval_manifolds", "retrieval_codes_digits"),
)
CHOSEN = EVERY_RULE if os.environ.get(SHORT) else ()
TIMED = "timed"
LONGEST_RUN_S = 2400


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


@pytest.fixture(scope="session")
def start_cluster() -> Iterator[Callable[..., Cluster]]:
    """Bring up clusters that live until the last test."""
    contexts = []

    def start(accounting: bool = False) -> Cluster:
        absent = missing(accounting)
        if importlib.util.find_spec(PLUGIN) is None:
            absent.append(f"{PLUGIN} (make test-slurm installs it)")
        if absent:
            refuse = pytest.fail if os.environ.get(REQUIRED) else pytest.skip
            refuse(f"not installed: {', '.join(absent)} (Debian packages: {PACKAGES})")
        folder = tempfile.TemporaryDirectory(prefix="slurm-")  # short: sockets lie in it
        context = running(Path(folder.name) / "one", accounting)
        cluster = context.__enter__()
        contexts.append((context, folder))
        return cluster

    yield start
    for context, folder in contexts:
        context.__exit__(None, None, None)
        folder.cleanup()


@dataclass
class Disturbed:
    """The digits preset, run through SLURM while jobs and the controller were killed."""

    project: Project
    cluster: Cluster
    cancelled: str
    said_before: str
    said: str
    timed: Project


@pytest.fixture(scope="session")
def disturbed(
    start_cluster: Callable[..., Cluster], tmp_path_factory: pytest.TempPathFactory
) -> Disturbed:
    """Run the whole digits preset and, beside it, a training that is ended by its time limit."""
    cluster = start_cluster()
    folder = tmp_path_factory.mktemp("slurm")
    timed, slow = timed_project(folder / "timed"), None
    project = copy_project(folder / "digits")
    project.edit("profiles/slurm/config.yaml", lambda text: re.sub(ENOUGH, SCARCE, text))
    arguments = ("--config", "preset=digits", "device=cpu", f"only=[{','.join(CHOSEN)}]")
    first = submit(project, cluster, *arguments)
    try:
        slow = submit(timed, cluster, "--config", "device=cpu")
        cancelled = cancel_a_training(cluster)
        limit_the_time(cluster, timed)
        wait_until(lambda: done_by(first) >= 15, "15 finished jobs", LONGEST_RUN_S)
        os.kill(first.process.pid, signal.SIGKILL)
        first.process.wait()
        said = submit(project, cluster, *arguments).finish()
        slow.finish()
    finally:
        for each in (first, slow):
            if each is not None and each.process.poll() is None:
                each.process.kill()
    return Disturbed(project, cluster, cancelled, first.log.read_text(), said, timed)


def timed_project(folder: Path) -> Project:
    """A project of one training that takes about a minute."""
    project = copy_project(folder)

    def keep_one(preset: dict) -> None:
        preset["recipes"]["descent"] |= {"epochs": 100_000, "learning_rate": 1e-4}
        study = preset["studies"]["perturbed"] | {"significance": False, "seeds": 1}
        study |= {"factors": {"activation": ["relu"]}, "measures": ["history"]}
        preset["studies"] = {TIMED: study | {"figure": {"kind": "training"}}}

    project.configure(keep_one)
    return project


def done_by(controller: Controller) -> int:
    """How many jobs a controller has seen to their end."""
    steps = re.findall(r"^(\d+) of \d+ steps", controller.log.read_text(), re.MULTILINE)
    return int(steps[-1]) if steps else 0


def cancel_a_training(cluster: Cluster) -> str:
    """Cancel one running training of the digits preset; the comment of its job."""

    def trainings() -> list[list[str]]:
        listed = cluster.jobs("running")
        return [
            each for each in listed if "rule_train_ensemble" in each[2] and "x5-" not in each[2]
        ]

    wait_until(lambda: bool(trainings()), "a training", LONGEST_RUN_S)
    job, _, comment = trainings()[0]
    cluster.command("scancel", job)
    return comment


def limit_the_time(cluster: Cluster, project: Project) -> None:
    """Let the limit of a project's training pass once it has begun to train."""

    def trains() -> bool:
        logs = project.folder.glob("logs/train_ensemble/*/*.log")
        return any("epoch 1000 of" in path.read_text() for path in logs)

    wait_until(trains, "a thousand epochs", LONGEST_RUN_S)
    running_jobs = cluster.jobs("running", "%i|%T|%k|%Z")
    (job,) = [each[0] for each in running_jobs if each[3] == str(project.folder)]
    cluster.command("scontrol", "update", f"JobId={job}", "EndTime=now")
