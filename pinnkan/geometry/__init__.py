"""Shapes, boundary parts and normals, time, collocation sets."""

from pinnkan.geometry.ball import Ball
from pinnkan.geometry.box import Box
from pinnkan.geometry.disk import Disk
from pinnkan.geometry.domain import CollocationSet, Domain
from pinnkan.geometry.interval import Interval
from pinnkan.geometry.registry import SHAPES, make_shape
from pinnkan.geometry.rules import RULES
from pinnkan.geometry.shape import Shape

__all__ = [
    "RULES",
    "SHAPES",
    "Ball",
    "Box",
    "CollocationSet",
    "Disk",
    "Domain",
    "Interval",
    "Shape",
    "make_shape",
]
