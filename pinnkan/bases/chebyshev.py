"""Chebyshev polynomials of the first kind, T_0 ... T_{K-1} on [-1, 1]."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar, Literal

import torch
from torch import Tensor

from pinnkan.bases.base import Basis, Rows, check_functions


@dataclass(frozen=True)
class Chebyshev(Basis):
    """T_k(cos t) = cos(k t).

    Attributes:
        functions: K, the constant included.

    Raises:
        UsageError: If K is below 1.
    """

    functions: int
    domain: ClassVar[Literal["unit", "line"]] = "unit"

    def __post_init__(self) -> None:
        check_functions("chebyshev", self.functions)

    @property
    def size(self) -> int:
        """K."""
        return self.functions

    def values(self, x: Tensor) -> Tensor:
        """Three-term recurrence T_{k+1} = 2 x T_k - T_{k-1} (DLMF 18.9.1, table 18.9.1)."""
        terms = [torch.ones_like(x), x]
        while len(terms) < self.functions:
            terms.append(2 * x * terms[-1] - terms[-2])
        return torch.stack(terms[: self.functions], dim=-2)

    def fill(self, x: Tensor, rows: Rows) -> None:
        """Products for the values, a recurrence without x for the derivatives.

        T_{2j} = 2 T_j^2 - T_0 and T_{2j+1} = 2 T_j T_{j+1} - T_1 (DLMF 18.18.21) touch each
        row once. From 2 T_{k-1} = T_k'/k - T_{k-2}'/(k - 2) (DLMF 18.9.9 with 18.9.21),
        T_k^(m) = 2 k T_{k-1}^(m-1) + k/(k - 2) T_{k-2}^(m), two passes where
        differentiating the three-term recurrence takes three.
        """
        _fill_values(x, rows[0])
        for lower, upper in pairwise(rows):
            upper[0].zero_()
            for k in range(1, self.functions):
                torch.mul(lower[k - 1], 2 * k if k > 1 else 1, out=upper[k])
                if k > 2:
                    upper[k].add_(upper[k - 2], alpha=k / (k - 2))


def _fill_values(x: Tensor, row: Sequence[Tensor]) -> None:
    row[0].fill_(1)
    if len(row) > 1:
        row[1].copy_(x)
    minus = (torch.full_like(x, -1), -x)
    for k in range(2, len(row)):
        torch.addcmul(minus[k % 2], row[k // 2], row[k - k // 2], value=2, out=row[k])
