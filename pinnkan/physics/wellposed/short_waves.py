"""Whether a system in time is well posed forward: its short waves must not grow without bound (Petrovsky).

A wave exp(i k omega.x + s t) solves the frozen system where det P(s, i k omega) = 0. As k grows, the roots go
as s = c k^p: the edges of the Newton polygon of the determinant tell the powers p, the polynomials on them
the factors c. With p > 0 and Re c > 0 there are waves that grow the faster the shorter they are, and no
solution depends on its data with continuity. Backward diffusion shows whatever it is hidden in: u_t =
-laplace(v) with v = u, or u_t = -q_x with q = u_x.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from pinnkan.ground.arrays import FloatArray
from pinnkan.ground.derivatives import Partial
from pinnkan.physics.instance import Instance
from pinnkan.physics.wellposed.findings import Finding, point_text, refusal
from pinnkan.physics.wellposed.forward import along_text, directions_in
from pinnkan.physics.wellposed.symbol.deciding import deciding_equations
from pinnkan.physics.wellposed.symbol.frozen import (
    Polynomial,
    along,
    determinant,
    entry_of,
    frozen_slopes,
    is_linear,
)

_POINTS, _SEED, _STATES, _DECADES = 12, 223_606, 10, 3.0
_MOST_DIRECTIONS = 6
_GROWS = 1e-3
"""Share of |c| from which on Re c is no matter of rounding, not even of that of a threefold root."""


def growing_short_waves(instance: Instance) -> Iterator[Finding]:
    """Refuse a system whose short waves grow without bound at a point, whatever its state."""
    problem = instance.problem
    equations = deciding_equations(instance)
    if problem.time is None or not problem.space or equations is None:
        return
    points = instance.domain.uniform(_POINTS, _SEED)
    states = 1 if is_linear(instance) else _STATES
    slopes = [
        frozen_slopes(instance, equation, points, states=states, decades=_DECADES) for equation in equations
    ]
    for direction in directions_in(len(problem.space))[:_MOST_DIRECTIONS]:
        symbols = [
            [_symbol(own, column, direction) for column in range(len(problem.unknowns))] for own in slopes
        ]
        growths = _growths(determinant(symbols), states * len(points)).reshape(states, len(points), 2)
        bad = (growths[..., 0] > 0.0).all(axis=0)
        if bad.any():
            place = int(bad.argmax())
            rate, power = growths[0, place]
            factor = f"{rate:.3g} k^{power:.3g} t" if states == 1 else f"c k^{power:.3g} t, c > 0"
            yield refusal(
                f"the equations together are not well posed forward in {problem.time}: waves of wave "
                f"number k along {along_text(problem.names, direction)} grow as exp({factor}) at "
                f"{point_text(problem.coordinates, points[place])}, the shorter the faster without bound; "
                "look for a flux or a coupling of the wrong sign",
                problem.equations[0].place,
            )
            return


def _symbol(slopes: Mapping[Partial, FloatArray], column: int, direction: FloatArray) -> Polynomial:
    """Return an entry of P(s, i k omega), a polynomial in s and k."""
    result: Polynomial = {}
    for partial, values in slopes.items():
        if partial.unknown == column:
            order = sum(partial.orders[1:])
            term = values * (1j**order * along(direction, partial.orders[1:]))
            key = (partial.orders[0], order)
            result[key] = result.get(key, 0.0) + term
    return result


def _growths(polynomial: Polynomial, count: int) -> FloatArray:
    """Return the largest Re c > 0 of roots s = c k^p with p > 0, and p, (B, 2); 0 where there is none."""
    result = np.zeros((count, 2))
    for entry in range(count):
        terms = {key: entry_of(values, entry) for key, values in polynomial.items()}
        if np.isfinite(list(terms.values())).all():
            result[entry] = _growth({key: value for key, value in terms.items() if value})
    return result


def _growth(terms: Mapping[tuple[int, ...], complex]) -> tuple[float, float]:
    """Return Re c and p of the fastest growth of one determinant (module docstring)."""
    tops: dict[int, int] = {}
    for power, order in terms:
        tops[power] = max(order, tops.get(power, -1))
    place = min(tops, default=0)
    while place < max(tops, default=0):
        # The steepest ascent to the right is the next edge of the upper hull: p is minus its slope.
        slope, following = max(
            ((tops[power] - tops[place]) / (power - place), power) for power in tops if power > place
        )
        level = {
            power - place: terms[power, top]
            for power, top in tops.items()
            if place <= power <= following and abs(tops[place] + slope * (power - place) - top) < 1e-9
        }
        place = following
        if slope >= 0.0:
            continue  # p <= 0: these roots stay bounded.
        roots = np.roots([level.get(power, 0.0) for power in range(max(level), -1, -1)])
        growing = roots[roots.real > _GROWS * np.abs(roots)]
        if growing.size:
            return float(growing.real.max()), -slope
    return 0.0, 0.0
