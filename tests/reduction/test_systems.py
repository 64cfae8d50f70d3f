"""Reduced bases of several unknowns: one basis for all, against SciPy on the residuals of whole solutions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from scipy.optimize import least_squares

from pinnkan.geometry import Interior
from pinnkan.ground.errors import UsageError
from pinnkan.language.bases import make_basis
from pinnkan.language.problem import load_problem
from pinnkan.networks import InputMap, make_kan
from pinnkan.physics.family import Family
from pinnkan.reduction import FamilyAnsatz, Snapshots, largest_relative, online_points, thinned
from pinnkan.reduction.online import VARIANT
from pinnkan.solutions.solution import Solution

COUPLED = """\
coordinates: [x, y]
domain: {shape: disk, center: [0, 0], radius: 1}
unknowns: [u, v]
family: {a: {base: 1, range: [0.5, 2]}}
exact: {u: a + (1 - x^2 - y^2)*(1 + a^2*x), v: 64*(1 - x^2 - y^2)*(a^2 - y)}
source: manufactured
equations: ["-laplace(u) + u^2*v/64 = source", "-laplace(v) + 64*u*u_x + a*v = source"]
boundary: ["u = a", "v = 0"]
"""
LINEAR = COUPLED.replace("u^2*v/64", "v/64").replace("64*u*u_x", "64*u_x")
SOFT = COUPLED.replace('"v = 0"', "{equation: v = 0, hard: false, weight: 2}")
FLOW = """\
coordinates: [x, y]
domain: {shape: box, x: [0, 1], y: [0, 1]}
unknowns: [u, v, p]
family: {a: {base: 1, range: [0.5, 2]}}
exact: {u: a*sin(pi*x)*cos(pi*y), v: -a*cos(pi*x)*sin(pi*y), p: a^2*(x - 1/2)*y}
source: manufactured
equations:
  - "u*u_x + v*u_y + p_x - laplace(u) = source"
  - "u*v_x + v*v_y + p_y - laplace(v) = source"
  - "u_x + v_y = 0"
boundary:
  - {equation: "u = a*sin(pi*x)*cos(pi*y)", hard: false}
  - {equation: "v = -a*cos(pi*x)*sin(pi*y)", hard: false}
"""
GAUGED = (
    FLOW
    + """\
constraints:
  - {equation: integral(p) = a^2, weight: 3}
  - mean(u*v + p_x) = a
  - p(1/2, 1/4) = a/8
"""
)
IN_TIME = """\
coordinates: [x]
time: {t: [0, 1]}
domain: {shape: interval, x: [0, 2]}
unknowns: [u, p]
family: {a: {base: 1, range: [0.5, 2]}}
exact: {u: a*exp(-t)*cos(pi*x/2), p: t*sin(pi*x) + a}
source: manufactured
equations: ["u_t - u_xx + u*p_x = source", "p_xx + u_x = source"]
boundary: ["u_x = 0"]
initial: [{equation: u = a*cos(pi*x/2), hard: false}]
constraints: ["integral(p) = 2*a*(1 + t)", "p(1/2) = t + a"]
"""
TRAINING = np.linspace(0.5, 2.0, 64)[:, None]


def network(unknowns: int):
    """A network that is linear in its coefficients: a combination of solutions is one, too."""
    lower = [-1.0, -1.0] if unknowns == 2 else [0.0, 0.0]
    return make_kan([2, unknowns], make_basis("chebyshev", functions=4), InputMap.over(lower, [1.0, 1.0]))


def weights(value: float, unknowns: int) -> torch.Tensor:
    """Coefficients of a network outside the span of the solutions, a curved function of the parameter."""
    rng = np.random.default_rng(7)
    terms = [rng.normal(size=(2, unknowns, 4)) for _ in range(3)]
    return torch.from_numpy(terms[0] + value**2 * terms[1] + 0.1 * value**3 * terms[2])


def exactly(value: float, scales: tuple[float, ...]) -> torch.Tensor:
    """The exact solution of COUPLED and LINEAR at a parameter value."""
    coefficients = np.zeros((2, 2, 4))
    coefficients[0, 0, :2] = 1.0 / scales[0], value**2 / scales[0]
    coefficients[0, 1, 0], coefficients[1, 1, 1] = 64.0 * value**2 / scales[1], -64.0 / scales[1]
    return torch.from_numpy(coefficients)


@dataclass
class Case:
    """Snapshots of a family, and its solutions by way of whole networks."""

    family: Family
    snapshots: Snapshots
    weights: list[torch.Tensor]

    def model(self):
        return self.snapshots.model(range(len(self.weights)))

    def solution(self, model, value: float, c: np.ndarray) -> Solution:
        """The network whose coefficients are the combination of the snapshots' coefficients."""
        shares = model.basis.mixing @ c
        mixed = sum(share * own for share, own in zip(shares.tolist(), self.weights, strict=True))
        return Solution(self.family.at(value), self.snapshots._network, [mixed])


