"""Gauss-Newton: one solve of a linear problem, halved steps, one group at a time, and when it stops."""

from __future__ import annotations

import pytest
import torch
from classic_problems import Classic, linear

from pinnkan.optim.kinds import OPTIMIZERS
from pinnkan.optim.optimizer import ParameterGroup, Start


def made(problem, theta, groups=(), **keys):
    parts = [ParameterGroup("core", slice(*ends), (1, 1, 1)) for ends in groups]
    return OPTIMIZERS["gauss_newton"].build(Start(problem, theta, parts, 10), keys)


@pytest.mark.parametrize(("count", "size"), [(9, 4), (4, 9), (5, 5)])
def test_a_linear_problem_is_solved_in_one_step_and_known_to_be(count, size):
    problem, matrix, right = linear(count, size)
    optimizer = made(problem, torch.zeros(size, dtype=torch.float64))
    first = optimizer.step()
    assert first.note == f"rank {min(count, size)} of {size}"
    assert first.stalled  # it led where its model said
    residuals = problem.residuals(optimizer.theta)
    assert float((matrix.T @ residuals).norm()) < 1e-12
    if count > size:
        expected = torch.linalg.lstsq(matrix, right[:, None]).solution[:, 0]
        torch.testing.assert_close(optimizer.theta, expected, rtol=1e-10, atol=1e-12)


def test_a_step_that_raises_the_loss_is_halved():
    """From 3 the root of atan is overshot ten times over."""
    optimizer = made(Classic(torch.atan, 1), torch.tensor([3.0], dtype=torch.float64))
    step = optimizer.step()
    assert step.note == "rank 1 of 1, 2 halvings"
    for _ in range(8):
        optimizer.step()
    assert abs(float(optimizer.theta)) < 1e-12


def test_a_minimum_is_reported_as_stalled():
    problem = Classic(lambda t: torch.stack([t[0], torch.ones_like(t[0])]), 1)
    step = made(problem, torch.zeros(1, dtype=torch.float64)).step()
    assert (step.stalled, step.loss, step.note) == (True, 1.0, "no decrease")


def test_groups_are_solved_for_in_turn_from_the_last_to_the_first():
    """r = a b - 6 beside a small pull: of a product each factor is a linear problem."""
    problem = Classic(lambda t: torch.stack([t[0] * t[1] - 6.0, 0.01 * t[0], 0.01 * t[1]]), 2)
    optimizer = made(
        problem, torch.tensor([2.0, 1.0], dtype=torch.float64), [(0, 1), (1, 2)], alternating=True
    )
    optimizer.step()
    a, b = optimizer.theta.tolist()
    assert (a, b) == (2.0, pytest.approx(12.0 / (4.0 + 1e-4), rel=1e-12))
    optimizer.step()
    assert optimizer.theta.tolist() == [pytest.approx(6.0 * b / (b * b + 1e-4), rel=1e-12), b]


def test_it_stalls_when_no_group_can_move_any_more():
    """The second number is at its best from the start, the first is not: one idle turn is not the end."""
    problem = Classic(lambda t: torch.stack([t[0] - 1.0, t[1], torch.ones_like(t[0])]), 2)
    optimizer = made(problem, torch.zeros(2, dtype=torch.float64), [(0, 1), (1, 2)], alternating=True)
    assert [optimizer.step().stalled for _ in range(3)] == [False, False, True]
    assert optimizer.theta.tolist() == [1.0, 0.0]


def test_a_cutoff_leaves_weak_combinations_alone():
    """Two columns that differ by 1e-8: above that share they count as one."""
    problem = Classic(lambda t: torch.stack([t[0] + t[1] - 2, 1e-8 * (t[1] - 5)]), 2)
    ranks, reached = [], []
    for cutoff in (1e-3, 1e-12):
        optimizer = made(problem, torch.zeros(2, dtype=torch.float64), cutoff=cutoff)
        ranks.append(optimizer.step().note)
        reached.append(optimizer.theta)
    assert ranks == ["rank 1 of 2", "rank 2 of 2"]
    torch.testing.assert_close(reached[0], torch.ones(2, dtype=torch.float64), rtol=1e-7, atol=0)
    torch.testing.assert_close(reached[1], torch.tensor([-3.0, 5.0], dtype=torch.float64), rtol=1e-6, atol=0)
