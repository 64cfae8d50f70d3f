"""Space-time domains and the collocation sets drawn from them."""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pinnkan.geometry.pieces import interior_of, part_of, repeated, spread
from pinnkan.geometry.regions import (
    BoundaryPart,
    InitialTime,
    Interior,
    PointInSpace,
    Portion,
    Region,
    WholeDomain,
)
from pinnkan.geometry.rules import check_points, share
from pinnkan.geometry.shape import Shape
from pinnkan.geometry.times import Duration, Moment, NoTime, Times
from pinnkan.ground.arrays import FloatArray
from pinnkan.ground.errors import UsageError

_LEVELS = 4096
"""Space variants set aside for the time levels of one variant."""
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
            Duration.checked(self.coordinates[0], self.time, self.time_scale)

    @cached_property
    def _times(self) -> Times:
        """The factor of time."""
        return NoTime() if self.time is None else Duration(*self.time, self.time_scale)

    @property
    def grading(self) -> float:
        """g = duration / time_scale where that is above 1, else 0.

        Points are even in s = log(1 + g tau) / log(1 + g), tau = (t - t0) / (t1 - t0), the time in which
        networks and hard conditions work too (`pinnkan.networks.InputMap`).
        """
        return self._times.grading

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
        piece, rng = interior_of(self.shape), _stream(seed, "evaluation", 0)
        return spread(piece, self._times.even, count, rule="random", rng=rng, variant=0, first=0)[0]

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
                return self._interior(self._times, count, rule, rng, variant)
            case InitialTime():
                if self.time is None:
                    raise UsageError("points: 'initial' was asked for, but the problem has no time")
                return self._interior(Moment(self.time[0]), count, rule, rng, variant)
            case BoundaryPart(part, portion):
                if portion is None:
                    return self._boundary(part, count, rule, rng, variant)
                return self._portion(part, portion, count, rule, rng, variant)
            case WholeDomain(times):
                sizes = _INTEGRAL if self.time is None else _INTEGRAL_IN_TIME
                most = sizes.get(self.shape.dimension, _MOST_INTEGRAL)
                space = self.shape.integration(most, variant * _LEVELS)
                return self._at_moments(*space, times, rule, rng, variant)
            case PointInSpace(position):
                return self._at_moments(np.array([position]), np.ones(1), count, rule, rng, variant)

    def _interior(
        self, times: Times, count: int, rule: str, rng: np.random.Generator, variant: int
    ) -> CollocationSet:
        piece, first = interior_of(self.shape), variant * _LEVELS
        points, weights = spread(piece, times, count, rule=rule, rng=rng, variant=variant, first=first)
        return CollocationSet(points, weights)

    def _boundary(
        self, where: str, count: int, rule: str, rng: np.random.Generator, variant: int
    ) -> CollocationSet:
        """Union of the parts behind the name, each weighted by its area."""
        parts = self.shape.resolve_part(where)
        areas = [self.shape.area(part) for part in parts]
        # Without levels the sides' variants follow each other: as in every result there is.
        first = variant if self.time is None else variant * _LEVELS
        sets = []
        for part, n, area in zip(parts, share(count, areas), areas, strict=True):
            piece = part_of(self.shape, part)
            points, weights = spread(piece, self._times, n, rule=rule, rng=rng, variant=variant, first=first)
            normals = self.shape.normals(part, points[:, self._times.columns :])
            sets.append((points, weights * (area / sum(areas)), normals))
        points, weights, normals = (np.concatenate(arrays) for arrays in zip(*sets, strict=True))
        return CollocationSet(points, weights, normals)

    def _at_moments(
        self,
        points: FloatArray,
        weights: FloatArray,
        count: int,
        rule: str,
        rng: np.random.Generator,
        variant: int,
    ) -> CollocationSet:
        """The same places at ``count`` times, those of one time worked together."""
        moments, shares = self._times.moments(count, rule=rule, rng=rng, variant=variant)
        return CollocationSet(*repeated(points, weights, moments, shares), together=len(points))

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


def _stream(seed: int, purpose: str, variant: int) -> np.random.Generator:
    """Random stream of one purpose; streams of different purposes or variants are independent.

    Raises:
        UsageError: If the seed is negative.
    """
    if seed < 0:
        raise UsageError(f"seed: expected 0 or more, found {seed}")
    key = (zlib.crc32(purpose.encode()), variant)
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))
