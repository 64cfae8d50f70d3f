"""The shapes that every test of geometry runs over; a new shape is a new row."""

from __future__ import annotations

from pinnkan.geometry import Ball, Box, Disk, Domain, Interval, Shape

SHAPE_TABLE: dict[str, Shape] = {
    "interval": Interval(-1.0, 2.0),
    "box": Box([0.0, -1.0], [3.0, 1.0]),
    "box3": Box([0.0, -1.0, 0.5], [2.0, 1.0, 1.5]),
    "disk": Disk([0.5, -1.0], 2.0),
    "ball": Ball([0.5, -1.0, 0.0], 1.5),
}


def domain(shape: Shape, *, time: bool) -> Domain:
    names = ("x", "y", "z")[: shape.dimension]
    return Domain(shape, ("t", *names), (0.5, 2.0)) if time else Domain(shape, names)
