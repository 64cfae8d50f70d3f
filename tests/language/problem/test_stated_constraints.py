"""Constraints as written: what each means, and one clear message for everything else."""

from __future__ import annotations

import pytest
import sympy

from pinnkan.ground.errors import ProblemError
from pinnkan.language.expressions import symbol
from pinnkan.language.problem import Problem, load_problem
from pinnkan.language.problem.spec import MEASURE
from pinnkan.physics.family import Family

HEAD = """\
coordinates: [x, y]
{time}
domain: {{shape: disk, center: [0, 0], radius: 2}}
unknowns: [u, p]
family: {{m: {{base: 3, range: [0, 5]}}}}
definitions: {{q: p - u_x, w: "[u, p]"}}
equations: ["laplace(u) + p_x*q = m", "{second}"]
constraints:
  - {constraint}
"""
U, P, UX, X, T, M = map(symbol, ("u", "p", "u_x", "x", "t", "m"))


def text(constraint: str, *, time: bool = False, second: str = "p + u*dot(w, w) = 0") -> str:
    return HEAD.format(
        constraint=constraint, time="time: {t: [0, 2]}" if time else "title: none", second=second
    )


def read(constraint: str, *, time: bool = False) -> Problem:
    return load_problem(text(constraint, time=time))


MEANINGS = {
    '"integral(p) = 0"': (MEASURE * P, ()),
    '"mean(u) = m"': (U - M, ()),
    '"integral(u^2) = 1"': (MEASURE * U**2 - 1, ()),
    '"mean(u_x + x*p) = 2*m - 1"': (UX + X * P - 2 * M + 1, ()),
    '"p(0, 0) = 0"': (P, (0, 0)),
    '"u_x(m/3, -1/2) = pi"': (UX - sympy.pi, (1.0, -0.5)),
    '"q(0, 1) = m"': (P - UX - M, (0, 1)),
    '{equation: "integral(q) = 0", weight: 5, name: gauge}': (MEASURE * (P - UX), ()),
}


@pytest.mark.parametrize("written", MEANINGS)
def test_a_constraint_means_what_it_says(written):
    residual, position = MEANINGS[written]
    (constraint,) = read(written).constraints
    assert sympy.expand(constraint.residual - residual) == 0
    block = Family(read(written)).at({"m": 3.0}).blocks[-1]
    assert getattr(block.where, "position", ()) == pytest.approx(position)
    named = "gauge" in written
    assert (constraint.name, constraint.weight) == (("gauge", 5.0) if named else ("constraint[0]", 1.0))


def test_a_vector_is_its_components():
    first, second = read('"mean(w) = [m, 0]"').constraints
    assert (first.name, second.name) == ("constraint[0].x", "constraint[0].y")
    assert (first.residual, second.residual) == (U - M, P)


def test_the_right_side_may_move_in_time():
    (constraint,) = read('"integral(p) = m*sin(t)"', time=True).constraints
    assert constraint.residual == MEASURE * P - M * sympy.sin(T)


