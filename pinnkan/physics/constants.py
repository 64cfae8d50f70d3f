"""Unknowns that no statement fixes but up to a constant, as the pressure of an incompressible flow."""

from __future__ import annotations

from pinnkan.language.expressions import derivative_symbols
from pinnkan.language.problem.spec import Problem


def free_constants(problem: Problem) -> frozenset[str]:
    """Return the unknowns that no equation, condition or constraint holds but by their derivatives."""
    statements = (*problem.equations, *problem.conditions, *problem.constraints)
    partials = {p for s in statements for p in derivative_symbols(s.residual, problem.names).values()}
    fixed = {problem.unknowns[unknown] for unknown, index in partials if not any(index)}
    return frozenset(problem.unknowns) - fixed if partials else frozenset()


def is_free_in_time(problem: Problem, unknown: str) -> bool:
    """Tell whether what is free of an unknown is a function of time: no statement takes its rate."""
    if problem.time is None or not problem.space or unknown not in free_constants(problem):
        return False
    position = problem.unknowns.index(unknown)
    statements = (*problem.equations, *problem.conditions, *problem.constraints)
    partials = {p for s in statements for p in derivative_symbols(s.residual, problem.names).values()}
    return not any(partial.orders[0] for partial in partials if partial.unknown == position)
