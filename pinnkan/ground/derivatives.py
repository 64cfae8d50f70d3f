"""Names of derivatives: multi-indices, fixed combinations of them, and derivatives of one of the unknowns.

A *multi-index* ``(0, 2, 1)`` names the derivative d^3 / (dx_1^2 dx_2) of a
function of ``D = 3`` coordinates; ``(0, 0, 0)`` is the value. A *collapsed*
channel names one fixed combination of derivatives of one order, a Laplacian,
u_tt - laplace(u) or biharmonic(u), which travels as a single channel (collapsed
Taylor mode, Dangel et al., arXiv 2505.13644).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

MultiIndex = tuple[int, ...]


def value_index(dimension: int) -> MultiIndex:
    """Return the multi-index of a function of D coordinates itself."""
    return (0,) * dimension


def pure_index(axis: int, dimension: int, order: int = 1) -> MultiIndex:
    """Return the multi-index of d^order / dx_axis^order, of the first derivative unless said otherwise."""
    return raised(value_index(dimension), axis, order)


def raised(index: MultiIndex, axis: int, by: int = 1) -> MultiIndex:
    """Return the multi-index of a derivative's derivative along an axis."""
    return (*index[:axis], index[axis] + by, *index[axis + 1 :])


def lowered(index: MultiIndex) -> tuple[int, MultiIndex]:
    """Return the first axis that a derivative is taken along, and the derivative with one less along it."""
    axis = next(axis for axis, order in enumerate(index) if order)
    return axis, raised(index, axis, -1)


@dataclass(frozen=True)
class Collapsed:
    """The combination sum_k c_k d^alpha_k of derivatives of one order as one channel.

    Attributes:
        terms: Multi-indices alpha_k, all of the same order, with their factors c_k, none of them 0.
    """

    terms: tuple[tuple[MultiIndex, float], ...]


Channel = MultiIndex | Collapsed


def terms_of(channel: Channel) -> tuple[tuple[MultiIndex, float], ...]:
    """Return a channel as partial derivatives with their factors."""
    return channel.terms if isinstance(channel, Collapsed) else ((channel, 1.0),)


class Derivative(NamedTuple):
    """A derivative of one of the unknowns.

    Attributes:
        unknown: Position of the unknown among the problem's.
        channel: Which derivative of it.
    """

    unknown: int
    channel: Channel


class Partial(NamedTuple):
    """A partial derivative of one of the unknowns, as formulas name it.

    Attributes:
        unknown: Position of the unknown among the problem's.
        orders: Its multi-index.
    """

    unknown: int
    orders: MultiIndex


def derivatives_of(partials: Iterable[Partial]) -> list[Derivative]:
    """Return partial derivatives as derivatives, whose channels may be combinations."""
    return [Derivative(unknown, index) for unknown, index in partials]
