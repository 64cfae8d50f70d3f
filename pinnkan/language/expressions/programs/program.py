"""Symbolic forms to straight-line programs: a list of elementary steps on numbered registers.

Equal parts of all expressions share one register, so that common
subexpressions are computed once: the keys are SymPy's own structural hashes,
which unlike ``sympy.cse`` cost one visit a part. A program knows nothing of
tensors; ``run`` takes the arithmetic to carry it out with.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sympy

from pinnkan.language.expressions.names import symbol
from pinnkan.language.expressions.piecewise import Both, Either, Less, LessEqual, Where
from pinnkan.language.expressions.questions import multiprecision

_MAX_MULTIPLIED_POWER = 64

_FUNCTIONS = {
    sympy.sin: "sin",
    sympy.cos: "cos",
    sympy.tan: "tan",
    sympy.exp: "exp",
    sympy.log: "log",
    sympy.sinh: "sinh",
    sympy.cosh: "cosh",
    sympy.erf: "erf",
    sympy.tanh: "tanh",
    sympy.Abs: "abs",
    Less: "less",
    LessEqual: "less_equal",
    Both: "both",
    Either: "either",
}
ONE_OPERAND = ("sqrt", "exp", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh", "erf")
"""Steps that every arithmetic calls by the same name."""
# Operations with an infinite slope, or an overflow, somewhere on the line, and which operand brings it about.
_SENSITIVE = {"divide": 1, "power": 0, "sqrt": 0, "log": 0, "exp": 0, "sinh": 0, "cosh": 0, "tan": 0}


@dataclass(frozen=True)
class Step:
    """One operation on registers; its result is the next register."""

    operation: str
    operands: tuple[int, ...]


@dataclass(frozen=True)
class Program:
    """Registers: first the arguments, then one for every constant or step, in order."""

    arguments: tuple[str, ...]
    cells: tuple[Step | Any, ...]
    """Steps, and constants as multiprecision numbers."""
    outputs: tuple[int, ...]


def run(
    program: Program,
    arguments: Sequence[Any],
    *,
    operations: Mapping[str, Callable[..., Any]],
    constant: Callable[[Any], Any],
) -> list[Any]:
    """Carry a program out.

    Args:
        program: The steps.
        arguments: Values in the order of ``program.arguments``.
        operations: The arithmetic: one function for every name of a step.
        constant: Makes a value of a multiprecision constant.

    Returns:
        The value of every expression of the program.
    """
    registers = list(arguments)
    for cell in program.cells:
        if isinstance(cell, Step):
            registers.append(operations[cell.operation](*[registers[k] for k in cell.operands]))
        else:
            registers.append(constant(cell))
    return [registers[k] for k in program.outputs]


@lru_cache(maxsize=256)
def compile_program(exprs: tuple[Any, ...], arguments: tuple[str, ...], *, guarded: bool) -> Program:
    """Translate expressions into one program.

    Args:
        exprs: SymPy expressions in real symbols.
        arguments: Names of the symbols, in the order in which values will be given.
        guarded: Whether the branches of ``Where`` are computed on harmless
            operands where they are not taken. Reverse differentiation
            multiplies the zero adjoint of an untaken branch by its slope, and
            0 * inf is NaN; a forward value needs no guard.

    Raises:
        ValueError: If an expression holds a symbol that is not an argument.
    """
    compiler = _Compiler(arguments, guarded)
    outputs = tuple(compiler.register(sympy.sympify(expr), None) for expr in exprs)
    return Program(arguments, tuple(compiler.cells), outputs)


class _Compiler:
    """Registers handed out so far; ``register`` gives that of an expression under a guard."""

    def __init__(self, arguments: tuple[str, ...], guarded: bool) -> None:
        self._arguments = {symbol(name): k for k, name in enumerate(arguments)}
        self._count = len(arguments)
        self._guarded = guarded
        self._known: dict[Any, int] = {}
        self._constants: dict[int, Any] = {}
        self._sensitive: dict[Any, bool] = {}
        self.cells: list[Step | Any] = []

    def register(self, expr: Any, guard: int | None) -> int:
        """The register of an expression; ``guard`` is that of the condition under which it is taken."""
        if expr.is_Symbol:
            if expr not in self._arguments:
                raise ValueError(f"symbol '{expr}' is not among the arguments")
            return self._arguments[expr]
        key = (expr, guard if self._is_sensitive(expr) else None)
        if key not in self._known:
            self._known[key] = self._compile(expr, guard)
        return self._known[key]

    def _compile(self, expr: Any, guard: int | None) -> int:
        if expr.is_Atom:
            return self._constant(multiprecision.constant(expr))
        if expr.is_Add:
            return self._emit("add", [self.register(term, guard) for term in expr.args], guard)
        if expr.is_Mul:
            return self._product(expr.args, guard)
        if expr.is_Pow:
            return self._power(expr.base, expr.exp, guard)
        if isinstance(expr, Where):
            return self._where(expr.args, guard)
        if isinstance(expr, sympy.cot):
            return self.register(1 / sympy.tan(expr.args[0], evaluate=False), guard)
        return self._emit(_FUNCTIONS[expr.func], [self.register(arg, guard) for arg in expr.args], guard)

    def _product(self, factors: Sequence[Any], guard: int | None) -> int:
        """Collect the factors below the line into one divisor."""
        above, below = [], []
        for factor in factors:
            if factor.is_Pow and factor.exp.is_Number and factor.exp < 0:
                below.append(self._power(factor.base, -factor.exp, guard))
            else:
                above.append(self.register(factor, guard))
        numerator = self._emit("multiply", above, guard) if above else self._constant(multiprecision.real(1))
        if not below:
            return numerator
        return self._emit("divide", [numerator, self._emit("multiply", below, guard)], guard)

    def _power(self, base: Any, exponent: Any, guard: int | None) -> int:
        if exponent.is_Number and exponent < 0:
            one = self._constant(multiprecision.real(1))
            return self._emit("divide", [one, self._power(base, -exponent, guard)], guard)
        root = self.register(base, guard)
        if exponent.is_Number:
            value = float(exponent)
            if value.is_integer() and value <= _MAX_MULTIPLIED_POWER:
                return self._repeated(root, int(value))
            if value == 0.5:
                return self._emit("sqrt", [root], guard)
        return self._emit("power", [root, self.register(exponent, guard)], guard)

    def _repeated(self, base: int, exponent: int) -> int:
        """base^exponent by squaring; ``torch.pow`` costs twenty multiplications."""
        if exponent <= 1:
            return base if exponent else self._constant(multiprecision.real(1))
        half = self._repeated(base, exponent // 2)
        square = self._emit("multiply", [half, half], None)
        return self._emit("multiply", [square, base], None) if exponent % 2 else square

    def _where(self, parts: tuple[Any, Any, Any], guard: int | None) -> int:
        condition, a, b = parts
        holds = self.register(condition, guard)
        if not self._guarded:
            return self._emit("where", [holds, self.register(a, None), self.register(b, None)], None)
        fails = self._emit("otherwise", [holds], None)
        if guard is None:
            taken, untaken = holds, fails
        else:
            taken, untaken = (self._emit("both", [guard, case], None) for case in (holds, fails))
        return self._emit("where", [holds, self.register(a, taken), self.register(b, untaken)], None)

    def _emit(self, operation: str, operands: Sequence[int], guard: int | None) -> int:
        """Append a step, or reuse an equal one, or fold it if its operands are constants."""
        if len(operands) == 1 and operation in ("add", "multiply"):
            return operands[0]
        operands = list(operands)
        if all(k in self._constants for k in operands):
            return self._constant(
                multiprecision.OPERATIONS[operation](*(self._constants[k] for k in operands))
            )
        if guard is not None and operation in _SENSITIVE:
            place = _SENSITIVE[operation]
            if operands[place] not in self._constants:
                # One is inside the domain of every sensitive operation, with a finite slope there.
                harmless = self._constant(multiprecision.real(1))
                operands[place] = self._emit("where", [guard, operands[place], harmless], None)
        return self._append(Step(operation, tuple(operands)))

    def _constant(self, value: Any) -> int:
        register = self._append(value)
        self._constants[register] = value
        return register

    def _append(self, cell: Step | Any) -> int:
        if cell not in self._known:
            self.cells.append(cell)
            self._known[cell] = self._count
            self._count += 1
        return self._known[cell]

    def _is_sensitive(self, expr: Any) -> bool:
        """Whether an expression must be computed anew under a guard."""
        if not self._guarded:
            return False
        if expr not in self._sensitive:
            own = expr.is_Pow or _FUNCTIONS.get(expr.func) in _SENSITIVE
            self._sensitive[expr] = own or any(self._is_sensitive(arg) for arg in expr.args)
        return self._sensitive[expr]
