"""How many waves a frozen system has, and how many of them conditions fix.

The waves exp(z m.x) solve the system where det P(z) = 0. The space of their jets (u, u', ...) is the range of

    (1 / 2 pi i)  of  (I, z I, ...)^T  P(z)^-1  (I, z I, ...)  dz   around the roots,

which needs no care for multiple ones. Conditions fix as many as their rows have independent values there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pinnkan.ground.arrays import FloatArray
from pinnkan.physics.instance import Instance
from pinnkan.physics.wellposed.symbol.frozen import Polynomial, Slopes, entry_of

ComplexArray = NDArray[np.complexfloating[Any, Any]]

_ON_THE_AXIS = 1e-5
"""Share of |z| below which Re z has no sign: a wave that neither decays nor grows."""
_TOGETHER = 2e-3
"""Distance, over their size, of roots that count as one."""
_ON_A_CIRCLE = 32
_INDEPENDENT = 1e-6
_SEED = 244_948
_SEPARATE = 1e-3


@dataclass(frozen=True)
class Count:
    """Conditions at a point of the boundary, or at the initial time.

    Attributes:
        wanted: How many the system takes there.
        fixed: How many of the waves that are counted those given fix.
        stated: How many independent ones are given.
    """

    wanted: int
    fixed: int
    stated: int


def wave_count(
    symbols: list[list[Polynomial]],
    boundary: list[list[Polynomial]],
    polynomial: Polynomial,
    entry: int,
    *,
    least: float | None,
) -> Count | None:
    """Return the count of one frozen system; None where its roots or ranks are not clear.

    Args:
        symbols: Its matrix P(z), rows of polynomials.
        boundary: The rows of the conditions.
        polynomial: Its determinant.
        entry: Which of the frozen points and states.
        least: The least size of z where all waves are counted; None counts those that decay alone.
    """
    top = max((key[0] for key in polynomial), default=-1)
    coefficients = np.array([entry_of(polynomial.get((k,), np.zeros(1)), entry) for k in range(top, -1, -1)])
    if not coefficients.size or not np.isfinite(coefficients).all() or not coefficients.any():
        return None
    roots = np.roots(coefficients)
    every = least is not None
    if not every and (np.abs(roots.real) <= _ON_THE_AXIS * np.abs(roots)).any():
        return None
    decaying = roots if every else roots[roots.real < 0.0]
    sizes = np.maximum(np.abs(roots), least or 0.0)
    scale = float(np.exp(np.log(sizes).mean())) if roots.size else 1.0
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
    for within in (decaying, roots) if every or len(flat) > len(decaying) else (decaying, decaying):
        waves = _space(matrices, np.asarray(roots / scale), np.asarray(within / scale), depth)
        if waves is None or waves.shape[1] != len(within):
            return None
        singular = np.linalg.svd(flat @ waves, compute_uv=False) if flat.size and waves.size else np.zeros(0)
        ranks.append(int((singular > _INDEPENDENT).sum()))
    return Count(len(decaying), *ranks)


def side_row(
    instance: Instance, slopes: Slopes, normals: FloatArray, waves: float, rates: float
) -> list[Polynomial]:
    """Return a statement's row of P(s, i xi + z m), polynomials in z over the reciprocal extent of space.

    Args:
        instance: The problem at a parameter value.
        slopes: The factors of its derivatives at N points and states.
        normals: Outward normals -m there, (N, d).
        waves: Length of xi, which is across the normal, times the extent of space.
        rates: Size of s times the duration.
    """
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
