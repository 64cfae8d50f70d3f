"""Conditions on the boundary of an equation of third or fourth order in space: how many, and where.

Along an axis on which the highest derivative is of order m, both sides together take m conditions. Where
there is a time, or another axis, an even order takes m / 2 on each side (a clamped edge has u and dn(u), a
supported one u and a moment); an odd one, u_t + c u_xxx = 0, takes one more on the right than on the left if
c > 0, for the integral of u^2 falls by what u_x^2 there takes away, and one less if c < 0.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pinnkan.geometry import BoundaryPart, Box
from pinnkan.ground.derivatives import pure_index
from pinnkan.language.expressions.calculus import ORDINALS
from pinnkan.physics.instance import Instance
from pinnkan.physics.wellposed.factors import Factors, factors
from pinnkan.physics.wellposed.findings import Finding, warning

_POINTS = 60
_SEED = 173_205
_NOTHING = 1e-9
_NUMBERS = ("none", "one", "two", "three", "four")


def conditions_for_high_orders(instance: Instance) -> Iterator[Finding]:
    """Warn of too few or too many conditions on the sides of an equation above the second order."""
    problem, shape = instance.problem, instance.domain.shape
    if len(problem.equations) != 1 or not problem.conditions:
        return
    found = factors(instance, problem.equations[0], instance.domain.uniform(_POINTS, _SEED))
    offset, periodic = int(problem.time is not None), instance.domain.periodic
    if isinstance(shape, Box):
        for axis in (axis for axis in range(offset, len(problem.coordinates)) if not periodic[axis]):
            message = _along_axis(instance, found, axis)
            if message:
                yield warning(f"{problem.equations[0].name} {message}")
    elif shape.parts and max((sum(index[offset:]) for index in found.by_index), default=0) == 4:
        message = _on_each(instance, list(shape.parts), 2)
        if message:
            yield warning(f"{problem.equations[0].name} is of fourth order in space and takes {message}")


def _along_axis(instance: Instance, found: Factors, axis: int) -> str:
    """Say what is wrong with the conditions on the two sides of an axis; empty if nothing is."""
    names = instance.problem.coordinates
    pure = {index[axis]: index for index in found.by_index if index[axis] and index[axis] == sum(index)}
    order = max(pure, default=0)
    sides = [f"{names[axis]}-", f"{names[axis]}+"]
    if order < 3 or any(_vanishes(instance, pure[order], side) for side in sides):
        return ""
    what = f"is of {ORDINALS[order]} order in {names[axis]} and takes"
    low, high = (_count(instance, side) for side in sides)
    if low + high != order:
        together = f"{low + high} {'is' if low + high == 1 else 'are'} given"
        return f"{what} {_NUMBERS[order]} conditions on {sides[0]} and {sides[1]} together; {together}"
    if len(names) == 1:
        return ""
    if order % 2 == 0:
        message = _on_each(instance, sides, order // 2)
        return message and f"{what} {message}"
    direction = _direction(instance, found, pure[order])
    wanted = {1: (1, 2), -1: (2, 1)}.get(direction, (low, high))
    if (low, high) == wanted:
        return ""
    shares = f"{_NUMBERS[wanted[0]]} on {sides[0]} and {_NUMBERS[wanted[1]]} on {sides[1]}"
    return f"{what} {shares}, by the sign of that derivative's factor; {low} and {high} are given"


def _on_each(instance: Instance, parts: list[str], wanted: int) -> str:
    """Say which parts have another number of conditions than wanted; empty if none has."""
    counts = {part: _count(instance, part) for part in parts}
    wrong = [f"{count} on {part}" for part, count in counts.items() if count != wanted]
    where = "the boundary" if len(parts) == 1 else f"each of {', '.join(parts)}"
    return f"{_NUMBERS[wanted]} conditions on {where}; given are {', '.join(wrong)}" if wrong else ""


def _count(instance: Instance, part: str) -> int:
    return sum(part in condition.parts for condition in instance.problem.boundary)


def _direction(instance: Instance, found: Factors, index: tuple[int, ...]) -> int:
    """Return the sign of the factor of an odd derivative beside that of u_t; 0 where it has not one sign."""
    rate = pure_index(0, len(index))
    if instance.problem.time is None or rate not in found.by_index:
        return 0
    if any(other[0] for other in found.by_index if other != rate):
        return 0
    signs = np.sign(found.by_index[index] * found.by_index[rate])
    return int(signs.flat[0]) if (signs == signs.flat[0]).all() else 0


def _vanishes(instance: Instance, index: tuple[int, ...], part: str) -> bool:
    """Tell whether the factor of a derivative is zero on a whole part."""
    side = instance.domain.collocate(BoundaryPart(part), _POINTS, rule="random", seed=_SEED)
    there = factors(instance, instance.problem.equations[0], side.points).by_index.get(index)
    inside = factors(instance, instance.problem.equations[0], instance.domain.uniform(_POINTS, _SEED))
    return there is None or not np.abs(there).max() > _NOTHING * np.abs(inside.by_index[index]).max()
