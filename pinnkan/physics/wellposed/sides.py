"""How many conditions a system takes on a part of the boundary, and how many of those given are independent.

Behind a plane side with the inward normal m, a wave exp(s t + i xi.x + z m.x) with Re s > 0 and a real xi
along the side solves the frozen system where det P(s, i xi + z m) = 0. The waves that decay inwards, Re z <
0, are seen from this side alone: it takes as many conditions as there are (Kreiss; Lopatinskii for elliptic
systems, where there is no s), and they must have full rank on these waves, for short ones, else infinitely
many solutions meet them all. The space of waves is the range of the integrals

    (1 / 2 pi i)  of  (I, z I, ...)^T  P(z)^-1  (I, z I, ...)  dz   around the roots,

which needs no care for multiple ones. Conditions that follow from the equations have no rank of their own on
all waves together. Along a line without time there are no waves: both ends share the whole space.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pinnkan.geometry import BoundaryPart
from pinnkan.language.problem.spec import Condition
from pinnkan.physics.instance import Instance
from pinnkan.physics.wellposed.findings import Finding, point_text, warning
from pinnkan.physics.wellposed.frozen import (
    Polynomial,
    Slopes,
    determinant,
    entry_of,
    frozen_slopes,
    is_linear,
    is_square,
)
from pinnkan.physics.wellposed.unknowns import bare_parts, has_bare_portions, parts_without_conditions

FloatArray = NDArray[np.float64]
ComplexArray = NDArray[np.complexfloating[Any, Any]]
BoolArray = NDArray[np.bool_]

_POINTS, _PORTION_POINTS, _SEED, _STATES = 2, 24, 244_948, 3
_WAVES = ((1e3, 1e6), (3e4, 1e8))
"""Wave numbers along the side times the extent of space, and rates times the duration: both must agree."""
_ON_THE_AXIS = 1e-5
"""Share of |z| below which Re z has no sign: a wave that neither decays nor grows."""
_TOGETHER = 2e-3
"""Distance, over their size, of roots that count as one."""
_ON_A_CIRCLE = 32
_INDEPENDENT = 1e-6
_SEPARATE = 1e-3


@dataclass(frozen=True)
class Count:
    """Conditions at a point of the boundary.

    Attributes:
        wanted: How many the system takes there.
        fixed: How many of the decaying waves those given fix.
        stated: How many independent ones are given.
    """

    wanted: int
    fixed: int
    stated: int


def conditions_on_sides(instance: Instance) -> Iterator[Finding]:
    """Warn of parts where a system lacks conditions, or has more than it takes."""
    problem = instance.problem
    if not problem.space or not is_square(instance):
        yield from bare_parts(instance)
        return
    if problem.time is None and len(problem.space) == 1:
        yield from _on_a_line(instance)
        return
    said = {part: _on_part(instance, part) for part in instance.domain.shape.parts}
    enough = frozenset(part for part, findings in said.items() if findings == [])
    yield from bare_parts(instance, enough)
    for part in instance.domain.shape.parts:
        if part not in parts_without_conditions(instance, enough) and not has_bare_portions(instance, part):
            yield from said[part] or ()


def _on_part(instance: Instance, part: str) -> list[Finding] | None:
    """Say what is wrong with the conditions on a part; None where that is not sure."""
    problem = instance.problem
    own = [c for c in problem.boundary if part in c.parts]
    several = any(condition.portion is not None for condition in own)
    count = _PORTION_POINTS if several else _POINTS
    side = instance.domain.collocate(BoundaryPart(part), count, rule="random", seed=_SEED)
    assert side.normals is not None
    held = np.stack([_holds(c, side.points, instance) for c in own] or [np.zeros(0, dtype=bool)])
    groups: dict[tuple[bool, ...], list[int]] = {}
    for place in range(len(side.points)):
        groups.setdefault(tuple(held[:, place].tolist()) if own else (), []).append(place)
    said: list[Finding] = []
    for pattern, places in groups.items():
        there = [condition for condition, holds in zip(own, pattern, strict=True) if holds]
        judged = places[:_POINTS]
        counts = _counts(instance, there, side.points[judged], side.normals[judged])
        where = f" at {point_text(problem.coordinates, side.points[places[0]])}" if len(groups) > 1 else ""
        sure = [count for count in counts if count is not None]
        if not counts or len(sure) < len(counts) or len({count.wanted for count in sure}) > 1:
            return None
        said += _said(sure, there, f"{part}{where}")
    return said


def _holds(condition: Condition, points: FloatArray, instance: Instance) -> BoolArray:
    if condition.portion is None:
        return np.ones(len(points), dtype=bool)
    return condition.portion.holds(points, instance.problem.names, instance.values)


def _said(counts: Sequence[Count], conditions: Sequence[Condition], place: str) -> Iterator[Finding]:
    """Say what is wrong at all points alike; nothing where it differs from one to the next."""
    number, given = counts[0].wanted, ", ".join(c.name for c in conditions) or "none"
    fixed, stated = max(c.fixed for c in counts), min(c.stated for c in counts)
    if fixed < number:
        few = f"those given there ({given}) fix {fixed}" if conditions else "none is given"
        yield warning(
            f"on {place} the equations together take {number} independent condition{'s' * (number > 1)}, "
            f"{few}: infinitely many solutions are left; state what is missing"
        )
    elif stated > number:
        yield warning(
            f"on {place} the equations together take {number} independent condition{'s' * (number != 1)}, "
            f"{stated} are given ({given}): no solution meets them all in general; drop {stated - number}"
        )


def _on_a_line(instance: Instance) -> Iterator[Finding]:
    """Compare what is given at both ends of an interval with the order of a system without time."""
    problem = instance.problem
    sides = [
        (part, instance.domain.collocate(BoundaryPart(part), 1, rule="random", seed=_SEED))
        for part in instance.domain.shape.parts
    ]
    stated, wanted = 0, set()
    for part, side in sides:
        assert side.normals is not None
        own = [c for c in problem.boundary if part in c.parts]
        counts = _counts(instance, own, side.points[:1], side.normals[:1], line=True)
        if not counts or any(count is None for count in counts):
            yield from bare_parts(instance)
            return
        known = [count for count in counts if count is not None]
        wanted |= {count.wanted for count in known}
        stated += max(count.stated for count in known)
    if len(wanted) != 1:
        yield from bare_parts(instance)
        return
    number = wanted.pop()
    if stated + len(problem.constraints) < number:
        yield warning(
            f"the equations together take {number} independent conditions at the ends of {problem.space[0]}, "
            f"those given fix {stated}: infinitely many solutions are left; state what is missing"
        )
    elif stated > number:
        yield warning(
            f"the equations together take {number} independent conditions at the ends of {problem.space[0]}, "
            f"{stated} are given: no solution meets them all in general; drop {stated - number}"
        )


def _counts(
    instance: Instance,
    conditions: Sequence[Condition],
    points: FloatArray,
    normals: FloatArray,
    *,
    line: bool = False,
) -> list[Count | None]:
    """Return the counts at points, for every state and wave; None where they are not sure."""
    states = 1 if is_linear(instance) else _STATES
    equations = [frozen_slopes(instance, e, points, states=states) for e in instance.problem.equations]
    given = [frozen_slopes(instance, c, points, normals, states=states) for c in conditions]
    every = np.tile(normals, (states, 1))
    counts: list[Count | None] = []
    for waves, rates in ((1.0, 1.0),) if line else _WAVES:
        symbols = [_rows(instance, own, every, waves, rates) for own in equations]
        boundary = [_rows(instance, own, every, waves, rates) for own in given]
        polynomial = determinant(symbols)
        for entry in range(len(every)):
            counts.append(_count(symbols, boundary, polynomial, entry, line=line))
    return counts


def _rows(
    instance: Instance, slopes: Slopes, normals: FloatArray, waves: float, rates: float
) -> list[Polynomial]:
    """Return a statement's row of P(s, i xi + z m), polynomials in z over the reciprocal extent of space."""
    domain, offset = instance.domain, int(instance.problem.time is not None)
    lower, upper = domain.bounding_box
    extent = float((upper - lower)[offset:].max())
    rate = 0.0 if domain.time is None else rates * (1 + 0.3j) / (domain.time[1] - domain.time[0])
    drawn = np.random.default_rng(_SEED).normal(size=normals.shape)
    tangents = drawn - (drawn * normals).sum(axis=1, keepdims=True) * normals
    lengths = np.linalg.norm(tangents, axis=1, keepdims=True)
    xi = waves * tangents / np.where(lengths > 0.0, lengths, 1.0) if normals.shape[1] > 1 else 0 * normals
    result: list[Polynomial] = [{} for _ in instance.problem.unknowns]
    for partial, values in slopes.items():
        term: Polynomial = {(0,): values * rate ** sum(partial.orders[:offset])}
        for axis, order in enumerate(partial.orders[offset:]):
            for _ in range(order):
                factor: Polynomial = {(0,): 1j * xi[:, axis] / extent, (1,): -normals[:, axis] / extent}
                term = _times(term, factor)
        own = result[partial.unknown]
        for key, coefficient in term.items():
            own[key] = own.get(key, 0.0) + coefficient
    return result


