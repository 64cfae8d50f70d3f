"""The problems that ship with the package, and how a problem is found."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from combinations import squares

import pinnkan.language.problem.finding as finding
from pinnkan.ground.derivatives import Collapsed
from pinnkan.ground.errors import FileAccessError, ProblemError, UsageError
from pinnkan.language.problem import load_problem, shipped_problems
from pinnkan.physics.check import check_problem
from pinnkan.physics.family import Family

PAY_OFF = (
    "initial[0] stays soft: its values have a kink (max) at S = 100, and the equation takes 2 derivatives "
    "in S: built in, it would stay in the solution"
)
NAMES = [
    "advection",
    "allen_cahn",
    "beam",
    "black_scholes",
    "brusselator",
    "burgers",
    "cantilever",
    "elasticity",
    "elliptic",
    "heat",
    "helmholtz",
    "hyperbolic",
    "kdv",
    "kovasznay",
    "kuramoto_sivashinsky",
    "maxwell",
    "plate",
    "poisson_square",
    "predator_prey",
    "schroedinger",
    "stokes",
    "transport_periodic",
    "wave",
]


def test_all_are_there():
    assert list(shipped_problems()) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_every_problem_passes_its_own_check(name):
    problem = load_problem(name)
    report = check_problem(Family(problem))
    expected = [("warning", PAY_OFF)] if name == "black_scholes" else []
    assert [(finding.severity, finding.message) for finding in report.findings] == expected
    assert problem.name == name
    assert problem.file.title
    for statement in (*report.equations, *report.conditions):
        assert statement.exact_residual is None or statement.exact_residual <= 1e-9, statement
    assert (report.zero_network_l2 is None) == (not problem.exact and problem.solution.reference is None)


S = math.sin(math.pi / 2 * 0.5**2.5)
Q = math.sin(math.pi / 4)  # S and Q at r = 1/2


@pytest.mark.parametrize(
    ("name", "value", "point", "expected"),
    [
        ("elliptic", 0.3, (0.3, 0.4), S + 0.3 * Q),
        ("allen_cahn", 0.3, (0.5, 0.3, 0.4), math.exp(-0.5) * (S + 0.3 * Q)),
        ("hyperbolic", 0.3, (0.5, 0.3, 0.4), math.expm1(0.25) * (S + 0.3 * Q)),
        ("heat", 0.2, (1.0, 1.0), math.exp(-0.05 * math.pi**2)),
        ("wave", 1.0, (0.5, 0.5), 0.0),
        ("advection", 0.2, (0.5, 0.6), 1.0),
        ("transport_periodic", 1.5, (0.5, 0.0), math.e),
        ("black_scholes", 0.2, (1.0, 100.0), 10.450583572185565),
        ("black_scholes", 0.3, (0.0, 150.0), 50.0),
        ("beam", 4.0, (0.1, 0.5), math.cos(0.2 * math.pi**2)),
        ("kdv", 3.0, (0.5, 1.5), 1.5),
        ("plate", 3.0, (0.5, 0.5), math.cos(1.5)),
        ("helmholtz", 6.0, (1.0, 0.0), math.cos(3 * math.sqrt(3))),
    ],
)
def test_exact_solutions_by_hand(name, value, point, expected):
    exact = Family(load_problem(name)).at(value).exact(np.array([point]))
    (values,) = exact.values()
    assert values[0] == pytest.approx(expected, abs=1e-14)


@pytest.mark.parametrize(
    ("name", "values", "point", "expected"),
    [
        ("kovasznay", {"Re": 40}, (0.0, 0.25), {"u": 1, "v": (10 - math.sqrt(100 + math.pi**2)) / math.pi}),
        ("stokes", {"k": 2}, (0.5, 0.25), {"u": math.exp(-0.5), "v": math.exp(-0.5) / (2 * math.pi), "p": 0}),
        ("elasticity", {"E": 2, "nu": 0.25}, (1.0, 0.25), {"u": math.sqrt(0.5) / 2, "v": -0.125}),
        ("schroedinger", {"c": 1}, (2.0, 2.0), {"u": math.cos(2), "v": math.sin(2)}),
        ("maxwell", {"eps": 1.25}, (0.25, 0.25, 0.5), {"Ez": 0, "Hx": 0, "Hy": 0}),
        ("maxwell", {"eps": 1.25}, (0.25, 0.0, 0.5), {"Ez": 0, "Hx": 0, "Hy": 1}),
        ("cantilever", {"L": 48}, (48.0, 0.0), {"u": 0, "v": -0.0089, "p": 0, "s": -125}),
        ("brusselator", {"B": 3}, (0.0, 1.0), {"u": 0.5, "v": 3}),
    ],
)  # fmt: skip
def test_exact_solutions_of_systems_by_hand(name, values, point, expected):
    exact = Family(load_problem(name)).at(values).exact(np.array([point]))
    assert {unknown: exact[unknown][0] for unknown in expected} == pytest.approx(expected, abs=1e-14)


@pytest.mark.parametrize(("value", "time"), [(0.5, 3.0), (2 / 3, 8.0), (1.0, 5.0)])
def test_what_prey_and_predators_keep(value, time):
    """prey - log(prey) + 4/3 predator - a log(predator) stays 7/3."""
    known = Family(load_problem("predator_prey")).at(value).exact(np.array([[time]]))
    prey, predator = known["prey"][0], known["predator"][0]
    kept = prey - math.log(prey) + 4 / 3 * predator - value * math.log(predator)
    assert kept == pytest.approx(7 / 3, abs=1e-6)


def test_the_source_of_the_elliptic_family_by_hand():
    """On the circle S, S' and S'' vanish, Q' = -pi/2 and Q'' = 0: all derivatives of u are known there."""
    value, (x, y) = 0.7, (0.6, 0.8)
    u_r = -value * math.pi / 2
    given = {(1, 0): x * u_r, (0, 1): y * u_r, squares((1.0, 1.0)): u_r}  # laplace(u) = u_rr + u_r / r
    (block,) = Family(load_problem("elliptic")).at(value).equations
    u = torch.tensor([[given[read.channel]] for read in block.reads], dtype=torch.float64)
    residual = block.residual(torch.from_numpy(block.data(np.array([[x, y]]))), u)
    assert abs(residual.item()) < 1e-7  # (1 - r)^0.5 turns one rounding error of r into 1e-8


def test_the_sources_are_finite_at_the_centre_and_on_the_circle():
    for name in ("elliptic", "allen_cahn", "hyperbolic"):
        instance = Family(load_problem(name)).at(1.0)
        points = np.array([[0.0, 0.0], [1.0, 0.0], [np.sqrt(0.5), np.sqrt(0.5)], [0.6, 0.8]])
        if instance.domain.time:
            points = np.column_stack([np.full(4, 0.5), points])
        for block in instance.equations:
            assert np.isfinite(block.data(points)).all()
        channels = [read.channel for block in instance.equations for read in block.reads]
        assert np.isfinite(instance.ansatzes[0].lift.derivatives(points, channels)).all()


@pytest.mark.parametrize(
    ("name", "combination"),
    [
        ("elliptic", (1.0, 1.0)),
        ("allen_cahn", (0.0, 1.0, 1.0)),
        ("hyperbolic", (1.0, -1.0, -1.0)),
        ("wave", (1.0, -4.0)),
        ("heat", None),
        ("burgers", None),
    ],
)
def test_second_derivatives_travel_as_one_channel(name, combination):
    instance = Family(load_problem(name)).at(2.0 if name == "wave" else None)
    (block,) = instance.equations
    assert {read.unknown for read in block.reads} == {0}
    channels = [read.channel for read in block.reads]
    collapsed = [channel for channel in channels if isinstance(channel, Collapsed)]
    assert collapsed == ([] if combination is None else [squares(combination)])
    unmixed = [channel for channel in channels if isinstance(channel, tuple) and 2 in channel]
    assert len(unmixed) == (0 if combination else 1)


def test_the_load_of_the_plate_by_hand():
    """On the edge x = 0, where w and w_x vanish, biharmonic(w) = w_xxxx + 2 w_xxyy, in the middle of it."""
    instance = Family(load_problem("plate")).at(2.0)
    (block,) = instance.equations
    data = block.data(np.array([[0.0, 0.5]]))
    # (x (1-x))^2 cos 2x = x^2 - 2 x^3 - x^4 + ..., and 256 (y (1-y))^2 is 16 with second derivative -256.
    assert block.reads == ((0, Collapsed((((4, 0), 1.0), ((2, 2), 2.0), ((0, 4), 1.0)))),)
    assert -data == pytest.approx(np.array([[24 * (1 - 2.0) * 16 + 2 * 2 * -256]]), rel=1e-12)


def test_the_hyperbolic_equation_is_one_channel_and_one_datum():
    (block,) = Family(load_problem("hyperbolic")).at(0.5).blocks
    assert block.reads == ((0, squares((1.0, -1.0, -1.0))),)
    assert block.data(np.array([[0.5, 0.1, 0.2]])).shape == (1, 1)


def test_a_path_comes_before_a_name_and_text_before_both(tmp_path, monkeypatch):
    text = shipped_problems()["burgers"].read_text()
    (tmp_path / "elliptic").write_text(text)
    monkeypatch.chdir(tmp_path)
    assert load_problem("elliptic").file.title == "Viscous Burgers equation"
    monkeypatch.chdir(tmp_path.parent)
    assert load_problem("elliptic").file.title.startswith("Nonlinear elliptic")
    assert load_problem(text, name="mine").name == "mine"


def test_problems_that_cannot_be_found_or_read(tmp_path):
    with pytest.raises(
        UsageError, match=r"problem 'eliptic': no such file, .*; did you mean 'elliptic'\?"
    ) as caught:
        load_problem("eliptic")
    assert caught.value.exit_code == 2
    with pytest.raises(UsageError, match="is a directory"):
        load_problem(str(tmp_path))
    with pytest.raises(UsageError, match=r"problem 'a\?b': no such file"):
        load_problem("a\0b")
    path = tmp_path / "bad.yaml"
    path.write_bytes(b"title: x\nunknowns: \xff\n")
    with pytest.raises(ProblemError) as fault:
        load_problem(path)
    message = f"{path}:2:1: error: byte 0xff is not UTF-8 text; save the file as UTF-8"
    assert str(fault.value) == f"{message}\n1 error"


def test_a_file_that_the_system_refuses(tmp_path, monkeypatch):
    path = tmp_path / "secret.yaml"
    path.write_text("title: x\n")

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.open", refuse)
    with pytest.raises(FileAccessError, match=r"cannot read .*secret.yaml: Permission denied") as caught:
        load_problem(path)
    assert caught.value.exit_code == 74


def test_a_wheel_carries_the_problems_inside(tmp_path, monkeypatch):
    inside = tmp_path / "pinnkan" / "problems"
    inside.mkdir(parents=True)
    (inside / "mine.yaml").write_text("title: x\n")
    monkeypatch.setattr(finding, "_PACKAGE", tmp_path / "pinnkan")
    assert shipped_problems() == {"mine": inside / "mine.yaml"}
