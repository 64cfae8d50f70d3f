"""How large the terms of a residual are: what makes a residual small, whatever the units.

The size of an equation or condition is the root mean square, over its points, of the sum of the
absolute values of its terms (`TermProgram`). Divided by it a residual has no unit: 1 is nothing, 1e-6 is
solved.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from pinnkan.geometry import CollocationSet, Interior
from pinnkan.ground.arrays import FloatArray
from pinnkan.ground.derivatives import Partial
from pinnkan.physics.blocks import ResidualBlock

_NOTHING = 1e-4
"""A term counts as zero below this share of the largest that a function of the unknown's range makes."""


def size_of(terms: FloatArray, weights: FloatArray) -> float:
    """Return the root mean square of sum_i |term_i|, from terms (T, N) and weights (N,) that sum to 1."""
    return math.sqrt(float(weights @ np.abs(terms).sum(axis=0) ** 2))


def characteristic(
    partials: Sequence[Partial], amplitudes: Sequence[float], lengths: Sequence[float]
) -> list[float]:
    """Return amplitude / prod_i lengths[i]^k_i for every derivative k of an unknown of its amplitude."""
    return [
        amplitudes[unknown] / math.prod(length**order for length, order in zip(lengths, index, strict=True))
        for unknown, index in partials
    ]


def half_wave(partials: Sequence[Partial], ranges: Sequence[float], lengths: Sequence[float]) -> list[float]:
    """Return the derivatives that half a cosine wave from end to end has, of unknowns of given ranges.

    Of no more than first order along every coordinate its mean slope, range / length; beyond that the
    largest, range / 2 * prod_i (pi / lengths[i])^k_i: five times range / length^2, as what turns has it.
    """
    turning = [length / math.pi for length in lengths]
    plain = characteristic(partials, ranges, lengths)
    waves = characteristic(partials, [0.5 * extent for extent in ranges], turning)
    return [
        wave if max(index) > 1 else slope
        for (_, index), slope, wave in zip(partials, plain, waves, strict=True)
    ]


def characteristic_terms(
    block: ResidualBlock, places: CollocationSet, amplitudes: Sequence[float], lengths: Sequence[float]
) -> FloatArray:
    """Return a block's terms (T, N) for functions of amplitudes, one an unknown, that vary over lengths."""
    derivatives = characteristic(block.summands.partials, amplitudes, lengths)
    return block.terms(places.points, places.normals, derivatives)


def judged_terms(
    block: ResidualBlock,
    places: CollocationSet,
    terms: FloatArray,
    *,
    extents: Sequence[float],
    lengths: Sequence[float],
) -> FloatArray:
    """Return the terms (T, N) whose size a block's residual is divided by.

    Where fewer than two terms are other than zero (u = 0, dn(u) = 0, w_xx = 0) the terms are those of
    functions of the unknowns' own ranges over the domain's own lengths, in conditions of half a wave.

    Args:
        block: The equation or condition.
        places: Its points.
        terms: Its terms there, (T, N).
        extents: Range of every unknown in the domain, its largest value less its smallest.
        lengths: Extents of the domain in every coordinate.
    """
    plain = characteristic_terms(block, places, extents, lengths)
    sizes, plain_sizes = (np.sqrt(np.square(rows) @ places.weights) for rows in (terms, plain))
    present = int((sizes > _NOTHING * plain_sizes.max()).sum())
    if present > 1:
        return terms
    if isinstance(block.where, Interior):
        return plain
    return block.terms(places.points, places.normals, half_wave(block.summands.partials, extents, lengths))
