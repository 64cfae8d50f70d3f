"""Terms of equations and conditions, and the size that makes a residual small or not."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pinnkan.language.problem import load_problem
from pinnkan.physics.blocks import ResidualBlock
from pinnkan.physics.family import Family
from pinnkan.physics.magnitudes.sizes import judged_terms, size_of

SQUARE = """
coordinates: [x, y]
domain: {{shape: box, x: [0, 2], y: [0, 1]}}
unknowns: u
family: {{k: 3}}
equations: ["{equation}"]
boundary: [{{equation: "{boundary}", hard: false}}]
"""


def block_of(equation: str = "laplace(u) = k", boundary: str = "u = 0", *, condition: bool = False):
    instance = Family(load_problem(SQUARE.format(equation=equation, boundary=boundary))).at()
    block: ResidualBlock = instance.conditions[0] if condition else instance.equations[0]
    places = instance.domain.collocate(block.where, 400, variant=1)
    return block, places


def letters_of(block: ResidualBlock) -> list[str]:
    """The derivatives of u that the terms read, as its subscripts."""
    assert {unknown for unknown, _ in block.summands.partials} <= {0}
    return ["".join("xy"[axis] * order for axis, order in enumerate(i)) for _, i in block.summands.partials]


@pytest.mark.parametrize(
    ("equation", "reads", "terms"),
    [
        ("-laplace(u) + k*u = exp(x) + x", ["xx", "yy", ""], [-2.0, -2.0, 6.0, "-exp(x) - x"]),
        ("div((1 + x)*grad(u)) = 0", ["xx", "yy", "x"], ["2 + 2*x", "2 + 2*x", 2.0]),
        ("u*u_x = k", ["", "x"], [4.0, -3.0]),
        ("u_xy = u - x + y", ["xy", ""], [2.0, -2.0, "x - y"]),
    ],
)
def test_terms_are_the_summands_with_derivatives_written_out(equation, reads, terms):
    """At a function whose every derivative is 2; known summands are one term."""
    if "k" not in equation:
        equation = f"k*({equation.split(' = ')[0]}) = k*({equation.split(' = ')[1]})"
        terms = [3.0 * term if isinstance(term, float) else f"3*({term})" for term in terms]
    block, places = block_of(equation)
    found = block.terms(places.points, None, [2.0] * len(block.summands.partials))
    names = letters_of(block)
    assert sorted(names) == sorted(reads)
    x, y = places.points.T
    known = {"exp": np.exp, "x": x, "y": y}
    wanted = [
        np.broadcast_to(eval(term, known) if isinstance(term, str) else term, x.shape) for term in terms
    ]

    def key(row: np.ndarray) -> tuple[float, float]:
        return round(float(row[0]), 9), round(float(row[1]), 9)

    np.testing.assert_allclose(sorted(found, key=key), sorted(wanted, key=key), rtol=1e-13)


def relative(block: ResidualBlock, places, derivatives: dict[str, float], extent: float = 3.0) -> float:
    names = letters_of(block)
    terms = block.terms(places.points, places.normals, [derivatives[name] for name in names])
    judged = judged_terms(block, places, terms, extents=[extent], lengths=[2.0, 1.0])
    return size_of(judged, places.weights)


def test_size_is_the_root_mean_square_of_the_sum_of_absolute_terms():
    terms = np.array([[1.0, -2.0], [3.0, 0.0]])
    assert size_of(terms, np.array([0.25, 0.75])) == pytest.approx(math.sqrt(0.25 * 16 + 0.75 * 4))


@pytest.mark.parametrize(
    ("equation", "derivatives", "size"),
    [
        ("laplace(u) = k", {"xx": 5.0, "yy": -4.0}, 12.0),
        ("laplace(u) + k*u = 0", {"xx": 0.0, "yy": 0.0, "": 1e-9}, 3.0 / 4 + 3.0 + 9.0),
        ("laplace(u) + k*u = 0", {"xx": 0.0, "yy": 1e-3, "": 1e-3}, 4e-3),
        ("k*u_xy = 0", {"xy": 7.0}, 9.0 / 2),
    ],
)
def test_an_equation_with_fewer_than_two_terms_is_measured_by_the_unknown_s_range(
    equation, derivatives, size
):
    assert relative(*block_of(equation), derivatives) == pytest.approx(size, rel=1e-12)


@pytest.mark.parametrize(
    ("boundary", "derivatives", "size"),
    [
        ("k*u = 0", {"": 1e-3}, 9.0),
        ("k*u = 6", {"": 2.5}, 13.5),
        ("k*(u - 2) = 0", {"": 2.5}, 13.5),
        ("dn(u) + k*u = 0", {"x": 1.0, "y": 1.0, "": 2.0}, 7.0),
        ("k*u_y = 0", {"y": 1e-3}, 9.0),
        ("k*u_xx = 0", {"xx": 1e-3}, 9.0 / 2 * (math.pi / 2) ** 2),
        ("k*u_xyy = 0", {"xyy": 1e-3}, 9.0 / 2 * math.pi**3 / 2),
        ("k*u_xy = 0", {"xy": 1e-3}, 9.0 / 2),
    ],
)
def test_the_size_of_conditions(boundary, derivatives, size):
    block, places = block_of(boundary=boundary, condition=True)
    assert relative(block, places, derivatives) == pytest.approx(size, rel=1e-12)


def test_a_normal_derivative_is_one_term():
    """On both pairs of sides of the box 2 x 1: of a function of range 3 that is 3/2 or 3."""
    block, places = block_of(boundary="k*dn(u) = 0", condition=True)
    horizontal = np.abs(places.normals[:, 0]) @ places.weights
    size = 3 * math.sqrt(horizontal * 1.5**2 + (1 - horizontal) * 3**2)
    assert relative(block, places, {"x": 1e-2, "y": 1e-2}) == pytest.approx(size, rel=1e-12)


def test_nothing_over_nothing_is_no_size():
    block, places = block_of("laplace(u) = 0*k")
    assert relative(block, places, {"xx": 0.0, "yy": 0.0}, extent=0.0) == 0.0
