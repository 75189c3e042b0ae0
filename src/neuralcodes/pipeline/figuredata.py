"""Whether a study has the data that its figure shows, asked before anything is computed."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from neuralcodes.errors import ConfigError
from neuralcodes.figures import kinds, perturbed
from neuralcodes.figures.declaration import ROLES, FigureKind
from neuralcodes.figures.marks import LINESTYLES
from neuralcodes.measures import registry
from neuralcodes.studies import checkpoints
from neuralcodes.studies.expansion import Point, Study
from neuralcodes.studies.keys import key, refused, unknown

# What only piecewise linear networks, or only codes of ReLU-like units, can be asked.
NOT_FOR_TANH = ("regions", "perturbed_codes")
# Measured beside the metrics on codes.
OF_NETWORKS = ("train_accuracy", "test_accuracy", "train_loss", "test_loss")
_NO_OPTIONS = ("kind", "where", "regimes")  # every figure has these


def check(study: Study, metrics: Sequence[str], perturbations: Mapping[str, Any]) -> None:
    """Refuse a study whose figure would have nothing to draw, or could not be told what to draw.

    Args:
        study: an expanded study.
        metrics: names of the metrics on codes that are computed.
        perturbations: the configuration's key of that name, defaults filled in.

    Raises:
        ConfigError: names the key, what was found and what is allowed.
    """
    path = ("studies", study.name, "figure")
    kind = kinds.get(study.figure["kind"])
    _check_measures(path, study, kind, metrics)
    _check_perturbations(path, study, kind, perturbations)
    _check_settings(path, study, kind)
    _check_metrics(path, study, kind, metrics)
    points = _chosen(path, study)
    _check_kind(path, study, kind, points)
    _check_mixture(path, study, kind, points)


def _check_measures(
    path: tuple[str, ...], study: Study, kind: FigureKind, metrics: Sequence[str]
) -> None:
    needed = kind.measure
    if needed not in study.measures:
        raise refused(
            (*path, "kind"),
            kind.name,
            f"it has no data without the measure {needed}; "
            f"add it to {key((*path[:2], 'measures'))}, which has {', '.join(study.measures)}",
        )
    for measure in study.measures:
        own = registry.names("hash_run" if study.hashing else "run")
        if measure not in own:
            whose = "hash networks" if study.hashing else "networks that classify"
            raise refused((*path[:2], "measures"), measure, f"{whose} have {', '.join(own)}")
    if "history" in study.measures and "codes" in study.measures:
        raise refused(
            (*path[:2], "measures"),
            list(study.measures),
            "codes and history both give loss and accuracy by epoch; ask for them in two studies",
        )
    absent = [name for name in kind.needs if name not in metrics]
    one_of = () if study.figure["metrics"] else kind.needs_one_of
    if one_of and not {*one_of} & {*metrics}:
        absent = [" or ".join(one_of)]
    if absent:
        raise refused(
            ("metrics", "names"), list(metrics), f"{key(path)} needs {' and '.join(absent)}"
        )


def _check_perturbations(
    path: tuple[str, ...], study: Study, kind: FigureKind, perturbations: Mapping[str, Any]
) -> None:
    coded = kind.measure == "perturbed_codes"
    measured = [*perturbations["code_levels"]] if coded else perturbations["kinds"]
    for position, name in enumerate(study.figure["kinds"] or ()):
        if name not in measured:
            source = "perturbations.code_levels" if coded else "perturbations.kinds"
            raise unknown((*path, "kinds", position), name, measured, f"kind of {source}")
    usual = perturbed.PRE_ACTIVATIONS
    if kind.name == "perturbations" and not {*(study.figure["kinds"] or usual)} & {*measured}:
        raise refused((*path, "kinds"), None, f"some of {', '.join(measured)}")
    if kind.name == "equal_change" and not perturbations["equal_changes"]:
        raise refused(("perturbations", "equal_changes"), [], f"{key(path)} needs some sizes")
    for measure in NOT_FOR_TANH:
        if measure in study.measures and any(p.run.activation == "tanh" for p in study.points):
            raise refused((*path[:2], "measures"), measure, "a unit with tanh has none; leave out")
    line = kind.options.get("line")
    if (
        line
        and line.usual == "activation"
        and study.figure["line"] is None
        and line.usual not in study.factors
    ):
        raise refused(
            (*path, "line"),
            None,
            f"without the factor activation it needs one of {', '.join(_names(study))}",
        )
    if study.significance and "perturbations" not in study.measures:
        raise refused(
            (*path[:2], "significance"),
            study.significance,
            f"it tests the measure perturbations; add it to {key((*path[:2], 'measures'))}",
        )
    if study.significance and checkpoints.FINAL not in study.checkpoints:
        raise refused(
            (*path[:2], "significance"), study.significance, "it tests the checkpoint final"
        )


def _check_settings(path: tuple[str, ...], study: Study, kind: FigureKind) -> None:
    figure, names = study.figure, _names(study)
    used = kind.options
    for setting in (name for name in figure if name not in _NO_OPTIONS):
        value = figure[setting]
        if value is not None and setting not in used:
            raise refused(
                (*path, setting),
                value,
                f"a figure of kind {kind.name} takes {', '.join(['where', *used])}; take it out",
            )
        if setting in ROLES and value is not None and value not in names:
            raise unknown((*path, setting), value, names, "factor of this study")
    overlay = figure["published"]
    if overlay and (overlay["figure"] == "perturbation") != (kind.published == "perturbation"):
        raise refused(
            (*path, "published", "figure"),
            overlay["figure"],
            f"a figure of kind {kind.name} shows others",
        )
    for earlier, later in (("x", "line"), ("x", "variant"), ("line", "variant")):
        if figure[later] is not None and figure[earlier] == figure[later]:
            raise refused((*path, later), figure[later], f"it is {earlier} already")
    limits = figure["regimes"]
    fine, coarse = limits["sufficient_redundancy"], limits["under_expressive_redundancy"]
    if fine >= coarse:
        raise refused(
            (*path, "regimes", "sufficient_redundancy"),
            fine,
            f"it must be below under_expressive_redundancy, {coarse}",
        )


def _check_metrics(
    path: tuple[str, ...], study: Study, kind: FigureKind, metrics: Sequence[str]
) -> None:
    """Refuse metrics that the kind's measure does not give."""
    known = [*metrics, *(OF_NETWORKS if kind.measure == "codes" else ())]
    for position, name in enumerate(study.figure["metrics"] or ()):
        here, pattern = (*path, "metrics", position), kind.options["metrics"].pattern
        if pattern and not re.fullmatch(pattern, name):
            raise refused(
                here,
                name,
                f"a metric of the measure {kind.measure}, such as variance_ratio, "
                "one_shot_accuracy_20 or lsh_exponent",
            )
        if not pattern and name not in known:
            raise unknown(here, name, known, "metric that is computed")


