"""The domain of a problem in time alone: an interval of time over a point."""

from __future__ import annotations

import numpy as np
import pytest

from pinnkan.geometry import Domain, InitialTime, Interior, make_shape


@pytest.fixture
def domain() -> Domain:
    return Domain(make_shape("point", (), {}), ("t",), (1.0, 3.0))


@pytest.mark.parametrize("rule", ["quadrature", "sobol", "random"])
def test_the_sets_are_those_of_an_interval(domain, rule):
    inside = domain.collocate(Interior(), 40, rule=rule, seed=3)
    other = domain.collocate(Interior(), 40, rule=rule, seed=3, variant=1)
    assert inside.points.shape == (40, 1)
    assert inside.weights.sum() == pytest.approx(1, abs=1e-14)
    assert inside.points.min() > 1
    assert inside.points.max() < 3
    assert np.abs(inside.points - other.points.T).min() > 0
    start = domain.collocate(InitialTime(), 40, rule=rule, seed=3)
    assert (start.points.tolist(), start.weights.tolist()) == ([[1.0]], [1.0])


def test_the_quadrature_is_a_gauss_rule_in_time(domain):
    inside = domain.collocate(Interior(), 6)
    assert inside.weights @ inside.points[:, 0] ** 11 == pytest.approx((3.0**12 - 1) / 24, rel=1e-13)


def test_what_is_in_the_domain(domain):
    assert domain.contains(np.array([[0.9], [1.0], [2.0], [3.1]])).tolist() == [False, True, True, False]
    lower, upper = domain.bounding_box
    assert (lower.tolist(), upper.tolist()) == ([1.0], [3.0])
    assert domain.shape.parts == ()
