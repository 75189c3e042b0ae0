import re

import numpy as np
import pandas as pd
import pytest
from figure_cases import (
    PUBLISHED,
    STYLE,
    drawn_axes,
    legend_texts,
    lines_of,
    point,
    published_points,
)
from matplotlib.colors import to_rgb

from neuralcodes.errors import DataError
from neuralcodes.figures import drawing, plotting
from neuralcodes.figures.marks import FigureSpec
from neuralcodes.papers import published
from neuralcodes.studies import tables

LEVELS = {
    "scale": (0.01, 0.1, 1.0, 10.0),
    "clip": (0.01, 0.1, 1.0, 10.0),
    "offset": (-2.0, -0.5, -0.1, -0.05, 0.05, 0.1, 1.0),
    "scale_per_unit": (0.1, 1.0),
}
EQUAL = {
    "equal_scale": (-0.5, -0.1, 0.1, 0.5),
    "equal_offset": (-0.5, -0.1, 0.1, 0.5),
    "equal_clip": (-0.5, -0.1),
    "equal_scale_per_unit": (0.1, 0.5),
}
ACCURACIES = (("train_accuracy", "train"), ("test_accuracy", "test"))
CODES = (
    ("flipped_bits", "train"),
    ("flipped_bits", "test"),
    ("redundancy_ratio", "train"),
    ("redundancy_ratio", "test"),
    ("knn_accuracy", "test"),
    ("knn_accuracy_unperturbed_train", "test"),
)
TRAINING = (("train_accuracy", "train"), ("train_loss", "train"))


def table_of(rows, seeds=3):
    generator = np.random.default_rng(7)
    common = {"study": "s", "dataset": "mnist", "run": "r", **point(128)}
    return pd.DataFrame(
        {**common, **row, "seed": seed, "value": generator.uniform(0.4, 0.9)}
        for row in rows
        for seed in range(seeds)
    )


def perturbed(levels=LEVELS, series=ACCURACIES, activations=("abs", "relu"), **factors):
    both = [("none", 0.0), *((kind, p) for kind, values in levels.items() for p in values)]
    rows = [
        {"activation": activation, "perturbation": kind, "level": p, "split": split}
        | {"metric": metric, **factors}
        for activation in activations
        for kind, p in both
        for metric, split in series
    ]
    return tables.summarize(table_of(rows))


def history(epochs=(1, 10, 5000), **factors):
    rows = [
        {"activation": activation, "epoch": str(epoch), "split": split, "metric": metric}
        | {"perturbation": None, "level": np.nan, **factors}
        for activation in ("relu", "abs")
        for epoch in epochs
        for metric, split in TRAINING
    ]
    return tables.summarize(table_of(rows))


def values_of(summary, **where):
    """Means by level of the rows that have all these values."""
    for name, value in where.items():
        summary = summary[summary[name] == value]
    return dict(zip(summary["level"], summary["mean"], strict=True))


def drawn_by(line):
    return dict(zip(line.get_xdata().tolist(), line.get_ydata().tolist(), strict=True))


def printed():
    return pd.read_csv(PUBLISHED / "oursland2024.csv")


def panels_of(figure):
    return {axes.get_title(): axes for axes in drawn_axes(figure)}


def test_a_line_of_perturbations_is_the_summary_means_with_the_unperturbed_network():
    summary = perturbed()
    panels = panels_of(plotting.draw(FigureSpec("perturbations"), summary))
    assert list(panels) == ["scale", "clip", "offset", "offset, near zero"]
    for title, kind in (("clip", "clip"), ("offset", "offset")):
        train, test = lines_of(panels[title], "Abs")
        for line, split in ((train, "train"), (test, "test")):
            where = {"activation": "abs", "split": split}
            expected = values_of(summary, perturbation=kind, **where)
            if kind == "offset":
                expected[0.0] = values_of(summary, perturbation="none", **where)[0.0]
            assert drawn_by(line) == expected


