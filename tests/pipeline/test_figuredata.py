import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml

from neuralcodes.errors import ConfigError
from neuralcodes.figures import kinds
from neuralcodes.manifolds import invariance, locality
from neuralcodes.metrics import suite
from neuralcodes.pipeline import configuration
from neuralcodes.studies import settings

ROOT = Path(__file__).parents[2]
SCHEMA = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text())
FIGURE = SCHEMA["$defs"]["figure"]["properties"]
WIDTH = {"width": [4, 8]}
BOTH = {"width": [4, 8], "schedule": ["step", "constant"]}
EPOCHS = [0, 5, 10]
PUBLISHED = {"figure": "model_capacity", "dataset": "mnist"}
ACTIVATION = {"activation": ["relu", "abs"]}
PERTURBED = {"factors": ACTIVATION, "measures": ["perturbations"]}
CODED = {"factors": ACTIVATION, "measures": ["perturbed_codes"]}
HASHED = {"dataset": "made", "recipe": "poly", "factors": {"manifolds": [5, 50]}}
SWEEP = {**HASHED, "measures": ["manifolds"]}
ONE_HASHED = {**HASHED, "factors": {"manifolds": [50]}}
REGULARIZATION = {"dropout": [0, 0.5], "batch_norm": [True, False]}


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., settings.Settings]:
    """Load one study of some factors, checkpoints, measures and figure."""

    def build(
        figure: dict[str, object],
        names: list[str] | None = None,
        perturbations: dict[str, object] | None = None,
        **study: object,
    ) -> object:
        whole = {"dataset": "digits", "recipe": "he2021", "seeds": 1, "factors": WIDTH} | study
        content = {
            "datasets": {"digits": {"source": "digits"}, "made": {"source": "generated"}},
            "studies": {"s": {**whole, "figure": figure}},
            "metrics": {"names": names} if names else {},
            "perturbations": perturbations or {},
        }
        (tmp_path / "own.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
        return configuration.load({"preset": str(tmp_path / "own.yaml")}, ROOT, {})

    return build


GOOD = [
    ({"kind": "curves", "x": "width"}, {}),
    ({"kind": "curves", "x": "width", "variant": "schedule"}, {"factors": BOTH}),
    ({"kind": "curves", "x": "width", "where": {"schedule": "step"}}, {"factors": BOTH}),
    ({"kind": "curves", "x": "width", "where": {"epoch": 5}}, {"checkpoints": EPOCHS}),
    ({"kind": "curves", "x": "epoch", "line": "width"}, {"checkpoints": EPOCHS}),
    ({"kind": "curves", "x": "width", "line": "epoch"}, {"checkpoints": EPOCHS}),
    ({"kind": "curves", "x": "width"}, {"factors": {**WIDTH, "depth": [1]}}),
    ({"kind": "layers", "line": "width"}, {"measures": ["layers"]}),
    ({"kind": "layers"}, {"measures": ["layers"]}),
    (
        {"kind": "random_inputs", "x": "epoch"},
        {"measures": ["random_inputs"], "checkpoints": EPOCHS},
    ),
    (
        {"kind": "regions", "x": "epoch", "line": "width"},
        {"measures": ["regions"], "checkpoints": EPOCHS},
    ),
    ({"kind": "one_at_a_time"}, {"factors": REGULARIZATION, "design": "one_at_a_time"}),
    ({"kind": "one_at_a_time"}, {"factors": {"dropout": [0, 0.5]}}),
    ({"kind": "one_at_a_time"}, {"factors": {"learning_rate": [0.1, 0.01]}}),
    ({"kind": "phase_chart"}, {"checkpoints": EPOCHS}),
    (
        {"kind": "phase_chart"},
        {"checkpoints": EPOCHS, "factors": {**WIDTH, "sample_size": [9, None]}},
    ),
    (
        {"kind": "recipe_recovery", "published": PUBLISHED},
        {"factors": {**WIDTH, "recipe": ["sgd", "he2021"]}},
    ),
    ({"kind": "training"}, {"factors": ACTIVATION, "measures": ["history"]}),
    ({"kind": "training", "line": "width", "scale": "linear"}, {"measures": ["history"]}),
    ({"kind": "perturbations"}, PERTURBED),
    ({"kind": "perturbations", "kinds": ["offset", "clip_activation"]}, PERTURBED),
    ({"kind": "perturbations", "published": {**PUBLISHED, "figure": "perturbation"}}, PERTURBED),
    ({"kind": "perturbations"}, {**PERTURBED, "significance": True}),
    ({"kind": "perturbations", "line": "width"}, {"measures": ["perturbations"]}),
    (
        {"kind": "perturbations", "where": {"epoch": "accuracy50"}},
        {**PERTURBED, "checkpoints": ["accuracy50", "final"]},
    ),
    (
        {"kind": "perturbations", "variant": "input_scaling"},
        {**PERTURBED, "factors": {**ACTIVATION, "input_scaling": ["raw", "standardized"]}},
    ),
    (
        {"kind": "perturbations"},
        {"factors": {"activation": ["relu", "tanh"]}, "measures": ["perturbations"]},
    ),
    ({"kind": "equal_change"}, PERTURBED),
    ({"kind": "perturbed_codes"}, CODED),
    ({"kind": "perturbed_codes", "kinds": ["offset", "scale"]}, CODED),
    ({"kind": "preactivations"}, {"factors": ACTIVATION, "measures": ["preactivations"]}),
    ({"kind": "training"}, {"factors": ACTIVATION, "measures": ["history", "perturbations"]}),
    # hash networks
    ({"kind": "manifold_sweep", "x": "manifolds"}, SWEEP),
    ({"kind": "manifold_sweep", "x": "relative_manifolds", "scale": "linear"}, SWEEP),
    ({"kind": "manifold_sweep", "x": "manifolds", "metrics": ["pair_auc"]}, SWEEP),
    ({"kind": "manifold_sweep", "x": "manifolds", "where": {"epoch": "final"}}, SWEEP),
    (
        {"kind": "manifold_sweep", "x": "relative_manifolds", "line": "gamma_dim"},
        {**SWEEP, "factors": {"manifolds": [5, 50], "gamma_dim": [3, 6]}},
    ),
    (
        {"kind": "manifold_sweep", "x": "points", "line": "manifolds", "variant": "init_scale"},
        {**SWEEP, "factors": {"points": [2, 9], "manifolds": [5, 50], "init_scale": [0.1, 1]}},
    ),
    ({"kind": "lsh_curve"}, {**ONE_HASHED, "measures": ["locality"]}),
    ({"kind": "lsh_curve", "where": {"manifolds": 5}}, {**HASHED, "measures": ["locality"]}),
    ({"kind": "manifold_distances"}, {**ONE_HASHED, "measures": ["locality", "manifolds"]}),
    ({"kind": "manifold_embedding"}, {**ONE_HASHED, "measures": ["embedding"]}),
    # retrieval, of either kind
    ({"kind": "retrieval", "x": "hash_width"}, {**ONE_HASHED, "measures": ["retrieval"]}),
    ({"kind": "retrieval", "x": "width", "scale": "log"}, {"measures": ["retrieval", "codes"]}),
    (
        {"kind": "retrieval", "x": "epoch", "where": {"width": 4}},
        {"measures": ["retrieval"], "checkpoints": EPOCHS},
    ),
]


@pytest.mark.parametrize(("figure", "study"), GOOD)
def test_a_study_that_measures_what_its_figure_shows_is_taken(load, figure, study):
    assert load(figure, **study).studies["s"].figure["kind"] == figure["kind"]


WRONG = [
    # no data
    ({"kind": "layers"}, {}, "kind", '"layers"', "no data without the measure layers; add it to"),
    (
        {"kind": "random_inputs", "x": "width"},
        {},
        "kind",
        '"random_inputs"',
        "add it to studies.s.measures, which has codes",
    ),
    ({"kind": "regions", "x": "width"}, {}, "kind", '"regions"', "without the measure regions"),
    (
        {"kind": "curves", "x": "width"},
        {"measures": ["regions"]},
        "kind",
        '"curves"',
        "without the measure codes; add it to studies.s.measures, which has regions",
    ),
    ({"kind": "curves"}, {}, "x", "null", "needs one of width, epoch here"),
    (
        {"kind": "random_inputs"},
        {"measures": ["random_inputs"]},
        "x",
        "null",
        "needs one of width, epoch here",
    ),
    ({"kind": "curves", "x": "epoch"}, {}, "x", '"epoch"', "checkpoints, which has 0"),
    (
        {"kind": "curves", "x": "width", "line": "epoch"},
        {"checkpoints": [5, "final"]},
        "line",
        '"epoch"',
        "at least two numbered epochs in studies.s.checkpoints, which has 1",
    ),
    ({"kind": "phase_chart"}, {}, "kind", '"phase_chart"', "at least two numbered checkpoints"),
    (
        {"kind": "phase_chart"},
        {"checkpoints": EPOCHS, "factors": {"sample_size": [9, None]}},
        "kind",
        '"phase_chart"',
        "it needs the factor width",
    ),
    (
        {"kind": "recipe_recovery"},
        {"factors": {"recipe": ["sgd", "he2021"]}},
        "kind",
        '"recipe_recovery"',
        "and the key published",
    ),
    (
        {"kind": "recipe_recovery", "published": PUBLISHED},
        {},
        "kind",
        '"recipe_recovery"',
        "it needs the factor recipe",
    ),
    # names that are no factors of the study
    ({"kind": "curves", "x": "widht"}, {}, "x", '"widht"', "mean width? Allowed: epoch, width"),
    ({"kind": "curves", "x": "depth"}, {}, "x", '"depth"', "Allowed: epoch, width"),
    ({"kind": "curves", "x": "width", "line": "subset"}, {}, "line", '"subset"', "Allowed: epoch"),
    ({"kind": "curves", "x": "width", "variant": "a"}, {}, "variant", '"a"', "Allowed: epoch"),
    ({"kind": "curves", "x": "width", "line": "width"}, {}, "line", '"width"', "it is x already"),
    (
        {"kind": "curves", "x": "width", "where": {"depth": 1}},
        {},
        "where.depth",
        '"depth"',
        "Allowed: epoch, width",
    ),
    (
        {"kind": "curves", "x": "width", "where": {"width": 5}},
        {},
        "where.width",
        "5",
        "no known width of this study. Allowed: 4, 8",
    ),
    (
        {"kind": "curves", "x": "width", "where": {"width": [4]}},
        {},
        "where.width",
        "[4]",
        "Allowed: 4, 8",
    ),
    (
        {"kind": "curves", "x": "width", "where": {"epoch": 3}},
        {"checkpoints": EPOCHS},
        "where.epoch",
        "3",
        "Allowed: 0, 10, 5",
    ),
    (
        {"kind": "curves", "x": "width", "where": {"sample_size": None}},
        {"factors": {**WIDTH, "sample_size": [9, None]}},
        "where.sample_size",
        "null",
        "Allowed: 9",
    ),
    (
        {"kind": "one_at_a_time", "where": {"dropout": 0.5, "batch_norm": False}},
        {"factors": REGULARIZATION, "design": "one_at_a_time"},
        "where",
        '{"dropout": 0.5, "batch_norm": false}',
        "no point of the study has all that",
    ),
    # settings that the kind does not look at
    (
        {"kind": "phase_chart", "line": "width"},
        {"checkpoints": EPOCHS},
        "line",
        '"width"',
        "a figure of kind phase_chart takes where, x, regimes; take it out",
    ),
    (
        {"kind": "one_at_a_time", "scale": "log"},
        {},
        "scale",
        '"log"',
        "takes where, metrics; take it out",
    ),
    # one factor at a time
    (
        {"kind": "one_at_a_time"},
        {"factors": {"dropout": [0.5]}},
        "kind",
        '"one_at_a_time"',
        "a factor with more than one value",
    ),
    (
        {"kind": "one_at_a_time"},
        {"factors": REGULARIZATION},
        "kind",
        '"one_at_a_time"',
        "no value of dropout is the base; set design: one_at_a_time",
    ),
    # more than the figure can tell apart
    (
        {"kind": "curves", "x": "width", "variant": "dropout"},
        {"factors": {**WIDTH, "dropout": [0, 0.1, 0.2, 0.3, 0.4]}},
        "variant",
        '"dropout"',
        "it has 5 values, and only 4 line styles can be told apart",
    ),
    (
        {"kind": "curves", "x": "width", "regimes": {"sufficient_redundancy": 0.5}},
        {},
        "regimes.sufficient_redundancy",
        "0.5",
        "it must be below under_expressive_redundancy, 0.5",
    ),
    # perturbed networks
    ({"kind": "training"}, {"factors": ACTIVATION}, "kind", '"training"', "the measure history;"),
    (
        {"kind": "perturbations"},
        {"factors": ACTIVATION},
        "kind",
        '"perturbations"',
        "without the measure perturbations; add it to studies.s.measures, which has codes",
    ),
    ({"kind": "equal_change"}, CODED, "kind", '"equal_change"', "the measure perturbations; add"),
    (
        {"kind": "perturbed_codes"},
        PERTURBED,
        "kind",
        '"perturbed_codes"',
        "measure perturbed_codes",
    ),
    ({"kind": "preactivations"}, PERTURBED, "kind", '"preactivations"', "measure preactivations"),
    *(
        (
            {"kind": kind},
            {"measures": [measure]},
            "line",
            "null",
            "without the factor activation it needs one of width, epoch",
        )
        for kind, measure in ((name, kinds.get(name).measure) for name in kinds.names())
        if getattr(kinds.get(kind).options.get("line"), "usual", "") == "activation"
    ),
    (
        {"kind": "equal_change", "kinds": ["scale"]},
        PERTURBED,
        "kinds",
        '["scale"]',
        "a figure of kind equal_change takes where, line",
    ),
    ({"kind": "curves", "x": "width", "kinds": ["clip"]}, {}, "kinds", '["clip"]', "take it out"),
    ({"kind": "perturbations", "x": "activation"}, PERTURBED, "x", '"activation"', "take it out"),
    ({"kind": "perturbed_codes", "scale": "log"}, CODED, "scale", '"log"', "takes where, line"),
    (
        {"kind": "perturbations", "line": "epoch"},
        {**PERTURBED, "checkpoints": ["accuracy50", "accuracy90", "final"]},
        "line",
        '"epoch"',
        "at least two numbered epochs in studies.s.checkpoints, which has 0",
    ),
    # hash networks
    (
        {"kind": "manifold_sweep", "x": "manifolds"},
        HASHED,
        "kind",
        '"manifold_sweep"',
        "without the measure manifolds; add it to studies.s.measures, which has codes",
    ),
    ({"kind": "lsh_curve"}, SWEEP, "kind", '"lsh_curve"', "without the measure locality; add it"),
    ({"kind": "manifold_embedding"}, SWEEP, "kind", '"manifold_embedding"', "measure embedding;"),
    ({"kind": "retrieval", "x": "width"}, {}, "kind", '"retrieval"', "the measure retrieval; add"),
    (
        {"kind": "manifold_sweep"},
        SWEEP,
        "x",
        "null",
        "needs one of manifolds, family, points, width, hash_width, relative_manifolds here",
    ),
    ({"kind": "retrieval"}, {"measures": ["retrieval"]}, "x", "null", "needs one of width, epoch"),
    (
        {"kind": "manifold_sweep", "x": "epoch"},
        SWEEP,
        "x",
        '"epoch"',
        "Allowed: family, hash_width, manifolds, points, relative_manifolds, width",
    ),
    (
        {"kind": "manifold_sweep", "x": "relative_manifolds"},
        {**SWEEP, "recipe": "sine"},
        "x",
        '"relative_manifolds"',
        "Allowed: family, hash_width, manifolds, points, width",
    ),
    ({"kind": "manifold_sweep", "x": "gamma_dim"}, SWEEP, "x", '"gamma_dim"', "Allowed: family,"),
    (
        {"kind": "manifold_sweep", "x": "manifolds", "kinds": ["clip"]},
        SWEEP,
        "kinds",
        '["clip"]',
        "a figure of kind manifold_sweep takes where, x, line, variant, scale, metrics; take",
    ),
    (
        {"kind": "retrieval", "x": "width", "metrics": ["pair_auc"]},
        {"measures": ["retrieval"]},
        "metrics",
        '["pair_auc"]',
        "take it out",
    ),
    (
        {"kind": "lsh_curve", "x": "manifolds"},
        {**HASHED, "measures": ["locality"]},
        "x",
        '"manifolds"',
        "a figure of kind lsh_curve takes where; take it out",
    ),
    (
        {"kind": "manifold_sweep", "x": "manifolds", "published": PUBLISHED},
        SWEEP,
        "published",
        '{"figure": "model_capacity", "dataset": "mnist"}',
        "take it out",
    ),
]


@pytest.mark.parametrize(("figure", "study", "key", "found", "allowed"), WRONG)
def test_a_study_without_its_figure_s_data_is_refused(load, figure, study, key, found, allowed):
    with pytest.raises(ConfigError) as raised:
        load(figure, **study)
    message = str(raised.value)
    assert message.startswith(f"studies.s.figure.{key}: {found} is ")
    assert allowed in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("figure", "study"),
    [
        ({"kind": "curves", "x": "width"}, {"factors": BOTH}),
        ({"kind": "layers", "line": "width"}, {"factors": BOTH, "measures": ["layers"]}),
        (
            {"kind": "regions", "x": "width"},
            {"factors": BOTH, "measures": ["regions"], "checkpoints": EPOCHS},
        ),
        ({"kind": "phase_chart"}, {"factors": BOTH, "checkpoints": EPOCHS}),
        (
            {"kind": "recipe_recovery", "published": PUBLISHED},
            {"factors": {**BOTH, "recipe": ["sgd", "he2021"]}},
        ),
    ],
)
def test_a_factor_that_the_figure_does_not_show_is_refused(load, figure, study):
    message = r"^studies\.s\.figure: shows .*but the study varies schedule too.*figure\.where$"
    with pytest.raises(ConfigError, match=message):
        load(figure, **study)


