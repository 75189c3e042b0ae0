import gzip
import json

import explorer_cases as cases
import numpy as np
import pytest
from figure_cases import PUBLISHED, point

from neuralcodes.errors import DataError
from neuralcodes.figures import explorer, explorerseeds, plotting
from neuralcodes.figures.explorerdata import one
from neuralcodes.figures.marks import FigureSpec
from neuralcodes.papers import published
from neuralcodes.studies import tables

WIDTHS = [point(width) for width in (10, 40, 60)]
EPOCHS = [point(width, epoch) for width in (40, 60) for epoch in (0, 1, 10)]
GRID = [point(w, e, n) for w in (4, 32) for e in (0, 10) for n in (100, 1000)]
RECIPES = [{**each, "recipe": name} for each in WIDTHS for name in ("ours", "theirs")]
DECAYS = [
    {**point(16), "weight_decay": decay, "dropout": dropout}
    for decay, dropout in ((0.0, 0.0), (0.1, 0.0), (0.2, 0.0), (0.0, 0.5), (0.0, 0.2))
]
LAYERS = [{**point(w), "layer": k} for w in (10, 20) for k in (0, 1, 2)]
INPUTS = (("redundancy_ratio", "train"), ("redundancy_ratio", "uniform_0_1"))

CASES = {
    "curves": (FigureSpec("curves", x="width"), cases.of_series(WIDTHS)),
    "layers": (FigureSpec("layers", line="width"), cases.of_series(LAYERS)),
    "random_inputs": (FigureSpec("random_inputs", x="epoch"), cases.of_series(EPOCHS, INPUTS)),
    "one_at_a_time": (FigureSpec("one_at_a_time"), cases.of_series(DECAYS)),
    "regions": (FigureSpec("regions", x="epoch", line="width"), cases.of_regions()),
    "recipe_recovery": (FigureSpec("recipe_recovery"), cases.of_series(RECIPES)),
    "phase_chart": (FigureSpec("phase_chart"), cases.of_series(GRID)),
    "perturbations": (FigureSpec("perturbations"), cases.of_levels()),
    "equal_change": (FigureSpec("equal_change"), cases.of_levels(cases.EQUAL)),
    "perturbed_codes": (FigureSpec("perturbed_codes"), cases.of_levels(series=cases.CODES)),
    "training": (FigureSpec("training"), cases.of_epochs()),
    "preactivations": (FigureSpec("preactivations"), cases.of_units()),
    "manifold_sweep": (
        FigureSpec("manifold_sweep", x="manifolds", line="weight_decay"),
        cases.of_manifolds(),
    ),
    "lsh_curve": (FigureSpec("lsh_curve"), cases.of_locality()),
    "manifold_distances": (FigureSpec("manifold_distances"), cases.of_locality()),
    "manifold_embedding": (FigureSpec("manifold_embedding"), cases.of_embedding()),
    "retrieval": (FigureSpec("retrieval", x="hash_width"), cases.of_retrieval()),
}
POINTED = sorted(set(CASES) - {"recipe_recovery", "phase_chart"})


def case(kind, seeds=3):
    spec, rows = CASES[kind]
    table = cases.table_of(rows, seeds)
    theirs = None
    if kind == "recipe_recovery":
        theirs = published.he2021("model_capacity", "mnist", PUBLISHED)
    return *cases.explored(spec, table, theirs), table


def test_every_kind_of_figure_has_a_case():
    assert set(CASES) == set(plotting.FIGURES)


@pytest.mark.parametrize("kind", CASES)
def test_a_chart_is_small_plain_json_without_nan(kind):
    chart, _, _ = case(kind)
    text = json.dumps(chart, allow_nan=False)
    assert json.loads(text) == chart
    assert len(gzip.compress(text.encode())) < 20_000
    assert chart["title"] == ""


