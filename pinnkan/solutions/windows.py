"""The solution over the whole time, made of those of the time windows one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pinnkan.ground.arrays import FloatArray
from pinnkan.ground.derivatives import Derivative, value_index
from pinnkan.physics.blocks import ResidualBlock
from pinnkan.physics.instance import Instance
from pinnkan.solutions.solution import Solution, residual_of


@dataclass(frozen=True)
class WindowedSolution:
    """One solution a window; at the time where two windows meet, that of the window which ends there.

    In window k the networks of windows 1 to k are evaluated, the earlier ones at the times at which their
    windows end.

    Attributes:
        instance: The problem over the whole time.
        windows: In the order of time.
    """

    instance: Instance
    windows: tuple[Solution, ...]

    def __call__(self, points: FloatArray) -> FloatArray:
        """Return the unknowns at points (N, D), shape (U, N), float64."""
        value = value_index(len(self.instance.coordinates))
        every = range(len(self.instance.problem.unknowns))
        return self.derivatives(points, [Derivative(unknown, value) for unknown in every])

    def named(self, points: FloatArray) -> dict[str, FloatArray]:
        """Return every unknown at points (N, D) by its name, (N,) each."""
        return dict(zip(self.instance.problem.unknowns, self(points), strict=True))

    def derivatives(self, points: FloatArray, requested: Sequence[Derivative]) -> FloatArray:
        """Return derivatives of the unknowns at points (N, D), shape (len(requested), N), float64."""
        result = np.zeros((len(requested), len(points)))
        for window, mine in self._shares(points):
            result[:, mine] = window.derivatives(points[mine], requested)
        return result

    def residual(
        self, block: ResidualBlock, points: FloatArray, normals: FloatArray | None = None
    ) -> FloatArray:
        """Return the residual of one equation or condition at points (N, D), shape (N,)."""
        return residual_of(self, block, points, normals)

    def _shares(self, points: FloatArray) -> Iterator[tuple[Solution, NDArray[np.int_]]]:
        """Yield the windows with the points that belong to them."""
        ends = [end_of(window) for window in self.windows[:-1]]
        numbers = np.searchsorted(ends, points[:, 0], side="left")
        for number in np.unique(numbers):
            yield self.windows[number], np.flatnonzero(numbers == number)


AnySolution = Solution | WindowedSolution
"""What is measured, drawn and written."""


def end_of(solution: Solution) -> float:
    """Return the last time of a solution."""
    assert solution.instance.domain.time is not None
    return solution.instance.domain.time[1]
