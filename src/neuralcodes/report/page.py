"""The report: every figure, table and published value of a preset on one page, for offline use."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2
from markupsafe import Markup
from plotly.offline import get_plotlyjs
from safetensors import SafetensorError, safe_open

from neuralcodes import papers
from neuralcodes.errors import DataError
from neuralcodes.papers import defects
from neuralcodes.papers.declaration import Paper
from neuralcodes.report import (
    chapters,
    circumstances,
    durations,
    origins,
    pagefiles,
    payloads,
    scores,
)
from neuralcodes.report.chapters import Chapter, Schematic
from neuralcodes.storage import jobs
from neuralcodes.studies import expansion, layout, tables

if TYPE_CHECKING:
    from neuralcodes.studies.settings import Settings

PUBLISHED = Path("resources/published")
SCHEMATIC_TEXT = (
    "Three clusters of examples along the normal of a ReLU and of an Abs unit. An offset moves the "
    "unit\u2019s border and with it the clusters of smallest output, from B to C or to A under "
    "Abs; the largest output stays with C under ReLU."
)


@dataclass(frozen=True)
class Part:
    """One paper's part of the page: the paper, its studies and the defects of its code."""

    paper: Paper
    name: str
    chapters: Sequence[Chapter]
    schematic: Schematic | None


def write(settings: "Settings", project: Path, output: Path, options: str) -> None:
    """Write the report of a preset whose tables, figures and scorecard are there.

    Args:
        settings: the configuration.
        project: the project's folder.
        output: the page.
        options: of snakemake, that give the configuration again.

    Raises:
        DataError: a file is missing or not what it should be.
    """
    page = render(context(settings, project, options), project / pagefiles.TEMPLATES)
    with jobs.atomic(output) as temporary:
        temporary.write_text(page, encoding="utf-8")


def render(values: dict[str, Any], templates: Path) -> str:
    """Fill the page's template; what is no markup of our own is escaped.

    Args:
        values: what `context` gives.
        templates: folder of the template, the styles and the scripts.

    Raises:
        DataError: a template is missing or wrong.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    try:
        return environment.get_template(pagefiles.TEMPLATE).render(
            **values,
            style=_sources(templates, pagefiles.STYLES),
            script=_sources(templates, pagefiles.SCRIPTS),
        )
    except jinja2.TemplateError as error:
        raise DataError(
            f"the template {templates / pagefiles.TEMPLATE} does not fit: {error}"
        ) from error


def context(settings: "Settings", project: Path, options: str) -> dict[str, Any]:
    """Collect what the page shows.

    Args:
        settings: the configuration.
        project: the project's folder.
        options: of snakemake, that give the configuration again.

    Returns:
        The template's variables.

    Raises:
        DataError: a file is missing or not what it should be.
    """
    folder = Path(settings.results, settings.preset, "tables")
    card = scores.scores(tables.read_texts(folder / "scorecard.csv"))
    called = {name: papers.get(name).short for name in papers.names()}
    scored, figures = scores.choices(card)
    found = defects.read(project / pagefiles.FIDELITY)
    known = origins.of_settings(settings, settings.selected)
    return {
        "preset": settings.preset,
        "run": _what_was_run(settings, project),
        "parts": _parts(settings, str(project / PUBLISHED)),
        "scores": card,
        "verdicts": scores.verdicts(card),
        "score_heads": scores.HEADS,
        "score_papers": [(name, called.get(name, name)) for name in scored],
        "score_sources": [(name, scores.source_label(name)) for name in figures],
        "totals": scores.totals(tables.read_texts(folder / "scorecard.totals.csv"), called),
        "defects": [
            (name, text, [each for each in found if each.paper == name])
            for name, text in called.items()
            if any(each.paper == name for each in found)
        ],
        "defect_text": defects.html,
        "schematic_text": SCHEMATIC_TEXT,
        "payloads": {
            "plotly": payloads.packed(get_plotlyjs().encode()),
            "origins": payloads.packed_json({**known, "options": options}),
            "scorecard": payloads.packed_file(folder / "scorecard.csv"),
        },
    }


def _parts(settings: "Settings", published: str) -> list[Part]:
    parts = []
    for name, paper in ((name, papers.get(name)) for name in papers.names()):
        own = [settings.studies[each] for each in settings.selected]
        own = [study for study in own if study.paper == name]
        files = layout.figure_files(settings, [study.name for study in own])
        drawn = [Path(each) for each in files if Path(each).name == f"{expansion.SCHEMATIC}.png"]
        schematic = Schematic.of(drawn[0].with_suffix("")) if drawn else None
        made = [chapters.chapter(settings, study, published) for study in own]
        if own:
            parts.append(Part(paper, name, made, schematic))
    return parts


def _what_was_run(settings: "Settings", project: Path) -> dict[str, Any]:
    chosen = [settings.studies[name] for name in settings.selected]
    ensembles = {
        (point.run.id, chunk)
        for study in chosen
        for point in study.points
        for chunk in study.chunks
    }
    runs = {run for run, _ in ensembles}
    names = {*runs, *settings.datasets, settings.preset}
    spent = durations.of_rules(Path(settings.results), names)
    return {
        "device": settings.device,
        "devices": _devices(settings, sorted(ensembles)),
        "models": sum(last - first + 1 for _, (first, last) in ensembles),
        "runs": len(runs),
        "seeds": sorted({sum(b - a + 1 for a, b in study.chunks) for study in chosen}),
        "studies": len(chosen),
        "datasets": [settings.labels[name] for name in sorted({s.dataset for s in chosen})],
        "commit": circumstances.commit(project),
        "versions": circumstances.versions(),
        "machine": circumstances.machine(),
        "durations": [
            (each.rule, str(each.jobs), _clock(each.seconds), _clock(each.longest))
            for each in spent
        ],
        "total": _clock(sum(each.seconds for each in spent)),
    }


def _clock(seconds: float) -> str:
    """Write a duration in the unit that suits it."""
    if seconds < 100:
        return f"{seconds:.1f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60:02d} min"


def _devices(
    settings: "Settings", ensembles: Sequence[tuple[str, tuple[int, int]]]
) -> dict[str, int]:
    """Count the model files by the device that trained them, as far as they are there."""
    found: dict[str, int] = {}
    for run, (first, last) in ensembles:
        path = Path(settings.results, "models", run, f"seeds{first}-{last}.safetensors")
        try:
            with safe_open(path, framework="numpy") as file:
                device = (file.metadata() or {}).get("device", "unknown").strip('"')
        except (OSError, SafetensorError):
            continue
        found[device] = found.get(device, 0) + 1
    return dict(sorted(found.items()))


def _sources(templates: Path, names: Sequence[str]) -> Markup:
    """Take styles or scripts of our own as they are; one could end its element only by mistake."""
    texts = []
    for name in names:
        texts.append(payloads.read(templates / name).decode())
        for ending in ("</script", "</style", "<!--"):
            if ending in texts[-1]:
                raise DataError(f"{templates / name} holds {ending}, which would end it in a page")
    return Markup("\n".join(texts))
