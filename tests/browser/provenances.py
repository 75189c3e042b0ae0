"""The dialogue that says where a number comes from."""

import re
from typing import Any

DIALOG = "dialog#provenance"
RUN = r"\b[\w.]+-\w+-[0-9a-f]{8}\b"
SEEDS = """all => all.map(row => Array.from(row.cells, cell => Number(cell.textContent)))"""


def opened(page: Any) -> bool:
    """Whether the dialogue opens within a second."""
    for _ in range(20):
        if page.locator(f"{DIALOG}[open]").count():
            return True
        page.wait_for_timeout(50)
    return False


def check_and_close(page: Any) -> tuple[str, str, dict[int, float]]:
    """The open dialogue names run, configuration, files and command; Escape closes it.

    Returns:
        The run, its checkpoint, and the values of the single seeds, if they are there.
    """
    assert opened(page)
    dialog = page.locator(DIALOG)
    assert dialog.locator("h2").inner_text().strip()
    told = dialog.locator("#provenance-content > p").inner_text()
    run = re.search(RUN, told)
    assert run, told
    facts = dialog.locator("dl > div > dt").count()
    assert facts > 0, "a configuration"
    assert facts == dialog.locator("dl > div > dd").count()
    files = dialog.locator("li").all_inner_texts()
    assert any(run[0] in each for each in files), files
    command = dialog.locator("code.command").inner_text()
    assert "snakemake" in command
    assert run[0] in command
    assert dialog.evaluate("each => each.contains(document.activeElement)")
    epoch = re.search(r"epoch (\w+)", told)
    seeds = dialog.locator("table.singles tbody tr").evaluate_all(SEEDS)
    page.keyboard.press("Escape")
    page.locator(f"{DIALOG}:not([open])").wait_for(state="attached")
    return run[0], epoch[1] if epoch else "", {int(seed): value for seed, value in seeds}
