"""An estimate of the error: what one step of Newton's method would add to a solution, in polynomials.

A small residual is a small error only where the problem does not magnify it. With R_b(u) the residual of
equation or condition b, hard ones too, the correction w solves

    sum_alpha dR_b/du_alpha d^alpha w = -R_b(u)

in the sense of least squares, on points that no training saw, in Chebyshev polynomials, and trigonometric
ones along periodic coordinates. These know nothing of the network, so they represent what it does not (defect
correction: Stetter, Numer. Math. 29, 1978). Then |w| / |u| estimates the relative L2 error. Every row is
divided by the size of the statement's terms at its point, so that no part of the domain and no unit decides.

Two things are known of w. What is left of the residuals tells whether polynomials resolve it: behind a jump
or a thin layer they do not, and there is no estimate. And where one singular value of the system is far
below all others, w is known in that direction only to within what is left over it: a front that may stand
anywhere, a solution that grows from next to nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from pinnkan.ground.errors import PinnkanError
from pinnkan.physics.blocks import ResidualBlock
from pinnkan.physics.polynomials import Polynomials
from pinnkan.physics.sizes import characteristic_terms
from pinnkan.solutions.evaluation.relative import Measurable, extent_of

FloatArray = NDArray[np.float64]

_DEGREES = {1: 100, 2: 24, 3: 10, 4: 6}
"""Total degree of the polynomials, by dimension: 101, 325, 286 and 210 of them."""
_POINTS_PER_POLYNOMIAL, _SEED, _VARIANT = 5, 0, 3
_POINTS_PER_SQUARE = 0.4
"""Points over the square of the degree: polynomials oscillate that fast beside an end of the domain."""
_FLOOR = 1e-2
"""Least size of a row over the root mean square of the sizes: where all terms vanish, a residual may not."""
_HELD = 10.0
"""Weight of the conditions' rows."""
_RESOLVED = 0.65
"""Share of the residuals up to which what polynomials leave of them is theirs, not the correction's."""
_ISOLATED = 0.05
"""Smallest singular value over the next one from which one direction is known worse than all others."""


@dataclass(frozen=True)
class Correction:
    """What one step of Newton's method adds to a solution.

    Attributes:
        relative: |w| / max(|u|, |u + w|), root mean squares over the domain.
        slack: s / max(|u|, s) with s what is left of the residuals over the smallest singular value; 0 where
            that is not isolated.
        left: What is left of the residuals, as a share of them.
    """

    relative: float
    slack: float
    left: float

    @property
    def error_estimate(self) -> float | None:
        """Estimate of the relative L2 error; None where polynomials do not resolve the correction."""
        return self.relative if self.left <= _RESOLVED else None


def correction_of(solution: Measurable) -> Correction | None:
    """Return the correction of a solution.

    None where a statement has no value at a point, u is zero, or there are more than four coordinates.
    """
    domain = solution.instance.domain
    dimension = len(domain.coordinates)
    if dimension not in _DEGREES:
        return None
    polynomials = Polynomials(*domain.bounding_box, _DEGREES[dimension], domain.periodic)
    inside = domain.uniform(_count(polynomials), _SEED)
    u = solution(inside)
    with np.errstate(all="ignore"):
        try:
            rows, residuals = _system(solution, polynomials, extent_of(float(u.min()), float(u.max())))
        except PinnkanError:
            return None
    values = polynomials.derivative((0,) * dimension, inside)
    if not u.any() or not np.isfinite(rows).all() or not np.isfinite(residuals).all():
        return None
    return _solved(rows, residuals, values / math.sqrt(len(inside)), u / math.sqrt(len(inside)))


def _count(polynomials: Polynomials) -> int:
    """Return how many points determine polynomials."""
    return max(
        _POINTS_PER_POLYNOMIAL * polynomials.count, math.ceil(_POINTS_PER_SQUARE * polynomials.degree**2)
    )


def _solved(rows: FloatArray, residuals: FloatArray, values: FloatArray, u: FloatArray) -> Correction | None:
    """Return the correction from the rows (M, P), the residuals (M,), and polynomials (N, P) and u (N,).

    The triangle of a QR factorisation of rows and residuals side by side has all that least squares need: of
    its last column the last entry is what is left. Singular values are those in polynomials that are
    orthonormal over the domain, whose triangle is that of the values: so |w| is the size of the coefficients.
    """
    size, defect = float(np.linalg.norm(u)), float(np.linalg.norm(residuals))
    triangle = _triangle(np.column_stack([rows, residuals]))
    operator, right, rest = triangle[:-1, :-1], triangle[:-1, -1], abs(float(triangle[-1, -1]))
    unit = _triangle(values)
    try:
        coefficients = -np.linalg.solve(operator, right)
        singular = np.linalg.svd(np.linalg.solve(unit.T, operator.T), compute_uv=False)
    except np.linalg.LinAlgError:
        return None
    w = values @ coefficients
    whole = max(size, float(np.linalg.norm(u + w)))
    slack = rest / float(singular[-1]) if singular[-1] < _ISOLATED * singular[-2] else 0.0
    return Correction(
        relative=float(np.linalg.norm(w)) / whole,
        slack=slack / max(size, slack),
        left=rest / defect if defect > 0.0 else 0.0,
    )


def _triangle(matrix: FloatArray) -> FloatArray:
    """Return R of the QR factorisation of a matrix (M, P), shape (P, P)."""
    return np.asarray(np.linalg.qr(matrix, mode="r"))


def _system(solution: Measurable, polynomials: Polynomials, extent: float) -> tuple[FloatArray, FloatArray]:
    """Return all statements linearised (M, P), and their residuals (M,)."""
    instance = solution.instance
    inside = _count(polynomials)
    aside = 2 * _POINTS_PER_POLYNOMIAL * polynomials.count_on_a_side
    parts = [_linearised(solution, block, polynomials, inside, extent) for block in instance.equations]
    for block in instance.conditions:
        rows, residuals = _linearised(solution, block, polynomials, aside, extent)
        parts.append((_HELD * rows, _HELD * residuals))
    return np.concatenate([rows for rows, _ in parts]), np.concatenate([rest for _, rest in parts])


def _linearised(
    solution: Measurable, block: ResidualBlock, polynomials: Polynomials, count: int, extent: float
) -> tuple[FloatArray, FloatArray]:
    """Return a statement's derivative in the polynomials (N, P) and its residual (N,), over their sizes."""
    domain = replace(solution.instance.domain, time_scale=math.inf)
    places = domain.collocate(block.where, count, rule="sobol", seed=_SEED, variant=_VARIANT)
    points = places.points
    u = torch.from_numpy(solution.derivatives(points, block.channels))
    data = torch.from_numpy(np.ascontiguousarray(block.data(points, places.normals)))
    residual = np.broadcast_to(block.residual(data, u).numpy(), (len(points),))
    rows = np.zeros((len(points), polynomials.count))
    if block.channels:
        for channel, slope in zip(block.channels, block.partials(data, u).numpy(), strict=True):
            rows += np.broadcast_to(slope, residual.shape)[:, None] * polynomials.derivative(channel, points)
    terms = block.terms(points, places.normals, solution.derivatives(points, block.summands.indices))
    plain = characteristic_terms(block, places, extent, polynomials.extent.tolist())
    local, usual = np.abs(terms).sum(axis=0), np.abs(plain).sum(axis=0)
    floor = _FLOOR * max(math.sqrt(float(places.weights @ size**2)) for size in (local, usual))
    sizes = local + floor
    scale = np.sqrt(places.weights) / np.where(sizes > 0.0, sizes, 1.0)
    return rows * scale[:, None], residual * scale
