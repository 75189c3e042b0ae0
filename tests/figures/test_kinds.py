"""What holds for every kind of figure."""

import re
import subprocess
import sys

import numpy as np
import pytest
from chart_cases import CASES, case, chart_of, summarized
from figure_cases import drawn_axes, legend_texts

from neuralcodes.figures import headlines, kinds, marks, numbers, static
from neuralcodes.figures.declaration import Asked, FigureKind

KINDS = list(CASES)


def curves_of(chart):
    return [(panel, curve) for panel in chart.each_panel() for curve in panel.curves]


def test_there_is_a_case_of_every_kind():
    assert set(KINDS) == set(kinds.names())


@pytest.mark.parametrize("kind", KINDS)
def test_every_point_is_that_of_its_row_in_the_summary(kind):
    chart, summary = case(kind)
    assert chart.kind == kind
    seen = 0
    for panel, curve in curves_of(chart):
        measured = curve.rows >= 0
        rows = summary.loc[curve.rows[measured]]
        seen += len(rows)
        expected = 1 - rows["mean"] if curve.mirrored else rows["mean"]
        known = np.isfinite(curve.y[measured])
        assert curve.y[measured][known] == pytest.approx(expected[known.tolist()])
        assert curve.n[measured].tolist() == rows["n"].tolist()
        assert set(rows["metric"]) <= {curve.metric} and set(rows["split"]) <= {curve.split}
        ends = ("high", "low") if curve.mirrored else ("low", "high")
        for own, name in zip((curve.low, curve.high), ends, strict=True):
            shown = np.isfinite(own[measured])
            there = rows[name].to_numpy()[shown]
            assert own[measured][shown] == pytest.approx(1 - there if curve.mirrored else there)
        # Layers count from 1, sizes of changes have no sign, the unperturbed network stands aside.
        factor = panel.x.factor
        if factor in rows and kind not in ("layers", "equal_change"):
            own = rows["perturbation"] != "none" if factor == "level" else rows["n"] > 0
            places = panel.x.place(rows.loc[own, factor].astype(float))
            assert curve.x[measured][own] == pytest.approx(places)
    for panel in chart.each_panel():
        if panel.heat is not None and isinstance(panel.heat.colormap, str):
            filled = panel.heat.rows >= 0
            rows = summary.loc[panel.heat.rows[filled]]
            assert panel.heat.values[filled] == pytest.approx(rows["mean"])
            seen += len(rows)
    assert seen or kind == "recipe_recovery"


def texts_of(chart):
    """All that a Chart holds, as numbers in the words of a headline, and as labels."""
    values = [1e99]
    labels = [chart.title]
    for panel in chart.each_panel():
        labels += [panel.title, panel.note, panel.y.label, panel.x.label, *panel.x.labels]
        for curve in panel.curves:
            values += [*curve.y, *curve.x, *(panel.x.value(x) for x in curve.x)]
            labels += [curve.label, marks.metric_label(curve.metric)]
        values += [value for theirs in panel.published for value in theirs.value]
        if panel.heat is not None:
            values += panel.heat.values.ravel().tolist()
            labels += panel.heat.vertical.labels
            values += [
                panel.heat.values.size,
                *map(int, np.unique(panel.heat.groups, return_counts=True)[1]),
            ]
            values += [0]
    if chart.kind == "recipe_recovery":
        values += np.sum([c.y for _, c in curves_of(chart)], axis=0).tolist()
    numeric = [v for v in values if isinstance(v, (int, float, np.number)) and np.isfinite(v)]
    told = {headlines.number(value) for value in numeric}
    return told | {marks.value_label(value) for value in numeric}, " ".join(labels)


@pytest.mark.parametrize("kind", KINDS)
def test_the_headline_is_one_short_sentence_whose_numbers_are_in_the_chart(kind):
    chart, _ = case(kind)
    headline = chart.headline
    assert 20 < len(headline) <= headlines.LONGEST
    assert headline.endswith(".") and headline[0].isupper()
    told, labels = texts_of(chart)
    plain = {text.lstrip("\u2212") for text in told}
    found = re.findall(r"\d+(?:[.\u2009]\d+)*(?:e[\u2212-]?\d+)?", headline)
    assert found
    for number in found:
        assert number in plain or number in labels, f"{number} of {headline!r}"
    assert not re.search(r"unchanged|nowhere|the same|not change|no difference", headline)


@pytest.mark.parametrize("kind", KINDS)
def test_legends_name_what_is_drawn(kind):
    chart, _ = case(kind)
    entries = [entry.label for legend in chart.legends for entry in legend.entries]
    for panel, curve in curves_of(chart):
        assert curve.label
        for name in curve.entries:
            assert name in entries or name == panel.title or len(panel.curves) == 1
        assert all(values.label in {c.label for c in panel.curves} for values in panel.published)


# Kinds that together have every mark, heat maps and bands; all others are drawn below.
EVERY_MARK = (
    *("curves", "one_at_a_time", "recipe_recovery", "phase_chart", "preactivations"),
    *("manifold_distances", "manifold_embedding"),
)


@pytest.mark.parametrize("kind", EVERY_MARK)
def test_figures_are_written_in_three_formats_and_the_same_bytes_every_time(kind, tmp_path):
    chart, _ = case(kind)
    first = static.save(static.draw(chart), tmp_path / "a" / "v1.2")
    again = static.save(static.draw(case(kind)[0]), tmp_path / "b" / "v1.2")
    assert [path.name for path in first] == ["v1.2.pdf", "v1.2.png", "v1.2.svg"]
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in again]


