import math

import numpy as np
import pytest
import torch

from neuralcodes import manifolds
from neuralcodes.manifolds import FAMILIES, Family, families, invariance
from neuralcodes.storage.randomness import numpy_generator, torch_generator

POLYNOMIAL = ("poly", "poly2", "poly_no_constant")


def draw(family, count=7, points=5, seed=0):
    """Identifiers and nuisances in float64."""
    generator = torch_generator(seed, "test")
    gammas = family.sample_gammas(count, generator).double()
    thetas = family.sample_thetas(count, points, generator).double()
    return torch.nn.functional.normalize(gammas, dim=-1), thetas


def grid_of_angles(count, theta_dim):
    axes = [torch.arange(count, dtype=torch.float64) * 2 * math.pi / count] * theta_dim
    return torch.cartesian_prod(*axes).reshape(-1, theta_dim)


@pytest.mark.parametrize("ambient_dim", [None, 3, 150])
@pytest.mark.parametrize("name", FAMILIES)
def test_points_have_unit_length_in_every_family_and_dimension(name, ambient_dim):
    family = Family(name, 0, gamma_dim=4, ambient_dim=ambient_dim)
    points = family(*draw(family))
    assert points.shape == (7, 5, family.ambient_dim)
    torch.testing.assert_close(points.norm(dim=-1), torch.ones(7, 5, dtype=torch.float64))


def test_points_of_the_smallest_process_computed_by_hand():
    family = Family("poly", 3, gamma_dim=1, theta_dim=1)
    gamma, theta = -1.0, 0.7
    cosine, sine = math.cos(theta), math.sin(theta)
    products = np.array([cosine, sine, gamma * cosine, gamma * sine])
    expected = family.mixing.numpy() @ products / math.sqrt(2)
    found = family(np.array([gamma]), np.array([theta]))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-15)


@pytest.mark.parametrize(
    ("name", "gamma_dim", "theta_dim", "dim"),
    [
        ("poly", 12, 2, 52),
        ("poly", 12, 1, 26),
        ("poly", 6, 2, 28),
        ("poly2", 3, 2, 40),
        ("poly_no_constant", 12, 2, 48),
        ("sine", 4, 2, 32),
    ],
)
def test_points_have_as_many_coordinates_as_there_are_products(name, gamma_dim, theta_dim, dim):
    family = Family(name, 0, gamma_dim, theta_dim)
    assert family.ambient_dim == dim == len(family.mixing)
    assert family.mixing.shape[1] == (families.SINE_UNITS if name == "sine" else dim)
    assert family.mixing.dtype == torch.float64


def test_defaults_are_twelve_coordinates_and_two_angles():
    family = Family("poly", 5)
    assert (family.name, family.seed) == ("poly", 5)
    assert (family.gamma_dim, family.theta_dim, family.ambient_dim) == (12, 2, 52)


@pytest.mark.parametrize("ambient_dim", [None, 28, 100])
def test_mixing_has_orthonormal_columns_where_there_is_room(ambient_dim):
    mixing = Family("poly", 1, gamma_dim=6, ambient_dim=ambient_dim).mixing
    torch.testing.assert_close(mixing.T @ mixing, torch.eye(28, dtype=torch.float64))


@pytest.mark.parametrize("seed", range(4))
def test_mixing_is_what_gram_schmidt_makes_of_a_gaussian_matrix(seed):
    generator = torch_generator(seed, "manifold mixing")
    gaussian = torch.randn(30, 28, generator=generator, dtype=torch.float64)
    triangle = Family("poly", seed, gamma_dim=6, ambient_dim=30).mixing.T @ gaussian
    torch.testing.assert_close(triangle, triangle.triu())
    assert (triangle.diagonal() > 0).all()


def test_mixing_is_gaussian_where_points_have_too_few_coordinates():
    mixing = Family("poly", 1, ambient_dim=40).mixing
    generator = torch_generator(1, "manifold mixing")
    assert torch.equal(mixing, torch.randn(40, 52, generator=generator, dtype=torch.float64))


@pytest.mark.parametrize("theta_dim", [1, 2, 3])
@pytest.mark.parametrize("name", ["poly", "poly_no_constant"])
def test_cosine_of_two_points_of_a_manifold_is_the_mean_cosine_of_their_angles(name, theta_dim):
    family = Family(name, 2, gamma_dim=5, theta_dim=theta_dim)
    gammas, thetas = draw(family)
    points = family(gammas, thetas)
    apart = thetas[:, :, None] - thetas[:, None]
    torch.testing.assert_close(points @ points.mT, apart.cos().mean(dim=-1))


