"""All metrics of neural codes, by name; a metric of your own registers itself here."""

from neuralcodes.metrics import clusters, length, logistic, neighbours, redundancy
from neuralcodes.metrics.declaration import Metric

_known: dict[str, Metric] = {}


def register(*metrics: Metric) -> None:
    """Make metrics known, so that a configuration can name them.

    Args:
        *metrics: in the order in which they stand in metric files, behind those known before.

    Raises:
        ValueError: another metric has that name.
    """
    for metric in metrics:
        if _known.setdefault(metric.name, metric) != metric:
            raise ValueError(f"there is a metric {metric.name} already; give yours another name")


def get(name: str) -> Metric:
    """Give the metric of a name.

    Args:
        name: one of `names()`.

    Raises:
        ValueError: there is none of that name.
    """
    if name not in _known:
        raise ValueError(f"unknown metric {name!r}; there are {', '.join(_known)}")
    return _known[name]


def names() -> tuple[str, ...]:
    """Name all metrics, in the order in which they stand in metric files."""
    return tuple(_known)


register(
    *redundancy.METRICS,
    *length.METRICS,
    *clusters.METRICS,
    *neighbours.METRICS,
    *logistic.METRICS,
)
