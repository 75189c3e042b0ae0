"""Fixtures of the tests that submit to a real SLURM."""

import importlib.util
import os
import re
import signal
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cluster import Cluster, missing, running, wait_until
from controllers import LONGEST_RUN_S, TIMED, done_by, submit
from projects import Project, copy_project, finished_project, shared_folder

PACKAGES = "munge slurmctld slurmd slurm-client, with accounting slurmdbd mariadb-server"
PLUGIN = "snakemake_executor_plugin_slurm"
REQUIRED = "NEURALCODES_REQUIRE_SLURM"  # set where a missing SLURM is a failure
# Too little memory for the first try, 1,600 MB for the second.
ENOUGH, SCARCE = r"(prepare_data: {mem_mb: )\d+ \* attempt", r"\g<1>100 * attempt**4"


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


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A copy in which everything was run on this machine. To be read only."""
    return finished_project(shared_folder(tmp_path_factory))


@dataclass
class Disturbed:
    """The tiny preset, run through SLURM while jobs and the controller were killed."""

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
    """Run the tiny preset and beside it a training that its time limit ends."""
    cluster = start_cluster()
    folder = tmp_path_factory.mktemp("slurm")
    timed, slow = timed_project(folder / "timed"), None
    project = copy_project(folder / "tiny")
    project.edit("profiles/slurm/config.yaml", lambda text: re.sub(ENOUGH, SCARCE, text))
    arguments = ("--config", "device=cpu")
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


def cancel_a_training(cluster: Cluster) -> str:
    """Cancel one running training of the tiny preset; the comment of its job."""

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
