"""Which boundary conditions can be met exactly, and by which lift: a table by the shape of the domain."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import sympy

from pinnkan.geometry import Ball, BoundaryPart, Box, Disk, Shape
from pinnkan.geometry.shape import number
from pinnkan.ground.arrays import FloatArray
from pinnkan.language.expressions import substitute, symbol
from pinnkan.language.problem.prescribed import Prescribed, difference_text
from pinnkan.physics.conditions.condition_data import ConditionData
from pinnkan.physics.conditions.lifts import HarmonicLift, harmonic_lift, transfinite

_ZERO = sympy.Integer(0)


@dataclass(frozen=True)
class BoundaryLift:
    """The hard boundary conditions and a lift that takes their values.

    Attributes:
        conditions: The conditions.
        formula: The lift, 0 where ``harmonic`` is.
        harmonic: A lift by a power series, constant in time; None if there is none.
    """

    conditions: tuple[Prescribed, ...] = ()
    formula: sympy.Expr = _ZERO
    harmonic: HarmonicLift | None = None

    @property
    def parts(self) -> tuple[str, ...]:
        """The boundary parts that the conditions hold on."""
        return tuple(part for item in self.conditions for part in item.condition.parts)


def boundary_lift(data: ConditionData, candidates: list[Prescribed]) -> BoundaryLift:
    """Return the boundary conditions that can be hard, with their lift; note why the others cannot."""
    return _BY_SHAPE.get(type(data.domain.shape), _on_any)(data, candidates) if candidates else BoundaryLift()


# Any shape: data that vanish need no lift, only a distance to the parts where they do


def _on_any(data: ConditionData, candidates: list[Prescribed]) -> BoundaryLift:
    """Keep the data that vanish, if there is a distance to their parts."""
    zero = [item for item in candidates if _vanishes(data, item)]
    lift = BoundaryLift(tuple(zero))
    space = [symbol(name) for name in data.problem.space]
    if zero and data.domain.shape.distance(space, lift.parts) is None:
        for item in zero:
            data.notes[item.condition.name] = f"no distance to {', '.join(lift.parts)} is known"
        return BoundaryLift()
    return lift


def _vanishes(data: ConditionData, item: Prescribed) -> bool:
    """Tell whether a condition's data are zero, and note where they are not that no lift takes them."""
    sides = [data.samples(BoundaryPart(part)) for part in item.condition.parts]
    if all(data.vanish(data.given(item, points)) for points in sides):
        return True
    data.notes[item.condition.name] = "no lift is known for this shape of the domain, but of zero"
    return False


# Boxes: the sides' data are blended


def _on_box(data: ConditionData, candidates: list[Prescribed]) -> BoundaryLift:
    """Blend the sides' data; where sides disagree at a corner, those that lose stay soft."""
    box = data.domain.shape
    assert isinstance(box, Box)
    smooth = [item for item in candidates if not _is_rough_on_a_side(data, box, item)]
    while smooth:
        sides = {part: _side(data, part, item) for item in smooth for part in item.condition.parts}
        formula = transfinite(box, sides)
        losing = [item for item in smooth if _misses(data, formula, item)]
        if not losing:
            return BoundaryLift(tuple(smooth), formula)
        smooth = [item for item in smooth if item not in losing]
    return BoundaryLift()


def _is_rough_on_a_side(data: ConditionData, box: Box, item: Prescribed) -> bool:
    """Tell whether data are rough along a side that they are given on, and note where."""
    bounds = dict(zip(box.axes, zip(box.lower, box.upper, strict=True), strict=True))
    for part in item.condition.parts:
        axis, end = part[:-1], part[-1]
        bound = bounds[axis][end == "+"]
        if data.is_rough(item, substitute(item.data, {symbol(axis): number(float(bound))})):
            return True
    return False


def _side(data: ConditionData, part: str, item: Prescribed) -> sympy.Expr:
    """Return the data of one side, exactly 0 where they vanish up to rounding."""
    return _ZERO if data.vanish(data.given(item, data.samples(BoundaryPart(part)))) else item.data


