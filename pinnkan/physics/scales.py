"""The scale of the unknown: its size as the problem's data tell it, before anything is solved.

Training works on unknowns of size one. The scale is the largest of

- for every equation and condition that u = 0 does not meet, the amplitude at which its terms are as large
  as what u = 0 leaves, for a function that varies over half the domain's extent: |g| for u = g, about
  f L^2 for -u_xx = f, g L for u_x = g;
- for an equation of first order along time (or along its only coordinate), the largest value that the
  prescribed values grow to under its terms without derivatives: the 1000 of X_t = X (1 - X/1000) from 200.

Changing units changes the scale with the unknown's unit, exactly for factors that are powers of two: all
iterations are of ratios without unit, and what they leave beyond 40 bits is rounded away.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from pinnkan.geometry import CollocationSet, Domain, Interior
from pinnkan.ground.errors import PinnkanError
from pinnkan.language.expressions import derivative_symbols, evaluate
from pinnkan.language.problem.prescribed import prescribed
from pinnkan.language.problem.spec import Problem
from pinnkan.physics.blocks import ResidualBlock
from pinnkan.physics.sizes import characteristic_terms, size_of

FloatArray = NDArray[np.float64]

_POINTS = 200
_PRESCRIBED_POINTS = 200
_PLACES = 16
"""Positions at which growth is followed."""
_STEPS = 128
_MOST_GROWTH = 1e6
"""Growth beyond this factor is a blow-up, which says nothing of the solution's size."""
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
    return domain.collocate(block.where, _POINTS, variant=_VARIANT)


_VARIANT = 1 << 21
"""Far from those of training."""


def data_scale(problem: Problem, blocks: Sequence[ResidualBlock], domain: Domain) -> float:
    """Return the scale of the unknown (module docstring); 1 where the data say nothing, as in u'' = 0, u = 0.

    Args:
        problem: What the file states.
        blocks: All equations and conditions at the base values.
        domain: The domain there.
    """
    halves, values = half_extents(domain), _prescribed_values(problem, domain)
    scale = max((balance(block, sizing_points(block, domain), halves) for block in blocks), default=0.0)
    scale = max([scale, *(abs(value) for value in values)])
    axis = _marching_axis(problem)
    if axis is not None:
        equations = [block for block in blocks if isinstance(block.where, Interior)]
        scale = max([scale, *(growth(block, values, domain, axis) for block in equations)])
    return rounded(scale) if 0.0 < scale < math.inf else 1.0


def _prescribed_values(problem: Problem, domain: Domain) -> list[float]:
    """Return the largest and the least value of the unknown that any condition prescribes at the base."""
    values = []
    for condition in problem.conditions:
        item = prescribed(condition, problem.names)
        if item is None or item.order:
            continue
        for region in condition.regions:
            places = domain.collocate(region, _PRESCRIBED_POINTS).points
            try:
                data = evaluate([item.data], problem.coordinates, places, problem.base_values)[0]
            except PinnkanError:
                continue  # told of where the condition itself is evaluated
            values += [float(data.max()), float(data.min())]
    return [max(values), min(values)] if values else []


def _marching_axis(problem: Problem) -> int | None:
    """Return the coordinate along which the equations are of first order: time, or the only one."""
    if problem.time is None and len(problem.space) > 1:
        return None
    orders = [
        index[0]
        for equation in problem.equations
        for index in derivative_symbols(equation.residual, problem.names).values()
    ]
    return 0 if max(orders, default=0) == 1 else None


def balance(block: ResidualBlock, places: CollocationSet, lengths: Sequence[float]) -> float:
    """Return the amplitude at which a block's terms change by as much as they leave of u = 0; 0 if that is 0.

    Newton's method for log size(exp s) = log data, s = log amplitude: one step where the terms are
    linear, globally convergent where they are sums of powers. Where u = 0 has no value (1/u, log u) it is
    the known term alone that is balanced. Data without a value count for nothing: training tells of them.
    """
    with np.errstate(all="ignore"):
        try:
            start = characteristic_terms(block, places, 0.0, lengths)
        except PinnkanError:
            return 0.0
        if not np.isfinite(start).all():
            if block.summands.known is None:
                return 0.0
            start[[row for row in range(len(start)) if row != block.summands.known]] = 0.0
        data = size_of(start.sum(axis=0, keepdims=True), places.weights)

        def size(amplitude: float) -> float:
            return size_of(characteristic_terms(block, places, amplitude, lengths) - start, places.weights)

        amplitude = 1.0
        for _ in range(_ITERATIONS):
            now, twice = size(amplitude), size(2 * amplitude)
            if not math.isfinite(twice):
                amplitude /= _OVERFLOW
                continue
            exponent = math.log2(twice / now) if now > 0.0 else math.nan
            if not data or not 0.05 < exponent < math.inf:
                return 0.0
            factor = (data / now) ** (1 / exponent)
            amplitude *= factor
            if abs(factor - 1) < 1e-15:
                break
    return amplitude if math.isfinite(amplitude) else 0.0


def growth(block: ResidualBlock, values: Sequence[float], domain: Domain, axis: int) -> float:
    """Return the largest |u| that values grow to along an axis by an equation's terms without derivatives.

    Linearly implicit Euler steps for du/ds = f(u) = (r(0) - r(u)) / (dr/du_s), all other derivatives 0.
    What blows up, or has no value, counts for nothing.
    """
    size = len(domain.coordinates)
    value, rate = (0,) * size, tuple(int(other == axis) for other in range(size))
    if value not in block.channels or rate not in block.channels or not values:
        return 0.0
    lower, upper = domain.bounding_box
    step = float(upper[axis] - lower[axis]) / _STEPS
    path = np.tile(domain.collocate(Interior(), _PLACES, variant=_VARIANT).points, (_STEPS, 1, 1))
    path[:, :, axis] = lower[axis] + step * (np.arange(_STEPS) + 0.5)[:, None]
    try:
        data = torch.from_numpy(block.data(path.reshape(-1, size)).reshape(-1, *path.shape[:2]))
    except PinnkanError:
        return 0.0
    rows = block.channels.index(value), block.channels.index(rate)
    largest = 0.0
    for start in dict.fromkeys(number for number in values if number):
        u = torch.full((path.shape[1],), start, dtype=torch.float64)
        peak = abs(start)
        for position in range(_STEPS):
            u = u + _increment(block, data[:, position], u, step, rows)
            peak = max(peak, float(u.abs().max()))
        if math.isfinite(peak) and peak <= _MOST_GROWTH * abs(start):
            largest = max(largest, peak)
    return largest


def _increment(
    block: ResidualBlock, data: torch.Tensor, u: torch.Tensor, step: float, rows: tuple[int, int]
) -> torch.Tensor:
    """Return h f / (1 - h f'), its denominator kept away from 0."""
    value, rate = rows
    jet = torch.zeros(len(block.channels), len(u), dtype=torch.float64)
    rest = block.residual(data, jet)
    jet[value] = u
    residual, partials = block.residual(data, jet), block.partials(data, jet)
    slope = (rest - residual) / partials[rate]
    bend = -partials[value] / partials[rate]
    return step * slope / (1.0 - step * bend).clamp(min=0.5)


def rounded(number: float) -> float:
    """Return a number rounded to 40 bits, so that the last bits of an iteration are nobody's."""
    mantissa, exponent = math.frexp(number)
    return math.ldexp(round(mantissa * (1 << _BITS)) / (1 << _BITS), exponent)
