import pandas as pd

from neuralcodes.figures.numbers import Number
from neuralcodes.report import chapters

NAN = float("nan")


def number(**given):
    usual = {"panel": "a", "curve": "K-NN, test", "quantity": "Accuracy", "x": "8", "mean": 0.61803}
    rest = {"low": 0.5, "high": 0.7, "n": 5, "published": 0.6, "row": 3}
    return Number(**{**usual, **rest, **given})


def test_numbers_of_a_figure_are_set_with_four_digits():
    (row,) = chapters.told([number(mean=-0.61803, low=-1e-5, x="-8")]).to_dict("records")
    assert row == {
        **{"Panel": "a", "Curve": "K-NN, test", "Quantity": "Accuracy", "At": "\u22128"},
        **{"Value": "\u22120.618", "95% interval": "\u22121e\u221205 to 0.7", "n": "5"},
        "Published": "0.6",
    }


def test_columns_in_which_nothing_stands_are_left_out_and_gaps_are_dashes():
    bare = {"panel": "", "low": NAN, "high": NAN, "n": 0}
    table = chapters.told([number(published=NAN, **bare), number(**bare)])
    assert list(table) == ["Curve", "Quantity", "At", "Value", "Published"]
    assert table["Published"].tolist() == ["\u2013", "0.6"]


def test_columns_of_numbers_are_told_from_columns_of_texts():
    table = pd.DataFrame({"a": ["x", "1"], "b": ["\u2212 1", "1"], "c": ["\u22121", "\u2013"]})
    grid = chapters.Grid.of(table, ["A", "B", "C"])
    assert (grid.heads, grid.numeric) == (["A", "B", "C"], [False, False, True])
    assert grid.rows[0] == ["x", "\u2212 1", "\u22121"]
