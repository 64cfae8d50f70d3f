"""What is measured of a solution: errors against what is known, residuals, violations of conditions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from pinnkan.ground.derivatives import value_index
from pinnkan.physics.constants import free_constants, is_free_in_time
from pinnkan.physics.reference import Known
from pinnkan.solutions.evaluation.gauge import means
from pinnkan.solutions.evaluation.norms import measure_errors
from pinnkan.solutions.windows import AnySolution

POINTS, EVALUATION_SEED = 20_000, 0
"""Points of every reported error, and the seed they have where none is given."""
_CONDITION_POINTS = 2_000


_ERRORS = ("relative_l2", "relative_l2_squared", "relative_max", "absolute_rms", "zero_network_l2")


def errors_at(solution: AnySolution, known: Known | None) -> dict[str, Any]:
    """Return errors where they can be measured by their names in ``evaluate --json``; None where nowhere.

    Of a system ``relative_l2`` and the others are the largest over the unknowns that are not zero, and
    ``fields`` has those of every unknown. An unknown that nothing fixes but up to a constant is compared
    after its mean and that of the reference are taken out: ``centred`` says so.
    """
    problem = solution.instance.problem
    fields = _errors_by_unknown(solution, known)
    if not problem.is_system:
        (field,) = fields.values()
        return {name: field[name] for name in (*_ERRORS, "centred")}
    worst = {name: _largest(fields, name) for name in _ERRORS}
    # Unknowns may have different units, of which there is no largest.
    return worst | {"absolute_rms": None, "fields": fields}


def _largest(fields: Mapping[str, Mapping[str, Any]], name: str) -> float | None:
    known = [field[name] for field in fields.values() if field[name] is not None]
    return max(known, default=None)


def _errors_by_unknown(solution: AnySolution, known: Known | None) -> dict[str, dict[str, Any]]:
    """Return the errors of every unknown, None where it is known nowhere, by its name."""
    instance = solution.instance
    points = np.zeros((0, len(instance.coordinates))) if known is None else known.points
    value, found = value_index(points.shape[1]), solution.named(points)
    free = free_constants(instance.problem)
    fields: dict[str, dict[str, Any]] = {}
    for ansatz in instance.ansatzes:
        name = ansatz.unknown
        fields[name] = dict.fromkeys(_ERRORS) | {"centred": name in free, "scale": ansatz.scale}
        if known is None or name not in known.values or not len(points):
            continue
        lift = ansatz.lift.derivatives(points, [value])[0]
        columns = [found[name], known.values[name], lift]
        if name in free:
            columns = _centred(solution, name, points, columns)
        if not columns:
            continue
        report = measure_errors(columns[0], columns[1])
        zero_network = measure_errors(columns[2], columns[1]).relative_l2
        fields[name] |= {error: getattr(report, error) for error in _ERRORS[:-1]}
        fields[name] |= {"zero_network_l2": zero_network}
    return fields


def _centred(
    solution: AnySolution, name: str, points: np.ndarray, columns: list[np.ndarray]
) -> list[np.ndarray]:
    """Return solution, reference and lift without what nothing fixes of them; none where it is not known.

    In time, where that is a function of time, the reference must be known beyond the points.
    """
    instance = solution.instance
    if not is_free_in_time(instance.problem, name):
        return [column - column.mean() for column in columns] if len(points) > 1 else []
    if name not in instance.exact(points[:1]):
        return []
    value, ansatz = value_index(points.shape[1]), instance.ansatzes[instance.problem.unknowns.index(name)]
    fields = (
        lambda places: solution.named(places)[name],
        lambda places: instance.exact(places)[name],
        lambda places: ansatz.lift.derivatives(places, [value])[0],
    )
    return [c - means(instance, name, field, points) for c, field in zip(columns, fields, strict=True)]


def residual_rms(solution: AnySolution, points: np.ndarray) -> float | None:
    """Return the root mean square of the equations' residuals over points; None without equations."""
    if not solution.instance.equations:
        return None
    squares = [float(np.mean(solution.residual(block, points) ** 2)) for block in solution.instance.equations]
    return math.sqrt(sum(squares))


def boundary_max(solution: AnySolution, seed: int) -> float | None:
    """Return the largest violation of any condition or constraint over random points of their own."""
    worst = []
    for block in solution.instance.conditions:
        drawn = solution.instance.domain.collocate(
            block.where, _CONDITION_POINTS, rule="random", seed=seed, variant=1
        )
        residual = drawn.means(solution.residual(block, drawn.points, drawn.normals))
        worst.append(float(np.abs(residual).max()))
    return max(worst, default=None)
