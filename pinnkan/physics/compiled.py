"""The work on a problem's statements that no parameter value changes: residuals, programs, terms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import sympy

from pinnkan.geometry import BoundaryPart, Domain, Interior, PointInSpace, Region, WholeDomain
from pinnkan.ground.errors import ProblemError, UsageError
from pinnkan.language.expressions import substitute
from pinnkan.language.problem.domains import number_at
from pinnkan.language.problem.spec import MEASURE, Condition, Constraint, Equation, Problem
from pinnkan.language.problem.statements import SOURCE
from pinnkan.physics.blocks import BlockProgram, ResidualBlock, TermProgram, bind
from pinnkan.physics.combinations import Collapse, find_collapse


def full_residual(statement: Equation) -> sympy.Expr:
    """Return a statement's residual with a manufactured source written out."""
    if statement.source is not None:
        return substitute(statement.residual, {SOURCE: statement.source})
    return statement.residual


class CompiledStatements:
    """Equations, conditions and constraints as programs, each made when it is first asked for and kept.

    Args:
        problem: What the file states.

    Attributes:
        problem: The same.
        collapse: The one combination of derivatives in all equations, None if there is none.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self._residuals = [full_residual(equation) for equation in problem.equations]
        self.collapse: Collapse | None = find_collapse(self._residuals, problem.names)
        self._equations: dict[bool, list[BlockProgram]] = {}
        self._conditions: dict[Equation, BlockProgram] = {}
        self._terms: dict[Equation, TermProgram] = {}

    def equations(self, values: Mapping[str, float]) -> list[ResidualBlock]:
        """Return the equations at parameter values, derivatives collapsed where that is possible."""
        combination = None if self.collapse is None else self.collapse.at(values)
        programs = self._equation_programs(collapsed=combination is not None)
        named = zip(self.problem.equations, programs, strict=True)
        return [
            bind(
                program,
                name=equation.name,
                where=Interior(),
                weight=equation.weight,
                combination=combination,
                values=values,
                summands=self._terms_of(equation),
            )
            for equation, program in named
        ]

    def condition(
        self, condition: Condition, domain: Domain, values: Mapping[str, float]
    ) -> list[ResidualBlock]:
        """Return a condition at parameter values: one block, or one per part where it holds on several.

        Raises:
            ProblemError: If it holds on a portion of a part that has no points there.
        """
        regions = condition.regions(self.problem.names, values)
        if condition.portion is None and condition.parts == domain.shape.parts and len(regions) > 1:
            regions = (BoundaryPart("all"),)
        if condition.portion is not None:
            _require_points(condition, regions, domain, values)
        several = len(regions) > 1
        return [
            bind(
                self._condition_program(condition),
                name=f"{condition.name}.{_part(region)}" if several else condition.name,
                where=region,
                weight=condition.weight,
                values=values,
                summands=self._terms_of(condition),
            )
            for region in regions
        ]

    def constraint(
        self, constraint: Constraint, domain: Domain, values: Mapping[str, float]
    ) -> ResidualBlock:
        """Return a constraint at parameter values; its residual is that of a point, and of a time their mean.

        Raises:
            ProblemError: If its point lies outside the domain there.
        """
        where: Region = WholeDomain()
        if constraint.kind == "value":
            position = tuple(number_at(entry, values) for entry in constraint.position)
            if not domain.shape.contains(np.array([position]))[0]:
                named = ", ".join(f"{name} = {value:.9g}" for name, value in values.items())
                message = f"{constraint.name}: at {named} the point lies outside the domain"
                raise ProblemError([constraint.place.render(message)])
            where = PointInSpace(position)
        return bind(
            self._condition_program(constraint),
            name=constraint.name,
            where=where,
            weight=constraint.weight,
            values={**values, MEASURE.name: domain.shape.volume},
            summands=self._terms_of(constraint),
        )

    def with_same_channels(self, equations: tuple[ResidualBlock, ...]) -> tuple[ResidualBlock, ...]:
        """Return equations with channels that are the same at every parameter value.

        Derivatives that travel as one combination do so here only if its coefficients are numbers.
        """
        if self.collapse is None or not any(ratio.free_symbols for ratio in self.collapse.ratios):
            return equations
        named = zip(equations, self._equation_programs(collapsed=False), strict=True)
        return tuple(replace(block, reads=program.reads(), program=program) for block, program in named)

    def _equation_programs(self, *, collapsed: bool) -> list[BlockProgram]:
        if collapsed not in self._equations:
            collapse, names = self.collapse if collapsed else None, self.problem.names
            self._equations[collapsed] = [BlockProgram(r, names, collapse) for r in self._residuals]
        return self._equations[collapsed]

    def _condition_program(self, condition: Equation) -> BlockProgram:
        if condition not in self._conditions:
            residual = full_residual(condition)
            self._conditions[condition] = BlockProgram(residual, self.problem.names, None)
        return self._conditions[condition]

    def _terms_of(self, statement: Equation) -> TermProgram:
        if statement not in self._terms:
            residual = full_residual(statement)
            self._terms[statement] = TermProgram(residual, self.problem.names)
        return self._terms[statement]


def _part(region: Region) -> str:
    """Return the name of a region's boundary part."""
    return region.part if isinstance(region, BoundaryPart) else region.name


def _require_points(
    condition: Condition, regions: Sequence[Region], domain: Domain, values: Mapping[str, float]
) -> None:
    """Refuse portions without points.

    Raises:
        ProblemError: Naming the part.
    """
    for region in regions:
        try:
            domain.collocate(region, 1)
        except UsageError as error:
            named = ", ".join(f"{name} = {value:.9g}" for name, value in values.items())
            where = f" at {named}" if named else ""
            message = f"{condition.name}: {str(error).removeprefix('boundary: ')}{where}"
            raise ProblemError([condition.place.render(message)]) from None
