"""``pinnkan formula``: the closed form that a small network comes to, and how far it is from it."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import sympy

from pinnkan.geometry.shape import number
from pinnkan.ground.errors import PinnkanError, UsageError
from pinnkan.language.expressions import canonical_text, evaluate, substitute, symbol
from pinnkan.language.problem import Problem
from pinnkan.physics.conditions.ansatz import Ansatz
from pinnkan.solutions.evaluation.measures import EVALUATION_SEED
from pinnkan.solutions.evaluation.norms import measure_errors
from pinnkan.solutions.formulas import ClosedForm, Snap, closed_form
from pinnkan.solutions.solution import Solution
from pinnkan.storage.runs.directory import RunDirectory, require_one_network
from pinnkan.storage.runs.paths import ResultName

_POINTS, _SEED, _JUDGED = 600, 31_415, 2_000


def formula(directory: Path, name: ResultName, *, least_r2: float, digits: int) -> dict[str, Any]:
    """Return a closed form of the base or of one adapter's solution, and its errors.

    Args:
        directory: The run directory.
        name: Which of its results.
        least_r2: What an edge's function must reach.
        digits: Significant digits of every number in the formula; the errors are those of the rounded one.

    Raises:
        UsageError: If there is no such result, the network is too large or not a KAN, or the ansatz has
            no closed form.
        DamagedFileError: If a file is damaged or foreign.
    """
    result = RunDirectory(directory).find(name)
    unknown = _only_unknown(result.problem)
    require_one_network(result, "formula")
    solution = result.solution()
    assert isinstance(solution, Solution)
    instance = solution.instance
    points = instance.domain.uniform(_POINTS, _SEED)
    form = closed_form(solution.network, solution.coefficients, points, least_r2=least_r2)
    expression = _rounded(_with_ansatz(instance.ansatzes[0], _network(form, instance.coordinates)), digits)
    return {
        "problem": result.problem.name,
        "parameters": dict(result.values),
        "unknown": unknown,
        "formula": canonical_text(expression),
        **_errors(expression, solution),
        "edges": _edges(form),
    }


def _only_unknown(problem: Problem) -> str:
    """Return the name of the unknown.

    Raises:
        UsageError: If there are several.
    """
    unknowns = problem.unknowns
    if len(unknowns) > 1:
        raise UsageError(
            f"formula: {problem.name} has {len(unknowns)} unknowns ({', '.join(unknowns)}); "
            "a formula is found where there is one alone"
        )
    return unknowns[0]


def _errors(expression: sympy.Expr, solution: Solution) -> dict[str, float | None]:
    """Return how far a formula is from the network, and how far both are from the reference."""
    instance = solution.instance
    judged = instance.domain.uniform(_JUDGED, EVALUATION_SEED)
    reference = instance.known(judged)

    def written(points: np.ndarray) -> np.ndarray:
        """Return the formula's values, none at all where it leaves a root's or a logarithm's domain."""
        try:
            values: np.ndarray = evaluate([expression], instance.coordinates, points, instance.values)[0]
        except PinnkanError:
            return np.full(len(points), np.nan)
        return values

    def error(of: Callable[[np.ndarray], np.ndarray]) -> float | None:
        if reference is None:
            return None
        return _relative(of(reference.points), reference.values[instance.problem.unknowns[0]])

    return {
        "relative_l2_network": _relative(written(judged), solution(judged)[0]),
        "relative_l2": error(written),
        "network_relative_l2": error(lambda points: solution(points)[0]),
    }


def _network(form: ClosedForm, coordinates: tuple[str, ...]) -> sympy.Expr:
    return form.symbolic([symbol(name) for name in coordinates])


def _with_ansatz(ansatz: Ansatz, network: sympy.Expr) -> sympy.Expr:
    """Return u = lift + scale * factor * N at the parameter values."""
    lift, distance = ansatz.lift.formula, ansatz.distance.formula
    if lift is None or distance is None:
        raise UsageError(
            "formula: the boundary data are continued by a power series of many terms (a harmonic lift); "
            "make the condition soft (hard: false)"
        )
    numbers = {symbol(name): sympy.Float(value) for name, value in ansatz.values.items()}
    scaled = number(ansatz.scale) * distance * network
    return substitute(lift + scaled, numbers)


def _rounded(expression: sympy.Expr, digits: int) -> sympy.Expr:
    """Return an expression with its floating point numbers rounded; terms that vanish so are dropped."""
    floats = expression.atoms(sympy.Float)
    small = 10.0**-digits * max((abs(float(decimal)) for decimal in floats), default=0.0)
    return expression.xreplace({decimal: _written(float(decimal), digits, small) for decimal in floats})


_CHANCE = 0.005
"""Of a number that has nothing to do with pi to be taken for its multiple."""


def _written(value: float, digits: int, small: float) -> sympy.Expr:
    """Return 0 below ``small``, 2 for 2.0, the rounded number, or pi/2 for what is pi/2 in all digits.

    A multiple of pi/4 counts only where agreement by chance is improbable: with few digits, or far from
    zero, every number is near one.
    """
    rounded = float(f"{value:.{digits}g}")
    if abs(value) < small:
        return sympy.Integer(0)
    if rounded.is_integer():
        return sympy.Integer(int(rounded))
    within = 0.5 * 10.0**-digits * abs(value)
    for parts in range(1, 5):
        times = round(value / math.pi * parts)
        improbable = 2 * within * parts / math.pi < _CHANCE
        if times and improbable and abs(value - times * math.pi / parts) < within:
            return times * sympy.pi / parts
    return sympy.Float(rounded)


def _relative(values: np.ndarray, reference: np.ndarray) -> float | None:
    measurable = reference.size > 0 and bool(np.isfinite(values).all())
    return measure_errors(values, reference).relative_l2 if measurable else None


def _edges(form: ClosedForm) -> list[dict[str, Any]]:
    """Return one row for each edge that is not a constant: where it is and what it became."""
    rows = []
    for depth, layer in enumerate(form.layers):
        for p, row in enumerate(layer):
            for q, edge in enumerate(row):
                name = edge.template.name if isinstance(edge, Snap) else "its expansion"
                r2 = edge.r2 if isinstance(edge, Snap) else 1.0
                rows.append(
                    {"layer": depth, "input": p, "output": q, "function": name, "missed_r2": 1.0 - r2}
                )
    return rows
