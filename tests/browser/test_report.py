"""The report opens from a file without a network, and is built as a page should be."""

import itertools

import pytest

pytestmark = pytest.mark.browser

MEGABYTE = 2**20
LARGEST = 8 * MEGABYTE
CSV, PDF = (f"ul.downloads button[data-download={each}]" for each in ("csv", "pdf"))


def test_it_is_one_small_file(report):
    assert report.stat().st_size < LARGEST


def test_it_opens_without_a_network_and_without_a_complaint(visit):
    page = visit()
    assert page.locator("html").get_attribute("data-ready") == "true"
    assert float(page.locator("html").get_attribute("data-ready-ms")) > 0
    page.wait_for_timeout(300)  # for what begins only then


def test_no_dialogue_of_the_browser_ever_opens(visit):
    page = visit()
    page.locator("button#theme").click()
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    page.goto("about:blank")  # a page may ask before it is left


def test_it_is_built_as_a_page_should_be(page):
    assert len(page.title()) > 10
    assert page.locator("html").get_attribute("lang") == "en"
    for role in ("banner", "main"):
        assert page.get_by_role(role).count() == 1, role
    assert page.get_by_role("navigation", name="Contents").count() == 1
    levels = page.eval_on_selector_all(
        ":is(h1, h2, h3, h4, h5, h6):not(dialog *)",
        "all => all.map(each => Number(each.tagName[1]))",
    )
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    ids = page.eval_on_selector_all("[id]", "all => all.map(each => each.id)")
    assert len(ids) == len(set(ids))
    links = page.eval_on_selector_all("a[href^='#']", "all => all.map(each => each.hash.slice(1))")
    assert set(links) <= set(ids)


def test_every_picture_is_described_by_the_headline_that_stands_beside_it(page):
    texts = page.eval_on_selector_all("img", "all => all.map(each => each.alt)")
    assert texts
    assert [each for each in texts if len(each.strip()) <= 20] == []
    headlines = page.locator("p.headline").all_text_contents()
    assert headlines == page.eval_on_selector_all(
        "article.study:has(.chart) img", "all => all.map(each => each.alt)"
    )


def test_every_study_has_all_its_parts(page):
    parts = ["h3", "p.question", "figure.static > img", "figure.static figcaption", PDF]
    assert missing(page, "article.study", parts) == []
    parts = ["div.numbers table", "details.recipe", "details.runs button.provenance", CSV]
    assert missing(page, "article.study:has(.chart)", parts) == []
    assert missing(page, "article.study:has(.numbers)", ["div.chart"]) == []


def missing(page, selector, parts):
    return page.eval_on_selector_all(
        selector,
        """(all, parts) => all.flatMap(each => parts.filter(part => !each.querySelector(part))
            .map(part => `${each.id}: ${part}`))""",
        parts,
    )


def test_every_question_ends_with_its_mark(page):
    questions = page.locator("p.question").all_text_contents()
    assert questions
    assert [each for each in questions if not each.strip().endswith("?")] == []


def test_without_javascript_it_still_shows_figures_numbers_and_scorecard(visit):
    page = visit(java_script_enabled=False)
    assert page.locator("html").get_attribute("data-ready") is None
    for selector in ("h1", "article.study h3", "div.numbers td", "table#scores tbody td"):
        assert page.locator(selector).first.is_visible(), selector
    pictures = page.locator("figure.static > img")
    assert pictures.count() == page.locator("article.study").count()
    for picture in pictures.all():
        picture.scroll_into_view_if_needed()
        box = picture.bounding_box()
        assert box["width"] > 100, picture
        assert box["height"] > 50, picture
    widths = pictures.evaluate_all("all => all.map(each => each.naturalWidth)")
    assert min(widths) > 100
