import dataclasses
import json

import pytest

from neuralcodes.studies import runs

# The published model-size run of MNIST at width 40, written out: its id may never change.
PINNED = {
    "dataset": "mnist",
    "depth": 1,
    "width": 40,
    "activation": "relu",
    "batch_norm": True,
    "batch_norm_momentum": 0.99,
    "batch_norm_epsilon": 0.001,
    "dropout": 0.0,
    "initializer": "glorot_uniform",
    "optimizer": "adam",
    "learning_rate": 0.01,
    "adam_epsilon": 1e-7,
    "momentum": 0.0,
    "schedule": "step",
    "decay_factor": 0.1,
    "decay_epochs": 20,
    "weight_decay": 1e-6,
    "batch_size": 64,
    "epochs": 200,
    "patience": 10,
    "validation_fraction": 0.2,
    "sample_size": None,
    "subset": "first",
    "label_noise": 0.0,
    "input_noise": 0.0,
    "input_scaling": "unit",
    "tf32": False,
    "architecture": "mlp",
}
ABSENT = ["activation", "dropout", "sample_size", "subset", "label_noise", "input_noise"]
ABSENT += ["input_scaling", "tf32", "architecture"]


def test_an_id_never_changes():
    assert runs.from_mapping(PINNED).id == "mnist-mlp1x40-2df1cd46"


def test_the_defaults_are_the_published_recipe(make_run):
    changes = {"dataset": "mnist", "width": 40, "batch_size": 64, "epochs": 200}
    assert make_run(**changes) == runs.from_mapping(PINNED)


@pytest.mark.parametrize("field", ABSENT)
def test_a_field_at_absent_stays_out_of_what_is_digested(field):
    assert field not in json.loads(runs.from_mapping(PINNED).canonical_json())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("dataset", "cifar10"),
        ("depth", 2),
        ("width", 44),
        ("activation", "abs"),
        ("batch_norm", False),
        ("batch_norm_momentum", 0.9),
        ("batch_norm_epsilon", 1e-5),
        ("dropout", 0.5),
        ("initializer", "torch_default"),
        ("optimizer", "sgd"),
        ("learning_rate", 0.1),
        ("adam_epsilon", 1e-8),
        ("schedule", "constant"),
        ("decay_factor", 0.5),
        ("decay_epochs", 10),
        ("weight_decay", 0.0),
        ("batch_size", 32),
        ("epochs", 100),
        ("patience", 0),
        ("validation_fraction", 0.1),
        ("sample_size", 100),
        ("label_noise", 0.1),
        ("input_noise", 0.1),
        ("input_scaling", "raw"),
        ("batch_size", None),
        ("tf32", True),
        ("architecture", "small_cnn"),
    ],
)
def test_every_field_that_matters_changes_the_id(field, value):
    changed = runs.from_mapping({**PINNED, field: value})
    assert changed.id[-8:] != runs.from_mapping(PINNED).id[-8:]


def test_the_list_of_fields_that_matter_is_complete():
    marks = test_every_field_that_matters_changes_the_id.pytestmark[0].args[1]
    idle = {"momentum", "subset"}
    assert {field for field, _ in marks} == set(runs.FIELDS) - idle == set(PINNED) - idle


@pytest.mark.parametrize(
    ("setting", "idle"),
    [
        ({"schedule": "constant"}, {"decay_factor": 0.5, "decay_epochs": 7}),
        ({"optimizer": "sgd"}, {"adam_epsilon": 1e-3}),
        ({"optimizer": "adam"}, {"momentum": 0.9}),
        ({"batch_norm": False}, {"batch_norm_momentum": 0.5, "batch_norm_epsilon": 0.1}),
        ({"sample_size": None}, {"subset": "random"}),
    ],
)
def test_fields_without_effect_do_not_change_the_id(setting, idle):
    base = PINNED | setting
    assert runs.from_mapping(base | idle).id == runs.from_mapping(base).id


def test_momentum_and_subset_count_where_they_act():
    sgd, few = PINNED | {"optimizer": "sgd"}, PINNED | {"sample_size": 10}
    assert runs.from_mapping(sgd | {"momentum": 0.9}).id != runs.from_mapping(sgd).id
    assert runs.from_mapping(few | {"subset": "random"}).id != runs.from_mapping(few).id


def test_numbers_written_as_integer_or_float_make_the_same_run():
    written = {"dropout": 0, "weight_decay": 1, "epochs": 200.0, "sample_size": 10.0, "width": 40.0}
    meant = {"dropout": 0.0, "weight_decay": 1.0, "epochs": 200, "sample_size": 10, "width": 40}
    run = runs.from_mapping(PINNED | written)
    assert run.id == runs.from_mapping(PINNED | meant).id
    assert [type(run.dropout), type(run.epochs), type(run.sample_size)] == [float, int, int]


def test_a_run_survives_its_mapping():
    run = runs.from_mapping(PINNED)
    assert runs.from_mapping(json.loads(json.dumps(run.to_dict()))) == run


def test_a_file_of_before_a_field_was_added_still_gives_its_run():
    older = {name: value for name, value in PINNED.items() if name != "tf32"}
    assert runs.from_mapping(older) == runs.from_mapping(PINNED)


def test_a_run_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError, match="width"):
        runs.from_mapping(PINNED).width = 3


@pytest.mark.parametrize(
    ("depth", "width", "layers"), [(1, 40, (40,)), (5, 50, (10,) * 5), (5, 53, (10,) * 5)]
)
def test_the_total_width_is_split_evenly_and_the_remainder_dropped(depth, width, layers):
    run = runs.from_mapping(PINNED | {"depth": depth, "width": width})
    assert run.layers == layers
    assert f"-mlp{depth}x{layers[0]}-" in run.id


def test_the_step_schedule_divides_the_learning_rate_by_ten_every_twenty_epochs():
    run = runs.from_mapping(PINNED)
    rates = [run.learning_rate_at(epoch) for epoch in (0, 19, 20, 39, 40, 80, 199)]
    assert rates == pytest.approx([1e-2, 1e-2, 1e-3, 1e-3, 1e-4, 1e-6, 1e-11], rel=1e-12)


def test_the_constant_schedule_keeps_the_learning_rate():
    run = runs.from_mapping(PINNED | {"schedule": "constant"})
    assert {run.learning_rate_at(epoch) for epoch in range(200)} == {0.01}


def test_idle_fields_do_not_tell_runs_apart(make_run):
    run = make_run(sample_size=None, optimizer="adam", schedule="constant", batch_norm=False)
    other = runs.from_mapping(
        {
            **run.to_dict(),
            "subset": "stratified",
            "momentum": 0.9,
            "decay_epochs": 3,
            "batch_norm_epsilon": 0.5,
        }
    )
    assert other == runs.from_mapping(run.to_dict())
    assert other.id == run.id
