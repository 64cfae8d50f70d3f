"""Taylor basis: the monomials 1, x, ..., x^{K-1} on [-1, 1]."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar, Literal

import numpy as np
import torch
from numpy.polynomial.chebyshev import poly2cheb
from torch import Tensor

from pinnkan.networks.bases.base import Basis, Rows, check_functions
from pinnkan.networks.bases.chebyshev import Chebyshev


@dataclass(frozen=True)
class Taylor(Basis):
    """Powers about 0; ill-conditioned beyond a dozen functions, kept because the method's paper uses it.

    Chebyshev coefficients turned into powers and back lose digits as well: 1e-14 of a function's size at
    K = 8, 1e-11 at 16, 1e-9 at 20.

    Attributes:
        functions: K, the constant included.

    Raises:
        UsageError: If K is below 1.
    """

    functions: int
    domain: ClassVar[Literal["unit", "line"]] = "unit"

    def __post_init__(self) -> None:
        check_functions("taylor", self.functions)

    @property
    def size(self) -> int:
        """K."""
        return self.functions

    @property
    def conditioned(self) -> Chebyshev:
        """Chebyshev polynomials of the same degrees."""
        return Chebyshev(self.functions)

    def embedding(self, finer: Basis) -> Tensor:
        """See `Basis.embedding`; Chebyshev polynomials contain the powers too."""
        if not isinstance(finer, Chebyshev) or finer.size < self.size:
            return super().embedding(finer)
        result = torch.zeros(finer.size, self.size, dtype=torch.float64)
        for k, power in enumerate(np.eye(self.size)):
            series = poly2cheb(power[: k + 1])
            result[: len(series), k] = torch.from_numpy(series)
        return result

    def values(self, x: Tensor) -> Tensor:
        """x^{k+1} = x x^k."""
        terms = [torch.ones_like(x)]
        while len(terms) < self.functions:
            terms.append(x * terms[-1])
        return torch.stack(terms, dim=-2)

    def fill(self, x: Tensor, rows: Rows) -> None:
        """d^m x^k = k d^{m-1} x^{k-1}: one pass a row."""
        rows[0][0].fill_(1)
        for before, after in pairwise(rows[0]):
            torch.mul(x, before, out=after)
        for lower, upper in pairwise(rows):
            upper[0].zero_()
            for k in range(1, self.functions):
                torch.mul(lower[k - 1], k, out=upper[k])