@pytest.mark.parametrize(
    ("figure", "study", "shows", "varies"),
    [
        (
            {"kind": "manifold_sweep", "x": "manifolds"},
            {**SWEEP, "factors": {"manifolds": [5, 50], "weight_decay": [0, 3]}},
            "manifolds",
            "weight_decay",
        ),
        (
            {"kind": "manifold_sweep", "x": "relative_manifolds"},
            {**SWEEP, "factors": {"manifolds": [5, 50], "points": [3, 9]}},
            "relative_manifolds",
            "points",
        ),
        ({"kind": "lsh_curve"}, {**HASHED, "measures": ["locality"]}, "no factor", "manifolds"),
        (
            {"kind": "retrieval", "x": "hash_width"},
            {**HASHED, "measures": ["retrieval"]},
            "hash_width",
            "manifolds",
        ),
    ],
)
def test_a_factor_of_hash_networks_that_the_figure_does_not_show_is_refused(
    load, figure, study, shows, varies
):
    message = rf"^studies\.s\.figure: shows {shows}, but the study varies {varies} too, and its"
    with pytest.raises(ConfigError, match=message) as raised:
        load(figure, **study)
    roles = "this one does not" if figure["kind"] == "lsh_curve" else "x"
    assert f"show it where the kind allows ({roles}" in str(raised.value)


