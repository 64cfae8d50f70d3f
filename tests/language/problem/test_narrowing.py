"""Boundary conditions side by side: where each is left to hold, and the messages for what cannot be."""

from __future__ import annotations

import re

import pytest

from pinnkan.ground.errors import ProblemError
from pinnkan.language.problem import Problem, load_problem
from pinnkan.physics.family import Family

SQUARE = """\
coordinates: [x, y]
TIME
domain: {shape: box, x: [-1, 1], y: [-1, 1]}
unknowns: UNKNOWNS
family: {w: {base: 0.5, range: [0.1, 2]}}
definitions: {r: abs(x) - w, s: x + w}
equations: EQUATIONS
boundary:
LIST
"""
KINDS = {
    "one": ("u", '["laplace(u) = r + s"]'),
    "two": ("[u, v]", '["laplace(u) = r + s", "laplace(v) = u"]'),
    "plate": ("u", '["biharmonic(u) = r + s"]'),
    "flow": ("[u, v]", '["laplace(u) = r + s", "u_x + v_y = 0"]'),
}
WHOLE = ("x-", "x+", "y-", "y+")


def square(kind: str, *conditions: str, time: bool = False) -> str:
    unknowns, equations = KINDS[kind]
    lines = "\n".join(f"  - {condition}" for condition in conditions)
    text = SQUARE.replace("UNKNOWNS", unknowns).replace("EQUATIONS", equations).replace("LIST", lines)
    if time:
        text = text.replace("laplace(u) =", "u_t + laplace(u) =") + "initial: [u = 0]\n"
    return text.replace("TIME", "time: {t: [0, 1]}" if time else "title: a square")


def left(problem: Problem) -> list[tuple[str, tuple[str, ...], str | None]]:
    return [(c.name, c.parts, c.portion.text if c.portion else None) for c in problem.boundary]


