"""Adam with its own learning rate for every group of parameters, by torch.optim.

Source: Kingma and Ba, arXiv 1412.6980; learning-rate groups for the Tucker
factors: Gao, Ng, Tan, Theorem 2.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from pinnkan.optim.least_squares import LeastSquares
from pinnkan.optim.optimizer import Optimizer, Step


class Adam(Optimizer):
    """First-order steps on |r|^2 with default moments (0.9, 0.999).

    Args:
        problem: What to minimise.
        theta: Where to start, (P,), float64.
        rates: Consecutive slices of theta and their learning rates.
        steps: Length of the schedule.
        schedule: ``constant``, or ``cosine``: rate * (1 + cos(pi s / steps)) / 2.
    """

    def __init__(
        self,
        problem: LeastSquares,
        theta: Tensor,
        *,
        rates: Sequence[tuple[slice, float]],
        steps: int,
        schedule: str = "constant",
    ) -> None:
        self.problem = problem
        self._slices = [part for part, _ in rates]
        self._parts = [theta[part].clone() for part in self._slices]
        self._engine = torch.optim.Adam(
            [{"params": [part], "lr": rate} for part, (_, rate) in zip(self._parts, rates, strict=True)]
        )
        self._first = [rate for _, rate in rates]
        self._steps, self._schedule, self._done = max(1, steps), schedule, 0

    @property
    def theta(self) -> Tensor:  # type: ignore[override]
        """Where it stands, (P,)."""
        return torch.cat(self._parts)

    def step(self) -> Step:
        """Move along the rescaled gradient; the loss is that before the move."""
        scale = 1.0
        if self._schedule == "cosine":
            scale = 0.5 * (1.0 + math.cos(math.pi * self._done / self._steps))
        for group, rate in zip(self._engine.param_groups, self._first, strict=True):
            group["lr"] = scale * rate
        loss, gradient = self.problem.gradient(self.theta)
        for part, where in zip(self._parts, self._slices, strict=True):
            part.grad = gradient[where]
        self._engine.step()
        self._done += 1
        return Step(loss, f"rate x {scale:.2g}", stalled=not math.isfinite(loss))
