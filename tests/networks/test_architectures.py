"""What holds for every architecture: trained, halted, kept in files and encoded alike."""

import subprocess
import sys
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from training_cases import advanced, assert_same, finished, resumed

from neuralcodes.codes import packed as codes
from neuralcodes.codes import tracing
from neuralcodes.errors import DataError
from neuralcodes.manifolds.manifolddata import TrainingPoints
from neuralcodes.networks import ensembles, modelfiles
from neuralcodes.networks.architectures import registry
from neuralcodes.networks.architectures.declaration import ModuleArchitecture
from neuralcodes.networks.training.loop import Training
from neuralcodes.networks.training.trainingdata import TrainingData

SEEDS = [3, 5, 8]
CHECKPOINTS = ("0", "2", "final")
CNN = {"architecture": "small_cnn", "depth": 2, "width": 8, "epochs": 3}
RESTLESS = {"learning_rate": 0.5, "schedule": "constant", "patience": 1, "epochs": 12}
RECIPES = {
    "mlp": {"depth": 2, "width": 12, "epochs": 3},
    "mlp that stops early": {"width": 4, "dropout": 0.2, **RESTLESS},
    "small_cnn": CNN,
    "small_cnn with dropout": {**CNN, "dropout": 0.3, "optimizer": "sgd", "momentum": 0.9},
    "small_cnn that stops early": {**CNN, "batch_norm": False, "activation": "tanh", **RESTLESS},
}
HASHES = {
    "hash": {"steps": 60, "train_first_layer": True},
    "cnn": {"dataset": "pictures", "family": "images", "network": "cnn", "steps": 60},
}
LEAN = pytest.mark.parametrize("lean", [False, True], ids=["one by one", "lean"])
EVERY = pytest.mark.parametrize("name", [*RECIPES, *HASHES])
OF_RECIPES = pytest.mark.parametrize("name", RECIPES)


@pytest.fixture
def start(make_run, make_hash_run, pictures, images):
    def build(name, seeds=SEEDS, lean=None, **changes):
        if name in RECIPES:
            run = make_run(**RECIPES[name] | changes)
            data = TrainingData.of(run, seeds, *images, maximum=255)
            return Training(run, seeds, data, 3, CHECKPOINTS, lean)
        run = make_hash_run(**HASHES[name] | changes)
        folder = pictures if name == "cnn" else None
        points = TrainingPoints.of(run, seeds, folder, torch.device("cpu"))
        return Training(run, seeds, points, points.classes, ("0", "final"), lean)

    return build


def inputs_of(training, count=20):
    """Some inputs as the networks take them."""
    if isinstance(training.data, TrainingData):
        return training.batches.gather(torch.arange(count))
    rows = torch.arange(count).expand(len(training.seeds), -1)
    return training.data.batch(rows)[0]


@LEAN
@pytest.mark.parametrize("halt", [1, 2, 51])
@EVERY
def test_a_halted_training_ends_with_the_bits_of_an_uninterrupted_one(
    start, tmp_path, name, halt, lean
):
    through, halted, fresh = (start(name, lean=lean) for _ in range(3))
    assert_same(finished(resumed(advanced(halted, halt), fresh, tmp_path)), finished(through))


@EVERY
def test_a_seed_alone_is_the_seed_among_others(start, name):
    together = finished(start(name))
    for i, seed in enumerate(SEEDS):
        alone = finished(start(name, [seed]))
        found = [row for row in together.progress.history if row[0] == seed]
        for row, expected in zip(found, alone.progress.history, strict=True):
            assert row == pytest.approx(expected, rel=1e-4)
        for key, value in alone.checkpoints["final"].parameters.items():
            among = together.checkpoints["final"].parameters[key][i]
            torch.testing.assert_close(among, value[0], rtol=1e-3, atol=1e-4, msg=key)


@EVERY
def test_training_changes_what_it_trains_and_statistics_alone(start, name):
    training = start(name)
    kept = training.finish()
    before, after = kept["0"].parameters, kept["final"].parameters
    changed = {key for key, value in after.items() if not torch.equal(value, before[key])}
    trained = set(kept["0"].trained_names(training.run))
    assert trained - changed <= {f"hidden.{i}.bias" for i in range(2)}, "batch norm takes it away"
    statistics = ("mean", "variance", "running_mean", "running_var", "num_batches_tracked")
    assert all(key.rsplit(".", 1)[-1] in statistics for key in changed - trained)
    assert set(kept["0"].decayed_names(training.run)) < trained


@EVERY
def test_a_member_is_the_network_of_the_ensemble(start, name):
    training = start(name)
    final, inputs = training.finish()["final"], inputs_of(training)
    logits = torch.cat([each for _, each in final.evaluate(inputs, batch_size=7)], 1)
    for i in range(len(SEEDS)):
        with torch.no_grad():
            expected = final.member(i)(inputs)
        torch.testing.assert_close(logits[i], expected, rtol=1e-4, atol=1e-5)


