"""Limits at removable singularities, by extrapolation of values beside the point.

Two extrapolations, both from steps h, h/2, h/4, ...: Richardson's, in double
precision and for many points at once, for values that are smooth along each
ray (a0 + a1 h + a2 h^2 + ..., the usual case, |x| at the origin included);
and Wynn's epsilon algorithm, to 60 digits, for any powers of h
(Weniger, Comput. Phys. Rep. 10 (1989), section 4), a hundred times slower.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise, product
from typing import Any

import numpy as np

from pinnkan.ground.arrays import FloatArray
from pinnkan.language.expressions.questions import multiprecision

_STEPS = 0.05 * 0.5 ** np.arange(8)
_EXACT_STEPS = tuple(2.0 ** -(5 + k) for k in range(13))
_TOLERANCE = 1e-11
_EXACT_TOLERANCE = 1e-9


def rays(dimension: int) -> FloatArray:
    """Directions to approach a point from: one into every orthant, none along an axis or diagonal.

    Every orthant, so that a corner of a box is approached from inside, too.

    Returns:
        Shape (2^D, D).
    """
    sizes = 1.0 / (1.0 + 0.37 * np.arange(dimension))
    signs = np.array(list(product((1.0, -1.0), repeat=dimension)))
    return np.asarray(signs * sizes, dtype=np.float64)


def smooth_limits(
    values_at: Callable[[FloatArray], FloatArray], points: FloatArray, directions: FloatArray
) -> FloatArray:
    """Limits by Richardson extrapolation along every ray.

    Args:
        values_at: Evaluates at points (M, D), giving (M,).
        points: Shape (P, D).
        directions: Rays, shape (R, D), of the length of the largest step's unit.

    Returns:
        Shape (P,), NaN where the rays disagree, none is finite, or one does not converge.
    """
    offsets = _STEPS[:, None, None] * directions
    at = points[:, None, None, :] + offsets
    samples = values_at(at.reshape(-1, points.shape[1])).reshape(at.shape[:3])
    table = np.moveaxis(samples, 1, 0)
    sizes = np.abs(table[0])
    error = np.full(table.shape[1:], np.inf)
    with np.errstate(all="ignore"):
        for order in range(1, len(_STEPS)):
            before = table[-1]
            table = table[1:] + (table[1:] - table[:-1]) / (2.0**order - 1.0)
            error = np.abs(table[-1] - before)
    return np.array([_agreed(*row, _TOLERANCE) for row in zip(table[-1], error, sizes, strict=True)])


def any_limit(value_at: Callable[[Sequence[Any]], Any], point: FloatArray, directions: FloatArray) -> float:
    """The limit at one point by Wynn's epsilon algorithm on values of 60 digits.

    Args:
        value_at: Evaluates at one point, given as D multiprecision numbers.
        point: Shape (D,).
        directions: Rays, shape (R, D).

    Returns:
        The limit, NaN where there is none.
    """
    real = multiprecision.real
    limits, errors, sizes = [], [], []
    for direction in directions.tolist():
        samples = [
            value_at([real(p) + real(step) * real(d) for p, d in zip(point.tolist(), direction, strict=True)])
            for step in _EXACT_STEPS
        ]
        limit, error = _epsilon(samples)
        limits.append(limit)
        errors.append(error)
        sizes.append(abs(float(samples[0])))
    return _agreed(np.array(limits), np.array(errors), np.array(sizes), _EXACT_TOLERANCE)


def _agreed(limits: FloatArray, errors: FloatArray, sizes: FloatArray, tolerance: float) -> float:
    """The common limit of the rays on which there are values, NaN if there is none.

    Limits agree up to a share of their own size or of the values' at the first step, whichever is larger.
    """
    finite = np.isfinite(limits)
    if not finite.any():
        return np.nan
    limits, errors, sizes = limits[finite], errors[finite], sizes[finite]
    bound = tolerance * max(
        float(np.abs(limits).max()), float(sizes.max(initial=0.0, where=np.isfinite(sizes)))
    )
    if errors.max() > bound or np.ptp(limits) > 10.0 * bound:
        return np.nan
    return float(limits[errors.argmin()])


def _epsilon(samples: list[Any]) -> tuple[float, float]:
    """Limit of a sequence and the last change of its estimate; (inf, inf) for a sequence that diverges."""
    if any(sample != sample for sample in samples):
        return np.nan, np.inf
    changes = [abs(b - a) for a, b in pairwise(samples)]
    # The algorithm would sum a divergent geometric sequence, 1/h, to its antilimit.
    if changes[-1] > 0.97 * changes[-2] and changes[-1] > 0:
        return (0.0, np.inf)
    below, column = [multiprecision.real(0)] * (len(samples) + 1), list(samples)
    best, error = samples[-1], changes[-1]
    for order in range(1, len(samples)):
        differences = [b - a for a, b in pairwise(column)]
        if any(difference == 0 for difference in differences):
            break
        column, below = [b + 1 / d for b, d in zip(below[1:], differences, strict=False)], column
        if order % 2 == 0:
            best, error = column[-1], abs(column[-1] - best)
    return float(best), float(error)
