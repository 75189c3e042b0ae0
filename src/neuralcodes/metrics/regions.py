"""Linear-region geometry: exact distance to the region's border along a direction."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import torch

Activation = Literal["relu", "leaky_relu", "abs"]
Layers = Sequence[tuple[torch.Tensor, torch.Tensor]]

_QUANTILES = {
    "region_size_median": 0.5,
    "region_size_q05": 0.05,
    "region_size_q25": 0.25,
    "region_size_q75": 0.75,
    "region_size_q95": 0.95,
}
# Unit vectors made in float32 are off by about 1e-7; a forgotten normalisation is off by far more.
_NORM_TOLERANCE = 1e-5


@dataclass(frozen=True)
class Borders:
    """Distances from examples to the borders of their linear regions, on both sides.

    Attributes:
        toward: distance to the first border along the direction, float64, shape
            (seeds, examples), >= 0 in input units; inf where there is no border.
        away: the same against the direction.
    """

    toward: torch.Tensor
    away: torch.Tensor

    @property
    def size(self) -> torch.Tensor:
        """Length of the line inside the region, float64 (seeds, examples); inf if unbounded."""
        return self.toward + self.away


def border_distances(
    layers: Layers,
    points: torch.Tensor,
    directions: torch.Tensor,
    activation: Activation = "relu",
    *,
    negative_slope: float = 0.01,
    block: int = 1024,
) -> Borders:
    """Exact distances to the first border of each point's linear region along a line.

    Inside a region the network is affine, so that along the line x + t d the pre-activation of
    every unit is a + t b, where a and b follow from the activation pattern at the point. A unit's
    border is where it crosses zero, t = -a / b; the region ends at the nearest of them over all
    layers. Units with b = 0 never cross.

    A unit's bit is 1 where its pre-activation is > 0. For relu and leaky_relu this is the bit of
    the neural code (output > 0). For abs the output is > 0 almost everywhere and the code tells
    nothing; the network is affine where the signs of the pre-activations are constant, so the
    border is the change of that sign. A point that lies exactly on a border (a = 0) belongs to
    the side where the bit is 0: its distance is 0 where b carries it to the other side, and this
    unit sets no border on its own side.

    All is computed in float64 whatever the arguments' dtype, on the device of the layers.

    Args:
        layers: hidden layers, first to last, in evaluation mode with batch norm folded in:
            weight (seeds, out, in) and bias (seeds, out). Without the output layer, whose
            sign is no part of the code.
        points: float, shape (examples, features); shared by all seeds.
        directions: float unit vectors, shape (examples, features).
        activation: "relu", "leaky_relu" or "abs".
        negative_slope: slope of leaky_relu below zero, >= 0.
        block: examples computed at a time, >= 1; bounds the memory; results agree up to rounding.

    Returns:
        Borders, distances along (`toward`) and against (`away`) the directions.

    Raises:
        ValueError: an unknown activation; a slope below 0; a block below 1; no layers, or
            layers that do not fit together or the points; no points; values that are not
            finite; directions that are not unit vectors, such as the zero direction of a
            point at the centre, which has no line to follow.

    Source: He et al. 2021, arXiv:2101.05490, size of a linear region along the line to the
    data's centre. Deviation: closed form instead of steps of 0.05, which round up to the next
    step and end at the last one.
    """
    _check_options(activation, negative_slope, block)
    _check_layers(layers)
    _check_line(points, directions, features=layers[0][0].shape[2])
    device = layers[0][0].device
    exact = [(weight.detach().double(), bias.detach().double()) for weight, bias in layers]
    parts = [
        _block_distances(
            exact,
            start.detach().to(device, torch.float64),
            direction.detach().to(device, torch.float64),
            activation,
            negative_slope,
        )
        for start, direction in zip(points.split(block), directions.split(block), strict=True)
    ]
    toward, away = zip(*parts, strict=True)
    return Borders(torch.cat(toward, dim=1), torch.cat(away, dim=1))


def toward_centre(points: torch.Tensor, centre: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Unit vectors from the points to the data's centre, and how far the centre is.

    Args:
        points: float, shape (examples, features).
        centre: mean of the training inputs, float, shape (features,).

    Returns:
        Directions, float64 (examples, features), each of norm 1; distances, float64
        (examples,), > 0 in input units.

    Raises:
        ValueError: shapes that do not match; values that are not finite; a point that is the
            centre itself, whose direction is undefined.

    Source: He et al. 2021, arXiv:2101.05490, size of a linear region along the line to the
    data's centre.
    """
    if points.ndim != 2 or centre.shape != points.shape[1:]:
        raise ValueError(
            "points must have shape (examples, features) and centre (features,); got "
            f"{tuple(points.shape)} and {tuple(centre.shape)}. Flatten the inputs first."
        )
    _check_finite("points", points)
    _check_finite("centre", centre)
    offsets = centre.double() - points.double()
    distances = torch.linalg.vector_norm(offsets, dim=1)
    if bool((distances == 0).any()):
        raise ValueError(
            f"{_examples(distances == 0)} lie at the centre, where the direction to it is "
            "undefined; expected points away from the centre. Leave them out."
        )
    return offsets / distances[:, None], distances


