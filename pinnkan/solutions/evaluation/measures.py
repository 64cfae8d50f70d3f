"""What is measured of a solution: errors against what is known, residuals, violations of conditions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from pinnkan.physics.constants import free_constants
from pinnkan.physics.reference import Known
from pinnkan.solutions.evaluation.norms import measure_errors
from pinnkan.solutions.solution import Solution

POINTS, EVALUATION_SEED = 20_000, 0
"""Points of every reported error, and the seed they have where none is given."""
_CONDITION_POINTS = 2_000


_ERRORS = ("relative_l2", "relative_l2_squared", "relative_max", "absolute_rms", "zero_network_l2")


def errors_at(solution: Solution, known: Known | None) -> dict[str, Any]:
    """Return errors where they can be measured by their names in ``evaluate --json``; None where nowhere.

    Of a system ``relative_l2`` and the others are the largest over the unknowns that are not zero, and
    ``fields`` has those of every unknown. An unknown that nothing fixes but up to a constant is compared
    after its mean and that of the reference are taken out: ``centred`` says so.
    """
    problem = solution.instance.problem
    if known is None or not len(known.points):
        return dict.fromkeys(_ERRORS) | ({"fields": None} if problem.is_system else {})
    fields = _errors_by_unknown(solution, known)
    if not problem.is_system:
        return {name: fields[problem.unknowns[0]][name] for name in _ERRORS}
    worst = {
        name: max((f[name] for f in fields.values() if f[name] is not None), default=None) for name in _ERRORS
    }
    return worst | {"fields": fields}


def _errors_by_unknown(solution: Solution, known: Known) -> dict[str, dict[str, Any]]:
    instance, points = solution.instance, known.points
    value, found = (0,) * points.shape[1], solution.named(points)
    free = free_constants(instance.problem)
    fields = {}
    for ansatz in instance.ansatzes:
        name = ansatz.unknown
        if name not in known.values:
            continue
        lift = ansatz.lift.derivatives(points, [value])[0]
        columns = [found[name], known.values[name], lift]
        if name in free:
            columns = [column - column.mean() for column in columns]
        report = measure_errors(columns[0], columns[1])
        fields[name] = {
            "relative_l2": report.relative_l2,
            "relative_l2_squared": report.relative_l2_squared,
            "relative_max": report.relative_max,
            "absolute_rms": report.absolute_rms,
            "zero_network_l2": measure_errors(columns[2], columns[1]).relative_l2,
            "centred": name in free,
        }
    return fields


def residual_rms(solution: Solution, points: np.ndarray) -> float | None:
    """Return the root mean square of the equations' residuals over points; None without equations."""
    if not solution.instance.equations:
        return None
    squares = [float(np.mean(solution.residual(block, points) ** 2)) for block in solution.instance.equations]
    return math.sqrt(sum(squares))


def boundary_max(solution: Solution, seed: int) -> float | None:
    """Return the largest violation of any condition or constraint over random points of their own."""
    worst = []
    for block in solution.instance.conditions:
        drawn = solution.instance.domain.collocate(
            block.where, _CONDITION_POINTS, rule="random", seed=seed, variant=1
        )
        residual = drawn.means(solution.residual(block, drawn.points, drawn.normals))
        worst.append(float(np.abs(residual).max()))
    return max(worst, default=None)
