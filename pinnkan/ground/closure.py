"""The least set of derivatives that is closed under the product and the chain rule.

The derivatives of order j that the rules for a combination P = sum_k c_k d^alpha_k of order m read are not
all those below its alpha_k, but the space

    V_j = span{ d^beta P / d xi^beta : |beta| = m - j },   P(xi) = sum_k c_k xi^alpha_k its symbol:

the factor of d^gamma h in P(f h) is the derivative of f with symbol (1 / gamma!) d^gamma P / d xi^gamma
(Macaulay's inverse system of P). The Laplacian needs its slopes beside it, the biharmonic operator in the
plane 1 + 2 + 3 + 2 + 1 = 9 channels where thirteen multi-indices lie below its terms.

All products that the rules form lie in tensor products of these spaces, so a rule written in multi-indices
becomes one in a basis of them by replacing each multi-index with its coordinates in that basis, which are
read off at the pivots of a reduced echelon form. The arithmetic is that of fractions; only the factors that
a basis vector has in its name are rounded to floats.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from fractions import Fraction
from itertools import product
from typing import TypeVar

from pinnkan.ground.derivatives import Channel, Collapsed, MultiIndex, terms_of, value_index

_Key = TypeVar("_Key")

Symbol = dict[MultiIndex, Fraction]
"""A homogeneous polynomial: the factors of its monomials, none of them 0."""


class Closure:
    """The channels that a request needs, and multi-indices in their terms.

    Args:
        requested: Multi-indices and combinations over the same coordinates, in any order.
        dimension: Number of coordinates D.

    Attributes:
        keys: The channels: multi-indices by order, the value first, then combinations by order.
    """

    def __init__(self, requested: Iterable[Channel], dimension: int) -> None:
        requested = list(requested)
        plain = {value_index(dimension)}
        for index in (channel for channel in requested if not isinstance(channel, Collapsed)):
            plain.update(product(*(range(power + 1) for power in index)))
        combined = {channel for channel in requested if isinstance(channel, Collapsed)}
        self._echelon = _Echelon()
        stated: list[Channel] = [*_sorted_indices(plain), *_sorted_combinations(combined)]
        for channel in stated:
            self._echelon.add(channel, symbol_of(channel))
        slopes = [
            slope for channel in _sorted_combinations(combined) for slope in _slopes(symbol_of(channel))
        ]
        for slope in self._echelon.beyond(slopes):
            further = _named(slope)
            self._echelon.add(further, slope)
            if isinstance(further, Collapsed):
                combined.add(further)
            else:
                plain.add(further)
        self.keys: tuple[Channel, ...] = (*_sorted_indices(plain), *_sorted_combinations(combined))

    def coordinates(self, index: MultiIndex) -> Mapping[Channel, Fraction]:
        """Return what stands for a multi-index in the rules: channels with factors, none if it cancels."""
        return self._echelon.coordinates.get(index, {})


def symbol_of(channel: Channel) -> Symbol:
    """Return a channel's symbol: sum_k c_k xi^alpha_k for the derivative sum_k c_k d^alpha_k."""
    return {index: Fraction(factor) for index, factor in terms_of(channel)}


class _Echelon:
    """Symbols in reduced echelon form, each row with the combination of channels that it is.

    Attributes:
        rows: By pivot, a symbol whose factor is 1 there and 0 at all other pivots.
        coordinates: By pivot, the same row as channels with factors.
    """

    def __init__(self) -> None:
        self.rows: dict[MultiIndex, Symbol] = {}
        self.coordinates: dict[MultiIndex, dict[Channel, Fraction]] = {}

    def add(self, channel: Channel, symbol: Symbol) -> None:
        """Take a channel in; one that the others span already changes nothing."""
        rest, made_of = dict(symbol), {channel: Fraction(1)}
        for pivot, factor in symbol.items():
            if pivot in self.rows:
                rest = _sum(rest, self.rows[pivot], -factor)
                made_of = _sum(made_of, self.coordinates[pivot], -factor)
        if not rest:
            return
        # The largest factor, so that the division enlarges none.
        pivot = max(rest, key=lambda index: (abs(rest[index]), index))
        row, made_of = _sum({}, rest, 1 / rest[pivot]), _sum({}, made_of, 1 / rest[pivot])
        for other in self.rows:
            factor = self.rows[other].get(pivot, Fraction(0))
            self.rows[other] = _sum(self.rows[other], row, -factor)
            self.coordinates[other] = _sum(self.coordinates[other], made_of, -factor)
        self.rows[pivot], self.coordinates[pivot] = row, made_of

    def beyond(self, symbols: Iterable[Symbol]) -> list[Symbol]:
        """Return what symbols span beyond the rows, in reduced echelon form: monomials where it can be."""
        trial = _Echelon()
        trial.rows, trial.coordinates = dict(self.rows), dict(self.coordinates)
        for symbol in symbols:
            trial.add(_named(symbol), symbol)
        return [row for pivot, row in trial.rows.items() if pivot not in self.rows]


def _sum(
    left: Mapping[_Key, Fraction], right: Mapping[_Key, Fraction], factor: Fraction
) -> dict[_Key, Fraction]:
    """Return left + factor * right without its zeros."""
    total = dict(left)
    for key, value in right.items():
        total[key] = total.get(key, Fraction(0)) + factor * value
    return {key: value for key, value in total.items() if value}


def _slopes(symbol: Symbol) -> list[Symbol]:
    """Return all derivatives of a symbol but itself, down to those of the first order."""
    order = sum(next(iter(symbol)))
    powers = product(range(order), repeat=len(next(iter(symbol))))
    slopes = (_slope(symbol, power) for power in powers if 0 < sum(power) < order)
    return [slope for slope in slopes if slope]


def _slope(symbol: Symbol, powers: MultiIndex) -> Symbol:
    """Return d^powers of a polynomial."""
    slope = {}
    for index, factor in symbol.items():
        if all(high >= low for high, low in zip(index, powers, strict=True)):
            lower = tuple(high - low for high, low in zip(index, powers, strict=True))
            slope[lower] = factor * math.prod(math.perm(*pair) for pair in zip(index, powers, strict=True))
    return slope


def _named(symbol: Symbol) -> Channel:
    """Return the channel of a symbol: of one monomial its multi-index, whatever the factor."""
    indices = _sorted_indices(symbol)
    return indices[0] if len(indices) == 1 else Collapsed(tuple((i, float(symbol[i])) for i in indices))


def _sorted_indices(indices: Iterable[MultiIndex]) -> list[MultiIndex]:
    return sorted(indices, key=lambda index: (sum(index), [-power for power in index]))


def _sorted_combinations(combinations: Iterable[Collapsed]) -> list[Collapsed]:
    def place(combination: Collapsed) -> tuple[object, ...]:
        factors = [factor for _, factor in combination.terms]
        return sum(combination.terms[0][0]), factors, combination.terms

    return sorted(combinations, key=place)
