"""Finding one's way in the report: contents, links, keyboard, themes."""

import browsing
import pytest
from provenances import DIALOG, check_and_close, opened

pytestmark = pytest.mark.browser

# Whether an element's text can be seen: in the window, and nothing lies over it.
SEEN = """each => {
  const box = each.getBoundingClientRect();
  const x = box.left + Math.min(box.width / 2, 20), y = box.top + box.height / 2;
  const top = document.elementFromPoint(x, y);
  return top !== null && (each.contains(top) || top.contains(each));
}"""
CURRENT = "#contents a[aria-current=true]"
AT_REST = """async () => {
  let last = -1;
  while (scrollY !== last) { last = scrollY; await new Promise(go => setTimeout(go, 250)); }
}"""


def studies(page, kind=""):
    return page.eval_on_selector_all(f"article.study{kind}", "all => all.map(each => each.id)")


@pytest.mark.parametrize("which", ["middle", -1])
def test_a_link_to_a_study_shows_it(visit, page, which):
    names = studies(page)
    name = names[len(names) // 2 if which == "middle" else which]
    linked = visit(fragment=name)
    linked.evaluate(AT_REST)
    heading = linked.locator(f"#{name} h3")
    assert heading.evaluate(SEEN)
    if which != -1:  # the last one may be shorter than the window
        assert heading.bounding_box()["y"] < 450
    links = linked.locator(CURRENT).evaluate_all("all => all.map(each => each.hash)")
    assert links == [f"#{name}"]


def test_the_contents_list_every_section_and_study(page):
    links = page.locator("#contents a").evaluate_all("all => all.map(each => each.hash.slice(1))")
    assert {"run", "scorecard", "defects", *studies(page)} <= set(links)
    assert len(links) == len(set(links))


def test_the_contents_follow_and_stay_in_view(visit):
    page = visit(width=1024, height=700)
    for name in studies(page)[1:]:
        page.locator(f"#{name}").evaluate("each => each.scrollIntoView({behavior: 'instant'})")
        page.wait_for_timeout(250)
        assert page.locator(CURRENT).evaluate(SEEN), name
        if page.evaluate("innerHeight + scrollY < document.documentElement.scrollHeight - 5"):
            assert page.locator(CURRENT).get_attribute("href") == f"#{name}"


def test_a_link_of_the_contents_leads_to_its_study(visit):
    page = visit(width=1024, height=700)
    name = studies(page)[-1]
    page.locator(f"#contents a[href='#{name}']").click()
    page.evaluate(AT_REST)
    assert page.locator(f"#{name} h3").evaluate(SEEN)


def test_a_narrow_window_keeps_the_contents_in_a_menu(visit):
    page = visit(width=390, height=800)
    link = page.locator(f"#contents a[href='#{studies(page)[-1]}']")
    assert not link.is_visible()
    page.locator("#contents-menu > summary").click()
    link.click()
    page.evaluate(AT_REST)
    assert page.locator(f"#{studies(page)[-1]} h3").evaluate(SEEN)


def test_the_first_tab_skips_to_the_results(visit):
    page = visit()
    page.keyboard.press("Tab")
    skip = page.locator("a.skip")
    assert skip.evaluate("each => each === document.activeElement")
    assert skip.evaluate(SEEN)
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('main').contains(document.activeElement)")


def test_the_keyboard_alone_shows_where_a_number_comes_from(visit, page):
    name = studies(page)[0]
    linked = visit(fragment=name)
    linked.evaluate(AT_REST)
    tab_to(linked, f"#{name} details.runs > summary")
    linked.keyboard.press("Enter")
    tab_to(linked, f"#{name} button.provenance")
    linked.keyboard.press("Enter")
    check_and_close(linked)
    button = linked.locator(f"#{name} button.provenance").first
    assert button.evaluate("each => each === document.activeElement")


def tab_to(page, selector, most=150):
    """Press Tab until the focus is on an element, which it must show."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            break
    focused = page.locator(":focus")
    assert focused.evaluate("(each, selector) => each.matches(selector)", selector), "not reached"
    outline = focused.evaluate(
        "each => getComputedStyle(each).outlineStyle + getComputedStyle(each).boxShadow"
    )
    assert outline != "nonenone", "the focus can be seen"


def test_every_study_shows_where_its_runs_come_from(page):
    for name in studies(page, ":has(details.runs)"):
        page.locator(f"#{name} details.runs").evaluate("each => { each.open = true; }")
        button = page.locator(f"#{name} button.provenance").first
        button.click()
        assert opened(page)
        assert button.get_attribute("data-run") in page.locator(DIALOG).inner_text()
        check_and_close(page)
        page.locator(f"#{name} details.runs").evaluate("each => { each.open = false; }")


def test_the_command_can_be_copied(visit):
    page = visit(permissions=["clipboard-read", "clipboard-write"])
    page.locator("details.runs").first.evaluate("each => { each.open = true; }")
    page.locator("button.provenance").first.click()
    assert opened(page)
    command = page.locator(f"{DIALOG} code.command").first.inner_text()
    page.locator(DIALOG).get_by_role("button", name="Copy").first.click()
    page.wait_for_timeout(100)
    assert page.evaluate("navigator.clipboard.readText()") == command


@pytest.mark.parametrize(("scheme", "other"), [("light", "dark"), ("dark", "light")])
def test_the_theme_is_that_of_the_system_until_the_button_is_pressed(visit, scheme, other):
    page = visit(color_scheme=scheme)
    assert page.locator("html").get_attribute("data-theme") != other
    assert (browsing.lightness(page) < 0.5) == (scheme == "dark")
    label = page.locator("#theme").inner_text()
    for theme in (other, scheme):
        page.locator("#theme").click()
        page.wait_for_timeout(300)  # it may fade
        assert page.locator("html").get_attribute("data-theme") == theme
        assert (browsing.lightness(page) < 0.5) == (theme == "dark")
        assert (page.locator("#theme").inner_text() == label) == (theme == scheme)


def test_the_theme_needs_no_storage(visit):
    refused = "{ get() { throw new DOMException('refused', 'SecurityError'); } }"
    script = "".join(
        f"Object.defineProperty(window, '{name}', {refused});"
        for name in ("localStorage", "sessionStorage")
    )
    page = visit(prepare=lambda page: page.add_init_script(script), color_scheme="light")
    page.locator("#theme").click()
    assert page.locator("html").get_attribute("data-theme") == "dark"


def test_charts_stay_readable_in_the_dark(visit):
    page = visit(color_scheme="dark")
    browsing.show(page.locator(".chart").first)
    page.wait_for_selector(".chart[data-drawn=true]")
    paper = page.locator(".chart .plot").first.evaluate(
        "each => each.querySelector('.js-plotly-plot, .main-svg') && "
        "(each._fullLayout ?? each.querySelector('.js-plotly-plot')._fullLayout).paper_bgcolor"
    )
    assert paper.replace(" ", "") in ("#fff", "#ffffff", "white", "rgb(255,255,255)")
