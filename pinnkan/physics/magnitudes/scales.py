"""The scales of the unknowns: their sizes as the problem's data tell them, before anything is solved.

Training works on unknowns of size one. The scale is the largest of

- for every equation and condition that u = 0 does not meet, the amplitude at which its terms are as large
  as what u = 0 leaves, for a function that varies over half the domain's extent: |g| for u = g, about
  f L^2 for -u_xx = f, g L for u_x = g;
- for an equation of first order along time (or along its only coordinate), the largest value that the
  prescribed values grow to under its terms without derivatives: the 1000 of X_t = X (1 - X/1000) from 200.

In a system these are taken of the blocks that hold one unknown alone. The scales that are left follow from
the other blocks, in which the terms of the unknowns whose scales are known are data: a pressure is as large
as what its gradient balances.

Changing units changes the scale with the unknown's unit, exactly for factors that are powers of two: all
iterations are of ratios without unit, and what they leave beyond 40 bits is rounded away.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import sympy

from pinnkan.geometry import CollocationSet, Domain, Interior
from pinnkan.ground.arrays import FloatArray
from pinnkan.ground.errors import PinnkanError
from pinnkan.language.expressions import evaluate
from pinnkan.language.problem.prescribed import prescribed
from pinnkan.language.problem.spec import Problem
from pinnkan.physics.blocks import ResidualBlock
from pinnkan.physics.magnitudes.growth import VARIANT, growth, growth_of_system, marching_axis
from pinnkan.physics.magnitudes.rounding import is_rounded_zero
from pinnkan.physics.magnitudes.sizes import characteristic_terms, size_of

_POINTS = 200
_PRESCRIBED_POINTS = 200
_ITERATIONS = 200
_OVERFLOW = 2.0**6
"""What an amplitude is divided by at which exp(u) has no value."""
_BITS = 40


def half_extents(domain: Domain) -> list[float]:
    """Return half the extent of the domain's box along every coordinate: 1 in the network's own ones."""
    lower, upper = domain.bounding_box
    halves: list[float] = (0.5 * (upper - lower)).tolist()
    return halves


def sizing_points(block: ResidualBlock, domain: Domain) -> CollocationSet:
    """Return the points on which a block's scale and size are found: no seed, no training set."""
    return domain.collocate(block.where, _POINTS, variant=VARIANT)


def data_scales(problem: Problem, blocks: Sequence[ResidualBlock], domain: Domain) -> tuple[float, ...]:
    """Return the scales of the unknowns (module docstring); 1 where the data say nothing (u'' = 0, u = 0).

    Args:
        problem: What the file states.
        blocks: All equations and conditions at the base values.
        domain: The domain there.
    """
    halves = half_extents(domain)
    values = [_prescribed_values(problem, name, domain) for name in problem.unknowns]
    if not problem.is_system:
        return (_alone(problem, blocks, domain, values[0]),)
    scales = [max((abs(value) for value in own), default=0.0) for own in values]
    for block in blocks:
        unknowns = _unknowns(block)
        if len(unknowns) == 1:
            own = balance(block, sizing_points(block, domain), halves, scales, unknowns)
            scales[unknowns[0]] = max(scales[unknowns[0]], own)
    peaks = growth_of_system(problem, blocks, values, domain)
    scales = [max(scale, peak) for scale, peak in zip(scales, peaks, strict=True)]
    _complete(scales, blocks, domain)
    return tuple(rounded(scale) if 0.0 < scale < math.inf else 1.0 for scale in scales)


def _unknowns(block: ResidualBlock) -> list[int]:
    """Return the unknowns that a block holds."""
    return sorted({unknown for unknown, _ in block.summands.partials})


def _alone(
    problem: Problem, blocks: Sequence[ResidualBlock], domain: Domain, values: Sequence[float]
) -> float:
    """Return the scale of a problem's only unknown."""
    halves = half_extents(domain)
    scale = max((balance(block, sizing_points(block, domain), halves) for block in blocks), default=0.0)
    scale = max([scale, *(abs(value) for value in values)])
    axis = marching_axis(problem)
    if axis is not None:
        equations = [block for block in blocks if isinstance(block.where, Interior)]
        scale = max([scale, *(growth(block, values, domain, axis) for block in equations)])
    return rounded(scale) if 0.0 < scale < math.inf else 1.0


