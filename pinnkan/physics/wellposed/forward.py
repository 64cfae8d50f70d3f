"""Whether an equation in time is well posed forward: its short waves must not grow without bound.

A wave exp(i xi x + theta t) of a short length 1/|xi| solves a u_t + sum c_alpha d^alpha u + ... = 0 with
theta = -(-1)^m p(xi) / a up to lower orders, where 2m is the highest even order and
p(xi) = sum over |alpha| = 2m of c_alpha xi^alpha. For u_tt in the place of u_t it is theta^2, less
what a mixed term b u_tx adds: theta = i tau with a tau^2 + b xi tau + c xi^2 = 0. Both stay
bounded if and only if

    s(xi) = (-1)^m p(xi) / a  >= 0        (with u_tx and m = 1: s + (b xi)^2 / (4 a^2) >= 0)

in every direction xi. Odd orders turn waves, lower ones change them at a bounded rate: neither decides.
A nonlinear equation is judged at sampled states, and at the state that it begins with.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from pinnkan.geometry import InitialTime
from pinnkan.ground.arrays import FloatArray
from pinnkan.ground.derivatives import MultiIndex, pure_index
from pinnkan.language.expressions import Names, derivative_name
from pinnkan.language.expressions.calculus import ORDINALS
from pinnkan.physics.instance import Instance
from pinnkan.physics.wellposed.factors import Factors, decided, factors, initial_factors
from pinnkan.physics.wellposed.findings import Finding, point_text, refusal

_POINTS = 200
_SEED = 314_159
_DIRECTIONS = 48
_NOTHING = 1e-9
"""A factor below this share of the largest of its order is taken for zero."""
_DECISIVE = 1e-3
"""Share of the largest |s| from which on a negative one at the initial data is no matter of rounding."""


_REMEDIES = {
    1: "A terminal condition is written in the time left, tau = T - {t}: there {u}_{t} = -{u}_tau",
    2: "An elliptic equation has no time: name {t} under coordinates, with conditions on every side",
}


def ill_posed_forward(instance: Instance) -> Iterator[Finding]:
    """Refuse an equation whose short waves grow without bound, such as u_t = -u_xx or u_tt = -u_xx."""
    if instance.problem.time is None or not instance.problem.space:
        return
    points = instance.domain.uniform(_POINTS, _SEED)
    first = instance.domain.collocate(InitialTime(), _POINTS, rule="random", seed=_SEED).points
    directions = directions_in(len(instance.problem.space))
    for equation in instance.problem.equations:
        anywhere = factors(instance, equation, points)
        message = _growing(instance, anywhere, points, directions, at_data=False)
        if message is None:
            begun = initial_factors(instance, equation, first)
            if begun is not None:
                message = _growing(instance, begun, first, directions, at_data=True)
        if message is not None:
            yield refusal(f"{equation.name}: {message}", equation.place)


def _growing(
    instance: Instance, found: Factors, points: FloatArray, directions: FloatArray, *, at_data: bool
) -> str | None:
    """Say where short waves grow without bound, by the factors at points (N, D); None where they do not."""
    order = max((index[0] for index in found.by_index), default=0)
    symbols = _stiffness(found.by_index, order, directions) if order else None
    if symbols is None or np.isnan(symbols[0]).all():
        return None
    stiffness, deciding = symbols
    zero = -_DECISIVE * np.nanmax(np.abs(stiffness)) if at_data else 0.0
    bad = decided(stiffness < zero, ~np.isnan(stiffness))
    if not bad.any():
        return None
    least = np.where(bad, np.where(np.isnan(stiffness), np.inf, stiffness).min(axis=0), np.inf)
    row, column = np.unravel_index(int(least.argmin()), least.shape)
    factor = f"the factor {least[row, column]:.3g}" if at_data or found.linear else "a negative factor"
    where = point_text(instance.coordinates, points[row]) + (", by the initial data" if at_data else "")
    state = int(np.nan_to_num(stiffness[:, row, column], nan=np.inf).argmin())
    names, highest = instance.problem.names, int(deciding[state, row, column])
    message = _message(names, order, highest, factor, directions[column], where)
    remedy = _REMEDIES[order].format(t=names.coordinates[0], u=names.unknowns[0])
    return message + ("" if at_data else f". {remedy}")


def _stiffness(
    by_index: Mapping[MultiIndex, FloatArray], order: int, directions: FloatArray
) -> tuple[FloatArray, FloatArray] | None:
    """Return s(xi) and the order that decides it, (S, N, K) each for K directions.

    s is 0 where nothing decides and NaN where the factors do not say. None where the form of the
    equation decides nothing: u_t together with u_tx.
    """
    size = len(next(iter(by_index)))
    leading = by_index.get(pure_index(0, size, order))
    mixed = {index: values for index, values in by_index.items() if index[0] and any(index[1:])}
    if leading is None or any(order == 1 or sum(index) > 2 for index in mixed):
        return None
    a = np.where(np.abs(leading) > _NOTHING * _largest(leading), leading, np.nan)[..., None]
    space = {index[1:]: values for index, values in by_index.items() if not index[0]}
    result, deciding = np.zeros((2, *leading.shape, len(directions)))
    for even in sorted({sum(index) for index in space if any(index) and sum(index) % 2 == 0}):
        terms = {index: values for index, values in space.items() if sum(index) == even}
        s = (-1) ** (even // 2) * _symbol(terms, directions) / a
        if even == 2 and mixed:
            turned = _symbol({index[1:]: values for index, values in mixed.items()}, directions)
            s = s + (turned / a) ** 2 / 4
        scale = np.max([_largest(values) for values in terms.values()], axis=0)
        counts = ~(np.abs(s * a) <= _NOTHING * scale[..., None])
        result, deciding = np.where(counts, s, result), np.where(counts, even, deciding)
    return result, deciding


def _largest(values: FloatArray) -> FloatArray:
    """Return the largest absolute value at each state, shape (S, 1)."""
    return np.asarray(np.nan_to_num(np.abs(values)).max(axis=1, keepdims=True))


def _symbol(terms: Mapping[MultiIndex, FloatArray], directions: FloatArray) -> FloatArray:
    """Return the sum of c_alpha xi^alpha, shape (S, N, K)."""
    total = np.zeros(1)
    for index, values in terms.items():
        total = total + values[..., None] * np.prod(directions ** np.array(index), axis=1)
    return total


def directions_in(dimension: int) -> FloatArray:
    """Return unit vectors, shape (K, d): the axes, the diagonals of two axes, and seeded ones."""
    axes = np.eye(dimension)
    pairs = [(i, j) for j in range(dimension) for i in range(j)]
    diagonals = [axes[i] + sign * axes[j] for i, j in pairs for sign in (1, -1)]
    drawn = np.random.default_rng(_SEED).normal(size=(_DIRECTIONS if dimension > 1 else 0, dimension))
    vectors = np.concatenate([axes, np.reshape(diagonals, (-1, dimension)), drawn])
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def _message(names: Names, order: int, highest: int, factor: str, direction: FloatArray, where: str) -> str:
    """Say what grows, and where: in derivatives of the ``highest`` even order that decides."""
    time, unknown = names.coordinates[0], names.unknowns[0]
    rate = derivative_name(unknown, pure_index(0, 1 + len(names.space), order), names)
    sign = "" if highest % 4 else "minus "
    return (
        f"not well posed forward in {time}: solved for {rate}, {sign}the {ORDINALS[highest]} derivative "
        f"along {along_text(names, direction)} has {factor} at {where}; it must be positive, or short "
        "waves grow without bound"
    )


def along_text(names: Names, direction: FloatArray) -> str:
    """Name an axis, or write a direction as a vector."""
    axes = np.flatnonzero(direction)
    if len(axes) == 1:
        return names.space[int(axes[0])]
    return f"({', '.join(f'{entry:.3g}' for entry in direction)})"
