"""Linear stationary problems near a resonance, whose answer is what the least error makes of it.

The operator L and the homogeneous conditions B act on polynomials that are orthonormal over the points:
sigma = min over |u| = 1 of |(L u, B u)|, the smallest singular value of a small dense matrix. It is 0 at
a resonance (laplace(u) + k^2 u on the unit square with u = 0 at k^2 = 2 pi^2), and |delta| there for
L + delta. A sigma that is as small for every operator nearby means no resonance, but growth or a
layer; so it is compared with those of L + delta and L - delta.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from pinnkan.geometry import BoundaryPart, Interior
from pinnkan.ground.arrays import FloatArray
from pinnkan.ground.derivatives import MultiIndex, value_index
from pinnkan.physics.instance import Instance
from pinnkan.physics.polynomials import Polynomials
from pinnkan.physics.wellposed.characteristics import characteristics
from pinnkan.physics.wellposed.counts import missing_sides, no_condition
from pinnkan.physics.wellposed.factors import Factors, factors
from pinnkan.physics.wellposed.findings import Finding, warning
from pinnkan.physics.wellposed.high_orders import conditions_for_high_orders
from pinnkan.physics.wellposed.unfixed import unfixed_motions

_DEGREES = {1: 100, 2: 12, 3: 8}
"""Total degree of the polynomials, by dimension: 101, 91 and 165 of them. What they do not resolve looks far
from singular, so that a high wave number (on a line, one of more than about 50 half waves) goes unjudged,
not misjudged."""
_SAID_ELSEWHERE = (
    no_condition,
    missing_sides,
    conditions_for_high_orders,
    characteristics,
    unfixed_motions,
)
_FIFTH = 4
_NEARBY = 0.02
"""Size of delta as a share of the fifth singular value: the first may be as many-fold as the dimension."""
_FAR_BELOW = 0.02
_ROUNDING = 1e-14
"""Of the largest singular value: below it, one singular value is not told from another."""
_HELD = 10.0
"""Weight of the conditions' rows; all rows are scaled by the size of their factors."""


def nearly_singular(instance: Instance) -> Iterator[Finding]:
    """Warn of a linear stationary problem that is close to a resonance."""
    problem = instance.problem
    dimension = len(problem.coordinates)
    if problem.time is not None or len(problem.equations) != 1 or dimension not in _DEGREES:
        return
    if problem.constraints or any(True for test in _SAID_ELSEWHERE for _ in test(instance)):
        return
    rows = _rows(instance, _DEGREES[dimension])
    if rows is None:
        return
    operator, identity = rows
    values = np.linalg.svd(operator, compute_uv=False)[::-1]
    delta = _NEARBY * values[_FIFTH]
    beside = min(np.linalg.svd(operator + s * delta * identity, compute_uv=False)[-1] for s in (1, -1))
    if _ROUNDING * values[-1] < beside and values[0] < _FAR_BELOW * beside:
        yield warning(
            f"nearly singular: with zero data, {problem.equations[0].name} is close to having solutions of "
            f"its own (smallest singular value {values[0]:.1e}, {beside:.1e} beside it) and magnifies every "
            "error; keep the parameters away from the resonance, or add damping"
        )


def _rows(instance: Instance, degree: int) -> tuple[FloatArray, FloatArray] | None:
    """Return the rows of L and B, and those of the identity and 0, in orthonormal polynomials, (M, P) each.

    None if an equation or condition is not linear, or its factors vanish or have no value somewhere.
    """
    domain, (equation,) = instance.domain, instance.problem.equations
    polynomials = Polynomials(*domain.bounding_box, degree, domain.periodic)
    inside = domain.collocate(Interior(), 4 * polynomials.count)
    blocks = [(factors(instance, equation, inside.points), inside, 1.0)]
    for condition in instance.problem.boundary:
        for part in condition.parts:
            side = domain.collocate(BoundaryPart(part), 2 * polynomials.count_on_a_side)
            blocks.append((factors(instance, condition, side.points, side.normals), side, _HELD))
    if any(not slopes.linear or not _usable(slopes) for slopes, _, _ in blocks):
        return None
    applied = [
        weight * np.sqrt(points.weights)[:, None] * _applied(polynomials, slopes, points.points)
        for slopes, points, weight in blocks
    ]
    values = np.sqrt(inside.weights)[:, None] * polynomials.derivative(
        value_index(len(domain.coordinates)), inside.points
    )
    orthonormal, triangle = np.linalg.qr(values)
    operator = np.linalg.solve(triangle.T, np.concatenate(applied).T).T
    identity = np.zeros_like(operator)
    identity[: len(orthonormal)] = orthonormal
    return operator, identity


def _usable(found: Factors) -> bool:
    """Tell whether there are factors, and all are finite."""
    return bool(found.by_index) and all(np.isfinite(values).all() for values in found.by_index.values())


def _applied(polynomials: Polynomials, found: Factors, points: FloatArray) -> FloatArray:
    """Return a linear statement's rows (N, P), over the size of its factors for lengths of the box."""
    terms = [
        values[0][:, None] * polynomials.derivative(index, points) for index, values in found.by_index.items()
    ]
    return np.asarray(sum(terms) / _size(found.by_index, polynomials.extent))


def _size(by_index: Mapping[MultiIndex, FloatArray], extent: FloatArray) -> float:
    """Return sum over alpha of max |c_alpha| / extent^alpha."""
    return sum(
        float(np.abs(values).max() / np.prod(extent ** np.array(index))) for index, values in by_index.items()
    )
