"""Every chart of the report is drawn, answers the mouse and the keyboard, and leads to its runs."""

import io
import itertools
import re

import browsing
import pandas as pd
import pytest
from PIL import Image
from plots import Plot
from provenances import check_and_close, opened

pytestmark = pytest.mark.browser

MEAN = r"mean (\u2212?[\d.\u2009]+(?:e[\u2212+]?\d+)?)"


@pytest.fixture
def plots(page):
    return [Plot(page, study) for study in browsing.draw_all(page)]


def test_every_chart_is_drawn_in_its_study_with_a_name_of_its_own(plots, report):
    assert plots
    for plot in plots:
        assert plot.chart.locator(f"xpath=ancestor::article[@id='study-{plot.study}']").count() == 1
        assert (report.parent / f"tables/{plot.study}.summary.csv").is_file()
        assert plot.state()["points"], plot.study
        browsing.show(plot.chart.locator(".plot").first)
        picture = Image.open(io.BytesIO(plot.chart.locator(".plot").first.screenshot()))
        colours = picture.convert("RGB").getcolors(picture.width * picture.height)
        assert len(colours) >= 30, f"{plot.study} is blank"
    names = [plot.chart.locator(".panels").get_attribute("aria-label") for plot in plots]
    assert all(len(name) > 10 for name in names)
    assert len(set(names)) == len(names)


def test_a_point_names_its_measure_and_leads_to_the_rows_of_the_table_behind_it(
    page, plots, report
):
    silent = []
    for plot in plots:
        for x, y, label in itertools.islice(plot.hover(), 12):
            page.mouse.click(x, y)
            if opened(page):
                assert_it_is_in_the_table(plot.study, label, check_and_close(page), report)
                break
        else:
            silent.append(plot.study)
    assert len(plots) > len(silent), silent
    # what is computed from many runs has no row of its own
    assert [name for name in silent if has_rows(plots, name)] == []


def has_rows(plots, name):
    return any(
        plot.controls("[data-control=point]").count() for plot in plots if plot.study == name
    )


def assert_it_is_in_the_table(study, label, origin, report):
    run, epoch, seeds = origin
    table = pd.read_csv(report.parent / f"tables/{study}.csv", dtype={"epoch": str})
    rows = table[(table["run"] == run) & (table["epoch"] == epoch)]
    assert len(rows), origin
    if not seeds:
        return
    keys = [name for name in rows if name not in ("seed", "value")]
    groups = [
        dict(zip(own["seed"], own["value"], strict=True))
        for _, own in rows.groupby(keys, dropna=False)
    ]
    same = [each for each in groups if same_values(each, seeds)]
    assert same, (study, origin)
    found = re.search(MEAN, label)
    if found is None:
        return  # a cell of a map
    assert re.search(r"95% interval: \S.*\nn = \d+", label), label
    said = float(found[1].replace("\u2212", "-").replace("\u2009", ""))
    mean = sum(seeds.values()) / len(seeds)
    # errors are shown as 1 minus the accuracy that was measured
    assert pytest.approx(said, rel=2e-3, abs=1e-6) in (mean, 1 - mean), label


def same_values(one, other):
    one = {seed: value for seed, value in one.items() if value == value}
    return set(one) == set(other) and all(
        other[seed] == pytest.approx(value, rel=1e-5) for seed, value in one.items()
    )


def test_whoever_cannot_click_chooses_a_point_with_the_keyboard(page, plots):
    used = 0
    for plot in plots:
        points = plot.controls("select[data-control=point]")
        if points.count():
            points.focus()
            page.keyboard.press("ArrowDown")
            assert points.input_value() != "", plot.study
            page.keyboard.press("Tab")
            page.keyboard.press("Enter")
            check_and_close(page)
            used += 1
    assert used


def test_entries_of_the_legend_take_curves_away_and_bring_them_back(page, plots):
    used = 0
    for plot in plots:
        for chip in plot.controls(".chips label:first-of-type [data-entry]").all():
            before, without = plot.use(chip)
            assert without["points"] < before["points"], plot.study
            chip.focus()
            page.keyboard.press("Space")
            assert plot.changed(without) == before, plot.study
            used += 1
    assert used


def test_seeds_can_be_shown_one_by_one(plots):
    toggles = [(plot, plot.controls("[data-control=seeds]")) for plot in plots]
    toggles = [(plot, control) for plot, control in toggles if control.count()]
    assert toggles
    for plot, control in toggles:
        off, on = plot.use(control)
        assert on["points"] > off["points"], plot.study
        assert plot.use(control)[1] == off, plot.study


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