@OF_RECIPES
def test_codes_are_those_of_the_member_traced(start, name):
    training = start(name, activation="relu")
    final, inputs = training.finish()["final"], inputs_of(training)
    found = torch.cat([codes.pack(bits > 0) for bits, _ in final.evaluate(inputs, 7)], 1)
    for i in range(len(SEEDS)):
        layers, packed = tracing.record(final.member(i), inputs, 20)
        assert np.array_equal(found[i].numpy(), packed)
        assert [units for _, units in final.layers()] == [units for _, units in layers]
    assert layers[-1][0] == final.last_activation()


@EVERY
def test_what_is_saved_is_loaded(start, tmp_path, name):
    kept = start(name).finish()
    modelfiles.save(tmp_path / "model", kept, {"seeds": SEEDS})
    for epoch, expected in kept.items():
        found = modelfiles.load(tmp_path / "model", epoch)
        assert type(found) is type(expected)
        assert found.shape == expected.shape
        assert found.parameters.keys() == expected.parameters.keys()
        for key, value in expected.parameters.items():
            assert found.parameters[key].dtype == value.dtype
            assert torch.equal(found.parameters[key], value)


@EVERY
def test_parameters_that_do_not_fit_the_shape_are_refused(start, tmp_path, name):
    ensemble, path = start(name).snapshot(), tmp_path / "odd"
    for change in ("lacks", "has one too many", "has another size"):
        parameters = dict(ensemble.parameters)
        first = next(iter(parameters))
        if change == "lacks":
            del parameters[first]
        elif change == "has one too many":
            parameters["further"] = torch.zeros(3, 20)
        else:
            parameters[first] = torch.zeros(3, 2, 21)
        modelfiles.save(path, {"final": ensemble.alike(parameters)}, {})
        with pytest.raises(DataError, match="odd is damaged"):
            modelfiles.load(path, "final")


@pytest.mark.parametrize("name", ["mlp", "small_cnn"])
def test_networks_learn(start, name):
    training = finished(start(name, epochs=40, validation_fraction=0))
    assert min(row[4] for row in training.progress.history[-3:]) > 0.9


@dataclass(frozen=True)
class Unknown:
    network: str = "of_a_plugin"


class Stranger(ensembles.Ensemble):
    trained_names = decayed_names = layers = evaluate = member = None


def test_networks_of_an_architecture_that_nobody_knows_are_named(tmp_path):
    modelfiles.save(tmp_path / "m", {"0": Stranger(Unknown(), {"a": torch.zeros(1)})}, {})
    with pytest.raises(DataError, match=r"no architecture of_a_plugin; there are mlp, .* plugin"):
        modelfiles.load(tmp_path / "m", "0")


# the registry


def test_importing_the_registry_imports_no_torch():
    program = (
        "import sys; from neuralcodes.networks.architectures import registry; registry.names();"
        "registry.unread('small_cnn', ['initializer']); print('torch' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert found.stdout.split() == [b"False"]


def test_a_recipe_may_name_what_reads_its_keys():
    assert registry.names()[:2] == ("mlp", "small_cnn")
    assert registry.unread("mlp", ["depth", "initializer", "epochs"]) == []
    assert registry.unread("small_cnn", ["depth", "initializer", "epochs"]) == ["initializer"]
    with pytest.raises(LookupError, match="no architecture lstm; there are mlp"):
        registry.get("lstm")


class Linear(ModuleArchitecture):
    """An architecture of a user's own: one hidden layer of 5 units on flat features."""

    name = "linear"
    keys = frozenset({"activation"})

    def module(self, inputs, classes, settings):
        del settings
        units = torch.Size(inputs).numel()
        layers = [torch.nn.Flatten(), torch.nn.Linear(units, 5), torch.nn.ReLU()]
        return torch.nn.Sequential(*layers, torch.nn.Linear(5, classes))


@pytest.fixture
def registered(monkeypatch):
    monkeypatch.setattr(registry, "_known", dict(registry._known))
    registry.register(Linear())


def test_an_architecture_of_one_s_own_is_trained_and_encoded(registered, make_training, make_run):
    assert registry.names()[-1] == "linear"
    run = make_run(architecture="linear", depth=1, width=5)
    assert run.id.startswith("toy-linear1x5-")
    final = make_training(run, [0, 1]).finish()["final"]
    assert [units for _, units in final.layers()] == [5]
    assert final.decayed_names() == ["2.weight"]
    registry.register(Linear())  # a plugin may be imported twice


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "mlp"}, "Perceptron has this name already"),
        ({"name": "cnn2"}, "small letters and underscores"),
        ({"keys": frozenset({"epochs"})}, "reads epochs; a recipe describes networks by"),
    ],
)
def test_a_declaration_that_cannot_be_is_refused(registered, changes, message):
    with pytest.raises(ValueError, match=message):
        registry.register(type("Other", (Linear,), {"name": "other", **changes})())


def test_a_network_of_images_refuses_what_is_no_image(make_run):
    shape = registry.get("small_cnn").shape_of(make_run(**CNN), (12,), 3)
    with pytest.raises(ValueError, match="small_cnn takes images"):
        registry.get("small_cnn").initialise(shape, [0])


def test_torch_s_own_generator_is_left_as_it_was(start):
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    start("small_cnn with dropout").finish()
    assert torch.equal(torch.rand(3), expected)
