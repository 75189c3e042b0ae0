"""Disks that are full or read-only: what is said, what is left, and how it goes on."""

import re
import shutil
import tempfile
from pathlib import Path

import pytest
from disks import BALLAST, Disk, ProjectWithDisk
from disturbing import Snakemake, contents, remove, results_of, unfinished, wait_for

pytestmark = pytest.mark.workflow

FULL = r"DataError: no space left to write (.+) \(0\.0 MB free in .+\); free some space, then run"
# What is removed, so that a job of each kind has to write and none waits for another.
OF_WIDTH_2 = (
    "models/*-mlp1x2-*/*",
    "codes/*-mlp1x2-*/*",
    "metrics/*-mlp1x2-*/*/*",
    "tiny/*/widths*",
)
OF_OTHERS = (
    *("codes/*-mlp1x3-*/*", "metrics/*-mlp1x3-*/*/*", "metrics/*-mlp1x4-*/*/*"),
    *("models/*-mlp1x5-*/*", "metrics/*-mlp1x5-*/*/*", "tiny/*/perturbed*"),
    *("tiny/*/manifolds*", "tiny/figures/feature_selection*"),
)
# What cannot be written then; the training of width 2 is long enough to save its state.
WRITTEN = (
    *(r"\.resume/digits-mlp1x2-\w+/seeds0-0\.safetensors", r"models/digits-mlp1x5-.+\.safetensors"),
    *(r"codes/digits-mlp1x3-\w+/seeds0-0/.+", r"metrics/digits-mlp1x4-.+/epochfinal\.csv"),
    *(r"tiny/tables/manifolds\.csv", r"tiny/figures/feature_selection\.pdf"),
)


@pytest.fixture
def mount():
    """Mounts a disk of 16 MB on a folder."""
    disks = []

    def mounted(folder):
        disks.append(Disk(folder, "16m"))
        return disks[-1]

    try:
        yield mounted
    finally:
        for disk in disks:
            disk.close()


@pytest.fixture(scope="module", autouse=True)
def _mounting(tmp_path_factory):
    try:
        Disk(tmp_path_factory.mktemp("disk"), "1m").close()
    except OSError as error:
        pytest.skip(f"no disk can be mounted: {error}")


def fill_when_a_job_runs(project, *arguments):
    """Run a snakemake whose disk is full soon; what it said."""
    with Snakemake(project, *arguments, cores=2) as running:
        wait_for(running.jobs)
        project.disk.fill()
    assert running.returncode == 1, running.said
    assert "Traceback" not in running.said
    return running.said


def assert_nothing_half_is_left(results, expected):
    found = contents(results)
    found.pop(BALLAST, None)
    assert {name for name in found if found[name] != expected.get(name)} == set()
    assert not unfinished(results)


def test_results_on_a_disk_that_is_full_or_read_only_are_completed_later(
    undisturbed, mount, tmp_path
):
    copied = undisturbed.project.clone(tmp_path / "project")
    disk = mount(results_of(copied))
    shutil.copytree(results_of(copied), disk.view, dirs_exist_ok=True)
    assert disk.view.stat().st_dev != Path(tempfile.gettempdir()).stat().st_dev
    project = ProjectWithDisk(copied.folder, disk, copied.folder)
    # snakemake itself refuses a file that is there and cannot be written
    remove(disk.view, *OF_WIDTH_2, *OF_OTHERS, "tiny/report.html")

    disk.fill()
    done = project.snakemake()
    assert done.returncode == 1
    assert re.search(r"no space left to write .+/runs\.csv \(0\.0 MB free in .+\)", done.stdout)
    assert "Traceback" not in done.stdout
    disk.free()

    said = fill_when_a_job_runs(project, "--keep-going")
    refused = re.findall(FULL, said)
    assert len(set(refused)) == len(WRITTEN), said
    for path in WRITTEN:
        assert any(re.fullmatch(f"{disk.folder.name}/{path}", each) for each in refused), said
    assert_nothing_half_is_left(disk.view, undisturbed.contents)
    disk.free()

    disk.make("ro")
    done = project.snakemake()
    assert done.returncode == 1
    assert re.search(
        r"cannot write .+/runs\.csv \(read-only file system\); make the folder .+ writable or "
        "choose another in config/config.yaml, then run the same command again",
        done.stdout,
    ), done.stdout
    assert "Traceback" not in done.stdout
    disk.make("rw")

    project.run(cores=2)
    assert contents(disk.view) == undisturbed.contents
    assert not unfinished(disk.view)
    assert project.planned() == []


def test_a_project_on_a_full_disk_says_so_and_is_completed_later(undisturbed, mount, tmp_path):
    disk = mount(tmp_path / "disk")
    shutil.copytree(undisturbed.project.folder, disk.view / "project")
    project = ProjectWithDisk(disk.view / "project", disk, disk.folder / "project")
    results = results_of(project)
    remove(results, *OF_WIDTH_2)

    disk.fill()
    done = project.snakemake()
    assert done.returncode == 1
    assert re.search(
        r"^no space left to write .+/\.snakemake/neuralcodes\.lock \(0\.0 MB free in .+\);",
        done.stdout,
        re.MULTILINE,
    ), done.stdout
    disk.free()

    said = fill_when_a_job_runs(project)
    assert re.search(r"DataError: no space left to write logs/train_ensemble/.+\.log \(0\.0", said)
    assert_nothing_half_is_left(results, undisturbed.contents)
    disk.free()

    project.run(cores=2)
    assert contents(results) == undisturbed.contents
    assert not unfinished(results)
    assert project.planned() == []
