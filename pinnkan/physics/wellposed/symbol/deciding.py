"""Which of a system's equations decide: as many as unknowns, the others following from them.

Of Maxwell's equations that of the divergence is kept beside those that evolve; the waves of these have it
already. An equation follows from others if its row of P(s, i xi + z m) vanishes on all their waves.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from pinnkan.language.problem.spec import Equation
from pinnkan.physics.instance import Instance
from pinnkan.physics.wellposed.symbol.frozen import (
    MOST_UNKNOWNS,
    Slopes,
    determinant,
    frozen_slopes,
    is_linear,
)
from pinnkan.physics.wellposed.symbol.waves import side_row, wave_count

_POINTS, _SEED, _STATES, _MOST_CHOICES = 2, 316_227, 3, 20
_WAVES = ((2.3, 3.1), (7.9, 5.7))


def deciding_equations(instance: Instance) -> tuple[Equation, ...] | None:
    """Return as many equations as unknowns, from which all others follow; None if there are none such."""
    problem, size = instance.problem, len(instance.problem.unknowns)
    equations = problem.equations
    if not size <= len(equations) or size > MOST_UNKNOWNS:
        return None
    if len(equations) == size:
        return equations
    if not problem.space:
        return None
    points = instance.domain.uniform(_POINTS, _SEED)
    states = 1 if is_linear(instance) else _STATES
    slopes = [frozen_slopes(instance, equation, points, states=states) for equation in equations]
    choices = itertools.islice(itertools.combinations(range(len(equations)), size), _MOST_CHOICES)
    for chosen in choices:
        rest = [slopes[k] for k in range(len(equations)) if k not in chosen]
        if _follow(instance, [slopes[k] for k in chosen], rest, states * len(points)):
            return tuple(equations[k] for k in chosen)
    return None


def _follow(instance: Instance, chosen: Sequence[Slopes], rest: Sequence[Slopes], count: int) -> bool:
    """Tell whether the rows of the rest vanish on all waves of those chosen, at all points and states."""
    drawn = np.random.default_rng(_SEED).normal(size=(count, len(instance.problem.space)))
    normals = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
    for waves, rates in _WAVES:
        symbols, others = (
            [side_row(instance, own, normals, waves, rates) for own in rows] for rows in (chosen, rest)
        )
        polynomial = determinant(symbols)
        for entry in range(count):
            found = wave_count(symbols, others, polynomial, entry, least=1.0)
            if found is None or found.stated:
                return False
    return True
