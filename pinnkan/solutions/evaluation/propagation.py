"""The error of a solution in time windows: what one window leaves the next one starts from.

The estimate of a window's own error takes its start for exact. Here the correction w of every window solves
the linearised equations with the end of the correction of the window before as its start, so that an error is
carried on, damped or magnified as the equations do it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from pinnkan.ground.arrays import FloatArray
from pinnkan.ground.derivatives import Derivative, value_index
from pinnkan.physics.windows.hand_over import Differentiable
from pinnkan.physics.windows.window import started_from
from pinnkan.solutions.evaluation.correction import Correction, correction_of
from pinnkan.solutions.solution import Solution
from pinnkan.solutions.windows import WindowedSolution

_POINTS, _SEED = 1000, 4_711


@dataclass(frozen=True)
class PropagatedError:
    """Estimates of relative L2 errors, those of the windows before included.

    Attributes:
        windows: Of every window, the largest over the unknowns.
        unknowns: Of every unknown over the whole time.
    """

    windows: tuple[float, ...]
    unknowns: tuple[float, ...]


@dataclass(frozen=True)
class _Corrected:
    """u + w."""

    solution: Differentiable
    step: Differentiable

    def derivatives(self, points: FloatArray, requested: Sequence[Derivative]) -> FloatArray:
        """Return derivatives of the unknowns at points (N, D), shape (len(requested), N)."""
        return self.solution.derivatives(points, requested) + self.step.derivatives(points, requested)


def propagated_error(solution: WindowedSolution) -> PropagatedError | None:
    """Return the estimates; None where polynomials do not resolve what a window leaves."""
    worst: list[float] = []
    count = len(solution.instance.problem.unknowns)
    squares, sizes = np.zeros(count), np.zeros(count)
    before: Differentiable | None = None
    for window in solution.windows:
        correction = _correction(window, before)
        if correction is None or correction.error_estimate is None or correction.step is None:
            return None
        before = _Corrected(window, correction.step)
        worst.append(correction.error_estimate)
        change, size = _mean_squares(window, correction.step)
        squares, sizes = squares + change, sizes + size
    share = np.sqrt(np.divide(squares, sizes, out=np.zeros(count), where=sizes > 0.0))
    return PropagatedError(tuple(worst), tuple(float(own) for own in share))


def _correction(window: Solution, before: Differentiable | None) -> Correction | None:
    if before is None:
        return correction_of(window)
    return correction_of(replace(window, instance=started_from(window.instance, before)))


def _mean_squares(window: Solution, step: Differentiable) -> tuple[FloatArray, FloatArray]:
    """Return the integrals over time of the mean squares of w and of u + w, (U,) each."""
    domain = window.instance.domain
    assert domain.time is not None
    points = domain.uniform(_POINTS, _SEED)
    value = value_index(points.shape[1])
    every = [Derivative(unknown, value) for unknown in range(len(window.instance.problem.unknowns))]
    length = domain.time[1] - domain.time[0]
    w, u = step.derivatives(points, every), window(points)
    return length * np.mean(w**2, axis=1), length * np.mean((u + w) ** 2, axis=1)
