"""The report that the workflow makes of a finished run."""

from pathlib import Path

import pytest
from htmlpages import Page
from projects import TINY

from neuralcodes.errors import DataError
from neuralcodes.pipeline import configuration
from neuralcodes.report import page as report

pytestmark = pytest.mark.workflow

REPORT = "results/tiny/report.html"
EVIL = """</script><img src=x onerror=alert(1)> "'&amp; {{ 7 * 7 }} <b>"""


@pytest.fixture(scope="module")
def page(finished):
    return Page((finished.folder / REPORT).read_text())


def test_every_study_has_its_place(page):
    ids = {attributes.get("id") for _, attributes in page.elements}
    assert {f"study-{name}" for name in TINY["studies"]} <= ids
    assert {"study-feature_selection", "run", "scorecard", "defects", "defect-A1"} <= ids
    payloads = {name.removeprefix("payload-") for name in ids if name and "payload-" in name}
    assert payloads == {
        *(f"{kind}-{name}" for name in TINY["studies"] for kind in ("chart", "csv", "pdf")),
        *("pdf-feature_selection", "plotly", "origins", "scorecard"),
    }


def test_every_published_value_has_its_row(page):
    verdicts = [each["data-verdict"] for each in page.all("tr") if "data-verdict" in each]
    assert len(verdicts) == 1064 + 222
    assert set(verdicts) == {"not run"}, "digits are never scored"


def test_what_was_run_is_said(page, finished):
    texts = {text for _, text in page.texts}
    assert {"tiny", "train_ensemble", "measure_codes", "not a git checkout"} <= texts
    trained = len(list(finished.folder.glob("results/models/*/*.safetensors")))
    assert f"auto; trained on cpu ({trained} ensembles)" in texts


def test_it_is_one_small_file_that_asks_for_nothing(page, finished):
    assert all(each.startswith(("#", "data:")) for each in page.addresses())
    assert (finished.folder / REPORT).stat().st_size < 8e6


def test_hostile_names_in_the_configuration_are_shown_as_they_are(project, page):
    def change(preset):
        preset["studies"]["descent"]["title"] = EVIL
        preset["datasets"]["digits"]["label"] = EVIL

    project.configure(change)
    project.run(REPORT, cores=2)
    evil = Page((project.folder / REPORT).read_text())
    assert evil.text("h3").count(EVIL) == 1
    assert len(evil.all("script")) == len(page.all("script"))
    assert len(evil.all("img")) == len(page.all("img"))
    assert not [each for _, each in evil.elements if "onerror" in each]


@pytest.mark.parametrize(
    ("path", "content", "message"),
    [
        ("results/tiny/tables/scorecard.csv", "", "scorecard.csv is not a CSV table"),
        ("results/tiny/figures/widths.png", "x", "widths.png is not an image"),
        (
            "results/tiny/tables/widths.summary.csv",
            "a\n1\n",
            "widths.summary.csv lacks the columns",
        ),
        ("docs/fidelity.md", "# nothing\n", "fidelity.md has no table of defects"),
    ],
)
def test_a_damaged_file_is_named_and_no_page_left(project, monkeypatch, path, content, message):
    (project.folder / path).write_text(content)
    (project.folder / REPORT).unlink()
    monkeypatch.chdir(project.folder)
    settings = configuration.load({"preset": "tiny"}, Path(), {})
    with pytest.raises(DataError, match=message):
        report.write(settings, Path(), Path(REPORT), "")
    assert not Path(REPORT).exists()
