import pandas as pd
import pytest

from neuralcodes.report import scores as reportscores

ROW = {
    **{"paper": "he2021", "source": "model_capacity", "panel": "3_categorization_mnist"},
    **{"study": "model_size_mnist", "dataset": "mnist", "condition": "width 40"},
    **{"split": "test", "split_status": "printed", "metric": "knn_accuracy"},
    **{"published": "0.895", "reading_error": "0.0005", "ours": "0.912345678"},
    **{"low": "0.9", "high": "0.92", "std": "0.004", "n": "3", "difference": "-0.017345678"},
    **{"interval": "0.01", "allowance": "0.005", "tolerance": "0.0155", "verdict": "differs"},
    **{"reason": "", "run": "mnist-mlp1x40-1f3a9c02", "epoch": "final"},
}
NOT_RUN = {
    **dict.fromkeys(("ours", "low", "high", "std", "n", "difference", "interval"), ""),
    **dict.fromkeys(("allowance", "tolerance", "run", "study"), ""),
    **{"verdict": "not run", "reason": "width 23 is not in the grid"},
}


def row(**changes):
    return reportscores.scores(pd.DataFrame([{**ROW, **changes}]))[0]


def test_a_value_is_set_for_reading_and_sorted_by_its_number():
    score = row()
    assert (score.paper, score.source, score.verdict) == ("he2021", "model_capacity", "differs")
    assert [cell.text for cell in score.cells] == [
        *("model capacity", "mnist", "width 40", "K-NN accuracy, test", "0.8950"),
        *("0.9123 ± 0.0100 (n = 3)", "\u22120.0173", "0.0155"),
    ]
    assert [cell.value for cell in score.cells] == [
        *(None, None, None, None),
        *("0.895", "0.912345678", "-0.017345678", "0.0155"),
    ]
    assert len(score.cells) == len(reportscores.HEADS) - 1


def test_what_was_not_run_has_dashes_that_sort_last():
    score = row(**NOT_RUN)
    assert [cell.text for cell in score.cells[5:]] == ["\u2013", "\u2013", "\u2013"]
    assert [cell.value for cell in score.cells[5:]] == ["", "", ""]
    assert score.reason == "width 23 is not in the grid"


def test_an_uncertain_split_is_said():
    assert row(split_status="unknown").cells[3].text.endswith("test (uncertain)")


@pytest.mark.parametrize(
    ("text", "shown"), [("98.33", "98.33"), ("0.00001", "1.0e\u221205"), ("0.0", "0.0000")]
)
def test_numbers_keep_sensible_digits(text, shown):
    assert row(published=text).cells[4].text == shown


def totals():
    columns = ["paper", "source", "dataset", "reproduced", "differs", "not_run", "values"]
    return pd.DataFrame(
        [
            ["he2021", "model_capacity", "mnist", "10", "20", "5", "35"],
            ["he2021", "sample_size", "mnist", "0", "1", "9", "10"],
            ["oursland2024", "stat_scale", "mnist", "0", "0", "42", "42"],
        ],
        columns=columns,
    ).assign(median_difference=["0.01", "0.02", ""], median_tolerance=["0.005", "0.006", ""])


def test_totals_add_up_by_paper_where_it_has_several_sources():
    rows = reportscores.totals(totals(), {"he2021": "He et al. 2021"})
    assert [(r["paper"], r["source"], r["count"], r["total"]) for r in rows] == [
        ("He et al. 2021", "model capacity", 35, False),
        ("He et al. 2021", "sample size", 10, False),
        ("He et al. 2021", "all", 45, True),
        ("oursland2024", "table of scale", 42, False),
    ]
    assert rows[2]["shares"] == [("reproduced", 10), ("differs", 21), ("not-run", 14)]
    assert rows[2]["told"] == "10 reproduced, 21 differs, 14 not run"
    assert rows[3]["shares"] == [("not-run", 42)]
    assert rows[3]["difference"] == "\u2013"


def test_verdicts_are_counted():
    rows = [ROW, {**ROW, "verdict": "reproduced"}, {**ROW, **NOT_RUN}, {**ROW, **NOT_RUN}]
    scores = reportscores.scores(pd.DataFrame(rows))
    assert reportscores.verdicts(scores) == {"reproduced": 1, "compared": 2, "not_run": 2}