def test_clipping_has_no_level_at_which_all_inputs_are_left_as_they_are():
    summary = perturbed()
    summary = summary[(summary["perturbation"] != "clip") | (summary["level"] != 1)]
    panels = panels_of(plotting.draw(FigureSpec("perturbations"), summary))
    assert 1 not in lines_of(panels["clip"], "ReLU")[0].get_xdata()


def test_the_panel_near_zero_holds_the_small_offsets_only():
    panels = panels_of(plotting.draw(FigureSpec("perturbations"), perturbed()))
    (line, _) = lines_of(panels["offset, near zero"], "ReLU")
    assert line.get_xdata().tolist() == [-0.1, -0.05, 0, 0.05, 0.1]
    few = {"offset": (-1.0, -0.05, 1.0)}
    assert list(panels_of(plotting.draw(FigureSpec("perturbations"), perturbed(few)))) == ["offset"]


def test_levels_of_scales_are_logarithmic_and_axes_say_their_unit():
    panels = panels_of(plotting.draw(FigureSpec("perturbations"), perturbed()))
    assert [axes.get_xscale() for axes in panels.values()] == ["log", "log", "linear", "linear"]
    assert [axes.get_xlabel() for axes in panels.values()] == [
        "Scale (factor)",
        "Clip (fraction of the unit's range)",
        *["Offset (fraction of the unit's range)"] * 2,
    ]
    assert [axes.get_title(loc="left") for axes in panels.values()] == list("abcd")


def test_splits_are_line_styles_and_both_are_in_the_legend():
    figure = plotting.draw(FigureSpec("perturbations"), perturbed())
    lines = lines_of(panels_of(figure)["scale"], "ReLU")
    assert [line.get_linestyle() for line in lines] == ["-", "--"]
    assert legend_texts(figure) == [
        *("ReLU", "Abs", "train", "test"),
        *("95% interval of the mean", "unperturbed level", "chance"),
    ]


def test_one_split_is_named_on_the_axis_and_drawn_solid():
    summary = perturbed()
    figure = plotting.draw(FigureSpec("perturbations", options={"split": "test"}), summary)
    axes = panels_of(figure)["scale"]
    (line,) = lines_of(axes, "ReLU")
    assert (axes.get_ylabel(), line.get_linestyle()) == ("Test accuracy", "-")
    where = {"perturbation": "scale", "activation": "relu", "split": "test"}
    assert drawn_by(line) == values_of(summary, **where)


def test_variants_are_line_styles_of_the_training_accuracy_and_raw_inputs_are_solid():
    parts = {name: perturbed(input_scaling=name) for name in ("standardized", "raw")}
    parts["raw"]["mean"] -= 0.1
    spec = FigureSpec("perturbations", variant="input_scaling")
    figure = plotting.draw(spec, pd.concat(parts.values()))
    axes = panels_of(figure)["clip"]
    raw, standardized = lines_of(axes, "Abs")
    where = {"perturbation": "clip", "activation": "abs", "split": "train"}
    assert drawn_by(raw) == values_of(parts["raw"], **where)
    assert drawn_by(standardized) == values_of(parts["standardized"], **where)
    assert [line.get_linestyle() for line in (raw, standardized)] == ["-", "--"]
    assert axes.get_ylabel() == "Training accuracy"
    assert {"input scaling: raw", "input scaling: standardized"} <= set(legend_texts(figure))


def test_bands_of_perturbations_are_the_t_intervals():
    summary = perturbed({"scale": LEVELS["scale"]}, activations=("relu",))
    spec = FigureSpec("perturbations", options={"split": "train"})
    (axes,) = drawn_axes(plotting.draw(spec, summary))
    (band,) = axes.collections
    rows = summary[(summary["perturbation"] == "scale") & (summary["split"] == "train")]
    heights = band.get_paths()[0].vertices[:, 1]
    assert heights.min() == pytest.approx(rows["low"].min())
    assert heights.max() == pytest.approx(rows["high"].max())


