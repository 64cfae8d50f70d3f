"""An edge's own expansion in its basis as an expression: exact for polynomials and Fourier series."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import sympy

from pinnkan.networks.bases import Basis, Chebyshev, Fourier, Legendre, Taylor


def _wave(k: int, x: Any) -> Any:
    """Return function k of 1, cos x, sin x, cos 2x, ..."""
    if k == 0:
        return sympy.Integer(1)
    return sympy.cos((k + 1) // 2 * x) if k % 2 else sympy.sin((k + 1) // 2 * x)


_FUNCTIONS: dict[type[Basis], Callable[[int, Any], Any]] = {
    Chebyshev: sympy.chebyshevt,
    Legendre: sympy.legendre,
    Taylor: lambda k, x: x**k,
    Fourier: _wave,
}


def has_expansion(basis: Basis) -> bool:
    """Tell whether the functions of a basis have an expression in one piece, as splines have not."""
    return type(basis) in _FUNCTIONS


def expansion(basis: Basis, coefficients: Sequence[float], x: Any) -> Any:
    """Return sum_k coefficients[k] b_k(x), polynomials in powers of x.

    Raises:
        KeyError: If the basis has no functions in closed form (B-splines).
    """
    function = _FUNCTIONS[type(basis)]
    inner = sympy.Dummy()
    terms = [sympy.Float(c) * function(k, inner) for k, c in enumerate(coefficients)]
    return sympy.expand(sympy.Add(*terms)).subs(inner, x)
