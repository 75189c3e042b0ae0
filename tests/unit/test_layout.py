import dataclasses
from types import SimpleNamespace

import pytest

from neuralcodes import layout
from neuralcodes.studies import Point, Study


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
    studies={name: SimpleNamespace(paper="he2021") for name in ("one", "two")},
)


def test_metric_files_are_listed_point_by_point(study):
    files = layout.metric_files(SETTINGS, study)
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


def test_every_measure_has_its_own_ending():
    assert len(set(layout.ENDINGS.values())) == len(layout.ENDINGS) == 8


def test_the_grid_lists_common_and_varied_factors(study):
    common = {"study": "question", "dataset": "toy", "extra": "x", "depth": 2}
    assert layout.grid(study) == [
        common | {"width": 8, "width_per_layer": 4, "sample_size": None},
        common | {"width": 12, "width_per_layer": 6, "sample_size": 30},
    ]


def test_each_file_gets_the_factors_of_its_point(study):
    files = layout.metric_files(SETTINGS, study)
    paired = list(layout.with_factors(files, layout.grid(study), 60000, [0.2, 0.2]))
    assert [path for path, _ in paired] == files
    assert [factors["width"] for _, factors in paired] == [8] * 8 + [12] * 8
    for path, factors in paired:
        run = next(p.run for p in study.points if p.run.width == factors["width"])
        assert f"/{run.id}/" in path


def test_a_point_that_trains_on_everything_gets_the_number_of_examples(study):
    files, points = layout.metric_files(SETTINGS, study), layout.grid(study)
    paired = layout.with_factors(files, points, 1437, [0.5, 0.2])
    assert [factors["sample_size"] for _, factors in paired] == [718] * 8 + [30] * 8
    assert points[0]["sample_size"] is None


def test_figure_files_are_pdf_png_and_svg_per_study():
    assert layout.figure_files(SETTINGS, ["one", "two"]) == [
        f"somewhere/results/small/figures/{name}.{ending}"
        for name in ("one", "two")
        for ending in ("pdf", "png", "svg")
    ]


def test_a_study_without_a_title_is_named_by_its_data_and_seeds(study):
    settings = SimpleNamespace(labels={"toy": "Toy data"})
    assert layout.title_of(settings, study) == "Question (Toy data, 12 seeds)"
    named = dataclasses.replace(study, title="Of its own", chunks=((0, 0),))
    assert layout.title_of(settings, named) == "Of its own"
    one = dataclasses.replace(named, title="")
    assert layout.title_of(settings, one) == "Question (Toy data, 1 seed)"