def _misses(data: ConditionData, formula: sympy.Expr, item: Prescribed) -> bool:
    """Tell whether a lift misses a condition's data, and note by how much."""
    for part in item.condition.parts:
        points = data.samples(BoundaryPart(part))
        wanted = data.given(item, points)
        gap = float(np.abs(data.evaluate(formula, points) - wanted).max())
        level = data.level(wanted)
        if not data.meets(gap, level):
            data.notes[item.condition.name] = (
                f"its values and those of other sides {difference_text(gap, level)} where the sides meet"
            )
            return True
    return False


# Disks and balls, whose boundary is one smooth part: data are constant in position, or extended harmonically


def _on_ball(data: ConditionData, candidates: list[Prescribed]) -> BoundaryLift:
    """Take data that do not depend on the position from one boundary point."""
    return _on_round(data, candidates, _no_extension)


def _on_disk(data: ConditionData, candidates: list[Prescribed]) -> BoundaryLift:
    """Take data from one boundary point, or extend those harmonically that are constant in time."""
    return _on_round(data, candidates, _extended)


_Extension = Callable[[ConditionData, Prescribed], BoundaryLift]


def _on_round(data: ConditionData, candidates: list[Prescribed], extended: _Extension) -> BoundaryLift:
    (item,) = candidates
    (part,) = item.condition.parts
    values = data.over_times(item, part)
    if data.vanish(values):
        return BoundaryLift((item,))
    if data.is_constant(values, axis=1):
        lift = _at_one_point(data, item.data)
        return BoundaryLift() if data.is_rough(item, lift) else BoundaryLift((item,), lift)
    if data.is_constant(values, axis=0):
        return extended(data, item)
    data.notes[item.condition.name] = (
        "its values vary both along the boundary and in time; no lift is known for that"
    )
    return BoundaryLift()


def _at_one_point(data: ConditionData, formula: sympy.Expr) -> sympy.Expr:
    """Return data that do not depend on the position, read off at the end of the first axis' diameter."""
    lower, upper = data.domain.shape.bounding_box
    point = (lower + upper) / 2
    point[0] = upper[0]
    space = zip(data.problem.space, point, strict=True)
    return substitute(formula, {symbol(name): number(float(value)) for name, value in space})


def _no_extension(data: ConditionData, item: Prescribed) -> BoundaryLift:
    data.notes[item.condition.name] = (
        "its values vary along the boundary; a lift is known for intervals, boxes and disks"
    )
    return BoundaryLift()


def _extended(data: ConditionData, item: Prescribed) -> BoundaryLift:
    """Extend data that are constant in time harmonically into the disk."""
    lift = _harmonic(data, item)
    if lift is not None:
        return BoundaryLift((item,), harmonic=lift)
    data.notes[item.condition.name] = (
        "its values are too rough for a harmonic lift (Fourier coefficients decay too slowly)"
    )
    return BoundaryLift()


def _harmonic(data: ConditionData, item: Prescribed) -> HarmonicLift | None:
    """Return the harmonic extension of data that are constant in time, None if it does not meet them."""
    disk = data.domain.shape
    assert isinstance(disk, Disk)

    def values(positions: FloatArray) -> FloatArray:
        return data.given(item, data.at_start(positions))

    lift = harmonic_lift(values, (float(disk.center[0]), float(disk.center[1])), float(disk.radius))
    if lift is None:
        return None
    positions = data.positions(item.condition.parts[0])
    wanted = values(positions)
    gap = float(np.abs(lift.derivatives(positions, [(0, 0)])[0] - wanted).max())
    return lift if data.meets(gap, data.level(wanted)) else None


_BY_SHAPE: dict[type[Shape], Callable[[ConditionData, list[Prescribed]], BoundaryLift]] = {
    Box: _on_box,
    Disk: _on_disk,
    Ball: _on_ball,
}
"""How boundary data are lifted; on a shape that is not here, only zero is."""
