"""The reduced model against exact solutions in its span, and against SciPy on an instance's residuals."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.optimize import least_squares

from pinnkan.ground.derivatives import Derivative
from pinnkan.ground.errors import UsageError
from pinnkan.language.bases import make_basis
from pinnkan.language.problem import load_problem
from pinnkan.networks import InputMap, make_kan
from pinnkan.physics.family import Family
from pinnkan.reduction import FamilyAnsatz, Snapshots, network_jets, online_points

CURVED = """\
coordinates: [x, y]
domain: {shape: disk, center: [0, 0], radius: 1}
unknowns: u
family: {a: {base: 1, range: [0.5, 2]}}
exact: a + (1 - x^2 - y^2)*(1 + a^2*x)
source: manufactured
equations: ["-laplace(u) + u^3 = source"]
boundary: ["u = exact"]
"""
STRAIGHT = CURVED.replace("+ u^3 ", "")
SOFT = STRAIGHT.replace('boundary: ["u = exact"]', "boundary: [{equation: u = exact, hard: false}]")

NETWORK = make_kan([2, 1], make_basis("chebyshev", functions=3), InputMap.over([-1.0, -1.0], [1.0, 1.0]))


def additive(constant, slope):
    """Coefficients of the network constant + slope * x."""
    weights = torch.zeros(2, 1, 3, dtype=torch.float64)
    weights[0, 0, 0], weights[0, 0, 1] = constant, slope
    return [weights]


def bent(value):
    """A network outside the span of the solutions."""
    (weights,) = additive(1.0, value)
    weights[1, 0, 2] = 0.1 * value**3
    return [weights]


def snapshots_of(text, makers, values=(0.5, 2.0)):
    family = Family(load_problem(text, name="family"))
    ansatz = FamilyAnsatz(family, [{"a": 0.5}, {"a": 1.3}, {"a": 2.0}])
    snapshots = Snapshots(ansatz, NETWORK, online_points(ansatz.reference))
    for value, make in zip(values, makers, strict=True):
        snapshots.add(np.array([value]), make(value))
    return family, snapshots


def exactly(value):
    return additive(1.0, value**2)


@pytest.mark.parametrize("text", [CURVED, STRAIGHT], ids=["nonlinear", "linear"])
def test_a_family_inside_the_span_is_solved_to_rounding(text):
    family, snapshots = snapshots_of(text, [exactly, exactly])
    model = snapshots.model([0, 1])
    values = np.array([[0.7], [1.1], [1.9], [3.0]])
    found = model.solve(values)
    assert found.converged.all()
    place = snapshots.places[0]
    root = np.sqrt(place.weights)
    exact = np.stack([family.at(float(v)).exact(place.points)["u"] for v in values[:, 0]]) * root
    assert model.weighted(values, found.c) == pytest.approx(exact, abs=1e-11)
    assert found.norm == pytest.approx(np.linalg.norm(exact, axis=1), rel=1e-11)
    assert found.residual.max() < 1e-10


def test_boundary_data_are_met_exactly_at_values_that_nobody_trained():
    _, snapshots = snapshots_of(CURVED, [bent, bent])
    model = snapshots.model([0, 1])
    angle = np.linspace(0, 6, 9)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    ansatzes, value = snapshots.ansatz.reference.ansatzes, [Derivative(0, (0, 0))]
    jets = network_jets(ansatzes, NETWORK, [bent(0.5), bent(2.0)], circle, value)[0]
    values = np.array([[0.8], [1.7]])
    c = model.solve(values).c
    u = c @ (model.basis.mixing.T @ jets) + snapshots.ansatz.lift(circle, value)(values)[0]
    assert u == pytest.approx(np.broadcast_to(values, u.shape), abs=1e-14)


@pytest.mark.parametrize("text", [CURVED, STRAIGHT, SOFT], ids=["nonlinear", "linear", "soft"])
def test_coefficients_are_those_of_a_dense_solver_on_the_instances_residuals(text):
    family, snapshots = snapshots_of(text, [bent, bent])
    model = snapshots.model([0, 1])
    for value in (0.8, 1.6):
        instance = family.at(value)
        blocks = instance.family_blocks

        def residuals(c, blocks=blocks, instance=instance):
            parts = []
            for block, place, jets in zip(blocks, snapshots.places, model.basis.jets, strict=True):
                channels = [read.channel for read in block.reads]
                lift = instance.ansatzes[0].lift.derivatives(place.points, channels)
                u = np.einsum("k,ckn->cn", c, jets) + lift
                data = torch.from_numpy(block.data(place.points, place.normals))
                r = block.residual(data, torch.from_numpy(u)).numpy()
                for level in (1, *place.levels):
                    w, sums = (
                        x.reshape(place.cell, -1, level).sum((0, 2))
                        for x in (place.weights, place.weights * r)
                    )
                    size = snapshots.ansatz.reference.sizes[block.name]
                    share = block.weight / size**2 / (1 + len(place.levels))
                    parts.append(np.sqrt(w * share) * sums / w)
            return np.concatenate(parts)

        start = model.start(np.array([[value]]))[0]
        wanted = least_squares(residuals, start, xtol=1e-15, ftol=1e-15, gtol=1e-15)
        found = model.solve(np.array([[value]]))
        assert found.c[0] == pytest.approx(wanted.x, rel=1e-6)
        count = model.count
        rms = np.sqrt(2 * wanted.cost * count / (count - 2))
        assert found.residual[0] * found.norm[0] == pytest.approx(rms, rel=1e-8)


def test_many_values_at_once_are_those_one_by_one():
    _, snapshots = snapshots_of(CURVED, [bent, bent])
    model = snapshots.model([0, 1])
    values = np.linspace(0.5, 2, 41)[:, None]
    together = model.solve(values)
    alone = np.concatenate([model.solve(row[None]).c for row in values])
    assert together.c == pytest.approx(alone, rel=1e-12)


def test_the_basis_is_orthonormal_and_its_first_functions_span_the_first_snapshots():
    _, snapshots = snapshots_of(CURVED, [bent, exactly])
    model = snapshots.model([1, 0])
    values = model.basis.values * np.sqrt(snapshots.places[0].weights)
    assert values @ values.T == pytest.approx(np.eye(2), abs=1e-12)
    assert model.basis.coordinates[0] == pytest.approx([model.basis.coordinates[0, 0], 0.0], abs=1e-13)
    own = snapshots.difference(model, model.basis.coordinates[1], 0)
    assert own == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("radius: 1", "radius: a", "the domain depends on a; a reduced basis needs one domain"),
        (
            'boundary: ["u = exact"]',
            'boundary: ["(a - 2)*u = (a - 2)*exact"]',
            "is built into the ansatz at a=0.5 and not at a=2; write 'hard: false'",
        ),
    ],
)
def test_a_family_whose_geometry_or_ansatz_changes_is_refused(old, new, message):
    problem = load_problem(CURVED.replace(old, new), name="family")
    with pytest.raises(UsageError, match=message.replace("(", r"\(")):
        FamilyAnsatz(Family(problem), [{"a": 0.5}, {"a": 2.0}])


def test_a_harmonic_lift_is_built_value_by_value():
    text = CURVED.replace("exact: a +", "exact: a*x*y +").replace('"u = exact"', '"u = a*x*y"')
    family, snapshots = snapshots_of(text, [exactly, exactly])
    assert not snapshots.ansatz.has_formula
    values = np.array([[0.7], [1.5]])
    found = snapshots.model([0, 1]).solve(values)
    points = snapshots.places[0].points
    exact = np.stack([family.at(float(v)).exact(points)["u"] for v in values[:, 0]])
    root = np.sqrt(snapshots.places[0].weights)
    assert snapshots.model([0, 1]).weighted(values, found.c) == pytest.approx(exact * root, abs=1e-10)
