"""Collocation sets: weights, disjointness, time levels, determinism, refusals."""

from __future__ import annotations

import math

import numpy as np
import pytest
from geometry_table import SHAPE_TABLE, domain
from scipy.spatial import cKDTree

from pinnkan.geometry import (
    RULES,
    BoundaryPart,
    CollocationSet,
    Disk,
    Domain,
    InitialTime,
    Interior,
    Interval,
    Region,
)
from pinnkan.ground.errors import UsageError


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("time", [False, True])
@pytest.mark.parametrize("name", SHAPE_TABLE)
def test_sets_are_measures_inside_the_domain(name: str, time: bool, rule: str) -> None:
    full = domain(SHAPE_TABLE[name], time=time)
    for region in (Interior(), BoundaryPart("all"), *((InitialTime(),) if time else ())):
        drawn = full.collocate(region, 300, rule=rule, seed=3, variant=2)
        assert isinstance(drawn, CollocationSet)
        assert drawn.weights.min() > 0
        assert drawn.weights.sum() == pytest.approx(1, abs=1e-13)
        assert full.contains(drawn.points).all()
        assert drawn.points.dtype == np.float64
        assert len(drawn.points) == pytest.approx(300, rel=0.1) or (name, time) == ("interval", False)
        assert (drawn.normals is None) == (region != BoundaryPart("all"))


def closest(a: np.ndarray, b: np.ndarray) -> float:
    """Smallest distance (largest coordinate difference) of two point sets."""
    order = np.argsort(b[:, 0], kind="stable")
    b = b[order]
    low = np.searchsorted(b[:, 0], a[:, 0] - 1e-6)
    high = np.searchsorted(b[:, 0], a[:, 0] + 1e-6)
    gaps = [np.abs(b[i:j] - p).max(axis=1).min() for p, i, j in zip(a, low, high, strict=True) if j > i]
    return float(min(gaps, default=1.0))


def test_variants_share_no_point() -> None:
    """500 random settings: two variants of one set, of any sizes and rules, and the evaluation points."""
    rng = np.random.default_rng(11)
    for _ in range(500):
        name = str(rng.choice(list(SHAPE_TABLE)))
        full = domain(SHAPE_TABLE[name], time=bool(rng.integers(2)))
        inside = name == "interval" or bool(rng.integers(2))
        region = Interior() if inside else BoundaryPart("all")
        first, second = rng.choice(40, size=2, replace=False)
        seed = int(rng.integers(3))
        a, b = (
            full.collocate(
                region,
                int(rng.integers(1, 400)),
                rule=str(rng.choice(RULES)),
                seed=seed,
                variant=int(variant),
            ).points
            for variant in (first, second)
        )
        assert closest(a, b) > 1e-11, (name, region, first, second)
        assert closest(a, full.uniform(200, seed)) > 1e-11


@pytest.mark.parametrize("name", SHAPE_TABLE)
def test_initial_sets_of_variants_are_disjoint(name: str) -> None:
    full = domain(SHAPE_TABLE[name], time=True)
    sets = [full.collocate(InitialTime(), 300, variant=variant).points for variant in range(4)]
    assert all(np.all(points[:, 0] == 0.5) for points in sets)
    assert min(closest(a, b) for i, a in enumerate(sets) for b in sets[:i]) > 1e-11


@pytest.mark.parametrize("rule", RULES)
def test_same_seed_same_bits(rule: str) -> None:
    full = domain(Disk(), time=True)
    first, again = (full.collocate(Interior(), 500, rule=rule, seed=4, variant=2) for _ in range(2))
    np.testing.assert_array_equal(first.points, again.points)
    np.testing.assert_array_equal(first.weights, again.weights)
    other = full.collocate(Interior(), 500, rule=rule, seed=5, variant=2).points
    assert np.array_equal(first.points, other) == (rule == "quadrature")


def places(full: Domain) -> list[Region]:
    """Sets of more than isolated points: not the ends of an interval at one time."""
    parts = ["all", *full.shape.parts] if full.shape.dimension > 1 or full.time else []
    return [Interior(), *map(BoundaryPart, parts), *([InitialTime()] if full.time else [])]


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("time", [False, True])
@pytest.mark.parametrize("name", SHAPE_TABLE)
def test_held_out_points_lie_between_the_training_points(name: str, time: bool, rule: str) -> None:
    """As far from the training points, in the median, as independent uniform points are."""
    full = domain(SHAPE_TABLE[name], time=time)
    lower, upper = full.bounding_box
    for region in places(full):
        training = full.collocate(region, 1000, rule=rule, seed=3).points / (upper - lower)

        def distance(points: np.ndarray, training: np.ndarray = training) -> float:
            return float(np.median(cKDTree(training).query(points / (upper - lower))[0]))

        held_out = full.collocate(region, 4000, rule=rule, seed=3, variant=1).points
        uniform = full.collocate(region, 4000, rule="random", seed=8, variant=0).points
        assert distance(held_out) > 0.9 * distance(uniform), region


def test_time_levels_see_different_points() -> None:
    """Space rules differ between levels, so that N points give N places, not N / levels."""
    points = domain(Disk(), time=True).collocate(Interior(), 2000).points
    levels, sizes = np.unique(points[:, 0], return_counts=True)
    assert len(levels) == round(2000 ** (1 / 3))
    assert sizes.min() > 0.9 * sizes.max()
    radii = np.unique(np.hypot(points[:, 1], points[:, 2]).round(12))
    assert len(radii) > 5 * len(levels)
    angles = np.arctan2(points[:, 2], points[:, 1]).round(12)
    assert len(np.unique(angles)) > 0.99 * len(points)


