"""``pinnkan plot``: a picture of a solution, its error or its training."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from pinnkan.ground.errors import DamagedFileError, UsageError, did_you_mean
from pinnkan.ground.progress import Observer
from pinnkan.ground.runtime import device_for, dtype_for, limited_threads
from pinnkan.language.problem import Problem
from pinnkan.optim.kinds import OPTIMIZERS
from pinnkan.output.grid import parse_slice
from pinnkan.output.pictures.canvas import PICTURES
from pinnkan.output.pictures.field import Quantity, plot_fields
from pinnkan.output.pictures.flow import Flow
from pinnkan.output.pictures.history import TrainingCurves, plot_history
from pinnkan.output.pictures.labels import Caption, number, plain, symbol
from pinnkan.output.pictures.line import Curve, plot_lines
from pinnkan.output.pictures.sections import Section
from pinnkan.output.pictures.spacetime import FilmedField, plot_spacetime_fields
from pinnkan.output.suffixes import require_suffix
from pinnkan.solutions.derived_fields import DerivedField, derived_field
from pinnkan.solutions.evaluation.measures import EVALUATION_SEED, POINTS, errors_at, residual_rms
from pinnkan.solutions.fields import ERROR, REFERENCE, RESIDUAL, SOLUTION, WORDS, fields_at, references_beside
from pinnkan.solutions.solution import Solution
from pinnkan.storage.runs.directory import Result, RunDirectory, remark_on
from pinnkan.storage.runs.results import verdict_text

HISTORY = "history"
FlowKind = Literal["arrows", "streamlines"]
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
    flows: Mapping[FlowKind, str],
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
        field: ``solution``, ``reference``, ``error``, ``residual``, ``history``, or a formula of the
            unknowns.
        time: Time held fixed.
        slices: Texts such as ``y=0.5``.
        flows: Vectors that are drawn over the field, as ``streamlines`` or ``arrows``.
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
    vectors = {kind: _vector(result.problem, kind, text) for kind, text in flows.items()}
    _require_field(result.problem, field)
    fixed = _fixed(result.problem, time, slices)
    with limited_threads(threads):
        solution = result.solution(device_for(device), dtype_for(dtype) if dtype else None)
        section = Section(solution.instance.domain, fixed)
        subject = _Subject(solution, section, field, output, dpi, verdict_text(result.meta), vectors)
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


@dataclass(frozen=True)
class _Subject:
    """What is drawn, of which section, where to, and what must be said of it."""

    solution: Solution
    section: Section
    field: str
    output: Path
    dpi: int
    note: str
    flows: Mapping[FlowKind, DerivedField]

    @property
    def problem(self) -> Problem:
        return self.solution.instance.problem

    @property
    def kind(self) -> Literal["value", "signed", "magnitude"]:
        return _KINDS.get(self.field, "value")

    def label(self, name: str) -> str:
        """Return what an axis or a colour bar calls a field."""
        if self.field == RESIDUAL:
            of = "" if len(self.problem.equations) == 1 else f" of {plain(name)}"
            return f"residual{of}" if len(self.section.free) == 1 else f"|residual{of}|"
        shown = symbol(name) if name.replace("_", "a").isalnum() else plain(name)
        words = {REFERENCE: f"reference {shown}", ERROR: f"error in {shown}"}
        return words.get(self.field, shown)

    @property
    def caption(self) -> Caption:
        held = {**self.solution.instance.values, **self.section.fixed}
        return Caption(self.problem.file.title or self.problem.name, held, self._figures(), self.note)

    def _figures(self) -> dict[str, float | None]:
        """Measure what the picture is judged by, over the whole domain, as ``evaluate`` does."""
        points = self.solution.instance.domain.uniform(POINTS, EVALUATION_SEED)
        overall = "overall " if self.section.fixed else ""
        if self.field in (SOLUTION, ERROR, HISTORY, *self.problem.unknowns):
            errors = errors_at(self.solution, self.solution.instance.known(points))
            own = (errors.get("fields") or {}).get(self.field)
            if own is None and self.field in self.problem.unknowns and self.problem.is_system:
                return {}
            largest = "largest " if self.problem.is_system and own is None else ""
            return {f"{overall}{largest}relative $L^2$ error": (own or errors)["relative_l2"]}
        if self.field == RESIDUAL:
            return {f"{overall}root mean square": residual_rms(self.solution, points)}
        return {}

    def values(self, points: np.ndarray) -> dict[str, np.ndarray]:
        """Return the fields at points (N, D) of the domain, (N,) each."""
        return fields_at(self.solution, self.field, points)

    def references(self, points: np.ndarray) -> dict[str, np.ndarray]:
        """Return what is drawn beside them, NaN where data do not cover a point."""
        known = references_beside(self.solution, self.field, points)
        return {name: values for name, values in known.items() if not np.isnan(values).all()}

    def curves(self, section: Section, places: np.ndarray) -> dict[str, Curve]:
        """Return the fields along places (N,) of a section with one free coordinate."""
        points = section.points(places[:, None])
        known = self.references(points)
        return {
            name: Curve(self.label(name), places, values, known.get(name))
            for name, values in self.values(points).items()
        }

    def quantities(self, sections: Sequence[Section], places: np.ndarray) -> list[Quantity]:
        """Return the fields at places (N, 2) of each section, with reference and error if they are known."""
        points = [section.points(places) for section in sections]
        shown, known = [self.values(p) for p in points], [self.references(p) for p in points]
        flows = self._flows(points)
        quantities = []
        for name in shown[0]:
            values, label = tuple(fields[name] for fields in shown), self.label(name)
            named = label if len(shown[0]) > 1 else ""
            if not all(name in fields for fields in known):
                # A title stands above each of several fields; one alone is named by its colour bar.
                quantities.append(Quantity(label, values, self.kind, title=named, flows=flows))
                continue
            wanted = tuple(fields[name] for fields in known)
            errors = tuple(a - b for a, b in zip(values, wanted, strict=True))
            titles = [f"{word} {named}".strip() for word in (SOLUTION, REFERENCE, ERROR)]
            if self.field not in (SOLUTION, *self.problem.unknowns):
                titles[0] = label
            quantities += [
                Quantity(label, values, title=titles[0], starts_group=True, flows=flows),
                Quantity(label, wanted, title=titles[1], same_scale_as_previous=True),
                Quantity(f"error in {label}", errors, "signed", title=titles[2]),
            ]
        return quantities

    def _flows(self, points: Sequence[np.ndarray]) -> tuple[Flow, ...]:
        """Return the vectors over the fields, their components along the picture's axes, at every time."""
        axes = [self.problem.space.index(name) for name in self.section.space]
        flows = []
        for kind, derived in self.flows.items():
            vectors = [derived.at(self.solution, places) for places in points]
            flows.append(Flow(kind, tuple((vector[axes[0]], vector[axes[1]]) for vector in vectors)))
        return tuple(flows)


_Drawing = Callable[[_Subject], None]


def _drawing(subject: _Subject) -> _Drawing:
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


def _draw_line(subject: _Subject) -> None:
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
    label = OPTIMIZERS[optimizer].label if optimizer in OPTIMIZERS else optimizer
    return " ".join([label, *rest])


def _column(values: Sequence[float | None]) -> np.ndarray:
    return np.array([np.nan if value is None else float(value) for value in values])


def _measured(column: np.ndarray) -> np.ndarray | None:
    return column if np.isfinite(column).any() else None
