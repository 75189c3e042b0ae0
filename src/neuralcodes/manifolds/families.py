"""Manifolds x(gamma, theta): an identifier gamma, a nuisance theta, and one process for all."""

import math
from collections.abc import Callable
from typing import overload

import numpy as np
import torch

from neuralcodes.storage.randomness import torch_generator
from neuralcodes.studies import hashruns

FAMILIES = ("poly", "poly2", "poly_no_constant", "sine")

SINE_UNITS = 64
SINE_AMBIENT_DIM = 32
# Standard deviation of B. Raw inputs of 4 coordinates of gamma then give 20-way one-shot 0.145.
SINE_SCALE = 1.0


class Family:
    """A generative process: all manifolds of one family and seed, known or new.

    poly: x = A (phi x psi) / norm, with phi = [1, gamma] and
    psi = [cos theta_1, ..., sin theta_1, ...]. The mean of x over theta vanishes, so no linear map
    of x tells manifolds apart; phi phi^T, a quadratic function of x, does. The norm is constant.
    poly2: phi = [1, gamma, gamma gamma^T], so that <phi(g), phi(h)> = 1 + <g, h> + <g, h>^2.
    poly_no_constant: phi = gamma; the manifolds of gamma and -gamma coincide.
    sine: x = A cos(B gamma + Q theta + phase) / norm, 64 units; rows of Q are of -1, 0 and 1 and
    never all 0, so that no unit is constant on a manifold.

    A has orthonormal columns where x has room for them and is Gaussian elsewhere (and in sine).
    The families are our choice; see docs/fidelity.md.

    Attributes:
        name: one of `FAMILIES`.
        seed: seed of A, B, Q and phase: what training and unseen manifolds have in common.
        gamma_dim: length of gamma.
        theta_dim: length of theta, in radians.
        ambient_dim: length of x.
        mixing: A, float64 (ambient_dim, products), of the products phi x psi or units of sine.

    Source: the setting is that of Dikkala et al. 2021, arXiv:2103.06875.

    Example:
        >>> import numpy as np
        >>> from neuralcodes import manifolds
        >>> family = manifolds.Family("poly", seed=0, gamma_dim=2, theta_dim=1)
        >>> family(np.eye(2), np.zeros((2, 5, 1))).shape  # 5 points of each of 2 manifolds
        (2, 5, 6)
    """

    def __init__(
        self,
        name: str,
        seed: int,
        gamma_dim: int = 12,
        theta_dim: int = 2,
        ambient_dim: int | None = None,
    ) -> None:
        """Draw the process; `ambient_dim` None is the number of products, and 32 for sine.

        Raises:
            ValueError: the family is unknown, or a dimension is not a positive integer.
        """
        if name not in FAMILIES:
            raise ValueError(f"family must be one of {', '.join(FAMILIES)}; got {name!r}")
        self.name, self.seed = name, seed
        self.gamma_dim = _positive("gamma_dim", gamma_dim)
        self.theta_dim = _positive("theta_dim", theta_dim)
        self._phi = _PHI.get(name)
        products, default = SINE_UNITS, SINE_AMBIENT_DIM
        if self._phi is not None:
            products = default = 2 * theta_dim * self._phi(torch.ones(gamma_dim)).numel()
        chosen = default if ambient_dim is None else ambient_dim
        self.ambient_dim = _positive("ambient_dim", chosen)
        self.mixing = _mixing(self.ambient_dim, products, seed, orthonormal=self._phi is not None)
        self._waves = _waves(gamma_dim, theta_dim, seed) if self._phi is None else ()

    @property
    def recovery_threshold(self) -> int | None:
        """Manifolds from which invariance carries over to all others; None where not known.

        See `hashruns.recovery_threshold`.
        """
        return hashruns.recovery_threshold(self.gamma_dim) if self.name == "poly" else None

    @overload
    def __call__(self, gammas: torch.Tensor, thetas: torch.Tensor) -> torch.Tensor: ...
    @overload
    def __call__(self, gammas: np.ndarray, thetas: np.ndarray) -> np.ndarray: ...
    def __call__(
        self, gammas: np.ndarray | torch.Tensor, thetas: np.ndarray | torch.Tensor
    ) -> np.ndarray | torch.Tensor:
        """Give the points of manifolds.

        Args:
            gammas: floating, shape (..., gamma_dim); of unit length in all our studies.
            thetas: floating, radians, shape (..., theta_dim), broadcast against gammas. With
                exactly one axis more than gammas, that axis is the points of each manifold:
                (manifolds, points, theta_dim).

        Returns:
            x of unit length, shape (..., ambient_dim), in the inputs' kind and floating type; a
            tensor if either is one. Zero where its direction is undefined (gamma = 0 without a
            constant).

        Raises:
            ValueError: a wrong last axis, leading axes that do not broadcast, or no floats.
        """
        tensors = any(isinstance(each, torch.Tensor) for each in (gammas, thetas))
        gamma = _floating("gammas", gammas, self.gamma_dim)
        theta = _floating("thetas", thetas, self.theta_dim)
        if theta.ndim == gamma.ndim + 1:
            gamma = gamma.unsqueeze(-2)
        try:
            torch.broadcast_shapes(gamma.shape[:-1], theta.shape[:-1])
        except RuntimeError as error:
            raise ValueError(
                "leading axes of gammas and thetas must broadcast, or thetas have one axis more, "
                f"of points; got shapes {tuple(gammas.shape)} and {tuple(thetas.shape)}"
            ) from error
        dtype = torch.promote_types(gamma.dtype, theta.dtype)
        products = self._products(gamma.to(dtype), theta.to(dtype))
        points = torch.nn.functional.normalize(products @ self.mixing.to(products).T, dim=-1)
        return points if tensors else points.numpy()

    def sample_gammas(self, count: int, generator: torch.Generator) -> torch.Tensor:
        """Draw identifiers uniformly from the unit sphere: float32, (count, gamma_dim)."""
        # not torch.randn, whose last numbers depend on how many are drawn: fewer manifolds shall be
        # the first of more
        uniform = torch.rand(count, self.gamma_dim, generator=generator, dtype=torch.float64)
        gaussian = torch.special.ndtri(uniform.clamp_min(2.0**-53))
        return torch.nn.functional.normalize(gaussian, dim=-1).float()

    def sample_thetas(self, count: int, points: int, generator: torch.Generator) -> torch.Tensor:
        """Draw nuisances uniformly from [0, 2 pi): float32, (count, points, theta_dim)."""
        return 2 * math.pi * torch.rand(count, points, self.theta_dim, generator=generator)

    def _products(self, gamma: torch.Tensor, theta: torch.Tensor) -> torch.Tensor:
        if self._phi is None:
            identifier, frequencies, phase = (each.to(gamma) for each in self._waves)
            return torch.cos(gamma @ identifier.T + theta @ frequencies.T + phase)
        psi = torch.cat([theta.cos(), theta.sin()], dim=-1)
        return (self._phi(gamma)[..., :, None] * psi[..., None, :]).flatten(-2)