@pytest.mark.parametrize("rule", RULES)
def test_means_in_space_and_time(rule: str) -> None:
    full = Domain(Disk(), ("t", "x", "y"), (0.0, 2.0))
    tolerance = 1e-9 if rule == "quadrature" else 0.05
    drawn = full.collocate(Interior(), 4000, rule=rule)
    t, x, y = drawn.points.T
    assert drawn.weights @ (np.exp(t) * (x**2 + y**2)) == pytest.approx((math.exp(2) - 1) / 4, rel=tolerance)
    drawn = full.collocate(BoundaryPart("all"), 1000, rule=rule)
    t, x, y = drawn.points.T
    assert drawn.weights @ (np.exp(t) * x**2) == pytest.approx((math.exp(2) - 1) / 4, rel=tolerance)
    assert drawn.normals is not None
    np.testing.assert_allclose(drawn.normals, drawn.points[:, 1:], atol=1e-14)


@pytest.mark.parametrize(("length", "unit"), [(1.0, 1.0), (1.0, 1e6), (1e-3, 1.0)])
def test_units_do_not_change_the_layout(length: float, unit: float) -> None:
    sizes = [
        len(
            np.unique(
                Domain(Disk((0, 0), r), ("t", "x", "y"), (0, T)).collocate(Interior(), 900).points[:, 0]
            )
        )
        for r, T in ((1.0, 1.0), (length, unit))
    ]
    assert sizes[0] == sizes[1]


def test_ends_of_an_interval_take_every_time_level() -> None:
    full = Domain(Interval(-1, 1), ("t", "x"), (0.0, 1.0))
    both = full.collocate(BoundaryPart("all"), 40)
    assert len(both.points) == 40
    assert len(np.unique(both.points[:, 0])) == 20
    np.testing.assert_array_equal(np.unique(both.points[:, 1]), [-1, 1])
    for rule in RULES:
        single = Domain(Interval(-1, 1), ("x",)).collocate(BoundaryPart("right"), 40, rule=rule)
        np.testing.assert_array_equal(single.points, [[1.0]])
        np.testing.assert_array_equal(single.normals, [[1.0]])


def test_uniform_points_fill_the_domain() -> None:
    full = Domain(Disk((1, 2), 3), ("t", "x", "y"), (0.0, 4.0))
    points = full.uniform(20000, seed=9)
    assert points.shape == (20000, 3)
    assert full.contains(points).all()
    np.testing.assert_allclose(points.mean(axis=0), [2, 1, 2], atol=0.05)
    np.testing.assert_allclose(points.var(axis=0), [16 / 12, 9 / 4, 9 / 4], rtol=0.03)
    np.testing.assert_array_equal(points, full.uniform(20000, seed=9))


def test_bounding_box_and_containment_put_time_first() -> None:
    full = Domain(Disk((1, 2), 3), ("t", "x", "y"), (0.0, 4.0))
    np.testing.assert_array_equal(full.bounding_box, [[0, -2, -1], [4, 4, 5]])
    probes = np.array([[0, 1, 2], [4, 4, 2], [4.1, 1, 2], [-0.1, 1, 2], [1, 4.1, 2]])
    assert full.contains(probes).tolist() == [True, True, False, False, False]
    assert Domain(Disk(), ("x", "y")).bounding_box[1].tolist() == [1, 1]


def test_refusals() -> None:
    plain, moving = Domain(Disk(), ("x", "y")), Domain(Disk(), ("t", "x", "y"), (0, 1))
    with pytest.raises(UsageError, match="points: expected at least 1, found 0"):
        moving.collocate(Interior(), 0)
    with pytest.raises(UsageError, match="points: expected at most 100000000, found 1000000000000"):
        moving.collocate(Interior(), 10**12)
    with pytest.raises(UsageError, match="points: expected at least 1, found -5"):
        plain.uniform(-5, 0)
    with pytest.raises(UsageError, match=r"expected one of .*, found 'sobel'; did you mean 'sobol'\?"):
        plain.collocate(Interior(), 5, rule="sobel")
    with pytest.raises(UsageError, match="variant of a point set: expected 0 or more, found -1"):
        plain.collocate(Interior(), 5, variant=-1)
    with pytest.raises(UsageError, match="seed: expected 0 or more, found -1"):
        plain.uniform(5, -1)
    with pytest.raises(UsageError, match="'initial' was asked for, but the problem has no time"):
        plain.collocate(InitialTime(), 5)
    with pytest.raises(UsageError, match=r"unknown part 'circl'.*did you mean 'circle'\?"):
        moving.collocate(BoundaryPart("circl"), 5)
    with pytest.raises(UsageError, match="expected 3 coordinates, found 2: x, y"):
        Domain(Disk(), ("x", "y"), (0, 1))
    with pytest.raises(UsageError, match=r"time: t: expected start < end, found \[1.0, 1.0\] \(empty\)"):
        Domain(Disk(), ("t", "x", "y"), (1, 1))
    with pytest.raises(UsageError, match=r"t: expected finite numbers, found \[0.0, inf\]"):
        Domain(Disk(), ("t", "x", "y"), (0, math.inf))