def statistics(borders: Borders) -> list[tuple[str, np.ndarray]]:
    """Summarise the regions' sizes over the examples, per seed.

    A region without a border on one side has infinite size. `region_unbounded` is the share of
    such examples. The mean (`region_size`) is over the others, NaN when there are none. The
    median and the quantiles are over all examples, interpolated linearly between neighbours
    with inf as the largest size: a quantile that falls among unbounded regions is inf.

    Args:
        borders: distances of shape (seeds, examples), at least one example.

    Returns:
        Pairs (metric, values), values float64 of shape (seeds,): region_size,
        region_size_median, region_size_q05, _q25, _q75, _q95, toward_centre_median, away_median
        in input units; region_unbounded in [0, 1].

    Raises:
        ValueError: `borders` are not two non-empty matrices of one shape, or hold NaN.
    """
    shape = borders.toward.shape
    if len(shape) != 2 or 0 in shape or borders.away.shape != shape:
        raise ValueError(
            "borders must hold two non-empty matrices (seeds, examples) of one shape; got "
            f"toward {tuple(shape)} and away {tuple(borders.away.shape)}."
        )
    if bool(borders.size.isnan().any()):
        raise ValueError(
            "borders hold NaN; expected distances >= 0 or inf. Use those of border_distances()."
        )
    size = np.sort(_to_numpy(borders.size), axis=1)
    rows = [("region_size", _mean_of_finite(size))]
    rows += [(name, _quantile(size, q)) for name, q in _QUANTILES.items()]
    for name, side in (("toward_centre_median", borders.toward), ("away_median", borders.away)):
        rows.append((name, _quantile(np.sort(_to_numpy(side), axis=1), 0.5)))
    rows.append(("region_unbounded", np.isinf(size).mean(axis=1)))
    return rows


