"""Values of symbolic forms at fixed points for many parameter values at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pinnkan.ground.arrays import FloatArray
from pinnkan.language.expressions.programs.evaluation import OPERATIONS, as_constant, evaluate, settled
from pinnkan.language.expressions.programs.program import Step, compile_program


class PointProgram:
    """Expressions bound to points: functions of the parameters alone.

    What depends on the points but on no parameter is computed once, here; what
    is left is arithmetic between (N,) and (L, 1). The values are those of
    `evaluate`, limits included: a parameter value at which the direct arithmetic
    is not finite somewhere is handed to it.

    Args:
        exprs: E SymPy expressions in real symbols.
        coordinates: Names of the D coordinates, in the order of the columns.
        points: Shape (N, D).
        parameters: Names of the P parameters.

    Raises:
        ValueError: If an expression holds a symbol that is neither coordinate nor parameter.
    """

    def __init__(
        self, exprs: Sequence[Any], coordinates: Sequence[str], points: FloatArray, parameters: Sequence[str]
    ) -> None:
        self._exprs, self._coordinates, self._points = tuple(exprs), tuple(coordinates), points
        self._parameters = tuple(parameters)
        arguments = (*self._coordinates, *self._parameters)
        program = compile_program(self._exprs, arguments, guarded=False)
        self._outputs = program.outputs
        self._registers: list[Any] = [*settled(points).T, *(None for _ in self._parameters)]
        self._moving = set(range(len(self._coordinates), len(arguments)))
        """Registers that depend on a parameter."""
        self._pointless = set(self._moving)
        """Those of them that depend on no point: (L, 1)."""
        self._steps: list[tuple[int, str, list[int]]] = []
        self._folded: list[Any] = []
        self._end = len(arguments) + len(program.cells)
        with np.errstate(all="ignore"):
            for cell in program.cells:
                self._registers.append(self._bound(cell))
        self._registers += self._folded

    def _bound(self, cell: Step | Any) -> Any:
        """Return a register's value if no parameter enters it, else put its step on the list."""
        if not isinstance(cell, Step):
            return as_constant(cell)
        still = [k for k in cell.operands if k not in self._moving]
        moving = [k for k in cell.operands if k in self._moving]
        values = [self._registers[k] for k in still]
        if not moving:
            return OPERATIONS[cell.operation](*values)
        operands = list(cell.operands)
        if cell.operation in ("add", "multiply"):
            # The short operands first: one operation of shape (L, N) is left, or none.
            if still:
                still = [self._end + len(self._folded)]
                self._folded.append(OPERATIONS[cell.operation](*values))
            operands = [
                *(k for k in moving if k in self._pointless),
                *still,
                *(k for k in moving if k not in self._pointless),
            ]
        here = len(self._registers)
        self._steps.append((here, cell.operation, operands))
        self._moving.add(here)
        if self._pointless.issuperset(moving) and all(np.ndim(value) == 0 for value in values):
            self._pointless.add(here)
        return None

    def __call__(self, values: FloatArray) -> FloatArray:
        """Evaluate at parameter values (L, P), shape (E, L, N).

        Raises:
            PinnkanError: If an expression has no finite value or limit at a point.
        """
        registers = list(self._registers)
        start = len(self._coordinates)
        registers[start : start + len(self._parameters)] = values.T[:, :, None]
        with np.errstate(all="ignore"):
            for place, operation, operands in self._steps:
                registers[place] = OPERATIONS[operation](*[registers[k] for k in operands])
        results = np.empty((len(self._exprs), len(values), len(self._points)))
        for row, output in enumerate(self._outputs):
            results[row] = registers[output]
        for failed in np.flatnonzero(~np.isfinite(results).all(axis=(0, 2))).tolist():
            named = dict(zip(self._parameters, values[failed].tolist(), strict=True))
            results[:, failed] = evaluate(self._exprs, self._coordinates, self._points, named)
        return results
