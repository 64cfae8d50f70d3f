"""Intervals of the line: boxes with one axis, whose two boundary parts are points."""

from __future__ import annotations

from pinnkan.geometry.box import Box, box_entries, build_box
from pinnkan.geometry.shape import ShapeKind


def Interval(lower: float, upper: float, axis: str = "x") -> Box:
    """The interval [lower, upper]; its parts are ``x-`` (left) and ``x+`` (right).

    Raises:
        UsageError: If it is empty, a single point or not finite.
    """
    return Box([lower], [upper], [axis])


KIND = ShapeKind(dimension=1, entries=box_entries, build=build_box, may_be_periodic=True)
