"""``check``: a problem tested against itself."""

# ruff: noqa: E501  (tables of messages)

from __future__ import annotations

import pytest
import sympy

from pinnkan.language.problem import load_problem
from pinnkan.physics.check import Finding, check_problem
from pinnkan.physics.family import Family

WAVE = """\
title: String
coordinates: [x]
time: {t: [0, 1]}
domain: {shape: interval, x: [0, 1]}
unknowns: u
family: {c: {base: 1, range: [0.5, 2]}}
exact: sin(pi*x)*cos(c*pi*t)
equations: ["u_tt = c^2*u_xx"]
boundary: ["u = 0"]
initial: ["u = sin(pi*x)", "u_t = 0"]
points: {interior: 100, boundary: 20, initial: 30, held_out: 50, rule: sobol}
"""


def messages(text: str) -> list[str]:
    return [
        f"{finding.severity}: {finding.message}"
        for finding in check_problem(Family(load_problem(text))).findings
    ]


def test_a_sound_problem():
    report = check_problem(Family(load_problem(WAVE)))
    assert report.findings == ()
    assert report.passed
    assert report.formulas.ansatz == {"u": "u = sin(pi*x) + (4*t**2*x*(1 - x))*N"}
    assert [c.hard for c in report.conditions] == [True, True, True]
    assert [c.where for c in report.conditions] == [("x-", "x+"), ("initial",), ("initial",)]
    residual = sympy.sympify(report.equations[0].texts.residual)
    assert residual == sympy.sympify("u_tt - c**2*u_xx")
    assert report.zero_network_l2 == pytest.approx(3**0.5, abs=0.1)  # |1 - cos(pi t)| / |cos(pi t)|


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("cos(c*pi*t)", "cos(pi*t)", "error: equation[0]: the exact solution leaves a residual of 7.4 at c=0.5"),
        ("u = sin(pi*x)", "u = 2*sin(pi*x)", "error: initial[0]: the exact solution leaves a residual of 1 at c=1"),
        ('boundary: ["u = 0"]', 'boundary: ["dn(u) = 0"]', "error: boundary[0]: the exact solution leaves a residual of 3.1"),
        ('boundary: ["u = 0"]', "boundary: [{on: left, equation: u = 0}]", "warning: no boundary condition on the side x+"),
        ('boundary: ["u = 0"]', "", "warning: no boundary condition on the sides x-, x+"),
        (
            'boundary: ["u = 0"]',
            'boundary: ["u = 1"]',
            "warning: initial and boundary data do not meet: initial[0] and boundary[0] differ by 1 (100 % of their size) at",
        ),
        (
            'boundary: ["u = 0"]',
            'boundary: ["u = 137"]',
            "warning: initial and boundary data do not meet: initial[0] and boundary[0] differ by 137 (100 % of their size) at",
        ),
        ('boundary: ["u = 0"]', 'boundary: ["u = t"]', "warning: initial and boundary data do not meet: initial[1] and"),
        ("u_t = 0", "u_t = 0*x + 1", "warning: initial[1] stays soft: the rates of initial and boundary data differ by 1"),
        ("u_tt = c^2*u_xx", "u_t = c^2*u_xx", "warning: the equation is of order 1 in time, 2 initial conditions are given"),
        ("exact: sin(pi*x)*cos(c*pi*t)", "exact: sin(pi*x)*(1 + c*t/100)", "warning: the ansatz without a network is already"),
        ("x: [0, 1]}", "x: [0, c - 1/2]}", "error: at c=0.5: "),
        ("c^2*u_xx", "c^2*u_xx + u/(c - 2)", "error: equation[0] with the exact solution at c=2: no finite value"),
        ("c^2*u_xx", "c^2*u_xx + u/(c - 2)", "error: at c=2: equation[0]: no finite value"),
    ],
    ids=range(14),
)  # fmt: skip
def test_findings(old, new, expected):
    assert old in WAVE
    found = messages(WAVE.replace(old, new))
    assert any(message.startswith(expected) for message in found), found


def test_errors_come_first_and_fail_the_check():
    text = WAVE.replace("u = sin(pi*x)", "u = 2*sin(pi*x)").replace(
        '["u = 0"]', "[{on: left, equation: u = 0}]"
    )
    report = check_problem(Family(load_problem(text)))
    assert [finding.severity for finding in report.findings] == ["error", "warning"]
    assert not report.passed
    assert isinstance(report.findings[0], Finding)


def test_a_manufactured_source_is_shown_by_name_and_written_out():
    report = check_problem(Family(load_problem("elliptic")))
    (equation,) = report.equations
    assert "source" in equation.texts.shown
    assert "source" not in equation.texts.residual
    assert list(report.formulas.sources) == ["equation[0]"]
    assert "sin" in report.formulas.sources["equation[0]"]
    names = {"lamda": sympy.Symbol("lamda"), "S": sympy.Symbol("S")}
    assert "u_xx" in {
        symbol.name for symbol in sympy.sympify(equation.texts.residual, locals=names).free_symbols
    }


def test_the_exact_residual_catches_a_wrong_manufactured_condition():
    text = WAVE.replace("boundary:", "source: manufactured\nboundary:", 1).replace(
        "c^2*u_xx", "c^2*u_xx + source"
    )
    report = check_problem(Family(load_problem(text.replace("cos(c*pi*t)", "exp(t)"))))
    by_name = {c.name: c.exact_residual for c in (*report.equations, *report.conditions)}
    assert by_name["equation[0]"] <= 1e-12
    assert by_name["initial[1]"] == pytest.approx(1.0, abs=1e-3)
