from pathlib import Path

import pytest
import yaml

from neuralcodes.papers import bibliography

PROJECT = Path(__file__).parents[2]
CITED = yaml.safe_load((PROJECT / "CITATION.cff").read_text())["references"]


def test_every_paper_that_a_study_may_name_is_there():
    schema = yaml.safe_load((PROJECT / "workflow/schemas/config.schema.yaml").read_text())
    assert list(bibliography.PAPERS) == schema["$defs"]["study"]["properties"]["paper"]["enum"]


@pytest.mark.parametrize("cited", CITED, ids=[each["title"] for each in CITED])
def test_papers_are_those_of_the_citation_file(cited):
    (paper,) = [each for each in bibliography.PAPERS.values() if each.title == cited["title"]]
    assert paper.year == cited["year"]
    assert cited["identifiers"] == [{"type": "other", "value": f"arXiv:{paper.arxiv}"}]
    names = [f"{each['given-names']} {each['family-names']}" for each in cited["authors"]]
    assert paper.authors.replace(" and ", ", ").split(", ") == names
    others = " et al." if len(names) > 1 else ""
    assert paper.short == f"{cited['authors'][0]['family-names']}{others} {cited['year']}"


def test_no_paper_is_missing_in_the_citation_file():
    assert len(bibliography.PAPERS) == len(CITED)


@pytest.mark.parametrize("paper", bibliography.PAPERS.values(), ids=list(bibliography.PAPERS))
def test_headings_can_be_names_of_links_in_restructured_text(paper):
    assert paper.heading == f"{paper.short}, {paper.title}"
    assert not set(":`<>_\\") & set(paper.heading)
