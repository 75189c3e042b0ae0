"""Every paper, and what all of them have in common; every published value and its training."""

import hashlib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import yaml

from neuralcodes import papers
from neuralcodes.errors import DataError
from neuralcodes.papers import conditions, references, values
from neuralcodes.pipeline import configuration

ROOT = Path(__file__).parents[2]
PUBLISHED = ROOT / "resources" / "published"
CITED = yaml.safe_load((ROOT / "CITATION.cff").read_text())["references"]
PAPERS = [papers.get(name) for name in papers.names()]
WITH_VALUES = papers.with_values()


@pytest.fixture(scope="module")
def table():
    return references.read(PUBLISHED)


def one(table, **where):
    for name, value in where.items():
        table = table[table[name] == value]
    (row,) = references.rows(table)
    return row


# bibliography


@pytest.mark.parametrize("paper", PAPERS, ids=papers.names())
def test_a_paper_is_the_one_of_the_citation_file(paper):
    (cited,) = [each for each in CITED if each["title"] == paper.title]
    assert len(CITED) == len(PAPERS)
    assert paper.year == cited["year"]
    assert cited["identifiers"] == [{"type": "other", "value": f"arXiv:{paper.arxiv}"}]
    names = [f"{each['given-names']} {each['family-names']}" for each in cited["authors"]]
    assert list(paper.people) == paper.authors.replace(" and ", ", ").split(", ") == names
    others = " et al." if len(names) > 1 else ""
    assert paper.short == f"{cited['authors'][0]['family-names']}{others} {cited['year']}"
    assert paper.heading == f"{paper.short}, {paper.title}"
    assert not set(":`<>_\\") & set(paper.heading), "it names a link in restructured text"
    assert f"@misc{{{paper.name}," in paper.bibtex
    for part in (paper.title, " and ".join(names), str(paper.year), paper.arxiv):
        assert f"= {{{part}}}," in paper.bibtex


def test_every_paper_that_a_study_may_name_is_there():
    schema = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text())
    assert list(papers.names()) == schema["$defs"]["study"]["properties"]["paper"]["enum"]
    with pytest.raises(ValueError, match=r"hinton2006 is none of the papers he2021, .*"):
        papers.get("hinton2006")


# published values


@pytest.mark.parametrize("paper", WITH_VALUES, ids=lambda paper: paper.name)
def test_every_row_of_a_papers_files_is_a_value_of_one_of_its_trainings(table, paper):
    assert all((PUBLISHED / name).is_file() for name in paper.published.files)
    rows = table[table["paper"] == paper.name]
    raw = pd.read_csv(PUBLISHED / paper.published.files[0])
    assert len(rows) == len(raw)
    assert not rows.duplicated(["source", "dataset", "condition", "split", "metric"]).any()
    assert rows.drop(columns="published_std").notna().all(axis=None)
    trainings = [conditions.trainings()[place] for place in rows["training"]]
    assert {each.paper for each in trainings} == {paper.name}
    assert {each.figure for each in trainings} == set(paper.published.figures)
    assert [each.run.dataset for each in trainings] == rows["dataset"].tolist()
    keys = [each.key for each in paper.published.trainings()]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(("preset", "reached"), [("digits", 0), ("mnist", 147), ("paper", 1166)])
def test_a_published_value_maps_to_a_run_or_says_why_it_does_not(table, preset, reached):
    settings = configuration.load({"preset": preset}, ROOT, {})
    facts = conditions.facts(settings)["trainings"]
    mapped = 0
    for value in references.rows(table):
        fact = facts[value.training]
        training = conditions.trainings()[value.training]
        assert bool(fact["reason"]) != bool(fact["studies"])
        assert not fact["studies"] or fact["run"] in settings.runs
        kept = {training.checkpoint(each) for names in fact["studies"].values() for each in names}
        reachable = not training.unreachable(value.epoch)
        mapped += reachable and training.checkpoint(value.epoch) in kept
    assert mapped == reached


def test_every_value_belongs_to_the_training_that_it_always_did(table):
    """The digest was taken when each paper's facts still stood in five modules."""
    columns = ["source", "panel", "dataset", "condition", "split", "metric", "published", "level"]
    ids = [conditions.trainings()[place].run.id for place in table["training"]]
    text = table[columns].assign(run=ids).to_csv(index=False, float_format="%.9g")
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == "50917506b88f7928"


def test_no_training_stands_twice_and_all_are_runs_of_the_paper_preset():
    listed = [(each.figure, each.run.id) for each in conditions.trainings()]
    assert len(set(listed)) == len(listed) == 142
    settings = configuration.load({"preset": "paper"}, ROOT, {})
    absent = {each.run for each in conditions.trainings() if each.run.id not in settings.runs}
    # nobody can run these: the code holds a fifth of the 60,000 out
    assert {run.sample_size for run in absent} == {60000}
    assert conditions.facts(settings)["metrics"] == {}


