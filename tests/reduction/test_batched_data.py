"""Data and lifts of many parameter values at once are those of every instance."""

from __future__ import annotations

import numpy as np
import pytest
import sympy

from pinnkan.ground.derivatives import Derivative
from pinnkan.ground.errors import PinnkanError
from pinnkan.language.expressions import PointProgram, symbol
from pinnkan.language.problem import load_problem, shipped_problems
from pinnkan.physics.family import Family
from pinnkan.reduction import FamilyAnsatz, online_points

SHIPPED = ["elliptic", "allen_cahn", "hyperbolic", "burgers", "heat", "helmholtz", "wave"]


def values_of(problem):
    (parameter,) = problem.parameters
    return np.linspace(parameter.low, parameter.high, 5)


@pytest.mark.parametrize("name", SHIPPED)
def test_data_are_those_of_every_instance(name):
    problem = load_problem(shipped_problems()[name])
    family = Family(problem)
    (parameter,) = problem.parameters
    values = values_of(problem)
    rng = np.random.default_rng(3)
    for place in online_points(family.at()):
        picked = rng.permutation(len(place.points))[:200]
        points = place.points[picked]
        program = place.block.program
        names, columns = problem.coordinates, points
        if program.reads_normals:
            names = (*names, *program.normals)
            columns = np.concatenate([points, place.normals[picked]], axis=1)
        found = PointProgram(program.data, names, columns, (parameter.name,))(values[:, None])
        for at, value in enumerate(values):
            blocks = {block.name: block for block in family.at(float(value)).family_blocks}
            normals = None if place.normals is None else place.normals[picked]
            wanted = blocks[place.block.name].data(points, normals)
            assert found[:, at] == pytest.approx(wanted, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("name", SHIPPED)
def test_lifts_are_those_of_every_instance(name):
    problem = load_problem(shipped_problems()[name])
    family = Family(problem)
    (parameter,) = problem.parameters
    values = values_of(problem)
    ansatz = FamilyAnsatz(family, [{parameter.name: float(v)} for v in values])
    points = family.at().domain.uniform(50, 1)
    size = len(problem.coordinates)
    channels = [(0,) * size, (1,) + (0,) * (size - 1), (0,) * (size - 1) + (2,)]
    found = ansatz.lift(points, [Derivative(0, channel) for channel in channels])(values[:, None])
    assert ansatz.has_formula
    for at, value in enumerate(values):
        wanted = family.at(float(value)).ansatzes[0].lift.derivatives(points, channels)
        assert found[:, at] == pytest.approx(wanted, rel=1e-11, abs=1e-11)


def test_a_removable_singularity_takes_its_limit():
    x, a = symbol("x"), symbol("a")
    points = np.array([[0.0], [0.5]])
    found = PointProgram([sympy.sin(a * x) / x], ("x",), points, ("a",))(np.array([[2.0], [3.0]]))
    assert found[0] == pytest.approx(np.array([[2.0, np.sin(1) / 0.5], [3.0, np.sin(1.5) / 0.5]]))


def test_data_without_a_limit_are_refused():
    x, a = symbol("x"), symbol("a")
    with pytest.raises(PinnkanError, match="no finite value or limit at x=0"):
        PointProgram([a / x], ("x",), np.array([[0.0]]), ("a",))(np.array([[2.0]]))
