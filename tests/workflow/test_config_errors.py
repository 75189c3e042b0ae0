"""The real snakemake refuses a wrong configuration before any job."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
SNAKEMAKE = Path(sys.executable).with_name("snakemake")
MODEL_SIZE = {"studies": {"model_size_digits": {"factors": {"width": [8, -3]}}}}
NO_DATA = {"studies": {"model_size_digits": {"figure": {"kind": "layers", "x": None}}}}

pytestmark = pytest.mark.workflow


def snakemake(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    """Plan the project's workflow in a folder of its own; a minute at most."""
    return subprocess.run(
        [SNAKEMAKE, "--cores", "1", "--directory", folder, "-s", ROOT / "Snakefile", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "XDG_CACHE_HOME": str(folder.parent / "cache")},
    )


def refused(folder: Path, content: object, *arguments: str) -> subprocess.CompletedProcess:
    """Start the workflow with a configuration that must end it without any trace."""
    (folder / "own.yaml").write_text(yaml.safe_dump(content))
    done = snakemake(folder / "work", "--configfile", str(folder / "own.yaml"), *arguments)
    assert done.returncode != 0
    assert "Traceback" not in done.stderr + done.stdout
    assert made(folder / "work") == []
    return done


def starts_a_line(message: str, text: str) -> bool:
    """Whether a line of the text starts with the message."""
    return any(line.startswith(message) for line in text.splitlines())


def made(folder: Path) -> list[str]:
    """Files in a folder, less what Snakemake keeps for itself."""
    files = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return [str(path) for path in files if path.parts[0] != ".snakemake"]


WRONG = [
    (
        {"preset": "digts"},
        'preset: "digts" is no known preset; did you mean digits? '
        "Allowed: a YAML file's path, digits, mnist, paper",
    ),
    (
        MODEL_SIZE,
        "studies.model_size_digits.factors.width[1]: -3 is not allowed: an integer, at least 1",
    ),
    (
        {"metrics": {"names": ["knn_accurcy"]}},
        'metrics.names[0]: "knn_accurcy" is no known choice; did you mean knn_accuracy? '
        "Allowed: code_length, kmeans_accuracy,",
    ),
    (
        NO_DATA,
        'studies.model_size_digits.figure.kind: "layers" is not allowed: it has no data '
        "without the measure layers; add it to studies.model_size_digits.measures, which has "
        "codes",
    ),
    ({"seeds": 3}, 'seeds: "seeds" is no known key. Allowed: data, datasets,'),
    (
        {"studies": {"manifold_count": {"dataset": "digits"}}},
        'studies.manifold_count.dataset: "digits" is not allowed: family poly needs a dataset of '
        "source generated",
    ),
    (
        {"hash_recipes": {"he2021": {}}},
        "hash_recipes.he2021: ... is not allowed: a key of recipes has that name",
    ),
]


@pytest.mark.parametrize(("content", "message"), WRONG)
def test_a_wrong_configuration_is_refused_in_one_line_when_planned(tmp_path, content, message):
    done = refused(tmp_path, content, "-n")
    # Snakemake writes all that a dry run has to say to standard output.
    assert starts_a_line(message, done.stdout + done.stderr)


@pytest.mark.parametrize(("content", "message"), WRONG[:2])
def test_a_wrong_configuration_is_refused_on_standard_error_before_any_job(
    tmp_path, content, message
):
    assert starts_a_line(message, refused(tmp_path, content).stderr)


def test_a_wrong_value_on_the_command_line_is_refused(tmp_path):
    done = refused(tmp_path, {}, "--config", "device=gpu")
    assert starts_a_line('device: "gpu" is not allowed: auto | cpu | mps | cuda |', done.stderr)


def test_a_right_configuration_is_planned(tmp_path):
    (tmp_path / "own.yaml").write_text("only: [model_size_digits]\n")
    done = snakemake(tmp_path / "work", "-n", "--configfile", str(tmp_path / "own.yaml"))
    assert done.returncode == 0, done.stderr
    assert "train_ensemble" in done.stdout + done.stderr
    assert made(tmp_path / "work") == []
