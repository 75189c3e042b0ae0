"""The dialogue that says where a number comes from."""

import re
from typing import Any

DIALOG = "dialog#provenance"
RUN = r"\b[\w.]+-\w+-[0-9a-f]{8}\b"


def opened(page: Any) -> bool:
    """Whether the dialogue opens within a second."""
    for _ in range(20):
        if page.locator(f"{DIALOG}[open]").count():
            return True
        page.wait_for_timeout(50)
    return False


def check_and_close(page: Any) -> None:
    """The open dialogue names run, configuration, files and command; Escape closes it."""
    assert opened(page)
    dialog = page.locator(DIALOG)
    assert dialog.locator("h2").inner_text().strip()
    assert re.search(RUN, dialog.inner_text()), dialog.inner_text()
    facts = dialog.locator("dl > dt, dl > div > dt").count()
    assert facts > 0, "a configuration"
    assert facts == dialog.locator("dl > dd, dl > div > dd").count()
    files = dialog.locator("li").all_inner_texts()
    assert any("/" in each for each in files), files
    assert "snakemake" in dialog.locator("code.command").inner_text()
    assert dialog.evaluate("each => each.contains(document.activeElement)")
    page.keyboard.press("Escape")
    page.locator(f"{DIALOG}:not([open])").wait_for(state="attached")
