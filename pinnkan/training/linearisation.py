"""The Jacobian of all residuals, in the cheapest form it has.

For one layer whose coefficients are all free, row n of the Jacobian is
sum_c phi[c, n] (outer) delta[c, n]. Its part of the kernel J J^T is
    K[n, m] = sum_{c, d} (phi_c[n] . phi_d[m]) (delta_c[n] . delta_d[m]),
which costs 2 C^2 (F + J) flops an entry; forming the rows costs F J an entry
(syrk). `OuterProducts` is the first form, `Rows` the second.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from pinnkan.optim.least_squares import symmetric_product

_TILE = 256
"""Points of a kernel's tile: its products over all channels stay in cache (2,500 points: 0.38 s against
0.53 s for whole matrices, 0.33 s at the machine's matrix-product rate)."""


@dataclass(frozen=True)
class Rows:
    """Columns of the Jacobian as one matrix (M, P), in the product's dtype."""

    matrix: Tensor

    def kernel(self) -> Tensor:
        """Return J J^T, (M, M), float64."""
        return symmetric_product(self.matrix.T.to(torch.float64))

    def push(self, step: Tensor) -> Tensor:
        """Return J s, (M,)."""
        return self.matrix @ step.to(self.matrix.dtype)

    def pull(self, residuals: Tensor) -> Tensor:
        """Return J^T y, (P,)."""
        return self.matrix.T @ residuals.to(self.matrix.dtype)


@dataclass(frozen=True)
class OuterProducts:
    """Columns of one fully trained layer, as features and adjoints a training set.

    Attributes:
        phi: Features (C, N, F) of every set.
        delta: Adjoints (C, N, J) of every set.
    """

    phi: Sequence[Tensor]
    delta: Sequence[Tensor]

    @staticmethod
    def pays(channels: int, features: int, outputs: int) -> bool:
        """Say whether outer products need fewer flops than rows for the kernel."""
        return channels * (channels + 1) * (features + outputs) < features * outputs

    def kernel(self) -> Tensor:
        """Return J J^T, (M, M), float64, tile by tile of its lower half, a tile in the product's dtype."""
        tiles = list(self._tiles())
        count = sum(phi.shape[1] for phi in self.phi)
        result = self.phi[0].new_empty(count, count)
        for at, (rows, phi, delta) in enumerate(tiles):
            for columns, other_phi, other_delta in tiles[: at + 1]:
                tile = _tile(phi, delta, other_phi, other_delta)
                result[rows, columns] = tile
                result[columns, rows] = tile.T
        return result.to(torch.float64)

    def _tiles(self) -> Iterator[tuple[slice, Tensor, Tensor]]:
        """Yield the features and adjoints of a tile's points, and their rows of J."""
        start = 0
        for phi, delta in zip(self.phi, self.delta, strict=True):
            for phi_tile, delta_tile in zip(
                torch.split(phi, _TILE, dim=1), torch.split(delta, _TILE, dim=1), strict=True
            ):
                stop = start + phi_tile.shape[1]
                yield slice(start, stop), phi_tile.contiguous(), delta_tile.contiguous()
                start = stop

    def push(self, step: Tensor) -> Tensor:
        """Return J s, (M,)."""
        features, outputs = self.phi[0].shape[2], self.delta[0].shape[2]
        weight = step.to(self.phi[0].dtype).view(features, outputs)
        parts = [
            ((phi @ weight) * delta).sum(dim=(0, 2)) for phi, delta in zip(self.phi, self.delta, strict=True)
        ]
        return torch.cat(parts)

    def pull(self, residuals: Tensor) -> Tensor:
        """Return J^T y, (P,)."""
        parts = torch.split_with_sizes(residuals.to(self.phi[0].dtype), [phi.shape[1] for phi in self.phi])
        total = self.phi[0].new_zeros(self.phi[0].shape[2], self.delta[0].shape[2])
        for phi, delta, y in zip(self.phi, self.delta, parts, strict=True):
            total.addmm_(phi.flatten(0, 1).T, (delta * y.unsqueeze(1)).flatten(0, 1))
        return total.flatten()


def _tile(phi: Tensor, delta: Tensor, other_phi: Tensor, other_delta: Tensor) -> Tensor:
    """Return sum_{c, d} (phi_c . other_phi_d) (delta_c . other_delta_d) for two tiles of points."""
    features = phi.flatten(0, 1) @ other_phi.flatten(0, 1).T
    adjoints = delta.flatten(0, 1) @ other_delta.flatten(0, 1).T
    shape = (phi.shape[0], phi.shape[1], other_phi.shape[0], other_phi.shape[1])
    total = phi.new_zeros(phi.shape[1], other_phi.shape[1])
    for c in range(shape[0]):
        for d in range(shape[2]):
            total.addcmul_(features.view(shape)[c, :, d], adjoints.view(shape)[c, :, d])
    return total


@dataclass(frozen=True)
class BlockLinearisation:
    """The Jacobian as consecutive blocks of columns.

    Attributes:
        blocks: Columns in the order of theta.
        sizes: Number of columns of every block.
    """

    blocks: Sequence[Rows | OuterProducts]
    sizes: Sequence[int]

    def rows(self) -> Tensor:
        """Return J, (M, P), in the product's dtype; only where it is one matrix."""
        (rows,) = self.blocks
        assert isinstance(rows, Rows), "the primal form keeps the Jacobian as one matrix"
        return rows.matrix

    def gram(self) -> Tensor:
        """Return J^T J, (P, P), float64; only where the whole Jacobian is one matrix."""
        return symmetric_product(self.rows().to(torch.float64))

    def kernel(self) -> Tensor:
        """Return J J^T, (M, M), float64."""
        total = self.blocks[0].kernel()
        for block in self.blocks[1:]:
            total += block.kernel()
        return total

    def push(self, step: Tensor) -> Tensor:
        """Return J s, (M,), float64."""
        parts = torch.split_with_sizes(step, list(self.sizes))
        products = [block.push(part) for block, part in zip(self.blocks, parts, strict=True)]
        return torch.stack(products).sum(dim=0).to(torch.float64)

    def pull(self, residuals: Tensor) -> Tensor:
        """Return J^T y, (P,), float64."""
        return torch.cat([block.pull(residuals) for block in self.blocks]).to(torch.float64)
