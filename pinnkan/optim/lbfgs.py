"""L-BFGS with a strong-Wolfe line search, by torch.optim.

Source: Liu and Nocedal, Math. Program. 45 (1989).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from pinnkan.optim.least_squares import LeastSquares
from pinnkan.optim.optimizer import Optimizer, OptimizerState, Start, Step

_MEMORY = ("n_iter", "d", "t", "old_dirs", "old_stps", "ro", "H_diag", "prev_flat_grad", "prev_loss")
"""What torch's L-BFGS keeps between two steps, by its names for it."""


class _Engine(torch.optim.LBFGS):
    """torch's L-BFGS, made without importing torch's compiler, which takes longer than many trainings."""

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Keep the one group as torch does, whose own function is what imports the compiler."""
        self.param_groups.append({**self.defaults, **param_group})


class LBFGS(Optimizer):
    """Limited-memory BFGS; one step is one direction and its line search.

    Args:
        problem: What to minimise.
        theta: Where to start, (P,), float64.
        history: Pairs kept.
    """

    def __init__(self, problem: LeastSquares, theta: Tensor, *, history: int = 50) -> None:
        self.problem = problem
        self._variable = theta.clone().requires_grad_(True)
        self._history = history
        self._engine = self._fresh()
        self._seen: list[_Evaluation] = []

    @property
    def theta(self) -> Tensor:  # type: ignore[override]
        """Where it stands, (P,)."""
        return self._variable.detach().clone()

    def replace_problem(self, problem: LeastSquares) -> None:
        """Go on from the same theta on other points; curvature pairs of the old ones are dropped."""
        super().replace_problem(problem)
        self._engine, self._seen = self._fresh(), []

    def state(self) -> OptimizerState:
        """Return theta, what was evaluated there, and torch's curvature pairs and line-search memory."""
        engine = self._engine.state[self._variable]
        memory = {name: _copied(engine[name]) for name in _MEMORY if name in engine}
        here = self._seen[-1:]
        known = {"loss": here[0].loss, "gradient": here[0].gradient} if here else {}
        return {"theta": self.theta, **known, **memory}

    def restore(self, state: OptimizerState) -> None:
        """Take them back."""
        theta, loss, gradient = state["theta"], state.get("loss"), state.get("gradient")
        assert isinstance(theta, Tensor)
        with torch.no_grad():
            self._variable.copy_(theta)
        self._engine = self._fresh()
        engine = self._engine.state[self._variable]
        for name in _MEMORY:
            if name in state:
                engine[name] = _copied(state[name])
        if engine:
            engine["func_evals"], engine["al"] = 0, [None] * self._history
            engine["n_iter"] = int(engine["n_iter"])
        if isinstance(loss, float) and isinstance(gradient, Tensor):
            self._seen = [_Evaluation(theta, loss, gradient)]

    def step(self) -> Step:
        """Search along one quasi-Newton direction."""
        before = self.theta
        loss = float(self._engine.step(self._closure))  # type: ignore[no-untyped-call]
        if not math.isfinite(loss):
            return Step(loss, "residuals are not finite", stalled=True)
        reached = self._evaluate()
        self._seen = [reached]
        moved = not torch.equal(before, reached.theta)
        return Step(reached.loss, "line search" if moved else "no step", stalled=not moved)

    def _fresh(self) -> _Engine:
        # Tolerances far below what a loss of 1e-12 could show: the loop decides when to stop.
        return _Engine(
            [self._variable],
            max_iter=1,
            max_eval=25,
            history_size=self._history,
            tolerance_grad=1e-16,
            tolerance_change=1e-18,
            line_search_fn="strong_wolfe",
        )

    def _closure(self) -> float:
        here = self._evaluate()
        self._variable.grad = here.gradient.clone()
        return here.loss

    def _evaluate(self) -> _Evaluation:
        """Return loss and gradient where the variable stands, computed once a place.

        The line search may go back to a place it left, and the next step asks again for the
        one that was taken.
        """
        theta = self.theta
        for evaluation in self._seen:
            if torch.equal(evaluation.theta, theta):
                return evaluation
        self._seen.append(_Evaluation(theta, *self.problem.gradient(theta)))
        return self._seen[-1]


def make_lbfgs(start: Start) -> LBFGS:
    """Make it; it has no keys of its own."""
    return LBFGS(start.problem, start.theta)


def _copied(value: Any) -> Any:
    """Return a copy that torch, which works in place, will not change."""
    if isinstance(value, Tensor):
        return value.clone()
    # Pairs are replaced, never changed: the list is copied, its tensors are not.
    return list(value) if isinstance(value, (list, tuple)) else float(value)


@dataclass(frozen=True)
class _Evaluation:
    """Loss and gradient (P,) at theta (P,)."""

    theta: Tensor
    loss: float
    gradient: Tensor
