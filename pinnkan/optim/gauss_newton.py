"""Gauss-Newton steps without damping, each a linear least-squares problem solved to all of its digits.

    theta <- theta + alpha s,    s = argmin |r(theta) + J(theta) s|,    alpha = 1, 1/2, 1/4, ...

Where r is linear in theta, as a linear equation's residual is in a network's last layer, the first step is
the solution. The problem is solved by an orthogonal triangle and its singular values (`triangle`), never by
J^T J, and rows of J are read a few at a time: M may be a hundred thousand. The normal equations of the
damped steps (`levenberg_marquardt`) end at about the root of what double precision can tell apart.

Alternating steps move one group of numbers at a time, the others held: the core and the factors of a Tucker
form each enter their layer's weights linearly (alternating least squares; Kolda and Bader, SIAM Rev. 51
(2009), section 4.2).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import Tensor

from pinnkan.optim.least_squares import LeastSquares
from pinnkan.optim.optimizer import Optimizer, OptimizerState, Start, Step
from pinnkan.optim.triangle import triangle_of

_HALVINGS = 12
"""Most often that a step is halved before the optimizer calls itself stalled."""

_PAYS = 1e-6
"""Least part of the loss that a step removes if another of the same kind is to follow."""


_ROUNDING = 1e-20
"""Part of the loss before a step that rounding may leave of it: a residual of 1e-10 of what it was."""


class GaussNewton(Optimizer):
    """Undamped least-squares steps with truncated singular values, halved until they lower the loss.

    Args:
        problem: What to minimise.
        theta: Where to start, (P,), float64.
        groups: Parts of theta that are moved in turn, one a step; together they are all of it.
        cutoff: Singular values below this share of the largest count as zero.
    """

    def __init__(
        self, problem: LeastSquares, theta: Tensor, *, groups: Sequence[slice], cutoff: float
    ) -> None:
        self.problem, self.theta = problem, theta
        self._groups, self._cutoff = groups, cutoff
        self._turn = self._idle = 0

    def state(self) -> OptimizerState:
        """Return theta, whose turn it is, and how many turns in a row have changed nothing."""
        return {"theta": self.theta, "turn": float(self._turn), "idle": float(self._idle)}

    def restore(self, state: OptimizerState) -> None:
        """Take them back."""
        theta, turn, idle = state["theta"], state["turn"], state["idle"]
        assert isinstance(theta, Tensor)
        assert isinstance(turn, float)
        assert isinstance(idle, float)
        self.theta, self._turn, self._idle = theta, int(turn), int(idle)

    def replace_problem(self, problem: LeastSquares) -> None:
        """Go on from the same theta on other points, where every group may move again."""
        super().replace_problem(problem)
        self._idle = 0

    def step(self) -> Step:
        """Solve for the group whose turn it is."""
        group = self._groups[self._turn]
        width = group.stop - group.start
        triangle = triangle_of(self.problem.row_blocks(self.theta, group), width)
        loss = triangle.loss
        if not math.isfinite(loss):
            return Step(loss, "residuals are not finite", stalled=True)
        self._turn = (self._turn + 1) % len(self._groups)
        step, rank = triangle.solve(self._cutoff)
        for halvings in range(_HALVINGS):
            theta = self.theta.clone()
            theta[group] += 0.5**halvings * step
            residuals = self.problem.residuals(theta)
            lower = float(residuals @ residuals)
            if lower < loss:
                self.theta = theta
                more = loss - lower > _PAYS * loss
                # Where the linear model told the loss, r is linear in the group and this is its minimum.
                self._idle = self._idle + 1 if not more else int(_told(loss, lower, triangle.predicted(step)))
                note = f"rank {rank} of {width}" + (f", {halvings} halvings" if halvings else "")
                return Step(lower, note, stalled=self._idle >= len(self._groups), residuals=residuals)
        self._idle += 1
        return Step(loss, "no decrease", stalled=self._idle >= len(self._groups))


def _told(before: float, loss: float, predicted: float) -> bool:
    """Tell whether a step led to the loss that its linear model predicts, as far as rounding lets it."""
    return loss - predicted <= max(_PAYS * loss, _ROUNDING * before)


def make_gauss_newton(start: Start, *, cutoff: float, alternating: bool) -> GaussNewton:
    """Make it; alternating, it goes through the groups of numbers from the network's output to its input."""
    size = len(start.theta)
    groups = [group.where for group in reversed(start.groups)] if alternating else [slice(0, size)]
    return GaussNewton(start.problem, start.theta, groups=groups, cutoff=cutoff)
