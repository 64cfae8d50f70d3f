"""An estimate of the error: what one step of Newton's method would add to a solution, in polynomials.

A small residual is a small error only where the problem does not magnify it. With R_b(u) the residual of
equation or condition b, hard ones too, the correction w solves

    sum_alpha dR_b/du_alpha d^alpha w = -R_b(u)

in the sense of least squares, on points that no training saw, in Chebyshev polynomials, and trigonometric
ones along periodic coordinates. These know nothing of the network, so they represent what it does not (defect
correction: Stetter, Numer. Math. 29, 1978). Then |w| / |u + w| estimates the relative L2 error. The rows of a
statement are divided by the size of its terms over the domain, so that no unit decides, and by one size for
all its points. What polynomials cannot make of the residual, r, is then orthogonal to all that the operator
makes of them: r has no smooth part, and an elliptic or parabolic operator's inverse makes next to nothing of
it. Beside a jump or a front w is right though r is most of the residual. With rows divided by sizes of their
own r is orthogonal in the weights, not in the domain, and w up to 40 times too large.

Two things are known of w. Where polynomials take no more from the residual than they would from noise, they
know nothing of it, and there is no estimate. And where one singular value of the system is far below all
others, w is known in that direction only to within r over it: a front that may stand anywhere, a solution
that grows from next to nothing. This is asked of rows divided by sizes of their own, so that no part of the
domain decides: growth from a millionth begins where all terms are a millionth.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import block_diag

from pinnkan.geometry import WholeDomain
from pinnkan.ground.arrays import FloatArray
from pinnkan.ground.derivatives import Derivative, derivatives_of, value_index
from pinnkan.ground.errors import PinnkanError
from pinnkan.physics.blocks import ResidualBlock
from pinnkan.physics.constants import free_constants, is_free_in_time
from pinnkan.physics.instance import Instance
from pinnkan.physics.magnitudes.sizes import characteristic_terms
from pinnkan.physics.polynomial_rows import polynomial_rows
from pinnkan.physics.polynomials import Polynomials
from pinnkan.solutions.evaluation.relative import Measurable, extents_of

_DEGREES = {1: 100, 2: 24, 3: 10, 4: 6}
"""Total degree of the polynomials, by dimension: 101, 325, 286 and 210 of them."""
_MUCH, _IN_A_PLANE, _LONG_IN_SPACE = 0.5, 2, (1 / 3, 3.0)
"""What is left from which other polynomials are tried in time and one place: up to degree 8 and 72."""
_POINTS_PER_POLYNOMIAL, _SEED, _VARIANT = 5, 0, 3
_POINTS_PER_SQUARE = 0.4
"""Points over the square of the degree: polynomials oscillate that fast beside an end of the domain."""
_FLOOR = 1e-2
"""Least size of a statement over that of its usual terms: where all terms vanish, a residual may not."""
_NOTHING = 1e-3
"""Share of a system's scales below which an unknown is zero beside the others, and no size to measure by."""
_HELD = 10.0
"""Weight of the conditions' rows."""
_CHANCE = 1.5
"""How much more of the squares of the residuals than of those of noise polynomials must take."""
_ISOLATED = 0.05
"""Smallest singular value over the next one from which one direction is known worse than all others."""


@dataclass(frozen=True)
class NewtonStep:
    """The correction w itself.

    Attributes:
        polynomials: P of them.
        coefficients: Of every unknown, (P,) each.
    """

    polynomials: Polynomials
    coefficients: tuple[FloatArray, ...]

    def derivatives(self, points: FloatArray, requested: Sequence[Derivative]) -> FloatArray:
        """Return derivatives of its unknowns at points (N, D), shape (len(requested), N)."""
        rows = [
            self.polynomials.derivative(channel, points) @ self.coefficients[unknown]
            for unknown, channel in requested
        ]
        return np.stack(rows) if rows else np.zeros((0, len(points)))


@dataclass(frozen=True)
class Correction:
    """What one step of Newton's method adds to a solution.

    Attributes:
        relatives: |w| / |u + w| of every unknown, root mean squares over the domain; of one that is zero
            beside the others, |w| over a thousandth of its scale.
        slack: s / max(|u|, s) with s what is left of the residuals over the smallest singular value; 0 where
            that is not isolated.
        left: What is left of the residuals, as a share of them.
        chance: Share of the squares of noise that polynomials take: how many there are, over the rows.
        step: The correction itself.
    """

    relatives: tuple[float, ...]
    slack: float
    left: float
    chance: float
    step: NewtonStep | None = None

    @property
    def error_estimates(self) -> tuple[float, ...] | None:
        """Estimates of the unknowns' relative L2 errors; None where polynomials know nothing of residuals."""
        return self.relatives if 1 - self.left**2 >= _CHANCE * self.chance else None

    @property
    def error_estimate(self) -> float | None:
        """The largest of the estimates; None where there are none."""
        return None if self.error_estimates is None else max(self.error_estimates)


