from pathlib import Path
from types import SimpleNamespace

import pytest

from neuralcodes.pipeline import configuration, reportmarks
from neuralcodes.studies import layout

PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def settings():
    return configuration.load({"preset": "digits"}, PROJECT)


def shown(marks, study):
    """Category and subcategory, as Snakemake works them out for a job's wildcards."""
    wildcards = SimpleNamespace(study=study)
    return marks["category"](wildcards), marks["subcategory"](wildcards)


def test_files_of_a_study_stand_under_its_paper_and_title(settings):
    marks = reportmarks.of_study(settings, "figure", "figure")
    for name, study in settings.studies.items():
        paper, title = shown(marks, name)
        assert paper.startswith({"he2021": "He", "oursland2024": "Ou"}.get(study.paper, "Di"))
        assert title == layout.title_of(settings, study)
    assert marks["labels"] == {"result": "figure", "study": "{study}"}


def test_captions_are_found_from_the_rule_files(settings):
    marks = [
        reportmarks.of_study(settings, "summary", "summary"),
        reportmarks.of_tests(settings, "tables/{study}.baseline.csv"),
        reportmarks.of_schematic(),
    ]
    for each in marks:
        assert (PROJECT / "rules" / each["caption"]).is_file()


def test_schematic_stands_under_the_paper_that_it_explains(settings):
    marks = reportmarks.of_schematic()
    study = next(name for name, each in settings.studies.items() if each.paper == "oursland2024")
    assert marks["category"] == shown(reportmarks.of_study(settings, "x", "x"), study)[0]
    assert marks["labels"]["study"] == "feature_selection"


@pytest.mark.parametrize(
    ("ending", "label"),
    [
        ("baseline.csv", "tests, baseline"),
        ("scale.as_published.csv", "tests, scale, as published"),
        ("scale_per_unit.corrected.csv", "tests, scale per unit, corrected"),
    ],
)
def test_printed_tables_of_tests_have_a_label_each(settings, ending, label):
    marks = reportmarks.of_tests(settings, f"results/digits/tables/{{study}}.{ending}")
    assert marks["labels"]["result"] == label
