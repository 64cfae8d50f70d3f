"""Residual blocks on stored points, for many parameter values at once.

Everything that depends on no parameter is computed when a block is made: the basis
with its derivatives, weights, and what part of data and lift depends on points alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import sympy
import torch
from torch import Tensor

from pinnkan.geometry import CollocationSet, Interior
from pinnkan.ground.arrays import FloatArray
from pinnkan.language.expressions import PointProgram, substitute, symbol
from pinnkan.physics.blocks import ResidualBlock
from pinnkan.physics.instance import Instance
from pinnkan.reduction.ansatz import FamilyAnsatz, Lift
from pinnkan.reduction.cells import in_cells

VARIANT = 1 << 20
"""Of the point sets: no training or held-out set comes near it."""

_INTERIOR = {1: 1024, 2: 4096}
_MOST_INTERIOR = 8192
_BOUNDARY = 256
_CELL = 8
_LEVELS = (4, 16, 64)
_FEWEST_CELLS = 8


@dataclass(frozen=True)
class OnlinePoints:
    """Where one residual block is looked at.

    Attributes:
        block: The block, its channels the same at every parameter value.
        points: Shape (N, D).
        weights: Sum 1, shape (N,).
        normals: Shape (N, d) on a boundary part, else None.
        cell: Number of points that are averaged over; point i of cell j is the (i * cells + j)-th.
        levels: Numbers of neighbouring cells that are averaged over as well.
    """

    block: ResidualBlock
    points: FloatArray
    weights: FloatArray
    normals: FloatArray | None
    cell: int = 1
    levels: tuple[int, ...] = ()


def online_points(reference: Instance) -> list[OnlinePoints]:
    """Draw the points of every residual block: disjoint from every training and held-out set.

    The training errors of networks are rough, so sums over points must be good integrals: with 1,024
    instead of 8,192 points the worst error of the Allen-Cahn family (three coordinates) is 8 times larger.
    """
    interior = _INTERIOR.get(len(reference.coordinates), _MOST_INTERIOR)
    sets = []
    for block in reference.family_blocks:
        inside = isinstance(block.where, Interior)
        drawn = reference.domain.collocate(block.where, interior if inside else _BOUNDARY, variant=VARIANT)
        if not inside:
            sets.append(_as_drawn(block, drawn))
            continue
        lower, upper = reference.domain.bounding_box
        order, filling = in_cells(drawn.points / (upper - lower), _CELL)
        cell, cells = order.shape
        levels = tuple(level for level in _LEVELS if cells // level >= _FEWEST_CELLS)
        order, filling = order.ravel(), filling.ravel()
        weights = np.where(filling, 0.0, drawn.weights[order])
        normals = None if drawn.normals is None else drawn.normals[order]
        sets.append(OnlinePoints(block, drawn.points[order], weights, normals, cell, levels))
    return sets


def _as_drawn(block: ResidualBlock, drawn: CollocationSet) -> OnlinePoints:
    """Return the points of a condition, or those of a constraint with one cell for every integral."""
    order = np.arange(len(drawn.points)).reshape(-1, drawn.together).T.ravel()
    normals = None if drawn.normals is None else drawn.normals[order]
    return OnlinePoints(block, drawn.points[order], drawn.weights[order], normals, drawn.together)


@dataclass(frozen=True)
class Bound:
    """What L parameter values make of a block: data (E, L, N) and channels of the lift (C, L, N) or None."""

    data: Tensor
    lift: Tensor | None

    def take(self, rows: Tensor) -> Bound:
        """Return the same for some of the values."""
        return Bound(self.data[:, rows], None if self.lift is None else self.lift[:, rows])


class OnlineBlock:
    """One residual block, over the size of its terms, with the basis on its points.

    Args:
        place: Block and points.
        ansatz: Of the family.
        jets: Derivatives of factor * W_j that the block reads, shape (C, k, N).
    """

    def __init__(self, place: OnlinePoints, ansatz: FamilyAnsatz, jets: FloatArray) -> None:
        self.place = place
        self.jets = torch.from_numpy(np.ascontiguousarray(jets))
        # A mean over a cell is sum(w r) / sum(w), weighted by the root of sum(w).
        weights = place.weights.reshape(place.cell, -1)
        roots = np.sqrt(weights.sum(axis=0))
        own = math.sqrt(place.block.weight) / ansatz.reference.sizes[place.block.name]
        scale = weights * own / np.where(roots > 0, roots, 1.0)
        self._scale = torch.from_numpy(scale.ravel())
        self._roots = torch.from_numpy(roots)
        names, points = ansatz.reference.coordinates, place.points
        program = place.block.program
        if program.reads_normals:
            assert place.normals is not None
            names = (*names, *program.normals)
            points = np.concatenate([points, place.normals], axis=1)
        # An integral knows the size of the domain, which is the same at all parameter values.
        still = {n: v for n, v in place.block.values.items() if n not in ansatz.parameters}
        numbers = {symbol(name): sympy.Float(value) for name, value in still.items()}
        data = [substitute(expr, numbers) for expr in program.data] if numbers else program.data
        self._data = PointProgram(data, names, points, ansatz.parameters)
        self._lift: Lift | None = None
        if not ansatz.lift_is_zero:
            self._lift = ansatz.lift(place.points, place.block.reads)

    @property
    def is_linear(self) -> bool:
        """Whether the residual is affine in the unknown."""
        return self.place.block.program.is_linear

    @property
    def count(self) -> int:
        """Number of smallest cells M."""
        return len(self._scale) // self.place.cell

    def bind(self, values: FloatArray) -> Bound:
        """Evaluate data and lift at parameter values (L, P).

        Raises:
            PinnkanError: If they have no finite value at a point.
        """
        lift = None if self._lift is None else torch.from_numpy(self._lift(values))
        return Bound(torch.from_numpy(self._data(values)), lift)

    def linearise(self, bound: Bound, c: Tensor) -> tuple[Tensor, Tensor]:
        """Return weighted mean residuals of the cells of all levels, (L, M'), and derivatives (L, k, M').

        Their squares sum to the weighted mean square of the averaged residual, in the mean over levels.

        Args:
            bound: Of the parameter values.
            c: Coefficients, shape (L, k).
        """
        residual, slope = self.cells(bound, c)
        return self.levelled(residual), self.levelled(slope)

    def levelled(self, rows: Tensor) -> Tensor:
        """Return means over the cells of all levels, from those over the smallest (..., M)."""
        levels, roots = self.place.levels, self._roots
        if not levels:
            return rows
        sums, parts = rows * roots, [rows]
        for level in levels:
            whole = roots.square().reshape(-1, level).sum(1).sqrt()
            parts.append(sums.reshape(*sums.shape[:-1], -1, level).sum(-1) / whole)
        return torch.cat(parts, dim=-1) / math.sqrt(len(parts))

    def cells(self, bound: Bound, c: Tensor) -> tuple[Tensor, Tensor]:
        """Return weighted mean residuals of the smallest cells (L, M) and their derivatives (L, k, M).

        Args:
            bound: Of the parameter values.
            c: Coefficients, shape (L, k).
        """
        block, shape = self.place.block, (len(c), len(self._scale))
        u = torch.matmul(c, self.jets)
        if bound.lift is not None:
            u = u + bound.lift
        residual = block.residual(bound.data, u).expand(shape) * self._scale
        partials = block.partials(bound.data, u) * self._scale
        slope = partials[0].expand(shape).unsqueeze(1) * self.jets[0]
        for partial, jet in zip(partials[1:], self.jets[1:], strict=True):
            slope.addcmul_(partial.unsqueeze(1), jet)
        if self.place.cell == 1:
            return residual, slope
        return self._sums(residual), self._sums(slope)

    def _sums(self, values: Tensor) -> Tensor:
        """Sum over the points of each cell, (..., N) to (..., M)."""
        return values.reshape(*values.shape[:-1], self.place.cell, -1).sum(-2)
