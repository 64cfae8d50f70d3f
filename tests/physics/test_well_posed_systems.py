"""Whether a system is a problem: what its equations say together, of several kinds, good and bad ones."""

# ruff: noqa: E501  (tables of messages)

from __future__ import annotations

import numpy as np
import pytest
from posed_problems import DISK, FLOW_IN_TIME, LAME, LINE, PAIR, RING, SQUARE, TIME, findings_of, system

from pinnkan.ground.errors import ProblemError
from pinnkan.language.problem import load_problem
from pinnkan.physics.family import Family
from pinnkan.physics.wellposed import require_well_posed
from pinnkan.physics.wellposed.symbol.frozen import determinant

DIFFUSION = ["u_t = u_xx - v", "v_t = v_xx + u"]
START = ["u = x*(1 - x)", "v = 0"]
FLOW = ["-laplace(u) + p_x = 0", "-laplace(v) + p_y = 0", "u_x + v_y = 0"]
PRESSURE = 'constraints: ["mean(p) = 0"]\n'
FIRST_ORDER_FLOW = [
    "a = u_x", "b = u_y", "c = v_x", "-a_x - b_y + p_x = 0", "-c_x + dy(a) + p_y = 0", "a + v_y = 0",
]  # fmt: skip
TM = ["dt(E) = dx(H2) - dy(H1)", "dt(H1) = -dy(E)", "dt(H2) = dx(E)"]
DIVERGENCE = "H1_x + H2_y = 0"
CURL_FREE = ["u_x = a", "u_y = b", "a_x + b_y = 1", "a_y - b_x = 0"]
TM_START = ["E = 0", "H1 = 0", "H2 = 0"]

TEN = [f"u{number}" for number in range(10)]

REFUSED = {
    "backward heat through a second unknown": (system(LINE + TIME, "u, v", ["u_t = -v_xx", "v = u"], ["u = 0"], ["u = x*(1 - x)"]), "grow as exp(1 k^2 t)"),
    "anti-diffusion as a first-order system": (system(LINE + TIME, "u, q", ["u_t = -q_x", "q = u_x"], ["u = 0"], ["u = x*(1 - x)"]), "grow as exp(1 k^2 t)"),
    "two diffusions that feed each other": (system(LINE + TIME, "u, v", ["u_t = u_xx + 2*v_xx", "v_t = 2*u_xx + v_xx"], ["u = 0", "v = 0"], START), "grow as exp(1 k^2 t)"),
    "Cauchy and Riemann in time": (system(LINE + TIME, "u, v", ["u_t = v_x", "v_t = -u_x"], ["u = 0"], START), "grow as exp(1 k^1 t)"),
    "Cahn and Hilliard of the wrong sign": (system(SQUARE + TIME, "u, m", ["u_t = laplace(m)", "m = u^3 - u + 0.01*laplace(u)"], ["dn(u) = 0", "dn(m) = 0"], ["u = x"]), "grow as exp(c k^4 t, c > 0)"),
    "a beam of negative stiffness by its moment": (system(LINE + TIME, "w, M", ["w_tt = M_xx", "M = w_xx"], ["w = 0", "M = 0"], ["w = 0", "w_t = 0"]), "grow as exp(1 k^2 t)"),
    "backward in one of two directions": (system(SQUARE + TIME, "u, v", ["u_t = u_xx - u_yy + v", "v_t = laplace(v)"], ["u = 0", "v = 0"], ["u = 0", "v = 0"]), "along y"),
    "backward heat beside what follows from it": (system(LINE + TIME, "u, q", ["u_t = -q_x", "q = u_x", "q_t = -q_xx"], ["u = 0"], ["u = 0", "q = 0"]), "grow as exp(1 k^2 t)"),
    "a nonlinear diffusion backward at every state": (system(LINE + TIME, "u, v", ["u_t = -dx((1 + v^2)*u_x)", "v_t = v_xx + u"], ["u = 0", "v = 0"], START), "exp(c k^2 t, c > 0)"),
}  # fmt: skip

BIOT = ["u_xx - p_x = 0", "dt(p + u_x) - p_xx = 0"]
BIOT_SIDES = [("left", "p = 1"), ("left", "u_x - p = -1"), ("right", "u = 0"), ("right", "p_x = 0")]
LAME_IN_TIME = ["u_tt = 2*u_xx + u_yy + v_xy", "v_tt = v_xx + 2*v_yy + u_xy"]
DAE = ["a_t = -a + b", "0 = a + b - c", "c_t = 1 - c"]

