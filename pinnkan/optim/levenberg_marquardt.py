"""Levenberg-Marquardt: damped Gauss-Newton steps, in the smaller of two spaces.

With residuals r (M,) and Jacobian J (M, P) a step solves
    (J^T J + mu t I) s = -J^T r            (primal, P x P), or
    s = -J^T (J J^T + mu t I)^{-1} r       (dual, M x M),
which are the same s; the smaller system is taken. t is the mean diagonal of
the matrix, so that mu has no unit. Products may come in float32; the
Cholesky factorisation, the residuals and the gain ratio are float64.

Sources: Marquardt, SIAM J. Appl. Math. 11 (1963); the dual form for neural
networks: arXiv 2505.12149 (ENGD-W).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from pinnkan.optim.least_squares import LeastSquares, Linearisation
from pinnkan.optim.optimizer import Optimizer, Step

_TRIALS = 10
"""Rejected trials of one step before the optimizer calls itself stalled."""

_SMALLEST_DAMPING = 1e-13


class LevenbergMarquardt(Optimizer):
    """Damped Gauss-Newton with a gain-ratio rule for the damping.

    Args:
        problem: What to minimise.
        theta: Where to start, (P,), float64.
        damping: First mu, relative to the mean diagonal.
    """

    def __init__(self, problem: LeastSquares, theta: Tensor, *, damping: float = 1e-3) -> None:
        self.problem = problem
        self.theta = theta
        self.damping = damping
        self._residuals: Tensor | None = None

    def exchange(self, problem: LeastSquares) -> None:
        """Go on from the same theta on other points."""
        super().exchange(problem)
        self._residuals = None

    def step(self) -> Step:
        """Linearise once, then raise the damping until a trial lowers the loss.

        A step is accepted when the loss falls at all; the damping then follows
        the gain ratio rho = actual / predicted decrease: a tenth above 3/4,
        a half above 1/4, twice below.
        """
        residuals = self.problem.residuals(self.theta) if self._residuals is None else self._residuals
        loss = float(residuals @ residuals)
        if not math.isfinite(loss):
            return Step(loss, "residuals are not finite", stalled=True)
        linearisation = self.problem.linearise(self.theta)
        system = _System.of(linearisation, residuals, dual=self.problem.count < self.problem.size)
        for trial in range(_TRIALS):
            step = system.solve(self.damping)
            if step is not None:
                predicted = loss - float((residuals + linearisation.push(step)).square().sum())
                reached = self.problem.residuals(self.theta + step)
                lower = float(reached @ reached)
                if lower < loss:
                    self.theta, self._residuals = self.theta + step, reached
                    note = f"damping {self.damping:.1e}" + (f", {trial} rejected" if trial else "")
                    self._relax((loss - lower) / max(predicted, 1e-300))
                    return Step(lower, note, residuals=reached)
            # Each rejection raises it faster (4, 8, 16, ...): ten trials span all dampings, so that
            # a step after many easy ones, at 1e-13, is not mistaken for a minimum.
            self.damping = max(2.0 ** (trial + 2) * self.damping, 1e-9)
        return Step(loss, f"no decrease in {_TRIALS} trials", stalled=True, residuals=residuals)

    def _relax(self, gain: float) -> None:
        factor = 0.1 if gain > 0.75 else 0.5 if gain > 0.25 else 2.0
        self.damping = max(factor * self.damping, _SMALLEST_DAMPING)


@dataclass(frozen=True)
class _System:
    """The normal equations of one linearisation, primal or dual.

    Attributes:
        matrix: J^T J or J J^T, float64.
        right: -J^T r or -r.
        scale: Mean diagonal of ``matrix``.
    """

    linearisation: Linearisation
    dual: bool
    matrix: Tensor
    right: Tensor
    scale: float

    @classmethod
    def of(cls, linearisation: Linearisation, residuals: Tensor, *, dual: bool) -> _System:
        matrix = linearisation.kernel() if dual else linearisation.gram()
        right = -residuals if dual else -linearisation.pull(residuals)
        return cls(linearisation, dual, matrix, right, float(matrix.diagonal().mean()))

    def solve(self, damping: float) -> Tensor | None:
        """Return the step, or None where rounding left the matrix indefinite."""
        damped = self.matrix.clone()
        damped.diagonal().add_(damping * self.scale)
        factor, failed = torch.linalg.cholesky_ex(damped)
        if int(failed):
            return None
        solution = torch.cholesky_solve(self.right.unsqueeze(1), factor).squeeze(1)
        step = self.linearisation.pull(solution) if self.dual else solution
        return step if bool(torch.isfinite(step).all()) else None
