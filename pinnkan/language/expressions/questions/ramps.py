"""How steep a formula is where it is steepest: ramps and peaks that points a distance apart do not see.

A smooth step or peak sits where the argument of a tanh, an erf or an exponential vanishes or turns,
or where the base of a power turns; a formula is sampled there at distances that halve.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import numpy as np
import sympy

from pinnkan.ground.arrays import FloatArray
from pinnkan.language.expressions.calculus import partial_derivative
from pinnkan.language.expressions.names import symbol
from pinnkan.language.expressions.programs.evaluation import direct
from pinnkan.language.expressions.programs.program import Program, compile_program
from pinnkan.language.expressions.questions.crossings import Crossing, Line, Region, crossings
from pinnkan.language.expressions.questions.switches import Switch

Evaluate = Callable[[FloatArray], FloatArray]
"""Values (N,) at points (N, D)."""
Spacing = Callable[[float], float]
"""Distance of neighbouring points at a position on an axis."""

_HALVINGS = 40
_UNSEEN = 0.15
"""Half of a change within this share of the spacing is not seen: a slope or kink needs 1/2, a root 1/4."""
_MATTERS = 0.01
_JUMP = 1e-9
_MOST_LOOKED_AT = 60
_SAMPLED_LINES = 3
_SAMPLES = 201
_SAMPLES_OF_SIZE = 101
_STEEP = 0.25
_STEPS = (sympy.tanh, sympy.erf, sympy.exp, sympy.sinh, sympy.cosh)


@dataclass(frozen=True)
class Ramp:
    """A place where a formula changes within less than the points see.

    Attributes:
        coordinate: Along which it changes.
        position: Where.
        width: Within which half of the change happens.
        operation: The function that makes it.
        spacing: Distance of neighbouring points there.
    """

    coordinate: str
    position: float
    width: float
    operation: str
    spacing: float


def has_ramps(expr: Any) -> bool:
    """Tell whether a formula holds a function that makes ramps or peaks, besides powers (`switches`)."""
    return bool(expr.has(*_STEPS))


def unseen_ramps(
    expr: Any,
    coordinates: Sequence[str],
    region: Region,
    spacings: Sequence[Spacing | None],
    values: Mapping[str, float],
) -> list[Ramp]:
    """Return the narrowest ramp or peak of a formula along each coordinate, if points do not see it.

    Args:
        expr: The formula.
        coordinates: Names of the D coordinates.
        region: The closed domain.
        spacings: Distance of neighbouring points along each coordinate, D functions of the position;
            None asks for nothing.
        values: Of every symbol that is no coordinate.
    """
    program = compile_program((expr,), (*coordinates, *values), guarded=False)
    evaluate = partial(_evaluated, program, values)
    result = []
    for axis, spacing in enumerate(spacings):
        leaf = symbol(coordinates[axis])
        if spacing is None or leaf not in expr.free_symbols:
            continue
        centres = _centres(expr, leaf)
        places = crossings(centres, coordinates, values, region, axis) if centres else []
        narrow = _narrow(evaluate, places[:_MOST_LOOKED_AT], spacing)
        narrow = narrow or _narrow(evaluate, _steepest(evaluate, expr, region.lines(axis)), spacing)
        if narrow:
            width, place = min(narrow, key=lambda pair: pair[0])
            position, operation = place.position, place.switch.operation
            result.append(Ramp(coordinates[axis], position, width, operation, spacing(position)))
    return result


def _narrow(evaluate: Evaluate, places: Sequence[Crossing], spacing: Spacing) -> list[tuple[float, Crossing]]:
    """Return the places where points do not see the change, each with its width."""
    if not places:
        return []
    spacings = [spacing(place.position) for place in places]
    nearby = [_beside(place, distance) for place, distance in zip(places, spacings, strict=True)]
    beside = evaluate(np.concatenate(nearby)).reshape(len(places), -1)
    lines = {line: row for row, line in enumerate(dict.fromkeys(place.line for place in places))}
    whole = [line.at(np.linspace(line.low, line.high, _SAMPLES_OF_SIZE)) for line in lines]
    along = evaluate(np.concatenate(whole)).reshape(len(lines), -1)
    result = []
    for place, distance, values in zip(places, spacings, beside, strict=True):
        width = _half_width(values, along[lines[place.line]], distance, place.line.high - place.line.low)
        if width is not None:
            result.append((width, place))
    return result


def _evaluated(program: Program, values: Mapping[str, float], points: FloatArray) -> FloatArray:
    result: FloatArray = direct(program, points, values)[0]
    return result


def _steepest(evaluate: Evaluate, expr: Any, lines: Sequence[Line]) -> list[Crossing]:
    """Return where a formula changes by a good part of its range between two samples of a line."""
    result = []
    for line in lines[:_SAMPLED_LINES]:
        positions = np.linspace(line.low, line.high, _SAMPLES)
        samples = evaluate(line.at(positions))
        if not np.isfinite(samples).all():
            continue
        changes = np.abs(np.diff(samples))
        place = int(changes.argmax())
        if changes[place] <= _STEEP * np.ptp(samples):
            continue
        low, high = positions[place], positions[place + 1]
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            first, second, third = evaluate(line.at(np.array([low, middle, high])))
            low, high = (low, middle) if abs(second - first) >= abs(third - second) else (middle, high)
        result.append(Crossing(line, (low + high) / 2, Switch(expr, "a steep change"), False, False))
    return result


@lru_cache(maxsize=512)
def _centres(expr: Any, leaf: Any) -> tuple[Switch, ...]:
    """Return functions that vanish in the middle of a step or at the top of a peak, each once."""
    return tuple(dict.fromkeys(c for c in _all_centres(expr, leaf) if c.function.free_symbols))


def _all_centres(expr: Any, leaf: Any) -> Iterator[Switch]:
    """Yield functions that vanish in the middle of a step or at the top of a peak."""
    for part in sympy.postorder_traversal(expr):
        if leaf not in part.free_symbols:
            continue
        if isinstance(part, _STEPS):
            yield Switch(part.args[0], part.func.__name__)
            yield Switch(partial_derivative(part.args[0], leaf), part.func.__name__)
        elif part.is_Pow and not (part.exp.is_Integer and part.exp > 0):
            yield Switch(partial_derivative(part.base, leaf), "a quotient" if part.exp == -1 else "a power")


def _offsets(spacing: float) -> FloatArray:
    """Return the distances from a place at which a formula is sampled, each half of the last."""
    return np.asarray(spacing * 0.5 ** np.arange(_HALVINGS), dtype=np.float64)


def _beside(crossing: Crossing, spacing: float) -> FloatArray:
    """Return points (2 H + 1, D) about a place at H distances on both sides; itself for those outside."""
    line, offsets = crossing.line, _offsets(spacing)
    positions = crossing.position + np.concatenate([-offsets, [0.0], offsets[::-1]])
    inside = (positions >= line.low) & (positions <= line.high)
    return line.at(np.where(inside, positions, crossing.position))


def _half_width(beside: FloatArray, along: FloatArray, spacing: float, extent: float) -> float | None:
    """Return within which width half of the change about a place happens, None if points see it.

    Args:
        beside: Values at the points of `_beside`, shape (2 H + 1,).
        along: Values all along the line through the place.
        spacing: Distance of neighbouring points.
        extent: Length of the line.
    """
    if not np.isfinite(beside).all():
        return None
    offsets = _offsets(spacing)
    size = np.ptp(np.concatenate([along[np.isfinite(along)], beside]))
    # changes[k]: how much the values within offsets[k] differ, from the middle outwards.
    sides = np.stack([beside[: _HALVINGS + 1], beside[: -_HALVINGS - 2 : -1]])[:, ::-1]
    highest, lowest = np.maximum.accumulate(sides.max(axis=0)), np.minimum.accumulate(sides.min(axis=0))
    changes = (highest - lowest)[:0:-1]
    if not changes[0] >= _MATTERS * size or size == 0:
        return None
    last = int(np.flatnonzero(changes >= changes[0] / 2)[-1])
    within = offsets[last]
    if last + 1 < _HALVINGS:
        excess = (changes[last] - changes[0] / 2) / (changes[last] - changes[last + 1])
        within -= excess * (offsets[last] - offsets[last + 1])
    return 2 * float(within) if _JUMP * extent < within < _UNSEEN * spacing else None