def correction_of(solution: Measurable) -> Correction | None:
    """Return the correction of a solution.

    Where polynomials of a total degree leave much of the residual, and one coordinate of two is time, those
    of a lower degree in time and a higher one in space are tried as well: a front that moves is narrow in
    space, and in a short time it does not come far. Those are taken that leave less.

    None where a statement has no value at a point, u is zero, or there are more than four coordinates.
    """
    domain = solution.instance.domain
    first = _correction_in(solution, None)
    if first is None or first.left <= _MUCH or domain.time is None or len(domain.coordinates) != _IN_A_PLANE:
        return first
    second = _correction_in(solution, _LONG_IN_SPACE)
    return second if second is not None and second.left < first.left else first


def _correction_in(solution: Measurable, reach: Sequence[float] | None) -> Correction | None:
    """Return the correction in polynomials with a reach (`Polynomials`)."""
    instance = solution.instance
    domain, unknowns = instance.domain, len(instance.problem.unknowns)
    dimension = len(domain.coordinates)
    if dimension not in _DEGREES:
        return None
    # Beyond two unknowns systems share out the polynomials, but for those in one coordinate, which are few.
    shares = max(1.0, unknowns / 2) if dimension > 1 else 1.0
    degree = int(_DEGREES[dimension] / shares ** (1 / dimension))
    polynomials = Polynomials(*domain.bounding_box, degree, domain.periodic, reach)
    inside = domain.uniform(_count(polynomials), _SEED)
    u = solution(inside)
    if not u.any():
        return None
    extents = extents_of(instance, [(float(row.min()), float(row.max())) for row in u])
    with np.errstate(all="ignore"):
        try:
            rows, residuals, sizes = _system(solution, polynomials, extents)
        except PinnkanError:
            return None
    values = polynomials.derivative(value_index(dimension), inside)
    if not np.isfinite(rows).all() or not np.isfinite(residuals).all():
        return None
    root, kept = math.sqrt(len(inside)), _kept(instance, polynomials)
    floors = [_NOTHING * scale if unknowns > 1 else 0.0 for scale in instance.scales]
    fixed = np.stack([_fixed_part(row, values, own) for row, own in zip(u, kept, strict=True)])
    solved = _solved(rows, residuals, sizes, values / root, fixed / root, kept, floors)
    if solved is None:
        return None
    correction, coefficients = solved
    return replace(correction, step=NewtonStep(polynomials, coefficients))


def _fixed_part(row: FloatArray, values: FloatArray, kept: NDArray[np.int_]) -> FloatArray:
    """Return values (N,) without what polynomials that are not kept make of them: what statements see."""
    left_out = np.delete(values, kept, axis=1)
    if not left_out.size:
        return row
    coefficients = np.linalg.lstsq(left_out, row, rcond=None)[0]
    return np.asarray(row - left_out @ coefficients)


def _count(polynomials: Polynomials) -> int:
    """Return how many points determine polynomials."""
    return max(
        _POINTS_PER_POLYNOMIAL * polynomials.count, math.ceil(_POINTS_PER_SQUARE * polynomials.degree**2)
    )


def _kept(instance: Instance, polynomials: Polynomials) -> list[NDArray[np.int_]]:
    """Return the polynomials of every unknown; those that no statement sees are left out.

    They are the constant of an unknown that nothing fixes, and in time all that vary in time alone.
    """
    problem, every = instance.problem, np.arange(polynomials.count)
    free, varying = free_constants(problem), polynomials.exponents.any(axis=1)
    in_space = polynomials.exponents[:, 1:].any(axis=1)
    return [
        every[in_space if is_free_in_time(problem, name) else varying] if name in free else every
        for name in problem.unknowns
    ]


