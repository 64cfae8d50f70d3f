"""Legendre polynomials P_0 ... P_{K-1} on [-1, 1], scaled to P_k(1) = 1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from pinnkan.networks.bases.base import Basis, Rows, check_functions


@dataclass(frozen=True)
class Legendre(Basis):
    """Orthogonal on [-1, 1] with weight 1.

    Attributes:
        functions: K, the constant included.

    Raises:
        UsageError: If K is below 1.
    """

    functions: int
    domain: ClassVar[Literal["unit", "line"]] = "unit"

    def __post_init__(self) -> None:
        check_functions("legendre", self.functions)

    @property
    def size(self) -> int:
        """K."""
        return self.functions

    def values(self, x: Tensor) -> Tensor:
        """Three-term recurrence (k + 1) P_{k+1} = (2k + 1) x P_k - k P_{k-1} (DLMF table 18.9.1)."""
        terms = [torch.ones_like(x), x]
        while len(terms) < self.functions:
            k = len(terms) - 1
            terms.append(((2 * k + 1) * x * terms[-1] - k * terms[-2]) / (k + 1))
        return torch.stack(terms[: self.functions], dim=-2)

    def fill(self, x: Tensor, rows: Rows) -> None:
        """The m-th derivative of the recurrence, in two fused passes for m = 0 and three beyond.

        k P_k^(m) = (2k - 1) (x P_{k-1}^(m) + m P_{k-1}^(m-1)) - (k - 1) P_{k-2}^(m). (The sum
        P_k' = P_{k-2}' + (2k - 1) P_{k-1} is cheaper and cancels away from the ends.)
        """
        for m, row in enumerate(rows):
            row[0].fill_(m == 0)
            if self.functions > 1:
                row[1].copy_(x) if m == 0 else row[1].fill_(m == 1)
            for k in range(2, self.functions):
                slope = (2 * k - 1) / k
                torch.mul(row[k - 2], (1 - k) / k, out=row[k])
                if m:
                    row[k].add_(rows[m - 1][k - 1], alpha=m * slope)
                row[k].addcmul_(x, row[k - 1], value=slope)
