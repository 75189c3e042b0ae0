"""Every chart of the report is drawn, answers the mouse and obeys its controls."""

import io
import re

import browsing
import pytest
from PIL import Image
from plots import Plot
from provenances import check_and_close, opened

pytestmark = pytest.mark.browser

DRAWN = "chart => chart.querySelectorAll('.plot .trace, .plot .hm image, .plot canvas').length"


@pytest.fixture
def plots(page):
    return [Plot(page, study) for study in browsing.draw_all(page)]


def test_every_chart_is_that_of_its_study(plots, report):
    assert plots
    for plot in plots:
        assert plot.chart.locator(f"xpath=ancestor::article[@id='study-{plot.study}']").count() == 1
        assert (report.parent / f"tables/{plot.study}.summary.csv").is_file()


def test_every_chart_is_drawn(plots):
    assert {plot.study: 0 for plot in plots if not plot.chart.evaluate(DRAWN)} == {}
    empty = {plot.study: 0 for plot in plots if not plot.state()["points"]}
    assert empty == {}


def test_no_drawing_is_blank(plots):
    colours = {}
    for plot in plots:
        browsing.show(plot.chart.locator(".plot"))
        picture = Image.open(io.BytesIO(plot.chart.locator(".plot").screenshot()))
        colours[plot.study] = len(picture.convert("RGB").getcolors(picture.width * picture.height))
    assert {name: count for name, count in colours.items() if count < 30} == {}


def test_every_chart_is_named(plots):
    names = [plot.chart.locator(".plot").get_attribute("aria-label") for plot in plots]
    assert all(name and len(name) > 10 for name in names)
    assert len(set(names)) == len(names)


def test_points_say_mean_interval_and_number_of_seeds(plots):
    labels = {plot.study: [each[2] for each in plot.hover()] for plot in plots if plot.is_flat()}
    assert labels
    assert {name for name, said in labels.items() if not said} == set()
    silent = {
        name: said for name, said in labels.items() if not any(says_enough(each) for each in said)
    }
    assert silent == {}


def says_enough(label):
    number = r"\d[\d.,]*"
    return all(
        re.search(pattern, label, re.IGNORECASE)
        for pattern in (number, r"mean|±", r"interval|±|95\s*%", r"\bn\b\D{0,3}\d|\d+ seeds?\b")
    )


def test_a_click_on_a_point_shows_where_it_comes_from(page, plots):
    silent = []
    for plot in (each for each in with_runs(plots) if each.is_flat()):
        for x, y, _ in plot.hover():
            page.mouse.click(x, y)
            if opened(page):
                check_and_close(page)
                break
        else:
            silent.append(plot.study)
    assert silent == []


def with_runs(plots):
    """The charts whose points are of one run: they can also be chosen from a list."""
    found = [each for each in plots if each.controls("select[data-control=point]").count()]
    assert found
    return found


def test_whoever_cannot_click_chooses_a_point_with_the_keyboard(page, plots):
    for plot in with_runs(plots):
        points = plot.controls("select[data-control=point]")
        points.focus()
        page.keyboard.press("ArrowDown")
        assert points.input_value() != "", plot.study
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        check_and_close(page)


def test_chips_take_lines_away_and_bring_them_back(plots):
    used = 0
    for plot in plots:
        for chip in first_of_each_dimension(plot):
            before, without = plot.use(chip)
            assert without["points"] < before["points"], plot.study
            assert plot.use(chip)[1] == before, plot.study
            used += 1
    assert used


def first_of_each_dimension(plot):
    """A chip of every dimension that has another one."""
    chips = plot.controls("[data-dimension][data-value]")
    names = chips.evaluate_all("all => all.map(each => each.dataset.dimension)")
    return [chips.nth(names.index(name)) for name in dict.fromkeys(names) if names.count(name) > 1]


def test_seeds_can_be_shown_one_by_one(plots):
    toggled = {}
    for plot in plots:
        control = plot.controls("[data-control=seeds]")
        if control.count() and control.is_enabled():
            toggled[plot.study] = plot.use(control)
            assert plot.use(control)[1] == toggled[plot.study][0], plot.study
    assert toggled
    few = [name for name, (off, on) in toggled.items() if on["points"] <= off["points"]]
    assert few == []


def test_the_axis_becomes_logarithmic_and_linear_again(plots):
    used = 0
    for plot in plots:
        box = plot.controls("[data-control=log-x]")
        if box.count() and box.is_enabled():
            before, after = plot.use(box)
            assert ("log" in before["x_axes"]) != ("log" in after["x_axes"]), plot.study
            assert plot.use(box)[1] == before, plot.study
            used += 1
    assert used


def test_published_values_can_be_hidden(plots):
    for plot in plots:
        box = plot.controls("[data-control=published]")
        if box.count() and box.is_enabled():
            shown = box.is_checked()
            before, after = plot.use(box)
            assert (after["points"] < before["points"]) == shown, plot.study
            assert plot.use(box)[1] == before, plot.study


def test_choices_draw_something_else(plots):
    for plot in plots:
        for choice in plot.controls("select[data-control=choice]").all():
            values = choice.evaluate("each => [...each.options].map(option => option.value)")
            chosen, before = choice.input_value(), plot.state()
            other = next((value for value in values if value != chosen), None)
            if other is not None:
                choice.select_option(other)
                assert plot.changed(before) != before, plot.study
                now = plot.state()
                choice.select_option(chosen)
                assert plot.changed(now) == before, plot.study


def test_every_control_has_a_name_and_can_be_reached_with_the_keyboard(plots):
    for plot in plots:
        for control in plot.controls("input, select, button").all():
            name = control.evaluate(
                "each => (each.labels?.[0] ?? each).textContent.trim() || each.ariaLabel || ''"
            )
            assert name, plot.study
            if control.is_enabled():
                control.focus()
                assert control.evaluate("each => each === document.activeElement"), plot.study


def test_a_chip_obeys_the_space_bar(page, plots):
    plot, chip = next((plot, chip) for plot in plots for chip in first_of_each_dimension(plot))
    before = plot.state()
    chip.focus()
    page.keyboard.press("Space")
    without = plot.changed(before)
    assert without["points"] < before["points"]
    page.keyboard.press("Space")
    assert plot.changed(without) == before
