"""The names that a key may hold, from the registries where they are declared.

A function each, since plugins register more after this module is imported.
"""

from collections.abc import Callable, Sequence

from neuralcodes import papers
from neuralcodes.datasets import sources
from neuralcodes.figures import kinds as figures
from neuralcodes.measures import registry as measures
from neuralcodes.metrics import registry as metrics
from neuralcodes.networks.architectures import registry as architectures
from neuralcodes.perturbation import kinds as perturbations
from neuralcodes.pipeline import placement
from neuralcodes.studies import expansion, hashruns

Levels = list[float | dict[str, list[float]]]


def _published() -> list[str]:
    return [figure for paper in papers.with_values() for figure in paper.published.figures]


def _with_levels() -> list[str]:
    return [name for name in perturbations.names() if perturbations.get(name).levels]


REGISTRIES: dict[str, Callable[[], Sequence[str]]] = {
    "metrics": metrics.names,
    "measures": measures.names,
    "figures": figures.names,
    "perturbations": perturbations.names,
    "perturbations with levels": _with_levels,
    "sources": lambda: (*sources.names(), expansion.GENERATED),
    "papers": papers.names,
    "published figures": _published,
    "families": lambda: hashruns.FAMILIES,
    "architectures": architectures.names,
    "networks": lambda: hashruns.NETWORKS,
    "placed": placement.placed,
}


def of(registry: str) -> list[str]:
    """List the names of a registry, in its order.

    Args:
        registry: a key of `REGISTRIES`.
    """
    return list(REGISTRIES[registry]())


def axis(kind: str) -> str:
    """Say what the levels of a kind of perturbation are.

    Args:
        kind: its name.
    """
    return perturbations.get(kind).look.axis


def levels(setting: str) -> dict[str, Levels]:
    """Give the levels that kinds of perturbation declare, as a configuration gives them.

    Args:
        setting: "levels" or "code_levels".
    """
    return {
        name: [
            {spacing: list(ends) for spacing, ends in each.items()}
            if isinstance(each, dict)
            else each
            for each in getattr(perturbations.get(name), setting)
        ]
        for name in _with_levels()
        if getattr(perturbations.get(name), setting)
    }
