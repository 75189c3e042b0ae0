"""All measures, by the rule of their jobs; a measure of your own registers itself here."""

import importlib
import re

from neuralcodes.measures import (
    codes,
    embedding,
    hash_retrieval,
    history,
    layers,
    locality,
    manifolds,
    perturbations,
    perturbed_codes,
    preactivations,
    random_inputs,
    regions,
    retrieval,
)
from neuralcodes.measures.declaration import Measure
from neuralcodes.metrics import registry as metrics
from neuralcodes.metrics.declaration import Look, Quantity

_known: dict[str, Measure] = {}


def register(*measures: Measure) -> None:
    """Make measures known, so that studies can ask for them.

    Args:
        *measures: the measures.

    Raises:
        ValueError: another measure has that rule, or that name for the same kind of run.
    """
    for measure in measures:
        twin = {(each.name, each.of): each for each in _known.values()}
        for other in (_known.get(measure.rule), twin.get((measure.name, measure.of))):
            if other not in (None, measure):
                raise ValueError(
                    f"there is a measure {other.name} with the rule {other.rule} already; "
                    "give yours another name"
                )
        _known[measure.rule] = measure


def all_measures() -> tuple[Measure, ...]:
    """Give all measures, those of classifying networks first."""
    return tuple(sorted(_known.values(), key=lambda each: each.of == "hash_run"))


def names(of: str | None = None) -> tuple[str, ...]:
    """Name all measures, as studies ask for them.

    Args:
        of: "run" or "hash_run"; None: both.
    """
    return tuple(dict.fromkeys(each.name for each in all_measures() if of in (None, each.of)))


def get(rule: str, module: str) -> Measure:
    """Give the measure of a rule's jobs.

    Args:
        rule: the rule.
        module: the module that declares it, imported first.
    """
    importlib.import_module(module)
    return _known[rule]


def look(metric: str) -> Look | None:
    """Say how a metric is shown; None where its name is all that there is to show.

    Args:
        metric: as in the column `metric` of a table.
    """
    for quantity in quantities():
        part = re.search(r"\{\w+\}", quantity.name)
        if part is None:
            if quantity.name == metric:
                return quantity.look
            continue
        before, after = quantity.name.split(part[0])
        number = metric.removeprefix(before).removesuffix(after)
        if number.isdigit() and metric == f"{before}{number}{after}":
            shown = quantity.look
            return Look(shown.label.replace(part[0], number), shown.color, shown.unit)
    return None


def quantities() -> list[Quantity]:
    """List all that is declared to stand in metric files, metrics of codes first."""
    declared = [metrics.get(name) for name in metrics.names()]
    for measure in all_measures():
        declared += [each for each in measure.metrics if isinstance(each, Quantity)]
    return declared


register(
    *(codes.MEASURE, layers.MEASURE, random_inputs.MEASURE, regions.MEASURE, history.MEASURE),
    *(perturbations.MEASURE, perturbed_codes.MEASURE, preactivations.MEASURE, retrieval.MEASURE),
    *(manifolds.MEASURE, locality.MEASURE, embedding.MEASURE, hash_retrieval.MEASURE),
)
