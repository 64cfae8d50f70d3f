"""Chebyshev polynomials of the first kind, T_0 ... T_{K-1} on [-1, 1]."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from pinnkan.networks.bases.base import Basis, Rows, check_functions


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
        """T_k^(m) = 2 x T_{k-1}^(m) + 2 m T_{k-1}^(m-1) - T_{k-2}^(m), the m-th derivative of the recurrence.

        It goes through S_k = T_k, T_k, -T_k, -T_k for k mod 4 = 0, 1, 2, 3, for which the
        last term has a plus sign and each step is one or two fused passes; at the end the
        signs are put right. Recurrences without x (T_k' as a sum of T_j) need fewer passes but
        cancel away from the ends: 1e-14 instead of 1e-16 at K = 16.
        """
        for m, row in enumerate(rows):
            row[0].fill_(m == 0)
            if self.functions > 1:
                row[1].copy_(x) if m == 0 else row[1].fill_(m == 1)
            for k in range(2, self.functions):
                sign = -1 if k % 2 == 0 else 1
                before = row[k - 2]
                if m:
                    before = torch.add(before, rows[m - 1][k - 1], alpha=2 * m * sign, out=row[k])
                torch.addcmul(before, x, row[k - 1], value=2 * sign, out=row[k])
        for row in rows:
            for k, term in enumerate(row):
                if k % 4 > 1:
                    term.neg_()
