"""Building the ansatz: which conditions can be met exactly at a parameter value, and by which lift."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import sympy
from numpy.typing import NDArray

from pinnkan.errors import PinnkanError, ProblemError
from pinnkan.expressions import evaluate, substitute, symbol, total_derivative
from pinnkan.geometry import Box, Disk, Domain
from pinnkan.geometry.shape import number
from pinnkan.problem.ansatz import Ansatz, Memory
from pinnkan.problem.clamps import conditions_met_by_a_double_zero
from pinnkan.problem.domains import number_at
from pinnkan.problem.lifts import HarmonicLift, harmonic_lift, transfinite
from pinnkan.problem.meeting import initial_gap
from pinnkan.problem.prescribed import Prescribed, difference_text, prescribed
from pinnkan.problem.region import DomainRegion
from pinnkan.problem.roughness import LiftSmoothness
from pinnkan.problem.spec import Condition, Problem

FloatArray = NDArray[np.float64]

_SAMPLES = 200
_TIMES = 8
_SEED = 20_250_101
_VANISHES = 1e-13
"""Data below this share of the unknown's scale are rounding errors of zero."""
_MEETS = 1e-9
"""Data that differ by less than this share of the scale, or of their own size, meet: a pulse's tail may."""
_ZERO = sympy.Integer(0)


def build_ansatz(
    problem: Problem,
    domain: Domain,
    values: Mapping[str, float],
    *,
    scale: float,
    smoothness: LiftSmoothness | None,
    memory: Memory,
) -> Ansatz:
    """Return the ansatz that meets as many conditions as it can.

    Args:
        problem: The problem.
        domain: Its domain at ``values``.
        values: Of the parameters.
        scale: Of the unknown.
        smoothness: Refuses lifts that are too rough; None builds in any, whatever flux it contradicts.
        memory: Derivatives of formulas, shared by all parameter values.

    Raises:
        ProblemError: If a condition with ``hard: true`` cannot be met, with the reason.
    """
    return _Builder(problem, domain, values, scale, smoothness).build(memory)


@dataclass
class _Boundary:
    """The hard boundary conditions and a lift that takes their values."""

    found: list[Prescribed] = field(default_factory=list)
    formula: sympy.Expr = _ZERO
    harmonic: HarmonicLift | None = None

    @property
    def parts(self) -> tuple[str, ...]:
        return tuple(part for item in self.found for part in item.condition.parts)


