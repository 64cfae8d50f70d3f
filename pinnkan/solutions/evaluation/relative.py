"""Relative residuals: how far every equation and condition is from being met, without a unit.

The relative residual of an equation or condition is the root mean square of its residual over the root
mean square of the sum of the absolute values of its terms (`pinnkan.physics.magnitudes.sizes`), both on
scrambled Sobol points that no training saw: 1 is nothing, 1e-6 is solved. 0 over 0 is 0.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from pinnkan.geometry import CollocationSet, InitialTime, Interior, Region
from pinnkan.ground.arrays import FloatArray
from pinnkan.ground.derivatives import Derivative, derivatives_of
from pinnkan.ground.errors import PinnkanError
from pinnkan.physics.blocks import ResidualBlock
from pinnkan.physics.instance import Instance
from pinnkan.physics.magnitudes.sizes import characteristic_terms, judged_terms, size_of
from pinnkan.solutions.evaluation.brackets import Bracket, bracket_left
from pinnkan.solutions.evaluation.jumps import Jump, largest_jump

INTERIOR, BOUNDARY = 4096, 1024
"""Points of an equation and of a condition: powers of two, which Sobol points are made for."""
VARIANT = 3
"""Of the points: odd, so held out, and none of those that training checks itself on."""
_NOTHING = 1e-9
"""A solution of a problem that zero solves is zero below this share of the unknown's scale."""
_LEAST_EXTENT = 1e-3
"""Range of the unknown over its largest value, below which it is constant for our purposes: what a constant
solution varies by is its error, and no size to measure errors by."""


@dataclass(frozen=True)
class BlockResidual:
    """How far one equation or condition is from being met.

    Attributes:
        name: Of the equation or condition.
        is_condition: Whether it is a condition.
        relative: Root mean square of the residual over that of its terms.
        mean: Mean absolute value of the residual over that of its terms: what adds up to an error where the
            residual is large in a thin layer alone.
        pointwise: Mean of the residual over its terms point by point (`_pointwise`): what sees a region
            whose terms are small beside those elsewhere.
        largest: Largest residual over the largest sum of the absolute values of its terms.
        place: The point (D,) with the largest residual.
        share: Part of the sum of squares that the 5 % of the points with the largest residuals have.
    """

    name: str
    is_condition: bool
    relative: float
    mean: float
    pointwise: float
    largest: float
    place: tuple[float, ...]
    share: float


@dataclass(frozen=True)
class ResidualReport:
    """All relative residuals of a solution.

    Attributes:
        blocks: The equations, then the conditions, hard ones too.
        coordinates: Their names.
        ranges: Least and largest value of every unknown in the domain.
        is_homogeneous: Whether zero solves the problem.
        jump: The largest jump that no residual sees; see `pinnkan.solutions.evaluation.jumps`.
        bracket: Between which constants another solution lies; see `pinnkan.solutions.evaluation.brackets`.
    """

    blocks: tuple[BlockResidual, ...]
    coordinates: tuple[str, ...]
    ranges: tuple[tuple[float, float], ...]
    is_homogeneous: bool
    jump: Jump | None = None
    bracket: Bracket | None = None

    @property
    def beyond(self) -> float:
        """How far the unknown goes beyond the bracket, over its range."""
        return 0.0 if self.bracket is None else _ratio(self.bracket.beyond, extent_of(*self.ranges[0]))

    @property
    def relative(self) -> dict[str, float]:
        """Relative residuals by name."""
        return {block.name: block.relative for block in self.blocks}

    @property
    def means(self) -> dict[str, float]:
        """Mean relative residuals by name."""
        return {block.name: block.mean for block in self.blocks}

    @property
    def pointwise(self) -> dict[str, float]:
        """Mean residuals over the terms point by point, of the equations by name."""
        return {block.name: block.pointwise for block in self.blocks if not block.is_condition}

    @property
    def violations(self) -> dict[str, float]:
        """The largest violation of every condition relative to its data."""
        return {block.name: block.largest for block in self.blocks if block.is_condition}

    def is_zero(self, scales: Sequence[float]) -> bool:
        """Tell whether the solution is zero everywhere; where zero does not solve the problem, exactly.

        Args:
            scales: Of the unknowns.
        """
        amplitudes = [max(abs(lowest), abs(highest)) for lowest, highest in self.ranges]
        share = _NOTHING if self.is_homogeneous else 0.0
        return all(amplitude <= share * scale for amplitude, scale in zip(amplitudes, scales, strict=True))


