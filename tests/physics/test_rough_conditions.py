"""A condition is built in only where its lift has as many derivatives as the equation takes."""

# ruff: noqa: E501  (tables of messages)

from __future__ import annotations

import pytest

from pinnkan.ground.errors import ProblemError
from pinnkan.language.problem import load_problem
from pinnkan.physics.family import Family

HEAT = """\
coordinates: [x]
time: {t: [0, 2]}
domain: {shape: interval, x: [0, 1]}
unknowns: u
family: {a: {base: 1, range: [0.5, 2]}}
equations: ["EQUATION"]
boundary:
  - {on: left, equation: "u = LEFT"}
  - {on: right, equation: "u = 0"}
initial:
  - {equation: "u = START", hard: auto}
"""
SQUARE = """\
coordinates: [x, y]
domain: {shape: box, x: [0, 1], y: [0, 1]}
unknowns: u
family: {a: {base: 1, range: [0.5, 2]}}
equations: ["a*laplace(u) = 0"]
boundary:
  - {on: bottom, equation: "u = BOTTOM"}
  - {on: [left, right, top], equation: u = 0}
"""
DISK = """\
coordinates: [x, y]
time: {t: [0, 2]}
domain: {shape: disk, center: [0, 0], radius: 1}
unknowns: u
equations: ["u_t = laplace(u)"]
boundary: ["u = RIM"]
initial: ["u = START"]
"""
STAYS = "built in, it would stay in the solution"


def filled(text: str, **words: str) -> str:
    for word, value in {"equation": "u_t = a*u_xx", "left": "0", "start": "0", **words}.items():
        text = text.replace(word.upper(), value)
    return text


def test_nothing_that_is_hard_in_a_shipped_problem_becomes_soft():
    """The hard conditions and the first terms of the ansatz before there was a question of smoothness."""
    disk = "(-x**2 - y**2 + 1)"
    wanted = {
        "advection": (0, "u = N"),
        "allen_cahn": (2, "u = lambda*cos(pi*sqrt(x**2 + y**2)/2) + sin(pi*Max(1 - sqrt(x**2 + y**2), 0)**(5/2)/2) + (t*(-x**2 - y**2 + 1))*N"),
        "burgers": (2, "u = -sin(pi*x) + (4*t*(1/2 - x/2)*(x/2 + 1/2))*N"),
        "elliptic": (1, f"u = {disk}*N"),
        "heat": (2, "u = sin(pi*x/2) + (t*x)*N"),
        "helmholtz": (1, "u = x*cos(k*(y/2 + sqrt(3)/2)) + "),
        "hyperbolic": (3, f"u = (t**2*{disk})*N"),
        "poisson_square": (1, "u = (16*x*y*(1 - x)*(1 - y))*N"),
        "transport_periodic": (1, "u = exp(sin(2*pi*x)) + (t)*N"),
        "wave": (3, "u = sin(pi*x) + sin(2*pi*x)/2 + (4*t**2*x*(1 - x))*N"),
    }  # fmt: skip
    for name, (count, text) in wanted.items():
        family = Family(load_problem(name, overrides=["scales=none"]))
        for value in (None, family.problem.parameters[0].high):
            ansatz = family.at(value).ansatzes[0]
            assert (len(ansatz.hard), ansatz.notes) == (count, {}), (name, value)
            assert ansatz.text().startswith(text), (name, value)


