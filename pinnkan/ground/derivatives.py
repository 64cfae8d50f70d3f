"""Derivative channels: which partial derivatives travel through a network, and the calculus among them.

A *multi-index* ``(0, 2, 1)`` names the derivative d^3 / (dx_1^2 dx_2) of a
function of ``D = 3`` coordinates; ``(0, 0, 0)`` is the value. A *collapsed*
channel names one fixed combination sum_i c_i d^2/dx_i^2, a Laplacian or
u_tt - laplace(u), which travels as a single channel (collapsed Taylor mode,
Dangel et al., arXiv 2505.13644).

`Channels` closes a request under the chain rule and writes down, once a
problem, the two rules that everything else applies:

* Faa di Bruno: (g o y)_alpha = sum_m g^(m)(y) B_{alpha,m}(y's channels), with the
  partial Bell polynomial B_{alpha,m}, a sum over the partitions of alpha in m blocks;
* Leibniz: (f h)_alpha = sum_{beta <= alpha} binom(alpha, beta) f_beta h_{alpha-beta}.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product
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
    """The combination sum_i coefficients[i] * d^2/dx_i^2 as one channel, shape of coefficients (D,)."""

    coefficients: tuple[float, ...]

    @property
    def terms(self) -> tuple[tuple[MultiIndex, float], ...]:
        """Its derivatives with their factors, those that are zero left out."""
        size = len(self.coefficients)
        return tuple((pure_index(axis, size, 2), c) for axis, c in enumerate(self.coefficients) if c != 0.0)


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


@dataclass(frozen=True)
class Monomial:
    """``coefficient * prod_f y[f]`` over channel positions ``factors``."""

    coefficient: float
    factors: tuple[int, ...]


@dataclass(frozen=True)
class BellTerm:
    """One summand g^(order)(y) * sum(monomials) of Faa di Bruno's formula for one channel."""

    channel: int
    order: int
    monomials: tuple[Monomial, ...]


@dataclass(frozen=True)
class Product:
    """One summand coefficient * f[left] * h[right] of Leibniz' formula for one channel."""

    channel: int
    coefficient: float
    left: int
    right: int


class Channels:
    """A closed, ordered set of derivative channels with its chain and product rules.

    Args:
        requested: The derivatives that residuals read, in any order.
        dimension: Number of coordinates D.

    Attributes:
        keys: All channels, closed downwards, the value first; requested ones included.
        order: Highest derivative of a univariate function that the chain rule needs.
        bell: The terms of Faa di Bruno's formula for every channel but the value.
        leibniz: The terms of Leibniz' formula for every channel.

    Raises:
        ValueError: If a multi-index does not have ``dimension`` entries.
    """

    def __init__(self, requested: Iterable[Channel], dimension: int) -> None:
        self.dimension = dimension
        self.keys = _closure(requested, dimension)
        self._position = {key: position for position, key in enumerate(self.keys)}
        self.bell = tuple(term for key in self.keys[1:] for term in self._bell_terms(key))
        self.leibniz = tuple(term for key in self.keys for term in self._leibniz_terms(key))
        self.order = max((term.order for term in self.bell), default=0)

    def __len__(self) -> int:
        return len(self.keys)

    def position(self, key: Channel) -> int:
        """Return the place of ``key`` in ``keys``."""
        return self._position[key]

    def _bell_terms(self, key: Channel) -> list[BellTerm]:
        here = self._position[key]
        if isinstance(key, Collapsed):
            squares = tuple(
                Monomial(c, (self._position[pure_index(axis, self.dimension)],) * 2)
                for axis, c in enumerate(key.coefficients)
                if c != 0.0
            )
            return [BellTerm(here, 1, (Monomial(1.0, (here,)),)), BellTerm(here, 2, squares)]
        by_order: dict[int, Counter[tuple[int, ...]]] = {}
        labels = [axis for axis, power in enumerate(key) for _ in range(power)]
        for partition in _set_partitions(labels):
            factors = tuple(sorted(self._position[_index_of(block, self.dimension)] for block in partition))
            by_order.setdefault(len(partition), Counter())[factors] += 1
        return [
            BellTerm(
                here,
                order,
                tuple(Monomial(float(count), factors) for factors, count in sorted(found.items())),
            )
            for order, found in sorted(by_order.items())
        ]

    def _leibniz_terms(self, key: Channel) -> list[Product]:
        here = self._position[key]
        if isinstance(key, Collapsed):
            cross = [
                Product(here, 2.0 * c, self._position[unit], self._position[unit])
                for axis, c in enumerate(key.coefficients)
                if c != 0.0 and (unit := pure_index(axis, self.dimension))
            ]
            return [Product(here, 1.0, here, 0), Product(here, 1.0, 0, here), *cross]
        terms = []
        for lower in product(*(range(power + 1) for power in key)):
            rest = tuple(power - part for power, part in zip(key, lower, strict=True))
            binomial = math.prod(math.comb(power, part) for power, part in zip(key, lower, strict=True))
            terms.append(Product(here, float(binomial), self._position[lower], self._position[rest]))
        return terms


def _index_of(block: list[int], dimension: int) -> MultiIndex:
    counts = Counter(block)
    return tuple(counts[axis] for axis in range(dimension))


def _closure(requested: Iterable[Channel], dimension: int) -> tuple[Channel, ...]:
    """Order the downward closure by total order, collapsed channels last."""
    plain: set[MultiIndex] = {value_index(dimension)}
    collapsed: list[Collapsed] = []
    for key in requested:
        size = len(key.coefficients) if isinstance(key, Collapsed) else len(key)
        if size != dimension:
            raise ValueError(f"channel {key} does not belong to {dimension} coordinates")
        if isinstance(key, Collapsed):
            plain.update(pure_index(axis, dimension) for axis, c in enumerate(key.coefficients) if c != 0.0)
            if key not in collapsed:
                collapsed.append(key)
        else:
            plain.update(product(*(range(power + 1) for power in key)))
    ordered = sorted(plain, key=lambda index: (sum(index), [-power for power in index]))
    return (*ordered, *sorted(collapsed, key=lambda key: key.coefficients))


def _set_partitions(labels: list[int]) -> Iterator[list[list[int]]]:
    """Yield the partitions of a list of labelled items into non-empty blocks."""
    if not labels:
        yield []
        return
    first, rest = labels[0], labels[1:]
    for partition in _set_partitions(rest):
        yield [[first], *partition]
        for position, block in enumerate(partition):
            yield [*partition[:position], [first, *block], *partition[position + 1 :]]
