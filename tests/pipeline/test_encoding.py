import csv

import numpy as np
import pytest
import torch

from neuralcodes.codes import packed as codes
from neuralcodes.datasets import sampling
from neuralcodes.datasets.scaling import Scaling
from neuralcodes.networks import modelfiles, perceptrons
from neuralcodes.networks.training import resume, statefiles
from neuralcodes.pipeline import encoding
from neuralcodes.storage.randomness import numpy_generator

CPU = torch.device("cpu")
MODULES = {"relu": torch.nn.ReLU, "leaky_relu": torch.nn.LeakyReLU}
MODULES |= {"abs": perceptrons.Abs, "tanh": torch.nn.Tanh}
BYTES = Scaling(0, 255)


def random_ensemble(activation="relu", hidden=(7, 6), members=3):
    """Networks whose units are active for about half of the inputs."""
    shape = perceptrons.Shape(12, hidden, 3, activation)
    values = perceptrons.initialise(shape, range(members)).parameters
    generator = torch.Generator().manual_seed(1)
    for name in [name for name in values if name.endswith((".bias", ".mean", ".shift"))]:
        values[name] = 0.3 * torch.randn(values[name].shape, generator=generator)
    return perceptrons.Perceptrons(shape, values)


def code_by_hand(ensemble, index, inputs, maximum=255):
    """Code of one member as a user of the plain module would compute it, and its logits."""
    values = torch.from_numpy(inputs.reshape(len(inputs), -1)).float() / maximum
    kind, signs = MODULES[ensemble.shape.activation], []
    with torch.no_grad():
        for module in ensemble.member(index):
            before, values = values, module(values)
            if isinstance(module, kind):
                signs.append((before if kind is perceptrons.Abs else values) > 0)
    return np.packbits(torch.cat(signs, 1).numpy(), axis=1), values


@pytest.mark.parametrize("batch_size", [2048, 10])
@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "abs", "tanh"])
def test_codes_loss_and_accuracy_are_those_of_the_plain_member(images, activation, batch_size):
    ensemble, (inputs, labels) = random_ensemble(activation), images
    encoded = encoding.encode(ensemble, inputs, labels, BYTES, batch_size=batch_size)
    assert encoded.packed.shape == (3, 57, 2)
    for i in range(3):
        packed, logits = code_by_hand(ensemble, i, inputs)
        np.testing.assert_array_equal(encoded.packed[i], packed)
        target = torch.from_numpy(labels)
        expected = torch.nn.functional.cross_entropy(logits, target).item()
        assert encoded.loss[i] == pytest.approx(expected, rel=1e-5)
        assert encoded.accuracy[i] == pytest.approx((logits.argmax(1) == target).double().mean())


def test_the_bits_by_hand():
    shape = perceptrons.Shape(1, (3,), 2, "relu", batch_norm=False)
    values = {
        "hidden.0.weight": torch.tensor([[[1.0], [-1.0], [1.0]]]),
        "hidden.0.bias": torch.tensor([[0.0, 0.0, -0.5]]),
        "output.weight": torch.tensor([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]]),
        "output.bias": torch.zeros(1, 2),
    }
    inputs = np.array([[0], [2], [-4]], np.float32)
    encoded = encoding.encode(
        perceptrons.Perceptrons(shape, values), inputs, np.array([0, 0, 0]), Scaling(0, 2)
    )
    # inputs 0, 1, -2: units (0, 0, -.5), (1, -1, .5), (-2, 2, -2.5); 0 is not above 0
    assert encoded.packed.tolist() == [[[0b000_00000], [0b101_00000], [0b010_00000]]]
    # the logits are the first two units after relu
    losses = [np.log(2), np.log(1 + np.exp(-1)), np.log(1 + np.exp(2))]
    assert encoded.loss == pytest.approx(np.mean(losses))
    assert encoded.accuracy == pytest.approx(2 / 3)


def test_the_bit_of_abs_is_the_sign_before_it():
    shape = perceptrons.Shape(1, (1,), 2, "abs", batch_norm=False)
    values = {
        "hidden.0.weight": torch.ones(1, 1, 1),
        "hidden.0.bias": torch.zeros(1, 1),
        "output.weight": torch.ones(1, 2, 1),
        "output.bias": torch.zeros(1, 2),
    }
    inputs = np.array([[-3], [0], [3]], np.float32)
    encoded = encoding.encode(perceptrons.Perceptrons(shape, values), inputs, None, Scaling(0, 1))
    assert encoded.packed[0, :, 0].tolist() == [0, 0, 0b10000000]


