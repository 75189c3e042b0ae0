"""The report fits windows of three widths, can be printed, and everybody can read it."""

import io
import json

import browsing
import pytest
from PIL import Image, ImageStat

pytestmark = pytest.mark.browser

TEXTS = "h1, h2, h3, h4, p, li, dt, dd, figcaption, summary, label, button, select, td, th, output"
# Text that is wider than its box, or that lies beyond the window without a way to scroll to it.
TOO_WIDE = """selector => {
  const scrolls = each => /auto|scroll/.test(getComputedStyle(each).overflowX);
  const scrolled = each => { for (let up = each.parentElement; up; up = up.parentElement)
    if (up !== document.body && up !== document.documentElement && scrolls(up)) return true;
    return false; };
  const wrong = [];
  for (const each of document.querySelectorAll(selector)) {
    if (!each.checkVisibility() || each.closest('.plot, .skip, .hidden')) continue;
    const style = getComputedStyle(each), box = each.getBoundingClientRect();
    if (!box.width || style.display === 'inline') continue;
    const name = `${each.tagName} ${each.textContent.trim().slice(0, 40)}`;
    if (!scrolls(each) && each.scrollWidth > each.clientWidth + 1 && each.clientWidth)
      wrong.push(`${name}: ${each.scrollWidth} in ${each.clientWidth}`);
    if (box.right > innerWidth + 1 && !scrolled(each))
      wrong.push(`${name}: ends at ${Math.round(box.right)}`);
  }
  return wrong.slice(0, 20);
}"""
BLOCKS = "section:not(.paper), article.study"
TALLEST = 6000
CONTROLS = ("#theme", "nav#contents", ".controls", ".downloads", "#filter-text")
RULES = ["wcag2a", "wcag2aa", "best-practice"]
AXE = """async ([source, rules]) => {
  if (!window.axe) (0, eval)(source);
  const root = document.querySelector('dialog[open]') ?? document;
  const options = {runOnly: rules, resultTypes: ['violations']};
  return (await axe.run(root, options)).violations.map(each => ({
    id: each.id, impact: each.impact, help: each.help, count: each.nodes.length,
    nodes: each.nodes.slice(0, 3).map(node => `${node.target} ${node.failureSummary}`),
  }));
}"""


@pytest.fixture(scope="module", params=browsing.WIDTHS)
def visits_of_width(request, chromium, report):
    visits = browsing.Visits(chromium, report)
    page = visits.open(width=request.param)
    browsing.draw_all(page)
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    page.locator("#contents-menu").evaluate(
        "(each, narrow) => { each.open = !narrow; }", request.param < 700
    )
    yield visits, page, request.param
    visits.close()


@pytest.fixture
def sized(visits_of_width):
    """The report in windows of three widths, with all charts drawn and all details open."""
    visits, page, width = visits_of_width
    yield page, width
    assert visits.said() == []


def test_the_page_does_not_scroll_sideways(sized):
    page, width = sized
    assert page.evaluate("document.scrollingElement.scrollWidth") <= width
    page.evaluate("scrollTo(200, scrollY)")
    assert page.evaluate("scrollX") == 0


def test_text_stays_in_its_box(sized):
    page, _ = sized
    assert page.evaluate(TOO_WIDE, TEXTS) == []


def test_charts_are_as_wide_as_their_place(sized):
    page, _ = sized
    for plot in page.locator(".chart .plot").all():
        outer, inner = plot.bounding_box(), plot.locator("svg.main-svg").first.bounding_box()
        assert outer["x"] - 1 <= inner["x"]
        assert inner["x"] + inner["width"] <= outer["x"] + outer["width"] + 1


def test_no_section_is_blank(sized, keep):
    page, width = sized
    names = page.eval_on_selector_all(BLOCKS, "all => all.map(each => each.id)")
    assert len(names) > 3
    blank = {}
    for name in names:
        picture = taken(page, name)
        keep(f"{width}-{name}", picture)
        image = Image.open(io.BytesIO(picture)).convert("RGB")
        colours = len(image.getcolors(image.width * image.height))
        spread = max(ImageStat.Stat(image).stddev)
        if colours < 20 or spread < 5:
            blank[name] = (colours, spread)
    assert blank == {}


def taken(page, name):
    """A picture of a section, of a long one its beginning."""
    block = page.locator(f"#{name}")
    box = block.bounding_box()
    if box["height"] <= TALLEST:
        return block.screenshot(animations="disabled")
    block.evaluate("each => each.scrollIntoView({behavior: 'instant'})")
    return page.screenshot(animations="disabled")


def test_it_can_be_printed(visit):
    page = visit()
    browsing.show(page.locator(".chart").first)
    page.locator(".controls").first.wait_for()
    page.emulate_media(media="print")
    shown = [each for each in CONTROLS if page.locator(each).first.is_visible()]
    assert shown == []
    assert page.locator("figure.static > img").first.is_visible()
    assert page.locator("table#scores").is_visible()
    printed = page.pdf()
    assert printed.startswith(b"%PDF")
    assert len(printed) > 30_000
    assert printed.count(b"/Type /Page") > 2


def test_a_dark_page_prints_on_white(visit):
    page = visit(color_scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    assert browsing.lightness(page) > 0.97


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_barrier(visit, axe, scheme):
    page = visit(color_scheme=scheme)
    browsing.draw_all(page)
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    assert barriers(page, axe) == []
    page.locator("button.provenance").first.click()
    assert barriers(page, axe) == []


def barriers(page, axe):
    found = page.evaluate(AXE, [axe, RULES])
    return [json.dumps(each) for each in found if each["impact"] in ("serious", "critical")]