class Measurable(Protocol):
    """What is measured: a `Solution`, or anything that answers like one."""

    @property
    def instance(self) -> Instance:
        """The problem at the parameter value."""

    def __call__(self, points: FloatArray, /) -> FloatArray:
        """Return the unknowns at points (N, D), (U, N)."""

    def derivatives(self, points: FloatArray, requested: Sequence[Derivative], /) -> FloatArray:
        """Return derivatives of the unknowns, (C, N)."""

    def residual(
        self, block: ResidualBlock, points: FloatArray, normals: FloatArray | None = None, /
    ) -> FloatArray:
        """Return left minus right of an equation or condition, (N,)."""


def residual_report(solution: Measurable, seed: int = 0, *, with_jumps: bool = True) -> ResidualReport:
    """Measure every equation and condition on held-out points.

    Args:
        solution: At one parameter value.
        seed: Of the points.
        with_jumps: Whether jumps are looked for.
    """
    instance = solution.instance
    ranges = _ranges(solution, seed)
    homogeneous = all(
        _vanishes_at_zero(solution, block, seed) for block in (*instance.equations, *instance.conditions)
    )
    jump = largest_jump(solution, seed) if with_jumps else None
    return ResidualReport(
        blocks=_blocks(solution, seed, extents_of(instance, ranges)),
        coordinates=instance.coordinates,
        ranges=ranges,
        is_homogeneous=homogeneous,
        jump=jump,
        bracket=None if instance.problem.is_system else bracket_left(instance, *ranges[0]),
    )


def _ranges(solution: Measurable, seed: int) -> tuple[tuple[float, float], ...]:
    """Return the least and the largest value of every unknown."""
    values = solution(_places(solution, Interior(), seed).points)
    return tuple((float(row.min()), float(row.max())) for row in values)


def extent_of(lowest: float, highest: float) -> float:
    """Return the range of an unknown, or a share of its size where that is more."""
    return max(highest - lowest, _LEAST_EXTENT * max(abs(lowest), abs(highest)))


def extents_of(instance: Instance, ranges: Sequence[tuple[float, float]]) -> list[float]:
    """Return the extents of all unknowns; in a system, at least a share of their scales.

    Beside others an unknown may be zero, and what is left of it is no size to measure by.
    """
    extents = [extent_of(lowest, highest) for lowest, highest in ranges]
    if not instance.problem.is_system:
        return extents
    return [max(own, _LEAST_EXTENT * scale) for own, scale in zip(extents, instance.scales, strict=True)]


def _blocks(solution: Measurable, seed: int, extents: Sequence[float]) -> tuple[BlockResidual, ...]:
    """Return what is measured of every block."""
    instance = solution.instance
    blocks = [
        *((block, False) for block in instance.equations),
        *((block, True) for block in instance.conditions),
    ]
    return tuple(
        max(
            (
                _measured(solution, block, places, extents, is_condition)
                for places in _sets(solution, block.where, seed)
            ),
            key=lambda measured: measured.relative,
        )
        for block, is_condition in blocks
    )


def relative_residuals(solution: Measurable, seed: int = 0) -> Mapping[str, float]:
    """Return the relative residual of every equation and condition by its name; see `residual_report`."""
    extents = extents_of(solution.instance, _ranges(solution, seed))
    return {block.name: block.relative for block in _blocks(solution, seed, extents)}


def _sets(solution: Measurable, where: Region, seed: int) -> list[CollocationSet]:
    """Return the sets on which a block is measured, the worst of which counts.

    Where points crowd at the first times (`Domain.grading`) there is a second one, even in time as errors
    are measured: what happens late is a small share of the first.
    """
    domain = solution.instance.domain
    places = [_places(solution, where, seed)]
    if domain.grading and not isinstance(where, InitialTime):
        even = replace(domain, time_scale=math.inf)
        places.append(even.collocate(where, _count(where), rule="sobol", seed=seed, variant=VARIANT))
    return places


