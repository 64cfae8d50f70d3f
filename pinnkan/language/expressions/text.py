"""Symbolic forms to text that SymPy and our own parser read back."""

from __future__ import annotations

from typing import Any

import sympy
from sympy.printing.str import StrPrinter

from pinnkan.language.expressions.piecewise import LessEqual


class _Printer(StrPrinter):  # type: ignore[misc]
    """SymPy's notation, with constants to the last bit and no name that Python or SymPy would misread."""

    def _print_Float(self, expr: Any) -> str:
        return repr(float(expr))

    def _print_Exp1(self, expr: Any) -> str:
        return "exp(1)"

    def _print_Symbol(self, expr: Any) -> str:
        return "lamda" if expr.name == "lambda" else str(expr.name)

    def _print_cot(self, expr: Any) -> str:
        return f"(1/tan({self._print(expr.args[0])}))"

    def _print_Less(self, expr: Any) -> str:
        return f"{self._print(expr.args[0])} < {self._print(expr.args[1])}"

    def _print_LessEqual(self, expr: Any) -> str:
        return f"{self._print(expr.args[0])} <= {self._print(expr.args[1])}"

    def _print_Both(self, expr: Any) -> str:
        return f"And({self.stringify(expr.args, ', ')})"

    def _print_Either(self, expr: Any) -> str:
        return f"Or({self.stringify(expr.args, ', ')})"

    def _print_Where(self, expr: Any) -> str:
        condition, a, b = expr.args
        if isinstance(condition, LessEqual):
            low, high = condition.args
            if low == 0 and (high, -high) == (a, b):
                return f"Abs({self._print(a)})"
            if (low, high) == (b, a):
                return f"Max({self._print(a)}, {self._print(b)})"
            if (low, high) == (a, b):
                return f"Min({self._print(a)}, {self._print(b)})"
        return f"Piecewise(({self._print(a)}, {self._print(condition)}), ({self._print(b)}, True))"


class _Display(_Printer):
    """The same for people, who know the parameter by the name that they gave it."""

    def _print_Symbol(self, expr: Any) -> str:
        return str(expr.name)


def canonical_text(expr: Any) -> str:
    """Write an expression so that ``sympy.sympify`` and ``parse_expression`` give it back.

    Constants are exact, e is ``exp(1)``, and the parameter ``lambda`` is
    spelled ``lamda`` as SymPy does, because Python reserves the word.
    """
    return str(_Printer().doprint(sympy.sympify(expr)))


def display_text(expr: Any) -> str:
    """Write an expression for a message: as `canonical_text`, with ``lambda`` under its own name."""
    return str(_Display().doprint(sympy.sympify(expr)))
