"""The shapes that every test of geometry runs over; a new shape is a new row."""

from __future__ import annotations

import numpy as np

from pinnkan.geometry import Ball, BoundaryPart, Box, Disk, Domain, Interior, Interval, Shape

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


def interior(
    shape: Shape, count: int, *, rule: str = "quadrature", seed: int = 0, variant: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    drawn = domain(shape, time=False).collocate(Interior(), count, rule=rule, seed=seed, variant=variant)
    return drawn.points, drawn.weights


def boundary(
    shape: Shape, part: str, count: int, *, rule: str = "quadrature", seed: int = 0, variant: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    where = BoundaryPart(part)
    drawn = domain(shape, time=False).collocate(where, count, rule=rule, seed=seed, variant=variant)
    assert drawn.normals is not None
    return drawn.points, drawn.weights, drawn.normals