LACKING_INITIAL = {
    "one of two that diffuse": (system(LINE + TIME, "u, v", DIFFUSION, ["u = 0", "v = 0"], ["u = x*(1 - x)"]), "initial: v is of first order in time (equation[1]) and needs one initial condition (v); found 0"),
    "none of them": (system(LINE + TIME, "u, v", DIFFUSION, ["u = 0", "v = 0"]), "initial: u is of first order in time (equation[0]) and needs one initial condition (u); found 0"),
    "a sum alone": (system(LINE + TIME, "u, v", DIFFUSION, ["u = 0", "v = 0"], ["u + v = 0"]), "take 2 independent initial conditions, those given (initial[0]) fix 1"),
    "one said twice": (system(LINE + TIME, "u, v", DIFFUSION, ["u = 0", "v = 0"], ["u + v = 0", "2*u + 2*v = 0"]), "those given (initial[0], initial[1]) fix 1"),
    "values without rates": (system(SQUARE + TIME, "u, v", LAME_IN_TIME, ["u = 0", "v = 0"], ["u = 0", "v = 0", "v_t = 0"]), "u is of second order in time (equation[0]) and needs two initial conditions (u and u_t); found 1"),
    "a beam by its moment without its rate": (system(LINE + TIME, "w, M", ["w_tt = -M_xx", "M = w_xx"], ["w = 0", "M = 0"], ["w = 0"]), "w is of second order in time"),
    "ten that diffuse, nine of them given": (
        system(LINE + TIME, ", ".join(TEN), [f"{u}_t = {u}_xx" for u in TEN], [f"{u} = 0" for u in TEN], [f"{u} = 1" for u in TEN[:9]]),
        "u9 is of first order in time (equation[9]) and needs one initial condition (u9); found 0",
    ),
    "a coefficient without a value at any state": (
        system(LINE + TIME, "u, v", ["sqrt(u - 5)*u_t = u_xx", "v_t = v_xx"], ["u = 0", "v = 0"], ["u = sin(pi*x)"]),
        "v is of first order in time (equation[1]) and needs one initial condition (v); found 0",
    ),
    "Biot's consolidation with none": (system(LINE + TIME, "u, p", BIOT, BIOT_SIDES), "take 1 independent initial condition, none is given"),
    "a flow with none": (system(SQUARE + TIME, "u, v, p", FLOW_IN_TIME, ["u = 0", "v = 0"], more=PRESSURE), "take 1 independent initial condition, none is given"),
    "an algebraic equation among rates": (system(TIME, "a, b, c", DAE, [], ["a = 1"]), "c is of first order in time"),
    "the same by what does not change": (system(TIME, "a, b, c", ["a_t = b", "b_t + c_t = -a", "c = 2*b"], [], ["a = 1"]), "take 2 independent initial conditions, those given (initial[0]) fix 1"),
    "more equations than unknowns": (system(SQUARE + TIME, "E, H1, H2", [*TM, "H1_x + H2_y = 0"], ["E = 0"], ["E = 0"]), "take 2 independent initial conditions, those given (initial[0]) fix 1"),
}  # fmt: skip