def _with_constant(gamma: torch.Tensor) -> torch.Tensor:
    return torch.cat([torch.ones_like(gamma[..., :1]), gamma], dim=-1)


def _with_products(gamma: torch.Tensor) -> torch.Tensor:
    rows, columns = torch.triu_indices(gamma.shape[-1], gamma.shape[-1], device=gamma.device)
    weights = torch.where(rows == columns, 1.0, math.sqrt(2)).to(gamma)
    products = weights * gamma[..., rows] * gamma[..., columns]
    return torch.cat([_with_constant(gamma), products], dim=-1)


_PHI: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "poly": _with_constant,
    "poly2": _with_products,
    "poly_no_constant": torch.clone,
}


def _mixing(rows: int, columns: int, seed: int, *, orthonormal: bool) -> torch.Tensor:
    generator = torch_generator(seed, "manifold mixing")
    gaussian = torch.randn(rows, columns, generator=generator, dtype=torch.float64)
    if not orthonormal or rows < columns:
        return gaussian
    basis, triangle = torch.linalg.qr(gaussian)
    # QR is unique only up to these signs; implementations differ.
    return basis * torch.where(triangle.diagonal() < 0, -1.0, 1.0)


def _waves(gamma_dim: int, theta_dim: int, seed: int) -> tuple[torch.Tensor, ...]:
    """B, Q and phase of sine, float64."""
    generator = torch_generator(seed, "manifold waves")
    gaussian = torch.randn(SINE_UNITS, gamma_dim, generator=generator, dtype=torch.float64)
    phase = 2 * math.pi * torch.rand(SINE_UNITS, generator=generator, dtype=torch.float64)
    frequencies = torch.zeros(SINE_UNITS, theta_dim, dtype=torch.float64)
    while (constant := ~frequencies.any(dim=1)).any():
        shape = (int(constant.sum()), theta_dim)
        frequencies[constant] = torch.randint(-1, 2, shape, generator=generator).double()
    return SINE_SCALE * gaussian, frequencies, phase


def _positive(name: str, value: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"{name} must be a positive integer; got {value!r}")
    return value


def _floating(name: str, values: np.ndarray | torch.Tensor, dim: int) -> torch.Tensor:
    found = values if isinstance(values, torch.Tensor) else torch.tensor(np.asarray(values))
    if not found.is_floating_point():
        raise ValueError(f"{name} must be floating; got {found.dtype}, convert them first")
    if found.ndim == 0 or found.shape[-1] != dim:
        raise ValueError(
            f"the last axis of {name} must have length {dim}; got shape {tuple(found.shape)}"
        )
    return found
