import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from neuralcodes.errors import DataError
from neuralcodes.papers import published, significance
from neuralcodes.report import sheets, typesetting
from neuralcodes.report.typesetting import Setting
from neuralcodes.studies import layout

DIRECTORY = Path(__file__).parents[2] / "resources" / "published"
CONDITIONS = ("abs", "relu")
SETTING = Setting(("activation",), "MNIST", epochs=5000)
LEVELS = {"scale": (0.01, 0.25, 10.0), "clip": (0.3, 1.0), "offset": (-0.25, 0.0, 0.25)}


def comparison(conditions=CONDITIONS, levels=LEVELS, split="train", **columns):
    rows = []
    for variant in ("as_published", "corrected"):
        for activation in conditions:
            for kind, nominals in levels.items():
                if variant == "as_published" and kind not in LEVELS:
                    continue
                for nominal in nominals:
                    row = {"activation": activation, "split": split, "perturbation": kind}
                    row |= {"level": nominal * 1.01, "nominal": nominal, "variant": variant}
                    row |= {"reference": np.nan, "n": 20, "mean": 0.9, "std": 0.01}
                    row |= {"difference": 0.05, "t_statistic": -25.34, "p_value": 9.04e-13}
                    row |= {"p_holm": np.nan, "cohens_d": -5.666}
                    if variant == "as_published":
                        row["reference"] = -0.22 if kind == "offset" else 0.327454916
                    else:
                        row["p_holm"] = 0.2
                    rows.append({**row, **columns})
    return pd.DataFrame(rows)


def baseline(conditions=CONDITIONS):
    rows = []
    for activation in conditions:
        row = {"activation": activation, "n": 20, "dead_units_mean": 1.25}
        for metric, value in (("train_accuracy", 0.99), ("test_accuracy", 0.95), ("train_loss", 2)):
            row |= {f"{metric}_mean": value, f"{metric}_std": 0.02}
            row[f"{metric}_std_population"] = 0.0195
        rows.append(row)
    return pd.DataFrame(rows)


def with_published(setting=SETTING):
    values = published.oursland2024(DIRECTORY)
    return Setting(setting.factors, setting.dataset, setting.epochs, values)


def sheet(kind="scale", variant="corrected", setting=SETTING, table=None):
    table = comparison() if table is None else table
    return typesetting.comparison_sheet(table, setting, kind, variant)