def test_cosine_of_two_points_of_two_manifolds_has_that_of_their_identifiers_as_a_factor():
    family = Family("poly", 2)
    gammas, _ = draw(family)
    theta = torch.tensor([0.3, 2.0], dtype=torch.float64)
    points = family(gammas, theta)
    torch.testing.assert_close(points @ points.T, (1 + gammas @ gammas.T) / 2)


def test_cosine_of_two_points_of_poly2_is_a_polynomial_of_that_of_their_identifiers():
    family = Family("poly2", 2, gamma_dim=3)
    gammas, _ = draw(family)
    points = family(gammas, torch.tensor([0.3, 2.0], dtype=torch.float64))
    cosine = gammas @ gammas.T
    torch.testing.assert_close(points @ points.T, (1 + cosine + cosine**2) / 3)


@pytest.mark.parametrize("name", POLYNOMIAL)
def test_half_a_turn_of_all_angles_negates_a_point(name):
    family = Family(name, 0, gamma_dim=4)
    gammas, thetas = draw(family)
    torch.testing.assert_close(family(gammas, thetas + math.pi), -family(gammas, thetas))


@pytest.mark.parametrize("name", FAMILIES)
def test_a_full_turn_of_any_angle_leads_back(name):
    family = Family(name, 0, gamma_dim=4, theta_dim=3)
    gammas, thetas = draw(family)
    for angle in range(3):
        turned = thetas.clone()
        turned[..., angle] += 2 * math.pi
        torch.testing.assert_close(family(gammas, turned), family(gammas, thetas))


@pytest.mark.parametrize("name", POLYNOMIAL)
def test_the_mean_of_a_manifold_vanishes(name):
    family = Family(name, 0, gamma_dim=4)
    mean = family(draw(family)[0], grid_of_angles(8, 2).expand(7, -1, -1)).mean(dim=1)
    torch.testing.assert_close(mean, torch.zeros_like(mean))


@pytest.mark.parametrize("theta_dim", [1, 3])
def test_points_move_at_most_with_the_lipschitz_constant_of_the_angles(theta_dim):
    family = Family("poly", 0, theta_dim=theta_dim)
    gammas, thetas = draw(family, points=50)
    generator = torch_generator(1, "steps")
    for size in (1e-6, 1e-2, 1.0):
        step = torch.randn(thetas.shape, generator=generator, dtype=torch.float64)
        step = size * torch.nn.functional.normalize(step, dim=-1)
        moved = (family(gammas, thetas + step) - family(gammas, thetas)).norm(dim=-1)
        assert (moved <= size / math.sqrt(theta_dim) * (1 + 1e-6)).all()
        if size < 1e-3:  # the bound is attained: every angle moves the point equally fast
            torch.testing.assert_close(moved, torch.full_like(moved, size / math.sqrt(theta_dim)))


def test_gamma_follows_from_the_second_moment_of_its_manifold():
    family = Family("poly", 4)
    gammas, _ = draw(family)
    points = family(gammas, grid_of_angles(8, 2).expand(7, -1, -1)) @ family.mixing
    moment = (points[..., :, None] * points[..., None, :]).mean(dim=1).reshape(7, 13, 4, 13, 4)
    products = 2 * moment.diagonal(dim1=2, dim2=4).sum(dim=-1)  # phi phi^T
    torch.testing.assert_close(products[:, 0, 1:], gammas)


def test_opposite_identifiers_give_one_manifold_without_the_constant_only():
    for name, same in (("poly_no_constant", True), ("poly", False), ("poly2", False)):
        family = Family(name, 0, gamma_dim=4)
        gammas, thetas = draw(family)
        found, expected = family(-gammas, thetas + math.pi), family(gammas, thetas)
        assert torch.allclose(found, expected) == same


@pytest.mark.parametrize("name", FAMILIES)
def test_a_seed_is_one_process_and_another_seed_another(name):
    family = Family(name, 0, gamma_dim=4)
    inputs = draw(family)
    assert torch.equal(family(*inputs), Family(name, 0, gamma_dim=4)(*inputs))
    assert not torch.allclose(family(*inputs), Family(name, 1, gamma_dim=4)(*inputs))


