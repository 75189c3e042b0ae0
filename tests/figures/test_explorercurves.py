import explorer_cases as cases
import pytest
from figure_cases import PUBLISHED, point

from neuralcodes.figures import curves, trainingcharts
from neuralcodes.figures.explorerdata import one
from neuralcodes.figures.marks import FigureSpec
from neuralcodes.figures.scales import Axis
from neuralcodes.papers import published

WIDTHS = [point(width) for width in (10, 40, 60)]
MEMORY = (("knn_accuracy", "test"), ("kmeans_accuracy_transfer", "test"), ("dead_units", "train"))


def mean_of(summary, **where):
    for name, value in where.items():
        summary = summary[summary[name] == value]
    return [one(mean) for mean in summary["mean"]]


def test_without_a_line_factor_the_colours_are_the_series_of_the_figure_and_further_ones():
    spec = FigureSpec("curves", x="width")
    chart, summary = cases.explored(spec, cases.table_of(cases.of_series(WIDTHS, MEMORY)))
    assert cases.texts_of(chart, "measure") == ["shares", "dead_units"]
    (series,) = [each for each in chart["dimensions"] if each["name"] == "series"]
    texts = [value["text"] for value in series["values"]]
    assert texts == ["knn_accuracy,test", "kmeans_accuracy_transfer,test", "dead_units,train"]
    # The figure shows the first; the last has an axis of its own.
    assert series["selected"] == [0, 2]
    style = curves.SERIES_STYLES["knn_accuracy", "test"]
    look = {"color": style.color, "symbol": style.marker, "dash": style.linestyle}
    assert {name: series["values"][0][name] for name in look} == look
    places = cases.places_of(chart, series="knn_accuracy,test")
    assert cases.column(chart, "x", places) == [10, 40, 60]
    assert cases.column(chart, "mean", places) == mean_of(summary, metric="knn_accuracy")


def test_with_a_line_factor_a_measure_is_chosen_and_variants_have_dashes():
    rows = [
        {**point(width, epoch), "schedule": schedule}
        for width in (40, 60)
        for epoch in (0, 1, 10)
        for schedule in ("constant", "step")
    ]
    spec = FigureSpec("curves", x="epoch", line="width", variant="schedule")
    chart, summary = cases.explored(spec, cases.table_of(cases.of_series(rows)))
    assert cases.texts_of(chart, "measure")[0] == "redundancy_ratio,train"
    schedules = chart["dimensions"][2]
    assert [value["text"] for value in schedules["values"]] == ["step", "constant"]
    assert [value["dash"] for value in schedules["values"]] == ["-", "--"]
    places = cases.places_of(chart, measure="knn_accuracy,test", width="60", schedule="constant")
    wanted = mean_of(summary, metric="knn_accuracy", width=60, schedule="constant")
    assert cases.column(chart, "mean", places) == wanted
    (axis,) = chart["axes"]
    assert axis["levels"] == [0, 1, 10]
    assert axis["zero"] == one(Axis("", "log", (0.0, 1.0, 10.0)).zero)


@pytest.mark.parametrize("line", [None, "width_per_layer"])
def test_published_values_are_those_of_the_figure(line):
    rows = [point(width, epoch) for width in (40, 60) for epoch in (0, 1, 100)]
    where = {} if line else {"where": {"width": 40}}
    spec = FigureSpec("curves", x="epoch", line=line, options=where)
    theirs = published.he2021("training_time", "mnist", PUBLISHED)
    chart, _ = cases.explored(spec, cases.table_of(cases.of_series(rows)), theirs)
    name, text = ("measure", "knn_accuracy,test") if line else ("series", "knn_accuracy,test")
    place = cases.texts_of(chart, name).index(text)
    at = chart["published"]["at"]
    dimension = [each["name"] for each in chart["dimensions"]].index(name)
    found = [i for i, value in enumerate(at[dimension]) if value == place]
    if line:
        found = [i for i in found if at[1][i] == cases.texts_of(chart, line).index("40")]
    theirs = theirs[(theirs["metric"] == "knn_accuracy") & (theirs["width_per_layer"] == 40)]
    theirs = theirs[(theirs["epoch"] != "final") & (theirs["epoch"].astype(str) != "")]
    wanted = {float(e): v for e, v in zip(theirs["epoch"], theirs["value"], strict=True)}
    wanted = {x: one(value) for x, value in wanted.items() if x <= 100}
    drawn = {chart["published"]["x"][i]: chart["published"]["value"][i] for i in found}
    assert drawn == wanted
    assert all(chart["published"]["error"][i] > 0 for i in found)


