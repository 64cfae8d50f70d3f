"""Adam with its own learning rate for every group of parameters, by torch.optim's update.

Source: Kingma and Ba, arXiv 1412.6980; learning-rate groups for the Tucker
factors: Gao, Ng, Tan, Theorem 2.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.optim.adam import adam

from pinnkan.optim.least_squares import LeastSquares
from pinnkan.optim.optimizer import Optimizer, OptimizerState, Start, Step
from pinnkan.optim.rates import rates_for

_MOMENTS = ("exp_avg", "exp_avg_sq")
"""What torch's Adam calls its moments, the running means of the gradient and of its square."""


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
        self._moments = {name: [torch.zeros_like(part) for part in self._parts] for name in _MOMENTS}
        self._rates = [rate for _, rate in rates]
        self._steps, self._schedule, self._done = max(1, steps), schedule, 0

    @property
    def theta(self) -> Tensor:  # type: ignore[override]
        """Where it stands, (P,)."""
        return torch.cat(self._parts)

    def state(self) -> OptimizerState:
        """Return theta, both moments (none before the first step) and the number of steps."""
        moments = {name: torch.cat(values) for name, values in self._moments.items()} if self._done else {}
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
        for part, value in zip(self._parts, pieces["theta"], strict=True):
            part.copy_(value)
        for name, moments in self._moments.items():
            for number, moment in enumerate(moments):
                moment.copy_(pieces[name][number] if self._done else torch.zeros_like(moment))

    def step(self) -> Step:
        """Move along the rescaled gradient; the loss returned is that before the move.

        The one after it would cost another evaluation of r; the next step returns it.
        """
        scale = 1.0
        if self._schedule == "cosine":
            scale = 0.5 * (1.0 + math.cos(math.pi * self._done / self._steps))
        loss, gradient = self.problem.gradient(self.theta)
        for number, (where, rate) in enumerate(zip(self._slices, self._rates, strict=True)):
            self._move(number, gradient[where], scale * rate)
        self._done += 1
        return Step(loss, f"rate x {scale:.2g}", stalled=not math.isfinite(loss))

    def _move(self, number: int, gradient: Tensor, rate: float) -> None:
        """Update one slice of theta and its moments in place.

        torch's function, not its class: making a ``torch.optim.Adam`` imports torch's compiler, which takes
        longer than many trainings.
        """
        mean, mean_square = (self._moments[name][number] for name in _MOMENTS)
        adam(
            [self._parts[number]],
            [gradient],
            [mean],
            [mean_square],
            max_exp_avg_sqs=[],
            state_steps=[torch.tensor(float(self._done))],
            amsgrad=False,
            beta1=0.9,
            beta2=0.999,
            lr=rate,
            weight_decay=0.0,
            eps=1e-8,
            maximize=False,
        )


def make_adam(start: Start, *, rates: str | Sequence[float], rate: float, schedule: str) -> Adam:
    """Make it with the rates of a strategy; arguments as in `rates_for`."""
    own = rates_for(start.groups, rates, rate)
    return Adam(start.problem, start.theta, rates=own, steps=start.steps, schedule=schedule)