class _Builder:
    """One ansatz under construction; ``notes`` collects why conditions stay soft."""

    def __init__(
        self,
        problem: Problem,
        domain: Domain,
        values: Mapping[str, float],
        scale: float,
        smoothness: LiftSmoothness | None,
    ) -> None:
        self.problem = problem
        self.domain = domain
        self.values = values
        self.scale = scale
        self.smoothness = smoothness
        self.notes: dict[str, str] = {}
        self.offset = int(domain.time is not None)
        # Read only where there are initial conditions or times, that is, where there is a time.
        self.interval = domain.time or (0.0, 0.0)
        self.time = symbol(problem.time or "")
        self.region = DomainRegion(domain)

    def build(self, memory: Memory) -> Ansatz:
        candidates = self.candidates()
        boundary = self.boundary([item for item in candidates if not item.condition.is_initial])
        initial = self.initial([item for item in candidates if item.condition.is_initial], boundary)
        self.refuse_unmet()
        lift = self.lift(boundary, initial)
        clamps: list[Condition] = []
        if boundary.harmonic is None:
            clamps = conditions_met_by_a_double_zero(
                self.problem, self.domain, self.values, scale=self.scale, lift=lift, parts=boundary.parts
            )
        built_in = [item.condition for item in (*boundary.found, *initial)]
        return Ansatz(
            names=self.problem.names,
            values=self.values,
            lift_formula=lift,
            factor_formula=self.factor(boundary, initial, clamps),
            scale=self.scale,
            harmonic=None if initial else boundary.harmonic,
            hard=tuple(condition.name for condition in (*built_in, *clamps)),
            notes=self.notes,
            memory=memory,
        )

    def candidates(self) -> list[Prescribed]:
        """Return the conditions that prescribe u or u_t at this parameter value and may be hard."""
        found = []
        for condition in self.problem.conditions:
            item = None if condition.hard is False else prescribed(condition, self.problem.names)
            if item is None:
                continue
            slope = number_at(item.slope, self.values)
            if slope and math.isfinite(slope):
                found.append(item)
            else:
                self.notes[condition.name] = "the factor of the unknown vanishes at this parameter value"
        return found

    def refuse_unmet(self) -> None:
        """Refuse a condition with ``hard: true`` that could not be built in.

        Raises:
            ProblemError: With the reason of each.
        """
        unmet = [c for c in self.problem.conditions if c.hard and c.name in self.notes]
        if unmet:
            reasons = [f"{c.name}: hard: true cannot be met: {self.notes[c.name]}" for c in unmet]
            raise ProblemError([c.place.render(text) for c, text in zip(unmet, reasons, strict=True)])

    def evaluate(self, formula: sympy.Expr, points: FloatArray) -> FloatArray:
        """Return values (N,) of a formula at points (N, D)."""
        values: FloatArray = evaluate([formula], self.problem.coordinates, points, self.values)[0]
        return values

    def given(self, item: Prescribed, points: FloatArray) -> FloatArray:
        """Return a condition's data (N,) at points (N, D).

        Raises:
            ProblemError: If they have no finite value somewhere.
        """
        try:
            return self.evaluate(item.data, points)
        except PinnkanError as error:
            condition = item.condition
            raise ProblemError([condition.place.render(f"{condition.name}: {error}")]) from None

    def samples(self, where: str) -> FloatArray:
        """Return seeded random points of the domain, a boundary part or the initial time, shape (N, D)."""
        return self.domain.collocate(where, _SAMPLES, rule="random", seed=_SEED).points

    def level(self, data: FloatArray) -> float:
        """Return what data are small against: the unknown's scale or their own size, whichever is larger.

        All data may be rounding errors of a zero that a source outgrows.
        """
        return max(self.scale, float(np.abs(data).max()))

    def is_rough(self, item: Prescribed, lift: sympy.Expr) -> bool:
        """Tell whether a lift of a condition's data is too rough to be built in, and note why."""
        if self.smoothness is None:
            return False
        note = self.smoothness.fault(self.region, lift, self.values)
        if note is not None:
            self.notes[item.condition.name] = note
        return note is not None

    # Boundary

    def boundary(self, candidates: list[Prescribed]) -> _Boundary:
        """Return the boundary conditions that can be hard, with their lift."""
        if not candidates:
            return _Boundary()
        if isinstance(self.domain.shape, Box):
            smooth = [item for item in candidates if not self.is_rough_on_a_side(self.domain.shape, item)]
            return self.on_box(self.domain.shape, smooth)
        (only,) = candidates
        return self.on_round(only)

    def on_box(self, box: Box, candidates: list[Prescribed]) -> _Boundary:
        """Blend the sides' data; where sides disagree at a corner, those that lose stay soft."""
        while candidates:
            data = {part: self.side_data(part, item) for item in candidates for part in item.condition.parts}
            formula = transfinite(box, data)
            losing = [item for item in candidates if self.mismatch(formula, item)]
            if not losing:
                return _Boundary(candidates, formula)
            candidates = [item for item in candidates if item not in losing]
        return _Boundary()

    def is_rough_on_a_side(self, box: Box, item: Prescribed) -> bool:
        """Tell whether data are rough along a side that they are given on, and note where."""
        bounds = dict(zip(box.axes, zip(box.lower, box.upper, strict=True), strict=True))
        for part in item.condition.parts:
            axis, end = part[:-1], part[-1]
            bound = bounds[axis][end == "+"]
            if self.is_rough(item, substitute(item.data, {symbol(axis): number(float(bound))})):
                return True
        return False

    def side_data(self, part: str, item: Prescribed) -> sympy.Expr:
        """Return the data of one side, exactly 0 where they vanish up to rounding."""
        largest = np.abs(self.given(item, self.samples(part))).max()
        return _ZERO if largest <= _VANISHES * self.scale else item.data

    def mismatch(self, formula: sympy.Expr, item: Prescribed) -> bool:
        """Tell whether a lift misses a condition's data, and note by how much."""
        for part in item.condition.parts:
            points = self.samples(part)
            wanted = self.given(item, points)
            gap = np.abs(self.evaluate(formula, points) - wanted).max()
            if not gap <= _MEETS * self.level(wanted):
                self.notes[item.condition.name] = (
                    "its values and those of other sides "
                    f"{difference_text(float(gap), self.level(wanted))} where the sides meet"
                )
                return True
        return False

    def on_round(self, item: Prescribed) -> _Boundary:
        """Lift data on a shape whose boundary is one smooth part: constant in position, or harmonic."""
        (part,) = item.condition.parts
        values = self.over_times(item, part)
        if np.abs(values).max() <= _VANISHES * self.scale:
            return _Boundary([item])
        if np.ptp(values, axis=1).max() <= _VANISHES * self.level(values):
            lift = self.at_one_point(item.data)
            return _Boundary() if self.is_rough(item, lift) else _Boundary([item], lift)
        name = item.condition.name
        if np.ptp(values, axis=0).max() > _VANISHES * self.level(values):
            self.notes[name] = (
                "its values vary both along the boundary and in time; no lift is known for that"
            )
        elif not isinstance(self.domain.shape, Disk):
            self.notes[name] = (
                "its values vary along the boundary; a lift is known for intervals, boxes and disks"
            )
        elif (harmonic := self.harmonic(self.domain.shape, item)) is None:
            self.notes[name] = (
                "its values are too rough for a harmonic lift (Fourier coefficients decay too slowly)"
            )
        else:
            return _Boundary([item], harmonic=harmonic)
        return _Boundary()

    def over_times(self, item: Prescribed, part: str) -> FloatArray:
        """Return the data at random positions and several times, shape (times, positions)."""
        positions = self.samples(part)[:, self.offset :]
        if self.domain.time is None:
            return self.given(item, positions)[None, :]
        start, end = self.interval
        # Irregular times: data of a period that divides equal steps would look constant.
        times = start + (end - start) * np.linspace(0, 1, _TIMES) ** 1.37
        return np.stack([self.given(item, self.prepend(time, positions)) for time in times])

    def prepend(self, time: float, positions: FloatArray) -> FloatArray:
        """Return points (N, 1 + d) at one time."""
        return np.column_stack([np.full(len(positions), time), positions])

    def at_one_point(self, data: sympy.Expr) -> sympy.Expr:
        """Return data that do not depend on the position, read off at one boundary point."""
        lower, upper = self.domain.shape.bounding_box
        point = (lower + upper) / 2
        point[0] = upper[0]
        space = zip(self.problem.space, point, strict=True)
        return substitute(data, {symbol(name): number(float(value)) for name, value in space})

    def harmonic(self, disk: Disk, item: Prescribed) -> HarmonicLift | None:
        """Return the harmonic extension of data that are constant in time, if it meets them."""

        def values(positions: FloatArray) -> FloatArray:
            if self.domain.time is None:
                return self.given(item, positions)
            return self.given(item, self.prepend(self.interval[0], positions))

        lift = harmonic_lift(values, (float(disk.center[0]), float(disk.center[1])), float(disk.radius))
        if lift is None:
            return None
        positions = self.samples(item.condition.parts[0])[:, self.offset :]
        wanted = values(positions)
        gap = np.abs(lift(positions, (0, 0)) - wanted).max()
        return lift if gap <= _MEETS * self.level(wanted) else None

    # Initial time

    def initial(self, candidates: list[Prescribed], boundary: _Boundary) -> list[Prescribed]:
        """Return the initial conditions that can be hard: u, or u and u_t, if they meet the boundary data."""
        hard: list[Prescribed] = []
        for item in sorted(candidates, key=lambda item: item.order):
            if item.order != len(hard):
                self.notes[item.condition.name] = (
                    "the rate can be built in only together with the initial values"
                )
                continue
            if self.is_rough(item, self.initial_data(item)):
                continue
            gap = self.initial_gap(item, boundary)
            if gap is None and (contradiction := self.flux_contradiction([*hard, item])):
                self.notes[item.condition.name] = contradiction
            elif gap is None:
                hard.append(item)
            else:
                what = ("initial and boundary data", "the rates of initial and boundary data")[item.order]
                self.notes[item.condition.name] = f"{what} {gap} where they meet"
        return hard

    def initial_gap(self, item: Prescribed, boundary: _Boundary) -> str | None:
        """Say by how much initial data miss the boundary lift at the initial time, None if they meet."""
        formula = boundary.formula
        if item.order == 1:
            formula = total_derivative(formula, self.time.name, self.problem.names)
        unit = self.unit_time(item)
        worst, size = 0.0, 1.0
        for part in boundary.parts:
            positions = self.samples(part)[:, self.offset :]
            points = self.prepend(self.interval[0], positions)
            wanted = self.evaluate(formula, points)
            if boundary.harmonic is not None and item.order == 0:
                wanted = wanted + boundary.harmonic(positions, (0, 0))
            gap = float(np.abs(self.given(item, points) - wanted).max())
            level = self.level(wanted * unit)
            if not gap * unit <= _MEETS * level and gap > worst:
                worst, size = gap, level / unit
        return difference_text(worst, size) if worst else None

    def flux_contradiction(self, items: list[Prescribed]) -> str:
        """Say which boundary condition in derivatives the last of the data contradict; empty if none."""
        if self.smoothness is None:
            return ""
        data = [item.data for item in items]
        for condition in self.problem.boundary:
            gap = initial_gap(condition, data, self.problem.names, self.domain, self.values)
            if gap is not None:
                return (
                    f"it misses {condition.name} by {gap.size:.2g} of the size of its terms where they meet"
                )
        return ""

    # The formulas

    def lift(self, boundary: _Boundary, initial: list[Prescribed]) -> sympy.Expr:
        """Return B + (h - B|t0) + (t - t0) (k - B_t|t0), as far as there are initial data."""
        lift = boundary.formula
        if not initial:
            return lift
        time, start = self.time, number(self.interval[0])
        change = boundary.formula
        result = lift
        for item, power in zip(initial, (sympy.Integer(1), time - start), strict=False):
            data = self.initial_data(item)
            result += power * (data - substitute(change, {time: start}))
            change = total_derivative(change, self.time.name, self.problem.names)
        return result

    def initial_data(self, item: Prescribed) -> sympy.Expr:
        """Return initial data as a formula in space, exactly 0 where they vanish up to rounding."""
        data = substitute(item.data, {self.time: number(self.interval[0])})
        largest = np.abs(self.evaluate(data, self.samples("initial"))).max()
        vanish = largest * self.unit_time(item) <= _VANISHES * self.scale
        return _ZERO if vanish else data

    def unit_time(self, item: Prescribed) -> float:
        """Return what makes a value of the unknown of prescribed data: for rates the whole time, else 1."""
        return float(self.interval[1] - self.interval[0]) ** item.order

    def factor(self, boundary: _Boundary, initial: list[Prescribed], clamps: list[Condition]) -> sympy.Expr:
        """Return distance * tau^n for n initial conditions, tau in the time of `Domain.grading`.

        The distance to clamped parts counts twice.
        """
        factor = sympy.Integer(1)
        if boundary.parts:
            space = [symbol(name) for name in self.problem.space]
            factor *= self.domain.shape.distance(space, boundary.parts)
            if clamped := [part for condition in clamps for part in condition.parts]:
                factor *= self.domain.shape.distance(space, clamped)
        if initial:
            start, end = self.interval
            tau, grading = (self.time - number(start)) / number(end - start), self.domain.grading
            if grading:
                tau = sympy.log(1 + number(grading) * tau) / number(math.log1p(grading))
            factor *= tau ** len(initial)
        return factor
