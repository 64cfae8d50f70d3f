"""The training loop: steps, checks on held-out points, fresh points, and the reasons to stop.

Checkpoints and stops go by the held-out residual alone; the error against an
exact solution is shown, never acted on.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from torch import Tensor

from pinnkan.optim import Optimizer, Step
from pinnkan.problem.settings import PhaseSettings
from pinnkan.progress import Observer, Outcome, StepReport, StopReason
from pinnkan.training.least_squares import TrainingLeastSquares

_BLOWN_UP = 1e8
"""A loss this many times the lowest one counts as divergence."""

_ADVICE: dict[StopReason, str] = {
    "converged": "The residual fell below the tolerance.",
    "max_steps": "All steps were taken; more steps may lower the error further.",
    "stalled": "No step lowers the loss any more; use more points, a wider network or another seed.",
    "overfitting": "The held-out residual stopped falling; use more points or fresh ones (refresh).",
    "non_finite": "The loss is not finite; lower the rate, raise the damping or check the equation.",
    "time_limit": "The time limit was reached; the best state so far is kept.",
    "interrupted": "Stopped by a signal.",
}

_CHECK_EVERY = {"lm": 1, "lbfgs": 5, "adam": 50}
"""Steps between two checks; a check costs about one evaluation of the residual."""


@dataclass(frozen=True)
class Watch:
    """What is looked at beside the loss.

    Attributes:
        held_out: Residuals on points that are never trained on.
        error: Relative L2 error at theta, or None where there is no exact solution.
        observer: Who is told.
        title: What is trained.
        deadline: Reading of `time.perf_counter` at which to stop, or None.
    """

    held_out: TrainingLeastSquares
    error: Callable[[Tensor], float | None] | None
    observer: Observer
    title: str
    deadline: float | None = None

    def residual_rms(self, theta: Tensor) -> float:
        """Return the root of the held-out loss; infinity where it is not finite."""
        value = math.sqrt(float(self.held_out.residuals(theta).square().sum()))
        return value if math.isfinite(value) else math.inf


@dataclass
class Best:
    """The best state so far by the held-out residual, and how many checks ago it was."""

    theta: Tensor
    held_out: float
    waiting: int = 0

    def offer(self, theta: Tensor, held_out: float) -> None:
        """Take a state if it is better."""
        if held_out < self.held_out:
            self.theta, self.held_out, self.waiting = theta, held_out, 0
        else:
            self.waiting += 1


@dataclass(frozen=True)
class PhaseResult:
    """How a phase ended: its best theta, why it stopped, and one report a step."""

    theta: Tensor
    held_out: float
    outcome: Outcome
    reports: list[StepReport] = field(default_factory=list)


def run_phase(
    start: Callable[[TrainingLeastSquares], Optimizer],
    draw: Callable[[int], TrainingLeastSquares],
    phase: PhaseSettings,
    *,
    name: str,
    watch: Watch,
) -> PhaseResult:
    """Take the steps of one phase and return its best state.

    Args:
        start: Makes the optimizer, standing at the phase's first theta, on given residuals.
        draw: Gives the residuals on the k-th collocation sets.
        phase: Steps, refreshing, patience, tolerance.
        name: Of the phase, for reports.
        watch: What to look at and whom to tell.
    """
    watch.observer.begin(watch.title, name, phase.steps)
    current = draw(0)
    optimizer = start(current)
    best = Best(optimizer.theta, watch.residual_rms(optimizer.theta))
    reports: list[StepReport] = []
    started, lowest = time.perf_counter(), math.inf
    reason: StopReason | None = None
    for step in range(1, phase.steps + 1):
        if phase.refresh and step > 1 and (step - 1) % phase.refresh == 0:
            current = draw((step - 1) // phase.refresh)
            optimizer.exchange(current)
        done = optimizer.step()
        lowest = min(lowest, done.loss)
        checked = done.stalled or step == phase.steps or step % _CHECK_EVERY[phase.optimizer] == 0
        report = _report(step, done, current, optimizer, checked, name, started, phase, watch)
        if report.held_out is not None:
            best.offer(optimizer.theta, report.held_out)
        reports.append(report)
        watch.observer.step(report)
        reason = _reason(done, best, lowest, phase, watch)
        if reason is not None:
            break
    reason = reason or "max_steps"
    outcome = Outcome(reason, _ADVICE[reason], len(reports))
    watch.observer.end(outcome)
    return PhaseResult(best.theta, best.held_out, outcome, reports)


def _report(
    step: int,
    done: Step,
    current: TrainingLeastSquares,
    optimizer: Optimizer,
    checked: bool,
    name: str,
    started: float,
    phase: PhaseSettings,
    watch: Watch,
) -> StepReport:
    theta = optimizer.theta
    residuals = done.residuals
    if residuals is None and checked:
        residuals = current.residuals(theta)
    return StepReport(
        step=step,
        total=phase.steps,
        seconds=time.perf_counter() - started,
        phase=name,
        loss=done.loss,
        terms={} if residuals is None else current.terms(residuals),
        held_out=watch.residual_rms(theta) if checked else None,
        error=watch.error(theta) if checked and watch.error is not None else None,
        note=done.note,
    )


def _reason(done: Step, best: Best, lowest: float, phase: PhaseSettings, watch: Watch) -> StopReason | None:
    """Return why to stop now, or None to go on."""
    if not math.isfinite(done.loss) or done.loss > _BLOWN_UP * lowest:
        return "non_finite"
    if watch.observer.stop_signal is not None:
        return "interrupted"
    if done.loss < phase.tolerance**2:
        return "converged"
    if done.stalled:
        return "stalled"
    if phase.patience and best.waiting >= phase.patience:
        return "overfitting"
    if watch.deadline is not None and time.perf_counter() >= watch.deadline:
        return "time_limit"
    return None