def _times(left: Polynomial, right: Polynomial) -> Polynomial:
    result: Polynomial = {}
    for (m,), a in left.items():
        for (n,), b in right.items():
            result[m + n,] = result.get((m + n,), 0.0) + a * b
    return result


def _count(
    symbols: list[list[Polynomial]],
    boundary: list[list[Polynomial]],
    polynomial: Polynomial,
    entry: int,
    *,
    line: bool,
) -> Count | None:
    """Return the count of one frozen system; None where its roots or ranks are not clear."""
    top = max((key[0] for key in polynomial), default=-1)
    coefficients = np.array([entry_of(polynomial.get((k,), np.zeros(1)), entry) for k in range(top, -1, -1)])
    if not coefficients.size or not np.isfinite(coefficients).all() or not coefficients.any():
        return None
    roots = np.roots(coefficients)
    if not line and (np.abs(roots.real) <= _ON_THE_AXIS * np.abs(roots)).any():
        return None
    decaying = roots if line else roots[roots.real < 0.0]
    scale = 1.0 if line or not roots.size else float(np.exp(np.log(np.abs(roots)).mean()))
    matrices = _matrix(symbols, entry, scale)
    rows = _matrix(boundary, entry, scale) if boundary else np.zeros((1, 0, len(symbols)), dtype=complex)
    if not np.isfinite(matrices).all() or not np.isfinite(rows).all():
        return None
    depth = max(len(matrices), len(rows))
    matrices, columns = _equilibrated(matrices)
    rows = np.concatenate([rows, np.zeros((depth - len(rows), *rows.shape[1:]))]) * columns
    flat = np.concatenate(list(rows), axis=1)
    flat = flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), np.finfo(float).tiny)
    ranks = []
    # Fewer rows than waves cannot be too many: then the whole space has nothing to say.
    for within in (decaying, roots) if line or len(flat) > len(decaying) else (decaying, decaying):
        waves = _space(matrices, np.asarray(roots / scale), np.asarray(within / scale), depth)
        if waves is None or waves.shape[1] != len(within):
            return None
        singular = np.linalg.svd(flat @ waves, compute_uv=False) if flat.size and waves.size else np.zeros(0)
        ranks.append(int((singular > _INDEPENDENT).sum()))
    return Count(len(decaying), *ranks)


