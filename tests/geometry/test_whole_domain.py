"""The rules of integrals and places: how right an integral is, its weights, its times."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import iv, jv

from pinnkan.geometry import Ball, Box, Disk, Domain, PointInSpace, Shape, WholeDomain

# The mean of exp(2 x) over shape, or of exp(2 cos(pi x)) where x is periodic, on [-1, 1].
MEANS: dict[str, tuple[Shape, float]] = {
    "interval": (Box([-1], [1]), math.sinh(2) / 2),
    "square": (Box([-1, -1], [1, 1]), math.sinh(2) / 2),
    "cube": (Box([-1] * 3, [1] * 3), math.sinh(2) / 2),
    "disk": (Disk(), 2 * iv(1, 2) / 2),
    "ball": (Ball(), 3 * (2 * math.cosh(2) - math.sinh(2)) / 2**3),
    "ring": (Box([-1], [1], periodic=("x",)), iv(0, 2)),
    "torus": (Box([-1, -1], [1, 1], periodic=("x", "y")), iv(0, 2)),
}


def integrand(shape: Shape, x: np.ndarray) -> np.ndarray:
    return np.exp(2 * (np.cos(math.pi * x) if shape.periodic else x))


@pytest.mark.parametrize("variant", [0, 1, 2, 5])
@pytest.mark.parametrize("time", [False, True])
@pytest.mark.parametrize("name", MEANS)
def test_an_integral_is_right_to_1e_8(name: str, time: bool, variant: int) -> None:
    shape, mean = MEANS[name]
    space = ("x", "y", "z")[: shape.dimension]
    domain = Domain(shape, (("t",) if time else ()) + space, (1.0, 3.0) if time else None)
    drawn = domain.collocate(WholeDomain(), 7, rule="sobol", seed=3, variant=variant)
    assert drawn.weights.sum() == pytest.approx(1, abs=1e-13)
    assert drawn.weights.min() > 0
    assert domain.contains(drawn.points).all()
    means = drawn.means(integrand(shape, drawn.points[:, int(time)]))
    assert len(means) == len(drawn.residual_weights) == (12 if time else 1)
    assert means == pytest.approx(mean, rel=1e-8)
    if time:
        times = drawn.points[:, 0].reshape(12, -1)
        assert (times == times[:, :1]).all()
        assert len(np.unique(times)) == 12
        rows = np.stack([drawn.points[:, 0], drawn.points[:, 0] ** 2], axis=1)
        assert drawn.means(rows) == pytest.approx(np.stack([times[:, 0], times[:, 0] ** 2], axis=1))


def test_waves_of_a_periodic_coordinate_are_integrated_exactly() -> None:
    """The trapezoidal rule of 128 points sees 127 waves, Gauss's rule but 40."""
    domain = Domain(Box([0], [1], periodic=("x",)), ("x",))
    drawn = domain.collocate(WholeDomain(), 1)
    for waves in (1, 50, 127):
        assert abs(drawn.means(np.cos(2 * math.pi * waves * drawn.points[:, 0]))[0]) < 1e-13
    assert jv(0, 1) == pytest.approx(drawn.means(np.cos(np.sin(2 * math.pi * drawn.points[:, 0])))[0])


def test_a_place_is_one_point_a_time() -> None:
    still = Domain(Disk(), ("x", "y")).collocate(PointInSpace((0.5, -0.25)), 30)
    assert still.points.tolist() == [[0.5, -0.25]]
    assert still.weights.tolist() == [1.0]
    moving = Domain(Disk(), ("t", "x", "y"), (0.0, 2.0)).collocate(PointInSpace((0.5, -0.25)), 30)
    assert (moving.points[:, 1:] == [0.5, -0.25]).all()
    assert moving.weights @ moving.points[:, 0] ** 3 == pytest.approx(2.0)  # the mean of t^3
    held_out = Domain(Disk(), ("t", "x", "y"), (0.0, 2.0)).collocate(PointInSpace((0.0, 0.0)), 30, variant=1)
    assert not set(held_out.points[:, 0]) & set(moving.points[:, 0])
    assert moving.means(moving.points) is moving.points
