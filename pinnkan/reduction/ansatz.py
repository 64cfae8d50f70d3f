"""The ansatz of a whole family: u = lift(lambda) + factor * sum_i c_i W_i, conditions met at every lambda.

The factor is one for all parameter values, so that the family lives in one linear
space behind its lift; the lift takes the data of each parameter value.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

import numpy as np
import sympy

from pinnkan.ground.arrays import FloatArray
from pinnkan.ground.derivatives import Derivative, value_index
from pinnkan.ground.errors import UsageError
from pinnkan.language.expressions import PointProgram, symbol
from pinnkan.language.parameters import file_stem
from pinnkan.language.problem import Problem
from pinnkan.physics.conditions.ansatz import Ansatz
from pinnkan.physics.conditions.point_functions import FormulaFunction
from pinnkan.physics.constants import free_constants, is_free_in_time
from pinnkan.physics.family import Family
from pinnkan.physics.instance import Instance

Lift = Callable[[FloatArray], FloatArray]
"""From parameter values (L, P) to derivatives of the lifts (C, L, N)."""

_SAMPLES, _SEED = 200, 20_260_101
_SAME = 1e-11


class FamilyAnsatz:
    """The ansatz of a problem over a range of parameter values.

    Args:
        family: The family of problems.
        probes: Complete parameter values from all over the range, two at least.

    Attributes:
        family: The same.
        reference: An instance whose domain, factor and, where ``has_formula``, lift hold for all values.
        has_formula: Whether one formula gives the lift at every value; otherwise it is built value by value.
        free_constants: Positions of the unknowns that nothing fixes but up to a constant.

    Raises:
        UsageError: If domain, factor or the point of a constraint depend on the parameters.
        ProblemError: If the problem makes no sense at a probe.
    """

    def __init__(self, family: Family, probes: Sequence[Mapping[str, float]]) -> None:
        refuse_moving_geometry(family.problem)
        _refuse_moving_points(family.problem)
        self.family = family
        instances = [family.at(values) for values in probes]
        _refuse_changing_conditions(instances)
        self.parameters = tuple(parameter.name for parameter in family.problem.parameters)
        free = free_constants(family.problem)
        _refuse_functions_of_time(family.problem, free)
        self.free_constants = [index for index, name in enumerate(family.problem.unknowns) if name in free]
        # Where data vanish a lift has a shorter formula: the longest holds for all values or none does.
        self.reference = max(instances, key=lambda one: sum(_length(ansatz) for ansatz in one.ansatzes))
        self.has_formula = all(
            self._gives(ansatz, unknown)
            for instance in instances
            for unknown, ansatz in enumerate(instance.ansatzes)
        )

    @property
    def lift_is_zero(self) -> bool:
        """Whether u = factor * sum_i c_i W_i."""
        return self.has_formula and all(ansatz.lift_is_zero for ansatz in self.reference.ansatzes)

    def lift(self, points: FloatArray, requested: Sequence[Derivative]) -> Lift:
        """Return the lifts' derivatives at points (N, D) as a function of parameter values."""
        if not self.has_formula:
            return lambda values: np.stack(
                [lift_derivatives(self.at(row), points, requested) for row in values.tolist()], axis=1
            )
        formulas = []
        for unknown, channel in requested:
            lift = self.reference.ansatzes[unknown].lift
            assert isinstance(lift, FormulaFunction)
            formulas += lift.formulas([channel])
        return PointProgram(formulas, self.reference.coordinates, points, self.parameters)

    def at(self, row: Sequence[float]) -> Instance:
        """Return the problem at parameter values (P,)."""
        return self.family.at(dict(zip(self.parameters, row, strict=True)))

    def _gives(self, ansatz: Ansatz, unknown: int) -> bool:
        """Tell whether the reference's formula is the lift of another value, too."""
        mine, other = self.reference.ansatzes[unknown].lift.formula, ansatz.lift.formula
        if mine is None or other is None:
            return False
        if mine == other:
            return True
        points = self.reference.domain.uniform(_SAMPLES, _SEED)
        value = [value_index(points.shape[1])]
        wanted = ansatz.lift.derivatives(points, value)
        row = np.array([[ansatz.values[name] for name in self.parameters]])
        found = PointProgram([mine], self.reference.coordinates, points, self.parameters)(row)[0]
        return bool(np.abs(found - wanted).max() <= _SAME * np.abs(wanted).max())


def lift_derivatives(instance: Instance, points: FloatArray, requested: Sequence[Derivative]) -> FloatArray:
    """Return derivatives of the unknowns' lifts at points (N, D), shape (C, N)."""
    rows = [instance.ansatzes[unknown].lift.derivatives(points, [channel]) for unknown, channel in requested]
    return np.concatenate(rows)


def _length(ansatz: Ansatz) -> int:
    """Return how many operations the formula of an ansatz' lift takes; 0 without one."""
    formula = ansatz.lift.formula
    return 0 if formula is None else int(sympy.count_ops(formula))


def refuse_moving_geometry(problem: Problem) -> None:
    """Refuse a problem whose domain, parts of it, or interval of time depends on a parameter.

    Raises:
        UsageError: Naming the parameter.
    """
    portions = [c.portion.indicator for c in problem.boundary if c.portion is not None]
    for what, formulas in (
        ("domain", problem.domain.shape.formulas),
        ("time", problem.domain.interval or ()),
        ("part of the boundary of a condition", portions),
    ):
        for parameter in problem.parameters:
            if any(symbol(parameter.name) in formula.free_symbols for formula in formulas):
                raise UsageError(
                    f"{problem.name}: the {what} depends on {parameter.name}; a reduced basis needs one "
                    f"domain for all values: map the problem to a fixed {what}, or train each value "
                    "with 'pinnkan finetune'"
                )


def _refuse_functions_of_time(problem: Problem, free: Collection[str]) -> None:
    """Refuse an unknown of which a function of time is free, which no basis holds."""
    for unknown in free:
        if is_free_in_time(problem, unknown):
            raise UsageError(
                f"{problem.name}: nothing fixes {unknown} but up to a function of {problem.time}; a reduced "
                f'basis needs it fixed: add constraints: ["integral({unknown}) = 0"]'
            )


def _refuse_moving_points(problem: Problem) -> None:
    """Refuse a constraint at a point in space that depends on a parameter."""
    parameters = {symbol(parameter.name) for parameter in problem.parameters}
    for constraint in problem.constraints:
        moving = {leaf.name for entry in constraint.position for leaf in entry.free_symbols & parameters}
        if moving:
            raise UsageError(
                f"{problem.name}: the point of {constraint.name} depends on {', '.join(sorted(moving))}; a "
                "reduced basis needs one point for all values: write another point, a mean or an integral, "
                "or train each value with 'pinnkan finetune'"
            )


def _refuse_changing_conditions(instances: Sequence[Instance]) -> None:
    """Refuse a family in which other conditions are hard at one value than at another."""
    first = instances[0]
    for other in instances[1:]:
        changed = sorted(first.hard ^ other.hard)
        pairs = zip(first.ansatzes, other.ansatzes, strict=True)
        if changed or any(former.distance.formula != other.distance.formula for former, other in pairs):
            raise UsageError(
                f"{first.problem.name}: {', '.join(changed) or 'the factor of the ansatz'} is built into the "
                f"ansatz at {file_stem(first.values)} and not at {file_stem(other.values)}; write "
                "'hard: false' beside the condition, so that it is the same at all values"
            )
