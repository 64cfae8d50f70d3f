"""Values of symbolic forms at points, in double precision, with limits where the formula is 0/0."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from operator import add, mul
from typing import Any

import numpy as np

from pinnkan.ground.arrays import FloatArray
from pinnkan.ground.errors import PinnkanError
from pinnkan.language.expressions.programs.program import ONE_OPERAND, Program, compile_program, run
from pinnkan.language.expressions.questions import multiprecision
from pinnkan.language.expressions.questions.limits import any_limit, rays, smooth_limits
from pinnkan.language.expressions.text import display_text

_CHUNK = 8192
# Below this fraction of the extent of the points a coordinate is zero: the middle
# of an odd grid is often 5e-17, where 0/0 hides behind a finite, wrong number.
_ZERO = 1e-14


def evaluate(
    exprs: Sequence[Any],
    coordinates: Sequence[str],
    points: FloatArray,
    values: Mapping[str, float] | None = None,
) -> FloatArray:
    """Evaluate expressions at points.

    Where a value is not finite although the expression has a limit there (the
    derivatives of |x| at the origin, sin(x)/x at 0), the limit is taken.

    Args:
        exprs: E SymPy expressions in real symbols.
        coordinates: Names of the D coordinates, in the order of the columns.
        points: Shape (N, D).
        values: Parameter values.

    Returns:
        Shape (E, N).

    Raises:
        PinnkanError: If an expression has no finite limit at a point, which is named.
        ValueError: If an expression holds a symbol that is neither coordinate nor parameter.
    """
    points = np.asarray(points, dtype=np.float64)
    values = dict(values or {})
    program = compile_program(tuple(exprs), (*coordinates, *values), guarded=False)
    extent = _extent(points)
    points = _settled(points, extent)
    results = direct(program, points, values)
    for row in np.flatnonzero(~np.isfinite(results).all(axis=1)).tolist():
        holes = np.flatnonzero(~np.isfinite(results[row]))
        part = compile_program((exprs[row],), program.arguments, guarded=False)
        limits = _limits(part, points[holes], values, extent)
        if np.isnan(limits).any():
            raise _no_limit(exprs[row], coordinates, points[holes[np.isnan(limits)][0]])
        results[row, holes] = limits
    return results


def settled(points: FloatArray) -> FloatArray:
    """Return points with coordinates that are zero up to rounding set to zero, shape (N, D)."""
    return _settled(points, _extent(points))


def _settled(points: FloatArray, extent: FloatArray) -> FloatArray:
    return np.where(np.abs(points) < _ZERO * extent, 0.0, points)


def _extent(points: FloatArray) -> FloatArray:
    """Size of the point set along every coordinate, the length that steps towards a limit start from."""
    if len(points) == 0:
        return np.ones(points.shape[1])
    columns = np.ascontiguousarray(points.T)  # down the rows of (N, D) NumPy looks ten times as long
    lowest, highest = columns.min(axis=1), columns.max(axis=1)
    spread, reach = highest - lowest, np.maximum(np.abs(lowest), np.abs(highest))
    return np.where(spread > 0, spread, np.where(reach > 0, reach, 1.0))


def direct(program: Program, points: FloatArray, values: Mapping[str, float]) -> FloatArray:
    """Evaluate a program at points (N, D) without limits, shape (E, N): what is not finite stays so."""
    results = np.empty((len(program.outputs), len(points)))
    # In chunks, since every step keeps its result.
    with np.errstate(all="ignore"):
        for start in range(0, len(points), _CHUNK):
            block = points[start : start + _CHUNK]
            arguments = [*block.T, *(np.float64(value) for value in values.values())]
            outputs = run(program, arguments, operations=OPERATIONS, constant=as_constant)
            for row, output in enumerate(outputs):
                results[row, start : start + _CHUNK] = output
    return results


def defined_values(exprs: Sequence[Any], names: Sequence[str], points: FloatArray) -> FloatArray:
    """Evaluate expressions in the names of columns, NaN where there is no finite value; limits are not taken.

    Args:
        exprs: E SymPy expressions in real symbols.
        names: What the D columns stand for: coordinates, parameters, derivatives of the unknown.
        points: Shape (N, D).

    Returns:
        Shape (E, N).
    """
    results = direct(compile_program(tuple(exprs), tuple(names), guarded=False), points, {})
    return np.where(np.isfinite(results), results, np.nan)


def _limits(
    program: Program, points: FloatArray, values: Mapping[str, float], extent: FloatArray
) -> FloatArray:
    """The limits of a program of one output, shape (N,), NaN where there is none."""
    directions = rays(points.shape[1]) * extent
    limits = smooth_limits(lambda at: direct(program, at, values)[0], points, directions)
    parameters = [multiprecision.real(value) for value in values.values()]

    def precisely(point: Sequence[Any]) -> Any:
        arguments = [*point, *parameters]
        return run(program, arguments, operations=multiprecision.OPERATIONS, constant=lambda value: value)[0]

    for place in np.flatnonzero(np.isnan(limits)).tolist():
        limits[place] = any_limit(precisely, points[place], directions)
        if np.isnan(limits[place]):
            break
    return limits


def _no_limit(expr: Any, coordinates: Sequence[str], point: FloatArray) -> PinnkanError:
    place = ", ".join(f"{name}={value:.6g}" for name, value in zip(coordinates, point.tolist(), strict=True))
    text = display_text(expr)
    shown = text if len(text) <= 80 else f"{text[:77]}..."
    return PinnkanError(
        f"no finite value or limit at {place} of {shown}; "
        "keep roots and logarithms in their domain with max(..., 0), or leave the point out with where(...)"
    )


def _unknowing(function: Callable[..., Any]) -> Callable[..., Any]:
    """A condition that is NaN where a side of it is, so that no branch is taken by accident."""
    return lambda a, b: np.where(np.isnan(a) | np.isnan(b), np.nan, function(a, b))


def _where(condition: Any, a: Any, b: Any) -> Any:
    return np.where(np.isnan(condition), np.nan, np.where(condition > 0.5, a, b))


def _erf(a: Any) -> Any:
    from scipy.special import erf  # a tenth of a second that few problems need

    return erf(a)


def as_constant(value: Any) -> Any:
    """Return a multiprecision constant in double precision."""
    return np.float64(value)


OPERATIONS: dict[str, Callable[..., Any]] = {
    "add": lambda *terms: reduce(add, terms),
    "multiply": lambda *factors: reduce(mul, factors),
    "divide": np.divide,
    "power": np.power,
    **{name: getattr(np, name) for name in ONE_OPERAND if name != "erf"},
    "erf": _erf,
    "abs": np.abs,
    "less": _unknowing(np.less),
    "less_equal": _unknowing(np.less_equal),
    "both": np.minimum,
    "either": np.maximum,
    "otherwise": lambda condition: 1.0 - condition,
    "where": _where,
}
