"""Building the ansatz: which conditions can be met exactly at a parameter value, and by which lift.

With a boundary lift B and initial data u = h, u_t = k,

    lift = B + (h - B|t0) + (t - t0) (k - B_t|t0),

which keeps the boundary values if initial and boundary data meet.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import sympy

from pinnkan.geometry import Domain, InitialTime
from pinnkan.geometry.shape import number
from pinnkan.ground.errors import ProblemError
from pinnkan.language.expressions import substitute, symbol, total_derivative
from pinnkan.language.problem.domains import number_at
from pinnkan.language.problem.prescribed import Prescribed, difference_text, prescribed
from pinnkan.language.problem.spec import Condition, Problem
from pinnkan.physics.conditions.ansatz import Ansatz
from pinnkan.physics.conditions.boundary_lifts import BoundaryLift, boundary_lift
from pinnkan.physics.conditions.clamps import conditions_met_by_a_double_zero
from pinnkan.physics.conditions.condition_data import ConditionData
from pinnkan.physics.conditions.meeting import initial_gap
from pinnkan.physics.conditions.point_functions import FormulaFunction, Memory, PointFunction
from pinnkan.physics.conditions.roughness import LiftSmoothness

_ZERO = sympy.Integer(0)


def build_ansatz(
    problem: Problem,
    domain: Domain,
    values: Mapping[str, float],
    *,
    unknown: str,
    scale: float,
    smoothness: LiftSmoothness | None,
    memory: Memory,
) -> Ansatz:
    """Return the ansatz of one unknown that meets as many conditions as it can.

    Args:
        problem: The problem.
        domain: Its domain at ``values``.
        values: Of the parameters.
        unknown: Its name.
        scale: Of the unknown.
        smoothness: Refuses lifts that are too rough; None builds in any, whatever flux it contradicts.
        memory: Derivatives of formulas, shared by all parameter values.

    Raises:
        ProblemError: If a condition with ``hard: true`` cannot be met, with the reason.
    """
    data = ConditionData(problem, domain, values, unknown=unknown, scale=scale, smoothness=smoothness)
    candidates = _candidates(data)
    boundary = boundary_lift(data, [item for item in candidates if not item.condition.is_initial])
    initial = _initial(data, [item for item in candidates if item.condition.is_initial], boundary)
    _refuse_unmet(data)

    formula = _lift(data, boundary, initial)
    clamps: list[Condition] = []
    if boundary.harmonic is None:
        clamps = conditions_met_by_a_double_zero(
            problem,
            domain,
            values,
            unknown=data.position,
            scale=scale,
            lift=formula,
            parts=boundary.parts,
        )
        clamps = clamps if _has_distance(data, clamps) else []

    def written(formula: sympy.Expr) -> FormulaFunction:
        return FormulaFunction(formula, problem.names, values, memory)

    # A harmonic lift is constant in time: with initial data, B - B|t0 vanishes and h takes the values of B.
    lift: PointFunction = written(formula)
    if boundary.harmonic is not None and not initial:
        lift = boundary.harmonic
    built_in = [item.condition for item in (*boundary.conditions, *initial)]
    return Ansatz(
        unknown=unknown,
        values=values,
        lift=lift,
        distance=written(_distance(data, boundary, initial, clamps)),
        scale=scale,
        hard=tuple(condition.name for condition in (*built_in, *clamps)),
        notes=data.notes,
    )


def _has_distance(data: ConditionData, conditions: list[Condition]) -> bool:
    """Tell whether the shape has a distance to the parts of conditions."""
    space = [symbol(name) for name in data.problem.space]
    parts = [part for condition in conditions for part in condition.parts]
    return not parts or data.domain.shape.distance(space, parts) is not None


def _candidates(data: ConditionData) -> list[Prescribed]:
    """Return the conditions that prescribe u or u_t at this parameter value and may be hard."""
    candidates = []
    for condition in data.problem.conditions:
        item = None if condition.hard is False else prescribed(condition, data.problem.names)
        if item is None or item.unknown != data.unknown:
            continue
        if condition.portion is not None:
            data.notes[condition.name] = "it holds on a portion of a part; lifts are known for whole parts"
            continue
        slope = number_at(item.slope, data.values)
        if slope and math.isfinite(slope):
            candidates.append(item)
        else:
            data.notes[condition.name] = "the factor of the unknown vanishes at this parameter value"
    return candidates


def _refuse_unmet(data: ConditionData) -> None:
    """Refuse a condition with ``hard: true`` that could not be built in.

    Raises:
        ProblemError: With the reason of each.
    """
    unmet = [c for c in data.problem.conditions if c.hard and c.name in data.notes]
    if unmet:
        reasons = [f"{c.name}: hard: true cannot be met: {data.notes[c.name]}" for c in unmet]
        raise ProblemError([c.place.render(text) for c, text in zip(unmet, reasons, strict=True)])


# Initial conditions


def _initial(data: ConditionData, candidates: list[Prescribed], boundary: BoundaryLift) -> list[Prescribed]:
    """Return the initial conditions that can be hard: u, or u and u_t, if they meet the boundary data."""
    hard: list[Prescribed] = []
    for item in sorted(candidates, key=lambda item: item.order):
        name = item.condition.name
        if item.order != len(hard):
            data.notes[name] = "the rate can be built in only together with the initial values"
            continue
        if data.is_rough(item, _initial_data(data, item)):
            continue
        gap = _initial_gap(data, item, boundary)
        if gap is None and (contradiction := _flux_contradiction(data, [*hard, item])):
            data.notes[name] = contradiction
        elif gap is None:
            hard.append(item)
        else:
            what = ("initial and boundary data", "the rates of initial and boundary data")[item.order]
            data.notes[name] = f"{what} {gap} where they meet"
    return hard


def _initial_gap(data: ConditionData, item: Prescribed, boundary: BoundaryLift) -> str | None:
    """Say by how much initial data miss the boundary lift at the initial time, None if they meet."""
    formula = boundary.formula
    if item.order == 1:
        formula = total_derivative(formula, data.time.name, data.problem.names)
    unit = _unit_time(data, item)
    worst, size = 0.0, 1.0
    for part in boundary.parts:
        positions = data.positions(part)
        points = data.at_start(positions)
        wanted = data.evaluate(formula, points)
        if boundary.harmonic is not None and item.order == 0:
            wanted = wanted + boundary.harmonic.derivatives(positions, [(0, 0)])[0]
        gap = float(np.abs(data.given(item, points) - wanted).max())
        level = data.level(wanted * unit)
        if not data.meets(gap * unit, level) and gap > worst:
            worst, size = gap, level / unit
    return difference_text(worst, size) if worst else None


def _flux_contradiction(data: ConditionData, items: list[Prescribed]) -> str:
    """Say which boundary condition in derivatives the last of the data contradict; empty if none."""
    if data.smoothness is None:
        return ""
    problem = data.problem
    for condition in problem.boundary:
        given = [item.data for item in items]
        gap = initial_gap(condition, given, data.position, problem.names, data.domain, data.values)
        if gap is not None:
            return f"it misses {condition.name} by {gap.size:.2g} of the size of its terms where they meet"
    return ""


def _initial_data(data: ConditionData, item: Prescribed) -> sympy.Expr:
    """Return initial data as a formula in space, exactly 0 where they vanish up to rounding."""
    formula = substitute(item.data, {data.time: number(data.interval[0])})
    values = data.evaluate(formula, data.samples(InitialTime()))
    return _ZERO if data.vanish(values, _unit_time(data, item)) else formula


def _unit_time(data: ConditionData, item: Prescribed) -> float:
    """Return what makes a value of the unknown of prescribed data: for rates the whole time, else 1."""
    start, end = data.interval
    return float(end - start) ** item.order


# The formulas


def _lift(data: ConditionData, boundary: BoundaryLift, initial: list[Prescribed]) -> sympy.Expr:
    """Return B + (h - B|t0) + (t - t0) (k - B_t|t0), as far as there are initial data."""
    if not initial:
        return boundary.formula
    time, start = data.time, number(data.interval[0])
    change = result = boundary.formula
    for item, power in zip(initial, (sympy.Integer(1), time - start), strict=False):
        result += power * (_initial_data(data, item) - substitute(change, {time: start}))
        change = total_derivative(change, time.name, data.problem.names)
    return result


def _distance(
    data: ConditionData, boundary: BoundaryLift, initial: list[Prescribed], clamps: list[Condition]
) -> sympy.Expr:
    """Return the shape's distance * tau^n for n initial conditions, tau in the time of `Domain.grading`.

    The distance to clamped parts counts twice.
    """
    distance = sympy.Integer(1)
    if boundary.parts:
        space = [symbol(name) for name in data.problem.space]
        clamped = [part for condition in clamps for part in condition.parts]
        for parts in (boundary.parts, clamped) if clamped else (boundary.parts,):
            factor = data.domain.shape.distance(space, parts)
            assert factor is not None, "conditions are hard where there is a distance"
            distance *= factor
    if initial:
        distance *= vanishing_at_start(data.time, data.domain, len(initial))
    return distance


def vanishing_at_start(time: sympy.Symbol, domain: Domain, count: int) -> sympy.Expr:
    """Return tau^count, which vanishes with ``count`` derivatives at the first time and is 1 at the last."""
    if not count or domain.time is None:
        return sympy.Integer(1)
    start, end = domain.time
    tau, grading = (time - number(start)) / number(end - start), domain.grading
    if grading:
        tau = sympy.log(1 + number(grading) * tau) / number(math.log1p(grading))
    return tau**count
