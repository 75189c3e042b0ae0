"""The question that a study asks, in one sentence."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from neuralcodes.figures import marks, phrases
from neuralcodes.figures.perturbationfindings import SAID

CODES = "the redundancy of neural codes and the accuracy of classifiers on them"
# What stands for a factor where its name on an axis does not read well.
FACTORS = {
    "width": "the width of the network",
    "width_per_layer": "the width of the network",
    "depth": "the depth of the network",
    "layer": "the depth of the layer",
    "epoch": "the training time",
    "steps": "the training time",
    "sample_size": "the number of training examples",
    "label_noise": "the share of noisy labels",
    "input_noise": "the share of noise in the inputs",
    "batch_norm": "batch normalization",
    "activation": "the activation",
    "recipe": "the recipe",
    "subset": "the choice of the subset",
    "schedule": "the learning rate's schedule",
    "manifolds": "the number of training manifolds",
    "relative_manifolds": "the number of training manifolds as a multiple of its threshold m*",
    "points": "the number of points per training manifold",
    "hash_width": "the width of the hash layer",
    "classes": "the choice of training classes",
    "network": "the network",
    "family": "the family of manifolds",
    "rotation": "the largest rotation",
    "shift": "the largest shift",
}
# Factors that are named without an article.
BARE = ("dropout", "weight_decay", "momentum", "input_scaling")
WELL = "invariantly and far apart"


def question(
    paper: str, figure: Mapping[str, Any], factors: Sequence[str], dataset_label: str
) -> str:
    """The question that a study asks.

    Args:
        paper: key of the paper that asks it, as the study's settings name it.
        figure: the study's figure settings: kind, and x, line, variant, kinds where they matter.
        factors: names of the factors that the study varies.
        dataset_label: the dataset's name in running text.

    Returns:
        One sentence that ends with a question mark.

    Raises:
        ValueError: there is no such kind of figure.
    """
    kind = figure["kind"]
    if kind not in _ASKED:
        raise ValueError(f"there is no figure kind {kind!r}; there are {sorted(_ASKED)}")
    text = _ASKED[kind](figure, list(factors), dataset_label, paper)
    return f"{text[:1].upper()}{text[1:]}?"


def factor_phrase(factor: str) -> str:
    """A factor with its article: the width of the network, dropout."""
    if factor in FACTORS:
        return FACTORS[factor]
    name = phrases.quantity(marks.factor_label(factor))
    return name if factor in BARE else f"the {name}"


def _shown(figure: Mapping[str, Any], usual: str, *names: str) -> list[str]:
    """Factors that the figure spreads out, each once."""
    first = figure.get("x") or usual
    return list(dict.fromkeys([first, *(figure[n] for n in names if figure.get(n))]))


def _listed(factors: Sequence[str]) -> str:
    return phrases.join([factor_phrase(factor) for factor in factors])


def _curves(figure: Mapping[str, Any], factors: list[str], data: str, paper: str) -> str:
    del factors, paper
    shown = _shown(figure, "width_per_layer", "line")
    text = f"how do {CODES} change with {_listed(shown[:1])}"
    others = [*shown[1:], *([figure["variant"]] if figure.get("variant") else [])]
    rest = f", and does that depend on {_listed(others)}" if others else ""
    return f"{text} on {data}{rest}"


def _layers(figure: Mapping[str, Any], factors: list[str], data: str, paper: str) -> str:
    del figure, factors, paper
    return f"how do {CODES} change from layer to layer of a deep network on {data}"


def _random_inputs(figure: Mapping[str, Any], factors: list[str], data: str, paper: str) -> str:
    del figure, factors, paper
    return f"do networks trained on {data} give random inputs as many different codes as real ones"


def _one_at_a_time(figure: Mapping[str, Any], factors: list[str], data: str, paper: str) -> str:
    del figure, paper
    what = _listed(factors) if factors else "regularization"
    verb = "do" if len(factors) > 1 else "does"
    return f"what {verb} {what} do, each alone, to {CODES} on {data}"


def _regions(figure: Mapping[str, Any], factors: list[str], data: str, paper: str) -> str:
    del factors, paper
    shown = _listed(_shown(figure, "epoch", "line"))
    text = f"how large are the linear regions around examples on {data}"
    return f"{text}, and how does that change with {shown}"


def _recovery(figure: Mapping[str, Any], factors: list[str], data: str, paper: str) -> str:
    del figure, factors, paper
    return f"which training recipe comes nearest to the published values on {data}"


def _phases(figure: Mapping[str, Any], factors: list[str], data: str, paper: str) -> str:
    del factors, paper
    shown = list(dict.fromkeys([figure.get("x") or "width_per_layer", "epoch", "sample_size"]))
    return f"for which combinations of {_listed(shown)} are networks expressive enough on {data}"


def _perturbations(figure: Mapping[str, Any], factors: list[str], data: str, paper: str) -> str:
    del factors, paper
    kinds = list(figure.get("kinds") or ("scale", "clip", "offset"))
    inner = [SAID[kind].removeprefix("when ") for kind in kinds if kind not in _OTHERWISE]
    parts = [f"its pre-activations are {phrases.join(inner, 'or')}"] if inner else []
    parts += [_OTHERWISE[kind] for kind in kinds if kind in _OTHERWISE]
    text = f"does a network trained on {data} still answer correctly when "
    others = [factor_phrase(f) for f in (figure.get("line"), figure.get("variant")) if f]
    rest = f", and does that depend on {phrases.join(others)}" if others else ""
    return text + ", or when ".join(parts) + rest


def _equal_change(figure: Mapping[str, Any], factors: list[str], data: str, paper: str) -> str:
    del figure, factors, paper
    return (
        f"which perturbation harms a network trained on {data} most, if each changes the hidden "
        "vector by the same amount"
    )


def _perturbed_codes(figure: Mapping[str, Any], factors: list[str], data: str, paper: str) -> str:
    del factors, paper
    kinds = [SAID[kind] for kind in figure.get("kinds") or ("offset",)]
    text = f"what becomes of the neural codes of a network trained on {data}"
    return f"{text} when its pre-activations are {phrases.join(_bare(kinds), 'or')}"


def _bare(said: Sequence[str]) -> list[str]:
    return [text.removeprefix("when ") for text in said]


def _training(figure: Mapping[str, Any], factors: list[str], data: str, paper: str) -> str:
    del paper
    shown = [name for name in (figure.get("line"), figure.get("variant")) if name]
    by = _listed(shown or factors or ["activation"])
    return f"how do training error and loss fall on {data}, and how do they differ with {by}"


def _preactivations(figure: Mapping[str, Any], factors: list[str], data: str, paper: str) -> str:
    del figure, factors, paper
    return (
        "on which side of the units' decision borders, and how far from them, do examples lie "
        f"after training on {data}"
    )


def _sweep(figure: Mapping[str, Any], factors: list[str], data: str, paper: str) -> str:
    del factors, paper
    first, *others = _shown(figure, "manifolds", "line", "variant")
    unseen = _unseen(data)
    text = f"how does {factor_phrase(first)} change how {WELL} a network represents {unseen}"
    if first == "manifolds":
        text = f"from how many training manifolds on does a network represent {unseen} {WELL}"
    return f"{text}, and does that depend on {_listed(others)}" if others else text


def _unseen(data: str) -> str:
    return f"unseen {data}" if data.endswith("manifolds") else f"unseen manifolds of {data}"


def _locality(figure: Mapping[str, Any], factors: list[str], data: str, paper: str) -> str:
    del figure, factors, paper
    return f"are the codes of two {_unseen(data)} the less alike, the farther apart these are"


def _distances(figure: Mapping[str, Any], factors: list[str], data: str, paper: str) -> str:
    del figure, factors, paper
    text = "do codes keep points of one manifold nearer to each other than points of two"
    return f"{text}, among {_unseen(data)}"


def _embedding(figure: Mapping[str, Any], factors: list[str], data: str, paper: str) -> str:
    del figure, factors, paper
    return f"does training gather the points of each of a few {_unseen(data)} in one place"


def _retrieval(figure: Mapping[str, Any], factors: list[str], data: str, paper: str) -> str:
    del factors
    x = factor_phrase(figure.get("x") or "hash_width")
    whom = f"examples of the same class on {data}"
    if paper == "dikkala2021":
        whom = f"points of the same manifold among {_unseen(data)}"
    text = f"how well, how fast and in how little space do codes find {whom}"
    return f"{text}, and how does that change with {x}"


_OTHERWISE = {
    "scale_per_unit": "each unit is scaled by a random factor of its own",
    "clip_activation": "outputs of units are clipped",
}
_ASKED: dict[str, Callable[[Mapping[str, Any], list[str], str, str], str]] = {
    "curves": _curves,
    "layers": _layers,
    "random_inputs": _random_inputs,
    "one_at_a_time": _one_at_a_time,
    "regions": _regions,
    "recipe_recovery": _recovery,
    "phase_chart": _phases,
    "perturbations": _perturbations,
    "equal_change": _equal_change,
    "perturbed_codes": _perturbed_codes,
    "training": _training,
    "preactivations": _preactivations,
    "manifold_sweep": _sweep,
    "lsh_curve": _locality,
    "manifold_distances": _distances,
    "manifold_embedding": _embedding,
    "retrieval": _retrieval,
}