def _matrix(rows: list[list[Polynomial]], entry: int, scale: float) -> ComplexArray:
    """Return the coefficients of a matrix of polynomials in z / scale, shape (degree + 1, M, U)."""
    degree = max((key[0] for row in rows for cell in row for key in cell), default=0)
    result = np.zeros((degree + 1, len(rows), len(rows[0])), dtype=complex)
    for i, row in enumerate(rows):
        for j, cell in enumerate(row):
            for (power,), values in cell.items():
                result[power, i, j] = entry_of(values, entry) * scale**power
    return result


def _equilibrated(matrices: ComplexArray) -> tuple[ComplexArray, FloatArray]:
    """Return the matrices, the entries of a row or column of geometric mean 1, and the columns' factors.

    So a weak coupling counts, as in laplace(w) = M, laplace(M) = q, whose entries are then all of one size.
    """
    columns = np.ones(matrices.shape[2])
    for _ in range(20):
        lengths = _means(np.abs(matrices).sum(axis=0), axis=1)
        matrices = matrices / lengths[:, None]
        widths = _means(np.abs(matrices).sum(axis=0), axis=0)
        matrices, columns = matrices / widths, columns / widths
    return matrices, columns


def _means(sizes: FloatArray, axis: int) -> FloatArray:
    """Return the geometric means of the entries that are not zero along an axis."""
    present = sizes > 0.0
    logarithms = np.where(present, np.log(np.where(present, sizes, 1.0)), 0.0)
    return np.asarray(np.exp(logarithms.sum(axis=axis) / np.maximum(present.sum(axis=axis), 1)))


def _space(
    matrices: ComplexArray, roots: ComplexArray, within: ComplexArray, depth: int
) -> ComplexArray | None:
    """Return an orthonormal basis of the jets (u, u', ...) of the waves of some roots; None if unclear."""
    size = matrices.shape[1]
    total = np.zeros((depth * size, depth * size), dtype=complex)
    left = list(within)
    while left:
        group, left = _nearby(left[0], left)
        centre = complex(np.mean(group))
        outside = [abs(root - centre) for root in roots if not _is_near(root, group)]
        radius = 0.4 * min(outside, default=2.0 * max(1.0, abs(centre)))
        turns = np.exp(2j * np.pi * np.arange(_ON_A_CIRCLE) / _ON_A_CIRCLE)
        z = centre + radius * turns
        powers = z[:, None] ** np.arange(depth)
        values = np.tensordot(z[:, None] ** np.arange(len(matrices)), matrices, 1)
        try:
            inverses = np.linalg.inv(values)
        except np.linalg.LinAlgError:
            return None
        weights = radius * turns / _ON_A_CIRCLE
        blocks = np.einsum("c,ci,cj,cmn->imjn", weights, powers, powers, inverses, optimize=True)
        total += blocks.reshape(total.shape)
    if not within.size:
        return np.zeros((depth * size, 0), dtype=complex)
    basis, singular, _ = np.linalg.svd(total)
    count = len(within)
    if count > len(singular) or (count < len(singular) and singular[count] > _SEPARATE * singular[count - 1]):
        return None
    return np.asarray(basis[:, :count])


def _is_near(root: complex, group: Sequence[complex]) -> bool:
    return any(abs(root - other) <= _TOGETHER * max(abs(other), 1e-2) for other in group)


def _nearby(first: complex, roots: Sequence[complex]) -> tuple[list[complex], list[complex]]:
    """Split roots into those that count as one with the first, and the others."""
    group = [first]
    for _ in roots:
        group = [root for root in roots if _is_near(root, group)]
    return group, [root for root in roots if root not in group]
