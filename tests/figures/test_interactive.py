import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from chart_cases import CASES, case

from neuralcodes.figures import interactive, seeds
from neuralcodes.figures.chart import (
    Axis,
    Chart,
    Curve,
    Entry,
    Guide,
    Heat,
    Legend,
    Panel,
    Published,
    Style,
    Vertical,
)
from neuralcodes.studies import tables

WIDTHS = (4, 8, 16)
NAN = float("nan")
X = Axis("Width", "linear", WIDTHS, factor="width")
BLUE = Style("#0072b2", "D")


def long_table(widths=WIDTHS, count=3):
    """A metric at several widths: a run each, all seeds."""
    generator = np.random.default_rng(3)
    return pd.DataFrame(
        [
            {
                **{"study": "s", "dataset": "digits", "run": f"run{width}", "width": width},
                **{"seed": seed, "epoch": "final", "split": "test", "metric": "redundancy_ratio"},
                "value": generator.uniform(0.2, 0.8),
            }
            for width in widths
            for seed in range(count)
        ]
    )


TABLE = long_table()
SUMMARY = tables.summarize(TABLE)


def curve(label="test", x=WIDTHS, rows=None, **given):
    rows = SUMMARY if rows is None else rows
    own = {name: rows[name].to_numpy(float)[: len(x)] for name in ("mean", "low", "high")}
    return Curve(
        **{
            **{"label": label, "style": BLUE, "x": np.array(x, float), "y": own["mean"]},
            **{"low": own["low"], "high": own["high"], "n": np.full(len(x), 3)},
            **{"rows": rows.index.to_numpy()[: len(x)], "metric": "redundancy_ratio"},
            **{"split": "test", "entries": (label,), **given},
        }
    )


def chart(*shown, legends=(), share_y="none"):
    rows = shown if isinstance(shown[0], tuple) else (shown,)
    return Chart("curves", "title", tuple(tuple(row) for row in rows), legends, "", share_y)


def panel(*curves, x=X, y=None, **given):
    return Panel("", x, y or Vertical("Redundancy ratio"), curves, **given)


def figure(*shown, table=TABLE, **given):
    summary = tables.summarize(table)
    made = interactive.figure(chart(*shown, **given), table, summary)
    assert json.loads(json.dumps(made, allow_nan=False)) == made, "plain JSON"
    return made


def traces(made, role="curve"):
    return [t for each in panels(made) for t in each["data"] if t["meta"]["role"] == role]


def panels(made):
    return [panel for row in made["rows"] for panel in row["panels"]]


def layout(*shown, **given):
    return panels(figure(*shown, **given))[0]["layout"]


def behind(summary):
    """A long table: each row of a summary is a run of its own, whose seeds have its mean."""
    keys = summary[tables.key_columns(summary)]
    own = keys.assign(run=[f"run{row}" for row in summary.index], value=summary["mean"])
    return pd.concat([own.assign(seed=seed) for seed in range(2)])


@pytest.mark.parametrize("kind", CASES)
def test_every_point_of_every_kind_leads_to_the_run_of_its_row(kind):
    shown, summary = case(kind)
    made = interactive.figure(shown, behind(summary), summary)
    assert json.loads(json.dumps(made, allow_nan=False)) == made, "plain JSON"
    points, rows, seen = made["points"], set(), 0
    for panel_of, own in zip(shown.each_panel(), panels(made), strict=True):
        heat = panel_of.heat
        wanted = [heat.rows.ravel()] if heat is not None else [c.rows for c in panel_of.curves]
        for expected, trace in zip(wanted, traces_of(own), strict=True):
            told = [each for each in trace["customdata"] if each is not None]
            told = [cell for line in told for cell in line] if heat is not None else told
            step = 3 if len(told) == 3 * len(expected) else 1  # of short level lines
            assert len(told) == step * len(expected)
            for row, (place, *_) in zip(expected, told[::step], strict=True):
                assert (place < 0) == (row < 0)
                if place >= 0:
                    rows.add(row)
                    assert points["runs"][points["run"][place]] == f"run{row}"
                    assert points["epochs"][points["epoch"][place]] == summary["epoch"][row]
                    value = points["values"][0][place]
                    known = np.isfinite(summary["mean"][row])
                    assert value == (
                        pytest.approx(summary["mean"][row], rel=1e-5) if known else None
                    )
                    seen += 1
    assert seen or kind == "recipe_recovery"
    assert len(points["run"]) == len(rows)


def traces_of(shown):
    return [t for t in shown["data"] if t["meta"]["role"] == "curve" and t.get("customdata")]


