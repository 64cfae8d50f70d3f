"""Fields that a formula makes of the unknowns, their derivatives and the definitions of a problem."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pinnkan.ground.arrays import FloatArray
from pinnkan.ground.derivatives import Partial, derivatives_of
from pinnkan.ground.errors import UsageError, quote
from pinnkan.language.expressions import (
    ExpressionFault,
    component_names,
    defined_values,
    derivative_symbols,
    entries,
    parse_expression,
    substitute_unknowns,
    symbol,
    to_value,
)
from pinnkan.language.problem import Problem
from pinnkan.physics.constants import free_constants, is_free_in_time
from pinnkan.solutions.windows import AnySolution


@dataclass(frozen=True)
class DerivedField:
    """A formula such as ``v_x - u_y``, ``norm(U)`` or the vector ``U``.

    Attributes:
        text: As written.
        problem: Gives its names their meaning.
        components: The formula, or those of a vector's entries.
        labels: What the components are called: ``U.x``, ``U.y``; the text itself of a number.
    """

    text: str
    problem: Problem
    components: tuple[Any, ...]
    labels: tuple[str, ...]

    @property
    def is_vector(self) -> bool:
        """Whether it has components."""
        return self.labels != (self.text,)

    @property
    def _leaves(self) -> dict[Any, Partial]:
        """The derivatives that it reads, by their symbols."""
        return {
            leaf: partial
            for entry in self.components
            for leaf, partial in derivative_symbols(entry, self.problem.names).items()
        }

    @property
    def is_determined(self) -> bool:
        """Whether it reads nothing that no statement fixes: no value of a pressure known up to a constant."""
        return all(self._is_fixed(partial) for partial in self._leaves.values())

    def _is_fixed(self, partial: Partial) -> bool:
        problem, unknown = self.problem, self.problem.unknowns[partial.unknown]
        if unknown not in free_constants(problem):
            return True
        return any(partial.orders[1:] if is_free_in_time(problem, unknown) else partial.orders)

    def at(self, solution: AnySolution, points: FloatArray) -> FloatArray:
        """Return the components at points (N, D), shape (C, N); NaN where they have no value."""
        leaves = self._leaves
        read = solution.derivatives(points, derivatives_of(leaves.values())) if leaves else None
        columns = [points] if read is None else [points, read.T]
        return self._evaluated(self.components, [leaf.name for leaf in leaves], columns, solution)

    def exact(self, solution: AnySolution, points: FloatArray) -> FloatArray | None:
        """Return what the components are by the exact solution, (C, N).

        None where that is not known, or the solution is known up to a constant that they hold.
        """
        exact = self.problem.exact
        read = {self.problem.unknowns[partial.unknown] for partial in self._leaves.values()}
        if not read <= exact.keys() or not self.is_determined:
            return None
        known = [substitute_unknowns(entry, exact, self.problem.names) for entry in self.components]
        return self._evaluated(known, [], [points], solution)

    def _evaluated(
        self, formulas: Sequence[Any], leaves: Sequence[str], columns: list[FloatArray], solution: AnySolution
    ) -> FloatArray:
        values = solution.instance.values
        parameters = np.tile(list(values.values()), (len(columns[0]), 1))
        names = (*self.problem.coordinates, *leaves, *values)
        found: FloatArray = defined_values(formulas, names, np.hstack([*columns, parameters]))
        return found


def derived_field(problem: Problem, text: str) -> DerivedField:
    """Read a formula of the unknowns.

    Raises:
        UsageError: If it is none, with what was expected.
    """
    names = problem.names
    try:
        value = to_value(parse_expression(text), names)
    except ExpressionFault as fault:
        raise UsageError(f"field {quote(text)}: {fault.message}") from None
    components = entries(value)
    known = {symbol(name) for name in (*names.coordinates, *names.parameters)}
    for entry in components:
        strange = entry.free_symbols - known - derivative_symbols(entry, names).keys()
        if strange:
            listed = ", ".join(sorted(leaf.name for leaf in strange))
            raise UsageError(f"field {quote(text)}: {listed} has no value outside an equation")
    if not isinstance(value, tuple):
        return DerivedField(text, problem, components, (text,))
    head = text if text.isidentifier() else f"({text})"
    labels = tuple(f"{head}.{name}" for name in component_names(value, names))
    return DerivedField(text, problem, components, labels)


def split_fields(text: str) -> list[str]:
    """Split a list of formulas at its commas, those within brackets left alone: ``u, dot(U, n)``."""
    parts, depth = [""], 0
    for sign in text:
        depth += (sign in "([") - (sign in ")]")
        if sign == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += sign
    return [part.strip() for part in parts]
