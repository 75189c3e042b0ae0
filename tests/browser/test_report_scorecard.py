"""The scorecard filters and sorts, and the report gives its files away."""

import csv
import io
import itertools
import re
from pathlib import Path

import pandas as pd
import pytest

pytestmark = pytest.mark.browser

FILTERS = ("paper", "source", "verdict")
# The text of the cells of all rows that are shown.
ROWS = """all => all.filter(each => each.checkVisibility())
    .map(row => Array.from(row.cells, cell => cell.textContent.trim()))"""
EMPTY = ("", "-", "\N{EN DASH}", "\N{EM DASH}")
NUMBER = re.compile(r"^[-+±]?(\d[\d,]*\.?\d*|\.\d+)(e[-+]?\d+)?")


class Scores:
    """The table of the scorecard, its filters and its headings."""

    def __init__(self, page):
        self.page = page
        self.body = page.locator("table#scores tbody tr")
        self.headings = page.locator("table#scores thead th")

    def rows(self):
        return self.body.evaluate_all(ROWS)

    def count(self):
        """What is told, also to those who do not see it."""
        return int(re.match(r"\d+", self.page.locator("output#scores-count").text_content())[0])

    def choices(self, name):
        """The values of a filter, without the first one, which is all."""
        options = self.page.locator(f"select#filter-{name} option")
        return options.evaluate_all("all => all.map(each => each.value)")[1:]

    def choose(self, name, value):
        self.page.locator(f"select#filter-{name}").select_option(value)
        return self.rows()

    def write(self, text):
        self.page.locator("input#filter-text").fill(text)
        self.page.wait_for_timeout(300)
        return self.rows()


@pytest.fixture
def scores(page):
    """The scorecard, in which a test leaves no filter behind."""
    made = Scores(page)
    yield made
    made.write("")
    for name in FILTERS:
        page.locator(f"select#filter-{name}").select_option(index=0)


@pytest.mark.parametrize("name", FILTERS)
def test_a_filter_divides_the_rows_and_they_are_counted(scores, name):
    everything, parts = scores.rows(), []
    assert everything
    assert scores.count() == len(everything)
    for value in scores.choices(name):
        rows = scores.choose(name, value)
        assert rows or name == "verdict", value
        assert scores.count() == len(rows)
        assert name != "verdict" or all(row[-1].startswith(value) for row in rows)
        parts.append(rows)
    assert sorted(itertools.chain.from_iterable(parts)) == sorted(everything)


def test_filters_add_up(scores):
    paper, verdict = scores.choices("paper")[0], scores.choices("verdict")[0]
    of_paper = scores.choose("paper", paper)
    both = scores.choose("verdict", verdict)
    of_verdict = scores.choose("paper", "")
    assert sorted(both) == sorted(row for row in of_paper if row in of_verdict)


def test_text_filters_whatever_its_case_and_what_is_nowhere_leaves_nothing(scores):
    everything = scores.rows()
    word = max(re.findall(r"[a-z]{4,}", " ".join(everything[0])), key=len)
    expected = [row for row in everything if any(word in cell.lower() for cell in row)]
    assert scores.write(word.upper()) == expected
    assert scores.count() == len(expected)
    assert scores.write("no such words") == []
    assert scores.count() == 0


def test_every_column_sorts_up_and_down_by_click_and_by_key(scores):
    everything = sorted(scores.rows())
    for place, heading in enumerate(scores.headings.all()):
        seen = {}
        for way in ("click", "key"):
            heading.locator("button").focus()
            if way == "click":
                heading.locator("button").click()
            else:
                scores.page.keyboard.press("Enter")
            rows = scores.rows()
            assert sorted(rows) == everything
            seen[heading.get_attribute("aria-sort")] = [row[place] for row in rows]
            assert scores.page.locator("table#scores th[aria-sort$=ending]").count() == 1
        assert set(seen) == {"ascending", "descending"}
        assert_ascending(seen["ascending"])
        assert_ascending(seen["descending"][::-1])


def assert_ascending(cells):
    """The cells ascend: numbers as numbers, and equal texts side by side."""
    filled = [cell for cell in cells if number(cell) is not None or cell not in EMPTY]
    values = [number(cell) for cell in filled]
    if filled and None not in values:
        assert values == sorted(values)
    else:
        runs = [key for key, _ in itertools.groupby(filled)]
        assert len(runs) == len(set(runs))


def number(text):
    """The number that a cell begins with."""
    found = NUMBER.match(text.replace("\N{MINUS SIGN}", "-"))
    return float(found[0].replace(",", "").lstrip("±")) if found else None


def download(page, button):
    """Click on a button; the name and the content of the file that comes."""
    with page.expect_download() as coming:
        button.click()
    return coming.value.suggested_filename, Path(coming.value.path()).read_bytes()


def test_the_scorecard_is_downloaded_as_it_is_shown(scores):
    name, content = download(scores.page, scores.page.locator("[data-download=scorecard]"))
    _, *rows = csv.reader(io.StringIO(content.decode()))
    assert name.endswith(".csv")
    assert len(rows) == len(scores.rows())
    assert scores.page.locator("section#scorecard table#totals tbody tr").count() > 0


def test_every_study_gives_its_summary_and_its_figure(page, report):
    studies = page.locator("article.study").count()
    buttons = page.locator("[data-download=csv]")
    assert buttons.count() == page.locator("article.study:has(.chart)").count()
    for button in buttons.all():
        study = button.get_attribute("data-study")
        name, content = download(page, button)
        assert name == f"{study}.summary.csv"
        got = pd.read_csv(io.BytesIO(content))
        pd.testing.assert_frame_equal(got, pd.read_csv(report.parent / f"tables/{name}"))
    buttons = page.locator("[data-download=pdf]")
    assert buttons.count() == studies
    for button in buttons.all():
        name, content = download(page, button)
        assert name == f"{button.get_attribute('data-study')}.pdf"
        assert content.startswith(b"%PDF")
        assert b"%%EOF" in content[-32:]