@pytest.mark.parametrize("mark", ["line", "points", "levels", "steps", "scatter", "bars", "ridge"])
def test_every_point_leads_to_its_run_its_checkpoint_and_its_seeds(mark):
    made = figure(panel(curve(mark=mark, reach=0.4)))
    (shown, points) = traces(made)[-1], made["points"]
    told = [each for each in shown["customdata"] if each is not None]
    places = list(dict.fromkeys(each[0] for each in told))
    assert len(places) == len(WIDTHS)
    for place, width in zip(places, WIDTHS, strict=True):
        own = TABLE[TABLE["width"] == width]
        assert points["runs"][points["run"][place]] == f"run{width}"
        assert points["epochs"][points["epoch"][place]] == "final"
        assert (points["first"][place], points["last"][place]) == (0, 2)
        for seed, values in zip(points["seeds"], points["values"], strict=True):
            expected = own.loc[own["seed"] == seed, "value"].iloc[0]
            assert values[place] == pytest.approx(expected, rel=1e-5)


def test_a_label_names_the_measure_the_mean_the_interval_and_n():
    (shown,) = traces(figure(panel(curve("width 8"))))
    row = SUMMARY.iloc[1]
    assert shown["hovertemplate"].split("<br>")[:3] == [
        "<b>width 8</b>",
        "Width: %{customdata[1]}",
        "Redundancy ratio, test: mean <b>%{customdata[2]}</b>",
    ]
    interval = f"{row['low']:.4g} to {row['high']:.4g}".replace("-", "\u2212")
    assert shown["customdata"][1][1:] == ["8", f"{row['mean']:.4g}", interval, 3]


def test_mirrored_values_are_named_by_their_axis_and_say_so_for_their_seeds():
    made = figure(panel(curve(mirrored=True), y=Vertical("Error")))
    (shown,) = traces(made)
    assert "Error: mean" in shown["hovertemplate"]
    assert shown["meta"]["mirrored"]


def test_a_point_without_a_row_leads_nowhere_and_one_without_an_interval_says_so():
    none = np.full(3, NAN)
    made = figure(panel(replace(curve(), rows=np.full(3, -1), low=none, high=none)))
    (shown,) = traces(made)
    assert {each[0] for each in shown["customdata"]} == {-1}
    assert {each[3] for each in shown["customdata"]} == {"none"}
    assert made["points"]["run"] == []
    assert traces(made, "band") == []


def test_intervals_and_bands_are_areas_with_gaps_behind_all_curves():
    low, high = np.array([0.1, NAN, 0.3]), np.array([0.4, NAN, 0.6])
    made = figure(panel(curve("a"), curve("b", low=low, high=high)))
    assert [t["meta"]["role"] for t in panels(made)[0]["data"]] == [*["band"] * 2, *["curve"] * 2]
    gap = traces(made, "band")[1]
    assert gap["x"] == [4, 4, None, 16, 16]
    assert gap["y"] == [0.1, 0.4, None, 0.3, 0.6]
    wide = traces(figure(panel(curve(bands=((low, high),)))), "band")
    assert [each["y"] for each in wide] == [gap["y"]]


@pytest.mark.parametrize("given", [{"mark": "points"}, {"bands": ((np.zeros(3), np.ones(3)),)}])
def test_error_bars_reach_the_ends_of_the_interval(given):
    shown = traces(figure(panel(curve(**given))))[0]
    above, below = (np.array(shown["error_y"][name]) for name in ("array", "arrayminus"))
    np.testing.assert_allclose(np.array(shown["y"]) + above, SUMMARY["high"], rtol=1e-4)
    np.testing.assert_allclose(np.array(shown["y"]) - below, SUMMARY["low"], atol=1e-4)


def test_published_values_are_open_markers_that_go_with_their_curve_and_their_entry():
    theirs = Published("test", BLUE, np.array([8.0]), np.array([0.5]), np.array([0.02]))
    legend = Legend("", (Entry("published", BLUE, "open"),))
    made = figure(panel(curve(), published=(theirs,)), legends=(legend,))
    (shown,) = traces(made, "published")
    assert shown["meta"]["entries"] == ["test", "published"]
    assert shown["marker"]["symbol"] == "diamond-open"
    assert shown["customdata"] == [[-1, "8", "0.5 \u00b1 0.02"]]
    assert (shown["y"], shown["error_y"]["array"]) == ([0.5], [0.02])


