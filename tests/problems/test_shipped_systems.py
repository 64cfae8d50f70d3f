"""The shipped systems, solved and judged by what training never sees, unknown by unknown.

SymPy's reading of the files judges what has a formula, spectral and Runge-Kutta solvers the others. The plain
run solves small versions; the slow one the files as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from reference_solutions import brusselator, predator_prey
from trained_problems import train
from written_formulas import WrittenFormulas, column, read_formulas

import pinnkan
from pinnkan.language.problem import load_problem, shipped_problems
from pinnkan.physics.family import Family
from pinnkan.workflows.api import Run

Fields = Mapping[str, np.ndarray]


def written(name: str) -> WrittenFormulas:
    return read_formulas(shipped_problems()[name])


def exact_fields(name: str, points: np.ndarray, values: Mapping[str, float]) -> Fields:
    """Return the formulas of a file, as SymPy reads them, at points."""
    formulas = written(name)
    rows = formulas.compiled(column(*formulas.exact.values()))(points, values)
    return dict(zip(formulas.exact, rows, strict=True))


def reaction(_: str, points: np.ndarray, values: Mapping[str, float]) -> Fields:
    return dict(zip(("u", "v"), brusselator(*points.T, values["B"]), strict=True))


def populations(_: str, points: np.ndarray, values: Mapping[str, float]) -> Fields:
    return dict(zip(("prey", "predator"), predator_prey(points[:, 0], values["a"]), strict=True))


Judge = Callable[[str, np.ndarray, Mapping[str, float]], Fields]
JUDGES: dict[str, Judge] = {"brusselator": reaction, "predator_prey": populations}
"""Of the problems without a formula."""


def distance(psi: np.ndarray, u: np.ndarray) -> float:
    return float(np.linalg.norm(psi - u) / np.linalg.norm(u))


def field_errors(solved: Fields, known: Fields) -> dict[str, float]:
    """Return the relative L2 error of every unknown that is not zero."""
    return {name: distance(solved[name], known[name]) for name in known if known[name].any()}


def solve_system(
    name: str,
    targets: Sequence[Mapping[str, float]],
    folder: Path,
    base_overrides: Sequence[str] = (),
    overrides: Sequence[str] = (),
) -> list[dict[str, float]]:
    """Train a base and its adapters; return their errors by the judge, the base's first."""
    problem = load_problem(name, overrides=base_overrides)
    run, judge = train(problem, targets, folder, overrides), JUDGES.get(name, exact_fields)
    found = []
    for values in ({}, *targets):
        complete = {**problem.base_values, **values}
        points = Family(problem).at(complete).domain.uniform(1000, 11)
        found.append(field_errors(run.at(values or None)(points), judge(name, points, complete)))
        print(f"{name} {complete}: " + ", ".join(f"{key} {error:.1e}" for key, error in found[-1].items()))
    return found


def stress_errors(run: Run) -> dict[str, float]:
    """Return the relative L2 errors of sigma_xx, sigma_xy, sigma_yy of the block that is pulled."""
    formulas, values = written("elasticity"), run.at().values
    points = Family(run.problem).at(values).domain.uniform(1000, 11)
    u_x, u_y, v_x, v_y = run.at().jet(points, "u_x", "u_y", "v_x", "v_y")
    modulus, ratio = values["E"], values["nu"]
    lam, mu = modulus * ratio / ((1 + ratio) * (1 - 2 * ratio)), modulus / (2 * (1 + ratio))
    trace = lam * (u_x + v_y)
    solved = {"xx": trace + 2 * mu * u_x, "xy": mu * (u_y + v_x), "yy": trace + 2 * mu * v_y}
    sigma = formulas["sigma"]
    known = formulas.compiled(column(sigma[0, 0], sigma[0, 1], sigma[1, 1]))(points, values)
    return field_errors(solved, dict(zip(solved, known, strict=True)))


def within(errors: Mapping[str, float], limits: Mapping[str, float]) -> bool:
    return errors.keys() == limits.keys() and all(errors[name] < limit for name, limit in limits.items())


QUICK = {
    # name: hidden layers, points, steps, target, points and steps of its adapter, limits, in common.
    "predator_prey": ("[8]", 200, 20, {"a": 0.7}, 8, 1e-2),
    "kovasznay": ("[6, 6]", 250, 12, {"Re": 45}, 5, 3e-2),
    "elasticity": ("[6, 6]", 200, 24, {"nu": 0.25}, 4, 3e-2),
}


@pytest.mark.parametrize("name", QUICK)
def test_small_versions(name, tmp_path):
    hidden, points, steps, target, tuning, limit = QUICK[name]
    base = [
        f"network.hidden={hidden}",
        "points.held_out=300",
        f"points.interior={points}",
        f"training={{steps: {steps}}}",
    ]
    overrides = [f"finetuning={{steps: {tuning}}}"]
    errors = solve_system(name, [target], tmp_path, base, overrides)
    assert max(error for fields in errors for error in fields.values()) < limit, errors


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "targets", "limits"),
    [
        ("kovasznay", [{"Re": 45}, {"Re": 65}], {"u": 2e-5, "v": 2e-4, "p": 2e-4}),
        ("stokes", [{"k": 1.2}, {"k": 1.7}], {"u": 1e-4, "v": 1e-4, "p": 1e-3}),
        ("maxwell", [{"eps": 2.3}, {"eps": 3.5}], {"Ez": 3e-3, "Hx": 3e-3, "Hy": 3e-3}),
        ("brusselator", [{"B": 2.9}, {"B": 2.2}], {"u": 1e-3, "v": 1e-3}),
        ("schroedinger", [{"c": 0.55}, {"c": 0.8}], {"u": 1e-3, "v": 1e-3}),
        ("predator_prey", [{"a": 0.7}, {"a": 1.0}], {"prey": 1e-5, "predator": 1e-5}),
    ],
)
def test_files_as_they_are(name, targets, limits, tmp_path):
    errors = solve_system(name, targets, tmp_path)
    assert all(within(fields, limits) for fields in errors), errors


@pytest.mark.slow
def test_the_beam_as_the_file_is(tmp_path):
    """A base and two adapters, the tip's deflection, and the stress that is zero beside the others."""
    limits = {"u": 1e-4, "v": 1e-4, "p": 1e-3, "s": 1e-3}
    errors = solve_system("cantilever", [{"L": 36}, {"L": 60}], tmp_path)
    assert all(within(fields, limits) for fields in errors), errors
    tip = pinnkan.load(tmp_path).at()(np.array([[48.0, 0.0]]))
    assert tip["v"] == pytest.approx(-0.0089, rel=1e-4)
    assert np.abs(tip["q"]).max() < 0.1


@pytest.mark.slow
def test_the_block_as_the_file_is(tmp_path):
    """Displacements of a base and two adapters, and the stresses of the base."""
    errors = solve_system("elasticity", [{"E": 1.2}, {"nu": 0.35}], tmp_path)
    assert all(within(fields, {"u": 1e-4, "v": 1e-4}) for fields in errors), errors
    stresses = stress_errors(pinnkan.load(tmp_path))
    assert within(stresses, {"xx": 1e-3, "xy": 1e-3, "yy": 1e-3}), stresses
