"""How smooth a formula is inside a closed domain: where which derivative fails to be continuous.

Along a line parallel to an axis every zero of a switch is a place where branches may meet. There the
derivatives D_0 = f, D_1, ... along the line are compared on both sides, to 60 digits at two small
distances: a difference that does not shrink with the distance is a jump, a value that grows is
infinite. So pieces that join smoothly count as what they are: x |x| has one continuous derivative.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from pinnkan.language.expressions.calculus import partial_derivative
from pinnkan.language.expressions.names import symbol
from pinnkan.language.expressions.programs.program import Program, compile_program, run
from pinnkan.language.expressions.questions import multiprecision
from pinnkan.language.expressions.questions.crossings import Crossing, Region, crossings, needed_values
from pinnkan.language.expressions.questions.switches import switches

_NEAR, _NEARER = 1e-7, 1e-10
"""Distances from a crossing, as shares of the line."""
_AGREES = 1e-7
_SHRINKS = 0.6
"""A thousandth of the distance leaves this share of |x|^0.07."""
_GROWS = 1.3
_ENOUGH = 3
"""Crossings that are looked at on one plane across the axis."""
_MOST_LOOKED_AT = 40
_ORDINALS = ("value", "first derivative", "second derivative", "third derivative", "fourth derivative")


@dataclass(frozen=True)
class Break:
    """A place where a formula is not as smooth as it should be.

    Attributes:
        coordinate: Along which the derivatives were taken.
        order: How many derivatives are continuous there: 0 for a kink, -1 for a jump.
        infinite: Whether the next one is infinite rather than two-valued.
        operation: Which operation of the formula is to blame.
        position: The coordinate's value there if the place is a plane across it, else None.
        place: `` at x = 0.5``, or ``, for example at ...`` where it is no plane across the axis.
        isolated: Whether the place is a point or a curve too thin to be met by chance.
        at_end: Whether the place lies on the boundary.
    """

    coordinate: str
    order: int
    infinite: bool
    operation: str
    position: float | None
    place: str
    isolated: bool
    at_end: bool

    @property
    def what(self) -> str:
        """What happens at the place, to be read after 'has': ``a jump (where) at x = 0.5``."""
        if self.infinite and self.order < 0:
            kind = "an infinite value"
        elif self.infinite:
            kind = f"an infinite {_ORDINALS[self.order + 1]} in {self.coordinate}"
        elif self.order < 0:
            kind = "a jump"
        elif self.order == 0:
            kind = "a kink"
        else:
            kind = f"a jump of its {_ORDINALS[self.order + 1]} in {self.coordinate}"
        return f"{kind} ({self.operation}){self.place}"


def breaks(
    expr: Any,
    coordinates: Sequence[str],
    region: Region,
    orders: Sequence[int],
    values: Mapping[str, float],
    *,
    free_of: Iterable[Any] = (),
    enough: int = 4,
) -> list[Break]:
    """Return where derivatives of a formula are not continuous, the worst first.

    Args:
        expr: The formula.
        coordinates: Names of the D coordinates.
        region: The closed domain.
        orders: How many derivatives are asked for in each coordinate, D numbers; a
            negative one asks for nothing, not even that the value has no jump.
        values: Of every symbol that is no coordinate.
        free_of: Switches that depend on one of these symbols are left alone.
        enough: After so many along one coordinate no more are looked for.

    Returns:
        At most one for every coordinate, operation and place.
    """
    needed = needed_values((expr,), values)
    return list(
        _breaks(expr, tuple(coordinates), region, tuple(orders), needed, frozenset(free_of), enough=enough)
    )


@lru_cache(maxsize=512)
def _breaks(
    expr: Any,
    coordinates: tuple[str, ...],
    region: Region,
    orders: tuple[int, ...],
    needed: tuple[tuple[str, float], ...],
    excluded: frozenset[Any],
    *,
    enough: int,
) -> tuple[Break, ...]:
    values = dict(needed)
    found = tuple(switch for switch in switches(expr) if not switch.function.free_symbols & excluded)
    result: list[Break] = []
    for axis, order in enumerate(orders):
        leaf = symbol(coordinates[axis])
        along = tuple(switch for switch in found if leaf in switch.function.free_symbols)
        if order < 0 or not along:
            continue
        places = crossings(along, coordinates, values, region, axis)
        result += _at_crossings(expr, coordinates, axis, order, values, places, enough=enough)
    return tuple(sorted(result, key=lambda item: (item.order, item.isolated, item.at_end)))


def _at_crossings(
    expr: Any,
    coordinates: Sequence[str],
    axis: int,
    order: int,
    values: Mapping[str, float],
    places: Sequence[Crossing],
    *,
    enough: int,
) -> list[Break]:
    program = compile_program(
        _derivatives(expr, coordinates[axis], order), (*coordinates, *values), guarded=False
    )
    result: dict[tuple[str, str | None, bool], Break] = {}
    for crossing in _chosen(places):
        failing = _first_failing(program, crossing, list(values.values()))
        if failing is None:
            continue
        operation = crossing.switch.operation
        position, place = _place(crossing, places, coordinates)
        entry = Break(
            coordinates[axis], *failing, operation, position, place, crossing.isolated, crossing.at_end
        )
        # One example will do where there is no plane.
        key = (operation, None if position is None else place, crossing.isolated)
        if key not in result or entry.order < result[key].order:
            result[key] = entry
        if len(result) >= enough:
            break
    return list(result.values())


@lru_cache(maxsize=512)
def _derivatives(expr: Any, coordinate: str, order: int) -> tuple[Any, ...]:
    result = [expr]
    for _ in range(order):
        result.append(partial_derivative(result[-1], symbol(coordinate)))
    return tuple(result)


def _chosen(places: Sequence[Crossing]) -> list[Crossing]:
    """Return a few crossings of every switch: all lines meet x = 0.5 in the same way."""
    seen: dict[tuple[Any, int, bool], int] = {}
    count: dict[Any, int] = {}
    result = []
    for crossing in places:
        line = crossing.line
        share = round((crossing.position - line.low) / (line.high - line.low) * 1e6)
        key = (crossing.switch, share, crossing.isolated)
        seen[key] = seen.get(key, 0) + 1
        whole = (crossing.switch, crossing.isolated)
        if seen[key] <= _ENOUGH and count.get(whole, 0) < _MOST_LOOKED_AT:
            count[whole] = count.get(whole, 0) + 1
            result.append(crossing)
    return result


def _first_failing(
    program: Program, crossing: Crossing, parameters: Sequence[float]
) -> tuple[int, bool] | None:
    """Return how many derivatives are continuous at a crossing and whether the next is infinite.

    None where all of the program's are continuous.
    """
    line = crossing.line
    length = line.high - line.low
    rounding = 1e3 * np.finfo(float).eps * max(abs(line.low), abs(line.high))
    nearer = max(_NEARER * length, rounding)
    near = max(_NEAR * length, 1e3 * nearer)
    middle = (line.low + line.high) / 2
    sides = (1, -1) if not crossing.at_end else ((1,) if crossing.position < middle else (-1,))
    far = [_values(program, crossing, side * near, parameters) for side in sides]
    close = [_values(program, crossing, side * nearer, parameters) for side in sides]
    size = max(abs(float(values[0])) for values in (*far, *close))
    for order in range(len(program.outputs)):
        before = [float(values[order]) for values in far]
        here = [float(values[order]) for values in close]
        scale = max(size / length**order, *(abs(value) for value in (*before, *here)))
        if not np.isfinite([*before, *here]).all():
            return order - 1, True
        if any(abs(b) > _GROWS * abs(a) + _AGREES * scale for a, b in zip(before, here, strict=True)):
            return order - 1, True
        if len(sides) == 2:
            gap, gap_before = abs(here[0] - here[1]), abs(before[0] - before[1])
            if gap > _AGREES * scale and gap > _SHRINKS * gap_before:
                return order - 1, False
    return None


def _values(program: Program, crossing: Crossing, offset: float, parameters: Sequence[float]) -> list[Any]:
    """Return all derivatives at a distance from a crossing, to 60 digits."""
    real = multiprecision.real
    point = [real(value) for value in crossing.line.point]
    point[crossing.line.axis] = real(crossing.position) + real(offset)
    arguments = [*point, *(real(value) for value in parameters)]
    return run(program, arguments, operations=multiprecision.OPERATIONS, constant=lambda value: value)


def _place(
    crossing: Crossing, places: Sequence[Crossing], coordinates: Sequence[str]
) -> tuple[float | None, str]:
    """Return the position of the plane that all lines meet here (None without one), and the place."""
    axis, position = crossing.line.axis, crossing.position
    length = crossing.line.high - crossing.line.low
    others = [item.position for item in places if item.switch == crossing.switch and not item.isolated]
    # A switch that every line meets at the same few positions is a few planes across the axis.
    positions = {round(other / length * 1e6) for other in others}
    if not crossing.isolated and (len(coordinates) == 1 or 2 * len(positions) <= len(others)):
        return position, f" at {coordinates[axis]} = {shown_position(position, length)}"
    point = list(crossing.line.point)
    point[axis] = position
    leaves = crossing.switch.function.free_symbols
    named = zip(coordinates, point, strict=True)
    listed = ", ".join(
        f"{name} = {shown_position(value, length)}" for name, value in named if symbol(name) in leaves
    )
    return None, f" at {listed}" if crossing.isolated else f", for example at {listed}"


def shown_position(value: float, length: float) -> str:
    """Write a coordinate, zero if it is zero up to rounding."""
    return "0" if abs(value) < 1e-12 * length else f"{value:.4g}"
