"""The waist of the hourglass: nonlinear least squares as optimizers see it.

Minimise f(theta) = |r(theta)|^2 over a vector theta of P numbers, r of M entries.
Nothing here knows of equations, networks or adapters.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import torch
from torch import Tensor


class Linearisation(Protocol):
    """The Jacobian J (M, P) at one theta, r(theta + s) ~ r + J s; all results float64."""

    def gram(self) -> Tensor:
        """Return J^T J, shape (P, P); asked for where M >= P."""

    def kernel(self) -> Tensor:
        """Return J J^T, shape (M, M); asked for where M < P."""

    def push(self, step: Tensor) -> Tensor:
        """Return J s, shape (M,)."""

    def pull(self, residuals: Tensor) -> Tensor:
        """Return J^T y, shape (P,)."""


class LeastSquares(Protocol):
    """A residual vector as a function of theta.

    Attributes:
        size: P.
        count: M.
    """

    size: int
    count: int

    def residuals(self, theta: Tensor) -> Tensor:
        """Return r(theta), shape (M,), float64."""

    def gradient(self, theta: Tensor) -> tuple[float, Tensor]:
        """Return |r|^2 and its gradient 2 J^T r, shape (P,), float64."""

    def linearise(self, theta: Tensor) -> Linearisation:
        """Return the Jacobian at theta."""

    def row_blocks(self, theta: Tensor, columns: slice) -> Iterator[tuple[slice, Tensor, Tensor]]:
        """Yield places among the residuals, columns of the Jacobian there, (m, Q), and residuals (m,).

        A few at a time and in no order, so that memory does not grow with M.
        """


def symmetric_product(rows: Tensor) -> Tensor:
    """Return rows^T rows for rows (M, P), in their dtype.

    On a CPU through NumPy, whose BLAS call is syrk: half the flops of a general
    product (measured 2.2 times faster than torch.mm at M = 5,520, P = 2,632).
    """
    if rows.device.type != "cpu":
        return rows.T @ rows
    array = rows.numpy()
    return torch.from_numpy(array.T @ array)
