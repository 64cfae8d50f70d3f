"""Conditions counted on portions of the boundary of one unknown: too many, too few, as many as it takes."""

# ruff: noqa: E501  (tables of messages)

from __future__ import annotations

import pytest
from posed_problems import DISK, LINE, SQUARE, TIME, findings_of, held, poisson

REST = held("dn(u) = 0", part="[right, bottom, top]")
NOTHING = held("u = 0", part="[right, bottom, top]")
PLATE = "biharmonic(u) = 1"
SUPPORT = held("laplace(u) = 0", part="[left, right, bottom]")
TWO = "takes 1 independent condition, 2 are given (boundary[0], boundary[1]): no solution meets them all in general; drop 1"

WRONG = {
    "value and flux that overlap": (poisson(SQUARE, held("u = 1", "y < 0.6", "left"), held("dn(u) = 0", "y > 0.4", "left"), REST), "on x- at x = 0, y = 0.4"),
    "two fluxes that overlap": (poisson(SQUARE, held("dn(u) + u = 1", "y < 0.6", "left"), held("dn(u) = 0", "y > 0.4", "left"), NOTHING), TWO),
    "in a small share": (poisson(SQUARE, held("u = 1", "y < 0.51", "left"), held("dn(u) = 0", "y > 0.49", "left"), REST), TWO),
    "Cauchy data on a portion": (poisson(SQUARE, held("u = 1", "y < 0.6", "left"), held("dn(u) = 0", "y < 0.6", "left"), held("dn(u) = 0", "y > 0.6", "left"), REST), TWO),
    "in a nonlinear equation": (poisson(SQUARE, held("u = 1", "y < 0.6", "left"), held("dn(u) = 0", "y > 0.4", "left"), REST, equation="div((1 + u^2)*grad(u)) = u"), TWO),
    "in diffusion": (poisson(SQUARE + TIME, held("u = 1", "y < 0.6", "left"), held("dn(u) = 0", "y > 0.4", "left"), REST, equation="u_t = laplace(u)") + "initial: [u = 1]\n", TWO),
    "on a circle": (poisson(DISK, held("u = 1", "y < 0.1"), held("dn(u) = 0", "y > 0")), "on circle at "),
    "at some times": (poisson(LINE + TIME, held("u = 0", "t < 0.6", "left"), held("dn(u) = 0", "t > 0.5", "left"), held("u = 0", part="right"), equation="u_t = u_xx") + "initial: [u = 0]\n", TWO),
    "a portion left bare": (poisson(SQUARE, held("u = 1", "y < 0.6", "left"), REST), "no boundary condition for u on 40 % of x-, where boundary[0] holds elsewhere"),
    "times left bare": (poisson(LINE + TIME, held("u = 0", "t < 0.6", "left"), held("u = 0", part="right"), equation="u_t = u_xx") + "initial: [u = 0]\n", "no boundary condition for u on 40 % of x-"),
    "a plate with one on a portion": (poisson(SQUARE, held("u = 0"), held("dn(u) = 0", "x < 0.5", "top"), SUPPORT, equation=PLATE), "takes 2 independent conditions, those given there (boundary[0]) fix 1"),
    "an inflow left bare": (poisson(SQUARE + TIME, held("u = 0", "y < 0.5", "left"), equation="u_t + u_x = 0") + "initial: [u = 0]\n", "takes 1 independent condition, none is given"),
    "an outflow held": (poisson(SQUARE + TIME, held("u = 0", part="left"), held("u = 0", "y < 0.5", "right"), equation="u_t + u_x = 0") + "initial: [u = 0]\n", "takes 0 independent conditions, 1 is given (boundary[1])"),
}  # fmt: skip

RIGHT = {
    "value and flux": poisson(SQUARE, held("u = 1", "y < 0.5", "left"), held("dn(u) = 0", "y > 0.5", "left"), REST),
    "value and flux that touch": poisson(SQUARE, held("u = 1", "y <= 0.5", "left"), held("dn(u) = 0", "y >= 0.5", "left"), REST),
    "on a circle": poisson(DISK, held("u = 1", "y < 0"), held("dn(u) = 0", "y > 0")),
    "a wall that moves": poisson(SQUARE + TIME, held("u = 0", "y < t", "left"), held("dn(u) = 0", "y > t", "left"), REST, equation="u_t = laplace(u)") + "initial: [u = 0]\n",
    "switched in time": poisson(LINE + TIME, held("u = 0", "t < 0.5", "left"), held("dn(u) = 0", "t > 0.5", "left"), held("u = 0", part="right"), equation="u_t = u_xx") + "initial: [u = 0]\n",
    "a wave": poisson(LINE + TIME, held("u = 0", "t < 0.5", "left"), held("dn(u) = 0", "t > 0.5", "left"), held("u = 0", part="right"), equation="u_tt = u_xx") + "initial: [u = 0, u_t = 0]\n",
    "a plate in part clamped": poisson(SQUARE, held("u = 0"), held("dn(u) = 0", "x < 0.5", "top"), held("laplace(u) = 0", "x > 0.5", "top"), SUPPORT, equation=PLATE),
    "in where it enters": poisson(SQUARE + TIME, held("u = 0", "y < 0.5", "left"), held("u = 0", "y > 0.5", "right"), equation="u_t + (0.5 - y)*u_x = 0") + "initial: [u = 0]\n",
    "a thin layer": poisson(SQUARE, held("u = 1", "y < 0.5", "left"), held("dn(u) = 0", "y > 0.5", "left"), REST, equation="-0.001*laplace(u) + u_x = 0"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_portions_with_too_many_conditions_or_too_few_are_said(name):
    text, message = WRONG[name]
    (spoken,) = findings_of(text)
    assert spoken.startswith("warning: ")
    assert message in spoken


@pytest.mark.parametrize("name", RIGHT)
def test_portions_with_what_they_take_are_passed_in_silence(name):
    assert findings_of(RIGHT[name]) == []
