"""Functions on the domain that are known beforehand, as a lift and a distance are, with their derivatives."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import sympy

from pinnkan.ground.arrays import FloatArray
from pinnkan.ground.derivatives import Channel, MultiIndex, lowered, terms_of
from pinnkan.language.expressions import Names, display_text, evaluate, total_derivative

Memory = dict[object, sympy.Expr]
"""Derivatives of formulas, by formula and multi-index: they are the same at every parameter value."""


class PointFunction(ABC):
    """A function of space and time at one parameter value."""

    @abstractmethod
    def derivatives(self, points: FloatArray, channels: Sequence[Channel]) -> FloatArray:
        """Return its derivatives.

        Args:
            points: Shape (N, D).
            channels: C multi-indices over the coordinates, or collapsed combinations.

        Returns:
            Shape (C, N).
        """

    @property
    @abstractmethod
    def formula(self) -> sympy.Expr | None:
        """The function in coordinates and parameters; None where no formula gives it."""

    @abstractmethod
    def text(self) -> str:
        """Return it as the user is shown it."""


@dataclass(frozen=True)
class FormulaFunction(PointFunction):
    """A formula in coordinates and parameters.

    Attributes:
        written: The formula.
        names: Of the problem.
        values: Of the parameters.
        memory: Where its derivatives are kept.
    """

    written: sympy.Expr
    names: Names
    values: Mapping[str, float]
    memory: Memory = field(default_factory=dict, repr=False, compare=False)

    @property
    def formula(self) -> sympy.Expr:
        """The formula."""
        return self.written

    def text(self) -> str:
        """Return the formula."""
        return display_text(self.written)

    def derivatives(self, points: FloatArray, channels: Sequence[Channel]) -> FloatArray:
        """Differentiate the formula and evaluate all derivatives together."""
        result = np.zeros((len(channels), len(points)))
        if self.written == 0:
            return result
        indices = sorted({index for channel in channels for index, _ in terms_of(channel)})
        formulas = [self._derivative(index) for index in indices]
        values = evaluate(formulas, self.names.coordinates, points, self.values)
        rows = dict(zip(indices, values, strict=True))
        for row, channel in enumerate(channels):
            for index, weight in terms_of(channel):
                result[row] += weight * rows[index]
        return result

    def formulas(self, channels: Sequence[Channel]) -> list[sympy.Expr]:
        """Return its derivatives as formulas in coordinates and parameters."""
        return [
            sum((w * self._derivative(index) for index, w in terms_of(channel)), sympy.Integer(0))
            for channel in channels
        ]

    def _derivative(self, index: MultiIndex) -> sympy.Expr:
        if not any(index):
            return self.written
        if (self.written, index) not in self.memory:
            position, lower = lowered(index)
            below = self._derivative(lower)
            coordinate = self.names.coordinates[position]
            self.memory[self.written, index] = total_derivative(below, coordinate, self.names)
        return self.memory[self.written, index]
