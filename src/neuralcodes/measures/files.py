"""Which files hold what is measured: results/metrics/{run}/seeds{a}-{b}/epoch{epoch}{ending}."""

from typing import TYPE_CHECKING

from neuralcodes.measures import registry
from neuralcodes.measures.declaration import Measure
from neuralcodes.studies import checkpoints

if TYPE_CHECKING:
    from neuralcodes.studies.expansion import Study
    from neuralcodes.studies.settings import Settings


def measures_of(study: "Study") -> list[Measure]:
    """List the measures that a study asks for, in its order.

    Args:
        study: an expanded study.
    """
    of = "hash_run" if study.hashing else "run"
    known = {each.name: each for each in registry.all_measures() if each.of == of}
    return [known[name] for name in study.measures]


def metric_files(settings: "Settings", study: "Study") -> list[str]:
    """List a study's metric files, point by point of its grid.

    Args:
        settings: the configuration.
        study: one of its studies.
    """
    asked = measures_of(study)
    measured = [(epoch, each) for epoch in study.checkpoints for each in asked if not each.whole]
    measured += [(checkpoints.FINAL, each) for each in asked if each.whole]
    return [
        f"{settings.results}/metrics/{point.run.id}/seeds{first}-{last}/epoch{epoch}{each.ending}"
        for point in study.points
        for first, last in study.chunks
        for epoch, each in measured
    ]
