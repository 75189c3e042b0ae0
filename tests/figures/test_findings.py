import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from finding_cases import (
    CASES,
    CODES,
    PUBLISHED_WIDTHS,
    WIDTHS,
    case,
    epochs,
    manifolds,
    perturbed,
    regions,
    summarized,
    training,
    widths,
)

from neuralcodes.errors import DataError
from neuralcodes.figures import findings, plotting
from neuralcodes.figures.marks import FigureSpec

WIDTH = FigureSpec("curves", x="width_per_layer")
TIME = FigureSpec("curves", x="epoch", line="width_per_layer", variant="schedule")
FIRST = {
    "curves": "Test redundancy falls from 0.80 at width 10 to 0 at width 80; K-NN accuracy rises "
    "from 0.40 to 0.91.",
    "layers": "At width 50, test redundancy falls from 0.50 in layer 1 to 0.10 in layer 3; at "
    "width 100, from 0.50 to 0.10.",
    "random_inputs": "At epoch 10, redundancy of test examples and inputs uniform in [0, 1] is "
    "0.10 and 0.70 at width 40.",
    "one_at_a_time": "Dropout 0.5 in place of 0 raises test redundancy from 0.10 to 0.60 and "
    "raises K-NN accuracy from 0.80 to 0.90.",
    "regions": "The median size of regions of test examples falls from 4 before training to 2 at "
    "epoch 10.",
    "recipe_recovery": "Recipe he2021 comes nearest to the published values, 0 off on average over "
    "4 values; next is recipe other (0.10).",
    "phase_chart": "Of 12 combinations of width, training time and sample size, 33% are "
    "under-expressive, 33% are critically-expressive and 33% are sufficiently-expressive.",
    "perturbations": "Training accuracy loses at most one point when pre-activations are scaled by "
    "0.1 or more (ReLU) and 1 or more (Abs), measured up to 10.",
    "equal_change": "Where the hidden vector changes by 50%, training accuracy is 0.70 (ReLU) and "
    "0.30 (Abs) when shifted up; 0.90 (ReLU) and 0.90 (Abs) when scaled down; 0.90 (ReLU) and 0.90 "
    "(Abs) unperturbed.",
    "perturbed_codes": "An offset of +50% flips 70% (ReLU) and 10% (Abs) of the bits of test "
    "codes; an offset of \u221250% flips 60% (ReLU) and 50% (Abs) of the bits of test codes.",
    "training": "Training error falls from 0.45 at epoch 1 to 0.004 at epoch 5\u2009000 (ReLU) and "
    "from 0.90 to 0.008 (Abs).",
    "preactivations": "The median unit is active on 50% (ReLU) of the training examples.",
    "manifold_sweep": "On unseen manifolds, variance ratio \u03c1 of trained networks falls from "
    "0.50 with 10 to 0.20 with 100 training manifolds; untrained networks have 0.90 and the raw "
    "input 1.",
    "lsh_curve": "Cosine similarity of the trained network falls from 0.90 at distance 0 to "
    "\u22120.80 at distance 2; the others have 0 to 0.10 (untrained network) and 0 to 0.01 (raw "
    "input).",
    "manifold_distances": "The densities of distances within and between unseen manifolds share an "
    "area of 0 (trained network) and 1 (raw input).",
    "retrieval": "Recall@1 of codes of trained networks rises from 0.50 with 16 to 0.90 with 64 "
    "units of the hash layer; that of SimHash of the input, from 0.20 to 0.30; exact search has 1.",
}


def told(kind, **changes):
    spec, summary, published = case(kind)
    return findings.sentences(replace(spec, **changes), summary, published)


def well_formed(sentences):
    assert 1 <= len(sentences) <= findings.MOST
    assert len(sentences[0]) <= findings.LONGEST
    for text in sentences:
        assert text[0] == text[0].upper()
        assert text.endswith((".", "\u2026."))
        assert not re.search(r"\bnan\b|\bNone\b|\binf\b|  |unknown|;\.|, ,", text), text


def test_every_kind_has_findings_and_a_reading():
    assert findings.FOUND.keys() == findings.READINGS.keys() == plotting.FIGURES.keys()
    assert CASES.keys() == plotting.FIGURES.keys()


