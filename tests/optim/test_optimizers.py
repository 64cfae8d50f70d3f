"""Levenberg-Marquardt, L-BFGS and Adam: exact identities, orders of convergence, and what they report."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from classic_problems import Classic, Explicit, cubic_system, linear, rosenbrock
from gradient_descent import GRADIENT_DESCENT
from torch import Tensor

from pinnkan.optim.adam import Adam
from pinnkan.optim.kinds import OPTIMIZERS, OptimizerKind
from pinnkan.optim.lbfgs import LBFGS
from pinnkan.optim.least_squares import LeastSquares
from pinnkan.optim.levenberg_marquardt import LevenbergMarquardt, _relaxation, _System
from pinnkan.optim.optimizer import Optimizer, ParameterGroup, Start

START = torch.tensor([-1.2, 1.0], dtype=torch.float64)


def whole(size: int, rate: float) -> list[tuple[slice, float]]:
    return [(slice(0, size), rate)]


@dataclass(frozen=True)
class Row:
    """An optimizer of the table, and what is expected of it.

    Attributes:
        kind: Its row of the package's table.
        valley: Steps to the solution of Rosenbrock's valley, and the distance that is left.
        linear: Steps to that of a linear problem.
        keys: What a phase states of its keys.
        after: Whether the loss it reports is that after the step, and never rises.
    """

    kind: OptimizerKind
    valley: tuple[int, float]
    linear: int
    keys: Mapping[str, Any] = field(default_factory=dict)
    after: bool = True

    def make(self, problem: LeastSquares, theta: Tensor) -> Optimizer:
        groups = [ParameterGroup("full", slice(0, len(theta)), (len(theta), 1, 1))]
        return self.kind.build(Start(problem, theta, groups, self.valley[0]), self.keys)


ROWS = {
    row.kind.name: row
    for row in (
        Row(OPTIMIZERS["lm"], (40, 1e-12), 10),
        Row(OPTIMIZERS["lbfgs"], (60, 1e-9), 10),
        Row(OPTIMIZERS["adam"], (3000, 1e-3), 1500, {"rate": 0.1}, after=False),
        Row(OPTIMIZERS["gauss_newton"], (40, 1e-12), 1),
        Row(GRADIENT_DESCENT, (500, 0.6), 250),
    )
}


def test_every_optimizer_of_the_table_has_a_row():
    assert set(OPTIMIZERS) <= set(ROWS)


@pytest.mark.parametrize("name", ROWS)
def test_rosenbrock(name):
    steps, tolerance = ROWS[name].valley
    optimizer = ROWS[name].make(rosenbrock(), START)
    for _ in range(steps):
        if optimizer.step().stalled:
            break
    assert optimizer.theta == pytest.approx(torch.ones(2, dtype=torch.float64), abs=tolerance)


@pytest.mark.parametrize("name", ROWS)
def test_it_goes_on_from_its_state_with_equal_bits(name):
    problem = rosenbrock()
    first, other = ROWS[name].make(problem, START), ROWS[name].make(problem, 2 * START)
    for _ in range(4):
        first.step()
    state = first.state()
    first.step()
    other.restore(state)
    other.step()
    assert torch.equal(first.theta, other.theta)


@pytest.mark.parametrize("name", ROWS)
def test_the_start_is_not_overwritten(name):
    start = START.clone()
    optimizer = ROWS[name].make(rosenbrock(), start)
    assert torch.equal(optimizer.theta, start)
    kept = optimizer.theta
    optimizer.step()
    assert torch.equal(start, START)
    assert torch.equal(kept, START)
    assert not torch.equal(optimizer.theta, START)


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if row.after])
def test_the_loss_reported_is_the_loss_reached(name):
    problem = rosenbrock()
    optimizer = ROWS[name].make(problem, START)
    before = math.inf
    for _ in range(20):
        step = optimizer.step()
        if step.stalled:
            break
        residuals = problem.residuals(optimizer.theta)
        assert step.loss == pytest.approx(float(residuals @ residuals), rel=1e-12, abs=1e-30)
        assert step.loss < before
        before = step.loss
        if step.residuals is not None:
            assert torch.equal(step.residuals, residuals)


@pytest.mark.parametrize("name", ROWS)
def test_non_finite_residuals_are_reported(name):
    problem = Classic(lambda t: t * math.nan, 2)
    step = ROWS[name].make(problem, START).step()
    assert step.stalled
    assert math.isnan(step.loss)
    assert not ROWS[name].after or step.note == "residuals are not finite"


@pytest.mark.parametrize("name", ROWS)
def test_other_points_can_be_exchanged_for_the_first(name):
    """After an exchange the optimizer goes on from its theta towards the new problem's solution."""
    first, _, _ = linear(5, 2)
    second, matrix, right = linear(6, 2)
    optimizer = ROWS[name].make(first, START)
    for _ in range(3):
        optimizer.step()
    reached = optimizer.theta
    optimizer.replace_problem(second)
    assert torch.equal(optimizer.theta, reached)
    assert optimizer.problem is second
    for _ in range(ROWS[name].linear):
        optimizer.step()
    expected = torch.linalg.lstsq(matrix, right.unsqueeze(1)).solution.squeeze(1)
    torch.testing.assert_close(optimizer.theta, expected, rtol=0, atol=1e-6)


