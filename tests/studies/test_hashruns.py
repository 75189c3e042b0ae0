import dataclasses
import json

import pytest

from neuralcodes.studies import hashruns
from neuralcodes.studies.hashruns import recovery_threshold

# The main run of the family poly, written out: its id may never change.
PINNED = {
    "dataset": "manifolds",
    "family": "poly",
    "gamma_dim": 12,
    "theta_dim": 2,
    "ambient_dim": None,
    "rotation": 45.0,
    "shift": 0.142857142857,
    "contrast": 0.4,
    "brightness": 0.3,
    "classes": None,
    "manifolds": 1000,
    "points": 100,
    "label_noise": 0.0,
    "network": "hash",
    "width": 2000,
    "hash_width": 128,
    "hash_activation": "linear",
    "train_first_layer": False,
    "init_scale": 1.0,
    "learning_rate": 0.003,
    "weight_decay": 3.0,
    "warmup_steps": 100,
    "steps": 1200,
    "batch_size": 250,
}
OF_IMAGES = ["rotation", "shift", "contrast", "brightness", "classes"]


def test_an_id_never_changes():
    assert hashruns.from_mapping(PINNED).id == "manifolds-hash2000x128-4654b907"


def test_the_defaults_are_the_main_run(make_hash_run):
    small = {name: PINNED[name] for name in PINNED if name not in OF_IMAGES}
    assert make_hash_run(**small) == hashruns.from_mapping(PINNED)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("dataset", "others"),
        ("family", "poly2"),
        ("gamma_dim", 6),
        ("theta_dim", 1),
        ("ambient_dim", 40),
        ("manifolds", 999),
        ("points", 99),
        ("label_noise", 1.0),
        ("width", 1999),
        ("hash_width", 64),
        ("hash_activation", "relu"),
        ("train_first_layer", True),
        ("init_scale", 0.1),
        ("learning_rate", 0.001),
        ("weight_decay", 0.0),
        ("warmup_steps", 0),
        ("steps", 1199),
        ("batch_size", 249),
        ("tf32", True),
    ],
)
def test_what_decides_a_training_changes_the_id(field, value):
    changed = hashruns.from_mapping({**PINNED, field: value})
    assert changed.id != hashruns.from_mapping(PINNED).id


@pytest.mark.parametrize(
    ("field", "value"),
    [("rotation", 10.0), ("shift", 0.0), ("contrast", 1.0), ("brightness", 0.0), ("classes", "1")],
)
def test_transformations_have_a_say_on_images_alone(field, value):
    images = PINNED | {"family": "images", "dataset": "mnist"}
    assert hashruns.from_mapping(PINNED | {field: value}) == hashruns.from_mapping(PINNED)
    assert hashruns.from_mapping(images | {field: value}).id != hashruns.from_mapping(images).id


@pytest.mark.parametrize("field", ["gamma_dim", "theta_dim", "ambient_dim"])
def test_dimensions_have_no_say_on_images(field):
    images = PINNED | {"family": "images", "dataset": "mnist"}
    assert hashruns.from_mapping(images | {field: 7}) == hashruns.from_mapping(images)


@pytest.mark.parametrize(
    ("field", "value"), [("width", 3), ("train_first_layer", True), ("init_scale", 2.0)]
)
def test_a_first_layer_has_no_say_in_convolutions(field, value):
    cnn = PINNED | {"family": "images", "network": "cnn"}
    assert hashruns.from_mapping(cnn | {field: value}) == hashruns.from_mapping(cnn)
    assert hashruns.from_mapping(cnn).id.startswith("manifolds-cnn128-")


def test_numbers_are_what_their_fields_are():
    written = PINNED | {"weight_decay": 3, "steps": 1200.0, "ambient_dim": 52.0}
    run = hashruns.from_mapping(written)
    assert run.id == hashruns.from_mapping(PINNED | {"ambient_dim": 52}).id
    assert isinstance(run.weight_decay, float)
    assert isinstance(run.ambient_dim, int)


def test_a_run_survives_json():
    run = hashruns.from_mapping(PINNED)
    assert hashruns.from_mapping(json.loads(json.dumps(run.to_dict()))) == run


def test_a_run_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        hashruns.from_mapping(PINNED).width = 3


@pytest.mark.parametrize(
    ("classes", "expected"),
    [(None, None), ("0-4", {0, 1, 2, 3, 4}), ("7", {7}), ("0,3,7-9", {0, 3, 7, 8, 9})],
)
def test_classes_are_numbers_and_ranges(make_hash_run, classes, expected):
    run = make_hash_run(family="images", classes=classes)
    assert run.trained_classes() == expected


@pytest.mark.parametrize(("gamma_dim", "threshold"), [(3, 9), (6, 27), (12, 90)])
def test_the_threshold_counts_quadratic_functions_of_a_unit_vector(gamma_dim, threshold):
    # 1, gamma, and gamma gamma^T less its trace, which is 1, and less the constant
    assert recovery_threshold(gamma_dim) == threshold
    assert threshold == gamma_dim + gamma_dim * (gamma_dim + 1) // 2


def test_common_factors_are_relative_to_the_threshold_where_it_is_known(make_hash_run):
    factors = make_hash_run(gamma_dim=6, manifolds=54).common_factors()
    assert factors["relative_manifolds"] == 2
    assert "relative_manifolds" not in make_hash_run(family="sine").common_factors()
