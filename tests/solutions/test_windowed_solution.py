"""One solution made of windows: every point belongs to one of them."""

from __future__ import annotations

import numpy as np
import pytest
from windowed import TEXTS, random_solution

from pinnkan.ground.derivatives import Derivative, derivatives_of


@pytest.mark.parametrize("name", TEXTS)
def test_every_point_is_answered_by_the_window_it_lies_in(name):
    solution = random_solution(name)
    points = solution.instance.domain.uniform(200, 3)
    block = solution.instance.equations[0]
    wanted = derivatives_of(block.summands.partials)
    values, derivatives = solution(points), solution.derivatives(points, wanted)
    residual = solution.residual(block, points)
    seen = np.zeros(len(points), dtype=int)
    for window in solution.windows:
        start, end = window.instance.domain.time
        mine = (start < points[:, 0]) & (points[:, 0] <= end)
        seen += mine
        assert values[:, mine] == pytest.approx(window(points[mine]), rel=1e-12, abs=1e-12)
        size = np.abs(derivatives).max()
        assert derivatives[:, mine] == pytest.approx(
            window.derivatives(points[mine], wanted), abs=1e-12 * size
        )
        assert residual[mine] == pytest.approx(window.residual(block, points[mine]), abs=1e-12 * size)
    assert seen.tolist() == [1] * len(points)


def test_a_time_at_which_two_windows_meet_belongs_to_the_one_that_ends_there():
    solution = random_solution("periodic transport")
    rate = [Derivative(0, (1, 0))]
    for time, number in [(0.0, 0), (0.25, 0), (np.nextafter(0.25, 1), 1), (0.5, 1), (1.0, 3)]:
        points = np.array([[time, 0.3], [time, -0.7]])
        expected = solution.windows[number].derivatives(points, rate)
        assert np.array_equal(solution.derivatives(points, rate), expected)
        others = [window for k, window in enumerate(solution.windows) if k != number]
        assert not any(np.allclose(window.derivatives(points, rate), expected) for window in others)


def test_no_points_are_answered_by_nothing():
    solution = random_solution("waves")
    assert solution(np.zeros((0, 2))).shape == (1, 0)
    assert list(solution.named(np.zeros((0, 2)))) == ["u"]


def test_a_place_that_comes_back_at_many_times_is_asked_for_once(monkeypatch):
    solution = random_solution("periodic transport")
    times, places = np.meshgrid(np.linspace(0.8, 1.0, 30), np.linspace(-1, 1, 7), indexing="ij")
    asked = []
    first = solution.windows[0]
    answer = type(first).derivatives

    def count(window, points, requested):
        asked.append((window is first, len(points)))
        return answer(window, points, requested)

    monkeypatch.setattr(type(first), "derivatives", count)
    solution(np.column_stack([times.ravel(), places.ravel()]))
    assert [number for is_first, number in asked if is_first] == [7]