def test_trainings_are_those_of_the_curves_shown_or_hidden():
    columns = ["figure", "dataset", "width", "sample_size"]
    files = ("he2021.csv", "he2021_occluded_inferred.csv")
    shown, hidden = (
        set(pd.read_csv(PUBLISHED / name, usecols=columns).fillna(0).itertuples(index=False))
        for name in files
    )
    keys = {each.key for each in papers.get("he2021").published.trainings()}
    assert {tuple(each) for each in shown} <= keys <= {tuple(each) for each in shown | hidden}


def test_a_point_of_a_curve(table):
    row = one(table, source="sample_size", condition="width 40, 60 examples", split="train")
    assert (row.panel, row.dataset, row.metric) == ("c_redundancy", "mnist", "redundancy_ratio")
    assert (row.published, row.reading_error) == (0.1065, 0.0009)
    assert (row.epoch, row.perturbation, row.level) == ("final", "", 0)
    run = conditions.trainings()[row.training].run
    assert (run.width, run.sample_size, run.subset, run.patience) == (40, 60, "first", 10)


def test_splits_are_put_right(table):
    capacity = one(table, condition="width 57", metric="kmeans_accuracy")
    assert (capacity.split, capacity.split_status) == (values.ASSUMED_SPLIT, "unknown")
    late = one(table, condition="width 40, epoch 2,000", published=0.0997)
    assert (late.split, late.split_status) == ("train", "corrected")


def test_conditions_can_be_read(table):
    texts = set(table["condition"])
    assert {"width 23", "width 40, epoch 1,000", "width 50, 10,000 examples"} <= texts
    assert {"width 80 per layer, 40,000 examples", "width 10 per layer, epoch 0"} <= texts
    assert {"ReLU, no perturbation", "Abs, scale 1000%", "ReLU, clip 30%"} <= texts
    assert {"Abs, offset -75%", "ReLU, offset +3%", "ReLU, offset 0%"} <= texts


def test_printed_numbers_are_in_our_units_and_their_errors_half_a_digit(table):
    plain = {"condition": "ReLU, no perturbation"}
    row = one(table, split="test", **plain)
    assert (row.metric, row.perturbation, row.level) == ("test_accuracy", "none", 0)
    assert (row.published, row.reading_error) == pytest.approx((0.9561, 0.00005))
    # printed 0.14, which divides by 20
    assert row.published_std == pytest.approx(0.0014 * np.sqrt(20 / 19))
    loss = one(table, metric="train_loss", **plain)
    assert (loss.published, loss.reading_error) == pytest.approx((0.061, 0.00005))
    p = one(table, metric="p_value", condition="ReLU, scale 1%")
    assert (p.published, p.reading_error, p.level) == pytest.approx((2.8e-12, 5e-14, 0.01))
    assert np.isnan(p.published_std)
    assert values.half_last_digit("7") == 0.5


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(DataError, match=r"he2021\.csv does not exist"):
        references.read(tmp_path)


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("he2021.csv", ",mnist,23,", ",mnist,24,", "24.*none of the published trainings"),
        ("oursland2024.csv", ",relu,none,", ",tanh,none,", "tanh.*none of the published"),
        ("oursland2024.csv", ",loss,", ",margin,", "no measure of ours stands for.*margin"),
        ("he2021.csv", "figure,panel", "figure,place", "lacks the columns"),
    ],
)
def test_values_of_nothing_known_are_refused_and_never_dropped(tmp_path, name, old, new, message):
    for each in conditions.FILES:
        text = (PUBLISHED / each).read_text()
        (tmp_path / each).write_text(text.replace(old, new) if each == name else text)
    with pytest.raises(DataError, match=message):
        references.read(tmp_path)


# figures of ours that show them


@pytest.mark.parametrize("paper", WITH_VALUES, ids=lambda paper: paper.name)
def test_a_figure_that_shows_published_values_needs_their_files_and_gets_them(paper):
    for figure in paper.published.figures:
        study = SimpleNamespace(figure={"published": {"figure": figure, "dataset": "mnist"}})
        files = conditions.published_files(study, "there")
        assert files == [f"there/{name}" for name in paper.published.files]
        assert len(paper.published.shown(PUBLISHED, figure, "mnist"))
    assert conditions.published_files(SimpleNamespace(figure={"published": None}), "there") == []
    with pytest.raises(ValueError, match="no paper publishes the values of 'other'; there are"):
        papers.of_figure("other")
