"""What one time window hands on to the next, and the problem that each poses: identities, to rounding."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from windowed import TEXTS, random_solution

from pinnkan.geometry import BoundaryPart, InitialTime
from pinnkan.ground.derivatives import Derivative
from pinnkan.physics.windows.window import orders_in_time

SEVERAL = [name for name in TEXTS if "coordinates" in TEXTS[name]]


def meeting_points(solution, number, count=20):
    """Points at the time where window ``number`` ends."""
    points = solution.instance.domain.uniform(count, 1)
    points[:, 0] = solution.windows[number].instance.domain.time[1]
    return points


@pytest.mark.parametrize("name", TEXTS)
def test_a_window_begins_where_the_one_before_ends_with_all_derivatives_in_space(name):
    solution = random_solution(name)
    space = len(solution.instance.coordinates) - 1
    indices = [index for index in itertools.product(range(5), repeat=space) if sum(index) <= 4]
    for unknown, order in enumerate(orders_in_time(solution.instance)):
        wanted = [Derivative(unknown, (rate, *index)) for rate in range(order) for index in indices]
        for number in range(len(solution.windows) - 1 if order else 0):
            points = meeting_points(solution, number)
            before, after = (solution.windows[k].derivatives(points, wanted) for k in (number, number + 1))
            for row, other in zip(before, after, strict=True):
                assert other == pytest.approx(row, rel=1e-9, abs=1e-9 * max(1.0, np.abs(row).max()))


@pytest.mark.parametrize("name", TEXTS)
def test_what_a_window_hands_on_is_as_much_as_the_equations_take(name):
    solution = random_solution(name)
    problem = solution.instance.problem
    orders = dict(zip(problem.unknowns, orders_in_time(solution.instance), strict=True))
    expected = {"waves": {"u": 2}, "a system with a pressure": {"u": 1, "v": 1, "p": 0}}
    assert orders == expected.get(name, dict.fromkeys(problem.unknowns, 1))
    starts = [block for block in solution.windows[1].instance.conditions if block.name.startswith("start.")]
    names = [f"start.{unknown}{'_t' * rate}" for unknown, order in orders.items() for rate in range(order)]
    assert [block.name for block in starts] == names
    assert solution.windows[1].instance.hard >= set(names)
    points = meeting_points(solution, 0)
    for block in starts:
        assert isinstance(block.where, InitialTime)
        size = np.abs(solution.windows[0].derivatives(points, block.reads)).max()
        assert np.abs(solution.windows[1].residual(block, points)).max() <= 1e-12 * max(1.0, size)


@pytest.mark.parametrize("name", SEVERAL)
def test_conditions_on_the_boundary_hold_in_every_window_as_over_the_whole_time(name):
    solution = random_solution(name)
    hard = {c.name for c in solution.instance.problem.boundary if c.name in solution.instance.hard}
    assert (name == "periodic transport") == (not hard)
    for window in solution.windows:
        for block in window.instance.conditions:
            if isinstance(block.where, BoundaryPart) and any(block.name.startswith(one) for one in hard):
                places = window.instance.domain.collocate(block.where, 40)
                assert np.abs(window.residual(block, places.points, places.normals)).max() < 1e-10


def test_the_first_window_has_the_initial_conditions_of_the_file():
    solution = random_solution("soft initial data")
    first, second = solution.windows
    names = [block.name for block in first.instance.blocks]
    assert names == [block.name for block in solution.instance.blocks]
    assert "initial[0]" in names
    assert "initial[0]" not in [
        block.name for block in (*second.instance.blocks, *second.instance.conditions)
    ]
    hard = random_solution("waves").windows[0]
    points = hard.instance.domain.uniform(20, 0)
    points[:, 0] = 0.0
    u, rate = hard.derivatives(points, [Derivative(0, (0, 0)), Derivative(0, (1, 0))])
    assert u == pytest.approx(np.sin(np.pi * points[:, 1]), abs=1e-12)
    assert rate == pytest.approx(points[:, 1] * (1 - points[:, 1]), abs=1e-12)


def test_points_crowd_at_the_start_as_over_the_whole_time():
    """The density of a graded time falls like 1 / (t - t0 + scale), in whichever window t lies."""
    solution = random_solution("relaxation, graded in time")
    whole, second = solution.instance.domain, solution.windows[1].instance.domain
    scale = whole.time_scale
    assert scale < 1.0
    assert second.time_scale == pytest.approx(25.0 + scale)
    first = solution.windows[0].instance.domain
    assert first.time_per_share(10.0) / first.time_per_share(1.0) == pytest.approx((10 + scale) / (1 + scale))


def test_a_lift_keeps_nothing_of_the_first_initial_data():
    """The values at the start of a window and the boundary decide: N = 0 in it gives u_before, carried on."""
    solution = random_solution("waves")
    ansatz, start = solution.windows[2].instance.ansatzes[0], 4 / 3
    points = solution.instance.domain.uniform(20, 2)
    there = points.copy()
    there[:, 0] = start
    u, rate = solution.windows[1].derivatives(there, [Derivative(0, (0, 0)), Derivative(0, (1, 0))])
    lift = ansatz.lift.derivatives(points, [(0, 0)])[0]
    assert lift == pytest.approx(u + (points[:, 0] - start) * rate, abs=1e-11)