def _count(where: Region) -> int:
    return INTERIOR if isinstance(where, Interior) else BOUNDARY


def _places(solution: Measurable, where: Region, seed: int) -> CollocationSet:
    return solution.instance.domain.collocate(where, _count(where), rule="sobol", seed=seed, variant=VARIANT)


def _measured(
    solution: Measurable,
    block: ResidualBlock,
    places: CollocationSet,
    extents: Sequence[float],
    is_condition: bool,
) -> BlockResidual:
    lower, upper = solution.instance.domain.bounding_box
    try:
        derivatives = solution.derivatives(places.points, derivatives_of(block.summands.partials))
        terms = block.terms(places.points, places.normals, derivatives)
        residual = terms.sum(axis=0)
        lengths: list[float] = (upper - lower).tolist()
        judged = judged_terms(block, places, terms, extents=extents, lengths=lengths)
        pointwise = _pointwise(
            residual, terms, characteristic_terms(block, places, extents, lengths), places.weights
        )
        size, mean = _sizes(judged, places)
        if solution.instance.problem.is_system:
            # Terms of an unknown that is zero beside the others are errors, and no size to measure by.
            floors = [_LEAST_EXTENT * scale for scale in solution.instance.scales]
            least = _sizes(characteristic_terms(block, places, floors, lengths), places)
            size, mean = max(size, least[0]), max(mean, least[1])
        peak = max(float(np.abs(terms).sum(axis=0).max()), size)
    except PinnkanError:
        # Terms may have a pole where their sum has none: there is no size to measure by.
        residual = solution.residual(block, places.points, places.normals)
        size = mean = peak = pointwise = 0.0
    residual, weights = places.means(residual), places.residual_weights
    worst = int(np.argmax(np.abs(residual)))
    rms = math.sqrt(float(weights @ residual**2))
    return BlockResidual(
        block.name,
        is_condition,
        _ratio(rms, size),
        _ratio(float(weights @ np.abs(residual)), mean),
        pointwise,
        _ratio(float(np.abs(residual[worst])), peak),
        tuple(float(x) for x in places.points[worst * places.together]),
        _share(residual),
    )


def _sizes(terms: FloatArray, places: CollocationSet) -> tuple[float, float]:
    """Return the root mean square and the mean of the sums of the absolute values of terms (T, N)."""
    return size_of(terms, places.weights), float(places.weights @ np.abs(terms).sum(axis=0))


def _pointwise(residual: FloatArray, terms: FloatArray, plain: FloatArray, weights: FloatArray) -> float:
    """Return the mean over points of |r| / (sum_i |term_i| + sum_i |plain_i|).

    The plain terms are those of a function of the unknown's range over the domain's own lengths, with the
    coefficients of the point: what is left where a pulse has not come yet, or all terms change their sign, is
    no fault. A factor that falls by many orders of magnitude across the domain (a density) divides out.
    """
    sizes = np.abs(terms).sum(axis=0) + np.abs(plain).sum(axis=0)
    shares = np.divide(np.abs(residual), sizes, out=np.zeros_like(sizes), where=sizes > 0.0)
    return float(weights @ shares)


def _ratio(residual: float, size: float) -> float:
    """Return residual / size; 0 over 0 is 0, anything else over 0 is infinite."""
    if residual == 0.0:
        return 0.0
    return residual / size if size > 0.0 else math.inf


def _share(residual: FloatArray) -> float:
    squares = np.sort(residual**2)[::-1]
    total = float(squares.sum())
    return float(squares[: max(1, len(squares) // 20)].sum()) / total if total > 0.0 else 0.0


def _vanishes_at_zero(solution: Measurable, block: ResidualBlock, seed: int) -> bool:
    """Tell whether u = 0 meets an equation or condition."""
    places = _places(solution, block.where, seed)
    try:
        terms = block.terms(places.points, places.normals, [0.0] * len(block.summands.partials))
    except PinnkanError:
        return False
    return bool((terms.sum(axis=0) == 0.0).all())
