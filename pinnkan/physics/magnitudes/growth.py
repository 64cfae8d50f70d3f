"""How large prescribed values grow to along time by an equation's terms without derivatives."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from scipy.integrate import solve_ivp

from pinnkan.geometry import Domain, Interior
from pinnkan.ground.arrays import FloatArray
from pinnkan.ground.derivatives import Derivative, pure_index, value_index
from pinnkan.ground.errors import PinnkanError
from pinnkan.language.expressions import derivative_symbols
from pinnkan.language.problem.spec import Problem
from pinnkan.physics.blocks import ResidualBlock

VARIANT = 1 << 21
"""Of the points on which scales and sizes are found: far from those of training."""
_PLACES = 16
"""Positions at which growth is followed."""
_STEPS = 128
_MOST_GROWTH = 1e6
"""Growth beyond this factor is a blow-up, which says nothing of the solution's size."""


def marching_axis(problem: Problem) -> int | None:
    """Return the coordinate along which the equations are of first order: time, or the only one."""
    if problem.time is None and len(problem.space) > 1:
        return None
    orders = [
        index[0]
        for equation in problem.equations
        for _, index in derivative_symbols(equation.residual, problem.names).values()
    ]
    return 0 if max(orders, default=0) == 1 else None


def growth(block: ResidualBlock, values: Sequence[float], domain: Domain, axis: int) -> float:
    """Return the largest |u| that values grow to along an axis by an equation's terms without derivatives.

    Linearly implicit Euler steps for du/ds = f(u) = (r(0) - r(u)) / (dr/du_s), all other derivatives 0.
    What blows up, or has no value, counts for nothing.
    """
    size = len(domain.coordinates)
    value = Derivative(0, value_index(size))
    rate = Derivative(0, pure_index(axis, size))
    if value not in block.reads or rate not in block.reads or not values:
        return 0.0
    lower, upper = domain.bounding_box
    step = float(upper[axis] - lower[axis]) / _STEPS
    path = np.tile(domain.collocate(Interior(), _PLACES, variant=VARIANT).points, (_STEPS, 1, 1))
    path[:, :, axis] = lower[axis] + step * (np.arange(_STEPS) + 0.5)[:, None]
    try:
        data = torch.from_numpy(block.data(path.reshape(-1, size)).reshape(-1, *path.shape[:2]))
    except PinnkanError:
        return 0.0
    rows = block.reads.index(value), block.reads.index(rate)
    starts = torch.tensor(list(dict.fromkeys(number for number in values if number)), dtype=torch.float64)
    if not len(starts):
        return 0.0
    places = path.shape[1]
    data, u = data.repeat(1, 1, len(starts)), starts.repeat_interleave(places)
    peaks = starts.abs()
    for position in range(_STEPS):
        u = u + _increment(block, data[:, position], u, step, rows)
        peaks = torch.maximum(peaks, u.abs().view(-1, places).amax(dim=1))
    bounded = peaks.isfinite() & (peaks <= _MOST_GROWTH * starts.abs())
    return float(peaks[bounded].max()) if bounded.any() else 0.0


def _increment(
    block: ResidualBlock, data: torch.Tensor, u: torch.Tensor, step: float, rows: tuple[int, int]
) -> torch.Tensor:
    """Return h f / (1 - h f'), its denominator kept away from 0."""
    value, rate = rows
    jet = torch.zeros(len(block.reads), len(u), dtype=torch.float64)
    rest = block.residual(data, jet)
    jet[value] = u
    residual, partials = block.residual(data, jet), block.partials(data, jet)
    slope = (rest - residual) / partials[rate]
    bend = -partials[value] / partials[rate]
    return step * slope / (1.0 - step * bend).clamp(min=0.5)


def growth_of_system(
    problem: Problem, blocks: Sequence[ResidualBlock], values: Sequence[Sequence[float]], domain: Domain
) -> list[float]:
    """Return the largest |u| of every unknown in du/ds = f(u), all derivatives but those along s zero.

    From the prescribed values of largest size, by an implicit method at one place in the domain, for
    systems in which every equation takes one unknown's first derivative along time (or the only
    coordinate), and no two the same one. 0 for all where the system is another, blows up or has no value.
    Time is counted by the interval, and every unknown by its first value; one that begins at zero by what
    its first rate makes of it in that interval.
    """
    nothing = [0.0] * len(values)
    axis = marching_axis(problem)
    start = np.array([max(own, key=abs, default=0.0) for own in values])
    if axis is None or not start.any():
        return nothing
    marched = _marched(blocks, len(domain.coordinates), axis, len(values))
    if marched is None:
        return nothing
    lower, upper = domain.bounding_box
    first, length = float(lower[axis]), float(upper[axis] - lower[axis])
    place = domain.collocate(Interior(), 1, variant=VARIANT).points

    def rates(s: float, u: FloatArray) -> FloatArray:
        place[:, axis] = first + length * s
        return length * np.array([_rate(block, row, u, place) for block, row in marched])

    try:
        with np.errstate(all="ignore"):
            units = np.abs(np.where(start == 0.0, rates(0.0, start), start))
            units[~((units > 0.0) & np.isfinite(units))] = 1.0
            path = solve_ivp(
                lambda s, w: rates(s, w * units) / units,
                (0.0, 1.0),
                start / units,
                method="LSODA",
                rtol=1e-3,
                atol=1e-6,
            )
    except (PinnkanError, ValueError):
        return nothing
    peaks = np.abs(path.y).max(axis=1)
    whole = path.success and np.isfinite(peaks).all() and peaks.max() <= _MOST_GROWTH
    return (peaks * units).tolist() if whole else nothing


def _marched(
    blocks: Sequence[ResidualBlock], size: int, axis: int, count: int
) -> list[tuple[ResidualBlock, int]] | None:
    """Return, unknown by unknown, the equation with its rate and the rate's row; None if not one each."""
    rate = pure_index(axis, size)
    marched: dict[int, tuple[ResidualBlock, int]] = {}
    for block in blocks:
        rows = [(row, read.unknown) for row, read in enumerate(block.reads) if read.channel == rate]
        if isinstance(block.where, Interior) and len(rows) == 1 and rows[0][1] not in marched:
            marched[rows[0][1]] = block, rows[0][0]
    return [marched[unknown] for unknown in range(count)] if len(marched) == count else None


def _rate(block: ResidualBlock, row: int, u: FloatArray, place: FloatArray) -> float:
    """Return the rate at which an equation is met by values alone, -r(u, 0) / (dr/du_s)."""
    data, value = torch.from_numpy(block.data(place)), value_index(place.shape[1])
    jet = torch.tensor(
        [[0.0 if read.channel != value else float(u[read.unknown])] for read in block.reads],
        dtype=torch.float64,
    )
    return float(-block.residual(data, jet)[0] / block.partials(data, jet)[row, 0])
