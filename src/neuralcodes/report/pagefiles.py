"""Files of the page: its template, styles, scripts and texts, relative to the project."""

from pathlib import Path

TEMPLATES = Path("workflow/report")
TEMPLATE = "page.html.jinja"
STYLES = ("page.css", "charts.css")
SCRIPTS = ("charts.js", "page.js")  # in this order
FIDELITY = Path("docs/fidelity.md")
FILES = (FIDELITY, *(TEMPLATES / name for name in (TEMPLATE, *STYLES, *SCRIPTS)))
