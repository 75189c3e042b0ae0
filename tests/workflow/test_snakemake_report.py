"""Snakemake's own report: what is marked for it, its captions, and that marks rerun nothing."""

import json
import re
import zipfile
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import jinja2
import pytest
from docutils.core import publish_parts
from projects import ROOT

from neuralcodes import papers

pytestmark = pytest.mark.workflow

CAPTIONS = sorted((ROOT / "workflow/report").glob("*.rst"))
FOLDER = "results/tiny"


@dataclass(frozen=True)
class Report:
    """What the page holds, and what snakemake said while making it."""

    output: str
    results: dict[str, Any]
    categories: dict[str, dict[str, list[str]]]
    description: str
    names: list[str]


@pytest.fixture(scope="module")
def made(finished, tmp_path_factory):
    """The report of the finished project, and the project."""
    project = finished.clone(tmp_path_factory.mktemp("reported") / "project")
    done = project.snakemake("--report", "own.zip")
    assert done.returncode == 0, done.stdout
    with zipfile.ZipFile(project.folder / "own.zip") as archive:
        page, names = archive.read("own/report.html").decode(), archive.namelist()
    found = [variable(page, name) for name in ("results", "categories", "workflow_desc")]
    return project, Report(done.stdout, *found, names)


def variable(page, name):
    """A variable of the page's scripts, which is JSON."""
    start = re.search(rf"^    var {name} = ", page, re.MULTILINE).end()
    return json.JSONDecoder().raw_decode(page, start)[0]


def files(project, pattern):
    return {path.relative_to(project.folder).as_posix() for path in project.folder.glob(pattern)}


def test_every_figure_summary_and_printed_table_is_in_the_report(made):
    project, report = made
    tables = f"{FOLDER}/tables"
    printed = {path.removesuffix("md") + "csv" for path in files(project, f"{tables}/*.md")}
    tests = files(project, f"{tables}/*.significance*.csv")
    expected = {
        *files(project, f"{FOLDER}/figures/*.png"),
        *files(project, f"{tables}/*.summary.csv"),
        *printed,
        *tests,
    }
    assert len(printed) > 5
    assert len(tests) == 2
    assert expected <= set(report.results)
    inside = {path.rsplit("/", 1)[-1] for path in expected}
    assert inside <= {name.rsplit("/", 1)[-1] for name in report.names}


def test_every_figure_is_in_the_report_in_one_format_alone(made):
    _, report = made
    shown = [path for path in report.results if "/figures/" in path]
    assert len({path.rsplit(".", 1)[0] for path in shown}) == len(shown)


def test_results_stand_under_their_paper_and_study(made):
    _, report = made
    headings = {name: papers.get(name).heading for name in papers.names()}
    assert set(headings.values()) <= set(report.categories)
    of_study = report.categories[headings["oursland2024"]]["Perturbed (digits, 2 seeds)"]
    assert f"{FOLDER}/figures/perturbed.png" in of_study
    assert f"{FOLDER}/tables/perturbed.clip.as_published.csv" in of_study
    assert f"{FOLDER}/tables/perturbed.summary.csv" in of_study
    of_study = report.categories[headings["dikkala2021"]]["Search (manifolds, 2 seeds)"]
    assert f"{FOLDER}/tables/search.retrieval.csv" in of_study


def test_labels_tell_the_results_of_a_study_apart(made):
    _, report = made
    for studies in report.categories.values():
        for paths in studies.values():
            labels = [tuple(report.results[path]["labels"].values()) for path in paths]
            assert len(set(labels)) == len(labels)


def test_every_caption_is_text_without_leftovers(made):
    _, report = made
    for path, result in report.results.items():
        caption = result["caption"]
        text = re.sub("<[^>]+>", "", caption)
        assert text.strip(), path
        assert not re.search(r"\{\{|\{%|``|system-message|problematic", caption), path
        study = result["labels"].get("study")
        assert study == "feature_selection" or study is None or study in text, path


def test_snakemake_finds_no_fault_with_the_captions(made):
    _, report = made
    assert not re.findall(r".*\((?:INFO|WARNING|ERROR|SEVERE)/\d\).*", report.output)


def test_description_leads_to_every_paper(made):
    _, report = made
    for paper in map(papers.get, papers.names()):
        assert re.search(
            rf'<a [^>]*href="javascript:app.showCategory[^>]*>{re.escape(paper.heading)}</a>',
            report.description,
        )


def test_report_runs_nothing_and_leaves_nothing_to_do(made):
    project, report = made
    assert "rule all" not in report.output
    assert project.planned() == []


def test_marks_and_captions_rerun_nothing(project):
    project.edit("workflow/report/figure.rst", lambda text: f"{text}\nOne more sentence.\n")
    project.edit(
        "src/neuralcodes/pipeline/reportmarks.py",
        lambda text: text.replace('"result": result', '"kind": result'),
    )
    assert project.planned() == []
    project.edit(
        "rules/common.smk", lambda text: f"{text}\n\ndef report(path, **_):\n    return path\n"
    )
    assert project.planned() == []


def fake(**changes):
    """What a caption is told of its job."""
    params = {
        "figure": {"published": None},
        "factors": ("width", "weight_decay"),
        "points": [{}],
        "captions": {"dataset": "MNIST"},
        "dataset": "MNIST_2",
        "group": "class",
    }
    return SimpleNamespace(
        wildcards=SimpleNamespace(study="some_study_"),
        params=SimpleNamespace(**{**params, **changes}),
        input=SimpleNamespace(published=changes.get("published", [])),
        config={"preset": "digits"},
    )


@pytest.mark.parametrize("path", CAPTIONS, ids=[path.name for path in CAPTIONS])
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"figure": {"published": {"figure": "model_capacity"}}, "published": ["he2021.csv"]},
        {"points": [{}] * 3, "factors": ("width",), "group": "manifold"},
    ],
    ids=["plain", "published", "several"],
)
def test_captions_render_and_are_sound_restructured_text(path, changes):
    environment = jinja2.Environment(
        trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    template = environment.from_string(path.read_text())
    text = template.render(snakemake=fake(**changes), categories=[], files=[])
    settings = {"halt_level": 1, "report_level": 1, "warning_stream": False}
    html = publish_parts(text, writer="html", settings_overrides=settings)["body"]
    assert "<p>" in html


def test_captions_say_what_differs_between_jobs():
    environment = jinja2.Environment(trim_blocks=True, lstrip_blocks=True)

    def rendered(name, **changes):
        text = (ROOT / f"workflow/report/{name}.rst").read_text()
        return environment.from_string(text).render(snakemake=fake(**changes), categories=[])

    shown = {"figure": {"published": {"figure": "model_capacity"}}}
    assert "ublished values" in rendered("figure", **shown)
    assert "ublished values" not in rendered("figure")
    assert "``width``, ``weight_decay``." in rendered("figure")
    assert "1\npoint of" in rendered("summary")
    assert "3\npoints of" in rendered("summary", points=[{}] * 3)
    assert "rinted values" in rendered("tests", published=["oursland2024.csv"])
    assert "rinted values" not in rendered("tests")
    assert "own class" in rendered("retrieval")
    assert "own manifold" in rendered("retrieval", group="manifold")
