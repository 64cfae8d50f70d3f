"""``pinnkan evaluate``: errors of the base and of adapters, every number with one definition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pinnkan.ground.errors import DamagedFileError, UsageError
from pinnkan.ground.progress import Observer
from pinnkan.ground.runtime import device_for, dtype_for, limited_threads
from pinnkan.language.parameters import complete_values, file_stem, shortest_text
from pinnkan.output.point_table import read_points
from pinnkan.physics.instance import Instance
from pinnkan.physics.reference import Known
from pinnkan.solutions.evaluation.measures import (
    EVALUATION_SEED,
    POINTS,
    boundary_max,
    errors_at,
    residual_rms,
)
from pinnkan.solutions.evaluation.relative import relative_residuals
from pinnkan.solutions.windows import AnySolution
from pinnkan.storage.runs.directory import Result, RunDirectory
from pinnkan.storage.runs.identity import file_hash
from pinnkan.storage.runs.paths import read_stem
from pinnkan.storage.runs.results import stored_verdict


class Places(NamedTuple):
    """Where errors are measured.

    Attributes:
        points: (N, D).
        known: What errors there are measured against; None where there is nothing.
    """

    points: np.ndarray
    known: Known | None


@dataclass(frozen=True)
class EvaluationTable:
    """One row a stored result.

    Attributes:
        problem: Name.
        parameters: Names.
        results: The rows.
        refused: One message for each stored file that has no row: damaged, or of another base.
    """

    problem: str
    parameters: tuple[str, ...]
    results: tuple[dict[str, Any], ...]
    refused: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return it as ``evaluate --json`` prints it."""
        return {"problem": self.problem, "parameters": list(self.parameters), "results": list(self.results)}


def evaluate(
    directory: Path,
    *,
    values: Sequence[Mapping[str, float]] | None,
    method: str | None,
    tag: str | None,
    points: Path | None,
    eval_seed: int,
    device: str,
    dtype: str | None,
    threads: int | None,
    observer: Observer,
) -> EvaluationTable:
    """Measure the base and every adapter, or the adapters of the values, the method or the tag named.

    An adapter that cannot be used costs its own row, not those of the others.

    Raises:
        UsageError: If a value has no adapter, nothing is of the method and tag named, or a point lies
            outside the domain.
        DamagedFileError: If the base cannot be used.
    """
    run_directory = RunDirectory(directory)
    base = run_directory.base()
    place, precision = device_for(device), dtype_for(dtype) if dtype else None
    rows: list[dict[str, Any]] = []
    remark = cache(observer.note)  # lets every text through once: it may hold for all rows
    refused: list[str] = []

    def measure(result: Result) -> None:
        solution = result.solution(place, precision)
        places = _places(result, solution.instance, points, eval_seed)
        if places.known is not None and places.known.gap:
            remark(places.known.gap)
        rows.append(_row(result, solution, places, eval_seed))

    with limited_threads(threads):
        if values is None and method is None and tag is None:
            measure(base)
        for path in _chosen(run_directory, base, values, method, tag):
            try:
                measure(base if path == base.path else run_directory.adapter(path, base))
            except DamagedFileError as fault:
                refused.append(str(fault))
    if not rows and not refused:
        asked = [*([method] if method else []), *([f"tag {tag}"] if tag else [])]
        raise UsageError(f"{directory}: there is no result of {', '.join(asked)}; 'pinnkan status' lists all")
    names = tuple(parameter.name for parameter in base.problem.parameters)
    return EvaluationTable(base.problem.name, names, tuple(rows), tuple(refused))


def measured(result: Result) -> dict[str, Any]:
    """Return the row of one stored result on the points that errors are quoted on."""
    solution = result.solution()
    places = _places(result, solution.instance, None, EVALUATION_SEED)
    return _row(result, solution, places, EVALUATION_SEED)


