"""Data that rounding leaves of a zero are no data."""

from __future__ import annotations

import numpy as np
import pytest

from pinnkan.ground.errors import ProblemError
from pinnkan.language.problem import load_problem
from pinnkan.physics.family import Family
from pinnkan.physics.magnitudes.rounding import is_rounded_zero

TOP = np.column_stack([np.linspace(0, 1, 50), np.ones(50)])


@pytest.mark.parametrize(
    ("formula", "zero"),
    [
        (lambda x, y: np.sin(2 * np.pi * y) * np.sin(np.pi * x), True),
        (lambda x, y: 1e12 * np.sin(2 * np.pi * y), True),
        (lambda x, y: np.cos(np.pi * y / 2), True),
        (lambda x, y: np.cos(np.pi * (x - x + y - 0.5)), True),
        (lambda x, y: 0 * x, False),  # a zero as it should be
        (lambda x, y: 1e-30 * np.sin(np.pi * x), False),
        (lambda x, y: np.exp(-60 * y), False),
        (lambda x, y: 1e-16 + 0 * x, False),
        (lambda x, y: np.where(y <= 1, 1.0, 0.0), False),  # jumps to one side
        (lambda x, y: np.sqrt(1 - y) + 1e-20, False),  # has no value at the other
    ],
)
def test_rounded_zeros_are_told_from_small_data(formula, zero):
    assert is_rounded_zero(lambda points: formula(*points.T), TOP, (0.5, 0.5)) == zero


def test_a_formula_without_values_is_no_zero():
    def fail(points):
        raise ProblemError(["no value"])

    assert not is_rounded_zero(fail, TOP, (0.5, 0.5))


MANUFACTURED = """\
coordinates: [x, y]
domain: {shape: box, x: [0, 1], y: [0, 1]}
unknowns: [u, v]
exact: {u: sin(pi*x/2)*cos(pi*y), v: (SIZE)*sin(pi*x/2)*sin(2*pi*y)}
source: manufactured
equations:
  - -laplace(u) + v_y/(SIZE) = source
  - -laplace(v)/(SIZE) - u_y = source
boundary:
  - {on: [left, bottom, top], equation: "[u, v] = [exact.u, exact.v]"}
  - {on: right, equation: dn(u) = 0}
  - {on: right, equation: dn(v) = 0}
"""


@pytest.mark.parametrize("size", ["1", "1000", "1/4096"])
def test_the_scale_of_an_unknown_is_no_rounding_error(size):
    """The values of v on its sides are sin(2 pi y) at y = 0 and 1; its scale comes from the equation."""
    instance = Family(load_problem(MANUFACTURED.replace("SIZE", size))).at()
    u, v = instance.scales
    assert u == pytest.approx(1, rel=1e-2)
    assert 0.5 < v / float(eval(size)) < 10
    assert [len(ansatz.hard) for ansatz in instance.ansatzes] == [1, 1]
    assert [ansatz.notes for ansatz in instance.ansatzes] == [{}, {}]
