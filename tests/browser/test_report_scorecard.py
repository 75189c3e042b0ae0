"""The scorecard is filtered, sorted and downloaded; so are the numbers of the studies."""

import csv
import io
import itertools
import re
from pathlib import Path

import pandas as pd
import pytest

pytestmark = pytest.mark.browser

# The text of the cells of all rows that are shown.
ROWS = """all => all.filter(each => each.checkVisibility())
    .map(row => Array.from(row.cells, cell => cell.textContent.trim()))"""
EMPTY = ("", "-", "\N{EN DASH}", "\N{EM DASH}")
NUMBER = re.compile(r"^[-+±]?(\d[\d,]*\.?\d*|\.\d+)(e[-+]?\d+)?")


@pytest.fixture(scope="module")
def scores(shared_page):
    return Scores(shared_page)


@pytest.fixture(autouse=True)
def _quiet(page, scores):
    """The page does not complain, and a test leaves no filter behind."""
    yield
    scores.clear()


class Scores:
    """The table of the scorecard, its filters and its headings."""

    def __init__(self, page):
        self.page = page
        self.headings = page.locator("table#scores thead th")
        self.columns = [text.strip().lower() for text in self.headings.all_text_contents()]

    def rows(self):
        return self.page.locator("table#scores tbody tr").evaluate_all(ROWS)

    def kept(self, name):
        """What the rows that are shown say of their paper, source or verdict."""
        rows = self.page.locator(f"table#scores tbody tr:not([hidden])[data-{name}]")
        return tuple(
            set(rows.evaluate_all("(all, key) => all.map(each => each.dataset[key])", name))
        )

    def count(self):
        said = self.page.locator("output#scores-count").text_content()
        return int(re.search(r"\d[\d,]*", said)[0].replace(",", ""))

    def choices(self, name):
        """The values of a filter, without the first one, which is all."""
        options = self.page.locator(f"select#filter-{name} option")
        return options.evaluate_all("all => all.map(each => each.value)")[1:]

    def choose(self, name, value):
        self.page.locator(f"select#filter-{name}").select_option(value)

    def write(self, text):
        self.page.locator("input#filter-text").fill(text)

    def clear(self):
        self.write("")
        for name in ("paper", "source", "verdict"):
            self.page.locator(f"select#filter-{name}").select_option(index=0)


def test_it_has_rows_and_counts_them(scores):
    rows = scores.rows()
    assert rows
    assert scores.count() == len(rows)
    assert {len(row) for row in rows} == {len(scores.columns)}


@pytest.mark.parametrize("name", ["paper", "source", "verdict"])
def test_a_filter_divides_the_rows(scores, name):
    everything, parts = scores.rows(), []
    for value in scores.choices(name):
        scores.choose(name, value)
        rows = scores.rows()
        assert rows or name == "verdict", value
        assert scores.count() == len(rows)
        assert scores.kept(name) in ((value,), ())
        assert name != "verdict" or all(row[-1].startswith(value) for row in rows)
        parts.append(rows)
    assert parts
    assert sorted(itertools.chain.from_iterable(parts)) == sorted(everything)


def test_text_filters_whatever_its_case(scores):
    everything = scores.rows()
    word = max(re.findall(r"[a-z]{4,}", " ".join(everything[0])), key=len)
    scores.write(word.upper())
    expected = [row for row in everything if any(word in cell.lower() for cell in row)]
    scores.page.wait_for_timeout(300)
    assert scores.rows() == expected
    assert scores.count() == len(expected)


def test_text_that_is_nowhere_leaves_nothing_and_says_so(scores):
    scores.write("no such words")
    scores.page.wait_for_timeout(300)
    assert scores.rows() == []
    assert scores.count() == 0


def test_filters_add_up(scores):
    paper, verdict = scores.choices("paper")[0], scores.choices("verdict")[0]
    scores.choose("paper", paper)
    of_paper = scores.rows()
    scores.choose("verdict", verdict)
    both = scores.rows()
    scores.choose("paper", "")
    of_verdict = scores.rows()
    assert sorted(both) == sorted(row for row in of_paper if row in of_verdict)


