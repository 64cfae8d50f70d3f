"""Shapes, boundary parts and normals, time, collocation sets."""

from pinnkan.geometry.ball import Ball
from pinnkan.geometry.box import Box
from pinnkan.geometry.disk import Disk
from pinnkan.geometry.domain import CollocationSet, Domain
from pinnkan.geometry.extents import ExtentFault
from pinnkan.geometry.interval import Interval
from pinnkan.geometry.regions import (
    BoundaryPart,
    InitialTime,
    Interior,
    PointInSpace,
    Portion,
    Region,
    WholeDomain,
)
from pinnkan.geometry.registry import SHAPES, make_shape
from pinnkan.geometry.rules import RULES
from pinnkan.geometry.shape import Shape, ShapeEntries, ShapeKind

__all__ = [
    "RULES",
    "SHAPES",
    "Ball",
    "BoundaryPart",
    "Box",
    "CollocationSet",
    "Disk",
    "Domain",
    "ExtentFault",
    "InitialTime",
    "Interior",
    "Interval",
    "PointInSpace",
    "Portion",
    "Region",
    "Shape",
    "ShapeEntries",
    "ShapeKind",
    "WholeDomain",
    "make_shape",
]