@pytest.mark.parametrize("batch_size", [2048, 4])
def test_each_member_may_have_its_own_rows(images, batch_size):
    ensemble, (inputs, labels) = random_ensemble(), images
    rows = np.stack([np.random.default_rng(i).permutation(57)[:9] for i in range(3)])
    encoded = encoding.encode(ensemble, inputs, labels, BYTES, rows=rows, batch_size=batch_size)
    whole = encoding.encode(ensemble, inputs, labels, BYTES)
    assert encoded.packed.shape == (3, 9, 2)
    for i in range(3):
        np.testing.assert_array_equal(encoded.packed[i], whole.packed[i, rows[i]])
        own = encoding.encode(ensemble, inputs[rows[i]], labels[rows[i]], BYTES)
        assert encoded.loss[i] == pytest.approx(own.loss[i], rel=1e-5)
        assert encoded.accuracy[i] == own.accuracy[i]


def test_without_labels_there_is_no_loss_and_no_accuracy(images):
    encoded = encoding.encode(random_ensemble(), images[0], None, BYTES)
    assert encoded.loss is None
    assert encoded.accuracy is None
    np.testing.assert_array_equal(
        encoded.packed, encoding.encode(random_ensemble(), *images, BYTES).packed
    )


def test_layers_say_where_their_units_are():
    assert encoding.layers_of(random_ensemble(hidden=(7, 6, 2))) == [
        codes.Layer("hidden.0", 0, 7),
        codes.Layer("hidden.1", 7, 6),
        codes.Layer("hidden.2", 13, 2),
    ]