@pytest.mark.parametrize(
    ("figure", "study", "measure"),
    [
        (
            {"kind": "manifold_sweep", "x": "manifolds"},
            {**SWEEP, "measures": ["manifolds", "codes"]},
            "codes",
        ),
        ({"kind": "lsh_curve"}, {**ONE_HASHED, "measures": ["regions", "locality"]}, "regions"),
        ({"kind": "curves", "x": "width"}, {"measures": ["codes", "embedding"]}, "embedding"),
        ({"kind": "manifold_sweep", "x": "width"}, {"measures": ["manifolds"]}, "manifolds"),
    ],
)
def test_measures_of_the_other_kind_of_network_are_refused(load, figure, study, measure):
    with pytest.raises(ConfigError) as raised:
        load(figure, **study)
    whose = "networks that classify have codes, layers, "
    if measure in ("codes", "regions"):
        whose = "hash networks have manifolds, locality, embedding, retrieval"
    message = f'studies.s.measures: "{measure}" is not allowed: {whose}'
    assert str(raised.value).startswith(message)


@pytest.mark.parametrize(
    ("figure", "study", "names", "needs"),
    [
        (
            {"kind": "phase_chart"},
            {"checkpoints": EPOCHS},
            ["code_length", "redundancy_ratio"],
            "knn_accuracy",
        ),
        (
            {"kind": "layers"},
            {"measures": ["layers"]},
            ["code_length"],
            "redundancy_ratio or kmeans_accuracy or knn_accuracy or logistic_regression_accuracy",
        ),
    ],
)
def test_metrics_that_a_figure_needs_must_be_computed(load, figure, study, names, needs):
    message = rf"^metrics\.names: \[\"code_length\".* studies\.s\.figure needs {needs}$"
    with pytest.raises(ConfigError, match=message):
        load(figure, names, **study)