# Levenberg-Marquardt


@pytest.mark.parametrize(("count", "size"), [(9, 4), (4, 9), (5, 5)])
def test_a_linear_problem_is_solved_in_one_undamped_step(count, size):
    problem, matrix, right = linear(count, size)
    start = torch.zeros(size, dtype=torch.float64)
    optimizer = LevenbergMarquardt(problem, start, damping=0.0)
    optimizer.step()
    # From zero the dual step is the solution of least norm, which is the pseudo-inverse's.
    expected = torch.linalg.pinv(matrix) @ right
    torch.testing.assert_close(optimizer.theta, expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("damping", [1e-6, 1e-2, 10.0])
@pytest.mark.parametrize(("count", "size"), [(9, 4), (4, 9)])
def test_primal_and_dual_steps_are_the_same(count, size, damping):
    """(J^T J + m I)^-1 J^T r = J^T (J J^T + m I)^-1 r for equal m."""
    generator = torch.Generator().manual_seed(1)
    jacobian = Explicit(torch.randn(count, size, generator=generator, dtype=torch.float64))
    residuals = torch.randn(count, generator=generator, dtype=torch.float64)
    primal, dual = _System.of(jacobian, dual=False), _System.of(jacobian, dual=True)
    assert primal.scale * size == pytest.approx(dual.scale * count)  # both are |J|^2
    steps = []
    for system in (primal, dual):
        factor = system.factor(damping / system.scale)
        assert factor is not None
        steps.append(system.solve(factor, residuals))
    torch.testing.assert_close(*steps, rtol=1e-9, atol=1e-12)
    exact = torch.linalg.solve(
        jacobian.gram() + damping * torch.eye(size, dtype=torch.float64), -jacobian.pull(residuals)
    )
    torch.testing.assert_close(steps[0], exact, rtol=1e-9, atol=1e-12)


def test_the_smaller_system_is_taken():
    asked: list[str] = []

    class Watched(Explicit):
        def gram(self) -> Tensor:
            asked.append("gram")
            return super().gram()

        def kernel(self) -> Tensor:
            asked.append("kernel")
            return super().kernel()

    for count, size in [(9, 4), (4, 9), (5, 5)]:
        problem, matrix, _ = linear(count, size)
        problem.linearise = lambda theta, matrix=matrix: Watched(matrix)  # type: ignore[method-assign]
        LevenbergMarquardt(problem, torch.zeros(size, dtype=torch.float64)).step()
    assert asked == ["gram", "kernel", "gram"]


@pytest.mark.parametrize(("count", "size"), [(8, 4), (3, 6)])
def test_convergence_on_a_zero_residual_problem_is_superlinear(count, size):
    """With the damping vanishing the residual falls faster than any fixed factor, down to rounding."""
    problem = cubic_system(count, size)
    optimizer = LevenbergMarquardt(problem, torch.zeros(size, dtype=torch.float64), damping=1e-3)
    norms = []
    while not norms or (norms[-1] > 1e-13 and len(norms) < 30):
        norms.append(math.sqrt(optimizer.step().loss))
    assert norms[-1] < 1e-13, norms
    assert len(norms) < 20, norms
    factors = [after / before for before, after in pairwise(norms)]
    assert factors[-1] < 1e-3, factors
    assert factors[-3] > 10 * factors[-1], factors


def test_the_step_bends_along_the_second_derivative():
    """r = y + y^2: v = -r / r', r'' v v = 2 v^2 exactly by differences, a = -2 v^2 / r', step v + a / 2."""
    problem = Classic(lambda t: t + t**2, 1)
    optimizer = LevenbergMarquardt(problem, torch.tensor([0.1], dtype=torch.float64), damping=0.0)
    optimizer.step()
    velocity = -0.11 / 1.2
    assert float(optimizer.theta) == pytest.approx(0.1 + velocity - velocity**2 / 1.2, rel=1e-9)


@pytest.mark.parametrize(("count", "size"), [(8, 4), (3, 6)])
def test_the_acceleration_is_that_of_the_exact_second_derivative(count, size):
    """(J^T J + m I) a = -J^T d^2 r / dv^2, the second derivative by nested autograd."""
    problem = cubic_system(count, size)
    theta = 0.5 + 0.02 * torch.randn(size, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    optimizer = LevenbergMarquardt(problem, theta, damping=1e-2)
    linearisation = problem.linearise(theta)
    residuals = problem.residuals(theta)
    system = _System.of(linearisation, dual=count < size)
    trial = optimizer._trial(system, residuals)
    assert trial is not None

    matrix = linearisation.gram() + 1e-2 * system.scale * torch.eye(size, dtype=torch.float64)
    velocity = torch.linalg.solve(matrix, -linearisation.pull(residuals))

    def slope(s: Tensor) -> Tensor:
        line = torch.autograd.functional.jacobian
        return line(lambda q: problem.function(theta + q * velocity), s, create_graph=True)

    bend = torch.autograd.functional.jacobian(slope, torch.zeros((), dtype=torch.float64))
    acceleration = torch.linalg.solve(matrix, -linearisation.pull(bend))
    # The difference over a tenth of v leaves a third-order term in a.
    left = trial.step - velocity - acceleration / 2
    assert float(left.norm()) < 0.1 * float(acceleration.norm())
    assert trial.curvature == pytest.approx(float(2 * acceleration.norm() / velocity.norm()), rel=0.1)


def test_undamped_convergence_is_cubic():
    """Newton's error is of order 2; acceleration makes it 3 (r = exp(y) - 1, from 0.5)."""
    problem = Classic(torch.expm1, 1)
    optimizer = LevenbergMarquardt(problem, torch.tensor([0.5], dtype=torch.float64), damping=0.0)
    errors = [0.5]
    for _ in range(3):
        optimizer.damping = 0.0
        optimizer.step()
        errors.append(abs(float(optimizer.theta)))
    order = math.log(errors[3] / errors[2]) / math.log(errors[2] / errors[1])
    assert order == pytest.approx(3.0, abs=0.1), errors


def test_beyond_its_reach_the_acceleration_is_left_out():
    """r = y^2 + 1e-3 at 0.01: r'' v / r' is large, and the step is Newton's, or a damped one."""
    problem = Classic(lambda t: t**2 + 1e-3, 1)
    optimizer = LevenbergMarquardt(problem, torch.tensor([0.01], dtype=torch.float64), damping=0.0)
    residuals = problem.residuals(optimizer.theta)
    trial = optimizer._trial(_System.of(problem.linearise(optimizer.theta), dual=False), residuals)
    assert trial is not None
    assert trial.curvature > 0.75
    assert float(trial.step) == pytest.approx(-1.1e-3 / 0.02, rel=1e-9)


def test_the_gain_ratio_moves_the_damping():
    problem, _, _ = linear(6, 3)
    optimizer = LevenbergMarquardt(problem, torch.zeros(3, dtype=torch.float64), damping=1e-3)
    step = optimizer.step()  # a linear model predicts exactly: rho = 1
    assert optimizer.damping == pytest.approx(1e-4)
    assert step.note == "damping 1.0e-03"


@pytest.mark.parametrize(
    ("gain", "curvature", "rejected", "factor"),
    [
        (0.9, 0.5, 0, 0.1),
        (0.5, 0.0, 0, 0.5),
        (0.1, 0.0, 0, 2.0),
        (1.0, 0.05, 1, 0.7),
        (1.0, 0.5, 1, 1.0),
        (0.5, 0.0, 2, 1.0),
    ],
)
def test_after_a_rejection_the_damping_stays(gain, curvature, rejected, factor):
    assert _relaxation(gain, curvature, rejected) == factor


def test_a_tiny_damping_is_not_mistaken_for_a_minimum():
    """From 1e-13 the trials must reach the damping of about 1 that atan needs at 3."""
    start = torch.tensor([3.0], dtype=torch.float64)
    optimizer = LevenbergMarquardt(Classic(torch.atan, 1), start, damping=1e-13)
    for _ in range(12):
        assert not optimizer.step().stalled
        optimizer.damping = 1e-13
    assert abs(float(optimizer.theta)) < 1e-12


def test_a_rejected_trial_raises_the_damping():
    optimizer = LevenbergMarquardt(
        Classic(torch.atan, 1), torch.tensor([3.0], dtype=torch.float64), damping=0.0
    )
    step = optimizer.step()
    assert "rejected" in step.note
    assert abs(float(optimizer.theta)) < 3.0


def test_a_minimum_is_reported_as_stalled():
    problem = Classic(lambda t: torch.stack([t[0], torch.ones_like(t[0])]), 1)
    optimizer = LevenbergMarquardt(problem, torch.zeros(1, dtype=torch.float64))
    step = optimizer.step()
    assert (step.stalled, step.loss, step.note) == (True, 1.0, "no decrease in 10 trials")
    assert torch.equal(optimizer.theta, torch.zeros(1, dtype=torch.float64))


def test_an_indefinite_matrix_costs_a_trial_not_the_run():
    """A product in low precision may be indefinite; the damping rises until it is not."""
    problem, matrix, _ = linear(6, 3)

    class Rounded(Explicit):
        def gram(self) -> Tensor:
            gram = super().gram()
            gram[0, 0] = -0.01
            return gram

    problem.linearise = lambda theta: Rounded(matrix)  # type: ignore[method-assign]
    optimizer = LevenbergMarquardt(problem, torch.zeros(3, dtype=torch.float64), damping=1e-6)
    step = optimizer.step()
    assert "rejected" in step.note
    assert not step.stalled


def test_an_accepted_step_is_not_evaluated_again():
    problem = rosenbrock()
    optimizer = LevenbergMarquardt(problem, START)
    for _ in range(5):
        optimizer.step()
    assert problem.evaluations["linearise"] == 5
    # The first residuals; then, for each trial, a probe for the acceleration and the trial itself.
    trials = (problem.evaluations["residuals"] - 1) / 2
    assert 5 <= trials < 15


# L-BFGS


def test_lbfgs_solves_a_quadratic_in_as_many_steps_as_unknowns():
    problem, matrix, right = linear(8, 3)
    optimizer = LBFGS(problem, torch.zeros(3, dtype=torch.float64))
    for _ in range(12):
        step = optimizer.step()
        if step.stalled:
            break
    expected = torch.linalg.lstsq(matrix, right.unsqueeze(1)).solution.squeeze(1)
    torch.testing.assert_close(optimizer.theta, expected, rtol=0, atol=1e-8)


def test_lbfgs_evaluates_every_place_once():
    asked: list[tuple[float, ...]] = []
    problem = rosenbrock()
    evaluate = problem.gradient

    def gradient(theta: Tensor) -> tuple[float, Tensor]:
        asked.append(tuple(theta.tolist()))
        return evaluate(theta)

    problem.gradient = gradient  # type: ignore[method-assign]
    optimizer = LBFGS(problem, START)
    for _ in range(20):
        optimizer.step()
    assert len(asked) == len(set(asked)) < 40


def test_lbfgs_reports_no_step_at_a_minimum():
    problem = Classic(lambda t: t, 2)
    step = LBFGS(problem, torch.zeros(2, dtype=torch.float64)).step()
    assert (step.stalled, step.loss, step.note) == (True, 0.0, "no step")


# Adam


def test_adam_moves_every_group_at_its_own_rate():
    """The first step is the rate times the sign of the gradient, whatever its size."""
    problem = Classic(lambda t: t * torch.tensor([1.0, 5.0, 0.01, 3.0], dtype=torch.float64), 4)
    rates = [(slice(0, 1), 1e-1), (slice(1, 3), 1e-3), (slice(3, 4), 0.0)]
    start = torch.tensor([1.0, -1.0, 1.0, 1.0], dtype=torch.float64)
    optimizer = Adam(problem, start, rates=rates, steps=10)
    step = optimizer.step()
    moved = optimizer.theta - start
    assert moved == pytest.approx(torch.tensor([-1e-1, 1e-3, -1e-3, 0.0], dtype=torch.float64), rel=1e-3)
    assert step.loss == pytest.approx(float(problem.residuals(start).square().sum()))


def test_adam_is_torch_adam():
    problem = rosenbrock()
    optimizer = Adam(problem, START, rates=whole(2, 0.02), steps=20)
    variable = START.clone().requires_grad_(True)
    engine = torch.optim.Adam([variable], lr=0.02)
    for _ in range(20):
        optimizer.step()
        variable.grad = problem.gradient(variable.detach())[1]
        engine.step()
    assert torch.equal(optimizer.theta, variable.detach())


def test_cosine_schedule_falls_to_nothing():
    problem = Classic(lambda t: t - 100.0, 1)
    optimizer = Adam(
        problem, torch.zeros(1, dtype=torch.float64), rates=whole(1, 1.0), steps=4, schedule="cosine"
    )
    places, notes = [0.0], []
    for _ in range(5):
        notes.append(optimizer.step().note)
        places.append(float(optimizer.theta))
    moved = [b - a for a, b in pairwise(places)]
    expected = [0.5 * (1 + math.cos(math.pi * k / 4)) for k in range(5)]
    assert moved == pytest.approx(expected, rel=0.02, abs=1e-12)
    assert notes[0] == "rate x 1"


USES_BOTH = """import sys, torch
from test_optimizers import START, Adam, LBFGS, rosenbrock, whole
for optimizer in (Adam(rosenbrock(), START, rates=whole(2, 0.02), steps=2), LBFGS(rosenbrock(), START)):
    optimizer.step()
    optimizer.restore(optimizer.state())
    optimizer.step()
print(torch.__version__, "torch._dynamo" in sys.modules)
"""


def test_neither_imports_torch_s_compiler():
    """Which takes three seconds, as long as a short training."""
    folders = [str(Path(__file__).parent), *sys.path]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(folders)}
    words = [sys.executable, "-c", USES_BOTH]
    ended = subprocess.run(words, env=environment, capture_output=True, text=True, check=True)
    assert ended.stdout.split() == [torch.__version__, "False"]


def test_the_interface_is_abstract():
    with pytest.raises(TypeError, match="abstract"):
        Optimizer()  # type: ignore[abstract]