def _solved(
    rows: FloatArray,
    residuals: FloatArray,
    sizes: FloatArray,
    values: FloatArray,
    u: FloatArray,
    kept: Sequence[NDArray[np.int_]],
    floors: Sequence[float],
) -> tuple[Correction, tuple[FloatArray, ...]] | None:
    """Return the correction, and with it the coefficients (P,) of every unknown.

    Rows (M, U P) and residuals (M,) are over one size a statement, `sizes` (M,) are their own over that;
    values (N, P) are those of the polynomials, and u (U, N) the solution.

    The triangle of a QR factorisation of rows and residuals side by side has all that least squares need: of
    its last column the last entry is what is left.
    """
    scales = _sizes(u, floors)
    columns = [unknown * values.shape[1] + own for unknown, own in enumerate(kept)]
    stretch = np.concatenate([np.full(len(own), scale) for own, scale in zip(kept, scales, strict=True)])
    system = rows[:, np.concatenate(columns)] * stretch
    triangle = _triangle(np.column_stack([system, residuals]))
    size = math.sqrt(sum((_norm(row) / scale) ** 2 for row, scale in zip(u, scales, strict=True)))
    unit = block_diag(*(_triangle(values[:, own]) for own in kept))
    try:
        coefficients = -np.linalg.solve(triangle[:-1, :-1], triangle[:-1, -1])
        slack = _slack(system / sizes[:, None], residuals / sizes, unit)
    except np.linalg.LinAlgError:
        return None
    ends = np.cumsum([len(own) for own in kept])[:-1]
    parts = list(zip(kept, np.split(coefficients, ends), scales, strict=True))
    w = [_fixed_part(scale * (values[:, own] @ part), values, own) for own, part, scale in parts]
    whole = tuple(np.zeros(values.shape[1]) for _ in parts)
    for row, (own, part, scale) in zip(whole, parts, strict=True):
        row[own] = scale * part
    defect = _norm(residuals)
    correction = Correction(
        relatives=tuple(
            _norm(own) / (max(_norm(row + own), floor) or _norm(row))
            for own, row, floor in zip(w, u, floors, strict=True)
        ),
        slack=slack / max(size, slack),
        left=abs(float(triangle[-1, -1])) / defect if defect > 0.0 else 0.0,
        chance=system.shape[1] / len(system),
    )
    return correction, whole


def _slack(system: FloatArray, residuals: FloatArray, unit: FloatArray) -> float:
    """Return what is left of the residuals over the smallest singular value; 0 where that is not isolated.

    Singular values are those in polynomials that are orthonormal over the domain, whose triangle is that of
    the values, `unit`: so the size of the coefficients is that of the function.
    """
    triangle = _triangle(np.column_stack([system, residuals]))
    singular = np.linalg.svd(np.linalg.solve(unit.T, triangle[:-1, :-1].T), compute_uv=False)
    is_isolated = singular[-1] < _ISOLATED * singular[-2]
    return abs(float(triangle[-1, -1])) / float(singular[-1]) if is_isolated else 0.0


def _norm(values: FloatArray) -> float:
    return float(np.linalg.norm(values))


def _sizes(u: FloatArray, floors: Sequence[float]) -> list[float]:
    """Return what the unknowns of a system are measured by, 1 for one alone: their ratios decide nothing."""
    if len(u) == 1:
        return [1.0]
    return [max(_norm(row), floor) for row, floor in zip(u, floors, strict=True)]


def _triangle(matrix: FloatArray) -> FloatArray:
    """Return R of the QR factorisation of a matrix (M, P), shape (P, P)."""
    return np.asarray(np.linalg.qr(matrix, mode="r"))


def _system(
    solution: Measurable, polynomials: Polynomials, extents: Sequence[float]
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return all statements linearised (M, U P), their residuals (M,), and the rows' own sizes (M,)."""
    instance = solution.instance
    inside = _count(polynomials)
    aside = 2 * _POINTS_PER_POLYNOMIAL * polynomials.count_on_a_side
    parts = [_linearised(solution, block, polynomials, inside, extents) for block in instance.equations]
    for block in instance.conditions:
        rows, residuals, sizes = _linearised(solution, block, polynomials, aside, extents)
        parts.append((_HELD * rows, _HELD * residuals, sizes))
    rows, residuals, sizes = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    return rows, residuals, sizes


def _linearised(
    solution: Measurable,
    block: ResidualBlock,
    polynomials: Polynomials,
    count: int,
    extents: Sequence[float],
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return a statement's derivative in the polynomials (N, U P) and its residual (N,), over its size.

    Third are the rows' own sizes over that, (N,).
    """
    domain = replace(solution.instance.domain, time_scale=math.inf)
    where = block.where
    if isinstance(where, WholeDomain):
        # At so many times an integral determines polynomials of the degree.
        where = WholeDomain(2 * polynomials.degree)
    places = domain.collocate(where, count, rule="sobol", seed=_SEED, variant=_VARIANT)
    points = places.points
    u = solution.derivatives(points, block.reads)
    rows, residual = polynomial_rows(block, places, polynomials, u, len(extents))
    derivatives = solution.derivatives(points, derivatives_of(block.summands.partials))
    terms = block.terms(points, places.normals, derivatives)
    plain = characteristic_terms(block, places, extents, polynomials.extent.tolist())
    local, usual = np.abs(terms).sum(axis=0), np.abs(plain).sum(axis=0)
    floor = _FLOOR * max(math.sqrt(float(places.weights @ size**2)) for size in (local, usual))
    sizes = places.means(local) + floor
    size = math.sqrt(float(np.mean(sizes**2))) or 1.0
    scale = np.sqrt(places.residual_weights) / size
    own = np.where(sizes > 0.0, sizes / size, 1.0)
    return rows.reshape(len(residual), -1) * scale[:, None], residual * scale, own
