"""Separation of what an expression reads of the unknowns from what is known at a point beforehand."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from pinnkan.language.expressions.names import symbol


def split_data(exprs: Sequence[Any], unknown_symbols: Collection[Any]) -> tuple[list[Any], list[Any]]:
    """Pull the largest parts free of unknowns out of expressions.

    ``-(1 + x^2) u_xx + u_x^2 - f(x)`` becomes ``_d0 u_xx + u_x^2 + _d1`` with
    data ``-(1 + x^2)`` and ``-f(x)``: coefficients and sources are computed
    once a point set, in double precision, and the residual stays short. All
    known terms of a sum, and all known factors of a product, make one datum,
    so that singular parts that cancel (1/r - x^2/r^3) stay together.

    Args:
        exprs: Residuals.
        unknown_symbols: The symbols that are not known beforehand.

    Returns:
        The data expressions, and the residuals in the unknown symbols and
        ``_d0``, ``_d1``, ... in the order of the data.
    """
    data: dict[Any, Any] = {}
    unknowns = frozenset(unknown_symbols)
    free: dict[Any, bool] = {}

    def is_free(part: Any) -> bool:
        if part not in free:
            free[part] = part not in unknowns and all(is_free(arg) for arg in part.args)
        return free[part]

    def datum(part: Any) -> Any:
        if part.is_number:
            return part
        return data.setdefault(part, symbol(f"_d{len(data)}"))

    def reduced(part: Any) -> Any:
        if is_free(part):
            return datum(part)
        if part in unknowns:
            return part
        if part.is_Add or part.is_Mul:
            known = part.func(*(arg for arg in part.args if is_free(arg)))
            return part.func(datum(known), *(reduced(arg) for arg in part.args if not is_free(arg)))
        return part.func(*(reduced(arg) for arg in part.args))

    results = [reduced(expr) for expr in exprs]
    return list(data), results
