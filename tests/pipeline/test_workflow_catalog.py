"""What the Snakemake workflow catalog asks of a repository, and what we tell it."""

import re
from pathlib import Path

import yaml

PROJECT = Path(__file__).parents[2]
RULES = sorted((PROJECT / "rules").glob("*.smk"))
USAGE = yaml.safe_load((PROJECT / ".snakemake-workflow-catalog.yml").read_text())["usage"]


def test_repository_has_what_the_catalog_looks_for():
    readme = (PROJECT / "README.md").read_text().lower()
    assert "snakemake" in readme
    assert "workflow" in readme
    assert (PROJECT / "Snakefile").is_file()
    assert (PROJECT / "config/README.md").is_file()
    assert RULES


def test_usage_has_the_keys_that_the_catalog_reads():
    assert set(USAGE) == {"mandatory-flags", "software-stack-deployment", "report"}
    assert set(USAGE["mandatory-flags"]) == {"desc", "flags"}
    deployment = USAGE["software-stack-deployment"]
    assert set(deployment) == {"conda", "apptainer", "apptainer+conda", "report"}
    assert all(isinstance(value, bool) for value in deployment.values())
    assert deployment["report"] == USAGE["report"]


def test_flags_are_a_list_of_options_and_their_description_a_sentence():
    flags = USAGE["mandatory-flags"]
    assert isinstance(flags["flags"], list)
    assert all(each.startswith("-") for each in flags["flags"])
    assert flags["desc"].endswith(".")


def test_presets_of_the_description_exist():
    named = re.findall(r"preset=(\w+)", USAGE["mandatory-flags"]["desc"])
    assert named
    assert all((PROJECT / f"config/presets/{name}.yaml").is_file() for name in named)


def test_what_is_said_to_be_deployed_is():
    text = "\n".join(path.read_text() for path in RULES)
    rules = len(re.findall(r"^rule ", text, re.MULTILINE))
    named = re.findall(r"^    conda:\n        \"(.+)\"$", text, re.MULTILINE)
    assert USAGE["software-stack-deployment"]["conda"] == (len(named) == rules)
    assert all((PROJECT / "rules" / each).is_file() for each in named)
    assert USAGE["software-stack-deployment"]["apptainer"] == ("container:" in text)
    assert USAGE["report"] == ("report(" in text)
