"""Shapes: bounded sets in space with named boundary parts, normals, quadrature and distance functions."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
import sympy

from pinnkan.geometry.rules import MOST_POINTS, unit_cube
from pinnkan.ground.arrays import FloatArray
from pinnkan.ground.errors import UsageError, did_you_mean

_ATTEMPTS = 12
_SPARE = 16
"""Points tried beyond those of which enough are expected to lie inside."""


class Shape(ABC):
    """A closed bounded set in ``d`` space dimensions.

    A member gives its geometry and draws points of its boundary parts. What it can do better than the
    plain ways here, it says itself: points of the interior are drawn by rejection from the bounding box,
    a quadrature is a set of Sobol points of equal weights, and no distance is known.
    """

    dimension: int
    """Space dimensions, d."""
    parts: tuple[str, ...]
    """Canonical names of the boundary parts, disjoint up to null sets."""
    aliases: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    """Further names, each for one or several parts; ``all`` is always one."""
    periodic: tuple[str, ...] = ()
    """Names of the coordinates whose ends are one and the same place."""

    @property
    @abstractmethod
    def volume(self) -> float:
        """Measure of the shape."""

    @property
    def extent(self) -> float:
        """Mean extent, V^(1/d); 1 for a point."""
        return float(self.volume ** (1 / self.dimension)) if self.dimension else 1.0

    @property
    @abstractmethod
    def bounding_box(self) -> tuple[FloatArray, FloatArray]:
        """Lower and upper corner, shapes ``(d,)``."""

    @property
    def key(self) -> Hashable:
        """What equal shapes have in common and others have not; the shape itself unless said otherwise."""
        return self

    @abstractmethod
    def contains(self, x: FloatArray, tolerance: float = 1e-12) -> np.ndarray:
        """Tell which points lie in the closed set, up to ``tolerance`` times its size: ``(N, d) -> (N,)``."""

    def distance(self, symbols: Sequence[sympy.Symbol], parts: Sequence[str]) -> sympy.Expr | None:
        """Smooth function that is 0 exactly on the named parts and positive elsewhere in the closed set.

        Scaled to a maximum of about 1, its normal derivative on the parts is of
        order 1 over the shape's size and never 0 (but at corners).

        Args:
            symbols: One symbol per space coordinate.
            parts: Names or aliases of boundary parts; none gives 1.

        Returns:
            The function; None where none is known, and conditions stay soft.
        """
        return None

    @abstractmethod
    def area(self, part: str) -> float:
        """Measure of one canonical part (1 for a point)."""

    @abstractmethod
    def normals(self, part: str, points: FloatArray) -> FloatArray:
        """Outward unit normals at points of one canonical part: ``(N, d) -> (N, d)``."""

    def sample(self, count: int, *, rule: str, rng: np.random.Generator, beside: int = 0) -> FloatArray:
        """Draw points of equal weights from the interior, jointly with uniform numbers.

        By rejection from the bounding box, from nets that grow until enough of their points lie inside.

        Args:
            count: Number of points.
            rule: ``sobol`` or ``random``.
            rng: Its stream.
            beside: How many uniform numbers in (0, 1) go with every point, which fill their product with
                the shape as evenly as the rule does: what another factor of a domain makes its points of.

        Returns:
            Those numbers, then the points: ``(count, beside + d)``.

        Raises:
            UsageError: If hardly any point of the bounding box lies inside.
        """
        lower, upper = self.bounding_box
        share = self.volume / float(np.prod(upper - lower))
        for attempt in range(_ATTEMPTS):
            tried = math.ceil(2**attempt * (count / share + _SPARE))
            if tried > MOST_POINTS:
                break
            drawn = unit_cube(tried, beside + self.dimension, rule=rule, rng=rng)
            drawn[:, beside:] = lower + (upper - lower) * drawn[:, beside:]
            inside = drawn[self.contains(drawn[:, beside:], 0.0)]
            if len(inside) >= count:
                return np.asarray(inside[:count])
        raise UsageError(f"domain: {type(self).__name__} fills too little of its bounding box to draw points")

    @abstractmethod
    def sample_on(
        self, part: str, count: int, *, rule: str, rng: np.random.Generator, beside: int = 0
    ) -> FloatArray:
        """Draw points of equal weights from one canonical part, as `sample` does from the interior."""

    def quadrature(self, count: int, variant: int) -> tuple[FloatArray, FloatArray]:
        """About ``count`` interior points and weights that sum to 1: ``(N, d), (N,)``.

        The same at every call; those of different variants share no point.
        """
        rng = np.random.default_rng(variant)
        return self.sample(count, rule="sobol", rng=rng), np.full(count, 1 / count)

    def integration(self, count: int, variant: int) -> tuple[FloatArray, FloatArray]:
        """About ``count`` points and weights that sum to 1, for the integral of a smooth function.

        Collocation points should lie evenly, these integrate as exactly as they can.
        """
        return self.quadrature(count, variant)

    def boundary_quadrature(self, part: str, count: int, variant: int) -> tuple[FloatArray, FloatArray]:
        """About ``count`` points of one canonical part and weights that sum to 1: ``(N, d), (N,)``."""
        rng = np.random.default_rng(variant)
        return self.sample_on(part, count, rule="sobol", rng=rng), np.full(count, 1 / count)

    def resolve_part(self, name: str) -> tuple[str, ...]:
        """Canonical parts behind a name or alias.

        Raises:
            UsageError: If the shape has no such part.
        """
        known = {**{part: (part,) for part in self.parts}, **self.aliases, "all": self.parts}
        if name not in known:
            raise UsageError(
                f"boundary: unknown part '{name}'; expected one of {', '.join(known)}"
                f"{did_you_mean(name, tuple(known))}"
            )
        return tuple(known[name])

    def resolve_parts(self, names: Sequence[str]) -> tuple[str, ...]:
        """Canonical parts behind several names, each once, in the shape's order."""
        found = {part for name in names for part in self.resolve_part(name)}
        return tuple(part for part in self.parts if part in found)


@dataclass(frozen=True)
class ShapeEntries:
    """What is said of one shape.

    Attributes:
        axes: Names of the space coordinates.
        numbers: By the kind's keys.
        periodic: Names of the coordinates that are periodic.
        members: The shapes that it is made of, by the kind's keys.
    """

    axes: tuple[str, ...]
    numbers: Mapping[str, Sequence[float]]
    periodic: Sequence[str] = ()
    members: Mapping[str, Shape] = field(default_factory=dict)


@dataclass(frozen=True)
class ShapeKind:
    """How a problem file names a shape and what it must say about it.

    Attributes:
        dimension: Space dimensions it needs; None takes any.
        entries: From the names of the space coordinates to the keys it reads
            and how many numbers each holds.
        build: From what is said to the shape.
        optional: Keys that may be left out.
        may_be_periodic: Whether its coordinates may be periodic.
        members: Keys that hold a shape each, of which it is made.
    """

    dimension: int | None
    entries: Callable[[tuple[str, ...]], dict[str, int]]
    build: Callable[[ShapeEntries], Shape]
    optional: tuple[str, ...] = ()
    may_be_periodic: bool = False
    members: tuple[str, ...] = ()


def number(value: float) -> sympy.Expr:
    """The float as a SymPy number, as an integer where it is one, so that formulas print cleanly."""
    return sympy.Integer(int(value)) if value == int(value) else sympy.Float(value)
