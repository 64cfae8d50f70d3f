"""Gauss-Newton for many small least-squares problems at once.

Each parameter value has its own k coefficients; all share shapes, so a step is a
handful of batched products and one batched Cholesky factorisation of (L, k, k).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

_MOST_STEPS = 30
_MOST_HALVINGS = 8
_NEGLIGIBLE = 1e-7
"""Relative size of the last step: near the minimum of a small residual the error behind it is its square."""
_RIDGE = 1e-14


class Batch(Protocol):
    """L least-squares problems in k coefficients each."""

    @property
    def is_linear(self) -> bool:
        """Whether residuals are affine in the coefficients."""
        ...

    def linearise(self, c: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Return residuals (A, M) and Jacobians (A, k, M) of the problems ``rows`` at c (A, k)."""
        ...


@dataclass(frozen=True)
class Fit:
    """Where Gauss-Newton ended.

    Attributes:
        c: Coefficients, shape (L, k).
        squares: Sums of squares there, shape (L,).
        steps: Linearisations, shape (L,).
        converged: Whether the last step was negligible, shape (L,).
    """

    c: Tensor
    squares: Tensor
    steps: Tensor
    converged: Tensor


def minimise(problems: Batch, start: Tensor) -> Fit:
    """Minimise all sums of squares, each from its start.

    Args:
        problems: The L problems.
        start: Shape (L, k).

    A full step that would let the sum of squares grow, or end where it is not finite, is halved
    until it does not, eight times at most. A negligible step is taken without another look: the sum of
    squares behind it is that of the linear model.
    """
    fit = _Fitting(problems, start)
    for _ in range(_MOST_STEPS):
        if not len(fit.open):
            break
        fit.advance()
    return Fit(fit.c, fit.squares, fit.steps, fit.converged)


class _Fitting:
    """All problems under way; those in ``open`` go on."""

    def __init__(self, problems: Batch, start: Tensor) -> None:
        count = len(start)
        self._problems = problems
        self.c = start.clone()
        self.squares = start.new_full((count,), torch.inf)
        self.steps = torch.zeros(count, dtype=torch.int64)
        self.converged = torch.zeros(count, dtype=torch.bool)
        self.open = torch.arange(count)
        self._step = torch.zeros_like(self.c)
        self._halvings = torch.zeros(count, dtype=torch.int64)

    def advance(self) -> None:
        """Linearise at the open problems' trial points, accept or halve, and plan the next steps."""
        rows = self.open
        trial = self.c[rows] + self._step[rows]
        residual, jacobian = self._problems.linearise(trial, rows)
        squares = residual.square().sum(1)
        self.steps[rows] += 1
        # The slack lets a step through that changes nothing but the last bits.
        falls = squares <= self.squares[rows] * (1 + 1e-12)
        worse, better = rows[~falls], rows[falls]
        self._step[worse] *= 0.5
        self._halvings[worse] += 1
        self.c[better], self.squares[better], self._halvings[better] = trial[falls], squares[falls], 0
        self._plan(better, residual[falls], jacobian[falls])
        self.open = rows[~self.converged[rows] & (self._halvings[rows] <= _MOST_HALVINGS)]

    def _plan(self, rows: Tensor, residual: Tensor, jacobian: Tensor) -> None:
        step = gauss_newton_step(jacobian, residual)
        ends = step.norm(dim=1) <= _NEGLIGIBLE * self.c[rows].norm(dim=1)
        if self._problems.is_linear:
            ends = torch.isfinite(step).all(1)
        behind = residual + torch.einsum("ak,akm->am", step, jacobian)
        self._step[rows] = step
        done = rows[ends]
        self.c[done] += step[ends]
        self.squares[done] = behind[ends].square().sum(1)
        self.converged[done] = True


def gauss_newton_step(jacobian: Tensor, residual: Tensor) -> Tensor:
    """Return the minimisers d of |r + J^T d|^2.

    Normal equations, scaled to a unit diagonal; a ridge of rounding size keeps the factorisation from
    failing where two columns agree to half of all digits.

    Args:
        jacobian: Shape (A, k, M).
        residual: Shape (A, M).

    Returns:
        Shape (A, k); not finite where the factorisation failed.
    """
    normal = jacobian @ jacobian.mT
    slope = jacobian @ residual.unsqueeze(2)
    size = normal.diagonal(dim1=1, dim2=2).clamp_min(torch.finfo(normal.dtype).tiny).rsqrt().unsqueeze(2)
    scaled = normal * size * size.mT
    scaled.diagonal(dim1=1, dim2=2).add_(_RIDGE * normal.shape[1])
    factor, _ = torch.linalg.cholesky_ex(scaled)
    step = -size * torch.cholesky_solve(size * slope, factor)
    return step.squeeze(2)
