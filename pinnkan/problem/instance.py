"""A problem at one parameter value: domain, residual blocks, ansatz, exact solution."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import sympy
from numpy.typing import NDArray

from pinnkan.errors import PinnkanError
from pinnkan.expressions import derivative_symbols, evaluate, substitute
from pinnkan.geometry import Domain
from pinnkan.problem.ansatz import Ansatz
from pinnkan.problem.blocks import BlockProgram, Collapse, ResidualBlock, TermProgram, bind, find_collapse
from pinnkan.problem.domains import build_domain, number_at
from pinnkan.problem.hardening import build_ansatz
from pinnkan.problem.prescribed import prescribed
from pinnkan.problem.reference import Known, Reference, load_reference
from pinnkan.problem.scales import half_extents, sizing_points, unknown_scale
from pinnkan.problem.sizes import characteristic_terms, size_of
from pinnkan.problem.spec import Condition, Equation, Problem
from pinnkan.problem.statements import SOURCE

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Instance:
    """A problem at one parameter value.

    Attributes:
        problem: What the file states.
        values: The parameter values, in problem order.
        domain: Shape and time interval.
        ansatz: u = lift + factor * N.
        blocks: What training makes small: the equations and the soft conditions.
        conditions: All conditions, hard ones too, for reports.
    """

    problem: Problem
    values: Mapping[str, float]
    domain: Domain
    ansatz: Ansatz
    blocks: tuple[ResidualBlock, ...]
    conditions: tuple[ResidualBlock, ...]
    _reference: Reference | None = None

    @property
    def coordinates(self) -> tuple[str, ...]:
        """Names of the D coordinates, time first if there is one."""
        return self.problem.coordinates

    @property
    def equations(self) -> tuple[ResidualBlock, ...]:
        """The blocks of the equations alone."""
        return tuple(block for block in self.blocks if block.where == "interior")

    @cached_property
    def sizes(self) -> dict[str, float]:
        """The size of every equation's and condition's terms, by name: what its residual is divided by.

        Of a function as large as the unknown's scale that varies over half the domain's extent. 1 where
        that is nothing, or the problem says ``scales: none``.
        """
        return {block.name: self._size(block) for block in (*self.equations, *self.conditions)}

    def size_of(self, statement: str) -> float:
        """Return the size of a statement's terms, of a condition on several parts the largest."""
        parts = [name for name in self.sizes if name == statement or name.startswith(f"{statement}.")]
        return max(self.sizes[name] for name in parts)

    def _size(self, block: ResidualBlock) -> float:
        if not self.problem.scales.rows:
            return 1.0
        places, halves = sizing_points(block, self.domain), half_extents(self.domain)
        with np.errstate(all="ignore"):
            try:
                terms = characteristic_terms(block, places, self.problem.scale, halves)
            except PinnkanError:  # data without a value: training tells of them, point and place
                return 1.0
            size = size_of(terms, places.weights)
        return size if 0.0 < size < math.inf else 1.0

    @property
    def has_exact(self) -> bool:
        """Whether errors can be measured: against a formula, or data at this parameter value."""
        return self.problem.exact is not None or self._reference is not None

    def exact(self, points: FloatArray) -> FloatArray | None:
        """Return the exact or reference solution (N,) at points (N, D), None if there is none.

        NaN at a point that reference data do not cover.
        """
        if self.problem.exact is not None:
            values: FloatArray = evaluate([self.problem.exact], self.coordinates, points, self.values)[0]
            return values
        return None if self._reference is None else self._reference(points)

    def known(self, points: FloatArray) -> Known | None:
        """Return what errors at points (N, D) are measured against, where that is known; None without any."""
        values = self.exact(points)
        if values is None:
            return None
        covered = ~np.isnan(values)
        return Known(points[covered], values[covered], len(points))


class _Compiled:
    """The work on a problem that no parameter value changes."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.residuals = [full_residual(problem, equation) for equation in problem.equations]
        self.collapse: Collapse | None = find_collapse(self.residuals, problem.names)
        self.memory: dict[object, sympy.Expr] = {}
        self._equations: dict[bool, list[BlockProgram]] = {}
        self._conditions: dict[str, BlockProgram] = {}
        self._terms: dict[Equation, TermProgram] = {}

    def equations(self, *, collapsed: bool) -> list[BlockProgram]:
        if collapsed not in self._equations:
            collapse = self.collapse if collapsed else None
            names = self.problem.names
            self._equations[collapsed] = [BlockProgram(r, names, collapse) for r in self.residuals]
        return self._equations[collapsed]

    @cached_property
    def scale(self) -> float:
        """The scale of the unknown at the base value."""
        problem, values = self.problem, self.problem.base_values
        domain = build_domain(problem, values)
        conditions = [block for c in problem.conditions for block in _bind_condition(self, c, domain, values)]
        blocks = [*_bind_equations(self, values), *conditions]
        return unknown_scale(blocks, _prescribed_values(problem, domain), domain, _marching_axis(problem))

    def terms(self, statement: Equation) -> TermProgram:
        if statement not in self._terms:
            residual = full_residual(self.problem, statement)
            self._terms[statement] = TermProgram(residual, self.problem.names)
        return self._terms[statement]

    def condition(self, condition: Condition) -> BlockProgram:
        key = f"{'initial' if condition.is_initial else 'boundary'} {condition.name}"
        if key not in self._conditions:
            self._conditions[key] = BlockProgram(
                full_residual(self.problem, condition), self.problem.names, None
            )
        return self._conditions[key]


def family_blocks(instance: Instance) -> tuple[ResidualBlock, ...]:
    """Return an instance's blocks with channels that are the same at every parameter value.

    Second derivatives that travel as one combination do so here only if its
    coefficients are numbers.
    """
    compiled = _compiled(instance.problem)
    if compiled.collapse is None or not any(ratio.free_symbols for ratio in compiled.collapse.ratios):
        return instance.blocks
    soft = [block for block in instance.blocks if block.where != "interior"]
    programs = compiled.equations(collapsed=False)
    named = zip(instance.equations, programs, strict=True)
    plain = [replace(block, channels=program.indices, program=program) for block, program in named]
    return (*plain, *soft)


def _compiled(problem: Problem) -> _Compiled:
    """Return the work that a problem's instances share."""
    if "compiled" not in problem.cache:
        problem.cache["compiled"] = _Compiled(problem)
    compiled = problem.cache["compiled"]
    assert isinstance(compiled, _Compiled)
    return compiled


