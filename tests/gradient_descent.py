"""An optimizer that the package does not have, and all that one needs: its class, its keys, its row.

Tests put the row into the table of optimizers and train with it through the whole program.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor

from pinnkan.ground.keys import key
from pinnkan.optim.kinds import OptimizerKind
from pinnkan.optim.least_squares import LeastSquares
from pinnkan.optim.optimizer import Optimizer, OptimizerState, Start, Step


class GradientDescent(Optimizer):
    """Steps along the negative gradient of |r|^2; the rate grows every step, a failure halves it."""

    def __init__(self, problem: LeastSquares, theta: Tensor, *, rate: float, growth: float) -> None:
        self.problem, self.theta = problem, theta
        self._rate, self._growth = rate, growth

    def step(self) -> Step:
        loss, gradient = self.problem.gradient(self.theta)
        if not math.isfinite(loss):
            return Step(loss, "residuals are not finite", stalled=True)
        self._rate *= self._growth
        for _ in range(60):
            reached = self.theta - self._rate * gradient
            residuals = self.problem.residuals(reached)
            lower = float(residuals @ residuals)
            if lower < loss:
                self.theta = reached
                return Step(lower, f"rate {self._rate:.1e}", residuals=residuals)
            self._rate /= 2
        return Step(loss, "no step", stalled=True)

    def state(self) -> OptimizerState:
        return {"theta": self.theta, "rate": self._rate}

    def restore(self, state: OptimizerState) -> None:
        assert isinstance(state["theta"], Tensor)
        assert isinstance(state["rate"], float)
        self.theta, self._rate = state["theta"], state["rate"]


@dataclass(frozen=True)
class GradientDescentKeys:
    """``rate`` is Adam's key as well, with another default; ``growth`` is no other optimizer's."""

    rate: float = key(1e-2, low=0.0)
    growth: float = key(1.5, low=1.0, high=4.0)


def make_gradient_descent(start: Start, *, rate: float, growth: float) -> GradientDescent:
    return GradientDescent(start.problem, start.theta, rate=rate, growth=growth)


GRADIENT_DESCENT = OptimizerKind(
    "descent",
    "Gradient descent",
    f"{__name__}:make_gradient_descent",
    GradientDescentKeys,
    check_every=2,
    conditioned=False,
)
