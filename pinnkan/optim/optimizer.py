"""What every optimizer is to the training loop: a theta that moves, a step at a time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from torch import Tensor

from pinnkan.optim.least_squares import LeastSquares


@dataclass(frozen=True)
class Step:
    """What one step did.

    Attributes:
        loss: |r|^2 after the step.
        note: A word on the step: damping, rate, rejected trials.
        stalled: Whether no further step of this kind can lower the loss.
        residuals: r after the step, (M,), where the optimizer has it.
    """

    loss: float
    note: str
    stalled: bool = False
    residuals: Tensor | None = None


class Optimizer(ABC):
    """Minimises |r(theta)|^2 step by step.

    Attributes:
        theta: Where it stands, shape (P,), float64.
        problem: The least-squares problem; `exchange` replaces it.
    """

    theta: Tensor
    problem: LeastSquares

    @abstractmethod
    def step(self) -> Step:
        """Move theta once."""

    def exchange(self, problem: LeastSquares) -> None:
        """Go on from the same theta on other points."""
        self.problem = problem
