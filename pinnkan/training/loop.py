"""The training loop: steps, checks on held-out points, fresh points, and the reasons to stop.

Checkpoints and stops go by the held-out residual alone, in a phase with ``sparsity``
together with its penalty; the error against an exact solution is shown, never acted on.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from torch import Tensor

from pinnkan.ground.progress import Observer, Outcome, StepReport, StopReason
from pinnkan.language.settings.blocks import PhaseSettings
from pinnkan.optim.optimizer import Optimizer, OptimizerState, Step
from pinnkan.physics.residuals.least_squares import TrainingLeastSquares
from pinnkan.training.goal import NOT_YET, Goal, Look
from pinnkan.training.levels import OVERFITTED

_BLOWN_UP = 1e8
"""A loss this many times the lowest one counts as divergence; see `_Phase._scale`."""

_LEAST_SCALE = 1e-6
"""Lower losses count as this one: at an exact solution both kinds of points leave rounding errors alone."""

_ADVICE: dict[StopReason, str] = {
    "converged": "The residual fell below its bound (residual_below).",
    "tolerance": "The estimate of the error fell below the tolerance.",
    "exhausted": "No refinement lowers the estimate of the error enough to pay; the best level is kept.",
    "max_steps": "All steps were taken.",
    "stalled": "No step lowers the loss any more; use more points, a wider network or another seed.",
    "overfitting": "The held-out residual stopped falling; use more points or fresh ones (refresh).",
    "settled": "The residual falls too slowly for more steps to pay.",
    "non_finite": "The loss is not finite; lower the rate, raise the damping or check the equation.",
    "time_limit": "The time limit was reached; the best state so far is kept.",
}

_ADVICE_FALLING = "All steps were taken; more steps may lower the error further."

_ADVICE_BLOWN_UP = f"The loss rose by a factor of {_BLOWN_UP:.0e}; lower the rate or raise the damping."


class HeldOut(Protocol):
    """Residuals that are looked at and not minimised."""

    def residuals(self, theta: Tensor) -> Tensor:
        """Return them, (M,), float64."""


@dataclass(frozen=True)
class Watch:
    """What is looked at beside the loss.

    Attributes:
        held_out: Residuals on points that are never trained on, followed by the penalty of a phase with
            ``sparsity``: by the residual alone its best state is the least sparse one, and nothing is pruned.
            In a phase with ``balance`` over the sizes of their terms at the theta that is judged.
        error: Relative L2 error at theta, or None where there is no exact solution.
        observer: Who is told.
        title: What is trained.
        deadline: Reading of `time.perf_counter` at which to stop, or None.
        goal: A tolerance of the error; None trains until more does not pay.
    """

    held_out: HeldOut
    error: Callable[[Tensor], float | None] | None
    observer: Observer
    title: str
    deadline: float | None = None
    goal: Goal | None = None

    def residual_rms(self, theta: Tensor) -> float:
        """Return the root of the held-out loss; infinity where it is not finite."""
        value = math.sqrt(float(self.held_out.residuals(theta).square().sum()))
        return value if math.isfinite(value) else math.inf


_PAYS = 2 / 3
"""The held-out residual must fall to so much of what it was within ``patience`` checks."""

_FAR, _PAYS_FAR = 1e-2, 0.9
"""Above this held-out residual nothing is solved, and so little progress pays: the wave equation from c = 1
to 1.5 lowers it by a fifth in ten steps for seventy steps, then 400 times in seventy more."""

_AS_GOOD = 1.1
"""Held-out residuals up to so many times the lowest count as equal to it."""


@dataclass
class Best:
    """The best state so far by the held-out residual, and how long that has hardly fallen.

    The residual on held-out points is an estimate: of states within a tenth of the lowest the
    latest is taken, whose training loss is the lower one.

    Attributes:
        theta: The best state.
        held_out: Its held-out residual.
        lowest: Lowest held-out residual so far.
        mark: The lowest one when ``waiting`` last began at 0.
        waiting: Checks since then; it begins again where the lowest one falls to `_PAYS` of the mark,
            far from a solution to `_PAYS_FAR`.
    """

    theta: Tensor
    held_out: float
    lowest: float
    mark: float
    waiting: int = 0

    def offer(self, theta: Tensor, held_out: float, *, keep: str = "best") -> None:
        """Take a state if it is better, or as good and later; any finite one where the last is kept."""
        self.lowest = min(self.lowest, held_out)
        self.waiting += 1
        if self.lowest < (_PAYS_FAR if self.lowest > _FAR else _PAYS) * self.mark:
            self.mark, self.waiting = self.lowest, 0
        if held_out <= _AS_GOOD * self.lowest or (keep == "last" and math.isfinite(held_out)):
            self.theta, self.held_out = theta, held_out


@dataclass(frozen=True)
class PointsState:
    """How training goes on the present points.

    Attributes:
        lowest: Lowest loss on them; infinity right after an exchange of points.
        age: Steps on them.
        epoch: How often points were exchanged.
        drawn_at: Where theta stood when they were drawn, on which they may depend; None of an older state.
        stuck: Whether the last step stalled.
    """

    lowest: float = math.inf
    age: int = 0
    epoch: int = 0
    stuck: bool = False
    drawn_at: Tensor | None = None


@dataclass(frozen=True)
class PhaseState:
    """Where a phase stands between two steps: all that its next step depends on.

    Attributes:
        optimizer: See `Optimizer.state`.
        best: The best state so far.
        points: How it goes on the present points.
        seconds: Wall time since the phase began.
        steps: Taken in this phase.
        reports: One a step; the first ``steps`` of them belong to this state.
        look: The last look at the error; none before the first.
    """

    optimizer: OptimizerState
    best: Best
    points: PointsState
    seconds: float
    steps: int
    reports: list[StepReport]
    look: Look = NOT_YET


@dataclass(frozen=True)
class PhaseResult:
    """How a phase ended: its best theta, why it stopped, and one report a step."""

    theta: Tensor
    held_out: float
    outcome: Outcome
    reports: list[StepReport] = field(default_factory=list)


_FALLING = 0.9
"""A residual still falls if the last quarter of its checks has lowered the lowest by a tenth."""


def still_falling(held_out: Sequence[float | None]) -> bool:
    """Tell whether the held-out residual still fell in the last quarter of a phase.

    Args:
        held_out: After every step; None between checks.
    """
    checked = [value for value in held_out if value is not None]
    before = checked[: len(checked) - max(1, len(checked) // 4)]
    return bool(before) and min(checked) < _FALLING * min(before)


def run_phase(
    start: Callable[[TrainingLeastSquares], Optimizer],
    draw: Callable[[int, Tensor | None], TrainingLeastSquares],
    phase: PhaseSettings,
    *,
    name: str,
    watch: Watch,
    keep: Callable[[PhaseState], None] = lambda _: None,
    state: PhaseState | None = None,
) -> PhaseResult:
    """Take the steps of one phase and return its best state.

    Args:
        start: Makes the optimizer, standing at the phase's first theta, on given residuals.
        draw: Gives the residuals on the k-th collocation sets, drawn at a theta; None: at the phase's first.
        phase: Steps, refreshing, patience, bound of the residual.
        name: Of the phase, for reports.
        watch: What to look at and whom to tell.
        keep: Given the state after every step but one that ends the phase: from any of these states
            the phase goes on to the same end, bit by bit.
        state: One of an earlier run to go on from.
    """
    watch.observer.begin(watch.title, name, phase.steps)
    work = _Phase(start, draw, phase, name, watch, state)
    reason: StopReason | None = None
    while reason is None and len(work.reports) < phase.steps:
        reason = work.advance()
        if reason is None:
            keep(work.state())
    reason = work.concluded(reason or "max_steps")
    outcome = Outcome(reason, work.advice(reason), len(work.reports))
    watch.observer.end(outcome)
    return PhaseResult(work.best.theta, work.best.held_out, outcome, work.reports)


class _Phase:
    """The state of a phase between two steps; arguments as in `run_phase`.

    Attributes:
        best: The best state so far.
        reports: One a step.
    """

    def __init__(
        self,
        start: Callable[[TrainingLeastSquares], Optimizer],
        draw: Callable[[int, Tensor | None], TrainingLeastSquares],
        phase: PhaseSettings,
        name: str,
        watch: Watch,
        state: PhaseState | None,
    ) -> None:
        self._draw, self._phase, self._name, self._watch = draw, phase, name, watch
        drawn = PointsState() if state is None else state.points
        self._current = draw(drawn.epoch, drawn.drawn_at)
        self._optimizer = start(self._current)
        self._drawn_at = self._optimizer.theta if drawn.drawn_at is None else drawn.drawn_at
        if state is None:
            theta = self._optimizer.theta
            held_out = watch.residual_rms(theta)
            best = Best(theta, held_out, held_out, held_out)
            state = PhaseState({}, best, PointsState(), seconds=0.0, steps=0, reports=[])
        else:
            self._optimizer.restore(state.optimizer)
        self.reports, self.best, self._look = state.reports[: state.steps], replace(state.best), state.look
        self._started, points = time.perf_counter() - state.seconds, state.points
        self._lowest, self._age, self._epoch, self._stuck = (
            points.lowest,
            points.age,
            points.epoch,
            points.stuck,
        )

    def state(self) -> PhaseState:
        """Return where it stands; later steps leave it as it is."""
        return PhaseState(
            self._optimizer.state(),
            replace(self.best),
            PointsState(self._lowest, self._age, self._epoch, self._stuck, self._drawn_at),
            seconds=time.perf_counter() - self._started,
            steps=len(self.reports),
            reports=self.reports,
            look=self._look,
        )

    def advance(self) -> StopReason | None:
        """Take one step, report it, and return why to stop, or None to go on."""
        if self._phase.refresh and (self._stuck or self._age == self._phase.refresh):
            self._exchange_points()
        done = self._optimizer.step()
        self._age += 1
        self._lowest = min(self._lowest, done.loss)
        # Where fresh points may follow, a stall brings them forward; on fresh points it is the end.
        self._stuck = done.stalled and bool(self._phase.refresh) and self._age > 1
        reason = self._reason(done)
        report = self._report(done, checked=self._checks(reason))
        self.reports.append(report)
        self._watch.observer.step(report)
        if report.held_out is not None:
            self.best.offer(self._optimizer.theta, report.held_out, keep=self._phase.ending.keep)
        if reason is None and report.held_out is not None and self._meets_the_goal():
            return "tolerance"
        if reason is None and 0 < self._phase.ending.patience <= self.best.waiting:
            apart = report.held_out is not None and report.held_out > OVERFITTED * math.sqrt(done.loss)
            return "overfitting" if apart else "settled"
        return reason

    def concluded(self, reason: StopReason) -> StopReason:
        """Return why the phase ended: whatever ended it, its best state may be within the tolerance."""
        if reason in ("tolerance", "non_finite") or not self._meets_the_goal(at_the_end=True):
            return reason
        return "tolerance"

    def _meets_the_goal(self, *, at_the_end: bool = False) -> bool:
        """Tell whether the best state is within the tolerance, if it deserves an estimate or is the last."""
        goal = self._watch.goal
        if goal is None or not (at_the_end or goal.is_due(self._look, self.best.held_out)):
            return False
        self._look = goal.look(self.best.theta, self.best.held_out)
        return goal.is_met(self._look)

    def advice(self, reason: StopReason) -> str:
        """Return one sentence on why it ended; a blown-up loss is finite."""
        if reason == "non_finite" and math.isfinite(self.reports[-1].loss):
            return _ADVICE_BLOWN_UP
        if reason == "max_steps" and still_falling([report.held_out for report in self.reports]):
            return _ADVICE_FALLING
        return _ADVICE[reason]

    def _exchange_points(self) -> None:
        """Go on with fresh points; the loss on them has nothing to do with the lowest on the old ones."""
        self._epoch, self._age, self._lowest = self._epoch + 1, 0, math.inf
        self._drawn_at = self._optimizer.theta
        self._current = self._draw(self._epoch, self._drawn_at)
        self._optimizer.replace_problem(self._current)

    def _checks(self, reason: StopReason | None) -> bool:
        """Say whether to look at held-out points: every so often and, lest the end be lost, at the end."""
        step = len(self.reports) + 1
        due = step % self._phase.kind.check_every == 0 or step == self._phase.steps
        return reason != "non_finite" and (due or reason is not None)

    def _report(self, done: Step, *, checked: bool) -> StepReport:
        watch, theta, residuals = self._watch, self._optimizer.theta, done.residuals
        if residuals is None and checked:
            residuals = self._current.residuals(theta)
        return StepReport(
            step=len(self.reports) + 1,
            total=self._phase.steps,
            seconds=time.perf_counter() - self._started,
            phase=self._name,
            loss=done.loss,
            terms={} if residuals is None else self._current.terms(residuals),
            held_out=watch.residual_rms(theta) if checked else None,
            error=watch.error(theta) if checked and watch.error is not None else None,
            note=done.note,
        )

    def _reason(self, done: Step) -> StopReason | None:
        watch = self._watch
        if not math.isfinite(done.loss) or done.loss > _BLOWN_UP * self._scale():
            return "non_finite"
        if math.sqrt(done.loss) < self._phase.ending.residual_below:
            return "converged"
        if done.stalled and not self._stuck:
            return "stalled"
        if watch.deadline is not None and time.perf_counter() >= watch.deadline:
            return "time_limit"
        return None

    def _scale(self) -> float:
        """Return what a blown-up loss is large against: the lowest, and no less than the held-out one.

        Where training interpolates its points, their loss falls to 1e-30, and any step away from
        there raises it by more than 1e8.
        """
        held_out = self.best.lowest * self.best.lowest
        return max(self._lowest, _LEAST_SCALE, held_out if math.isfinite(held_out) else 0.0)
