"""Levenberg-Marquardt with geodesic acceleration, in the smaller of two spaces.

With residuals r (M,) and Jacobian J (M, P) the velocity v solves
    (J^T J + mu t I) v = -J^T r            (primal, P x P), or
    v = -J^T (J J^T + mu t I)^{-1} r       (dual, M x M),
which for equal mu t are the same v; the smaller system is taken. t is the mean
diagonal of the matrix that is taken, so that mu has no unit: J^T J and J J^T have
the same trace, over P entries and over M, and one mu damps the two differently.
The acceleration a solves the same system with the second directional derivative
r'' of r along v in place of r, and the step is v + a/2: a bend along the curved
valley floor that the loss of a physics-informed network has (regression of a
hyperbolic base, 12 steps: 1.3e-4 without, 8.6e-5 with). Its price is one evaluation
of r. Where 2 |a| > 0.75 |v| the expansion does not converge, and v alone is tried.

Rows of J may be float32; their Gram matrix and its factorisation are float64.
A Gram product in float32 is wrong by 6e-8 of the largest eigenvalue, hundreds of
mean diagonals, and no damping below 1e-4 would be left to use. The exception is
the dual form's J J^T of layers that are trained in full: `OuterProducts` and
`WideRows` of `training.linearisation` multiply in the features' own dtype and
cast the product. Where rounding leaves no positive matrix, the damping rises.

Sources: Marquardt, SIAM J. Appl. Math. 11 (1963); Transtrum and Sethna, arXiv
1201.5885 (acceleration); arXiv 2505.12149, ENGD-W (the dual form for networks).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from pinnkan.optim.least_squares import LeastSquares, Linearisation
from pinnkan.optim.optimizer import Optimizer, OptimizerState, Start, Step

_TRIALS = 10
"""Rejected trials of one step before the optimizer calls itself stalled."""

_SMALLEST_DAMPING = 1e-13

_PROBE = 0.1
"""Part of the velocity over which the second directional derivative is differenced."""

_MOST_CURVATURE = 0.75
"""Largest 2 |a| / |v|: beyond it the expansion of r along v does not converge (Transtrum and Sethna)."""


class LevenbergMarquardt(Optimizer):
    """Damped Gauss-Newton steps with acceleration; the damping follows gain ratio and curvature.

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

    def state(self) -> OptimizerState:
        """Return theta, damping and the residuals at theta."""
        return {"theta": self.theta, "damping": self.damping, "residuals": self._residuals}

    def restore(self, state: OptimizerState) -> None:
        """Take them back."""
        theta, damping, residuals = state["theta"], state["damping"], state["residuals"]
        assert isinstance(theta, Tensor)
        assert isinstance(damping, float)
        assert residuals is None or isinstance(residuals, Tensor)
        self.theta, self.damping, self._residuals = theta, damping, residuals

    def replace_problem(self, problem: LeastSquares) -> None:
        """Go on from the same theta on other points."""
        super().replace_problem(problem)
        self._residuals = None

    def step(self) -> Step:
        """Linearise once, then raise the damping until a trial lowers the loss."""
        residuals = self.problem.residuals(self.theta) if self._residuals is None else self._residuals
        loss = float(residuals @ residuals)
        if not math.isfinite(loss):
            return Step(loss, "residuals are not finite", stalled=True)
        linearisation = self.problem.linearise(self.theta)
        system = _System.of(linearisation, dual=self.problem.count < self.problem.size)
        for rejected in range(_TRIALS):
            trial = self._trial(system, residuals)
            if trial is not None:
                reached = self.problem.residuals(self.theta + trial.step)
                lower = float(reached @ reached)
                if lower < loss:
                    self.theta, self._residuals = self.theta + trial.step, reached
                    note = f"damping {self.damping:.1e}" + (f", {rejected} rejected" if rejected else "")
                    gain = (loss - lower) / max(loss - trial.predicted, 1e-300)
                    self.damping = max(
                        _relaxation(gain, trial.curvature, rejected) * self.damping, _SMALLEST_DAMPING
                    )
                    return Step(lower, note, residuals=reached)
            # Each rejection raises it faster (4, 8, 16, ...): ten trials span all dampings, so that
            # a step after many easy ones, at 1e-13, is not mistaken for a minimum.
            self.damping = max(2.0 ** (rejected + 2) * self.damping, 1e-9)
        return Step(loss, f"no decrease in {_TRIALS} trials", stalled=True, residuals=residuals)

    def _trial(self, system: _System, residuals: Tensor) -> _Trial | None:
        """Return the step at the present damping, or None where rounding left no positive matrix."""
        factor = system.factor(self.damping)
        if factor is None:
            return None
        velocity = system.solve(factor, residuals)
        slope = system.linearisation.push(velocity)
        probe = self.problem.residuals(self.theta + _PROBE * velocity)
        bend = (2.0 / _PROBE) * ((probe - residuals) / _PROBE - slope)
        acceleration = system.solve(factor, bend)
        curvature = 2.0 * float(acceleration.norm()) / max(float(velocity.norm()), 1e-300)
        predicted = float((residuals + slope).square().sum())
        step = velocity + 0.5 * acceleration if curvature <= _MOST_CURVATURE else velocity
        return _Trial(step, predicted, curvature)


def make_levenberg_marquardt(start: Start, *, damping: float) -> LevenbergMarquardt:
    """Make it with its first damping."""
    return LevenbergMarquardt(start.problem, start.theta, damping=damping)


@dataclass(frozen=True)
class _Trial:
    """A step, the loss that the linear model predicts for its velocity, and 2 |a| / |v|."""

    step: Tensor
    predicted: float
    curvature: float


def _relaxation(gain: float, curvature: float, rejected: int) -> float:
    """Return the factor for the damping after a step with gain ratio actual / predicted decrease.

    Where a lower damping has just been rejected it stays about where it is: the next would
    be rejected too, at the price of a factorisation and two evaluations.
    """
    if rejected:
        return 0.7 if gain > 0.9 and curvature < 0.1 else 1.0
    return 0.1 if gain > 0.75 else 0.5 if gain > 0.25 else 2.0


@dataclass(frozen=True)
class _System:
    """The normal equations of one linearisation, primal or dual.

    Attributes:
        linearisation: J.
        dual: Whether ``matrix`` is J J^T, (M, M), or J^T J, (P, P); float64.
        scale: Mean diagonal of ``matrix``.
    """

    linearisation: Linearisation
    dual: bool
    matrix: Tensor
    scale: float

    @classmethod
    def of(cls, linearisation: Linearisation, *, dual: bool) -> _System:
        matrix = linearisation.kernel() if dual else linearisation.gram()
        return cls(linearisation, dual, matrix, float(matrix.diagonal().mean()))

    def factor(self, damping: float) -> Tensor | None:
        """Return the Cholesky factor at some damping, or None where rounding left no positive matrix."""
        damped = self.matrix.clone()
        damped.diagonal().add_(damping * self.scale)
        factor, failed = torch.linalg.cholesky_ex(damped)
        return None if int(failed) else factor

    def solve(self, factor: Tensor, residuals: Tensor) -> Tensor:
        """Return the minimiser s of |J s + residuals|^2 + mu t |s|^2, (P,)."""
        if self.dual:
            return self.linearisation.pull(-torch.cholesky_solve(residuals.unsqueeze(1), factor).squeeze(1))
        right = self.linearisation.pull(-residuals)
        return torch.cholesky_solve(right.unsqueeze(1), factor).squeeze(1)
