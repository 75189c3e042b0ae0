import re

import numpy as np
import pandas as pd
import pytest

from neuralcodes.errors import DataError
from neuralcodes.metrics import retrieval
from neuralcodes.report import retrievaltables, sheets
from neuralcodes.studies import tables

VALUES = {
    "network_code": {"recall_at_1": 0.95321, "recall_at_10": 0.99, "queries_per_second": 17042.8},
    "simhash": {"recall_at_1": 0.8, "recall_at_10": 0.9, "queries_per_second": 999.6},
    "exact": {"recall_at_1": 0.97, "recall_at_10": 0.995, "queries_per_second": 12.34},
}
COST = {"network_code": 8, "simhash": 8, "exact": 3136}
HEADINGS = ["method", "bits", "bytes/item", "recall@1 (%)", "recall@10 (%)", "queries/s"]


def summary(conditions=("100", "1000"), factor="width", n=5, **changes):
    """As `tables.summarize` orders it: methods and metrics by name."""
    rows = []
    for place, condition in enumerate(conditions):
        for method in sorted(VALUES):
            values = {**VALUES[method], "bytes_per_item": COST[method]}
            if method != "exact":
                values["code_length"] = 60
            for metric in sorted(values):
                row = {"study": "s", factor: condition, "epoch": "final", "split": "test"}
                row |= {"method": method, "metric": metric, "mean": values[metric]}
                row |= {"std": 0.0123 if "recall" in metric else 0.0, "n": n}
                if metric == "queries_per_second":
                    row["mean"] = (1 + place) * values[metric]
                rows.append({**row, **changes})
    return pd.DataFrame(rows)


def sheet(table=None, factors=("width",), dataset="MNIST", **options):
    return retrievaltables.sheet(summary() if table is None else table, factors, dataset, **options)