def test_guides_cross_the_panel_or_go_through_points():
    guides = (
        Guide("chance", at=0.1),
        Guide("ends", at=8.0, axis="x"),
        Guide("exact", x=np.array([4.0, 16.0]), y=np.array([0.0, 1.0]), style=Style("#ff0000")),
    )
    made = figure(panel(curve(), guides=guides))
    level, upright = panels(made)[0]["layout"]["shapes"]
    assert (level["y0"], level["y1"], level["xref"]) == (0.1, 0.1, "paper")
    assert (upright["x0"], upright["x1"], upright["yref"]) == (8.0, 8.0, "paper")
    (line,) = traces(made, "guide")
    assert (line["y"], line["line"]["color"]) == ([0.0, 1.0], "#ff0000")
    assert panels(made)[0]["layout"]["yaxis"]["range"][1] > 1.0


def test_histograms_ridges_bars_and_levels_have_their_form():
    def shown(mark, **given):
        return traces(figure(panel(curve(mark=mark, **given))))

    assert shown("steps")[0]["line"]["shape"] == "hvh"
    area, line = shown("ridge", base=2.0, height=0.5)
    np.testing.assert_allclose(line["y"], 2 + SUMMARY["mean"] / 2, rtol=1e-5)
    assert area["fill"] == "toself"
    (bar,) = shown("bars", style=replace(BLUE, linestyle="--"))
    assert (bar["orientation"], bar["y"]) == ("h", [4, 8, 16])
    assert bar["marker"]["pattern"]["shape"] == "/"
    (level,) = shown("levels", reach=0.5)
    assert level["x"][:4] == [3.5, 4.0, 4.5, None]


def test_bars_run_from_the_top_down_and_have_room_for_their_sum():
    names = Axis("Recipe", "category", ("a", "b"), ("A", "B"))
    bars = [curve(f"{k}", (0, 1), y=np.array([0.5, 0.7]), mark="bars") for k in (1, 2)]
    own = layout(panel(*bars, x=names))
    assert own["yaxis"]["ticktext"] == ["A", "B"]
    assert own["yaxis"]["range"] == [1.5, -0.5]
    assert own["xaxis"]["range"][0] == 0
    assert own["xaxis"]["range"][1] > 1.4
    assert [each["text"] for each in own["annotations"]] == ["1.000", "1.400"]


def heat(**given):
    return Heat(
        **{
            **{"label": "Redundancy", "values": np.array([[0.1, 0.2], [NAN, 0.4]])},
            **{"rows": np.array([[0, 1], [-1, 2]]), "vertical": Axis("Epoch", "log", (1, 10))},
            **{"limits": (0.0, 1.0), "colormap": "viridis", "categories": ("low", "high")},
            **{"groups": np.array([[0, 0], [-1, 1]]), **given},
        }
    )


def test_cells_of_a_heat_map_lead_to_their_runs_and_name_their_category():
    made = figure(panel(x=Axis("Width", "linear", (4, 8)), heat=heat()))
    shown, rim, border = panels(made)[0]["data"]
    assert (rim["x"], rim["y"]) == (border["x"], border["y"])
    assert [[each[0] for each in line] for line in shown["customdata"]] == [[0, 1], [-1, 2]]
    assert shown["z"] == [[0.1, 0.2], [None, 0.4]]
    assert shown["customdata"][1][1][2:] == ["0.4", "<b>high</b>", "8", "10"]
    assert (shown["colorscale"][0], len(shown["colorscale"])) == ([0.0, "#440154"], 9)
    assert list(zip(border["x"], border["y"], strict=True)) == [(1, 1), (2, 1), (None, None)]
    letters = {(n["x"], n["y"]): n["text"] for n in panels(made)[0]["layout"]["annotations"]}
    assert letters[1.5, 1.5] == "<b>H</b>"
    ticks = panels(made)[0]["layout"]["xaxis"]
    assert (ticks["tickvals"], ticks["ticktext"]) == ([0.5, 1.5], ["4", "8"])


def test_categories_with_colours_of_their_own_are_colours_without_a_scale():
    own = heat(colormap=("#ff0000", "#00ff00"), limits=(0.0, 1.0))
    shown = panels(figure(panel(x=Axis("Width", "linear", (4, 8)), heat=own)))[0]["data"][0]
    assert not shown["showscale"]
    assert [color for _, color in shown["colorscale"]] == [*["#ff0000"] * 2, *["#00ff00"] * 2]


def test_categories_have_a_place_each_with_their_names():
    axis = Axis("Batch norm", "category", (False, True), ("off", "on"))
    made = figure(panel(curve(x=(0, 1)), x=axis))
    own = panels(made)[0]["layout"]["xaxis"]
    assert (own["tickvals"], own["ticktext"], own["range"]) == ([0, 1], ["off", "on"], [-0.5, 1.5])
    assert traces(made)[0]["customdata"][1][1] == "on"


