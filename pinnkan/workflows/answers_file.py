"""Answers of a reduced basis as files: one value like an export, many as one NPZ."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from pinnkan.ground.errors import UsageError
from pinnkan.ground.files import atomic_writer
from pinnkan.output.exports.field_table import FieldTable
from pinnkan.output.exports.registry import EXPORTS, export_samples
from pinnkan.output.suffixes import require_suffix
from pinnkan.workflows.answers import Answers
from pinnkan.workflows.export import points_of, spread
from pinnkan.workflows.requests import Places

_MOST_NUMBERS = 400_000_000


def write_answers(answers: Answers, output: Path, places: Places) -> None:
    """Write answers.

    Without points an NPZ of the parameters, ``coefficients`` (L, k) and ``estimate`` (L,); with
    them, of one value any format of ``export``, of several one NPZ: parameters (L,), ``estimate`` (L,),
    coordinates (N,) and every unknown (L, N), on a grid in the grid's shape.

    Raises:
        UsageError: If the format does not fit, or a point or the grid does not fit the problem.
        FileAccessError: If points cannot be read or the file not written.
    """
    suffix = require_suffix(output, EXPORTS)
    if places.grid is None and places.points is None:
        _require_npz(suffix, output, "coefficients and estimates without points")
        _save(output, _parameters(answers) | {"coefficients": answers.coefficients})
        return
    points, shape = points_of(answers.reference, places)
    if len(answers.values) == 1:
        export_samples(output, _samples(answers, points, shape))
        return
    _require_npz(suffix, output, f"{len(answers.values)} values")
    _save(output, _table(answers, points, shape))


def _require_npz(suffix: str, output: Path, what: str) -> None:
    if suffix != ".npz":
        raise UsageError(f"-o {output}: {what} go into one .npz file; {suffix} takes one value with points")


def _parameters(answers: Answers) -> dict[str, Any]:
    columns = {span.name: column for span, column in zip(answers.stored.ranges, answers.rows.T, strict=True)}
    return columns | {"estimate": answers.estimates}


def _samples(answers: Answers, points: np.ndarray, shape: tuple[int, ...] | None) -> FieldTable:
    problem = answers.stored.problem
    inside = answers.reference.domain.contains(points)
    solution = answers.solutions(points[inside])[0]
    about: dict[str, str | float] = {"problem": problem.name, "method": answers.method(0)}
    about |= {f"parameter {name}": value for name, value in answers.values[0].items()}
    about["estimate"] = float(answers.estimates[0])
    return FieldTable(
        coordinates=problem.coordinates,
        points=points,
        fields={name: spread(own, inside) for name, own in zip(problem.unknowns, solution, strict=True)},
        inside=inside,
        shape=shape,
        time=problem.time,
        about=about,
    )


def _table(answers: Answers, points: np.ndarray, shape: tuple[int, ...] | None) -> dict[str, Any]:
    problem = answers.stored.problem
    inside = answers.reference.domain.contains(points)
    count, unknowns = len(answers.values), problem.unknowns
    numbers = count * len(unknowns) * len(points)
    if numbers > _MOST_NUMBERS:
        several = f" of {len(unknowns)} unknowns" if problem.is_system else ""
        raise UsageError(
            f"{count} values{several} at {len(points)} points are {numbers} numbers, at most "
            f"{_MOST_NUMBERS} go into one file; ask for fewer values or points"
        )
    whole = np.full((len(unknowns), count, len(points)), np.nan)
    whole[:, :, inside] = answers.solutions(points[inside]).swapaxes(0, 1)
    kept = (len(points),) if shape is None else tuple(n for n in shape if n > 1) or (1,)
    taken = {*problem.coordinates, *unknowns}
    columns = {name: points[:, axis].reshape(kept) for axis, name in enumerate(problem.coordinates)}
    facts = {name: column for name, column in _parameters(answers).items() if name not in taken}
    fields = {name: own.reshape(count, *kept) for name, own in zip(unknowns, whole, strict=True)}
    return facts | columns | fields


def _save(output: Path, arrays: dict[str, Any]) -> None:
    # By way of memory: a zip archive that meets a full disk hides the first error behind a second.
    buffer = BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    with atomic_writer(output) as file:
        file.write(buffer.getbuffer())
