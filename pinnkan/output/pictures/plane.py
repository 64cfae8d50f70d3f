"""Plane regions in triangles: a grid with its outside left out, or points that follow a curved edge."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from matplotlib.tri import Triangulation
from numpy.typing import NDArray
from scipy.spatial import KDTree

from pinnkan.ground.arrays import BoolArray, FloatArray

# The longest region, in widths, that is drawn to scale.
_LONGEST = 5.0


@dataclass(frozen=True)
class Plane:
    """A plane region cut into triangles, on whose corners fields are given.

    Attributes:
        names: The two coordinates, horizontal first.
        points: Corners, shape (N, 2).
        triangles: Corner numbers, shape (M, 3).
        equal_scale: Whether a unit is as long on both axes: for two lengths, not for time against length.
    """

    names: tuple[str, str]
    points: FloatArray
    triangles: NDArray[np.int64]
    equal_scale: bool = True

    def covered(self, values: FloatArray) -> Triangulation:
        """Return the region as matplotlib draws it, without triangles where values (N,) are NaN."""
        whole = Triangulation(self.points[:, 0], self.points[:, 1], self.triangles)
        whole.set_mask(np.isnan(values)[self.triangles].any(axis=1))
        return whole

    @property
    def edge(self) -> FloatArray:
        """The sides that belong to one triangle only, shape (L, 2 ends, 2)."""
        sides = np.sort(np.concatenate([self.triangles[:, [i, (i + 1) % 3]] for i in range(3)]), axis=1)
        unique, counts = np.unique(sides, axis=0, return_counts=True)
        edge: FloatArray = self.points[unique[counts == 1]]
        return edge

    @property
    def to_scale(self) -> bool:
        """Whether it is drawn with equal scales: not if that would make a sliver."""
        return self.equal_scale and 1 / _LONGEST <= self._own_shape <= _LONGEST

    @property
    def height_over_width(self) -> float:
        """The shape of the drawing."""
        return self._own_shape if self.to_scale else 0.8

    @property
    def _own_shape(self) -> float:
        width, height = np.ptp(self.points, axis=0)
        return float(height / width)


def grid_plane(
    names: tuple[str, str],
    x: FloatArray,
    y: FloatArray,
    *,
    inside: BoolArray | None = None,
    equal_scale: bool = True,
) -> Plane:
    """Cut every cell of a grid into two triangles; a triangle with a corner outside is left out.

    Args:
        names: The two coordinates.
        x: Places along the first, shape (nx,).
        y: Places along the second, shape (ny,).
        inside: Which points are in the domain, shape (nx * ny,), y running fastest; all by default.
        equal_scale: Whether a unit is as long on both axes.

    Returns:
        The plane, its points in the order of ``inside``.
    """
    numbers = np.arange(len(x) * len(y)).reshape(len(x), len(y))
    a, b = numbers[:-1, :-1].ravel(), numbers[1:, :-1].ravel()
    c, d = numbers[1:, 1:].ravel(), numbers[:-1, 1:].ravel()
    triangles = np.concatenate([np.stack([a, b, c], axis=1), np.stack([a, c, d], axis=1)])
    if inside is not None:
        triangles = triangles[inside[triangles].all(axis=1)]
    points = np.stack([m.ravel() for m in np.meshgrid(x, y, indexing="ij")], axis=1)
    return Plane(names, points, triangles, equal_scale)


def cloud_plane(
    names: tuple[str, str],
    points: FloatArray,
    *,
    contains: Callable[[FloatArray], BoolArray] | None = None,
    equal_scale: bool = True,
) -> Plane:
    """Triangulate scattered points (Delaunay).

    Args:
        names: The two coordinates.
        points: Shape (N, 2).
        contains: Whether places (M, 2) are in the domain: of a domain that is
            not convex, the triangles with their centre outside are left out.
        equal_scale: Whether a unit is as long on both axes.
    """
    triangles = Triangulation(points[:, 0], points[:, 1]).triangles.astype(np.int64)
    if contains is not None:
        triangles = triangles[contains(points[triangles].mean(axis=1))]
    return Plane(names, points, triangles, equal_scale)


def fitted_points(grid: FloatArray, inside: BoolArray, edge: FloatArray) -> FloatArray:
    """Return the points of a grid in a domain and those on its edge, so that a picture ends at the edge.

    A masked grid alone ends in stairs. Grid points nearer to the edge than the
    edge's points to each other are left out: they make slivers.

    Args:
        grid: Shape (N, 2).
        inside: Which of them are in the domain, shape (N,).
        edge: Points on the boundary, about as dense as the grid, shape (M, 2).

    Returns:
        Shape (N', 2), the edge last.
    """
    tree = KDTree(edge)
    spacing = float(np.median(tree.query(edge, k=2)[0][:, 1]))
    kept = grid[inside]
    near = tree.query(kept)[0] < 0.5 * spacing
    return np.concatenate([kept[~near], edge])
