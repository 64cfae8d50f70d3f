"""What an unknown and its derivatives may be before anything is solved, for questions about formulas."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pinnkan.expressions.crossings import Line

FloatArray = NDArray[np.float64]

_LINES = 3
_SEED = 161_803


class States:
    """The box of all values up to given sizes, of either sign, with lines through random points.

    Args:
        sizes: Of the unknown and of each derivative that a formula takes.
    """

    def __init__(self, sizes: Sequence[float]) -> None:
        self.sizes = np.asarray(sizes)

    def lines(self, axis: int) -> Sequence[Line]:
        """Return lines along which one of the values goes from minus to plus its size."""
        rng = np.random.default_rng(_SEED)
        points = self.sizes * rng.uniform(-0.5, 0.5, (_LINES, len(self.sizes)))
        return [self._line(point, axis) for point in points]

    def line_through(self, point: FloatArray, axis: int) -> Line | None:
        """Return the line through a point, None for a point outside."""
        return self._line(point, axis) if (np.abs(point) <= self.sizes).all() else None

    def _line(self, point: FloatArray, axis: int) -> Line:
        size = float(self.sizes[axis])
        return Line(tuple(point.tolist()), axis, -size, size)