def parsed(text):
    """Cells of the pipe table in a Markdown text: header, rows and alignments."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    header, rule, *body = [
        [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines
    ]
    assert {len(row) for row in body} == {len(header)}
    return header, body, [cell.endswith(":") for cell in rule]


def set_in_latex(text):
    """Cells of a LaTeX table without multicolumns: header, rows and column format."""
    top, rest = text.split("\\toprule\n")[1].split("\\midrule\n")
    rows = [
        [cell.strip() for cell in re.split(r"(?<!\\)&", line.removesuffix(" \\\\"))]
        for line in (top + rest.split("\\bottomrule")[0]).splitlines()
    ]
    form = re.search(r"\\begin{tabular}{(\w+)}", text)[1]
    assert {len(row) for row in rows} == {len(form)}
    return rows[0], rows[1:], form


def test_methods_are_those_that_are_measured():
    assert tuple(retrievaltables.METHODS) == retrieval.METHODS
    assert retrievaltables.EXACT == retrieval.EXACT


def test_a_table_has_a_row_per_condition_and_method_and_exact_search_once():
    header, body, numbers = parsed(retrievaltables.markdown(sheet()))
    assert header == ["condition", *HEADINGS]
    assert numbers == [False] * 2 + [True] * 5
    assert body == [
        ["100", "network code", "60", "8", "95.32 ± 1.23", "99.00 ± 1.23", "17,000"],
        ["100", "SimHash", "60", "8", "80.00 ± 1.23", "90.00 ± 1.23", "1,000"],
        ["1000", "network code", "60", "8", "95.32 ± 1.23", "99.00 ± 1.23", "34,100"],
        ["1000", "SimHash", "60", "8", "80.00 ± 1.23", "90.00 ± 1.23", "2,000"],
        ["all", "exact search", "\u2013", "3,136", "97.00 ± 1.23", "99.50 ± 1.23", "18.5"],
    ]


def test_exact_search_stands_in_every_condition_where_it_differs():
    table = summary()
    first = (table["method"] == "exact") & (table["metric"] == "recall_at_1")
    table.loc[first, "mean"] = [0.9, 0.91]
    _, body, _ = parsed(retrievaltables.markdown(sheet(table)))
    assert [row[:2] for row in body][2::3] == [["100", "exact search"], ["1000", "exact search"]]
    assert [row[4] for row in body][2::3] == ["90.00 ± 1.23", "91.00 ± 1.23"]
    assert [row[-1] for row in body][2::3] == ["12.3", "24.7"]


def test_one_condition_keeps_exact_search_in_place():
    _, body, _ = parsed(retrievaltables.markdown(sheet(summary(["100"]))))
    assert [row[0] for row in body] == ["100"] * 3
    header, body, numbers = parsed(retrievaltables.markdown(sheet(summary(["100"]), factors=())))
    assert header == HEADINGS
    assert [row[0] for row in body] == ["network code", "SimHash", "exact search"]
    assert numbers == [False] + [True] * 5


def test_numbers_need_the_name_of_their_factor_and_no_point():
    for values, expected in (((0.5, 3.0), ["0.5", "3"]), ((64, 512), ["64", "512"])):
        made = sheet(summary(values, "weight_decay"), ["weight_decay"])
        _, body, _ = parsed(retrievaltables.markdown(made))
        labels = [row[0] for row in body]
        assert labels == [f"weight decay {x}" for x in expected for _ in "ab"] + ["all"]


def test_epochs_and_splits_are_told_apart_where_they_vary():
    both = pd.concat(
        [
            summary(["100"], split=split, epoch=epoch)
            for split in ("seen", "unseen")
            for epoch in "05"
        ]
    )
    made = sheet(both)
    assert made.factors == ("width", "epoch", "split")
    _, body, _ = parsed(retrievaltables.markdown(made))
    assert [row[0] for row in body[::2]] == [
        *("100, epoch 0, seen", "100, epoch 5, seen"),
        *("100, epoch 0, unseen", "100, epoch 5, unseen", "all"),
    ]
    assert sheet().factors == ("width",)


def test_other_numbers_of_neighbours_have_their_columns_in_order():
    table = summary()
    table["metric"] = table["metric"].replace({"recall_at_10": "recall_at_5"})
    more = table[table["metric"] == "recall_at_5"].assign(metric="recall_at_100")
    header, _, _ = parsed(retrievaltables.markdown(sheet(pd.concat([table, more]))))
    assert header[4:7] == [f"recall@{k} (%)" for k in (1, 5, 100)]


def test_a_mean_of_one_seed_has_no_spread():
    made = sheet(summary(n=1, std=np.nan))
    _, body, _ = parsed(retrievaltables.markdown(made))
    assert body[0][4] == "95.32"
    assert made.title.endswith("MNIST, 1 seed")


@pytest.mark.parametrize(
    ("speed", "expected"),
    [
        *((1234567, "1,230,000"), (17042.8, "17,000"), (1235, "1,240"), (999.6, "1,000")),
        *((123.4, "123"), (99.96, "100"), (12.34, "12.3"), (1.0, "1.00"), (0.12345, "0.123")),
        *((0.0, "0"), (np.nan, "\u2013")),
    ],
)
def test_speeds_have_three_digits(speed, expected):
    table = summary(["100"])
    table.loc[table["metric"] == "queries_per_second", "mean"] = speed
    assert parsed(retrievaltables.markdown(sheet(table)))[1][0][-1] == expected


def test_title_and_note_say_what_was_measured():
    made = sheet()
    assert made.title == "Retrieval by codes and by raw inputs: MNIST, 5 seeds"
    for text in (retrievaltables.markdown(made), retrievaltables.latex(made, "x")):
        assert made.title in text
        assert "an item of their own class among the k nearest" in text
        assert "one thread" in text
        assert "without computing the codes" in text
    assert "their own manifold among" in sheet(group="manifold").note
    table = summary()
    table.loc[table["width"] == "100", "n"] = 3
    assert sheet(table).title.endswith("MNIST, 3 to 5 seeds")


def test_a_latex_table_sets_numbers_in_maths_and_text_to_the_left():
    header, rows, form = set_in_latex(retrievaltables.latex(sheet(), "tab:x"))
    assert form == "llrrrrr"
    assert header[4:] == [r"recall@1 (\%)", r"recall@10 (\%)", "queries/s"]
    assert rows[0][1:] == [
        *("network code", "$60$", "$8$", r"$95.32 \pm 1.23$", r"$99.00 \pm 1.23$"),
        "$17{,}000$",
    ]
    assert rows[-1][:4] == ["all", "exact search", "--", "$3{,}136$"]


SPECIAL = r"50% a_b & c#d {e} $f ^~\ <g>"


def test_special_characters_are_escaped():
    made = sheet(summary([SPECIAL, "a|b*c*"]), dataset=f"Data {SPECIAL}")
    text = retrievaltables.latex(made, "tab:50% of_it")
    caption = re.search(r"\\caption{(.*)}\n\\label{(.*)}\n", text)
    _, rows, _ = set_in_latex(text)
    for each in (caption[1], rows[0][0]):
        assert not set(re.sub(r"\\text\w+\{\}|\\[&%$#_{}]", "", each)) & set("&%$#_{}\\^~")
        assert "a\\_b" in each
    assert caption[2] == "tab:50--of-it"
    assert parsed(retrievaltables.markdown(made))[1][2][0] == r"a\|b\*c\*"


def test_rows_of_other_measures_are_left_out():
    other = summary(["7"]).assign(method=np.nan, metric="knn_accuracy")
    made = sheet(pd.concat([other, summary()]))
    assert set(made.table["width"]) == {"100", "1000"}


def test_what_cannot_be_printed_is_refused():
    with pytest.raises(DataError, match=r"the summary lacks the columns \['depth'\]"):
        sheet(factors=("width", "depth"))
    with pytest.raises(DataError, match="no rows of retrieval"):
        sheet(summary().assign(method=np.nan))
    with pytest.raises(DataError, match=r"'epoch': 'final'.* stands twice; name every factor"):
        sheet(factors=())
    table = summary()
    with pytest.raises(DataError, match=r"'width': '100'.* lacks the metrics \['bytes_per_item'\]"):
        sheet(table[table["metric"] != "bytes_per_item"])
    with pytest.raises(DataError, match=r"lacks the metrics \['recall_at_\{k\}'\]"):
        sheet(table[~table["metric"].str.startswith("recall")])


def test_files_are_written_in_all_formats(tmp_path):
    tables.write(summary(), tmp_path / "study.summary.csv")
    stem = tmp_path / "tables" / "study.retrieval"
    written = retrievaltables.typeset(tmp_path / "study.summary.csv", ["width"], "MNIST", stem)
    assert [path.name for path in written] == [f"study.retrieval.{x}" for x in ("csv", "md", "tex")]
    assert sorted(stem.parent.iterdir()) == written
    made = sheet(tables.read(tmp_path / "study.summary.csv"))
    assert written[1].read_text(encoding="utf-8") == retrievaltables.markdown(made)
    text = written[2].read_text(encoding="utf-8")
    assert text == retrievaltables.latex(made, "tab:study.retrieval")
    assert r"\label{tab:study.retrieval}" in text


def test_the_csv_is_tidy_and_has_all_conditions(tmp_path):
    table = summary()
    table["mean"] += 1 / 30_000_000
    tables.write(table, tmp_path / "study.summary.csv")
    path = retrievaltables.typeset(
        tmp_path / "study.summary.csv", ["width"], "MNIST", tmp_path / "all"
    )[0]
    read = pd.read_csv(path)
    assert read.columns.tolist() == [
        *("width", "epoch", "split", "method", "n", "code_length_bits", "bytes_per_item"),
        *("recall_at_1_percent", "recall_at_1_percent_std"),
        *("recall_at_10_percent", "recall_at_10_percent_std"),
        *("queries_per_second", "queries_per_second_std"),
    ]
    assert read["method"].tolist() == [*retrieval.METHODS] * 2
    assert read["width"].tolist() == [100] * 3 + [1000] * 3
    assert read["code_length_bits"].isna().tolist() == [False, False, True] * 2
    assert "95.3210033," in path.read_text()
    assert read["recall_at_1_percent_std"].tolist() == pytest.approx([1.23] * 6)
    assert read["queries_per_second"].tolist()[:3] == pytest.approx([17042.8, 999.6, 12.34])


def test_nothing_is_written_when_the_table_is_refused(tmp_path):
    tables.write(summary(), tmp_path / "study.summary.csv")
    with pytest.raises(DataError, match="stands twice"):
        retrievaltables.typeset(tmp_path / "study.summary.csv", [], "MNIST", tmp_path / "all")
    assert [path.name for path in tmp_path.iterdir()] == ["study.summary.csv"]


def test_the_table_is_read_back_as_it_was_printed(tmp_path):
    tables.write(summary(), tmp_path / "summary.csv")
    csv, md, _ = retrievaltables.typeset(
        tmp_path / "summary.csv", ["width"], "MNIST", tmp_path / "s.retrieval", "manifold"
    )
    made, cells = retrievaltables.read(csv, ["width"], "MNIST", "manifold")
    assert sheets.markdown(made, cells, texts=2) == md.read_text()
