"""What a solution is known only up to: constants of several unknowns together, motions of a body; and no more."""

# ruff: noqa: E501  (tables of messages)

from __future__ import annotations

import re

import pytest
from posed_problems import CUBE, DISK, LAME, LINE, SQUARE, TIME, findings_of, system

FREE = [("[left, right]", "2*u_x = 0"), ("[left, right]", "u_y + v_x = 0"), ("[bottom, top]", "2*v_y = 0"), ("[bottom, top]", "u_y + v_x = 0")]  # fmt: skip
BODY = ["2*u_xx + u_yy + v_xy = 0", "v_xx + 2*v_yy + u_xy = 0"]
SOLID = [
    "2*u_xx + u_yy + u_zz + v_xy + w_xz = 0",
    "v_xx + 2*v_yy + v_zz + u_xy + w_yz = 0",
    "w_xx + w_yy + 2*w_zz + u_xz + v_yz = 0",
]
TRACTION = ["dot(2*sym(grad([u, v, w])), n) = [0, 0, 0]"]
FAR = "coordinates: [x, y]\ndomain: {shape: box, x: [1000, 1003], y: [-5e-3, 5e-3]}\n"
SPIN = "coordinates: [x, y]\ndomain: {shape: box, x: [0, 1], y: [0, 1], periodic: x}\n"
EXCHANGE = ["laplace(u) = u - v", "laplace(v) = v - u"]

UNFIXED = {
    # id: (problem, what may be added)
    "u and v by their difference": (system(SQUARE, "u, v", EXCHANGE, ["dn(u) = 0", "dn(v) = 0"]), "(u + c, v + c)"),
    "u and v by their sum": (system(SQUARE, "u, v", ["laplace(u) = u + v", "laplace(v) = u + v"], ["dn(u) = 0", "dn(v) = 0"]), "(u + c, v - c)"),
    "in other units": (system(SQUARE, "u, v", ["laplace(u) = u - 1e6*v", "1e6*laplace(v) = 1e6*v - u"], ["dn(u) = 0", "dn(v) = 0"]), "(u + c, v + 1e-06*c)"),
    "nonlinear in the difference": (system(SQUARE, "u, v", ["laplace(u) = sinh(u - v)", "laplace(v) = (v - u)^3"], ["dn(u) = 0", "dn(v) = 0"]), "(u + c, v + c)"),
    "three by their differences": (system(LINE, "u, v, w", ["u_xx = u - v", "v_xx = 2*v - u - w", "w_xx = w - v"], ["dn(u) = 0", "dn(v) = 0", "dn(w) = 0"]), "(u + c, v + c, w + c)"),
    "fields over time": (system(SQUARE + TIME, "u, v", EXCHANGE, ["dn(u) = t", "dn(v) = 0"]), "(u + c(t), v + c(t))"),
    "a body under forces": (system(SQUARE, "u, v", BODY, FREE), "(u + c1*y, v - c1*x), (u + c2), (v + c3)"),
    "a body on rollers": (system(SQUARE, "u, v", BODY, [*FREE[:2], ("bottom", "v = 0"), ("bottom", "u_y + v_x = 0"), ("top", "v = 1"), ("top", "u_y + v_x = 0")]), "nothing fixes the constant of u"),
    "a body pinned at one point": (system(SQUARE, "u, v", BODY, FREE, more='constraints: ["u(0, 0) = 0", "v(0, 0) = 0"]\n'), "(u + c*y, v - c*x)"),
    "pinned elsewhere": (system(SQUARE, "u, v", BODY, FREE, more='constraints: ["u(0.5, 1) = 0", "v(0.5, 1) = 0"]\n'), "(u + c*y - c, v - c*x + 0.5*c)"),
    "a slender body far away": (system(FAR, "u, v", BODY, FREE), "(u + c1*y, v - c1*x), (u + c2), (v + c3)"),
    "a disk under forces": (system(DISK, "u, v", BODY, ["dot([[2*u_x, u_y + v_x], [u_y + v_x, 2*v_y]], n) = [0, 0]"]), "(u + c1*y, v - c1*x), (u + c2), (v + c3)"),
    "a solid under forces": (system(CUBE, "u, v, w", SOLID, TRACTION), "(u + c1*y, v - c1*x), (u + c2*z, w - c2*x), (v + c3*z, w - c3*y), (u + c4), (v + c5), (w + c6)"),
    "a strip that closes on itself": (system(SPIN, "u, v", BODY, FREE[2:]), "nothing fixes the constant of v"),
    "a body under forces over time": (system(SQUARE + TIME, "u, v", BODY, FREE), "(u + c1(t)*y, v - c1(t)*x), (u + c2(t)), (v + c3(t))"),
    "a beam that nothing holds": ("coordinates: [x]\ndomain: {shape: interval, x: [0, 1]}\nunknowns: u\nequations: [\"u_xxxx = 0\"]\nboundary: [u_xx = 0, u_xxx = 0]\n", "(u + c1*x), (u + c2)"),
    "a beam by its moment": (system(LINE, "w, M", ["w_xx = M", "M_xx = 0"], ["M = 0", "M_x = 0"]), "(w + c1*x), (w + c2)"),
}  # fmt: skip

