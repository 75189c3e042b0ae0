"""The profile for SLURM fits the rules."""

import re
from pathlib import Path

import pytest
import yaml

from neuralcodes.measures import registry

ROOT = Path(__file__).parents[2]
PROFILE = yaml.safe_load((ROOT / "profiles/slurm/config.yaml").read_text())
LOCAL = {"download_data", "render_report"}


@pytest.fixture(scope="module")
def rules():
    """Every rule's directives as text."""
    text = "".join(path.read_text() for path in sorted((ROOT / "rules").glob("*.smk")))
    blocks = re.split(r"^(?=rule )", text, flags=re.MULTILINE)[1:]
    return {re.match(r"rule (\w+):", block)[1]: block for block in blocks}


MEASURES = {each.rule: each for each in registry.all_measures()}


def test_every_job_asks_for_the_memory_and_time_of_its_rule_and_for_more_when_tried_again(rules):
    asked = {
        name: {
            f"{resource}": f"{re.search(rf'{resource}=([0-9]+)', block)[1]} * attempt"
            for resource in ("mem_mb", "runtime")
        }
        for name, block in rules.items()
        if name not in LOCAL
    }
    assert PROFILE["set-resources"] == asked
    assert PROFILE["retries"] >= 1
    measuring = (ROOT / "rules/measure.smk").read_text()
    assert "measure.memory * attempt" in measuring
    assert "measure.minutes * attempt" in measuring


def test_all_but_data_and_trainings_are_submitted_in_groups(rules):
    grouped = dict(each.split("=") for each in PROFILE["groups"])
    assert {*rules, *MEASURES} - set(grouped) - LOCAL == {
        "prepare_data",
        "train_ensemble",
        "train_hash_ensemble",
    }
    assert set(grouped) <= {*rules, *MEASURES}
    sizes = dict(each.split("=") for each in PROFILE["group-components"])
    assert set(sizes) == set(grouped.values())


def test_the_rules_of_a_group_all_run_on_a_device_or_none_does(rules):
    # a group whose rules differ in a resource that is text is refused by snakemake
    groups = {}
    for each in PROFILE["groups"]:
        rule, group = each.split("=")
        placed = MEASURES[rule].device if rule in MEASURES else "**placed(" in rules[rule]
        groups.setdefault(group, set()).add(placed)
    assert all(len(kinds) == 1 for kinds in groups.values())
