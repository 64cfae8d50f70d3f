"""What nothing fixes of an unknown: a constant, in time a function of time; it is taken out before comparing.

The mean over space, which a constant does not change, is taken at Chebyshev points in time and interpolated
between them by the polynomial through it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.polynomial import chebyshev

from pinnkan.geometry import InitialTime
from pinnkan.ground.arrays import FloatArray
from pinnkan.physics.constants import is_free_in_time
from pinnkan.physics.instance import Instance

Field = Callable[[FloatArray], FloatArray]
"""From points (N, D) to values (N,)."""

_TIMES, _PLACES = 25, 400
_POINTS, _SEED = 4000, 20_261_129


def means(instance: Instance, unknown: str, field: Field, points: FloatArray) -> FloatArray:
    """Return what is taken out of a field of an unknown that is free at points (N, D), shape (N,).

    Its mean over the domain, or over space at every point's time where a function of time is free. Values
    that are NaN count for nothing.
    """
    domain = instance.domain
    if not is_free_in_time(instance.problem, unknown):
        return np.full(len(points), np.nanmean(field(domain.uniform(_POINTS, _SEED))))
    assert domain.time is not None
    start, end = domain.time
    nodes = chebyshev.chebpts1(_TIMES)
    drawn = domain.collocate(InitialTime(), _PLACES)
    grid = np.tile(drawn.points, (_TIMES, 1))
    grid[:, 0] = np.repeat(start + (end - start) * (nodes + 1) / 2, len(drawn.points))
    values = field(grid).reshape(_TIMES, -1)
    weights = np.where(np.isfinite(values), drawn.weights, 0.0)
    known = weights.sum(axis=1) > 0
    levels = (np.nan_to_num(values) * weights).sum(axis=1)[known] / weights.sum(axis=1)[known]
    if not known.any():
        return np.full(len(points), np.nan)
    coefficients = chebyshev.chebfit(nodes[known], levels, int(known.sum()) - 1)
    return np.asarray(chebyshev.chebval(2 * (points[:, 0] - start) / (end - start) - 1, coefficients))
