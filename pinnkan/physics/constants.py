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