def parsed(text):
    """Cells of the pipe table in a Markdown text: header and rows."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    rows = [[c.strip() for c in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    header, rule, *body = rows
    assert all(re.fullmatch(r":?-+:?", cell) for cell in rule)
    assert {len(row) for row in rows} == {len(header)}
    return header, body


def set_in_latex(text):
    """Cells of a LaTeX table, multicolumns filled up: headers and rows."""
    for environment in ("table", "tabular"):
        assert text.count(f"\\begin{{{environment}}}") == text.count(f"\\end{{{environment}}}") == 1
    rules = [text.count(rf"\{rule}rule") for rule in ("top", "mid", "bottom")]
    assert rules == [1, 1, 1]
    top, rest = text.split("\\toprule\n")[1].split("\\midrule\n")
    parts = []
    for part in (top, rest.split("\\bottomrule")[0]):
        lines = [line.removesuffix(" \\\\") for line in part.splitlines()]
        rows = [[cell.strip() for cell in re.split(r"(?<!\\)&", line)] for line in lines]
        parts.append([[cell for each in row for cell in spanned(each)] for row in rows])
    columns = len(re.search(r"\\begin{tabular}{(\w+)}", text)[1])
    assert {len(row) for part in parts for row in part} == {columns}
    return parts


def spanned(cell):
    found = re.fullmatch(r"\\multicolumn{(\d+)}{c}{(.*)}", cell)
    return [found[2]] * int(found[1]) if found else [cell]


def unescaped(text):
    """Signs that LaTeX would take for commands, in a text without mathematics."""
    text = re.sub(r"\\text\w+\{\}|\\[&%$#_{}]", "", text)
    return set(text) & set("&%$#_{}\\^~")


def test_a_markdown_table_has_a_row_per_level_and_the_columns_of_every_condition():
    header, body = parsed(typesetting.markdown(sheet(variant="as_published")))
    names = ["accuracy (%)", "*t*", "*p*"]
    assert header == ["level", *(f"{each}: {name}" for each in CONDITIONS for name in names)]
    assert [row[0] for row in body] == ["1%", "25%", "1000%"]
    assert body[0][1:] == ["90.00", "-25.3", "9.0e-13"] * 2


def test_the_corrected_variant_adds_effect_size_and_adjusted_p():
    header, body = parsed(typesetting.markdown(sheet()))
    assert header[1:6] == [
        *("abs: accuracy (%)", "abs: *t*", "abs: *p*", "abs: *d*", "abs: *p* (Holm)"),
    ]
    assert body[0][1:6] == ["90.00", "-25.3", "9.0e-13", "-5.67", "2.0e-01"]


def test_offsets_have_a_sign():
    assert [row[0] for row in parsed(typesetting.markdown(sheet("offset")))[1]] == [
        *("-25%", "0%", "+25%"),
    ]
    _, rows = set_in_latex(typesetting.latex(sheet("offset"), "x"))
    assert [row[0] for row in rows] == [r"$-25\%$", r"$0\%$", r"$+25\%$"]


def test_latex_writes_powers_of_ten_and_groups_columns_by_condition():
    text = typesetting.latex(sheet(variant="as_published"), "x")
    (groups, names), rows = set_in_latex(text)
    assert groups == ["", *["abs"] * 3, *["relu"] * 3]
    assert names == ["level", *[r"accuracy (\%)", "$t$", "$p$"] * 2]
    assert rows[0] == [r"$1\%$", *["$90.00$", "$-25.3$", r"$9.0 \times 10^{-13}$"] * 2]


def test_what_cannot_be_tested_is_a_dash_and_infinity_a_sign():
    table = comparison(["relu"], {"scale": (0.1, 1.0)})
    table[["t_statistic", "p_value"]] = [[-np.inf, 0], [np.nan, np.nan]] * 2
    one = sheet(table=table)
    _, body = parsed(typesetting.markdown(one))
    assert [row[2:4] for row in body] == [["-\u221e", "0.0e+00"], ["\u2013", "\u2013"]]
    _, rows = set_in_latex(typesetting.latex(one, "x"))
    assert [row[2:4] for row in rows] == [[r"$-\infty$", r"$0.0 \times 10^{0}$"], ["--", "--"]]


def test_nothing_is_printed_as_minus_zero():
    table = comparison(t_statistic=-0.04)
    assert parsed(typesetting.markdown(sheet(table=table)))[1][0][2] == "0.0"


def test_published_values_stand_beside_ours():
    header, body = parsed(
        typesetting.markdown(sheet("offset", "as_published", setting=with_published()))
    )
    names = ["accuracy (%)", "published (%)", "*t*", "published *t*", "*p*", "published *p*"]
    assert header[1:7] == [f"abs: {name}" for name in names]
    assert body[0] == [
        *("-25%", "90.00", "49.03", "-25.3", "32.0", "9.0e-13", "5.3e-18"),
        *("90.00", "90.24", "-25.3", "33.1", "9.0e-13", "2.9e-18"),
    ]


def test_published_tests_do_not_stand_beside_corrected_ones():
    header, body = parsed(typesetting.markdown(sheet("clip", setting=with_published())))
    assert [name for name in header if "published" in name] == [
        *("abs: published (%)", "relu: published (%)"),
    ]
    assert [row[2] for row in body] == ["96.11", "99.99"]


def test_published_values_stand_beside_the_conditions_and_levels_they_are_of():
    table = comparison(["gelu", "relu"], {"scale": (0.25, 0.3)})
    header, body = parsed(typesetting.markdown(sheet(table=table, setting=with_published())))
    assert [name for name in header if "published" in name] == ["relu: published (%)"]
    assert [row[header.index("relu: published (%)")] for row in body] == ["98.31", "\u2013"]


def test_published_accuracies_are_of_the_training_split_only():
    table = comparison(split="test")
    assert "published" not in typesetting.markdown(sheet(table=table, setting=with_published()))
    assert sheet(table=table).title.startswith("Test accuracy")


def test_kinds_without_a_published_table_have_no_published_column():
    table = comparison(levels={"clip_activation": (0.3, 1.0)})
    found = typesetting.comparison_sheet(table, with_published(), "clip_activation", "corrected")
    assert not [name for name in found.table if name.startswith("published")]
    assert "clipping after the activation" in found.title


def test_one_more_column_keeps_published_values_to_a_condition():
    both = pd.concat([comparison(input_scaling=each) for each in ("raw", "standardized")])
    values = published.oursland2024(DIRECTORY).assign(input_scaling="raw")
    setting = Setting(("activation", "input_scaling"), "MNIST", None, values)
    header, _ = parsed(typesetting.markdown(sheet(table=both, setting=setting)))
    assert [name for name in header if "published" in name] == [
        *("abs, raw: published (%)", "relu, raw: published (%)"),
    ]


def test_published_values_need_a_factor_that_tells_them_apart():
    table = comparison(["relu"], width=128)
    setting = Setting(("width",), "MNIST", None, published.oursland2024(DIRECTORY))
    with pytest.raises(DataError, match="add activation to the factors"):
        sheet(table=table, setting=setting)


def test_numbers_need_the_name_of_their_factor():
    table = comparison(["relu"], width_per_layer=128)
    setting = Setting(("activation", "width_per_layer"), "MNIST")
    header, _ = parsed(typesetting.markdown(sheet(table=table, setting=setting)))
    assert header[1] == "relu, width per layer 128: accuracy (%)"


def test_title_and_note_say_what_was_tested():
    published_one, corrected = sheet("clip", "as_published"), sheet("clip")
    assert published_one.title == (
        "Training accuracy under clipping, tests as published: MNIST, 20 seeds, 5000 epochs"
    )
    assert "against 32.7%" in published_one.note
    assert "against -22%" in sheet("offset", "as_published").note
    assert "corrected tests" in corrected.title
    assert "against the unperturbed networks" in corrected.note
    # Three scales, two clips, three offsets, two conditions.
    assert "for the 16 tests" in corrected.note
    for text in (typesetting.markdown(corrected), typesetting.latex(corrected, "x")):
        assert corrected.title in text
        assert corrected.note in text.replace(r"\%", "%")
    assert typesetting.markdown(corrected).startswith("## Training accuracy")


def test_titles_count_seeds_and_leave_out_unknown_epochs():
    table = comparison()
    table.loc[table["activation"] == "abs", "n"] = 18
    title = sheet(table=table, setting=Setting(("activation",), "MNIST")).title
    assert title.endswith(": MNIST, 18 to 20 seeds")
    assert sheet(table=comparison(n=1)).title.endswith("MNIST, 1 seed, 5000 epochs")


def test_a_baseline_table_has_a_row_per_condition_with_the_published_spread():
    header, body = parsed(
        typesetting.markdown(typesetting.baseline_sheet(baseline(), with_published()))
    )
    assert header == [
        *("condition", "training accuracy (%)", "published training accuracy (%)"),
        *("test accuracy (%)", "published test accuracy (%)"),
        *("training loss", "published training loss", "dead units"),
    ]
    assert body[1] == [
        *("relu", "99.00 \u00b1 1.95", "98.33 \u00b1 0.15", "95.00 \u00b1 1.95"),
        *("95.61 \u00b1 0.14", "2.0000 \u00b1 0.0195", "0.0610 \u00b1 0.0044", "1.2"),
    ]


def test_a_baseline_table_in_latex_has_one_header_row():
    text = typesetting.latex(typesetting.baseline_sheet(baseline(), SETTING), "x")
    (header,), rows = set_in_latex(text)
    assert header == [
        *("condition", r"training accuracy (\%)", r"test accuracy (\%)"),
        *("training loss", "dead units"),
    ]
    assert rows[0] == [
        *("abs", r"$99.00 \pm 1.95$", r"$95.00 \pm 1.95$", r"$2.0000 \pm 0.0195$", "$1.2$"),
    ]


def test_a_mean_of_one_seed_has_no_spread():
    table = baseline().assign(train_accuracy_std_population=np.nan)
    _, body = parsed(typesetting.markdown(typesetting.baseline_sheet(table, SETTING)))
    assert body[0][1] == "99.00"


SPECIAL = r"50% a_b & c#d {e} $f ^~\ <g>"


def test_special_characters_are_escaped_in_latex():
    setting = Setting(("activation",), f"Data {SPECIAL}")
    table = comparison([SPECIAL, "relu"])
    text = typesetting.latex(sheet(table=table, setting=setting), "tab:50% of_it.scale")
    (groups, _), _ = set_in_latex(text)
    caption = re.search(r"\\caption{(.*)}\n\\label{(.*)}\n", text)
    assert unescaped(groups[1]) == unescaped(caption[1]) == set()
    assert "a\\_b" in groups[1]
    assert caption[2] == "tab:50--of-it.scale"
    rows = set_in_latex(
        typesetting.latex(typesetting.baseline_sheet(baseline([SPECIAL]), setting), "x")
    )[1]
    assert unescaped(rows[0][0]) == set()


def test_special_characters_do_not_break_markdown():
    table = comparison(["a|b*c*", "relu"])
    header, _ = parsed(typesetting.markdown(sheet(table=table)))
    assert header[1] == r"a\|b\*c\*: accuracy (%)"
    one = typesetting.baseline_sheet(baseline(["a|b", "relu"]), SETTING)
    assert parsed(typesetting.markdown(one))[1][0][0] == r"a\|b"


def test_a_sheet_without_rows_or_of_several_splits_is_refused():
    with pytest.raises(DataError, match=r"a table of rotation, corrected, .* got \[\]"):
        sheet("rotation")
    both = pd.concat([comparison(), comparison(split="test")])
    with pytest.raises(DataError, match=r"got \['train', 'test'\]"):
        sheet(table=both)


def test_missing_columns_are_refused():
    with pytest.raises(DataError, match=r"the comparison lacks the columns \['mean'\]"):
        sheet(table=comparison().drop(columns="mean"))
    with pytest.raises(DataError, match=r"the baseline lacks the columns \['activation'\]"):
        typesetting.baseline_sheet(baseline().drop(columns="activation"), SETTING)


def test_the_files_depend_on_the_kinds_alone():
    tests = {kind: significance.variants(kind) for kind in ("clip", "scale_per_unit")}
    assert layout.typeset_files("out/all", tests) == [
        *("out/all.baseline.csv", "out/all.baseline.md", "out/all.baseline.tex"),
        *("out/all.clip.as_published.csv", "out/all.clip.as_published.md"),
        *("out/all.clip.as_published.tex", "out/all.clip.corrected.csv"),
        *("out/all.clip.corrected.md", "out/all.clip.corrected.tex"),
        *("out/all.scale_per_unit.corrected.csv", "out/all.scale_per_unit.corrected.md"),
        "out/all.scale_per_unit.corrected.tex",
    ]


def test_all_files_are_written_and_no_others(tmp_path):
    kinds = ["scale", "clip", "offset", "scale_per_unit"]
    table = comparison(levels={**LEVELS, "scale_per_unit": (0.25,)})
    stem = tmp_path / "tables" / "all"
    written = typesetting.write_all(stem, baseline(), table, with_published(), kinds)
    tests = {kind: significance.variants(kind) for kind in kinds}
    assert [str(path) for path in written] == layout.typeset_files(str(stem), tests)
    assert sorted(stem.parent.iterdir()) == sorted(written)
    corrected = (stem.parent / "all.scale.corrected.md").read_text(encoding="utf-8")
    assert corrected == typesetting.markdown(sheet(table=table, setting=with_published()))
    text = (stem.parent / "all.scale_per_unit.corrected.tex").read_text(encoding="utf-8")
    assert r"\label{tab:all.scale-per-unit.corrected}" in text


def test_nothing_is_written_when_a_kind_was_not_compared(tmp_path):
    with pytest.raises(DataError, match="a table of rotation"):
        typesetting.write_all(
            tmp_path / "all", baseline(), comparison(), SETTING, ["scale", "rotation"]
        )
    assert list(tmp_path.iterdir()) == []


def test_csv_files_come_back_as_they_were_with_units_in_their_names(tmp_path):
    typesetting.write_all(tmp_path / "all", baseline(), comparison(), with_published(), ["scale"])
    read = pd.read_csv(tmp_path / "all.scale.as_published.csv")
    expected = sheet(variant="as_published", setting=with_published()).table
    pd.testing.assert_frame_equal(read, expected, rtol=1e-8, check_dtype=False)
    assert read.columns.tolist() == [
        *("activation", "split", "perturbation", "variant", "n", "nominal_percent"),
        *("level_percent", "reference_percent", "accuracy_percent", "accuracy_percent_std"),
        *("difference_percentage_points", "t_statistic", "p_value"),
        *("published_train_accuracy_percent", "published_t_statistic", "published_p_value"),
    ]
    first = read.iloc[0]
    assert first["level_percent"] == pytest.approx(1.01)
    assert first["reference_percent"] == pytest.approx(32.7454916)
    assert first[["accuracy_percent", "accuracy_percent_std"]].tolist() == [90, 1]
    assert first["published_p_value"] == 9.0e-13
    plain = pd.read_csv(tmp_path / "all.baseline.csv")
    expected = typesetting.baseline_sheet(baseline(), with_published()).table
    pd.testing.assert_frame_equal(plain, expected, rtol=1e-8, check_dtype=False)
    assert plain["published_test_accuracy_percent_std_population"].tolist() == [0.2, 0.14]


def test_tables_are_read_back_as_they_were_printed(tmp_path):
    kinds = ["scale", "clip", "offset"]
    paths = typesetting.write_all(tmp_path / "s", baseline(), comparison(), with_published(), kinds)
    files = [path for path in paths if path.suffix == ".csv"]
    found = typesetting.read(files, SETTING)
    assert len(found) == 1 + 2 * len(kinds)
    for path, (made, cells) in zip(files, found, strict=True):
        assert sheets.markdown(made, cells) == path.with_suffix(".md").read_text()
    assert sheets.heads(found[1][1])[:2] == ["level", "abs: accuracy (%)"]
    assert "abs: t" in sheets.heads(found[1][1]), "symbols are plain"


def test_a_table_without_the_factors_is_not_read(tmp_path):
    path = tmp_path / "s.baseline.csv"
    path.write_text("n\n5\n")
    with pytest.raises(DataError, match=r"baseline\.csv lacks the columns \['activation'\]"):
        typesetting.read([path], SETTING)
