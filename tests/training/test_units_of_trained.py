"""A problem in other units trains to the same error: the mathematics of `test_units`, carried to the end."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
from small_problems import run_of
from units import in_other_units

from pinnkan.language.problem import Problem, load_problem
from pinnkan.solutions.solution import Solution
from pinnkan.training import pretrain

SIZES = ["network.hidden=[8, 8]", "points.interior=400", "training.phases=[{steps: 25}]"]
TEN = sympy.Integer(10)
UNITS = [(9, 0, 0), (0, -9, 0), (0, 0, 9), (-9, 9, -9), (3, -3, 6)]


def error_of(problem: Problem) -> float:
    run = run_of(problem)
    trained = pretrain(run)
    points = run.instance.domain.uniform(2000, 5)
    exact = run.instance.exact(points)["u"]
    found = Solution(run.instance, trained.network, trained.coefficients())(points)[0]
    return float(np.linalg.norm(found - exact) / np.linalg.norm(exact))


def checked(name: str, units: list[tuple[int, int, int]]) -> None:
    problem = load_problem(name, overrides=SIZES)
    error = error_of(problem)
    for powers in units:
        u, x, t = (TEN**power for power in powers)
        other = error_of(in_other_units(problem, u=u, x=x, t=t))
        assert error / 2 < other < 2 * error, (powers, error, other)


def test_a_heated_rod_trains_alike_in_nanometres():
    checked("heat", [(-9, 9, -9)])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["heat", "wave", "helmholtz", "elliptic", "allen_cahn", "advection"])
def test_errors_after_training_are_the_same_in_all_units(name: str) -> None:
    checked(name, UNITS)