@pytest.mark.parametrize("kind", FIRST)
def test_the_first_sentence_states_the_finding(kind):
    assert told(kind)[0] == FIRST[kind]


def test_manifolds_that_training_gathers_leave_no_variance_within():
    first, second = told("manifold_embedding")
    shares = [float(text) for text in re.findall(r"([\d.]+)%", first)]
    assert shares[0] < 0.1
    assert shares[1] > 99
    assert "100% (trained network) and 0% (raw input) of the points" in second


@pytest.mark.parametrize("kind", plotting.FIGURES)
@pytest.mark.parametrize("seeds", [(0.0,), (0.0, 0.0), (-0.05, 0.0, 0.05)])
def test_sentences_are_few_short_and_whole(kind, seeds):
    sentences = findings.sentences(*case(kind, seeds))
    well_formed(sentences)
    alone = "There is one seed, so that nothing is known of the spread."
    assert (alone in sentences) == (len(seeds) == 1 and kind != "manifold_embedding")


# Regimes, shares of a plane and what is lost of an accuracy do not depend on the scale.
@pytest.mark.parametrize(
    "kind", sorted(plotting.FIGURES.keys() - {"phase_chart", "manifold_embedding", "perturbations"})
)
def test_numbers_are_those_of_the_data(kind):
    spec, summary, published = case(kind)
    moved = summary.assign(**{name: 0.7 * summary[name] for name in ("mean", "low", "high")})
    if published is not None:
        published = published.assign(value=0.65 * published["value"])
    assert findings.sentences(spec, moved, published) != told(kind)