def test_the_count_is_told_to_who_does_not_see_it(page):
    role = page.locator("output#scores-count").evaluate(
        "each => each.getAttribute('role') ?? (each.tagName === 'OUTPUT' ? 'status' : '')"
    )
    assert role == "status"


def test_every_column_sorts_up_and_down(scores):
    everything = sorted(scores.rows())
    for place, column in enumerate(scores.columns):
        heading = scores.headings.nth(place)
        before = scores.rows()
        heading.locator("button").click()
        assert heading.get_attribute("aria-sort") in ("ascending", "descending"), column
        first, direction = scores.rows(), heading.get_attribute("aria-sort")
        heading.locator("button").click()
        second, other = scores.rows(), heading.get_attribute("aria-sort")
        assert {direction, other} == {"ascending", "descending"}, column
        assert sorted(first) == sorted(second) == everything, before
        sorting = scores.page.locator("table#scores th[aria-sort$=ending]").count()
        assert sorting == 1, "one column at a time"
        up, down = (first, second) if direction == "ascending" else (second, first)
        check_order([row[place] for row in up], column)
        check_order([row[place] for row in down][::-1], column)


def check_order(cells, column):
    """The cells ascend: numbers as numbers, and equal texts side by side."""
    filled = [cell for cell in cells if number(cell) is not None or cell not in EMPTY]
    values = [number(cell) for cell in filled]
    if filled and None not in values:
        assert values == sorted(values), column
    else:
        runs = [key for key, _ in itertools.groupby(filled)]
        assert len(runs) == len(set(runs)), column


def number(text):
    """The number that a cell begins with."""
    found = NUMBER.match(text.replace("\N{MINUS SIGN}", "-"))
    return float(found[0].replace(",", "").lstrip("±")) if found else None


def test_sorting_reaches_the_keyboard(scores):
    place = scores.columns.index("published")
    button = scores.headings.nth(place).locator("button")
    button.focus()
    before = scores.headings.nth(place).get_attribute("aria-sort")
    scores.page.keyboard.press("Enter")
    assert scores.headings.nth(place).get_attribute("aria-sort") != before


def test_totals_stand_under_the_scorecard(page):
    assert page.locator("section#scorecard table#totals tbody tr").count() > 0


def download(page, button):
    """Click on a button; the name and the content of the file that comes."""
    with page.expect_download() as coming:
        button.click()
    return coming.value.suggested_filename, Path(coming.value.path()).read_bytes()


def test_the_scorecard_is_downloaded_as_it_is_shown(scores):
    name, content = download(scores.page, scores.page.locator("[data-download=scorecard]"))
    head, *rows = csv.reader(io.StringIO(content.decode()))
    assert name.endswith(".csv")
    assert len(rows) == len(scores.rows())
    assert {len(row) for row in rows} == {len(head)}


def test_every_study_gives_its_summary(page, report):
    buttons = page.locator("[data-download=csv]")
    assert buttons.count() == page.locator("article.study:has(.chart)").count()
    for button in buttons.all():
        study = button.get_attribute("data-study")
        name, content = download(page, button)
        assert study in name
        assert name.endswith(".csv")
        got = pd.read_csv(io.BytesIO(content))
        expected = pd.read_csv(report.parent / f"tables/{study}.summary.csv")
        assert list(got.columns) == list(expected.columns)
        assert len(got) == len(expected)


def test_every_study_gives_its_figure(page):
    buttons = page.locator("[data-download=pdf]")
    assert buttons.count() == page.locator("article.study").count()
    for button in buttons.all():
        name, content = download(page, button)
        assert button.get_attribute("data-study") in name
        assert name.endswith(".pdf")
        assert content.startswith(b"%PDF")
        assert b"%%EOF" in content[-32:]
