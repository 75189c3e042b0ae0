from dataclasses import replace

import numpy as np
import pytest
from finding_cases import (
    case,
    epochs,
    manifolds,
    perturbed,
    summarized,
    widths,
)

from neuralcodes.errors import DataError
from neuralcodes.figures import cells, highlights, plotting
from neuralcodes.figures.marks import FigureSpec
from neuralcodes.studies import tables

WIDTH = FigureSpec("curves", x="width_per_layer")


def table(kind, **changes):
    spec, summary, _ = case(kind)
    return highlights.table(replace(spec, **changes), summary)


def well_formed(made):
    assert 1 <= len(made) <= 14
    assert 2 <= len(made.columns) <= 8
    assert made.columns.is_unique
    for text in made.to_numpy().ravel():
        assert isinstance(text, str)
        assert text not in ("nan", "None", "inf")


def test_every_kind_has_a_table():
    assert highlights.MADE.keys() == plotting.FIGURES.keys()
    with pytest.raises(ValueError, match="no figure kind 'pie'"):
        highlights.table(FigureSpec("pie"), case("curves")[1])


@pytest.mark.parametrize("kind", plotting.FIGURES)
@pytest.mark.parametrize("seeds", [(0.0,), (-0.01, 0.0, 0.01)])
def test_tables_are_small_and_of_text(kind, seeds):
    spec, summary, _ = case(kind, seeds)
    made = highlights.table(spec, summary)
    well_formed(made)
    shown = any("\u00b1" in text for text in made.to_numpy().ravel())
    # What is computed from means has no interval.
    means = ("phase_chart", "manifold_distances", "manifold_embedding")
    assert shown == (len(seeds) > 1 and kind not in means)


@pytest.mark.parametrize("kind", plotting.FIGURES)
def test_a_summary_without_what_the_figure_needs_is_refused(kind):
    spec, summary, _ = case(kind)
    with pytest.raises(DataError):
        highlights.table(spec, summary.drop(columns="metric"))


@pytest.mark.parametrize("kind", plotting.FIGURES)
def test_empty_and_infinite_values_leave_a_table(kind):
    spec, summary, _ = case(kind)
    for value in (np.nan, np.inf):
        changed = summary.copy()
        changed.loc[summary.index[0], ["mean", "low", "high"]] = value, np.nan, np.nan
        well_formed(highlights.table(spec, changed))


def test_cells_are_means_and_half_of_their_interval():
    made = table("curves")
    assert list(made.columns) == [
        "Width (units per layer)",
        "Redundancy ratio, test",
        "K-NN accuracy, test",
    ]
    assert made.iloc[0].tolist() == ["10", "0.800 \u00b1 0.002", "0.400 \u00b1 0.002"]


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ((0.9123, 0.9083, 0.9163), "0.912 \u00b1 0.004"),
        ((0.9123, 0.7, 1.1246), "0.91 \u00b1 0.21"),
        ((0.9123,), "0.912"),
        ((-0.05, -0.07, -0.03), "\u22120.05 \u00b1 0.02"),
        ((-0.001, -0.1, 0.098), "0.00 \u00b1 0.10"),
        ((1.0, 1.0, 1.0), "1 \u00b1 0"),
        ((0.00031,), "0.00031"),
        ((12.34, 11.34, 13.34), "12.3 \u00b1 1.0"),
        ((257000.0, 224000.0, 290000.0), "257\u2009000 \u00b1 33\u2009000"),
        ((np.nan,), ""),
        ((np.inf,), "unbounded"),
    ],
)
def test_digits_follow_from_the_interval(values, text):
    assert cells.cell(*values) == text


def test_of_many_values_some_are_shown_with_the_first_and_the_last():
    summary = summarized(widths({width: (0.5, 0.5) for width in range(10, 500, 10)}))
    shown = highlights.table(WIDTH, summary)["Width (units per layer)"].astype(int).tolist()
    assert len(shown) == 14
    assert shown[0] == 10
    assert shown[-1] == 490
    assert set(np.diff(shown)) <= {30, 40}


