"""The conda environments hold the pins of pyproject.toml."""

import tomllib
from pathlib import Path

import pytest
import yaml

PROJECT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", ["cpu", "cuda"])
def test_conda_environment_has_the_pins_of_the_package(name):
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    environment = yaml.safe_load((PROJECT / f"envs/{name}.yaml").read_text())
    assert environment["dependencies"][-1]["pip"] == project["dependencies"]


def test_every_dependency_is_pinned_and_has_its_reason_beside_it():
    text = (PROJECT / "pyproject.toml").read_text()
    pinned = [line for line in text.splitlines() if "==" in line]
    project = tomllib.loads(text)["project"]
    listed = list(project["dependencies"])
    for extra in project["optional-dependencies"].values():
        listed += extra
    assert len(pinned) == len(listed)
    assert all("  # " in line for line in pinned)
