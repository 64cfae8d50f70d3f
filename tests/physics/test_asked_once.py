"""What formulas are asked at every parameter value is asked once where the value does not enter."""

from __future__ import annotations

import pytest

from pinnkan.ground.errors import ProblemError
from pinnkan.language.expressions.questions import crossings, ramps, smoothness
from pinnkan.language.problem import load_problem
from pinnkan.physics.family import Family
from pinnkan.physics.lost import refuse_lost_derivatives
from pinnkan.physics.steepness import unseen_data

DISK = """\
coordinates: [x, y]
domain: {shape: disk, center: [0.1, 0], radius: RADIUS}
unknowns: u
family: {a: {base: 1, range: [0.5, 2]}, w: {base: 0.5, range: [1.0e-6, 1]}}
equations: ["-div((2 + COEFFICIENT)*grad(u)) = SOURCE"]
boundary: ["u = a*w"]
"""
CASES = {
    # A name, the radius, a coefficient and a source.
    "neither": ("1", "tanh(x/1e-5)", "where(y < 0.2, 0, 1)"),
    "a ramp in the source": ("1", "abs(x)", "tanh((x - 0.3)/w)"),
    "a ramp in the coefficient": ("1", "tanh((x - 0.3*a)/w)", "a"),
    "a jump that moves out": ("1", "where(x < 0.7*a, 0, 1)", "1"),
    "a jump that comes": ("1", "where(a > 1, where(x > 0.5, 1, 2), 1)", "exp(-((x - y)/w)^2)"),
    "a domain that grows": ("a", "where(x < 0.9, 0, 1)", "tanh((y - 0.8)/1e-4)"),
    "of the unknown": ("1", "tanh((u - 0.3)/w)", "where(x < a - 1.5, 1, 2)"),
}
VALUES = [(1.0, 0.5), (2.0, 0.5), (1.0, 1e-4), (0.6, 0.5), (1.0, 0.5)]


def forget() -> None:
    for memory in (crossings._crossings, ramps._centres, smoothness._breaks):
        memory.cache_clear()


def asked(family: Family, values: dict[str, float]) -> tuple[list[str], list[str]]:
    instance = family.at(values)
    try:
        refuse_lost_derivatives(instance)
        return [], unseen_data(instance)
    except ProblemError as error:
        return [str(error)], unseen_data(instance)


@pytest.mark.parametrize("name", CASES)
def test_a_value_is_told_the_same_whatever_was_asked_before(name):
    radius, coefficient, source = CASES[name]
    text = DISK.replace("RADIUS", radius).replace("COEFFICIENT", coefficient).replace("SOURCE", source)
    family = Family(load_problem(text))
    forget()
    one_after_another = [asked(family, {"a": a, "w": w}) for a, w in VALUES]
    each_afresh = []
    for a, w in VALUES:
        forget()
        each_afresh.append(asked(family, {"a": a, "w": w}))
    assert one_after_another == each_afresh
    # Else there would be nothing that could be lost.
    assert any(refused or warned for refused, warned in each_afresh), each_afresh
    assert name == "neither" or len({str(told) for told in each_afresh}) > 1, each_afresh


def test_a_formula_without_the_parameter_is_asked_once(monkeypatch):
    text = DISK.replace("RADIUS", "1").replace("COEFFICIENT", "abs(x - 0.3)").replace("SOURCE", "a*abs(y)")
    family = Family(load_problem(text))
    forget()
    asked(family, {"a": 1.0, "w": 0.5})
    first = smoothness._breaks.cache_info().misses, crossings._crossings.cache_info().misses
    for a in (0.7, 1.3, 1.9):
        asked(family, {"a": a, "w": 0.5})
    again = smoothness._breaks.cache_info().misses, crossings._crossings.cache_info().misses
    # Zeros of y are where they were; the source a*abs(y) alone is looked at there anew.
    assert again == (first[0] + 3, first[1]), (first, again)