FAULTS = {
    # constraint: (message, the text it points at)
    '"p = 0"': (
        "constraint[0]: the left side of a constraint is integral(...), mean(...) or a value such as "
        "u(0, 0); sums go inside, integral(u + ...), and what is known to the right",
        "p",
    ),
    '"integral(p) + integral(u) = 0"': (
        "constraint[0]: the left side of a constraint is integral(...), mean(...) or a value such as "
        "u(0, 0); sums go inside, integral(u + ...), and what is known to the right",
        "integral(p) + integral(u)",
    ),
    '"0 = integral(p)"': ("constraint[0]: the left side of a constraint is integral(...)", "0"),
    '"p(0) = 0"': ("constraint[0]: p is taken at a point (x, y); found 1 number", "p(0)"),
    '"p(0, 0, 0) = 0"': ("constraint[0]: p is taken at a point (x, y); found 3 numbers", "p(0, 0, 0)"),
    '"p(3, 0) = 0"': ("constraint[0]: the point (3, 0) lies outside the domain", "p(3, 0)"),
    '"p(x, 0) = 0"': ("constraint[0]: a point takes numbers: unknown name 'x'", "x"),
    '"z(0, 0) = 0"': ("constraint[0]: the left side of a constraint is integral(...)", "z(0, 0)"),
    '"integral(p, x) = 0"': ("constraint[0]: integral takes 1 expression, found 2", "integral(p, x)"),
    '"integral(pp) = 0"': ("constraint[0]: unknown name 'pp'", "pp"),
    '"integral(x) = 0"': ("constraint[0]: u, p do not occur", '"'),
    '"integral(p) = x"': (
        "constraint[0]: the right side takes numbers, parameters and time: unknown name 'x'",
        "x",
    ),
    '"integral(p) = u"': (
        "constraint[0]: the right side takes numbers, parameters and time: unknown name 'u'",
        "u",
    ),
    '"integral(p) = t"': (
        "constraint[0]: the right side takes numbers, parameters and time: unknown name 't'",
        "t",
    ),
    '"mean(w) = 0"': ("constraint[0]: a vector of 2 on the left, a number on the right", '"'),
    '"integral(p)"': ("constraint[0]: an equation needs '='", "integral(p)"),
    '{equation: "integral(p) = 0", wieght: 2}': ("unknown key 'wieght' in constraint[0]", "wieght"),
    '{equation: "integral(p) = 0", hard: true}': ("unknown key 'hard' in constraint[0]", "hard"),
    '{equation: "integral(p) = 0", weight: -2}': (
        "constraint[0].weight: expected a positive number, got '-2'",
        "-2",
    ),
    "{weight: 2}": ("constraint[0] lacks the key 'equation', for example equation: integral(p) = 0", "{"),
    '["integral(p) = 0"]': ("constraint[0]: expected an equation or a block of keys, got a list", "["),
}


@pytest.mark.parametrize("written", FAULTS)
def test_everything_else_is_one_clear_message(written):
    message, pointed = FAULTS[written]
    with pytest.raises(ProblemError) as caught:
        read(written)
    (fault,) = caught.value.faults
    assert message in fault
    head, line, carets = fault.splitlines()
    assert head.split(":")[1] == "9"
    start = carets.index("^")
    assert line[start : start + carets.count("^")].startswith(pointed), fault


def test_at_every_time_is_said_where_there_is_time():
    with pytest.raises(ProblemError, match=r"p is taken at a point \(x, y\), at every t; found 3 numbers"):
        read('"p(0, 0, 0) = 0"', time=True)


def test_names_are_taken_once():
    with pytest.raises(ProblemError, match=r"constraint\[0\]: the name 'equation\[0\]' is taken"):
        read('{equation: "integral(p) = 0", name: "equation[0]"}')


def test_time_alone_has_no_space_to_integrate_over():
    source = "time: {t: [0, 1]}\nunknowns: u\nequations: [u_t = -u]\ninitial: [u = 1]\n"
    source += 'constraints: ["mean(u) = 0"]\n'
    with pytest.raises(ProblemError, match="constraints: a problem in time alone has no space to integrate"):
        load_problem(source)


def test_an_integral_elsewhere_is_sent_to_its_list():
    source = text('"integral(p) = 0"', second="p + mean(dot(w, w)) = 0")
    with pytest.raises(
        ProblemError, match=r"'mean' has its place in a list of its own: constraints: \[\"mean"
    ):
        load_problem(source)


def test_a_point_that_leaves_the_domain_is_refused_at_that_value():
    family = Family(read('"p(m/3, 0) = 0"'))
    family.at({"m": 5.0})
    with pytest.raises(ProblemError, match=r":9:5: error: constraint\[0\]: at m = 7 the point lies outside"):
        family.at({"m": 7.0})


@pytest.mark.parametrize("path", ["0", "gauge"])
def test_set_reaches_a_constraint_by_number_and_name(path):
    source = text('{equation: "integral(p) = 0", name: gauge}')
    (constraint,) = load_problem(source, overrides=[f"constraints.{path}.weight=4"]).constraints
    assert constraint.weight == 4.0
    plain = text('"integral(p) = 0"')
    (constraint,) = load_problem(plain, overrides=["constraints.0.weight=6"]).constraints
    assert constraint.weight == 6.0
