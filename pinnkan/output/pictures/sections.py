"""Lines and plane regions cut through a domain, and the points on which a picture needs values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from pinnkan.geometry import Domain
from pinnkan.ground.errors import UsageError
from pinnkan.output.pictures.plane import Plane, cloud_plane, fitted_points, grid_plane

_SCAN = 2001
"""Places at which a line looks for the domain."""
_SIDE = 161
"""Points along the longer side of a plane region: finer than 90 mm in print can show."""
_RAYS = 512
"""Points on a curved edge, about as dense as those of the grid."""
_BISECTIONS = 60


@dataclass(frozen=True)
class Section:
    """What is left of a domain when some coordinates are held fixed.

    Attributes:
        domain: The whole.
        fixed: Coordinates held fixed, with their values.

    Raises:
        UsageError: If a coordinate is unknown or its value outside the bounding box.
    """

    domain: Domain
    fixed: Mapping[str, float]

    def __post_init__(self) -> None:
        lower, upper = self.domain.bounding_box
        for name, value in self.fixed.items():
            if name not in self.domain.coordinates:
                known = ", ".join(self.domain.coordinates)
                raise UsageError(f"{name}={value:g}: there is no coordinate {name}; coordinates are {known}")
            at = self.domain.coordinates.index(name)
            if not lower[at] <= value <= upper[at]:
                raise UsageError(
                    f"{name}={value:g} is outside the domain: {name} runs from {lower[at]:g} to {upper[at]:g}"
                )

    @property
    def time(self) -> str | None:
        """The name of time if it is not held fixed."""
        if self.domain.time is None or self.domain.coordinates[0] in self.fixed:
            return None
        return self.domain.coordinates[0]

    @property
    def space(self) -> tuple[str, ...]:
        """The space coordinates that are not held fixed."""
        return tuple(name for name in self.free if name != self.time)

    @property
    def free(self) -> tuple[str, ...]:
        """All coordinates that are not held fixed, time first."""
        return tuple(name for name in self.domain.coordinates if name not in self.fixed)

    def hold(self, name: str, value: float) -> Section:
        """Return the section with one more coordinate held fixed."""
        return replace(self, fixed={**self.fixed, name: value})

    def points(self, places: np.ndarray) -> np.ndarray:
        """Return points of the whole domain (N, D) from places (N, f) along the free coordinates."""
        columns = dict(zip(self.free, places.T, strict=True))
        count = len(places)
        names = self.domain.coordinates
        return np.stack(
            [columns[n] if n in columns else np.full(count, self.fixed[n]) for n in names], axis=1
        )

    def contains(self, places: np.ndarray) -> np.ndarray:
        """Tell which places (N, f) are in the domain."""
        return self.domain.contains(self.points(places))

    def line(self, count: int) -> np.ndarray:
        """Return places along the one free coordinate from end to end of the domain, shape (count,).

        Raises:
            UsageError: If the line misses the domain.
        """
        low, high = (ends[0] for ends in self._box())
        scan = np.linspace(low, high, _SCAN)[:, None]
        inside = np.flatnonzero(self.contains(scan))
        if inside.size < 2:
            raise UsageError(f"{self._text} does not meet the domain")
        first, last = inside[0], inside[-1]
        start = self._edge(scan[[first]], scan[[max(first - 1, 0)]])[0, 0]
        end = self._edge(scan[[last]], scan[[min(last + 1, _SCAN - 1)]])[0, 0]
        return np.linspace(start, end, count)

    def plane(self) -> Plane:
        """Return the region of the two free coordinates in triangles that end at its edge.

        A region that does not fill its box is taken to be star-shaped about its
        centre, as every cut through the convex shapes of this version is.

        Raises:
            UsageError: If the plane misses the domain.
        """
        names = (self.free[0], self.free[1])
        lower, upper = self._box()
        lengths = self.time is None
        extent = (upper - lower) / (upper - lower).max() if lengths else np.ones(2)
        counts = np.maximum(np.round(extent * (_SIDE - 1)), 40).astype(int) + 1
        x, y = (np.linspace(a, b, n) for a, b, n in zip(lower, upper, counts, strict=True))
        grid = np.stack([m.ravel() for m in np.meshgrid(x, y, indexing="ij")], axis=1)
        inside = self.contains(grid)
        if inside.all():
            return grid_plane(names, x, y, equal_scale=lengths)
        if np.count_nonzero(inside) < 10:
            raise UsageError(f"{self._text} does not meet the domain")
        edge = self._rim(grid[inside].mean(axis=0), float(np.linalg.norm(upper - lower)))
        return cloud_plane(names, fitted_points(grid, inside, edge), equal_scale=lengths)

    def _rim(self, centre: np.ndarray, far: float) -> np.ndarray:
        """Return where rays from a place inside leave the domain, shape (rays, 2)."""
        angles = np.linspace(0, 2 * np.pi, _RAYS, endpoint=False)
        directions = np.stack([np.cos(angles), np.sin(angles)], axis=1)
        return self._edge(np.tile(centre, (_RAYS, 1)), centre + far * directions)

    def _edge(self, inside: np.ndarray, outside: np.ndarray) -> np.ndarray:
        """Halve the way between places inside and outside until they meet; return the inner ones."""
        for _ in range(_BISECTIONS):
            middle = (inside + outside) / 2
            within = self.contains(middle)[:, None]
            inside, outside = np.where(within, middle, inside), np.where(within, outside, middle)
        return inside

    def _box(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the corners of the bounding box along the free coordinates."""
        kept = [column for column, name in enumerate(self.domain.coordinates) if name not in self.fixed]
        lower, upper = self.domain.bounding_box
        return lower[kept], upper[kept]

    @property
    def _text(self) -> str:
        return "the cut " + ", ".join(f"{name}={value:g}" for name, value in self.fixed.items())