def test_published_percentages_are_drawn_as_fractions_beside_their_activation():
    panels = panels_of(plotting.draw(FigureSpec("perturbations"), perturbed(), printed()))
    table = printed()
    table = table[(table["metric"] == "train_accuracy") & (table["perturbation"] == "clip")]
    containers = panels["clip"].containers
    for name, activation, container in zip(
        ("ReLU", "Abs"), ("relu", "abs"), containers, strict=True
    ):
        rows = table[table["activation"] == activation]
        xs, ys = container.lines[0].get_data()
        assert xs.tolist() == rows["level"].tolist()
        assert ys.tolist() == pytest.approx((rows["value"] / 100).tolist())
        ours = lines_of(panels["clip"], name)[0]
        theirs = container.lines[0]
        assert to_rgb(theirs.get_color()) == to_rgb(ours.get_color())
        assert theirs.get_markerfacecolor() == "none"
        # Open markers are the published ones only where ours has none.
        assert ours.get_marker() in ("", "None")


def test_published_values_are_in_view_where_ours_are_constant():
    summary = perturbed()
    summary[["mean", "low", "high"]] = 0.98
    axes = panels_of(plotting.draw(FigureSpec("perturbations"), summary, printed()))
    near = axes["offset, near zero"]
    low, high = near.get_ylim()
    assert all(low < y < high for points in published_points(near) for _, y in points)


def test_each_published_offset_is_drawn_once():
    panels = panels_of(plotting.draw(FigureSpec("perturbations"), perturbed(), printed()))
    far, near = (
        [x for x, _ in published_points(panels[title])[0]]
        for title in ("offset", "offset, near zero")
    )
    assert near == [-0.1, -0.05, -0.03, -0.02, -0.01, 0, 0.01, 0.02, 0.03, 0.05, 0.1]
    assert far == [-2, -1, -0.75, -0.5, -0.25, 0.25, 0.5, 0.75, 1]


def test_published_values_of_other_activations_or_of_the_test_set_are_not_drawn():
    summary = perturbed(activations=("tanh", "relu"))
    figure = plotting.draw(FigureSpec("perturbations"), summary, printed())
    assert all(len(published_points(axes)) == 1 for axes in drawn_axes(figure))
    assert [text for text in legend_texts(figure) if "published" in text] == ["ReLU, published"]
    spec = FigureSpec("perturbations", options={"split": "test"})
    figure = plotting.draw(spec, summary, printed())
    assert not any(published_points(axes) for axes in drawn_axes(figure))


def guides(axes):
    return [
        (line.get_xdata()[0], line.get_ydata()[0])
        for line in axes.lines
        if line.get_label() == "_guide"
    ]


def test_thin_lines_mark_the_unperturbed_level_and_chance():
    summary = perturbed()
    panels = panels_of(plotting.draw(FigureSpec("perturbations"), summary))
    assert guides(panels["scale"]) == [(1, 0), (0, 0.1)]
    assert guides(panels["offset, near zero"]) == [(0, 0)]
    kinds = FigureSpec("perturbations", options={"kinds": ("scale_per_unit",), "chance": 0.25})
    (axes,) = drawn_axes(plotting.draw(kinds, summary))
    assert guides(axes) == [(0, 0.25)]
    figure = plotting.draw(FigureSpec("perturbations"), summary.assign(dataset="letters"))
    assert "chance" not in legend_texts(figure)


def test_the_kinds_of_a_figure_are_those_it_names():
    spec = FigureSpec("perturbations", options={"kinds": ["scale_per_unit", "scale"]})
    titles = [axes.get_title() for axes in drawn_axes(plotting.draw(spec, perturbed()))]
    assert titles == ["random scale per unit", "scale"]


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        (lambda s: s.drop(columns="level"), {}, r"lacks the columns \['level'\]"),
        (lambda s: s.drop(columns="activation"), {}, r"lacks the columns \['activation'\]"),
        (lambda s: s[s["metric"] == "none"], {}, "no row of the summary is left"),
        (lambda s: s.assign(metric="code_length"), {}, r"measured none of \[\('train_accuracy'"),
        (lambda s: s, {"kinds": ["clip_activation"]}, r"perturbations \['clip_activation'\]"),
        (lambda s: s[s["perturbation"] == "none"], {}, r"'offset'\]; it did under \[\]"),
        (
            lambda s: pd.concat([s.assign(dropout=d) for d in (0.0, 0.5)]),
            {},
            r"differ in \['dropout'\]",
        ),
    ],
    ids=["level", "activation", "rows", "metric", "kind", "kinds", "mixture"],
)
def test_perturbations_that_cannot_be_drawn_are_refused(change, options, message):
    with pytest.raises(DataError, match=message):
        plotting.draw(FigureSpec("perturbations", options=options), change(perturbed()))


