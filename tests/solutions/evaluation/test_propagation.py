"""What a window leaves the next one starts from: where equations are linear the correction is the error."""

from __future__ import annotations

import numpy as np
import pytest
from windowed import random_solution

from pinnkan.solutions.evaluation.correction import correction_of
from pinnkan.solutions.evaluation.propagation import propagated_error


def relative_errors(window, exact):
    points = window.instance.domain.uniform(4000, 5)
    u, known = window(points), exact(points)
    return np.linalg.norm(u - known, axis=1) / np.linalg.norm(known, axis=1)


EXACT = {
    "ordinary differential equations": lambda p: np.stack([np.cos(p[:, 0]), -np.sin(p[:, 0])]),
    "growth": lambda p: np.exp(2 * p[:, 0])[None],
    "decay": lambda p: np.exp(-2 * p[:, 0])[None],
}


@pytest.mark.parametrize("name", EXACT)
def test_of_linear_equations_the_estimate_is_the_error_with_that_of_all_windows_before(name):
    solution = random_solution(name, size=0.5)
    error = propagated_error(solution)
    for estimate, window in zip(error.windows, solution.windows, strict=True):
        assert estimate == pytest.approx(relative_errors(window, EXACT[name]).max(), rel=0.02)
    alone = [correction_of(window).error_estimate for window in solution.windows]
    assert alone[0] == pytest.approx(error.windows[0])
    assert not np.allclose(alone[1:], error.windows[1:], rtol=0.1)


def test_of_a_wave_the_error_of_the_rate_is_carried_on_too():
    """With the right start a window's own correction knows nothing of what the rate was wrong by."""
    solution = random_solution("waves", size=0.1)
    error = propagated_error(solution)

    def exact(p):
        t, x = p.T
        result = np.sin(np.pi * x) * np.cos(2 * np.pi * t)
        for k in np.pi * np.arange(1, 60, 2):  # the sine series of x (1 - x)
            result += 8 / k**3 * np.sin(k * x) * np.sin(2 * k * t) / (2 * k)
        return result[None]

    for estimate, window in zip(error.windows, solution.windows, strict=True):
        assert estimate == pytest.approx(relative_errors(window, exact).max(), rel=0.1)


def test_where_polynomials_do_not_resolve_a_window_there_is_no_estimate():
    assert propagated_error(random_solution("periodic transport", size=30.0)) is None
