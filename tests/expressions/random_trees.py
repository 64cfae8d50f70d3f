"""Random expressions as text, with an independent value in 50 digits from mpmath."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import mpmath
from hypothesis import assume
from hypothesis import strategies as st

# Distance from a kink or a switch below which double precision may take the other branch.
GAP = 1e-6


@dataclass(frozen=True)
class Random:
    """A tree: a leaf's text, or an operation on trees."""

    operation: str
    operands: tuple[Any, ...] = ()

    def text(self) -> str:
        parts = [operand.text() for operand in self.operands]
        match self.operation:
            case "+" | "-" | "*" | "^":
                return f"({parts[0]} {self.operation} {parts[1]})"
            case "/":
                # Bounded away from zero, so that the value is well conditioned.
                return f"({parts[0]}/(1.5 + sin({parts[1]})))"
            case "neg":
                return f"(-{parts[0]})"
            case "exp" | "sinh" | "cosh" | "tan":
                return f"{self.operation}(sin({parts[0]}))"
            case "sqrt" | "log":
                return f"{self.operation}(1 + ({parts[0]})^2)"
            case "power":
                return f"((1 + abs({parts[0]}))^(sin({parts[1]})))"
            case "where":
                return f"where({parts[0]} < {parts[1]} and {parts[0]} <= 7, {parts[2]}, {parts[3]})"
            case _ if parts:
                return f"{self.operation}({', '.join(parts)})"
        return self.operation

    def value(self, at: dict[str, Any]) -> Any:
        v = [operand.value(at) for operand in self.operands]
        match self.operation:
            case "+":
                return v[0] + v[1]
            case "-":
                return v[0] - v[1]
            case "*":
                return v[0] * v[1]
            case "^":
                return v[0] ** int(v[1])
            case "/":
                return v[0] / (mpmath.mpf(1.5) + mpmath.sin(v[1]))
            case "neg":
                return -v[0]
            case "exp" | "sinh" | "cosh" | "tan":
                return getattr(mpmath, self.operation)(mpmath.sin(v[0]))
            case "sqrt" | "log":
                return getattr(mpmath, self.operation)(1 + v[0] ** 2)
            case "sin" | "cos" | "tanh" | "erf":
                return getattr(mpmath, self.operation)(v[0])
            case "abs":
                assume(abs(v[0]) > GAP)
                return abs(v[0])
            case "power":
                assume(abs(v[0]) > GAP)
                return (1 + abs(v[0])) ** mpmath.sin(v[1])
            case "min" | "max":
                assume(abs(v[0] - v[1]) > GAP)
                return (min if self.operation == "min" else max)(v[0], v[1])
            case "where":
                assume(abs(v[0] - v[1]) > GAP and abs(v[0] - 7) > GAP)
                return v[2] if v[0] < v[1] and v[0] <= 7 else v[3]
        if self.operation in at:
            return at[self.operation]
        return mpmath.pi if self.operation == "pi" else mpmath.mpf(float(self.operation))


_leaves = st.sampled_from(["x", "y", "lambda", "x", "y", "1", "2", "3", "0.5", "0.1", "1e-1", "pi"]).map(
    Random
)
_exponents = st.sampled_from(["2", "3"]).map(Random)


def _grow(inner: st.SearchStrategy[Random]) -> st.SearchStrategy[Random]:
    one = st.sampled_from(
        ["neg", "sin", "cos", "tanh", "erf", "exp", "sinh", "cosh", "tan", "sqrt", "log", "abs"]
    )
    two = st.sampled_from(["+", "-", "*", "/", "min", "max", "power"])
    return (
        st.builds(lambda op, a: Random(op, (a,)), one, inner)
        | st.builds(lambda op, a, b: Random(op, (a, b)), two, inner, inner)
        | st.builds(lambda a, n: Random("^", (a, n)), inner, _exponents)
        | st.builds(lambda a, b, c, d: Random("where", (a, b, c, d)), inner, inner, inner, inner)
    )


trees = st.recursive(_leaves, _grow, max_leaves=8)
numbers = st.integers(-20, 20).map(lambda k: k / 8 + 0.01)
