"""The chain rule and the product rule among derivative channels, written down once a problem.

`Channels` closes a request under both (`pinnkan.ground.closure`) and holds the terms
that everything else applies:

* Faa di Bruno: (g o y)_alpha = sum_m g^(m)(y) B_{alpha,m}(y's channels), with the
  partial Bell polynomial B_{alpha,m}, a sum over the partitions of alpha in m blocks;
* Leibniz: (f h)_alpha = sum_{beta <= alpha} binom(alpha, beta) f_beta h_{alpha-beta}.

Both are linear in alpha, so a combination of derivatives has the combination of their rules.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import product

from pinnkan.ground.closure import Closure
from pinnkan.ground.derivatives import Channel, MultiIndex, terms_of


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
    """An ordered set of derivative channels, closed under the chain and the product rule, with both rules.

    Args:
        requested: The derivatives that residuals read, in any order.
        dimension: Number of coordinates D.

    Attributes:
        keys: All channels, the requested ones among them, the value first.
        order: Highest derivative of a univariate function that the chain rule needs.
        bell: The terms of Faa di Bruno's formula for every channel but the value.
        leibniz: The terms of Leibniz' formula for every channel.

    Raises:
        ValueError: If a multi-index does not have ``dimension`` entries.
    """

    def __init__(self, requested: Iterable[Channel], dimension: int) -> None:
        requested = list(requested)
        for key in requested:
            if any(len(index) != dimension for index, _ in terms_of(key)):
                raise ValueError(f"channel {key} does not belong to {dimension} coordinates")
        self.dimension = dimension
        self._closure = Closure(requested, dimension)
        self.keys = self._closure.keys
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
        by_order: dict[int, dict[tuple[int, ...], Fraction]] = {1: {(here,): Fraction(1)}}
        for index, weight in terms_of(key):
            labels = [axis for axis, power in enumerate(index) for _ in range(power)]
            for partition in _set_partitions(labels):
                if len(partition) > 1:
                    blocks = [_index_of(block, self.dimension) for block in partition]
                    summed = by_order.setdefault(len(partition), defaultdict(Fraction))
                    for factors, coefficient in self._in_channels(blocks):
                        summed[tuple(sorted(factors))] += Fraction(weight) * coefficient
        return [
            BellTerm(here, order, monomials)
            for order, summed in sorted(by_order.items())
            if (monomials := tuple(Monomial(float(c), factors) for factors, c in sorted(summed.items()) if c))
        ]

    def _leibniz_terms(self, key: Channel) -> list[Product]:
        here = self._position[key]
        summed: dict[tuple[int, ...], Fraction] = defaultdict(Fraction)
        summed |= {(here, 0): Fraction(1), (0, here): Fraction(1)}
        for index, weight in terms_of(key):
            for lower in product(*(range(power + 1) for power in index)):
                rest = tuple(power - part for power, part in zip(index, lower, strict=True))
                if not (any(lower) and any(rest)):
                    continue
                binomial = math.prod(map(math.comb, index, lower))
                for factors, coefficient in self._in_channels([lower, rest]):
                    summed[factors] += Fraction(weight) * binomial * coefficient
        return [Product(here, float(c), *factors) for factors, c in summed.items() if c]

    def _in_channels(self, indices: list[MultiIndex]) -> Iterator[tuple[tuple[int, ...], Fraction]]:
        """Yield a product of derivatives as products of channels: their positions, and the factor."""
        for parts in product(*(self._closure.coordinates(index).items() for index in indices)):
            factors = tuple(self._position[channel] for channel, _ in parts)
            yield factors, math.prod((factor for _, factor in parts), start=Fraction(1))


def _index_of(block: list[int], dimension: int) -> MultiIndex:
    counts = Counter(block)
    return tuple(counts[axis] for axis in range(dimension))


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
