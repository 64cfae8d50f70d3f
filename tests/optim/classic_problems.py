"""Least-squares problems of a few unknowns with exact Jacobians, for the tests of optimizers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Explicit:
    """A Jacobian that is there as a matrix."""

    matrix: Tensor

    def gram(self) -> Tensor:
        return self.matrix.T @ self.matrix

    def kernel(self) -> Tensor:
        return self.matrix @ self.matrix.T

    def push(self, step: Tensor) -> Tensor:
        return self.matrix @ step

    def pull(self, residuals: Tensor) -> Tensor:
        return self.matrix.T @ residuals


class Classic:
    """r(theta) as a torch function; its Jacobian by autograd. Counts its evaluations."""

    def __init__(self, function: Callable[[Tensor], Tensor], size: int) -> None:
        self.function, self.size = function, size
        self.count = len(function(torch.ones(size, dtype=torch.float64)))
        self.evaluations = {"residuals": 0, "gradient": 0, "linearise": 0}

    def residuals(self, theta: Tensor) -> Tensor:
        self.evaluations["residuals"] += 1
        return self.function(theta).detach()

    def gradient(self, theta: Tensor) -> tuple[float, Tensor]:
        self.evaluations["gradient"] += 1
        residuals, jacobian = self.function(theta), self._jacobian(theta)
        return float(residuals @ residuals), 2 * jacobian.T @ residuals

    def linearise(self, theta: Tensor) -> Explicit:
        self.evaluations["linearise"] += 1
        return Explicit(self._jacobian(theta))

    def row_blocks(self, theta: Tensor, columns: slice) -> Iterator[tuple[slice, Tensor, Tensor]]:
        """Yield a row at a time."""
        matrix, residuals = self._jacobian(theta), self.function(theta).detach()
        for row in range(self.count):
            place = slice(row, row + 1)
            yield place, matrix[place, columns], residuals[place]

    def _jacobian(self, theta: Tensor) -> Tensor:
        return torch.autograd.functional.jacobian(self.function, theta)


def rosenbrock() -> Classic:
    """r = (10 (y - x^2), 1 - x): a curved valley, solution (1, 1)."""
    return Classic(lambda t: torch.stack([10 * (t[1] - t[0] ** 2), 1 - t[0]]), 2)


def linear(count: int, size: int) -> tuple[Classic, Tensor, Tensor]:
    """Return the problem A theta - b with A and b."""
    generator = torch.Generator().manual_seed(count)
    matrix = torch.randn(count, size, generator=generator, dtype=torch.float64)
    right = torch.randn(count, generator=generator, dtype=torch.float64)
    return Classic(lambda t: matrix @ t - right, size), matrix, right


def cubic_system(count: int, size: int) -> Classic:
    """r = B(theta - t) + (B(theta - t))^3 with a known root t: zero residual, full rank there."""
    generator = torch.Generator().manual_seed(7)
    matrix = torch.randn(count, size, generator=generator, dtype=torch.float64)
    root = torch.full((size,), 0.5, dtype=torch.float64)

    def residuals(theta: Tensor) -> Tensor:
        y = matrix @ (theta - root)
        return y + y**3

    return Classic(residuals, size)