@pytest.mark.parametrize(
    ("kinds", "position", "found"),
    [(["clip"], 0, "clip"), (["offset", "scale", "clip_activation"], 2, "clip_activation")],
)
def test_a_perturbation_that_is_not_measured_cannot_be_drawn(load, kinds, position, found):
    measured = {"kinds": ["scale", "offset"]}
    message = (
        rf'^studies\.s\.figure\.kinds\[{position}\]: "{found}" is no known kind of '
        r"perturbations\.kinds.* Allowed: offset, scale$"
    )
    with pytest.raises(ConfigError, match=message):
        load({"kind": "perturbations", "kinds": kinds}, perturbations=measured, **PERTURBED)
    load({"kind": "perturbations", "kinds": ["scale"]}, perturbations=measured, **PERTURBED)


@pytest.mark.parametrize("measures", [["history", "codes"], ["codes", "history", "layers"]])
def test_codes_and_history_of_one_study_would_say_the_same_twice(load, measures):
    message = r"^studies\.s\.measures: \[.*\] is not allowed: codes and history both give loss"
    with pytest.raises(ConfigError, match=message):
        load({"kind": "training"}, factors=ACTIVATION, measures=measures)


@pytest.mark.parametrize("measure", ["regions", "perturbed_codes"])
def test_what_a_unit_with_tanh_does_not_have_is_not_measured(load, measure):
    figure = {"kind": "perturbations", "line": "width"}
    message = rf'^studies\.s\.measures: "{measure}" is not allowed: a unit with tanh has none'
    study = {"measures": ["perturbations", measure], "factors": WIDTH}
    for change in (
        {"set": {"activation": "tanh"}},
        {"factors": {**WIDTH, "activation": ["relu", "tanh"]}},
    ):
        with pytest.raises(ConfigError, match=message):
            load(figure, **study | change)