def read(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def trained(make_run, tmp_path, toy):
    """Train a run on the toy data and give its model file."""

    def train(checkpoints=("0", "final"), **changes):
        run, model = make_run(**changes), tmp_path / "results/models/run/seeds0-2.safetensors"
        history = model.with_suffix(".csv")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(statefiles.signal, "signal", lambda *_: None)
            resume.train_on_dataset(run, [0, 1, 2], checkpoints, toy, model, history, CPU, "code")
        return run, model

    return train


FACTORS = [{}, {"sample_size": 9}, {"sample_size": 9, "subset": "random"}]
FACTORS += [{"label_noise": 0.5, "input_noise": 0.5}]


@pytest.mark.parametrize("changes", FACTORS, ids=lambda changes: "-".join(changes) or "plain")
def test_checkpoints_are_encoded_on_what_each_seed_was_trained_on(
    trained, tmp_path, toy, images, changes
):
    run, model = trained(**changes)
    encoding.write_checkpoints(model, toy, tmp_path / "codes", CPU)
    inputs, labels = images
    for epoch in ("0", "final"):
        ensemble, folder = modelfiles.load(model, epoch), tmp_path / "codes" / f"epoch{epoch}"
        train, test = (codes.read(folder / f"{split}.npy") for split in ("train", "test"))
        network = read(folder / "network.csv")
        assert len(network) == 12
        for i in range(3):
            rows = sampling.training_rows(run, labels, i)
            packed, logits = code_by_hand(ensemble, i, inputs[rows])  # without the noise
            np.testing.assert_array_equal(train[i], packed)
            np.testing.assert_array_equal(test[i], code_by_hand(ensemble, i, inputs[40:])[0])
            own = {row["metric"]: float(row["value"]) for row in network if row["member"] == str(i)}
            target = torch.from_numpy(labels[rows])
            assert own["train_accuracy"] == pytest.approx(
                (logits.argmax(1) == target).double().mean().item()
            )
            expected = torch.nn.functional.cross_entropy(logits, target).item()
            assert own["train_loss"] == pytest.approx(expected, rel=1e-5)
            assert own.keys() == {"train_loss", "train_accuracy", "test_loss", "test_accuracy"}


def test_layers_and_members_are_written_beside_the_checkpoints(trained, tmp_path, toy):
    _, model = trained(depth=2, width=10)
    encoding.write_checkpoints(model, toy, tmp_path / "codes", CPU)
    assert codes.read_layers(tmp_path / "codes/layers.csv") == [
        codes.Layer("hidden.0", 0, 5),
        codes.Layer("hidden.1", 5, 5),
    ]
    assert read(tmp_path / "codes/members.csv") == [
        {"seed": str(seed), "stopped_epoch": "2"} for seed in range(3)
    ]


def scaled(inputs, images, kind):
    """Inputs as networks of a kind of scaling take them."""
    if kind == "raw":
        return inputs.astype(np.float32)
    return (inputs.astype(np.float32) - images[0].mean()) / images[0].std()


@pytest.mark.parametrize("kind", ["raw", "standardized"])
def test_networks_get_their_inputs_scaled_as_in_training(trained, tmp_path, toy, images, kind):
    _, model = trained(input_scaling=kind, batch_norm=False)
    encoding.write_checkpoints(model, toy, tmp_path / "codes", CPU)
    inputs = scaled(images[0], images, kind)
    ensemble, folder = modelfiles.load(model, "final"), tmp_path / "codes/epochfinal"
    network = {(row["member"], row["metric"]): row["value"] for row in read(folder / "network.csv")}
    for i in range(3):
        for split, rows in (("train", slice(45)), ("test", slice(40, None))):
            packed, logits = code_by_hand(ensemble, i, inputs[rows], maximum=1)
            np.testing.assert_array_equal(codes.read(folder / f"{split}.npy")[i], packed)
            target = torch.from_numpy(images[1][rows])
            expected = torch.nn.functional.cross_entropy(logits, target).item()
            assert float(network[str(i), f"{split}_loss"]) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("kind", ["raw", "standardized"])
def test_random_inputs_fill_the_range_of_the_data_and_are_scaled_like_them(
    trained, tmp_path, toy, images, kind
):
    _, model = trained(input_scaling=kind, batch_norm=False)
    encoding.write_random_checkpoints(model, toy, 20, tmp_path / "codes", CPU)
    positive = 255 * numpy_generator(0, "random inputs").random((20, 12), dtype=np.float32)
    for name, inputs in (("uniform_0_1", positive), ("uniform_-1_0", -positive)):
        packed = codes.read(tmp_path / f"codes/epochfinal/{name}.npy")
        for i in range(3):
            ensemble = modelfiles.load(model, "final")
            expected, _ = code_by_hand(ensemble, i, scaled(inputs, images, kind), maximum=1)
            np.testing.assert_array_equal(packed[i], expected)


def test_members_say_when_they_reached_an_accuracy_if_they_did(trained, tmp_path, toy):
    wanted = ("0", "accuracy1", "accuracy55", "accuracy100", "final")
    changes = {"batch_size": None, "optimizer": "sgd", "learning_rate": 0.2, "epochs": 12}
    _, model = trained(wanted, **changes)
    reached = modelfiles.read_metadata(model)["reached"]
    assert reached["accuracy1"] == [1, 1, 1]
    assert len(set(reached["accuracy55"])) > 1
    assert reached["accuracy100"] == [None, None, None]
    for write in (encoding.write_checkpoints, encoding.write_random_checkpoints):
        more = [20] if write is encoding.write_random_checkpoints else []
        write(model, toy, *more, tmp_path / "codes", CPU)
        assert read(tmp_path / "codes/members.csv") == [
            {
                "seed": str(seed),
                "stopped_epoch": "12",
                "accuracy1": "1",
                "accuracy55": str(reached["accuracy55"][seed] or ""),
                "accuracy100": "",
            }
            for seed in range(3)
        ]
        (tmp_path / "codes/members.csv").unlink()
    assert {path.name for path in (tmp_path / "codes").iterdir() if path.is_dir()} == {
        f"epoch{name}" for name in wanted
    }


def test_random_inputs_are_the_same_for_all_and_their_negatives(trained, tmp_path, toy):
    _, model = trained()
    encoding.write_random_checkpoints(model, toy, 20, tmp_path / "codes", CPU)
    positive = numpy_generator(0, "random inputs").random((20, 12), dtype=np.float32)
    assert 0 <= positive.min() < positive.max() < 1
    for epoch in ("0", "final"):
        ensemble = modelfiles.load(model, epoch)
        for name, inputs in (("uniform_0_1", positive), ("uniform_-1_0", -positive)):
            packed = codes.read(tmp_path / f"codes/epoch{epoch}/{name}.npy")
            assert packed.shape == (3, 20, 1)
            for i in range(3):
                expected, _ = code_by_hand(ensemble, i, inputs, maximum=1)
                np.testing.assert_array_equal(packed[i], expected)