@pytest.mark.parametrize("kind", ["perturbations", "equal_change"])
def test_a_split_that_does_not_exist_is_refused(kind):
    with pytest.raises(ValueError, match="option split must be one of"):
        plotting.draw(FigureSpec(kind, options={"split": "dev"}), perturbed(EQUAL | LEVELS))


def test_changes_of_equal_size_have_a_panel_per_activation_and_a_line_per_kind():
    summary = perturbed(EQUAL)
    panels = panels_of(plotting.draw(FigureSpec("equal_change"), summary))
    assert list(panels) == ["ReLU", "Abs"]
    axes = panels["Abs"]
    assert axes.get_xscale() == "log"
    assert axes.get_xlabel() == "Change of the hidden vector (relative RMS)"
    assert panels["ReLU"].get_ylabel() == "Training accuracy"
    rows = summary[(summary["activation"] == "abs") & (summary["split"] == "train")]
    for kind, ways in (("equal_offset", (1, -1)), ("equal_clip", (-1,))):
        lines = lines_of(axes, kind)
        for line, way in zip(lines, ways, strict=True):
            signed = values_of(rows[np.sign(rows["level"]) == way], perturbation=kind)
            assert drawn_by(line) == {abs(p): mean for p, mean in signed.items()}
    styles = [line.get_linestyle() for line in lines_of(axes, "equal_offset")]
    assert styles == ["-", "--"]
    (unperturbed,) = guides(axes)
    assert unperturbed[1] == values_of(rows, perturbation="none")[0.0]


def test_changes_of_equal_size_have_a_row_per_variant():
    parts = [perturbed(EQUAL, input_scaling=name) for name in ("standardized", "raw")]
    spec = FigureSpec("equal_change", variant="input_scaling", options={"split": "test"})
    figure = plotting.draw(spec, pd.concat(parts))
    assert list(panels_of(figure)) == [
        "ReLU, input scaling: raw",
        "Abs, input scaling: raw",
        "ReLU, input scaling: standardized",
        "Abs, input scaling: standardized",
    ]
    assert drawn_axes(figure)[0].get_ylabel() == "Test accuracy"


def test_the_legend_of_equal_changes_names_kinds_and_directions():
    figure = plotting.draw(FigureSpec("equal_change"), perturbed(EQUAL))
    assert legend_texts(figure) == [
        *("scale", "offset", "clip", "random scale per unit"),
        *("scale or offset up", "scale or offset down"),
        *("95% interval of the mean", "unperturbed"),
    ]


def test_changes_of_equal_size_that_cannot_be_drawn_are_refused():
    with pytest.raises(DataError, match="train_accuracy under none of the perturbations"):
        plotting.draw(FigureSpec("equal_change"), perturbed())
    mixed = pd.concat([perturbed(EQUAL, dropout=d) for d in (0.0, 0.5)])
    with pytest.raises(DataError, match=r"differ in \['dropout'\]"):
        plotting.draw(FigureSpec("equal_change"), mixed)


def test_perturbed_codes_have_a_column_per_measure_and_a_row_per_view():
    summary = perturbed(series=CODES)
    axes = drawn_axes(plotting.draw(FigureSpec("perturbed_codes"), summary))
    assert [(each.get_ylabel(), each.get_title()) for each in axes] == [
        (label, title)
        for title in ("offset", "offset, near zero")
        for label in ("Flipped bits (share)", "Redundancy ratio", "K-NN accuracy")
    ]
    assert [each.get_title(loc="left") for each in axes] == list("abcdef")
    for line, (metric, split), style in (
        (lines_of(axes[1], "ReLU")[0], ("redundancy_ratio", "train"), "-"),
        (lines_of(axes[1], "ReLU")[1], ("redundancy_ratio", "test"), "--"),
        (lines_of(axes[2], "ReLU")[0], ("knn_accuracy", "test"), "--"),
        (lines_of(axes[2], "ReLU")[1], ("knn_accuracy_unperturbed_train", "test"), ":"),
    ):
        where = {"activation": "relu", "metric": metric, "split": split}
        expected = values_of(summary, perturbation="offset", **where)
        expected[0.0] = values_of(summary, perturbation="none", **where)[0.0]
        assert drawn_by(line) == expected
        assert line.get_linestyle() == style


