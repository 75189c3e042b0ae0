import math

import pytest
from finding_cases import summarized, widths
from neuralcodes.figures.trends import Point

from neuralcodes.errors import DataError
from neuralcodes.figures import trends


def run(*means, half=0.01):
    return [Point(10 * (i + 1), mean, mean - half, mean + half) for i, mean in enumerate(means)]


def test_points_are_the_summary_in_the_order_of_the_factor():
    rows = summarized(widths({20: (0.3, 0.6), 10: (0.8, 0.4)}))
    rows = rows[rows["metric"] == "knn_accuracy"]
    found = trends.points(rows, "width_per_layer")
    assert [point.at for point in found] == [10, 20]
    assert [point.mean for point in found] == pytest.approx([0.4, 0.6])
    assert all(point.low < point.mean < point.high for point in found)
    with pytest.raises(DataError, match="mix rows"):
        trends.points(rows.assign(width_per_layer=10), "width_per_layer")


def test_a_value_without_interval_stands_for_itself():
    alone = Point(1, 0.5)
    assert alone.ends == (0.5, 0.5)
    assert trends.beyond(alone, Point(2, 0.6))
    assert not trends.beyond(alone, Point(2, 0.6, 0.4, 0.8))
    assert not trends.beyond(alone, Point(2, 0.5))


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (run(0.5), "is 0.50 at width 10"),
        (run(0.5, 0.5), "stays at 0.50"),
        (run(0.5, 0.51), "does not change beyond its intervals (0.50 to 0.51)"),
        (run(0.2, 0.9), "rises from 0.20 at width 10 to 0.90 at width 20"),
        (run(0.9, 0.2), "falls from 0.90 at width 10 to 0.20 at width 20"),
        (
            run(0.2, 0.9, 0.3),
            "rises from 0.20 at width 10 to a peak of 0.90 at width 20 and is 0.30 at width 30",
        ),
        (run(0.2, 0.9, 0.895), "rises from 0.20 at width 10 to 0.90 at width 30"),
        (run(4.0, math.inf, half=math.nan), "rises from 4 at width 10 to unbounded at width 20"),
        ([], "was not measured"),
    ],
)
def test_courses_are_told_by_their_ends_and_turns(found, text):
    assert trends.course(found, "width") == text


def test_courses_of_several_lines_name_places_and_verbs_once():
    runs = {"a": run(0.2, 0.9), "b": run(0.1, 0.8), "c": run(0.9, 0.1), "d": []}
    assert trends.courses(runs, "width") == [
        "rises from 0.20 at width 10 to 0.90 at width 20",
        "from 0.10 to 0.80",
        "falls from 0.90 to 0.10",
    ]


def test_counted_things_are_named_once():
    found = [Point(10, 0.2), Point(100, 0.9)]
    assert (
        trends.course(found, "sample_size") == "rises from 0.20 with 10 to 0.90 with 100 examples"
    )


@pytest.mark.parametrize(
    ("places", "text"),
    [
        ((), ""),
        ((0, 1, 2, 3), "throughout"),
        ((2, 3), "from width 30 on"),
        ((0, 1), "up to width 20"),
        ((1, 2), "from width 20 to width 30"),
        ((0,), "at width 10 only"),
        ((0, 2), ""),
    ],
)
def test_stretches_are_named_where_they_are_one_piece(places, text):
    found = run(0.1, 0.2, 0.3, 0.4)
    assert trends.stretch(found, [found[place] for place in places], "width") == text


def test_some_of_many_values_hold_the_ends():
    assert trends.some(range(3), 5) == [0, 1, 2]
    assert trends.some(range(9), 3) == [0, 4, 8]
    assert trends.some(range(9), 1) == [8]
