import base64
import gzip
import itertools
import json
from pathlib import Path

import pandas as pd
import pytest
from htmlpages import Page

from neuralcodes import papers
from neuralcodes.errors import DataError
from neuralcodes.papers import defects
from neuralcodes.report import page as report
from neuralcodes.report import payloads
from neuralcodes.report import scores as reportscores
from neuralcodes.report.chapters import Chapter, Field, Grid, Picture, Printed, Schematic
from neuralcodes.report.page import Part

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "workflow/report"
EVIL = (
    "</script><script>alert(1)</script><img src=x onerror=alert(1)>\"' onload='x' {{ 7 * 7 }} &lt;"
)


def chapter(text, name="model_size"):
    return Chapter(
        name=name,
        paper="he2021",
        title=text,
        short=text,
        dataset=text,
        question=text,
        reading=text,
        headline=text,
        picture=Picture("data:image/webp;base64,AAAA", 400, 200),
        numbers=Grid([text, "n"], [[text, "1.0"]], [False, True]),
        recipe=[Field(text, text, varied=True), Field("width", "4", varied=False)],
        seeds="0-4",
        runs=[(text, text)],
        printed=[Printed(text, text, Grid([text], [[text]], [False]))],
        heights=(420, 840),
        chart=payloads.packed_json({"label": text}),
        table=payloads.packed(text.encode()),
        figure=payloads.packed(b"%PDF"),
    )


def values(text):
    """All variables of the template, with one text wherever a text may come from users or files."""
    scorecard = {
        **dict.fromkeys(("paper", "source", "panel", "study", "dataset", "condition"), text),
        **dict.fromkeys(("split", "split_status", "metric", "reason", "run", "epoch"), text),
        **dict.fromkeys(("ours", "low", "high", "std", "n", "difference", "interval"), ""),
        **{"published": "0.5", "reading_error": "0", "tolerance": "", "verdict": "not run"},
    }
    counts = {"reproduced": "0", "differs": "0", "not_run": "1", "values": "1"}
    medians = {"median_difference": "", "median_tolerance": ""}
    totals = {"paper": text, "source": text, "dataset": text, **counts, **medians}
    scores = reportscores.scores(pd.DataFrame([scorecard]))
    schematic = Schematic("feature_selection", Picture("data:,", 1, 1), "")
    return {
        "preset": text,
        "run": {
            **{"device": text, "devices": {text: 2}, "models": 4, "runs": 2, "seeds": [2]},
            **{"studies": 1, "datasets": [text], "commit": text, "versions": {text: text}},
            **{"machine": text, "durations": [(text, "1", "2.0 s", "2.0 s")], "total": "2.0 s"},
        },
        "parts": [Part(papers.get("he2021"), "he2021", [chapter(text)], schematic)],
        "scores": scores,
        "verdicts": reportscores.verdicts(scores),
        "score_heads": reportscores.HEADS,
        "score_papers": [(text, text)],
        "score_sources": [(text, text)],
        "totals": reportscores.totals(pd.DataFrame([totals]), {}),
        "defects": [("he2021", text, [defects.Defect("A1", "he2021", text, text, text)])],
        "defect_text": defects.html,
        "schematic_text": text,
        "payloads": {"plotly": payloads.packed(b"1"), "origins": payloads.packed_json({})},
    }


@pytest.fixture(scope="module")
def evil():
    return Page(report.render(values(EVIL), TEMPLATES))


def test_hostile_texts_add_no_element_and_no_attribute(evil):
    tame = Page(report.render(values("tame"), TEMPLATES))
    assert [(tag, sorted(each)) for tag, each in evil.elements] == [
        (tag, sorted(each)) for tag, each in tame.elements
    ]
    assert len(evil.all("script")) == len(tame.all("script"))
    assert not [each for _, each in evil.elements if {"onerror", "onload"} & set(each)]


def test_hostile_texts_are_shown_as_they_are(evil):
    assert evil.text("h3").count(EVIL) >= 1
    assert f"neuralcodes: {EVIL}" in evil.text("title")
    assert EVIL in [each.get("alt") for each in evil.all("img")]
    assert evil.text("figcaption")[0] == EVIL
    assert EVIL in evil.text("td")
    assert EVIL in [each.get("data-run") for each in evil.all("button")]


def test_the_page_asks_for_nothing():
    page = report.render(values("tame"), TEMPLATES)
    addresses = Page(page).addresses()
    assert addresses
    assert all(each.startswith(("#", "data:")) for each in addresses)
    style = page[page.index("<style>") : page.index("</style>")]
    assert "url(" not in style
    assert "@import" not in style


def test_totals_are_numbers():
    page = Page(report.render(values("tame"), TEMPLATES))
    assert not [text for _, text in page.texts if "object at" in text]
    assert page.text("td").count("1") >= 2, "one value, which was not run"


def test_every_link_of_the_contents_leads_somewhere():
    page = Page(report.render(values("tame"), TEMPLATES))
    ids = [each["id"] for _, each in page.elements if "id" in each]
    assert len(ids) == len(set(ids))
    targets = {each["href"][1:] for each in page.all("a") if each["href"].startswith("#")}
    assert targets <= set(ids)
    assert {"run", "scorecard", "defects", "study-model_size", "paper-he2021"} <= targets


def test_payloads_come_back():
    page = report.render(values(EVIL), TEMPLATES)
    parser = Page(page)
    ids = [each["id"] for each in parser.all("script") if "id" in each]
    assert "payload-chart-model_size" in ids
    start = page.index(">", page.index('id="payload-chart-model_size"')) + 1
    content = base64.b64decode(page[start : page.index("</script>", start)])
    assert json.loads(gzip.decompress(content)) == {"label": EVIL}


def test_heads_have_no_gaps():
    page = Page(report.render(values("tame"), TEMPLATES))
    levels = [int(tag[1]) for tag, _ in page.elements if tag in ("h1", "h2", "h3", "h4", "h5")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


def test_a_variable_that_the_template_lacks_is_named():
    short = values("tame")
    del short["totals"]
    with pytest.raises(DataError, match=r"page\.html\.jinja does not fit: 'totals' is undefined"):
        report.render(short, TEMPLATES)


def test_a_script_that_would_end_its_element_is_refused(tmp_path):
    for path in TEMPLATES.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "page.js").write_text('const text = "</script>";')
    with pytest.raises(DataError, match=r"page\.js holds </script"):
        report.render(values("tame"), tmp_path)


def test_a_missing_style_is_named(tmp_path):
    (tmp_path / "page.html.jinja").write_bytes((TEMPLATES / "page.html.jinja").read_bytes())
    with pytest.raises(DataError, match=r"page\.css cannot be read"):
        report.render(values("tame"), tmp_path)


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0.04, "0.0 s"), (99.94, "99.9 s"), (100, "2 min"), (5940, "99 min"), (9000, "2 h 30 min")],
)
def test_durations_are_written_in_a_unit_that_suits_them(seconds, told):
    assert report._clock(seconds) == told
