"""A family of problems: what is derived once from a problem file, for all parameter values."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cached_property

from pinnkan.language.parameters import complete_values
from pinnkan.language.problem.domains import build_domain
from pinnkan.language.problem.spec import Problem
from pinnkan.physics.compiled import CompiledStatements
from pinnkan.physics.conditions.hard_conditions import build_ansatz
from pinnkan.physics.conditions.point_functions import Memory
from pinnkan.physics.conditions.roughness import LiftSmoothness
from pinnkan.physics.instance import Instance
from pinnkan.physics.magnitudes.scales import data_scales
from pinnkan.physics.magnitudes.solved_scales import FoundScale, found_scales
from pinnkan.physics.magnitudes.transients import relaxation_time
from pinnkan.physics.reference import ReferenceTable
from pinnkan.physics.sample_table import SampleTable


class Family:
    """The problems of one file, one for each value of its parameters.

    Compiling statements, reading data files and finding scales is done once, when it is first asked for.

    Args:
        problem: What the file states.
        rough_lifts: Whether conditions are built in whose data are rough or contradict a flux, as results
            were trained before both were looked at; only such results are read so.

    Examples:
        >>> family = Family(load_problem("elliptic"))
        >>> family.at(0.5).domain, family.at().blocks
    """

    def __init__(self, problem: Problem, *, rough_lifts: bool = False) -> None:
        self.problem = problem
        self._rough_lifts = rough_lifts
        self._derivatives: Memory = {}

    @cached_property
    def statements(self) -> CompiledStatements:
        """Equations and conditions as programs."""
        return CompiledStatements(self.problem)

    @cached_property
    def reference(self) -> ReferenceTable | None:
        """The file with reference values; None if there is none."""
        file = self.problem.solution.reference
        return None if file is None or not file.is_file() else ReferenceTable(self.problem, file)

    @cached_property
    def samples(self) -> SampleTable | None:
        """The values given instead of equations; None for a differential equation."""
        samples = self.problem.statements.samples
        return None if samples is None else SampleTable(self.problem, samples)

    @cached_property
    def scales(self) -> tuple[float, ...]:
        """The scales of the unknowns at all parameter values: stated, or as the data at the base give them.

        Raises:
            ProblemError: If the problem makes no sense at the base.
        """
        stated, found = self.problem.scales.unknowns, self.found_scales
        return tuple(stated[name] if name in stated else found[name].value for name in self.problem.unknowns)

    @cached_property
    def found_scales(self) -> dict[str, FoundScale]:
        """The scales of the unknowns that the file does not state, with where they come from.

        Raises:
            ProblemError: If the problem makes no sense at the base.
        """
        problem, values = self.problem, self.problem.base_values
        stated = problem.scales.unknowns
        if all(name in stated for name in problem.unknowns):
            return {}
        domain = build_domain(problem, values, time_scale=self.time_scale)
        blocks = self.statements.equations(values)
        for condition in problem.conditions:
            blocks += self.statements.condition(condition, domain, values)
        blocks += [self.statements.constraint(c, domain, values) for c in problem.constraints]
        found = found_scales(data_scales(problem, blocks, domain), blocks, domain)
        named = zip(problem.unknowns, found, strict=True)
        return {name: scale for name, scale in named if name not in stated}

    @cached_property
    def time_scale(self) -> float:
        """The time within which the solution changes at the start: stated, or as the equations give it."""
        stated = self.problem.scales.time
        if stated is None:
            return math.inf if self.problem.is_system else relaxation_time(self.problem)
        return stated

    @cached_property
    def _smoothness(self) -> LiftSmoothness | None:
        return None if self._rough_lifts else LiftSmoothness(self.problem)

    def at(self, values: Mapping[str, float] | float | None = None) -> Instance:
        """Return the problem at one parameter value.

        Args:
            values: By name; a name left out keeps its base value. One number
                will do where the family has one parameter.

        Raises:
            UsageError: If a name is unknown or a value not finite, or reference data are no such table.
            FileAccessError: If the file of the reference data cannot be read.
            ProblemError: If the problem makes no sense at this value (an
                empty domain, a hard condition that cannot be met).
        """
        problem, complete = self.problem, complete_values(self.problem.parameters, values)
        statements = self.statements
        domain = build_domain(problem, complete, time_scale=self.time_scale)
        ansatzes = tuple(
            build_ansatz(
                problem,
                domain,
                complete,
                unknown=name,
                scale=scale,
                smoothness=self._smoothness,
                memory=self._derivatives,
            )
            for name, scale in zip(problem.unknowns, self.scales, strict=True)
        )
        hard = {name for ansatz in ansatzes for name in ansatz.hard}
        blocks = statements.equations(complete)
        conditions = []
        for condition in problem.conditions:
            bound = statements.condition(condition, domain, complete)
            conditions += bound
            blocks += [] if condition.name in hard else bound
        constraints = [statements.constraint(c, domain, complete) for c in problem.constraints]
        return Instance(
            statements=statements,
            values=complete,
            domain=domain,
            ansatzes=ansatzes,
            blocks=(*blocks, *constraints),
            conditions=(*conditions, *constraints),
            reference=None if self.reference is None else self.reference.at(complete),
            samples=self.samples,
        )