def test_lines_and_variants_share_the_rows_and_the_published_variant_comes_first():
    rows = [
        {**row, "schedule": schedule}
        for schedule in ("constant", "step")
        for width in (10, 20, 40)
        for row in epochs({e: (0.5, 0.5) for e in (0, 1, 10, 100)}, width_per_layer=width)
    ]
    spec = FigureSpec("curves", x="epoch", line="width_per_layer", variant="schedule")
    made = highlights.table(spec, summarized(rows))
    assert len(made) == 12
    assert made.iloc[0].tolist()[:3] == ["10", "step", "0"]
    assert made.iloc[1].tolist()[:3] == ["10", "step", "100"]
    assert made.iloc[2].tolist()[:3] == ["10", "constant", "0"]


def test_only_the_rows_of_the_figure_count():
    rows = [
        {**row, "dropout": dropout, "value": row["value"] + dropout}
        for dropout in (0.0, 0.1)
        for row in widths({10: (0.8, 0.4)})
    ]
    spec = replace(WIDTH, options={"where": {"dropout": 0.1}})
    assert highlights.table(spec, summarized(rows)).iloc[0].tolist()[1:] == [
        "0.900 \u00b1 0.002",
        "0.500 \u00b1 0.002",
    ]
    with pytest.raises(DataError, match="dropout"):
        highlights.table(WIDTH, summarized(rows))


def test_levels_are_those_of_the_papers_tables():
    levels = [*np.geomspace(0.01, 10, 91), 0.3]
    rows = [
        {"activation": "relu", "perturbation": kind, "level": level, "value": 0.5}
        | {"metric": "train_accuracy", "split": "train"}
        for kind, known in (("none", [0.0]), ("clip", levels), ("offset", [-0.1, 0.1, 0.7]))
        for level in known
    ]
    spec = FigureSpec("perturbations", options={"kinds": ("clip", "offset")})
    made = highlights.table(spec, summarized(rows))
    assert list(made.columns) == ["Perturbation", "Level", "ReLU, train"]
    assert made["Perturbation"].tolist() == ["none", *["clip"] * 6, "offset", "offset"]
    assert made["Level"].tolist() == [
        "",
        *("1%", "5%", "10%", "30%", "50%", "100%"),
        *("\u221210%", "+10%"),
    ]


def test_every_line_has_a_column_before_a_second_split_has():
    rows = [
        {**row, "activation": activation}
        for activation in ("relu", "abs", "leaky_relu", "tanh")
        for row in perturbed()
        if row["activation"] == "relu"
    ]
    made = highlights.table(FigureSpec("perturbations"), summarized(rows))
    heads = ["ReLU, train", "Abs, train", "leaky ReLU, train", "tanh, train"]
    assert list(made.columns)[2:] == heads


def test_the_base_point_is_told_once():
    made = table("one_at_a_time")
    assert made["Changed factor"].tolist() == [
        "none (base point)",
        "Weight decay (L2 penalty): 0.1",
        "Dropout (fraction of units): 0.5",
        "Batch normalization: off",
    ]
    assert made["Redundancy ratio, test"].iloc[2] == "0.600 \u00b1 0.002"


def test_points_of_a_phase_chart_have_their_regime_and_redundancy():
    made = table("phase_chart")
    assert list(made.columns)[2:] == ["Width 10", "Width 20", "Width 40"]
    assert made.iloc[0].tolist() == ["100", "1", "U 0.900", "C 0.200", "S 0.0050"]


def test_codes_of_trained_networks_come_before_the_baselines():
    rows = manifolds(weight_decay=0.0)
    made = highlights.table(FigureSpec("manifold_sweep", line="weight_decay"), summarized(rows))
    assert list(made.columns) == [
        "Weight decay (L2 penalty)",
        "Training manifolds m",
        "Variance ratio \u03c1, trained network",
        "One-shot accuracy, 20-way, trained network",
        "Variance ratio \u03c1, untrained network",
        "Variance ratio \u03c1, raw input",
        "One-shot accuracy, 20-way, untrained network",
    ]
    assert made.iloc[-1, 2] == "0.200 \u00b1 0.002"


def test_errors_of_training_are_drawn_as_in_the_figure():
    made = table("training")
    assert made.iloc[0].tolist()[:3] == ["ReLU", "1", "0.450 \u00b1 0.002"]


def test_a_table_survives_being_written_and_read(tmp_path):
    spec, summary, _ = case("curves")
    tables.write(summary, tmp_path / "s.csv")
    read = highlights.table(spec, tables.read(tmp_path / "s.csv"))
    assert read.equals(highlights.table(spec, summary))
