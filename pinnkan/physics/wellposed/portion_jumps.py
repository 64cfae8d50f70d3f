"""Values prescribed on portions of the boundary against those beside them: where they differ, u jumps.

A jump of the data along the boundary is no contradiction: the solution of an elliptic or parabolic equation
is smooth inside nevertheless. But no network has it: its values go over from one to the other in a layer.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, product

import numpy as np
from scipy.spatial import cKDTree

from pinnkan.geometry import BoundaryPart, Box
from pinnkan.ground.arrays import BoolArray, FloatArray
from pinnkan.ground.errors import PinnkanError
from pinnkan.language.expressions import evaluate
from pinnkan.language.problem.prescribed import Prescribed, difference_text, prescribed
from pinnkan.physics.instance import Instance
from pinnkan.physics.wellposed.findings import Finding, point_text, warning

_POINTS, _PAIRS, _SEED = 1024, 64, 173_205
_HALVINGS, _ROUNDING = 40, 1e-9
_MEET, _MEET_ON_CURVES = 1e-6, 1e-2
"""Share of the size of the data up to which they are the same; on a curve, places lie on its chords."""


def jumps_between_portions(instance: Instance) -> Iterator[Finding]:
    """Warn where values that portions prescribe differ from those beside them."""
    problem = instance.problem
    items = [item for c in problem.boundary if (item := prescribed(c, problem.names)) is not None]
    for first, second in combinations(items, 2):
        portions = (first.condition.portion, second.condition.portion)
        if first.unknown != second.unknown or portions == (None, None):
            continue
        places = [*_on_one_part(instance, first, second), *_at_corners(instance, first, second)]
        if places:
            yield from _jump(instance, first, second, np.concatenate(places))


def _on_one_part(instance: Instance, first: Prescribed, second: Prescribed) -> Iterator[FloatArray]:
    """Yield the places (N, D) of a part where the portions of two conditions meet."""
    for part in first.condition.parts:
        if part not in second.condition.parts:
            continue
        points = instance.domain.collocate(BoundaryPart(part), _POINTS, rule="sobol", seed=_SEED).points
        mine, its = (points[_holds(instance, item, points)] for item in (first, second))
        if not len(mine) or not len(its):
            continue
        lower, upper = instance.domain.bounding_box
        distances, nearest = cKDTree(its / (upper - lower)).query(mine / (upper - lower))
        closest = np.argsort(distances)[:_PAIRS]
        yield _between(instance, first, second, mine[closest], its[nearest[closest]])


def _between(
    instance: Instance, first: Prescribed, second: Prescribed, inside: FloatArray, outside: FloatArray
) -> FloatArray:
    """Return where one condition ends and the other begins, on segments between their points, (N, D)."""
    for _ in range(_HALVINGS):
        middle = (inside + outside) / 2.0
        held = _holds(instance, first, middle)[:, None]
        inside, outside = np.where(held, middle, inside), np.where(held, outside, middle)
    return inside[_holds(instance, second, outside)]


def _at_corners(instance: Instance, first: Prescribed, second: Prescribed) -> Iterator[FloatArray]:
    """Yield the places (N, D) of edges of a box where two conditions meet from different sides."""
    shape = instance.domain.shape
    if not isinstance(shape, Box):
        return
    pairs = product(first.condition.parts, second.condition.parts)
    for part, other in pairs:
        if part[:-1] == other[:-1]:
            continue
        points = instance.domain.collocate(BoundaryPart(part), _PAIRS, rule="sobol", seed=_SEED).points
        axis = instance.coordinates.index(other[:-1])
        points[:, axis] = instance.domain.bounding_box[int(other[-1] == "+")][axis]
        yield points[_holds(instance, first, points) & _holds(instance, second, points)]


def _holds(instance: Instance, item: Prescribed, points: FloatArray) -> BoolArray:
    portion = item.condition.portion
    if portion is None:
        return np.ones(len(points), dtype=bool)
    return portion.holds(points, instance.problem.names, instance.values)


def _jump(instance: Instance, first: Prescribed, second: Prescribed, places: FloatArray) -> Iterator[Finding]:
    """Say by how much two conditions differ at places where they meet."""
    try:
        data = evaluate([first.data, second.data], instance.coordinates, places, instance.values)
    except PinnkanError:
        return  # data without a value there: said where all data are tried
    scale = instance.scales[instance.problem.unknowns.index(first.unknown)]
    size = max(scale, float(np.abs(data).max(initial=0.0)))
    gap = np.abs(data[0] - data[1])
    meet = _MEET if isinstance(instance.domain.shape, Box) else _MEET_ON_CURVES
    if not gap.size or not gap.max() > meet * size:
        return
    worst = int(gap.argmax())
    lower, upper = instance.domain.bounding_box
    place = np.where(np.abs(places[worst]) > _ROUNDING * (upper - lower), places[worst], 0.0)
    what = difference_text(float(gap[worst]), size)
    yield warning(
        f"{first.condition.name} and {second.condition.name} {what} where they meet, at "
        f"{point_text(instance.coordinates, place)}: {first.unknown} jumps there, which no network follows; "
        "make the change gradual, or expect errors near it"
    )
