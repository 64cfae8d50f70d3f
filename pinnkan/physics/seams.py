"""The seam of a periodic coordinate, where its two ends are one place: what is given must agree there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import sympy
import torch

from pinnkan.geometry import Domain, Interior
from pinnkan.ground.arrays import FloatArray
from pinnkan.ground.derivatives import Channel, terms_of
from pinnkan.ground.errors import PinnkanError
from pinnkan.language.expressions import ExpressionFault, Names, evaluate, total_derivative
from pinnkan.physics.blocks import ResidualBlock
from pinnkan.physics.magnitudes.scales import half_extents

DIFFERS = 1e-5
"""Share of their largest value by which data may differ across a seam, as a soliton's tail does by 1e-6."""
_POINTS, _SEED = 100, 662_607
_INSET = 1e-9
"""Share of the period by which derivatives are taken inside the ends, at which a switch may stand."""
_ROUNDING = 1e-9


@dataclass(frozen=True)
class SeamGap:
    """A difference between the two ends of a periodic coordinate.

    Attributes:
        coordinate: Its name.
        order: Of the derivative along it that differs; 0 for the values themselves.
        gap: How large it is.
        size: The largest absolute value of what differs.
        point: The place at the lower end, (D,).
    """

    coordinate: str
    order: int
    gap: float
    size: float
    point: FloatArray

    def text(self, names: Sequence[str]) -> str:
        """Write how large it is and where, the coordinate itself left out."""
        place = ", ".join(
            f"{name} = {x:.4g}" for name, x in zip(names, self.point, strict=True) if name != self.coordinate
        )
        where = f" at {place}" if place else ""
        return f"by {self.gap:.4g}{where}, where its largest value is {self.size:.4g}"


def formula_gap(
    formula: sympy.Expr,
    orders: Sequence[int],
    domain: Domain,
    names: Names,
    values: Mapping[str, float],
) -> SeamGap | None:
    """Return where a formula, or a derivative of it, differs across a seam; None if it does not.

    Args:
        formula: In the coordinates and parameters.
        orders: How many derivatives along each coordinate must agree, the value counted, (D,).
        domain: The domain.
        names: Of the problem.
        values: Of the parameters.
    """
    points = domain.collocate(Interior(), _POINTS, rule="random", seed=_SEED).points
    for axis in np.flatnonzero(domain.periodic).tolist():
        derived = formula
        for order in range(orders[axis]):
            if order:
                derived = total_derivative(derived, names.coordinates[axis], names)
            low, high = _ends(points, axis, domain, _INSET if order else 0.0)
            try:
                inside, first, last = (
                    evaluate([derived], names.coordinates, places, values)[0]
                    for places in (points, low, high)
                )
            except (PinnkanError, ExpressionFault):
                break  # without a value there: said where the formula itself is used
            gap = _largest(names.coordinates[axis], order, inside, first, last, low)
            if gap is not None:
                return gap
    return None


def block_gap(block: ResidualBlock, domain: Domain, scales: Sequence[float]) -> SeamGap | None:
    """Return where what is given in an equation or condition differs across a seam; None if it does not.

    That is what its data are at the two ends, unless the residual of one and the same unknown agrees
    nevertheless: 2 pi x in sin(2 pi x + u) does not matter.

    Args:
        block: The equation or condition.
        domain: The domain.
        scales: Of the unknowns.
    """
    places = domain.collocate(block.where, _POINTS, rule="random", seed=_SEED)
    for axis in np.flatnonzero(domain.periodic).tolist():
        low, high = _ends(places.points, axis, domain, 0.0)
        try:
            rows = [block.data(points, places.normals) for points in (places.points, low, high)]
        except PinnkanError:
            continue
        gaps = [
            gap
            for inside, first, last in zip(*rows, strict=True)
            if (gap := _largest(domain.coordinates[axis], 0, inside, first, last, low)) is not None
        ]
        if gaps and not _agree(block, rows[1], rows[2], domain, scales):
            return gaps[0]
    return None


def _ends(points: FloatArray, axis: int, domain: Domain, inset: float) -> tuple[FloatArray, FloatArray]:
    """Return points (N, D) moved to the lower and to the upper end of a coordinate."""
    lower, upper = domain.bounding_box
    low, high = points.copy(), points.copy()
    low[:, axis] = lower[axis] + inset * (upper[axis] - lower[axis])
    high[:, axis] = upper[axis] - inset * (upper[axis] - lower[axis])
    return low, high


def _largest(
    coordinate: str, order: int, inside: FloatArray, low: FloatArray, high: FloatArray, points: FloatArray
) -> SeamGap | None:
    """Return the largest gap of values (N,) at the ends, None if it is small beside those inside."""
    gap = np.abs(high - low)
    worst = int(gap.argmax())
    size = max(float(np.abs(values).max()) for values in (inside, low, high))
    if not gap[worst] > DIFFERS * size:
        return None
    return SeamGap(coordinate, order, float(gap[worst]), size, points[worst])


def _agree(
    block: ResidualBlock, low: FloatArray, high: FloatArray, domain: Domain, scales: Sequence[float]
) -> bool:
    """Tell whether the residual of random derivatives of the unknown is the same with either data (E, N)."""
    rng, halves = np.random.default_rng(_SEED), np.asarray(half_extents(domain))
    rows = [
        rng.normal(size=low.shape[1]) * scales[unknown] * _size(channel, halves)
        for unknown, channel in block.reads
    ]
    u = torch.from_numpy(np.array(rows).reshape(len(rows), low.shape[1]))
    first, last = (block.residual(torch.from_numpy(data.copy()), u).numpy() for data in (low, high))
    return bool(np.abs(last - first).max() <= _ROUNDING * max(np.abs(first).max(), np.abs(last).max()))


def _size(channel: Channel, halves: FloatArray) -> float:
    """Return the size of a derivative of a function of size 1 that varies over half the domain."""
    sizes = [abs(c) * np.prod(halves ** -np.array(index, dtype=float)) for index, c in terms_of(channel)]
    return float(sum(sizes))