def _complete(scales: list[float], blocks: Sequence[ResidualBlock], domain: Domain) -> None:
    """Find the scales that are still 0 from blocks with other unknowns, the terms of which are data there.

    A block with one such unknown gives it, the largest of several; where every block has more of them, the
    block with the fewest gives all of its own one amplitude, unless it has no data (div(U) = 0).
    """
    halves = half_extents(domain)
    while 0.0 in scales:
        missing = {
            block.name: (block, own)
            for block in blocks
            if (own := [unknown for unknown in _unknowns(block) if scales[unknown] == 0.0])
        }
        for count in sorted({len(own) for _, own in missing.values()}):
            now = list(scales)
            for block, own in missing.values():
                if len(own) == count:
                    amplitude = balance(block, sizing_points(block, domain), halves, scales, own)
                    for unknown in own:
                        now[unknown] = max(now[unknown], amplitude)
            if now != scales:
                break
        else:
            return
        scales[:] = now


def _prescribed_values(problem: Problem, unknown: str, domain: Domain) -> list[float]:
    """Return the largest and the least value of an unknown that any condition prescribes at the base."""
    values = []
    for condition in problem.conditions:
        item = prescribed(condition, problem.names)
        if item is None or item.order or item.unknown != unknown:
            continue
        for region in condition.regions(problem.names, problem.base_values):
            places = domain.collocate(region, _PRESCRIBED_POINTS).points

            def data(points: FloatArray, formula: sympy.Expr = item.data) -> FloatArray:
                values: FloatArray = evaluate([formula], problem.coordinates, points, problem.base_values)[0]
                return values

            try:
                given = data(places)
            except PinnkanError:
                continue  # told of where the condition itself is evaluated
            if is_rounded_zero(data, places, half_extents(domain)):
                given = np.zeros_like(given)
            values += [float(given.max()), float(given.min())]
    return [max(values), min(values)] if values else []


def balance(
    block: ResidualBlock,
    places: CollocationSet,
    lengths: Sequence[float],
    scales: Sequence[float] = (0.0,),
    moved: Sequence[int] = (0,),
) -> float:
    """Return the amplitude at which a block's terms change by as much as they leave of u = 0; 0 if that is 0.

    Newton's method for log size(exp s) = log data, s = log amplitude: one step where the terms are
    linear, globally convergent where they are sums of powers. Where u = 0 has no value (1/u, log u) it is
    the known term alone that is balanced. Data without a value count for nothing: training tells of them.

    Args:
        block: An equation or condition.
        places: Its points.
        lengths: Over which the unknowns vary.
        scales: Amplitudes of the unknowns that are known, 0 for the others.
        moved: The unknowns whose common amplitude is sought.
    """

    def terms(amplitude: float, points: FloatArray = places.points) -> FloatArray:
        amplitudes = [amplitude if unknown in moved else scale for unknown, scale in enumerate(scales)]
        return characteristic_terms(block, replace(places, points=points), amplitudes, lengths)

    def left_over(points: FloatArray) -> FloatArray:
        return np.asarray(terms(0.0, points).sum(axis=0))

    with np.errstate(all="ignore"):
        try:
            start = terms(0.0)
        except PinnkanError:
            return 0.0
        if is_rounded_zero(left_over, places.points, lengths):
            return 0.0
        if not np.isfinite(start).all():
            if block.summands.known is None:
                return 0.0
            start[[row for row in range(len(start)) if row != block.summands.known]] = 0.0
        left = start.sum(axis=0, keepdims=True) if len(moved) == len(scales) else start
        data = size_of(left, places.weights)

        def size(amplitude: float) -> float:
            return size_of(terms(amplitude) - start, places.weights)

        amplitude = 1.0
        for _ in range(_ITERATIONS):
            now, twice = size(amplitude), size(2 * amplitude)
            if not math.isfinite(twice):
                amplitude /= _OVERFLOW
                continue
            exponent = math.log2(twice / now) if 0.0 < now < math.inf and twice > 0.0 else math.nan
            if not data or not 0.05 < exponent < math.inf:
                return 0.0
            factor = (data / now) ** (1 / exponent)
            amplitude *= factor
            if abs(factor - 1) < 1e-15:
                break
    return amplitude if math.isfinite(amplitude) else 0.0


def rounded(number: float) -> float:
    """Return a number rounded to 40 bits, so that the last bits of an iteration are nobody's."""
    mantissa, exponent = math.frexp(number)
    return math.ldexp(round(mantissa * (1 << _BITS)) / (1 << _BITS), exponent)