@pytest.mark.parametrize("kind", ["perturbations", "perturbed_codes"])
def test_all_levels_are_drawn_on_one_vertical_axis_and_those_near_zero_on_their_own(kind):
    summary = perturbed(series=(*ACCURACIES, *CODES))
    summary[["mean", "low", "high"]] = 0.5
    spec = FigureSpec(kind, options={"kinds": ["offset", "scale"]})
    axes = drawn_axes(plotting.draw(spec, summary))
    near = [each for each in axes if each.get_title() == "offset, near zero"]
    assert {each.get_ylim() for each in axes if each not in near} == {(-0.02, 1.05)}
    # Even if nothing changes at all, an axis does not blow up the noise.
    assert [each.get_ylim() for each in near] == [pytest.approx((0.48, 0.52))] * len(near)


def test_the_legend_of_perturbed_codes_tells_what_is_perturbed():
    figure = plotting.draw(FigureSpec("perturbed_codes"), perturbed(series=CODES))
    assert legend_texts(figure)[2:5] == ["train", "test", "test, train codes unperturbed"]


def test_variants_of_perturbed_codes_are_rows():
    parts = [perturbed(series=CODES, input_scaling=name) for name in ("standardized", "raw")]
    parts[1]["mean"] -= 0.1
    spec = FigureSpec("perturbed_codes", variant="input_scaling", options={"kinds": ["clip"]})
    axes = drawn_axes(plotting.draw(spec, pd.concat(parts)))
    titles = [each.get_title() for each in axes[::3]]
    assert titles == ["clip, input scaling: raw", "clip, input scaling: standardized"]
    where = {"activation": "abs", "metric": "flipped_bits", "split": "train"}
    expected = values_of(parts[1], perturbation="clip", **where)
    assert drawn_by(lines_of(axes[0], "Abs")[0]) == expected


def test_measures_that_are_missing_have_no_column_and_all_missing_is_an_error():
    figure = plotting.draw(FigureSpec("perturbed_codes"), perturbed(series=CODES[:2]))
    assert {axes.get_ylabel() for axes in drawn_axes(figure)} == {"Flipped bits (share)"}
    with pytest.raises(DataError, match=r"measured none of \[\('flipped_bits', 'train'\)"):
        plotting.draw(FigureSpec("perturbed_codes"), perturbed())


def test_training_is_drawn_as_error_and_loss_without_markers():
    epochs = tuple(range(1, 60))
    summary = history(epochs)
    error, loss = drawn_axes(plotting.draw(FigureSpec("training"), summary))
    for axes, metric in ((error, "train_accuracy"), (loss, "train_loss")):
        (line,) = lines_of(axes, "Abs")
        rows = summary[(summary["metric"] == metric) & (summary["activation"] == "abs")]
        means = rows.astype({"epoch": int}).sort_values("epoch")["mean"]
        expected = 1 - means if metric == "train_accuracy" else means
        assert line.get_ydata().tolist() == expected.tolist()
        assert line.get_xdata().tolist() == list(epochs)
        assert line.get_marker() in ("", "None")
        assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    assert error.get_ylabel() == "Training error (1 \u2212 accuracy)"
    assert loss.get_ylabel() == "Training loss (cross-entropy)"


