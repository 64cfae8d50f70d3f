"""The loop: every reason to stop provoked, the best state by the held-out residual, fresh points."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
import torch
from torch import Tensor

from pinnkan.ground.progress import Outcome, Silent, StepReport
from pinnkan.language.settings.blocks import PhaseSettings
from pinnkan.language.settings.keys import with_keys
from pinnkan.optim.least_squares import LeastSquares
from pinnkan.optim.optimizer import Optimizer, OptimizerState, Step
from pinnkan.training.loop import PhaseResult, Watch, run_phase


class Points:
    """A stand-in for residuals on one set of points: its loss is |theta - target|^2 + floor."""

    def __init__(self, target: float = 0.0, floor: float = 0.0) -> None:
        self.target, self.floor, self.size, self.count, self.sets = target, floor, 1, 2, ()

    def residuals(self, theta: Tensor) -> Tensor:
        return torch.stack([theta[0] - self.target, torch.full_like(theta[0], math.sqrt(self.floor))])

    def gradient(self, theta: Tensor) -> tuple[float, Tensor]:
        raise AssertionError("the loop itself asks for no gradient")

    def linearise(self, theta: Tensor) -> None:
        raise AssertionError("the loop itself asks for no Jacobian")

    def terms(self, residuals: Tensor) -> dict[str, float]:
        return {"equation[0]": float(residuals.norm())}


class Scripted(Optimizer):
    """Visits given places in turn; a place may come with a loss to claim and a stall."""

    def __init__(self, problem: LeastSquares, places: list[float | tuple[float, float] | str]) -> None:
        self.problem, self.places, self.theta = (
            problem,
            list(places),
            torch.tensor([10.0], dtype=torch.float64),
        )
        self.exchanges: list[int] = []
        self.taken = 0

    def replace_problem(self, problem: LeastSquares) -> None:
        super().replace_problem(problem)
        self.exchanges.append(self.taken)

    def state(self) -> OptimizerState:
        return {"theta": self.theta, "taken": float(self.taken)}

    def restore(self, state: OptimizerState) -> None:
        self.theta, self.taken = state["theta"], int(state["taken"])
        del self.places[: self.taken]

    def step(self) -> Step:
        place = self.places.pop(0)
        self.taken += 1
        if place == "stall":
            return Step(self._loss(), "no decrease", stalled=True)
        at, loss = place if isinstance(place, tuple) else (place, None)
        self.theta = torch.tensor([at], dtype=torch.float64)
        return Step(self._loss() if loss is None else loss, "scripted")

    def _loss(self) -> float:
        return float(self.problem.residuals(self.theta).square().sum())


@dataclass
class Recorder(Silent):
    """Keeps all it is told."""

    calls: list[str] = field(default_factory=list)
    reports: list[StepReport] = field(default_factory=list)
    outcome: Outcome | None = None

    def begin(self, title: str, phase: str, total_steps: int) -> None:
        self.calls.append(f"begin {title} {phase} {total_steps}")

    def step(self, report: StepReport) -> None:
        self.calls.append("step")
        self.reports.append(report)

    def end(self, outcome: Outcome) -> None:
        self.calls.append(f"end {outcome.reason}")
        self.outcome = outcome


def run(
    places: list[float | tuple[float, float] | str],
    *,
    held_out: Points | None = None,
    draw: Callable[[int, torch.Tensor], Points] | None = None,
    deadline: float | None = None,
    error: Callable[[Tensor], float | None] | None = None,
    **settings: object,
) -> tuple[PhaseResult, Recorder, Scripted]:
    """Run one phase over a script; an optimizer of kind lm is checked at every step."""
    observer, made = Recorder(), []
    phase = with_keys(PhaseSettings(optimizer="lm", steps=len(places)), settings)

    def start(problem: LeastSquares) -> Optimizer:
        made.append(Scripted(problem, places))
        return made[-1]

    watch = Watch(held_out or Points(), error, observer, "base", deadline)
    result = run_phase(start, draw or (lambda epoch, theta: Points()), phase, name="lm", watch=watch)
    return result, observer, made[0]


# The reason and what provokes it; steps taken; where the best state stands.
REASONS = {
    "max_steps": ({"places": [5.0, 4.0, 3.0]}, 3, 3.0),
    "converged": ({"places": [5.0, 1e-3, 3.0], "residual_below": 1e-2}, 2, 1e-3),
    "stalled": ({"places": [5.0, "stall", 3.0]}, 2, 5.0),
    "overfitting": (
        {"places": [5.0, 4.0, 3.0, 2.0, 1.0, 0.0], "held_out": Points(target=4.0), "patience": 3},
        5,
        4.0,
    ),
    "settled": (
        {"places": [5.0, 4.0, 3.0, 2.9, 2.85, 2.8, 0.0], "patience": 3},
        6,
        2.8,
    ),
    "non_finite": ({"places": [5.0, (4.0, math.nan), 3.0]}, 2, 5.0),
    "time_limit": ({"places": [5.0, 4.0], "deadline": 0.0}, 1, 5.0),
}


@pytest.mark.parametrize("reason", REASONS)
def test_reasons_to_stop(reason):
    arguments, steps, best = REASONS[reason]
    result, observer, _ = run(**arguments)
    assert (result.outcome.reason, result.outcome.steps, len(result.reports)) == (reason, steps, steps)
    assert float(result.theta) == best
    assert observer.calls == [f"begin base lm {len(arguments['places'])}", *["step"] * steps, f"end {reason}"]
    assert observer.outcome == result.outcome
    assert observer.reports == result.reports
    assert result.outcome.advice.endswith(".")


def test_advice():
    advice = {reason: run(**arguments)[0].outcome.advice for reason, (arguments, _, _) in REASONS.items()}
    assert advice == {
        "max_steps": "All steps were taken; more steps may lower the error further.",
        "converged": "The residual fell below its bound (residual_below).",
        "stalled": "No step lowers the loss any more; use more points, a wider network or another seed.",
        "overfitting": "The held-out residual stopped falling; use more points or fresh ones (refresh).",
        "settled": "The residual falls too slowly for more steps to pay.",
        "non_finite": "The loss is not finite; lower the rate, raise the damping or check the equation.",
        "time_limit": "The time limit was reached; the best state so far is kept.",
    }


@pytest.mark.parametrize("reason", ["converged", "stalled", "time_limit", "max_steps"])
def test_the_end_is_checked_between_two_checks(reason):
    """Adam is checked every 50 steps; whatever ends it sooner, the state it reached is not lost."""
    arguments, steps, best = REASONS[reason]
    result, _, _ = run(**arguments, optimizer="adam")
    assert (result.outcome.reason, float(result.theta)) == (reason, best)
    assert [report.held_out is None for report in result.reports] == [True] * (steps - 1) + [False]


def test_a_loss_far_above_the_lowest_is_divergence():
    result, _, _ = run([1e-3, 0.5, 11.0, 1.0])
    assert (result.outcome.reason, result.outcome.steps) == ("non_finite", 3)
    assert float(result.theta) == 1e-3
    assert result.outcome.advice == (
        "The loss rose by a factor of 1e+08; lower the rate or raise the damping."
    )


@pytest.mark.parametrize("held_out", [Points(floor=0.25), Points()])
def test_leaving_interpolated_points_is_no_divergence(held_out):
    """A loss of rounding errors is no scale: that of held-out points is, 1e-6 at an exact solution."""
    result, _, _ = run([1e-15, 2.0, 1.0], held_out=held_out)
    assert (result.outcome.reason, float(result.theta)) == ("max_steps", 1e-15)
    assert run([1e-15, 2e4, 1.0], held_out=held_out)[0].outcome.reason == "non_finite"


def test_a_state_that_is_not_finite_is_never_the_best():
    result, _, _ = run([5.0, math.nan, 3.0])
    assert (result.outcome.reason, float(result.theta)) == ("non_finite", 5.0)


def test_the_start_is_kept_where_no_step_is_better():
    result, _, _ = run([12.0, 11.5])
    assert (float(result.theta), result.held_out) == (10.0, 10.0)


def test_of_states_as_good_as_the_lowest_the_latest_is_kept():
    """An estimate within a tenth says nothing; the later state has the lower training loss."""
    result, _, _ = run([6.0, 5.0, 5.4, 5.6])
    assert (float(result.theta), result.held_out) == (5.4, 5.4)


def test_no_steps_leave_the_start():
    result, observer, _ = run([])
    assert (float(result.theta), result.outcome.reason, result.reports) == (10.0, "max_steps", [])
    assert observer.calls == ["begin base lm 0", "end max_steps"]


def test_the_best_state_goes_by_the_held_out_residual_alone():
    """The training loss and the error against an exact solution fall to the end, and count for nothing."""
    result, _, _ = run(
        [6.0, 4.0, 2.0, 0.0], held_out=Points(target=4.5, floor=0.25), error=lambda theta: -float(theta)
    )
    assert float(result.theta) == 4.0
    assert result.held_out == pytest.approx(math.sqrt(0.25 + 0.25))
    assert [report.error for report in result.reports] == [-6.0, -4.0, -2.0, -0.0]
    assert [report.held_out for report in result.reports] == pytest.approx(
        [math.hypot(theta - 4.5, 0.5) for theta in (6, 4, 2, 0)]
    )


def test_the_last_finite_state_is_kept_where_the_phase_says_so():
    result, _, _ = run([6.0, 5.0, 8.0], keep="last")
    assert (float(result.theta), result.held_out) == (8.0, 8.0)
    result, _, _ = run([6.0, 5.0, 8.0, math.nan], keep="last")
    assert (result.outcome.reason, float(result.theta)) == ("non_finite", 8.0)


def test_patience_counts_checks_since_the_residual_fell_by_a_third():
    held_out = Points(target=4.0)
    places = [5.0, 6.0, 4.5, 6.0, 6.0, 6.0]
    result, _, _ = run(places, held_out=held_out, patience=2)
    assert (result.outcome.reason, result.outcome.steps) == ("settled", 5)
    assert run(places, held_out=held_out, patience=0)[0].outcome.reason == "max_steps"


@pytest.mark.parametrize(
    ("first", "ratio", "steps"),
    [(8e-3, 0.9, 12), (8e-3, 0.75, 12), (8e-3, 0.97, 6), (0.8, 0.97, 12), (0.8, 0.985, 6)],
)
def test_a_residual_that_falls_slowly_is_given_up_and_one_that_falls_steadily_is_not(first, ratio, steps):
    """Within five checks 0.97^5 = 0.86 is too little near a solution and enough far from one."""
    result, _, _ = run([first * ratio**k for k in range(1, 13)], patience=5)
    assert (result.outcome.reason, result.outcome.steps) == ("settled" if steps < 12 else "max_steps", steps)


def test_fresh_points_come_every_so_many_steps():
    drawn: list[int] = []

    def draw(epoch: int, theta: object) -> Points:
        drawn.append(epoch)
        return Points(floor=float(epoch))

    result, _, optimizer = run([7.0, 6.0, 5.0, 4.0, 3.0], draw=draw, refresh=2)
    assert (drawn, optimizer.exchanges) == ([0, 1, 2], [2, 4])
    assert [report.loss for report in result.reports] == pytest.approx([49, 36, 26, 17, 11])


def test_fresh_points_may_raise_the_loss_by_any_factor():
    """A base that interpolates its points to 1e-24 is not divergent on the next ones."""
    places = [1e-12, 1e-12, 1e-12, 1e-12]
    result, _, _ = run(places, draw=lambda epoch, theta: Points(floor=float(epoch)), refresh=2)
    assert (result.outcome.reason, len(result.reports)) == ("max_steps", 4)


def test_a_stall_brings_fresh_points_forward():
    result, _, optimizer = run([5.0, "stall", 4.0, 3.0, 2.0], refresh=3)
    assert (result.outcome.reason, optimizer.exchanges) == ("max_steps", [2])
    result, _, optimizer = run([5.0, "stall", "stall", 3.0], refresh=3)
    assert (result.outcome.reason, optimizer.exchanges, result.outcome.steps) == ("stalled", [2], 3)


def test_terms_come_with_every_check():
    result, _, _ = run([3.0, 4.0])
    assert [report.terms for report in result.reports] == [{"equation[0]": 3.0}, {"equation[0]": 4.0}]


def test_no_clock_is_read_without_a_limit(monkeypatch):
    """Two runs at different speed stop at the same step: the deadline alone compares times."""
    clock = iter(range(0, 10**9, 10**6))
    monkeypatch.setattr("pinnkan.training.loop.time.perf_counter", lambda: float(next(clock)))
    assert run([5.0, 4.0, 3.0])[0].outcome.reason == "max_steps"
    result, _, _ = run([5.0, 4.0, 3.0], deadline=4.5e6)
    assert result.outcome.reason == "time_limit"
