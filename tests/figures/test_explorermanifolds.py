import explorer_cases as cases
import numpy as np
import pytest
from figure_cases import PUBLISHED, point

from neuralcodes.figures import embeddingcharts, localitycharts, phasecharts
from neuralcodes.figures.explorerdata import one
from neuralcodes.figures.marks import FigureSpec
from neuralcodes.metrics import phases
from neuralcodes.papers import published


def test_a_sweep_offers_all_metrics_and_tells_representations_apart():
    spec = FigureSpec("manifold_sweep", x="manifolds", line="weight_decay")
    chart, summary = cases.explored(spec, cases.table_of(cases.of_manifolds()))
    assert cases.texts_of(chart, "measure") == [
        *("variance_ratio", "one_shot_accuracy_20", "ridge_r2", "pair_auc"),
    ]
    assert cases.texts_of(chart, "split") == ["unseen", "seen"]
    assert cases.texts_of(chart, "representation") == ["trained", "untrained", "input"]
    place = {"measure": "pair_auc", "split": "seen", "weight_decay": "3"}
    places = cases.places_of(chart, **place, representation="untrained")
    own = summary[(summary["metric"] == "pair_auc") & (summary["split"] == "seen")]
    own = own[(own["weight_decay"] == 3) & (own["representation"] == "untrained")]
    assert cases.column(chart, "mean", places) == [one(mean) for mean in own["mean"]]
    assert [guide["y"] for guide in chart["guides"]] == [[0.05], [0.5]]


def test_a_sweep_without_lines_has_a_colour_per_representation_and_categories_have_bars():
    spec = FigureSpec("manifold_sweep", x="recipe")
    rows = [
        {**row, "recipe": name}
        for row in cases.of_manifolds()
        if row["manifolds"] == 10 and row["weight_decay"] == 0
        for name in ("poly", "sine")
    ]
    chart, _ = cases.explored(spec, cases.table_of(rows))
    assert chart["form"] == "points"
    assert chart["axes"][0]["labels"] == ["polynomial", "sine"]
    assert [each["role"] for each in chart["dimensions"]] == ["choice", "colour", "dash"]
    assert set(chart["points"]["x"]) == {0, 1}


def test_an_lsh_curve_has_its_reference_and_its_spread():
    chart, summary = cases.explored(FigureSpec("lsh_curve"), cases.table_of(cases.of_locality()))
    assert cases.texts_of(chart, "measure") == ["lsh_cosine", "lsh_hamming", "bucket"]
    (reference, _) = chart["guides"]
    assert (reference["x"][0], reference["y"][0]) == (0, 1)
    assert (reference["x"][-1], reference["y"][-1]) == (2, -1)
    places = cases.places_of(chart, measure="lsh_cosine", representation="trained")
    low, high = chart["points"]["bands"][0]
    own = summary[summary["representation"] == "trained"].set_index("position")["mean"]
    for i in places:
        assert chart["points"]["at"][3][i] == -1
        spread = summary[
            (summary["metric"] == "lsh_cosine_sd")
            & (summary["representation"] == "trained")
            & (summary["position"] == chart["points"]["x"][i])
        ]["mean"].item()
        assert high[i] - low[i] == pytest.approx(2 * spread, rel=1e-3)
    assert len(own)
    assert cases.places_of(chart, measure="bucket", pairs="bucket_inter")


def test_densities_of_distances_name_the_area_that_they_share():
    table = cases.table_of(cases.of_locality())
    chart, summary = cases.explored(FigureSpec("manifold_distances"), table)
    assert chart["form"] == "steps"
    assert cases.texts_of(chart, "pairs") == list(localitycharts.DENSITIES)
    own = summary[summary["representation"] == "trained"]
    both = [own[own["metric"] == name]["mean"].to_numpy() for name in localitycharts.DENSITIES]
    area = localitycharts.shared_area(*both, np.full(3, 0.2))
    assert chart["notes"][0] == {"text": f"shared area {area:.2f}", "at": [0, 0, -1]}


