"""What every optimizer is to the training loop: a theta that moves, a step at a time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from pinnkan.optim.least_squares import LeastSquares

OptimizerState = Mapping[str, Tensor | Sequence[Tensor] | float | None]
"""What an optimizer's next step depends on, by name."""


@dataclass(frozen=True)
class Step:
    """What one step did.

    Attributes:
        loss: |r|^2 after the step; of an optimizer that evaluates it once a step, the one before.
        note: A word on the step: damping, rate, rejected trials.
        stalled: Whether no further step of this kind can lower the loss.
        residuals: r after the step, (M,), where the optimizer has it.
    """

    loss: float
    note: str
    stalled: bool = False
    residuals: Tensor | None = None


@dataclass(frozen=True)
class ParameterGroup:
    """Consecutive entries of theta that an optimizer may treat by themselves.

    Attributes:
        name: Of what they are: ``core``, ``u1``, ``u2`` or ``u3`` of a Tucker form, or another word.
        where: Their place in theta.
        shape: Of their layer's coefficients: of a KAN (I, J, K).
    """

    name: str
    where: slice
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Start:
    """What an optimizer begins with, beside the keys of its own.

    Attributes:
        problem: What to minimise.
        theta: Where to start, (P,), float64.
        groups: The parts of theta, in order.
        steps: How many there will be at most.
    """

    problem: LeastSquares
    theta: Tensor
    groups: Sequence[ParameterGroup]
    steps: int


class Optimizer(ABC):
    """Minimises |r(theta)|^2 step by step.

    Attributes:
        theta: Where it stands, shape (P,), float64.
        problem: The least-squares problem; `replace_problem` puts another in its place.
    """

    theta: Tensor
    problem: LeastSquares

    @abstractmethod
    def step(self) -> Step:
        """Move theta once."""

    @abstractmethod
    def state(self) -> OptimizerState:
        """Return all that the next step depends on; later steps leave what was returned as it is."""

    @abstractmethod
    def restore(self, state: OptimizerState) -> None:
        """Stand where another of the same kind and problem stood: the next step is the same, bit by bit."""

    def replace_problem(self, problem: LeastSquares) -> None:
        """Go on from the same theta on other points."""
        self.problem = problem
