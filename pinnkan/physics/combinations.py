"""Which derivatives enter all equations through one combination only, so that it can travel by itself."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import sympy

from pinnkan.ground.derivatives import Collapsed, MultiIndex, Partial
from pinnkan.language.expressions import Names, derivative_symbols, partial_derivative, substitute, symbol
from pinnkan.language.problem.domains import number_at


def combination_symbol(unknown: int) -> sympy.Symbol:
    """Return the symbol of the combination of derivatives of an unknown."""
    return symbol("_L" if unknown == 0 else f"_L{unknown}")


@dataclass(frozen=True)
class Collapse:
    """Derivatives of one order that enter a set of residuals only through sum_k ratios[k] * d^alpha_k.

    Attributes:
        indices: The multi-indices alpha_k.
        symbols: Of every unknown, its derivatives by ``indices``, None where one does not occur.
        ratios: Expressions in the parameters, one per index; that of ``reference`` is 1.
        reference: Place of the index that the combination is scaled by.
    """

    indices: tuple[MultiIndex, ...]
    symbols: tuple[tuple[sympy.Symbol | None, ...], ...]
    ratios: tuple[sympy.Expr, ...]
    reference: int

    def apply(self, residual: sympy.Expr) -> sympy.Expr:
        """Write a residual in the combinations.

        A residual that reads the derivatives through L alone keeps its value when
        (u_xx, u_yy, ...) is moved to (L, 0, ...), which has the same combination.
        """
        moved = {leaf: sympy.Integer(0) for row in self.symbols for leaf in row if leaf is not None}
        for unknown, row in enumerate(self.symbols):
            if row[self.reference] is not None:
                moved[row[self.reference]] = combination_symbol(unknown)
        return substitute(residual, moved)

    def at(self, values: Mapping[str, float]) -> Collapsed | None:
        """Return the combination at parameter values, None where a ratio is not finite."""
        factors = [number_at(ratio, values) for ratio in self.ratios]
        if not all(map(math.isfinite, factors)):
            return None
        terms = zip(self.indices, factors, strict=True)
        return Collapsed(tuple((index, factor) for index, factor in terms if factor))


def find_collapse(residuals: Sequence[sympy.Expr], names: Names) -> Collapse | None:
    """Return the one combination of derivatives of an order in all residuals, None if there is none.

    The highest order that has one is taken: the channels of a combination hold, or nearly hold, the
    derivatives of lower order. Mixed derivatives belong to it where they can, and stay by themselves where
    they cannot.
    """
    leaves = {partial: leaf for r in residuals for leaf, partial in derivative_symbols(r, names).items()}
    for indices in _candidates(leaves):
        collapse = _collapse_of(indices, leaves, residuals, names)
        if collapse is not None:
            return collapse
    return None


def _candidates(partials: Mapping[Partial, sympy.Symbol]) -> Iterator[tuple[MultiIndex, ...]]:
    """Yield sets of multi-indices to try: of each order all that occur, then those along one coordinate."""
    present = sorted({partial.orders for partial in partials}, key=lambda index: [-power for power in index])
    for order in sorted({sum(index) for index in present}, reverse=True):
        if order > 1:
            every = tuple(index for index in present if sum(index) == order)
            unmixed = tuple(index for index in every if max(index) == order)
            yield every
            if 0 < len(unmixed) < len(every):
                yield unmixed


def _collapse_of(
    indices: tuple[MultiIndex, ...],
    leaves: Mapping[Partial, sympy.Symbol],
    residuals: Sequence[sympy.Expr],
    names: Names,
) -> Collapse | None:
    """Return the combination of some derivatives in all residuals, None if there is none.

    The ratios of the residuals' slopes in them must be constants or depend on the parameters alone, and be
    the same for all unknowns that have such derivatives; a single derivative has nothing to collapse.
    """
    symbols = tuple(
        tuple(leaves.get(Partial(unknown, index)) for index in indices)
        for unknown in range(len(names.unknowns))
    )
    rows = []
    for row in symbols:
        if not any(row):
            continue
        if sum(leaf is not None for leaf in row) < 2:
            return None
        ratios = _ratios(residuals, row, names)
        if ratios is None:
            return None
        rows.append(ratios)
    if not rows or any(row != rows[0] for row in rows):
        return None
    reference, quotients = rows[0]
    return Collapse(indices, symbols, quotients, reference)


def _ratios(
    residuals: Sequence[sympy.Expr], symbols: Sequence[sympy.Symbol | None], names: Names
) -> tuple[int, tuple[sympy.Expr, ...]] | None:
    """Return what one unknown's derivatives are scaled by, and their ratios; None if these differ."""
    present = [place for place, leaf in enumerate(symbols) if leaf is not None]
    parameters = {symbol(name) for name in names.parameters}
    rows = []
    for residual in residuals:
        slopes = {place: partial_derivative(residual, symbols[place]) for place in present}
        # A slope free of parameters is finite and not zero at every value: the best one to divide by.
        reference = min(
            present, key=lambda place: (slopes[place] == 0, len(slopes[place].free_symbols & parameters))
        )
        if slopes[reference] == 0:
            continue
        quotients = [slopes.get(k, sympy.Integer(0)) / slopes[reference] for k in range(len(symbols))]
        # A quotient of equal exponentials cancels only on request.
        rows.append((reference, [q if q.free_symbols <= parameters else sympy.powsimp(q) for q in quotients]))
    if not rows or any(row != rows[0] for row in rows):
        return None
    reference, ratios = rows[0]
    if any(ratio.free_symbols - parameters for ratio in ratios):
        return None
    return reference, tuple(ratios)
