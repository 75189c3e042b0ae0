from pathlib import Path

import pytest
import yaml

from neuralcodes.figures import drawing, plotting
from neuralcodes.pipeline import validation

ROOT = Path(__file__).parents[2]
SCHEMA = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text())
KINDS = sorted(plotting.FIGURES)


def spec(kind, factors=("width", "depth"), **settings):
    figure = validation.with_defaults({"kind": kind, **settings}, SCHEMA["$defs"]["figure"], SCHEMA)
    return drawing.spec_of("A title", figure, factors)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_figure_gets_options_that_it_has(kind):
    made = spec(kind, where={"width": 4}, metrics=["pair_auc"], kinds=["clip"], scale="log")
    assert set(made.options) <= plotting.OPTIONS[kind] | {"where"}
    assert (made.kind, made.title) == (kind, "A title")
    assert made.options["where"] == {"width": 4}
    assert "where" not in spec(kind).options


@pytest.mark.parametrize("kind", KINDS)
def test_metrics_that_a_study_names_are_those_of_its_figure(kind):
    made = spec(kind, metrics=["pair_auc", "separation"])
    takes = "metrics" in plotting.OPTIONS[kind]
    assert made.options.get("metrics") == (("pair_auc", "separation") if takes else None)
    assert "metrics" not in spec(kind).options, "those of the kind"


@pytest.mark.parametrize("kind", KINDS)
def test_a_scale_that_a_study_names_is_that_of_its_figure(kind):
    made = spec(kind, scale="log")
    takes = "x_scale" in plotting.OPTIONS[kind]
    assert made.options.get("x_scale") == ("log" if takes else None)
    assert "x_scale" not in spec(kind).options


def test_roles_of_factors_are_passed_on():
    made = spec("manifold_sweep", x="relative_manifolds", line="weight_decay", variant="gamma_dim")
    assert (made.x, made.line, made.variant) == ("relative_manifolds", "weight_decay", "gamma_dim")
    made = spec("phase_chart")
    assert (made.x, made.line, made.variant) == ("width_per_layer", None, None)


def test_one_factor_at_a_time_is_told_the_factors():
    assert spec("one_at_a_time", ("dropout", "depth")).options["factors"] == ["dropout", "depth"]
    assert "factors" not in spec("manifold_sweep", ("dropout", "depth")).options


def test_phase_charts_are_told_the_limits_of_regimes():
    limits = {"sufficient_redundancy": 0.1}
    options = spec("phase_chart", regimes=limits).options
    assert options["thresholds"]["sufficient_redundancy"] == 0.1
    assert options["thresholds"]["under_expressive_redundancy"] == 0.5
    assert "thresholds" not in spec("retrieval", regimes=limits).options
