"""Constants that enclose a solution: what leaves them is another one.

A stationary equation R(x, u, grad u, ...) = 0 whose second-order part is definite is written so that this
part is negative, -a u_xx, and a condition so that its outward derivative, or the unknown, counts positive.
A constant m at which all these residuals are <= 0 is a subsolution, a constant M at which they are >= 0
a supersolution; if m <= M there is a solution between them (Amann, SIAM Review 18, 1976; terms grow at most
quadratically in the gradient). A linear problem has no other; a nonlinear one may, and a small residual does
not tell them apart: T^4 radiates below zero as it does above.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from pinnkan.geometry import CollocationSet, Interior
from pinnkan.ground.arrays import FloatArray
from pinnkan.ground.derivatives import Channel, lowered, pure_index, terms_of, value_index
from pinnkan.ground.errors import PinnkanError
from pinnkan.physics.blocks import ResidualBlock
from pinnkan.physics.instance import Instance

_INTERIOR, _BOUNDARY, _SEED = 1024, 256, 0
_VARIANT = 7
_LADDER = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 64.0)
"""Constants that are tried, over the unknown's scale, of either sign."""


@dataclass(frozen=True)
class Bracket:
    """Constants between which a solution lies that is not the one found.

    Attributes:
        low: The lower constant.
        high: The upper constant.
        beyond: How far the solution found goes beyond them, in the unknown's unit.
    """

    low: float
    high: float
    beyond: float


def bracket_left(instance: Instance, lowest: float, highest: float) -> Bracket | None:
    """Return the bracket that values from lowest to highest leave by the most, the narrowest of several.

    None if they leave none.

    None, too, where nothing is known: in time (an initial value has one continuation), of a linear problem,
    of one that is not elliptic, and where a part of the boundary has no condition or two.
    """
    if not _is_candidate(instance):
        return None
    scale = instance.scales[0]
    constants = sorted([0.0, *(sign * factor * scale for factor in _LADDER for sign in (1, -1))])
    blocks = [(block, _places(instance, block)) for block in (*instance.equations, *instance.conditions)]
    with np.errstate(all="ignore"):
        signs = {constant: [_sign(*block, constant) for block in blocks] for constant in constants}
    below = [c for c in constants if all(sign is not None and sign <= 0 for sign in signs[c])]
    above = [c for c in constants if all(sign is not None and sign >= 0 for sign in signs[c])]
    brackets = [
        (low, min(high for high in above if high >= low))
        for low in below
        if low <= max(above, default=low - 1.0)
    ]
    left = [Bracket(low, high, max(low - lowest, highest - high)) for low, high in brackets]
    worst = max(left, key=lambda item: (item.beyond, item.low - item.high), default=None)
    return worst if worst is not None and worst.beyond > 0.0 else None


def _is_candidate(instance: Instance) -> bool:
    """Tell whether a problem is stationary, nonlinear and at most of second order, with a condition a part.

    A constraint is one statement too many. Beyond the second order there is no maximum principle.
    """
    problem = instance.problem
    parts = [part for condition in problem.boundary for part in condition.parts]
    blocks = (*instance.equations, *instance.conditions)
    return (
        problem.time is None
        and not problem.constraints
        and all(condition.portion is None for condition in problem.boundary)
        and len(instance.equations) == 1
        and sorted(parts) == sorted(instance.domain.shape.parts)
        and all(sum(partial.orders) <= 2 for block in blocks for partial in block.summands.partials)
        and not all(block.program.is_linear for block in blocks)
    )


def _places(instance: Instance, block: ResidualBlock) -> CollocationSet:
    count = _INTERIOR if isinstance(block.where, Interior) else _BOUNDARY
    return instance.domain.collocate(block.where, count, rule="sobol", seed=_SEED, variant=_VARIANT)


def _sign(block: ResidualBlock, places: CollocationSet, constant: float) -> int | None:
    """Return the sign of a block's residual at u = constant: -1 or 1, 0 if it vanishes; None if it has both.

    None, too, where the block has no orientation or no value there.
    """
    value = value_index(places.points.shape[1])
    channels = _channels(block)
    u = torch.zeros(len(channels), len(places.points), dtype=torch.float64)
    if value in channels:
        u[channels.index(value)] = constant
    try:
        data = torch.from_numpy(block.data(places.points, places.normals))
    except PinnkanError:
        return None
    partials = np.stack([np.broadcast_to(p, u.shape[1:]) for p in block.partials(data, u).numpy()])
    orientation = _orientation(block, places, partials)
    residual = orientation * np.broadcast_to(block.residual(data, u).numpy(), u.shape[1:])
    if not orientation or not np.isfinite(residual).all():
        return None
    if (residual == 0.0).all():
        return 0
    return 1 if (residual >= 0.0).all() else -1 if (residual <= 0.0).all() else None


def _orientation(block: ResidualBlock, places: CollocationSet, partials: FloatArray) -> int:
    """Return the sign that a block's residual is multiplied by; 0 where there is none.

    Args:
        block: The equation or condition.
        places: Its points.
        partials: Derivatives of its residual in its channels at a constant, (C, N).
    """
    size, channels = places.points.shape[1], _channels(block)
    if isinstance(block.where, Interior):
        leading = np.linalg.eigvalsh(-_second_order(channels, partials, size))
    elif all(channel == value_index(size) for channel in channels):
        leading = partials if block.program.is_linear else np.zeros(1)
    else:
        assert places.normals is not None
        slopes = [pure_index(axis, size) for axis in range(size)]
        rows = [(axis, channels.index(slope)) for axis, slope in enumerate(slopes) if slope in channels]
        leading = sum((places.normals[:, axis] * partials[row] for axis, row in rows), np.zeros(1))
    return 1 if (leading > 0.0).all() else -1 if (leading < 0.0).all() else 0


def _channels(block: ResidualBlock) -> tuple[Channel, ...]:
    """Return what a block of a problem with one unknown reads of it."""
    return tuple(channel for _, channel in block.reads)


def _second_order(channels: tuple[Channel, ...], partials: FloatArray, size: int) -> FloatArray:
    """Return the matrix C of the second-order part sum_ij C_ij u_ij, (N, D, D)."""
    matrix = np.zeros((partials.shape[1], size, size))
    for channel, values in zip(channels, partials, strict=True):
        for index, factor in terms_of(channel):
            if sum(index) == 2:
                first, rest = lowered(index)
                second, _ = lowered(rest)
                matrix[:, first, second] += factor * values / 2
                matrix[:, second, first] += factor * values / 2
    return matrix
