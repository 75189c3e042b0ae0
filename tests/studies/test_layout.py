import dataclasses
from types import SimpleNamespace

import pytest

from neuralcodes.measures.files import metric_files
from neuralcodes.pipeline import tabulating
from neuralcodes.studies import layout
from neuralcodes.studies.expansion import Point, Study


@pytest.fixture
def study(make_run):
    points = tuple(
        Point(make_run(depth=2, width=width, sample_size=size), {"width": width, "extra": "x"})
        for width, size in ((8, None), (12, 30))
    )
    return Study(
        name="question",
        paper="he2021",
        title="",
        dataset="toy",
        factors=("width",),
        points=points,
        chunks=((0, 9), (10, 11)),
        checkpoints=("0", "final"),
        measures=("codes", "layers"),
        significance=False,
        optional=False,
        figure={},
    )


SETTINGS = SimpleNamespace(
    results="somewhere/results",
    preset="small",
    studies={
        **{
            name: SimpleNamespace(paper="he2021", significance=False, measures=("codes",))
            for name in ("one", "two")
        },
        "plain": SimpleNamespace(paper="oursland2024", significance=False, measures=()),
        "tested": SimpleNamespace(paper="oursland2024", significance=True, measures=()),
        "searched": SimpleNamespace(paper="x", significance=False, measures=("x", "retrieval")),
    },
    tests={"offset": ("as_published", "corrected"), "scale_per_unit": ("corrected",)},
    labels={"toy": "Toy data"},
)


def test_metric_files_are_listed_point_by_point(study):
    files = metric_files(SETTINGS, study)
    first = f"somewhere/results/metrics/{study.points[0].run.id}"
    assert files[:8] == [
        f"{first}/seeds0-9/epoch0.csv",
        f"{first}/seeds0-9/epoch0.layers.csv",
        f"{first}/seeds0-9/epochfinal.csv",
        f"{first}/seeds0-9/epochfinal.layers.csv",
        f"{first}/seeds10-11/epoch0.csv",
        f"{first}/seeds10-11/epoch0.layers.csv",
        f"{first}/seeds10-11/epochfinal.csv",
        f"{first}/seeds10-11/epochfinal.layers.csv",
    ]
    assert len(files) == len(set(files)) == 16
    assert all(study.points[1].run.id in path for path in files[8:])


def test_the_history_is_one_file_of_a_whole_training_whatever_the_checkpoints(study):
    measured = dataclasses.replace(study, measures=("history", "perturbations"))
    files = metric_files(SETTINGS, measured)
    first = f"somewhere/results/metrics/{study.points[0].run.id}"
    assert files[:3] == [
        f"{first}/seeds0-9/epoch0.perturbations.csv",
        f"{first}/seeds0-9/epochfinal.perturbations.csv",
        f"{first}/seeds0-9/epochfinal.history.csv",
    ]
    assert len(files) == len(set(files)) == 2 * 2 * 3
    alone = dataclasses.replace(study, measures=("history",), checkpoints=("0", "accuracy50"))
    assert [path.rpartition("/")[2] for path in metric_files(SETTINGS, alone)] == (
        ["epochfinal.history.csv"] * 4
    )
    factors = [f for _, f in layout.with_factors(files, layout.grid(study), 60000, [0.2, 0.2])]
    assert [each["width"] for each in factors] == [8] * 6 + [12] * 6


def test_the_grid_lists_common_and_varied_factors(study):
    common = {"study": "question", "dataset": "toy", "extra": "x", "depth": 2}
    assert layout.grid(study) == [
        common | {"width": 8, "width_per_layer": 4, "sample_size": None},
        common | {"width": 12, "width_per_layer": 6, "sample_size": 30},
    ]


def test_each_file_gets_the_factors_of_its_point(study):
    files = metric_files(SETTINGS, study)
    paired = list(layout.with_factors(files, layout.grid(study), 60000, [0.2, 0.2]))
    assert [path for path, _ in paired] == files
    assert [factors["width"] for _, factors in paired] == [8] * 8 + [12] * 8
    for path, factors in paired:
        run = next(p.run for p in study.points if p.run.width == factors["width"])
        assert f"/{run.id}/" in path


