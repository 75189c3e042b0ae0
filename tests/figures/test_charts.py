import numpy as np
import pytest
from figure_cases import PUBLISHED, drawn_axes, lines_of, means, point, summary_of

from neuralcodes.errors import DataError
from neuralcodes.figures import plotting
from neuralcodes.figures.marks import FigureSpec
from neuralcodes.papers import published


def regularization():
    base = {"weight_decay": 1e-6, "batch_norm": True, "dropout": 0.0}
    moved = [{"weight_decay": 0.0}, {"weight_decay": 1e-4}, {"batch_norm": False}, {"dropout": 0.5}]
    return summary_of([point(50, **{**base, **move}) for move in ({}, *moved)])


def test_one_factor_at_a_time_draws_a_column_per_factor_through_the_base_point():
    summary = regularization()
    figure = plotting.draw(FigureSpec("one_at_a_time"), summary)
    bottom = drawn_axes(figure)[3:]
    assert [axes.get_xlabel() for axes in bottom] == [
        "Weight decay (L2 penalty)",
        "Dropout (fraction of units)",
        "Batch normalization",
    ]
    (line,) = lines_of(bottom[0], "K-NN, test")
    column = summary[summary["batch_norm"] & (summary["dropout"] == 0)]
    expected = means(column, "weight_decay", metric="knn_accuracy")
    assert line.get_ydata().tolist() == expected
    (base,) = lines_of(bottom[0], "_marked")
    assert base.get_xdata()[0] == pytest.approx(1e-6)


def test_one_factor_at_a_time_refuses_a_study_in_which_none_varies():
    with pytest.raises(DataError, match="varies; there is nothing to compare"):
        plotting.draw(FigureSpec("one_at_a_time"), summary_of([point(dropout=0.0)]))


def test_one_factor_at_a_time_asks_for_a_base_point_that_cannot_be_told():
    points = [point(dropout=d, batch_norm=b) for d in (0.0, 0.5) for b in (True, False)]
    with pytest.raises(DataError, match="name it in the option base"):
        plotting.draw(FigureSpec("one_at_a_time"), summary_of(points))
    spec = FigureSpec("one_at_a_time", options={"base": {"dropout": 0.0, "batch_norm": True}})
    assert len(drawn_axes(plotting.draw(spec, summary_of(points)))) == 4


def regions():
    names = ("median", "q05", "q25", "q75", "q95")
    series = [(f"region_size_{name}", split) for name in names for split in ("train", "test")]
    return summary_of([point(w, e) for w in (20, 40) for e in (0, 1, 10)], series=series)


def test_regions_show_medians_with_two_bands_of_quantiles():
    summary = regions()
    spec = FigureSpec("regions", x="epoch", options={"where": {"width": 20}})
    figure = plotting.draw(spec, summary)
    train, _ = drawn_axes(figure)
    (line,) = lines_of(train, "median")
    where = {"metric": "region_size_median", "split": "train", "width": 20}
    assert line.get_ydata().tolist() == means(summary, "epoch", **where)
    wide = train.collections[0].get_paths()[0].vertices[:, 1]
    where["metric"] = "region_size_q95"
    assert set(means(summary, "epoch", **where)) <= set(wide.tolist())
    assert len(train.collections) == 2
    assert train.get_yscale() == "log"


def test_regions_with_lines_have_a_row_per_split():
    figure = plotting.draw(FigureSpec("regions", x="epoch", line="width"), regions())
    titles = [axes.get_title() for axes in drawn_axes(figure)]
    assert titles[0] == "train split, width 20"
    assert titles[-1] == "test split, width 40"


def test_recipes_are_ranked_and_their_parts_add_up():
    points = [point(w, recipe=r) for w in (10, 40) for r in ("adam", "sgd")]
    summary = summary_of(points)
    values = published.he2021("model_capacity", "mnist", PUBLISHED)
    spec = FigureSpec("recipe_recovery", line="recipe")
    (axes,) = drawn_axes(plotting.draw(spec, summary, values))
    ranked = published.rank(summary, values, ["recipe"]).drop_duplicates("recipe")
    assert [text.get_text() for text in axes.get_yticklabels()] == ranked["recipe"].tolist()
    lengths = np.sum([[bar.get_width() for bar in each] for each in axes.containers], axis=0)
    assert lengths.tolist() == pytest.approx(ranked["distance"].tolist())


def test_recipe_recovery_needs_published_values():
    with pytest.raises(DataError, match="needs published values"):
        plotting.draw(FigureSpec("recipe_recovery"), summary_of([point(recipe="a")]))
