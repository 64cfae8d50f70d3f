"""Values on portions of the boundary beside each other: a jump is said, where they meet is not."""

from __future__ import annotations

import pytest
from posed_problems import CUBE, DISK, LINE, PAIR, SQUARE, TIME, held, poisson, system

from pinnkan.language.problem import load_problem
from pinnkan.physics.check import check_problem
from pinnkan.physics.family import Family

REST = held("dn(u) = 0", part="[right, bottom, top]")
JUMPS = {
    # id: (problem, messages)
    "on a side": (
        poisson(SQUARE, held("u = 1", "y < 0.5", "left"), held("u = 0", "y > 0.5", "left"), REST),
        ["boundary[0] and boundary[1] differ by 1 (100 % of their size) where they meet, at x = 0, y = 0.5"],
    ),
    "of little": (
        poisson(SQUARE, held("u = 1.001", "y < 0.3", "left"), held("u = 1", "y > 0.3", "left"), REST),
        ["differ by 0.001 (0.0999 % of their size) where they meet, at x = 0, y = 0.3"],
    ),
    "beside what is left of a wider one": (
        poisson(SQUARE, held("u = sin(pi*y)", "y > 1/2", "left"), held("u = 0", part="left"), REST),
        ["boundary[0] and boundary[1] differ by 1 "],
    ),
    "at a corner": (
        poisson(SQUARE, held("u = 1 - 2*y", "y < 0.5", "left"), held("u = 0")),
        ["boundary[0] and boundary[1] differ by 1 (100 % of their size) where they meet, at x = 0, y = 0: "],
    ),
    "on a circle": (
        poisson(DISK, held("u = 1", "y < 0"), held("u = -1", "y > 0")),
        ["differ by 2 (200 % of their size) where they meet, at x = 1, y = 0: "],
    ),
    "on a circle, both with their ends": (
        poisson(DISK, held("u = 1", "y <= 0"), held("u = -1", "y >= 0")),
        ["differ by 2 (200 % of their size) where they meet, at x = 1, y = 0: "],
    ),
    "on a face along a line": (
        poisson(CUBE, held("u = 0", "y < x", "front"), held("u = x", "y > x", "front"),
                held("dn(u) = 0", part="[left, right, bottom, top, back]")),
        ["differ by 0.9"],
    ),
    "in time": (
        poisson(LINE + TIME, held("u = 0", "t < 0.5", "left"), held("u = 1", "t > 0.5", "left"),
                held("u = 0", part="right"), equation="u_t = u_xx") + "initial: [u = 0]\n",
        ["where they meet, at t = 0.5, x = 0: "],
    ),
    "of one of two unknowns": (
        system(SQUARE, "u, v", PAIR, ["v = 0", "u = 0", ("top", "x < 0.5", "v = x")]),
        ["boundary[0].y+ and boundary[2] differ by 0.5"],
    ),
}  # fmt: skip

MEET = {
    "where the values go on": poisson(
        SQUARE, held("u = y", "y < 0.5", "left"), held("u = 1 - y", "y > 0.5", "left"), REST
    ),
    "where they begin at zero": poisson(
        SQUARE, held("u = max(y - 0.5, 0)*(1 - y)", "y > 0.5", "left"), held("u = 0")
    ),
    "on a circle": poisson(DISK, held("u = x^2", "y < 0"), held("u = 1 + y^3", "y > 0")),
    "a value and a flux": poisson(
        SQUARE, held("u = 1", "y < 0.5", "left"), held("dn(u) = 0", "y > 0.5", "left"), REST
    ),
    "apart": poisson(
        SQUARE, held("u = 1", "y < 0.2", "left"), held("u = 0", "y > 0.8", "left"),
        held("dn(u) = 0", "abs(y - 0.5) < 0.3", "left"), REST,
    ),
    "of two unknowns": system(
        SQUARE, "u, v", PAIR,
        [("[right, bottom, top]", "dn(u) = 0"), ("[right, bottom, top]", "dn(v) = 0"),
         ("left", "y < 0.5", "u = 1"), ("left", "y > 0.5", "u = 1"),
         ("left", "y < 0.5", "v = 0"), ("left", "y > 0.5", "v = 0")],
    ),
}  # fmt: skip


def spoken(text: str) -> list[str]:
    findings = check_problem(Family(load_problem(text))).findings
    assert all(finding.severity == "warning" for finding in findings)
    return [finding.message for finding in findings]


@pytest.mark.parametrize("name", JUMPS)
def test_values_that_jump_between_portions_are_said(name):
    text, messages = JUMPS[name]
    found = spoken(text)
    assert len(found) == len(messages), found
    assert all(message in line for message, line in zip(messages, found, strict=True)), found


@pytest.mark.parametrize("name", MEET)
def test_values_that_meet_between_portions_are_not(name):
    assert spoken(MEET[name]) == []