@pytest.mark.parametrize("kind", POINTED)
def test_every_point_is_a_row_of_the_summary_with_its_run_its_epoch_and_its_seeds(kind):
    chart, summary, table = case(kind)
    points, keys = chart["points"], tables.key_columns(summary)
    rows = {tuple(map(str, row)): own for row, own in table.groupby(keys, dropna=False)}
    known = {}
    for _, row in summary.iterrows():
        mirrored = kind == "training" and "accuracy" in row["metric"]
        known[one(1 - row["mean"] if mirrored else row["mean"])] = row, mirrored
    assert points["mean"]
    for i, mean in enumerate(points["mean"]):
        row, mirrored = known[mean]
        own = rows[tuple(map(str, row[keys]))]
        assert points["n"][i] == row["n"] == len(own)
        ends = [one(1 - row[e] if mirrored else row[e]) for e in ("low", "high")]
        assert [points["low"][i], points["high"][i]] == (ends[::-1] if mirrored else ends)
        assert {chart["runs"][points["run"][i]]} == set(own["run"])
        assert {chart["epochs"][points["epoch"][i]]} == set(own["epoch"])
        assert chart["spans"][points["span"][i]] == [own["seed"].min(), own["seed"].max()]
        singles = dict(zip(own["seed"], own["value"], strict=True))
        for seed, values in zip(chart["seeds"]["numbers"], chart["seeds"]["values"], strict=True):
            single = singles.get(seed, np.nan)
            assert values[i] == one(1 - single if mirrored else single)


@pytest.mark.parametrize("kind", POINTED)
def test_places_of_points_exist_and_choices_have_one_value_at_first(kind):
    chart, _, _ = case(kind)
    points, dimensions = chart["points"], chart["dimensions"]
    count = len(points["x"])
    assert len(points["at"]) == len(dimensions)
    assert {len(points[name]) for name in ("mean", "low", "high", "n", "run", "span")} == {count}
    for places, dimension in zip(points["at"], dimensions, strict=True):
        assert len(places) == count
        assert all(-1 <= place < len(dimension["values"]) for place in places)
        assert len(set(value["text"] for value in dimension["values"])) == len(dimension["values"])
        assert dimension["role"] in ("colour", "dash", "choice")
        assert len(dimension["selected"]) == 1 or dimension["role"] != "choice"
        for value in dimension["values"]:
            assert 0 <= value.get("axis", 0) < len(chart["axes"])
            assert ("color" in value) == (dimension["role"] != "choice") or "color" in value


@pytest.mark.parametrize("kind", POINTED)
def test_points_of_one_line_do_not_share_a_place(kind):
    chart, _, _ = case(kind)
    points = chart["points"]
    second = points["mean"] if chart["form"] == "scatter" else [0] * len(points["x"])
    places = list(zip(*points["at"], points["x"], second, strict=True))
    assert len(set(places)) == len(places)


def test_one_seed_has_no_interval():
    chart, _, _ = case("curves", seeds=1)
    assert set(chart["points"]["low"]) == {None}
    assert set(chart["points"]["n"]) == {1}
    assert chart["seeds"]["numbers"] == [0]


def test_numbers_keep_five_digits_and_what_is_no_number_is_none():
    assert [one(value) for value in (0.123456789, 123456.0, 2.0, np.nan, np.inf, None)] == [
        *(0.12346, 123460, 2),
        *(None, None, None),
    ]


def test_single_seeds_are_left_out_where_they_are_too_many(monkeypatch):
    monkeypatch.setattr(explorerseeds, "MOST_SEED_VALUES", 20)
    chart, _, _ = case("curves")
    assert chart["seeds"]["values"] is None
    assert chart["seeds"]["omitted"] == explorerseeds.OMITTED


def test_labels_pass_as_plain_text():
    hostile = '<img src=x onerror="alert(1)">%{y}'
    rows = [
        {**row, "recipe": row["recipe"].replace("ours", hostile)}
        for row in cases.of_series(RECIPES)
    ]
    spec = FigureSpec("curves", x="width", line="recipe", title=hostile)
    chart, _ = cases.explored(spec, cases.table_of(rows))
    assert chart["title"] == hostile
    assert cases.texts_of(chart, "recipe") == [hostile, "theirs"]
    values = chart["dimensions"][1]["values"]
    assert values[0]["label"] == hostile


def test_an_unknown_kind_and_missing_data_are_refused():
    table = cases.table_of(cases.of_series(WIDTHS))
    summary = tables.summarize(table)
    with pytest.raises(ValueError, match="unknown figure kind 'pie'"):
        explorer.chart(FigureSpec("pie"), table, summary, None)
    with pytest.raises(DataError, match="no row of the summary is left"):
        explorer.chart(FigureSpec("training", line="width"), table, summary, None)
    with pytest.raises(DataError, match="needs published values"):
        explorer.chart(FigureSpec("recipe_recovery"), table, summary, None)
    two = cases.table_of(cases.of_series(EPOCHS))
    with pytest.raises(DataError, match="width"):
        explorer.chart(FigureSpec("curves", x="epoch"), two, tables.summarize(two), None)
