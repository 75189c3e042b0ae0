"""What a study asks of its networks must be something that their architecture does."""

from collections.abc import Mapping
from typing import Any

from neuralcodes.networks.architectures import registry
from neuralcodes.studies.expansion import Study
from neuralcodes.studies.keys import refused

REGIONS = "regions"  # the measure that needs every layer as an affine map


def check(study: Study, raw: Mapping[str, Any]) -> None:
    """Refuse a study with keys or measures that its architecture does not take.

    Args:
        study: expanded.
        raw: its settings, defaults filled in.

    Raises:
        ConfigError: names the key, what was found and what is allowed.
    """
    if study.hashing:
        return
    path = ("studies", study.name)
    for point in study.points:
        name = point.run.architecture
        for part in ("set", "factors"):
            for key in registry.unread(name, raw[part]):
                raise refused((*path, part, key), raw[part][key], f"{name} does not read it")
        if REGIONS in study.measures and not registry.get(name).affine:
            place = (*path, "measures", study.measures.index(REGIONS))
            raise refused(place, REGIONS, f"the layers of {name} are no affine maps; leave it out")
