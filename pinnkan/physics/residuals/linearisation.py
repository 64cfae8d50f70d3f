"""The Jacobian of all residuals, in the cheapest form it has.

For one layer whose coefficients are all free, row n of the Jacobian is
sum_c phi[c, n] (outer) delta[c, n]. Its part of the kernel J J^T is
    K[n, m] = sum_{c, d} (phi_c[n] . phi_d[m]) (delta_c[n] . delta_d[m]),
which costs 2 C^2 (F + J) flops an entry; forming the rows costs F J an entry
(syrk). `OuterProducts` is the first form, `Rows` the second. Residuals averaged
by S (`averages.Averages`) have the Jacobian S J: few averages over many points
are cheapest as rows of their own, never formed from those of J.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from pinnkan.optim.least_squares import symmetric_product
from pinnkan.physics.residuals.averages import Averages

_TILE = 256
"""Points of a kernel's tile: its products over all channels stay in cache (2,500 points: 0.38 s against
0.53 s for whole matrices, 0.33 s at the machine's matrix-product rate)."""
_CHUNK = 2_000_000
"""Entries of rows that are taken to float64 at a time, so as not to hold all of them twice."""


@dataclass(frozen=True)
class Rows:
    """Columns of the Jacobian as one matrix (M, P), in the product's dtype; averages in float64."""

    matrix: Tensor

    def kernel(self) -> Tensor:
        """Return J J^T, (M, M), float64."""
        return symmetric_product(self.matrix.T.to(torch.float64))

    def averaged(self, averages: Averages) -> Rows:
        """Return S J, float64: sums rounded to float32 cost adapters up to 2.8 times the error."""
        result = self.matrix.new_empty(sum(averages.counts), self.matrix.shape[1], dtype=torch.float64)
        width = max(1, _CHUNK // len(self.matrix))
        for columns, part in zip(
            torch.split(self.matrix, width, dim=1), torch.split(result, width, dim=1), strict=True
        ):
            part.copy_(torch.sparse.mm(averages.matrix, columns.to(torch.float64)))
        return Rows(result)

    def push(self, step: Tensor) -> Tensor:
        """Return J s, (M,)."""
        return self.matrix @ step.to(self.matrix.dtype)

    def pull(self, residuals: Tensor) -> Tensor:
        """Return J^T y, (P,)."""
        return self.matrix.T @ residuals.to(self.matrix.dtype)


@dataclass(frozen=True)
class WideRows(Rows):
    """Columns of one fully trained layer: their kernel is made as exactly as that of `OuterProducts`."""

    def kernel(self) -> Tensor:
        """Return J J^T, (M, M), float64, from products in their own dtype."""
        return symmetric_product(self.matrix.T).to(torch.float64)


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
        for place, (rows, phi, delta) in enumerate(tiles):
            for columns, other_phi, other_delta in tiles[: place + 1]:
                tile = _tile(phi, delta, other_phi, other_delta)
                result[rows, columns] = tile
                result[columns, rows] = tile.T
        return result.to(torch.float64)

    def averaged(self, averages: Averages) -> WideRows | AveragedProducts:
        """Return S J, as rows or as products, whichever needs fewer flops for the kernel."""
        channels, count, features = max(phi.shape[0] for phi in self.phi), sum(averages.points), self.phi[0]
        outputs = self.delta[0].shape[2]
        rows, entries = sum(averages.counts), features.shape[2] * outputs
        as_rows = entries * (rows**2 + 2 * averages.entries * channels)
        as_products = (count * channels) ** 2 * (features.shape[2] + outputs)
        return AveragedProducts(self, averages) if as_products < as_rows else WideRows(self._rows(averages))

    def _rows(self, averages: Averages) -> Tensor:
        """Return S J, (M', F J): row i is sum_c phi[c, near]^T (weights delta[c, near])."""
        features, outputs = self.phi[0].shape[2], self.delta[0].shape[2]
        result = self.phi[0].new_empty(sum(averages.counts), features, outputs)
        start = 0
        for near, weights, phi, delta in zip(
            averages.near, averages.weights, self.phi, self.delta, strict=True
        ):
            shares = weights.to(delta.dtype).unsqueeze(2)
            for i in range(len(near)):
                left = phi.index_select(1, near[i]).flatten(0, 1)
                right = (delta.index_select(1, near[i]) * shares[i]).flatten(0, 1)
                torch.mm(left.T, right, out=result[start + i])
            start += len(near)
        return result.flatten(1)

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


@dataclass(frozen=True)
class AveragedProducts:
    """Columns S J of one fully trained layer, J as outer products."""

    products: OuterProducts
    averages: Averages

    def kernel(self) -> Tensor:
        """Return S J J^T S^T, (M', M'), float64."""
        half = torch.sparse.mm(self.averages.matrix, self.products.kernel())
        product: Tensor = torch.sparse.mm(self.averages.matrix, half.T.contiguous())
        return product

    def push(self, step: Tensor) -> Tensor:
        """Return S J s, (M',)."""
        return torch.mv(self.averages.matrix, self.products.push(step).to(torch.float64))

    def pull(self, residuals: Tensor) -> Tensor:
        """Return J^T S^T y, (P,)."""
        return self.products.pull(torch.mv(self.averages.transposed, residuals))


Block = Rows | OuterProducts | AveragedProducts


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

    blocks: Sequence[Block]
    sizes: Sequence[int]

    def averaged(self, averages: Averages) -> BlockLinearisation:
        """Return S J."""
        plain = [block for block in self.blocks if not isinstance(block, AveragedProducts)]
        assert len(plain) == len(self.blocks), "residuals are averaged once"
        return BlockLinearisation([block.averaged(averages) for block in plain], self.sizes)

    def gram(self) -> Tensor:
        """Return J^T J, (P, P), float64; only where the whole Jacobian is one matrix."""
        (rows,) = self.blocks
        assert isinstance(rows, Rows), "the primal form keeps the Jacobian as one matrix"
        return symmetric_product(rows.matrix.to(torch.float64))

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