def test_zero_on_a_logarithmic_axis_stands_left_of_a_break():
    axis = Axis("Epochs", "log", (0, 1, 10, 1000))
    own = layout(panel(curve(x=tuple(axis.place((0, 1, 10)))), x=axis))
    x = own["xaxis"]
    assert x["type"] == "log"
    assert x["ticktext"] == ["0", "1", "10", "100", "1\u2009000"]
    assert x["tickvals"][0] == pytest.approx(axis.zero, rel=1e-5)
    assert x["range"][0] < np.log10(axis.zero) < own["annotations"][0]["x"] < 0
    assert own["annotations"][0]["text"] == "//"


@pytest.mark.parametrize(
    ("levels", "names"),
    [
        ((20, 21, 30, 40, 50), ["20", "30", "40", "50"]),
        ((0.5, 1, 10, 99), ["1", "10"]),
        (
            (1e-4, 1e-3, 0.1),
            ["10<sup>\u22124</sup>", "10<sup>\u22123</sup>", "10<sup>\u22122</sup>"],
        ),
    ],
)
def test_a_logarithmic_axis_has_powers_of_ten_or_its_levels(levels, names):
    own = layout(panel(curve(x=levels[:3]), x=Axis("Rate", "log", levels)))
    assert own["xaxis"]["ticktext"][: len(names)] == names


def test_the_vertical_axis_keeps_to_its_limits_its_ticks_and_what_fractions_can_be():
    assert layout(panel(curve(), y=Vertical("y", limits=(0.25, None))))["yaxis"]["range"][0] == 0.25
    wide = curve(low=np.full(3, -3.0), high=np.full(3, 4.0))
    assert layout(panel(wide))["yaxis"]["range"] == [-0.05, 1.05]
    ticked = layout(panel(curve(), y=Vertical("y", ticks=((0.5, "half"),))))["yaxis"]
    assert (ticked["tickvals"], ticked["ticktext"]) == ([0.5], ["half"])
    log = layout(panel(wide, y=Vertical("y", "log")))["yaxis"]
    assert log["range"] == pytest.approx(np.log10(log_ends()), abs=0.05)


def log_ends():
    """An interval down to below zero takes no room from the means."""
    return SUMMARY["mean"].min(), SUMMARY["mean"].max()


@pytest.mark.parametrize(("share", "same"), [("none", 3), ("row", 2), ("all", 1)])
def test_panels_share_their_vertical_range(share, same):
    high = [panel(curve(y=SUMMARY["mean"].to_numpy() + k)) for k in range(3)]
    made = figure((high[0], high[1]), (high[2],), share_y=share)
    ranges = {tuple(each["layout"]["yaxis"]["range"]) for each in panels(made)}
    assert len(ranges) == same
    assert [len(row["panels"]) for row in made["rows"]] == [2, 1]
    assert [row["columns"] for row in made["rows"]] == [2, 2], "the last one does not stretch"
    assert interactive.heights(made) == (2 * 330, 3 * 330)


def test_labels_are_data_for_plotly():
    name = "<b>50</b> %{y} & more"
    made = figure(panel(curve(name), y=Vertical(name), x=replace(X, label=name)))
    plain = "&lt;b&gt;50&lt;/b&gt; %&#123;y} &amp; more"
    (shown,) = traces(made)
    assert shown["hovertemplate"].startswith(f"<b>{plain}</b><br>{plain}: ")
    own = panels(made)[0]["layout"]
    assert (own["xaxis"]["title"]["text"], own["yaxis"]["title"]["text"]) == (plain, plain)


def test_a_ring_a_note_and_equal_units():
    made = figure(panel(curve(), ringed=8.0, note="rho 0.3", equal=True))
    assert traces(made)[0]["marker"]["line"]["width"] == [0, 1.4, 0]
    own = panels(made)[0]["layout"]
    assert own["annotations"][0]["text"] == "rho 0.3"
    assert own["yaxis"]["scaleanchor"] == "x"


def test_legends_keep_their_headings_and_looks():
    made = figure(panel(curve()), legends=(Legend("Width", (Entry("8", BLUE),)),))
    (legend,) = made["legends"]
    assert legend["title"] == "Width"
    look = {"color": "#0072b2", "symbol": "D", "dash": "solid", "filled": True}
    assert legend["entries"] == [{"label": "8", "mark": "line", **look}]


def test_too_many_single_seeds_are_left_out(monkeypatch):
    monkeypatch.setattr(seeds, "MOST_SEED_VALUES", 8)
    assert figure(panel(curve()))["points"]["values"] is None


def test_seeds_that_are_not_there_are_none():
    table = TABLE.drop(index=0)
    points = figure(panel(curve()), table=table)["points"]
    assert (points["first"][0], points["last"][0]) == (1, 2)
    assert points["values"][0][0] is None
    assert points["values"][0][1] is not None
