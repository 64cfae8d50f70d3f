"""Residual blocks on stored points, for many parameter values at once.

Everything that depends on no parameter is computed when a block is made: the basis
with its derivatives, weights, and what part of data and lift depends on points alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pinnkan.expressions import PointProgram
from pinnkan.problem.blocks import ResidualBlock
from pinnkan.problem.instance import Instance, family_blocks
from pinnkan.reduction.ansatz import FamilyAnsatz, Lift

FloatArray = NDArray[np.float64]

VARIANT = 1 << 20
"""Of the point sets: no training or held-out set comes near it."""

_INTERIOR = 512
_GROWTH = 4
_BOUNDARY = 256


@dataclass(frozen=True)
class OnlinePoints:
    """Where one residual block is looked at.

    Attributes:
        block: The block, its channels the same at every parameter value.
        points: Shape (N, D).
        weights: Sum 1, shape (N,).
        normals: Shape (N, d) on a boundary part, else None.
    """

    block: ResidualBlock
    points: FloatArray
    weights: FloatArray
    normals: FloatArray | None


def online_points(reference: Instance) -> list[OnlinePoints]:
    """Draw the points of every residual block: disjoint from every training and held-out set.

    A least-squares fit of networks weighs their training errors, which are rough, so the sums over
    points must be good integrals: with 1,024 instead of 8,192 points the worst error of the
    Allen-Cahn family is 8 times larger. Hence 512 * 4^(D - 1) points in the interior.
    """
    interior = _INTERIOR * _GROWTH ** (len(reference.coordinates) - 1)
    sets = []
    for block in family_blocks(reference):
        count = interior if block.where == "interior" else _BOUNDARY
        drawn = reference.domain.collocate(block.where, count, variant=VARIANT)
        sets.append(OnlinePoints(block, drawn.points, drawn.weights, drawn.normals))
    return sets


@dataclass(frozen=True)
class Bound:
    """What L parameter values make of a block: data (E, L, N) and channels of the lift (C, L, N) or None."""

    data: Tensor
    lift: Tensor | None

    def take(self, rows: Tensor) -> Bound:
        """Return the same for some of the values."""
        return Bound(self.data[:, rows], None if self.lift is None else self.lift[:, rows])


class OnlineBlock:
    """One residual block with the basis on its points.

    Args:
        place: Block and points.
        ansatz: Of the family.
        jets: Derivatives of factor * W_j that the block reads, shape (C, k, N).
    """

    def __init__(self, place: OnlinePoints, ansatz: FamilyAnsatz, jets: FloatArray) -> None:
        self.place = place
        self.jets = torch.from_numpy(np.ascontiguousarray(jets))
        self._scale = torch.from_numpy(np.sqrt(place.weights * place.block.weight))
        names, points = ansatz.reference.coordinates, place.points
        program = place.block.program
        if program.reads_normals:
            assert place.normals is not None
            names = (*names, *program.normals)
            points = np.concatenate([points, place.normals], axis=1)
        self._data = PointProgram(program.data, names, points, ansatz.parameters)
        self._lift: Lift | None = None
        if not ansatz.lift_is_zero:
            self._lift = ansatz.lift(place.points, place.block.channels)

    @property
    def is_linear(self) -> bool:
        """Whether the residual is affine in the unknown."""
        return self.place.block.program.is_linear

    @property
    def count(self) -> int:
        """Number of residuals M."""
        return len(self._scale)

    def bind(self, values: FloatArray) -> Bound:
        """Evaluate data and lift at parameter values (L, P).

        Raises:
            PinnkanError: If they have no finite value at a point.
        """
        lift = None if self._lift is None else torch.from_numpy(self._lift(values))
        return Bound(torch.from_numpy(self._data(values)), lift)

    def linearise(self, bound: Bound, c: Tensor) -> tuple[Tensor, Tensor]:
        """Return weighted residuals (L, M) and their derivatives (L, k, M) at coefficients (L, k).

        The squares of the residuals sum to the block's weighted mean square.
        """
        block, shape = self.place.block, (len(c), self.count)
        u = torch.matmul(c, self.jets)
        if bound.lift is not None:
            u = u + bound.lift
        residual = block.residual(bound.data, u).expand(shape) * self._scale
        partials = block.partials(bound.data, u) * self._scale
        slope = partials[0].expand(shape).unsqueeze(1) * self.jets[0]
        for partial, jet in zip(partials[1:], self.jets[1:], strict=True):
            slope.addcmul_(partial.unsqueeze(1), jet)
        return residual, slope