@pytest.mark.parametrize("kind", KINDS)
def test_every_panel_is_drawn_with_its_title_and_its_quantity(kind):
    chart, _ = case(kind)
    figure = static.draw(chart)
    panels = list(chart.each_panel())
    axes = drawn_axes(figure)
    assert [each.get_title() for each in axes] == [panel.title for panel in panels]
    told = {each.get_ylabel() for each in axes} | {each.get_xlabel() for each in axes}
    assert {panel.y.label for panel in panels} <= told
    entries = {entry.label for legend in chart.legends for entry in legend.entries}
    assert entries <= set(legend_texts(figure))


@pytest.mark.parametrize("kind", KINDS)
def test_the_table_of_numbers_is_that_of_the_chart(kind):
    chart, _ = case(kind)
    table = numbers.table(chart, most=10_000)
    values = [y for _, curve in curves_of(chart) for y in curve.y if np.isfinite(y)]
    values += [
        value
        for panel in chart.each_panel()
        if panel.heat is not None
        for value in panel.heat.values.ravel()
        if np.isfinite(value)
    ]
    assert [number.mean for number in table] == pytest.approx(values)
    short = numbers.table(chart, most=12)
    assert len(short) <= max(12, 4 * sum(len(p.curves) or 1 for p in chart.each_panel()))
    assert {str(number) for number in short} <= {str(number) for number in table}


@pytest.mark.parametrize("kind", KINDS)
def test_one_seed_has_no_interval(kind):
    chart, _ = case(kind, seeds=(0.0,))
    assert all(np.isnan(curve.low).all() for _, curve in curves_of(chart))
    entries = [entry.label for legend in chart.legends for entry in legend.entries]
    assert "95% interval of the mean" not in entries


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_says_what_it_asks_and_how_to_read_it(kind):
    declared = kinds.get(kind)
    figure = {"kind": kind, "x": "manifolds", "line": None, "variant": None}
    question = kinds.question("he2021", figure, ("width",), "MNIST")
    assert question[0].isupper() and question.endswith("?") and "MNIST" in question
    reading = declared.how_to_read(published=False)
    assert reading.endswith(".")
    assert "published values" not in reading or kind == "recipe_recovery"
    assert declared.description.endswith(".")
    assert all(option.description.endswith(".") for option in declared.options.values())


@pytest.mark.parametrize(
    ("paper", "figure", "factors", "text"),
    [
        (
            "he2021",
            {"kind": "curves", "x": "epoch", "line": "width", "variant": "schedule"},
            ("width", "schedule"),
            "How do the redundancy of neural codes and the accuracy of classifiers on them change "
            "with the training time on MNIST, and does that depend on the width of the network and "
            "the learning rate's schedule?",
        ),
        (
            "oursland2024",
            {"kind": "perturbations", "kinds": ["scale", "clip", "scale_per_unit"]},
            ("activation",),
            "Does a network trained on MNIST still answer correctly when its pre-activations are "
            "scaled or clipped, or when each unit is scaled by a random factor of its own, and "
            "does that depend on the activation?",
        ),
        (
            "dikkala2021",
            {"kind": "retrieval", "x": "hash_width"},
            ("hash_width",),
            "How well, how fast and in how little space do codes find points of the same manifold "
            "among unseen manifolds of MNIST, and how does that change with the width of the hash "
            "layer?",
        ),
    ],
)
def test_questions_name_the_factors_that_are_shown(paper, figure, factors, text):
    assert kinds.question(paper, figure, factors, "MNIST") == text


def test_a_kind_that_is_not_there_is_named_with_those_that_are():
    with pytest.raises(ValueError, match=r"no figure kind 'pie'; there are \['curves'"):
        kinds.get("pie")


def test_two_kinds_cannot_have_one_name():
    other = FigureKind("curves", "Other.", "codes", lambda *_: None, lambda _: "", "Read.")
    with pytest.raises(ValueError, match="a figure kind 'curves' already"):
        kinds.register(other)


def test_declarations_are_light_and_drawing_imports_no_pyplot():
    for module, heavy in (
        ("kinds", {"pandas", "matplotlib", "scipy", "torch"}),
        ("drawing", {"torch", "snakemake", "matplotlib.pyplot", "sklearn"}),
    ):
        code = (
            f"import sys; import neuralcodes.figures.{module};"
            f"found = {heavy} & set(sys.modules); sys.exit(str(found) if found else 0)"
        )
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def test_settings_become_what_a_kind_takes():
    figure = {"kind": "training", "line": None, "variant": "recipe", "scale": "log", "kinds": ["a"]}
    spec = kinds.get("training").spec("T", {**figure, "where": {"width": 4}}, ("activation",))
    assert (spec.title, spec.x, spec.line, spec.variant) == ("T", None, "activation", "recipe")
    assert (spec.scale, spec.where, spec.factors) == ("log", {"width": 4}, ("activation",))
    assert spec.options == {}


def test_unseen_manifolds_are_named_after_their_dataset():
    def asked(dataset):
        return Asked("", "", "", (), (), dataset, "", {})

    assert asked("synthetic manifolds").unseen == "unseen synthetic manifolds"
    assert asked("MNIST").unseen == "unseen manifolds of MNIST"


def test_a_headline_too_long_is_cut_between_clauses_and_a_clause_between_words():
    assert headlines.sentence(["a" * 200, "b" * 100]) == f"A{'a' * 199}."
    assert headlines.sentence([" ".join(["word"] * 60)]).endswith("word\u2026.")


def test_a_headline_tells_what_is_published_at_the_ends():
    chart, _ = case("curves")
    assert chart.headline.startswith(
        "Redundancy (test) falls from 0.80 at width 10 to 0 at width 80; K-NN accuracy (test)"
    )
    settings, _, rows, published = CASES["curves"]
    chart = chart_of("curves", summarized(rows[:6]), published, **settings)
    assert "to 0 at width 40 (published: 0.80 and 0.10)" in chart.headline
