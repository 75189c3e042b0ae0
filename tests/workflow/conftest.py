"""Fixtures of the tests that run the real snakemake."""

from pathlib import Path

import disturbing
import pytest
from projects import Project, copy_project, finished_project, shared_folder


@pytest.fixture
def fresh(tmp_path: Path) -> Project:
    """A copy of the project in which nothing was run."""
    return copy_project(tmp_path / "fresh")


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A copy in which everything was run, on two cores. To be read only: see `project`.

    Processes that share the tests share it: the first one makes it, the others wait.
    """
    return finished_project(shared_folder(tmp_path_factory))


@pytest.fixture
def project(finished: Project, tmp_path: Path) -> Project:
    """A copy of the finished project that a test may change."""
    return finished.clone(tmp_path / "project")


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> disturbing.Undisturbed:
    """A small project that was run without any disturbance. To be read only, and cloned."""
    return disturbing.undisturbed(shared_folder(tmp_path_factory))