def _chosen(
    run_directory: RunDirectory,
    base: Result,
    values: Sequence[Mapping[str, float]] | None,
    method: str | None,
    tag: str | None,
) -> list[Path]:
    """Return the files asked for, by their names: what is not asked for may be damaged.

    These are adapters, and the base's at its own value where no adapter was trained there.

    Raises:
        UsageError: If a value has none.
    """
    names = tuple(parameter.name for parameter in base.problem.parameters)
    named = [(path, read_stem(path.stem, names)) for path in run_directory.adapter_paths()]
    fitting = [(path, stem) for path, stem in named if _is_asked_for(stem, method, tag)]
    if values is None:
        return [path for path, _ in fitting]
    chosen = []
    for point in values:
        complete = complete_values(base.problem.parameters, point)
        found = [
            path
            for path, stem in fitting
            if stem and path == run_directory.adapter_path(complete, stem[1], stem[2])
        ]
        if not found and base.answers(complete, method, tag):
            found = [base.path]
        if not found:
            known = ", ".join(path.stem for path, _ in named) or "none"
            words = [f"--param {name}={shortest_text(value)}" for name, value in complete.items()]
            words += [f"--method {method}"] * bool(method) + [f"--tag {tag}"] * bool(tag)
            raise UsageError(
                f"{run_directory.path} has no {method + ' ' if method else ''}adapter for "
                f"{file_stem(complete)}{f' with tag {tag}' if tag else ''} (there: {known}); "
                f"train it with 'pinnkan finetune {run_directory.path} {' '.join(words)}'"
            )
        chosen += found
    return chosen


def _is_asked_for(
    stem: tuple[Mapping[str, float], str, str | None] | None, method: str | None, tag: str | None
) -> bool:
    """Tell whether a file's name, as `read_stem` reads it, is of a method and a tag; None is any."""
    if stem is None:
        return method is None and tag is None
    return method in (None, stem[1]) and tag in (None, stem[2])


def _places(result: Result, instance: Instance, points: Path | None, seed: int) -> Places:
    if points is None:
        uniform = instance.domain.uniform(POINTS, seed)
        return held_out_samples(result, instance) or Places(uniform, instance.known(uniform))
    table = read_points(points, instance.coordinates, unknowns=instance.problem.unknowns)
    table.require_inside(instance.domain.contains(table.points))
    given = Known(table.points, table.values, len(table.points)) if table.values else None
    return Places(table.points, given or instance.known(table.points))


def held_out_samples(result: Result, instance: Instance) -> Places | None:
    """Return the samples that a fit has not seen; None where it is no fit or its table is not as it was."""
    stated, samples = instance.problem.statements.samples, instance.samples
    if stated is None or samples is None or not stated.file.is_file():
        return None
    if result.meta["problem"].get("samples") != file_hash(stated.file):
        return None
    _, held_out = samples.split(instance.domain, seed=int(result.meta["seed"]))
    known = Known(held_out.points, {instance.problem.unknowns[0]: held_out.values}, len(held_out.points))
    return Places(held_out.points, known)


def _row(result: Result, solution: AnySolution, places: Places, seed: int) -> dict[str, Any]:
    training = result.meta["training"]
    errors, estimates = errors_at(solution, places.known), training.get("error_estimates") or {}
    for name, field in errors.get("fields", {}).items():
        field["error_estimate"] = estimates.get(name)
    return {
        "parameters": dict(result.values),
        "method": result.method,
        "tag": result.tag,
        **errors,
        "boundary_max": boundary_max(solution, seed),
        "residual_rms": residual_rms(solution, places.points),
        "error_estimate": training.get("error_estimate"),
        "relative_residual": relative_residuals(solution, seed),
        "trainable_parameters": training.get("trainable_parameters"),
        "file_bytes": result.stored.file_bytes,
        "train_seconds": training.get("train_seconds"),
        "steps": training.get("steps"),
        "stop_reason": training.get("stop_reason"),
        **stored_verdict(result.meta),
    }
