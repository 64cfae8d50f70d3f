"""The triangle of a tall matrix from a few of its rows at a time: QR in bounded memory.

With [J | r] = Q T, T upper triangular of order P + 1, and a further block of rows B,
    qr([T; B]) = Q' T'
gives the triangle of [J | r; B]: what was read may be forgotten. T = [R q; 0 rho] holds all of the problem
min |J s + r|^2 = min |R s + q|^2 + rho^2. J^T J would hold it too, but at the square of J's condition: half
of the digits.

Source: Demmel, Grigori, Hoemmen, Langou, SIAM J. Sci. Comput. 34 (2012), sequential TSQR.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

_ROWS = 2048
"""Fewest rows that are reduced at a time."""
_SHARE = 4
"""And fewest over the columns: a reduction costs 2 (rows + P) P^2 flops, of which those of P are the price
of forgetting."""


@dataclass(frozen=True)
class Triangle:
    """min |J s + r|^2 as min |R s + q|^2 + rest.

    Attributes:
        matrix: R, (P, P), upper triangular, float64.
        right: q, (P,).
        rest: What no s removes, rho^2; together with |q|^2 it is |r|^2.
    """

    matrix: Tensor
    right: Tensor
    rest: float

    @property
    def loss(self) -> float:
        """|r|^2."""
        return float(self.right.square().sum()) + self.rest

    def predicted(self, step: Tensor) -> float:
        """Return |J s + r|^2 at a step s (P,)."""
        return float((self.matrix @ step + self.right).square().sum()) + self.rest

    def solve(self, cutoff: float) -> tuple[Tensor, int]:
        """Return the shortest minimiser s (P,) and the rank that it is of.

        Columns are divided by their norms first, so that the rank does not depend on their units; the
        length is that of the divided s.

        Args:
            cutoff: Singular values below this share of the largest count as zero.
        """
        sizes = self.matrix.norm(dim=0)
        sizes = torch.where(sizes > 0.0, sizes, torch.ones_like(sizes))
        left, values, right = torch.linalg.svd(self.matrix / sizes)
        kept = values > cutoff * values[0]
        inner = (left[:, kept].T @ self.right) / values[kept]
        return -(right[kept].T @ inner) / sizes, int(kept.sum())


def triangle_of(blocks: Iterable[tuple[slice, Tensor, Tensor]], columns: int) -> Triangle:
    """Return the triangle of J (M, P) beside r (M,).

    Args:
        blocks: Some rows at a time: which, of J (m, P), and of r (m,); in any order.
        columns: P.
    """
    reduced: Tensor | None = None
    waiting: list[Tensor] = []
    count = 0
    for _, rows, residuals in blocks:
        waiting.append(torch.cat([rows.to(torch.float64), residuals.unsqueeze(1)], dim=1))
        count += len(rows)
        if count >= max(_ROWS, _SHARE * columns):
            reduced, waiting, count = _reduced(reduced, waiting), [], 0
    if waiting or reduced is None:
        reduced = _reduced(reduced, waiting or [torch.zeros(1, columns + 1, dtype=torch.float64)])
    if len(reduced) <= columns:
        reduced = torch.nn.functional.pad(reduced, (0, 0, 0, columns + 1 - len(reduced)))
    return Triangle(reduced[:-1, :-1], reduced[:-1, -1], float(reduced[-1, -1]) ** 2)


def _reduced(before: Tensor | None, rows: list[Tensor]) -> Tensor:
    stacked = torch.cat(rows if before is None else [before, *rows])
    triangular: Tensor = torch.linalg.qr(stacked, mode="r").R
    return triangular
