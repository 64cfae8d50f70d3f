"""The paper's families: the manufactured source makes the exact solution exact in the whole closed disk."""

from __future__ import annotations

from dataclasses import dataclass, replace
from time import process_time
from typing import Any

import mpmath
import numpy as np
import pytest
import torch

from pinnkan.language.expressions import (
    Names,
    canonical_text,
    derivative_symbols,
    evaluate,
    lower,
    parse_equation,
    parse_expression,
    split_data,
    substitute_unknowns,
    symbol,
    to_symbolic,
)

DEFINITIONS = {
    "r": "sqrt(x^2 + y^2)",
    "a": "1 + r^2/2",
    "S": "sin(pi/2*max(1 - r, 0)^2.5)",
    "Q": "cos(pi/2*r)",
}


@dataclass(frozen=True)
class Family:
    left: str
    exact: str
    time: str | None


FAMILIES = {
    "elliptic": Family("-div(a*grad(u)) + dot(grad(u), grad(u))", "S + lambda*Q", None),
    "allen_cahn": Family("u_t - laplace(u) - u + u^3", "exp(-t)*(S + lambda*Q)", "t"),
    "hyperbolic": Family("u_tt - laplace(u)", "(exp(t^2) - 1)*(S + lambda*Q)", "t"),
}


def read(family: Family) -> tuple[Names, Any, Any, Any]:
    """Names, left-hand side, exact solution and manufactured source."""
    names = Names(
        space=("x", "y"),
        time=family.time,
        unknowns=("u",),
        parameters=("lambda",),
        definitions={name: parse_expression(text) for name, text in DEFINITIONS.items()},
    )
    exact = to_symbolic(parse_expression(family.exact), names)
    left = to_symbolic(parse_expression(family.left), names)
    source = substitute_unknowns(left, {"u": exact}, names)
    return replace(names, extra={"exact": exact, "source": source}), left, exact, source


def disk_points(time: bool) -> np.ndarray:
    """Random points, the origin, and the circle with its rounding errors on both sides."""
    generator = np.random.default_rng(7)
    radius, angle = np.sqrt(generator.uniform(0, 1, 400)), generator.uniform(0, 2 * np.pi, 400)
    radius[:100] = 1.0
    points = np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])
    points = np.vstack([points, np.zeros((5, 2)), [[1.0, 0.0], [0.0, -1.0], [5e-17, 0.0]]])
    return np.column_stack([generator.uniform(0, 1, len(points)), points]) if time else points


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("parameter", [0.0, 0.1, 1.0])
def test_residual_of_the_exact_solution(name: str, parameter: float) -> None:
    family = FAMILIES[name]
    names, _, exact, _ = read(family)
    residual = to_symbolic(parse_equation(f"{family.left} = source"), names)
    derivatives = list(derivative_symbols(residual, names))
    data, reduced = split_data([residual], derivatives)
    points = disk_points(family.time is not None)
    known = evaluate(data, names.coordinates, points, {"lambda": parameter})
    jets = [substitute_unknowns(derivative, {"u": exact}, names) for derivative in derivatives]
    fields = evaluate(jets, names.coordinates, points, {"lambda": parameter})
    values = {d.name: torch.tensor(row) for d, row in zip(derivatives, fields, strict=True)}
    values |= {f"_d{k}": torch.tensor(row) for k, row in enumerate(known)}
    (error,) = lower(reduced, list(values))(values)
    assert error.shape == (len(points),)
    assert error.abs().max().item() <= 1e-10


def radial(name: str, r: Any, t: Any, parameter: float) -> Any:
    """The source from the radial form of the operators, by mpmath's own differentiation."""
    mp = mpmath

    def profile(s: Any) -> Any:
        outer = max(1 - s, mp.mpf(0))
        return mp.sin(mp.pi / 2 * outer ** mp.mpf(2.5)) + parameter * mp.sin(mp.pi / 2 * (1 - s))

    first, second = mp.diff(profile, r), mp.diff(profile, r, 2)
    laplacian = second + first / r
    if name == "elliptic":
        return -((1 + r**2 / 2) * laplacian + r * first) + first**2
    if name == "allen_cahn":
        u = mp.exp(-t) * profile(r)
        return -u - mp.exp(-t) * laplacian - u + u**3
    return (2 + 4 * t**2) * mp.exp(t**2) * profile(r) - (mp.exp(t**2) - 1) * laplacian


@pytest.mark.parametrize("name", FAMILIES)
def test_source_against_the_radial_operators(name: str) -> None:
    family = FAMILIES[name]
    names, _, _, source = read(family)
    for r, angle, t in [(0.05, 0.3, 0.1), (0.5, 2.0, 0.7), (0.9, 4.0, 0.4), (0.999, 5.0, 1.0)]:
        with mpmath.workdps(40):
            expected = float(radial(name, mpmath.mpf(r), mpmath.mpf(t), 0.25))
        place = [r * np.cos(angle), r * np.sin(angle)]
        point = np.array([[t, *place] if family.time else place])
        value = evaluate([source], names.coordinates, point, {"lambda": 0.25})[0, 0]
        assert value == pytest.approx(expected, rel=1e-11)


@pytest.mark.parametrize("name", FAMILIES)
def test_source_at_the_origin_is_the_radial_limit(name: str) -> None:
    family = FAMILIES[name]
    names, _, _, source = read(family)
    with mpmath.workdps(40):
        nearest = float(radial(name, mpmath.mpf(10) ** -12, mpmath.mpf(0.5), 0.25))
    point = np.array([[0.5, 0.0, 0.0] if family.time else [0.0, 0.0]])
    value = evaluate([source], names.coordinates, point, {"lambda": 0.25})[0, 0]
    assert value == pytest.approx(nearest, abs=1e-9)


def test_manufacturing_is_quick() -> None:
    start = process_time()
    _, _, _, source = read(FAMILIES["elliptic"])
    assert process_time() - start < 1.0
    assert len(canonical_text(source)) < 10_000


def test_solutions_vanish_as_the_paper_says() -> None:
    names, _, exact, _ = read(FAMILIES["elliptic"])
    points = np.array([[0.0, 0.0], [1.0, 0.0], [0.6, 0.8]])
    values = evaluate([exact], names.coordinates, points, {"lambda": 0.5})[0]
    assert values == pytest.approx([1.5, 0.0, 0.0], abs=1e-15)
    assert symbol("lambda") in exact.free_symbols
