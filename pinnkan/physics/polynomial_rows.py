"""Statements linearised in polynomials: rows of the least squares that correct or size a solution."""

from __future__ import annotations

import numpy as np
import torch

from pinnkan.geometry import CollocationSet
from pinnkan.ground.arrays import FloatArray
from pinnkan.physics.blocks import ResidualBlock
from pinnkan.physics.polynomials import Polynomials


def polynomial_rows(
    block: ResidualBlock, places: CollocationSet, polynomials: Polynomials, u: FloatArray, unknowns: int
) -> tuple[FloatArray, FloatArray]:
    """Return sum_alpha dR/du_alpha d^alpha T_p and R(u), of an integral their means.

    Args:
        block: The statement R.
        places: Its N points.
        polynomials: T_p, P of them.
        u: The derivatives ``block.reads`` there, (C, N).
        unknowns: How many unknowns the problem has, U.

    Returns:
        The derivative in every unknown's polynomials, (M, U, P), and the residual, (M,).

    Raises:
        PinnkanError: If the data have no finite value at a point.
    """
    points, jet = places.points, torch.from_numpy(u)
    data = torch.from_numpy(np.ascontiguousarray(block.data(points, places.normals)))
    residual: FloatArray = np.broadcast_to(block.residual(data, jet).numpy(), (len(points),))
    rows = np.zeros((len(points), unknowns, polynomials.count))
    if block.reads:
        for (unknown, channel), slope in zip(block.reads, block.partials(data, jet).numpy(), strict=True):
            factor = np.broadcast_to(slope, residual.shape)[:, None]
            rows[:, unknown] += factor * polynomials.derivative(channel, points)
    return places.means(rows), places.means(residual)
