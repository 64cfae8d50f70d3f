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
from pinnkan.optim.optimizer import Optimizer, OptimizerState, Step

_MOMENTS = ("exp_avg", "exp_avg_sq")
"""What torch's Adam calls its moments."""


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

    def state(self) -> OptimizerState:
        """Return theta, both moments (none before the first step) and the number of steps."""
        moments: dict[str, Tensor] = {}
        if self._done:
            kept = [self._engine.state[part] for part in self._parts]
            moments = {name: torch.cat([one[name] for one in kept]) for name in _MOMENTS}
        return {"theta": self.theta, "done": float(self._done), **moments}

    def restore(self, state: OptimizerState) -> None:
        """Take them back."""
        done = state["done"]
        assert isinstance(done, float)
        self._done = int(done)
        sizes = [part.numel() for part in self._parts]
        pieces = {
            name: torch.split_with_sizes(value.clone(), sizes)
            for name, value in state.items()
            if isinstance(value, Tensor)
        }
        for at, part in enumerate(self._parts):
            part.copy_(pieces["theta"][at])
            if self._done:
                moments = {name: pieces[name][at].clone() for name in _MOMENTS}
                self._engine.state[part] = {"step": torch.tensor(done), **moments}

    def step(self) -> Step:
        """Move along the rescaled gradient; the loss returned is that before the move.

        The one after it would cost another evaluation of r; the next step returns it.
        """
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