def test_seeds_of_sine_differ_in_waves_as_well_as_in_mixing():
    for one, other in zip(Family("sine", 0)._waves, Family("sine", 1)._waves, strict=True):
        assert not torch.equal(one, other)


@pytest.mark.parametrize("theta_dim", [1, 2])
def test_no_unit_of_sine_is_constant_on_a_manifold(theta_dim):
    for seed in range(5):
        frequencies = Family("sine", seed, gamma_dim=4, theta_dim=theta_dim)._waves[1]
        assert frequencies.any(dim=1).all()
        assert set(frequencies.unique().tolist()) == {-1, 1} | ({0} if theta_dim > 1 else set())


@pytest.mark.parametrize(
    ("name", "gamma_dim", "low", "high"), [("poly", 12, 0.17, 0.22), ("sine", 4, 0.12, 0.17)]
)
def test_raw_inputs_hardly_tell_manifolds_apart(name, gamma_dim, low, high):
    family = Family(name, 0, gamma_dim)
    generator = torch_generator(0, "unseen")
    points = family(family.sample_gammas(500, generator), family.sample_thetas(500, 20, generator))
    assert manifolds.variance_ratio(points) == pytest.approx(1, abs=0.01)
    assert low < manifolds.one_shot_accuracy(points, 20, 200, 0, points.mean((0, 1))) < high


@pytest.mark.parametrize(("gamma_dim", "threshold"), [(3, 9), (6, 27), (12, 90)])
def test_recovery_threshold_is_the_dimension_of_what_training_manifolds_span(gamma_dim, threshold):
    family = Family("poly", 0, gamma_dim)
    gammas, _ = draw(family, count=2 * threshold)
    phi = torch.cat([torch.ones(len(gammas), 1, dtype=torch.float64), gammas], dim=1)
    products = (phi[:, :, None] * phi[:, None]).flatten(1)
    assert family.recovery_threshold == threshold
    assert torch.linalg.matrix_rank(products) == threshold
    assert torch.linalg.matrix_rank(products[: threshold - 1]) == threshold - 1


def test_recovery_threshold_is_not_known_of_other_families():
    assert all(Family(name, 0).recovery_threshold is None for name in FAMILIES[1:])


def test_an_additional_axis_of_thetas_is_the_points_of_a_manifold():
    family = Family("poly", 0, gamma_dim=4)
    gammas, thetas = draw(family, count=5, points=5)
    points = family(gammas, thetas)
    for manifold in range(5):
        torch.testing.assert_close(points[manifold], family(gammas[manifold], thetas[manifold]))
        for point in range(5):
            alone = family(gammas[manifold], thetas[manifold, point])
            torch.testing.assert_close(points[manifold, point], alone)


def test_several_axes_more_than_identifiers_broadcast():
    family = Family("poly", 0, gamma_dim=4)
    gammas, _ = draw(family)
    thetas = torch.rand(2, 3, 7, 2, generator=torch_generator(0, "angles"), dtype=torch.float64)
    torch.testing.assert_close(family(gammas, thetas)[1, 2], family(gammas, thetas[1, 2]))


def test_the_same_number_of_axes_broadcasts():
    family = Family("poly", 0, gamma_dim=4)
    gammas, thetas = draw(family, count=5, points=5)
    torch.testing.assert_close(family(gammas, thetas[:, 0]), family(gammas, thetas)[:, 0])
    torch.testing.assert_close(family(gammas[:, None], thetas), family(gammas, thetas))
    torch.testing.assert_close(family(gammas, thetas[:1, 0])[3], family(gammas[3], thetas[0, 0]))
    torch.testing.assert_close(family(gammas, thetas[0, 0])[3], family(gammas[3], thetas[0, 0]))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", FAMILIES)
def test_points_have_the_kind_and_the_floating_type_of_the_inputs(name, dtype):
    family = Family(name, 0, gamma_dim=4)
    inputs = [each.numpy().astype(dtype) for each in draw(family)]
    points = family(*inputs)
    assert isinstance(points, np.ndarray) and points.dtype == dtype
    tensors = family(*map(torch.from_numpy, inputs))
    assert isinstance(tensors, torch.Tensor)
    assert np.array_equal(points, tensors.numpy())
    assert isinstance(family(inputs[0], torch.from_numpy(inputs[1])), torch.Tensor)
    tolerance = 1e-14 if dtype == np.float64 else 1e-5
    np.testing.assert_allclose(np.linalg.norm(points, axis=-1), 1, rtol=tolerance)


