"""A problem in other units: u, space and time times constants, everything that is stated changed to match."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

import sympy

from pinnkan.ground.derivatives import Partial
from pinnkan.language.expressions import derivative_symbols, substitute, symbol
from pinnkan.language.problem import Problem
from pinnkan.language.problem.spec import Constraint, Equation, Scales, StatedDomain

Statement = TypeVar("Statement", bound=Equation)


def in_other_units(problem: Problem, *, u: sympy.Expr, x: sympy.Expr, t: sympy.Expr) -> Problem:
    """Return the problem whose solution is U(X, T) = u * solution(X / x, T / t), for all unknowns alike.

    Equations and conditions keep their values: only what they are written in changes.
    """
    factors = dict.fromkeys(problem.space, x) | ({problem.time: t} if problem.time else {})
    turned = {symbol(name): symbol(name) / factor for name, factor in factors.items()}

    def data(formula: sympy.Expr | None) -> sympy.Expr | None:
        return None if formula is None else substitute(formula, turned)

    def changes(formula: sympy.Expr) -> dict[sympy.Symbol, sympy.Expr]:
        leaves: Mapping[sympy.Symbol, Partial] = derivative_symbols(formula, problem.names)
        changed = dict(turned)
        for leaf, (_, index) in leaves.items():
            size = [factors[name] ** order for name, order in zip(problem.coordinates, index, strict=True)]
            changed[leaf] = leaf * sympy.Mul(*size) / u
        return changed

    def statement(stated: Statement) -> Statement:
        residual = substitute(stated.residual, changes(stated.residual))
        return replace(stated, residual=residual, source=data(stated.source))

    def constraint(stated: Constraint) -> Constraint:
        assert stated.kind != "integral", "its value has the unit of the space, too"
        return replace(
            statement(stated),
            inner=substitute(stated.inner, changes(stated.inner)),
            right=substitute(stated.right, turned),
            position=tuple(x * place for place in stated.position),
        )

    numbers = {key: tuple(x * number for number in row) for key, row in problem.domain.shape.numbers.items()}
    exact = {name: u * substitute(formula, turned) for name, formula in problem.exact.items()}
    time = problem.scales.time
    return replace(
        problem,
        domain=StatedDomain(
            replace(problem.domain.shape, numbers=numbers),
            None if problem.domain.interval is None else tuple(t * end for end in problem.domain.interval),
        ),
        statements=replace(
            problem.statements,
            equations=tuple(map(statement, problem.equations)),
            boundary=tuple(map(statement, problem.boundary)),
            initial=tuple(map(statement, problem.initial)),
            constraints=tuple(map(constraint, problem.statements.constraints)),
        ),
        solution=replace(
            problem.solution,
            exact=exact,
        ),
        scales=Scales(
            {name: stated * float(u) for name, stated in problem.scales.unknowns.items()},
            None if time is None else time * float(t),
            rows=problem.scales.rows,
        ),
    )
