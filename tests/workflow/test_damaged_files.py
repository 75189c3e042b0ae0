"""Damaged files stop the jobs that read them; deleted, the same command makes them again."""

import os
import re
import shutil

import pytest

pytestmark = pytest.mark.workflow

CODES, RANDOM = "results/codes/*mlp1x2*/seeds0-0", "results/codes_of_random_inputs/*/seeds0-0"
MODEL, HASHING = "results/models/*mlp2x2*/*.safetensors", "results/models/*cnn8*/*.safetensors"
DATA = "resources/data/digits/dataset.json"
# Damaged file, what is to be deleted, and what the job that reads the file makes.
OF_RUNS = [
    (MODEL, MODEL, "results/metrics/*mlp2x2*/*/epochfinal.regions.csv"),
    (HASHING, HASHING, "results/metrics/*cnn8*/*/epochfinal.manifolds.csv"),
    (f"{CODES}/epoch2/test.npy", CODES, "results/metrics/*mlp1x2*/seeds0-0/epoch2.csv"),
    (f"{CODES}/epoch0/network.csv", CODES, "results/metrics/*mlp1x2*/seeds0-0/epoch0.csv"),
    (f"{RANDOM}/epochfinal/uniform_0_1.npy", RANDOM, "results/metrics/*/*/*.random_inputs.csv"),
]
OF_DATA = [
    ("resources/data/digits/test-labels.npy", DATA, OF_RUNS[2][2]),
    ("resources/data/digits/train-inputs.npy", DATA, OF_RUNS[0][2]),
]


def flip(path):
    """Flip a bit in the last third of a file, which keeps its size and its date."""
    times, content = path.stat(), bytearray(path.read_bytes())
    content[len(content) * 5 // 6] ^= 4
    path.write_bytes(content)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def cut(path):
    path.write_bytes(path.read_bytes()[:-9])


@pytest.mark.parametrize(
    ("damage", "damaged"), [(flip, OF_RUNS), (cut, OF_DATA)], ids=["flipped", "cut"]
)
def test_damage_stops_the_jobs_that_read_it_and_what_is_deleted_is_made_again(
    finished, project, damage, damaged
):
    rows = [
        [str(finished.only(each).relative_to(finished.folder)) for each in row] for row in damaged
    ]
    targets = [target for _, _, target in rows]
    for path, _, target in rows:
        damage(project.folder / path)
        (project.folder / target).unlink()
    stopped = project.snakemake(*targets, "--keep-going", cores=2)
    assert stopped.returncode != 0
    assert "Traceback" not in stopped.stdout
    for path, deleted, target in rows:
        said = rf"^DataError: {path} is damaged.*; delete {deleted} and run the same command again$"
        assert re.search(said, stopped.stdout, re.MULTILINE), stopped.stdout
        assert not (project.folder / target).exists()
    assert not list(project.folder.glob("re*/**/.*.partial"))
    for deleted in {deleted for _, deleted, _ in rows}:
        whole = project.folder / deleted
        shutil.rmtree(whole) if whole.is_dir() else whole.unlink()
    project.run(*targets, cores=2)
    assert project.planned(*targets) == []
    for target in targets:
        assert (project.folder / target).read_text() == (finished.folder / target).read_text()
    for path, _, _ in rows:
        if not path.endswith(".safetensors"):  # the order in a model file's header is not fixed
            assert (project.folder / path).read_bytes() == (finished.folder / path).read_bytes()