ROUGH = [
    (filled(HEAT, start="min(2*x, 2*(1 - x))"), "initial[0]", "a kink (min) at x = 0.5", "2 derivatives in x"),
    (filled(HEAT, start="a*where(x < 0.5, x^2, x - 0.25)*(1 - x)"), "initial[0]", "a jump of its second derivative in x (where) at x = 0.5", "2 derivatives in x"),
    (filled(HEAT, start="sqrt(x)*(1 - x)"), "initial[0]", "an infinite first derivative in x (sqrt) at x = 0", "2 derivatives in x"),
    (filled(HEAT, start="x*abs(x - a/4)*(1 - x)"), "initial[0]", "a kink (abs) at x = 0.25", "2 derivatives in x"),
    (filled(HEAT, left="where(t < 1, 0, 1)"), "boundary[0]", "a jump (where) at t = 1", "1 derivative in t"),
    (filled(HEAT, left="max(t - 1, 0)"), "boundary[0]", "a kink (max) at t = 1", "1 derivative in t"),
    (filled(SQUARE, bottom="a*min(2*x, 2*(1 - x))"), "boundary[0]", "a kink (min) at x = 0.5", "2 derivatives in x"),
    (filled(SQUARE, bottom="sqrt((x - 0.25)^2)*x*(1 - x)"), "boundary[0]", "a kink (abs) at x = 0.25", "2 derivatives in x"),
    (filled(DISK, rim="max(t - 1, 0)"), "boundary[0]", "a kink (max) at t = 1", "1 derivative in t"),
    (filled(DISK, rim="0", start="1 - sqrt(x^2 + y^2)"), "initial[0]", "a kink (sqrt) at x = 0, y = 0", "2 derivatives in x"),
    (filled(DISK, rim="0", start="(1 - x^2 - y^2)*abs(x + y)"), "initial[0]", "a kink (abs), for example at x = ", "2 derivatives in x"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "name", "what", "taken"), ROUGH, ids=range(len(ROUGH)))
def test_rough_data_stay_soft_and_hard_true_is_refused_for_the_same_reason(text, name, what, taken):
    ansatz = Family(load_problem(text)).at().ansatzes[0]
    note = ansatz.notes[name]
    assert name not in ansatz.hard
    assert len(ansatz.hard) == 1 + ("initial" in text and "{on: right" in text)
    assert note.startswith(f"its values have {what}")
    assert note.endswith(f"and the equation takes {taken}: {STAYS}")
    insisting = text.replace("hard: auto", "hard: true") if "initial" in name else None
    if insisting and insisting != text:
        with pytest.raises(ProblemError) as caught:
            Family(load_problem(insisting, name="mine")).at()
        message = f"mine.yaml:11:16: error: initial[0]: hard: true cannot be met: {note}"
        assert str(caught.value).startswith(message)


SMOOTH = [
    (filled(HEAT, start="x*abs(x - 0.5)^3*(1 - x)"), 3),
    (filled(HEAT, start="where(x < 0.5, 0, (x - 0.5)^3*(1 - x))"), 3),
    (filled(HEAT, left="(t - 1)*abs(t - 1)", start="x - 1"), 3),
    (filled(HEAT, left="max(t - 3, 0)"), 3),
    (filled(HEAT, equation="u_t + a*u_x = 0", start="where(x < 0.5, x^2, x - 0.25)*(1 - x)"), 3),
    (filled(HEAT, equation="u_t = -a*u", start="min(x, 1 - x)"), 3),
    (filled(SQUARE, bottom="max(x, 0)*(1 - x)"), 2),
    (filled(SQUARE, bottom="x*(1 - x) + abs(y)"), 2),
    (filled(SQUARE, bottom="max(x - 0.5, 0)*(a - a)"), 2),
    (filled(DISK, rim="0", start="(1 - x^2 - y^2)^1 * cos(sqrt(x^2 + y^2))"), 2),
    (filled(DISK, rim="0", start="max(1 - sqrt(x^2 + y^2), 0)^2.5*(x^2 + y^2)"), 2),
]


@pytest.mark.parametrize(("text", "count"), SMOOTH, ids=range(len(SMOOTH)))
def test_what_joins_smoothly_enough_for_the_equation_is_built_in(text, count):
    ansatz = Family(load_problem(text)).at().ansatzes[0]
    assert (len(ansatz.hard), ansatz.notes) == (count, {})


def test_the_parameter_moves_a_kink_in_and_out():
    family = Family(load_problem(filled(HEAT, start="max(x - a, 0)*0 + max(x - a, 0)*(1 - x)")))
    assert "initial[0]" in family.at(0.5).ansatzes[0].notes
    assert "initial[0]" in family.at(1.5).ansatzes[0].hard
    assert "initial[0]" in family.at(0.6).ansatzes[0].notes


def test_a_factor_that_vanishes_at_one_value_leaves_a_kink_out():
    family = Family(load_problem(filled(HEAT, start="(a - 1)*min(x, 1 - x) + x*(1 - x)")))
    assert "initial[0]" in family.at(1.0).ansatzes[0].hard
    assert "initial[0]" in family.at(1.1).ansatzes[0].notes
    assert "initial[0]" in family.at(1.0).ansatzes[0].hard