FIXED = {
    "one value for both": system(SQUARE, "u, v", EXCHANGE, ["dn(u) = 0", "dn(v) = 0", ("left", "v = 0")]),
    "their sum's mean": system(SQUARE, "u, v", EXCHANGE, ["dn(u) = 0", "dn(v) = 0"], more='constraints: ["mean(u + v) = 0"]\n'),
    "a weak loss": system(SQUARE, "u, v", ["laplace(u) = u - v", "laplace(v) = v - u + 1e-5*v"], ["dn(u) = 0", "dn(v) = 0"]),
    "a body clamped on one side": system(SQUARE, "u, v", LAME, [*FREE[2:], ("left", "u = 0"), ("left", "v = 0"), ("right", "2*u_x = 1"), ("right", "u_y + v_x = 0")]),
    "a body on two walls": system(SQUARE, "u, v", BODY, [("left", "u = 0"), ("bottom", "v = 0"), ("right", "2*u_x = 1"), ("top", "2*v_y = 0"), "u_y + v_x = 0"]),
    "a body from rest": system(SQUARE + TIME, "u, v", ["u_tt = 2*u_xx + u_yy + v_xy", "v_tt = v_xx + 2*v_yy + u_xy"], FREE, ["u = 0", "v = 0", "u_t = 0", "v_t = 0"]),
    "a loss below zero alone": system(SQUARE, "u, v", ["laplace(u) = v - max(-u, 0)", "laplace(v) = v"], ["dn(u) = 0", "dn(v) = 0"]),
    "reaction and diffusion from a start": system(SQUARE + TIME, "u, v", ["u_t = laplace(u) + v - u", "v_t = laplace(v) + u - v"], ["dn(u) = 0", "dn(v) = 0"], ["u = 1", "v = 0"]),
}  # fmt: skip


def advised(text: str, spoken: list[str]) -> str:
    """Return the problem with the constraints that its findings ask for."""
    asked = [entry for line in spoken for entry in re.findall(r'"(integral\(.*?\) = 0)"', line)]
    if "constraints: [" in text:
        return text.replace("constraints: [", "constraints: [" + "".join(f'"{entry}", ' for entry in asked))
    return text + "constraints:\n" + "".join(f'  - "{entry}"\n' for entry in asked)


@pytest.mark.parametrize("name", UNFIXED)
def test_what_may_be_added_to_a_solution_is_named_and_the_constraints_advised_fix_it(name):
    text, message = UNFIXED[name]
    spoken = findings_of(text)
    assert [line for line in spoken if message in line], spoken
    assert all(line.startswith("warning: ") for line in spoken), spoken
    assert findings_of(advised(text, spoken)) == []


@pytest.mark.parametrize("name", FIXED)
def test_what_nothing_may_be_added_to_is_passed_in_silence(name):
    assert findings_of(FIXED[name]) == []


def test_where_conditions_are_missing_no_motion_is_named_but_constants():
    spoken = findings_of(
        system(SQUARE, "u, v", ["laplace(u) = 0", "laplace(v) = v"], [("left", "dn(u) = 0"), "v = 0"])
    )
    assert [line for line in spoken if "no boundary condition for u on the sides x+, y-, y+" in line], spoken
    assert [line for line in spoken if "nothing fixes the constant of u" in line], spoken
    assert not [line for line in spoken if "fixed only up to" in line], spoken
