"""Statements linearised in polynomials."""

from __future__ import annotations

import numpy as np
import pytest

from pinnkan.ground.derivatives import value_index
from pinnkan.language.problem import load_problem
from pinnkan.physics.family import Family
from pinnkan.physics.polynomial_rows import polynomial_rows
from pinnkan.physics.polynomials import Polynomials

TEXT = """
coordinates: [x]
domain: {shape: interval, x: [0, 2]}
unknowns: [u, v]
equations: ["-u_xx + u*v = x", "-v_xx + u = 0"]
boundary: ["u = 0", "v = 0"]
constraints: ["integral(u^2 + v) = 3"]
"""


@pytest.fixture(scope="module")
def blocks():
    instance = Family(load_problem(TEXT)).at()
    return instance, Polynomials(*instance.domain.bounding_box, 4, instance.domain.periodic)


def test_an_equation_has_a_row_a_point(blocks):
    instance, polynomials = blocks
    block = Family(instance.problem).statements.equations(instance.values)[0]
    places = instance.domain.collocate(block.where, 7, rule="random", seed=0)
    index = value_index(1)
    jet = np.zeros((len(block.reads), 7))
    for row, (unknown, channel) in enumerate(block.reads):
        jet[row] = (5.0 if unknown == 0 else 2.0) * (channel == index)
    rows, residual = polynomial_rows(block, places, polynomials, jet, 2)
    x = places.points
    assert residual == pytest.approx(5 * 2 - x[:, 0], rel=1e-14)
    value, curvature = polynomials.derivative(index, x), polynomials.derivative((2,), x)
    assert rows[:, 0] == pytest.approx(2 * value - curvature, rel=1e-12)
    assert rows[:, 1] == pytest.approx(5 * value, rel=1e-12)


def test_an_integral_has_one_row(blocks):
    instance, polynomials = blocks
    (constraint,) = instance.problem.constraints
    block = Family(instance.problem).statements.constraint(constraint, instance.domain, instance.values)
    places = instance.domain.collocate(block.where, 16, rule="quadrature", seed=0)
    jet = np.stack([np.full(len(places.points), 3.0 if unknown == 0 else 1.0) for unknown, _ in block.reads])
    rows, residual = polynomial_rows(block, places, polynomials, jet, 2)
    assert rows.shape[0] == residual.shape[0] == 1
    # The integral of 3^2 + 1 over a length of 2 is 20; its slopes along T_0 = 1 are 2*3*2 and 2.
    assert rows[0, 0, 0] / rows[0, 1, 0] == pytest.approx(6.0)
    assert residual[0] / rows[0, 1, 0] == pytest.approx((20 - 3) / 2)
