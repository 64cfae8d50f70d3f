"""The data of conditions at one parameter value: how large they are, and whether they can be built in."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import sympy

from pinnkan.geometry import BoundaryPart, Domain, Region
from pinnkan.ground.arrays import FloatArray
from pinnkan.ground.errors import PinnkanError, ProblemError
from pinnkan.language.expressions import evaluate, symbol
from pinnkan.language.problem.prescribed import Prescribed
from pinnkan.language.problem.spec import Problem
from pinnkan.physics.conditions.roughness import LiftSmoothness
from pinnkan.physics.region import DomainRegion

_SAMPLES = 200
_TIMES = 8
_SEED = 20_250_101
_VANISHES = 1e-13
"""Data below this share of the unknown's scale are rounding errors of zero."""
_MEETS = 1e-9
"""Data that differ by less than this share of the scale, or of their own size, meet: a pulse's tail may."""


class ConditionData:
    """What conditions prescribe, evaluated; ``notes`` collects why conditions stay soft, by their names.

    Args:
        problem: The problem.
        domain: Its domain at ``values``.
        values: Of the parameters.
        unknown: Name of the unknown that they prescribe; ``position`` is its place among all.
        scale: Of the unknown.
        smoothness: Refuses lifts that are too rough; None refuses none.
    """

    def __init__(
        self,
        problem: Problem,
        domain: Domain,
        values: Mapping[str, float],
        *,
        unknown: str,
        scale: float,
        smoothness: LiftSmoothness | None,
    ) -> None:
        self.problem = problem
        self.domain = domain
        self.values = values
        self.unknown = unknown
        self.position = problem.unknowns.index(unknown)
        self.scale = scale
        self.smoothness = smoothness
        self.notes: dict[str, str] = {}
        self.time = symbol(problem.time or "")
        self._region = DomainRegion(domain)
        self._offset = int(domain.time is not None)

    @property
    def interval(self) -> tuple[float, float]:
        """First and last time; read only where there is one."""
        return self.domain.time or (0.0, 0.0)

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

    def samples(self, region: Region) -> FloatArray:
        """Return seeded random points of the domain, a boundary part or the initial time, shape (N, D)."""
        return self.domain.collocate(region, _SAMPLES, rule="random", seed=_SEED).points

    def positions(self, part: str) -> FloatArray:
        """Return the places in space of the samples of a boundary part, shape (N, d)."""
        return self.samples(BoundaryPart(part))[:, self._offset :]

    def at_start(self, positions: FloatArray) -> FloatArray:
        """Return points (N, D) at positions (N, d), at the initial time where there is a time."""
        return positions if self.domain.time is None else _at_time(self.interval[0], positions)

    def over_times(self, item: Prescribed, part: str) -> FloatArray:
        """Return data at random positions of a part and several times, shape (times, positions)."""
        positions = self.positions(part)
        if self.domain.time is None:
            return self.given(item, positions)[None, :]
        start, end = self.interval
        # Irregular times: data of a period that divides equal steps would look constant.
        times = start + (end - start) * np.linspace(0, 1, _TIMES) ** 1.37
        return np.stack([self.given(item, _at_time(time, positions)) for time in times])

    def level(self, data: FloatArray) -> float:
        """Return what data are small against: the unknown's scale or their own size, whichever is larger.

        All data may be rounding errors of a zero that a source outgrows.
        """
        return max(self.scale, float(np.abs(data).max()))

    def vanish(self, data: FloatArray, unit: float = 1.0) -> bool:
        """Tell whether data are rounding errors of zero; times ``unit`` they are values of the unknown."""
        return bool(np.abs(data).max() * unit <= _VANISHES * self.scale)

    def is_constant(self, values: FloatArray, axis: int) -> bool:
        """Tell whether data (times, positions) vary along an axis by rounding errors alone."""
        return bool(np.ptp(values, axis=axis).max() <= _VANISHES * self.level(values))

    def meets(self, gap: float, level: float) -> bool:
        """Tell whether data that differ by so much meet."""
        return gap <= _MEETS * level

    def is_rough(self, item: Prescribed, lift: sympy.Expr) -> bool:
        """Tell whether a lift of a condition's data is too rough to be built in, and note why."""
        if self.smoothness is None:
            return False
        note = self.smoothness.fault(self._region, lift, self.values)
        if note is not None:
            self.notes[item.condition.name] = note
        return note is not None


def _at_time(time: float, positions: FloatArray) -> FloatArray:
    """Return points (N, 1 + d) at one time."""
    return np.column_stack([np.full(len(positions), time), positions])
