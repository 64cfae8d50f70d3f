"""A problem's closed domain as the lines that lie in it, for questions about formulas."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from pinnkan.geometry import Domain
from pinnkan.ground.arrays import BoolArray, FloatArray
from pinnkan.language.expressions.questions.crossings import Line

_LINES = 12
_SEED = 31_337
_BISECTIONS = 60
_STEPS = 64
"""In which the first gap on a line is looked for."""


class DomainRegion:
    """Lines that lie in a domain, time included; a gap in it may be overlooked below 1/64 of their length.

    Args:
        domain: The domain.
    """

    def __init__(self, domain: Domain) -> None:
        self.domain = domain
        self.lower, self.upper = (np.asarray(corner) for corner in domain.bounding_box)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DomainRegion) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)

    @cached_property
    def key(self) -> tuple[object, ...]:
        """What two regions of the same domain have in common."""
        return self.domain.shape.key, *self.lower.tolist(), *self.upper.tolist()

    @cached_property
    def starts(self) -> FloatArray:
        """Points that lines are laid through, shape (L, D)."""
        return self.domain.uniform(_LINES, _SEED)

    def lines(self, axis: int) -> Sequence[Line]:
        """Return lines parallel to an axis through random points; one where the axis is all there is."""
        return self._lines(self.starts[:1] if self.starts.shape[1] == 1 else self.starts, axis)

    def line_through(self, point: FloatArray, axis: int) -> Line | None:
        """Return the line through a point (D,), None for a point outside."""
        if not self.domain.contains(point[None])[0]:
            return None
        (line,) = self._lines(point[None], axis)
        return line if line.low < line.high else None

    def _lines(self, points: FloatArray, axis: int) -> list[Line]:
        lows, highs = (self._ends(points, axis, corner[axis]) for corner in (self.lower, self.upper))
        ends = zip(points.tolist(), lows.tolist(), highs.tolist(), strict=True)
        return [Line(tuple(point), axis, low, high) for point, low, high in ends]

    def _ends(self, points: FloatArray, axis: int, outermost: float) -> FloatArray:
        """Return where the lines from points (L, D) leave the domain, going towards the bounding box."""
        probes = points.copy()

        def contained(positions: FloatArray) -> BoolArray:
            probes[:, axis] = positions
            return self.domain.contains(probes, 0.0)

        start = points[:, axis]
        inside, outside = start.copy(), np.full(len(points), outermost)
        whole = np.ones(len(points), dtype=np.bool_)
        for share in np.arange(1, _STEPS + 1) / _STEPS:
            position = outside if share == 1.0 else start + share * (outermost - start)
            within = contained(position)
            outside = np.where(whole & ~within, position, outside)
            whole &= within
            inside = np.where(whole, position, inside)
        for _ in range(_BISECTIONS):
            middle = (inside + outside) / 2
            within = contained(middle)
            inside, outside = np.where(within, middle, inside), np.where(within, outside, middle)
        return np.where(whole, outermost, inside)
