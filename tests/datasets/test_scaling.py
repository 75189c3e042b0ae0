import numpy as np
import pytest
import torch

from neuralcodes.datasets import scaling
from neuralcodes.datasets.scaling import Scaling, scaling_of

BYTES = np.array([[0, 10], [20, 50]], np.uint8)  # mean 20, mean of squares 750


def test_unit_divides_by_the_maximum():
    assert scaling_of("unit", BYTES, 255) == Scaling(0, 255)


def test_raw_leaves_stored_values_as_they_are():
    features = scaling_of("raw", BYTES, 255).features(BYTES)
    assert features.tolist() == BYTES.tolist()
    assert features.dtype == torch.float32


@pytest.mark.parametrize("kind", [np.uint8, np.float32, np.int64])
def test_standardized_takes_the_mean_away_and_divides_by_the_deviation(kind):
    found = scaling_of("standardized", BYTES.astype(kind), 255)
    assert (found.shift, found.divisor) == pytest.approx((20, np.sqrt(350)))


@pytest.mark.parametrize("kind", [np.uint8, np.float32])
def test_standardized_inputs_have_mean_0_and_deviation_1(images, kind):
    inputs = images[0].astype(kind)
    features = scaling_of("standardized", inputs, 255).features(inputs).double()
    assert features.mean().item() == pytest.approx(0, abs=1e-6)
    assert features.std(correction=0).item() == pytest.approx(1)


def test_many_bytes_are_summed_without_overflow():
    inputs = np.full((3000, 100, 100), 255, np.uint8)
    inputs[:1500] = 0
    found = scaling_of("standardized", inputs, 255)
    assert (found.shift, found.divisor) == (127.5, 127.5)


@pytest.mark.parametrize("value", [0, 7])
@pytest.mark.parametrize("kind", [np.uint8, np.float32])
def test_inputs_that_are_all_alike_cannot_be_standardized(kind, value):
    message = f"all 6 numbers of the training file are {value}.*set input_scaling to unit or raw"
    with pytest.raises(ValueError, match=message):
        scaling_of("standardized", np.full((3, 2), value, kind), 255)


def test_scaling_by_hand():
    given = torch.tensor([10, 30], dtype=torch.uint8)
    assert Scaling(10, 5).apply(given).tolist() == [0, 4]
    assert given.tolist() == [10, 30], "only float32 may be overwritten"


def test_float32_is_overwritten():
    given = torch.tensor([10.0, 30.0])
    assert Scaling(10, 5).apply(given) is given
    assert given.tolist() == [0, 4]


@pytest.mark.parametrize("kind", [np.uint8, np.float32, np.float64])
def test_features_are_flat_and_the_inputs_stay_as_they_are(images, kind):
    inputs = images[0].astype(kind)
    before = inputs.copy()
    features = Scaling(3, 2).features(inputs)
    assert features.shape == (57, 12)
    assert features.dtype == torch.float32
    assert np.array_equal(inputs, before)
    assert np.array_equal(features.numpy(), (before.reshape(57, 12).astype(np.float32) - 3) / 2)


def test_features_may_come_from_a_read_only_map(tmp_path, images):
    np.save(tmp_path / "inputs.npy", images[0].astype(np.float32))
    mapped = np.load(tmp_path / "inputs.npy", mmap_mode="r")
    assert torch.equal(Scaling(0, 255).features(mapped), Scaling(0, 255).features(images[0]))


@pytest.mark.parametrize("kind", ["unit", "raw", "standardized"])
def test_inputs_that_were_divided_already_come_to_the_same(images, kind):
    known = scaling_of(kind, images[0], 255)
    divided = images[0].astype(np.float32) / 255
    features = known.of_unit_inputs(255).features(divided)
    assert torch.allclose(features, known.features(images[0]), rtol=1e-5, atol=1e-5)


def test_the_scaling_is_of_the_training_file_alone(images):
    inputs = images[0]
    half = scaling_of("standardized", inputs[:30], 255)
    assert half != scaling_of("standardized", inputs, 255)
    assert half.shift == pytest.approx(inputs[:30].mean())
    assert scaling._moments(inputs[:30]) == (half.shift, half.divisor)