def scale_of(problem: Problem) -> float:
    """Return the scale of the unknown that the problem's data give; use :attr:`Problem.scale`.

    Raises:
        ProblemError: If the problem makes no sense at its base value.
    """
    return _compiled(problem).scale


def _prescribed_values(problem: Problem, domain: Domain) -> list[float]:
    """Return the largest and the least value of the unknown that any condition prescribes at the base."""
    values = []
    for condition in problem.conditions:
        item = prescribed(condition, problem.names)
        if item is None or item.order:
            continue
        for where in condition.parts or ("initial",):
            places = domain.collocate(where, _PRESCRIBED_POINTS).points
            try:
                data = evaluate([item.data], problem.coordinates, places, problem.base_values)[0]
            except PinnkanError:
                continue  # told of where the condition itself is evaluated
            values += [float(data.max()), float(data.min())]
    return [max(values), min(values)] if values else []


_PRESCRIBED_POINTS = 200


def _marching_axis(problem: Problem) -> int | None:
    """Return the coordinate along which the equations are of first order: time, or the only one."""
    if problem.time is None and len(problem.space) > 1:
        return None
    orders = [
        index[0]
        for equation in problem.equations
        for index in derivative_symbols(equation.residual, problem.names).values()
    ]
    return 0 if max(orders, default=0) == 1 else None


def full_residual(problem: Problem, statement: Equation) -> sympy.Expr:
    """Return a statement's residual with a manufactured source written out."""
    if problem.manufactured and problem.source is not None:
        return substitute(statement.residual, {SOURCE: problem.source})
    return statement.residual


def make_instance(problem: Problem, values: Mapping[str, float]) -> Instance:
    """Return a problem at a complete set of parameter values; use :meth:`Problem.at`.

    Raises:
        ProblemError: If the problem makes no sense at these values.
    """
    compiled = _compiled(problem)
    domain = build_domain(problem, values)
    ansatz = build_ansatz(problem, domain, values, compiled.memory)
    equations = _bind_equations(compiled, values)
    conditions = [
        (c, block) for c in problem.conditions for block in _bind_condition(compiled, c, domain, values)
    ]
    soft = [block for condition, block in conditions if condition.name not in ansatz.hard]
    return Instance(
        problem=problem,
        values=values,
        domain=domain,
        ansatz=ansatz,
        blocks=(*equations, *soft),
        conditions=tuple(block for _, block in conditions),
        _reference=load_reference(problem, values),
    )


def _bind_equations(compiled: _Compiled, values: Mapping[str, float]) -> list[ResidualBlock]:
    """Bind the equations, with second derivatives collapsed where that is possible at these values."""
    ratios = (
        [] if compiled.collapse is None else [number_at(ratio, values) for ratio in compiled.collapse.ratios]
    )
    collapsed = bool(ratios) and all(map(math.isfinite, ratios))
    programs = compiled.equations(collapsed=collapsed)
    named = zip(compiled.problem.equations, programs, strict=True)
    return [
        bind(
            program,
            name=equation.name,
            where="interior",
            weight=1.0,
            coefficients=tuple(ratios),
            values=values,
            summands=compiled.terms(equation),
        )
        for equation, program in named
    ]


def _bind_condition(
    compiled: _Compiled, condition: Condition, domain: Domain, values: Mapping[str, float]
) -> list[ResidualBlock]:
    """Bind a condition: one block, or one per part where it holds on some of several parts."""
    program = compiled.condition(condition)
    where: tuple[str, ...] = condition.parts or ("initial",)
    if condition.parts == domain.shape.parts and len(where) > 1:
        where = ("all",)
    several = len(where) > 1
    return [
        bind(
            program,
            name=f"{condition.name}.{part}" if several else condition.name,
            where=part,
            weight=condition.weight,
            coefficients=(),
            values=values,
            summands=compiled.terms(condition),
        )
        for part in where
    ]