WARNED = {
    "u = v alone for two of second order": (system(SQUARE, "u, v", PAIR, ["u = v"]), "take 2 independent conditions, those given there (boundary[0]) fix 1"),
    "Robin's coupling for one of two": (system(LINE + TIME, "u, v", DIFFUSION, ["dn(u) + u - v = 0"], START), "take 2 independent conditions, those given there (boundary[0]) fix 1"),
    "u = v said twice": (system(SQUARE, "u, v", PAIR, ["u = v", "2*u - 2*v = 0"]), "fix 1"),
    "Cauchy data across unknowns": (system(SQUARE, "u, v", PAIR, ["v = 0", ("left", "u = 0"), ("left", "dn(u) = 1"), ("left", "v = 0")]), "no boundary condition for u on the sides"),
    "diffusion in first order without conditions": (system(LINE + TIME, "u, q", ["u_t = -q_x", "q = -u_x"], [], ["u = x"]), "on x- the equations together take 1 independent condition, none is given"),
    "Stokes without conditions, in first order": (system(SQUARE, "u, v, p, a, b, c", FIRST_ORDER_FLOW, [], more=PRESSURE), "take 2 independent conditions, none is given"),
    "Stokes in first order, u alone": (system(SQUARE, "u, v, p, a, b, c", FIRST_ORDER_FLOW, ["u = 0"], more=PRESSURE), "fix 1"),
    "Maxwell without walls": (system(SQUARE + TIME, "E, H1, H2", TM, [], TM_START), "on x- the equations together take 1 independent condition, none is given"),
    "a plate by its moment, u alone": (system(SQUARE, "w, M", ["laplace(w) = M", "laplace(M) = 1"], ["dot(grad(w), n) + M - M = 0"]), "no boundary condition for"),
    "elasticity with a displacement beside a load": (system(SQUARE, "u, v", LAME, ["u = 0", "v = 0", ("right", "u = 0"), ("right", "2*u_x = 1")]), "on x+ the equations together take 2 independent conditions, 3 are given"),
    "a clamped plate by its moment, and more": (system(SQUARE, "w, M", ["laplace(w) = M", "laplace(M) = 1"], ["w = 0", "dn(w) = 0", "M = 0"]), "3 are given (boundary[0], boundary[1], boundary[2])"),
    "beam on a line, one condition short": (system(LINE, "w, M", ["w_xx = M", "M_xx = 1"], ["w = 0", ("left", "M = 0")]), "take 4 independent conditions at the ends of x, those given fix 3"),
    "three conditions for a chain of two": (system(LINE, "u, v", ["u_x = v", "v_x = -u"], ["u = 0", ("left", "v = 1")]), "take 2 independent conditions at the ends of x, 3 are given"),
    "two transported, given where they leave": (system(LINE + TIME, "u, v", ["u_t + 2*u_x = 0", "v_t + v_x = u"], [("right", "u = 0"), ("right", "v = 0")], START), "on x- the equations together take 2 independent conditions, none is given"),
    "Maxwell without walls, a divergence beside": (system(SQUARE + TIME, "E, H1, H2", [*TM, DIVERGENCE], [], TM_START), "on x- the equations together take 1 independent condition, none is given"),
    "the same with too many": (system(SQUARE + TIME, "E, H1, H2", [DIVERGENCE, *TM], ["E = 0", "H1 + H2 = 0"], TM_START), "on y+ the equations together take 1 independent condition, 2 are given (boundary[0], boundary[1])"),
    "a flow that is curl-free, without conditions": (system(SQUARE, "u, a, b", CURL_FREE, []), "on x- the equations together take 1 independent condition, none is given"),
    "beam on a line, its fourth order beside": (system(LINE, "w, M", ["w_xx = M", "M_xx = 1", "w_xxxx = 1"], ["w = 0", ("left", "M = 0")]), "take 4 independent conditions at the ends of x, those given fix 3"),
    "a value and a flux on portions that overlap": (system(SQUARE, "u, v", PAIR, ["v = 0", "u = 0", ("top", "x < 0.6", "u = 1"), ("top", "x > 0.4", "dn(u) = 0")]), "3 are given"),
}  # fmt: skip

