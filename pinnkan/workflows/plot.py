"""``pinnkan plot``: a picture of a solution, its error or its training."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from pinnkan.ground.errors import DamagedFileError, UsageError
from pinnkan.ground.progress import Observer
from pinnkan.ground.runtime import device_for, dtype_for, limited_threads
from pinnkan.language.problem import Problem
from pinnkan.output.grid import parse_slice
from pinnkan.output.pictures.canvas import PICTURES
from pinnkan.output.pictures.field import Quantity, plot_fields
from pinnkan.output.pictures.history import TrainingCurves, plot_history
from pinnkan.output.pictures.labels import Caption, number, symbol
from pinnkan.output.pictures.line import Curve, plot_lines
from pinnkan.output.pictures.sections import Section
from pinnkan.output.pictures.spacetime import plot_spacetime
from pinnkan.output.suffixes import require_suffix
from pinnkan.solutions.evaluation.measures import EVALUATION_SEED, POINTS, errors_at, residual_rms
from pinnkan.solutions.fields import ERROR, REFERENCE, RESIDUAL, SOLUTION, fields_at
from pinnkan.solutions.solution import Solution
from pinnkan.storage.runs.directory import Result, RunDirectory, remark_on
from pinnkan.storage.runs.results import verdict_text

HISTORY = "history"
_LINE = 401
_TIMES = 5
"""Times shown of a film: the ends and three between."""
_KINDS: Mapping[str, Literal["value", "signed", "magnitude"]] = {
    SOLUTION: "value",
    REFERENCE: "value",
    ERROR: "signed",
    # It peaks where a solution is rough: on an even scale the peaks are all one sees.
    RESIDUAL: "magnitude",
}
_CONTOURS = 9


def plot(
    directory: Path,
    *,
    values: Mapping[str, float] | None,
    method: str,
    tag: str | None,
    field: str,
    time: float | None,
    slices: Sequence[str],
    dpi: int,
    device: str,
    dtype: str | None,
    threads: int | None,
    output: Path,
    observer: Observer,
) -> Path:
    """Draw a field or the training history of the base, or of the adapter of one value.

    What is left after ``time`` and ``slices`` decides the picture: a line, a
    field over two lengths (at five times if time is left), or one coordinate
    over time with profiles.

    Args:
        directory: The run.
        values: Parameter values; None for the base.
        method: ``lotra``, ``full`` or ``scratch``.
        tag: Tag of the adapter's file.
        field: ``solution``, ``reference``, ``error``, ``residual`` or ``history``.
        time: Time held fixed.
        slices: Texts such as ``y=0.5``.
        dpi: Dots per inch of a PNG.
        device: Where the network is evaluated.
        dtype: Precision of the coefficients; as stored if not given.
        threads: CPU threads.
        output: PNG, PDF or SVG.
        observer: Is told where the result is not solved.

    Returns:
        The file written.

    Raises:
        UsageError: If there is no adapter for the value, no reference to draw,
            or more than two space coordinates are left.
        FileAccessError: If the file cannot be written.
    """
    require_suffix(output, PICTURES)
    result = RunDirectory(directory).find(values, method, tag)
    remark_on(result, observer)
    if field == HISTORY and (time is not None or slices):
        raise UsageError("--field history is over training steps; it takes no --time and no --slice")
    curves = _training_curves(result) if field == HISTORY else None
    fixed = _fixed(result.problem, time, slices)
    with limited_threads(threads):
        solution = result.solution(device_for(device), dtype_for(dtype) if dtype else None)
        section = Section(solution.instance.domain, fixed)
        subject = _Subject(solution, section, field, output, dpi, verdict_text(result.meta))
        if curves is None:
            _drawing(section)(subject)
        else:
            plot_history(output, curves, caption=subject.caption, dpi=dpi)
    return output


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


@dataclass(frozen=True)
class _Subject:
    """What is drawn, of which section, where to, and what must be said of it."""

    solution: Solution
    section: Section
    field: str
    output: Path
    dpi: int
    note: str

    @property
    def problem(self) -> Problem:
        return self.solution.instance.problem

    @property
    def label(self) -> str:
        """What an axis or a colour bar calls the field."""
        unknown = symbol(self.problem.unknowns[0])
        words = {SOLUTION: unknown, REFERENCE: f"reference {unknown}", ERROR: f"error in {unknown}"}
        return words.get(self.field, "residual" if len(self.section.free) == 1 else "|residual|")

    @property
    def caption(self) -> Caption:
        held = {**self.solution.instance.values, **self.section.fixed}
        return Caption(self.problem.file.title or self.problem.name, held, self._figures(), self.note)

    def _figures(self) -> dict[str, float | None]:
        """Measure what the picture is judged by, over the whole domain, as ``evaluate`` does."""
        points = self.solution.instance.domain.uniform(POINTS, EVALUATION_SEED)
        overall = "overall " if self.section.fixed else ""
        if self.field in (SOLUTION, ERROR, HISTORY):
            known = self.solution.instance.known(points)
            return {f"{overall}relative $L^2$ error": errors_at(self.solution, known)["relative_l2"]}
        if self.field == RESIDUAL:
            return {f"{overall}root mean square": residual_rms(self.solution, points)}
        return {}

    def values(self, section: Section, places: np.ndarray) -> np.ndarray:
        """Return the field at places (N, f) of a section, shape (N,)."""
        return self._field(section.points(places))

    def _reference(self, points: np.ndarray) -> np.ndarray | None:
        """Return what is drawn beside the solution, NaN where data do not cover a point; None for nothing."""
        exact = self.solution.instance.exact(points) if self.field == SOLUTION else {}
        known = exact.get(self.problem.unknowns[0])
        return None if known is None or np.isnan(known).all() else known

    def _field(self, points: np.ndarray) -> np.ndarray:
        """Return the field at points (N, D); of several residuals the root of the sum of squares."""
        fields = list(fields_at(self.solution, self.field, points).values())
        if self.field == RESIDUAL and len(fields) > 1:
            norm: np.ndarray = np.linalg.norm(fields, axis=0)
            return norm
        return fields[0]

    def curve(self, section: Section, places: np.ndarray, label: str = "") -> Curve:
        """Return the field along places (N,) of a section with one free coordinate."""
        points = section.points(places[:, None])
        return Curve(label, places, self._field(points), self._reference(points))

    def quantities(self, sections: Sequence[Section], places: np.ndarray) -> list[Quantity]:
        """Return the field at places (N, 2) of each section, with reference and error if they are known."""
        shown = tuple(self.values(section, places) for section in sections)
        found = [self._reference(section.points(places)) for section in sections]
        known = tuple(one for one in found if one is not None)
        if len(known) < len(found):
            return [Quantity(self.label, shown, _KINDS[self.field])]
        errors = tuple(a - b for a, b in zip(shown, known, strict=True))
        return [
            Quantity(self.label, shown, title=SOLUTION),
            Quantity(self.label, known, title=REFERENCE, same_scale_as_previous=True),
            Quantity(f"error in {self.label}", errors, "signed", title=ERROR),
        ]


_Drawing = Callable[[_Subject], None]


def _drawing(section: Section) -> _Drawing:
    """Choose the picture by what is left of the domain.

    Raises:
        UsageError: If nothing or too much is left.
    """
    space, moving = section.space, section.time is not None
    if len(space) > 2:
        raise UsageError(
            f"a picture has two lengths at most, {', '.join(space)} are left; "
            f"cut with --slice {space[-1]}=VALUE"
        )
    if not section.free:
        raise UsageError("every coordinate is held fixed; leave one out of --slice and --time")
    if len(section.free) == 1:
        return _draw_line
    if len(space) == 1:
        return _draw_spacetime
    return _draw_film if moving else _draw_plane


def _draw_line(subject: _Subject) -> None:
    """Draw along the one free coordinate, be it a length or time."""
    curve = subject.curve(subject.section, subject.section.line(_LINE))
    plot_lines(
        subject.output,
        [curve],
        coordinate=subject.section.free[0],
        quantity=subject.label,
        caption=subject.caption,
        dpi=subject.dpi,
    )


def _draw_plane(subject: _Subject) -> None:
    """Draw over two lengths; also an error or a residual over time and a length."""
    plane = subject.section.plane()
    quantities = subject.quantities([subject.section], plane.points)
    caption, dpi = subject.caption, subject.dpi
    plot_fields(subject.output, plane, quantities, caption=caption, contours=_CONTOURS, dpi=dpi)


def _draw_film(subject: _Subject) -> None:
    """Draw over two lengths at several times."""
    times, sections = _moments(subject.section)
    plane = sections[0].plane()
    plot_fields(
        subject.output,
        plane,
        subject.quantities(sections, plane.points),
        caption=subject.caption,
        times=[_equals(subject.section.time, at) for at in times],
        dpi=subject.dpi,
    )


def _draw_spacetime(subject: _Subject) -> None:
    """Draw over time and one length: a value with its profiles, an error or a residual in its own colours."""
    if _KINDS[subject.field] != "value":
        _draw_plane(subject)
        return
    section = subject.section
    times, sections = _moments(section)
    places = sections[0].line(_LINE)
    instants = np.linspace(times[0], times[-1], _LINE // 2)
    grid = np.stack([m.ravel() for m in np.meshgrid(instants, places, indexing="ij")], axis=1)
    profiles = [
        (at, subject.curve(held, places, _equals(section.time, at)))
        for at, held in zip(times, sections, strict=True)
    ]
    plot_spacetime(
        subject.output,
        instants,
        places,
        subject.values(section, grid),
        names=(section.free[0], section.free[1]),
        quantity=subject.label,
        profiles=profiles,
        caption=subject.caption,
        dpi=subject.dpi,
    )


def _moments(section: Section) -> tuple[list[float], list[Section]]:
    """Return the times of a film and the section held at each."""
    assert section.time is not None
    assert section.domain.time is not None
    times = np.linspace(*section.domain.time, _TIMES).tolist()
    return times, [section.hold(section.time, at) for at in times]


def _equals(name: str | None, value: float) -> str:
    return f"{symbol(name or '')} = {number(value)}"


def _training_curves(result: Result) -> TrainingCurves:
    """Return the history that a file carries as curves.

    Raises:
        UsageError: If it is empty.
        DamagedFileError: If it is not laid out as a history.
    """
    try:
        facts = result.meta["history"]
        curves = TrainingCurves(
            steps=_column(facts["step"]),
            terms={str(name): _column(values) for name, values in facts["terms"].items()},
            held_out=_column(facts["held_out"]),
            error=_measured(_column(facts["error"])),
            phases=[(_phase(str(word)), float(facts["step"][row])) for word, row in facts["phase"]],
        )
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise DamagedFileError(f"{result.path}: its training history cannot be read ({error!r})") from None
    if not curves.steps.size:
        raise UsageError(f"{result.path} took no training steps: there is no history to draw")
    return curves


def _phase(name: str) -> str:
    optimizer, *rest = name.split(" ", 1)
    return " ".join([{"lm": "LM", "lbfgs": "L-BFGS", "adam": "Adam"}.get(optimizer, optimizer), *rest])


def _column(values: Sequence[float | None]) -> np.ndarray:
    return np.array([np.nan if value is None else float(value) for value in values])


def _measured(column: np.ndarray) -> np.ndarray | None:
    return column if np.isfinite(column).any() else None
