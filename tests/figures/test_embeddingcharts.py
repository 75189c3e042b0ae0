import numpy as np
import pandas as pd
import pytest
from figure_cases import drawn_axes, legend_texts, lines_of
from manifold_figure_cases import summary_of_rows
from matplotlib.colors import to_rgb

from neuralcodes.errors import DataError
from neuralcodes.figures import embeddingcharts, plotting
from neuralcodes.figures.marks import FigureSpec

SPEC = FigureSpec("manifold_embedding")


def embedded(manifolds=3, points=2, member=0, representations=("input", "untrained", "trained")):
    """A summary in which component 1 is the manifold and component 2 the point, plus the member."""
    rows = []
    for name in representations:
        one = {"representation": name, "member": member}
        for manifold, position in np.ndindex(manifolds, points):
            place = {**one, "manifold": manifold, "position": position}
            rows.append({**place, "metric": "component_1", "value": float(manifold)})
            rows.append({**place, "metric": "component_2", "value": float(position + member)})
        share = {"input": 0.14, "untrained": 0.11, "trained": 0.24}[name]
        explained = {"manifold": np.nan, "metric": "explained_variance", "value": share}
        rows.append({**one, **explained})
    return summary_of_rows(rows)


def test_each_manifold_has_its_points_on_the_two_components():
    axes = drawn_axes(plotting.draw(SPEC, embedded()))
    assert len(axes) == 3
    for panel in axes:
        for manifold in range(3):
            (points,) = lines_of(panel, str(manifold + 1))
            assert points.get_xdata() == pytest.approx([manifold] * 2)
            assert points.get_ydata() == pytest.approx([0, 1])
            assert points.get_linestyle() == "None"


def test_panels_are_the_representations_with_their_share_of_variance():
    axes = drawn_axes(plotting.draw(SPEC, embedded()))
    assert [panel.get_title() for panel in axes] == [
        "raw input, 14% of variance",
        "untrained, 11% of variance",
        "trained, 24% of variance",
    ]
    assert [panel.get_title(loc="left") for panel in axes] == list("abc")
    assert axes[0].get_ylabel() == "Principal component 2"
    assert {panel.get_xlabel() for panel in axes} == {"Principal component 1"}
    summary = embedded(representations=("trained",))
    (panel,) = drawn_axes(plotting.draw(SPEC, summary[summary["metric"] != "explained_variance"]))
    assert (panel.get_title(), panel.get_title(loc="left")) == ("trained", "")


def test_both_components_have_one_scale():
    for panel in drawn_axes(plotting.draw(SPEC, embedded())):
        assert panel.get_aspect() == 1
        assert panel.get_box_aspect() == 1


def test_ten_manifolds_differ_in_colour_and_in_marker():
    figure = plotting.draw(SPEC, embedded(10))
    lines = drawn_axes(figure)[0].lines
    assert len({to_rgb(line.get_color()) for line in lines}) == 10
    assert len({line.get_marker() for line in lines}) == 10
    assert legend_texts(figure) == [str(number) for number in range(1, 11)]
    with pytest.raises(DataError, match="has 11 manifolds, but a figure tells 10 apart"):
        plotting.draw(SPEC, embedded(11))


def test_of_several_members_the_first_is_drawn_and_named():
    alone = plotting.draw(SPEC, embedded(member=4))
    assert alone.legends[0].get_title().get_text() == "Manifold"
    figure = plotting.draw(SPEC, pd.concat([embedded(member=7), embedded(member=4)]))
    assert figure.legends[0].get_title().get_text() == "Manifold (seed 4)"
    (points,) = lines_of(drawn_axes(figure)[0], "1")
    assert points.get_ydata() == pytest.approx([4, 5])


def test_panels_of_a_narrow_embedding_stand_one_above_the_other():
    figure = plotting.draw(FigureSpec("manifold_embedding", columns=1), embedded())
    first, second, _ = drawn_axes(figure)
    assert second.get_position().y1 < first.get_position().y0
    assert second.get_ylabel() == "Principal component 2"


def test_all_manifolds_have_a_look():
    markers = [style.marker for style in embeddingcharts.LOOKS]
    assert len(markers) == len(set(markers)) == 10


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.drop(columns="representation"), r"lacks the columns \['representation'\]"),
        (lambda s: s.drop(columns="member"), r"lacks the columns \['member'\]"),
        (lambda s: s.drop(columns="manifold"), r"lacks the columns \['manifold'\]"),
        (lambda s: s.assign(metric="variance_ratio"), r"measured none of \['component_1'"),
        (lambda s: s[s["metric"] != "component_2"], r"it lacks \['component_2'\]"),
        (lambda s: s.assign(split="seen"), "on the split 'unseen'"),
        (lambda s: s.assign(member=np.nan), "needs a member"),
        (lambda s: pd.concat([s.assign(points=n) for n in (1, 2)]), r"differ in \['points'\]"),
    ],
    ids=["representation", "member", "manifold", "metric", "part", "split", "seed", "mixture"],
)
def test_an_embedding_that_cannot_be_drawn_is_refused(change, message):
    with pytest.raises(DataError, match=message):
        plotting.draw(SPEC, change(embedded()))
