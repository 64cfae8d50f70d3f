"""The formulas of a problem file as SymPy's, read by Python: a second reader beside the program's.

It knows the language as far as the files of systems speak it, trusts their text, and shares no line with the
program: `^` is `**` of Python, `[a, b]` a column, other names are of this file or the problem.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import sympy
import yaml

FUNCTIONS = ("sin", "cos", "tan", "exp", "log", "sqrt", "tanh", "sinh", "cosh", "erf", "pi")


class WrittenFormulas(dict[str, Any]):
    """What every name of a file stands for, its unknowns being their exact formulas.

    Attributes:
        file: What the file says.
        space: Symbols of the space coordinates.
        symbols: Symbols of time, space and parameters, in this order.
    """

    def __init__(self, text: str) -> None:
        self.file: dict[str, Any] = yaml.load(text, yaml.BaseLoader)  # YAML would take "on" for true
        time = [sympy.Symbol(name) for name in self.file.get("time", ())]
        self.space = [sympy.Symbol(name) for name in self.file.get("coordinates", ())]
        self.symbols = [*time, *self.space, *map(sympy.Symbol, self.file["family"])]
        super().__init__({str(symbol): symbol for symbol in self.symbols})
        self.update({name: getattr(sympy, name) for name in FUNCTIONS})
        self.update({f"d{symbol}": self._derivative_by(symbol) for symbol in (*time, *self.space)})
        self.update(column=column, dot=dot, sym=lambda a: (a + a.T) / 2, trace=sympy.trace)
        self.update(grad=self.grad, div=self.div, laplace=self.laplace, advect=self.advect, curl=self.curl)
        self["I"] = sympy.eye(len(self.space))
        self.exact = {name: self.read(text) for name, text in self.file.get("exact", {}).items()}
        self.update(self.exact)
        self["exact"] = SimpleNamespace(**self.exact)

    def __missing__(self, name: str) -> Any:
        if name in self.file.get("definitions", {}):
            return self.read(self.file["definitions"][name])
        head, _, letters = name.rpartition("_")
        value = self[head]
        for letter in letters:
            value = value.diff(sympy.Symbol(letter))
        return value

    def read(self, text: str | list[str]) -> Any:
        """Return a formula, or a vector from a list; the text is one of the repository's own."""
        if isinstance(text, list):
            return column(*map(self.read, text))
        python = text.replace("^", "**").replace("[", "column(").replace("]", ")")
        return sympy.sympify(eval(python, {"__builtins__": {}}, self))

    def residual(self, equation: str) -> sympy.Matrix:
        """Return left minus right of an equation, as a column of one or more rows."""
        left, right = map(self.read, equation.split("="))
        difference = left - right
        return difference if isinstance(difference, sympy.MatrixBase) else sympy.Matrix([difference])

    def compiled(self, formula: Any) -> Callable[[np.ndarray, Mapping[str, float]], np.ndarray]:
        """Return the rows of a formula as a function of points (N, D) and parameters, shape (rows, N)."""
        rows = list(formula) if isinstance(formula, sympy.MatrixBase) else [formula]
        function = sympy.lambdify(self.symbols, rows, "numpy")

        def values(points: np.ndarray, parameters: Mapping[str, float]) -> np.ndarray:
            found = function(*points.T, *(parameters[name] for name in self.file["family"]))
            return np.array([np.broadcast_to(row, len(points)) for row in found])

        return values

    def interval(self, name: str, parameters: Mapping[str, float]) -> list[float]:
        """Return both ends of a coordinate."""
        ends = self.file.get("time", {}).get(name) or self.file["domain"][name]
        return [float(self.read(end).subs(dict(parameters))) for end in ends]

    def grad(self, f: Any) -> sympy.Matrix:
        """Return the column of f_x, f_y, or of a vector the matrix whose row i is grad(f_i)."""
        return sympy.Matrix([f]).jacobian(self.space) if is_vector(f) else column(*map(f.diff, self.space))

    def div(self, f: sympy.Matrix) -> Any:
        """Return the sum of the derivatives over the last index."""
        if is_vector(f):
            return sum(part.diff(x) for part, x in zip(f, self.space, strict=True))
        return column(*(self.div(f.row(i).T) for i in range(f.rows)))

    def laplace(self, f: Any) -> Any:
        """Return f_xx + f_yy."""
        return sum((f.diff(x, 2) for x in self.space[1:]), f.diff(self.space[0], 2))

    def advect(self, a: sympy.Matrix, f: Any) -> Any:
        """Return a_x f_x + a_y f_y."""
        terms = [part * f.diff(x) for part, x in zip(a, self.space, strict=True)]
        return sum(terms[1:], terms[0])

    def curl(self, f: sympy.Matrix) -> Any:
        """Return the curl of a vector in the plane, a number."""
        return f[1].diff(self.space[0]) - f[0].diff(self.space[1])

    @staticmethod
    def _derivative_by(symbol: sympy.Symbol) -> Any:
        return lambda f: f.diff(symbol)


def read_formulas(path: Path) -> WrittenFormulas:
    """Read a file."""
    return WrittenFormulas(path.read_text(encoding="utf-8"))


def column(*rows: Any) -> sympy.Matrix:
    """Return a vector, or of vectors the matrix with these rows."""
    return sympy.Matrix([list(row) if is_vector(row) else row for row in rows])


def is_vector(f: Any) -> bool:
    """Return whether f is a column."""
    return isinstance(f, sympy.MatrixBase) and f.cols == 1


def dot(a: sympy.Matrix, b: sympy.Matrix) -> Any:
    """Return the product of two vectors, or of a matrix and a vector."""
    return (a.T * b)[0] if is_vector(a) else a * b
