import math

import numpy as np
import pytest
import torch

from neuralcodes.manifolds import imagemanifolds
from neuralcodes.manifolds.imagemanifolds import Transformations, bordered, transform
from neuralcodes.storage.randomness import torch_generator

SIDE, BORDER = 28, 2
STILL = [0.0, 0.0, 0.0, 1.0, 0.0]  # angle, shifts, contrast, brightness


@pytest.fixture
def blob():
    """A bright 4 x 4 square off the centre of a 28 x 28 image, its border added."""
    image = np.zeros((1, SIDE, SIDE, 1), np.uint8)
    image[0, 8:12, 10:14] = 255
    return bordered(image, 255)


def moved(image, **changes):
    names = ("angle", "x", "y", "contrast", "brightness")
    parameters = dict(zip(names, STILL, strict=True)) | changes
    return transform(image, torch.tensor([list(parameters.values())]), BORDER)


def centre_of(image):
    weights = image[0, 0] / image.sum()
    places = torch.arange(image.shape[-1], dtype=torch.float32)
    return float((weights.sum(1) * places).sum()), float((weights.sum(0) * places).sum())


@pytest.mark.parametrize(("side", "border"), [(8, 1), (28, 2), (32, 2), (64, 5), (4, 1)])
def test_the_border_is_a_fourteenth_of_the_side(side, border):
    assert imagemanifolds.border_of(side) == border
    padded = bordered(np.zeros((2, side, side, 3), np.uint8), 255)
    assert padded.shape == (2, 3, side + 2 * border, side + 2 * border)


def test_stored_values_become_fractions_with_channels_first():
    image = np.arange(2 * 4 * 4 * 3, dtype=np.uint8).reshape(2, 4, 4, 3)
    padded = bordered(image, 16)
    assert padded.dtype == torch.float32
    assert torch.equal(padded[1, 2, 1:-1, 1:-1], torch.tensor(image[1, :, :, 2] / 16.0).float())
    assert padded.sum() == pytest.approx(image.sum() / 16, rel=1e-6)


def test_features_are_no_images():
    with pytest.raises(ValueError, match=r"\(n, height, width, channels\); got \(5, 64\)"):
        bordered(np.zeros((5, 64), np.uint8), 16)


def test_parameters_that_change_nothing_leave_the_image(blob):
    assert torch.allclose(moved(blob), blob, atol=1e-5)


def test_a_shift_moves_by_its_share_of_the_side_without_border(blob):
    row, column = centre_of(blob)
    # the grid says where to look, so that the image moves the other way
    assert centre_of(moved(blob, x=1 / 7)) == pytest.approx((row, column - 4), abs=1e-3)
    assert centre_of(moved(blob, y=-1 / 7)) == pytest.approx((row + 4, column), abs=1e-3)


def test_a_right_angle_turns_the_image(blob):
    turned = moved(blob, angle=math.pi / 2)
    choices = [torch.rot90(blob, turns, (2, 3)) for turns in (1, 3)]
    assert any(torch.allclose(turned, each, atol=1e-4) for each in choices)


def test_contrast_and_brightness_act_on_values(blob):
    dark = moved(blob, contrast=0.4, brightness=0.3)
    assert torch.allclose(dark, 0.3 + 0.7 * 0.4 * blob, atol=1e-5)


def test_every_image_has_its_own_parameters(blob):
    both = torch.cat([blob, blob])
    parameters = torch.tensor([STILL, [0.0, 1 / 7, 0.0, 1.0, 0.0]])
    first, second = transform(both, parameters, BORDER)
    assert torch.allclose(first, blob[0], atol=1e-5)
    assert centre_of(second[None])[1] == pytest.approx(centre_of(blob)[1] - 4, abs=1e-3)


def test_parameters_fill_their_ranges_and_stay_within():
    ranges = Transformations(rotation=45, shift=1 / 7, contrast=0.4, brightness=0.3)
    drawn = ranges.sample(200, 20, torch_generator(0, "test")).reshape(-1, 5)
    angle = math.radians(45)
    low = torch.tensor([-angle, -1 / 7, -1 / 7, 0.4, 0.0])
    high = torch.tensor([angle, 1 / 7, 1 / 7, 1.0, 0.3])
    assert (drawn >= low).all()
    assert (drawn <= high).all()
    width = high - low
    assert (drawn.amin(0) - low < 0.01 * width).all()
    assert (high - drawn.amax(0) < 0.01 * width).all()
    assert torch.allclose(drawn.mean(0), (low + high) / 2, atol=0.03)


def test_more_manifolds_leave_those_of_before():
    ranges = Transformations(45, 1 / 7, 0.4, 0.3)
    few, many = (ranges.sample(n, 4, torch_generator(3, "test")) for n in (5, 9))
    assert torch.equal(few, many[:5])
