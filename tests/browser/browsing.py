"""A Chromium that opens one file, without a network, and remembers every complaint of the page."""

import contextlib
import importlib.util
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

OWN_SCHEMES = ("data:", "blob:", "about:blank")
WIDTHS = (390, 1024, 1920)
WAIT_MS = 20_000
LIGHTNESS = """() => {
  const of = each => getComputedStyle(each).backgroundColor.match(/[\\d.]+/g).map(Number);
  const body = of(document.body);
  const [red, green, blue] = body[3] === 0 ? of(document.documentElement) : body;
  return (red + green + blue) / 765;
}"""


def program() -> str | None:
    """The Chromium of NEURALCODES_CHROMIUM, or else the one on PATH."""
    return shutil.which(os.environ.get("NEURALCODES_CHROMIUM") or "chromium")


def missing() -> list[str]:
    """What has to be installed first."""
    absent = [] if program() else ["chromium (Debian package chromium, or NEURALCODES_CHROMIUM)"]
    if importlib.util.find_spec("playwright") is None:
        absent.append("playwright (make test-browser installs it)")
    return absent


@contextlib.contextmanager
def running() -> Iterator[Any]:
    """Start a Chromium without a window and end it."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program(), args=["--no-sandbox"])
        yield browser
        browser.close()


class Visits:
    """Pages that show the report; `complaints` is everything that none of them may do."""

    def __init__(self, browser: Any, report: Path) -> None:
        self.browser, self.report = browser, report
        self.address = report.as_uri()
        self.contexts: list[Any] = []
        self.complaints: list[str] = []

    def open(
        self,
        fragment: str = "",
        width: int = 1280,
        height: int = 900,
        prepare: Callable[[Any], object] | None = None,
        **options: Any,
    ) -> Any:
        """Open the report in a fresh browser profile and wait until its script has run.

        Args:
            fragment: what follows the # of its address.
            width: of the window in pixels, as `height`.
            prepare: what to do with the page before it opens the report.
            options: of the browser's context.
        """
        size = {"width": width, "height": height}
        context = self.browser.new_context(viewport=size, accept_downloads=True, **options)
        self.contexts.append(context)
        context.set_default_timeout(WAIT_MS)
        context.set_offline(True)
        self._listen(context)
        page = context.new_page()
        if prepare:
            prepare(page)
        page.goto(self.address + (f"#{fragment}" if fragment else ""))
        if options.get("java_script_enabled", True):
            page.wait_for_selector("html[data-ready=true]")
        return page

    def close(self) -> None:
        """Close all pages."""
        for context in self.contexts:
            context.close()
        self.contexts.clear()

    def said(self) -> list[str]:
        """The complaints since the last time, after what is still on its way has arrived."""
        for context in self.contexts:
            for page in context.pages:
                page.wait_for_timeout(0)
        said, self.complaints = self.complaints, []
        return said

    def _listen(self, context: Any) -> None:
        context.on("request", self._request)
        context.on("console", self._message)
        context.on("weberror", lambda error: self.complaints.append(f"error: {error.error}"))
        context.on("dialog", self._dialog)

    def _request(self, request: Any) -> None:
        own = request.url.split("#")[0] == self.address and request.is_navigation_request()
        if not own and not request.url.startswith(OWN_SCHEMES):
            self.complaints.append(f"request: {request.url}")

    def _message(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"console {message.type}: {message.text}")

    def _dialog(self, dialog: Any) -> None:
        self.complaints.append(f"{dialog.type}: {dialog.message}")
        dialog.dismiss()


def draw_all(page: Any) -> list[str]:
    """Scroll from chart to chart until each is drawn; their studies."""
    names = page.eval_on_selector_all(".chart", "charts => charts.map(each => each.dataset.study)")
    for name in names:
        show(page.locator(f".chart[data-study='{name}']"))
        page.wait_for_selector(f".chart[data-study='{name}'][data-drawn=true]")
    return names


def show(element: Any) -> None:
    """Scroll an element to the middle of the window, at once."""
    element.evaluate("each => each.scrollIntoView({block: 'center', behavior: 'instant'})")


def lightness(page: Any) -> float:
    """How light the page's background is, from black, 0, to white, 1."""
    return page.evaluate(LIGHTNESS)