def test_the_band_of_the_training_error_is_mirrored():
    summary = history()
    error, _ = drawn_axes(plotting.draw(FigureSpec("training"), summary))
    rows = summary[(summary["metric"] == "train_accuracy") & (summary["activation"] == "relu")]
    heights = error.collections[0].get_paths()[0].vertices[:, 1]
    assert heights.min() == pytest.approx((1 - rows["high"]).min())
    assert heights.max() == pytest.approx((1 - rows["low"]).max())


def test_training_without_error_leaves_the_view_at_the_smallest_error_above_zero():
    summary = history()
    perfect = (summary["metric"] == "train_accuracy") & (summary["epoch"] == "5000")
    summary.loc[perfect, ["mean", "low", "high"]] = 1.0
    error, _ = drawn_axes(plotting.draw(FigureSpec("training"), summary))
    least = (1 - summary.loc[summary["metric"] == "train_accuracy", "mean"]).replace(0, 1).min()
    assert error.get_ylim()[0] == pytest.approx(least / 2)


def test_training_compares_its_end_with_the_published_one_if_it_is_as_long():
    table = printed()
    table = table[(table["perturbation"] == "none") & (table["activation"] == "abs")]
    table = table.set_index("metric")["value"]
    error, loss = drawn_axes(plotting.draw(FigureSpec("training"), history(), printed()))
    assert published_points(error)[1] == [(5000, pytest.approx(1 - table["train_accuracy"] / 100))]
    assert published_points(loss)[1] == [(5000, table["loss"])]
    short = plotting.draw(FigureSpec("training"), history((1, 10)), printed())
    assert not any(published_points(axes) for axes in drawn_axes(short))


def test_training_shows_variants_as_line_styles_and_no_perturbed_network():
    parts = [history(input_scaling=name) for name in ("standardized", "raw")]
    after = perturbed(input_scaling="raw").assign(epoch="10")
    spec = FigureSpec("training", variant="input_scaling")
    error, _ = drawn_axes(plotting.draw(spec, pd.concat([*parts, after])))
    raw, standardized = lines_of(error, "ReLU")
    assert (raw.get_linestyle(), standardized.get_linestyle()) == ("-", "--")
    assert len(raw.get_xdata()) == len(standardized.get_xdata()) == 3


def test_training_that_cannot_be_drawn_is_refused():
    with pytest.raises(DataError, match="no row of the summary is left"):
        plotting.draw(FigureSpec("training"), perturbed())
    with pytest.raises(DataError, match=r"differ in \['dropout'\]"):
        plotting.draw(FigureSpec("training"), pd.concat([history(dropout=d) for d in (0.0, 0.5)]))
    with pytest.raises(DataError, match=re.escape("measured none of [('train_accuracy', 'train')")):
        plotting.draw(FigureSpec("training"), history().assign(split="test"))


SETTINGS = {
    "kind": "perturbations",
    **dict.fromkeys(("x", "line", "variant", "scale", "published")),
    "where": {},
    "regimes": {},
}


def test_settings_of_a_study_choose_the_kinds():
    spec = drawing.spec_of("t", {**SETTINGS, "kinds": ["clip", "scale"]}, ["activation"])
    assert spec.options == {"kinds": ("clip", "scale")}
    assert drawing.spec_of("t", {**SETTINGS, "kinds": None}, ["activation"]).options == {}
    curves = {**SETTINGS, "kind": "training", "kinds": ["clip"]}
    assert drawing.spec_of("t", curves, ["activation"]).options == {}


def test_a_study_is_drawn_over_the_published_perturbations(tmp_path, monkeypatch):
    asked = []

    def oursland2024(directory):
        asked.append(directory)
        return printed()

    monkeypatch.setattr(published, "oursland2024", oursland2024, raising=False)
    tables.write(perturbed(), tmp_path / "summary.csv")
    figure = {**SETTINGS, "published": {"figure": "perturbation", "dataset": "mnist"}}
    values = [str(PUBLISHED / "oursland2024.csv")]
    stem = tmp_path / "figure"
    drawing.draw_study(tmp_path / "summary.csv", "t", figure, [], values, STYLE, stem)
    assert asked == [PUBLISHED]
    assert all(stem.with_suffix(f".{kind}").stat().st_size > 0 for kind in plotting.FORMATS)
