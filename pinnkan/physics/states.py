"""What an unknown and its derivatives may be before anything is solved, for questions about formulas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pinnkan.ground.arrays import FloatArray
from pinnkan.language.expressions import derivative_symbols, normal_symbols
from pinnkan.language.expressions.questions.crossings import Line
from pinnkan.physics.instance import Instance
from pinnkan.physics.magnitudes.sizes import characteristic

_LINES = 3
_SEED = 161_803
_POINT_SEED = 271_801


class States:
    """The box of all values up to given sizes, of either sign, with lines through random points.

    Args:
        sizes: Of the unknown and of each derivative that a formula takes.
    """

    def __init__(self, sizes: Sequence[float]) -> None:
        self.sizes = np.asarray(sizes)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, States) and self.sizes.tolist() == other.sizes.tolist()

    def __hash__(self) -> int:
        return hash(tuple(self.sizes.tolist()))

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


def unknown_sizes(expr: Any, instance: Instance, factor: float = 1.0) -> dict[str, float]:
    """Return the size of every unknown and of each derivative that a formula takes, by the symbols' names.

    Args:
        expr: The formula.
        instance: The problem at a parameter value.
        factor: Of the unknowns' scales, which are their sizes.
    """
    lower, upper = instance.domain.bounding_box
    leaves = derivative_symbols(expr, instance.problem.names)
    amplitudes = [factor * scale for scale in instance.scales]
    sizes = characteristic(list(leaves.values()), amplitudes, (upper - lower).tolist())
    return dict(zip((leaf.name for leaf in leaves), sizes, strict=True))


def values_at_a_point(instance: Instance) -> dict[str, float]:
    """Return a value of all that a formula takes besides the unknown: at a point of no special kind."""
    point = instance.domain.uniform(1, _POINT_SEED)[0].tolist()
    values = {**instance.values, **dict(zip(instance.coordinates, point, strict=True))}
    return values | {leaf.name: 1.0 for leaf in normal_symbols(instance.problem.names)}
