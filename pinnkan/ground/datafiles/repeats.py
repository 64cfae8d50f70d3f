"""Points that occur more than once in a table."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pinnkan.ground.arrays import FloatArray

_ROUNDING = 1e-9


class Repeats(NamedTuple):
    """What repeats itself.

    Attributes:
        first: Index of the first occurrence of every point, in the order of the table, shape (U,).
        contradiction: Two rows of the same point whose values differ by more than rounding; None if
            there are none.
    """

    first: NDArray[np.intp]
    contradiction: tuple[int, int] | None


def find_repeats(points: FloatArray, values: FloatArray) -> Repeats:
    """Look for points that occur more than once.

    Args:
        points: Shape (N, D).
        values: Of a function there, shape (N,). Two values of a point contradict each other if they
            differ by more than 1e-9 of the largest one of the table.
    """
    order = np.lexsort(points.T)  # stable: of equal points, the first of the table comes first
    same = (points[order[1:]] == points[order[:-1]]).all(axis=1)
    first = np.sort(order[np.concatenate([[True], ~same])])
    before, after = order[:-1][same], order[1:][same]
    scale = np.abs(values).max(initial=0.0)
    # Halves: the difference of two numbers near the largest double is not one.
    differ = np.flatnonzero(np.abs(values[before] / 2 - values[after] / 2) > _ROUNDING * scale / 2)
    pair = None if differ.size == 0 else (int(before[differ[0]]), int(after[differ[0]]))
    return Repeats(first, pair)
