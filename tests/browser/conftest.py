"""Fixtures of the tests that open the report in a real browser."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import browsing
import pytest
from projects import ROOT, finished_project, shared_folder

GIVEN = "NEURALCODES_REPORT"  # a report to test instead of the tiny preset's
REQUIRED = "NEURALCODES_REQUIRE_BROWSER"  # set where a missing browser is a failure
SCREENSHOTS = "NEURALCODES_SCREENSHOTS"  # a folder that keeps the screenshots
AXE = "axe-core@4.14.1"


def refuse(reason: str) -> NoReturn:
    """Skip the test, or fail it where it has to run."""
    (pytest.fail if os.environ.get(REQUIRED) else pytest.skip)(reason)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    absent = browsing.missing()
    if absent:
        refuse(f"not installed: {', '.join(absent)}")
    with browsing.running() as browser:
        yield browser


@pytest.fixture(scope="session")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report, beside the tables that it shows."""
    given = os.environ.get(GIVEN)
    if given:
        path = ROOT / given
    else:
        path = finished_project(shared_folder(tmp_path_factory)).folder
        path /= "results/tiny/report.html"
    assert path.is_file(), f"{path}: no such report; see {GIVEN}"
    return path


@pytest.fixture(scope="session")
def shared_visits(chromium: Any, report: Path) -> Iterator[browsing.Visits]:
    visits = browsing.Visits(chromium, report)
    yield visits
    visits.close()


@pytest.fixture(scope="session")
def shared_page(shared_visits: browsing.Visits) -> Any:
    """One open report, for tests that leave it as they found it."""
    return shared_visits.open()


@pytest.fixture
def page(shared_page: Any, shared_visits: browsing.Visits) -> Iterator[Any]:
    """The shared report, which must not complain."""
    yield shared_page
    assert shared_visits.said() == []


@pytest.fixture
def visit(chromium: Any, report: Path) -> Iterator[Callable[..., Any]]:
    """Open reports, which must not complain, in browsers of their own; see `Visits.open`."""
    visits = browsing.Visits(chromium, report)
    yield visits.open
    said = visits.said()
    visits.close()
    assert said == []


@pytest.fixture(scope="session")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The source of axe-core, which knows the accessibility rules."""
    folder = tmp_path_factory.mktemp("axe")
    npm = shutil.which("npm")
    if npm is None:
        refuse("npm is not installed (Debian packages nodejs and npm); it fetches axe-core")
    done = subprocess.run(
        [npm, "install", "--no-save", "--no-audit", "--no-fund", "--prefix", str(folder), AXE],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    if done.returncode:
        refuse(f"npm could not install {AXE}:\n{done.stdout}")
    return (folder / "node_modules/axe-core/axe.min.js").read_text()


@pytest.fixture
def keep(request: pytest.FixtureRequest) -> Callable[[str, bytes], None]:
    """Keep a screenshot in the folder of NEURALCODES_SCREENSHOTS, if that is set."""
    folder = os.environ.get(SCREENSHOTS)

    def write(name: str, picture: bytes) -> None:
        if folder:
            path = ROOT / folder / f"{name}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(picture)

    return write
