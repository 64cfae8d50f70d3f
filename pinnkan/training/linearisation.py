"""The Jacobian of all residuals, in the cheapest form it has.

For one layer whose coefficients are all free, row n of the Jacobian is
sum_c phi[c, n] (outer) delta[c, n]. Its part of the kernel J J^T is
    K[n, m] = sum_{c, d} (phi_c[n] . phi_d[m]) (delta_c[n] . delta_d[m]),
which costs 2 C^2 (F + J) flops an entry; forming the rows costs F J an entry
(syrk). `OuterProducts` is the first form, `Rows` the second.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from pinnkan.optim.least_squares import symmetric_product


@dataclass(frozen=True)
class Rows:
    """Columns of the Jacobian as one matrix (M, P), in the product's dtype."""

    matrix: Tensor

    def kernel(self) -> Tensor:
        """Return J J^T, (M, M)."""
        return symmetric_product(self.matrix.T)

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
        """Return J J^T, (M, M): every pair of sets, every pair of channels once."""
        sizes = [phi.shape[1] for phi in self.phi]
        starts = [sum(sizes[:at]) for at in range(len(sizes))]
        result = self.phi[0].new_zeros(sum(sizes), sum(sizes))
        for a in range(len(sizes)):
            for b in range(a + 1):
                rows = slice(starts[a], starts[a] + sizes[a])
                columns = slice(starts[b], starts[b] + sizes[b])
                result[rows, columns] = self._symmetric(a) if a == b else self._mixed(a, b)
                if a != b:
                    result[columns, rows] = result[rows, columns].T
        return result

    def _symmetric(self, at: int) -> Tensor:
        phi, delta = self.phi[at], self.delta[at]
        total = phi.new_zeros(phi.shape[1], phi.shape[1])
        for c in range(phi.shape[0]):
            for d in range(c):
                total.addcmul_(phi[c] @ phi[d].T, delta[c] @ delta[d].T)
        total += total.T.clone()
        for c in range(phi.shape[0]):
            total.addcmul_(symmetric_product(phi[c].T), symmetric_product(delta[c].T))
        return total

    def _mixed(self, a: int, b: int) -> Tensor:
        total = self.phi[a].new_zeros(self.phi[a].shape[1], self.phi[b].shape[1])
        for phi, delta in zip(self.phi[a], self.delta[a], strict=True):
            for other_phi, other_delta in zip(self.phi[b], self.delta[b], strict=True):
                total.addcmul_(phi @ other_phi.T, delta @ other_delta.T)
        return total

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
        return symmetric_product(self.rows()).to(torch.float64)

    def kernel(self) -> Tensor:
        """Return J J^T, (M, M), float64."""
        total = self.blocks[0].kernel()
        for block in self.blocks[1:]:
            total += block.kernel()
        return total.to(torch.float64)

    def push(self, step: Tensor) -> Tensor:
        """Return J s, (M,), float64."""
        parts = torch.split_with_sizes(step, list(self.sizes))
        products = [block.push(part) for block, part in zip(self.blocks, parts, strict=True)]
        return torch.stack(products).sum(dim=0).to(torch.float64)

    def pull(self, residuals: Tensor) -> Tensor:
        """Return J^T y, (P,), float64."""
        return torch.cat([block.pull(residuals) for block in self.blocks]).to(torch.float64)