def test_an_embedding_has_a_member_at_a_time_and_the_looks_of_the_figure():
    table = cases.table_of(cases.of_embedding(), seeds=1)
    chart, summary = cases.explored(FigureSpec("manifold_embedding"), table)
    assert chart["form"] == "scatter"
    assert cases.texts_of(chart, "member") == ["0", "1"]
    colors = [value["color"] for value in chart["dimensions"][2]["values"]]
    assert colors == [style.color for style in embeddingcharts.LOOKS[:3]]
    places = cases.places_of(chart, representation="input", member="1", manifold="2")
    own = summary[(summary["representation"] == "input") & (summary["member"] == 1)]
    own = own[own["manifold"] == 2]
    for column, component in (("x", "component_1"), ("mean", "component_2")):
        wanted = [one(mean) for mean in own.loc[own["metric"] == component, "mean"]]
        assert cases.column(chart, column, places) == wanted
    assert len(chart["notes"]) == 6


def test_exact_search_is_a_level_and_no_line():
    table = cases.table_of(cases.of_retrieval())
    chart, summary = cases.explored(FigureSpec("retrieval", x="hash_width"), table)
    assert cases.texts_of(chart, "method") == ["network_code", "simhash"]
    exact = summary[(summary["method"] == "exact") & (summary["metric"] == "recall_at_1")]
    assert chart["guides"][0]["y"] == [one(exact["mean"].mean())]
    assert chart["guides"][0]["label"] == "exact search"


def test_preactivations_have_a_view_of_all_units_and_one_of_some():
    chart, summary = cases.explored(FigureSpec("preactivations"), cases.table_of(cases.of_units()))
    places = cases.places_of(chart, view="quantiles", activation="abs")
    assert cases.column(chart, "x", places) == [0, 1, 2, 3]
    own = summary[summary["activation"] == "abs"]
    low, high = chart["points"]["bands"][0]
    for values, name in ((low, "quantile_05"), (high, "quantile_95")):
        wanted = [one(mean) for mean in own.loc[own["metric"] == name, "mean"]]
        assert [values[i] for i in places] == wanted
    places = cases.places_of(chart, view="densities", activation="abs", unit="3")
    assert cases.column(chart, "x", places) == [-1, 0, 1]
    assert {chart["points"]["bands"][0][0][i] for i in places} == {None}


def test_phases_are_those_of_the_figure():
    grid = [point(w, e, n) for w in (4, 32) for e in (0, 10) for n in (100, 1000)]
    limits = {"under_expressive_redundancy": 0.5, "sufficient_redundancy": 0.4}
    spec = FigureSpec("phase_chart", options={"thresholds": limits})
    chart, summary = cases.explored(spec, cases.table_of(cases.of_series(grid)))
    points, test = chart["points"], summary[summary["split"] == "test"]
    keys = ["width_per_layer", "epoch", "sample_size"]
    means = {
        name: test[test["metric"] == name].set_index(keys)["mean"]
        for name in ("redundancy_ratio", "knn_accuracy")
    }
    best = means["knn_accuracy"].max()
    options = phases.Thresholds(**limits, best_accuracy=best)
    for i, (w, e, n) in enumerate(zip(points["x"], points["y"], points["z"], strict=True)):
        redundancy, knn = (means[name][w, str(e), n] for name in means)
        assert points["redundancy_ratio"]["mean"][i] == one(redundancy)
        assert points["knn_accuracy"]["mean"][i] == one(knn)
        name = str(phases.regimes(np.array(redundancy), np.array(knn), options))
        assert phases.REGIMES[points["regime"][i]] == name
        assert chart["spans"][points["span"][i]] == [0, 2]
    assert [each["color"] for each in chart["regimes"]] == list(phasecharts.REGIME_COLORS.values())
    assert [axis["name"] for axis in chart["axes"]] == keys
    assert chart["axes"][1]["zero"] is not None


def test_shares_of_recipes_add_up_to_their_distances():
    rows = [{**point(w), "recipe": name} for w in (10, 40, 60) for name in ("ours", "theirs")]
    theirs = published.he2021("model_capacity", "mnist", PUBLISHED)
    spec, table = FigureSpec("recipe_recovery"), cases.table_of(cases.of_series(rows))
    chart, summary = cases.explored(spec, table, theirs)
    bars = chart["bars"]
    ranked = published.rank(summary, theirs, ["recipe"])
    assert bars["recipes"] == list(dict.fromkeys(ranked["recipe"]))
    assert bars["distance"] == sorted(bars["distance"])
    for place, distance in enumerate(bars["distance"]):
        total = sum(each["share"][place] for each in bars["series"])
        assert total == pytest.approx(distance, rel=1e-3)