def test_a_point_that_trains_on_everything_gets_the_number_of_examples(study):
    files, points = metric_files(SETTINGS, study), layout.grid(study)
    paired = layout.with_factors(files, points, 1437, [0.5, 0.2])
    assert [factors["sample_size"] for _, factors in paired] == [718] * 8 + [30] * 8
    assert points[0]["sample_size"] is None


def test_hash_networks_have_factors_of_their_own_and_hold_nothing_out(study, make_hash_run):
    few = make_hash_run(gamma_dim=3, manifolds=18)
    hashing = dataclasses.replace(study, points=(Point(few, {"manifolds": 18}),))
    (row,) = layout.grid(hashing)
    assert row == {
        **{"study": "question", "dataset": "toy", "family": "poly", "manifolds": 18},
        **{"points": 5, "width": 30, "hash_width": 8, "relative_manifolds": 2.0},
    }
    assert layout.held_out(hashing) == [0.0]
    assert list(layout.with_factors(["file"], [row], None, [0.0])) == [("file", row)]


def test_a_study_searches_for_classes_or_of_hash_networks_for_manifolds(study, make_hash_run):
    assert layout.searched_group(study) == "class"
    hashing = dataclasses.replace(study, points=(Point(make_hash_run(), {}),))
    assert layout.searched_group(hashing) == "manifold"


def test_a_study_without_data_has_no_training_file(toy):
    assert tabulating.training_examples([]) is None
    assert tabulating.training_examples([str(toy / "dataset.json")]) == 57


def test_figure_files_are_pdf_png_and_svg_per_study():
    assert layout.figure_files(SETTINGS, ["one", "two"]) == [
        f"somewhere/results/small/figures/{name}.{ending}"
        for name in ("one", "two")
        for ending in ("pdf", "png", "svg")
    ]


@pytest.mark.parametrize("names", [["plain"], ["one", "plain", "tested"]])
def test_the_paper_whose_schematic_it_is_has_it_drawn_once_and_last(names):
    files = layout.figure_files(SETTINGS, names)
    folder = "somewhere/results/small/figures"
    assert files[-3:] == [f"{folder}/feature_selection.{x}" for x in ("pdf", "png", "svg")]
    assert len(files) == 3 * (len(names) + 1)


def test_tables_of_tests_are_listed_by_kind_variant_and_format():
    tables = ("baseline", "offset.as_published", "offset.corrected", "scale_per_unit.corrected")
    expected = [f"{table}.{ending}" for table in tables for ending in ("csv", "md", "tex")]
    files = layout.typeset_files("some/stem", SETTINGS.tests)
    assert files == [f"some/stem.{name}" for name in expected]
    files = layout.printed_tables(SETTINGS, ["one", "tested", "plain"])
    assert files == [f"somewhere/results/small/tables/tested.{name}" for name in expected]
    assert layout.printed_tables(SETTINGS, ["one", "plain"]) == []
    assert layout.printed_tables(SETTINGS, ["searched", "plain"]) == [
        f"somewhere/results/small/tables/searched.retrieval.{x}" for x in ("csv", "md", "tex")
    ]


def test_captions_say_the_epochs_where_all_runs_have_the_same(study, make_run):
    assert layout.captions(SETTINGS, study) == {
        "factors": ("width",),
        "dataset": "Toy data",
        "epochs": 2,
    }
    longer = (*study.points, Point(make_run(epochs=9), {"width": 6}))
    mixed = dataclasses.replace(study, points=longer)
    assert layout.captions(SETTINGS, mixed)["epochs"] is None


def test_a_study_without_a_title_is_named_by_its_data_and_seeds(study):
    settings = SimpleNamespace(labels={"toy": "Toy data"})
    assert layout.title_of(settings, study) == "Question (Toy data, 12 seeds)"
    named = dataclasses.replace(study, title="Of its own", chunks=((0, 0),))
    assert layout.title_of(settings, named) == "Of its own"
    one = dataclasses.replace(named, title="")
    assert layout.title_of(settings, one) == "Question (Toy data, 1 seed)"
