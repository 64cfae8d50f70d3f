"""One-dimensional rules and low-discrepancy points."""

from __future__ import annotations

import numpy as np
import pytest

from pinnkan.geometry.rules import gauss, match_density, share, unit_cube


@pytest.mark.parametrize("variant", [0, 1, 2, 17])
@pytest.mark.parametrize("count", [1, 2, 3, 5, 8, 20, 64])
def test_gauss_is_exact_to_its_degree_and_no_further(count: int, variant: int) -> None:
    nodes, weights = gauss(count, variant=variant)
    assert nodes.shape == weights.shape == (count,)
    assert weights.min() > 0
    assert nodes.min() > 0
    assert nodes.max() < 1
    exact = 2 * count - 1 - (variant > 0)
    for degree in range(exact + 1):
        # Legendre polynomials, so that high degrees are not all alike
        mean = weights @ np.polynomial.legendre.Legendre.basis(degree)(2 * nodes - 1)
        assert mean == pytest.approx(float(degree == 0), abs=1e-13), degree
    beyond = np.polynomial.legendre.Legendre.basis(exact + 1)(2 * nodes - 1)
    assert abs(weights @ beyond) > 1e-4


def test_first_variant_is_gauss_legendre() -> None:
    nodes, weights = gauss(12)
    x, w = np.polynomial.legendre.leggauss(12)
    np.testing.assert_allclose(2 * nodes - 1, x, atol=2e-15)
    np.testing.assert_allclose(2 * weights, w, atol=2e-15)


@pytest.mark.parametrize("count", [65, 100, 1000])
def test_long_rules_are_panels(count: int) -> None:
    nodes, weights = gauss(count, variant=3)
    assert nodes.shape == (count,)
    assert np.all(np.diff(nodes) > 0)
    assert weights @ np.exp(nodes) == pytest.approx(np.e - 1, abs=1e-14)


def test_variants_share_no_node_whatever_their_sizes() -> None:
    closest = 1.0
    for n in range(1, 70, 3):
        for m in range(1, 70, 3):
            a, b = gauss(n, variant=2)[0], gauss(m, variant=5)[0]
            closest = min(closest, float(np.abs(a[:, None] - b).min()))
    assert closest > 1e-8


@pytest.mark.parametrize("dimension", [1, 2, 3, 4])
@pytest.mark.parametrize("count", [1, 2, 100, 1000])
def test_sobol_points_are_balanced(count: int, dimension: int) -> None:
    """Each dyadic interval of the whole powers of two holds its share; any count is allowed."""
    points = unit_cube(count, dimension, rule="sobol", rng=np.random.default_rng(1))
    assert points.shape == (count, dimension)
    assert points.min() > 0
    assert points.max() < 1
    whole = 1 << (count.bit_length() - 1)
    for axis in range(dimension):
        cells = np.sort((points[:whole, axis] * whole).astype(int))
        np.testing.assert_array_equal(cells, np.arange(whole))


def test_sobol_integrates_better_than_random() -> None:
    def error(rule: str, seed: int) -> float:
        x = unit_cube(1000, 3, rule=rule, rng=np.random.default_rng(seed))
        return abs(float(np.prod(np.exp(x), axis=1).mean()) - (np.e - 1) ** 3)

    sobol, random = (np.median([error(rule, seed) for seed in range(9)]) for rule in ("sobol", "random"))
    assert sobol < random / 10


@pytest.mark.parametrize(
    ("count", "measures", "expected"),
    [
        (10, [1.0, 1.0], [5, 5]),
        (10, [3.0, 1.0, 1.0], [6, 2, 2]),
        (7, [1.0, 1.0], [4, 3]),
        (1, [1.0, 1.0, 1.0], [1, 1, 1]),
        (100, [1e-9, 1.0], [1, 99]),
    ],
)
def test_share(count: int, measures: list[float], expected: list[int]) -> None:
    assert share(count, measures) == expected


def test_match_density_takes_the_nearest_step() -> None:
    for count, nearest in ((1, 7), (40, 42), (38, 35)):
        density = match_density(lambda d: 7 * max(1, round(d)), count)
        assert 7 * max(1, round(density)) == nearest
