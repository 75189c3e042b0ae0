import explorer_cases as cases
from figure_cases import PUBLISHED

from neuralcodes.figures import marks
from neuralcodes.figures.explorerdata import one
from neuralcodes.figures.marks import FigureSpec
from neuralcodes.papers import published

CHANGE = ("hidden_change", "train")


def perturbed(series=cases.ACCURACIES, levels=cases.LEVELS, **factors):
    return cases.table_of(cases.of_levels(levels, series, **factors))


def test_each_kind_has_its_axis_and_splits_have_dashes():
    chart, summary = cases.explored(FigureSpec("perturbations"), perturbed())
    assert cases.texts_of(chart, "perturbation") == ["scale", "clip", "offset"]
    assert [axis["scale"] for axis in chart["axes"]] == ["log", "log", "linear"]
    assert [axis["marked"]["x"] for axis in chart["axes"]] == [1, 1, 0]
    assert [view["label"] for view in chart["axes"][2]["views"]] == ["all levels", "near zero"]
    assert chart["axes"][2]["views"][1]["ends"] == [-0.1, 0.1]
    places = cases.places_of(chart, perturbation="scale", activation="relu", split="test")
    own = summary[(summary["activation"] == "relu") & (summary["split"] == "test")]
    own = own[own["perturbation"] == "scale"]
    assert cases.column(chart, "x", places) == [0.1, 1, 10]
    assert cases.column(chart, "mean", places) == [one(mean) for mean in own["mean"]]
    colors = [value["color"] for value in chart["dimensions"][2]["values"]]
    assert colors == [marks.VALUE_STYLES[name].color for name in ("relu", "abs")]
    (guide,) = chart["guides"]
    assert guide["y"] == [0.1]


def test_the_unperturbed_network_stands_at_the_level_that_changes_nothing():
    chart, summary = cases.explored(FigureSpec("perturbations"), perturbed())
    places = cases.places_of(chart, perturbation="offset", activation="abs", split="train")
    (mean,) = summary.loc[
        (summary["perturbation"] == "none")
        & (summary["activation"] == "abs")
        & (summary["split"] == "train"),
        "mean",
    ]
    assert [chart["points"]["mean"][i] for i in places if chart["points"]["x"][i] == 0] == [
        one(mean)
    ]


def test_kinds_that_the_figure_does_not_show_are_further_choices():
    spec = FigureSpec("perturbations", options={"kinds": ("offset",)})
    chart, _ = cases.explored(spec, perturbed((*cases.ACCURACIES, CHANGE)))
    values = chart["dimensions"][0]["values"]
    assert [(value["text"], value["group"]) for value in values] == [
        ("offset", "In the figure"),
        ("scale", "Further"),
        ("clip", "Further"),
    ]
    assert cases.texts_of(chart, "measure") == ["accuracy", "hidden_change,train"]
    assert cases.places_of(chart, measure="hidden_change,train", perturbation="clip")


def test_with_variants_the_split_is_a_measure():
    rows = [
        *cases.of_levels(recipe="oursland2024"),
        *cases.of_levels(recipe="oursland2024_standardized"),
    ]
    spec = FigureSpec("perturbations", variant="recipe")
    theirs = published.oursland2024(PUBLISHED)
    chart, _ = cases.explored(spec, cases.table_of(rows), theirs)
    assert cases.texts_of(chart, "measure") == ["train_accuracy,train", "test_accuracy,test"]
    assert cases.texts_of(chart, "recipe") == ["oursland2024", "oursland2024_standardized"]
    measures, variants = chart["published"]["at"][1], chart["published"]["at"][3]
    assert (set(measures), set(variants)) == ({0}, {-1})


def test_published_accuracies_are_fractions_of_the_training_split():
    theirs = published.oursland2024(PUBLISHED)
    chart, _ = cases.explored(FigureSpec("perturbations"), perturbed(), theirs)
    kinds, activations = cases.texts_of(chart, "perturbation"), cases.texts_of(chart, "activation")
    at = list(zip(*chart["published"]["at"], strict=True))
    place = (kinds.index("scale"), 0, activations.index("abs"), 0)
    found = [i for i, each in enumerate(at) if each == place]
    own = theirs[(theirs["perturbation"] == "scale") & (theirs["activation"] == "abs")]
    own = own[own["metric"] == "train_accuracy"]
    drawn = {chart["published"]["x"][i]: chart["published"]["value"][i] for i in found}
    assert drawn == {
        one(level): one(value / 100)
        for level, value in zip(own["level"], own["value"], strict=True)
    }


def test_equal_changes_have_a_colour_per_kind_and_a_dash_per_direction():
    chart, summary = cases.explored(FigureSpec("equal_change"), perturbed(levels=cases.EQUAL))
    assert cases.texts_of(chart, "split") == ["train", "test"]
    place = {"activation": "relu", "split": "train", "perturbation": "equal_scale"}
    (down,) = cases.places_of(chart, **place, direction="down")
    own = summary[(summary["activation"] == "relu") & (summary["split"] == "train")]
    (mean,) = own.loc[(own["perturbation"] == "equal_scale") & (own["level"] == -0.5), "mean"]
    assert (chart["points"]["x"][down], chart["points"]["mean"][down]) == (0.5, one(mean))
    (unperturbed,) = own.loc[own["perturbation"] == "none", "mean"]
    heights = {tuple(guide["at"][:2]): guide["y"] for guide in chart["guides"]}
    assert heights[cases.texts_of(chart, "activation").index("relu"), 0] == [one(unperturbed)]


def test_codes_of_the_unperturbed_training_set_have_a_dash_of_their_own():
    chart, _ = cases.explored(FigureSpec("perturbed_codes"), perturbed(cases.CODES))
    assert cases.texts_of(chart, "measure") == ["flipped_bits", "redundancy_ratio", "knn_accuracy"]
    assert cases.texts_of(chart, "split") == ["train", "test", "test, train codes unperturbed"]
    assert [value["dash"] for value in chart["dimensions"][3]["values"]] == ["-", "--", ":"]
