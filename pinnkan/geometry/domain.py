"""Space-time domains and the collocation sets drawn from them."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pinnkan.geometry.regions import (
    BoundaryPart,
    InitialTime,
    Interior,
    PointInSpace,
    Portion,
    Region,
    WholeDomain,
)
from pinnkan.geometry.rules import FloatArray, check_points, gauss, share, unit_cube
from pinnkan.geometry.shape import Shape, check_extent, check_finite
from pinnkan.ground.errors import UsageError

_LEVELS = 4096
"""Space variants set aside for the time levels of one variant."""
_TIME_AXIS = 3
"""Time shifts its nodes by a sequence that no space axis uses."""
_INTEGRAL = {0: 1, 1: 128, 2: 1600, 3: 4000}
"""Points of an integral over space, by dimension: it is then right to about 1e-8 for a smooth function."""
_INTEGRAL_IN_TIME = {0: 1, 1: 64, 2: 400, 3: 1728}
"""The same where there is one integral a time."""
_MOST_INTEGRAL = 4096
_NEAR = 0.8
"""Share of the points asked for from which those of a portion are enough; its inverse is too many."""
_FASTEST, _MOST_PROBES, _DRAWS = 8, 1 << 17, 12
"""By how much the points of a part may grow at a time until enough lie in a portion, and how far."""


@dataclass(frozen=True)
class CollocationSet:
    """Points with quadrature weights.

    Attributes:
        points: Coordinates, time first if there is one, shape ``(N, D)``.
        weights: Positive, sum 1, shape ``(N,)``.
        normals: Outward unit normals in space on a boundary part, shape ``(N, d)``; None elsewhere.
        together: How many consecutive points make one residual, their weighted mean: those of an integral.
    """

    points: FloatArray
    weights: FloatArray
    normals: FloatArray | None = None
    together: int = 1

    @property
    def residual_weights(self) -> FloatArray:
        """Weights of the residuals, sum 1, shape ``(N / together,)``."""
        return self.weights.reshape(-1, self.together).sum(axis=1) if self.together > 1 else self.weights

    def means(self, values: FloatArray) -> FloatArray:
        """Return the weighted means over the points worked together: ``(N, ...) -> (N / together, ...)``."""
        if self.together == 1:
            return values
        weighted = values * self.weights.reshape(-1, *(1,) * (values.ndim - 1))
        sums = weighted.reshape(-1, self.together, *values.shape[1:]).sum(axis=1)
        return np.asarray(sums / self.residual_weights.reshape(-1, *(1,) * (values.ndim - 1)))


@dataclass(frozen=True)
class Domain:
    """A shape in space, times an interval of time if the problem has one.

    Attributes:
        shape: The shape in space.
        coordinates: Names of the D coordinates, time first if there is one.
        time: First and last time; None for a stationary problem.
        time_scale: The time within which a solution changes at the start; infinite where it changes all
            along. Collocation points, but not those of `uniform`, then lie denser at the start (`grading`).

    Raises:
        UsageError: If the names do not fit the shape or the time interval is empty or not finite.
    """

    shape: Shape
    coordinates: tuple[str, ...]
    time: tuple[float, float] | None = None
    time_scale: float = math.inf

    def __post_init__(self) -> None:
        expected = self.shape.dimension + (self.time is not None)
        if len(self.coordinates) != expected:
            raise UsageError(
                f"domain: expected {expected} coordinates, found {len(self.coordinates)}: "
                f"{', '.join(self.coordinates)}"
            )
        if self.time is not None:
            low, high = check_finite(self.coordinates[0], self.time)
            if not low < high:
                raise UsageError(
                    f"time: {self.coordinates[0]}: expected start < end, found [{low!r}, {high!r}] (empty)"
                )
            check_extent(self.coordinates[0], high - low, position=max(abs(low), abs(high)), block="time")

    @property
    def grading(self) -> float:
        """g = duration / time_scale where that is above 1, else 0.

        Points are even in s = log(1 + g tau) / log(1 + g), tau = (t - t0) / (t1 - t0), the time in which
        networks and hard conditions work too (`pinnkan.networks.InputMap`).
        """
        if self.time is None:
            return 0.0
        ratio = (self.time[1] - self.time[0]) / self.time_scale
        return ratio if ratio > 1.0 else 0.0

    def time_per_share(self, time: float) -> float:
        """Return dt/ds at a time, s in [0, 1] as in `grading`: the duration without one.

        By N points even in s neighbours are dt/ds / N apart; with a grading it is (t - t0 + T) log(1 + g),
        T the time scale.
        """
        assert self.time is not None
        start, end = self.time
        if not self.grading:
            return end - start
        return (time - start + self.time_scale) * math.log1p(self.grading)

    @property
    def periodic(self) -> tuple[bool, ...]:
        """Whether the two ends of a coordinate are one and the same place, shape ``(D,)``."""
        return tuple(name in self.shape.periodic for name in self.coordinates)

    @property
    def bounding_box(self) -> tuple[FloatArray, FloatArray]:
        """Lower and upper corner, shapes ``(D,)``."""
        lower, upper = self.shape.bounding_box
        if self.time is None:
            return lower, upper
        return np.concatenate([[self.time[0]], lower]), np.concatenate([[self.time[1]], upper])

    def contains(self, points: FloatArray, tolerance: float = 1e-12) -> np.ndarray:
        """Tell which points ``(N, D)`` lie in the closed domain, up to ``tolerance`` times its size."""
        if self.time is None:
            return self.shape.contains(points, tolerance)
        slack = tolerance * (self.time[1] - self.time[0])
        inside = (points[:, 0] >= self.time[0] - slack) & (points[:, 0] <= self.time[1] + slack)
        return np.asarray(inside & self.shape.contains(points[:, 1:], tolerance))

    def uniform(self, count: int, seed: int) -> FloatArray:
        """Uniform random points for evaluation, from a stream of their own: shape ``(count, D)``."""
        check_points(count, "random", 0)
        rng = _stream(seed, "evaluation", 0)
        cube = unit_cube(count, len(self.coordinates), rule="random", rng=rng)
        return self._place(cube, self.shape.place, grading=0.0)

    def collocate(
        self, region: Region, count: int, *, rule: str = "quadrature", seed: int = 0, variant: int = 0
    ) -> CollocationSet:
        """Collocation points in the interior, at the initial time, on a boundary part, or for an integral.

        The quadrature is a Gauss rule in time; the space rule differs from one
        time level to the next (turned and shifted), so that the levels together see
        more of space than one does. It does not depend on the seed. Sobol and random points
        fill space and time jointly. An integral has a quadrature over space at each of its times, by
        every rule and for every count; at one place the points are times.

        Args:
            region: Where the points lie.
            count: Wanted number of points; a quadrature comes near it.
            rule: ``quadrature``, ``sobol`` or ``random``.
            seed: Seed of the latter two and of held-out sets; each region and variant has its own stream.
            variant: Sets of different variants share no point (but the ends of an interval). Odd
                variants are held-out sets: scrambled Sobol points whatever the rule.

        Raises:
            UsageError: If the count is below 1, the rule, part or variant unknown, the
                seed negative, or the initial time asked of a stationary problem.
        """
        check_points(count, rule, variant)
        rng = _stream(seed, region.name, variant)
        rule = "sobol" if variant % 2 else rule
        match region:
            case Interior():
                return self._interior(count, rule, rng, variant)
            case InitialTime():
                return self._initial(count, rule, rng, variant)
            case BoundaryPart(part, portion):
                if portion is None:
                    return self._boundary(part, count, rule, rng, variant)
                return self._portion(part, portion, count, rule, rng, variant)
            case WholeDomain(times):
                return self._whole(times, rule, rng, variant)
            case PointInSpace(position):
                return self._place_in_time(position, count, rule, rng, variant)

    def _whole(
        self, count_of_times: int, rule: str, rng: np.random.Generator, variant: int
    ) -> CollocationSet:
        """One quadrature over space, at several times where there is time."""
        sizes = _INTEGRAL if self.time is None else _INTEGRAL_IN_TIME
        count = sizes.get(self.shape.dimension, _MOST_INTEGRAL)
        space, weights = self.shape.integration(count, variant * _LEVELS)
        if self.time is None:
            return CollocationSet(space, weights, together=len(space))
        times, shares = self._moments(count_of_times, rule, rng, variant)
        points = np.concatenate([np.insert(space, 0, time, axis=1) for time in times])
        return CollocationSet(points, np.outer(shares, weights).ravel(), together=len(space))

    def _place_in_time(
        self, position: tuple[float, ...], count: int, rule: str, rng: np.random.Generator, variant: int
    ) -> CollocationSet:
        place = np.array([position])
        if self.time is None:
            return CollocationSet(place, np.ones(1))
        times, shares = self._moments(count, rule, rng, variant)
        return CollocationSet(np.insert(np.repeat(place, len(times), axis=0), 0, times, axis=1), shares)

    def _moments(
        self, count: int, rule: str, rng: np.random.Generator, variant: int
    ) -> tuple[FloatArray, FloatArray]:
        """Return times and weights that sum to 1."""
        if rule == "quadrature":
            nodes, shares = gauss(count, variant=variant, axis=_TIME_AXIS)
        else:
            nodes, shares = unit_cube(count, 1, rule=rule, rng=rng)[:, 0], np.full(count, 1 / count)
        return self._times(np.asarray(nodes), self.grading), np.asarray(shares)

    def _interior(self, count: int, rule: str, rng: np.random.Generator, variant: int) -> CollocationSet:
        if rule != "quadrature":
            cube = unit_cube(count, len(self.coordinates), rule=rule, rng=rng)
            points = self._place(cube, self.shape.place, self.grading)
            return CollocationSet(points, np.full(count, 1 / count))
        levels = self._levels(count, self.shape.volume, self.shape.dimension)
        sizes = _even(count, levels)
        return self._stack(
            [self.shape.quadrature(n, variant * _LEVELS + level) for level, n in enumerate(sizes)], variant
        )

    def _initial(self, count: int, rule: str, rng: np.random.Generator, variant: int) -> CollocationSet:
        if self.time is None:
            raise UsageError("points: 'initial' was asked for, but the problem has no time")
        points, weights = self.shape.interior(count, rule=rule, rng=rng, variant=variant * _LEVELS)
        return CollocationSet(np.insert(points, 0, self.time[0], axis=1), weights)

    def _boundary(
        self, where: str, count: int, rule: str, rng: np.random.Generator, variant: int
    ) -> CollocationSet:
        """Union of the parts behind the name, each weighted by its area."""
        if self.time is None:
            return CollocationSet(*self.shape.boundary(where, count, rule=rule, rng=rng, variant=variant))
        parts = self.shape.resolve_part(where)
        areas = [self.shape.area(part) for part in parts]
        sets = []
        for part, n, area in zip(parts, share(count, areas), areas, strict=True):
            piece = self._part(part, n, rule, rng, variant)
            normals = self.shape.normals(part, piece.points[:, 1:])
            sets.append((piece.points, piece.weights * (area / sum(areas)), normals))
        points, weights, normals = (np.concatenate(arrays) for arrays in zip(*sets, strict=True))
        return CollocationSet(points, weights, normals)

    def _portion(
        self, part: str, portion: Portion, count: int, rule: str, rng: np.random.Generator, variant: int
    ) -> CollocationSet:
        """Those points of a part that lie in a portion, of a rule so dense that about ``count`` do.

        Raises:
            UsageError: If none does.
        """
        dense, filled = count, None
        for _ in range(_DRAWS):
            drawn = self._boundary(part, dense, rule, rng, variant)
            kept = portion.holds(drawn.points)
            found = int(kept.sum())
            # The rule of a smaller count may leave out a portion that one of a larger count has met.
            filled = (drawn, kept) if found else filled
            # A side of an interval is one place, however many points are asked for.
            is_one_place = len(drawn.points) < dense / 2
            enough = _NEAR * count <= found <= count / _NEAR
            if enough or is_one_place or (dense >= _MOST_PROBES and found <= count):
                break
            factor = min(_FASTEST, max(1 / _FASTEST, count / found)) if found else _FASTEST
            dense = min(_MOST_PROBES, math.ceil(dense * factor))
        if filled is None:
            raise UsageError(f"boundary: no point of {part} where {portion.text}")
        drawn, kept = filled
        assert drawn.normals is not None
        weights = drawn.weights[kept]
        return CollocationSet(drawn.points[kept], weights / weights.sum(), drawn.normals[kept])

    def _part(
        self, part: str, count: int, rule: str, rng: np.random.Generator, variant: int
    ) -> CollocationSet:
        """One canonical part times the time interval."""
        if rule != "quadrature":
            cube = unit_cube(count, self.shape.dimension, rule=rule, rng=rng)
            points = self._place(cube, lambda rest: self.shape.place_on(part, rest), self.grading)
            return CollocationSet(points, np.full(count, 1 / count))
        levels = self._levels(count, self.shape.area(part), self.shape.dimension - 1)
        if self.shape.dimension == 1:
            # An end of an interval: one point, whatever the rule, at each of what are hundreds of times.
            return self._stack([self.shape.boundary_quadrature(part, 1, 0)] * levels, variant)
        sizes = _even(count, levels)
        return self._stack(
            [
                self.shape.boundary_quadrature(part, n, variant * _LEVELS + level)
                for level, n in enumerate(sizes)
            ],
            variant,
        )

    def _levels(self, count: int, measure: float, dimension: int) -> int:
        """Number of time levels that makes the spacing about the same along time and space.

        Time has a unit of its own, so it is counted as long as the space domain's mean
        extent L = V^(1/d): with spacing h there are measure / h^dimension points a level and L / h levels.
        """
        if self.time is None:
            return 1
        if self.shape.dimension == 0:
            return count
        extent: float = self.shape.volume ** (1 / self.shape.dimension)
        spacing: float = (measure * extent / count) ** (1 / (dimension + 1))
        return min(count, max(1, round(extent / spacing)))

    def _stack(self, spaces: list[tuple[FloatArray, FloatArray]], variant: int) -> CollocationSet:
        """Put one space rule on each node of the Gauss rule in time."""
        if self.time is None:
            return CollocationSet(*spaces[0])
        nodes, shares = gauss(len(spaces), variant=variant, axis=_TIME_AXIS)
        times = self._times(np.asarray(nodes), self.grading)
        sizes = [len(points) for points, _ in spaces]
        points = np.concatenate([points for points, _ in spaces])
        weights = np.concatenate([weights for _, weights in spaces])
        stacked = np.column_stack([np.repeat(times, sizes), points])
        return CollocationSet(stacked, weights * np.repeat(shares, sizes))

    def _place(
        self, cube: FloatArray, place: Callable[[FloatArray], FloatArray], grading: float
    ) -> FloatArray:
        """Map the unit cube onto the domain, its first column onto time."""
        if self.time is None:
            return place(cube)
        return np.insert(place(cube[:, 1:]), 0, self._times(cube[:, 0], grading), axis=1)

    def _times(self, shares: FloatArray, grading: float) -> FloatArray:
        """Return times from s in [0, 1]: tau = ((1 + g)^s - 1) / g, or s itself without a grading."""
        assert self.time is not None
        start, end = self.time
        if grading:
            shares = np.expm1(shares * math.log1p(grading)) / grading
        return np.asarray(start + (end - start) * shares)


def _even(count: int, pieces: int) -> list[int]:
    """Split a count into nearly equal pieces."""
    return [count // pieces + (piece < count % pieces) for piece in range(pieces)]


def _stream(seed: int, purpose: str, variant: int) -> np.random.Generator:
    """Random stream of one purpose; streams of different purposes or variants are independent.

    Raises:
        UsageError: If the seed is negative.
    """
    if seed < 0:
        raise UsageError(f"seed: expected 0 or more, found {seed}")
    key = (zlib.crc32(purpose.encode()), variant)
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))
