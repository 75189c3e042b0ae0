"""The real snakemake refuses a wrong configuration before any job."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
SNAKEMAKE = Path(sys.executable).with_name("snakemake")
WRONG, ALLOWED = {"factors": {"width": [8, -3]}}, "an integer, at least 1"

PLUGIN = """
from neuralcodes.metrics import registry
from neuralcodes.metrics.declaration import Look, Metric

look = Look("Share of active units")
registry.register(
    Metric(name="activity", measure=lambda splits: [], splits=("train",), better=None, look=look)
)
"""

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


@pytest.mark.parametrize("option", [["-n"], []], ids=["planned", "run"])
def test_a_wrong_configuration_is_refused_in_one_line_before_any_job(tmp_path, option):
    done = refused(tmp_path, {"studies": {"model_size_digits": WRONG}}, *option)
    message = f"studies.model_size_digits.factors.width[1]: -3 is not allowed: {ALLOWED}"
    # all that a dry run has to say goes to standard output
    assert starts_a_line(message, done.stderr + (done.stdout if option else ""))


def test_a_wrong_value_on_the_command_line_is_refused(tmp_path):
    done = refused(tmp_path, {}, "--config", "device=gpu")
    assert starts_a_line('device: "gpu" is not allowed: auto | cpu | mps | cuda |', done.stderr)


def test_numbers_in_braces_on_the_command_line_are_numbers(tmp_path):
    given = "studies={model_size_digits: {seeds: 5, factors: {width: [8, 16]}, optional: true}}"
    chosen = ["metrics={knn_k: 3, kmeans_clusters: null}", "only=[model_size_digits]"]
    done = snakemake(tmp_path / "work", "-n", "--config", given, *chosen)
    assert done.returncode == 0, done.stdout + done.stderr
    trained = re.findall(r"output: results/models/(\S+)\.safetensors", done.stdout)
    assert sorted(each.split("/")[1] for each in trained) == ["seeds0-4"] * 2
    assert sorted(each.split("-")[1] for each in trained) == ["mlp1x16", "mlp1x8"]


def test_a_number_in_quotes_in_a_file_stays_text_and_is_refused(tmp_path):
    content = {"studies": {"model_size_digits": {"seeds": 2, "factors": {"width": ["8"]}}}}
    done = refused(tmp_path, content, "--config", "studies={model_size_digits: {seeds: 3}}")
    message = (
        'studies.model_size_digits.factors.width[0]: "8" is not allowed: an integer, at least 1; '
        "this is text, write 8 without quotes"
    )
    assert starts_a_line(message, done.stderr)


def test_plugins_of_the_working_folder_are_imported_when_planned(tmp_path):
    work = tmp_path / "work"
    missing = refused(tmp_path, {"plugins": ["mine"]}, "-n")
    message = 'plugins[0]: "mine" is not allowed: there is no module mine in '
    assert starts_a_line(message, missing.stdout + missing.stderr)
    (work / "mine.py").write_text("raise ValueError('a name stands twice')\n")
    done = snakemake(work, "-n", "--config", "plugins=[mine]")
    message = (
        'plugins[0]: "mine" cannot be imported: ValueError: a name stands twice (mine.py, line 1)'
    )
    assert starts_a_line(message, done.stdout + done.stderr)
    (work / "mine.py").write_text(PLUGIN)
    chosen = ["plugins=[mine]", "only=[model_size_digits]"]
    done = snakemake(
        work,
        "-n",
        "--config",
        *chosen,
        "metrics={names: [activity, redundancy_ratio, knn_accuracy]}",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    done = snakemake(work, "-n", "--config", *chosen, "metrics={names: [activty]}")
    message = 'metrics.names[0]: "activty" is no known choice; did you mean activity? Allowed: '
    assert starts_a_line(message, done.stdout + done.stderr)


def test_a_right_configuration_is_planned(tmp_path):
    (tmp_path / "own.yaml").write_text("only: [model_size_digits]\n")
    done = snakemake(tmp_path / "work", "-n", "--configfile", str(tmp_path / "own.yaml"))
    assert done.returncode == 0, done.stderr
    assert "train_ensemble" in done.stdout + done.stderr
    assert made(tmp_path / "work") == []
