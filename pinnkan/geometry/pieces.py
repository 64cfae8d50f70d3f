"""Sets in space that points are drawn from, and their products with time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from pinnkan.geometry.shape import Shape
from pinnkan.geometry.times import Times
from pinnkan.ground.arrays import FloatArray


class Sampler(Protocol):
    """Draws ``count`` points of a set: uniform numbers of ``beside`` more dimensions, then the points."""

    def __call__(self, count: int, *, rule: str, rng: np.random.Generator, beside: int) -> FloatArray:
        """Return shape ``(count, beside + d)``; see `Shape.sample`."""


@dataclass(frozen=True)
class Piece:
    """The interior of a shape, or a part of its boundary.

    Attributes:
        dimension: Of the set; 0 for the end of an interval.
        measure: Of the set.
        extent: Mean extent of the shape.
        sample: Points by the rules ``sobol`` and ``random``.
        quadrature: Points and weights that sum to 1, of a count and a variant.
    """

    dimension: int
    measure: float
    extent: float
    sample: Sampler
    quadrature: Callable[[int, int], tuple[FloatArray, FloatArray]]


def interior_of(shape: Shape) -> Piece:
    """Return all of a shape."""
    return Piece(shape.dimension, shape.volume, shape.extent, shape.sample, shape.quadrature)


def part_of(shape: Shape, part: str) -> Piece:
    """Return one canonical part of a shape's boundary."""

    def sample(count: int, *, rule: str, rng: np.random.Generator, beside: int) -> FloatArray:
        return shape.sample_on(part, count, rule=rule, rng=rng, beside=beside)

    def quadrature(count: int, variant: int) -> tuple[FloatArray, FloatArray]:
        return shape.boundary_quadrature(part, count, variant)

    return Piece(shape.dimension - 1, shape.area(part), shape.extent, sample, quadrature)


def spread(
    piece: Piece, times: Times, count: int, *, rule: str, rng: np.random.Generator, variant: int, first: int
) -> tuple[FloatArray, FloatArray]:
    """Return points and weights of a set in space times a factor of time.

    Args:
        piece: The set in space.
        times: The factor of time.
        count: Wanted number of points; a quadrature comes near it.
        rule: ``quadrature``: a rule in time with a rule of space on each of its levels, every one of
            another variant; ``sobol`` and ``random`` fill space and time jointly.
        rng: Stream of the latter two.
        variant: Of the rule in time.
        first: Variant of the rule of space on the first level; those of the others follow.

    Returns:
        Points ``(N, columns + d)`` and weights ``(N,)`` that sum to 1.
    """
    if rule != "quadrature" and piece.dimension + times.dimension:
        drawn = piece.sample(count, rule=rule, rng=rng, beside=times.dimension)
        stacked = [times.at(drawn[:, : times.dimension]), drawn[:, times.dimension :]]
        return np.column_stack(stacked), np.full(count, 1 / count)
    levels = times.levels(count, piece.measure, piece.dimension, piece.extent)
    if piece.dimension:
        rules = [piece.quadrature(n, first + level) for level, n in enumerate(even_shares(count, levels))]
    else:
        rules = [piece.quadrature(1, 0)] * levels  # one place, whatever the rule, at what may be many times
    moments, shares = times.moments(levels, rule="quadrature", rng=rng, variant=variant)
    sizes = [len(points) for points, _ in rules]
    points = np.concatenate([points for points, _ in rules])
    weights = np.concatenate([weights for _, weights in rules])
    return np.column_stack([np.repeat(moments, sizes, axis=0), points]), weights * np.repeat(shares, sizes)


def repeated(
    points: FloatArray, weights: FloatArray, moments: FloatArray, shares: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the same points ``(n, d)`` at every one of moments ``(L, columns)``, moment after moment."""
    places = np.tile(points, (len(moments), 1))
    return np.column_stack([np.repeat(moments, len(points), axis=0), places]), np.outer(
        shares, weights
    ).ravel()


def even_shares(count: int, pieces: int) -> list[int]:
    """Split a count into nearly equal pieces."""
    return [count // pieces + (piece < count % pieces) for piece in range(pieces)]