@pytest.mark.parametrize(
    ("study", "reason"),
    [
        (
            {"measures": ["history"]},
            r"it tests the measure perturbations; add it to studies\.s\.measures$",
        ),
        (
            {"measures": ["history", "perturbations"], "checkpoints": [5, "accuracy90"]},
            "it tests the checkpoint final$",
        ),
    ],
)
def test_tests_of_what_is_not_measured_are_refused(load, study, reason):
    message = rf"^studies\.s\.significance: true is not allowed: {reason}"
    with pytest.raises(ConfigError, match=message):
        load({"kind": "training"}, factors=ACTIVATION, significance=True, **study)


def test_every_kind_of_figure_is_known_to_the_schema():
    assert set(kinds.names()) == set(FIGURE["kind"]["enum"])
    settings = {name for kind in kinds.names() for name in kinds.get(kind).options}
    assert settings <= set(FIGURE)


def test_a_metric_on_codes_can_be_put_into_a_figure(load):
    figure = {"kind": "curves", "x": "width", "metrics": ["kmeans_accuracy_one_to_one"]}
    load(figure)
    message = r'^studies\.s\.figure\.metrics\[0\]: "knn" is no known metric that is computed'
    with pytest.raises(ConfigError, match=message):
        load({**figure, "metrics": ["knn"]})


def test_figures_show_measures_that_there_are():
    measures = SCHEMA["$defs"]["study"]["properties"]["measures"]["items"]["enum"]
    assert {kinds.get(name).measure for name in kinds.names()} <= set(measures)


def test_the_metrics_of_the_schema_are_those_of_the_library():
    names = SCHEMA["properties"]["metrics"]["properties"]["names"]
    assert names["items"]["enum"] == names["default"] == list(suite.NAMES)


def test_the_metrics_of_a_sweep_are_those_that_are_measured_of_unseen_manifolds():
    pattern = kinds.get("manifold_sweep").options["metrics"].pattern
    points = np.random.default_rng(0).normal(size=(8, 4, 5)).astype(np.float32)
    view = locality.View(points, points > 0, points > 0, np.zeros(5, np.float32))
    measured = invariance.measure(view, points[:, 0, :3], (3, 5), 2, 10, 0)
    for name in (*measured, "generalization_gap"):
        assert re.fullmatch(pattern, name)
    for name in ("accuracy", "variance_ratios", "one_shot_accuracy"):
        assert not re.fullmatch(pattern, name)
