"""The fields that pictures and exports show, by name, at points."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from pinnkan.ground.errors import UsageError
from pinnkan.language.parameters import file_stem
from pinnkan.physics.instance import Instance
from pinnkan.solutions.solution import Solution

SOLUTION, REFERENCE, ERROR, RESIDUAL = "solution", "reference", "error", "residual"


def fields_at(solution: Solution, field: str, points: np.ndarray) -> dict[str, np.ndarray]:
    """Return a field at points (N, D): (N,) for every unknown, or for every equation.

    Args:
        solution: At one parameter value.
        field: ``solution``; ``reference``; ``error``, solution minus reference, of the unknowns whose
            reference is known; ``residual``, left minus right of every equation.
        points: In the domain.

    Raises:
        UsageError: If the problem has no reference at this value or at any of the points; or no equation.
    """
    if field == SOLUTION:
        return solution.named(points)
    if field == REFERENCE:
        return reference_at(solution.instance, points)
    if field == ERROR:
        reference, values = reference_at(solution.instance, points), solution.named(points)
        return {name: values[name] - known for name, known in reference.items()}
    blocks = solution.instance.equations
    if not blocks:
        raise UsageError(f"{solution.instance.problem.name}: samples have no residual between them")
    return {block.name: solution.residual(block, points) for block in blocks}


def reference_at(instance: Instance, points: np.ndarray) -> dict[str, np.ndarray]:
    """Return the exact or reference solution at points (N, D): (N,) for every unknown that is known.

    NaN where data do not cover a point.

    Raises:
        UsageError: If there is none, or it is known at none of the points.
    """
    reference = instance.exact(points)
    if not reference:
        where = f" at {file_stem(instance.values)}" if instance.values else ""
        raise UsageError(
            f"{instance.problem.name}: no reference is known{where}; a problem file gives one "
            "with 'exact: FORMULA' or 'reference: FILE'"
        )
    if len(points) and all(np.isnan(values).all() for values in reference.values()):
        raise UsageError(f"reference: the data cover none of the {len(points):,} points")
    return reference


def checked_points(
    points: ArrayLike, coordinates: Sequence[str], contains: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray:
    """Return points that a caller gives as an array (N, D), after a look at shape, values and places.

    Raises:
        UsageError: If they have another shape, are not finite or outside the domain.
    """
    try:
        array = np.asarray(points, dtype=np.float64, order="C")
    except (TypeError, ValueError) as error:
        raise UsageError(f"points are not numbers: {error}") from None
    if array.ndim != 2 or array.shape[1] != len(coordinates):
        raise UsageError(
            f"points must have shape (N, {len(coordinates)}), one column each for {', '.join(coordinates)}; "
            f"got {array.shape}"
        )
    outside = np.flatnonzero(~(np.isfinite(array).all(axis=1) & contains(array)))
    if outside.size:
        place = ", ".join(f"{n}={v:.9g}" for n, v in zip(coordinates, array[outside[0]], strict=True))
        raise UsageError(f"{outside.size} of {len(array)} points are outside the domain, first {place}")
    return array