TOP = '{on: top, where: abs(x) < w, equation: "u = 1"}'
CASES = {
    "a formula cuts one side out of all": (
        ("one", "u = 0", TOP),
        [
            ("boundary[0]", ("x-", "x+", "y-"), None),
            ("boundary[0].y+", ("y+",), "not (abs(x) < w)"),
            ("boundary[1]", ("y+",), "abs(x) < w"),
        ],
    ),
    "a side alone keeps its name": (
        ("one", "{on: top, name: lid, equation: u = 0}", TOP),
        [("lid", ("y+",), "not (abs(x) < w)"), ("boundary[1]", ("y+",), "abs(x) < w")],
    ),
    "two formulas": (
        (
            "one",
            "u = 0",
            '{on: top, where: x < 0, equation: "u = 1"}',
            '{on: top, where: x > w, equation: "dn(u) = 1"}',
        ),
        [
            ("boundary[0]", ("x-", "x+", "y-"), None),
            ("boundary[0].y+", ("y+",), "not (x < 0 or x > w)"),
            ("boundary[1]", ("y+",), "x < 0"),
            ("boundary[2]", ("y+",), "x > w"),
        ],
    ),
    "without on: the sides that have such points": (
        ("one", "u = 0", '{where: abs(y) < 0.5 and x > -2, equation: "dn(u) = 0"}'),
        [
            ("boundary[0]", ("y-", "y+"), None),
            ("boundary[0].x-", ("x-",), "not (abs(y) < 0.5 and x > -2)"),
            ("boundary[0].x+", ("x+",), "not (abs(y) < 0.5 and x > -2)"),
            ("boundary[1]", ("x-", "x+"), "abs(y) < 0.5 and x > -2"),
        ],
    ),
    "fewer sides replace a value": (
        ("one", "u = 0", "{on: left, equation: u = y}"),
        [("boundary[0]", ("x+", "y-", "y+"), None), ("boundary[1]", ("x-",), None)],
    ),
    "a portion that is all of a side leaves nothing of the value there": (
        ("one", "u = 0", '{on: top, where: y > 0, equation: "u = 1"}'),
        [("boundary[0]", ("x-", "x+", "y-"), None), ("boundary[1]", ("y+",), "y > 0")],
    ),
    "a flux on one side replaces the value of one unknown": (
        ("one", "u = 0", "{on: left, equation: dn(u) = 0}"),
        [("boundary[0]", ("x+", "y-", "y+"), None), ("boundary[1]", ("x-",), None)],
    ),
    "a value on one side replaces the flux": (
        ("one", "dn(u) = 0", "{on: left, equation: u = 0}"),
        [("boundary[0]", ("x+", "y-", "y+"), None), ("boundary[1]", ("x-",), None)],
    ),
    "in a system it replaces it": (
        ("two", "u = 0", "v = 0", "{on: left, equation: dn(u) = 0}"),
        [
            ("boundary[0]", ("x+", "y-", "y+"), None),
            ("boundary[1]", WHOLE, None),
            ("boundary[2]", ("x-",), None),
        ],
    ),
    "for the unknowns that it names": (
        ("two", "u = 0", "v = 0", '{on: top, where: x > 0, equation: "u = 1"}'),
        [
            ("boundary[0]", ("x-", "x+", "y-"), None),
            ("boundary[0].y+", ("y+",), "not (x > 0)"),
            ("boundary[1]", WHOLE, None),
            ("boundary[2]", ("y+",), "x > 0"),
        ],
    ),
    "one that holds two unknowns fills neither": (
        (
            "two",
            "u = 0",
            "v = 0",
            '{on: top, where: x > 0, equation: "u_y + v_x = 0"}',
            "{on: left, equation: u_y = v}",
        ),
        [
            ("boundary[0]", WHOLE, None),
            ("boundary[1]", WHOLE, None),
            ("boundary[2]", ("y+",), "x > 0"),
            ("boundary[3]", ("x-",), None),
        ],
    ),
    "two that hold two fill both": (
        (
            "two",
            "u = 0",
            "v = 0",
            '{on: top, where: x > 0, equation: "u_y + v_x = 0"}',
            '{on: top, where: x > 0, equation: "u_x + v_y = 0"}',
        ),
        [
            ("boundary[0]", ("x-", "x+", "y-"), None),
            ("boundary[0].y+", ("y+",), "not (x > 0)"),
            ("boundary[1]", ("x-", "x+", "y-"), None),
            ("boundary[1].y+", ("y+",), "not (x > 0)"),
            ("boundary[2]", ("y+",), "x > 0"),
            ("boundary[3]", ("y+",), "x > 0"),
        ],
    ),
    "a stress by components stands": (
        ("two", "{on: [right, top], equation: u_y + v_x = 0}", "{on: right, equation: u_x + v_y/2 = 0}"),
        [("boundary[0]", ("x+", "y+"), None), ("boundary[1]", ("x+",), None)],
    ),
    "the slope of a plate stands beside its value": (
        ("plate", "u = 0", "dn(u) = 0", '{on: top, where: x > 0, equation: "dn(u) = 1"}'),
        [
            ("boundary[0]", WHOLE, None),
            ("boundary[1]", ("x-", "x+", "y-"), None),
            ("boundary[1].y+", ("y+",), "not (x > 0)"),
            ("boundary[2]", ("y+",), "x > 0"),
        ],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_left_of_each(case):
    (kind, *conditions), expected = CASES[case]
    assert left(load_problem(square(kind, *conditions))) == expected


def test_a_formula_may_mention_time_and_definitions():
    narrow = '{on: top, where: "r < 0 and t > 1/2", equation: "u = 1"}'
    problem = load_problem(square("one", "u = 0", narrow, time=True))
    instance = Family(problem).at({"w": 0.25})
    blocks = {block.name: block for block in instance.conditions}
    inside = instance.domain.collocate(blocks["boundary[1]"].where, 100).points
    outside = instance.domain.collocate(blocks["boundary[0].y+"].where, 100).points
    assert (abs(inside[:, 1]) < 0.25).all()
    assert (inside[:, 0] > 0.5).all()
    assert ((abs(outside[:, 1]) >= 0.25) | (outside[:, 0] <= 0.5)).all()


FAULTS = {
    # conditions: (message, the text it points at)
    ('{on: top, where: y < 0, equation: "u = 1"}',): (
        "boundary[0].where: 'y < 0' holds at no point of y+",
        "u = 1",
    ),
    ('{on: [top, left], where: y < 0, equation: "u = 1"}',): (
        "boundary[0].where: 'y < 0' holds at no point of y+",
        "u = 1",
    ),
    ('{where: x > 1, equation: "u = 1"}',): (
        "boundary[0].where: 'x > 1' holds at no point of x-, x+, y-, y+",
        "u = 1",
    ),
    ("u = 0", "{on: [left, right], equation: u = 1}", "{on: [bottom, top], equation: u = 1}"): (
        "boundary[0]: narrower conditions (boundary[1], boundary[2]) stand in its place everywhere; drop it",
        "u = 0",
    ),
    ('{on: top, where: x < 0.1, equation: "u = 1"}', '{on: top, where: x > 0, equation: "u = 2"}'): (
        "boundary[1]: u is prescribed twice at points of y+, here and in boundary[0]",
        "u = 2",
    ),
    ("{on: [top, left], equation: u = 1}", "{on: [top, right], equation: u = 2}"): (
        "boundary[1]: u is prescribed twice on y+, here and in boundary[0]",
        "u = 2",
    ),
    ('{on: top, where: x, equation: "u = 1"}',): (
        "boundary[0].where: expected a comparison, such as x < 0.5 or abs(y) < 1 and t > 0",
        "x,",
    ),
    ('{on: top, where: x = 1, equation: "u = 1"}',): ("boundary[0].where: '=' has no place", "= 1"),
    ('{on: top, where: 0 < x < 1, equation: "u = 1"}',): (
        "boundary[0].where: chained comparison; write 'a < x and x < b'",
        "< 1",
    ),
    ('{on: top, where: u > 0, equation: "u = 1"}',): ("boundary[0].where: unknown name 'u'", "u > 0"),
    ('{on: top, where: x < q, equation: "u = 1"}',): ("boundary[0].where: unknown name 'q'", "q,"),
    ('{on: top, where: x < 0 + y) , equation: "u = 1"}',): ("boundary[0].where: ')' without an opening", ")"),
    ("{on: top, where: [x], equation: u = 1}",): ("boundary[0].where: expected a formula", "["),
}


@pytest.mark.parametrize("conditions", FAULTS, ids=str)
def test_what_cannot_be_is_one_clear_message(conditions):
    message, pointed = FAULTS[conditions]
    with pytest.raises(ProblemError) as caught:
        load_problem(square("one", *conditions))
    (fault,) = caught.value.faults
    assert message in fault
    _, line, carets = fault.splitlines()
    assert line[carets.index("^") :].strip('"').startswith(pointed), fault


def test_initial_values_have_no_portion():
    text = square("one", "u = 0", time=True).replace("[u = 0]", "[{where: x > 0, equation: u = 0}]")
    with pytest.raises(ProblemError, match=r"unknown key 'where' in initial\[0\]"):
        load_problem(text)


def test_a_part_that_loses_its_points_at_another_value_is_named():
    family = Family(load_problem(square("one", "u = 0", '{on: top, where: x > w, equation: "u = 1"}')))
    assert family.at({"w": 0.9})
    with pytest.raises(ProblemError, match=re.escape("boundary[1]: no point of y+ where x > w at w = 1.5")):
        family.at({"w": 1.5})


def test_hard_true_cannot_be_met_on_a_portion():
    text = square("one", "{on: top, where: x > 0, hard: true, equation: u = 1}")
    reason = (
        "boundary[0]: hard: true cannot be met: it holds on a portion of a part; lifts are known for whole"
    )
    with pytest.raises(ProblemError, match=re.escape(reason)):
        Family(load_problem(text)).at()


def test_set_reaches_a_portion():
    text = square("one", "u = 0", TOP)
    problem = load_problem(text, overrides=["boundary.1.where=x > 0.25", "boundary.1.weight=4"])
    assert left(problem)[-1] == ("boundary[1]", ("y+",), "x > 0.25")
    assert problem.boundary[-1].weight == 4.0
