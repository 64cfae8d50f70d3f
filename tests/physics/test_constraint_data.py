"""Constraints against the data: what initial and boundary data miss is said, what they meet is not."""

from __future__ import annotations

import pytest
from posed_problems import FLOW_IN_TIME, LINE, SQUARE, TIME, system

from pinnkan.language.problem import load_problem
from pinnkan.physics.family import Family
from pinnkan.physics.wellposed import examine

ONE = 'unknowns: u\nequations: ["u_t = laplace(u)"]\nboundary: ["dn(u) = 0"]\n'
STILL = 'unknowns: u\nequations: ["u_xx = 1"]\nboundary: [{on: left, equation: "u = K"}, "dn(u) = 1"]\n'
TWO = ["u_t = u_xx - v", "v_t = v_xx + u"]


def heat(initial: str, *constraints: str, head: str = LINE + TIME) -> str:
    listed = ", ".join(f'"{entry}"' for entry in constraints)
    return head + ONE + f'initial: ["{initial}"]\nconstraints: [{listed}]\n'


def pair(constraint: str, *initial: str) -> str:
    more = f'constraints: ["{constraint}"]\n'
    return system(LINE + TIME, "u, v", TWO, ["dn(u) = 0", "dn(v) = 0"], list(initial), more)


def still(value: float, constraint: str) -> str:
    return LINE + STILL.replace("K", str(value)) + f'constraints: ["{constraint}"]\n'


SHORT = LINE.replace("[0, 1]", "[0, 1e-3]") + TIME
MISSED = {
    # id: (problem, message)
    "a mean of one from nothing": (
        heat("u = 0", "mean(u) = 1"),
        "constraint[0] contradicts initial[0]: at t = 0 its left side is 0 in place of 1; no solution",
    ),
    "a mean that grows from another start": (
        heat("u = 1 + cos(pi*x)", "mean(u) = 2 + t"),
        "at t = 0 its left side is 1 in place of 2",
    ),
    "over a short interval": (heat("u = 5", "integral(u) = 5", head=SHORT), "is 0.005 in place of 5"),
    "in tiny units": (heat("u = 1e-9", "mean(u) = 2e-9"), "is 1e-09 in place of 2e-09"),
    "a square": (heat("u = cos(pi*x)", "mean(u^2) = 1"), "is 0.5 in place of 1"),
    "a value at a point": (heat("u = cos(pi*x)", "u(0.5) = 1"), "in place of 1"),
    "a slope at a point": (heat("u = cos(pi*x)", "u_x(0.5) = 0"), "is -3.142 in place of 0"),
    "a late start": (heat("u = t", "mean(u) = 1", head=LINE + "time: {t: [3, 4]}\n"), "at t = 3 its left"),
    "of two the second": (heat("u = 1", "mean(u) = 1", "mean(u) = 3"), "constraint[1] contradicts"),
    "two unknowns together": (
        pair("mean(u + 2*v) = 0", "u = 1", "v = 1"),
        "constraint[0] contradicts initial[0] and initial[1]: at t = 0 its left side is 3 in place of 0",
    ),
    "a rate": (
        system(LINE + TIME, "u, v", ["u_tt = u_xx", "v_t = v_xx"], ["dn(u) = 0", "dn(v) = 0"],
               ["u = 0", "u_t = 2", "v = 0"], 'constraints: ["mean(u_t) = 0"]\n'),
        "constraint[0] contradicts initial[0] and initial[1]: at t = 0 its left side is 2 in place of 0",
    ),
    "a value on the boundary": (
        still(0, "u(0) = 1"),
        "constraint[0] contradicts boundary[0]: at x = 0 its left side is 0 in place of 1; drop one of them",
    ),
    "a boundary value over time": (
        LINE + TIME + 'unknowns: u\nequations: ["u_t = u_xx"]\nboundary: ["u = sin(t)"]\ninitial: ["u = 0"]\n'
        'constraints: ["u(1) = 0"]\n',
        "constraint[0] contradicts boundary[0]: at t = ",
    ),
}  # fmt: skip

MET = {
    "the mean of the start": heat("u = 1 + cos(pi*x)", "mean(u) = 1"),
    "a mean that changes": heat("u = 1", "mean(u) = exp(-t)"),
    "an integral in tiny units": heat("u = 1e-9*(1 - x)", "integral(u) = 5e-10"),
    "a jump": heat("u = where(x < 1/3, 1, 0)", "mean(u) = 1/3"),
    "a jump on a square": heat("u = where(x + 2*y < 1, 1, 0)", "mean(u) = 1/4", head=SQUARE + TIME),
    "a kink": heat("u = abs(x - 1/3)", "mean(u) = 5/18"),
    "nothing but for rounding": heat("u = 1e5*cos(pi*x)", "mean(u) = 0"),
    "an unknown without a start": system(SQUARE + TIME, "u, v, p", FLOW_IN_TIME, ["u = 0", "v = 0"],
                                         ["u = 0", "v = 0"], 'constraints: ["mean(p) = 1"]\n'),
    "a mean that the other takes up": pair("mean(u + v) = 1", "u = 1", "v = 0"),
    "a value on the boundary": still(1, "u(0) = 1"),
    "a value on another side": still(0, "u(1) = 1"),
    "a slope on the boundary": still(0, "u_x(0) = 0"),
}  # fmt: skip


def contradictions(text: str) -> list[str]:
    found = examine(Family(load_problem(text)).at())
    return [f"{f.severity}: {f.message}" for f in found if "contradicts" in f.message]


@pytest.mark.parametrize("name", MISSED)
def test_a_constraint_that_data_miss_is_told(name):
    text, message = MISSED[name]
    (spoken,) = contradictions(text)
    assert spoken.startswith("warning: constraint[")
    assert message in spoken


@pytest.mark.parametrize("name", MET)
def test_a_constraint_that_data_meet_is_not(name):
    assert contradictions(MET[name]) == []
