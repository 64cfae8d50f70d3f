"""The reduced model: for every parameter value the best combination of the basis, and its residual."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pinnkan.ground.arrays import BoolArray, FloatArray
from pinnkan.reduction.ansatz import FamilyAnsatz
from pinnkan.reduction.basis import values_of
from pinnkan.reduction.gauss_newton import minimise
from pinnkan.reduction.norm import field_root, stacked
from pinnkan.reduction.online import Bound, OnlineBlock

_CHUNK_NUMBERS = 1 << 17
"""Numbers in the Jacobians of a chunk of parameter values: 1 MB, about what a core keeps near itself."""


@dataclass(frozen=True)
class Reduced:
    """Answers at L parameter values.

    Attributes:
        c: Coefficients in the orthonormal basis, shape (L, k).
        residual: Root mean square of the averaged residual, over cells and levels, unbiased for k fitted
            numbers, over the norm, shape (L,).
        norm: Norm of the solution (`pinnkan.reduction.norm`; of one unknown its root mean square over the
            domain), shape (L,).
        steps: Linearisations that Gauss-Newton took, shape (L,).
        converged: Whether it ended, shape (L,).
    """

    c: FloatArray
    residual: FloatArray
    norm: FloatArray
    steps: NDArray[np.int64]
    converged: BoolArray


@dataclass(frozen=True)
class Basis:
    """An orthonormal basis made of snapshots.

    Attributes:
        mixing: W_j = sum_i mixing[i, j] N_i, shape (S, k).
        known: Parameter values of the snapshots, shape (S, P).
        coordinates: Coefficients of the snapshots, shape (S, k).
        values: factor * W_j at the interior points, all unknowns one behind the other, shape (k, U * N).
        jets: For every block the derivatives of factor * W_j that it reads, shape (C, k, M).
    """

    mixing: FloatArray
    known: FloatArray
    coordinates: FloatArray
    values: FloatArray
    jets: tuple[FloatArray, ...]


class ReducedModel:
    """Least squares of the residual over the span of a basis.

    Args:
        ansatz: Of the family.
        blocks: Residual blocks with the basis on their points, the equation's first.
        basis: The basis.
        count: Residuals that those of the blocks stand for; their number if not given.
    """

    def __init__(
        self,
        ansatz: FamilyAnsatz,
        blocks: Sequence[OnlineBlock],
        basis: Basis,
        *,
        count: int | None = None,
    ) -> None:
        self.ansatz, self.blocks, self.basis = ansatz, tuple(blocks), basis
        place = self.blocks[0].place
        scales = ansatz.reference.scales
        self._root = field_root(place.weights, scales)
        self._weighted = basis.values * self._root
        values = values_of(len(scales), place.points.shape[1])
        self._lift = None if ansatz.lift_is_zero else ansatz.lift(place.points, values)
        self.count = sum(block.count for block in self.blocks) if count is None else count

    @property
    def size(self) -> int:
        """Number of basis functions k."""
        return len(self.basis.values)

    def solve(self, values: FloatArray) -> Reduced:
        """Return the best combinations at parameter values (L, P), L at least 1.

        Raises:
            PinnkanError: If the problem's data have no finite value at a point.
        """
        points = sum(block.jets.shape[2] for block in self.blocks)
        chunk = max(1, _CHUNK_NUMBERS // (self.size * points))
        parts = [self._solve(values[first : first + chunk]) for first in range(0, len(values), chunk)]
        return Reduced(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))

    def _solve(self, values: FloatArray) -> tuple[np.ndarray, ...]:
        batch = _Bounded(self.blocks, [block.bind(values) for block in self.blocks])
        fit = minimise(batch, torch.from_numpy(self.start(values)))
        c = fit.c.numpy()
        norm = np.linalg.norm(self.weighted(values, c), axis=1)
        unbiased = self.count / max(1, self.count - self.size)
        residual = np.sqrt(fit.squares.numpy() * unbiased) / np.maximum(norm, np.finfo(float).tiny)
        return c, residual, norm, fit.steps.numpy(), fit.converged.numpy()

    def start(self, values: FloatArray) -> FloatArray:
        """Return coefficients (L, k) to start from, interpolated between the snapshots'."""
        known, coordinates = self.basis.known, self.basis.coordinates
        varying = np.flatnonzero(np.ptp(known, axis=0) > 0)
        if len(varying) == 1:
            (axis,) = varying
            order = np.argsort(known[:, axis])
            x, y = known[order, axis], coordinates[order]
            return np.stack([np.interp(values[:, axis], x, column) for column in y.T], axis=1)
        # Shepard's weights: the snapshot itself where a value is one.
        gaps = (values[:, None, varying] - known[:, varying]) / np.ptp(known[:, varying], axis=0)
        near = 1.0 / (np.square(gaps).sum(axis=2) + 1e-12)
        start: FloatArray = (near / near.sum(axis=1, keepdims=True)) @ coordinates
        return start

    def weighted(self, values: FloatArray, c: FloatArray) -> FloatArray:
        """Return solutions at the interior points times the root of the weights, stacked, (L, U * N)."""
        u: FloatArray = c @ self._weighted
        return u if self._lift is None else u + stacked(self._lift(values)) * self._root

    def change(self, gaps: FloatArray) -> FloatArray:
        """Return what changes of coefficients (L, k) make of solutions, as `weighted`, (L, U * N)."""
        changes: FloatArray = gaps @ self._weighted
        return changes


@dataclass(frozen=True)
class _Bounded:
    """The least-squares problems of L parameter values."""

    blocks: Sequence[OnlineBlock]
    bound: Sequence[Bound]

    @property
    def is_linear(self) -> bool:
        return all(block.is_linear for block in self.blocks)

    def linearise(self, c: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
        bound = self.bound
        if len(rows) < bound[0].data.shape[1]:
            bound = [block.take(rows) for block in bound]
        found = [block.linearise(own, c) for block, own in zip(self.blocks, bound, strict=True)]
        if len(found) == 1:
            return found[0]
        residuals, jacobians = zip(*found, strict=True)
        return torch.cat(residuals, dim=1), torch.cat(jacobians, dim=2)