def case(text: str, unknowns: int = 2, values=(0.5, 1.2, 2.0), make=None, shift: float = 0.0) -> Case:
    family = Family(load_problem(text, name="family"))
    ansatz = FamilyAnsatz(family, [{"a": 0.5}, {"a": 1.3}, {"a": 2.0}])
    snapshots = Snapshots(ansatz, network(unknowns), online_points(ansatz.reference))
    given = []
    for value in values:
        own = weights(value, unknowns) if make is None else make(value, ansatz.reference.scales)
        own[0, -1, 0] += shift * value
        snapshots.add(np.array([value]), [own])
        given.append(own)
    return Case(family, snapshots, given)


def averaged(solution: Solution, case: Case) -> np.ndarray:
    """Residuals of a whole solution, averaged over the cells of all levels."""
    parts = []
    sizes = case.snapshots.ansatz.reference.sizes
    for place in case.snapshots.places:
        block = {b.name: b for b in solution.instance.family_blocks}[place.block.name]
        if not isinstance(block.where, Interior):
            drawn = solution.instance.domain.collocate(block.where, 256, variant=VARIANT)
            means = drawn.means(solution.residual(block, drawn.points, drawn.normals))
            parts.append(np.sqrt(drawn.residual_weights * block.weight) * means / sizes[block.name])
            continue
        r = solution.residual(block, place.points, place.normals)
        for level in (1, *place.levels):
            w, sums = (
                x.reshape(place.cell, -1, level).sum((0, 2)) for x in (place.weights, place.weights * r)
            )
            share = block.weight / sizes[block.name] ** 2 / (1 + len(place.levels))
            parts.append(np.sqrt(w * share) * sums / w)
    return np.concatenate(parts)


def fields(solution: Solution, case: Case) -> np.ndarray:
    """The unknowns over their scales times the root of the weights, (U, N)."""
    place = case.snapshots.places[0]
    scales = np.array(case.snapshots.ansatz.reference.scales)
    return solution(place.points) * np.sqrt(place.weights) / scales[:, None]


@pytest.mark.parametrize(
    ("text", "unknowns", "value"),
    [
        (COUPLED, 2, 0.8),
        (LINEAR, 2, 1.6),
        (SOFT, 2, 1.6),
        (FLOW, 3, 0.8),
        (GAUGED, 3, 1.6),
        (IN_TIME, 2, 0.8),
    ],
    ids=["nonlinear", "linear", "soft", "flow", "constraints", "constraints in time"],
)
def test_coefficients_are_those_of_a_dense_solver_on_the_residuals_of_whole_solutions(text, unknowns, value):
    given = case(text, unknowns)
    model, row = given.model(), np.array([[value]])
    found = model.solve(row)
    tight = {"xtol": 1e-15, "ftol": 1e-15, "gtol": 1e-15}
    start = model.start(row)[0]
    wanted = least_squares(lambda c: averaged(given.solution(model, value, c), given), start, **tight)
    assert found.c[0] == pytest.approx(wanted.x, rel=2e-6, abs=1e-7 * np.abs(wanted.x).max())
    whole = fields(given.solution(model, value, found.c[0]), given)
    for unknown in given.snapshots.ansatz.free_constants:
        root = np.sqrt(given.snapshots.places[0].weights)
        whole[unknown] -= root * (root @ whole[unknown])
    assert found.norm[0] == pytest.approx(np.linalg.norm(whole), rel=1e-12)
    rms = np.sqrt(2 * wanted.cost * model.count / (model.count - model.size))
    assert found.residual[0] * found.norm[0] == pytest.approx(rms, rel=1e-8)


@pytest.mark.parametrize("text", [COUPLED, LINEAR], ids=["nonlinear", "linear"])
def test_a_family_inside_the_span_is_solved_to_rounding(text):
    given = case(text, values=(0.5, 2.0), make=exactly)
    model = given.model()
    for value in (0.7, 1.9, 3.0):
        found = model.solve(np.array([[value]]))
        points = given.snapshots.places[0].points
        exact = given.family.at(value).exact(points)
        u = given.solution(model, value, found.c[0])(points)
        assert u[0] == pytest.approx(exact["u"], abs=1e-10)
        assert u[1] == pytest.approx(exact["v"], abs=64e-10)
        assert found.residual[0] < 1e-10


