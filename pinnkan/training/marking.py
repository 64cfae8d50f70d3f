"""MARK: which refinement is expected to lower the error most a second.

A step of Levenberg-Marquardt with M residuals and P numbers takes about M P^2 operations, so that a
refinement's cost is known before it is made. What it gains is not: the last refinement of its kind says it.
Before the first, a larger network is taken to divide the error by ten, whatever grows; more points, where
there are enough of them, by little.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pinnkan.training.levels import Level, Levels, Size

PAYS = math.log(1.5)
"""Least gain of a level that is kept: its estimate is two thirds of the one before, or less."""
MOST_IN_VAIN = 2
"""Refinements in a row that do not pay, after which there is no other."""
_LEAST_GAIN = 0.05
"""Of a kind that gained nothing: it is tried again where all else costs too much."""


@dataclass(frozen=True)
class Candidate:
    """A refinement that can be made.

    Attributes:
        kind: What is refined.
        size: That the next level has.
        is_due: Whether nothing else helps before it: the points are fitted and no longer the equation.
        expected: Gain of the first of its kind, before any was made.
    """

    kind: str
    size: Size
    is_due: bool = False
    expected: float = math.log(10.0)


def marked(levels: Levels, candidates: Sequence[Candidate]) -> Candidate | None:
    """Return the refinement to make next; None where there is none, or none has paid for too long."""
    in_vain = levels.in_vain
    if len(in_vain) >= MOST_IN_VAIN:
        return None
    vain = {level.kind for level in in_vain}
    open_to = [candidate for candidate in candidates if candidate.kind not in vain]
    due = [candidate for candidate in open_to if candidate.is_due]
    if due:
        return due[0]
    return max(open_to, key=lambda candidate: _gain_a_cost(levels, candidate), default=None)


def _gain_a_cost(levels: Levels, candidate: Candidate) -> float:
    gain = levels.last_gain(candidate.kind)
    expected = candidate.expected if gain is None else max(gain, _LEAST_GAIN)
    return expected / cost_of(candidate.size)


def cost_of(size: Size) -> float:
    """Return the operations of a step, up to a factor that all sizes of a problem share."""
    return float(size.points) * size.numbers * min(size.numbers, size.points)


def pays(level: Level, before: Level) -> bool:
    """Tell whether a level lowered the error enough to be kept."""
    return level.gain_over(before) >= PAYS
