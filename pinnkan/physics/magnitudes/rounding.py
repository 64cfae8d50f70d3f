"""Telling data from what rounding leaves of a zero."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from pinnkan.ground.arrays import FloatArray
from pinnkan.ground.errors import PinnkanError

_ROUNDINGS = 8 * float(np.finfo(np.float64).eps)


def is_rounded_zero(
    formula: Callable[[FloatArray], FloatArray], points: FloatArray, lengths: Sequence[float]
) -> bool:
    """Tell whether a formula's values at points are rounding errors of zero, as sin(2 pi y) at y = 1 is.

    They are where a move of the points by a few roundings, to either side, changes the values by as much
    as they are: -2.4e-16 becomes 1e-14 there. No size is needed that the values could be held against.

    Args:
        formula: From points (N, D) to values (N,).
        points: Points of the place where the values are taken, shape (N, D).
        lengths: Lengths of the domain along every coordinate, against which a coordinate may be zero.
    """
    step = _ROUNDINGS * (np.abs(points) + lengths)
    with np.errstate(all="ignore"):
        try:
            values, *moved = (formula(points + side * step) for side in (0, 1, -1))
        except PinnkanError:
            return False
        changes = [np.abs(other - values).max() for other in moved]
    size = np.abs(values).max()
    return bool(size > 0.0 and all(size <= change for change in changes))