@pytest.mark.parametrize("kind", plotting.FIGURES)
def test_an_empty_or_infinite_value_is_never_told_as_a_number(kind):
    spec, summary, published = case(kind)
    for value in (np.nan, np.inf):
        for row in summary.index[:: max(1, len(summary) // 3)]:
            changed = summary.copy()
            changed.loc[row, ["mean", "low", "high"]] = value, np.nan, np.nan
            well_formed(findings.sentences(spec, changed, published))


@pytest.mark.parametrize("kind", plotting.FIGURES)
def test_a_summary_without_what_the_figure_needs_is_refused(kind):
    spec, summary, published = case(kind)
    with pytest.raises(DataError):
        findings.sentences(spec, summary.drop(columns="metric"), published)


@pytest.mark.parametrize("kind", plotting.FIGURES)
def test_readings_are_one_or_a_few_sentences(kind):
    reading = findings.reading(kind)
    assert reading.endswith(".")
    assert 40 < len(reading) < 420
    alone = findings.reading(kind, published=False)
    assert alone.endswith(".")
    assert "Open markers" not in alone
    assert (alone == reading) == ("Open markers" not in reading)


def test_unknown_kinds_are_refused():
    with pytest.raises(ValueError, match="no figure kind 'pie'"):
        findings.reading("pie")
    with pytest.raises(ValueError, match="no figure kind 'pie'"):
        findings.sentences(FigureSpec("pie"), case("curves")[1], None)


def test_a_change_within_the_intervals_is_not_told_as_one():
    summary = summarized(widths({10: (0.5, 0.50), 20: (0.5, 0.51)}), (-0.05, 0.0, 0.05))
    (first, *_) = findings.sentences(WIDTH, summary, None)
    assert first == (
        "Test redundancy stays at 0.50; K-NN accuracy does not change beyond its intervals "
        "(0.50 to 0.51)."
    )


def test_a_peak_in_between_is_told():
    summary = summarized(widths({10: (0.5, 0.5), 20: (0.2, 0.9), 40: (0.5, 0.6)}))
    (first, *_) = findings.sentences(WIDTH, summary, None)
    assert "falls from 0.50 at width 10 to a low of 0.20 at width 20 and is 0.50" in first
    assert "rises from 0.50 to a peak of 0.90 at width 20 and is 0.60" in first


def test_thresholds_name_the_first_width_that_passes_them():
    sentences = told("curves")
    assert sentences[1] == (
        "Test redundancy is at most 0.01 from width 40 on; K-NN accuracy is within 0.01 of its "
        "best, 0.91, from width 40 on."
    )


def test_where_accuracy_begins_to_fall_is_told():
    values = {0.0: (0.1, 0.9), 0.2: (0.1, 0.899), 0.4: (0.1, 0.8), 1.0: (0.1, 0.5)}
    rows = [
        {"label_noise": noise, "metric": metric, "value": value}
        for noise, each in values.items()
        for metric, value in zip(CODES, each, strict=True)
    ]
    spec = FigureSpec("curves", x="label_noise")
    sentences = findings.sentences(spec, summarized(rows), None)
    assert "K-NN accuracy is lower beyond the intervals from label noise 0.4 on." in sentences


def test_a_single_width_has_no_course():
    (first, *_) = findings.sentences(WIDTH, summarized(widths({10: (0.5, 0.6)})), None)
    assert first == "Test redundancy is 0.50 at width 10; K-NN accuracy is 0.60 at width 10."


def test_variants_are_compared_point_by_point():
    rows = [
        {**row, "schedule": schedule, "value": row["value"] + (schedule == "constant") * off}
        for schedule in ("step", "constant")
        for width in (10, 40)
        for off, row in zip(
            (0, 0, 0, 0.1),
            epochs({0: (0.5, 0.5), 10: (0.1, 0.8)}, width_per_layer=width),
            strict=True,
        )
    ]
    sentences = findings.sentences(TIME, summarized(rows), None)
    assert sentences[0].startswith("At width 10, test redundancy falls from 0.50 before training")
    assert sentences[2] == (
        "With schedule constant in place of step, K-NN accuracy differs beyond the intervals at "
        "2 of 4 points, most at epoch 10 and width 10: 0.90 in place of 0.80; test redundancy is "
        "the same within the intervals at all 4 points."
    )


def test_only_the_rows_of_the_figure_count():
    rows = [
        {**row, "dropout": dropout, "value": row["value"] * scale}
        for dropout, scale in ((0.0, 1), (0.5, 0.5))
        for row in widths(WIDTHS)
    ]
    spec = replace(WIDTH, options={"where": {"dropout": 0.0}})
    assert findings.sentences(spec, summarized(rows), None) == told("curves")
    with pytest.raises(DataError, match="dropout"):
        findings.sentences(WIDTH, summarized(rows), None)


def test_published_values_are_compared_where_they_meet_ours():
    summary = summarized(widths({10: (0.8, 0.45), 40: (0.1, 0.8), 60: (0.1, 0.9)}))
    last = findings.sentences(WIDTH, summary, PUBLISHED_WIDTHS)[-1]
    assert last == (
        "The 4 published values are 0.013 from ours on average, 3 of 4 lie within our intervals; "
        "K-NN accuracy is farthest off, by 0.025 on average."
    )
    nothing = PUBLISHED_WIDTHS.assign(width_per_layer=1000)
    assert "published" not in " ".join(findings.sentences(WIDTH, summary, nothing))


def printed(rows):
    columns = ["activation", "perturbation", "level", "metric", "value", "std"]
    return pd.DataFrame(rows, columns=columns)


def test_published_accuracies_are_compared_at_the_nearest_level():
    published = printed(
        [
            ("relu", "offset", 0.1, "train_accuracy", 88.5, np.nan),
            ("abs", "offset", 0.102, "train_accuracy", 90.0, np.nan),
            ("abs", "offset", 0.3, "train_accuracy", 10.0, np.nan),
            ("abs", "offset", 0.1, "test_accuracy", 10.0, np.nan),
        ]
    )
    spec = FigureSpec("perturbations", options={"kinds": ("offset",)})
    last = findings.sentences(spec, summarized(perturbed()), published)[-1]
    assert last == (
        "The 2 published values are 0.005 from ours on average, 1 of 2 lie within our intervals; "
        "offset of ReLU is farthest off, by 0.01 on average."
    )


def test_published_ends_of_training_are_compared_where_ours_is_as_long():
    published = printed([("relu", "none", np.nan, "train_accuracy", 99.0, 0.1)])
    spec = FigureSpec("training")
    last = findings.sentences(spec, summarized(training()), published)[-1]
    assert last == (
        "At epoch 5\u2009000, training error is 0.004 in place of 0.01 (ReLU) as published."
    )
    shorter = [row for row in training() if row["epoch"] != "5000"]
    assert "published" not in " ".join(findings.sentences(spec, summarized(shorter), published))


def test_levels_are_those_that_accuracy_bears_without_a_break():
    spec = FigureSpec("perturbations", options={"kinds": ("offset",)})
    first, second = findings.sentences(spec, summarized(perturbed()), None)
    assert first == (
        "Training accuracy loses at most one point when pre-activations are shifted by \u221210% "
        "to +10% of each unit's range (ReLU) and 0% to +10% (Abs)."
    )
    assert second == "The networks differ most at an offset of +50%: 0.70 (ReLU) and 0.10 (Abs)."


def test_variants_of_perturbed_networks_are_told_where_they_differ():
    rows = [
        *perturbed(recipe="oursland2024"),
        *({**row, "value": 0.9} for row in perturbed(recipe="other")),
    ]
    options = {"kinds": ("scale", "scale_per_unit", "clip", "offset")}
    spec = FigureSpec("perturbations", variant="recipe", options=options)
    sentences = findings.sentences(spec, summarized(rows), None)
    assert sentences[0].startswith("With recipe Oursland 2024, training accuracy loses")
    assert sentences[-1] == (
        "With recipe other, shifts are tolerated by \u221250% to +50% of each unit's range (ReLU "
        "and Abs); random factors per unit, of median 1, take it from 0.90 to 0.90 (ReLU and Abs)."
    )


def test_errors_that_only_some_reach_are_told_of_these():
    sentences = findings.sentences(FigureSpec("training"), summarized(training()), None)
    assert sentences[1] == (
        "It gets to 0.1 for good at epoch 10 (ReLU and Abs); it gets to 0.01 for good at epoch "
        "5\u2009000 (ReLU and Abs)."
    )
    rows = [row for row in training() if row["epoch"] != "5000"]
    changed = [
        {**row, "value": 0.5}
        if (row["activation"], row["metric"]) == ("abs", "train_accuracy")
        else row
        for row in rows
    ]
    sentences = findings.sentences(FigureSpec("training"), summarized(changed), None)
    assert "it gets to 0.1 for good at epoch 10 (ReLU) but not by epoch 10 (Abs)" in (
        sentences[1][0].lower() + sentences[1][1:]
    )


def test_regions_without_a_border_are_left_out_of_the_course():
    rows = regions(median=(np.inf, 2.0))
    sentences = findings.sentences(FigureSpec("regions"), summarized(rows), None)
    assert sentences[0] == "The median size of regions of test examples is 2 at epoch 10."
    assert sentences[2].endswith("test examples are 0.50 and unbounded.")


def test_categories_of_manifolds_are_listed():
    rows = manifolds("recipe", ("poly", "sine"))
    spec = FigureSpec("manifold_sweep", x="recipe")
    first = findings.sentences(spec, summarized(rows), None)[0]
    assert "variance ratio \u03c1 of trained networks is 0.50 (polynomial) and 0.20 (sine)" in first


def test_regimes_are_located_on_the_axis():
    sentences = told("phase_chart")
    assert sentences[1] == (
        "With 1\u2009000 examples, at epoch 10, networks are under-expressive at width 10, "
        "critically-expressive at width 20 and sufficiently-expressive at width 40."
    )
    strict = {"thresholds": {"sufficient_redundancy": 0.001}}
    assert "sufficiently" not in " ".join(told("phase_chart", options=strict))


def test_a_long_first_sentence_hands_clauses_to_the_second():
    rows = [
        {**row, "recipe": recipe}
        for recipe in ("a_recipe_with_a_long_name_that_says_all", "another_one_that_says_no_less")
        for row in training()
    ]
    spec = FigureSpec("training", variant="recipe")
    sentences = findings.sentences(spec, summarized(rows), None)
    well_formed(sentences)
    assert "another_one" not in sentences[0]
    assert sentences[1].startswith("With recipe another_one_that_says_no_less, training error")


def test_nothing_measured_of_a_figure_is_said():
    summary = case("curves")[1].assign(metric="another")
    assert findings.sentences(WIDTH, summary, None) == [
        "The study has no value of what its figure shows."
    ]
