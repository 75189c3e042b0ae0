"""Origins: for any point of a chart the run, its configuration, its files and its command."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from neuralcodes.measures import files
from neuralcodes.storage import checksums
from neuralcodes.studies import layout

if TYPE_CHECKING:
    from neuralcodes.studies.expansion import Study
    from neuralcodes.studies.settings import Settings

# Folders of the codes that a measure may need; all others read the model itself.
CODES = {"codes": "codes", "random_codes": "codes_of_random_inputs"}


def of_settings(settings: "Settings", names: Iterable[str]) -> dict[str, Any]:
    """Say where the points of studies come from.

    Args:
        settings: the configuration.
        names: studies.

    Returns:
        What JSON can say: `results` and `preset`, the folders; `studies`, by name: its chunks of
        seeds, checkpoints, endings of metric files, folders of codes; `runs`, by id: every field
        of its configuration.
    """
    chosen = [settings.studies[name] for name in names]
    runs = {point.run.id: point.run for study in chosen for point in study.points}
    return {
        "results": settings.results,
        "preset": settings.preset,
        "studies": {study.name: _of_study(study) for study in chosen},
        "runs": {name: runs[name].to_dict() for name in sorted(runs)},
    }


def _of_study(study: "Study") -> dict[str, Any]:
    measures = files.measures_of(study)
    read = {CODES[need] for each in measures for need in each.needs if need in CODES}
    return {
        "chunks": [list(chunk) for chunk in study.chunks],
        "checkpoints": list(study.checkpoints),
        "endings": {each.name: each.ending for each in measures},
        "codes": sorted(read),
    }


def fingerprint(settings: "Settings") -> str:
    """Digest what the report says of a configuration, beyond what stands in its input files.

    Args:
        settings: the configuration.

    Returns:
        16 hex digits.
    """
    content = of_settings(settings, settings.selected)
    for name in settings.selected:
        study = settings.studies[name]
        content["studies"][name] |= {
            "paper": study.paper,
            "title": layout.title_of(settings, study),
            "dataset": settings.labels[study.dataset],
            "points": [[point.run.id, dict(point.factors)] for point in study.points],
            "figure": dict(study.figure),
        }
    return checksums.checksum_of(content)[:16]