def test_the_basis_is_orthonormal_in_the_sum_over_the_unknowns_in_units_of_their_scales():
    given = case(COUPLED)
    model = given.model()
    at_base = [fields(given.solution(model, 1.0, row), given).ravel() for row in np.eye(model.size)]
    lift = fields(given.solution(model, 1.0, np.zeros(model.size)), given).ravel()
    columns = np.stack(at_base) - lift
    assert columns @ columns.T == pytest.approx(np.eye(model.size), abs=1e-12)
    assert np.linalg.norm(columns.reshape(model.size, 2, -1)[:, 1], axis=1).min() > 0.05


@pytest.mark.parametrize("unit", [2.0**-20, 2.0**30])
def test_another_unit_of_one_unknown_changes_no_coefficient(unit):
    other = COUPLED.replace("v: 64*", f"v: {unit!r}*").replace("u^2*v/64", f"u^2*v/{unit!r}")
    other = other.replace("64*u*u_x", f"{unit!r}*u*u_x")
    values = np.array([[0.7], [1.4]])
    mine, theirs = case(COUPLED).model(), case(other).model()
    found, wanted = theirs.solve(values), mine.solve(values)
    assert found.c == pytest.approx(wanted.c, rel=1e-10)
    assert found.residual == pytest.approx(wanted.residual, rel=1e-10)


def test_what_nothing_fixes_of_a_pressure_is_not_in_the_basis():
    """Snapshots whose pressures differ by constants span the same basis, and answer alike."""
    mine, theirs = case(FLOW, 3), case(FLOW, 3, shift=100.0)
    assert mine.snapshots.ansatz.free_constants == [2]
    values = np.array([[0.7], [1.4]])
    wanted, found = mine.model().solve(values), theirs.model().solve(values)
    assert found.c == pytest.approx(wanted.c, rel=1e-9)
    assert found.norm == pytest.approx(wanted.norm, rel=1e-9)
    scale = mine.snapshots.ansatz.reference.scales[2]
    moved = np.array(theirs.snapshots.constants) - np.array(mine.snapshots.constants)
    assert moved == pytest.approx(np.outer([0.5, 1.2, 2.0], [0.0, 0.0, 100.0 * scale]), rel=1e-9, abs=1e-9)
    pressure = mine.model().basis.values.reshape(3, 3, -1)[:, 2]
    assert pressure @ mine.snapshots.places[0].weights == pytest.approx(np.zeros(3), abs=1e-12 * scale)


@pytest.mark.parametrize(("text", "unknowns"), [(SOFT, 2), (GAUGED, 3)])
def test_few_rows_answer_like_all_of_them(text, unknowns):
    whole = case(text, unknowns).model()
    small = thinned(whole, TRAINING, 1.0)
    assert sum(block.count for block in small.blocks) < 0.25 * whole.count
    values = np.linspace(0.51, 1.97, 23)[:, None]
    wanted, found = whole.solve(values), small.solve(values)
    assert found.residual == pytest.approx(wanted.residual, rel=0.05)
    gaps = [
        largest_relative(gap, u, unknowns)
        for gap, u in zip(whole.change(found.c - wanted.c), whole.weighted(values, wanted.c), strict=True)
    ]
    assert (np.array(gaps) < 0.1 * wanted.residual).all()


def test_the_difference_to_a_snapshot_is_the_largest_over_the_unknowns():
    given = case(COUPLED)
    model, c = given.model(), np.array([0.3, -0.2, 0.9])
    psi = fields(given.solution(model, 1.2, c), given)
    u = fields(Solution(given.family.at(1.2), given.snapshots._network, [given.weights[1]]), given)
    ratios = np.linalg.norm(psi - u, axis=1) / np.linalg.norm(u, axis=1)
    assert ratios[0] != pytest.approx(ratios[1], rel=0.1)
    assert given.snapshots.difference(model, c, 1) == pytest.approx(ratios.max(), rel=1e-10)


def test_an_unknown_that_is_zero_counts_by_its_scale():
    gap, whole = np.array([0.03, 0.04, 0.0, 1e-6]), np.array([3.0, 4.0, 0.0, 0.0])
    assert largest_relative(gap, whole, 2) == pytest.approx(0.01)
    assert largest_relative(gap * [1, 1, 1, 100], whole, 2) == pytest.approx(0.1)
    assert largest_relative(gap[:2], whole[:2], 1) == pytest.approx(0.01)


def test_a_constraint_at_a_point_that_moves_is_refused_by_name():
    text = COUPLED + 'constraints: ["u_x(a/4, 0) = 1"]\n'
    family = Family(load_problem(text, name="family"))
    with pytest.raises(
        UsageError, match=r"family: the point of constraint\[0\] depends on a; a reduced basis"
    ):
        FamilyAnsatz(family, [{"a": 0.5}, {"a": 2.0}])
