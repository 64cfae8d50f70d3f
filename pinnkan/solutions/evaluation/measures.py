"""What is measured of a solution: errors against what is known, residuals, violations of conditions."""

from __future__ import annotations

import math

import numpy as np

from pinnkan.physics.reference import Known
from pinnkan.solutions.evaluation.norms import measure_errors
from pinnkan.solutions.solution import Solution

POINTS, EVALUATION_SEED = 20_000, 0
"""Points of every reported error, and the seed they have where none is given."""
_CONDITION_POINTS = 2_000


def errors_at(solution: Solution, known: Known | None) -> dict[str, float | None]:
    """Return errors where they can be measured by their names in ``evaluate --json``; None where nowhere."""
    if known is None or not known.values.size:
        names = ("relative_l2", "relative_l2_squared", "relative_max", "absolute_rms", "zero_network_l2")
        return dict.fromkeys(names)
    points, reference, _ = known
    report = measure_errors(solution(points), reference)
    value = (0,) * points.shape[1]
    lift = solution.instance.ansatz.lift.derivatives(points, [value])[0]
    return {
        "relative_l2": report.relative_l2,
        "relative_l2_squared": report.relative_l2_squared,
        "relative_max": report.relative_max,
        "absolute_rms": report.absolute_rms,
        "zero_network_l2": measure_errors(lift, reference).relative_l2,
    }


def residual_rms(solution: Solution, points: np.ndarray) -> float | None:
    """Return the root mean square of the equations' residuals over points; None without equations."""
    if not solution.instance.equations:
        return None
    squares = [float(np.mean(solution.residual(block, points) ** 2)) for block in solution.instance.equations]
    return math.sqrt(sum(squares))


def boundary_max(solution: Solution, seed: int) -> float | None:
    """Return the largest violation of any condition over random points of their own."""
    worst = []
    for block in solution.instance.conditions:
        drawn = solution.instance.domain.collocate(
            block.where, _CONDITION_POINTS, rule="random", seed=seed, variant=1
        )
        worst.append(float(np.abs(solution.residual(block, drawn.points, drawn.normals)).max()))
    return max(worst, default=None)
