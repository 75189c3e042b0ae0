"""Images as manifolds: every image is one, and its points are the image under transformations."""

import math
from dataclasses import dataclass

import numpy as np
import torch

DIMENSIONS = 5  # rotation, two shifts, contrast, brightness
MARGIN = 14  # an image gets a border of a fourteenth of its side, two pixels at 28


@dataclass(frozen=True)
class Transformations:
    """Ranges of what is done to an image; every parameter is uniform on its own.

    After x = f(gamma, theta) of Dikkala et al. 2021, arXiv:2103.06875, with the image as gamma.
    The ranges are our choice; see docs/fidelity.md.

    Attributes:
        rotation: largest angle either way, degrees.
        shift: largest shift along each axis either way, as a share of the side without border.
        contrast: lowest contrast; the highest is 1.
        brightness: largest brightness added; the lowest is 0.
    """

    rotation: float
    shift: float
    contrast: float
    brightness: float

    def sample(self, count: int, points: int, generator: torch.Generator) -> torch.Tensor:
        """Draw parameters.

        Args:
            count: manifolds.
            points: of each.
            generator: source of all randomness.

        Returns:
            float32 (count, points, 5): angle in radians, shifts along x and y as shares of the
            side, contrast, brightness.
        """
        drawn = torch.rand(count, points, DIMENSIONS, generator=generator)
        angle = math.radians(self.rotation)
        low = torch.tensor([-angle, -self.shift, -self.shift, self.contrast, 0.0])
        high = torch.tensor([angle, self.shift, self.shift, 1.0, self.brightness])
        return low + drawn * (high - low)


def border_of(side: int) -> int:
    """Give the width of the empty border around an image of a side, in pixels; at least 1."""
    return max(1, round(side / MARGIN))


def bordered(images: np.ndarray, maximum: float) -> torch.Tensor:
    """Bring stored images to [0, 1], channels first, with an empty border on all sides.

    Args:
        images: uint8 (n, height, width, channels).
        maximum: largest stored value.

    Returns:
        float32 (n, channels, height + 2 b, width + 2 b), b = `border_of` the height.

    Raises:
        ValueError: `images` has another number of axes.
    """
    if images.ndim != 4:
        raise ValueError(
            f"images must have shape (n, height, width, channels); got {images.shape}. Manifolds "
            "of images need data that are images"
        )
    border = border_of(images.shape[1])
    values = torch.tensor(np.ascontiguousarray(images)).to(torch.float32).div_(float(maximum))
    return torch.nn.functional.pad(values.movedim(-1, 1), (border,) * 4)


def transform(images: torch.Tensor, parameters: torch.Tensor, border: int) -> torch.Tensor:
    """Rotate and shift images (bilinear, empty outside), then change contrast and brightness.

    With brightness b and contrast c a value y becomes b + (1 - b) c y.

    Args:
        images: with border, float32 in [0, 1], (n, channels, height, width).
        parameters: float32 (n, 5), see `Transformations.sample`.
        border: pixels of it on each side.

    Returns:
        float32 in [0, 1], of the shape of `images`.
    """
    angle, shift, contrast, brightness = parameters.split([1, 2, 1, 1], dim=1)
    # in the grid's units half of each side, border included, is 1
    width, height = images.shape[-1], images.shape[-2]
    shares = [(width - 2 * border) / width, (height - 2 * border) / height]
    moved = 2 * shift * shift.new_tensor(shares)
    cosine, sine = angle.cos(), angle.sin()
    matrix = torch.stack(
        [
            torch.cat([cosine, -sine, moved[:, :1]], 1),
            torch.cat([sine, cosine, moved[:, 1:]], 1),
        ],
        1,
    )
    grid = torch.nn.functional.affine_grid(matrix, list(images.shape), align_corners=False)
    warped = torch.nn.functional.grid_sample(
        images, grid, mode="bilinear", padding_mode="zeros", align_corners=False
    )
    brightness, contrast = brightness[:, :, None, None], contrast[:, :, None, None]
    return brightness + (1 - brightness) * contrast * warped
