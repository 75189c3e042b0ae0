"""The workflow on a real SLURM of one node: the tiny preset through the profile, disturbed."""

import csv
import re
from pathlib import Path

import numpy as np
import pytest
import yaml
from cluster import ACCOUNT
from controllers import TIMED, submit
from projects import ROOT, copy_project

from neuralcodes.measures import registry
from neuralcodes.pipeline import configuration
from neuralcodes.storage import usage
from neuralcodes.studies import layout

pytestmark = [pytest.mark.workflow, pytest.mark.slurm]

PROFILE = yaml.safe_load((ROOT / "profiles/slurm/config.yaml").read_text())
CLOCKED = "queries_per_second"


def metrics_of(folder: Path) -> dict[str, list[tuple[str, ...]]]:
    """Every metric file below a results folder, but what depends on the clock."""
    found = {}
    for path in sorted(folder.glob("metrics/**/*.csv")):
        with path.open(newline="") as file:
            rows = [tuple(row) for row in csv.reader(file) if CLOCKED not in row]
        found[str(path.relative_to(folder))] = rows
    return found


def test_the_preset_completes_through_the_profile(disturbed):
    settings = configuration.load({"preset": "tiny"}, disturbed.project.folder, {})
    declared = layout.figure_files(settings, settings.selected)
    declared += layout.printed_tables(settings, settings.selected)
    declared += [f"results/tiny/{layout.REPORT}"]
    missing = [each for each in declared if not (disturbed.project.folder / each).is_file()]
    assert missing == []
    again = disturbed.project.snakemake("-n", "--config", "device=cpu")
    assert "Nothing to be done" in again.stdout


def test_the_numbers_are_those_of_a_local_run(disturbed, finished):
    expected = metrics_of(finished.folder / "results")
    assert len(expected) > 20
    assert metrics_of(disturbed.project.folder / "results") == expected
    for path in (finished.folder / "results/codes").glob("**/*.npy"):
        other = disturbed.project.folder / path.relative_to(finished.folder)
        assert np.array_equal(np.load(path), np.load(other))


def test_a_cancelled_job_is_submitted_again(disturbed):
    states = [
        state for _, state, comment in disturbed.cluster.jobs() if comment == disturbed.cancelled
    ]
    assert "CANCELLED" in states
    assert "COMPLETED" in states


def test_a_job_over_its_memory_is_submitted_again_with_more(disturbed):
    jobs = disturbed.cluster.jobs(form="%i|%T|%k|%m|%Z")
    found = [
        (memory_of, state)
        for _, state, comment, memory_of, folder in sorted(jobs, key=lambda each: int(each[0]))
        if "prepare_data" in comment and folder == str(disturbed.project.folder)
    ]
    assert found[0][0] == "100M"
    assert found[0][1] in ("FAILED", "OUT_OF_MEMORY", "CANCELLED")
    assert found[-1] == ("1600M", "COMPLETED")


def test_a_job_over_its_time_goes_on_where_it_was_with_more_time(disturbed):
    jobs = disturbed.cluster.jobs(form="%i|%T|%k|%l|%Z")
    found = {
        state: limit
        for _, state, comment, limit, folder in jobs
        if "train_ensemble" in comment and folder == str(disturbed.timed.folder)
    }
    assert set(found) == {"TIMEOUT", "COMPLETED"}
    asked = PROFILE["set-resources"]["train_ensemble"]["runtime"]
    minutes = 2 * int(asked.removesuffix(" * attempt"))
    assert found["COMPLETED"] == f"{minutes // 60}:{minutes % 60:02}:00"
    log = disturbed.timed.only("logs/train_ensemble/*/*.log").read_text()
    resumed = re.search(r"going on after epoch (\d+) with the saved state", log)
    assert int(resumed[1]) >= 1000
    history = disturbed.timed.only("results/models/*/*.history.csv")
    with history.open(newline="") as file:
        epochs = [int(row["epoch"]) for row in csv.DictReader(file)]
    assert epochs == list(range(1, 100_001))
    assert disturbed.timed.only(f"results/tiny/figures/{TIMED}.pdf").stat().st_size


def test_a_killed_controller_goes_on_where_it_was(disturbed):
    steps = re.compile(r"^(\d+) of (\d+) steps", re.MULTILINE)
    done, planned = map(int, steps.findall(disturbed.said_before)[-1])
    _, left = map(int, steps.findall(disturbed.said)[-1])
    assert done >= 12
    assert left <= planned - done


def test_small_jobs_are_submitted_together_and_downloads_not_at_all(disturbed):
    jobs = disturbed.cluster.jobs(form="%i|%T|%k|%Z")
    comments = [each[2] for each in jobs if each[3] == str(disturbed.project.folder)]
    groups = [each for each in comments if re.match("rule_(networks|codes|figures)_", each)]
    small = len(list(disturbed.project.folder.glob("results/metrics/*/*/*.csv")))
    assert len(groups) < small / 2
    assert not [each for each in comments if "download_data" in each]


def test_no_job_takes_more_memory_than_the_profile_asks_for(disturbed):
    peaks: dict[str, list[int]] = {}
    for path, (_, peak) in usage.of_logs(disturbed.project.folder / "logs").items():
        peaks.setdefault(path.parts[0], []).append(peak)
    asked = {
        rule: int(str(each["mem_mb"]).removesuffix(" * attempt"))
        for rule, each in PROFILE["set-resources"].items()
    }
    asked |= {measure.rule: measure.memory for measure in registry.all_measures()}
    assert peaks.keys() - asked.keys() == {"download_data", "render_report"}, "not submitted"
    assert asked.keys() < peaks.keys()
    over = {rule: max(peaks[rule]) for rule in asked if max(peaks[rule]) > asked[rule]}
    assert over == {}


def test_account_and_partition_are_asked_for_where_accounting_is_on(start_cluster, tmp_path):
    cluster = start_cluster(accounting=True)
    project = copy_project(tmp_path / "accounted")
    project.configure(lambda preset: preset.update(studies={"widths": preset["studies"]["widths"]}))
    controller = submit(
        project,
        cluster,
        *("--slurm-status-command", "sacct"),
        *("--config", "device=cpu", f"slurm={{account: {ACCOUNT}, partition: long}}"),
    )
    controller.finish()
    listed = cluster.command("sacct", "-XnP", "--format=State,Account,Partition")
    assert set(listed.split()) == {f"COMPLETED|{ACCOUNT}|long"}
    assert project.only("results/tiny/figures/widths.pdf").stat().st_size
