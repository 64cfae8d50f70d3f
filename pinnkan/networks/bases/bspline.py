"""B-splines on uniform knots over [-1, 1], with the SiLU branch of the first KANs.

Knots t_i = -1 + (i - p) h, h = 2 / G, extend p cells beyond both ends, so that
the K = G + p splines of degree p sum to 1 on all of [-1, 1] (de Boor, A
Practical Guide to Splines, chapter IX). An edge has one coefficient more, for
silu(x) = x / (1 + exp(-x)) (Liu et al., KAN, arXiv 2404.19756, section 2.2).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import ClassVar, Literal

import numpy as np
import torch
from numpy.polynomial import Polynomial
from torch import Tensor

from pinnkan.ground.errors import UsageError
from pinnkan.networks.bases.base import Basis, Rows, check_functions


@dataclass(frozen=True)
class BSpline(Basis):
    """Splines b_0 ... b_{K-1} and, last, SiLU.

    Attributes:
        functions: K = G + p, splines on an edge.
        degree: p, at least 1.

    Raises:
        UsageError: If the degree is below 1 or there is no cell: K at most p.
    """

    functions: int
    degree: int = 3
    domain: ClassVar[Literal["unit", "line"]] = "unit"

    def __post_init__(self) -> None:
        if self.degree < 1:
            raise UsageError(f"network.degree: expected 1 or more, found {self.degree}")
        check_functions(f"bspline of degree {self.degree}", self.functions, self.degree + 1)

    @property
    def size(self) -> int:
        """K + 1, with the SiLU coefficient."""
        return self.functions + 1

    @property
    def cells(self) -> int:
        """G, knot intervals in [-1, 1]."""
        return self.functions - self.degree

    def values(self, x: Tensor) -> Tensor:
        """Cox-de Boor recurrence, then SiLU."""
        return torch.stack([*self._splines(x)[-1], x * torch.sigmoid(x)], dim=-2)

    def fill(self, x: Tensor, rows: Rows) -> None:
        """Derivative m as m-th differences of the splines of degree p - m.

        d/dx b_{i,p} = (b_{i,p-1} - b_{i+1,p-1}) / h (de Boor, chapter X, on uniform knots).
        """
        splines = self._splines(x)
        sigmoid = torch.sigmoid(x)
        for order, planes in enumerate(rows):
            _silu_derivative(x, sigmoid, order, planes[-1])
            if order > self.degree:
                for plane in planes[:-1]:
                    plane.zero_()
                continue
            terms = splines[self.degree - order]
            for _ in range(order):
                terms = [left - right for left, right in pairwise(_padded(terms))]
            for plane, term in zip(planes, terms, strict=False):
                torch.mul(term, (self.cells / 2) ** order, out=plane)

    def embedding(self, finer: Basis) -> Tensor:
        """Knot insertion: exact where every old knot is a new one, G' = m G.

        In cell units B(u) = sum_q c_q B(m u - q), c_q the coefficients of
        m^{-p} (1 + z + ... + z^{m-1})^{p+1} (de Boor, chapter IX, on uniform knots). Spline i starts at
        knot i - p, so its finest part is the new spline m (i - p) + p.

        Raises:
            UsageError: If the cells of the other basis do not divide those of this one.
        """
        if not isinstance(finer, BSpline) or finer.degree != self.degree or finer.cells % self.cells:
            advice = ", ".join(str(m * self.cells + self.degree) for m in (2, 3, 4))
            raise UsageError(
                f"functions: a B-spline basis of {self.functions} with degree {self.degree} has {self.cells} "
                f"cells, which others must divide evenly: {advice}, ...; found {finer.size - 1}"
            )
        times = finer.cells // self.cells
        relation = Polynomial(np.ones(times)) ** (self.degree + 1) / times**self.degree
        result = torch.zeros(finer.size, self.size, dtype=torch.float64)
        result[-1, -1] = 1.0
        for spline in range(self.functions):
            first = times * (spline - self.degree) + self.degree
            for finest, weight in enumerate(relation.coef, start=first):
                if 0 <= finest < finer.functions:
                    result[finest, spline] = float(weight)
        return result

    def _splines(self, x: Tensor) -> list[list[Tensor]]:
        """Splines of degrees 0 ... p that touch [-1, 1]; entry d holds G + d, each (*B, I).

        In cell units u from the left end the knots are integers and row r of degree d
        starts at s = r - d: d b_{s,d} = (u - s) b_{s,d-1} + (s + d + 1 - u) b_{s+1,d-1}
        = (u - s) (b_{s,d-1} - b_{s+1,d-1}) + (d + 1) b_{s+1,d-1}. Points beyond the ends
        take the outermost cell's polynomials, so that 1 itself belongs to the last cell.
        """
        u = (x + 1) * (self.cells / 2)
        cell = u.detach().floor().clamp(0, self.cells - 1)
        from_knot = {s: u - s for s in range(-self.degree, self.cells)}
        splines = [[(cell == index).to(x.dtype) for index in range(self.cells)]]
        for d in range(1, self.degree + 1):
            terms = [
                torch.addcmul(right * ((d + 1) / d), from_knot[row - d], left - right, value=1 / d)
                for row, (left, right) in enumerate(pairwise(_padded(splines[-1])))
            ]
            splines.append(terms)
        return splines


def _padded(terms: list[Tensor]) -> list[Tensor]:
    """The terms between two zeros."""
    zero = torch.zeros_like(terms[0])
    return [zero, *terms, zero]


@lru_cache(maxsize=64)
def _sigmoid_polynomial(order: int) -> tuple[float, ...]:
    """Coefficients of the m-th derivative of the sigmoid s in powers of s, from s' = s - s^2."""
    polynomial = Polynomial([0.0, 1.0])
    for _ in range(order):
        polynomial = polynomial.deriv() * Polynomial([0.0, 1.0, -1.0])
    return tuple(float(c) for c in polynomial.coef)


def _silu_derivative(x: Tensor, sigmoid: Tensor, order: int, out: Tensor) -> None:
    """Write silu^(m) = x s^(m) + m s^(m-1) into ``out`` (Leibniz)."""
    torch.mul(x, _horner(_sigmoid_polynomial(order), sigmoid), out=out)
    if order:
        out.add_(_horner(_sigmoid_polynomial(order - 1), sigmoid), alpha=order)


def _horner(coefficients: tuple[float, ...], s: Tensor) -> Tensor:
    result = torch.full_like(s, coefficients[-1])
    for c in reversed(coefficients[:-1]):
        result.mul_(s).add_(c)
    return result
