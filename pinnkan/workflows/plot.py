"""``pinnkan plot``: a picture of a solution, its error or its training."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from pinnkan.ground.errors import UsageError, did_you_mean
from pinnkan.ground.machine import Compute
from pinnkan.ground.progress import Observer
from pinnkan.ground.runtime import device_for, dtype_for, limited_threads
from pinnkan.language.problem import Problem
from pinnkan.output.grid import parse_slice
from pinnkan.output.pictures.field import plot_fields
from pinnkan.output.pictures.formats import PICTURES
from pinnkan.output.pictures.history import plot_history
from pinnkan.output.pictures.labels import number, symbol
from pinnkan.output.pictures.line import plot_lines
from pinnkan.output.pictures.sections import Section
from pinnkan.output.pictures.spacetime import FilmedField, plot_spacetime_fields
from pinnkan.output.suffixes import require_suffix
from pinnkan.solutions.derived_fields import DerivedField, derived_field
from pinnkan.solutions.fields import WORDS
from pinnkan.storage.runs.directory import RunDirectory, remark_on
from pinnkan.storage.runs.paths import ResultName
from pinnkan.storage.runs.results import verdict_text
from pinnkan.workflows.plot_subject import HISTORY, Subject
from pinnkan.workflows.requests import View
from pinnkan.workflows.training_curves import training_curves

_LINE = 401
_TIMES = 5
"""Times shown of a film: the ends and three between."""
_CONTOURS = 9


def plot(
    directory: Path,
    name: ResultName,
    view: View,
    *,
    output: Path,
    dpi: int,
    compute: Compute,
    observer: Observer,
) -> Path:
    """Draw a field or the training history of a result.

    What is left after the view's time and slices decides the picture: a line, a field over two lengths (at
    five times if time is left), or one coordinate over time with profiles.

    Args:
        directory: The run.
        name: Which of its results.
        view: What is looked at.
        output: PNG, PDF or SVG.
        dpi: Dots per inch of a PNG.
        compute: Where the network is evaluated.
        observer: Is told where the result is not solved.

    Returns:
        The file written.

    Raises:
        UsageError: If there is no adapter for the value, no reference to draw,
            or more than two space coordinates are left.
        FileAccessError: If the file cannot be written.
    """
    require_suffix(output, PICTURES)
    result = RunDirectory(directory).find(name)
    remark_on(result, observer)
    if view.field == HISTORY and (view.time is not None or view.slices):
        raise UsageError("--field history is over training steps; it takes no --time and no --slice")
    curves = training_curves(result) if view.field == HISTORY else None
    vectors = {kind: _vector(result.problem, kind, text) for kind, text in view.flows.items()}
    _require_field(result.problem, view.field)
    fixed = _fixed(result.problem, view.time, view.slices)
    with limited_threads(compute.threads):
        precision = dtype_for(compute.dtype) if compute.dtype else None
        solution = result.solution(device_for(compute.device), precision)
        section = Section(solution.instance.domain, fixed)
        subject = Subject(
            solution,
            section,
            field=view.field,
            output=output,
            dpi=dpi,
            note=verdict_text(result.meta),
            flows=vectors,
        )
        if curves is None:
            _drawing(subject)(subject)
        else:
            plot_history(output, curves, caption=subject.caption, dpi=dpi)
    return output


def _require_field(problem: Problem, field: str) -> None:
    """Refuse what is neither a word nor a formula.

    Raises:
        UsageError: With the words that were perhaps meant.
    """
    if field in (*WORDS, HISTORY):
        return
    try:
        derived_field(problem, field)
    except UsageError as fault:
        hint = did_you_mean(field, (*WORDS, HISTORY)) if field.isidentifier() else ""
        raise UsageError(f"--{fault}{hint}") from None


def _fixed(problem: Problem, time: float | None, slices: Sequence[str]) -> dict[str, float]:
    """Return the coordinates that ``--time`` and ``--slice`` hold fixed."""
    fixed: dict[str, float] = {}
    if time is not None:
        if problem.time is None:
            raise UsageError(f"--time {time:g}: {problem.name} is a stationary problem")
        fixed[problem.time] = time
    for text in slices:
        name, value = parse_slice(text, problem.coordinates)
        if name in fixed:
            raise UsageError(f"--slice {text}: {name} is held at {fixed[name]:g} already")
        fixed[name] = value
    return fixed


def _vector(problem: Problem, kind: str, text: str) -> DerivedField:
    """Read the vector of arrows or streamlines.

    Raises:
        UsageError: If it is no vector of one entry a space coordinate.
    """
    derived = derived_field(problem, text)
    if not derived.is_vector or len(derived.labels) != len(problem.space):
        names = ", ".join(problem.space)
        what = f"expected a vector with an entry each for {names}: a definition, or [u, v]"
        raise UsageError(f"--{kind} {text}: {what}")
    return derived


_Drawing = Callable[[Subject], None]


def _drawing(subject: Subject) -> _Drawing:
    """Choose the picture by what is left of the domain.

    Raises:
        UsageError: If nothing or too much is left.
    """
    section = subject.section
    space, moving = section.space, section.time is not None
    if len(space) > 2:
        raise UsageError(
            f"a picture has two lengths at most, {', '.join(space)} are left; "
            f"cut with --slice {space[-1]}=VALUE"
        )
    if not section.free:
        raise UsageError("every coordinate is held fixed; leave one out of --slice and --time")
    if subject.flows and len(space) < 2:
        raise UsageError("--streamlines and --arrows are drawn over two lengths")
    if len(section.free) == 1:
        return _draw_line
    if len(space) == 1:
        return _draw_spacetime
    return _draw_film if moving else _draw_plane


def _draw_line(subject: Subject) -> None:
    """Draw along the one free coordinate, be it a length or time."""
    curves = list(subject.curves(subject.section, subject.section.line(_LINE)).values())
    label = curves[0].label if len(curves) == 1 else ""
    if label:
        curves = [replace(curves[0], label="")]
    plot_lines(
        subject.output,
        curves,
        coordinate=subject.section.free[0],
        quantity=label,
        caption=subject.caption,
        dpi=subject.dpi,
    )


def _draw_plane(subject: Subject) -> None:
    """Draw over two lengths; also an error or a residual over time and a length."""
    plane = subject.section.plane()
    quantities = subject.quantities([subject.section], plane.points)
    caption, dpi = subject.caption, subject.dpi
    plot_fields(subject.output, plane, quantities, caption=caption, contours=_CONTOURS, dpi=dpi)


def _draw_film(subject: Subject) -> None:
    """Draw over two lengths at several times."""
    times, sections = _moments(subject.section)
    plane = sections[0].plane()
    plot_fields(
        subject.output,
        plane,
        subject.quantities(sections, plane.points),
        caption=subject.caption,
        times=[_equals(subject.section.time, moment) for moment in times],
        dpi=subject.dpi,
    )


def _draw_spacetime(subject: Subject) -> None:
    """Draw over time and one length: values with their profiles, errors or residuals in their own colours."""
    if subject.kind != "value":
        _draw_plane(subject)
        return
    section = subject.section
    times, sections = _moments(section)
    places = sections[0].line(_LINE)
    instants = np.linspace(times[0], times[-1], _LINE // 2)
    grid = np.stack([m.ravel() for m in np.meshgrid(instants, places, indexing="ij")], axis=1)
    curves = [subject.curves(held, places) for held in sections]
    fields = [
        FilmedField(
            subject.label(name),
            values,
            [
                (moment, replace(own[name], label=_equals(section.time, moment)))
                for moment, own in zip(times, curves, strict=True)
            ],
        )
        for name, values in subject.values(section.points(grid)).items()
    ]
    names = (section.free[0], section.free[1])
    caption, dpi = subject.caption, subject.dpi
    plot_spacetime_fields(subject.output, instants, places, fields, names=names, caption=caption, dpi=dpi)


def _moments(section: Section) -> tuple[list[float], list[Section]]:
    """Return the times of a film and the section held at each."""
    assert section.time is not None
    assert section.domain.time is not None
    times = np.linspace(*section.domain.time, _TIMES).tolist()
    return times, [section.hold(section.time, moment) for moment in times]


def _equals(name: str | None, value: float) -> str:
    return f"{symbol(name or '')} = {number(value)}"