def test_arrays_may_be_read_only():
    family = Family("poly", 0, gamma_dim=4)
    inputs = [each.numpy() for each in draw(family)]
    expected = family(*inputs)
    for each in inputs:
        each.flags.writeable = False
    assert np.array_equal(family(*inputs), expected)


def test_a_point_without_direction_is_zero():
    family = Family("poly_no_constant", 0, gamma_dim=4)
    assert not family(np.zeros(4), np.ones(2)).any()


def test_sampled_identifiers_lie_uniformly_on_the_unit_sphere():
    gammas = Family("poly", 0, gamma_dim=3).sample_gammas(20000, torch_generator(0, "gammas"))
    assert gammas.shape == (20000, 3) and gammas.dtype == torch.float32
    torch.testing.assert_close(gammas.norm(dim=1), torch.ones(20000))
    # On the sphere of three dimensions every coordinate is uniform on [-1, 1].
    quartiles = torch.quantile(gammas, torch.tensor([0.25, 0.5, 0.75]), dim=0)
    torch.testing.assert_close(
        quartiles, torch.tensor([[-0.5], [0], [0.5]]).expand(3, 3), atol=0.03, rtol=0
    )


def test_sampled_angles_are_uniform_over_a_turn():
    thetas = Family("poly", 0).sample_thetas(100, 200, torch_generator(0, "thetas"))
    assert thetas.shape == (100, 200, 2) and thetas.dtype == torch.float32
    assert 0 <= thetas.min() < 0.01 and 2 * math.pi - 0.01 < thetas.max() < 2 * math.pi
    assert thetas.mean() == pytest.approx(math.pi, abs=0.05)


def test_samples_follow_their_generator_and_nothing_else():
    samples = [
        (family.sample_gammas(3, generator), family.sample_thetas(3, 2, generator))
        for family in (Family("poly", 0), Family("poly", 1))
        for generator in (torch_generator(0, "a"), torch_generator(0, "b"))
    ]
    assert all(map(torch.equal, samples[0], samples[2]))
    assert not any(map(torch.equal, samples[0], samples[1]))


def test_measures_are_those_of_the_module_invariance():
    assert manifolds.variance_ratio is invariance.variance_ratio
    assert manifolds.one_shot_accuracy is invariance.one_shot_accuracy
    assert {"Family", "one_shot_accuracy", "variance_ratio"} <= set(manifolds.__all__)


def test_an_unknown_family_is_refused():
    with pytest.raises(ValueError, match=r"one of poly, poly2, .* got 'cubic'"):
        Family("cubic", 0)


@pytest.mark.parametrize("name", ["gamma_dim", "theta_dim", "ambient_dim"])
@pytest.mark.parametrize("value", [0, -1, 2.0, True])
def test_a_dimension_that_is_no_positive_integer_is_refused(name, value):
    with pytest.raises(ValueError, match=f"{name} must be a positive integer; got {value}"):
        Family("poly", 0, **{name: value})


def test_inputs_of_the_wrong_length_are_refused():
    family = Family("poly", 0, gamma_dim=4)
    gammas, thetas = (each.numpy() for each in draw(family))
    with pytest.raises(ValueError, match=r"gammas must have length 4; got shape \(7, 3\)"):
        family(gammas[:, :3], thetas)
    with pytest.raises(ValueError, match=r"thetas must have length 2; got shape \(7, 5, 1\)"):
        family(gammas, thetas[..., :1])
    with pytest.raises(ValueError, match=r"thetas must have length 2; got shape \(\)"):
        family(gammas, np.float64(1))


def test_inputs_that_do_not_broadcast_are_refused():
    family = Family("poly", 0, gamma_dim=4)
    gammas, thetas = draw(family)
    with pytest.raises(ValueError, match=r"got shapes \(6, 4\) and \(7, 5, 2\)"):
        family(gammas[:6], thetas)


def test_inputs_that_are_not_floating_are_refused():
    family = Family("poly", 0, gamma_dim=4)
    thetas = numpy_generator(0, "thetas").random((3, 2))
    with pytest.raises(ValueError, match=r"gammas must be floating; got torch.int64"):
        family(np.ones((3, 4), int), thetas)
    with pytest.raises(ValueError, match=r"thetas must be floating; got torch.bool"):
        family(np.ones((3, 4)), torch.ones(3, 2, dtype=torch.bool))
