"""What may be added to a solution without any statement's notice: constants and rigid motions.

Where only derivatives of p occur, p + c solves whatever p solves; a body that nothing but forces hold may be
moved and turned; where u and v occur as u - v alone, u + c and v + c are as good. All of these are
polynomials w of the first degree in space that the linearised statements do not see,

    sum_alpha dR/du_alpha d^alpha w = 0    in every equation, condition and constraint,

found as a null space; for a nonlinear problem, as one that several states share. Where polynomials of the
second degree go unseen too, conditions are missing, which other tests say, and constants alone are told here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pinnkan.geometry import CollocationSet, WholeDomain
from pinnkan.ground.arrays import BoolArray, FloatArray
from pinnkan.ground.errors import PinnkanError
from pinnkan.physics.blocks import ResidualBlock
from pinnkan.physics.instance import Instance
from pinnkan.physics.polynomial_rows import polynomial_rows
from pinnkan.physics.polynomials import Polynomials

_POINTS, _TIMES, _SEED = 32, 3, 360_555
_MEANS = (1.0, -1.0, 0.0)
"""Means of the states of a nonlinear problem, over the scales of the unknowns."""
_VARIES = 0.05
"""How far a state departs from a mean that is not zero: what is positive stays so."""
_UNSEEN = 1e-9
"""Singular value, of rows whose largest entries are 1, below which nothing is seen."""
_NOTHING = 1e-7


@dataclass(frozen=True)
class Motion:
    """Polynomials of the first degree in space, one for each unknown, that no statement sees.

    Attributes:
        slopes: Along the d space coordinates, (U, d).
        constants: (U,); the first entry that is not zero, of the slopes and then of these, is 1.
        in_time: Whether a multiple of it that depends on time goes unseen as well.
    """

    slopes: FloatArray
    constants: FloatArray
    in_time: bool


def free_motions(instance: Instance) -> list[Motion]:
    """Return a basis of what may be added to a solution; what depends on space comes first.

    Nothing may be added to a table of values.
    """
    if not instance.equations:
        return []
    domain, offset = instance.domain, int(instance.problem.time is not None)
    polynomials = Polynomials(*domain.bounding_box, 2 + offset, domain.periodic)
    rows = _rows(instance, polynomials)
    if rows is None:
        return []
    # Every unknown as large as the statements see it, so that no unit of one decides.
    sizes = np.abs(rows).max(axis=(0, 2))
    weights = 1.0 / np.where(sizes > 0.0, sizes, 1.0)
    rows = _normalized(rows * weights[:, None])
    degrees = polynomials.exponents + polynomials.exponents % 2 * np.asarray(polynomials.periodic)
    in_time, in_space = degrees[:, :offset].sum(axis=1), degrees[:, offset:].sum(axis=1)
    constant, linear, square = (_unseen(rows, (in_time == 0) & (in_space <= n)) for n in range(3))
    basis = linear if len(linear) == len(square) else constant
    if not len(basis):
        return []
    # Over half the extent h, T_1 = x / h - shift.
    h = polynomials.extent[offset:] / 2.0
    shift = polynomials.lower[offset:] / h + 1.0
    tables = basis[:, :, _columns(polynomials, offset, 0)]
    tables[..., 0] -= tables[..., 1:] @ shift
    later = rows[:, :, _columns(polynomials, offset, 1)] if offset else None
    motions = []
    for table in _echelon(tables):
        physical = table * weights[:, None] / np.concatenate([[1.0], h])
        slopes, constants = physical[:, 1:], physical[:, 0]
        leading = next(entry for entry in (*slopes.flat, *constants) if entry)
        table[:, 0] += table[:, 1:] @ shift
        motions.append(Motion(slopes / leading, constants / leading, _goes_unseen(later, table)))
    return motions


def _columns(polynomials: Polynomials, offset: int, power: int) -> list[int]:
    """Return the places of 1 and of T_1 of every space coordinate, each times T_power of time."""
    size = polynomials.exponents.shape[1]
    wanted = np.zeros((size - offset + 1, size), dtype=int)
    wanted[:, :offset] = power
    wanted[1:, offset:] = np.eye(size - offset, dtype=int)
    return [int((polynomials.exponents == exponents).all(axis=1).argmax()) for exponents in wanted]


def _goes_unseen(rows: FloatArray | None, coefficients: FloatArray) -> bool:
    """Tell whether there are rows (M, U, K), and none of them sees a combination (U, K)."""
    if rows is None:
        return False
    seen = np.abs(np.einsum("muk,uk->m", rows, coefficients)).max()
    return bool(seen <= _NOTHING * np.abs(coefficients).max())


def _echelon(tables: FloatArray) -> FloatArray:
    """Return tables (n, U, 1 + d) reduced to few entries, the leading one 1, slopes before constants."""
    matrix = np.concatenate([tables[..., 1:].reshape(len(tables), -1), tables[..., 0]], axis=1)
    row = 0
    for column in range(matrix.shape[1]):
        if row == len(matrix):
            break
        matrix /= np.maximum(np.abs(matrix).max(axis=1, keepdims=True), np.finfo(float).tiny)
        best = row + int(np.abs(matrix[row:, column]).argmax())
        if abs(matrix[best, column]) <= _NOTHING:
            continue
        matrix[[row, best]] = matrix[[best, row]]
        matrix[row] /= matrix[row, column]
        others = np.arange(len(matrix)) != row
        matrix[others] -= np.outer(matrix[others, column], matrix[row])
        row += 1
    matrix[np.abs(matrix) <= _NOTHING * np.abs(matrix).max(axis=1, keepdims=True)] = 0.0
    slopes = matrix[:row, : -tables.shape[1]].reshape(row, *tables[0, :, 1:].shape)
    return np.concatenate([matrix[:row, -tables.shape[1] :, None], slopes], axis=2)


def _rows(instance: Instance, polynomials: Polynomials) -> FloatArray | None:
    """Return what the linearised statements see of every unknown's polynomials, (M, U, P).

    None where a statement has no value at any state.
    """
    size = len(instance.problem.unknowns)
    blocks = (*instance.equations, *instance.conditions)
    means = _MEANS[:1] if all(block.program.is_linear for block in blocks) else _MEANS
    stacked = []
    for block in blocks:
        count = _TIMES if isinstance(block.where, WholeDomain) else _POINTS
        try:
            places = instance.domain.collocate(block.where, count, rule="sobol", seed=_SEED)
            u = _states(instance, block, places.points, polynomials, means)
            rows, _ = polynomial_rows(block, _repeated(places, len(means)), polynomials, u, size)
        except PinnkanError:
            return None
        rows = rows[np.isfinite(rows).all(axis=(1, 2))]
        if not len(rows):
            return None
        stacked.append(_normalized(rows))
    return np.concatenate(stacked)


def _states(
    instance: Instance,
    block: ResidualBlock,
    points: FloatArray,
    polynomials: Polynomials,
    means: Sequence[float],
) -> FloatArray:
    """Return the derivatives that a block reads (C, S N), of polynomials near S means, the same in all."""
    rng = np.random.default_rng(_SEED)
    varied = rng.normal(size=(len(means), len(instance.scales), polynomials.count))
    varied *= np.where(np.asarray(means) == 0.0, 1.0, _VARIES)[:, None, None]
    varied[:, :, 0] += np.asarray(means)[:, None]
    coefficients = varied * np.asarray(instance.scales)[:, None]
    read = [coefficients[:, u] @ polynomials.derivative(channel, points).T for u, channel in block.reads]
    return np.array(read).reshape(len(read), len(means) * len(points))


def _repeated(places: CollocationSet, times: int) -> CollocationSet:
    """Return points so many times over."""
    normals = None if places.normals is None else np.tile(places.normals, (times, 1))
    points, weights = np.tile(places.points, (times, 1)), np.tile(places.weights / times, times)
    return CollocationSet(points, weights, normals, places.together)


def _normalized(rows: FloatArray) -> FloatArray:
    """Return rows (M, U, P) divided by their largest entries."""
    largest = np.abs(rows).max(axis=(1, 2), keepdims=True)
    return np.asarray(rows / np.where(largest > 0.0, largest, 1.0))


def _unseen(rows: FloatArray, chosen: BoolArray) -> FloatArray:
    """Return an orthonormal basis (n, U, P) of the combinations of chosen polynomials that no row sees."""
    size, count = rows.shape[1], int(chosen.sum())
    matrix = np.linalg.qr(rows[:, :, chosen].reshape(len(rows), -1), mode="r")
    _, singular, directions = np.linalg.svd(matrix)
    seen = int((singular > _UNSEEN * math.sqrt(len(rows))).sum())
    basis = np.zeros((size * count - seen, size, len(chosen)))
    basis[:, :, chosen] = directions[seen:].reshape(-1, size, count)
    return basis
