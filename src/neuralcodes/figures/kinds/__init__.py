"""The kinds of figures, a file each; a kind of your own registers itself with `register`."""

from collections.abc import Mapping, Sequence
from typing import Any

from neuralcodes.figures import marks
from neuralcodes.figures.declaration import Asked, FigureKind
from neuralcodes.figures.kinds import (
    curves,
    equal_change,
    layers,
    lsh_curve,
    manifold_distances,
    manifold_embedding,
    manifold_sweep,
    one_at_a_time,
    perturbations,
    perturbed_codes,
    phase_chart,
    preactivations,
    random_inputs,
    recipe_recovery,
    regions,
    retrieval,
    training,
)

_KINDS: dict[str, FigureKind] = {}


def register(kind: FigureKind) -> FigureKind:
    """Add a kind of figure to those that a configuration can name.

    Raises:
        ValueError: another kind has its name.
    """
    if _KINDS.get(kind.name, kind) != kind:
        raise ValueError(f"there is a figure kind {kind.name!r} already; choose another name")
    _KINDS[kind.name] = kind
    return kind


def get(name: str) -> FigureKind:
    """The kind of figure with a name.

    Raises:
        ValueError: there is none; names those that there are.
    """
    if name not in _KINDS:
        raise ValueError(f"there is no figure kind {name!r}; there are {list(_KINDS)}")
    return _KINDS[name]


def names() -> tuple[str, ...]:
    """Names of all kinds of figures."""
    return tuple(_KINDS)


def question(
    paper: str, figure: Mapping[str, Any], factors: Sequence[str], dataset_label: str
) -> str:
    """The question that a study asks, in one sentence that ends with a question mark.

    Args:
        paper: key of the paper that asks it, as the study's settings name it.
        figure: the study's figure settings.
        factors: names of the factors that the study varies.
        dataset_label: the dataset's name in running text.

    Raises:
        ValueError: there is no such kind of figure.
    """
    kind = get(figure["kind"])
    spec = kind.spec("", figure, tuple(factors))
    roles = [name or "" for name in (spec.x, spec.line, spec.variant)]
    x, line, variant = (marks.factor_phrase(name) if name else "" for name in roles)
    asked = Asked(
        x,
        line,
        variant,
        shown=tuple(dict.fromkeys(text for text in (x, line, variant) if text)),
        factors=tuple(marks.factor_phrase(name) for name in factors),
        dataset=dataset_label,
        paper=paper,
        options={name: value for name, value in figure.items() if value is not None},
    )
    text = kind.question(asked)
    return f"{text[:1].upper()}{text[1:]}?"


for _module in (
    curves,
    one_at_a_time,
    random_inputs,
    regions,
    layers,
    phase_chart,
    recipe_recovery,
    training,
    perturbations,
    equal_change,
    perturbed_codes,
    preactivations,
    manifold_sweep,
    lsh_curve,
    manifold_distances,
    manifold_embedding,
    retrieval,
):
    register(_module.KIND)