def _chosen(path: tuple[str, ...], study: Study) -> list[Point]:
    """Give the points that `where` leaves."""
    points = list(study.points)
    for name, value in study.figure["where"].items():
        here = (*path, "where", name)
        if name not in (*study.factors, "epoch"):
            raise unknown(here, name, (*study.factors, "epoch"), "factor of this study")
        measured = study.checkpoints
        if name != "epoch":
            # The table holds the number of examples, never null.
            values = dict.fromkeys(point.factors[name] for point in study.points)
            measured = [each for each in values if name != "sample_size" or each is not None]
        found = str(value) if name == "epoch" else value
        if found not in measured:
            raise unknown(here, value, measured, f"{name} of this study")
        if name != "epoch":
            points = [point for point in points if point.factors[name] == value]
    if not points:
        raise refused((*path, "where"), study.figure["where"], "no point of the study has all that")
    return points


def _check_kind(
    path: tuple[str, ...], study: Study, kind: FigureKind, points: Sequence[Point]
) -> None:
    figure, here = study.figure, (*path, "kind")
    epochs = [each for each in study.checkpoints if checkpoints.is_epoch(each)]
    names = _names(study)
    for role in ROLES:
        if role in kind.options and kind.options[role].required and figure[role] is None:
            raise refused(
                (*path, role),
                None,
                f"a figure of kind {kind.name} needs one of {', '.join(names)} here",
            )
    if "epoch" in (figure["x"], figure["line"], figure["variant"]) and len(epochs) < 2:
        raise refused(
            (*path, next(role for role in ROLES if figure[role] == "epoch")),
            "epoch",
            f"it needs at least two numbered epochs in {key((*path[:2], 'checkpoints'))}, "
            f"which has {len(epochs)}",
        )
    if kind.name == "phase_chart" and ("width" not in study.factors or len(epochs) < 2):
        raise refused(
            here, kind.name, "it needs the factor width and at least two numbered checkpoints"
        )
    if kind.name == "recipe_recovery" and (
        figure["published"] is None or "recipe" not in study.factors
    ):
        raise refused(here, kind.name, "it needs the factor recipe, and the key published")
    if kind.name == "one_at_a_time":
        _check_one_at_a_time(here, study, points)
    if figure["variant"] is not None:
        values = {_value(point, figure["variant"]) for point in points}
        if len(values) > len(LINESTYLES):
            raise refused(
                (*path, "variant"),
                figure["variant"],
                f"it has {len(values)} values, and only {len(LINESTYLES)} line styles can be told "
                "apart; choose fewer, or show it as line",
            )


def _check_one_at_a_time(here: tuple[str, ...], study: Study, points: Sequence[Point]) -> None:
    counts = {name: Counter(point.factors[name] for point in points) for name in study.factors}
    varied = [name for name, values in counts.items() if len(values) > 1]
    if not varied:
        raise refused(here, "one_at_a_time", "a factor with more than one value")
    for name in varied if len(varied) > 1 else ():
        (_, most), (_, second) = counts[name].most_common(2)
        if most == second:
            raise refused(
                here, "one_at_a_time", f"no value of {name} is the base; set design: one_at_a_time"
            )


def _check_mixture(
    path: tuple[str, ...], study: Study, kind: FigureKind, points: Sequence[Point]
) -> None:
    if kind.mixes:
        return
    used = kind.options
    shown = [study.figure[role] or used[role].usual for role in ROLES if role in used]
    shown = [name for name in (*shown, *kind.always_shown) if name]
    seen: dict[tuple[object, ...], Point] = {}
    for point in points:
        other = seen.setdefault(tuple(_value(point, name) for name in shown), point)
        varying = [name for name in study.factors if other.factors[name] != point.factors[name]]
        if varying:
            roles = ", ".join(role for role in ROLES if role in used) or "this one does not"
            raise ConfigError(
                f"{key(path)}: shows {', '.join(shown) or 'no factor'}, but the study varies "
                f"{', '.join(varying)} too, and its points would fall on one another; show it "
                f"where the kind allows ({roles}), or hold it at one value in "
                f"{key((*path, 'where'))}"
            )


def _value(point: Point, name: str) -> object:
    known = {**point.run.common_factors(), **point.factors}
    return known[name] if name in known else getattr(point.run, name, None)


def _names(study: Study) -> tuple[str, ...]:
    """Name what a figure can spread out: factors; epochs, which hash networks do not have."""
    if study.hashing:
        return tuple(dict.fromkeys((*study.factors, *study.points[0].run.common_factors())))
    return (*study.factors, "epoch")