def _block_distances(
    layers: Layers,
    points: torch.Tensor,
    directions: torch.Tensor,
    activation: Activation,
    negative_slope: float,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Distances toward and away, float64 (seeds, examples), of one block of examples."""
    seeds = layers[0][0].shape[0]
    values = points.expand(seeds, *points.shape)
    slopes = directions.expand(seeds, *directions.shape)
    toward = points.new_full((seeds, len(points)), math.inf)
    away = toward.clone()
    for weight, bias in layers:
        transposed = weight.transpose(1, 2)
        values = torch.baddbmm(bias[:, None, :], values, transposed)
        slopes = torch.bmm(slopes, transposed)
        bits = values > 0
        distances = (values / slopes).abs_().masked_fill_(slopes == 0, math.inf)
        # Each moving unit crosses on one side only: ahead if it rises while off or falls while on.
        ahead = (slopes > 0) != bits
        toward = torch.minimum(toward, distances.masked_fill(~ahead, math.inf).amin(dim=2))
        away = torch.minimum(away, distances.masked_fill(ahead, math.inf).amin(dim=2))
        factor = _derivative(bits, activation, negative_slope)
        values, slopes = values * factor, slopes * factor
    return toward, away


def _derivative(bits: torch.Tensor, activation: Activation, negative_slope: float) -> torch.Tensor:
    """Slope of the activation on the side that each bit tells, float64, shape of `bits`."""
    below = {"relu": 0.0, "leaky_relu": negative_slope, "abs": -1.0}[activation]
    return bits.double().masked_fill_(~bits, below)


def _check_options(activation: str, negative_slope: float, block: int) -> None:
    if activation not in get_args(Activation):
        raise ValueError(
            f"activation must be one of {', '.join(get_args(Activation))}; got {activation!r}."
        )
    if not (math.isfinite(negative_slope) and negative_slope >= 0):
        raise ValueError(
            f"negative_slope must be finite and >= 0; got {negative_slope}. "
            'For |x| use activation="abs".'
        )
    if block < 1:
        raise ValueError(f"block must be at least 1 example; got {block}.")


def _check_layers(layers: Layers) -> None:
    if not layers:
        raise ValueError(
            "layers is empty; expected at least one hidden layer. "
            "A network without hidden layers has one region and no border."
        )
    seeds, _, previous = layers[0][0].shape if layers[0][0].ndim == 3 else (None, None, None)
    for index, (weight, bias) in enumerate(layers):
        if weight.ndim != 3 or bias.shape != weight.shape[:2] or weight.shape[0] != seeds:
            raise ValueError(
                f"layer {index} must be weight (seeds, out, in) and bias (seeds, out) with the "
                f"seeds of layer 0; got {tuple(weight.shape)} and {tuple(bias.shape)}."
            )
        if weight.shape[2] != previous or 0 in weight.shape:
            raise ValueError(
                f"layer {index} must take the {previous} outputs of the layer before it and have "
                f"units; got weight {tuple(weight.shape)}. Are the layers in order?"
            )
        previous = weight.shape[1]
        _check_finite(f"layer {index}", weight)
        _check_finite(f"layer {index}", bias)


def _check_line(points: torch.Tensor, directions: torch.Tensor, features: int) -> None:
    if points.ndim != 2 or len(points) == 0 or points.shape[1] != features:
        raise ValueError(
            f"points must have shape (examples, {features}) to fit the first layer, at least one "
            f"example; got {tuple(points.shape)}. Flatten the inputs first."
        )
    if directions.shape != points.shape:
        raise ValueError(
            f"directions must have the shape of points, {tuple(points.shape)}; "
            f"got {tuple(directions.shape)}."
        )
    _check_finite("points", points)
    _check_finite("directions", directions)
    norms = torch.linalg.vector_norm(directions.double(), dim=1)
    wrong = (norms - 1).abs() > _NORM_TOLERANCE
    if bool(wrong.any()):
        raise ValueError(
            f"directions must be unit vectors; {_examples(wrong)} have other norms, the first "
            f"{norms[wrong][0].item():.6g}. Divide by the norm, and leave out points at the "
            "centre (norm 0): no line leads from them."
        )


def _check_finite(name: str, tensor: torch.Tensor) -> None:
    if not bool(tensor.isfinite().all()):
        raise ValueError(
            f"{name} holds values that are not finite; expected finite numbers. "
            "Did the training diverge, or an input go missing?"
        )


def _examples(mask: torch.Tensor) -> str:
    first = mask.nonzero()[0, 0].item()
    return f"{int(mask.sum())} of {len(mask)} examples (the first: {first})"


def _to_numpy(tensor: torch.Tensor) -> np.ndarray:
    return tensor.detach().cpu().numpy().astype(np.float64)


def _mean_of_finite(values: np.ndarray) -> np.ndarray:
    """Mean along axis 1 over the finite entries; NaN for rows without any."""
    finite = np.isfinite(values)
    count = finite.sum(axis=1)
    total = np.where(finite, values, 0.0).sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _quantile(ordered: np.ndarray, q: float) -> np.ndarray:
    """Linearly interpolated quantile of rows sorted ascending, where inf may stand last."""
    position = q * (ordered.shape[1] - 1)
    below = math.floor(position)
    fraction = position - below
    # numpy.quantile would compute inf - inf and 0 * inf here.
    if fraction == 0:
        return ordered[:, below].copy()
    return ordered[:, below] * (1 - fraction) + ordered[:, below + 1] * fraction