def test_training_errors_are_mirrored_and_published_ends_are_of_the_papers_epochs():
    theirs = published.oursland2024(PUBLISHED)
    chart, summary = cases.explored(
        FigureSpec("training"), cases.table_of(cases.of_epochs()), theirs
    )
    places = cases.places_of(chart, measure="train_accuracy,train", activation="abs")
    wanted = mean_of(summary.assign(mean=1 - summary["mean"]), activation="abs", split="train")
    assert set(cases.column(chart, "mean", places)) <= set(wanted)
    printed = theirs[(theirs["perturbation"] == "none") & (theirs["activation"] == "abs")]
    (accuracy,) = printed.loc[printed["metric"] == "train_accuracy", "value"]
    at = list(zip(*chart["published"]["at"], strict=True))
    place = at.index((0, cases.texts_of(chart, "activation").index("abs")))
    assert chart["published"]["value"][place] == one(1 - accuracy / 100)
    assert chart["published"]["x"][place] == trainingcharts.PUBLISHED_EPOCHS
    assert chart["labels"]["error"] == "standard deviation"


def test_layers_count_from_one_and_the_last_is_ringed():
    rows = [{**point(width), "layer": layer} for width in (10, 20) for layer in (0, 1, 2)]
    chart, _ = cases.explored(
        FigureSpec("layers", line="width"), cases.table_of(cases.of_series(rows))
    )
    (axis,) = chart["axes"]
    assert axis["levels"] == [1, 2, 3]
    assert axis["ringed"] == 3


def test_one_factor_leaves_the_base_point_at_a_time():
    rows = [
        {**point(16), "weight_decay": decay, "dropout": dropout}
        for decay, dropout in ((0.0, 0.0), (0.1, 0.0), (0.2, 0.0), (0.0, 0.5), (0.0, 0.2))
    ]
    spec = FigureSpec("one_at_a_time", options={"factors": ["weight_decay", "dropout"]})
    chart, _ = cases.explored(spec, cases.table_of(cases.of_series(rows)))
    assert chart["form"] == "points"
    first = cases.places_of(chart, factor="weight_decay", series="knn_accuracy,test")
    second = cases.places_of(chart, factor="dropout", series="knn_accuracy,test")
    assert cases.column(chart, "x", first) == [0, 0.1, 0.2]
    assert cases.column(chart, "x", second) == [0, 0.2, 0.5]
    assert [axis["marked"]["label"] for axis in chart["axes"]] == ["base point"] * 2
    assert [value["axis"] for value in chart["dimensions"][0]["values"]] == [0, 1]


def test_regions_without_a_border_end_at_the_top():
    table = cases.table_of(cases.of_regions())
    table.loc[(table["metric"] == "region_size_q95") & (table["epoch"] == "10"), "value"] = float(
        "inf"
    )
    spec = FigureSpec("regions", x="epoch", line="width")
    chart, summary = cases.explored(spec, table)
    assert chart["top"] == one(2 * summary.loc[summary["mean"] < float("inf"), "mean"].max())
    low, high = chart["points"]["bands"][0]
    at_the_end = [i for i, x in enumerate(chart["points"]["x"]) if x == 10]
    assert {high[i] for i in at_the_end} == {chart["top"]}
    assert all(low[i] < chart["top"] for i in at_the_end)