GOOD = {
    "ten that diffuse": system(
        LINE + TIME, ", ".join(TEN), [f"{u}_t = {u}_xx" for u in TEN], [f"{u} = 0" for u in TEN], [f"{u} = 0" for u in TEN]
    ),
    "two that diffuse": system(LINE + TIME, "u, v", DIFFUSION, ["u = 0", "v = 0"], START),
    "a coupling and a balance of fluxes": system(LINE + TIME, "u, v", DIFFUSION, ["u = v", "dn(u) + dn(v) = 0"], ["u = 1", "v = 1"]),
    "two that diffuse, in first order": system(LINE + TIME, "u, q", ["u_t = -q_x", "q = -u_x"], ["u = 0"], ["u = x*(1 - x)"]),
    "the same by the flux": system(LINE + TIME, "u, q", ["u_t = -q_x", "q = -u_x"], ["q = 0"], ["u = 1"]),
    "Poisson in first order": system(SQUARE, "u, p, q", ["p = u_x", "q = u_y", "p_x + q_y = 1"], ["u = 0"]),
    "Stokes": system(SQUARE, "u, v, p", FLOW, ["u = 0", "v = 0"], more=PRESSURE),
    "Stokes in first order": system(SQUARE, "u, v, p, a, b, c", FIRST_ORDER_FLOW, ["u = 0", "v = 0"], more=PRESSURE),
    "Stokes with an outlet": system(SQUARE, "u, v, p", FLOW, ["u = 0", "v = 0", ("right", "dn(u) - p = 0"), ("right", "dn(v) = 0")]),
    "Navier and Stokes in time": system(SQUARE + TIME, "u, v, p", ["u_t + u*u_x + v*u_y + p_x = laplace(u)/40", "v_t + u*v_x + v*v_y + p_y = laplace(v)/40", "u_x + v_y = 0"], ["u = 0", "v = 0"], ["u = 0", "v = 0"], PRESSURE),
    "elasticity": system(SQUARE, "u, v", LAME, ["u = 0", "v = 0"]),
    "elasticity under a load": system(SQUARE, "u, v", LAME, ["u = 0", "v = 0", ("right", "2*u_x = 1"), ("right", "u_y + v_x = 0")]),
    "Maxwell in a box": system(SQUARE + TIME, "E, H1, H2", TM, ["E = 0"], TM_START),
    "Maxwell behind absorbing walls": system(SQUARE + TIME, "E, H1, H2", TM, [("[left, right]", "H2 = 0"), ("[bottom, top]", "H1 = 0")], TM_START),
    "a plate by its moment": system(SQUARE, "w, M", ["laplace(w) = M", "laplace(M) = 1"], ["w = 0", "M = 0"]),
    "a clamped plate by its moment": system(SQUARE, "w, M", ["laplace(w) = M", "laplace(M) = 1"], ["w = 0", "dn(w) = 0"]),
    "a round plate by its moment": system(DISK, "w, M", ["laplace(w) = M", "laplace(M) = 1"], ["w = 0", "M = 0"]),
    "a beam by its moment": system(LINE + TIME, "w, M", ["w_tt = -M_xx", "M = w_xx"], ["w = 0", "M = 0"], ["w = 0", "w_t = 0"]),
    "Cahn and Hilliard by the potential": system(SQUARE + TIME, "u, m", ["u_t = laplace(m)", "m = u^3 - u - 0.01*laplace(u)"], ["dn(u) = 0", "dn(m) = 0"], ["u = cos(pi*x)/10"]),
    "a wave as two of first order": system(LINE + TIME, "u, v", ["u_t = v_x", "v_t = u_x"], ["u = 0"], ["u = x*(1 - x)", "v = 0"]),
    "Schroedinger in a box": system(LINE + TIME, "u, v", ["u_t = -v_xx", "v_t = u_xx"], ["u = 0", "v = 0"], START),
    "shallow water": system(RING + TIME, "h, q", ["h_t + q_x = 0", "q_t + dx(q^2/h + h^2/2) = 0"], [], ["h = 2 + sin(2*pi*x)/10", "q = 0"]),
    "an oscillator": system(TIME, "u, v", ["u_t = v", "v_t = -u"], [], ["u = 1", "v = 0"]),
    "a beam on a line by its moment": system(LINE, "w, M", ["w_xx = M", "M_xx = 1"], ["w = 0", "M = 0"]),
    "a cantilever by its moment": system(LINE, "w, M", ["w_xx = M", "M_xx = 1"], [("left", "w = 0"), ("left", "w_x = 0"), ("right", "M = 0"), ("right", "M_x = 0")]),
    "a chain of two": system(LINE, "u, v", ["u_x = v", "v_x = -u"], [("left", "u = 0"), ("left", "v = 1")]),
    "chemotaxis": system(SQUARE + TIME, "u, c", ["u_t = laplace(u) - div(u*grad(c))", "c_t = laplace(c) + u - c"], ["dn(u) = 0", "dn(c) = 0"], ["u = 1", "c = 0"]),
    "portions side by side": system(SQUARE, "u, v", PAIR, ["v = 0", "u = 0", ("top", "x < 0.5", "u = x"), ("top", "x > 0.5", "dn(u) = 0")]),
    "a contact, which holds at some states": system(SQUARE, "u, v", PAIR, ["v = 0", "max(u, 0) = 0"]),
    "a start that holds at some states": system(LINE + TIME, "u, v", DIFFUSION, ["u = 0", "v = 0"], ["u = 0", "max(v, 0) = 0"]),
    "a contact beside what is enough": system(SQUARE, "u, v", PAIR, ["u = 0", "v = 0", "max(dn(u), 0) = 0"]),
    "two transported": system(LINE + TIME, "u, v", ["u_t + 2*u_x = 0", "v_t + v_x = u"], [("left", "u = 0"), ("left", "v = 0")], ["u = 0", "v = 0"]),
    "in and out on one side": system(SQUARE + TIME, "u, v", ["u_t + (y - 1/2)*u_x = 0", "v_t + (y - 1/2)*v_x = u"], [], ["u = 1", "v = 1"]),
    "growth of what does not diffuse": system(LINE + TIME, "u, v", ["u_t = u_xx", "v_t = v + u"], ["u = 0"], START),
    "two fluxes and a mean": system(LINE, "u, v", ["u_xx = v", "v_xx = 1 + u"], ["dn(u) = 0", ("left", "dn(v) = 0")], more='constraints: ["mean(v) = 0"]\n'),
    "Biot's consolidation": system(LINE + TIME, "u, p", BIOT, BIOT_SIDES, ["p = 1"]),
    "the same by its displacement": system(LINE + TIME, "u, p", BIOT, BIOT_SIDES, ["u = x - 1"]),
    "the same by both": system(LINE + TIME, "u, p", BIOT, BIOT_SIDES, ["u = 0", "p = 1"]),
    "sum and difference at the start": system(LINE + TIME, "u, v", DIFFUSION, ["u = 0", "v = 0"], ["u + v = 0", "u - v = x*(1 - x)"]),
    "a flow by one velocity": system(SQUARE + TIME, "u, v, p", FLOW_IN_TIME, ["u = 0", "v = 0"], ["u = 0"], PRESSURE),
    "an algebraic equation among rates": system(TIME, "a, b, c", DAE, [], ["a = 1", "c = 0"]),
    "predators and prey": system(TIME, "u, v", ["u_t = u - u*v", "v_t = u*v - v"], [], ["u = 1", "v = 2"]),
    "the same by what follows": system(TIME, "a, b, c", DAE, [], ["b = 1", "a = 0"]),
    "Poisson in first order, its flux curl-free": system(SQUARE, "u, a, b", CURL_FREE, ["u = 0"]),
    "a flow with the equation of its pressure beside": system(SQUARE + TIME, "u, v, p", [*FLOW_IN_TIME, "laplace(p) = 0"], ["u = 0", "v = 0"], ["u = 0", "v = 0"], PRESSURE),
    "the same, nonlinear": system(SQUARE + TIME, "u, v, p", ["u_t + u*u_x + v*u_y + p_x = laplace(u)", "v_t + u*v_x + v*v_y + p_y = laplace(v)", "u_x + v_y = 0", "laplace(p) + u_x^2 + 2*u_y*v_x + v_y^2 = 0"], ["u = 0", "v = 0"], ["u = 0", "v = 0"], PRESSURE),
    "three for two that nothing follows from": system(SQUARE, "u, v", [*PAIR, "u_x = v"], ["u = 0", "v = 0"]),
    "Maxwell with a divergence kept beside": system(SQUARE + TIME, "E, H1, H2", [*TM, DIVERGENCE], ["E = 0"], TM_START),
    "heat and elasticity": system(SQUARE + TIME, "u, v, T", ["2*u_xx + u_yy + v_xy = T_x", "v_xx + 2*v_yy + u_xy = T_y", "T_t = laplace(T)"], ["u = 0", "v = 0", "T = 0"], ["T = x*(1 - x)*y*(1 - y)"]),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_system_whose_short_waves_grow_is_refused(name):
    text, message = REFUSED[name]
    refused = [line for line in findings_of(text) if line.startswith("refusal: ")]
    assert len(refused) == 1
    assert message in refused[0]
    with pytest.raises(ProblemError, match="not well posed forward"):
        require_well_posed(Family(load_problem(text)).at())


@pytest.mark.parametrize("name", LACKING_INITIAL)
def test_a_system_without_its_initial_conditions_is_refused(name):
    text, message = LACKING_INITIAL[name]
    spoken = findings_of(text)
    assert [line for line in spoken if line.startswith("refusal: initial: ") and message in line], spoken
    with pytest.raises(ProblemError, match="initial: "):
        require_well_posed(Family(load_problem(text)).at())


@pytest.mark.parametrize("name", WARNED)
def test_what_a_system_lacks_is_said(name):
    text, message = WARNED[name]
    spoken = findings_of(text)
    assert [line for line in spoken if message in line], spoken
    assert all(line.startswith("warning: ") for line in spoken)


@pytest.mark.parametrize("name", GOOD)
def test_good_systems_are_passed_in_silence(name):
    assert findings_of(GOOD[name]) == []


def test_a_determinant_forgets_what_rounding_leaves():
    # The rows are multiples of each other; 0.1*0.9 and 0.3*0.3 differ in the last digit.
    def linear(factor):
        return {(1, 0): np.array([factor])}

    rows = [[linear(0.1), linear(0.3)], [linear(0.3), linear(0.9)]]
    assert 0.1 * 0.9 != 0.3 * 0.3
    assert not determinant(rows)[2, 0].any()
    rows[1][1] = linear(1.9)
    assert determinant(rows)[2, 0] == pytest.approx(0.1)
