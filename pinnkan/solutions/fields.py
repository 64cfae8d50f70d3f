"""The fields that pictures and exports show, by name, at points."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from pinnkan.ground.errors import UsageError
from pinnkan.language.parameters import file_stem
from pinnkan.physics.constants import free_constants
from pinnkan.physics.instance import Instance
from pinnkan.solutions.derived_fields import derived_field
from pinnkan.solutions.evaluation.gauge import means
from pinnkan.solutions.windows import AnySolution

SOLUTION, REFERENCE, ERROR, RESIDUAL = "solution", "reference", "error", "residual"


WORDS = (SOLUTION, REFERENCE, ERROR, RESIDUAL)


def fields_at(solution: AnySolution, field: str, points: np.ndarray) -> dict[str, np.ndarray]:
    """Return fields at points (N, D), (N,) each: of every unknown, every equation, or a formula's components.

    Args:
        solution: At one parameter value.
        field: ``solution``; ``reference``; ``error``, solution minus reference, of the unknowns whose
            reference is known; ``residual``, left minus right of every equation; or a formula of the
            unknowns (`pinnkan.solutions.derived_fields`).
        points: In the domain.

    Raises:
        UsageError: If the problem has no reference at this value or at any of the points; no equation; or
            the formula is none.
    """
    problem = solution.instance.problem
    if field == SOLUTION:
        return solution.named(points)
    if field == REFERENCE:
        return reference_at(solution.instance, points)
    if field == ERROR:
        reference = in_one_gauge(solution, reference_at(solution.instance, points), points)
        values = solution.named(points)
        return {name: values[name] - exact for name, exact in reference.items()}
    if field == RESIDUAL:
        blocks = solution.instance.equations
        if not blocks:
            raise UsageError(f"{problem.name}: samples have no residual between them")
        return {block.name: solution.residual(block, points) for block in blocks}
    derived = derived_field(problem, field)
    return dict(zip(derived.labels, derived.at(solution, points), strict=True))


def references_beside(solution: AnySolution, field: str, points: np.ndarray) -> dict[str, np.ndarray]:
    """Return what a solution or a formula of it should be at points (N, D), by the names of `fields_at`.

    NaN where data do not cover a point; what is not known is left out, so that other fields have none.
    """
    instance = solution.instance
    if field in WORDS and field != SOLUTION:
        return {}
    if field == SOLUTION or field in instance.problem.unknowns:
        exact = {n: values for n, values in instance.exact(points).items() if field in (SOLUTION, n)}
        return in_one_gauge(solution, exact, points)
    derived = derived_field(instance.problem, field)
    known = derived.exact(solution, points)
    return {} if known is None else dict(zip(derived.labels, known, strict=True))


def in_one_gauge(
    solution: AnySolution, exact: Mapping[str, np.ndarray], points: np.ndarray
) -> dict[str, np.ndarray]:
    """Return exact solutions with those that nothing fixes but up to a constant moved to the solution's mean.

    Args:
        solution: At one parameter value.
        exact: Values of unknowns at points, by name.
        points: Shape (N, D).
    """
    instance = solution.instance

    def moved(name: str) -> np.ndarray:
        difference = means(
            instance, name, lambda places: solution.named(places)[name] - instance.exact(places)[name], points
        )
        return exact[name] + difference

    free = free_constants(instance.problem)
    return {name: moved(name) if name in free else values for name, values in exact.items()}


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
