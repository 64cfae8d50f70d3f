"""The problem that one time window poses, made from that over the whole time."""

from __future__ import annotations

from dataclasses import replace

import sympy

from pinnkan.geometry import Domain, InitialTime
from pinnkan.ground.derivatives import pure_index
from pinnkan.language.expressions import symbol
from pinnkan.language.expressions.names import derivative_name
from pinnkan.language.problem.initial import time_order
from pinnkan.physics.blocks import BlockProgram, ResidualBlock, TermProgram, bind
from pinnkan.physics.conditions.ansatz import Ansatz
from pinnkan.physics.conditions.hard_conditions import vanishing_at_start
from pinnkan.physics.conditions.point_functions import FormulaFunction, PointFunction
from pinnkan.physics.instance import Instance
from pinnkan.physics.windows.hand_over import Differentiable, EndState, HandOver

_START = "_start"
"""What the state handed over is called in a residual."""


def window_of(whole: Instance, start: float, end: float, before: Differentiable | None = None) -> Instance:
    """Return the problem of one window.

    The first window has the initial conditions of the file, hard or soft as over the whole time. A later
    one begins, by construction, with the values and rates that the window before ends with, as many as the
    equations take; conditions on the boundary are as over the whole time.

    Args:
        whole: The problem over the whole time.
        start: First time of the window.
        end: Last time.
        before: The solution of the window that ends at ``start``; None for the first window.
    """
    assert whole.domain.time is not None
    first = whole.domain.time[0]
    # Points crowd at the start as over the whole time: their density falls like 1 / (t - t0 + scale).
    domain = replace(whole.domain, time=(start, end), time_scale=whole.domain.time_scale + (start - first))
    ansatzes = [_ansatz(whole, domain, unknown, before) for unknown in range(len(whole.ansatzes))]
    if before is None:
        return replace(whole, domain=domain, ansatzes=tuple(ansatzes))
    blocks = [block for block in whole.blocks if not isinstance(block.where, InitialTime)]
    conditions = [block for block in whole.conditions if not isinstance(block.where, InitialTime)]
    for unknown, order in enumerate(orders_in_time(whole)):
        states = [EndState(before, unknown, start, rate) for rate in range(order)]
        conditions += [_start_block(whole, state) for state in states]
    return replace(
        whole, domain=domain, ansatzes=tuple(ansatzes), blocks=tuple(blocks), conditions=tuple(conditions)
    )


def started_from(window: Instance, before: Differentiable) -> Instance:
    """Return the problem of a later window whose conditions at the start say that it begins with ``before``.

    Its ansatz is as it was: what is measured is by how much it misses another start.
    """
    conditions = []
    for block in window.conditions:
        state = block.functions.get(_START)
        if isinstance(state, EndState):
            block = replace(block, functions={_START: replace(state, before=before)})
        conditions.append(block)
    return replace(window, conditions=tuple(conditions))


def orders_in_time(instance: Instance) -> list[int]:
    """Return the order of the equations in time, of every unknown: so many values a window hands on."""
    problem = instance.problem
    return [
        time_order(problem.equations, unknown, problem.names)[0] for unknown in range(len(problem.unknowns))
    ]


def _ansatz(whole: Instance, domain: Domain, unknown: int, before: Differentiable | None) -> Ansatz:
    """Return the ansatz of one unknown: that of the whole time, the power of tau and the lift exchanged."""
    ansatz, problem = whole.ansatzes[unknown], whole.problem
    initial = {condition.name for condition in problem.initial}
    count, time = len(initial.intersection(ansatz.hard)), symbol(problem.time or "")
    assert ansatz.distance.formula is not None
    in_space = ansatz.distance.formula / vanishing_at_start(time, whole.domain, count)

    def distance(power: int) -> FormulaFunction:
        formula = in_space * vanishing_at_start(time, domain, power)
        return FormulaFunction(formula, problem.names, whole.values)

    if before is None:
        return replace(ansatz, distance=distance(count))
    order = orders_in_time(whole)[unknown]
    names = [_start_name(whole, unknown, rate) for rate in range(order)]
    assert domain.time is not None
    return replace(
        ansatz,
        lift=HandOver(ansatz.lift, before, unknown, domain.time[0], order),
        distance=distance(order),
        hard=(*(name for name in ansatz.hard if name not in initial), *names),
        notes={name: note for name, note in ansatz.notes.items() if name not in initial},
    )


def _start_name(whole: Instance, unknown: int, rate: int) -> str:
    """Return what the condition on a value or rate handed over is called: ``start.u``, ``start.u_t``."""
    problem = whole.problem
    index = pure_index(0, len(problem.coordinates), rate)
    return f"start.{derivative_name(problem.unknowns[unknown], index, problem.names)}"


def _start_block(whole: Instance, state: EndState) -> ResidualBlock:
    """Return d_t^rate u - d_t^rate u_before at the initial time; reports and estimates read it."""
    names, index = whole.problem.names, pure_index(0, len(whole.coordinates), state.rate)
    leaf = symbol(derivative_name(names.unknowns[state.unknown], index, names))
    residual: sympy.Expr = leaf - symbol(_START)
    block = bind(
        BlockProgram(residual, names, None),
        name=_start_name(whole, state.unknown, state.rate),
        where=InitialTime(),
        weight=1.0,
        values=whole.values,
        summands=TermProgram(residual, names),
    )
    functions: dict[str, PointFunction] = {_START: state}
    return replace(block, functions=functions)
