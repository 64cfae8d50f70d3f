"""The error that is shown while something is trained, and never acted on."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from torch import Tensor

from pinnkan.language.settings.blocks import NetworkSettings
from pinnkan.physics.instance import Instance
from pinnkan.solutions.evaluation.measures import errors_at
from pinnkan.solutions.solution import Solution
from pinnkan.solutions.windows import AnySolution
from pinnkan.training import network_for

_POINTS, _SEED = 2000, 987_654_321
"""It is measured on these, which are neither training nor evaluation points."""


def shown_error(
    measure: Callable[[AnySolution], float | None] | None, instance: Instance, settings: NetworkSettings
) -> Callable[[Sequence[Tensor]], float | None] | None:
    """Return the relative L2 error of coefficients, for progress only; None without a reference.

    Args:
        measure: That of solutions, see `error_of`.
        instance: Whose network has the coefficients.
        settings: Of the network.
    """
    if measure is None:
        return None

    def error(coefficients: Sequence[Tensor]) -> float | None:
        return measure(Solution(instance, network_for(instance, settings, coefficients), coefficients))

    return error


def error_of(instance: Instance, note: Callable[[str], None]) -> Callable[[AnySolution], float | None] | None:
    """Return the relative L2 error of solutions; None without a reference.

    ``note`` is told of points that reference data do not cover.
    """
    known = instance.known(instance.domain.uniform(_POINTS, _SEED))
    if known is not None and known.gap:
        note(known.gap)
    if known is None or not len(known.points):
        return None
    sought = known

    def error(solution: AnySolution) -> float | None:
        if not np.isfinite(solution(sought.points)).all():
            return None
        error: float | None = errors_at(solution, sought)["relative_l2"]
        return error

    return error
