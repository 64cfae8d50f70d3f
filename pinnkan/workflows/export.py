"""``pinnkan export``: a solution on a grid or at given points, as a file for other programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from pinnkan.ground.errors import UsageError
from pinnkan.ground.machine import Compute
from pinnkan.ground.progress import Observer
from pinnkan.ground.runtime import device_for, dtype_for, limited_threads
from pinnkan.language.problem import Problem
from pinnkan.output.exports.field_table import FieldTable
from pinnkan.output.exports.registry import EXPORTS, export_samples
from pinnkan.output.grid import make_grid, parse_grid
from pinnkan.output.point_table import read_points
from pinnkan.output.suffixes import require_suffix
from pinnkan.physics.instance import Instance
from pinnkan.solutions.derived_fields import DerivedField, derived_field, split_fields
from pinnkan.solutions.fields import in_one_gauge
from pinnkan.solutions.windows import AnySolution
from pinnkan.storage.runs.directory import Result, RunDirectory, remark_on
from pinnkan.storage.runs.paths import ResultName
from pinnkan.workflows.requests import Places


def export(
    directory: Path,
    name: ResultName,
    places: Places,
    *,
    fields: str | None,
    output: Path,
    compute: Compute,
    observer: Observer,
) -> Path:
    """Write the solution that a result stands for.

    Args:
        directory: The run.
        name: Which of its results.
        places: At which points.
        fields: Formulas of the unknowns, with commas between them; None for the unknowns.
        output: CSV, NPZ, VTU or HDF5.
        compute: Where the network is evaluated.
        observer: Is told where the result is not solved.

    Returns:
        The file written.

    Raises:
        UsageError: If there is no adapter for the value, the grid does not fit
            the problem or a point of the file is outside the domain.
        FileAccessError: If the points cannot be read or the file not written.
    """
    kind = EXPORTS[require_suffix(output, EXPORTS)]
    result = RunDirectory(directory).find(name)
    remark_on(result, observer)
    with limited_threads(compute.threads):
        precision = dtype_for(compute.dtype) if compute.dtype else None
        solution = result.solution(device_for(compute.device), precision)
        derived = [] if fields is None else _derived(result.problem, fields)
        points, shape = points_of(solution.instance, places)
        beside = kind.with_reference and not derived
        samples = _sample(result, solution, points, shape, derived=derived, with_reference=beside)
    export_samples(output, samples)
    return output


def points_of(instance: Instance, places: Places) -> tuple[np.ndarray, tuple[int, ...] | None]:
    """Return the points of a file, or those of a grid over the bounding box and the grid's shape.

    Raises:
        UsageError: If a point of the file is outside the domain or the grid does not fit the problem.
        FileAccessError: If the file cannot be read.
    """
    if places.points is not None:
        return _listed(places.points, instance), None
    return _gridded(places.grid or "", places.time, instance)


def _listed(path: Path, instance: Instance) -> np.ndarray:
    table = read_points(path, instance.coordinates)
    table.require_inside(instance.domain.contains(table.points))
    return table.points


def _gridded(text: str, time: float | None, instance: Instance) -> tuple[np.ndarray, tuple[int, ...]]:
    """Return the points of a grid over the bounding box and its shape."""
    problem = instance.problem
    if time is not None and problem.time is None:
        raise UsageError(f"--time {time:g}: {problem.name} is a stationary problem")
    fixed = {} if time is None or problem.time is None else {problem.time: time}
    free = [name for name in problem.coordinates if name not in fixed]
    lower, upper = (corner.tolist() for corner in instance.domain.bounding_box)
    grid = make_grid(problem.coordinates, lower, upper, parse_grid(text, free), fixed=fixed)
    return grid.points, grid.shape


def _sample(
    result: Result,
    solution: AnySolution,
    points: np.ndarray,
    shape: tuple[int, ...] | None,
    *,
    derived: Sequence[DerivedField],
    with_reference: bool,
) -> FieldTable:
    """Evaluate the solution inside the domain; outside is nothing but a network's extrapolation."""
    instance, problem = solution.instance, result.problem
    inside = instance.domain.contains(points)
    fields = {} if derived else solution.named(points[inside])
    for field in derived:
        fields |= dict(zip(field.labels, field.at(solution, points[inside]), strict=True))
    if with_reference:
        fields |= _beside(solution, points[inside], fields)
    return FieldTable(
        coordinates=problem.coordinates,
        points=points,
        fields={name: spread(values, inside) for name, values in fields.items()},
        inside=inside,
        shape=shape,
        time=problem.time,
        about=_about(result),
        vectors=_vectors(problem, derived),
    )


def _derived(problem: Problem, text: str) -> list[DerivedField]:
    """Read the formulas of ``--fields``.

    Raises:
        UsageError: If one is none, or a column would occur twice.
    """
    derived = [derived_field(problem, part) for part in split_fields(text)]
    labels = [label for field in derived for label in field.labels]
    taken = [*problem.coordinates, *labels]
    for label in labels:
        if taken.count(label) > 1:
            raise UsageError(f"--fields {text}: the column {label} occurs twice")
    return derived


def _vectors(problem: Problem, derived: Sequence[DerivedField]) -> dict[str, tuple[str, ...]]:
    """Return the vectors of two or three components by name: those asked for, or definitions of unknowns."""
    if derived:
        return {f.text: f.labels for f in derived if f.is_vector and len(f.labels) in (2, 3)}
    names, vectors = problem.names, {}
    for name in names.definitions:
        field = derived_field(problem, name)
        components = tuple(str(entry) for entry in field.components)
        if len(components) in (2, 3) and set(components) <= set(problem.unknowns):
            vectors[name] = components
    return vectors


def _beside(
    solution: AnySolution, points: np.ndarray, values: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Return ``exact`` and ``error``, of a system ``exact_u`` and ``error_u``, where they are known.

    They are left out where they are not known at every point, or the problem has a thing of their names.
    """
    instance = solution.instance
    exact = in_one_gauge(solution, instance.exact(points), points)
    if not exact or any(np.isnan(column).any() for column in exact.values()):
        return {}
    taken = (*instance.coordinates, *instance.problem.unknowns)
    known: dict[str, np.ndarray] = {}
    for name, column in exact.items():
        suffix = f"_{name}" if instance.problem.is_system else ""
        known |= {f"exact{suffix}": column, f"error{suffix}": values[name] - column}
    return {name: column for name, column in known.items() if name not in taken}


def spread(values: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Return values on all points, NaN outside."""
    whole = np.full(inside.shape, np.nan)
    whole[inside] = values
    return whole


def _about(result: Result) -> dict[str, str | float]:
    facts: dict[str, str | float] = {"problem": result.problem.name, "method": result.method}
    if result.problem.file.title:
        facts["title"] = result.problem.file.title
    return facts | {f"parameter {name}": value for name, value in result.values.items()}
